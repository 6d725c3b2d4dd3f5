//! Configurations.

use std::sync::Arc;

use hubtls::{
    Clock, ConfigBuilder as Builder, Error, ErrorCode, KeyLogFile, Pin, RevocationLists, Sni,
};
use napi::bindgen_prelude::Uint8Array;
use napi::{Either, Env};
use napi_derive::napi;

use crate::error::{OrRaise, invalid};
use crate::fragment::mode_of;
use crate::identity::{Identity, bytes_of};
use crate::policy::Policy;
use crate::roots::Roots;

/// A checked, immutable configuration, shared by any number of connections.
#[napi]
pub struct Config {
    pub(crate) config: hubtls::Config,
    /// Whether JavaScript signs.
    pub(crate) asks: bool,
    pins: Vec<String>,
}

#[napi]
impl Config {
    /// The same with these roots instead, and with no session to resume: `NO_ROOTS`.
    #[napi(catch_unwind)]
    pub fn with_roots(&self, env: Env, roots: &Roots) -> napi::Result<Config> {
        let config = self.config.with_roots(roots.0.clone()).or_raise(&env)?;
        let (asks, pins) = (self.asks, self.pins.clone());
        Ok(Self { config, asks, pins })
    }

    /// The policy, narrowed as it was.
    #[napi(getter, catch_unwind)]
    pub fn policy(&self) -> Policy {
        Policy(self.config.policy().clone())
    }

    /// The trusted roots.
    #[napi(getter, catch_unwind)]
    pub fn roots(&self) -> Roots {
        Roots(self.config.roots().clone())
    }

    /// The client's certificate chain and key.
    #[napi(getter, catch_unwind)]
    pub fn identity(&self) -> Option<Identity> {
        let identity = self.config.identity()?.clone();
        let asks = self.asks;
        Some(Identity { identity, asks })
    }

    /// The pins; empty if any trusted root will do.
    #[napi(getter, catch_unwind)]
    pub fn pins(&self) -> Vec<String> {
        self.pins.clone()
    }

    /// What is allowed but unwise or about to break, a sentence each.
    #[napi(getter, catch_unwind)]
    pub fn warnings(&self) -> Vec<String> {
        self.config.warnings().to_vec()
    }
}

/// Collects the options of a `Config`; lib/ reads them from an object.
#[napi]
#[derive(Default)]
pub struct ConfigBuilder {
    builder: Builder,
    asks: bool,
    pins: Vec<String>,
}

impl ConfigBuilder {
    fn change(&mut self, change: impl FnOnce(Builder) -> Builder) {
        self.builder = change(std::mem::take(&mut self.builder));
    }
}

#[napi]
impl ConfigBuilder {
    #[napi(constructor, catch_unwind)]
    pub fn new() -> Self {
        Self::default()
    }

    #[napi(catch_unwind)]
    pub fn policy(&mut self, policy: &Policy) {
        self.change(|builder| builder.policy(policy.0.clone()));
    }

    #[napi(catch_unwind)]
    pub fn roots(&mut self, roots: &Roots) {
        self.change(|builder| builder.roots(roots.0.clone()));
    }

    #[napi(catch_unwind)]
    pub fn add_roots(&mut self, roots: &Roots) {
        self.change(|builder| builder.add_roots(roots.0.clone()));
    }

    /// A pin: SHA-256 as text, or the root's certificate as PEM or DER.
    #[napi(catch_unwind)]
    pub fn pin(&mut self, env: Env, pin: Either<String, Uint8Array>) -> napi::Result<()> {
        let pin = match &pin {
            Either::A(text) if !text.contains("-----BEGIN ") => Pin::from_sha256(text),
            Either::B(der) if !der.starts_with(b"-----") => Pin::of_certificate_der(der),
            pem => Pin::of_certificate_pem(bytes_of(pem)),
        };
        let pin = pin.or_raise(&env)?;
        self.pins.push(pin.to_string());
        self.change(|builder| builder.pin(pin));
        Ok(())
    }

    #[napi(catch_unwind)]
    pub fn identity(&mut self, identity: &Identity) {
        self.asks = identity.asks;
        self.change(|builder| builder.identity(identity.identity.clone()));
    }

    #[napi(catch_unwind)]
    pub fn refuse_invalid_identity(&mut self, refuse: bool) {
        self.change(|builder| builder.refuse_invalid_identity(refuse));
    }

    #[napi(catch_unwind)]
    pub fn revocation_lists(
        &mut self,
        env: Env,
        lists: Either<String, Uint8Array>,
    ) -> napi::Result<()> {
        let lists = RevocationLists::from_pem_or_der(bytes_of(&lists)).or_raise(&env)?;
        self.change(|builder| builder.revocation_lists(lists));
        Ok(())
    }

    #[napi(catch_unwind)]
    pub fn require_revocation_status(&mut self, require: bool) {
        self.change(|builder| builder.require_revocation_status(require));
    }

    #[napi(catch_unwind)]
    pub fn alpn(&mut self, protocols: Vec<Either<String, Uint8Array>>) {
        let protocols: Vec<Vec<u8>> = protocols.iter().map(|it| bytes_of(it).to_vec()).collect();
        self.change(|builder| builder.alpn(protocols));
    }

    #[napi(catch_unwind)]
    pub fn sni(&mut self, sni: Either<bool, String>) {
        let sni = match sni {
            Either::A(true) => Sni::FromName,
            Either::A(false) => Sni::Off,
            Either::B(name) => Sni::Named(name),
        };
        self.change(|builder| builder.sni(sni));
    }

    #[napi(catch_unwind)]
    pub fn resumption(&mut self, resume: bool) {
        self.change(|builder| builder.resumption(resume));
    }

    #[napi(catch_unwind)]
    pub fn key_log(&mut self, env: Env, path: String) -> napi::Result<()> {
        let file = KeyLogFile::open(&path).map_err(|error| {
            let error = Error::new(
                ErrorCode::Io,
                format!("{path}: {error}"),
                "give the path of a file that can be written",
            );
            crate::error::raise(&env, &error)
        })?;
        self.change(|builder| builder.key_log(Arc::new(file)));
        Ok(())
    }

    /// Seconds since 1970.
    #[napi(catch_unwind)]
    pub fn time(&mut self, env: Env, seconds: f64) -> napi::Result<()> {
        if !(0.0..1e12).contains(&seconds) {
            let message = format!("{seconds} is no time in seconds since 1970");
            return Err(invalid(&env, message, "give Math.floor(Date.now() / 1000)"));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked above"
        )]
        let clock = Clock::fixed(seconds as u64);
        self.change(|builder| builder.clock(clock));
        Ok(())
    }

    #[napi(catch_unwind)]
    pub fn post_quantum(&mut self, offer: bool) {
        self.change(|builder| builder.post_quantum(offer));
    }

    #[napi(catch_unwind)]
    pub fn fragment_length(&mut self, env: Env, mode: String) -> napi::Result<()> {
        let mode = mode_of(&mode).or_raise(&env)?;
        self.change(|builder| builder.fragment_length(mode));
        Ok(())
    }

    /// Checks everything and makes the configuration.
    #[napi(catch_unwind)]
    pub fn build(&self, env: Env) -> napi::Result<Config> {
        Ok(Config {
            config: self.builder.clone().build().or_raise(&env)?,
            asks: self.asks,
            pins: self.pins.clone(),
        })
    }
}
