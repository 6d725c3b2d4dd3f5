package org.hubtls

import java.net.Socket
import java.nio.file.Files
import java.security.cert.CertificateException
import java.time.Instant
import javax.net.ssl.SNIHostName
import javax.net.ssl.SSLContext
import javax.net.ssl.SSLEngine
import javax.net.ssl.SSLHandshakeException
import javax.net.ssl.SSLParameters
import javax.net.ssl.SSLSocket
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.extension.RegisterExtension

/** Whom Java's own TLS believes: those whom the engine believes. */
class NativeTrustTest {
    @JvmField
    @RegisterExtension
    val bench = Bench()

    private fun connected(context: SSLContext, port: Int): SSLSocket =
        bench.closing(context.socketFactory.createSocket("localhost", port) as SSLSocket).apply { soTimeout = PATIENCE }

    @Test
    fun `a name that is sent is not verified in the place of the host's, nor later resumed`() {
        val port = JsseServer.start(bench, bench.authority.issue("other.example"))
        for (policy in listOf("iothub", "iothub-tls12")) {
            val context = HubTls.sslContext(Config(policy = Policy.named(policy), roots = bench.authority.roots))
            val sending = connected(context, port)
            sending.sslParameters = SSLParameters().apply { serverNames = listOf(SNIHostName("other.example")) }
            val error = assertThrows(SSLHandshakeException::class.java) { sending.startHandshake() }
            assertEquals("INVALID_ARGUMENT", codeOf(error))
            assertEquals("HOST_NAME_MISMATCH", codeOf(assertThrows(SSLHandshakeException::class.java) { connected(context, port).startHandshake() }))
            // The right one is sent by a layered socket, and may be told by hand.
            val right = context.socketFactory.createSocket(Socket("127.0.0.1", port), "other.example", port, true) as SSLSocket
            right.use {
                it.sslParameters = SSLParameters().apply { serverNames = listOf(SNIHostName("OTHER.example")) }
                it.startHandshake()
            }
        }
    }

    private fun codeOf(error: Throwable) = generateSequence(error) { it.cause }.filterIsInstance<HubTlsException>().firstOrNull()?.code

    /** A root, and a certificate for `hub.example` or whatever the extensions say. */
    private fun unusual(
        extensions: String = "subjectAltName=DNS:hub.example",
        key: List<String> = Authority.RSA,
        hash: String = "-sha256",
        ofRoot: Array<String> = emptyArray(),
    ): Pair<Roots, Issued> {
        val (root, rootKey, leaf, leafKey, request, text) = Files.createTempDirectory(bench.folder, "it").let { folder -> List(6) { folder.resolve("$it") } }
        Authority.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "9", "-subj", "/CN=A root", "-keyout", "$rootKey", "-out", "$root", *ofRoot)
        Authority.openssl("req", "-new", "-newkey", *key.toTypedArray(), "-nodes", "-subj", "/CN=hub.example", "-keyout", "$leafKey", "-out", "$request")
        Files.writeString(text, extensions)
        Authority.openssl(
            "x509", "-req", hash, "-in", "$request", "-CA", "$root", "-CAkey", "$rootKey", "-set_serial", "7", "-days", "8", "-extfile", "$text",
            "-out", "$leaf",
        )
        return Roots.fromFile(root) to Issued(leaf, leafKey)
    }

    private operator fun <T> List<T>.component6() = get(5)

    private fun shakenBy(context: SSLContext, server: Issued, host: String) {
        val port = JsseServer.start(bench, server)
        (context.socketFactory.createSocket(Socket("127.0.0.1", port), host, port, true) as SSLSocket).use { it.startHandshake() }
    }

    @Test
    fun `what the engine does not believe of a chain, the native context does not`() {
        val (good, fit) = unusual()
        shakenBy(HubTls.sslContext(Config(roots = good)), fit, "hub.example")
        val refused =
            mapOf(
                "SHA-1" to unusual(hash = "-sha1"),
                "RSA of 1024 bits" to unusual(key = listOf("rsa:1024")),
                "a common name alone" to unusual("basicConstraints=CA:FALSE"),
                "a wildcard in a label" to unusual("subjectAltName=DNS:h*.example"),
                "a wildcard for a top level" to unusual("subjectAltName=DNS:*.example"),
                "two wildcards" to unusual("subjectAltName=DNS:*.*"),
                "a root for other names" to unusual(ofRoot = arrayOf("-addext", "nameConstraints=critical,permitted;DNS:factory.local")),
            )
        for ((what, made) in refused) {
            val config = Config(roots = made.first)
            val error = assertThrows(SSLHandshakeException::class.java, { shakenBy(HubTls.sslContext(config), made.second, "hub.example") }, what)
            val port = JsseServer.start(bench, made.second)
            val socket = HubTlsSocketFactory(config).createSocket(Socket("127.0.0.1", port), "hub.example", port, true) as SSLSocket
            assertEquals(assertThrows(HubTlsException::class.java, { socket.use { it.startHandshake() } }, what).code, codeOf(error), what)
        }
    }

    @Test
    fun `an added private root does not vouch for a name of Azure's`() {
        val hub = "hub1.azure-devices.net"
        val port = JsseServer.start(bench, bench.authority.issue(hub, "localhost"))
        val over = { context: SSLContext, name: String -> context.socketFactory.createSocket(Socket("127.0.0.1", port), name, port, true) as SSLSocket }
        val added = HubTls.sslContext(Config(addRoots = bench.authority.roots))
        over(added, "localhost").use { it.startHandshake() }
        val error = assertThrows(SSLHandshakeException::class.java) { over(added, hub).use { it.startHandshake() } }
        assertEquals("ROOT_NOT_FOR_AZURE", codeOf(error))
        // Java takes these dots for dots.
        val dotted = assertThrows(SSLHandshakeException::class.java) { over(added, hub.replace('.', '\u3002')).use { it.startHandshake() } }
        assertEquals("ROOT_NOT_FOR_AZURE", codeOf(dotted))
        val allowed = HubTls.sslContext(Config(addRoots = bench.authority.roots.vouchingForAzure()))
        over(allowed, hub).use { it.startHandshake() }
        val replaced = HubTls.sslContext(Config(roots = bench.authority.roots))
        assertEquals("ROOT_NOT_FOR_AZURE", codeOf(assertThrows(SSLHandshakeException::class.java) { over(replaced, hub).use { it.startHandshake() } }))
    }

    @Test
    fun `a pin refuses other roots that are trusted`() {
        val other = Authority(bench.folder)
        val port = JsseServer.start(bench)
        val roots = Roots.fromPem(bench.authority.rootPem + other.rootPem)
        connected(HubTls.sslContext(Config(roots = roots, pins = listOf(bench.authority.rootPem))), port).startHandshake()
        val pinned = HubTls.sslContext(Config(roots = roots, pins = listOf(other.rootPem)))
        assertEquals("PIN_MISMATCH", codeOf(assertThrows(SSLHandshakeException::class.java) { connected(pinned, port).startHandshake() }))
    }

    @Test
    fun `an engine of which nobody says for whom it is verifies the context's host`() {
        val port = JsseServer.start(bench, bench.authority.issue("hub.example"))
        val config = Config(roots = bench.authority.roots)
        fun shaken(engine: SSLEngine) = bench.closing(Socket("127.0.0.1", port)).let { EngineLoop(engine, it).handshake() }
        shaken(HubTls.sslContext(config, "hub.example").createSSLEngine())
        val refused =
            mapOf(
                HubTls.sslContext(config, "other.example").createSSLEngine() to "HOST_NAME_MISMATCH",
                HubTls.sslContext(config, "hub.example").createSSLEngine("other.example", port) to "HOST_NAME_MISMATCH",
                HubTls.sslContext(config).createSSLEngine() to "INVALID_SERVER_NAME",
                HubTls.sslContext(config).createSSLEngine(null, 0) to "INVALID_SERVER_NAME",
            )
        for ((engine, code) in refused) assertEquals(code, codeOf(assertThrows(SSLHandshakeException::class.java) { shaken(engine) }))
    }

    @Test
    fun `its trust manager verifies chains for those who verify names themselves`() {
        val issued = bench.authority.issue("hub.example")
        val chain = arrayOf(certificateOf(Files.readAllBytes(issued.chain)))
        HubTls.trustManager(Config(roots = bench.authority.roots.vouchingForAzure())).checkServerTrusted(chain, "ECDHE_ECDSA")
        for ((roots, code) in listOf(bench.authority.roots to "ROOT_NOT_FOR_AZURE", Roots.publicWeb() to "UNKNOWN_ROOT")) {
            val manager = HubTls.trustManager(Config(roots = roots))
            assertEquals(code, codeOf(assertThrows(CertificateException::class.java) { manager.checkServerTrusted(chain, "ECDHE_ECDSA") }))
        }
        val later = HubTls.trustManager(Config(roots = bench.authority.roots.vouchingForAzure(), time = Instant.now().plusSeconds(86_400 * 365)))
        assertEquals("CERTIFICATE_EXPIRED", codeOf(assertThrows(CertificateException::class.java) { later.checkServerTrusted(chain, "ECDHE_ECDSA") }))
    }
}
