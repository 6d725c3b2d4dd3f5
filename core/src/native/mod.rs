//! The policy in the words of other TLS libraries, a file for each: for programs that keep the library they have.

mod jsse;
mod openssl;
mod wolfssl;

fn joined(names: impl Iterator<Item = &'static str>) -> String {
    names.collect::<Vec<_>>().join(":")
}
