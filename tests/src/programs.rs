//! Further servers as child processes: Java's, which negotiates fragment lengths, NSS's, which does not, and GnuTLS's, which pretends to.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command};
use std::sync::Arc;

use tempfile::TempDir;

use crate::acceptor::Acceptor;
use crate::authority::Authority;
use crate::fixture;
use crate::namespace;
use crate::output::Output;
use crate::server::{mortal, mortal_in_namespace, spawn};

/// `servers/LineServer.java` under `java`: answers each line with the line reversed.
#[derive(Debug)]
pub struct Java {
    child: Child,
    output: Arc<Output>,
    /// Where it asks for no client certificate, and where it demands one of [`Authority::devices`].
    pub addresses: [SocketAddr; 2],
    _directory: TempDir,
}

impl Java {
    /// Starts it with that server certificate and further options of `java`.
    ///
    /// # Panics
    /// With everything it printed, if it does not listen.
    pub fn start(certificate: &str, options: &[&str]) -> Self {
        let directory = directory(certificate);
        let source = directory.path().join("LineServer.java");
        fixture::write_text(&source, include_str!("../servers/LineServer.java"));
        let algorithm = if certificate.starts_with("rsa") {
            "RSA"
        } else {
            "EC"
        };
        let mut command = mortal("java");
        command
            .args([
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-Xshare:auto",
            ])
            .args(options)
            .args(["LineServer.java", algorithm]);
        let (child, output) = spawn(command, &directory);
        let addresses = output.find("listen", |text| {
            let line = text.lines().find(|line| line.starts_with("LISTENING"))?;
            let ports = line.strip_suffix(" .")?.split(' ').skip(1);
            let ports: Vec<u16> = ports.filter_map(|port| port.parse().ok()).collect();
            let addresses: [u16; 2] = ports.try_into().ok()?;
            Some(addresses.map(|port| (Ipv4Addr::LOCALHOST, port).into()))
        });
        Self {
            child,
            output,
            addresses,
            _directory: directory,
        }
    }

    /// Everything that it printed so far.
    pub fn output(&self) -> String {
        self.output.text()
    }
}

impl Drop for Java {
    fn drop(&mut self) {
        end(&mut self.child);
    }
}

/// A server in a network namespace of its own.
#[derive(Debug)]
pub struct Enclosed {
    child: Child,
    output: Arc<Output>,
    relay: Option<Acceptor>,
    _directory: TempDir,
}

impl Enclosed {
    /// How much a client of the HTTP servers gets at least.
    pub const CONTENTS: usize = 60_000;

    /// `gnutls-serv`, which acknowledges a fragment length and does not obey it.
    ///
    /// # Panics
    /// With everything it printed, if it does not listen.
    pub fn gnutls(certificate: &str, priority: &str) -> Self {
        const PORT: u16 = 5556;
        let directory = directory(certificate);
        let contents = "x".repeat(Self::CONTENTS);
        fixture::write_text(&directory.path().join("contents"), &contents);
        let mut command = mortal_in_namespace("gnutls-serv");
        command.args([
            "--http",
            "--httpdata=contents",
            "--disable-client-cert",
            "--x509certfile=server.chain",
            "--x509keyfile=server.key",
            &format!("--port={PORT}"),
            &format!("--priority={priority}"),
        ]);
        let ready = format!("IPv4 0.0.0.0 port {PORT}...done");
        Self::start(command, directory, PORT, &ready)
    }

    /// mosquitto that knows the group P-384 alone, which it can be told only through OpenSSL's own configuration.
    ///
    /// # Panics
    /// With everything it printed, if it does not listen.
    pub fn mosquitto_with_p384(certificate: &str) -> Self {
        const PORT: u16 = 8883;
        let directory = directory(certificate);
        fixture::write_text(
            &directory.path().join("mosquitto.conf"),
            &format!(
                "user root\npersistence false\nlog_dest stderr\nlog_type all\nlistener {PORT} 127.0.0.1\n\
                 certfile server.chain\nkeyfile server.key\nallow_anonymous true\n"
            ),
        );
        fixture::write_text(
            &directory.path().join("openssl.cnf"),
            "openssl_conf = main\n[main]\nssl_conf = ssl\n[ssl]\nsystem_default = groups\n[groups]\nGroups = P-384\n",
        );
        let mut command = mortal_in_namespace("mosquitto");
        command
            .args(["-c", "mosquitto.conf"])
            .env("OPENSSL_CONF", "openssl.cnf");
        Self::start(command, directory, PORT, "running")
    }

    /// NSS's `selfserv`, which does not know the fragment length. It sends without being asked.
    ///
    /// # Panics
    /// With everything it printed, if it does not listen.
    pub fn nss(certificate: &str) -> Self {
        const PORT: u16 = 4433;
        let directory = directory(certificate);
        fixture::write_text(
            &directory.path().join("issuers"),
            &fixture::server(certificate).issuers,
        );
        let database: [&[&str]; 4] = [
            &["certutil", "-N", "-d", "sql:.", "--empty-password"],
            // The intermediate: NSS makes the chain from all that its database holds.
            &[
                "certutil", "-A", "-d", "sql:.", "-n", "issuer", "-t", ",,", "-a", "-i", "issuers",
            ],
            &[
                "openssl",
                "pkcs12",
                "-export",
                "-in",
                "server.crt",
                "-inkey",
                "server.key",
                "-name",
                "server",
                "-passout",
                "pass:throwaway",
                "-out",
                "server.p12",
            ],
            &[
                "pk12util",
                "-i",
                "server.p12",
                "-d",
                "sql:.",
                "-W",
                "throwaway",
                "-K",
                "",
            ],
        ];
        for words in database {
            let output = Command::new(words[0])
                .args(&words[1..])
                .current_dir(directory.path())
                .output()
                .unwrap_or_else(|error| panic!("cannot run {words:?}: {error}"));
            assert!(output.status.success(), "{words:?}: {output:?}");
        }
        // `-g`: blocks of 16 KB, as fast as it can, until the client goes away.
        let mut command = mortal_in_namespace("selfserv");
        let port = PORT.to_string();
        command.args([
            "-d", "sql:.", "-n", "server", "-p", &port, "-v", "-g", "1000000",
        ]);
        Self::start(command, directory, PORT, "About to call accept")
    }

    fn start(command: Command, directory: TempDir, port: u16, ready: &str) -> Self {
        let (child, output) = spawn(command, &directory);
        output.find("listen", |text| text.contains(ready).then_some(()));
        let relay = namespace::relay_to(child.id(), port);
        Self {
            child,
            output,
            relay: Some(relay),
            _directory: directory,
        }
    }

    /// Where it listens.
    ///
    /// # Panics
    /// Never: it listens until it is dropped.
    pub fn address(&self) -> SocketAddr {
        self.relay.as_ref().expect("it listens").address()
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
}

impl Drop for Enclosed {
    fn drop(&mut self) {
        end(&mut self.child);
        drop(self.relay.take());
    }
}

fn directory(certificate: &str) -> TempDir {
    let directory = TempDir::new().expect("a temporary directory");
    fixture::write(directory.path(), "server", fixture::server(certificate));
    fixture::write_text(
        &directory.path().join("devices.pem"),
        &Authority::devices().root(),
    );
    directory
}

fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}
