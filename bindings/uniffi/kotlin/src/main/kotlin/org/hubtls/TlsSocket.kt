package org.hubtls

import java.io.IOException
import java.io.InputStream
import java.io.OutputStream
import java.net.InetAddress
import java.net.InetSocketAddress
import java.net.Socket
import java.net.SocketAddress
import java.net.SocketException
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.atomic.AtomicBoolean
import javax.net.ssl.HandshakeCompletedEvent
import javax.net.ssl.HandshakeCompletedListener
import javax.net.ssl.SSLParameters
import javax.net.ssl.SSLSession

/** An address without the network interface that it is reached by, which is no part of it in a certificate. */
internal fun withoutZone(name: String): String =
    if (':' in name) name.removeSurrounding("[", "]").substringBefore('%') else name

/**
 * A TLS connection as a `javax.net.ssl.SSLSocket`, on hubtls's own engine. Made by [HubTlsSocketFactory] or [TlsSocket.connect].
 *
 * One thread may read while another writes; closing it from a third ends both. Hands are shaken by [startHandshake], or by the first read or write.
 * JSSE's setters narrow the policy, or throw [IllegalArgumentException].
 */
class TlsSocket internal constructor(
    beneath: Socket,
    private val config: Config,
    private var host: String?,
    private val autoClose: Boolean,
    handshakeTimeout: Int,
) : SocketOver(beneath) {
    /** Milliseconds for shaking hands, after which it fails with `TIMEOUT`; 0 for no limit. */
    @Volatile
    var handshakeTimeout: Int = handshakeTimeout
        set(value) {
            require(value >= 0) { "$value is no time in milliseconds" }
            field = value
        }

    private val wishes = Wishes(config)
    private val listeners = CopyOnWriteArrayList<HandshakeCompletedListener>()
    private val closing = AtomicBoolean(false)

    @Volatile
    private var inputShut = false

    @Volatile
    private var outputShut = false

    @Volatile
    private var flow: Flow? = null
    private val starting = Any()
    private val input = Input()
    private val output = Output()

    /** What was agreed; null before the handshake is complete, and after [close] if nobody had asked before. */
    val negotiated: Negotiated? get() = flow?.codec?.negotiated

    @Throws(IOException::class)
    override fun connect(address: SocketAddress, timeout: Int) {
        beneath.connect(address, timeout)
        if (host == null && address is InetSocketAddress) host = address.hostString
    }

    /** Shakes hands; does nothing if that is done. Failures are [HubTlsException], and close the socket as with JSSE. */
    @Throws(IOException::class)
    override fun startHandshake() {
        val flow = begun()
        if (flow.handshake(handshakeTimeout, autoClose)) tellListeners()
    }

    private fun begun(): Flow {
        flow?.let { if (!closing.get()) return it }
        synchronized(starting) {
            if (closing.get()) throw Codec.closed()
            flow?.let { return it }
            if (!isConnected) throw SocketException("Socket is not connected")
            val name = nameToVerify()
            return Flow(Codec(calling { wishes.config() }, withoutZone(name)), beneath).also { flow = it }
        }
    }

    /** The name that the user connects to; the one to send must be the same, unless there is none but an address. */
    private fun nameToVerify(): String {
        val sent = wishes.serverName
        val named = host ?: sent ?: return beneath.inetAddress.hostAddress
        if (sent != null && !sent.equals(host?.removeSuffix(".") ?: sent, ignoreCase = true)) {
            throw HubTlsException.invalid("$sent would be sent and $host be verified", "connect by the name that the server has")
        }
        return named
    }

    private fun tellListeners() {
        if (listeners.isEmpty()) return
        val event = HandshakeCompletedEvent(this, session)
        // As JSSE does: a listener may take its time, or read.
        val telling = Thread({ listeners.forEach { it.handshakeCompleted(event) } }, "hubtls handshake listeners")
        telling.isDaemon = true
        telling.start()
    }

    @Throws(IOException::class)
    override fun getInputStream(): InputStream {
        checkOpen()
        if (isInputShutdown) throw SocketException("Socket input is shutdown")
        return input
    }

    @Throws(IOException::class)
    override fun getOutputStream(): OutputStream {
        checkOpen()
        if (isOutputShutdown) throw SocketException("Socket output is shutdown")
        return output
    }

    private fun checkOpen() {
        if (isClosed) throw SocketException("Socket is closed")
        if (!isConnected) throw SocketException("Socket is not connected")
    }

    private fun shaken(): Flow {
        if (closing.get()) throw Codec.closed()
        flow?.let { if (!it.codec.isHandshaking) return it }
        startHandshake()
        return flow!!
    }

    /** Sends close_notify, behind all that was written: nothing more can be written, reading goes on until the peer finishes too. */
    @Throws(IOException::class)
    override fun shutdownOutput() {
        checkOpen()
        if (isOutputShutdown) throw SocketException("Socket output is already shutdown")
        shaken().finish()
        outputShut = true
        if (autoClose) beneath.shutdownOutput()
    }

    /** From now on reads see an end. */
    @Throws(IOException::class)
    override fun shutdownInput() {
        checkOpen()
        inputShut = true
        flow?.isInputShut = true
        if (autoClose) beneath.shutdownInput()
    }

    /** Sends close_notify if no write is under way, and ends reads and writes of other threads, which see `Socket closed`. */
    @Throws(IOException::class)
    override fun close() {
        if (!closing.compareAndSet(false, true)) return
        val flow = synchronized(starting) { flow }
        try {
            if (flow != null && !outputShut) flow.farewell()
            if (flow != null) if (autoClose) flow.discard() else flow.drain()
        } finally {
            try {
                if (autoClose) beneath.close()
            } finally {
                flow?.codec?.close()
            }
        }
    }

    override fun isClosed(): Boolean = closing.get() || beneath.isClosed

    override fun isInputShutdown(): Boolean = inputShut

    override fun isOutputShutdown(): Boolean = outputShut

    /** Shakes hands if that is not done. If it fails, the session is invalid and its suite is `SSL_NULL_WITH_NULL_NULL`, as with JSSE. */
    override fun getSession(): SSLSession {
        if (isConnected && !isClosed) {
            try {
                shaken()
            } catch (_: IOException) {
                // The session tells it.
            }
        }
        return sessionOf(negotiated)
    }

    private var shown: TlsSession? = null

    @Synchronized
    private fun sessionOf(agreed: Negotiated?): SSLSession {
        shown?.let { return it }
        val made = TlsSession(config, agreed, host ?: inetAddress?.hostAddress, port)
        if (agreed != null) shown = made
        return made
    }

    override fun getHandshakeSession(): SSLSession? = null

    override fun getApplicationProtocol(): String? {
        val flow = flow
        return if (flow == null || flow.codec.isHandshaking) null else negotiated?.alpn ?: ""
    }

    override fun getHandshakeApplicationProtocol(): String? = null

    override fun addHandshakeCompletedListener(listener: HandshakeCompletedListener) {
        listeners.add(listener)
    }

    override fun removeHandshakeCompletedListener(listener: HandshakeCompletedListener) {
        require(listeners.remove(listener)) { "the listener was not added" }
    }

    override fun getSupportedCipherSuites(): Array<String> = wishes.supportedCipherSuites()

    override fun getEnabledCipherSuites(): Array<String> = wishes.enabledCipherSuites()

    /** Only these suites of the policy. */
    override fun setEnabledCipherSuites(suites: Array<String>?) = wishes.enableCipherSuites(suites)

    override fun getSupportedProtocols(): Array<String> = wishes.supportedProtocols()

    override fun getEnabledProtocols(): Array<String> = wishes.enabledProtocols()

    /** Only these versions of the policy. */
    override fun setEnabledProtocols(protocols: Array<String>?) = wishes.enableProtocols(protocols)

    override fun getSSLParameters(): SSLParameters = wishes.parameters()

    /** Takes versions, suites, groups and ALPN, which narrow; new parameters change nothing. The host name is verified whatever they say. */
    override fun setSSLParameters(parameters: SSLParameters) = wishes.take(parameters)

    override fun setEnableSessionCreation(flag: Boolean) = require(flag) { "sessions are kept by the Config: use Config.builder().resumption()" }

    override fun getEnableSessionCreation(): Boolean = true

    override fun toString(): String = "TlsSocket[${host ?: inetAddress}:$port]"

    private inner class Input : InputStream() {
        override fun read(): Int {
            val one = ByteArray(1)
            return if (read(one, 0, 1) < 0) -1 else one[0].toInt() and 0xFF
        }

        override fun read(target: ByteArray, offset: Int, length: Int): Int {
            java.util.Objects.checkFromIndexSize(offset, length, target.size)
            if (length == 0) return 0
            if (inputShut) return -1
            return shaken().read(target, offset, length)
        }

        // Another thread may be reading: what it moves meanwhile may look like less than nothing.
        override fun available(): Int = maxOf(0, flow?.codec?.available ?: 0)

        override fun close() = this@TlsSocket.close()
    }

    private inner class Output : OutputStream() {
        override fun write(value: Int) = write(byteArrayOf(value.toByte()), 0, 1)

        override fun write(source: ByteArray, offset: Int, length: Int) {
            java.util.Objects.checkFromIndexSize(offset, length, source.size)
            val flow = shaken()
            if (outputShut) throw SocketException("Socket output is shutdown")
            flow.write(source, offset, length)
        }

        override fun close() = this@TlsSocket.close()
    }

    companion object {
        /** Milliseconds that a handshake may take unless told otherwise. */
        const val HANDSHAKE_TIMEOUT = 30_000

        /**
         * Connects, trying every address of the name, and shakes hands.
         *
         * @param serverName the name to verify and to send; [host] if left out
         * @param handshakeTimeout milliseconds for connecting to an address, and again for shaking hands; 0 for no limit
         * @throws HubTlsException if TLS failed; other [IOException] if the network did
         */
        @JvmStatic
        @JvmOverloads
        @Throws(IOException::class)
        fun connect(
            config: Config,
            host: String,
            port: Int,
            serverName: String = host,
            handshakeTimeout: Int = HANDSHAKE_TIMEOUT,
        ): TlsSocket {
            var failed: IOException? = null
            for (address in InetAddress.getAllByName(host)) {
                val beneath = Socket()
                try {
                    beneath.connect(InetSocketAddress(address, port), handshakeTimeout)
                } catch (error: IOException) {
                    beneath.close()
                    failed?.let(error::addSuppressed)
                    failed = error
                    continue
                }
                val socket = TlsSocket(beneath, config, serverName, true, handshakeTimeout)
                try {
                    socket.startHandshake()
                } catch (error: Throwable) {
                    socket.close()
                    throw error
                }
                return socket
            }
            throw failed!!
        }
    }
}
