//! `HOST[:PORT]` as people write it.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

/// MQTT over TLS.
const DEFAULT_PORT: u16 = 8883;

/// Whom to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    /// A DNS name or an IP address, without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.contains('/') {
            return Err("give the host alone, without scheme and path".into());
        }
        let (host, port) = split(text)?;
        if host.is_empty() || host.contains(char::is_whitespace) {
            return Err("the host is missing or holds a space".into());
        }
        let port = match port {
            None => DEFAULT_PORT,
            Some(port) => match port.parse() {
                Ok(0) | Err(_) => {
                    return Err(format!(
                        "{port:?} is no port: give a number from 1 to 65535"
                    ));
                }
                Ok(port) => port,
            },
        };
        Ok(Self {
            host: host.to_owned(),
            port,
        })
    }
}

fn split(text: &str) -> Result<(&str, Option<&str>), String> {
    let (host, rest) = match text.strip_prefix('[') {
        Some(bracketed) => match bracketed.split_once(']') {
            Some((host, rest)) if host.parse::<Ipv6Addr>().is_ok() => (host, rest),
            _ => return Err("what stands in brackets is no IPv6 address".into()),
        },
        None if text.parse::<Ipv6Addr>().is_ok() => (text, ""),
        None if text.matches(':').count() > 1 => {
            return Err("put an IPv6 address in brackets before a port: [::1]:8883".into());
        }
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    match rest.strip_prefix(':') {
        Some(port) => Ok((host, Some(port))),
        None if rest.is_empty() => Ok((host, None)),
        None => Err(format!("{rest:?} after the address is no port")),
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_in_every_form_and_written_with_its_port() {
        for (text, host, port, written) in [
            ("hub.example", "hub.example", 8883, "hub.example:8883"),
            ("hub.example:443", "hub.example", 443, "hub.example:443"),
            ("192.0.2.1:5671", "192.0.2.1", 5671, "192.0.2.1:5671"),
            ("::1", "::1", 8883, "[::1]:8883"),
            ("[::1]", "::1", 8883, "[::1]:8883"),
            ("[2001:db8::1]:443", "2001:db8::1", 443, "[2001:db8::1]:443"),
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!(
                (address.host.as_str(), address.port),
                (host, port),
                "{text}"
            );
            assert_eq!(address.to_string(), written);
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_the_reason() {
        for (text, reason) in [
            ("", "missing"),
            (":8883", "missing"),
            ("my hub", "space"),
            ("hub.example:", "no port"),
            ("hub.example:0", "no port"),
            ("hub.example:65536", "no port"),
            ("hub.example:mqtts", "no port"),
            ("::1:18883", "in brackets"),
            ("[::1", "no IPv6"),
            ("[hub.example]:8883", "no IPv6"),
            ("[::1]8883", "no port"),
            ("mqtts://hub.example:8883", "without scheme"),
        ] {
            let error = text.parse::<Address>().unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
