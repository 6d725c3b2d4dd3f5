//! What a compliant client offers: dated tables that never change once released.
//!
//! A new fact is a new dated policy; the alias `iothub` then moves to it. Users narrow a policy, and nothing widens it: narrowing is an
//! intersection, so it does not matter in which order it is asked for, and the order on the wire is always the policy's own.

mod document;
mod fragment;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt::Display;

use crate::fingerprint;
use crate::lookup::{find, listed, unknown};
use crate::{
    Authentication, CipherSuite, Error, ErrorCode, Group, Result, SignatureScheme, Strength,
    Version,
};

pub use fragment::{FragmentLength, FragmentMode};

/// What a client offers to IoT Hub and which roots it trusts.
///
/// ```
/// use hubtls::{Policy, Version};
/// let policy = Policy::named("iothub")?.only_versions(&[Version::Tls12])?;
/// assert_eq!(policy.name(), "iothub-2025-08");
/// assert_eq!(policy.suites().len(), 8);
///
/// let retired = hubtls::CipherSuite::from_name("AES128-SHA")?;
/// let error = policy.only_suites(&[retired]).unwrap_err();
/// assert_eq!(error.code(), hubtls::ErrorCode::PolicyWidened);
/// # Ok::<(), hubtls::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    name: &'static str,
    versions: Cow<'static, [Version]>,
    suites: Cow<'static, [CipherSuite]>,
    groups: Cow<'static, [Group]>,
    signature_schemes: Cow<'static, [SignatureScheme]>,
    roots: Cow<'static, [[u8; 32]]>,
    fragment_length: FragmentMode,
}

/// The base of every variant. Frozen, as all that stands in `ALL` is: `snapshots/` holds what was released.
const IOTHUB_2025_08: Policy = Policy {
    name: "iothub-2025-08",
    versions: Cow::Borrowed(&[Version::Tls13, Version::Tls12]),
    suites: Cow::Borrowed(&suites([
        0x1301, 0x1302, // AES-GCM of TLS 1.3
        0xC02B, 0xC02C, // ECDSA, GCM
        0xC02F, 0xC030, // RSA, GCM
        0xC023, 0xC024, // ECDSA, CBC
        0xC027, 0xC028, // RSA, CBC
    ])),
    groups: Cow::Borrowed(&[Group::X25519, Group::Secp256r1, Group::Secp384r1]),
    signature_schemes: Cow::Borrowed(&[
        SignatureScheme::EcdsaSecp256r1Sha256,
        SignatureScheme::EcdsaSecp384r1Sha384,
        SignatureScheme::EcdsaSecp521r1Sha512,
        SignatureScheme::Ed25519,
        SignatureScheme::RsaPssRsaeSha256,
        SignatureScheme::RsaPssRsaeSha384,
        SignatureScheme::RsaPssRsaeSha512,
        SignatureScheme::RsaPkcs1Sha256,
        SignatureScheme::RsaPkcs1Sha384,
        SignatureScheme::RsaPkcs1Sha512,
    ]),
    roots: Cow::Borrowed(&[DIGICERT_GLOBAL_ROOT_G2, MICROSOFT_RSA_ROOT_2017]),
    fragment_length: FragmentMode::Off,
};

// `-ecc` is TLS 1.2 alone. TLS 1.3 has no authentication in its suites: it would take `signature_algorithms` with ECDSA alone, and
// `signature_algorithms_cert` for chains signed with RSA. One ClientHello serves both versions, and in TLS 1.2 a server need not heed the
// second (RFC 8446, section 4.2.3): OpenSSL 3.0's `s_server -strict` with an RSA-signed chain refuses such a client of TLS 1.2 even when it
// lists RSA there, and accepts it once `signature_algorithms` does.
static ALL: [Policy; 4] = [
    IOTHUB_2025_08,
    Policy {
        name: "iothub-2025-08-ecc",
        versions: Cow::Borrowed(&[Version::Tls12]),
        suites: Cow::Borrowed(&suites([0xC02B, 0xC02C, 0xC023, 0xC024])),
        ..IOTHUB_2025_08
    },
    Policy {
        name: "iothub-2025-08-aead",
        suites: Cow::Borrowed(&suites([0x1301, 0x1302, 0xC02B, 0xC02C, 0xC02F, 0xC030])),
        ..IOTHUB_2025_08
    },
    Policy {
        name: "iothub-2025-08-tls12",
        versions: Cow::Borrowed(&[Version::Tls12]),
        suites: Cow::Borrowed(&suites([
            0xC02B, 0xC02C, 0xC02F, 0xC030, 0xC023, 0xC024, 0xC027, 0xC028,
        ])),
        ..IOTHUB_2025_08
    },
];

const ALIASES: [(&str, &str); 4] = [
    ("iothub", "iothub-2025-08"),
    ("iothub-ecc", "iothub-2025-08-ecc"),
    ("iothub-aead", "iothub-2025-08-aead"),
    ("iothub-tls12", "iothub-2025-08-tls12"),
];

const DIGICERT_GLOBAL_ROOT_G2: [u8; 32] = fingerprint::parsed(
    "CB:3C:CB:B7:60:31:E5:E0:13:8F:8D:D3:9A:23:F9:DE:47:FF:C3:5E:43:C1:14:4C:EA:27:D4:6A:5A:B1:CB:5F",
)
.expect("a fingerprint");
const MICROSOFT_RSA_ROOT_2017: [u8; 32] = fingerprint::parsed(
    "C7:41:F7:0F:4B:2A:8D:88:BF:2E:71:C1:41:22:EF:53:EF:10:EB:A0:CF:A5:E6:4C:FA:20:F4:18:85:30:73:E0",
)
.expect("a fingerprint");

const fn suites<const N: usize>(codes: [u16; N]) -> [CipherSuite; N] {
    let mut suites = [CipherSuite::all()[0]; N];
    let mut i = 0;
    while i < N {
        suites[i] = CipherSuite::from_code(codes[i]).expect("a suite of the table");
        i += 1;
    }
    suites
}

impl Policy {
    /// The policy of that name, in any case: a dated one, or the alias of the newest (`iothub`, `iothub-ecc`, `iothub-aead`,
    /// `iothub-tls12`). A dated name means the same for ever; an alias moves when IoT Hub's demands do.
    ///
    /// # Errors
    /// [`ErrorCode::UnknownPolicy`] for any other name.
    pub fn named(name: &str) -> Result<Self> {
        let policies: Vec<_> = ALL.iter().collect();
        find(name, &policies, |policy| {
            let aliases = ALIASES.iter().filter(|(_, dated)| *dated == policy.name);
            aliases.map(|(alias, _)| *alias).chain([policy.name])
        })
        .cloned()
        .map_err(|nearest| {
            let aliases = ALIASES.map(|(alias, _)| alias);
            let dated: Vec<_> = ALL.iter().map(Self::name).collect();
            unknown(
                ErrorCode::UnknownPolicy,
                format!("{name:?} is no policy"),
                nearest,
                format!(
                    "the policies are {}, and by date {}",
                    listed(&aliases),
                    listed(&dated)
                ),
            )
        })
    }

    /// Every dated policy.
    pub fn all() -> &'static [Self] {
        &ALL
    }

    /// Every alias with the dated name that it stands for in this release of hubtls.
    pub const fn aliases() -> &'static [(&'static str, &'static str)] {
        &ALIASES
    }

    /// The dated name of the policy, or of the one that was narrowed.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Whether it holds less than the policy of its name. A fragment length makes no difference here.
    pub fn is_narrowed(&self) -> bool {
        let mut base = self.base().clone();
        base.fragment_length = self.fragment_length;
        *self != base
    }

    /// The versions offered, newest first.
    pub fn versions(&self) -> &[Version] {
        &self.versions
    }

    /// The cipher suites in the order offered: TLS 1.3 first, then GCM before CBC, and ECDSA before RSA within each.
    pub fn suites(&self) -> &[CipherSuite] {
        &self.suites
    }

    /// The key exchange groups in the order offered.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// The signature schemes in the order offered. RSA ones are in every policy, `-ecc` too: in TLS 1.2 they also say how the chain may be
    /// signed, and an ECDSA server's may be signed with RSA.
    pub fn signature_schemes(&self) -> &[SignatureScheme] {
        &self.signature_schemes
    }

    /// The trusted roots, by the SHA-256 of the certificate (DER).
    pub fn roots(&self) -> &[[u8; 32]] {
        &self.roots
    }

    /// Whether to negotiate a maximum fragment length.
    pub const fn fragment_length(&self) -> FragmentMode {
        self.fragment_length
    }

    /// Offers these versions at most, and of the suites those that remain usable.
    ///
    /// # Errors
    /// [`ErrorCode::PolicyWidened`] if the policy of this name lacks one of them, [`ErrorCode::PolicyEmpty`] if nothing is left.
    pub fn only_versions(mut self, versions: &[Version]) -> Result<Self> {
        let base = self.base();
        base.must_hold(&base.versions, versions)?;
        retain(&mut self.versions, |version| versions.contains(version));
        self.settled(versions)
    }

    /// Offers these cipher suites at most, and of the versions those that still have a suite.
    ///
    /// # Errors
    /// [`ErrorCode::PolicyWidened`] if one of them is retired or the policy of this name lacks it, [`ErrorCode::PolicyEmpty`] if nothing is
    /// left.
    pub fn only_suites(mut self, suites: &[CipherSuite]) -> Result<Self> {
        let base = self.base();
        if let Some(retired) = suites
            .iter()
            .find(|suite| suite.strength() == Strength::Retired)
        {
            return Err(Error::new(
                ErrorCode::PolicyWidened,
                format!("{retired} is weak: IoT Hub retired it on 2025-08-31"),
                format!(
                    "use recommended suites: {} holds {}",
                    base.name,
                    listed(&base.suites)
                ),
            ));
        }
        base.must_hold(&base.suites, suites)?;
        retain(&mut self.suites, |suite| suites.contains(suite));
        self.settled(suites)
    }

    /// Offers these key exchange groups at most.
    ///
    /// # Errors
    /// [`ErrorCode::PolicyWidened`] if the policy of this name lacks one of them, [`ErrorCode::PolicyEmpty`] if nothing is left.
    pub fn only_groups(mut self, groups: &[Group]) -> Result<Self> {
        let base = self.base();
        if groups.contains(&Group::X25519MlKem768) {
            return Err(Error::new(
                ErrorCode::PolicyWidened,
                format!("{} is in no policy", Group::X25519MlKem768),
                "leave it out here and switch the post-quantum exchange on in the configuration",
            ));
        }
        base.must_hold(&base.groups, groups)?;
        retain(&mut self.groups, |group| groups.contains(group));
        self.settled(groups)
    }

    /// Offers only the cipher suites that bind the server to this kind of key; [`Authentication::Any`] changes nothing.
    ///
    /// Either kind drops TLS 1.3: its suites bind the server to none, and `signature_algorithms` would restrict the chain as well, since
    /// the engine cannot send `signature_algorithms_cert` beside it. ECDSA leaves what `-ecc` offers.
    ///
    /// # Errors
    /// [`ErrorCode::PolicyEmpty`] if nothing is left.
    pub fn only_authentication(mut self, authentication: Authentication) -> Result<Self> {
        if authentication == Authentication::Any {
            return Ok(self);
        }
        retain(&mut self.suites, |suite| {
            suite.authentication() == authentication
        });
        self.settled(&[format!("{authentication:?} authentication")])
    }

    /// Negotiates the maximum fragment length so.
    #[must_use]
    pub const fn with_fragment_length(mut self, mode: FragmentMode) -> Self {
        self.fragment_length = mode;
        self
    }

    /// What is allowed but likely to be regretted, in sentences for people. No policy warns before it is narrowed.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.versions[..] == [Version::Tls13] {
            warnings.push(
                "TLS 1.3 alone is offered, and classic hubs (<hub>.azure-devices.net) do not speak it: allow TLS 1.2 too".into(),
            );
        }
        if !self.groups.contains(&Group::Secp256r1) {
            warnings.push("secp256r1 is not offered: in TLS 1.2 a server with a P-256 certificate may refuse a client without it".into());
        }
        if self.roots.len() < 2 {
            warnings.push(
                "one root alone is trusted: an emergency change of root would cut the connection"
                    .into(),
            );
        }
        warnings
    }

    fn base(&self) -> &'static Self {
        ALL.iter()
            .find(|policy| policy.name == self.name)
            .unwrap_or(&ALL[0])
    }

    fn only_signature_schemes(mut self, schemes: &[SignatureScheme]) -> Result<Self> {
        let base = self.base();
        base.must_hold(&base.signature_schemes, schemes)?;
        retain(&mut self.signature_schemes, |scheme| {
            schemes.contains(scheme)
        });
        self.settled(schemes)
    }

    fn must_hold<T: PartialEq + Display>(&self, held: &[T], wanted: &[T]) -> Result<()> {
        let Some(offender) = wanted.iter().find(|item| !held.contains(item)) else {
            return Ok(());
        };
        Err(Error::new(
            ErrorCode::PolicyWidened,
            format!(
                "{offender} is not in {}, and a policy can only be narrowed",
                self.name
            ),
            format!("choose from {}", listed(held)),
        ))
    }

    /// Drops what has become useless, and refuses when nothing is left.
    fn settled<T: Display>(mut self, narrowed_to: &[T]) -> Result<Self> {
        retain(&mut self.suites, |suite| {
            self.versions.contains(&suite.version())
                && self
                    .signature_schemes
                    .iter()
                    .any(|scheme| scheme.signs_for(*suite))
        });
        retain(&mut self.versions, |version| {
            self.suites.iter().any(|suite| suite.version() == *version)
        });
        if self.suites.is_empty() || self.groups.is_empty() {
            let what = match narrowed_to {
                [] => "nothing".into(),
                some => listed(some),
            };
            return Err(Error::new(
                ErrorCode::PolicyEmpty,
                format!(
                    "narrowed to {what}, {} has nothing left to offer",
                    self.name
                ),
                "keep a version with a suite and a signature scheme of it, and a group",
            ));
        }
        Ok(self)
    }
}

impl Default for Policy {
    /// What `iothub` stands for.
    fn default() -> Self {
        IOTHUB_2025_08
    }
}

fn retain<T: Clone>(list: &mut Cow<'static, [T]>, keep: impl FnMut(&T) -> bool) {
    list.to_mut().retain(keep);
}
