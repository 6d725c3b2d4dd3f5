package org.hubtls

import java.io.IOException
import java.net.InetAddress
import java.net.InetSocketAddress
import java.net.SocketAddress
import java.net.StandardSocketOptions
import java.nio.channels.AsynchronousSocketChannel
import java.util.concurrent.atomic.AtomicBoolean
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeoutOrNull

/**
 * A TLS connection for coroutines: no call blocks a thread. Made by [TlsChannel.connect], with hands shaken.
 *
 * One coroutine may read while another one writes. A [read] that is cancelled, by `withTimeout` say, loses nothing: the next one goes on. A [write] that
 * is cancelled closes the channel, since nobody knows how much of it has left.
 */
class TlsChannel private constructor(private val codec: Codec, private val transport: Transport) : AutoCloseable {
    private val reading = Mutex()
    private val writing = Mutex()
    private val closed = AtomicBoolean(false)

    @Volatile
    private var finished = false

    /** What was agreed. */
    val negotiated: Negotiated by lazy { codec.negotiated ?: throw Codec.closed() }

    /** The server's address. */
    val remoteAddress: SocketAddress? get() = transport.remoteAddress

    /** Whether it was closed. */
    val isClosed: Boolean get() = closed.get()

    /** At least one byte into [target]; -1 when the peer has finished. */
    @Throws(IOException::class)
    suspend fun read(target: ByteArray, offset: Int = 0, length: Int = target.size - offset): Int {
        java.util.Objects.checkFromIndexSize(offset, length, target.size)
        if (length == 0) return 0
        return reading.withLock {
            var count = 0
            while (count == 0) {
                if (closed.get()) throw Codec.closed()
                count =
                    when {
                        codec.available > 0 -> codec.take(target, offset, length)
                        codec.failure != null -> throw codec.failure!!.again()
                        codec.isEnded -> -1
                        else -> step(target, offset, length)
                    }
            }
            count
        }
    }

    private suspend fun step(target: ByteArray, offset: Int, length: Int): Int {
        val count = transport.receive()
        if (count < 0) {
            codec.endOfTransport()
            return 0
        }
        val shaking = codec.isHandshaking
        val given =
            if (shaking) {
                // A signer may block the thread.
                withContext(Dispatchers.IO) { codec.decrypt(transport.received, count, target, offset, length) }
            } else {
                codec.decrypt(transport.received, count, target, offset, length)
            }
        if (codec.wantsTransmit) answer(shaking)
        return given
    }

    /** After the handshake, or once it has failed, what was decrypted counts: that nobody listens any more is the next writer's trouble. */
    private suspend fun answer(shaking: Boolean) {
        try {
            transmit()
        } catch (error: IOException) {
            if (shaking && codec.failure == null) throw lastWords(error)
        }
    }

    /** Writes all of it. */
    @Throws(IOException::class)
    suspend fun write(source: ByteArray, offset: Int = 0, length: Int = source.size - offset) {
        java.util.Objects.checkFromIndexSize(offset, length, source.size)
        writing.withLock {
            if (closed.get()) throw Codec.closed()
            val encrypted = ByteArray(minOf(Arrays.SIZE, length + length / 4 + ROOM))
            var done = 0
            while (done < length) {
                val piece = minOf(length - done, Arrays.PIECE)
                val count = codec.encrypt(source, offset + done, piece, encrypted)
                send(encrypted, count)
                if (codec.isRefused) codec.refuse()
                done += piece
            }
        }
        if (codec.wantsTransmit) transmit()
    }

    private suspend fun send(bytes: ByteArray, count: Int) {
        try {
            closing { transport.send(bytes, count) }
        } catch (error: IOException) {
            throw explained(error)
        }
    }

    /** The transport closes what is cancelled half sent, and all of the channel with it. */
    private inline fun closing(send: () -> Unit) =
        try {
            send()
        } catch (error: CancellationException) {
            close()
            throw error
        }

    private suspend fun explained(error: IOException): IOException {
        if (closed.get() || !reading.tryLock()) return error
        try {
            return lastWords(error)
        } finally {
            reading.unlock()
        }
    }

    /** A server that refuses a client certificate of TLS 1.3 says so and closes: the write fails, and the reason can still be read. */
    private suspend fun lastWords(error: IOException): IOException {
        try {
            withTimeoutOrNull(WORDS) {
                while (codec.failure == null && !codec.isEnded) {
                    val count = transport.receive()
                    if (count < 0) break
                    codec.decrypt(transport.received, count, NOTHING, 0, 0)
                }
            }
        } catch (_: IOException) {
            // Nothing was said.
        }
        return codec.failure?.again()?.apply { addSuppressed(error) } ?: error
    }

    /** Sends what the engine has to say; if a writer is at work, that will. */
    private suspend fun transmit() {
        while (codec.wantsTransmit && writing.tryLock()) {
            try {
                flush()
            } finally {
                writing.unlock()
            }
        }
    }

    private suspend fun flush() {
        do {
            val encrypted = ByteArray(Arrays.SIZE)
            val count = codec.outgoing(encrypted)
            if (count > 0) closing { transport.send(encrypted, count) }
        } while (codec.wantsTransmit)
    }

    /** Sends close_notify: nothing more can be written; reading goes on until the peer finishes too. */
    @Throws(IOException::class)
    suspend fun finish() {
        writing.withLock {
            if (closed.get()) throw Codec.closed()
            if (finished) return
            codec.finish()
            finished = true
            flush()
        }
        // What lies unread when a socket is closed, a session ticket say, makes it reset the connection, and what was written last is lost.
        if (reading.tryLock()) {
            try {
                if (!codec.isEnded && codec.failure == null) transport.begin()
            } finally {
                reading.unlock()
            }
        }
    }

    /** Closes at once, and ends reads and writes of other coroutines; [finish] first to say goodbye. */
    override fun close() {
        if (!closed.compareAndSet(false, true)) return
        transport.close()
        codec.close()
    }

    private suspend fun shakeHands() {
        reading.withLock {
            transmit()
            while (codec.isHandshaking) {
                step(NOTHING, 0, 0)
                codec.failure?.let { throw it.again() }
            }
        }
    }

    companion object {
        private val NOTHING = ByteArray(0)
        private const val ROOM = 1_024

        /** Milliseconds that a peer's last words are waited for. */
        private const val WORDS = 500L

        /**
         * Connects, trying every address of the name, and shakes hands.
         *
         * @param serverName the name to verify and to send; [host] if left out
         * @param handshakeTimeout milliseconds for all of it; 0 for no limit
         * @throws HubTlsException if TLS failed; other [IOException] if the network did
         */
        @Throws(IOException::class)
        suspend fun connect(
            config: Config,
            host: String,
            port: Int,
            serverName: String = host,
            handshakeTimeout: Int = TlsSocket.HANDSHAKE_TIMEOUT,
        ): TlsChannel {
            if (handshakeTimeout == 0) return connect(config, host, port, serverName)
            require(handshakeTimeout > 0) { "$handshakeTimeout is no time in milliseconds" }
            var made: TlsChannel? = null
            val inTime =
                try {
                    withTimeoutOrNull(handshakeTimeout.toLong()) { connect(config, host, port, serverName).also { made = it } }
                } catch (error: Throwable) {
                    made?.close()
                    throw error
                }
            // The time can be up when all is done.
            if (inTime == null) made?.close()
            return inTime ?: throw HubTlsException.timedOut("the handshake", handshakeTimeout)
        }

        private suspend fun connect(config: Config, host: String, port: Int, serverName: String): TlsChannel {
            // Before anything is opened: the name may be wrong.
            val codec = Codec(config, withoutZone(serverName))
            try {
                return connect(codec, host, port)
            } catch (error: Throwable) {
                codec.close()
                throw error
            }
        }

        private suspend fun connect(codec: Codec, host: String, port: Int): TlsChannel {
            val addresses = withContext(Dispatchers.IO) { InetAddress.getAllByName(host) }
            var failed: IOException? = null
            for (address in addresses) {
                val transport = Transport(AsynchronousSocketChannel.open().setOption(StandardSocketOptions.TCP_NODELAY, true))
                try {
                    transport.connect(InetSocketAddress(address, port))
                } catch (error: IOException) {
                    transport.close()
                    failed?.let(error::addSuppressed)
                    failed = error
                    continue
                } catch (error: Throwable) {
                    transport.close()
                    throw error
                }
                val channel = TlsChannel(codec, transport)
                try {
                    channel.shakeHands()
                } catch (error: Throwable) {
                    channel.close()
                    throw error
                }
                return channel
            }
            throw failed!!
        }
    }
}
