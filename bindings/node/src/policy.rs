//! Policies.

use data_encoding::HEXUPPER;
use hubtls::{Authentication, CipherSuite, Group, SignatureScheme, Version};
use napi::Env;
use napi_derive::napi;

use crate::error::{OrRaise, invalid};
use crate::fragment::{mode_of, written};

/// What may be offered and accepted: versions, cipher suites, groups, roots, fragment length. Immutable; can be narrowed, never widened.
#[napi]
pub struct Policy(pub(crate) hubtls::Policy);

/// An alias with the dated policy that it stands for.
#[napi(object)]
pub struct Alias {
    pub name: String,
    pub stands_for: String,
}

fn each<T>(
    env: &Env,
    names: &[String],
    read: impl Fn(&str) -> hubtls::Result<T>,
) -> napi::Result<Vec<T>> {
    let read = names.iter().map(|name| read(name));
    read.collect::<hubtls::Result<_>>().or_raise(env)
}

#[napi]
impl Policy {
    /// The policy of that name: `iothub`, `iothub-ecc`, `iothub-aead`, `iothub-tls12`, or a dated one. `UNKNOWN_POLICY` suggests another.
    #[napi(factory, catch_unwind)]
    pub fn named(env: Env, name: Option<String>) -> napi::Result<Self> {
        let name = name.as_deref().unwrap_or("iothub");
        Ok(Self(hubtls::Policy::named(name).or_raise(&env)?))
    }

    /// Every dated policy.
    #[napi(catch_unwind)]
    pub fn all() -> Vec<Policy> {
        hubtls::Policy::all().iter().cloned().map(Policy).collect()
    }

    /// Each alias with the dated policy that it stands for.
    #[napi(catch_unwind)]
    pub fn aliases() -> Vec<Alias> {
        let aliases = hubtls::Policy::aliases().iter();
        aliases
            .map(|(name, stands_for)| Alias {
                name: (*name).into(),
                stands_for: (*stands_for).into(),
            })
            .collect()
    }

    /// From a policy document in JSON: `INVALID_POLICY_DOCUMENT`, `POLICY_WIDENED`.
    #[napi(factory, catch_unwind)]
    pub fn from_json(env: Env, text: String) -> napi::Result<Self> {
        Ok(Self(hubtls::Policy::from_json(&text).or_raise(&env)?))
    }

    /// As a policy document in JSON.
    #[napi(catch_unwind)]
    pub fn to_json(&self) -> String {
        self.0.to_json()
    }

    /// The name of the dated policy that it is or was narrowed from.
    #[napi(getter, catch_unwind)]
    pub fn name(&self) -> &'static str {
        self.0.name()
    }

    /// Whether it is narrower than the dated policy of its name.
    #[napi(getter, catch_unwind)]
    pub fn is_narrowed(&self) -> bool {
        self.0.is_narrowed()
    }

    /// TLS versions, newest first.
    #[napi(getter, catch_unwind)]
    pub fn versions(&self) -> Vec<String> {
        self.0
            .versions()
            .iter()
            .map(|it| it.name().into())
            .collect()
    }

    /// Cipher suites by IANA's names, most wanted first.
    #[napi(getter, catch_unwind)]
    pub fn suites(&self) -> Vec<String> {
        self.0
            .suites()
            .iter()
            .map(|it| it.iana_name().into())
            .collect()
    }

    /// Key exchange groups, most wanted first.
    #[napi(getter, catch_unwind)]
    pub fn groups(&self) -> Vec<String> {
        self.0.groups().iter().map(|it| it.name().into()).collect()
    }

    /// Signature schemes, most wanted first.
    #[napi(getter, catch_unwind)]
    pub fn signature_schemes(&self) -> Vec<String> {
        let schemes = self.0.signature_schemes().iter();
        schemes
            .map(|it| SignatureScheme::name(*it).into())
            .collect()
    }

    /// SHA-256 of its roots, in upper-case hex.
    #[napi(getter, catch_unwind)]
    pub fn roots(&self) -> Vec<String> {
        self.0
            .roots()
            .iter()
            .map(|it| HEXUPPER.encode(it))
            .collect()
    }

    /// The fragment length to negotiate: `off`, `512` and so on, `512:require`.
    #[napi(getter, catch_unwind)]
    pub fn fragment_length(&self) -> String {
        written(self.0.fragment_length())
    }

    /// What is allowed but unwise, a sentence each.
    #[napi(getter, catch_unwind)]
    pub fn warnings(&self) -> Vec<String> {
        self.0.warnings()
    }

    /// Only these versions of it: `UNKNOWN_VERSION`, `POLICY_WIDENED`, `POLICY_EMPTY`.
    #[napi(catch_unwind)]
    pub fn only_versions(&self, env: Env, names: Vec<String>) -> napi::Result<Policy> {
        let versions = each(&env, &names, Version::from_name)?;
        Ok(Self(
            self.0.clone().only_versions(&versions).or_raise(&env)?,
        ))
    }

    /// Only these suites of it, by IANA's or OpenSSL's names: `UNKNOWN_SUITE`, `POLICY_WIDENED`, `POLICY_EMPTY`.
    #[napi(catch_unwind)]
    pub fn only_suites(&self, env: Env, names: Vec<String>) -> napi::Result<Policy> {
        let suites = each(&env, &names, CipherSuite::from_name)?;
        Ok(Self(self.0.clone().only_suites(&suites).or_raise(&env)?))
    }

    /// Only these groups of it: `UNKNOWN_GROUP`, `POLICY_EMPTY`.
    #[napi(catch_unwind)]
    pub fn only_groups(&self, env: Env, names: Vec<String>) -> napi::Result<Policy> {
        let groups = each(&env, &names, Group::from_name)?;
        Ok(Self(self.0.clone().only_groups(&groups).or_raise(&env)?))
    }

    /// Only suites whose server authenticates with `ECDSA` or `RSA`.
    #[napi(catch_unwind)]
    pub fn only_authentication(&self, env: Env, name: String) -> napi::Result<Policy> {
        let authentication = match name.to_ascii_uppercase().as_str() {
            "ECDSA" => Authentication::Ecdsa,
            "RSA" => Authentication::Rsa,
            _ => {
                let message = format!("`{name}` is no way to authenticate");
                return Err(invalid(&env, message, "it is ECDSA or RSA"));
            }
        };
        let narrowed = self.0.clone().only_authentication(authentication);
        Ok(Self(narrowed.or_raise(&env)?))
    }

    /// The same with this fragment length.
    #[napi(catch_unwind)]
    pub fn with_fragment_length(&self, env: Env, mode: String) -> napi::Result<Policy> {
        let mode = mode_of(&mode).or_raise(&env)?;
        Ok(Self(self.0.clone().with_fragment_length(mode)))
    }

    /// The suites of TLS 1.2 as OpenSSL's cipher list.
    #[napi(getter, catch_unwind)]
    pub fn openssl_cipher_list(&self) -> String {
        self.0.openssl_cipher_list()
    }

    /// The suites of TLS 1.3 as OpenSSL's list.
    #[napi(getter, catch_unwind)]
    pub fn openssl_ciphersuites(&self) -> String {
        self.0.openssl_ciphersuites()
    }

    /// The groups as OpenSSL's list.
    #[napi(getter, catch_unwind)]
    pub fn openssl_groups(&self) -> String {
        self.0.openssl_groups()
    }

    /// The signature schemes as OpenSSL's list.
    #[napi(getter, catch_unwind)]
    pub fn openssl_signature_algorithms(&self) -> String {
        self.0.openssl_signature_algorithms()
    }
}
