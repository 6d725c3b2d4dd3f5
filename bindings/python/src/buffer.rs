//! Bytes that Python lends: `bytes` as they are, other buffers by copies of a record at a time.

use pyo3::buffer::PyBuffer;
use pyo3::exceptions::{PyBufferError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyMemoryView, PySlice};

/// Bytes to be read. Only `bytes` are immutable, so only they can be lent to Rust without a copy.
pub(crate) enum Input<'py> {
    Bytes(Bound<'py, PyBytes>),
    View(View<'py>),
}

impl<'py> Input<'py> {
    pub(crate) fn of(object: &Bound<'py, PyAny>) -> PyResult<Self> {
        if let Ok(bytes) = object.cast::<PyBytes>() {
            return Ok(Self::Bytes(bytes.clone()));
        }
        View::of(object).map(Self::View)
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.as_bytes().len(),
            Self::View(view) => view.len,
        }
    }

    /// The bytes from `from` on: those of `bytes` as they lie, at most `most` of another buffer by way of `scratch`.
    pub(crate) fn part<'a>(
        &'a self,
        from: usize,
        most: usize,
        scratch: &'a mut Vec<u8>,
    ) -> PyResult<&'a [u8]> {
        match self {
            Self::Bytes(bytes) => Ok(&bytes.as_bytes()[from..]),
            Self::View(view) => {
                let buffer = view.part(from, view.len.min(from.saturating_add(most)))?;
                scratch.resize(buffer.item_count(), 0);
                buffer.copy_to_slice(view.py(), scratch)?;
                Ok(scratch)
            }
        }
    }

    /// All of it, by a copy.
    pub(crate) fn to_vec(&self) -> PyResult<Vec<u8>> {
        let mut copy = Vec::new();
        Ok(self.part(0, usize::MAX, &mut copy)?.to_vec())
    }
}

/// A buffer that Python reads results from.
pub(crate) struct Output<'py>(View<'py>);

impl<'py> Output<'py> {
    pub(crate) fn of(object: &Bound<'py, PyAny>) -> PyResult<Self> {
        let view = View::of(object)?;
        if view.buffer.readonly() {
            return Err(PyTypeError::new_err(
                "a read-write bytes-like object is required: this one is read-only",
            ));
        }
        Ok(Self(view))
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len
    }

    /// Writes `data`, which must fit, at the beginning.
    pub(crate) fn put(&self, data: &[u8]) -> PyResult<()> {
        self.0
            .part(0, data.len())?
            .copy_from_slice(self.0.py(), data)
    }
}

/// Any contiguous buffer, seen as bytes.
pub(crate) struct View<'py> {
    object: Bound<'py, PyAny>,
    buffer: PyBuffer<u8>,
    len: usize,
}

impl<'py> View<'py> {
    fn of(object: &Bound<'py, PyAny>) -> PyResult<Self> {
        let mut object = object.clone();
        let buffer = match PyBuffer::<u8>::get(&object) {
            Ok(buffer) if buffer.dimensions() == 1 && buffer.is_c_contiguous() => buffer,
            _ => {
                let view = PyMemoryView::from(&object)?;
                if !view.getattr("c_contiguous")?.is_truthy()? {
                    return Err(PyBufferError::new_err(
                        "memoryview: underlying buffer is not C-contiguous",
                    ));
                }
                object = view.call_method1("cast", ("B",))?;
                PyBuffer::get(&object)?
            }
        };
        let len = buffer.item_count();
        Ok(Self {
            object,
            buffer,
            len,
        })
    }

    fn py(&self) -> Python<'py> {
        self.object.py()
    }

    fn part(&self, from: usize, to: usize) -> PyResult<PyBuffer<u8>> {
        if from == 0 && to == self.len {
            return PyBuffer::get(&self.object);
        }
        let ends = PySlice::new(self.py(), from.cast_signed(), to.cast_signed(), 1);
        PyBuffer::get(&PyMemoryView::from(&self.object)?.get_item(ends)?)
    }
}
