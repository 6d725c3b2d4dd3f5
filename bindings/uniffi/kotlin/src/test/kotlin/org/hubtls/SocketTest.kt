package org.hubtls

import java.io.IOException
import java.net.InetAddress
import java.net.InetSocketAddress
import java.net.Socket
import java.net.SocketException
import java.net.SocketTimeoutException
import java.util.concurrent.CompletableFuture
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit
import javax.net.ssl.SNIHostName
import javax.net.ssl.SSLHandshakeException
import javax.net.ssl.SSLParameters
import javax.net.ssl.SSLPeerUnverifiedException
import javax.net.ssl.SSLServerSocket
import javax.net.ssl.SSLSocket
import kotlin.concurrent.thread
import kotlin.random.Random
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertSame
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.extension.RegisterExtension

class SocketTest {
    @JvmField
    @RegisterExtension
    val bench = Bench()

    private fun config(policy: String = "iothub") = Config(policy = Policy.named(policy), roots = bench.authority.roots)

    private fun connected(port: Int, config: Config = config()) =
        bench.closing(TlsSocket.connect(config, "127.0.0.1", port, "localhost")).apply { soTimeout = PATIENCE }

    @Test
    fun `bytes go there and back in every size`() {
        val socket = connected(JsseServer.start(bench))
        for (size in intArrayOf(1, 2, 100, 16_383, 16_384, 16_385, 65_535, 65_536, 65_537, 300_000)) {
            val sent = Random(size).nextBytes(size)
            val writer = thread { socket.outputStream.write(sent) }
            assertArrayEquals(sent, socket.inputStream.readNBytes(size), "$size")
            writer.join()
        }
    }

    @Test
    fun `two threads use both directions at once without waiting for each other`() {
        for (version in listOf("TLSv1.2", "TLSv1.3")) {
            val socket = connected(JsseServer.start(bench), Config(policy = Policy.named().onlyVersions(version), roots = bench.authority.roots))
            val sent = Random(1).nextBytes(8_000_000)
            // The server echoes: if one direction waited for the other, both buffers would fill and nothing would move.
            val writer = CompletableFuture.runAsync { socket.outputStream.write(sent) }
            assertArrayEquals(sent, socket.inputStream.readNBytes(sent.size), version)
            writer.get(PATIENCE.toLong(), TimeUnit.MILLISECONDS)
        }
    }

    @Test
    fun `the session tells what was agreed`() {
        val socket = connected(JsseServer.start(bench))
        val session = socket.session
        assertEquals("TLSv1.3", session.protocol)
        assertEquals(socket.negotiated!!.cipherSuite, session.cipherSuite)
        assertEquals("localhost", session.peerHost)
        assertEquals("CN=localhost", session.peerPrincipal.name)
        assertEquals(1, session.peerCertificates.size)
        assertTrue(session.isValid)
        assertNull(session.localCertificates)
        assertSame(session, socket.session)
        session.invalidate()
        assertFalse(session.isValid)
        assertEquals("", socket.applicationProtocol)
        assertEquals("Test root root-", socket.negotiated!!.root!!.subject.substring(0, 15))
        socket.close()
        assertEquals("TLSv1.3", socket.session.protocol)
    }

    @Test
    fun `without a handshake the session is that of nobody`() {
        val port = bench.tcp { it.getInputStream().read() }
        val socket = HubTlsSocketFactory(config()).createSocket("127.0.0.1", port) as SSLSocket
        socket.close()
        assertEquals("SSL_NULL_WITH_NULL_NULL", socket.session.cipherSuite)
        assertThrows(SSLPeerUnverifiedException::class.java) { socket.session.peerCertificates }
        assertFalse(socket.session.isValid)
    }

    @Test
    fun `listeners are told of the handshake once`() {
        val port = JsseServer.start(bench)
        val socket = bench.closing(HubTlsSocketFactory(config()).createSocket("localhost", port) as SSLSocket)
        val told = CompletableFuture<String>()
        socket.addHandshakeCompletedListener { told.complete("${it.cipherSuite} ${it.socket === socket}") }
        socket.startHandshake()
        socket.startHandshake()
        assertEquals("${socket.session.cipherSuite} true", told.get(PATIENCE.toLong(), TimeUnit.MILLISECONDS))
    }

    @Test
    fun `a read that times out loses nothing`() {
        val go = CountDownLatch(1)
        val socket = connected(JsseServer.late(bench, go))
        socket.soTimeout = 50
        assertThrows(SocketTimeoutException::class.java) { socket.inputStream.read() }
        go.countDown()
        socket.soTimeout = PATIENCE
        assertEquals("late", socket.inputStream.readNBytes(4).decodeToString())
    }

    @Test
    fun `a silent server is given up on in either way`() {
        val port = bench.tcp { it.getInputStream().readAllBytes() }
        val factory = HubTlsSocketFactory(config(), 100)
        factory.createSocket("127.0.0.1", port).use { socket ->
            val error = assertThrows(HubTlsException::class.java) { (socket as SSLSocket).startHandshake() }
            assertEquals("TIMEOUT", error.code)
            assertTrue(socket.isClosed)
            assertEquals("TIMEOUT", assertThrows(HubTlsException::class.java) { (socket as SSLSocket).startHandshake() }.code)
        }
        factory.createSocket("127.0.0.1", port).use { socket ->
            socket.soTimeout = 50
            assertThrows(SocketTimeoutException::class.java) { (socket as SSLSocket).startHandshake() }
        }
    }

    @Test
    fun `whoever waits for the handshake does not wait for a read`() {
        val port = JsseServer.start(bench)
        repeat(100) {
            val socket = bench.closing(HubTlsSocketFactory(config()).createSocket("localhost", port) as SSLSocket)
            // Whichever of the two shakes hands; the server says nothing before it is spoken to.
            val reader = CompletableFuture.supplyAsync { socket.inputStream.read() }
            val writer = CompletableFuture.runAsync { socket.outputStream.write(5) }
            writer.get(PATIENCE.toLong(), TimeUnit.MILLISECONDS)
            assertEquals(5, reader.get(PATIENCE.toLong(), TimeUnit.MILLISECONDS))
            val another = CompletableFuture.supplyAsync { socket.inputStream.read() }
            CompletableFuture.runAsync { socket.startHandshake() }.get(PATIENCE.toLong(), TimeUnit.MILLISECONDS)
            socket.outputStream.write(6)
            assertEquals(6, another.get(PATIENCE.toLong(), TimeUnit.MILLISECONDS))
            socket.close()
        }
    }

    @Test
    fun `what was written before closing arrives, though nothing was read`() {
        val counted = CompletableFuture<Int>()
        val go = CountDownLatch(1)
        val port =
            JsseServer.start(bench, setUp = { it.receiveBufferSize = 20_000 }) {
                it.startHandshake()
                go.await()
                counted.complete(runCatching { it.inputStream.readAllBytes().size }.getOrDefault(-1))
            }
        val beneath = Socket("127.0.0.1", port)
        val socket = HubTlsSocketFactory(config()).createSocket(beneath, "localhost", port, true) as SSLSocket
        socket.startHandshake()
        // A session ticket, which nobody reads.
        while (beneath.getInputStream().available() == 0) Thread.sleep(1)
        socket.outputStream.write(ByteArray(500_000))
        socket.close()
        go.countDown()
        assertEquals(500_000, counted.get(PATIENCE.toLong(), TimeUnit.MILLISECONDS))
    }

    @Test
    fun `ending the input ends a read of another thread, and no write`() {
        val port = JsseServer.start(bench)
        repeat(50) {
            val socket = connected(port)
            val input = socket.inputStream
            val reader = CompletableFuture.supplyAsync { input.read() }
            Thread.sleep(it / 10L)
            socket.shutdownInput()
            assertEquals(-1, reader.get(PATIENCE.toLong(), TimeUnit.MILLISECONDS))
            socket.outputStream.write(1)
        }
    }

    @Test
    fun `a time limit that is set during the handshake stays`() {
        val go = CountDownLatch(1)
        val port = JsseServer.start(bench) { go.await(); it.startHandshake(); it.inputStream.read() }
        val socket = bench.closing(HubTlsSocketFactory(config()).createSocket("localhost", port) as SSLSocket)
        val shaking = CompletableFuture.runAsync { socket.startHandshake() }
        while (Thread.getAllStackTraces().values.none { trace -> trace.any { it.methodName == "step" } }) Thread.sleep(5)
        socket.soTimeout = 12_345
        go.countDown()
        shaking.get(PATIENCE.toLong(), TimeUnit.MILLISECONDS)
        assertEquals(12_345, socket.soTimeout)
    }

    @Test
    fun `closing from another thread ends a read and a write`() {
        val port = JsseServer.start(bench) { it.startHandshake(); Thread.sleep(PATIENCE.toLong()) }
        val socket = connected(port)
        val reader = CompletableFuture.supplyAsync { runCatching { socket.inputStream.read() }.exceptionOrNull() }
        val writer =
            CompletableFuture.supplyAsync {
                runCatching { while (true) socket.outputStream.write(ByteArray(1_000_000)) }.exceptionOrNull()
            }
        // Until the writer is stuck.
        var before = -1L
        while (true) {
            val stuck = Thread.getAllStackTraces().values.count { trace -> trace.any { it.methodName == "write" && it.className.endsWith("Flow") } }
            if (stuck > 0 && before == 3L) break
            before = if (stuck > 0) before + 1 else -1
            Thread.sleep(50)
        }
        val begun = System.nanoTime()
        socket.close()
        assertTrue(reader.get(PATIENCE.toLong(), TimeUnit.MILLISECONDS) is SocketException)
        assertTrue(writer.get(PATIENCE.toLong(), TimeUnit.MILLISECONDS) is SocketException)
        assertTrue(System.nanoTime() - begun < 5_000_000_000L)
        assertTrue(socket.isClosed)
        assertThrows(SocketException::class.java) { socket.inputStream }
    }

    @Test
    fun `closing in the handshake ends it`() {
        val port = bench.tcp { it.getInputStream().readAllBytes() }
        val socket = HubTlsSocketFactory(config()).createSocket("127.0.0.1", port) as SSLSocket
        val shaking = CompletableFuture.supplyAsync { runCatching { socket.startHandshake() }.exceptionOrNull() }
        while (Thread.getAllStackTraces().values.none { trace -> trace.any { it.methodName == "handshake" } }) Thread.sleep(5)
        socket.close()
        assertTrue(shaking.get(PATIENCE.toLong(), TimeUnit.MILLISECONDS) is SocketException)
    }

    @Test
    fun `either side can end its half and the other goes on`() {
        val port =
            JsseServer.start(bench) {
                val said = it.inputStream.readAllBytes()
                it.outputStream.write(said)
            }
        val socket = connected(port)
        socket.outputStream.write("all of it".toByteArray())
        socket.shutdownOutput()
        assertTrue(socket.isOutputShutdown)
        assertThrows(SocketException::class.java) { socket.outputStream }
        assertEquals("all of it", socket.inputStream.readAllBytes().decodeToString())
        assertEquals(-1, socket.inputStream.read())
    }

    @Test
    fun `an end of TCP without close_notify is no end`() {
        val issued = bench.authority.issue()
        val context = JsseServer.context(issued, null)
        val port =
            bench.tcp { socket ->
                val tls = JsseServer.over(socket, context, false)
                tls.outputStream.write("cut".toByteArray())
                tls.inputStream.read()
                socket.close()
            }
        val socket = connected(port)
        socket.outputStream.write(1)
        assertEquals("cut", socket.inputStream.readNBytes(3).decodeToString())
        assertEquals("TRUNCATED", assertThrows(HubTlsException::class.java) { socket.inputStream.read() }.code)
        assertEquals("TRUNCATED", assertThrows(HubTlsException::class.java) { socket.inputStream.read() }.code)
    }

    @Test
    fun `every way to create a socket verifies the name it was created for`() {
        val good = JsseServer.start(bench)
        val bad = JsseServer.start(bench, bench.authority.issue("other.example"))
        val factory = HubTlsSocketFactory(config())
        val local = InetAddress.getByName("127.0.0.1")
        val named = InetAddress.getByAddress("localhost", byteArrayOf(127, 0, 0, 1))
        val ways =
            mapOf<String, (Int) -> Socket>(
                "host" to { factory.createSocket("localhost", it) },
                "host, local" to { factory.createSocket("localhost", it, local, 0) },
                "address" to { factory.createSocket(named, it) },
                "bare address" to { factory.createSocket(local, it) },
                "address, local" to { factory.createSocket(named, it, local, 0) },
                "unconnected" to { port -> factory.createSocket().apply { connect(InetSocketAddress("localhost", port)) } },
                "over" to { factory.createSocket(Socket("127.0.0.1", it), "localhost", it, true) },
                "over, without a name" to { factory.createSocket(Socket("127.0.0.1", it), null, it, true) },
            )
        for ((way, create) in ways) {
            create(good).use { socket ->
                socket.soTimeout = PATIENCE
                socket.outputStream.write(7)
                assertEquals(7, socket.inputStream.read(), way)
            }
            create(bad).use { socket ->
                val error = assertThrows(HubTlsException::class.java, { (socket as SSLSocket).startHandshake() }, way)
                assertEquals("HOST_NAME_MISMATCH", error.code, way)
                assertTrue(error.message!!.contains("other.example"))
                assertEquals("bad_certificate", error.alert)
                assertFalse(error.alertReceived)
            }
        }
    }

    @Test
    fun `a socket beneath is left open if it is not to be closed`() {
        val issued = bench.authority.issue()
        val context = JsseServer.context(issued, null)
        val port =
            bench.tcp { socket ->
                val tls = JsseServer.over(socket, context, false)
                tls.outputStream.write(tls.inputStream.readAllBytes())
                tls.close()
                echo(socket)
            }
        val beneath = bench.closing(Socket("127.0.0.1", port))
        beneath.soTimeout = PATIENCE
        val socket = HubTlsSocketFactory(config()).createSocket(beneath, "localhost", port, false)
        socket.outputStream.write("secret".toByteArray())
        socket.shutdownOutput()
        assertEquals("secret", socket.inputStream.readAllBytes().decodeToString())
        socket.close()
        assertFalse(beneath.isClosed)
        beneath.getOutputStream().write("plain".toByteArray())
        assertEquals("plain", beneath.getInputStream().readNBytes(5).decodeToString())
    }

    @Test
    fun `setters narrow and never widen`() {
        val port = JsseServer.start(bench)
        val factory = HubTlsSocketFactory(config())
        val socket = bench.closing(factory.createSocket("localhost", port) as SSLSocket)
        assertEquals(listOf("TLSv1.3", "TLSv1.2"), socket.enabledProtocols.toList())
        assertEquals(10, socket.supportedCipherSuites.size)
        for (wrong in listOf<() -> Unit>(
            { socket.enabledProtocols = arrayOf("TLSv1.2", "TLSv1.1") },
            { socket.enabledProtocols = arrayOf() },
            { socket.enabledCipherSuites = arrayOf("TLS_RSA_WITH_AES_128_CBC_SHA") },
            { socket.sslParameters = SSLParameters(null, arrayOf("TLSv1")) },
            { socket.sslParameters = SSLParameters().apply { endpointIdentificationAlgorithm = "LDAPS" } },
            { socket.useClientMode = false },
        )) assertThrows(IllegalArgumentException::class.java, wrong)
        socket.enabledProtocols = arrayOf("TLSv1.2")
        socket.enabledCipherSuites = arrayOf("TLS_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384")
        socket.sslParameters = SSLParameters()
        assertEquals("HTTPS", socket.sslParameters.endpointIdentificationAlgorithm)
        assertEquals("TLSv1.2 TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", socket.session.run { "$protocol $cipherSuite" })
    }

    @Test
    fun `ALPN of one socket is not that of the next`() {
        val port = JsseServer.start(bench, setUp = { server ->
            server.sslParameters = server.sslParameters.apply { applicationProtocols = arrayOf("h2", "mqtt") }
        })
        val factory = HubTlsSocketFactory(Config(roots = bench.authority.roots, alpn = listOf("mqtt")))
        val first = bench.closing(factory.createSocket("localhost", port) as SSLSocket)
        first.sslParameters = first.sslParameters.apply { applicationProtocols = arrayOf("h2", "http/1.1") }
        first.startHandshake()
        assertEquals("h2", first.applicationProtocol)
        val second = bench.closing(factory.createSocket("localhost", port) as SSLSocket)
        second.startHandshake()
        assertEquals("mqtt", second.applicationProtocol)
    }

    @Test
    fun `the name that is sent is the one that is verified`() {
        val port = JsseServer.start(bench, bench.authority.issue("hub.example"))
        val factory = HubTlsSocketFactory(config())
        fun names(name: String) = SSLParameters().apply { serverNames = listOf(SNIHostName(name)) }
        // Over a socket without a name, the name that is sent is verified too.
        factory.createSocket(Socket("127.0.0.1", port), null, port, true).use { socket ->
            (socket as SSLSocket).sslParameters = names("hub.example")
            socket.startHandshake()
        }
        factory.createSocket("localhost", port).use { socket ->
            (socket as SSLSocket).sslParameters = names("hub.example")
            assertEquals("INVALID_ARGUMENT", assertThrows(HubTlsException::class.java) { socket.startHandshake() }.code)
        }
    }

    @Test
    fun `an address is verified without its interface`() {
        val names = listOf("fe80::1%eth0" to "fe80::1", "[::1%1]" to "::1", "[::1]" to "::1", "127.0.0.1" to "127.0.0.1", "hub.example." to "hub.example.")
        for ((name, expected) in names) assertEquals(expected, withoutZone(name))
    }

    @Test
    fun `a failed connection says the same again`() {
        val port = JsseServer.start(bench)
        val socket = bench.closing(HubTlsSocketFactory(Config()).createSocket("localhost", port) as SSLSocket)
        val output = socket.outputStream
        repeat(2) { assertEquals("UNKNOWN_ROOT", assertThrows(HubTlsException::class.java) { socket.startHandshake() }.code) }
        assertEquals("UNKNOWN_ROOT", assertThrows(HubTlsException::class.java) { output.write(1) }.code)
        assertEquals("SSL_NULL_WITH_NULL_NULL", socket.session.cipherSuite)
        // As with JSSE: HttpsURLConnection for one forgets it.
        assertTrue(socket.isClosed)
    }

    @Test
    fun `the server sees the alert`() {
        val seen = CompletableFuture<Throwable>()
        val port = JsseServer.start(bench) { seen.complete(runCatching { it.startHandshake() }.exceptionOrNull() ?: IOException("none")) }
        assertThrows(HubTlsException::class.java) { TlsSocket.connect(Config(), "localhost", port) }
        val error = seen.get(PATIENCE.toLong(), TimeUnit.MILLISECONDS)
        assertTrue(error is SSLHandshakeException && error.message!!.contains("unknown_ca"), "$error")
    }

    @Test
    fun `errors of the network are Java's own`() {
        assertThrows(java.net.ConnectException::class.java) { TlsSocket.connect(config(), "127.0.0.1", Bench.freePort()) }
        assertThrows(SocketException::class.java) { (HubTlsSocketFactory(config()).createSocket() as SSLSocket).startHandshake() }
        assertThrows(java.net.UnknownHostException::class.java) { TlsSocket.connect(config(), "no.such.name.invalid", 1) }
    }

    @Test
    fun `sessions are resumed by all sockets of a configuration`() {
        val port = JsseServer.start(bench)
        for (policy in listOf("iothub", "iothub-tls12")) {
            val config = config(policy)
            val resumed =
                List(3) {
                    connected(port, config).use { socket ->
                        socket.outputStream.write(1)
                        socket.inputStream.read()
                        socket.negotiated!!.resumed
                    }
                }
            assertEquals(listOf(false, true, true), resumed, policy)
        }
    }

    @Test
    fun `a fragment length is negotiated`() {
        val issued = bench.authority.issue()
        val openssl = bench.openssl("-cert", "${issued.chain}", "-key", "${issued.key}", "-rev")
        val java = JsseServer.start(bench, issued)
        for ((port, answer) in listOf(openssl to "cba\n", java to "abc\n")) {
            for (length in listOf(FragmentLength.request(512), FragmentLength.require(4096))) {
                // s_server serves one at a time.
                connected(port, Config(roots = bench.authority.roots, fragmentLength = length)).use { socket ->
                    assertEquals(length.bytes, socket.negotiated!!.fragmentLength)
                    socket.outputStream.write("abc\n".toByteArray())
                    assertEquals(answer, socket.inputStream.readNBytes(4).decodeToString())
                }
            }
        }
        val echo = connected(java, Config(roots = bench.authority.roots, fragmentLength = FragmentLength.request(512)))
        val sent = Random(2).nextBytes(100_000)
        val writer = thread { echo.outputStream.write(sent) }
        assertArrayEquals(sent, echo.inputStream.readNBytes(sent.size))
        writer.join()
    }

    @Test
    fun `TLS goes through TLS`() {
        val issued = bench.authority.issue()
        val context = JsseServer.context(issued, null)
        val port =
            JsseServer.start(bench, issued) { outer ->
                val inner = context.socketFactory.createSocket(outer, "127.0.0.1", outer.port, true) as SSLSocket
                inner.useClientMode = false
                echo(inner)
            }
        val socket = bench.closing(HubTlsSocketFactory(config()).createSocket(connected(port), "localhost", port, true))
        socket.outputStream.write("deep".toByteArray())
        assertEquals("deep", socket.inputStream.readNBytes(4).decodeToString())
    }
}
