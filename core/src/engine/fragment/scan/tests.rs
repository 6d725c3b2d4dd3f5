use super::*;

const ASKED: FragmentLength = FragmentLength::L512;

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&[kind], &length[1..], body].concat()
}

fn extension(kind: u16, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap();
    [&kind.to_be_bytes()[..], &length.to_be_bytes(), body].concat()
}

fn list(extensions: &[Vec<u8>]) -> Vec<u8> {
    let all = extensions.concat();
    [&u16::try_from(all.len()).unwrap().to_be_bytes()[..], &all].concat()
}

fn server_hello(random: [u8; 32], session_id: &[u8], extensions: &[Vec<u8>]) -> Vec<u8> {
    let session = [&[u8::try_from(session_id.len()).unwrap()], session_id].concat();
    let list = if extensions.is_empty() {
        Vec::new()
    } else {
        list(extensions)
    };
    message(
        SERVER_HELLO,
        &[&[3, 3][..], &random, &session, &[0xC0, 0x2F, 0], &list].concat(),
    )
}

fn encrypted_extensions(extensions: &[Vec<u8>]) -> Vec<u8> {
    message(ENCRYPTED_EXTENSIONS, &list(extensions))
}

fn acknowledgement() -> Vec<u8> {
    extension(ACKNOWLEDGED, &[ASKED.code()])
}

fn versions13() -> Vec<u8> {
    extension(SUPPORTED_VERSIONS, &[3, 4])
}

/// The outcome, the same for every way to cut `bytes` in two; and what rustls sees.
fn follow(scan: &Scan, bytes: &[u8]) -> (Result<Option<Found>, Illegal>, Vec<u8>) {
    let run = |cut: usize| {
        let (mut scan, mut seen) = (scan.clone(), bytes.to_vec());
        let (first, second) = seen.split_at_mut(cut);
        let outcome = match scan.follow(first) {
            Ok(None) => scan.follow(second),
            other => other,
        };
        (outcome.map(|found| found.map(|(_, found)| found)), seen)
    };
    let whole = run(bytes.len());
    for cut in 0..bytes.len() {
        assert_eq!(run(cut), whole, "cut at {cut}");
    }
    whole
}

#[test]
fn an_acknowledgement_is_found_and_renamed() {
    let others = [
        extension(0xff01, &[0]),
        extension(0x0017, &[]),
        extension(0x0010, &[0, 3, 2, b'h', b'2']),
    ];
    for session_id in [&[][..], &[9; 32]] {
        for place in 0..=others.len() {
            let mut extensions = others.to_vec();
            extensions.insert(place, acknowledgement());
            let wire = server_hello([1; 32], session_id, &extensions);
            extensions[place] = extension(ALIAS, &[ASKED.code()]);
            let renamed = server_hello([1; 32], session_id, &extensions);
            let (found, seen) = follow(&Scan::server_hello(ASKED), &wire);
            assert_eq!(found, Ok(Some(Found::Answer { acknowledged: true })));
            assert_eq!(seen, renamed);
        }
    }
}

#[test]
fn an_answer_without_acknowledgement_is_left_as_it_is() {
    for extensions in [&[][..], &[extension(0xff01, &[0])], &[versions13()]] {
        let wire = server_hello([1; 32], &[9; 32], extensions);
        let (found, seen) = follow(&Scan::server_hello(ASKED), &wire);
        assert_eq!(
            found,
            Ok(Some(Found::Answer {
                acknowledged: false
            }))
        );
        assert_eq!(seen, wire);
    }
    let wire = encrypted_extensions(&[]);
    let (found, _) = follow(&Scan::encrypted_extensions(ASKED), &wire);
    assert_eq!(
        found,
        Ok(Some(Found::Answer {
            acknowledged: false
        }))
    );
}

#[test]
fn tls13_acknowledges_in_encrypted_extensions() {
    let wire = encrypted_extensions(&[extension(0, &[]), acknowledgement()]);
    let renamed = encrypted_extensions(&[extension(0, &[]), extension(ALIAS, &[ASKED.code()])]);
    let (found, seen) = follow(&Scan::encrypted_extensions(ASKED), &wire);
    assert_eq!(found, Ok(Some(Found::Answer { acknowledged: true })));
    assert_eq!(seen, renamed);
}

#[test]
fn other_messages_pass_and_nothing_after_the_answer_is_touched() {
    let bait = message(11, &acknowledgement());
    let empty = message(14, &[]);
    let wire = [
        bait.clone(),
        empty,
        server_hello([1; 32], &[], &[acknowledgement()]),
        bait.clone(),
    ]
    .concat();
    let mut seen = wire.clone();
    let (at, found) = Scan::server_hello(ASKED)
        .follow(&mut seen)
        .unwrap()
        .unwrap();
    assert_eq!(found, Found::Answer { acknowledged: true });
    assert_eq!(at, wire.len() - bait.len());
    assert!(seen.ends_with(&bait) && seen.starts_with(&bait));
}

#[test]
fn a_retry_is_told_from_an_answer() {
    let wire = server_hello(RETRY, &[9; 32], &[versions13()]);
    assert_eq!(
        follow(&Scan::server_hello(ASKED), &wire).0,
        Ok(Some(Found::Retry))
    );
    let mut nearly = RETRY;
    nearly[31] ^= 1;
    let wire = server_hello(nearly, &[9; 32], &[versions13()]);
    assert_eq!(
        follow(&Scan::server_hello(ASKED), &wire).0,
        Ok(Some(Found::Answer {
            acknowledged: false
        }))
    );
}

#[test]
fn a_scan_begins_anew_after_a_retry() {
    let mut scan = Scan::server_hello(ASKED);
    let mut retry = server_hello(RETRY, &[], &[versions13()]);
    assert_eq!(scan.follow(&mut retry).unwrap().unwrap().1, Found::Retry);
    assert!(scan.is_between_messages());
    let mut answer = server_hello([1; 32], &[], &[versions13()]);
    assert_eq!(
        scan.follow(&mut answer).unwrap().unwrap().1,
        Found::Answer {
            acknowledged: false
        }
    );
}

#[test]
fn a_wrong_acknowledgement_is_illegal() {
    let wrong = [
        vec![extension(ACKNOWLEDGED, &[ASKED.code() + 1])],
        vec![extension(ACKNOWLEDGED, &[0])],
        vec![extension(ACKNOWLEDGED, &[])],
        vec![extension(ACKNOWLEDGED, &[ASKED.code(), ASKED.code()])],
        vec![acknowledgement(), acknowledgement()],
    ];
    for extensions in wrong {
        let hello = server_hello([1; 32], &[], &extensions);
        assert_eq!(follow(&Scan::server_hello(ASKED), &hello).0, Err(Illegal));
        let protected = encrypted_extensions(&extensions);
        assert_eq!(
            follow(&Scan::encrypted_extensions(ASKED), &protected).0,
            Err(Illegal)
        );
    }
    for order in [
        [acknowledgement(), versions13()],
        [versions13(), acknowledgement()],
    ] {
        let hello = server_hello([1; 32], &[], &order);
        assert_eq!(
            follow(&Scan::server_hello(ASKED), &hello).0,
            Err(Illegal),
            "not in a ServerHello of TLS 1.3"
        );
    }
    let retry = server_hello(RETRY, &[], &[acknowledgement()]);
    assert_eq!(follow(&Scan::server_hello(ASKED), &retry).0, Err(Illegal));
}

#[test]
fn a_real_extension_of_the_aliass_name_is_shown_as_the_unsolicited_one() {
    let wire = encrypted_extensions(&[extension(ALIAS, &[ASKED.code()])]);
    let (found, seen) = follow(&Scan::encrypted_extensions(ASKED), &wire);
    assert_eq!(
        found,
        Ok(Some(Found::Answer {
            acknowledged: false
        }))
    );
    assert_eq!(seen, encrypted_extensions(&[acknowledgement()]));
}

#[test]
fn lengths_that_lie_end_with_the_message() {
    let mut wire = server_hello([1; 32], &[9; 32], &[acknowledgement()]);
    wire[4 + 34] = 0xff; // the session id would reach beyond the message
    assert_eq!(
        follow(&Scan::server_hello(ASKED), &wire).0,
        Ok(Some(Found::Answer {
            acknowledged: false
        }))
    );
}
