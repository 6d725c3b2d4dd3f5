package org.hubtls

import java.security.cert.X509Certificate
import org.hubtls.ffi.Negotiated as Beneath

/** What client and server agreed on, and who the server is. */
class Negotiated internal constructor(private val beneath: Beneath) {
    /** The TLS version: `TLSv1.2` or `TLSv1.3`. */
    val version: String get() = beneath.version

    /** The cipher suite by IANA's name, which is JSSE's too. */
    val cipherSuite: String get() = beneath.cipherSuite

    /** The cipher suite by OpenSSL's name. */
    val cipherSuiteOpenssl: String get() = beneath.cipherSuiteOpenssl

    /** The cipher suite's number in IANA's registry. */
    val cipherSuiteCode: Int get() = beneath.cipherSuiteCode

    /** The key exchange group; null for a TLS 1.2 session that was resumed. */
    val group: String? get() = beneath.group

    /** The maximum fragment length in bytes that the server agreed to. */
    val fragmentLength: Int? get() = beneath.fragmentLength

    /** The protocol that the server chose with ALPN. */
    val alpn: String? get() = beneath.alpn

    /** Whether an earlier session was resumed. */
    @get:JvmName("isResumed")
    val resumed: Boolean get() = beneath.resumed

    /** Whether the server asked for a client certificate. */
    @get:JvmName("isClientCertificateRequested")
    val clientCertificateRequested: Boolean get() = beneath.clientCertificateRequested

    /** The certificates that the server sent, its own first. */
    val peerChain: List<X509Certificate> by lazy { beneath.peerChain.map { certificateOf(it.der) } }

    /** The trusted root that the chain ends in. */
    val root: Root? by lazy { beneath.root?.let(::Root) }

    /** The same as JSON. */
    fun toJson(): String = beneath.json

    override fun toString(): String = "$version, $cipherSuite"
}
