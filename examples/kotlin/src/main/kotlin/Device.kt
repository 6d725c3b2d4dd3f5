/** A small device: sends one telemetry message to Azure IoT Hub, or to any MQTT 3.1.1 broker, with Paho. */

import java.nio.file.Path
import kotlin.system.exitProcess
import org.eclipse.paho.client.mqttv3.MqttClient
import org.eclipse.paho.client.mqttv3.MqttConnectOptions
import org.eclipse.paho.client.mqttv3.MqttException
import org.eclipse.paho.client.mqttv3.persist.MemoryPersistence
import org.hubtls.Config
import org.hubtls.HubTlsException
import org.hubtls.HubTlsSocketFactory
import org.hubtls.Identity
import org.hubtls.Roots

private const val USAGE = "usage: Device HOST[:PORT] DEVICE CERTIFICATE KEY [ROOT]"

private fun send(address: String, device: String, certificate: String, key: String, root: String?) {
    val host = address.substringBefore(':')
    val port = address.substringAfter(':', "8883")
    // The policy `iothub` is the default: versions, cipher suites and roots as Azure IoT Hub demands them.
    // A program makes it once and shares it by all its connections.
    val config =
        Config(
            identity = Identity.fromFiles(Path.of(certificate), Path.of(key)),
            addRoots = root?.let { Roots.fromFile(Path.of(it)) },
        )
    config.warnings.forEach { System.err.println("warning: $it") }

    val client = MqttClient("ssl://$host:$port", device, MemoryPersistence())
    val options = MqttConnectOptions()
    options.socketFactory = HubTlsSocketFactory(config)
    options.userName = "$host/$device/?api-version=2021-04-12"
    try {
        client.connect(options)
        // Quality of service 1: it returns when the hub has confirmed that it has the message.
        client.publish("devices/$device/messages/events/", "{\"temperature\":21.5}".toByteArray(), 1, false)
        client.disconnect()
    } finally {
        client.close()
    }
    println("telemetry delivered")
}

fun main(arguments: Array<String>) {
    if (arguments.size !in 4..5) {
        System.err.println(USAGE)
        exitProcess(1)
    }
    try {
        send(arguments[0], arguments[1], arguments[2], arguments[3], arguments.getOrNull(4))
    } catch (error: HubTlsException) {
        System.err.println("${error.code}: ${error.message}")
        exitProcess(1)
    } catch (error: MqttException) {
        val cause = error.cause
        System.err.println(if (cause is HubTlsException) "${cause.code}: ${cause.message}" else "not delivered: ${cause ?: error}")
        exitProcess(1)
    }
}
