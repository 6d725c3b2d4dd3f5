//! Real servers as child processes on loopback: OpenSSL's `s_server`, `gnutls-serv` and mosquitto, and peers that speak no TLS.
//!
//! A server is ready when it says so; it is killed by its process id when dropped, and it dies with the thread that started it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use serde::Deserialize;
use tempfile::TempDir;

use crate::acceptor::Acceptor;
use crate::authority::Authority;
use crate::fixture;
use crate::namespace;
use crate::output::Output;

/// Which program serves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// `openssl s_server -rev`: answers each line with the line reversed.
    #[default]
    Openssl,
    /// `gnutls-serv --echo`: answers each line with the same line.
    Gnutls,
    /// mosquitto with one TLS listener.
    Mosquitto,
    /// A TCP peer that sends fixed bytes and then keeps still.
    Plain,
    /// A TCP peer that closes the connection after the first bytes it received.
    Closing,
}

/// What to serve and how. The same fields stand in `scenarios.json`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Which program.
    pub kind: Kind,
    /// One or two of [`fixture::SERVERS`]; the second is served beside the first, with another kind of key.
    pub certificates: Vec<String>,
    /// Whether a certificate of [`Authority::devices`] is demanded from the client.
    pub client_certificates: bool,
    /// Further arguments: of `s_server`, of `gnutls-serv`, or lines of mosquitto's configuration.
    pub arguments: Vec<String>,
    /// What a [`Kind::Plain`] peer sends on its own.
    pub sends: String,
}

impl Options {
    /// `openssl s_server` with that certificate and further arguments.
    pub fn openssl(certificate: &str, arguments: &[&str]) -> Self {
        Self {
            certificates: vec![certificate.to_owned()],
            arguments: arguments
                .iter()
                .map(|&argument| argument.to_owned())
                .collect(),
            ..Self::default()
        }
    }

    /// `gnutls-serv` with that certificate and that priority string.
    pub fn gnutls(certificate: &str, priority: &str) -> Self {
        Self {
            kind: Kind::Gnutls,
            ..Self::openssl(certificate, &["--priority", priority])
        }
    }

    /// mosquitto with that certificate and further lines of configuration.
    pub fn mosquitto(certificate: &str, lines: &[&str]) -> Self {
        Self {
            kind: Kind::Mosquitto,
            ..Self::openssl(certificate, lines)
        }
    }

    /// A peer that speaks no TLS but sends `text`.
    pub fn plain(text: &str) -> Self {
        Self {
            kind: Kind::Plain,
            sends: text.to_owned(),
            ..Self::default()
        }
    }

    /// A peer that reads something and closes.
    pub fn closing() -> Self {
        Self {
            kind: Kind::Closing,
            ..Self::default()
        }
    }

    /// The same, demanding a client certificate.
    #[must_use]
    pub fn with_client_certificates(mut self) -> Self {
        self.client_certificates = true;
        self
    }

    /// The same with a second certificate.
    #[must_use]
    pub fn with_certificate(mut self, name: &str) -> Self {
        self.certificates.push(name.to_owned());
        self
    }
}

/// A running server; stopped when dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    output: Arc<Output>,
    child: Option<Child>,
    acceptor: Option<Acceptor>,
    directory: TempDir,
}

impl Server {
    /// Starts a server and waits until it listens.
    ///
    /// # Panics
    /// With everything the server printed, if it does not.
    pub fn start(options: &Options) -> Self {
        let directory = TempDir::new().expect("a temporary directory");
        fixture::write_text(
            &directory.path().join("devices.pem"),
            &Authority::devices().root(),
        );
        for name in &options.certificates {
            fixture::write(directory.path(), name, fixture::server(name));
        }
        match options.kind {
            Kind::Openssl => Self::openssl(options, directory),
            Kind::Gnutls => Self::gnutls(options, directory),
            Kind::Mosquitto => Self::mosquitto(options, directory),
            Kind::Plain | Kind::Closing => Self::plain(options, directory),
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where its certificates lie.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Everything that it printed so far.
    pub fn output(&self) -> String {
        self.output.text()
    }

    /// Waits until it has printed `text`.
    ///
    /// # Panics
    /// With everything it printed instead, if that takes too long.
    pub fn wait_for_output(&self, text: &str) {
        self.output.find(&format!("print {text:?}"), |output| {
            output.contains(text).then_some(())
        });
    }

    fn openssl(options: &Options, directory: TempDir) -> Self {
        let mut command = mortal("openssl");
        command.args(["s_server", "-accept", "127.0.0.1:0", "-rev"]);
        let flags = [
            ["-cert", "-key", "-cert_chain"],
            ["-dcert", "-dkey", "-dcert_chain"],
        ];
        for (name, [certificate, key, chain]) in options.certificates.iter().zip(flags) {
            command.args([
                certificate,
                &format!("{name}.crt"),
                key,
                &format!("{name}.key"),
            ]);
            if !fixture::server(name).issuers.is_empty() {
                command.args([chain, &format!("{name}.issuers")]);
            }
        }
        if options.client_certificates {
            command.args([
                "-Verify",
                "2",
                "-verify_return_error",
                "-CAfile",
                "devices.pem",
            ]);
        }
        command.args(&options.arguments);
        let (child, output) = spawn(command, &directory);
        let address = output.find("listen", |text| {
            let line = text.lines().find_map(|line| line.strip_prefix("ACCEPT "))?;
            text.contains(&format!("{line}\n"))
                .then(|| line.parse().ok())?
        });
        Self {
            address,
            output,
            child: Some(child),
            acceptor: None,
            directory,
        }
    }

    fn gnutls(options: &Options, directory: TempDir) -> Self {
        const PORT: u16 = 5556;
        let mut command = mortal_in_namespace("gnutls-serv");
        command.args(["--echo", "--port", &PORT.to_string()]);
        for name in &options.certificates {
            command.args([
                format!("--x509certfile={name}.chain"),
                format!("--x509keyfile={name}.key"),
            ]);
        }
        if options.client_certificates {
            command.args([
                "--require-client-cert",
                "--verify-client-cert",
                "--x509cafile=devices.pem",
            ]);
        } else {
            command.arg("--disable-client-cert");
        }
        command.args(&options.arguments);
        // It says so bit by bit, and listens before the last one.
        let ready = format!("IPv4 0.0.0.0 port {PORT}...done");
        Self::in_namespace(command, directory, PORT, &ready)
    }

    fn mosquitto(options: &Options, directory: TempDir) -> Self {
        const PORT: u16 = 8883;
        let certificate = options
            .certificates
            .first()
            .expect("mosquitto serves a certificate");
        let mut configuration = format!(
            "user root\npersistence false\nlog_dest stderr\nlog_type all\nlistener {PORT} 127.0.0.1\n\
             certfile {certificate}.chain\nkeyfile {certificate}.key\n"
        );
        if options.client_certificates {
            configuration +=
                "cafile devices.pem\nrequire_certificate true\nuse_identity_as_username true\n";
        } else {
            configuration += "allow_anonymous true\n";
        }
        for line in &options.arguments {
            configuration += line;
            configuration.push('\n');
        }
        fixture::write_text(&directory.path().join("mosquitto.conf"), &configuration);
        let mut command = mortal_in_namespace("mosquitto");
        command.args(["-c", "mosquitto.conf"]);
        Self::in_namespace(command, directory, PORT, "running")
    }

    fn in_namespace(command: Command, directory: TempDir, port: u16, ready: &str) -> Self {
        let (child, output) = spawn(command, &directory);
        output.find("listen", |text| text.contains(ready).then_some(()));
        let relay = namespace::relay_to(child.id(), port);
        Self {
            address: relay.address(),
            output,
            child: Some(child),
            acceptor: Some(relay),
            directory,
        }
    }

    fn plain(options: &Options, directory: TempDir) -> Self {
        let sends = options.sends.clone().into_bytes();
        let closes = options.kind == Kind::Closing;
        let mut kept = Vec::new();
        let acceptor =
            Acceptor::start(move |stream| kept.extend(answer_plainly(stream, &sends, closes)));
        Self {
            address: acceptor.address(),
            output: Arc::default(),
            child: None,
            acceptor: Some(acceptor),
            directory,
        }
    }
}

fn answer_plainly(mut stream: TcpStream, sends: &[u8], closes: bool) -> Option<TcpStream> {
    // A client that went away is its own test's business.
    let _ = stream.write_all(sends);
    if closes {
        let mut buffer = [0; 4096];
        let _ = stream.read(&mut buffer);
        return None;
    }
    Some(stream)
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
        drop(self.acceptor.take());
    }
}

/// A command whose process is killed when the thread that starts it ends, however that happens.
pub(crate) fn mortal(program: &str) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", program]);
    command
}

pub(crate) fn mortal_in_namespace(program: &str) -> Command {
    let inner = namespace::command(program);
    let mut command = mortal(&inner.get_program().to_string_lossy());
    command.args(inner.get_args());
    command
}

pub(crate) fn spawn(mut command: Command, directory: &TempDir) -> (Child, Arc<Output>) {
    command
        .current_dir(directory.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
    let output = Arc::new(Output::default());
    output.collect(child.stdout.take());
    output.collect(child.stderr.take());
    (child, output)
}
