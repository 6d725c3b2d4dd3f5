//! A handshake with OpenSSL in which the input changes what the server sends: never do client and server agree on different things.
//!
//! The first byte chooses version and form of receiving; then each four bytes are an edit: where (two bytes), what, and with which value.
#![no_main]

use std::sync::OnceLock;

use hubtls::{Config, ErrorCode, FragmentLength, FragmentMode, Policy, Version};
use hubtls_tests::client::builder;
use hubtls_tests::duo::{Duo, Form, Openssl, Server};
use hubtls_tests::fixture;
use openssl::ssl::{SslContext, SslVersion};

struct Ends {
    config: Config,
    context: SslContext,
}

fn ends(tls13: bool) -> &'static Ends {
    static ENDS: [OnceLock<Ends>; 2] = [OnceLock::new(), OnceLock::new()];
    let (ours, theirs) = match tls13 {
        false => (Version::Tls12, SslVersion::TLS1_2),
        true => (Version::Tls13, SslVersion::TLS1_3),
    };
    ENDS[usize::from(tls13)].get_or_init(|| Ends {
        config: builder()
            .policy(Policy::default().only_versions(&[ours]).expect("a version"))
            .fragment_length(FragmentMode::Request(FragmentLength::L512))
            .resumption(false)
            .build()
            .expect("a configuration"),
        context: Openssl::context(fixture::server("ecdsa"), theirs).build(),
    })
}

fn edited(mut flight: Vec<u8>, edits: &[u8]) -> Vec<u8> {
    for edit in edits.chunks_exact(4) {
        let at = usize::from(u16::from_be_bytes([edit[0], edit[1]])) % flight.len().max(1);
        match edit[2] % 5 {
            0 => flight[at] ^= edit[3],
            1 => flight.insert(at, edit[3]),
            2 => drop(flight.remove(at)),
            3 => flight.truncate(at),
            _ => {
                let end = (at + usize::from(edit[3])).min(flight.len());
                let copy = flight[at..end].to_vec();
                flight.splice(at..at, copy);
            }
        }
        if flight.is_empty() {
            break;
        }
    }
    flight
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((&first, edits)) = data.split_first() else {
        return;
    };
    let ends = ends(first & 1 == 1);
    let form = if first & 2 == 2 {
        Form::InPlace
    } else {
        Form::Copied
    };
    let mut duo = Duo::new(&ends.config, Openssl::new(&ends.context)).in_form(form);
    let mut flights = 0;
    let result = duo.exchange_edited(&mut |flight| flight, &mut |flight| {
        flights += 1;
        // Nothing is left to tamper with after the handshake.
        if flights == 1 + usize::from(first & 4 == 4) {
            edited(flight, edits)
        } else {
            flight
        }
    });
    if let Err(error) = &result {
        assert_ne!(error.code(), ErrorCode::Internal, "{error:?}");
        duo.assert_dead(error);
    }
    if let Some(negotiated) = duo.client.negotiated()
        && duo.server.is_connected()
    {
        assert_eq!(negotiated.fragment_length(), Some(FragmentLength::L512));
    }
});
