package org.hubtls

import com.google.gson.JsonArray
import com.google.gson.JsonElement
import com.google.gson.JsonNull
import com.google.gson.JsonObject
import com.google.gson.JsonParser
import java.net.Socket
import java.nio.file.Files
import java.nio.file.Path
import java.time.Instant
import javax.net.ssl.SSLHandshakeException
import javax.net.ssl.SSLSocket
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertArrayEquals
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.DynamicTest
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.TestFactory

/** The scenario table of tests/scenarios.json: tests/README.md says what each row means. */
class ScenarioTest {
    private val rows = JsonParser.parseString(Files.readString(ROOT.resolve("tests/scenarios.json"))).asJsonArray.map { it.asJsonObject }

    @TestFactory
    fun `each row by a socket, by a channel and by a native socket`() = rows.map { row -> DynamicTest.dynamicTest(row.name) { play(row) } }

    @Test
    fun `every row of the program is run here`() {
        val child = ProcessBuilder("${PROGRAMS.resolve("scenario-server")}", "--list").start()
        assertEquals(rows.map { it.name }, child.inputStream.readAllBytes().decodeToString().trimEnd().split("\n"))
    }

    private fun play(row: JsonObject) {
        val bench = Bench()
        try {
            val server = bench.program("scenario-server", row.name)
            val client = row.getAsJsonObject("client") ?: JsonObject()
            val expect = row.getAsJsonObject("expect")
            for (converse in listOf(::bySocket, ::byChannel)) {
                // A new one for each, so that nothing is resumed that should not be.
                val config = configOf(client, Path.of(server["directory"].asString))
                if (expect.has("error")) {
                    compare(assertThrows(HubTlsException::class.java) { converse(config, server, client) }, expect)
                    continue
                }
                if (client["resume"]?.asBoolean == true) converse(config, server, client)
                val agreed = JsonParser.parseString(converse(config, server, client).toJson()).asJsonObject
                for ((key, value) in expect.entrySet()) assertEquals(value, agreed[key], key)
            }
            natively(configOf(client, Path.of(server["directory"].asString)), server, client, expect)
        } finally {
            bench.close()
        }
    }

    private fun configOf(client: JsonObject, directory: Path): Config {
        fun file(name: String) = Files.readString(directory.resolve(name))
        var policy = Policy.named(client["policy"]?.asString ?: "iothub")
        client["versions"]?.let { policy = policy.onlyVersions(it.texts()) }
        client["suites"]?.let { policy = policy.onlySuites(it.texts()) }
        client["groups"]?.let { policy = policy.onlyGroups(it.texts()) }
        val trust = client["trust"]?.asString ?: "replaced"
        var roots = if (trust == "embedded") null else Roots.fromPem(file(if (trust == "unrelated") "unrelated.pem" else "roots.pem"))
        if (client["vouching_for_azure"]?.asBoolean == true) roots = roots?.vouchingForAzure()
        return Config(
            policy = policy,
            roots = roots.takeIf { trust != "added" },
            addRoots = roots.takeIf { trust == "added" },
            pins = client["pin"]?.let { listOf(file("${it.asString}-root.pem")) },
            revocationLists = if (client["revocation_lists"]?.asBoolean == true) listOf(file("revocation.pem").toByteArray()) else emptyList(),
            identity = client["identity"]?.let { Identity.fromPem(file("identity.chain"), file("identity.key")) },
            alpn = client["alpn"]?.texts() ?: emptyList(),
            time = client["time"]?.let { Instant.ofEpochSecond(it.asLong) },
        )
    }

    /** Connects, holds the conversation of the row and tells what was agreed. */
    private fun bySocket(config: Config, server: JsonObject, client: JsonObject): Negotiated =
        TlsSocket.connect(
            config,
            server["host"].asString,
            server["port"].asInt,
            client["server_name"]?.asString ?: "localhost",
            client["handshake_timeout_ms"]?.asInt ?: PATIENCE,
        ).use { socket ->
            socket.soTimeout = PATIENCE
            socket.outputStream.write(bytes(server["send"]))
            val expected = bytes(server["receive"])
            assertArrayEquals(expected, socket.inputStream.readNBytes(expected.size))
            socket.negotiated!!
        }

    private fun byChannel(config: Config, server: JsonObject, client: JsonObject): Negotiated =
        runBlocking {
            TlsChannel.connect(
                config,
                server["host"].asString,
                server["port"].asInt,
                client["server_name"]?.asString ?: "localhost",
                client["handshake_timeout_ms"]?.asInt ?: PATIENCE,
            ).use { channel ->
                channel.write(bytes(server["send"]))
                val expected = bytes(server["receive"])
                val received = ByteArray(expected.size)
                var count = 0
                while (count < received.size) {
                    val more = withTimeout(PATIENCE.toLong()) { channel.read(received, count) }
                    check(more > 0) { "the server ended the conversation" }
                    count += more
                }
                assertArrayEquals(expected, received)
                channel.finish()
                channel.negotiated
            }
        }

    /** Java's own TLS agrees on the same with the server, or believes it as little. Its other errors are its own. */
    private fun natively(config: Config, server: JsonObject, client: JsonObject, expect: JsonObject) {
        val code = expect["error"]?.asString
        if (config.policy.fragmentLength.isRequired || (code != null && code !in DISTRUST)) return
        val beneath = Socket(server["host"].asString, server["port"].asInt)
        val factory = HubTls.sslContext(config).socketFactory
        (factory.createSocket(beneath, client["server_name"]?.asString ?: "localhost", beneath.port, true) as SSLSocket).use { socket ->
            socket.soTimeout = PATIENCE
            if (code == null) {
                socket.startHandshake()
                for ((key, value) in listOf("version" to socket.session.protocol, "cipher_suite" to socket.session.cipherSuite)) {
                    expect[key]?.let { assertEquals(it.asString, value) }
                }
                return
            }
            val error = assertThrows(SSLHandshakeException::class.java) { socket.startHandshake() }
            val cause = generateSequence<Throwable>(error) { it.cause }.filterIsInstance<HubTlsException>().first()
            assertEquals(code, cause.code)
            expect["says"]?.let { assertTrue(cause.message!!.contains(it.asString, ignoreCase = true), cause.message) }
        }
    }

    private fun compare(error: HubTlsException, expect: JsonObject) {
        assertEquals(expect["error"].asString, error.code, error.message)
        assertTrue(error.hint.isNotEmpty())
        if (expect.has("alert")) assertEquals(expect["alert"].takeIf { it != JsonNull.INSTANCE }?.asString, error.alert)
        expect["says"]?.let { assertTrue(error.message!!.contains(it.asString, ignoreCase = true), error.message) }
    }

    private fun bytes(hex: JsonElement) = java.util.HexFormat.of().parseHex(hex.asString)

    private val JsonObject.name: String get() = this["name"].asString

    private fun JsonElement.texts() = (this as JsonArray).map { it.asString }

    private companion object {
        /** The codes of a server that is not believed. */
        val DISTRUST = HubTls.errorCodes().filter { it.number in 301..309 }.map { it.code }
    }
}
