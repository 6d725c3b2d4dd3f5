//! Policies.

use std::sync::Arc;

use data_encoding::HEXUPPER;
use hubtls::{Authentication, Group, SignatureScheme, Version};

use crate::error::{Result, invalid};
use crate::fragment::FragmentLength;
use crate::suite::CipherSuite;

/// What may be offered and accepted: versions, cipher suites, groups, roots, fragment length. Immutable; can be narrowed, never widened.
#[derive(Debug, uniffi::Object)]
pub struct Policy(pub(crate) hubtls::Policy);

/// An alias with the dated policy that it stands for.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct PolicyAlias {
    /// The alias: `iothub`.
    pub name: String,
    /// The dated policy: `iothub-2025-08`.
    pub stands_for: String,
}

/// A name with the number that IANA gave it.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct NamedCode {
    /// The name.
    pub name: String,
    /// The number, as on the wire.
    pub code: i32,
}

/// Every dated policy.
#[uniffi::export]
pub fn all_policies() -> Vec<Arc<Policy>> {
    let policies = hubtls::Policy::all().iter().cloned();
    policies.map(Policy).map(Arc::new).collect()
}

/// Each alias with the dated policy that it stands for.
#[uniffi::export]
pub fn policy_aliases() -> Vec<PolicyAlias> {
    let aliases = hubtls::Policy::aliases().iter();
    aliases
        .map(|(name, stands_for)| PolicyAlias {
            name: (*name).into(),
            stands_for: (*stands_for).into(),
        })
        .collect()
}

fn each<T>(names: &[String], read: impl Fn(&str) -> hubtls::Result<T>) -> hubtls::Result<Vec<T>> {
    names.iter().map(|name| read(name)).collect()
}

fn narrowed(policy: hubtls::Result<hubtls::Policy>) -> Result<Arc<Policy>> {
    Ok(Arc::new(Policy(policy?)))
}

#[uniffi::export]
impl Policy {
    /// The policy of that name: `iothub`, `iothub-ecc`, `iothub-aead`, `iothub-tls12`, or a dated one. `UNKNOWN_POLICY` suggests another.
    #[uniffi::constructor(default(name = "iothub"))]
    pub fn named(name: String) -> Result<Arc<Self>> {
        narrowed(hubtls::Policy::named(&name))
    }

    /// From a policy document in JSON: `INVALID_POLICY_DOCUMENT`, `POLICY_WIDENED`.
    #[uniffi::constructor]
    pub fn from_json(text: String) -> Result<Arc<Self>> {
        narrowed(hubtls::Policy::from_json(&text))
    }

    /// As a policy document in JSON.
    pub fn to_json(&self) -> String {
        self.0.to_json()
    }

    /// The name of the dated policy that it is or was narrowed from.
    pub fn name(&self) -> String {
        self.0.name().into()
    }

    /// Whether it is narrower than the dated policy of its name.
    pub fn is_narrowed(&self) -> bool {
        self.0.is_narrowed()
    }

    /// TLS versions, newest first: name and number, as in Apple's `tls_protocol_version_t`.
    pub fn versions(&self) -> Vec<NamedCode> {
        let versions = self.0.versions().iter();
        versions
            .map(|version| NamedCode {
                name: version.name().into(),
                code: version.code().into(),
            })
            .collect()
    }

    /// Cipher suites, most wanted first.
    pub fn suites(&self) -> Vec<CipherSuite> {
        self.0
            .suites()
            .iter()
            .copied()
            .map(CipherSuite::of)
            .collect()
    }

    /// Key exchange groups, most wanted first, by IANA's names.
    pub fn groups(&self) -> Vec<NamedCode> {
        let groups = self.0.groups().iter();
        groups
            .map(|group| NamedCode {
                name: group.name().into(),
                code: group.code().into(),
            })
            .collect()
    }

    /// Signature schemes, most wanted first, by IANA's names.
    pub fn signature_schemes(&self) -> Vec<NamedCode> {
        let schemes = self.0.signature_schemes().iter();
        schemes
            .map(|scheme| NamedCode {
                name: SignatureScheme::name(*scheme).into(),
                code: scheme.code().into(),
            })
            .collect()
    }

    /// SHA-256 of the certificates of its roots, in upper-case hex.
    pub fn roots(&self) -> Vec<String> {
        let roots = self.0.roots().iter();
        roots.map(|root| HEXUPPER.encode(root)).collect()
    }

    /// The fragment length to negotiate.
    pub fn fragment_length(&self) -> FragmentLength {
        FragmentLength::of(self.0.fragment_length())
    }

    /// What is allowed but unwise, a sentence each.
    pub fn warnings(&self) -> Vec<String> {
        self.0.warnings()
    }

    /// Only these versions of it: `UNKNOWN_VERSION`, `POLICY_WIDENED`, `POLICY_EMPTY`.
    pub fn only_versions(&self, names: Vec<String>) -> Result<Arc<Self>> {
        let versions = each(&names, Version::from_name)?;
        narrowed(self.0.clone().only_versions(&versions))
    }

    /// Only these suites of it, by IANA's, OpenSSL's or GnuTLS's names: `UNKNOWN_SUITE`, `POLICY_WIDENED`, `POLICY_EMPTY`.
    pub fn only_suites(&self, names: Vec<String>) -> Result<Arc<Self>> {
        let suites = each(&names, hubtls::CipherSuite::from_name)?;
        narrowed(self.0.clone().only_suites(&suites))
    }

    /// Only these groups of it: `UNKNOWN_GROUP`, `POLICY_WIDENED`, `POLICY_EMPTY`.
    pub fn only_groups(&self, names: Vec<String>) -> Result<Arc<Self>> {
        let groups = each(&names, Group::from_name)?;
        narrowed(self.0.clone().only_groups(&groups))
    }

    /// Only suites whose server authenticates with `ECDSA` or `RSA`.
    pub fn only_authentication(&self, name: String) -> Result<Arc<Self>> {
        let authentication = match name.to_ascii_uppercase().as_str() {
            "ECDSA" => Authentication::Ecdsa,
            "RSA" => Authentication::Rsa,
            _ => {
                let sentence = format!("`{name}` is no way to authenticate");
                return Err(invalid(sentence, "it is ECDSA or RSA"));
            }
        };
        narrowed(self.0.clone().only_authentication(authentication))
    }

    /// The same with this fragment length: `INVALID_FRAGMENT_LENGTH`.
    pub fn with_fragment_length(&self, fragment_length: FragmentLength) -> Result<Arc<Self>> {
        let mode = fragment_length.mode()?;
        Ok(Arc::new(Self(self.0.clone().with_fragment_length(mode))))
    }

    /// The versions for `SSLParameters.setProtocols` of Java.
    pub fn jsse_protocols(&self) -> Vec<String> {
        owned(&self.0.jsse_protocols())
    }

    /// The suites for `SSLParameters.setCipherSuites` of Java.
    pub fn jsse_cipher_suites(&self) -> Vec<String> {
        owned(&self.0.jsse_cipher_suites())
    }

    /// The groups for `SSLParameters.setNamedGroups` of Java 20 and later, and for the property `jdk.tls.namedGroups`.
    pub fn jsse_named_groups(&self) -> Vec<String> {
        owned(&self.0.jsse_named_groups())
    }

    /// The signature schemes for `SSLParameters.setSignatureSchemes` of Java 19 and later, and for the property `jdk.tls.client.SignatureSchemes`.
    pub fn jsse_signature_schemes(&self) -> Vec<String> {
        owned(&self.0.jsse_signature_schemes())
    }

    /// What to give `SSLParameters.setMaximumPacketSize` of Java so that it asks for the policy's fragment length; `null` if that is off.
    ///
    /// Java asks for one only if the property `jsse.enableMFLNExtension` is `true`.
    pub fn jsse_maximum_packet_size(&self) -> Option<i32> {
        let size = self.0.jsse_maximum_packet_size()?;
        i32::try_from(size).ok()
    }

    /// The suites of TLS 1.2 as OpenSSL's cipher list.
    pub fn openssl_cipher_list(&self) -> String {
        self.0.openssl_cipher_list()
    }

    /// The suites of TLS 1.3 as OpenSSL's list.
    pub fn openssl_ciphersuites(&self) -> String {
        self.0.openssl_ciphersuites()
    }

    /// The groups as OpenSSL's list.
    pub fn openssl_groups(&self) -> String {
        self.0.openssl_groups()
    }

    /// The signature schemes as OpenSSL's list.
    pub fn openssl_signature_algorithms(&self) -> String {
        self.0.openssl_signature_algorithms()
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::HubTlsError;

    #[test]
    fn a_policy_can_be_narrowed_and_not_widened() {
        let policy = Policy::named("iothub".into()).unwrap();
        let narrow = policy.only_versions(vec!["TLSv1.2".into()]).unwrap();
        assert!(narrow.is_narrowed());
        assert_eq!(narrow.versions()[0].code, 0x0303);
        assert_eq!(narrow.suites().len(), 8);
        let HubTlsError::Failed { code, .. } = policy
            .only_suites(vec!["TLS_RSA_WITH_AES_128_CBC_SHA".into()])
            .unwrap_err();
        assert_eq!(code, "POLICY_WIDENED");
    }

    #[test]
    fn authentication_has_two_names() {
        let policy = Policy::named("iothub".into()).unwrap();
        let suites = policy.only_authentication("ecdsa".into()).unwrap().suites();
        assert_eq!(suites.len(), 4);
        assert!(suites.iter().all(|suite| suite.name.contains("_ECDSA_")));
        let HubTlsError::Failed { code, .. } =
            policy.only_authentication("PSK".into()).unwrap_err();
        assert_eq!(code, "INVALID_ARGUMENT");
    }

    #[test]
    fn aliases_stand_for_policies_that_exist() {
        for alias in policy_aliases() {
            let policy = Policy::named(alias.name).unwrap();
            assert_eq!(policy.name(), alias.stands_for);
        }
        assert_eq!(all_policies().len(), hubtls::Policy::all().len());
    }
}
