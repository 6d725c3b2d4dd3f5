//! Runs the command, and servers for it to meet.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use pkcs8::der::pem::LineEnding;
use pkcs8::pkcs5::pbes2::{EncryptionScheme, Kdf, Parameters, Pbkdf2Params};
use pkcs8::{PrivateKeyInfoRef, SecretDocument};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection};
use serde_json::Value;
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(5);

/// What came of a run of the command.
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// Standard output, which must be JSON and nothing else.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: {} {}", self.stdout, self.stderr))
    }
}

impl From<Output> for Run {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

pub(crate) fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hubtls"));
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

pub(crate) fn hubtls(arguments: &[&str]) -> Run {
    command(arguments).output().unwrap().into()
}

/// Runs the command with `input` as its stdin.
pub(crate) fn hubtls_with_input(arguments: &[&str], input: &str) -> Run {
    let mut child = command(arguments).stdin(Stdio::piped()).spawn().unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap().into()
}

/// An authority, and the files that a user would have of it.
pub(crate) struct Authority {
    directory: TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params
            .distinguished_name
            .push(DnType::CommonName, "test root");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        Self {
            directory: TempDir::new().unwrap(),
            issuer,
        }
    }

    /// The path of a new file.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path: PathBuf = self.directory.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.into_os_string().into_string().unwrap()
    }

    /// The file with the root.
    pub(crate) fn root(&self) -> String {
        self.file("root.pem", self.issuer.pem())
    }

    /// The files of a device's certificate and key.
    pub(crate) fn device(&self) -> [String; 2] {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new([])
            .unwrap()
            .signed_by(&key, &self.issuer)
            .unwrap();
        [
            self.file("device.pem", certificate.pem()),
            self.file("device.key", key.serialize_pem()),
        ]
    }

    /// The same, the key encrypted.
    pub(crate) fn device_with_encrypted_key(&self, passphrase: &str) -> [String; 2] {
        let [certificate, key] = self.device();
        let (_, der) = SecretDocument::from_pem(&std::fs::read_to_string(key).unwrap()).unwrap();
        let parameters = Parameters {
            kdf: Kdf::Pbkdf2(Pbkdf2Params::hmac_sha256(1_000, &[7; 16]).unwrap()),
            encryption: EncryptionScheme::Aes256Cbc { iv: [1; 16] },
        };
        let key = PrivateKeyInfoRef::try_from(der.as_bytes()).unwrap();
        let encrypted = key.encrypt_with_params(parameters, passphrase).unwrap();
        let pem = encrypted
            .to_pem("ENCRYPTED PRIVATE KEY", LineEnding::LF)
            .unwrap();
        [certificate, self.file("encrypted.key", pem.as_bytes())]
    }

    /// What a server called `localhost` needs.
    pub(crate) fn server(&self, demands_certificate: bool) -> ServerConfig {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).unwrap();
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone());
        let verifier = if demands_certificate {
            verifier
        } else {
            verifier.allow_unauthenticated()
        };
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(["localhost".into()])
            .unwrap()
            .signed_by(&key, &self.issuer)
            .unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier.build().unwrap())
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        config.alpn_protocols = vec![b"mqtt".to_vec()];
        config
    }
}

/// Accepts one connection and hands it to `serve`; returns the port.
pub(crate) fn listen<T: Send + 'static>(
    serve: impl FnOnce(TcpStream) -> T + Send + 'static,
) -> (String, JoinHandle<T>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let thread = thread::spawn(move || {
        let (socket, _) = listener.accept().unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        serve(socket)
    });
    (format!("localhost:{port}"), thread)
}

/// A server that returns what it is sent, and says how it ended: the number of bytes, or the error.
pub(crate) fn echo(config: ServerConfig) -> (String, JoinHandle<Result<usize, String>>) {
    listen(move |mut socket| {
        let mut connection = ServerConnection::new(Arc::new(config)).unwrap();
        let mut stream = rustls::Stream::new(&mut connection, &mut socket);
        let mut received = Vec::new();
        stream
            .read_to_end(&mut received)
            .map_err(|error| error.to_string())?;
        stream
            .write_all(&received)
            .map_err(|error| error.to_string())?;
        stream.conn.send_close_notify();
        stream.flush().map_err(|error| error.to_string())?;
        Ok(received.len())
    })
}

/// Checks that `value` is the report of an error of this name.
pub(crate) fn assert_error(value: &Value, name: &str) {
    let error = value["error"].as_object().unwrap();
    assert_eq!(error["name"], name, "{value}");
    assert!(error["code"].is_u64() && error["message"].is_string() && error["hint"].is_string());
    assert!(error["alert"].is_null() || error["alert"].is_string());
    assert!(error["alert_received"].is_boolean());
    assert_eq!(error.len(), 6);
}
