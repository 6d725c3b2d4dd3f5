//! Configurations.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use hubtls::{Clock, ConfigBuilder, KeyLogFile, RevocationLists, Sni};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyString, PyTuple};

use crate::buffer::Input;
use crate::detached::detach;
use crate::error::{Failure, invalid};
use crate::fragment::mode_of;
use crate::identity::{Identity, text_or_bytes};
use crate::policy::{Policy, policy_of};
use crate::roots::{Roots, pin_of, roots_of, unreadable};

/// A checked, immutable configuration, shared by any number of connections and threads.
#[pyclass(frozen, module = "hubtls")]
pub(crate) struct Config {
    pub(crate) config: hubtls::Config,
    options: Options,
}

/// What a configuration was made from. What a builder would add to, and not replace, stands beside it.
#[derive(Clone, Default)]
struct Options {
    builder: ConfigBuilder,
    added: Option<hubtls::Roots>,
    pins: Vec<hubtls::Pin>,
    lists: Option<RevocationLists>,
}

impl Config {
    fn build(py: Python<'_>, options: Options) -> Result<Self, Failure> {
        let config = detach(py, || options.whole().build())?;
        Ok(Self { config, options })
    }
}

#[pymethods]
impl Config {
    /// Keywords, all optional; what is left out is as the policy `iothub` has it.
    ///
    /// policy: a `Policy` or its name.
    /// roots: trusted instead of the policy's: `Roots`, PEM, or the path of a file.
    /// add_roots: trusted as well, but not for Azure's own names.
    /// pins: accept only chains that end in one of these roots.
    /// identity: the client's certificate and key: an `Identity`, or paths (chain, key) or (chain, key, passphrase).
    /// refuse_invalid_identity: an expired client certificate is an error, not a warning.
    /// revocation_lists: PEM, DER or the path of a file; require_revocation_status: refuse who has no current list.
    /// alpn: protocols to offer, most wanted first.
    /// sni: True for the name that is verified, False for none, or another name.
    /// resumption: whether sessions are kept in memory and resumed.
    /// key_log: the path of a file that the connections' secrets are written to. Whoever has it can read the traffic.
    /// time: seconds since 1970, or a callable that returns them; the machine's clock if left out.
    /// post_quantum: offer X25519MLKEM768 first.
    /// fragment_length: a `FragmentLength`, or a number of bytes to request.
    #[new]
    #[pyo3(signature = (**options))]
    fn new(py: Python<'_>, options: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        Ok(Self::build(py, Options::default().with(options)?)?)
    }

    /// The same with these options set instead of what they were, and with no session to resume; None leaves an option as it is.
    #[pyo3(signature = (**options))]
    fn replace(&self, py: Python<'_>, options: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        Ok(Self::build(py, self.options.clone().with(options)?)?)
    }

    /// The same with these roots instead, and with no session to resume: NO_ROOTS.
    fn with_roots(&self, roots: &Bound<'_, PyAny>) -> PyResult<Self> {
        let roots = roots_of(roots)?;
        let config = self.config.with_roots(roots).map_err(Failure::from)?;
        let mut options = self.options.clone();
        options.builder = options.builder.roots(config.roots().clone());
        options.added = None;
        Ok(Self { config, options })
    }

    /// The policy, narrowed as it was.
    #[getter]
    fn policy(&self) -> Policy {
        Policy(self.config.policy().clone())
    }

    /// The trusted roots.
    #[getter]
    fn roots(&self) -> Roots {
        Roots(self.config.roots().clone())
    }

    /// The client's certificate chain and key.
    #[getter]
    fn identity(&self) -> Option<Identity> {
        self.config.identity().cloned().map(Identity)
    }

    /// The pins; empty if any trusted root will do.
    #[getter]
    fn pins(&self) -> Vec<String> {
        self.options.pins.iter().map(ToString::to_string).collect()
    }

    /// What is allowed but unwise or about to break, a sentence each.
    #[getter]
    fn warnings(&self) -> Vec<String> {
        self.config.warnings().to_vec()
    }

    fn __repr__(&self) -> String {
        format!("<hubtls.Config {}>", self.config.policy().name())
    }
}

const NAMES: &[&str] = &[
    "policy",
    "roots",
    "add_roots",
    "pins",
    "identity",
    "refuse_invalid_identity",
    "revocation_lists",
    "require_revocation_status",
    "alpn",
    "sni",
    "resumption",
    "key_log",
    "time",
    "post_quantum",
    "fragment_length",
];

/// As Python itself says it.
fn unknown(name: &str) -> PyErr {
    pyo3::exceptions::PyTypeError::new_err(format!(
        "there is no option '{name}'; the options are {}",
        NAMES.join(", ")
    ))
}

impl Options {
    /// With these set; `None` leaves an option as it is.
    fn with(mut self, options: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        for (name, value) in options.into_iter().flat_map(|options| options.iter()) {
            let name = name.cast_into::<PyString>()?;
            let name = name.to_str()?;
            if !NAMES.contains(&name) {
                return Err(unknown(name));
            }
            match name {
                _ if value.is_none() => {}
                "add_roots" => self.added = Some(roots_of(&value)?),
                "pins" => self.pins = pins_of(&value)?,
                "revocation_lists" => self.lists = Some(lists_of(&value)?),
                _ => self.builder = set(self.builder, name, &value)?,
            }
        }
        Ok(self)
    }

    fn whole(&self) -> ConfigBuilder {
        let mut builder = self.builder.clone();
        if let Some(added) = &self.added {
            builder = builder.add_roots(added.clone());
        }
        if let Some(lists) = &self.lists {
            builder = builder.revocation_lists(lists.clone());
        }
        let pins = self.pins.iter().cloned();
        pins.fold(builder, ConfigBuilder::pin)
    }
}

/// One pin or several. An empty list would accept every trusted root, which nobody asks for with pins.
fn pins_of(value: &Bound<'_, PyAny>) -> PyResult<Vec<hubtls::Pin>> {
    let pins: Vec<Bound<'_, PyAny>> = match value.cast::<PyString>() {
        Ok(one) => vec![one.clone().into_any()],
        Err(_) => value.try_iter()?.collect::<PyResult<_>>()?,
    };
    if pins.is_empty() {
        return Err(invalid(
            "pins is empty".into(),
            "give at least one pin, or leave it out to accept every trusted root",
        )
        .into());
    }
    pins.iter().map(pin_of).collect()
}

fn set(builder: ConfigBuilder, name: &str, value: &Bound<'_, PyAny>) -> PyResult<ConfigBuilder> {
    Ok(match name {
        "policy" => builder.policy(policy_of(value)?),
        "roots" => builder.roots(roots_of(value)?),
        "identity" => builder.identity(identity_of(value)?),
        "refuse_invalid_identity" => builder.refuse_invalid_identity(value.is_truthy()?),
        "require_revocation_status" => builder.require_revocation_status(value.is_truthy()?),
        "alpn" => builder.alpn(protocols_of(value)?),
        "sni" => builder.sni(sni_of(value)?),
        "resumption" => builder.resumption(value.is_truthy()?),
        "key_log" => {
            let path: PathBuf = value.extract()?;
            let file = KeyLogFile::open(&path).map_err(|error| unreadable(&path, &error))?;
            builder.key_log(Arc::new(file))
        }
        "time" => builder.clock(clock_of(value)?),
        "post_quantum" => builder.post_quantum(value.is_truthy()?),
        "fragment_length" => builder.fragment_length(mode_of(value)?),
        _ => return Err(unknown(name)),
    })
}

fn read(path: &Path) -> PyResult<Vec<u8>> {
    std::fs::read(path).map_err(|error| unreadable(path, &error))
}

/// An `Identity`, or the paths of chain and key with a passphrase or not.
fn identity_of(value: &Bound<'_, PyAny>) -> PyResult<hubtls::Identity> {
    if let Ok(identity) = value.cast::<Identity>() {
        return Ok(identity.get().0.clone());
    }
    let paths = value.cast::<PyTuple>().ok();
    let paths = paths.filter(|paths| (2..=3).contains(&paths.len()));
    let Some(paths) = paths else {
        return Err(invalid(
            "the identity is neither an Identity nor paths".into(),
            "give a hubtls.Identity, or the paths (chain, key) or (chain, key, passphrase) of files in PEM",
        )
        .into());
    };
    let chain: PathBuf = paths.get_item(0)?.extract()?;
    let key: PathBuf = paths.get_item(1)?.extract()?;
    let passphrase: Option<String> = match paths.get_item(2) {
        Ok(passphrase) => passphrase.extract()?,
        Err(_) => None,
    };
    let (chain_pem, key_pem) = (read(&chain)?, read(&key)?);
    let identity = hubtls::Identity::from_pem(&chain_pem, &key_pem, passphrase.as_deref());
    Ok(identity.map_err(|error| {
        Failure::from(error.within(format!("{}, {}", chain.display(), key.display())))
    })?)
}

/// PEM or DER as bytes, PEM as str, or the path of a file.
fn lists_of(value: &Bound<'_, PyAny>) -> PyResult<RevocationLists> {
    let data = match value.extract::<PathBuf>() {
        Ok(path) if !path.to_string_lossy().contains("-----BEGIN ") => read(&path)?,
        _ => text_or_bytes(value)?,
    };
    Ok(RevocationLists::from_pem_or_der(&data).map_err(Failure::from)?)
}

fn protocols_of(value: &Bound<'_, PyAny>) -> PyResult<Vec<Vec<u8>>> {
    let wrong = || {
        PyErr::from(invalid(
            "alpn is not a list of protocols".into(),
            "give a list, as in alpn=[\"x-amzn-mqtt-ca\"] or [b\"h2\", b\"http/1.1\"]",
        ))
    };
    if value.is_instance_of::<PyString>() || Input::of(value).is_ok() {
        return Err(wrong());
    }
    let protocols = value.try_iter().map_err(|_| wrong())?;
    protocols
        .map(|protocol| text_or_bytes(&protocol?))
        .collect()
}

fn sni_of(value: &Bound<'_, PyAny>) -> PyResult<Sni> {
    Ok(match value.cast::<PyBool>() {
        Ok(flag) if flag.is_true() => Sni::FromName,
        Ok(_) => Sni::Off,
        Err(_) => Sni::Named(value.extract()?),
    })
}

fn clock_of(value: &Bound<'_, PyAny>) -> PyResult<Clock> {
    if !value.is_callable() {
        // As `time.time()` has it, too.
        let seconds: f64 = value.extract()?;
        if !(0.0..1e12).contains(&seconds) {
            return Err(invalid(
                format!("{seconds} is no time in seconds since 1970"),
                "give int(time.time()), or a callable that returns it",
            )
            .into());
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked above"
        )]
        return Ok(Clock::fixed(seconds as u64));
    }
    let now = value.clone().unbind();
    Ok(Clock::from_fn(Arc::new(move || {
        Python::try_attach(|py| {
            let seconds = now.call0(py).and_then(|it| it.extract::<f64>(py));
            match seconds {
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "checked"
                )]
                Ok(seconds) if (0.0..1e12).contains(&seconds) => Some(seconds as u64),
                Ok(_) => None,
                Err(error) => {
                    error.write_unraisable(py, Some(now.bind(py)));
                    None
                }
            }
        })
        .flatten()
    })))
}
