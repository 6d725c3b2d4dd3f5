package org.hubtls

import java.nio.file.Files
import java.security.KeyFactory
import java.util.concurrent.CompletableFuture
import java.util.concurrent.ConcurrentLinkedQueue
import java.util.concurrent.TimeUnit
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertSame
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.extension.RegisterExtension

class SignerTest {
    @JvmField
    @RegisterExtension
    val bench = Bench()

    private val issued by lazy { bench.authority.issue("device-01") }
    private val real by lazy { PrivateKeySigner(PemKey.read(Files.readAllBytes(issued.key), null)) }
    private val chain by lazy { Files.readAllBytes(issued.chain) }

    /** Signs at first, when the identity is built, and then does something else. */
    private fun later(work: () -> ByteArray): Identity {
        var signed = 0
        return Identity.fromSigner(chain, Signer { scheme, content -> if (signed++ == 0) real.sign(scheme, content) else work() })
    }

    private fun shake(identity: Identity, policy: String = "iothub"): TlsSocket {
        val port = JsseServer.start(bench, clients = bench.authority)
        val config = Config(policy = Policy.named(policy), roots = bench.authority.roots, identity = identity)
        return bench.closing(TlsSocket.connect(config, "localhost", port)).apply { soTimeout = PATIENCE }
    }

    @Test
    fun `a signer stands for the key in each policy and with every kind of key`() {
        for (algorithm in listOf(Authority.EC, Authority.RSA, listOf("ec", "-pkeyopt", "ec_paramgen_curve:P-384"), listOf("ed25519"))) {
            val issued = bench.authority.issue("device-01", algorithm = algorithm)
            val asked = ConcurrentLinkedQueue<String>()
            val signer = PrivateKeySigner(PemKey.read(Files.readAllBytes(issued.key), null))
            val schemes = signer.schemes()
            val recording = object : Signer {
                override fun sign(scheme: String, content: ByteArray) = signer.sign(scheme, content).also { asked += scheme }

                override fun schemes() = schemes
            }
            for (policy in listOf("iothub", "iothub-tls12")) {
                asked.clear()
                val socket = shake(Identity.fromSigner(Files.readAllBytes(issued.chain), recording), policy)
                socket.outputStream.write(3)
                assertEquals(3, socket.inputStream.read(), "$algorithm $policy")
                assertEquals(2, asked.size)
                assertTrue(schemes.containsAll(asked))
            }
        }
    }

    @Test
    fun `a key of Java's key store signs`() {
        val identity = Identity.fromKeyStore(JsseServer.keyStore(issued), "it", JsseServer.PASSWORD)
        shake(identity).run {
            outputStream.write(3)
            assertEquals(3, inputStream.read())
        }
        assertEquals("INVALID_ARGUMENT", code { Identity.fromKeyStore(JsseServer.keyStore(issued), "none") })
        assertEquals("INVALID_KEY", code { Identity.fromKeyStore(JsseServer.keyStore(issued), "it", "wrong".toCharArray()) })
        val other = PemKey.read(Files.readAllBytes(bench.authority.issue().key), null)
        assertEquals("SIGNER_FAILED", code { Identity.fromPrivateKey(identity.chain, other) })
    }

    @Test
    fun `whatever a signer throws ends the handshake and is the cause`() {
        fun endlessly(depth: Int): Int = endlessly(depth + 1) + 1
        val thrown = listOf<() -> ByteArray>(
            { throw IllegalStateException("token removed") },
            { throw Error("worse") },
            { throw OutOfMemoryError("a test") },
            { throw InterruptedException() },
            { byteArrayOf(endlessly(0).toByte()) },
            { throw object : RuntimeException() { override val message: String get() = throw IllegalStateException("no text") } },
        )
        for (work in thrown) {
            var expected: Throwable? = null
            val identity = later { try { work() } catch (error: Throwable) { expected = error; throw error } }
            val error = assertThrows(HubTlsException::class.java) { shake(identity) }
            assertEquals("SIGNER_FAILED", error.code)
            assertSame(expected, generateSequence<Throwable>(error) { it.cause }.first { it !is HubTlsException })
        }
        assertEquals("SIGNER_FAILED", code { Identity.fromSigner(chain, Signer { _, _ -> throw Error("at once") }) })
    }

    @Test
    fun `a signer that signs wrongly is found out`() {
        assertEquals("SIGNER_FAILED", code { Identity.fromSigner(chain, Signer { _, _ -> ByteArray(64) }) })
        assertEquals("SIGNER_FAILED", code { Identity.fromSigner(chain, Signer { _, _ -> ByteArray(0) }) })
        val stranger = KeyFactory.getInstance("EC").let { PemKey.read(Files.readAllBytes(bench.authority.issue().key), null) }
        assertEquals("SIGNER_FAILED", code { Identity.fromSigner(chain, PrivateKeySigner(stranger)) })
        val schemes = object : Signer {
            override fun sign(scheme: String, content: ByteArray) = real.sign(scheme, content)

            override fun schemes() = listOf("md5")
        }
        assertEquals("UNKNOWN_SIGNATURE_SCHEME", code { Identity.fromSigner(chain, schemes) })
    }

    @Test
    fun `a signer that calls its own connection is told so`() {
        lateinit var socket: TlsSocket
        val seen = CompletableFuture<Throwable>()
        val identity = later {
            val error = runCatching { socket.outputStream.write(1) }.exceptionOrNull()
            seen.complete(error ?: Error("none"))
            throw error!!
        }
        val port = JsseServer.start(bench, clients = bench.authority)
        val factory = HubTlsSocketFactory(Config(roots = bench.authority.roots, identity = identity))
        socket = bench.closing(factory.createSocket("localhost", port) as TlsSocket)
        assertEquals("SIGNER_FAILED", code { socket.startHandshake() })
        assertEquals("IN_USE", (seen.get(PATIENCE.toLong(), TimeUnit.MILLISECONDS) as HubTlsException).code)
    }

    @Test
    fun `closing does not wait for a signer`() {
        val asked = CompletableFuture<Unit>()
        val go = CompletableFuture<ByteArray>()
        val identity = later { asked.complete(Unit); go.get() }
        val port = JsseServer.start(bench, clients = bench.authority)
        val socket = HubTlsSocketFactory(Config(roots = bench.authority.roots, identity = identity)).createSocket("localhost", port) as TlsSocket
        val shaking = CompletableFuture.supplyAsync { runCatching { socket.startHandshake() }.exceptionOrNull() }
        asked.get(PATIENCE.toLong(), TimeUnit.MILLISECONDS)
        val closing = CompletableFuture.runAsync { socket.close() }
        closing.get(PATIENCE.toLong() / 2, TimeUnit.MILLISECONDS)
        go.complete(ByteArray(1))
        val error = shaking.get(PATIENCE.toLong(), TimeUnit.MILLISECONDS)
        assertTrue(error is java.io.IOException, "${error?.stackTraceToString()}")
    }

    private fun code(work: () -> Unit) = assertThrows(HubTlsException::class.java, work).code
}
