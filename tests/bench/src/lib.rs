//! hubtls measured against OpenSSL 3 and raw rustls, in the same run and set up alike.
//!
//! Everything happens in memory. A rustls server, the same for all, is joined to each client; only the client's calls
//! are timed, by the CPU time of the thread. The peers take turns in rounds, and a figure is the median of the ratios of
//! the rounds, so that load on the machine falls on all of them.

pub mod bulk;
pub mod cbc;
pub mod figures;
pub mod handshake;
pub mod heap;
pub mod hubtls;
pub mod measure;
pub mod openssl;
pub mod peer;
pub mod pki;
pub mod report;
pub mod rustls;
pub mod scale;
pub mod small;
pub mod table;
