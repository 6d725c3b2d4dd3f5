//! The certificates that tests and the scenario table know by name, made on first use and once per process.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;

use crate::authority::{Authority, Credential, KeyKind, Request, Validity};

/// The name in Azure's zone that [`server`]`("azure-name")` is for.
pub const AZURE_NAME: &str = "hub1.azure-devices.net";

/// The names that [`server`]`("wrong-name")` is for.
pub const OTHER_NAMES: [&str; 2] = ["broker.example", "*.devices.example"];

/// The names of all server certificates.
pub const SERVERS: [&str; 8] = [
    "rsa",
    "ecdsa",
    "ecdsa-p384",
    "expired",
    "not-yet-valid",
    "wrong-name",
    "revoked",
    "azure-name",
];

/// The names of all client certificates.
pub const CLIENTS: [&str; 7] = [
    "rsa2048", "rsa3072", "rsa4096", "p256", "p384", "ed25519", "stranger",
];

/// The server certificate of that name, one of [`SERVERS`].
///
/// All are for `localhost`, `127.0.0.1` and `::1` unless their name says otherwise, valid unless their name says otherwise, and issued by
/// [`Authority::rsa`] except `ecdsa-p384`, which is issued by [`Authority::ecdsa`].
pub fn server(name: &str) -> &'static Credential {
    static MADE: Made = Mutex::new(BTreeMap::new());
    once(&MADE, name, || {
        let ecdsa = Request::server(KeyKind::P256);
        match name {
            "rsa" => Authority::rsa().issue(&Request::server(KeyKind::Rsa2048)),
            "ecdsa" | "revoked" => Authority::rsa().issue(&ecdsa),
            "ecdsa-p384" => Authority::ecdsa().issue(&Request::server(KeyKind::P384)),
            "expired" => Authority::rsa().issue(&ecdsa.valid(Validity::Past)),
            "not-yet-valid" => Authority::rsa().issue(&ecdsa.valid(Validity::Future)),
            "wrong-name" => {
                Authority::rsa().issue(&Request::server_named(KeyKind::P256, &OTHER_NAMES))
            }
            "azure-name" => {
                Authority::rsa().issue(&Request::server_named(KeyKind::P256, &[AZURE_NAME]))
            }
            other => panic!("there is no server certificate {other:?}"),
        }
    })
}

/// The client certificate of that name, one of [`CLIENTS`]: a device certificate with a key of the kind it names, issued by
/// [`Authority::devices`]; `stranger` is issued by [`Authority::unrelated`].
pub fn client(name: &str) -> &'static Credential {
    static MADE: Made = Mutex::new(BTreeMap::new());
    once(&MADE, name, || {
        let (authority, key) = match name {
            "rsa2048" => (Authority::devices(), KeyKind::Rsa2048),
            "rsa3072" => (Authority::devices(), KeyKind::Rsa3072),
            "rsa4096" => (Authority::devices(), KeyKind::Rsa4096),
            "p256" => (Authority::devices(), KeyKind::P256),
            "p384" => (Authority::devices(), KeyKind::P384),
            "ed25519" => (Authority::devices(), KeyKind::Ed25519),
            "stranger" => (Authority::unrelated(), KeyKind::P256),
            other => panic!("there is no client certificate {other:?}"),
        };
        authority.issue(&Request::client(key, &format!("device-{name}")))
    })
}

/// The revocation lists that name the server certificate `revoked`, as PEM.
pub fn revocation_lists() -> String {
    Authority::rsa().revocation_lists(&[server("revoked")])
}

/// The roots of every server certificate, as one PEM text.
pub fn server_roots() -> String {
    Authority::rsa().root() + &Authority::ecdsa().root()
}

/// Writes `NAME.crt` (certificate), `NAME.issuers` (intermediates), `NAME.chain` (both) and `NAME.key` into `directory`.
pub fn write(directory: &Path, name: &str, credential: &Credential) {
    for (suffix, text) in [
        ("crt", &credential.certificate),
        ("issuers", &credential.issuers),
        ("chain", &credential.chain()),
        ("key", &credential.key),
    ] {
        write_text(&directory.join(format!("{name}.{suffix}")), text);
    }
}

/// Writes one file, or says which one could not be written.
pub fn write_text(path: &Path, text: &str) {
    std::fs::write(path, text)
        .unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
}

type Made = Mutex<BTreeMap<String, &'static Credential>>;

fn once(made: &Made, name: &str, make: impl FnOnce() -> Credential) -> &'static Credential {
    let mut made = made.lock().expect("no fixture failed before");
    made.entry(name.to_owned())
        .or_insert_with(|| Box::leak(Box::new(make())))
}
