package org.hubtls

import java.nio.file.Files
import java.time.Instant
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.extension.RegisterExtension

/** Policies, roots, identities, configurations, and connections without sockets. */
class CoreTest {
    @JvmField
    @RegisterExtension
    val bench = Bench()

    private fun code(work: () -> Unit) = assertThrows(HubTlsException::class.java, work).code

    @Test
    fun `policies have names, aliases and lists`() {
        assertEquals("0.1.0", HubTls.version())
        assertEquals("iothub-2025-08", Policy.named().name)
        assertEquals(Policy.aliases().values.toSet(), Policy.all().map { it.name }.toSet())
        val policy = Policy.named("iothub")
        assertEquals(listOf("TLSv1.3", "TLSv1.2"), policy.versions)
        assertEquals(10, policy.suites.size)
        assertEquals("X25519", policy.groups.first())
        assertEquals("x25519", policy.jsseNamedGroups.first())
        assertEquals(2, policy.roots.size)
        assertFalse(policy.isNarrowed)
        assertNull(policy.jsseMaximumPacketSize)
        assertEquals(837, policy.withFragmentLength(FragmentLength.request(512)).jsseMaximumPacketSize)
        assertEquals(policy.suites, Policy.fromJson(policy.toJson()).suites)
    }

    @Test
    fun `policies are narrowed and not widened`() {
        val policy = Policy.named()
        assertTrue(policy.onlyVersions("TLSv1.2").isNarrowed)
        assertEquals(8, policy.onlyVersions("TLSv1.2").suites.size)
        assertEquals(1, policy.onlySuites("ECDHE-RSA-AES128-GCM-SHA256").suites.size)
        assertEquals(listOf("secp256r1"), policy.onlyGroups("secp256r1").groups)
        assertEquals(FragmentLength.require(512), policy.withFragmentLength(FragmentLength.require(512)).fragmentLength)
        assertEquals("POLICY_WIDENED", code { Policy.named("iothub-tls12").onlyVersions("TLSv1.3") })
        assertEquals("UNKNOWN_POLICY", code { Policy.named("iothob") })
        assertEquals("UNKNOWN_SUITE", code { policy.onlySuites("x") })
        assertEquals("INVALID_POLICY_DOCUMENT", code { Policy.fromJson("{}") })
        assertEquals("INVALID_FRAGMENT_LENGTH", code { policy.withFragmentLength(FragmentLength.request(513)) })
    }

    @Test
    fun `roots tell of themselves`() {
        val azure = Roots.azure()
        assertEquals(2, azure.count)
        assertEquals(azure.pem, Roots.ofPolicy(Policy.named()).pem)
        assertTrue(azure.all.all { it.origin == "embedded" && it.vouchesForAzure && it.notAfter!! > Instant.parse("2038-01-01T00:00:00Z") })
        assertTrue(azure.readiness(365).isReady)
        val private = bench.authority.roots
        assertEquals(listOf("added"), private.all.map { it.origin })
        assertEquals(3, azure.withAdded(private).count)
        assertEquals(2, azure.withAdded(private).believedAbout("hub.azure-devices.net").count)
        assertEquals(3, azure.withAdded(private.vouchingForAzure()).believedAbout("hub.azure-devices.net").count)
        assertEquals("NO_CERTIFICATE", code { Roots.fromPem("") })
        assertEquals("INVALID_ARGUMENT", code { Roots.fromFile(bench.folder.resolve("none")) })
        assertEquals(private.all[0].pin, HubTls.pinOfCertificate(Files.readAllBytes(bench.authority.root)))
        assertEquals(private.pem, Roots.fromCertificates(listOf(certificateOf(Files.readAllBytes(bench.authority.root)))).pem)
    }

    @Test
    fun `identities are checked when they are made`() {
        val issued = bench.authority.issue("device-01")
        val identity = Identity.fromPem(issued.chainPem, issued.keyPem)
        assertEquals("device-01", identity.subject)
        assertEquals("P-256", identity.keyAlgorithm)
        assertEquals("CN=device-01", identity.chain[0].subjectX500Principal.name)
        assertFalse("$identity".contains("PRIVATE"))
        assertEquals("KEY_MISMATCH", code { Identity.fromPem(issued.chainPem, bench.authority.issue().keyPem) })
        assertEquals("EMPTY_CHAIN", code { Identity.fromPem("", issued.keyPem) })
        val missing = assertThrows(HubTlsException::class.java) { Identity.fromFiles(bench.folder.resolve("none"), issued.key) }
        assertEquals("INVALID_ARGUMENT", missing.code)
        assertTrue(missing.sentence.contains("none"))
    }

    @Test
    fun `a configuration has what it was made from`() {
        val config = Config.builder().policy("iothub-ecc").addRoots(bench.authority.roots).alpn("mqtt").build()
        assertEquals("iothub-2025-08-ecc", config.policy.name)
        assertEquals(3, config.roots.count)
        assertEquals(listOf("mqtt"), config.alpn)
        assertEquals(1, config.withRoots(bench.authority.roots).roots.count)
        assertTrue(config.warnings.isEmpty() && config.pins.isEmpty() && config.identity == null)
        assertEquals("INVALID_PIN", code { Config(pins = listOf("x")) })
        assertEquals("INVALID_ARGUMENT", code { Config(pins = emptyList()) })
        assertEquals("INVALID_ALPN", code { Config(alpn = listOf("")) })
        assertEquals("IO", code { Config(keyLog = bench.folder.resolve("none/at/all")) })
    }

    @Test
    fun `every code has its number`() {
        val codes = HubTls.errorCodes()
        assertEquals(codes.map { it.number }.sorted(), codes.map { it.number })
        assertEquals(403, codes.first { it.code == "TIMEOUT" }.number)
        assertTrue(codes.first { it.code == "TIMEOUT" }.isTransient)
        // Those that the facade makes itself.
        for (error in listOf(
            HubTlsException.invalid("", ""), HubTlsException.unsupported("", ""), HubTlsException.timedOut("", 1), HubTlsException.panicked(Error()),
            HubTlsException.inUse(),
        )) assertEquals(error.number, codes.first { it.code == error.code }.number)
    }

    @Test
    fun `a connection needs no socket`() {
        val port = JsseServer.start(bench)
        val config = Config(roots = bench.authority.roots)
        java.net.Socket("127.0.0.1", port).use { socket ->
            Connection(config, "localhost").use { connection ->
                assertEquals("HANDSHAKE_NOT_COMPLETE", code { connection.negotiated })
                val buffer = ByteArray(20_000)
                fun exchange() {
                    socket.getOutputStream().write(connection.transmit())
                    var given = 0
                    val count = socket.getInputStream().read(buffer)
                    if (count < 0) return connection.receiveEnd()
                    while (given < count) given += connection.receive(buffer.copyOfRange(given, count))
                }
                while (connection.isHandshaking) exchange()
                assertEquals("TLSv1.3", connection.negotiated.version)
                assertEquals(5, connection.write("hello".toByteArray()))
                while (connection.readableBytes < 5) exchange()
                assertArrayEquals("hello".toByteArray(), connection.read())
                connection.finish()
                while (!connection.isEnded) exchange()
            }
        }
        assertEquals("INVALID_SERVER_NAME", code { Connection(config, "no name") })
        val closed = Connection(config, "localhost")
        closed.close()
        assertEquals("INVALID_ARGUMENT", code { closed.transmit() })
        assertEquals("NOT_TLS", code { Connection(config, "localhost").run { receive("HTTP/1.1 400".toByteArray()); receive(ByteArray(9)) } })
    }

    @Test
    fun `the key log and the name to send reach the engine`() {
        val port = JsseServer.start(bench)
        val log = bench.folder.resolve("keys")
        val config = Config(roots = bench.authority.roots, keyLog = log, sni = Sni.named("else.example"))
        TlsSocket.connect(config, "localhost", port).close()
        assertTrue(Files.readString(log).contains("CLIENT_HANDSHAKE_TRAFFIC_SECRET"))
    }
}
