//! The calls of C as native methods of Java, on its own arrays. A call by JNA costs as much as it does to encrypt a small message, and the copies to and
//! from memory that it can use a tenth of what it costs to send a large one.

#![allow(unsafe_code, reason = "raw pointers are what Java passes")]

use std::ffi::{CStr, c_void};
use std::ops::{Deref, DerefMut};
use std::{ptr, slice};

use jni_sys::{
    JNI_ABORT, JNI_ERR, JNI_OK, JNIEnv, JNINativeMethod, jbyteArray, jclass, jint, jlong,
};

use crate::chunks::with;

/// The class whose native methods these are.
const CLASS: &CStr = c"org/hubtls/ffi/Chunks";

/// As long as a record may be: by so much the plaintext may be more than the ciphertext that completes the record.
const RECORD: usize = 18_437;

/// An array that Java gave to a native method, for as long as that runs.
#[derive(Clone, Copy)]
struct Array {
    env: *mut JNIEnv,
    array: jbyteArray,
    len: usize,
}

impl Array {
    /// # Safety
    /// `env` and `array` are those of the native method that runs, and nobody else uses the array for so long.
    unsafe fn new(env: *mut JNIEnv, array: jbyteArray) -> Self {
        let len = if array.is_null() {
            0
        } else {
            // SAFETY: forwarded from the caller; a function of JNI 1.1.
            unsafe { ((**env).v1_1.GetArrayLength)(env, array) }
        };
        let len = usize::try_from(len).unwrap_or(0);
        Self { env, array, len }
    }

    /// A copy of the first `len` bytes.
    fn copied(self, len: usize) -> Vec<u8> {
        let mut bytes = vec![0_u8; len.min(self.len)];
        // SAFETY: `new` was promised what this needs; both have that many bytes. A function of JNI 1.1.
        unsafe {
            let data = bytes.as_mut_ptr().cast();
            ((**self.env).v1_1.GetByteArrayRegion)(self.env, self.array, 0, int(bytes.len()), data);
        }
        bytes
    }

    /// Writes `bytes` to the beginning.
    fn put(self, bytes: &[u8]) {
        let bytes = &bytes[..bytes.len().min(self.len)];
        // SAFETY: as in `copied`.
        unsafe {
            let data = bytes.as_ptr().cast();
            ((**self.env).v1_1.SetByteArrayRegion)(self.env, self.array, 0, int(bytes.len()), data);
        }
    }

    /// `len` bytes from `start` on, or as many as there are, where Java has them.
    ///
    /// # Safety
    /// Until they are dropped no function of JNI is called but this one, and nothing waits for another thread: Java does not collect garbage for so long.
    /// Two of them have no byte in common.
    unsafe fn bytes(self, start: usize, len: usize, mode: jint) -> Bytes {
        let start = start.min(self.len);
        let mut len = len.min(self.len - start);
        let mut base = ptr::null_mut();
        if len > 0 {
            // SAFETY: forwarded from the caller, and `new` was promised the rest; a function of JNI 1.2.
            base = unsafe {
                ((**self.env).v1_2.GetPrimitiveArrayCritical)(self.env, self.array, ptr::null_mut())
            };
        }
        if base.is_null() {
            len = 0;
        }
        Bytes {
            array: self,
            base,
            start,
            len,
            mode,
        }
    }
}

/// Bytes of an array in Java's heap.
struct Bytes {
    array: Array,
    base: *mut c_void,
    start: usize,
    len: usize,
    mode: jint,
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        if self.base.is_null() {
            return &[];
        }
        // SAFETY: `start` and `len` lie in the array, which stays where it is until it is released.
        unsafe { slice::from_raw_parts(self.base.cast::<u8>().add(self.start), self.len) }
    }
}

impl DerefMut for Bytes {
    fn deref_mut(&mut self) -> &mut [u8] {
        if self.base.is_null() {
            return &mut [];
        }
        // SAFETY: as in `deref`; nobody else has these bytes.
        unsafe { slice::from_raw_parts_mut(self.base.cast::<u8>().add(self.start), self.len) }
    }
}

impl Drop for Bytes {
    fn drop(&mut self) {
        if self.base.is_null() {
            return;
        }
        let Array { env, array, .. } = self.array;
        // SAFETY: it was got and is released once.
        unsafe { ((**env).v1_2.ReleasePrimitiveArrayCritical)(env, array, self.base, self.mode) }
    }
}

fn int(number: usize) -> jint {
    jint::try_from(number).unwrap_or(jint::MAX)
}

fn size(number: jint) -> usize {
    usize::try_from(number).unwrap_or(0)
}

/// `feed(long engine, byte[] ciphertext, int len, byte[] output)`
unsafe extern "system" fn feed(
    env: *mut JNIEnv,
    _: jclass,
    engine: jlong,
    ciphertext: jbyteArray,
    len: jint,
    output: jbyteArray,
) -> jlong {
    let len = size(len);
    // SAFETY: Java calls this.
    let (ciphertext, output) = unsafe { (Array::new(env, ciphertext), Array::new(env, output)) };
    with(engine, |engine| {
        engine.stating(|inner| {
            if inner.is_handshaking() {
                // A signer may call Java, and wait.
                let mut plaintext = vec![0; output.len.min(len + RECORD)];
                let state = inner.feed(&mut ciphertext.copied(len), &mut plaintext);
                output.put(&plaintext[..state.bytes()]);
                return state;
            }
            // SAFETY: decrypting calls nothing of Java's, and the lock was taken before. They are two arrays.
            let (mut ciphertext, mut output) =
                unsafe { (ciphertext.bytes(0, len, 0), output.bytes(0, output.len, 0)) };
            inner.feed(&mut ciphertext, &mut output)
        })
    })
}

/// `encrypt(long engine, byte[] plaintext, int start, int len, byte[] output)`
unsafe extern "system" fn encrypt(
    env: *mut JNIEnv,
    _: jclass,
    engine: jlong,
    plaintext: jbyteArray,
    start: jint,
    len: jint,
    output: jbyteArray,
) -> jlong {
    // SAFETY: Java calls this.
    let (plaintext, output) = unsafe { (Array::new(env, plaintext), Array::new(env, output)) };
    with(engine, |engine| {
        engine.stating(|inner| {
            // SAFETY: encrypting calls nothing of Java's, and the lock was taken before. They are two arrays. A user who changes the plaintext meanwhile
            // sends a mixture, as with Java's own sockets: it is copied once, at its length, before anything is done with it.
            let (plaintext, mut output) = unsafe {
                let plaintext = plaintext.bytes(size(start), size(len), JNI_ABORT);
                (plaintext, output.bytes(0, output.len, 0))
            };
            inner.encrypt(&plaintext, &mut output)
        })
    })
}

/// `outgoing(long engine, byte[] output)`
unsafe extern "system" fn outgoing(
    env: *mut JNIEnv,
    _: jclass,
    engine: jlong,
    output: jbyteArray,
) -> jlong {
    // SAFETY: Java calls this.
    let output = unsafe { Array::new(env, output) };
    with(engine, |engine| {
        engine.stating(|inner| {
            // SAFETY: this only copies, and the lock was taken before.
            let mut output = unsafe { output.bytes(0, output.len, 0) };
            inner.outgoing(&mut output)
        })
    })
}

/// Makes these the native methods of `org.hubtls.ffi.Chunks` as the calling class sees it. Returns `JNI_OK`, or a negative number if there is no such class
/// or it has other methods: then an exception is pending in Java.
///
/// # Safety
/// `env` is what Java gave to the native method that calls this, or NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn hubtls_jni_register(env: *mut JNIEnv) -> jint {
    let methods = [
        (c"feed", c"(J[BI[B)J", feed as *mut c_void),
        (c"encrypt", c"(J[BII[B)J", encrypt as *mut c_void),
        (c"outgoing", c"(J[B)J", outgoing as *mut c_void),
    ]
    .map(|(name, signature, function)| JNINativeMethod {
        name: name.as_ptr().cast_mut(),
        signature: signature.as_ptr().cast_mut(),
        fnPtr: function,
    });
    if env.is_null() {
        return JNI_ERR;
    }
    // SAFETY: functions of JNI 1.1. Names, signatures and functions outlive the call, and Java does not change them.
    unsafe {
        let table = &(**env).v1_1;
        let class = (table.FindClass)(env, CLASS.as_ptr());
        if class.is_null()
            || (table.RegisterNatives)(env, class, methods.as_ptr(), int(methods.len())) != JNI_OK
        {
            return JNI_ERR;
        }
    }
    JNI_OK
}
