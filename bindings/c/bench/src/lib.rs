//! hubtls through its C interface, measured with the peers, the clock and the rounds of hubtls-bench.
//!
//! The Rust interface is compiled with the same profile and takes turns with the C one, so that their ratio is what the boundary costs:
//! the checks of pointers and lengths, the guard against panics, the flag that refuses a second call, the list of live handles.

#![allow(unsafe_code, reason = "what is measured is the C interface")]

pub mod client;
pub mod figures;
