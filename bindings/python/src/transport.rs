//! What an engine sends through and receives from: a socket, or a pair of `ssl.MemoryBIO`.

use pyo3::exceptions::{PyBlockingIOError, PyTimeoutError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyWeakrefMethods, PyWeakrefReference};

/// Enough for three whole records.
const CHUNK: usize = 65_536;

/// What waits, and so which of `ssl.SSLWantReadError` and `ssl.SSLWantWriteError` it is.
#[derive(Clone, Copy)]
enum Direction {
    Read,
    Write,
}

pub(crate) enum Transport {
    /// The socket that owns the engine: a strong reference would keep both alive until the garbage is collected.
    Socket(Py<PyWeakrefReference>),
    Memory {
        incoming: Py<PyAny>,
        outgoing: Py<PyAny>,
    },
}

/// The methods of `_socket.socket`, beneath those that `ssl.SSLSocket` overrides.
struct Methods {
    recv: Py<PyAny>,
    send: Py<PyAny>,
}

fn methods(py: Python<'_>) -> PyResult<&Methods> {
    static METHODS: PyOnceLock<Methods> = PyOnceLock::new();
    METHODS.get_or_try_init(py, || {
        let socket = py.import("_socket")?.getattr("socket")?;
        Ok(Methods {
            recv: socket.getattr("recv")?.unbind(),
            send: socket.getattr("send")?.unbind(),
        })
    })
}

impl Transport {
    pub(crate) fn of_socket(socket: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self::Socket(PyWeakrefReference::new(socket)?.unbind()))
    }

    fn socket<'py>(py: Python<'py>, weak: &Py<PyWeakrefReference>) -> PyResult<Bound<'py, PyAny>> {
        weak.bind(py).upgrade().ok_or_else(|| {
            pyo3::exceptions::PyOSError::new_err((9, "the socket of this connection is gone"))
        })
    }

    /// What has arrived: at least a byte, or none at the end.
    pub(crate) fn receive<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let received = match self {
            Self::Socket(weak) => {
                let socket = Self::socket(py, weak)?;
                let recv = methods(py)?.recv.bind(py);
                recv.call1((socket, CHUNK))
                    .map_err(|error| waiting(py, error, Direction::Read))?
            }
            Self::Memory { incoming, .. } => {
                let incoming = incoming.bind(py);
                let received = incoming.call_method1(pyo3::intern!(py, "read"), (CHUNK,))?;
                if received.len()? == 0
                    && !incoming.getattr(pyo3::intern!(py, "eof"))?.is_truthy()?
                {
                    return Err(want(py, Direction::Read));
                }
                received
            }
        };
        Ok(received.cast_into()?)
    }

    /// Sends a part of `data`, at least a byte, and says how much.
    pub(crate) fn send(&self, py: Python<'_>, data: &Bound<'_, PyBytes>) -> PyResult<usize> {
        let sent = match self {
            Self::Socket(weak) => {
                let socket = Self::socket(py, weak)?;
                let send = methods(py)?.send.bind(py);
                send.call1((socket, data))
                    .map_err(|error| waiting(py, error, Direction::Write))?
            }
            Self::Memory { outgoing, .. } => outgoing
                .bind(py)
                .call_method1(pyo3::intern!(py, "write"), (data,))?,
        };
        sent.extract()
    }

    /// The socket's time limit in seconds.
    pub(crate) fn timeout(&self, py: Python<'_>) -> PyResult<Option<f64>> {
        match self {
            Self::Socket(weak) => Self::socket(py, weak)?
                .call_method0(pyo3::intern!(py, "gettimeout"))?
                .extract(),
            Self::Memory { .. } => Ok(None),
        }
    }

    /// Whether a socket has something to receive: never waits.
    pub(crate) fn has_arrived(&self, py: Python<'_>) -> PyResult<bool> {
        let Self::Socket(weak) = self else {
            return Ok(false);
        };
        let select = py.import("select")?;
        let poll = select.getattr("poll")?.call0()?;
        let readable = select.getattr("POLLIN")?;
        poll.call_method1("register", (Self::socket(py, weak)?, readable))?;
        Ok(poll.call_method1("poll", (0,))?.len()? > 0)
    }
}

static WANT_READ: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
static WANT_WRITE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();

/// `ssl.SSLWantReadError` or `ssl.SSLWantWriteError`, with the arguments that they have in `ssl`.
fn want(py: Python<'_>, direction: Direction) -> PyErr {
    let (class, arguments) = match direction {
        Direction::Read => (
            WANT_READ.import(py, "ssl", "SSLWantReadError"),
            (2, "The operation did not complete (read)"),
        ),
        Direction::Write => (
            WANT_WRITE.import(py, "ssl", "SSLWantWriteError"),
            (3, "The operation did not complete (write)"),
        ),
    };
    match class.and_then(|class| class.call1(arguments)) {
        Ok(error) => PyErr::from_value(error),
        Err(error) => error,
    }
}

/// Whether it is one of these two.
pub(crate) fn is_want(py: Python<'_>, error: &PyErr) -> bool {
    [&WANT_READ, &WANT_WRITE]
        .into_iter()
        .filter_map(|class| class.get(py))
        .any(|class| error.is_instance(py, class.bind(py)))
}

fn waiting(py: Python<'_>, error: PyErr, direction: Direction) -> PyErr {
    if error.is_instance_of::<PyBlockingIOError>(py) {
        return want(py, direction);
    }
    error
}

/// The time limit has passed, in the words of `ssl`.
pub(crate) fn timed_out(what: &str) -> PyErr {
    PyTimeoutError::new_err(format!("The {what} operation timed out"))
}
