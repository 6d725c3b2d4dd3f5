package org.hubtls

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
        if (start == end) hold(EMPTY, 0, 0)
        return count
    }

    /**
     * Decrypts, which overwrites [ciphertext], and gives plaintext to [target] as far as it fits and nothing waits before it; the number of bytes that it
     * got.
     */
    fun decrypt(ciphertext: ByteArray, count: Int, target: ByteArray, offset: Int, length: Int): Int {
        val decrypted = Arrays.take()
        val state = Chunks.feed(number, ciphertext, count, decrypted)
        noteOpen(state)
        val bytes = Chunks.bytes(state)
        val given = if (available > 0) 0 else minOf(bytes, length)
        System.arraycopy(decrypted, 0, target, offset, given)
        keep(decrypted, given, bytes)
        note(state)
        return given
    }

    /** Keeps what [decrypted] holds from [from] to [until], behind what waits. Much is read soon, and little may lie for long. */
    private fun keep(decrypted: ByteArray, from: Int, until: Int) {
        val waiting = available
        val needed = waiting + until - from
        if (waiting == 0 && needed >= LARGE) return hold(decrypted, from, until)
        if (until > from) {
            val more = ByteArray(needed)
            System.arraycopy(plain, start, more, 0, waiting)
            System.arraycopy(decrypted, from, more, waiting, until - from)
            hold(more, 0, needed)
        }
        Arrays.give(decrypted)
    }

    private fun hold(array: ByteArray, from: Int, until: Int) {
        if (plain.size == Arrays.SIZE) Arrays.give(plain)
        plain = array
        start = from
        end = until
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

    /** Encrypts all of it behind what waits, into [target], one of [Arrays]. */
    fun encrypt(plaintext: ByteArray, offset: Int, length: Int, target: ByteArray): Int =
        outwards { Chunks.encrypt(number, plaintext, offset, length, target) }

    /** Moves what waits for the transport to [target]. */
    fun outgoing(target: ByteArray): Int = outwards { Chunks.outgoing(number, target) }

    /** Throws why the last [encrypt] did not do all. */
    fun refuse() = asking { refuse() }

    /** Whether the last call did not do all: send what came of it and [refuse]. */
    @Volatile
    var isRefused = false
        private set

    private inline fun outwards(call: () -> Long): Int {
        // Before the call: what another thread has decrypted since may want it again.
        wantsTransmit = false
        val state = call()
        noteOpen(state)
        if (state and Chunks.TRANSMIT != 0L) wantsTransmit = true
        isRefused = state and Chunks.REFUSED != 0L
        return Chunks.bytes(state)
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
