//! Trusted roots.

use hubtls::Origin;
use napi::Env;
use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;

use crate::certificate::seconds;
use crate::error::OrRaise;
use crate::policy::Policy;

/// A trusted root. Times are in seconds since 1970.
#[napi]
pub struct Root(pub(crate) hubtls::Root);

#[napi]
impl Root {
    /// The common name of its subject, or the whole subject if that has none.
    #[napi(getter, catch_unwind)]
    pub fn subject(&self) -> String {
        self.0.subject().into()
    }

    /// SHA-256 of its certificate, `CB:3C:...:5F`; null if only its name and key are known.
    #[napi(getter, catch_unwind)]
    pub fn fingerprint(&self) -> Option<String> {
        self.0.fingerprint()
    }

    /// The pin of this root, for `pins`.
    #[napi(getter, catch_unwind)]
    pub fn pin(&self) -> String {
        self.0.pin().to_string()
    }

    /// Start of its validity.
    #[napi(getter, catch_unwind)]
    pub fn not_before(&self) -> Option<f64> {
        self.0.not_before().map(seconds)
    }

    /// Last second of its validity.
    #[napi(getter, catch_unwind)]
    pub fn not_after(&self) -> Option<f64> {
        self.0.not_after().map(seconds)
    }

    /// Where it comes from: `embedded`, `added` or `public-web`.
    #[napi(getter, catch_unwind)]
    pub fn origin(&self) -> &'static str {
        match self.0.origin() {
            Origin::Embedded => "embedded",
            Origin::Added => "added",
            _ => "public-web",
        }
    }

    /// Whether it may vouch for names of Azure's although it was added to other roots.
    #[napi(getter, catch_unwind)]
    pub fn vouches_for_azure(&self) -> bool {
        self.0.vouches_for_azure()
    }

    /// Its certificate as PEM; null if only its name and key are known.
    #[napi(getter, catch_unwind)]
    pub fn pem(&self) -> Option<String> {
        self.0.pem()
    }
}

/// How ready a set of roots is for the loss of one.
#[napi]
pub struct Readiness(hubtls::Readiness);

#[napi]
impl Readiness {
    /// Whether at least two independent roots stay valid.
    #[napi(getter, catch_unwind)]
    pub fn ready(&self) -> bool {
        self.0.ready
    }

    /// How many roots of different owners stay valid.
    #[napi(getter, catch_unwind)]
    pub fn independent(&self) -> u32 {
        u32::try_from(self.0.independent).unwrap_or(u32::MAX)
    }

    /// The roots that have expired.
    #[napi(getter, catch_unwind)]
    pub fn expired(&self) -> Vec<Root> {
        self.0.expired.iter().cloned().map(Root).collect()
    }

    /// The roots that expire within the time asked for.
    #[napi(getter, catch_unwind)]
    pub fn expiring(&self) -> Vec<Root> {
        self.0.expiring.iter().cloned().map(Root).collect()
    }
}

/// The roots that are trusted. Immutable.
#[napi]
pub struct Roots(pub(crate) hubtls::Roots);

#[napi]
impl Roots {
    /// The two roots of Azure IoT Hub: DigiCert Global Root G2 and Microsoft RSA Root Certificate Authority 2017.
    #[napi(factory, catch_unwind)]
    pub fn azure() -> Self {
        Self(hubtls::Roots::azure())
    }

    /// The roots of a policy.
    #[napi(factory, catch_unwind)]
    pub fn of_policy(policy: &Policy) -> Self {
        Self(hubtls::Roots::of_policy(&policy.0))
    }

    /// Every root that hubtls ships, the two ECC roots included that no policy trusts yet.
    #[napi(factory, catch_unwind)]
    pub fn embedded() -> Self {
        Self(hubtls::Roots::embedded())
    }

    /// The roots of the public web, as Mozilla trusts them.
    #[napi(factory, catch_unwind)]
    pub fn public_web() -> Self {
        Self(hubtls::Roots::public_web())
    }

    /// Private roots from PEM, or one certificate in DER: `NO_CERTIFICATE`, `INVALID_CERTIFICATE`, `NOT_A_CERTIFICATE_AUTHORITY`.
    #[napi(factory, catch_unwind)]
    pub fn from(env: Env, data: napi::Either<String, Uint8Array>) -> napi::Result<Self> {
        let roots = match &data {
            napi::Either::A(text) => hubtls::Roots::from_pem(text.as_bytes()),
            napi::Either::B(bytes) => hubtls::Roots::from_pem_or_der(bytes),
        };
        Ok(Self(roots.or_raise(&env)?))
    }

    /// These and the others.
    #[napi(catch_unwind)]
    pub fn with_added(&self, added: &Roots) -> Roots {
        Self(self.0.clone().with_added(added.0.clone()))
    }

    /// The same roots, which may (or may not) vouch for names of Azure's when they are added to others.
    #[napi(catch_unwind)]
    pub fn vouching_for_azure(&self, vouching: Option<bool>) -> Roots {
        Self(self.0.clone().vouching_for_azure(vouching.unwrap_or(true)))
    }

    /// Those of them that are believed about a server of that name.
    #[napi(catch_unwind)]
    pub fn believed_about(&self, name: String) -> Roots {
        Self(self.0.believed_about(&name))
    }

    /// The certificates as PEM.
    #[napi(catch_unwind)]
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// Each of them.
    #[napi(getter, catch_unwind)]
    pub fn all(&self) -> Vec<Root> {
        self.0.iter().cloned().map(Root).collect()
    }

    /// How many there are.
    #[napi(getter, catch_unwind)]
    pub fn length(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX)
    }

    /// Whether enough of them stay valid for so many days from now.
    #[napi(catch_unwind)]
    pub fn readiness(&self, env: Env, within_days: Option<u32>) -> napi::Result<Readiness> {
        let now = hubtls::Clock::system().now().or_raise(&env)?;
        Ok(Readiness(self.0.readiness(now, within_days.unwrap_or(0))))
    }
}
