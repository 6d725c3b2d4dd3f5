//! Trusted roots.

use std::sync::Arc;

use hubtls::Origin;

use crate::certificate::seconds;
use crate::error::{Result, invalid, read_file};
use crate::policy::Policy;

/// A trusted root. Times are in seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Root {
    /// The common name of its subject, or the whole subject if that has none.
    pub subject: String,
    /// SHA-256 of its certificate, `CB:3C:...:5F`; absent if only its name and key are known.
    pub fingerprint: Option<String>,
    /// The pin of this root, for `pins`.
    pub pin: String,
    /// Start of its validity.
    pub not_before: Option<i64>,
    /// Last second of its validity.
    pub not_after: Option<i64>,
    /// Where it comes from: `embedded`, `added` or `public-web`.
    pub origin: String,
    /// Whether it may vouch for names of Azure's although it was added to other roots.
    pub vouches_for_azure: bool,
    /// Its certificate as PEM; absent if only its name and key are known.
    pub pem: Option<String>,
}

impl Root {
    pub(crate) fn of(root: &hubtls::Root) -> Self {
        let origin = match root.origin() {
            Origin::Embedded => "embedded",
            Origin::Added => "added",
            _ => "public-web",
        };
        Self {
            subject: root.subject().into(),
            fingerprint: root.fingerprint(),
            pin: root.pin().to_string(),
            not_before: root.not_before().and_then(seconds),
            not_after: root.not_after().and_then(seconds),
            origin: origin.into(),
            vouches_for_azure: root.vouches_for_azure(),
            pem: root.pem(),
        }
    }
}

/// How ready a set of roots is for the loss of one.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Readiness {
    /// Whether at least two independent roots stay valid.
    pub ready: bool,
    /// How many roots of different owners stay valid.
    pub independent: i32,
    /// The roots that have expired.
    pub expired: Vec<Root>,
    /// The roots that expire within the time asked for.
    pub expiring: Vec<Root>,
}

/// The roots that are trusted. Immutable.
#[derive(Debug, uniffi::Object)]
pub struct Roots(pub(crate) hubtls::Roots);

fn shared(roots: hubtls::Roots) -> Arc<Roots> {
    Arc::new(Roots(roots))
}

#[uniffi::export]
impl Roots {
    /// The two roots of Azure IoT Hub: DigiCert Global Root G2 and Microsoft RSA Root Certificate Authority 2017.
    #[uniffi::constructor]
    pub fn azure() -> Arc<Self> {
        shared(hubtls::Roots::azure())
    }

    /// The roots of a policy.
    #[uniffi::constructor]
    pub fn of_policy(policy: &Policy) -> Arc<Self> {
        shared(hubtls::Roots::of_policy(&policy.0))
    }

    /// Every root that hubtls ships, the two ECC roots included that no policy trusts yet.
    #[uniffi::constructor]
    pub fn embedded() -> Arc<Self> {
        shared(hubtls::Roots::embedded())
    }

    /// The roots of the public web, as Mozilla trusts them.
    #[uniffi::constructor]
    pub fn public_web() -> Arc<Self> {
        shared(hubtls::Roots::public_web())
    }

    /// Private roots from PEM: `NO_CERTIFICATE`, `INVALID_CERTIFICATE`, `NOT_A_CERTIFICATE_AUTHORITY`.
    #[uniffi::constructor]
    pub fn from_pem(text: String) -> Result<Arc<Self>> {
        Ok(shared(hubtls::Roots::from_pem(text.as_bytes())?))
    }

    /// Private roots from DER, one certificate each.
    #[uniffi::constructor]
    pub fn from_der(certificates: Vec<Vec<u8>>) -> Result<Arc<Self>> {
        Ok(shared(hubtls::Roots::from_der(&certificates)?))
    }

    /// Private roots from PEM, or one certificate in DER.
    #[uniffi::constructor]
    pub fn from_pem_or_der(data: Vec<u8>) -> Result<Arc<Self>> {
        Ok(shared(hubtls::Roots::from_pem_or_der(&data)?))
    }

    /// Private roots from a file in PEM, or with one certificate in DER.
    #[uniffi::constructor]
    pub fn from_file(path: String) -> Result<Arc<Self>> {
        let roots = hubtls::Roots::from_pem_or_der(&read_file(&path)?);
        Ok(shared(roots.map_err(|error| error.within(path))?))
    }

    /// These and the others.
    pub fn with_added(&self, added: &Self) -> Arc<Self> {
        shared(self.0.clone().with_added(added.0.clone()))
    }

    /// The same roots, which may (or may not) vouch for names of Azure's when they are added to others.
    #[uniffi::method(default(vouching = true))]
    pub fn vouching_for_azure(&self, vouching: bool) -> Arc<Self> {
        shared(self.0.clone().vouching_for_azure(vouching))
    }

    /// Those of them that are believed about a server of that name.
    pub fn believed_about(&self, name: String) -> Arc<Self> {
        shared(self.0.believed_about(&name))
    }

    /// The certificates as PEM.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// Each of them.
    pub fn all(&self) -> Vec<Root> {
        self.0.iter().map(Root::of).collect()
    }

    /// How many there are.
    pub fn count(&self) -> i32 {
        i32::try_from(self.0.len()).unwrap_or(i32::MAX)
    }

    /// Whether enough of them stay valid for so many days from now.
    #[uniffi::method(default(within_days = 0))]
    pub fn readiness(&self, within_days: i32) -> Result<Readiness> {
        let days = u32::try_from(within_days).map_err(|_| {
            invalid(
                format!("{within_days} days have passed"),
                "give 0 or more days",
            )
        })?;
        let readiness = self.0.readiness(hubtls::Clock::system().now()?, days);
        Ok(Readiness {
            ready: readiness.ready,
            independent: i32::try_from(readiness.independent).unwrap_or(i32::MAX),
            expired: readiness.expired.iter().map(Root::of).collect(),
            expiring: readiness.expiring.iter().map(Root::of).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_roots_of_azure_can_be_given_to_another_library() {
        let roots = Roots::azure();
        let again = Roots::from_pem(roots.pem()).unwrap();
        assert_eq!((roots.count(), again.count()), (2, 2));
        assert!(
            again
                .all()
                .iter()
                .all(|root| root.origin == "added" && !root.vouches_for_azure)
        );
        assert!(again.vouching_for_azure(true).all()[0].vouches_for_azure);
    }
}
