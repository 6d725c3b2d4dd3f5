//! Policies as JSON: the name of a dated policy and, where less is wanted, lists that narrow it.

#[cfg(feature = "json-schema")]
mod schema;

use serde::{Deserialize, Serialize};

use super::{FragmentLength, FragmentMode, Policy, retain};
use crate::fingerprint;
use crate::lookup::listed;
use crate::{CipherSuite, Error, ErrorCode, Group, Result, SignatureScheme, Version};

/// A hubtls policy: a dated policy of Azure IoT Hub by name, and lists that narrow it. A list that is left out is the policy's own; order and repetition mean nothing.
#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "json-schema", schemars(title = "hubtls policy"))]
#[serde(deny_unknown_fields)]
struct Document {
    /// The dated policy that this one is, or narrows.
    #[cfg_attr(feature = "json-schema", schemars(schema_with = "schema::policy_name"))]
    policy: String,
    /// The TLS versions to offer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "json-schema", schemars(schema_with = "schema::versions"))]
    versions: Option<Vec<String>>,
    /// The cipher suites to offer, by their IANA names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "json-schema", schemars(schema_with = "schema::suites"))]
    suites: Option<Vec<String>>,
    /// The key exchange groups to offer, by their IANA names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "json-schema", schemars(schema_with = "schema::groups"))]
    groups: Option<Vec<String>>,
    /// The signature schemes to offer, by their IANA names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "json-schema",
        schemars(schema_with = "schema::signature_schemes")
    )]
    signature_schemes: Option<Vec<String>>,
    /// The trusted roots, by the SHA-256 of their certificates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "json-schema", schemars(schema_with = "schema::roots"))]
    roots: Option<Vec<String>>,
    /// Whether to negotiate a maximum fragment length (RFC 6066, section 4).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "json-schema", schemars(with = "Fragment"))]
    fragment_length: Option<Fragment>,
}

#[derive(Serialize, Deserialize)]
#[cfg_attr(feature = "json-schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "json-schema", schemars(inline))]
#[serde(tag = "mode", rename_all = "lowercase", deny_unknown_fields)]
enum Fragment {
    /// Do not ask.
    Off {},
    /// Ask, and go on without if the server does not agree.
    Request {
        /// The largest fragment, in bytes.
        #[cfg_attr(
            feature = "json-schema",
            schemars(schema_with = "schema::fragment_bytes")
        )]
        bytes: usize,
    },
    /// Ask, and fail the handshake if the server does not agree.
    Require {
        /// The largest fragment, in bytes.
        #[cfg_attr(
            feature = "json-schema",
            schemars(schema_with = "schema::fragment_bytes")
        )]
        bytes: usize,
    },
}

impl Policy {
    /// The policy as a JSON document that [`from_json`](Self::from_json) reads: the dated name, all lists written out, suites, groups and
    /// schemes by their IANA names, roots by their SHA-256.
    pub fn to_json(&self) -> String {
        let document = Document {
            policy: self.name.into(),
            versions: Some(texts(&self.versions)),
            suites: Some(texts(&self.suites)),
            groups: Some(texts(&self.groups)),
            signature_schemes: Some(texts(&self.signature_schemes)),
            roots: Some(self.roots.iter().map(fingerprint::written).collect()),
            fragment_length: Some(self.fragment_length.into()),
        };
        serde_json::to_string_pretty(&document).expect("strings and numbers are valid JSON")
    }

    /// Reads a JSON document: the name of a dated policy, and what it is narrowed to. What is left out is as in that policy.
    ///
    /// ```
    /// use hubtls::Policy;
    /// let policy = Policy::from_json(r#"{"policy": "iothub-2025-08", "versions": ["TLSv1.2"]}"#)?;
    /// assert!(policy.is_narrowed());
    /// assert!(Policy::from_json(r#"{"policy": "iothub-2025-08", "version": "TLSv1.2"}"#).is_err());
    /// # Ok::<(), hubtls::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorCode::InvalidPolicyDocument`] with line and column if it is not such a document, [`ErrorCode::UnknownPolicy`],
    /// [`ErrorCode::UnknownVersion`], [`ErrorCode::UnknownSuite`], [`ErrorCode::UnknownGroup`] or [`ErrorCode::UnknownSignatureScheme`] for
    /// a name that is none, [`ErrorCode::InvalidFragmentLength`], [`ErrorCode::PolicyWidened`] if it holds anything that the policy does
    /// not, [`ErrorCode::PolicyEmpty`] if nothing is left to offer and [`ErrorCode::NoRoots`] if no root is.
    pub fn from_json(json: &str) -> Result<Self> {
        let document: Document = serde_json::from_str(json).map_err(|error| {
            Error::new(
                ErrorCode::InvalidPolicyDocument,
                format!("the policy document is not valid: {error}"),
                "correct it there; the published JSON Schema says what a document may hold",
            )
        })?;
        let mut policy = Self::named(&document.policy)?;
        if document.policy != policy.name {
            return Err(Error::new(
                ErrorCode::InvalidPolicyDocument,
                format!("{:?} is not the name of a dated policy", document.policy),
                format!(
                    "write {}: an alias moves, and a document must keep its meaning",
                    policy.name
                ),
            ));
        }
        if let Some(names) = document.versions {
            policy = policy.only_versions(&each(&names, Version::from_name)?)?;
        }
        if let Some(names) = document.suites {
            policy = policy.only_suites(&each(&names, CipherSuite::from_name)?)?;
        }
        if let Some(names) = document.groups {
            policy = policy.only_groups(&each(&names, Group::from_name)?)?;
        }
        if let Some(names) = document.signature_schemes {
            policy = policy.only_signature_schemes(&each(&names, SignatureScheme::from_name)?)?;
        }
        if let Some(fingerprints) = document.roots {
            policy = policy.only_roots(&fingerprints)?;
        }
        if let Some(fragment) = document.fragment_length {
            policy = policy.with_fragment_length(fragment.try_into()?);
        }
        Ok(policy)
    }

    fn only_roots(mut self, fingerprints: &[String]) -> Result<Self> {
        let wanted = each(fingerprints, |text| {
            fingerprint::parsed(text).ok_or_else(|| {
                Error::new(
                    ErrorCode::InvalidPolicyDocument,
                    format!("{text:?} is not the SHA-256 of a root"),
                    "write it as 32 pairs of hexadecimal digits with colons between them",
                )
            })
        })?;
        let base: Vec<_> = self.base().roots.iter().map(fingerprint::written).collect();
        let wanted_texts: Vec<_> = wanted.iter().map(fingerprint::written).collect();
        self.must_hold(&base, &wanted_texts)?;
        retain(&mut self.roots, |root| wanted.contains(root));
        if self.roots.is_empty() {
            return Err(Error::new(
                ErrorCode::NoRoots,
                format!("the document leaves {} no trusted root", self.name),
                format!("name at least one of {}", listed(&base)),
            ));
        }
        Ok(self)
    }
}

impl From<FragmentMode> for Fragment {
    fn from(mode: FragmentMode) -> Self {
        match mode {
            FragmentMode::Off => Self::Off {},
            FragmentMode::Request(length) => Self::Request {
                bytes: length.bytes(),
            },
            FragmentMode::Require(length) => Self::Require {
                bytes: length.bytes(),
            },
        }
    }
}

impl TryFrom<Fragment> for FragmentMode {
    type Error = Error;

    fn try_from(fragment: Fragment) -> Result<Self> {
        Ok(match fragment {
            Fragment::Off {} => Self::Off,
            Fragment::Request { bytes } => Self::Request(FragmentLength::from_bytes(bytes)?),
            Fragment::Require { bytes } => Self::Require(FragmentLength::from_bytes(bytes)?),
        })
    }
}

fn texts<T: ToString>(items: &[T]) -> Vec<String> {
    items.iter().map(T::to_string).collect()
}

fn each<T>(names: &[String], parse: impl Fn(&str) -> Result<T>) -> Result<Vec<T>> {
    names.iter().map(|name| parse(name)).collect()
}

#[cfg(test)]
mod tests;
