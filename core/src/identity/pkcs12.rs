//! PKCS#12 files.

mod mac;

use std::sync::Arc;

use p12_keystore::Pkcs12Archive;
use p12_keystore::error::Error as P12Error;
use pkcs8::pkcs5;
use pki_types::PrivatePkcs8KeyDer;
use rustls::sign::SigningKey;
use x509_parser::prelude::X509Certificate;

use super::chain::{self, Chain};
use super::{key, owned};
use crate::certificate;
use crate::error::{Error, ErrorCode, Result};

/// The file's one key, and the chain of its certificates that belongs to it.
pub(super) fn read(file: &[u8], passphrase: Option<&str>) -> Result<(Chain, Arc<dyn SigningKey>)> {
    let archive = open(file, passphrase).map_err(|error| refused(&error, file, passphrase))?;
    let bag = match archive.keys.as_slice() {
        [bag] => bag,
        [] => {
            return Err(invalid(
                "the PKCS#12 file holds no private key",
                "export it with the key (`openssl pkcs12 -export -inkey ...`)",
            ));
        }
        several => {
            return Err(invalid(
                format!("the PKCS#12 file holds {} private keys", several.len()),
                "export the one that the client uses into a file of its own",
            ));
        }
    };
    let key = key::load(&PrivatePkcs8KeyDer::from(bag.key.as_der()).into())?;

    let mut certificates = Vec::new();
    for bag in &archive.certs {
        // The library has parsed it already.
        if let Ok(certificate) = certificate::parse(bag.cert.as_der()) {
            certificates.push(certificate);
        }
    }
    let Some(any) = certificates.first() else {
        return Err(chain::empty(
            "export the PKCS#12 file with the certificate (`openssl pkcs12 -export -in ...`)",
        ));
    };
    let spki = key.public_key();
    let leaf = certificates
        .iter()
        .find(|certificate| Some(certificate.public_key().raw) == spki.as_deref())
        .ok_or_else(|| chain::mismatch(&certificate::name(any.subject())))?;
    let ders = path(leaf, &certificates);
    let chain = Chain::new(ders.into_iter().map(owned).collect())?;
    Ok((chain, key))
}

/// No passphrase and an empty one are two things in the MAC's key alone: the one is no bytes, the other the two that end a string.
fn open(file: &[u8], passphrase: Option<&str>) -> std::result::Result<Pkcs12Archive, P12Error> {
    let archive = Pkcs12Archive::from_pkcs12(file, passphrase.unwrap_or_default());
    if passphrase.is_none()
        && archive.is_err()
        && let Some(checked) = mac::checked_without_passphrase(file)
    {
        return Pkcs12Archive::from_pkcs12(&checked, "");
    }
    archive
}

/// From `leaf` to the last issuer that is among `all`.
fn path<'a>(leaf: &X509Certificate<'a>, all: &[X509Certificate<'a>]) -> Vec<&'a [u8]> {
    let mut path = vec![leaf.as_raw()];
    let mut last = leaf;
    while let Some(issuer) = all
        .iter()
        .filter(|_| !certificate::is_self_issued(last))
        .find(|other| chain::why_not_issuer(last, other).is_none())
    {
        if path.contains(&issuer.as_raw()) {
            break;
        }
        path.push(issuer.as_raw());
        last = issuer;
    }
    path
}

fn refused(error: &P12Error, file: &[u8], passphrase: Option<&str>) -> Error {
    match error {
        P12Error::MacError(_) | P12Error::UnpadError => wrong_passphrase(passphrase),
        P12Error::Pkcs5Error(text) if *text == pkcs5::Error::DecryptFailed.to_string() => {
            wrong_passphrase(passphrase)
        }
        P12Error::UnsupportedEncryptionScheme
        | P12Error::UnsupportedMacAlgorithm
        | P12Error::UnsupportedContentType
        | P12Error::InvalidParameters
        | P12Error::Pkcs5Error(_) => invalid(
            "the PKCS#12 file is protected in a way that is not supported",
            "export it again with `openssl pkcs12 -export`, without options for its encryption",
        ),
        _ if file.starts_with(b"-----BEGIN") => invalid(
            "this is PEM text, not a PKCS#12 file",
            "use the call that reads PEM",
        ),
        _ => invalid(
            "the PKCS#12 file is damaged, or is something else",
            "is it the right file? if so, export it again",
        ),
    }
}

fn wrong_passphrase(passphrase: Option<&str>) -> Error {
    if passphrase.is_none() {
        return Error::new(
            ErrorCode::PassphraseRequired,
            "the PKCS#12 file is protected by a passphrase",
            "give that passphrase",
        );
    }
    key::wrong_passphrase("PKCS#12 file")
}

fn invalid(message: impl Into<std::borrow::Cow<'static, str>>, hint: &'static str) -> Error {
    Error::new(ErrorCode::InvalidPkcs12, message, hint)
}

#[cfg(test)]
mod tests {
    use p12_keystore::{
        Certificate, EncryptionAlgorithm, KeyStore, KeyStoreEntry, MacAlgorithm, PrivateKey,
        PrivateKeyChain,
    };

    use data_encoding::BASE64;

    use super::*;
    use crate::Identity;
    use crate::testing::{Party, ders, failure};

    fn certificate(party: &Party) -> Certificate {
        Certificate::from_der(party.der()).unwrap()
    }

    fn store(entries: &[(&Party, &[&Party])]) -> KeyStore {
        let mut store = KeyStore::new();
        for (index, (party, certificates)) in entries.iter().enumerate() {
            let alias = format!("key {index}");
            let key = PrivateKey::from_der(party.key.serialized_der()).unwrap();
            let certificates = certificates.iter().map(|party| certificate(party));
            let chain = PrivateKeyChain::new(alias.as_str(), key, certificates);
            store.add_entry(&alias, KeyStoreEntry::PrivateKeyChain(chain));
        }
        store
    }

    fn write(store: &KeyStore, passphrase: &str) -> Vec<u8> {
        let writer = store.writer(passphrase);
        let writer = writer.encryption_iterations(10).mac_iterations(10);
        writer.write().unwrap()
    }

    fn hierarchy() -> [Party; 3] {
        let root = Party::root("root");
        let between = root.authority("between");
        let leaf = between.leaf("device");
        [leaf, between, root]
    }

    #[test]
    fn a_file_is_read_whatever_protects_it() {
        let [leaf, between, root] = hierarchy();
        let store = store(&[(&leaf, &[&leaf, &between, &root])]);
        for (encryption, mac) in [
            (
                EncryptionAlgorithm::PbeWithHmacSha256AndAes256,
                MacAlgorithm::HmacSha256,
            ),
            (
                EncryptionAlgorithm::PbeWithShaAnd3KeyTripleDesCbc,
                MacAlgorithm::HmacSha1,
            ),
            (
                EncryptionAlgorithm::PbeWithShaAnd40BitRc4Cbc, // so called there; it is RC2
                MacAlgorithm::HmacSha1,
            ),
        ] {
            let writer = store.writer("right").mac_algorithm(mac).mac_iterations(10);
            let writer = writer
                .encryption_algorithm(encryption)
                .encryption_iterations(10);
            let file = writer.write().unwrap();
            let identity = Identity::from_pkcs12(&file, Some("right")).unwrap();
            assert_eq!(ders(&identity), [leaf.der(), between.der(), root.der()]);
            assert_eq!(identity.subject(), "device");
            failure(
                Identity::from_pkcs12(&file, Some("wrong")),
                ErrorCode::WrongPassphrase,
            );
            failure(
                Identity::from_pkcs12(&file, None),
                ErrorCode::PassphraseRequired,
            );
            failure(
                Identity::from_pkcs12(&file, Some("")),
                ErrorCode::WrongPassphrase,
            );
        }
    }

    #[test]
    fn the_chain_is_put_in_order_and_strangers_are_left_out() {
        let [leaf, between, root] = hierarchy();
        let stranger = Party::root("stranger");
        let namesake = Party::root("root").authority("between");
        let mut store = store(&[(&leaf, &[&stranger, &root, &namesake, &between, &leaf])]);
        let trusted = KeyStoreEntry::Certificate(certificate(&stranger));
        store.add_entry("trusted", trusted);
        let identity = Identity::from_pkcs12(&write(&store, "x"), Some("x")).unwrap();
        assert_eq!(ders(&identity), [leaf.der(), between.der(), root.der()]);
    }

    #[test]
    fn an_empty_passphrase_is_one_and_need_not_be_given() {
        let party = Party::root("device");
        let file = write(&store(&[(&party, &[&party])]), "");
        for passphrase in [None, Some("")] {
            let identity = Identity::from_pkcs12(&file, passphrase).unwrap();
            assert_eq!(ders(&identity), [party.der()]);
        }
        failure(
            Identity::from_pkcs12(&file, Some("wrong")),
            ErrorCode::WrongPassphrase,
        );
    }

    #[test]
    fn a_file_without_passphrase_is_read_and_its_mac_is_checked() {
        for file in [PLAIN, ENCRYPTED] {
            let file = BASE64.decode(file.as_bytes()).unwrap();
            let identity = Identity::from_pkcs12(&file, None).unwrap();
            assert_eq!(identity.subject(), "device");
            failure(
                Identity::from_pkcs12(&file, Some("wrong")),
                ErrorCode::WrongPassphrase,
            );
            // A letter of the subject's name, or of what encrypts it.
            let mut changed = file;
            changed[200] ^= 1;
            failure(
                Identity::from_pkcs12(&changed, None),
                ErrorCode::PassphraseRequired,
            );
        }
    }

    #[test]
    fn a_file_must_hold_one_key_and_its_certificate() {
        let [leaf, between, root] = hierarchy();
        let read = |store: &KeyStore| Identity::from_pkcs12(&write(store, "x"), Some("x"));

        let mut none = KeyStore::new();
        none.add_entry("root", KeyStoreEntry::Certificate(certificate(&root)));
        let error = failure(read(&none), ErrorCode::InvalidPkcs12);
        assert!(error.message().contains("no private key"), "{error}");

        let two = store(&[(&leaf, &[&leaf]), (&between, &[&between])]);
        let error = failure(read(&two), ErrorCode::InvalidPkcs12);
        assert!(error.message().contains("2 private keys"), "{error}");

        failure(read(&store(&[(&leaf, &[])])), ErrorCode::EmptyChain);
        failure(
            read(&store(&[(&leaf, &[&between, &root])])),
            ErrorCode::KeyMismatch,
        );
    }

    #[test]
    fn a_damaged_file_is_told_from_a_wrong_passphrase() {
        let party = Party::root("device");
        let file = write(&store(&[(&party, &[&party])]), "right");
        for length in 0..file.len() {
            let cut = Identity::from_pkcs12(&file[..length], Some("right"));
            failure(cut, ErrorCode::InvalidPkcs12);
        }
        let error = failure(
            Identity::from_pkcs12(party.pem().as_bytes(), Some("right")),
            ErrorCode::InvalidPkcs12,
        );
        assert!(error.message().contains("PEM"), "{error}");
        failure(
            Identity::from_pkcs12(party.der(), Some("right")),
            ErrorCode::InvalidPkcs12,
        );
    }

    #[test]
    fn a_file_with_any_byte_changed_is_an_error_or_the_same_identity() {
        let party = Party::root("device");
        let file = write(&store(&[(&party, &[&party])]), "right");
        for at in 0..file.len() {
            let mut changed = file.clone();
            changed[at] ^= 0x41;
            if let Ok(identity) = Identity::from_pkcs12(&changed, Some("right")) {
                assert_eq!(ders(&identity), [party.der()]);
            }
        }
    }

    /// Made by OpenSSL's `PKCS12_create` with NULL for the passphrase, without encryption.
    const PLAIN: &str = "\
        MIIDJQIBAzCCAtwGCSqGSIb3DQEHAaCCAs0EggLJMIICxTCCAeYGCSqGSIb3DQEHAaCCAdcEggHTMIIBzzCCAcsGCyqGSIb3DQEMCgEDoIIBkz\
        CCAY8GCiqGSIb3DQEJFgGgggF/BIIBezCCAXcwggEdoAMCAQICFHDpVdZXaaXqj3v89PrDmOXvaW/VMAoGCCqGSM49BAMCMBExDzANBgNVBAMM\
        BmRldmljZTAeFw0yNjExMjQwMzUzMDZaFw0zNjExMjEwMzUzMDZaMBExDzANBgNVBAMMBmRldmljZTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0\
        IABI9LMTRMS1rMW/010edC7L1BiJ7EtdZUZDgn9cqZYAL86S11/g16xRrlkNDNcivDoIHPAGtFDpp7MKVHQOt8sIijUzBRMB0GA1UdDgQWBBR8\
        N39hYiiH6lMYGZQAAxgrkniAbDAfBgNVHSMEGDAWgBR8N39hYiiH6lMYGZQAAxgrkniAbDAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0\
        gAMEUCIQCqbR4Xo1FI6Irs6UrZ3QXgn07bZpCmTH8MfUONr5Ox4gIgCFDKD4HA3wKWPFcq+fjDrrTN6jamcvQR0+4AKVq26DwxJTAjBgkqhkiG\
        9w0BCRUxFgQUz/L+scaSDlV75so9fQAqTqB1d/YwgdgGCSqGSIb3DQEHAaCBygSBxzCBxDCBwQYLKoZIhvcNAQwKAQGggYowgYcCAQAwEwYHKo\
        ZIzj0CAQYIKoZIzj0DAQcEbTBrAgEBBCC4J6C2OcatoUw9pL3IOcJbnMuXd2gKi41b+8NNCPJDraFEA0IABI9LMTRMS1rMW/010edC7L1BiJ7E\
        tdZUZDgn9cqZYAL86S11/g16xRrlkNDNcivDoIHPAGtFDpp7MKVHQOt8sIgxJTAjBgkqhkiG9w0BCRUxFgQUz/L+scaSDlV75so9fQAqTqB1d/\
        YwQDAxMA0GCWCGSAFlAwQCAQUABCBmL6hZdNY/rwd2oiI5Zccjn/G4a8YMEcP1PIqyaebP6wQIklAr5AtHBQQCAQo=";
    /// The same, with its default encryption.
    const ENCRYPTED: &str = "\
        MIIECQIBAzCCA8AGCSqGSIb3DQEHAaCCA7EEggOtMIIDqTCCAmEGCSqGSIb3DQEHBqCCAlIwggJOAgEAMIICRwYJKoZIhvcNAQcBMFYGCSqGSI\
        b3DQEFDTBJMCgGCSqGSIb3DQEFDDAbBAi6pZn0FcAjoQIBCjAMBggqhkiG9w0CCQUAMB0GCWCGSAFlAwQBKgQQx+K7s6PLfeY65XgDeaz+NoCC\
        AeAY9RA9fXBW1ethpBFSjTvQD4TeZxu1DHJ/vhx3fQNfzxRhR6laqOuFfuqgU5A4LrcLUXBC1SjekgAwiem/UZnzAbWePVy23t6+/ffJWoLhQo\
        xU5MjVf1VpcHHl8TJX7VVDSDFtHZyGBGg7nm6ftWFs6VbizYlNNS2eM+9bFIGi2x2oE4kUgDp9Y7Yhma+FJ7KMXRv68UXvwXedkdIEOlP8d6sB\
        /gbDLqvLOxoYvIE9J5v0aswQy/Wo/Y5mrSaKK/LD9uDbSrYj2Jzmgj+PzGHqz92+2avHbaDT8NvNVadYzGzcsbJlclGNuWR0mUqZYpoGZg/b2+\
        2PnMpwkZoh8d3Kqk1FwYkHrsTZpdzJgC3c00qbSgP+o9o6J7LL0+Xocajw0JVRzruVnxGsupdqmzlfiKRd/H8jMxpKr2JOPNogHakyAs0sYMfg\
        ZTPkKu017edkD60wWyxpI6OXiCwzTiBzy/agBCLrnF+sSnr2oY/2igmvFtwYcHgFDv2qb2Q2t4Z20agnNZqWuTV+SZ0w7Gq0UDpA2rW/pEUzpa\
        geahD0AGxs4DdQqxi7lVPP9fNAkHPsjZ9Wm1w667hl56uJEjJ+RtEQlT8v7fjBSH1JHSSw0HNwQUArw1G+aCMhTeB/i5MwggFABgkqhkiG9w0B\
        BwGgggExBIIBLTCCASkwggElBgsqhkiG9w0BDAoBAqCB7jCB6zBWBgkqhkiG9w0BBQ0wSTAoBgkqhkiG9w0BBQwwGwQIC+kbr4yAUAACAQowDA\
        YIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEDIJT7fyl+e14s5ViqMp9Z4EgZD/M4qT7MhY1JM6I2Sx95I3CztVO3hUZ+Hcg5yMYcV2DtzgqE+F\
        wTglIv06NH+XfPqvcPB+REbZReEyE603X9gPFVHZ2LBMT/HF4TLTAGx+TuJtCFRtEJ4Fqq3zujh4QFd0cuqFnbJL22j0OQplk2cMrYM1i30jal\
        nv/Ur9moXBu4LdNYA0CTedticxXJ8CqIcxJTAjBgkqhkiG9w0BCRUxFgQUz/L+scaSDlV75so9fQAqTqB1d/YwQDAxMA0GCWCGSAFlAwQCAQUA\
        BCA4vO1EL8/QxLqiQ8sAjYMVXOMBFE7oxr/CX00MS5PkiQQIJC+CFYzWjRYCAQo=";
}
