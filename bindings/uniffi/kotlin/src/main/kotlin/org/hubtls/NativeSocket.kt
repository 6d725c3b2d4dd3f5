package org.hubtls

import java.io.IOException
import java.io.InputStream
import java.io.OutputStream
import java.net.InetAddress
import java.net.Socket
import java.net.SocketAddress
import java.util.function.BiFunction
import javax.net.ssl.HandshakeCompletedEvent
import javax.net.ssl.HandshakeCompletedListener
import javax.net.ssl.SSLParameters
import javax.net.ssl.SSLSession
import javax.net.ssl.SSLSocket
import javax.net.ssl.SSLSocketFactory

/** Makes sockets of Java's own TLS that keep to the policy. */
internal class NativeSocketFactory(private val config: Config, private val factory: SSLSocketFactory) : SSLSocketFactory() {
    override fun getDefaultCipherSuites(): Array<String> = config.policy.suites.toTypedArray()

    override fun getSupportedCipherSuites(): Array<String> = defaultCipherSuites

    private fun kept(socket: Socket) = NativeSocket(socket as SSLSocket, config)

    override fun createSocket(): Socket = kept(factory.createSocket())

    @Throws(IOException::class)
    override fun createSocket(host: String?, port: Int): Socket = kept(factory.createSocket(host, port))

    @Throws(IOException::class)
    override fun createSocket(host: String?, port: Int, localHost: InetAddress?, localPort: Int): Socket =
        kept(factory.createSocket(host, port, localHost, localPort))

    @Throws(IOException::class)
    override fun createSocket(host: InetAddress?, port: Int): Socket = kept(factory.createSocket(host, port))

    @Throws(IOException::class)
    override fun createSocket(address: InetAddress?, port: Int, localAddress: InetAddress?, localPort: Int): Socket =
        kept(factory.createSocket(address, port, localAddress, localPort))

    @Throws(IOException::class)
    override fun createSocket(socket: Socket?, host: String?, port: Int, autoClose: Boolean): Socket =
        kept(factory.createSocket(socket, host, port, autoClose))
}

/** A socket of Java's own TLS whose setters narrow the policy and never widen it. */
internal class NativeSocket(private val tls: SSLSocket, config: Config) : SocketOver(tls) {
    private val wishes = Wishes(config)

    init {
        apply()
    }

    private fun apply() {
        tls.sslParameters = wishes.nativeParameters(fragmentLength = true)
    }

    override fun connect(address: SocketAddress, timeout: Int) {
        tls.connect(address, timeout)
    }

    override fun getInputStream(): InputStream = tls.inputStream

    override fun getOutputStream(): OutputStream = tls.outputStream

    override fun close() = tls.close()

    override fun shutdownInput() = tls.shutdownInput()

    override fun shutdownOutput() = tls.shutdownOutput()

    override fun startHandshake() = tls.startHandshake()

    override fun getSession(): SSLSession = tls.session

    override fun getHandshakeSession(): SSLSession? = tls.handshakeSession

    override fun getApplicationProtocol(): String? = tls.applicationProtocol

    override fun getHandshakeApplicationProtocol(): String? = tls.handshakeApplicationProtocol

    override fun setHandshakeApplicationProtocolSelector(selector: BiFunction<SSLSocket, List<String>, String>?) =
        tls.setHandshakeApplicationProtocolSelector(selector)

    override fun getHandshakeApplicationProtocolSelector(): BiFunction<SSLSocket, List<String>, String>? =
        tls.handshakeApplicationProtocolSelector

    private val listeners = ArrayList<Pair<HandshakeCompletedListener, HandshakeCompletedListener>>()

    override fun addHandshakeCompletedListener(listener: HandshakeCompletedListener) {
        // Listeners are told of this socket, not of the one beneath.
        val telling = HandshakeCompletedListener { listener.handshakeCompleted(HandshakeCompletedEvent(this, it.session)) }
        synchronized(listeners) { listeners += listener to telling }
        tls.addHandshakeCompletedListener(telling)
    }

    override fun removeHandshakeCompletedListener(listener: HandshakeCompletedListener) {
        val added = synchronized(listeners) { listeners.find { it.first == listener }?.also(listeners::remove) }
        tls.removeHandshakeCompletedListener(requireNotNull(added) { "the listener was not added" }.second)
    }

    override fun getSupportedCipherSuites(): Array<String> = wishes.supportedCipherSuites()

    override fun getEnabledCipherSuites(): Array<String> = tls.enabledCipherSuites

    override fun setEnabledCipherSuites(suites: Array<String>?) {
        wishes.enableCipherSuites(suites)
        apply()
    }

    override fun getSupportedProtocols(): Array<String> = wishes.supportedProtocols()

    override fun getEnabledProtocols(): Array<String> = tls.enabledProtocols

    override fun setEnabledProtocols(protocols: Array<String>?) {
        wishes.enableProtocols(protocols)
        apply()
    }

    override fun getSSLParameters(): SSLParameters = tls.sslParameters

    override fun setSSLParameters(parameters: SSLParameters) {
        wishes.take(parameters)
        apply()
    }

    override fun setEnableSessionCreation(flag: Boolean) {
        tls.enableSessionCreation = flag
    }

    override fun getEnableSessionCreation(): Boolean = tls.enableSessionCreation

    override fun toString(): String = "NativeSocket[$tls]"
}
