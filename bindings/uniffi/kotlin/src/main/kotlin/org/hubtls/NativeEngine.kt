package org.hubtls

import java.nio.ByteBuffer
import java.util.function.BiFunction
import javax.net.ssl.SSLEngine
import javax.net.ssl.SSLEngineResult
import javax.net.ssl.SSLParameters
import javax.net.ssl.SSLSession

/** An engine of Java's own TLS whose setters narrow the policy and never widen it. */
internal class NativeEngine(private val tls: SSLEngine, config: Config) : SSLEngine(tls.peerHost, tls.peerPort) {
    private val wishes = Wishes(config)

    init {
        tls.useClientMode = true
        apply()
    }

    private fun apply() {
        tls.sslParameters = wishes.nativeParameters()
    }

    override fun wrap(source: ByteBuffer, target: ByteBuffer): SSLEngineResult = tls.wrap(source, target)

    override fun wrap(sources: Array<ByteBuffer>, target: ByteBuffer): SSLEngineResult = tls.wrap(sources, target)

    override fun wrap(sources: Array<ByteBuffer>, offset: Int, length: Int, target: ByteBuffer): SSLEngineResult =
        tls.wrap(sources, offset, length, target)

    override fun unwrap(source: ByteBuffer, target: ByteBuffer): SSLEngineResult = tls.unwrap(source, target)

    override fun unwrap(source: ByteBuffer, targets: Array<ByteBuffer>): SSLEngineResult = tls.unwrap(source, targets)

    override fun unwrap(source: ByteBuffer, targets: Array<ByteBuffer>, offset: Int, length: Int): SSLEngineResult =
        tls.unwrap(source, targets, offset, length)

    override fun getDelegatedTask(): Runnable? = tls.delegatedTask

    override fun closeInbound() = tls.closeInbound()

    override fun isInboundDone(): Boolean = tls.isInboundDone

    override fun closeOutbound() = tls.closeOutbound()

    override fun isOutboundDone(): Boolean = tls.isOutboundDone

    override fun getSession(): SSLSession = tls.session

    override fun getHandshakeSession(): SSLSession? = tls.handshakeSession

    override fun beginHandshake() = tls.beginHandshake()

    override fun getHandshakeStatus(): SSLEngineResult.HandshakeStatus = tls.handshakeStatus

    override fun getApplicationProtocol(): String? = tls.applicationProtocol

    override fun getHandshakeApplicationProtocol(): String? = tls.handshakeApplicationProtocol

    override fun setHandshakeApplicationProtocolSelector(selector: BiFunction<SSLEngine, List<String>, String>?) =
        tls.setHandshakeApplicationProtocolSelector(selector)

    override fun getHandshakeApplicationProtocolSelector(): BiFunction<SSLEngine, List<String>, String>? =
        tls.handshakeApplicationProtocolSelector

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

    override fun setUseClientMode(mode: Boolean) = require(mode) { "hubtls is a client" }

    override fun getUseClientMode(): Boolean = true

    override fun setNeedClientAuth(need: Boolean) = Unit

    override fun getNeedClientAuth(): Boolean = false

    override fun setWantClientAuth(want: Boolean) = Unit

    override fun getWantClientAuth(): Boolean = false

    override fun setEnableSessionCreation(flag: Boolean) {
        tls.enableSessionCreation = flag
    }

    override fun getEnableSessionCreation(): Boolean = tls.enableSessionCreation
}
