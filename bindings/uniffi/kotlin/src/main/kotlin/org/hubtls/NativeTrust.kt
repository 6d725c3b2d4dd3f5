package org.hubtls

import java.net.IDN
import java.net.Socket
import java.security.cert.CertificateException
import java.security.cert.X509Certificate
import javax.net.ssl.ExtendedSSLSession
import javax.net.ssl.SNIHostName
import javax.net.ssl.SSLEngine
import javax.net.ssl.SSLSession
import javax.net.ssl.SSLSocket
import javax.net.ssl.X509ExtendedTrustManager

/**
 * The engine's verification, for Java's own TLS: chain, roots, pins, revocation and the host name, whatever the parameters of the connection say.
 *
 * Java's own would believe more: SHA-1, RSA of 1024 bits, a common name, a wildcard for a part of a label, a root beyond its name constraints.
 */
internal class NativeTrust(private val config: Config) : X509ExtendedTrustManager() {
    private val policy = config.policy
    private val issuers by lazy { config.roots.all.mapNotNull { it.pem?.let { pem -> certificateOf(pem.toByteArray()) } } }

    override fun checkServerTrusted(chain: Array<X509Certificate>, authType: String, engine: SSLEngine) = check(chain, engine.handshakeSession)

    override fun checkServerTrusted(chain: Array<X509Certificate>, authType: String, socket: Socket) = check(chain, (socket as SSLSocket).handshakeSession)

    /** For those who verify the name themselves: OkHttp's cleaner of chains, say. Without a name only roots will do that may vouch for any. */
    override fun checkServerTrusted(chain: Array<X509Certificate>, authType: String) = verify(chain, null)

    override fun checkClientTrusted(chain: Array<X509Certificate>, authType: String) = throw CertificateException("hubtls is a client")

    override fun checkClientTrusted(chain: Array<X509Certificate>, authType: String, socket: Socket) = checkClientTrusted(chain, authType)

    override fun checkClientTrusted(chain: Array<X509Certificate>, authType: String, engine: SSLEngine) = checkClientTrusted(chain, authType)

    override fun getAcceptedIssuers(): Array<X509Certificate> = issuers.toTypedArray()

    private fun check(chain: Array<X509Certificate>, session: SSLSession) {
        if (session.protocol !in policy.versions || session.cipherSuite !in policy.suites) {
            throw refused("POLICY_WIDENED", 205, "${session.protocol} with ${session.cipherSuite} is not in the policy $policy", "ask for no more than it has")
        }
        val host = session.peerHost?.let(::asciiOf)
        val sent = (session as? ExtendedSSLSession)?.requestedServerNames.orEmpty().filterIsInstance<SNIHostName>().map { it.asciiName }
        // The session is resumed for whoever connects to that host later.
        for (name in sent) {
            if (host != null && !name.equals(host, ignoreCase = true)) {
                throw refused("INVALID_ARGUMENT", 101, "$name would be sent and $host be verified", "connect by the name that the server has")
            }
        }
        val name = host ?: sent.firstOrNull() ?: throw refused(
            "INVALID_SERVER_NAME",
            104,
            "Java's TLS was not told whom it connects to",
            "createSSLEngine(host, port), or HubTls.sslContext(config, host) for whom that is not told",
        )
        verify(chain, name)
    }

    private fun verify(chain: Array<X509Certificate>, name: String?) {
        try {
            calling { config.beneath.verifyServer(chain.map { it.encoded }, name) }
        } catch (error: HubTlsException) {
            throw CertificateException(error.message, error)
        }
    }

    /** As it is sent and verified, whatever letters and dots the user wrote it with. */
    private fun asciiOf(host: String): String =
        try {
            IDN.toASCII(host).removeSuffix(".")
        } catch (_: IllegalArgumentException) {
            host
        }

    private fun refused(code: String, number: Int, sentence: String, hint: String): CertificateException {
        val error = HubTlsException(code, number, sentence, hint)
        return CertificateException(error.message, error)
    }
}
