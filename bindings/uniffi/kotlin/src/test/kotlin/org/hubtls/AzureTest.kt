package org.hubtls

import com.microsoft.azure.sdk.iot.device.ClientOptions
import com.microsoft.azure.sdk.iot.device.DeviceClient
import com.microsoft.azure.sdk.iot.device.IotHubClientProtocol
import com.microsoft.azure.sdk.iot.device.IotHubMessageResult
import com.microsoft.azure.sdk.iot.device.IotHubStatusCode
import com.microsoft.azure.sdk.iot.device.Message
import com.microsoft.azure.sdk.iot.device.exceptions.IotHubClientException
import com.microsoft.azure.sdk.iot.device.twin.DirectMethodResponse
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit
import javax.net.ssl.SSLContext
import kotlin.concurrent.thread
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertThrows
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.extension.RegisterExtension
import org.junit.jupiter.api.parallel.ResourceLock

/** azure-iot-sdk-java, which knows no port but 8883, against a mosquitto that plays the hub. */
@ResourceLock("8883")
class AzureTest {
    @JvmField
    @RegisterExtension
    val bench = Bench()

    private val device by lazy { bench.authority.issue("device-01").let { Identity.fromFiles(it.chain, it.key) } }
    private val config by lazy { Config(addRoots = bench.authority.roots.vouchingForAzure(), identity = device) }

    private fun client(config: Config) = client(HubTls.sslContext(config), IotHubClientProtocol.MQTT)

    private fun client(context: SSLContext, protocol: IotHubClientProtocol) =
        DeviceClient("HostName=$HOST;DeviceId=device-01;x509=true", protocol, ClientOptions.builder().sslContext(context).keepAliveInterval(30).build())

    private fun broker(server: Issued) =
        bench.mosquitto(
            server, "require_certificate true", "cafile ${bench.authority.root}", "use_identity_as_username true", fixed = 8883,
        )

    /**
     * Asks again when the time runs out: IotHubTransport.onMessageReceived of 2.5.0 looks up who waits for an answer after it has put the answer into the
     * queue, and a thread that takes it from there forgets who waits. One answer in thirty is lost here.
     */
    private fun <T> answered(ask: (Int) -> T): T {
        repeat(9) {
            try {
                return ask(2_000)
            } catch (error: IotHubClientException) {
                if (error.statusCode != IotHubStatusCode.DEVICE_OPERATION_TIMED_OUT) throw error
            }
        }
        return ask(PATIENCE)
    }

    @Test
    fun `a device sends, receives, has a twin and methods`() {
        val (_, plain) = broker(bench.authority.issue(HOST))
        val hub = Hub(bench, plain)
        val client = client(config)
        val received = LinkedBlockingQueue<String>()
        client.setMessageCallback({ message, _ -> received.put(message.bytes.decodeToString()); IotHubMessageResult.COMPLETE }, null)
        client.open(false)
        try {
            client.sendEvent(Message("{\"temperature\":21.5}"), PATIENCE)
            assertEquals("device-01" to "{\"temperature\":21.5}", hub.telemetry())
            hub.send("device-01", "hello")
            assertEquals("hello", received.poll(PATIENCE.toLong(), TimeUnit.MILLISECONDS))
            client.subscribeToMethods({ name, _, _ -> DirectMethodResponse(200, mapOf("called" to name)) }, null, PATIENCE)
            assertEquals("200" to "{\"called\":\"reboot\"}", hub.call("reboot", "{}"))
            client.subscribeToDesiredProperties({ _, _ -> }, null, PATIENCE)
            val twin = answered { client.getTwin(it) }
            assertEquals("5", "${twin.desiredProperties["interval"]}")
            twin.reportedProperties["interval"] = 5
            answered { client.updateReportedProperties(twin.reportedProperties, it) }
            assertEquals(5, hub.reported()["interval"].asInt)
        } finally {
            client.close()
        }
    }

    @Test
    fun `a hub with the wrong name is refused`() {
        broker(bench.authority.issue("other.example"))
        val client = client(config)
        val error = assertThrows(IotHubClientException::class.java) { client.open(false) }
        val said = generateSequence<Throwable>(error) { it.cause }.map { "$it" }.joinToString()
        assertTrue(said.contains("name"), said)
    }

    @Test
    fun `a hub whose root is not trusted is refused`() {
        broker(bench.authority.issue(HOST))
        assertThrows(IotHubClientException::class.java) { client(Config(identity = device)).open(false) }
        // Nor one that is trusted, but not for names of Azure's.
        val error = assertThrows(IotHubClientException::class.java) { client(Config(addRoots = bench.authority.roots, identity = device)).open(false) }
        assertEquals("ROOT_NOT_FOR_AZURE", generateSequence<Throwable>(error) { it.cause }.filterIsInstance<HubTlsException>().first().code)
    }

    @Test
    fun `over AMQP it verifies the hub that its context names`() {
        val said = LinkedBlockingQueue<String>()
        JsseServer.start(bench, bench.authority.issue(HOST), bench.authority, 5671) { said.put(it.inputStream.readNBytes(4).decodeToString()) }
        val client = client(HubTls.sslContext(config, HOST), IotHubClientProtocol.AMQPS)
        // For a minute it waits for an answer in AMQP.
        thread(isDaemon = true) { runCatching { client.open(false) } }
        assertEquals("AMQP", said.poll(PATIENCE.toLong(), TimeUnit.MILLISECONDS))
    }

    private companion object {
        const val HOST = "my-hub.azure-devices.net"
    }
}
