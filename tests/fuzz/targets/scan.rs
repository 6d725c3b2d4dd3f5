//! The server's answer, whole and byte by byte.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hubtls::fuzzing::answer(data));
