//! Whatever a server may send to a client that asks for a fragment length: both forms of receiving come to the same end.
//!
//! The first byte chooses how many bytes come at a time. Where the input has a ServerHello, the client's session id is put into it: it is
//! random, and TLS 1.3 wants it back.
#![no_main]

use std::sync::OnceLock;

use hubtls::{Config, Connection, Error, ErrorCode, FragmentLength, FragmentMode};
use hubtls_tests::client::builder;

fn config() -> &'static Config {
    static CONFIG: OnceLock<Config> = OnceLock::new();
    CONFIG.get_or_init(|| {
        builder()
            .fragment_length(FragmentMode::Request(FragmentLength::L512))
            .resumption(false)
            .build()
            .expect("a configuration")
    })
}

/// Where the session id stands in a record with either hello, with its length.
const SESSION_ID: std::ops::Range<usize> = 43..76;

/// Whether the first record has a ServerHello with a session id: elsewhere random bytes would be lengths, and no two runs the same.
fn has_session_id(bytes: &[u8]) -> bool {
    let within = |high: u8, low: u8, start: usize| {
        start + usize::from(u16::from_be_bytes([high, low])) >= SESSION_ID.end
    };
    bytes.len() > SESSION_ID.end
        && bytes[0] == 22
        && within(bytes[3], bytes[4], 5)
        && bytes[5..7] == [2, 0]
        && within(bytes[7], bytes[8], 9)
        && bytes[43] == 32
}

fn copied(mut bytes: &[u8], size: usize, client: &mut Connection) -> Result<Vec<u8>, Error> {
    let mut plaintext = Vec::new();
    let mut buffer = [0; 256];
    while !bytes.is_empty() {
        let taken = client.receive(&bytes[..size.min(bytes.len())])?;
        bytes = &bytes[taken..];
        while client.readable_bytes()? > 0 {
            let read = client.read(&mut buffer)?;
            plaintext.extend_from_slice(&buffer[..read]);
        }
    }
    Ok(plaintext)
}

fn in_place(bytes: &[u8], size: usize, client: &mut Connection) -> Result<Vec<u8>, Error> {
    let (mut plaintext, mut rest) = (Vec::new(), Vec::new());
    for piece in bytes.chunks(size) {
        rest.extend_from_slice(piece);
        let done = client.receive_in_place(&mut rest, |part| plaintext.extend_from_slice(part))?;
        rest.drain(..done);
    }
    Ok(plaintext)
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((&first, bytes)) = data.split_first() else {
        return;
    };
    let size = 1 + usize::from(first);
    let run = |receive: fn(&[u8], usize, &mut Connection) -> Result<Vec<u8>, Error>| {
        let mut client = Connection::new(config(), "localhost").expect("a valid name");
        let hello = client.pending().to_vec();
        client.transmitted(hello.len());
        let mut bytes = bytes.to_vec();
        if has_session_id(&bytes) {
            bytes[SESSION_ID].copy_from_slice(&hello[SESSION_ID]);
        }
        let outcome = receive(&bytes, size, &mut client);
        if let Err(error) = &outcome {
            assert_ne!(error.code(), ErrorCode::Internal, "{error:?}");
            assert_eq!(client.receive(&[22]).as_ref(), Err(error), "it stays dead");
        }
        assert!(client.negotiated().is_none(), "nobody holds the keys");
        (
            outcome.map_err(|error| error.code()),
            client.pending().len(),
        )
    };
    assert_eq!(run(copied), run(in_place));
});
