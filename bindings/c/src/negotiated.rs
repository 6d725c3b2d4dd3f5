//! What a handshake agreed on.

use std::ffi::{CString, c_char};
use std::ptr;
use std::sync::OnceLock;

use hubtls::{Certificate, FragmentLength, Negotiated, Root};

use crate::error::answer;
use crate::memory::{borrow, free, hubtls_bytes, output, owned_text};

/// What client and server agreed on, and who the server is. Immutable; any number of threads may use one, and it outlives its connection.
/// Free it with `hubtls_negotiated_free`.
pub struct hubtls_negotiated {
    negotiated: Negotiated,
    texts: OnceLock<Texts>,
}

struct Texts {
    json: CString,
    root: Option<CString>,
    subjects: Vec<CString>,
}

impl From<Negotiated> for hubtls_negotiated {
    fn from(negotiated: Negotiated) -> Self {
        Self {
            negotiated,
            texts: OnceLock::new(),
        }
    }
}

impl hubtls_negotiated {
    fn texts(&self) -> &Texts {
        let chain = self.negotiated.peer_chain().iter();
        self.texts.get_or_init(|| Texts {
            json: owned_text(&self.negotiated.to_json()),
            root: self.negotiated.root().map(Root::subject).map(owned_text),
            subjects: chain.map(Certificate::subject).map(owned_text).collect(),
        })
    }
}

unsafe fn ask<T>(
    negotiated: *const hubtls_negotiated,
    otherwise: T,
    question: impl FnOnce(&hubtls_negotiated) -> Option<T>,
) -> T {
    answer(otherwise, || {
        // SAFETY: forwarded from the caller.
        question(unsafe { borrow(negotiated, "negotiated") }.ok()?)
    })
}

/// The TLS version, `HUBTLS_TLS_1_2` or `HUBTLS_TLS_1_3`; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_negotiated_version(negotiated: *const hubtls_negotiated) -> u16 {
    // SAFETY: forwarded from the caller.
    unsafe { ask(negotiated, 0, |it| Some(it.negotiated.version().code())) }
}

/// The cipher suite's number in IANA's registry (`hubtls_suite_name` has its name); 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_negotiated_suite(negotiated: *const hubtls_negotiated) -> u16 {
    // SAFETY: forwarded from the caller.
    unsafe {
        ask(negotiated, 0, |it| {
            Some(it.negotiated.cipher_suite().code())
        })
    }
}

/// The key exchange group's number in IANA's registry; 0 for NULL and for a TLS 1.2 session that was resumed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_negotiated_group(negotiated: *const hubtls_negotiated) -> u16 {
    // SAFETY: forwarded from the caller.
    unsafe { ask(negotiated, 0, |it| Some(it.negotiated.group()?.code())) }
}

/// The maximum fragment length that the server agreed to, in bytes; 0 for none and for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_negotiated_fragment_length(
    negotiated: *const hubtls_negotiated,
) -> usize {
    // SAFETY: forwarded from the caller.
    unsafe {
        ask(negotiated, 0, |it| {
            it.negotiated.fragment_length().map(FragmentLength::bytes)
        })
    }
}

/// The protocol that the server chose with ALPN, not ended by a zero; NULL and 0 for none and for NULL. Lives as long as `negotiated`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_negotiated_alpn(
    negotiated: *const hubtls_negotiated,
) -> hubtls_bytes {
    let bytes = |data: &[u8]| hubtls_bytes {
        data: data.as_ptr(),
        len: data.len(),
    };
    // SAFETY: forwarded from the caller.
    unsafe { ask(negotiated, NONE, |it| it.negotiated.alpn().map(bytes)) }
}

const NONE: hubtls_bytes = hubtls_bytes {
    data: ptr::null(),
    len: 0,
};

/// Whether an earlier session was resumed; false for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_negotiated_resumed(negotiated: *const hubtls_negotiated) -> bool {
    // SAFETY: forwarded from the caller.
    unsafe { ask(negotiated, false, |it| Some(it.negotiated.resumed())) }
}

/// Whether the server asked for a client certificate in this handshake; false for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_negotiated_client_certificate_requested(
    negotiated: *const hubtls_negotiated,
) -> bool {
    // SAFETY: forwarded from the caller.
    unsafe {
        ask(negotiated, false, |it| {
            Some(it.negotiated.client_certificate_requested())
        })
    }
}

/// How long the handshake took in microseconds, network included, if a `hubtls_stream` measured it; else 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_negotiated_handshake_us(
    negotiated: *const hubtls_negotiated,
) -> u64 {
    // SAFETY: forwarded from the caller.
    unsafe {
        ask(negotiated, 0, |it| {
            u64::try_from(it.negotiated.handshake_duration()?.as_micros()).ok()
        })
    }
}

/// How many certificates the server sent; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_negotiated_peer_certificate_count(
    negotiated: *const hubtls_negotiated,
) -> usize {
    // SAFETY: forwarded from the caller.
    unsafe { ask(negotiated, 0, |it| Some(it.negotiated.peer_chain().len())) }
}

/// The server's certificate at `index` in DER, its own at 0; NULL and 0 if there is none. Lives as long as `negotiated`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_negotiated_peer_certificate_at(
    negotiated: *const hubtls_negotiated,
    index: usize,
) -> hubtls_bytes {
    // SAFETY: forwarded from the caller.
    unsafe {
        ask(negotiated, NONE, |it| {
            let der = it.negotiated.peer_chain().get(index)?.der();
            Some(hubtls_bytes {
                data: der.as_ptr(),
                len: der.len(),
            })
        })
    }
}

/// The common name of the server's certificate at `index`, without control characters; NULL if there is none. Lives as long as `negotiated`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_negotiated_peer_subject_at(
    negotiated: *const hubtls_negotiated,
    index: usize,
) -> *const c_char {
    // SAFETY: forwarded from the caller.
    unsafe {
        ask(negotiated, ptr::null(), |it| {
            Some(it.texts().subjects.get(index)?.as_ptr())
        })
    }
}

/// SHA-256 of the SubjectPublicKeyInfo of the root that the chain ends in: what a pin names. Writes 32 bytes to `sha256`; returns false, and
/// writes nothing, if the root is not known or a pointer is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_negotiated_root_spki_sha256(
    negotiated: *const hubtls_negotiated,
    sha256: *mut u8,
) -> bool {
    // SAFETY: forwarded from the caller.
    unsafe {
        ask(negotiated, false, |it| {
            let place: &mut [u8; 32] = output(sha256.cast(), "sha256").ok()?;
            *place = it.negotiated.root()?.spki_sha256();
            Some(true)
        })
    }
}

/// The name of the trusted root that the chain ends in; NULL if it is not known. Lives as long as `negotiated`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_negotiated_root(
    negotiated: *const hubtls_negotiated,
) -> *const c_char {
    // SAFETY: forwarded from the caller.
    unsafe {
        ask(negotiated, ptr::null(), |it| {
            Some(it.texts().root.as_ref()?.as_ptr())
        })
    }
}

/// All of it as JSON. Lives as long as `negotiated`; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_negotiated_json(
    negotiated: *const hubtls_negotiated,
) -> *const c_char {
    // SAFETY: forwarded from the caller.
    unsafe { ask(negotiated, ptr::null(), |it| Some(it.texts().json.as_ptr())) }
}

/// Frees what was agreed. NULL is a no-op.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_negotiated_free(negotiated: *mut hubtls_negotiated) {
    // SAFETY: forwarded from the caller.
    unsafe { free(negotiated) };
}
