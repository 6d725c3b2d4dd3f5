//! The client's messages and records in the form of the wire.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    hubtls::fuzzing::messages(data);
    hubtls::fuzzing::records(data);
});
