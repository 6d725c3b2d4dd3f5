package org.hubtls

import java.net.InetSocketAddress
import java.net.Socket
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse
import java.nio.ByteBuffer
import java.nio.file.Files
import java.nio.file.StandardCopyOption
import java.util.concurrent.CompletableFuture
import java.util.concurrent.TimeUnit
import javax.net.ssl.SSLContext
import javax.net.ssl.SSLHandshakeException
import javax.net.ssl.SSLParameters
import javax.net.ssl.SSLSocket
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.extension.RegisterExtension

class NativeTest {
    @JvmField
    @RegisterExtension
    val bench = Bench()

    private fun config(policy: String = "iothub", identity: Identity? = null) =
        Config(policy = Policy.named(policy), roots = bench.authority.roots, identity = identity)

    private fun connected(context: SSLContext, port: Int, host: String = "localhost"): SSLSocket =
        bench.closing(context.socketFactory.createSocket(host, port) as SSLSocket).apply { soTimeout = PATIENCE }

    @Test
    fun `it offers the policy and nothing else`() {
        for (policy in Policy.aliases().keys) {
            val offered = CompletableFuture<Hello>()
            val port = bench.tcp { offered.complete(Hello.read(it.getInputStream())) }
            val factory = HubTls.sslContext(config(policy)).socketFactory
            val socket = factory.createSocket(Socket("127.0.0.1", port), "hub.example", port, true) as SSLSocket
            assertThrows(Exception::class.java) { socket.startHandshake() }
            val hello = offered.get(PATIENCE.toLong(), TimeUnit.MILLISECONDS)
            val named = Policy.named(policy)
            assertEquals(named.beneath.suites().map { it.code }, hello.suites - Hello.SCSV, policy)
            assertEquals(named.beneath.versions().map { it.code }, hello.versions, policy)
            assertEquals("hub.example", hello.serverName)
        }
    }

    @Test
    fun `a server with the wrong name is refused by each way in, and accepted by a bare context`() {
        val port = JsseServer.start(bench, bench.authority.issue("other.example"))
        val bare = SSLContext.getInstance("TLS")
        bare.init(null, JsseServer.trustManagers(bench.authority), null)
        connected(bare, port).use { it.startHandshake() }

        val context = HubTls.sslContext(config())
        val factory = context.socketFactory
        val local = Bench.LOOPBACK
        val ways =
            mapOf<String, () -> Socket>(
                "host" to { factory.createSocket("localhost", port) },
                "host, local" to { factory.createSocket("localhost", port, local, 0) },
                "address" to { factory.createSocket(local, port) },
                "unconnected" to { factory.createSocket().apply { connect(InetSocketAddress("localhost", port)) } },
                "over" to { factory.createSocket(Socket("127.0.0.1", port), "localhost", port, true) },
                "Paho's new parameters" to
                    { factory.createSocket("localhost", port).apply { (this as SSLSocket).sslParameters = SSLParameters() } },
                "an empty algorithm" to
                    {
                        factory.createSocket("localhost", port).apply {
                            (this as SSLSocket).sslParameters = sslParameters.apply { endpointIdentificationAlgorithm = "" }
                        }
                    },
            )
        for ((way, create) in ways) {
            create().use { socket ->
                val error = assertThrows(SSLHandshakeException::class.java, { (socket as SSLSocket).startHandshake() }, way)
                assertTrue(error.message!!.contains("name"), "$way: ${error.message}")
            }
        }
        val engine = context.createSSLEngine("localhost", port)
        engine.sslParameters = SSLParameters()
        val error = assertThrows(SSLHandshakeException::class.java) { EngineLoop(engine, Socket("127.0.0.1", port)).handshake() }
        assertTrue(error.message!!.contains("name"), error.message)
        // An engine that is not told a name trusts nobody.
        assertThrows(SSLHandshakeException::class.java) { EngineLoop(context.createSSLEngine(), Socket("127.0.0.1", port)).handshake() }
    }

    @Test
    fun `a socket and an engine connect with a client certificate of every kind`() {
        for (algorithm in listOf(Authority.EC, Authority.RSA, listOf("ec", "-pkeyopt", "ec_paramgen_curve:P-384"))) {
            val issued = bench.authority.issue("device-01", algorithm = algorithm)
            val port = JsseServer.start(bench, clients = bench.authority)
            val identity = Identity.fromFiles(issued.chain, issued.key)
            for (policy in listOf("iothub", "iothub-tls12")) {
                val context = HubTls.sslContext(config(policy, identity))
                val socket = connected(context, port)
                socket.outputStream.write(5)
                assertEquals(5, socket.inputStream.read())
                assertEquals("CN=device-01", socket.session.localPrincipal.name)
                val engine = context.createSSLEngine("localhost", port)
                EngineLoop(engine, bench.closing(Socket("127.0.0.1", port))).handshake()
                assertEquals(socket.session.protocol, engine.session.protocol)
            }
        }
    }

    @Test
    fun `keys of every form are read for Java`() {
        val (ec, rsa) = listOf(Authority.EC, Authority.RSA).map { bench.authority.issue("device-01", algorithm = it) }
        fun converted(name: String, vararg arguments: String) = bench.folder.resolve(name).also { Authority.openssl(*arguments, "-out", "$it") }
        val pfx = converted("it.pfx", "pkcs12", "-export", "-in", "${ec.chain}", "-inkey", "${ec.key}", "-passout", "pass:x")
        val ed = bench.authority.issue("device-01", algorithm = listOf("ed25519"))
        val identities =
            listOf(
                Identity.fromFiles(ec.chain, converted("sec1.key", "ec", "-in", "${ec.key}")),
                Identity.fromFiles(rsa.chain, converted("pkcs1.key", "rsa", "-traditional", "-in", "${rsa.key}")),
                Identity.fromFiles(ec.chain, converted("sealed.key", "pkcs8", "-topk8", "-in", "${ec.key}", "-passout", "pass:secret"), "secret"),
                Identity.fromPkcs12File(pfx, "x"),
                Identity.fromPkcs12(Files.readAllBytes(pfx), "x"),
                Identity.fromPem(rsa.chainPem, rsa.keyPem),
                Identity.fromKeyStore(JsseServer.keyStore(ec), "it", JsseServer.PASSWORD),
                Identity.fromFiles(ed.chain, ed.key),
            )
        val port = JsseServer.start(bench, clients = bench.authority)
        for (identity in identities) {
            val socket = connected(HubTls.sslContext(config(identity = identity)), port)
            socket.outputStream.write(5)
            assertEquals(5, socket.inputStream.read(), "$identity")
        }
    }

    @Test
    fun `a key is that of the file when the identity was made`() {
        val (ours, other) = List(2) { bench.authority.issue("device-01") }
        val key = bench.folder.resolve("rotated.key").also { Files.copy(ours.key, it) }
        val identity = Identity.fromFiles(ours.chain, key)
        val port = JsseServer.start(bench, clients = bench.authority)
        for (change in listOf<() -> Unit>({ Files.copy(other.key, key, StandardCopyOption.REPLACE_EXISTING) }, { Files.delete(key) })) {
            change()
            val socket = connected(HubTls.sslContext(config(identity = identity)), port)
            socket.outputStream.write(5)
            assertEquals(5, socket.inputStream.read())
        }
    }

    @Test
    fun `setters narrow and never widen`() {
        val port = JsseServer.start(bench)
        val context = HubTls.sslContext(config())
        val socket = connected(context, port)
        val engine = context.createSSLEngine("localhost", port)
        for (wrong in listOf<() -> Unit>(
            { socket.enabledProtocols = arrayOf("TLSv1.1") },
            { socket.enabledCipherSuites = arrayOf("TLS_RSA_WITH_AES_128_CBC_SHA") },
            { socket.sslParameters = SSLParameters(arrayOf("TLS_RSA_WITH_AES_128_CBC_SHA")) },
            { engine.enabledProtocols = arrayOf("TLSv1.1") },
            { engine.enabledCipherSuites = arrayOf("TLS_RSA_WITH_AES_128_CBC_SHA") },
            { engine.sslParameters = SSLParameters(null, arrayOf("TLSv1")) },
            { engine.useClientMode = false },
        )) assertThrows(IllegalArgumentException::class.java, wrong)
        socket.enabledProtocols = arrayOf("TLSv1.2")
        socket.sslParameters = SSLParameters()
        assertEquals("TLSv1.2", socket.session.protocol)
        assertEquals("HTTPS", engine.sslParameters.endpointIdentificationAlgorithm)
        assertThrows(Exception::class.java) { context.init(null, null, null) }
    }

    @Test
    fun `what Java cannot be told is said`() {
        val issued = bench.authority.issue("device-01")
        val signer = PrivateKeySigner(PemKey.read(Files.readAllBytes(issued.key), null))
        val wishes =
            listOf(
                Config(keyLog = bench.folder.resolve("keys")),
                Config(sni = Sni.OFF),
                Config(resumption = false),
                Config(postQuantum = true),
                Config(fragmentLength = FragmentLength.require(512)),
                Config(identity = Identity.fromSigner(Files.readAllBytes(issued.chain), signer)),
            )
        for (config in wishes) assertEquals("UNSUPPORTED_BY_ENGINE", assertThrows(HubTlsException::class.java) { HubTls.sslContext(config) }.code)
    }

    @Test
    fun `a fragment length is requested if the property says so`() {
        assertEquals("true", System.getProperty("jsse.enableMFLNExtension"))
        for ((bytes, code) in listOf(512 to 1, 1024 to 2, 2048 to 3, 4096 to 4)) {
            val offered = CompletableFuture<Hello>()
            val port = bench.tcp { offered.complete(Hello.read(it.getInputStream())) }
            val context = HubTls.sslContext(Config(fragmentLength = FragmentLength.request(bytes)))
            val socket = connected(context, port)
            socket.sslParameters = SSLParameters()
            assertThrows(Exception::class.java) { socket.startHandshake() }
            assertEquals(code, offered.get(PATIENCE.toLong(), TimeUnit.MILLISECONDS).fragmentLength)
        }
    }

    @Test
    fun `an engine goes on with a server that agrees to no fragment length`() {
        val large = "x".repeat(100_000)
        // This one would agree to any: an engine does not ask.
        val port = JsseServer.start(bench) { Web.answer(it, large) }
        val context = HubTls.sslContext(Config(roots = bench.authority.roots, fragmentLength = FragmentLength.request(512)))
        assertEquals(0, context.createSSLEngine("localhost", port).sslParameters.maximumPacketSize)
        val client = HttpClient.newBuilder().sslContext(context).build()
        val request = HttpRequest.newBuilder(URI("https://localhost:$port/")).build()
        assertEquals(large, client.send(request, HttpResponse.BodyHandlers.ofString()).body())
    }

    @Test
    fun `java net http works over it`() {
        val port = JsseServer.start(bench) { Web.answer(it, "hello") }
        val client = HttpClient.newBuilder().sslContext(HubTls.sslContext(config())).build()
        val request = HttpRequest.newBuilder(URI("https://localhost:$port/")).build()
        assertEquals("hello", client.send(request, HttpResponse.BodyHandlers.ofString()).body())
        val wrong = JsseServer.start(bench, bench.authority.issue("other.example")) { Web.answer(it, "hello") }
        assertThrows(java.io.IOException::class.java) {
            client.send(HttpRequest.newBuilder(URI("https://localhost:$wrong/")).build(), HttpResponse.BodyHandlers.ofString())
        }
    }
}

/** Drives an engine over a socket. */
class EngineLoop(private val engine: javax.net.ssl.SSLEngine, private val socket: Socket) {
    fun handshake() {
        val outgoing = ByteBuffer.allocate(32_768)
        val incoming = ByteBuffer.allocate(65_536)
        val plain = ByteBuffer.allocate(65_536)
        incoming.flip()
        engine.beginHandshake()
        while (true) {
            when (engine.handshakeStatus.name) {
                "NEED_WRAP" -> {
                    outgoing.clear()
                    engine.wrap(ByteBuffer.allocate(0), outgoing)
                    socket.getOutputStream().write(outgoing.array(), 0, outgoing.position())
                }
                "NEED_TASK" -> while (true) (engine.delegatedTask ?: break).run()
                "NEED_UNWRAP", "NEED_UNWRAP_AGAIN" -> {
                    if (engine.unwrap(incoming, plain).status.name != "BUFFER_UNDERFLOW") continue
                    incoming.compact()
                    val count = socket.getInputStream().read(incoming.array(), incoming.position(), incoming.remaining())
                    check(count > 0) { "the server ended" }
                    incoming.position(incoming.position() + count)
                    incoming.flip()
                }
                else -> return
            }
        }
    }
}
