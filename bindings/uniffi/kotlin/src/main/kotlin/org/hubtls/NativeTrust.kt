package org.hubtls

import java.net.Socket
import java.security.KeyStore
import java.security.cert.CertificateException
import java.security.cert.X509Certificate
import java.util.concurrent.ConcurrentHashMap
import javax.net.ssl.ExtendedSSLSession
import javax.net.ssl.SNIHostName
import javax.net.ssl.SSLEngine
import javax.net.ssl.SSLParameters
import javax.net.ssl.SSLSession
import javax.net.ssl.SSLSocket
import javax.net.ssl.TrustManagerFactory
import javax.net.ssl.X509ExtendedTrustManager

/**
 * Java's own verification with the roots of a configuration. It verifies the host name whatever the parameters of the connection say, and lets added
 * private roots not vouch for names of Azure's.
 */
internal class NativeTrust(config: Config) : X509ExtendedTrustManager() {
    private val roots = config.roots
    private val pins = config.pins
    private val policy = config.policy
    private val all = delegate(roots, null)
    private val some = ConcurrentHashMap<Set<String>, X509ExtendedTrustManager>()

    override fun checkServerTrusted(chain: Array<X509Certificate>, authType: String, engine: SSLEngine) =
        check(chain, authType, engine.handshakeSession)

    override fun checkServerTrusted(chain: Array<X509Certificate>, authType: String, socket: Socket) =
        check(chain, authType, (socket as SSLSocket).handshakeSession)

    /** For those who verify the name themselves: OkHttp's cleaner of chains, say. Without a name only roots will do that may vouch for any. */
    override fun checkServerTrusted(chain: Array<X509Certificate>, authType: String) =
        vouchingFor(listOf(OF_AZURE)).checkServerTrusted(chain, authType)

    override fun checkClientTrusted(chain: Array<X509Certificate>, authType: String) = throw CertificateException("hubtls is a client")

    override fun checkClientTrusted(chain: Array<X509Certificate>, authType: String, socket: Socket) = checkClientTrusted(chain, authType)

    override fun checkClientTrusted(chain: Array<X509Certificate>, authType: String, engine: SSLEngine) = checkClientTrusted(chain, authType)

    override fun getAcceptedIssuers(): Array<X509Certificate> = all.acceptedIssuers

    private fun check(chain: Array<X509Certificate>, authType: String, session: SSLSession) {
        if (session.protocol !in policy.versions || session.cipherSuite !in policy.suites) {
            throw refused("POLICY_WIDENED", 205, "${session.protocol} with ${session.cipherSuite} is not in the policy $policy", "ask for no more than it has")
        }
        // Java accepts the name that is sent for the name that is verified.
        val sent = (session as? ExtendedSSLSession)?.requestedServerNames.orEmpty().filterIsInstance<SNIHostName>().map { it.asciiName }
        val names = listOfNotNull(session.peerHost) + sent
        val believed = vouchingFor(names)
        val asked = Asked(session)
        if (believed === all) return all.checkServerTrusted(chain, authType, asked)
        try {
            believed.checkServerTrusted(chain, authType, asked)
        } catch (error: CertificateException) {
            all.checkServerTrusted(chain, authType, asked)
            throw refused(
                "ROOT_NOT_FOR_AZURE",
                308,
                "a private root vouched for ${names.firstOrNull()}",
                "if it should, let it: Roots.vouchingForAzure()",
                error,
            )
        }
    }

    private fun refused(code: String, number: Int, sentence: String, hint: String, because: Throwable? = null): CertificateException {
        val error = HubTlsException(code, number, sentence, hint, cause = because)
        return CertificateException(error.message, error)
    }

    /** With the roots that are believed about all of these names. */
    private fun vouchingFor(names: List<String>): X509ExtendedTrustManager {
        var left = roots
        for (name in names) left = left.believedAbout(name)
        if (left.count == roots.count) return all
        return some.computeIfAbsent(left.all.map { it.pin }.toSet()) { delegate(left, names.first()) }
    }

    private fun delegate(roots: Roots, name: String?): X509ExtendedTrustManager {
        val store = KeyStore.getInstance(KeyStore.getDefaultType())
        store.load(null, null)
        for (root in roots.all) {
            if (pins.isNotEmpty() && root.pin !in pins) continue
            val pem = root.pem ?: throw HubTlsException.unsupported(
                "to trust a root of which only name and key are known, as those of Roots.publicWeb()",
                "leave them out, or use the engine",
            )
            store.setCertificateEntry(root.pin, certificateOf(pem.toByteArray()))
        }
        if (store.size() == 0 && name == null) {
            throw HubTlsException("NO_ROOTS", 262, "no root is left", "let one of the pins be that of a trusted root")
        }
        // An empty store trusts nobody: Java says so when it has to verify.
        if (store.size() == 0) return Nobody
        val factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm())
        factory.init(store)
        return factory.trustManagers.filterIsInstance<X509ExtendedTrustManager>().first()
    }

    private companion object {
        /** A name of Azure's, like any other. */
        const val OF_AZURE = "hub.azure-devices.net"
    }
}

/** Trusts nobody. */
private object Nobody : X509ExtendedTrustManager() {
    private fun no(): Nothing = throw CertificateException("no root is believed about this name")

    override fun checkClientTrusted(chain: Array<X509Certificate>, authType: String, socket: Socket) = no()

    override fun checkClientTrusted(chain: Array<X509Certificate>, authType: String, engine: SSLEngine) = no()

    override fun checkClientTrusted(chain: Array<X509Certificate>, authType: String) = no()

    override fun checkServerTrusted(chain: Array<X509Certificate>, authType: String, socket: Socket) = no()

    override fun checkServerTrusted(chain: Array<X509Certificate>, authType: String, engine: SSLEngine) = no()

    override fun checkServerTrusted(chain: Array<X509Certificate>, authType: String) = no()

    override fun getAcceptedIssuers(): Array<X509Certificate> = emptyArray()
}

/** What Java's verification asks a connection: its session, and whether the name is to be verified. */
private class Asked(private val session: SSLSession) : StubEngine() {
    override fun getHandshakeSession(): SSLSession = session

    override fun getSession(): SSLSession = session

    override fun getSSLParameters(): SSLParameters = SSLParameters().apply { endpointIdentificationAlgorithm = "HTTPS" }
}
