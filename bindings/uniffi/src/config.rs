//! Configurations.

use std::sync::Arc;

use crate::error::Result;
use crate::identity::Identity;
use crate::options::ConfigOptions;
use crate::policy::Policy;
use crate::roots::Roots;

/// A checked, immutable configuration, shared by any number of connections and threads, which resume sessions of each other.
#[derive(Debug, uniffi::Object)]
pub struct Config {
    pub(crate) config: hubtls::Config,
    pins: Vec<String>,
}

#[uniffi::export]
impl Config {
    /// Checks the options; `code` of the error says what is wrong.
    #[uniffi::constructor(default(options))]
    pub fn new(options: ConfigOptions) -> Result<Arc<Self>> {
        let (builder, pins) = options.into_builder()?;
        let config = builder.build()?;
        Ok(Arc::new(Self { config, pins }))
    }

    /// The same with these roots instead, and with no session to resume: `NO_ROOTS`.
    pub fn with_roots(&self, roots: &Roots) -> Result<Arc<Self>> {
        Ok(Arc::new(Self {
            config: self.config.with_roots(roots.0.clone())?,
            pins: self.pins.clone(),
        }))
    }

    /// The policy, narrowed as it was.
    pub fn policy(&self) -> Arc<Policy> {
        Arc::new(Policy(self.config.policy().clone()))
    }

    /// The trusted roots.
    pub fn roots(&self) -> Arc<Roots> {
        Arc::new(Roots(self.config.roots().clone()))
    }

    /// The client's certificate chain and key.
    pub fn identity(&self) -> Option<Arc<Identity>> {
        let identity = self.config.identity()?.clone();
        Some(Arc::new(Identity(identity)))
    }

    /// The pins; empty if any trusted root will do.
    pub fn pins(&self) -> Vec<String> {
        self.pins.clone()
    }

    /// Verifies a server for another TLS stack as a connection does. `chain` has DER certificates, the server's first; without a `name`, which is then
    /// verified elsewhere, only roots will do that may vouch for any name.
    pub fn verify_server(&self, chain: &[Vec<u8>], name: Option<String>) -> Result<()> {
        Ok(self.config.verify_server(chain, name.as_deref())?)
    }

    /// What is allowed but unwise or about to break, a sentence each.
    pub fn warnings(&self) -> Vec<String> {
        self.config.warnings().to_vec()
    }
}

#[cfg(test)]
mod tests {
    use hubtls_tests::fixture;

    use super::*;
    use crate::error::HubTlsError;
    use crate::fragment::FragmentLength;
    use crate::options::Sni;

    fn failure(options: ConfigOptions) -> String {
        let HubTlsError::Failed { code, .. } = Config::new(options).unwrap_err();
        code
    }

    #[test]
    fn without_options_it_is_the_policy_iothub() {
        let config = Config::new(ConfigOptions::default()).unwrap();
        assert_eq!(config.policy().name(), "iothub-2025-08");
        assert_eq!(config.roots().pem(), Roots::azure().pem());
        assert!(config.identity().is_none());
        assert!(config.pins().is_empty() && config.warnings().is_empty());
    }

    #[test]
    fn every_option_reaches_the_configuration() {
        let client = fixture::client("p256");
        let roots = Roots::azure();
        let pin = roots.all()[0].pin.clone();
        let key = client.key.clone().into_bytes();
        let config = Config::new(ConfigOptions {
            policy: Some(Policy::named("iothub-tls12".into()).unwrap()),
            roots: Some(Arc::clone(&roots)),
            add_roots: Some(Roots::from_pem(fixture::server_roots()).unwrap()),
            pins: Some(vec![pin.clone()]),
            identity: Some(Identity::from_pem(client.chain().into(), key, None).unwrap()),
            refuse_invalid_identity: true,
            revocation_lists: vec![fixture::revocation_lists().into()],
            require_revocation_status: true,
            alpn: vec!["mqtt".into()],
            sni: Some(Sni::Named {
                name: "gateway.example".into(),
            }),
            resumption: Some(false),
            key_log: None,
            time: Some(1_800_000_000),
            post_quantum: true,
            fragment_length: Some(FragmentLength::Request { bytes: 512 }),
        })
        .unwrap();
        assert_eq!(config.policy().name(), "iothub-2025-08-tls12");
        assert_eq!(
            config.policy().fragment_length(),
            FragmentLength::Request { bytes: 512 }
        );
        assert_eq!(config.roots().count(), 4);
        assert_eq!(config.pins(), [pin]);
        assert_eq!(config.identity().unwrap().key_algorithm(), "P-256");
        let other = config.with_roots(&roots).unwrap();
        assert_eq!(other.roots().count(), 2);
    }

    #[test]
    fn a_wrong_option_is_found_when_it_is_built() {
        let options = ConfigOptions::default;
        for (options, code) in [
            (
                ConfigOptions {
                    pins: Some(Vec::new()),
                    ..options()
                },
                "INVALID_ARGUMENT",
            ),
            (
                ConfigOptions {
                    pins: Some(vec!["x".into()]),
                    ..options()
                },
                "INVALID_PIN",
            ),
            (
                ConfigOptions {
                    time: Some(-1),
                    ..options()
                },
                "INVALID_ARGUMENT",
            ),
            (
                ConfigOptions {
                    alpn: vec![String::new()],
                    ..options()
                },
                "INVALID_ALPN",
            ),
            (
                ConfigOptions {
                    require_revocation_status: true,
                    ..options()
                },
                "INVALID_ARGUMENT",
            ),
            (
                ConfigOptions {
                    key_log: Some("/nowhere/at/all".into()),
                    ..options()
                },
                "IO",
            ),
        ] {
            assert_eq!(failure(options), code);
        }
    }
}
