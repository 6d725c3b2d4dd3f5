use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// A ClientHello as the RFC's presentation language has it, each vector with its length.
#[derive(Clone, Debug)]
struct Hello {
    random: [u8; 32],
    session_id: Vec<u8>,
    suites: Vec<u16>,
    compressions: Vec<u8>,
    extensions: Vec<(u16, Vec<u8>)>,
}

fn vector(length_bytes: usize, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    [&length[length.len() - length_bytes..], content].concat()
}

impl Hello {
    fn message(&self) -> Vec<u8> {
        let suites: Vec<u8> = self
            .suites
            .iter()
            .flat_map(|code| code.to_be_bytes())
            .collect();
        let extensions: Vec<u8> = self
            .extensions
            .iter()
            .flat_map(|(number, content)| {
                [number.to_be_bytes().to_vec(), vector(2, content)].concat()
            })
            .collect();
        let body = [
            vec![3, 3],
            self.random.to_vec(),
            vector(1, &self.session_id),
            vector(2, &suites),
            vector(1, &self.compressions),
            vector(2, &extensions),
        ]
        .concat();
        [vec![CLIENT_HELLO], vector(3, &body)].concat()
    }

    fn asking(&self, length: FragmentLength) -> Self {
        let mut asking = self.clone();
        asking
            .extensions
            .insert(0, (ACKNOWLEDGED, vec![length.code()]));
        asking
    }
}

prop_compose! {
    fn hello()(
        random in any::<[u8; 32]>(),
        session_id in vec(any::<u8>(), 0..=32),
        suites in vec(any::<u16>(), 1..40),
        compressions in vec(any::<u8>(), 1..3),
        extensions in vec((any::<u16>(), vec(any::<u8>(), 0..300)), 0..20),
    ) -> Hello {
        Hello { random, session_id, suites, compressions, extensions }
    }
}

fn length() -> impl Strategy<Value = FragmentLength> {
    proptest::sample::select(FragmentLength::ALL)
}

/// Records of at most `size` bytes of plaintext.
fn in_records(message: &[u8], size: usize) -> Vec<u8> {
    message
        .chunks(size)
        .flat_map(|piece| [vec![22, 3, 1], vector(2, piece)].concat())
        .collect()
}

proptest! {
    #[test]
    fn the_wire_has_the_hello_that_a_client_with_the_extension_would_write(hello in hello(), length in length()) {
        let (plain, asking) = (hello.message(), hello.asking(length).message());
        prop_assert_eq!(wire(&plain, length), asking.clone());
        let size = length.bytes();
        prop_assert_eq!(hello::outgoing(&in_records(&plain, size), length), in_records(&asking, usize::MAX));
    }

    #[test]
    fn a_hello_cut_short_anywhere_behind_its_list_length_is_the_same_hello_cut_short(
        hello in hello(), length in length(), cut in 0..500_usize,
    ) {
        let (plain, asking) = (hello.message(), hello.asking(length).message());
        let extensions: usize = hello.extensions.iter().map(|(_, content)| 4 + content.len()).sum();
        let cut = cut.min(extensions);
        prop_assert_eq!(&wire(&plain[..plain.len() - cut], length), &asking[..asking.len() - cut]);
    }

    #[test]
    fn a_transcript_of_several_messages_is_the_wires(
        hello in hello(), again in hello(), length in length(),
        other in vec(any::<u8>(), 0..100), kind in prop::sample::select(vec![0_u8, 4, 11, 12, 14, 20, 254]),
    ) {
        let other = [vec![kind], vector(3, &other)].concat();
        let transcript = |first: Hello, second: Hello| [first.message(), other.clone(), second.message()].concat();
        prop_assert_eq!(
            wire(&transcript(hello.clone(), again.clone()), length),
            transcript(hello.asking(length), again.asking(length))
        );
    }

    #[test]
    fn any_bytes_hold_the_invariants(data in vec(any::<u8>(), 0..400)) {
        messages(&data);
        records(&data);
        answer(&data);
    }

    #[test]
    fn almost_a_message_holds_the_invariants(
        hello in hello(), flips in vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        kind in prop::sample::select(vec![CLIENT_HELLO, SERVER_HELLO, ENCRYPTED_EXTENSIONS]),
    ) {
        let mut data = [vec![0], hello.message()].concat();
        data[1] = kind;
        for (index, byte) in flips {
            let index = index.index(data.len());
            data[index] = byte;
        }
        messages(&data);
        records(&data);
        answer(&data);
    }
}
