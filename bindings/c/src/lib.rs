//! The C interface of hubtls: `include/hubtls.h` is made from these files, documentation included.
//!
//! A function checks its arguments, converts them, calls the library and stores the outcome; nothing is decided here. What holds for all:
//! every handle is freed once with its `_free` (NULL is a no-op), outputs are written on success alone, and no panic crosses into C.

#![allow(non_camel_case_types, reason = "the names are those of C")]
#![allow(unsafe_code, reason = "raw pointers are what C has")]
#![allow(
    clippy::missing_safety_doc,
    reason = "the rules for pointers are the same everywhere and stand at the top of the header"
)]

#[cfg(feature = "engine")]
mod builder;
#[cfg(feature = "engine")]
mod callback;
#[cfg(feature = "engine")]
mod config;
#[cfg(feature = "engine")]
mod connection;
mod error;
#[cfg(feature = "engine")]
mod exclusive;
mod file;
#[cfg(feature = "engine")]
mod identity;
mod memory;
mod names;
#[cfg(feature = "engine")]
mod negotiated;
mod policy;
mod roots;
#[cfg(all(feature = "engine", unix))]
mod stream;

#[cfg(feature = "engine")]
pub use builder::*;
#[cfg(feature = "engine")]
pub use callback::*;
#[cfg(feature = "engine")]
pub use config::*;
#[cfg(feature = "engine")]
pub use connection::*;
pub use error::*;
#[cfg(feature = "engine")]
pub use identity::*;
pub use memory::hubtls_bytes;
pub use names::*;
#[cfg(feature = "engine")]
pub use negotiated::*;
pub use policy::*;
pub use roots::*;
#[cfg(all(feature = "engine", unix))]
pub use stream::*;

/// The number of this interface. A library with the same number has every function and every field that a program compiled with this
/// header uses; the number changes only when something is removed or changes its meaning.
pub const HUBTLS_ABI_VERSION: u32 = 1;
