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
    // The whole list must fit into an extension; what applications speak fits into far less.
    const MAX_ALPN: usize = 4_096;
    let listed: usize = settings.alpn.iter().map(|name| 1 + name.len()).sum();
    if listed > MAX_ALPN {
        return Err(Error::new(
            ErrorCode::InvalidAlpn,
            format!("the ALPN protocol names take {listed} bytes together"),
            "offer only the protocols that the application speaks, at most 4096 bytes of names",
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

/// Whether the client certificate is valid now.
pub(super) fn identity(settings: &Settings) -> Result<()> {
    match &settings.identity {
        Some(identity) => identity.check_validity(settings.clock.now()?),
        None => Ok(()),
    }
}
