//! The native half of the Node.js package `hubtls`: newtypes around core, and the engine beneath `TLSSocket`.
//!
//! What JavaScript can say in JavaScript stands in `lib/`. Nothing here owns a socket.

// The macros of napi write code that these lints of the workspace know nothing about.
#![allow(
    missing_docs,
    unnameable_types,
    unreachable_pub,
    clippy::use_self,
    reason = "users see the declarations, and these are written by a macro that reads names"
)]
#![cfg_attr(
    test,
    allow(
        dead_code,
        reason = "nothing is registered with Node.js in a build for tests"
    )
)]

mod certificate;
mod config;
mod connection;
mod engine;
mod error;
mod fragment;
mod identity;
mod negotiated;
mod policy;
mod roots;

use napi_derive::napi;

/// The version of the library.
#[napi(catch_unwind)]
pub fn version() -> &'static str {
    hubtls::VERSION
}
