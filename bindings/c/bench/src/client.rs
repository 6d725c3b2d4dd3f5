//! hubtls as a C program uses it.

use std::cell::UnsafeCell;
use std::ffi::{CString, c_char, c_void};
use std::hint::black_box;
use std::ptr;
use std::sync::LazyLock;

use hubtls_bench::peer::{Client, InPlace, Tls};
use hubtls_bench::pki::{Pki, SERVER_NAME};
use hubtls_c::*;

/// Declares the functions that are measured, each behind a pointer that the compiler cannot see through: nothing is inlined and every check is
/// paid, as in a call from C.
macro_rules! functions {
    ($($name:ident: $function:ident($($argument:ty),*) -> $result:ty;)*) => {
        struct Functions {
            $($name: unsafe extern "C" fn($($argument),*) -> $result,)*
        }

        static FUNCTIONS: LazyLock<Functions> = LazyLock::new(|| Functions {
            $($name: black_box($function),)*
        });
    };
}

type Error = *mut hubtls_error;
type Connection = *mut hubtls_connection;

functions! {
    new: hubtls_connection_new(*const hubtls_config, *const c_char, *mut Connection, Error) -> hubtls_status;
    receive: hubtls_connection_receive(Connection, *const u8, usize, *mut usize, Error) -> hubtls_status;
    receive_in_place: hubtls_connection_receive_in_place(Connection, *mut u8, usize, hubtls_plaintext_function, *mut c_void, *mut usize, Error) -> hubtls_status;
    read: hubtls_connection_read(Connection, *mut u8, usize, *mut usize, Error) -> hubtls_status;
    write: hubtls_connection_write(Connection, *const u8, usize, *mut usize, Error) -> hubtls_status;
    transmit: hubtls_connection_transmit(Connection, *mut u8, usize, *mut usize, Error) -> hubtls_status;
}

/// A `hubtls_connection`.
pub struct Abi {
    connection: Connection,
    functions: &'static Functions,
    /// The thread's own.
    error: Error,
}

/// A `hubtls_config`, and the server's name as C has it.
pub struct Config {
    config: *mut hubtls_config,
    server_name: CString,
}

// SAFETY: the header says that any number of threads may use a configuration.
unsafe impl Send for Config {}
// SAFETY: as above.
unsafe impl Sync for Config {}

impl Drop for Config {
    fn drop(&mut self) {
        // SAFETY: made by `config` below, and freed once.
        unsafe { hubtls_config_free(self.config) };
    }
}

impl Drop for Abi {
    fn drop(&mut self) {
        // SAFETY: made by `connect` below, and freed once.
        unsafe { hubtls_connection_free(self.connection) };
    }
}

/// Bytes that `flush` makes room for at least.
const ROOM: usize = 1024;

/// `HUBTLS_ERROR_INIT`.
const NO_ERROR: hubtls_error = hubtls_error {
    size: size_of::<hubtls_error>(),
    code: HUBTLS_OK,
    alert: 0,
    has_alert: false,
    alert_received: false,
    name: ptr::null(),
    message: [0; HUBTLS_ERROR_TEXT],
    hint: [0; HUBTLS_ERROR_TEXT],
};

thread_local! {
    /// As a C program has it: one for all calls of a thread.
    static ERROR: UnsafeCell<hubtls_error> = const { UnsafeCell::new(NO_ERROR) };
}

fn check(status: hubtls_status) {
    assert_eq!(status, HUBTLS_OK);
}

impl Client for Abi {
    const NAME: &'static str = "hubtls, C";
    type Config = Config;

    fn config(pki: &Pki, resumption: bool) -> Config {
        let (mut roots, mut config, error) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
        let pem = pki.root_pem.as_bytes();
        // SAFETY: everything passed is live, and freed once.
        unsafe {
            check(hubtls_roots_from_pem(
                pem.as_ptr(),
                pem.len(),
                &raw mut roots,
                error,
            ));
            let builder = hubtls_config_builder_new();
            check(hubtls_config_builder_set_roots(builder, roots, error));
            check(hubtls_config_builder_set_resumption(
                builder, resumption, error,
            ));
            check(hubtls_config_builder_build(builder, &raw mut config, error));
            hubtls_config_builder_free(builder);
            hubtls_roots_free(roots);
        }
        Config {
            config,
            server_name: CString::new(SERVER_NAME).expect("no zero inside"),
        }
    }

    fn connect(config: &Config, wire: &mut Vec<u8>) -> Self {
        let mut client = Self {
            connection: ptr::null_mut(),
            functions: &FUNCTIONS,
            error: ERROR.with(UnsafeCell::get),
        };
        // SAFETY: the configuration is live; the outputs are this client's.
        check(unsafe {
            (client.functions.new)(
                config.config,
                config.server_name.as_ptr(),
                &raw mut client.connection,
                client.error,
            )
        });
        client.flush(wire);
        client
    }

    fn receive(
        &mut self,
        ciphertext: &mut Vec<u8>,
        wire: &mut Vec<u8>,
        output: &mut [u8],
    ) -> usize {
        let mut received = 0;
        let mut rest = ciphertext.as_slice();
        while !rest.is_empty() {
            let mut taken = 0;
            // SAFETY: the connection is live; `rest` has that many bytes.
            check(unsafe {
                (self.functions.receive)(
                    self.connection,
                    rest.as_ptr(),
                    rest.len(),
                    &raw mut taken,
                    self.error,
                )
            });
            rest = &rest[taken..];
            let before = received;
            while let n @ 1.. = self.read(output) {
                received += n;
            }
            assert!(taken > 0 || received > before, "no progress");
        }
        ciphertext.clear();
        self.flush(wire);
        received
    }

    fn send(&mut self, mut data: &[u8], wire: &mut Vec<u8>) {
        while !data.is_empty() {
            let mut taken = 0;
            // SAFETY: the connection is live; `data` has that many bytes.
            check(unsafe {
                (self.functions.write)(
                    self.connection,
                    data.as_ptr(),
                    data.len(),
                    &raw mut taken,
                    self.error,
                )
            });
            assert!(taken > 0, "all before was sent");
            data = &data[taken..];
            self.flush(wire);
        }
    }

    fn agreed(&self) -> Option<(Tls, bool)> {
        let mut negotiated = ptr::null_mut();
        // SAFETY: the connection is live; what it gives is freed once.
        unsafe {
            let error = ptr::null_mut();
            let status = hubtls_connection_negotiated(self.connection, &raw mut negotiated, error);
            if status != HUBTLS_OK {
                return None;
            }
            let version = hubtls_negotiated_version(negotiated);
            let resumed = hubtls_negotiated_resumed(negotiated);
            hubtls_negotiated_free(negotiated);
            let tls = match version {
                HUBTLS_TLS_1_2 => Tls::V12,
                HUBTLS_TLS_1_3 => Tls::V13,
                _ => return None,
            };
            Some((tls, resumed))
        }
    }
}

unsafe extern "C" fn count(received: *mut c_void, _data: *const u8, len: usize) {
    // SAFETY: `receive_in_place` below passes the address of its counter.
    unsafe { *received.cast::<usize>() += len };
}

impl InPlace for Abi {
    fn receive_in_place(&mut self, ciphertext: &mut [u8]) -> usize {
        let (mut received, mut done) = (0_usize, 0);
        // SAFETY: the connection is live; the buffer has that many bytes; `count` gets its counter.
        check(unsafe {
            (self.functions.receive_in_place)(
                self.connection,
                ciphertext.as_mut_ptr(),
                ciphertext.len(),
                Some(count),
                (&raw mut received).cast(),
                &raw mut done,
                self.error,
            )
        });
        assert_eq!(done, ciphertext.len(), "whole records leave nothing");
        received
    }
}

impl Abi {
    fn read(&mut self, output: &mut [u8]) -> usize {
        let mut count = 0;
        // SAFETY: the connection is live; `output` has that many bytes.
        check(unsafe {
            (self.functions.read)(
                self.connection,
                output.as_mut_ptr(),
                output.len(),
                &raw mut count,
                self.error,
            )
        });
        count
    }

    /// Lets hubtls write to the end of `wire`: the one copy that every client pays for. `hubtls_connection_pending` would save it where a socket
    /// takes the bytes, but here it costs a call more.
    fn flush(&mut self, wire: &mut Vec<u8>) {
        loop {
            wire.reserve(ROOM);
            let space = wire.spare_capacity_mut();
            let mut count = 0;
            // SAFETY: the connection is live; `space` has that many bytes, of which the first `count` are written.
            unsafe {
                check((self.functions.transmit)(
                    self.connection,
                    space.as_mut_ptr().cast(),
                    space.len(),
                    &raw mut count,
                    self.error,
                ));
                let full = count == space.len();
                wire.set_len(wire.len() + count);
                if !full {
                    return;
                }
            }
        }
    }
}
