package org.hubtls

import java.security.Principal
import java.security.cert.Certificate
import java.util.concurrent.ConcurrentHashMap
import javax.net.ssl.SSLPeerUnverifiedException
import javax.net.ssl.SSLSession
import javax.net.ssl.SSLSessionBindingEvent
import javax.net.ssl.SSLSessionBindingListener
import javax.net.ssl.SSLSessionContext

/** What was agreed, as JSSE shows it. If nothing was, it has the suite `SSL_NULL_WITH_NULL_NULL`. */
internal class TlsSession(
    private val config: Config,
    private val negotiated: Negotiated?,
    private val host: String?,
    private val port: Int,
) : SSLSession {
    private val created = System.currentTimeMillis()
    private val values = ConcurrentHashMap<String, Any>()

    /** Sessions are kept and resumed by the configuration: there is nothing that names one. */
    override fun getId(): ByteArray = ByteArray(0)

    override fun getSessionContext(): SSLSessionContext? = null

    override fun getCreationTime(): Long = created

    override fun getLastAccessedTime(): Long = created

    @Volatile
    private var invalidated = false

    /** For whoever asks [isValid]; what is resumed is the configuration's affair. */
    override fun invalidate() {
        invalidated = true
    }

    override fun isValid(): Boolean = negotiated != null && !invalidated

    override fun putValue(name: String, value: Any) {
        val before = values.put(name, value)
        (value as? SSLSessionBindingListener)?.valueBound(SSLSessionBindingEvent(this, name))
        (before as? SSLSessionBindingListener)?.valueUnbound(SSLSessionBindingEvent(this, name))
    }

    override fun getValue(name: String): Any? = values[name]

    override fun removeValue(name: String) {
        (values.remove(name) as? SSLSessionBindingListener)?.valueUnbound(SSLSessionBindingEvent(this, name))
    }

    override fun getValueNames(): Array<String> = values.keys.toTypedArray()

    override fun getPeerCertificates(): Array<Certificate> {
        val chain = negotiated?.peerChain
        if (chain.isNullOrEmpty()) throw SSLPeerUnverifiedException("the peer is not known before the handshake is complete")
        return chain.toTypedArray()
    }

    override fun getLocalCertificates(): Array<Certificate>? {
        if (negotiated?.clientCertificateRequested != true) return null
        return config.identity?.chain?.toTypedArray()
    }

    override fun getPeerPrincipal(): Principal = negotiated?.peerChain?.firstOrNull()?.subjectX500Principal
        ?: throw SSLPeerUnverifiedException("the peer is not known before the handshake is complete")

    override fun getLocalPrincipal(): Principal? {
        if (negotiated?.clientCertificateRequested != true) return null
        return config.identity?.chain?.firstOrNull()?.subjectX500Principal
    }

    override fun getCipherSuite(): String = negotiated?.cipherSuite ?: "SSL_NULL_WITH_NULL_NULL"

    override fun getProtocol(): String = negotiated?.version ?: "NONE"

    override fun getPeerHost(): String? = host

    override fun getPeerPort(): Int = port

    override fun getPacketBufferSize(): Int = 18_437

    override fun getApplicationBufferSize(): Int = 16_384

    override fun toString(): String = "Session($protocol|$cipherSuite)"
}
