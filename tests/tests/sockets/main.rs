//! Over real sockets: key files and external signers against OpenSSL, MQTT against mosquitto, and the blocking stream.

#![allow(
    clippy::unwrap_used,
    reason = "a test may unwrap, and so may what it calls"
)]

mod concurrency;
mod identity;
mod mqtt;
mod stream;
mod transport;
