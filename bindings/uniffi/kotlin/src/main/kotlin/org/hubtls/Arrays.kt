package org.hubtls

import java.util.concurrent.atomic.AtomicReferenceArray

/** Arrays for ciphertext on its way out and for plaintext, that were used and will be again. */
internal object Arrays {
    /** What is encrypted or decrypted at once, at most. */
    const val PIECE = 65_536

    /** What each has: room for a piece in records of 512 bytes, or for one with the beginning of a record before it, and what else waits. */
    const val SIZE = 98_304

    /** As many as there are calls at once on most machines, a power of two. */
    private val places = Integer.highestOneBit(4 * Runtime.getRuntime().availableProcessors() - 1)
    private val spare = AtomicReferenceArray<ByteArray>(places)

    fun take(): ByteArray {
        val first = first()
        for (place in 0 until places) spare.getAndSet(first xor place, null)?.let { return it }
        return ByteArray(SIZE)
    }

    fun give(array: ByteArray) {
        val first = first()
        for (place in 0 until places) if (spare.compareAndSet(first xor place, null, array)) return
    }

    /** Each thread looks first where it may have left one. */
    private fun first() = Thread.currentThread().id.toInt() and (places - 1)
}
