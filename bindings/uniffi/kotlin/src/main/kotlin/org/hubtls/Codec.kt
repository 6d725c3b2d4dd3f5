package org.hubtls

import com.sun.jna.Pointer
import java.net.SocketException
import org.hubtls.ffi.Chunks
import org.hubtls.ffi.Engine

/**
 * The engine of one connection, and the plaintext that nobody has read yet.
 *
 * One thread may [decrypt] while another one [encrypt]s; each of the two is for one thread at a time.
 */
internal class Codec(config: Config, serverName: String) {
    private val engine = calling { Engine(config.beneath, serverName) }
    private val number = engine.number()

    private var plain = EMPTY
    private var start = 0
    private var end = 0

    @Volatile
    var isHandshaking = true
        private set

    /** Whether the peer has finished, after what is [available]. */
    @Volatile
    var isEnded = false
        private set

    /** Whether something waits for the transport. */
    @Volatile
    var wantsTransmit = true
        private set

    /** What ended the connection, after what is [available]. */
    @Volatile
    var failure: HubTlsException? = null
        private set

    @Volatile
    private var agreed: Negotiated? = null

    /** Plaintext that can be taken at once. */
    val available: Int get() = end - start

    /** What was agreed; null before that, and after [close] if nobody had asked before. */
    val negotiated: Negotiated?
        get() {
            if (isHandshaking) return null
            agreed?.let { return it }
            return try {
                asking { Negotiated(negotiated()) }.also { agreed = it }
            } catch (_: SocketException) {
                null
            }
        }

    /** Takes plaintext. */
    fun take(target: ByteArray, offset: Int, length: Int): Int {
        val count = minOf(length, available)
        System.arraycopy(plain, start, target, offset, count)
        start += count
        if (start == end) hold(EMPTY, 0)
        return count
    }

    /** Decrypts, and gives plaintext to [target] as far as it fits and nothing waits before it; the number of bytes that it got. */
    fun decrypt(ciphertext: ByteArray, count: Int, target: ByteArray, offset: Int, length: Int): Int =
        Scratch.lent { scratch ->
            scratch.input.clear()
            scratch.input.put(ciphertext, 0, count)
            var given = 0
            var state = Chunks.hubtls_engine_feed(number, scratch.inputPointer, count, scratch.outputPointer, Scratch.OUTPUT)
            while (true) {
                noteOpen(state)
                given += keep(scratch, Chunks.bytes(state), target, offset + given, length - given)
                if (state and Chunks.MORE == 0L) break
                state = Chunks.hubtls_engine_feed(number, Pointer.NULL, 0, scratch.outputPointer, Scratch.OUTPUT)
            }
            note(state)
            given
        }

    private fun keep(scratch: Scratch, count: Int, target: ByteArray, offset: Int, length: Int): Int {
        if (count == 0) return 0
        scratch.output.clear()
        val given = if (available > 0) 0 else minOf(count, length)
        if (given > 0) scratch.output.get(target, offset, given)
        if (given < count) {
            val waiting = available
            val needed = waiting + count - given
            // Much is read soon, and little may lie for long.
            val more = if (needed in LARGE..Scratch.OUTPUT) Arrays.take() else ByteArray(needed)
            System.arraycopy(plain, start, more, 0, waiting)
            scratch.output.get(more, waiting, count - given)
            hold(more, needed)
        }
        return given
    }

    private fun hold(array: ByteArray, count: Int) {
        if (plain.size == Scratch.OUTPUT) Arrays.give(plain)
        plain = array
        start = 0
        end = count
    }

    /** The transport has ended: [isEnded], or a [failure]. */
    fun endOfTransport() {
        if (isEnded || failure != null) return
        try {
            asking { feedEnd() }
            isEnded = true
        } catch (error: HubTlsException) {
            failure = error
        }
    }

    /** Encrypts all of it behind what waits, into [target], which has room for [Scratch.OUTPUT]. */
    fun encrypt(plaintext: ByteArray, offset: Int, length: Int, target: ByteArray): Int =
        Scratch.lent { scratch ->
            scratch.input.clear()
            scratch.input.put(plaintext, offset, length)
            wantsTransmit = false
            outwards(scratch, target) { Chunks.hubtls_engine_encrypt(number, scratch.inputPointer, length, scratch.outputPointer, Scratch.OUTPUT) }
        }

    /** Moves what waits for the transport to [target]. */
    fun outgoing(target: ByteArray): Int =
        Scratch.lent { scratch ->
            wantsTransmit = false
            outwards(scratch, target) { Chunks.hubtls_engine_outgoing(number, scratch.outputPointer, Scratch.OUTPUT) }
        }

    /** Throws why the last [encrypt] did not do all. */
    fun refuse() = asking { refuse() }

    /** Whether the last call did not do all: send what came of it and [refuse]. */
    @Volatile
    var isRefused = false
        private set

    private inline fun outwards(scratch: Scratch, target: ByteArray, call: () -> Long): Int {
        // Before the call: what a reader notes meanwhile is not to be forgotten.
        wantsTransmit = false
        val state = call()
        noteOpen(state)
        val count = Chunks.bytes(state)
        scratch.output.clear()
        scratch.output.get(target, 0, count)
        // It was cleared before the call: what another thread has decrypted since may want it again.
        if (state and Chunks.TRANSMIT != 0L) wantsTransmit = true
        isRefused = state and Chunks.REFUSED != 0L
        return count
    }

    private fun noteOpen(state: Long) {
        if (state and Chunks.GONE != 0L) throw closed()
    }

    private fun note(state: Long) {
        if (state and Chunks.TRANSMIT != 0L) wantsTransmit = true
        if (state and Chunks.REFUSED != 0L) asking { refuse() }
        if (state and Chunks.FAILED != 0L && failure == null) {
            try {
                asking { fail() }
            } catch (error: HubTlsException) {
                failure = error
            }
        }
        if (state and Chunks.ENDED != 0L) isEnded = true
        if (state and Chunks.HANDSHAKING == 0L && failure == null) isHandshaking = false
    }

    /** Queues close_notify. */
    fun finish() {
        asking { finish() }
        wantsTransmit = true
    }

    /** Frees the engine. */
    fun close() = engine.close()

    /** A closed engine is a closed socket. */
    private inline fun <T> asking(work: Engine.() -> T): T =
        try {
            calling { engine.work() }
        } catch (_: IllegalStateException) {
            throw closed()
        }

    companion object {
        private val EMPTY = ByteArray(0)
        private const val LARGE = 16_384

        fun closed() = SocketException("Socket closed")
    }
}
