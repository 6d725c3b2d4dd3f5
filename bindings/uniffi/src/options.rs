//! The options of a configuration.

use std::sync::Arc;

use hubtls::{Clock, ConfigBuilder, Error, ErrorCode, KeyLogFile, RevocationLists};

use crate::error::{Result, invalid};
use crate::fragment::FragmentLength;
use crate::identity::Identity;
use crate::pin;
use crate::policy::Policy;
use crate::roots::Roots;

/// What a `Config` is made from, all optional. What is left out is as the policy `iothub` has it.
#[derive(Clone, Default, uniffi::Record)]
pub struct ConfigOptions {
    /// What may be offered and accepted; `iothub` if left out.
    #[uniffi(default)]
    pub policy: Option<Arc<Policy>>,
    /// Trusted instead of the policy's roots.
    #[uniffi(default)]
    pub roots: Option<Arc<Roots>>,
    /// Trusted as well, but not for Azure's own names.
    #[uniffi(default)]
    pub add_roots: Option<Arc<Roots>>,
    /// Accept only chains that end in one of these roots: SHA-256 of its public key, or its certificate in PEM.
    #[uniffi(default)]
    pub pins: Option<Vec<String>>,
    /// The client's certificate chain and key.
    #[uniffi(default)]
    pub identity: Option<Arc<Identity>>,
    /// An expired client certificate is an error, not a warning.
    #[uniffi(default)]
    pub refuse_invalid_identity: bool,
    /// Revocation lists, each PEM or DER.
    #[uniffi(default)]
    pub revocation_lists: Vec<Vec<u8>>,
    /// Refuse a server whose status no current list tells.
    #[uniffi(default)]
    pub require_revocation_status: bool,
    /// Protocols to offer with ALPN, most wanted first.
    #[uniffi(default)]
    pub alpn: Vec<String>,
    /// Which name the ClientHello carries; the one that is verified if left out.
    #[uniffi(default)]
    pub sni: Option<Sni>,
    /// Whether sessions are resumed; they are if left out.
    #[uniffi(default)]
    pub resumption: Option<bool>,
    /// The path of a file that the connections' secrets are written to, for debugging. Whoever has it can read the traffic.
    #[uniffi(default)]
    pub key_log: Option<String>,
    /// Seconds since 1970, instead of the machine's clock.
    #[uniffi(default)]
    pub time: Option<i64>,
    /// Offer X25519MLKEM768 first.
    #[uniffi(default)]
    pub post_quantum: bool,
    /// The maximum fragment length to negotiate; as the policy says if left out.
    #[uniffi(default)]
    pub fragment_length: Option<FragmentLength>,
}

/// Which name the ClientHello carries.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Sni {
    /// The name that is verified; none if that is an IP address.
    FromName,
    /// No name.
    Off,
    /// Another name than the one that is verified.
    Named {
        /// That name.
        name: String,
    },
}

impl Sni {
    fn into_core(self) -> hubtls::Sni {
        match self {
            Self::FromName => hubtls::Sni::FromName,
            Self::Off => hubtls::Sni::Off,
            Self::Named { name } => hubtls::Sni::Named(name),
        }
    }
}

impl ConfigOptions {
    /// The builder with all of them set, and the pins as text.
    pub(crate) fn into_builder(self) -> Result<(ConfigBuilder, Vec<String>)> {
        let mut builder = ConfigBuilder::default()
            .refuse_invalid_identity(self.refuse_invalid_identity)
            .require_revocation_status(self.require_revocation_status)
            .resumption(self.resumption.unwrap_or(true))
            .post_quantum(self.post_quantum)
            .alpn(self.alpn);
        if let Some(policy) = self.policy {
            builder = builder.policy(policy.0.clone());
        }
        if let Some(roots) = self.roots {
            builder = builder.roots(roots.0.clone());
        }
        if let Some(roots) = self.add_roots {
            builder = builder.add_roots(roots.0.clone());
        }
        let pins = pins_of(self.pins)?;
        let texts = pins.iter().map(ToString::to_string).collect();
        builder = pins.into_iter().fold(builder, ConfigBuilder::pin);
        if let Some(identity) = self.identity {
            builder = builder.identity(identity.0.clone());
        }
        for list in self.revocation_lists {
            builder = builder.revocation_lists(RevocationLists::from_pem_or_der(&list)?);
        }
        if let Some(sni) = self.sni {
            builder = builder.sni(sni.into_core());
        }
        if let Some(path) = self.key_log {
            builder = builder.key_log(Arc::new(log_file(&path)?));
        }
        if let Some(seconds) = self.time {
            builder = builder.clock(clock(seconds)?);
        }
        if let Some(length) = self.fragment_length {
            builder = builder.fragment_length(length.mode()?);
        }
        Ok((builder, texts))
    }
}

/// An empty list would accept every trusted root, which nobody asks for with pins.
fn pins_of(pins: Option<Vec<String>>) -> Result<Vec<hubtls::Pin>> {
    match pins {
        None => Ok(Vec::new()),
        Some(pins) if pins.is_empty() => Err(invalid(
            "pins is empty".into(),
            "give at least one pin, or leave it out to accept every trusted root",
        )),
        Some(pins) => {
            let pins = pins.iter().map(|text| pin::read(text));
            Ok(pins.collect::<hubtls::Result<_>>()?)
        }
    }
}

fn log_file(path: &str) -> Result<KeyLogFile> {
    let opened = KeyLogFile::open(path).map_err(|error| {
        Error::new(
            ErrorCode::Io,
            format!("{path}: {error}"),
            "give the path of a file that can be written",
        )
    });
    Ok(opened?)
}

fn clock(seconds: i64) -> Result<Clock> {
    u64::try_from(seconds).map(Clock::fixed).map_err(|_| {
        invalid(
            format!("{seconds} is no time in seconds since 1970"),
            "give the seconds since 1970, not before",
        )
    })
}
