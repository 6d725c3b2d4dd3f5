package org.hubtls

import com.google.gson.JsonParser
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit
import org.eclipse.paho.client.mqttv3.MqttClient
import org.eclipse.paho.client.mqttv3.MqttMessage
import org.eclipse.paho.client.mqttv3.persist.MemoryPersistence

/** What a hub does with its devices, played by a client behind a broker whose listener without TLS is at that port. */
class Hub(bench: Bench, plain: Int) {
    private val telemetry = LinkedBlockingQueue<Pair<String, String>>()
    private val reported = LinkedBlockingQueue<String>()
    private val responses = LinkedBlockingQueue<Pair<String, String>>()
    private val client = MqttClient("tcp://127.0.0.1:$plain", "hub", MemoryPersistence())
    private val answers = java.util.concurrent.Executors.newSingleThreadExecutor()

    init {
        client.connect()
        bench.ending {
            answers.shutdownNow()
            client.disconnectForcibly(0, 1)
            client.close(true)
        }
        for (topic in TOPICS) client.subscribe(topic, 1) { name, message -> take(name, message.toString()) }
    }

    private fun take(topic: String, payload: String) {
        val number = Regex("\\\$rid=([^&]*)").find(topic)?.groupValues?.get(1)
        when {
            topic.startsWith("\$iothub/twin/GET/") -> answer("\$iothub/twin/res/200/?\$rid=$number", TWIN)
            topic.startsWith("\$iothub/twin/PATCH/") -> {
                reported.put(payload)
                answer("\$iothub/twin/res/204/?\$rid=$number&\$version=2", "")
            }
            topic.startsWith("\$iothub/methods/res/") -> responses.put(topic.split("/")[3] to payload)
            else -> telemetry.put(topic.split("/")[1] to payload)
        }
    }

    /** Not in the callback, which may not wait. */
    private fun answer(topic: String, payload: String) = answers.execute { client.publish(topic, message(payload)) }

    private fun message(payload: String) = MqttMessage(payload.toByteArray()).apply { qos = 1 }

    /** The next telemetry: device and message. */
    fun telemetry() = taken(telemetry)

    fun reported() = JsonParser.parseString(taken(reported)).asJsonObject!!

    /** A message from the cloud to the device. */
    fun send(device: String, payload: String) = client.publish("devices/$device/messages/devicebound/%24.mid=1", message(payload))

    /** A patch of the twin's desired properties. */
    fun desire(patch: String) = client.publish("\$iothub/twin/PATCH/properties/desired/?\$version=3", message(patch))

    /** Calls a direct method: the status and what the device answered. */
    fun call(method: String, payload: String): Pair<String, String> {
        client.publish("\$iothub/methods/POST/$method/?\$rid=7", message(payload))
        return taken(responses)
    }

    private fun <T> taken(queue: LinkedBlockingQueue<T>): T =
        queue.poll(PATIENCE.toLong(), TimeUnit.MILLISECONDS) ?: throw AssertionError("nothing came")

    private companion object {
        val TOPICS =
            listOf("devices/+/messages/events/#", "\$iothub/twin/GET/#", "\$iothub/twin/PATCH/properties/reported/#", "\$iothub/methods/res/#")
        const val TWIN = """{"desired":{"interval":5,"${'$'}version":2},"reported":{"${'$'}version":1}}"""
    }
}
