package org.hubtls.ffi

import com.sun.jna.Native
import com.sun.jna.Pointer

/** The functions of C that carry bytes. Each returns a number of bytes in its lower 31 bits, and flags. */
@Suppress("FunctionName")
internal object Chunks {
    /** The handshake goes on. */
    const val HANDSHAKING = 1L shl 32

    /** Ciphertext waits for the transport. */
    const val TRANSMIT = 1L shl 33

    /** The peer has finished. */
    const val ENDED = 1L shl 34

    /** The connection has failed, after these bytes: send what waits, and let [Engine.fail] throw. */
    const val FAILED = 1L shl 35

    /** More plaintext waits: feed again, with nothing. */
    const val MORE = 1L shl 36

    /** Not all was done: send what came of it, and let [Engine.refuse] throw. */
    const val REFUSED = 1L shl 37

    /** The engine was closed. */
    const val GONE = 1L shl 38

    init {
        Native.register(
            Chunks::class.java,
            System.getProperty("uniffi.component.hubtls_uniffi.libraryOverride") ?: "hubtls_uniffi",
        )
    }

    /** The number of bytes. */
    fun bytes(state: Long): Int = (state and 0x7FFF_FFFF).toInt()

    /** Decrypts [len] bytes, which are overwritten, into [output]. */
    @JvmStatic
    external fun hubtls_engine_feed(engine: Long, ciphertext: Pointer?, len: Int, output: Pointer?, capacity: Int): Long

    /** Encrypts all of [len] bytes into [output], which has room for 96 bytes more for each record, 256, and what waits. */
    @JvmStatic
    external fun hubtls_engine_encrypt(engine: Long, plaintext: Pointer?, len: Int, output: Pointer?, capacity: Int): Long

    /** Moves ciphertext that waits to [output]. */
    @JvmStatic
    external fun hubtls_engine_outgoing(engine: Long, output: Pointer?, capacity: Int): Long
}
