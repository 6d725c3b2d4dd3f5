//! RSA keys, which take long to make: the programs that serve the scenarios are started hundreds of times, and need several each.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs, process};

use rcgen::{Error, KeyPair, RsaKeySize};

/// A key that no other caller of this process has. Those of other processes are used again if the environment variable `HUBTLS_TEST_KEYS` is a folder.
pub(super) fn key(size: RsaKeySize, bits: &str) -> Result<KeyPair, Error> {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let Some(folder) = env::var_os("HUBTLS_TEST_KEYS") else {
        return generate(size);
    };
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let path = Path::new(&folder).join(format!("rsa{bits}-{number}.pem"));
    if let Ok(pem) = fs::read_to_string(&path) {
        return KeyPair::from_pem(&pem);
    }
    let key = generate(size)?;
    fs::create_dir_all(&folder).expect("HUBTLS_TEST_KEYS can be made");
    // Others may be about to write the same one: whole, or not at all.
    let own = path.with_extension(process::id().to_string());
    fs::write(&own, key.serialize_pem()).expect("HUBTLS_TEST_KEYS can be written");
    fs::rename(&own, &path).expect("HUBTLS_TEST_KEYS can be written");
    Ok(key)
}

fn generate(size: RsaKeySize) -> Result<KeyPair, Error> {
    KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, size)
}
