//! What must be true of a configuration before any connection uses it.

use pki_types::DnsName;

use super::{Settings, Sni};
use crate::error::{Error, ErrorCode, Result};

/// Refuses settings with which no connection could succeed.
pub(super) fn settings(settings: &Settings) -> Result<()> {
    if settings.roots.is_empty() {
        return Err(Error::new(
            ErrorCode::NoRoots,
            "no root is trusted, so no server could be",
            "keep the policy's roots or give at least one",
        ));
    }
    let pinned = |spki: [u8; 32]| settings.pins.iter().any(|pin| pin.spki_sha256() == spki);
    if !settings.pins.is_empty() && !settings.roots.iter().any(|root| pinned(root.spki_sha256())) {
        return Err(Error::new(
            ErrorCode::NoRoots,
            "no pin names a trusted root, so no server could be trusted",
            "pin a root that is also trusted, or add the pinned root",
        ));
    }
    for protocol in &settings.alpn {
        if protocol.is_empty() || protocol.len() > 255 {
            return Err(Error::new(
                ErrorCode::InvalidAlpn,
                format!("an ALPN protocol name has {} bytes", protocol.len()),
                "a protocol name has 1 to 255 bytes (RFC 7301, section 3.1)",
            ));
        }
    }
    if let Sni::Named(name) = &settings.sni
        && DnsName::try_from(name.as_str()).is_err()
    {
        return Err(Error::new(
            ErrorCode::InvalidServerName,
            format!("{name:?} cannot be sent as SNI"),
            "SNI carries a DNS name (RFC 6066, section 3), not an IP address",
        ));
    }
    if settings.require_revocation_status && settings.revocation_lists.is_empty() {
        return Err(Error::new(
            ErrorCode::InvalidArgument,
            "the revocation status is required and there is no revocation list",
            "add the revocation lists of the chain's issuers",
        ));
    }
    Ok(())
}

/// Refuses a client certificate that is not valid now, or returns a warning about it.
pub(super) fn identity(settings: &Settings) -> Result<Option<String>> {
    let Some(identity) = &settings.identity else {
        return Ok(None);
    };
    let checked = settings
        .clock
        .now()
        .and_then(|now| identity.check_validity(now));
    match checked {
        Err(error) if settings.refuse_invalid_identity => Err(error),
        Err(error) => Ok(Some(error.to_string())),
        Ok(()) => Ok(None),
    }
}
