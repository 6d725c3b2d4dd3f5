//! Writes the certificates and keys that tests in C read (tests/c/api): `fixture-files DIR`.

use std::path::Path;
use std::process::ExitCode;
use std::{fs, io};

use hubtls_tests::authority::{Authority, Credential, KeyKind, Request, Validity};
use hubtls_tests::fixture::{self, CLIENTS};
use openssl::asn1::Asn1Time;
use openssl::ec::{EcGroup, EcKey};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::PKey;
use openssl::symm::Cipher;
use openssl::x509::{X509, X509Builder, X509Crl, X509NameBuilder};

/// Of everything that is encrypted. The C tests know it.
const PASSPHRASE: &str = "correct horse";

fn main() -> io::Result<ExitCode> {
    let Some(directory) = std::env::args_os().nth(1) else {
        io::Write::write_all(&mut io::stderr(), b"usage: fixture-files DIR\n")?;
        return Ok(ExitCode::from(2));
    };
    let directory = Path::new(&directory);
    fs::create_dir_all(directory)?;
    authorities(directory)?;
    identities(directory);
    other_forms(directory)?;
    unsupported(directory)?;
    Ok(ExitCode::SUCCESS)
}

/// What a client trusts, or is wrongly told to, and what was revoked.
fn authorities(directory: &Path) -> io::Result<()> {
    let write = |name: &str, bytes: &[u8]| fs::write(directory.join(name), bytes);
    write("roots.pem", fixture::server_roots().as_bytes())?;
    write("unrelated.pem", Authority::unrelated().root().as_bytes())?;
    write("rsa-root.pem", Authority::rsa().root().as_bytes())?;
    write("rsa-root.der", Authority::rsa().root_der())?;
    write("ecdsa-root.der", Authority::ecdsa().root_der())?;
    write(
        "intermediate.pem",
        Authority::rsa().intermediate().as_bytes(),
    )?;
    write("leaf.pem", fixture::server("ecdsa").certificate.as_bytes())?;
    let lists = fixture::revocation_lists();
    write("revocation.pem", lists.as_bytes())?;
    let list = X509Crl::from_pem(lists.as_bytes())?;
    write("revocation.der", &list.to_der()?)
}

/// `NAME.chain` and `NAME.key` of each client.
fn identities(directory: &Path) {
    for name in CLIENTS {
        fixture::write(directory, name, fixture::client(name));
    }
    let request = Request::client(KeyKind::P256, "device-below-an-intermediate");
    fixture::write(directory, "deep", &Authority::rsa().issue(&request));
    for (name, validity) in [("expired", Validity::Past), ("future", Validity::Future)] {
        let request = Request::client(KeyKind::P256, &format!("device-{name}")).valid(validity);
        fixture::write(directory, name, &Authority::devices().issue(&request));
    }
}

/// The same identities in every other form that is read.
fn other_forms(directory: &Path) -> io::Result<()> {
    let write = |name: &str, bytes: &[u8]| fs::write(directory.join(name), bytes);
    let p256: &Credential = fixture::client("p256");
    let key = PKey::private_key_from_pem(p256.key.as_bytes())?;
    write("p256.crt.der", &p256.certificate_der)?;
    write("p256.key.der", &key.private_key_to_pkcs8()?)?;
    write("p256.sec1", &key.ec_key()?.private_key_to_pem()?)?;
    let rsa = PKey::private_key_from_pem(fixture::client("rsa2048").key.as_bytes())?;
    write("rsa2048.pkcs1", &rsa.rsa()?.private_key_to_pem()?)?;
    let (cipher, passphrase) = (Cipher::aes_256_cbc(), PASSPHRASE.as_bytes());
    write(
        "p256.encrypted",
        &key.private_key_to_pem_pkcs8_passphrase(cipher, passphrase)?,
    )?;
    write(
        "p256.encrypted.der",
        &key.private_key_to_pkcs8_passphrase(cipher, passphrase)?,
    )?;
    let certificate = X509::from_der(&p256.certificate_der)?;
    let file = Pkcs12::builder()
        .name("device")
        .pkey(&key)
        .cert(&certificate)
        .build2(PASSPHRASE)?;
    write("p256.p12", &file.to_der()?)
}

/// A certificate with a key of a kind that IoT Hub's suites do not use.
fn unsupported(directory: &Path) -> io::Result<()> {
    let (certificate, key) = p521()?;
    fs::write(directory.join("p521.chain"), certificate)?;
    fs::write(directory.join("p521.key"), key)
}

fn p521() -> Result<(Vec<u8>, Vec<u8>), ErrorStack> {
    let curve = EcGroup::from_curve_name(Nid::SECP521R1)?;
    let key = PKey::from_ec_key(EcKey::generate(&curve)?)?;
    let mut name = X509NameBuilder::new()?;
    name.append_entry_by_text("CN", "device-p521")?;
    let name = name.build();
    let (from, until) = (Asn1Time::days_from_now(0)?, Asn1Time::days_from_now(30)?);
    let mut builder = X509Builder::new()?;
    builder.set_version(2)?;
    builder.set_subject_name(&name)?;
    builder.set_issuer_name(&name)?;
    builder.set_not_before(&from)?;
    builder.set_not_after(&until)?;
    builder.set_pubkey(&key)?;
    builder.sign(&key, MessageDigest::sha512())?;
    Ok((builder.build().to_pem()?, key.private_key_to_pem_pkcs8()?))
}
