//! The name that a server's certificate must be for.

use std::net::IpAddr;

use pki_types::{DnsName, ServerName};

use crate::error::{Error, ErrorCode, Result};

/// A DNS name, with or without the final dot, or an IP address; one of version 6 may stand in brackets.
pub(crate) fn parse(name: &str) -> Result<ServerName<'static>> {
    let invalid = |hint: &'static str| {
        Error::new(
            ErrorCode::InvalidServerName,
            format!("{name:?} is neither a DNS name nor an IP address"),
            hint,
        )
    };
    let address = name
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    if let Ok(address) = address.unwrap_or(name).parse::<IpAddr>()
        && (address.is_ipv6() || !name.starts_with('['))
    {
        return Ok(ServerName::IpAddress(address.into()));
    }
    // A trailing dot marks a complete DNS name; certificates and SNI go without (RFC 6066, section 3).
    let bare = name.strip_suffix('.').unwrap_or(name);
    if let Ok(name) = DnsName::try_from(bare)
        && !bare.ends_with('.')
    {
        return Ok(ServerName::DnsName(name.to_owned()));
    }
    Err(match name.rsplit_once(':') {
        _ if name.contains("://") => invalid("give the host name alone, without scheme and path"),
        Some((host, _)) if DnsName::try_from(host).is_ok() => {
            invalid("give the name alone, without a port")
        }
        _ => invalid("for example my-hub.azure-devices.net"),
    })
}
