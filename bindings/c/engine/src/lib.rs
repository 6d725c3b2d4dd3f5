//! The engine beneath the sockets of Kotlin and Swift: one call of C for each chunk of bytes.
//!
//! uniffi carries everything else, and copies bytes one at a time: a record of 16 KB costs it ten times what it costs to encrypt. So bytes go
//! this way, as pointers or arrays of Java's, and a number that stands for the engine. A number outlives its engine harmlessly: it is not used
//! again, and a call with it says [`State::GONE`].

mod chunks;
mod engine;
mod exclusive;
mod jni;
mod numbers;
mod state;

pub use chunks::*;
pub use engine::Engine;
pub use exclusive::Exclusive;
pub use jni::hubtls_jni_register;
pub use numbers::Numbered;
pub use state::State;
