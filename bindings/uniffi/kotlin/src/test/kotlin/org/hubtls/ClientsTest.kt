package org.hubtls

import java.net.URI
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit
import javax.net.ssl.HttpsURLConnection
import javax.net.ssl.SSLSocketFactory
import okhttp3.OkHttpClient
import okhttp3.Request
import okhttp3.RequestBody.Companion.toRequestBody
import org.eclipse.paho.client.mqttv3.MqttClient
import org.eclipse.paho.client.mqttv3.MqttConnectOptions
import org.eclipse.paho.client.mqttv3.MqttException
import org.eclipse.paho.client.mqttv3.persist.MemoryPersistence
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.extension.RegisterExtension

/** Real clients over the engine's factory and over that of the native context. */
class ClientsTest {
    @JvmField
    @RegisterExtension
    val bench = Bench()

    private val device by lazy { bench.authority.issue("device-01").let { Identity.fromFiles(it.chain, it.key) } }

    private fun factories(config: Config = Config(roots = bench.authority.roots, identity = device)): Map<String, SSLSocketFactory> =
        mapOf("engine" to HubTlsSocketFactory(config), "native" to HubTls.sslContext(config).socketFactory)

    private fun broker(server: Issued = bench.authority.issue()) =
        bench.mosquitto(server, "require_certificate true", "cafile ${bench.authority.root}", "use_identity_as_username true")

    private fun pahoOptions(factory: SSLSocketFactory) =
        MqttConnectOptions().apply {
            socketFactory = factory
            connectionTimeout = 20
        }

    @Test
    fun `Paho sends and receives`() {
        val (port, plain) = broker()
        val hub = Hub(bench, plain)
        for ((way, factory) in factories()) {
            val client = MqttClient("ssl://localhost:$port", "device-01", MemoryPersistence())
            client.connect(pahoOptions(factory))
            val received = LinkedBlockingQueue<String>()
            client.subscribe("devices/device-01/messages/devicebound/#", 1) { _, message -> received.put(message.toString()) }
            val large = "x".repeat(200_000)
            for (text in listOf("{\"temperature\":21.5}", large)) {
                client.publish("devices/device-01/messages/events/", text.toByteArray(), 1, false)
                assertEquals("device-01" to text, hub.telemetry(), way)
                hub.send("device-01", text)
                assertEquals(text, received.poll(PATIENCE.toLong(), TimeUnit.MILLISECONDS), way)
            }
            client.disconnect()
            client.close()
        }
    }

    @Test
    fun `Paho for MQTT 5 sends and receives`() {
        val (port, plain) = broker()
        val hub = Hub(bench, plain)
        for ((way, factory) in factories()) {
            val client = org.eclipse.paho.mqttv5.client.MqttClient("ssl://localhost:$port", "device-01", org.eclipse.paho.mqttv5.client.persist.MemoryPersistence())
            val options = org.eclipse.paho.mqttv5.client.MqttConnectionOptions()
            options.socketFactory = factory
            client.connect(options)
            client.publish("devices/device-01/messages/events/", "five".toByteArray(), 1, false)
            assertEquals("device-01" to "five", hub.telemetry(), way)
            client.disconnect()
            client.close()
        }
    }

    @Test
    fun `Paho is told what is wrong`() {
        val (port) = broker(bench.authority.issue("other.example"))
        for ((way, factory) in factories()) {
            val error =
                assertThrows(MqttException::class.java) {
                    MqttClient("ssl://localhost:$port", "device-01", MemoryPersistence()).connect(pahoOptions(factory))
                }
            val causes = generateSequence<Throwable>(error) { it.cause }.toList()
            if (way == "engine") assertEquals("HOST_NAME_MISMATCH", causes.filterIsInstance<HubTlsException>().first().code)
            assertTrue(causes.any { it.message.orEmpty().contains("name", ignoreCase = true) }, "$way: $causes")
        }
    }

    @Test
    fun `Paho notices a broker that is gone and reconnects`() {
        val (port, plain) = broker()
        val hub = Hub(bench, plain)
        val relay = Relay(bench, port)
        for ((way, factory) in factories()) {
            val client = MqttClient("ssl://localhost:${relay.port}", "device-01", MemoryPersistence())
            val options = pahoOptions(factory)
            options.isAutomaticReconnect = true
            client.connect(options)
            relay.cut()
            val begun = System.nanoTime()
            while (System.nanoTime() - begun < PATIENCE * 1_000_000L) {
                try {
                    client.publish("devices/device-01/messages/events/", "again".toByteArray(), 1, false)
                    break
                } catch (_: MqttException) {
                    Thread.sleep(100)
                }
            }
            assertEquals("device-01" to "again", hub.telemetry(), way)
            client.disconnectForcibly(0, 1000)
            client.close(true)
        }
    }

    @Test
    fun `HttpsURLConnection works and keeps connections`() {
        val asked = LinkedBlockingQueue<String>()
        val port = JsseServer.start(bench, clients = bench.authority) { asked.put(Web.answer(it, "hello")) }
        for ((way, factory) in factories()) {
            val connection = URI("https://localhost:$port/devices/device-01").toURL().openConnection() as HttpsURLConnection
            connection.sslSocketFactory = factory
            connection.requestMethod = "POST"
            connection.doOutput = true
            connection.outputStream.write("21.5".toByteArray())
            assertEquals("hello", connection.inputStream.readAllBytes().decodeToString(), way)
            assertTrue(asked.poll(PATIENCE.toLong(), TimeUnit.MILLISECONDS)!!.endsWith("21.5"))
            assertTrue(connection.cipherSuite.startsWith("TLS_"))
        }
        val wrong = JsseServer.start(bench, bench.authority.issue("other.example")) { Web.answer(it, "hello") }
        for ((_, factory) in factories()) {
            val connection = URI("https://localhost:$wrong/").toURL().openConnection() as HttpsURLConnection
            connection.sslSocketFactory = factory
            // Nor does a verifier of the user's let it pass.
            connection.setHostnameVerifier { _, _ -> true }
            assertThrows(javax.net.ssl.SSLException::class.java) { connection.inputStream }
        }
    }

    @Test
    fun `OkHttp works`() {
        val asked = LinkedBlockingQueue<String>()
        val port = JsseServer.start(bench, clients = bench.authority) { asked.put(Web.answer(it, "hello")) }
        val wrong = JsseServer.start(bench, bench.authority.issue("other.example")) { Web.answer(it, "hello") }
        val config = Config(roots = bench.authority.roots, identity = device)
        for ((way, factory) in factories(config)) {
            val client = OkHttpClient.Builder().sslSocketFactory(factory, HubTls.trustManager(config)).hostnameVerifier { _, _ -> true }.build()
            bench.ending {
                client.dispatcher.executorService.shutdown()
                client.connectionPool.evictAll()
            }
            val request = Request.Builder().url("https://localhost:$port/").post("21.5".toRequestBody()).build()
            client.newCall(request).execute().use { answer ->
                assertEquals("hello", answer.body.string(), way)
                assertEquals("TLSv1.3", answer.handshake!!.tlsVersion.javaName)
                assertEquals(1, answer.handshake!!.localCertificates.size)
            }
            assertTrue(asked.poll(PATIENCE.toLong(), TimeUnit.MILLISECONDS)!!.endsWith("21.5"))
            assertThrows(javax.net.ssl.SSLException::class.java) {
                client.newCall(Request.Builder().url("https://localhost:$wrong/").build()).execute()
            }
        }
    }
}

/** Passes bytes on to another port, until it is cut. */
class Relay(bench: Bench, to: Int) {
    private val open = java.util.concurrent.CopyOnWriteArrayList<java.net.Socket>()
    val port =
        bench.tcp { client ->
            java.net.Socket("127.0.0.1", to).use { server ->
                open += client
                open += server
                val back = kotlin.concurrent.thread(isDaemon = true) { runCatching { server.getInputStream().transferTo(client.getOutputStream()) } }
                runCatching { client.getInputStream().transferTo(server.getOutputStream()) }
                server.close()
                back.join()
            }
        }

    fun cut() {
        open.forEach { it.close() }
        open.clear()
    }
}
