//! Java's JSSE, for `SSLParameters` and the properties of the same meaning.

use crate::policy::Policy;
use crate::suite::{CipherSuite, Version};
use crate::{Group, SignatureScheme};

impl Policy {
    /// The versions for `SSLParameters.setProtocols`.
    pub fn jsse_protocols(&self) -> Vec<&'static str> {
        let versions = self.versions().iter();
        versions.map(|version| Version::name(*version)).collect()
    }

    /// The suites for `SSLParameters.setCipherSuites`.
    pub fn jsse_cipher_suites(&self) -> Vec<&'static str> {
        let suites = self.suites().iter();
        suites.map(|suite| CipherSuite::jsse_name(*suite)).collect()
    }

    /// The key exchange groups for `SSLParameters.setNamedGroups` (Java 20 and later) and the property `jdk.tls.namedGroups`.
    pub fn jsse_named_groups(&self) -> Vec<&'static str> {
        let groups = self.groups().iter();
        groups
            .map(|group| match group {
                Group::X25519 => "x25519",
                other => other.name(),
            })
            .collect()
    }

    /// The signature schemes for `SSLParameters.setSignatureSchemes` (Java 19 and later) and the property `jdk.tls.client.SignatureSchemes`.
    pub fn jsse_signature_schemes(&self) -> Vec<&'static str> {
        let schemes = self.signature_schemes().iter();
        schemes
            .map(|scheme| SignatureScheme::name(*scheme))
            .collect()
    }

    /// The size for `SSLParameters.setMaximumPacketSize` that makes a client ask for the fragment length of the policy, if the property
    /// `jsse.enableMFLNExtension` is `true`; `None` if that is off. Java cannot require one.
    pub fn jsse_maximum_packet_size(&self) -> Option<usize> {
        // Java takes what it adds to a record at most from the size, and asks for the next smaller length.
        const EXPANSION: usize = 325;
        let length = self.fragment_length().length()?;
        Some(length.bytes() + EXPANSION)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FragmentLength, FragmentMode};

    #[test]
    fn the_lists_hold_the_policy_in_its_order() {
        let policy = Policy::default();
        assert_eq!(policy.jsse_protocols(), ["TLSv1.3", "TLSv1.2"]);
        assert_eq!(policy.jsse_cipher_suites().len(), 10);
        assert_eq!(
            policy.jsse_named_groups(),
            ["x25519", "secp256r1", "secp384r1"]
        );
        assert_eq!(
            policy.jsse_signature_schemes().first(),
            Some(&"ecdsa_secp256r1_sha256")
        );
    }

    #[test]
    fn a_fragment_length_is_a_packet_size() {
        let policy = Policy::default();
        assert_eq!(policy.jsse_maximum_packet_size(), None);
        let policy = policy.with_fragment_length(FragmentMode::Request(FragmentLength::L4096));
        assert_eq!(policy.jsse_maximum_packet_size(), Some(4421));
    }
}
