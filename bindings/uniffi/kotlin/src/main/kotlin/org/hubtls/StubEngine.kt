package org.hubtls

import java.nio.ByteBuffer
import javax.net.ssl.SSLEngine
import javax.net.ssl.SSLEngineResult
import javax.net.ssl.SSLSession

/** An engine that moves no bytes. */
internal abstract class StubEngine : SSLEngine() {
    private fun no(): Nothing = throw UnsupportedOperationException("it moves no bytes")

    override fun wrap(sources: Array<ByteBuffer>, offset: Int, length: Int, target: ByteBuffer): SSLEngineResult = no()

    override fun unwrap(source: ByteBuffer, targets: Array<ByteBuffer>, offset: Int, length: Int): SSLEngineResult = no()

    override fun getDelegatedTask(): Runnable? = null

    override fun closeInbound() = Unit

    override fun isInboundDone(): Boolean = false

    override fun closeOutbound() = Unit

    override fun isOutboundDone(): Boolean = false

    override fun getSupportedCipherSuites(): Array<String> = emptyArray()

    override fun getEnabledCipherSuites(): Array<String> = emptyArray()

    override fun setEnabledCipherSuites(suites: Array<String>) = Unit

    override fun getSupportedProtocols(): Array<String> = emptyArray()

    override fun getEnabledProtocols(): Array<String> = emptyArray()

    override fun setEnabledProtocols(protocols: Array<String>) = Unit

    override fun getSession(): SSLSession = no()

    override fun beginHandshake() = Unit

    override fun getHandshakeStatus(): SSLEngineResult.HandshakeStatus = SSLEngineResult.HandshakeStatus.NOT_HANDSHAKING

    override fun setUseClientMode(mode: Boolean) = Unit

    override fun getUseClientMode(): Boolean = true

    override fun setNeedClientAuth(need: Boolean) = Unit

    override fun getNeedClientAuth(): Boolean = false

    override fun setWantClientAuth(want: Boolean) = Unit

    override fun getWantClientAuth(): Boolean = false

    override fun setEnableSessionCreation(flag: Boolean) = Unit

    override fun getEnableSessionCreation(): Boolean = true
}
