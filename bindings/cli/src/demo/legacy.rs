//! A client from before 2025-08-31: its ClientHello is put together by hand, since no engine here would send it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use hubtls::{Alert, CipherSuite, Error, ErrorCode, Strength};

use super::NAME;

/// What an outdated client offers at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Legacy {
    /// TLS 1.1, with suites that it has.
    Tls11,
    /// TLS 1.2, with the retired suites alone.
    RetiredSuites,
}

impl Legacy {
    fn version(self) -> u16 {
        match self {
            Self::Tls11 => 0x0302,
            Self::RetiredSuites => 0x0303,
        }
    }

    fn suites(self) -> Vec<u16> {
        let retired = CipherSuite::all()
            .iter()
            .filter(|suite| suite.strength() == Strength::Retired);
        // Of the retired suites, those with SHA-1 are older than TLS 1.2.
        let offered = retired
            .filter(|suite| self == Self::RetiredSuites || suite.iana_name().ends_with("_SHA"));
        offered.map(|suite| suite.code()).collect()
    }

    /// A record with the ClientHello (RFC 5246, section 7.4.1.2).
    pub(super) fn client_hello(self) -> Vec<u8> {
        let suites: Vec<u8> = self
            .suites()
            .into_iter()
            .flat_map(u16::to_be_bytes)
            .collect();
        let mut hello = self.version().to_be_bytes().to_vec();
        hello.extend([0x5A; 32]); // random: nobody relies on it
        hello.push(0); // no session
        hello.extend(prefixed(&suites));
        hello.extend([1, 0]); // no compression
        let mut extensions = extension(
            0,
            &prefixed(&[&[0][..], &prefixed(NAME.as_bytes())].concat()),
        );
        extensions.extend(extension(10, &prefixed(&[0, 0x17, 0, 0x18]))); // P-256, P-384
        extensions.extend(extension(11, &[1, 0])); // uncompressed points
        extensions.extend(extension(13, &prefixed(&[4, 1, 2, 1]))); // RSA with SHA-256, SHA-1
        hello.extend(prefixed(&extensions));
        let handshake = [&[1, 0][..], &prefixed(&hello)].concat();
        [&[22, 3, 1][..], &prefixed(&handshake)].concat()
    }

    /// Offers it, and returns the hub's refusal.
    pub(super) fn offer(self, mut socket: TcpStream) -> Error {
        let mut record = [0; 7];
        let answer = socket
            .write_all(&self.client_hello())
            .and_then(|()| socket.read_exact(&mut record));
        match (answer, record) {
            (Err(error), _) => Error::from(error),
            // A fatal alert (RFC 5246, section 7.2).
            (Ok(()), [21, 3, _, 0, 2, 2, alert]) => self.refused(Alert::from_code(alert)),
            (Ok(()), _) => Error::new(
                ErrorCode::PeerMisbehaved,
                "the hub did not refuse a client that it must refuse",
                "please report this",
            ),
        }
    }

    fn refused(self, alert: Alert) -> Error {
        let (code, message, hint) = match self {
            Self::Tls11 => (
                ErrorCode::ProtocolVersion,
                "the hub accepts no TLS version that this client offers: TLS 1.1 and older are retired since 2025-08-31",
                "give the device a TLS library that speaks TLS 1.2",
            ),
            Self::RetiredSuites => (
                ErrorCode::NoCommonSuite,
                "the hub accepts none of the cipher suites that this client offers: all of them are retired since 2025-08-31",
                "offer recommended suites; `hubtls policy show iothub` lists them",
            ),
        };
        Error::new(code, message, hint).with_alert_received(alert)
    }
}

fn extension(number: u8, data: &[u8]) -> Vec<u8> {
    [&[0, number][..], &prefixed(data)].concat()
}

/// `data` after its length in two bytes.
fn prefixed(data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).unwrap_or(u16::MAX);
    [&length.to_be_bytes()[..], data].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lengths_of_the_client_hello_are_right() {
        for legacy in [Legacy::Tls11, Legacy::RetiredSuites] {
            let hello = legacy.client_hello();
            assert_eq!(
                usize::from(u16::from_be_bytes([hello[3], hello[4]])),
                hello.len() - 5
            );
            assert_eq!(
                usize::from(u16::from_be_bytes([hello[7], hello[8]])),
                hello.len() - 9
            );
            assert_eq!(u16::from_be_bytes([hello[9], hello[10]]), legacy.version());
        }
    }

    #[test]
    fn legacy_clients_offer_retired_suites_alone() {
        assert_eq!(Legacy::RetiredSuites.suites().len(), 10);
        let old = Legacy::Tls11.suites();
        assert_eq!(old, [0xC013, 0xC014, 0x002F, 0x0035]);
    }
}
