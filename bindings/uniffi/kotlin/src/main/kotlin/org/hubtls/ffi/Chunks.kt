package org.hubtls.ffi

import com.sun.jna.JNIEnv
import com.sun.jna.Native
import org.hubtls.Library

/**
 * The functions that carry bytes, native methods of Java: a call by JNA costs as much as it does to encrypt a small message. Each returns a number of
 * bytes in its lower 31 bits, and flags.
 */
internal object Chunks {
    /** The handshake goes on. */
    const val HANDSHAKING = 1L shl 32

    /** Ciphertext waits for the transport. */
    const val TRANSMIT = 1L shl 33

    /** The peer has finished. */
    const val ENDED = 1L shl 34

    /** The connection has failed, after these bytes: send what waits, and let [Engine.fail] throw. */
    const val FAILED = 1L shl 35

    /** More plaintext waits than there was room for; not with an [org.hubtls.Arrays], which has room for all. */
    const val MORE = 1L shl 36

    /** Not all was done: send what came of it, and let [Engine.refuse] throw. */
    const val REFUSED = 1L shl 37

    /** The engine was closed. */
    const val GONE = 1L shl 38

    init {
        Native.register(Registrar::class.java, Library.name)
        if (Registrar.hubtls_jni_register(JNIEnv.CURRENT) != 0) throw UnsatisfiedLinkError("the native methods of $javaClass are others")
    }

    /** The number of bytes. */
    fun bytes(state: Long): Int = (state and 0x7FFF_FFFF).toInt()

    /** Decrypts [len] bytes, which are overwritten, into [output], which has room for them and a record. */
    @JvmStatic
    external fun feed(engine: Long, ciphertext: ByteArray, len: Int, output: ByteArray): Long

    /** Encrypts [len] bytes from [start] on into [output], which has room for 96 bytes more for each record, 256, and what waits. */
    @JvmStatic
    external fun encrypt(engine: Long, plaintext: ByteArray, start: Int, len: Int, output: ByteArray): Long

    /** Moves ciphertext that waits to [output]. */
    @JvmStatic
    external fun outgoing(engine: Long, output: ByteArray): Long
}

/** What JNA calls, once, for Java to find the native methods of [Chunks]: the library is JNA's, not loaded by a class of ours. */
private object Registrar {
    @JvmStatic
    @Suppress("FunctionName")
    external fun hubtls_jni_register(env: JNIEnv): Int
}
