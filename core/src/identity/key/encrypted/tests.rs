use pkcs8::PrivateKeyInfoRef;
use pkcs8::pkcs5::pbes2::{EncryptionScheme, Kdf, Parameters, Pbkdf2Params, ScryptParams};
use pkcs8::pkcs5::scrypt;

use super::*;
use crate::Identity;
use crate::testing::{Party, failure};

fn encrypted(party: &Party, passphrase: &str, parameters: Parameters) -> Vec<u8> {
    let info = PrivateKeyInfoRef::try_from(party.key.serialized_der()).unwrap();
    let encrypted = info.encrypt_with_params(parameters, passphrase).unwrap();
    encrypted.as_bytes().to_vec()
}

fn pbkdf2(rounds: u32) -> Kdf {
    Kdf::Pbkdf2(Pbkdf2Params::hmac_sha256(rounds, &[7; 16]).unwrap())
}

fn pem(der: &[u8]) -> String {
    let base64 = BASE64.encode(der);
    format!(
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\n{base64}\n-----END ENCRYPTED PRIVATE KEY-----\n"
    )
}

#[test]
fn an_encrypted_key_needs_its_passphrase() {
    let party = Party::root("device");
    let chain = [party.der()];
    let scrypt = scrypt::Params::new(4, 8, 1).unwrap();
    let scrypt = Kdf::Scrypt(ScryptParams::from_params_and_salt(scrypt, &[7; 16]).unwrap());
    for (kdf, encryption) in [
        (pbkdf2(10), EncryptionScheme::Aes128Cbc { iv: [1; 16] }),
        (pbkdf2(10), EncryptionScheme::Aes256Cbc { iv: [1; 16] }),
        (scrypt, EncryptionScheme::Aes256Cbc { iv: [1; 16] }),
        (pbkdf2(10), EncryptionScheme::DesEde3Cbc { iv: [1; 8] }),
    ] {
        let key = encrypted(&party, "right", Parameters { kdf, encryption });
        assert!(Identity::from_der(&chain, &key, Some("right")).is_ok());
        let text = pem(&key);
        let (certificate, text) = (party.pem(), text.as_bytes());
        let certificate = certificate.as_bytes();
        assert!(Identity::from_pem(certificate, text, Some("right")).is_ok());

        let none = Identity::from_der(&chain, &key, None);
        failure(none, ErrorCode::PassphraseRequired);
        let none = Identity::from_pem(certificate, text, None);
        failure(none, ErrorCode::PassphraseRequired);
        for wrong in ["", "wrong", "Right"] {
            let result = Identity::from_der(&chain, &key, Some(wrong));
            failure(result, ErrorCode::WrongPassphrase);
        }
    }
}

#[test]
fn no_wrong_passphrase_is_mistaken_for_a_damaged_key() {
    // One decryption in 256 looks well padded.
    let party = Party::root("device");
    let parameters = Parameters {
        kdf: pbkdf2(1),
        encryption: EncryptionScheme::Aes128Cbc { iv: [1; 16] },
    };
    let key = encrypted(&party, "right", parameters);
    for number in 0..2_000 {
        let wrong = number.to_string();
        let result = Identity::from_der(&[party.der()], &key, Some(&wrong));
        failure(result, ErrorCode::WrongPassphrase);
    }
}

#[test]
fn an_encryption_that_would_never_end_is_refused() {
    let party = Party::root("device");
    let parameters = Parameters {
        kdf: pbkdf2(1),
        encryption: EncryptionScheme::Aes128Cbc { iv: [1; 16] },
    };
    let mut key = encrypted(&party, "right", parameters);
    // The number of rounds: an INTEGER of one byte after the salt.
    let salt = key.windows(16).position(|bytes| bytes == [7; 16]).unwrap();
    assert_eq!(key[salt + 16..salt + 19], [2, 1, 1]);
    let rounds: &[u8] = &[2, 4, 0x7F, 0xFF, 0xFF, 0xFF];
    key.splice(salt + 16..salt + 19, rounds.iter().copied());
    // Every SEQUENCE around it is three bytes longer now.
    for at in 0..salt {
        if key[at] == 0x30 && at + 2 + usize::from(key[at + 1]) >= salt && key[at + 1] < 0x80 {
            key[at + 1] += 3;
        }
    }
    assert_eq!(key[..2], [0x30, 0x81]);
    key[2] += 3;
    let result = Identity::from_der(&[party.der()], &key, Some("right"));
    let error = failure(result, ErrorCode::InvalidKey);
    assert!(error.message().contains("too much work"), "{error}");
}

#[test]
fn a_damaged_encrypted_key_gets_help() {
    let party = Party::root("device");
    let (chain, key) = (party.pem(), pem(&[0x30, 0]));
    let result = Identity::from_pem(chain.as_bytes(), key.as_bytes(), None);
    let error = failure(result, ErrorCode::InvalidKey);
    assert!(error.hint().contains("openssl pkcs8 -topk8"), "{error}");
}
