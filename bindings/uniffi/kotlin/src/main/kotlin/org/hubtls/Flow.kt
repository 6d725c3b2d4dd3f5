package org.hubtls

import java.io.IOException
import java.net.Socket
import java.net.SocketException
import java.net.SocketTimeoutException
import java.util.concurrent.locks.ReentrantLock
import kotlin.concurrent.withLock

/** Bytes between a socket and the engine. A reader never waits for a writer: what it has to send goes out behind the writer's bytes. */
internal class Flow(val codec: Codec, private val socket: Socket) {
    /** Of its own: who waits for the handshake must not wait for the read that comes after it. */
    private val shaking = ReentrantLock()
    private val reading = ReentrantLock()
    private val writing = ReentrantLock()
    private val source = socket.getInputStream()
    private val sink = socket.getOutputStream()

    /** How much is asked of the socket at once: grows while more comes, since an idle connection holds as much. */
    private var ciphertext = ByteArray(SMALL)
    private var sparse = 0

    /** The user's time limit for a read, and the shorter one that the handshake has set instead; under [reading]. */
    private var userTimeout = 0
    private var shortened = -1

    /** Set before the socket's input is ended by the user, which is nothing that the peer has cut: writing goes on. */
    @Volatile
    var isInputShut = false

    /** A handshake whose time was up is not gone on with. */
    private var late: HubTlsException? = null

    /** True if it did it, false if it was done. */
    fun handshake(timeout: Int, autoClose: Boolean): Boolean {
        if (shaking.isHeldByCurrentThread) throw HubTlsException.inUse()
        if (isShaken()) return false
        return shaking.withLock { !isShaken() && reading.withLock { shake(timeout, autoClose) } }
    }

    private fun isShaken(): Boolean {
        codec.failure?.let { throw it.again() }
        return !codec.isHandshaking
    }

    private fun shake(timeout: Int, autoClose: Boolean): Boolean {
        late?.let { throw it.again() }
        val deadline = System.nanoTime() + timeout * 1_000_000L
        try {
            transmit()
            while (codec.isHandshaking) {
                if (timeout > 0) shorten(deadline, timeout)
                try {
                    step(NOTHING, 0, 0)
                } catch (error: SocketTimeoutException) {
                    // The user's own time limit is told in Java's own way.
                    if (userTimeout in 1..timeout || timeout == 0) throw error
                    throw HubTlsException.timedOut("the handshake", timeout, error)
                }
                codec.failure?.let { throw it.again() }
            }
        } catch (error: SocketTimeoutException) {
            // It can be gone on with.
            throw error
        } catch (error: IOException) {
            if (error is HubTlsException && codec.failure == null) late = error
            // As JSSE does: many a caller forgets the socket.
            if (autoClose) abandon()
            throw error
        } finally {
            lengthen()
        }
        return true
    }

    private fun shorten(deadline: Long, timeout: Int) {
        val left = (deadline - System.nanoTime()) / 1_000_000
        if (left <= 0) throw HubTlsException.timedOut("the handshake", timeout)
        val now = socket.soTimeout
        // The user may set it meanwhile.
        if (now != shortened) userTimeout = now
        shortened = if (userTimeout > 0) minOf(userTimeout, left.toInt()) else left.toInt()
        socket.soTimeout = shortened
    }

    private fun lengthen() {
        if (shortened >= 0) quietly { if (socket.soTimeout == shortened) socket.soTimeout = userTimeout }
        shortened = -1
    }

    private fun abandon() {
        // What was said, an alert, leaves before the end.
        quietly { socket.shutdownOutput() }
        discard()
        quietly { socket.close() }
    }

    /**
     * Takes what has come and nobody will read, session tickets for instance: closing a socket in which something lies resets the connection, and what
     * was written last is lost.
     */
    fun discard() {
        if (!reading.tryLock()) return
        try {
            var rest = MOST_DISCARDED
            while (rest > 0 && source.available() > 0) rest -= maxOf(1, source.read(ciphertext))
        } catch (_: IOException) {
            // The peer may be gone.
        } finally {
            reading.unlock()
        }
    }

    /** At least one byte; -1 when the peer has finished. */
    fun read(target: ByteArray, offset: Int, length: Int): Int =
        reading.withLock {
            while (true) {
                if (codec.available > 0) return codec.take(target, offset, length)
                codec.failure?.let { throw it.again() }
                if (codec.isEnded) return -1
                val count = step(target, offset, length)
                if (count != 0) return count
            }
            @Suppress("UNREACHABLE_CODE")
            -1
        }

    /** Reads once from the socket and decrypts; the number of bytes for [target], -1 if the user wants no more. */
    private fun step(target: ByteArray, offset: Int, length: Int): Int {
        val count = source.read(ciphertext)
        if (count < 0) {
            if (isInputShut && !codec.isHandshaking) return -1
            codec.endOfTransport()
            return 0
        }
        val shaking = codec.isHandshaking
        val given = codec.decrypt(ciphertext, count, target, offset, length)
        if (codec.wantsTransmit) answer(shaking)
        resize(count)
        return given
    }

    /** After the handshake, or once it has failed, what was decrypted counts: that nobody listens any more is the next writer's trouble. */
    private fun answer(shaking: Boolean) {
        try {
            transmit()
        } catch (error: IOException) {
            if (shaking && codec.failure == null) throw error
        }
    }

    private fun resize(count: Int) {
        if (count == ciphertext.size) {
            sparse = 0
            if (count < Arrays.PIECE) ciphertext = ByteArray(count * 4)
        } else if (count > ciphertext.size / 16 || ciphertext.size == SMALL) {
            sparse = 0
        } else if (++sparse > 8) {
            ciphertext = ByteArray(SMALL)
            sparse = 0
        }
    }

    /** All of it. */
    fun write(source: ByteArray, offset: Int, length: Int) {
        writing.withLock {
            val encrypted = Arrays.take()
            try {
                var done = 0
                while (done < length) {
                    val piece = minOf(length - done, Arrays.PIECE)
                    val count = codec.encrypt(source, offset + done, piece, encrypted)
                    send(encrypted, count)
                    if (codec.isRefused) codec.refuse()
                    done += piece
                }
            } finally {
                Arrays.give(encrypted)
            }
        }
        if (codec.wantsTransmit) transmit()
    }

    private fun send(bytes: ByteArray, count: Int) {
        try {
            sink.write(bytes, 0, count)
        } catch (error: SocketException) {
            throw explained(error)
        }
    }

    /** A server that refuses a client certificate of TLS 1.3 says so and closes: the write fails, and the reason can still be read. */
    private fun explained(error: SocketException): IOException {
        if (socket.isClosed || !reading.tryLock()) return error
        try {
            val deadline = System.nanoTime() + WORDS * 1_000_000L
            try {
                while (codec.failure == null && !codec.isEnded) {
                    shorten(deadline, WORDS)
                    val count = source.read(ciphertext)
                    if (count < 0) break
                    codec.decrypt(ciphertext, count, NOTHING, 0, 0)
                }
            } finally {
                lengthen()
            }
        } catch (_: IOException) {
            // Nothing was said.
        } finally {
            reading.unlock()
        }
        return codec.failure?.again()?.apply { addSuppressed(error) } ?: error
    }

    /** Sends what the engine has to say; if a writer is at work, that will. */
    private fun transmit() {
        while (codec.wantsTransmit && writing.tryLock()) {
            try {
                flush()
            } finally {
                writing.unlock()
            }
        }
    }

    private fun flush() {
        val encrypted = Arrays.take()
        try {
            do {
                val count = codec.outgoing(encrypted)
                if (count > 0) send(encrypted, count)
            } while (codec.wantsTransmit)
        } finally {
            Arrays.give(encrypted)
        }
    }

    /** Sends close_notify. */
    fun finish() {
        writing.withLock {
            codec.finish()
            flush()
        }
        if (codec.wantsTransmit) transmit()
    }

    /** Sends close_notify if that is possible without waiting for another thread. */
    fun farewell() {
        // In the handshake a signer may hold the engine up, and there is nothing to say.
        if (codec.isHandshaking || codec.failure != null || !writing.tryLock()) return
        try {
            codec.finish()
            flush()
        } catch (_: IOException) {
            // The peer may be gone.
        } finally {
            writing.unlock()
        }
    }

    /** Reads until the peer finishes too, so that another protocol can go on with the socket; gives up after a while. */
    fun drain() {
        if (codec.isHandshaking || codec.failure != null || !reading.tryLock()) return
        try {
            val deadline = System.nanoTime() + PATIENCE * 1_000_000L
            val rest = ByteArray(SMALL)
            try {
                while (!codec.isEnded && codec.failure == null) {
                    shorten(deadline, PATIENCE)
                    if (step(rest, 0, rest.size) < 0) break
                    // A peer that goes on sending fills no memory.
                    while (codec.available > 0) codec.take(rest, 0, rest.size)
                }
            } finally {
                lengthen()
            }
        } catch (_: IOException) {
            // It does not finish.
        } finally {
            reading.unlock()
        }
    }

    private inline fun quietly(work: () -> Unit) {
        try {
            work()
        } catch (_: IOException) {
            // It is closed already.
        }
    }

    private companion object {
        val NOTHING = ByteArray(0)
        const val SMALL = 4_096

        /** Bytes that are read in vain when a socket is closed, at most. */
        const val MOST_DISCARDED = 1_048_576

        /** Milliseconds that a peer's last words are waited for. */
        const val WORDS = 500

        /** Milliseconds that a peer's close_notify is waited for. */
        const val PATIENCE = 10_000
    }
}
