//! From options to a [`Config`]: reads the files and asks for the passphrase.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use clap::Args;
use hubtls::{
    Config, Error, ErrorCode, FragmentLength, FragmentMode, Identity, Pin, Result, RevocationLists,
    Roots, Sni,
};

use crate::files::{read, read_text};
use crate::policy;

/// What the connection is made with.
#[derive(Args)]
pub(super) struct Options {
    /// A policy by name, or a policy document in a file NAME.json
    #[arg(long, value_name = "NAME", default_value = "iothub")]
    policy: String,
    /// Trust the private roots in this file (PEM or DER) as well; not for names of Azure's
    #[arg(long, value_name = "FILE")]
    ca: Vec<PathBuf>,
    /// The client's certificate, followed by the intermediate ones (PEM)
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,
    /// The private key of the client's certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
    /// The client's certificate and private key in one PKCS#12 file
    #[arg(long, value_name = "FILE", conflicts_with = "cert")]
    pfx: Option<PathBuf>,
    /// Take the passphrase of the key from the first line of this file; else a terminal is asked for it
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Offer this protocol with ALPN; several are offered in the order given
    #[arg(long, value_name = "PROTOCOL")]
    alpn: Vec<String>,
    /// Send this name as SNI instead of the verified one
    #[arg(long, value_name = "NAME", conflicts_with = "no_sni")]
    sni: Option<String>,
    /// Send no SNI
    #[arg(long)]
    no_sni: bool,
    /// Offer the post-quantum hybrid X25519MLKEM768 first: the ClientHello grows from about 0.3 to 1.5 KB
    #[arg(long)]
    post_quantum: bool,
    /// Negotiate a maximum fragment length of 512, 1024, 2048 or 4096 bytes; with `:require`, do without a server that does not agree
    #[arg(long, value_name = "BYTES[:require]", value_parser = fragment_mode)]
    fragment_length: Option<FragmentRequest>,
    /// Refuse certificates that the revocation lists in this file name (PEM or DER)
    #[arg(long, value_name = "FILE")]
    crl: Vec<PathBuf>,
    /// Accept only chains that end in the root with this SHA-256 of its public key (hex or base64); several allow several roots
    #[arg(long, value_name = "SHA256")]
    pin: Vec<String>,
}

/// What is asked for on the command line: whether TLS knows the number is for core to say.
#[derive(Clone, Copy)]
struct FragmentRequest {
    bytes: usize,
    required: bool,
}

impl FragmentRequest {
    fn mode(self) -> Result<FragmentMode> {
        let length = FragmentLength::from_bytes(self.bytes)?;
        Ok(match self.required {
            true => FragmentMode::Require(length),
            false => FragmentMode::Request(length),
        })
    }
}

fn fragment_mode(text: &str) -> std::result::Result<FragmentRequest, String> {
    let (number, required) = match text.strip_suffix(":require") {
        Some(number) => (number, true),
        None => (text, false),
    };
    let bytes = number.parse().map_err(|_| {
        "give a number of bytes, and `:require` behind it if it must be agreed on".to_owned()
    })?;
    Ok(FragmentRequest { bytes, required })
}

impl Options {
    pub(super) fn config(&self) -> Result<Config> {
        let mut builder = Config::builder()
            .policy(policy::load(&self.policy)?)
            .alpn(&self.alpn)
            .post_quantum(self.post_quantum);
        builder = match &self.sni {
            Some(name) => builder.sni(Sni::Named(name.clone())),
            None if self.no_sni => builder.sni(Sni::Off),
            None => builder,
        };
        if let Some(request) = &self.fragment_length {
            builder = builder.fragment_length(request.mode()?);
        }
        for path in &self.ca {
            let roots = Roots::from_pem_or_der(&read(path)?);
            builder = builder.add_roots(roots.map_err(|error| error.within(path.display()))?);
        }
        for path in &self.crl {
            let lists = RevocationLists::from_pem_or_der(&read(path)?);
            let lists = lists.map_err(|error| error.within(path.display()))?;
            builder = builder.revocation_lists(lists);
        }
        for pin in &self.pin {
            builder = builder.pin(Pin::from_sha256(pin)?);
        }
        if let Some(identity) = self.identity()? {
            builder = builder.identity(identity);
        }
        builder.build()
    }

    fn identity(&self) -> Result<Option<Identity>> {
        let (files, path) = match (&self.cert, &self.key, &self.pfx) {
            (Some(cert), Some(key), _) => (
                Files::Pem {
                    chain: read(cert)?,
                    key: read(key)?,
                },
                key,
            ),
            (_, _, Some(pfx)) => (Files::Pkcs12(read(pfx)?), pfx),
            _ => return Ok(None),
        };
        let given = self
            .passphrase_file
            .as_deref()
            .map(passphrase_in)
            .transpose()?;
        let identity = match files.identity(given.as_deref()) {
            Err(error) if error.code() == ErrorCode::PassphraseRequired => {
                files.identity(Some(&ask_for_passphrase(path)?))
            }
            result => result,
        };
        identity
            .map(Some)
            .map_err(|error| error.within(path.display()))
    }
}

/// A client's certificate and key as they are kept.
enum Files {
    Pem { chain: Vec<u8>, key: Vec<u8> },
    Pkcs12(Vec<u8>),
}

impl Files {
    fn identity(&self, passphrase: Option<&str>) -> Result<Identity> {
        match self {
            Self::Pem { chain, key } => Identity::from_pem(chain, key, passphrase),
            Self::Pkcs12(file) => Identity::from_pkcs12(file, passphrase),
        }
    }
}

fn passphrase_in(path: &Path) -> Result<String> {
    let text = read_text(path)?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

fn ask_for_passphrase(path: &Path) -> Result<String> {
    let hint = "give it in a file with --passphrase-file";
    if !std::io::stdin().is_terminal() {
        return Err(Error::new(
            ErrorCode::PassphraseRequired,
            format!(
                "{} is encrypted, and there is no terminal to ask for its passphrase",
                path.display()
            ),
            hint,
        ));
    }
    rpassword::prompt_password(format!("Passphrase of {}: ", path.display())).map_err(|error| {
        Error::new(
            ErrorCode::PassphraseRequired,
            format!("the passphrase cannot be read: {error}"),
            hint,
        )
    })
}
