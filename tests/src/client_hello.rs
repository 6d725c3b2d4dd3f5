//! An independent reader of ClientHello messages (RFC 8446, section 4.1.2; RFC 5246, section 7.4.1.2).

/// What a client offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientHello {
    /// `legacy_version`.
    pub legacy_version: u16,
    /// The cipher suites in the client's order, signalling values included.
    pub suites: Vec<u16>,
    /// The extensions in the order sent.
    pub extensions: Vec<(u16, Vec<u8>)>,
    /// Bytes on the wire, record headers included.
    pub wire_length: usize,
}

/// Extension numbers in IANA's registry.
mod extension {
    pub(super) const SERVER_NAME: u16 = 0;
    pub(super) const SUPPORTED_GROUPS: u16 = 10;
    pub(super) const SIGNATURE_ALGORITHMS: u16 = 13;
    pub(super) const ALPN: u16 = 16;
    pub(super) const SUPPORTED_VERSIONS: u16 = 43;
    pub(super) const KEY_SHARE: u16 = 51;
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> &'a [u8] {
        let (head, tail) = self
            .0
            .split_at_checked(length)
            .unwrap_or_else(|| panic!("{length} bytes announced, {} left", self.0.len()));
        self.0 = tail;
        head
    }

    fn number(&mut self, bytes: usize) -> usize {
        self.take(bytes)
            .iter()
            .fold(0, |sum, &byte| sum << 8 | usize::from(byte))
    }

    fn u16(&mut self) -> u16 {
        u16::try_from(self.number(2)).expect("two bytes")
    }

    /// A vector whose length stands before it in `bytes` bytes.
    fn vector(&mut self, bytes: usize) -> Self {
        let length = self.number(bytes);
        Self(self.take(length))
    }

    fn u16s(mut self) -> Vec<u16> {
        let mut all = Vec::new();
        while !self.0.is_empty() {
            all.push(self.u16());
        }
        all
    }
}

impl ClientHello {
    /// Reads one ClientHello from the bytes of one or more TLS records.
    ///
    /// # Panics
    /// If the bytes are anything else, or not exactly that.
    pub fn parse(wire: &[u8]) -> Self {
        let mut records = Reader(wire);
        let mut message = Vec::new();
        while !records.0.is_empty() {
            assert_eq!(records.number(1), 22, "a handshake record");
            assert!(
                matches!(records.u16(), 0x0301 | 0x0303),
                "the record's legacy version"
            );
            message.extend_from_slice(records.vector(2).0);
        }
        let mut message = Reader(&message);
        assert_eq!(message.number(1), 1, "a ClientHello");
        let mut body = message.vector(3);
        assert!(message.0.is_empty(), "nothing follows the ClientHello");

        let legacy_version = body.u16();
        body.take(32);
        body.vector(1);
        let suites = body.vector(2).u16s();
        assert_eq!(body.vector(1).0, [0], "no compression");
        let mut list = body.vector(2);
        assert!(body.0.is_empty(), "nothing follows the extensions");
        let mut extensions = Vec::new();
        while !list.0.is_empty() {
            let number = list.u16();
            extensions.push((number, list.vector(2).0.to_vec()));
        }
        Self {
            legacy_version,
            suites,
            extensions,
            wire_length: wire.len(),
        }
    }

    /// The content of an extension.
    pub fn extension(&self, number: u16) -> Option<&[u8]> {
        let mut matching = self.extensions.iter().filter(|(sent, _)| *sent == number);
        let content = matching.next().map(|(_, content)| content.as_slice());
        assert!(matching.next().is_none(), "extension {number} is sent once");
        content
    }

    /// `supported_versions`; empty if not sent.
    pub fn versions(&self) -> Vec<u16> {
        self.extension(extension::SUPPORTED_VERSIONS)
            .map(|content| Reader(content).vector(1).u16s())
            .unwrap_or_default()
    }

    /// `supported_groups`.
    pub fn groups(&self) -> Vec<u16> {
        self.extension(extension::SUPPORTED_GROUPS)
            .map(|content| Reader(content).vector(2).u16s())
            .unwrap_or_default()
    }

    /// `signature_algorithms`.
    pub fn signature_schemes(&self) -> Vec<u16> {
        self.extension(extension::SIGNATURE_ALGORITHMS)
            .map(|content| Reader(content).vector(2).u16s())
            .unwrap_or_default()
    }

    /// The groups for which a key share is sent.
    pub fn key_shares(&self) -> Vec<u16> {
        let Some(content) = self.extension(extension::KEY_SHARE) else {
            return Vec::new();
        };
        let mut shares = Reader(content).vector(2);
        let mut groups = Vec::new();
        while !shares.0.is_empty() {
            groups.push(shares.u16());
            shares.vector(2);
        }
        groups
    }

    /// The host name of `server_name`.
    pub fn server_name(&self) -> Option<String> {
        let mut names = Reader(self.extension(extension::SERVER_NAME)?).vector(2);
        assert_eq!(names.number(1), 0, "a host name");
        Some(String::from_utf8(names.vector(2).0.to_vec()).expect("ASCII"))
    }

    /// The protocols of `application_layer_protocol_negotiation`, in order.
    pub fn protocols(&self) -> Vec<Vec<u8>> {
        let Some(content) = self.extension(extension::ALPN) else {
            return Vec::new();
        };
        let mut list = Reader(content).vector(2);
        let mut protocols = Vec::new();
        while !list.0.is_empty() {
            protocols.push(list.vector(1).0.to_vec());
        }
        protocols
    }
}
