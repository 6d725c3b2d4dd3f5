//! Client keys in every form that the `openssl` command writes, and keys held elsewhere.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hubtls::{Error, ErrorCode, Identity, Policy, Result, SignatureScheme, Signer};
use hubtls_tests::authority::Credential;
use hubtls_tests::client::{builder, connect, converse};
use hubtls_tests::fixture;
use hubtls_tests::server::{Options, Server};
use hubtls_tests::signer::OpensslSigner;
use tempfile::TempDir;

const PASSPHRASE: &str = "käse & crackers";

/// A directory with `device.crt`, `device.chain` and `device.key` of that client.
fn directory(name: &str) -> TempDir {
    let directory = TempDir::new().unwrap();
    fixture::write(directory.path(), "device", fixture::client(name));
    directory
}

/// Runs the `openssl` command there; `PASSPHRASE` is in its environment.
fn openssl(directory: &Path, arguments: &str) {
    let output = Command::new("openssl")
        .args(arguments.split_whitespace())
        .current_dir(directory)
        .env("PASSPHRASE", PASSPHRASE)
        .output()
        .expect("the openssl command");
    assert!(
        output.status.success(),
        "openssl {arguments}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn read(directory: &TempDir, name: &str) -> Vec<u8> {
    std::fs::read(directory.path().join(name)).unwrap()
}

/// Converses with an OpenSSL server that demands a client certificate.
fn present(identity: Identity, arguments: &[&str]) -> Result<()> {
    let server = Server::start(&Options::openssl("ecdsa", arguments).with_client_certificates());
    let config = builder().identity(identity).build()?;
    let mut stream = connect(&config, server.address());
    assert_eq!(converse(&mut stream, "ping\n")?, "gnip\n");
    server.wait_for_output("CN = device-");
    Ok(())
}

/// Lets `openssl` write the key of that client in another form, and presents it.
fn presents_key(client: &str, arguments: &str) {
    let directory = directory(client);
    openssl(
        directory.path(),
        &format!("{arguments} -in device.key -out form.key"),
    );
    let identity = Identity::from_pem(
        &read(&directory, "device.chain"),
        &read(&directory, "form.key"),
        None,
    )
    .unwrap();
    present(identity, &[]).unwrap();
}

#[test]
fn an_rsa_key_as_pkcs1_is_presented() {
    presents_key("rsa2048", "rsa -traditional");
}

#[test]
fn an_ec_key_as_sec1_is_presented() {
    presents_key("p256", "ec");
}

#[test]
fn an_ec_key_with_its_parameters_before_it_is_presented() {
    let directory = directory("p384");
    openssl(
        directory.path(),
        "ecparam -name secp384r1 -out parameters.pem",
    );
    openssl(directory.path(), "ec -in device.key -out sec1.key");
    let key = [
        read(&directory, "parameters.pem"),
        read(&directory, "sec1.key"),
    ]
    .concat();
    present(
        Identity::from_pem(&read(&directory, "device.chain"), &key, None).unwrap(),
        &[],
    )
    .unwrap();
}

#[test]
fn a_key_and_a_certificate_as_der_are_presented() {
    let directory = directory("p256");
    openssl(
        directory.path(),
        "pkcs8 -topk8 -nocrypt -in device.key -outform DER -out key.der",
    );
    openssl(
        directory.path(),
        "x509 -in device.crt -outform DER -out device.der",
    );
    let identity = Identity::from_der(
        &[read(&directory, "device.der")],
        &read(&directory, "key.der"),
        None,
    )
    .unwrap();
    present(identity, &[]).unwrap();
}

/// Lets `openssl` encrypt the key of that client, and presents it.
fn presents_encrypted_key(client: &str, arguments: &str) {
    let directory = directory(client);
    let command = format!(
        "pkcs8 -topk8 -in device.key -passout env:PASSPHRASE -out encrypted.key {arguments}"
    );
    openssl(directory.path(), &command);
    let (chain, key) = (
        read(&directory, "device.chain"),
        read(&directory, "encrypted.key"),
    );
    present(
        Identity::from_pem(&chain, &key, Some(PASSPHRASE)).unwrap(),
        &[],
    )
    .unwrap();
    assert_eq!(
        Identity::from_pem(&chain, &key, None).unwrap_err().code(),
        ErrorCode::PassphraseRequired
    );
    let wrong = Identity::from_pem(&chain, &key, Some("cheese")).unwrap_err();
    assert_eq!(wrong.code(), ErrorCode::WrongPassphrase, "{wrong:?}");
}

#[test]
fn an_rsa_key_encrypted_as_openssl_does_by_default_is_presented() {
    presents_encrypted_key("rsa2048", "");
}

#[test]
fn a_p256_key_encrypted_with_aes_128_is_presented() {
    presents_encrypted_key("p256", "-v2 aes-128-cbc");
}

#[test]
fn a_p384_key_encrypted_with_scrypt_is_presented() {
    presents_encrypted_key("p384", "-scrypt");
}

#[test]
fn an_ed25519_key_encrypted_with_triple_des_is_presented() {
    presents_encrypted_key("ed25519", "-v2 des3");
}

/// Lets `openssl` make a PKCS#12 file of that client, and presents it.
fn presents_pkcs12(client: &str, arguments: &str) {
    let directory = directory(client);
    let command = "pkcs12 -export -in device.chain -inkey device.key -name device";
    let output = "-passout env:PASSPHRASE -out device.p12";
    openssl(directory.path(), &format!("{command} {output} {arguments}"));
    let file = read(&directory, "device.p12");
    present(Identity::from_pkcs12(&file, Some(PASSPHRASE)).unwrap(), &[]).unwrap();
    let wrong = Identity::from_pkcs12(&file, Some("cheese")).unwrap_err();
    assert_eq!(wrong.code(), ErrorCode::WrongPassphrase, "{wrong:?}");
}

#[test]
fn a_modern_pkcs12_file_with_an_rsa_key_is_presented() {
    presents_pkcs12("rsa2048", "");
}

#[test]
fn a_modern_pkcs12_file_with_a_p256_key_is_presented() {
    presents_pkcs12("p256", "");
}

#[test]
fn a_legacy_pkcs12_file_is_presented() {
    presents_pkcs12("rsa2048", "-legacy");
}

#[test]
fn a_pkcs12_file_without_a_passphrase_is_presented() {
    let directory = directory("p256");
    let command =
        "pkcs12 -export -in device.chain -inkey device.key -passout pass: -out device.p12";
    openssl(directory.path(), command);
    present(
        Identity::from_pkcs12(&read(&directory, "device.p12"), Some("")).unwrap(),
        &[],
    )
    .unwrap();
}

fn external(credential: &Credential) -> Identity {
    let signer = Arc::new(OpensslSigner::new(&credential.key));
    Identity::from_signer(credential.chain().as_bytes(), signer).unwrap()
}

#[test]
fn a_key_held_elsewhere_signs_in_tls12() {
    for key in ["rsa2048", "p256", "p384", "ed25519"] {
        present(external(fixture::client(key)), &["-tls1_2"])
            .unwrap_or_else(|error| panic!("{key}: {error:?}"));
    }
}

#[test]
fn a_key_held_elsewhere_signs_in_tls13() {
    for key in ["rsa2048", "p256", "p384", "ed25519"] {
        present(external(fixture::client(key)), &["-tls1_3"])
            .unwrap_or_else(|error| panic!("{key}: {error:?}"));
    }
}

/// A signer that cannot do all that its key could.
struct OnlySha384(OpensslSigner);

impl Signer for OnlySha384 {
    fn sign(
        &self,
        scheme: SignatureScheme,
        message: &[u8],
    ) -> std::result::Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
        assert_eq!(scheme.name(), "rsa_pss_rsae_sha384");
        self.0.sign(scheme, message)
    }

    fn schemes(&self) -> Option<Vec<SignatureScheme>> {
        Some(vec![
            SignatureScheme::from_name("rsa_pss_rsae_sha384").unwrap(),
        ])
    }
}

#[test]
fn a_signer_is_asked_only_for_the_schemes_it_names() {
    let credential = fixture::client("rsa2048");
    let signer = Arc::new(OnlySha384(OpensslSigner::new(&credential.key)));
    let identity = Identity::from_signer(credential.chain().as_bytes(), signer).unwrap();
    present(identity, &["-tls1_3"]).unwrap();
}

/// A signer whose token is pulled out.
struct Unpluggable {
    signer: OpensslSigner,
    plugged: AtomicBool,
}

impl Unpluggable {
    fn new(plugged: bool) -> Arc<Self> {
        Arc::new(Self {
            signer: OpensslSigner::new(&fixture::client("p256").key),
            plugged: AtomicBool::new(plugged),
        })
    }
}

impl Signer for Unpluggable {
    fn sign(
        &self,
        scheme: SignatureScheme,
        message: &[u8],
    ) -> std::result::Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
        if self.plugged.load(Ordering::Acquire) {
            self.signer.sign(scheme, message)
        } else {
            Err("the token was pulled out".into())
        }
    }
}

fn assert_unplugged(error: &Error) {
    assert_eq!(error.code(), ErrorCode::SignerFailed, "{error:?}");
    assert!(
        error.to_string().contains("the token was pulled out"),
        "{error:?}"
    );
    assert!(!error.hint().is_empty());
}

#[test]
fn a_signer_that_cannot_sign_is_refused_when_the_identity_is_built() {
    let chain = fixture::client("p256").chain();
    assert_unplugged(
        &Identity::from_signer(chain.as_bytes(), Unpluggable::new(false)).unwrap_err(),
    );
}

#[test]
fn a_signer_that_fails_in_the_handshake_says_why() {
    for version in ["-tls1_2", "-tls1_3"] {
        let signer = Unpluggable::new(true);
        let chain = fixture::client("p256").chain();
        let identity = Identity::from_signer(chain.as_bytes(), signer.clone()).unwrap();
        signer.plugged.store(false, Ordering::Release);
        assert_unplugged(&present(identity, &[version]).unwrap_err());
    }
}

#[test]
fn a_signer_with_another_key_fails() {
    let chain = fixture::client("p256").chain();
    let stranger = Arc::new(OpensslSigner::new(&fixture::client("stranger").key));
    let outcome = Identity::from_signer(chain.as_bytes(), stranger)
        .and_then(|identity| present(identity, &["-tls1_3"]));
    assert_eq!(outcome.unwrap_err().code(), ErrorCode::SignerFailed);
}

#[test]
fn the_ecc_policy_and_an_rsa_client_key_go_together() {
    let server = Server::start(&Options::openssl("ecdsa", &["-strict"]).with_client_certificates());
    let identity = hubtls_tests::client::identity("rsa2048");
    let config = builder()
        .policy(Policy::named("iothub-ecc").unwrap())
        .identity(identity)
        .build()
        .unwrap();
    let answer: std::result::Result<String, Error> =
        converse(&mut connect(&config, server.address()), "ping\n");
    assert_eq!(answer.unwrap(), "gnip\n");
}
