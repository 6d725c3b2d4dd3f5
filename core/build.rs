//! Turns `roots/*.pem`, the truth about the roots that are shipped, into a table of trust anchors, so that no program parses them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use pki_types::CertificateDer;
use pki_types::pem::PemObject as _;
use sha2::{Digest as _, Sha256};
use x509_parser::prelude::{FromDer as _, X509Certificate};

type Result<T> = std::result::Result<T, String>;

fn main() -> Result<()> {
    rerun_if_changed("build.rs");
    rerun_if_changed("roots");
    let directory = variable("CARGO_MANIFEST_DIR")?.join("roots");
    let listing = fs::read_dir(&directory).map_err(|error| about(&directory, &error))?;
    let mut files: Vec<PathBuf> = listing
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "pem"))
        .collect();
    files.sort();

    let mut table = format!("static EMBEDDED: [Root; {}] = [\n", files.len());
    for file in &files {
        let entry = root(file).map_err(|error| about(file, &error))?;
        table.push_str(&entry);
    }
    table.push_str("];\n");
    let output = variable("OUT_DIR")?.join("embedded_roots.rs");
    fs::write(&output, table).map_err(|error| about(&output, &error))
}

/// The table's entry for one file, in Rust.
fn root(file: &Path) -> Result<String> {
    let text = fs::read_to_string(file).map_err(|error| error.to_string())?;
    let der = CertificateDer::from_pem_slice(text.as_bytes()).map_err(|error| error.to_string())?;
    let sha256: [u8; 32] = Sha256::digest(&der).into();
    let written = text
        .lines()
        .find_map(|line| line.strip_prefix("# SHA-256:"))
        .ok_or("its header has no line `# SHA-256: ...`")?
        .trim();
    let actual = sha256.map(|byte| format!("{byte:02X}")).join(":");
    if written != actual {
        return Err(format!(
            "the certificate's SHA-256 is {actual}, but its header says {written}"
        ));
    }

    let (_, certificate) = X509Certificate::from_der(&der).map_err(|error| error.to_string())?;
    let subject = certificate.subject();
    let common_name = subject
        .iter_common_name()
        .next()
        .and_then(|name| name.as_str().ok())
        .ok_or("its subject has no common name")?;
    let organization = subject
        .iter_organization()
        .next()
        .and_then(|name| name.as_str().ok())
        .ok_or("its subject has no organization")?;
    let spki_sha256: [u8; 32] = Sha256::digest(certificate.public_key().raw).into();
    let not_before = certificate.validity().not_before.timestamp();
    let not_after = certificate.validity().not_after.timestamp();
    let anchor =
        webpki::anchor_from_trusted_cert(&der).map_err(|error| format!("webpki: {error}"))?;
    let constraints = match &anchor.name_constraints {
        Some(constraints) => format!("Some(Der::from_slice(&{:?}))", constraints.as_ref()),
        None => "None".to_owned(),
    };
    let path = file.to_str().ok_or("its path is not UTF-8")?;

    let mut entry = String::new();
    write!(
        entry,
        "    Root {{
        subject: Cow::Borrowed({common_name:?}),
        organization: Some(Cow::Borrowed({organization:?})),
        sha256: Some({sha256:?}),
        spki_sha256: {spki_sha256:?},
        validity: Some(({not_before}, {not_after})),
        origin: Origin::Embedded,
        vouches_for_azure: true,
        anchor: TrustAnchor {{
            subject: Der::from_slice(&{:?}),
            subject_public_key_info: Der::from_slice(&{:?}),
            name_constraints: {constraints},
        }},
        certificate: Source::Pem(include_str!({path:?})),
    }},\n",
        anchor.subject.as_ref(),
        anchor.subject_public_key_info.as_ref(),
    )
    .map_err(|error| error.to_string())?;
    Ok(entry)
}

fn variable(name: &str) -> Result<PathBuf> {
    env::var_os(name)
        .map(PathBuf::from)
        .ok_or_else(|| format!("cargo did not set {name}"))
}

fn about(path: &Path, error: &dyn std::fmt::Display) -> String {
    format!("{}: {error}", path.display())
}

#[allow(clippy::print_stdout)] // how a build script speaks to cargo
fn rerun_if_changed(path: &str) {
    println!("cargo::rerun-if-changed={path}");
}
