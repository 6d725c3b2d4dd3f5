//! A blocking stream over a socket of POSIX.
//!
//! On Windows a socket is a `SOCKET`, 64 bits wide, and not a file descriptor: this file needs a `hubtls_stream_new` that takes one
//! (`FromRawSocket`), and the rest stays.

use std::ffi::{c_char, c_int};
use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::{Duration, Instant};

use hubtls::{Connection, Error, ErrorCode, Negotiated, ReadHalf, Result, Stream, WriteHalf};

use crate::config::hubtls_config;
use crate::error::{guard, hubtls_error, hubtls_status};
use crate::exclusive::Exclusive;
use crate::memory::{
    borrow, check_size, free_unless, give, invalid, output, slice, slice_mut, text,
};
use crate::negotiated::hubtls_negotiated;

/// A connection over a blocking socket, its handshake complete. One thread may read while another writes; two at the same side fail with
/// `HUBTLS_ERROR_IN_USE`. Free it with `hubtls_stream_free` when no call uses it any more; to end calls that wait, `shutdown` the socket first.
pub struct hubtls_stream {
    reader: Exclusive<ReadHalf<TcpStream>>,
    writer: Exclusive<WriteHalf<TcpStream>>,
    negotiated: Negotiated,
    descriptor: c_int,
}

/// Time limits in milliseconds; 0 is the default of each.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct hubtls_stream_options {
    /// `sizeof(hubtls_stream_options)`, as `HUBTLS_STREAM_OPTIONS_INIT` sets it.
    pub size: usize,
    /// For connecting to all addresses of the host together; looking them up takes what the system's resolver takes. Default: 30 seconds. Not
    /// used by `hubtls_stream_new`.
    pub connect_timeout_ms: u32,
    /// For the whole handshake. Default: 30 seconds.
    pub handshake_timeout_ms: u32,
    /// For each wait of a read. Default: for ever.
    pub read_timeout_ms: u32,
    /// For each wait of a write. Default: for ever.
    pub write_timeout_ms: u32,
    /// How long to wait after the handshake whether the server refuses the client certificate, which in TLS 1.3 it does only then. Waits no
    /// longer than until the server sends something, and not at all where no refusal can come. Default: not at all; the first read tells.
    pub confirm_ms: u32,
}

impl Default for hubtls_stream_options {
    fn default() -> Self {
        Self {
            size: size_of::<Self>(),
            connect_timeout_ms: 0,
            handshake_timeout_ms: 0,
            read_timeout_ms: 0,
            write_timeout_ms: 0,
            confirm_ms: 0,
        }
    }
}

const PATIENCE: Duration = Duration::from_secs(30);

fn limit(milliseconds: u32) -> Option<Duration> {
    (milliseconds > 0).then(|| Duration::from_millis(milliseconds.into()))
}

/// The caller's options, or the defaults for NULL.
unsafe fn options(options: *const hubtls_stream_options) -> Result<hubtls_stream_options> {
    if options.is_null() {
        return Ok(hubtls_stream_options::default());
    }
    // SAFETY: forwarded from the caller.
    let size = unsafe { borrow(options.cast::<usize>(), "options") }?;
    check_size::<hubtls_stream_options>(*size, "hubtls_stream_options")?;
    // SAFETY: its size says that all of it is there.
    unsafe { borrow(options, "options") }.copied()
}

impl hubtls_stream {
    fn open(
        config: &hubtls_config,
        server_name: &str,
        socket: TcpStream,
        options: &hubtls_stream_options,
    ) -> Result<Self> {
        let descriptor = socket.as_raw_fd();
        let mut stream = Stream::new(Connection::new(&config.config, server_name)?, socket);
        stream.set_handshake_timeout(limit(options.handshake_timeout_ms).or(Some(PATIENCE)))?;
        stream.set_read_timeout(limit(options.read_timeout_ms))?;
        stream.set_write_timeout(limit(options.write_timeout_ms))?;
        let negotiated = stream.handshake()?;
        if let Some(limit) = limit(options.confirm_ms) {
            stream.confirm(limit)?;
        }
        let (reader, writer) = stream.split()?;
        Ok(Self {
            reader: Exclusive::new(reader),
            writer: Exclusive::new(writer),
            negotiated,
            descriptor,
        })
    }
}

/// Connects to `host` and shakes hands: TCP to every address of the host until one answers, then TLS. `options` may be NULL.
///
/// Errors: `UNREACHABLE`, `TIMEOUT`, `CLOSED_IN_HANDSHAKE`, any of 3xx, `INVALID_SERVER_NAME`, `INVALID_ARGUMENT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_stream_connect(
    config: *const hubtls_config,
    host: *const c_char,
    port: u16,
    options: *const hubtls_stream_options,
    stream: *mut *mut hubtls_stream,
    error: *mut hubtls_error,
) -> hubtls_status {
    guard(error, || {
        // SAFETY: forwarded from the caller.
        let (config, host, options, stream) = unsafe {
            (
                borrow(config, "config")?,
                text(host, "host")?,
                self::options(options)?,
                output(stream, "stream")?,
            )
        };
        // Checked first: a wrong name costs no network.
        Connection::new(&config.config, host)?;
        let patience = limit(options.connect_timeout_ms).unwrap_or(PATIENCE);
        let socket = dial(host, port, patience)?;
        *stream = give(hubtls_stream::open(config, host, socket, &options)?);
        Ok(())
    })
}

/// Shakes hands over a connected, blocking socket. hubtls uses a duplicate of `socket`: yours stays open until you close it. `options` may be
/// NULL. Time limits set on the socket are overwritten.
///
/// Errors: `TIMEOUT`, `CLOSED_IN_HANDSHAKE`, `IO`, any of 3xx, `INVALID_SERVER_NAME`, `INVALID_ARGUMENT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_stream_new(
    config: *const hubtls_config,
    server_name: *const c_char,
    socket: c_int,
    options: *const hubtls_stream_options,
    stream: *mut *mut hubtls_stream,
    error: *mut hubtls_error,
) -> hubtls_status {
    guard(error, || {
        // SAFETY: forwarded from the caller.
        let (config, server_name, options, stream) = unsafe {
            (
                borrow(config, "config")?,
                text(server_name, "server_name")?,
                self::options(options)?,
                output(stream, "stream")?,
            )
        };
        if socket < 0 {
            return Err(invalid(
                format!("{socket} is no socket"),
                "check what socket() or accept() returned",
            ));
        }
        // SAFETY: not -1; if it is not open, duplicating it fails.
        let lent = unsafe { BorrowedFd::borrow_raw(socket) };
        let owned = lent.try_clone_to_owned().map_err(|failure| {
            invalid(
                format!("descriptor {socket} cannot be used: {failure}"),
                "pass a connected socket",
            )
        })?;
        let socket = TcpStream::from(owned);
        *stream = give(hubtls_stream::open(config, server_name, socket, &options)?);
        Ok(())
    })
}

fn dial(host: &str, port: u16, patience: Duration) -> Result<TcpStream> {
    let unreachable = |failure: String| {
        Error::new(
            ErrorCode::Unreachable,
            format!("{host}:{port} cannot be reached: {failure}"),
            "check host, port and network; a firewall that blocks 8883 (MQTT) often lets 443 (HTTPS and WebSockets) pass",
        )
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let addresses: Vec<_> = (bare, port)
        .to_socket_addrs()
        .map_err(|failure| unreachable(failure.to_string()))?
        .collect();
    let deadline = Instant::now() + patience;
    let mut last = unreachable("it has no address".into());
    for (address, others) in addresses.iter().zip((1..=addresses.len()).rev()) {
        let left = deadline.saturating_duration_since(Instant::now());
        // An address that never answers leaves their share to the others.
        let share = left / u32::try_from(others).unwrap_or(u32::MAX);
        if share.is_zero() {
            break;
        }
        match TcpStream::connect_timeout(address, share) {
            Ok(socket) => {
                // Small messages are to leave at once; a socket that cannot do that works as well.
                let _ = socket.set_nodelay(true);
                return Ok(socket);
            }
            Err(failure) => last = unreachable(failure.to_string()),
        }
    }
    Err(last)
}

unsafe fn read_side(
    stream: *mut hubtls_stream,
    work: impl FnOnce(&mut ReadHalf<TcpStream>) -> Result<()>,
) -> Result<()> {
    // SAFETY: forwarded from the caller.
    unsafe { borrow(stream.cast_const(), "stream") }?
        .reader
        .with(work)
}

unsafe fn write_side(
    stream: *mut hubtls_stream,
    work: impl FnOnce(&mut WriteHalf<TcpStream>) -> Result<()>,
) -> Result<()> {
    // SAFETY: forwarded from the caller.
    unsafe { borrow(stream.cast_const(), "stream") }?
        .writer
        .with(work)
}

/// Waits for plaintext and moves it to `data`, at most `len` bytes; `*count` says how many. 0 means that the peer has finished, or that `len` is 0.
///
/// Errors: `TIMEOUT` (call again), `TRUNCATED`, `IO`, any of 3xx, `INVALID_ARGUMENT`, `IN_USE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_stream_read(
    stream: *mut hubtls_stream,
    data: *mut u8,
    len: usize,
    count: *mut usize,
    error: *mut hubtls_error,
) -> hubtls_status {
    guard(error, || {
        // SAFETY: forwarded from the caller.
        let (data, count) = unsafe { (slice_mut(data, len, "data")?, output(count, "count")?) };
        // SAFETY: forwarded from the caller.
        unsafe {
            read_side(stream, |reader| {
                *count = reader.read(data)?;
                Ok(())
            })
        }
    })
}

/// Reads until `data` is full.
///
/// Errors: `TRUNCATED` if the peer finishes before, else as `hubtls_stream_read`; what came before an error is lost.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_stream_read_exact(
    stream: *mut hubtls_stream,
    data: *mut u8,
    len: usize,
    error: *mut hubtls_error,
) -> hubtls_status {
    guard(error, || {
        // SAFETY: forwarded from the caller.
        let mut rest = unsafe { slice_mut(data, len, "data") }?;
        // SAFETY: forwarded from the caller.
        unsafe {
            read_side(stream, |reader| {
                while !rest.is_empty() {
                    let count = reader.read(rest)?;
                    if count == 0 {
                        return Err(Error::new(
                            ErrorCode::Truncated,
                            format!("the peer finished {} bytes too early", rest.len()),
                            "the server sent less than this program expects of its protocol",
                        ));
                    }
                    rest = &mut rest[count..];
                }
                Ok(())
            })
        }
    })
}

/// Encrypts and sends up to 16,384 bytes of `data`; `*taken` says how many were taken. What was taken and did not leave in time goes first in the
/// next call.
///
/// Errors: `TIMEOUT` (nothing was taken: call again), `WRITE_AFTER_FINISH`, `RECORD_LIMIT`, `IO`, any of 3xx, `INVALID_ARGUMENT`, `IN_USE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_stream_write(
    stream: *mut hubtls_stream,
    data: *const u8,
    len: usize,
    taken: *mut usize,
    error: *mut hubtls_error,
) -> hubtls_status {
    guard(error, || {
        // SAFETY: forwarded from the caller.
        let (data, taken) = unsafe { (slice(data, len, "data")?, output(taken, "taken")?) };
        // SAFETY: forwarded from the caller.
        unsafe {
            write_side(stream, |writer| {
                *taken = writer.write(data)?;
                Ok(())
            })
        }
    })
}

/// Encrypts and sends all of `data`.
///
/// Errors: as `hubtls_stream_write`; after one, how much was sent is not known, so end the connection.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_stream_write_all(
    stream: *mut hubtls_stream,
    data: *const u8,
    len: usize,
    error: *mut hubtls_error,
) -> hubtls_status {
    guard(error, || {
        // SAFETY: forwarded from the caller.
        let data = unsafe { slice(data, len, "data") }?;
        // SAFETY: forwarded from the caller.
        unsafe {
            write_side(stream, |writer| {
                writer.write_all(data)?;
                Ok(writer.flush()?)
            })
        }
    })
}

/// Sends close_notify: nothing more can be written, reading goes on until the peer finishes too. A second time does nothing.
///
/// Errors: `TIMEOUT`, `IO`, `INVALID_ARGUMENT`, `IN_USE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_stream_finish(
    stream: *mut hubtls_stream,
    error: *mut hubtls_error,
) -> hubtls_status {
    // SAFETY: forwarded from the caller.
    guard(error, || unsafe { write_side(stream, WriteHalf::finish) })
}

/// How long each wait of a read may take, in milliseconds; 0 is for ever.
///
/// Errors: `IO`, `INVALID_ARGUMENT`, `IN_USE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_stream_set_read_timeout(
    stream: *mut hubtls_stream,
    timeout_ms: u32,
    error: *mut hubtls_error,
) -> hubtls_status {
    // SAFETY: forwarded from the caller.
    guard(error, || unsafe {
        read_side(stream, |reader| reader.set_timeout(limit(timeout_ms)))
    })
}

/// How long each wait of a write may take, in milliseconds; 0 is for ever.
///
/// Errors: `IO`, `INVALID_ARGUMENT`, `IN_USE`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_stream_set_write_timeout(
    stream: *mut hubtls_stream,
    timeout_ms: u32,
    error: *mut hubtls_error,
) -> hubtls_status {
    // SAFETY: forwarded from the caller.
    guard(error, || unsafe {
        write_side(stream, |writer| writer.set_timeout(limit(timeout_ms)))
    })
}

/// The descriptor of the stream's socket, for `poll` and `shutdown`; -1 for NULL. It stays the stream's: do not close it. Mind that decrypted
/// bytes may wait in the stream when the socket has none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_stream_socket(stream: *const hubtls_stream) -> c_int {
    // SAFETY: forwarded from the caller.
    let stream = unsafe { borrow(stream, "stream") };
    stream.map_or(-1, |stream| stream.descriptor)
}

/// What was agreed; to be freed. NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_stream_negotiated(
    stream: *const hubtls_stream,
) -> *mut hubtls_negotiated {
    // SAFETY: forwarded from the caller.
    let stream = unsafe { borrow(stream, "stream") };
    stream.map_or(std::ptr::null_mut(), |stream| {
        give(stream.negotiated.clone().into())
    })
}

/// Closes the socket, without close_notify unless `hubtls_stream_finish` was called, and frees the stream. NULL is a no-op.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_stream_free(stream: *mut hubtls_stream) {
    // SAFETY: forwarded from the caller.
    unsafe {
        free_unless(stream, |stream| {
            stream.reader.is_busy() || stream.writer.is_busy()
        })
    };
}
