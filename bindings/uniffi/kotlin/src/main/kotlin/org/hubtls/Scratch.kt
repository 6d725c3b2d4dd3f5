package org.hubtls

import com.sun.jna.Native
import com.sun.jna.Pointer
import java.nio.ByteBuffer
import java.util.concurrent.ArrayBlockingQueue

/** Memory outside Java's heap for one call of C: what goes in and what comes out. */
internal class Scratch private constructor() {
    val input: ByteBuffer = ByteBuffer.allocateDirect(PIECE)
    val output: ByteBuffer = ByteBuffer.allocateDirect(OUTPUT)
    val inputPointer: Pointer = Native.getDirectBufferPointer(input)
    val outputPointer: Pointer = Native.getDirectBufferPointer(output)

    companion object {
        /** What is encrypted or decrypted at once, at most. */
        const val PIECE = 65_536

        /** Room for a piece in records of 512 bytes, or for one with the beginning of a record before it, and what else waits. */
        const val OUTPUT = 98_304

        /** As many as there are calls at once on most machines; they are used for microseconds. */
        private val spare = ArrayBlockingQueue<Scratch>(2 * Runtime.getRuntime().availableProcessors())

        /** Lends one; it is given back before anything blocks. */
        inline fun <T> lent(work: (Scratch) -> T): T {
            val scratch = take()
            try {
                return work(scratch)
            } finally {
                give(scratch)
            }
        }

        fun take(): Scratch = spare.poll() ?: Scratch()

        fun give(scratch: Scratch) {
            spare.offer(scratch)
        }
    }
}

/** Arrays of Java's, [Scratch.OUTPUT] long, for ciphertext on its way out and plaintext that waits. */
internal object Arrays {
    private val spare = ArrayBlockingQueue<ByteArray>(2 * Runtime.getRuntime().availableProcessors())

    fun take(): ByteArray = spare.poll() ?: ByteArray(Scratch.OUTPUT)

    fun give(array: ByteArray) {
        spare.offer(array)
    }
}
