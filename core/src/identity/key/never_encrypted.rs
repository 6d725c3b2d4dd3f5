//! What stands for [`encrypted`](super::encrypted) in a build without it.

use std::sync::Arc;

use rustls::sign::SigningKey;

use crate::error::{Error, ErrorCode, Result};
use crate::pem;

pub(super) fn from_pem(_: &pem::Section<'_>, _: Option<&str>) -> Result<Arc<dyn SigningKey>> {
    Err(unsupported())
}

pub(super) fn from_der(_: &[u8], _: Option<&str>) -> Result<Arc<dyn SigningKey>> {
    Err(unsupported())
}

fn unsupported() -> Error {
    Error::new(
        ErrorCode::UnsupportedByEngine,
        "the private key is encrypted, and this build of hubtls cannot decrypt keys",
        "build it with the cargo feature `encrypted-keys`, or decrypt the key with `openssl pkey -in key.pem -out plain.pem` where only its owner can read it",
    )
}
