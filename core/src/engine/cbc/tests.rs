//! Records of the CBC suites against an independent construction: AES-ECB chained by hand, and HMAC.

use aws_lc_rs::cipher::{
    AES_128, AES_256, Algorithm, DecryptingKey, DecryptionContext, EncryptingKey,
    EncryptionContext, UnboundCipherKey,
};
use aws_lc_rs::hmac;
use rustls::crypto::cipher::OutboundChunks;

use super::*;

mod known_answers;

const SEQUENCE: u64 = 7;
const TYPE: ContentType = ContentType::ApplicationData;
const VERSION: ProtocolVersion = ProtocolVersion::TLSv1_2;

struct Reference {
    suite: &'static Suite,
    aes: &'static Algorithm,
    hmac: hmac::Algorithm,
}

fn references() -> [Reference; 2] {
    [
        Reference {
            suite: &AES_128_SHA_256,
            aes: &AES_128,
            hmac: hmac::HMAC_SHA256,
        },
        Reference {
            suite: &AES_256_SHA_384,
            aes: &AES_256,
            hmac: hmac::HMAC_SHA384,
        },
    ]
}

impl Reference {
    fn key(&self) -> Vec<u8> {
        (0..self.suite.key_len)
            .map(|n| u8::try_from(n).unwrap())
            .collect()
    }

    fn mac_key(&self) -> Vec<u8> {
        vec![0x55; self.suite.mac_len]
    }

    fn sealer(&self) -> Record {
        self.suite.record(&self.key(), &self.mac_key(), SEAL)
    }

    fn opener(&self) -> Record {
        self.suite.record(&self.key(), &self.mac_key(), OPEN)
    }

    /// MAC of RFC 5246, section 6.2.3.1.
    fn mac(&self, sequence: u64, content_type: u8, plain: &[u8]) -> Vec<u8> {
        let key = hmac::Key::new(self.hmac, &self.mac_key());
        let mut context = hmac::Context::with_key(&key);
        context.update(&sequence.to_be_bytes());
        context.update(&[content_type, 3, 3]);
        context.update(&u16::try_from(plain.len()).unwrap().to_be_bytes());
        context.update(plain);
        context.sign().as_ref().to_vec()
    }

    /// A record with `padding` bytes of padding before the length byte.
    fn seal(&self, plain: &[u8], padding: u8) -> Vec<u8> {
        let mut text = [plain, &self.mac(SEQUENCE, 23, plain)].concat();
        text.resize(text.len() + usize::from(padding) + 1, padding);
        self.chain(&text)
    }

    /// AES-CBC of `text`, whole blocks, behind an IV.
    fn chain(&self, text: &[u8]) -> Vec<u8> {
        let key =
            EncryptingKey::ecb(UnboundCipherKey::new(self.aes, &self.key()).unwrap()).unwrap();
        let mut output = vec![0xA7; BLOCK];
        for block in text.chunks(BLOCK) {
            let mut mixed: Vec<u8> = block
                .iter()
                .zip(&output[output.len() - BLOCK..])
                .map(|(a, b)| a ^ b)
                .collect();
            key.less_safe_encrypt(&mut mixed, EncryptionContext::None)
                .unwrap();
            output.extend_from_slice(&mixed);
        }
        output
    }

    fn unchain(&self, record: &[u8]) -> Vec<u8> {
        let key =
            DecryptingKey::ecb(UnboundCipherKey::new(self.aes, &self.key()).unwrap()).unwrap();
        let mut text = Vec::new();
        for (block, before) in record[BLOCK..].chunks(BLOCK).zip(record.chunks(BLOCK)) {
            let mut mixed = block.to_vec();
            key.decrypt(&mut mixed, DecryptionContext::None).unwrap();
            text.extend(mixed.iter().zip(before).map(|(a, b)| a ^ b));
        }
        text
    }
}

fn open(record: &mut Record, mut payload: Vec<u8>, sequence: u64) -> Result<Vec<u8>, Error> {
    let message = InboundOpaqueMessage::new(TYPE, VERSION, &mut payload);
    record
        .decrypt(message, sequence)
        .map(|plain| plain.payload.to_vec())
}

fn seal(record: &mut Record, plain: &[u8]) -> Vec<u8> {
    let message = OutboundPlainMessage {
        typ: TYPE,
        version: VERSION,
        payload: OutboundChunks::Single(plain),
    };
    record
        .encrypt(message, SEQUENCE)
        .unwrap()
        .payload
        .as_ref()
        .to_vec()
}

fn plaintext(len: usize) -> Vec<u8> {
    (0..len).map(|n| u8::try_from(n % 251).unwrap()).collect()
}

#[test]
fn every_length_is_sealed_as_the_standard_says() {
    for reference in references() {
        let mut sealer = reference.sealer();
        for len in (0..=600).chain(16_380..=16_384) {
            let plain = plaintext(len);
            let sealed = seal(&mut sealer, &plain);
            assert_eq!(sealed.len(), sealer.encrypted_payload_len(len));
            let text = reference.unchain(&sealed);
            let padding = *text.last().unwrap();
            let end = text.len() - usize::from(padding) - 1;
            assert!(
                padding < 16 && text[end..].iter().all(|byte| *byte == padding),
                "{len}"
            );
            assert_eq!(text[..len], plain, "{len}");
            assert_eq!(text[len..end], reference.mac(SEQUENCE, 23, &plain), "{len}");
        }
    }
}

#[test]
fn every_length_with_every_legal_padding_is_opened() {
    for reference in references() {
        let mut opener = reference.opener();
        for len in (0..=600).chain(16_380..=16_384) {
            let plain = plaintext(len);
            let least = 15 - (len + reference.suite.mac_len) % BLOCK;
            let every = (least..=255).step_by(BLOCK);
            // All paddings for some lengths of every residue, the shortest and the longest for all.
            for padding in every.filter(|padding| len < 64 || *padding == least || *padding >= 240)
            {
                let record = reference.seal(&plain, u8::try_from(padding).unwrap());
                assert_eq!(
                    open(&mut opener, record, SEQUENCE).unwrap(),
                    plain,
                    "{len} {padding}"
                );
            }
        }
    }
}

#[test]
fn a_change_anywhere_is_the_same_error() {
    for reference in references() {
        let mut opener = reference.opener();
        for (len, padding) in [(0, None), (1, None), (100, None), (100, Some(240))] {
            let plain = plaintext(len);
            let least = 15 - (len + reference.suite.mac_len) % BLOCK;
            let padding = padding.map_or(least, |more| more + least);
            let record = reference.seal(&plain, u8::try_from(padding).unwrap());
            for index in 0..record.len() {
                for bit in [0x01, 0x80] {
                    let mut changed = record.clone();
                    changed[index] ^= bit;
                    assert_eq!(
                        open(&mut opener, changed, SEQUENCE),
                        Err(Error::DecryptError),
                        "{len} {index}"
                    );
                }
            }
            for end in 0..record.len() {
                assert_eq!(
                    open(&mut opener, record[..end].to_vec(), SEQUENCE),
                    Err(Error::DecryptError),
                    "{len} {end}"
                );
            }
            let longer = [record.clone(), vec![0; BLOCK]].concat();
            assert_eq!(
                open(&mut opener, longer, SEQUENCE),
                Err(Error::DecryptError)
            );
            assert_eq!(
                open(&mut opener, record, SEQUENCE).unwrap(),
                plain,
                "the record itself is good"
            );
        }
    }
}

#[test]
fn a_wrong_padding_is_the_same_error() {
    for reference in references() {
        let mut opener = reference.opener();
        let plain = plaintext(20);
        let mac = reference.mac(SEQUENCE, 23, &plain);
        let used = plain.len() + mac.len();
        let padding = u8::try_from(15 - used % BLOCK + 32).unwrap();
        for index in 0..usize::from(padding) {
            let mut text = [
                plain.clone(),
                mac.clone(),
                vec![padding; usize::from(padding) + 1],
            ]
            .concat();
            text[used + index] ^= 1;
            assert_eq!(
                open(&mut opener, reference.chain(&text), SEQUENCE),
                Err(Error::DecryptError),
                "{index}"
            );
        }
        // A length of padding that the record does not have.
        let mut text = [plain, mac].concat();
        text.resize(text.len().next_multiple_of(BLOCK), 0xff);
        assert_eq!(
            open(&mut opener, reference.chain(&text), SEQUENCE),
            Err(Error::DecryptError)
        );
    }
}

#[test]
fn a_record_counts_only_in_its_place_and_kind() {
    for reference in references() {
        let mut opener = reference.opener();
        let record = reference.seal(
            b"once",
            u8::try_from(15 - (4 + reference.suite.mac_len) % BLOCK).unwrap(),
        );
        assert_eq!(
            open(&mut opener, record.clone(), SEQUENCE + 1),
            Err(Error::DecryptError),
            "replayed or reordered"
        );
        for (content_type, version) in [
            (ContentType::Handshake, VERSION),
            (TYPE, ProtocolVersion::TLSv1_1),
        ] {
            let mut payload = record.clone();
            let message = InboundOpaqueMessage::new(content_type, version, &mut payload);
            assert!(matches!(
                opener.decrypt(message, SEQUENCE),
                Err(Error::DecryptError)
            ));
        }
        assert!(open(&mut opener, record, SEQUENCE).is_ok());
    }
}

#[test]
fn a_plaintext_over_the_limit_is_an_overflow() {
    for reference in references() {
        let mut opener = reference.opener();
        let plain = plaintext(MAX_FRAGMENT + 1);
        let padding = u8::try_from(15 - (plain.len() + reference.suite.mac_len) % BLOCK).unwrap();
        let result = open(&mut opener, reference.seal(&plain, padding), SEQUENCE);
        assert_eq!(result, Err(Error::PeerSentOversizedRecord));
    }
}

#[test]
fn no_iv_is_used_twice() {
    let mut sealer = references()[0].sealer();
    let mut seen = std::collections::HashSet::new();
    for _ in 0..10 * IVS {
        assert!(seen.insert(seal(&mut sealer, b"")[..BLOCK].to_vec()));
    }
}
