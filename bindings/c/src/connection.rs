//! A connection without sockets.

use std::ffi::{c_char, c_void};

use hubtls::{Connection, Result};

use crate::config::hubtls_config;
use crate::error::{guard, hubtls_error, hubtls_status};
use crate::exclusive::Exclusive;
use crate::memory::{
    borrow, free_unless, give, hubtls_bytes, invalid, output, slice, slice_mut, text,
};
use crate::negotiated::hubtls_negotiated;

/// A TLS client connection that owns no socket and no thread.
///
/// Loop: send what `hubtls_connection_transmit` yields, give what arrives to `hubtls_connection_receive`, take plaintext with
/// `hubtls_connection_read`. Buffers are bounded: `receive` and `write` take 0 bytes when the other side has to move first. After an error the
/// connection is dead: every call returns the same error. What `transmit` still yields, an alert, should be sent before the socket is closed.
///
/// For one thread at a time: a second call meanwhile fails with `HUBTLS_ERROR_IN_USE`. Free it with `hubtls_connection_free`.
pub struct hubtls_connection(Exclusive<Connection>);

unsafe fn with(
    connection: *mut hubtls_connection,
    error: *mut hubtls_error,
    work: impl FnOnce(&mut Connection) -> Result<()>,
) -> hubtls_status {
    guard(error, || {
        // SAFETY: forwarded from the caller.
        unsafe { borrow(connection.cast_const(), "connection") }?
            .0
            .with(work)
    })
}

/// Starts a connection to the server called `server_name`, a DNS name or an IP address: its certificate must be for that name, whatever
/// address is dialled. The ClientHello waits in `transmit`.
///
/// Errors: `INVALID_SERVER_NAME`, `INVALID_ARGUMENT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_connection_new(
    config: *const hubtls_config,
    server_name: *const c_char,
    connection: *mut *mut hubtls_connection,
    error: *mut hubtls_error,
) -> hubtls_status {
    guard(error, || {
        // SAFETY: forwarded from the caller.
        let (config, server_name, connection) = unsafe {
            (
                borrow(config, "config")?,
                text(server_name, "server_name")?,
                output(connection, "connection")?,
            )
        };
        let new = Connection::new(&config.config, server_name)?;
        *connection = give(hubtls_connection(Exclusive::new(new)));
        Ok(())
    })
}

/// Feeds ciphertext read from the network; `*taken` says how many bytes were taken. Copies `data`. 0 means that `hubtls_connection_read` must go
/// first.
///
/// Errors: any of 3xx, `SIGNER_FAILED`, `NO_TIME`, `INTERNAL`, `INVALID_ARGUMENT`, `IN_USE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_connection_receive(
    connection: *mut hubtls_connection,
    data: *const u8,
    len: usize,
    taken: *mut usize,
    error: *mut hubtls_error,
) -> hubtls_status {
    // SAFETY: forwarded from the caller.
    unsafe {
        with(connection, error, |connection| {
            let (data, taken) = (slice(data, len, "data")?, output(taken, "taken")?);
            *taken = connection.receive(data)?;
            Ok(())
        })
    }
}

/// Takes plaintext, a record or a part of one at a time; `data` lives until it returns. It must not call hubtls with the same connection.
pub type hubtls_plaintext_function =
    Option<unsafe extern "C" fn(context: *mut c_void, data: *const u8, len: usize)>;

/// Feeds ciphertext and decrypts it in the caller's buffer, without the copies that `receive` and `read` make; plaintext goes to `each`, in order.
///
/// `*done` says how many bytes of `buffer` are done with; they are overwritten. The rest is the beginning of a record: keep it, append what
/// arrives and call again; a buffer of 18,437 bytes holds any record.
///
/// Errors: as `hubtls_connection_receive`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_connection_receive_in_place(
    connection: *mut hubtls_connection,
    buffer: *mut u8,
    len: usize,
    each: hubtls_plaintext_function,
    context: *mut c_void,
    done: *mut usize,
    error: *mut hubtls_error,
) -> hubtls_status {
    // SAFETY: forwarded from the caller.
    unsafe {
        with(connection, error, |connection| {
            let (buffer, done) = (slice_mut(buffer, len, "buffer")?, output(done, "done")?);
            let each = each.ok_or_else(|| invalid("each is NULL".into(), "pass a function"))?;
            *done = connection.receive_in_place(buffer, |plaintext| {
                each(context, plaintext.as_ptr(), plaintext.len());
            })?;
            Ok(())
        })
    }
}

/// Says that the network has ended: no more bytes will be received. What was received before can still be read.
///
/// Errors: `CLOSED_IN_HANDSHAKE` or `TRUNCATED` unless the peer had sent close_notify, `INVALID_ARGUMENT`, `IN_USE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_connection_receive_end(
    connection: *mut hubtls_connection,
    error: *mut hubtls_error,
) -> hubtls_status {
    // SAFETY: forwarded from the caller.
    unsafe { with(connection, error, Connection::receive_end) }
}

/// Moves plaintext to `data`, at most `len` bytes; `*count` says how many. 0 means none now, or no more ever if `hubtls_connection_is_ended`.
///
/// Errors: as `hubtls_connection_receive`, after everything that was received before has been read.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_connection_read(
    connection: *mut hubtls_connection,
    data: *mut u8,
    len: usize,
    count: *mut usize,
    error: *mut hubtls_error,
) -> hubtls_status {
    // SAFETY: forwarded from the caller.
    unsafe {
        with(connection, error, |connection| {
            let (data, count) = (slice_mut(data, len, "data")?, output(count, "count")?);
            *count = connection.read(data)?;
            Ok(())
        })
    }
}

/// How many bytes of plaintext can be read at once, without receiving anything more, in `*bytes`.
///
/// Errors: as `hubtls_connection_read`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_connection_readable_bytes(
    connection: *mut hubtls_connection,
    bytes: *mut usize,
    error: *mut hubtls_error,
) -> hubtls_status {
    // SAFETY: forwarded from the caller.
    unsafe {
        with(connection, error, |connection| {
            let bytes = output(bytes, "bytes")?;
            *bytes = connection.readable_bytes()?;
            Ok(())
        })
    }
}

/// Encrypts up to 16,384 bytes of `data` as one record; `*taken` says how many. 0 while the handshake goes on or too much waits to be transmitted.
///
/// Errors: `WRITE_AFTER_FINISH`, `RECORD_LIMIT`, else as `hubtls_connection_receive`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_connection_write(
    connection: *mut hubtls_connection,
    data: *const u8,
    len: usize,
    taken: *mut usize,
    error: *mut hubtls_error,
) -> hubtls_status {
    // SAFETY: forwarded from the caller.
    unsafe {
        with(connection, error, |connection| {
            let (data, taken) = (slice(data, len, "data")?, output(taken, "taken")?);
            *taken = connection.write(data)?;
            Ok(())
        })
    }
}

/// Moves ciphertext for the network to `data`, at most `len` bytes; `*count` says how many.
///
/// Errors: `INVALID_ARGUMENT`, `IN_USE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_connection_transmit(
    connection: *mut hubtls_connection,
    data: *mut u8,
    len: usize,
    count: *mut usize,
    error: *mut hubtls_error,
) -> hubtls_status {
    // SAFETY: forwarded from the caller.
    unsafe {
        with(connection, error, |connection| {
            let (data, count) = (slice_mut(data, len, "data")?, output(count, "count")?);
            *count = connection.transmit(data);
            Ok(())
        })
    }
}

/// The ciphertext that waits for the network, without a copy: send it, then call `hubtls_connection_transmitted`. Lives until the next call with
/// this connection; empty for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_connection_pending(
    connection: *mut hubtls_connection,
) -> hubtls_bytes {
    let none = hubtls_bytes {
        data: std::ptr::null(),
        len: 0,
    };
    // SAFETY: forwarded from the caller.
    let Ok(connection) = (unsafe { borrow(connection.cast_const(), "connection") }) else {
        return none;
    };
    connection.0.ask(none, |connection| {
        let pending = connection.pending();
        hubtls_bytes {
            data: pending.as_ptr(),
            len: pending.len(),
        }
    })
}

/// Says that the network took the first `count` bytes of `hubtls_connection_pending`.
///
/// Errors: `INVALID_ARGUMENT` if there are fewer, `IN_USE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_connection_transmitted(
    connection: *mut hubtls_connection,
    count: usize,
    error: *mut hubtls_error,
) -> hubtls_status {
    // SAFETY: forwarded from the caller.
    unsafe {
        with(connection, error, |connection| {
            let pending = connection.pending().len();
            if count > pending {
                return Err(invalid(
                    format!("{count} bytes cannot have been transmitted: {pending} were pending"),
                    "pass the number of bytes that the socket took",
                ));
            }
            connection.transmitted(count);
            Ok(())
        })
    }
}

/// Queues close_notify: nothing more can be written; receiving goes on until the peer finishes too. A second time does nothing.
///
/// Errors: `HANDSHAKE_NOT_COMPLETE`; else as `hubtls_connection_receive`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_connection_finish(
    connection: *mut hubtls_connection,
    error: *mut hubtls_error,
) -> hubtls_status {
    // SAFETY: forwarded from the caller.
    unsafe { with(connection, error, Connection::finish) }
}

unsafe fn ask(
    connection: *mut hubtls_connection,
    question: impl FnOnce(&mut Connection) -> bool,
) -> bool {
    // SAFETY: forwarded from the caller.
    let connection = unsafe { borrow(connection.cast_const(), "connection") };
    connection.is_ok_and(|connection| connection.0.ask(false, question))
}

/// Whether the handshake goes on; false for NULL and while another call uses the connection.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_connection_is_handshaking(
    connection: *mut hubtls_connection,
) -> bool {
    // SAFETY: forwarded from the caller.
    unsafe { ask(connection, |connection| connection.is_handshaking()) }
}

/// Whether `receive` would take more now; false for NULL and while another call uses the connection.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_connection_wants_receive(
    connection: *mut hubtls_connection,
) -> bool {
    // SAFETY: forwarded from the caller.
    unsafe { ask(connection, |connection| connection.wants_receive()) }
}

/// Whether something waits in `transmit`; false for NULL and while another call uses the connection.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_connection_wants_transmit(
    connection: *mut hubtls_connection,
) -> bool {
    // SAFETY: forwarded from the caller.
    unsafe { ask(connection, |connection| connection.wants_transmit()) }
}

/// Whether the peer has sent close_notify and everything before it was read; false for NULL and while another call uses the connection.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_connection_is_ended(connection: *mut hubtls_connection) -> bool {
    // SAFETY: forwarded from the caller.
    unsafe { ask(connection, |connection| connection.is_ended()) }
}

/// What was agreed; to be freed.
///
/// Errors: `HANDSHAKE_NOT_COMPLETE`, `INVALID_ARGUMENT`, `IN_USE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_connection_negotiated(
    connection: *mut hubtls_connection,
    negotiated: *mut *mut hubtls_negotiated,
    error: *mut hubtls_error,
) -> hubtls_status {
    // SAFETY: forwarded from the caller.
    unsafe {
        with(connection, error, |connection| {
            let negotiated = output(negotiated, "negotiated")?;
            let agreed = connection.negotiated().ok_or_else(|| {
                hubtls::Error::new(
                    hubtls::ErrorCode::HandshakeNotComplete,
                    "nothing is agreed yet: the handshake goes on",
                    "transmit and receive until hubtls_connection_is_handshaking says no",
                )
            })?;
            *negotiated = give(agreed.into());
            Ok(())
        })
    }
}

/// Frees a connection. NULL is a no-op, and so is a connection that a call uses: from its own callback, nothing is freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_connection_free(connection: *mut hubtls_connection) {
    // SAFETY: forwarded from the caller.
    unsafe { free_unless(connection, |connection| connection.0.is_busy()) };
}
