import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.eclipse.paho.client.mqttv3.MqttClient;
import org.eclipse.paho.client.mqttv3.MqttConnectOptions;
import org.eclipse.paho.client.mqttv3.MqttException;
import org.eclipse.paho.client.mqttv3.persist.MemoryPersistence;
import org.hubtls.Config;
import org.hubtls.ConfigBuilder;
import org.hubtls.HubTlsException;
import org.hubtls.HubTlsSocketFactory;
import org.hubtls.Identity;
import org.hubtls.Roots;

/** A small device: sends one telemetry message to Azure IoT Hub, or to any MQTT 3.1.1 broker, with Paho. */
public final class Device {
    private static final String USAGE = "usage: Device HOST[:PORT] DEVICE CERTIFICATE KEY [ROOT]";

    private static void send(String address, String device, String certificate, String key, String root) throws HubTlsException, MqttException {
        String[] parts = address.split(":");
        String host = parts[0];
        String port = parts.length > 1 ? parts[1] : "8883";
        // The policy `iothub` is the default: versions, cipher suites and roots as Azure IoT Hub demands them.
        // A program makes it once and shares it by all its connections.
        ConfigBuilder builder = Config.builder().identity(Identity.fromFiles(Path.of(certificate), Path.of(key)));
        if (root != null) builder.addRoots(Roots.fromFile(Path.of(root)));
        Config config = builder.build();
        for (String warning : config.getWarnings()) System.err.println("warning: " + warning);

        MqttConnectOptions options = new MqttConnectOptions();
        options.setSocketFactory(new HubTlsSocketFactory(config));
        options.setUserName(host + "/" + device + "/?api-version=2021-04-12");
        try (MqttClient client = new MqttClient("ssl://" + host + ":" + port, device, new MemoryPersistence())) {
            client.connect(options);
            // Quality of service 1: it returns when the hub has confirmed that it has the message.
            client.publish("devices/" + device + "/messages/events/", "{\"temperature\":21.5}".getBytes(StandardCharsets.UTF_8), 1, false);
            client.disconnect();
        }
        System.out.println("telemetry delivered");
    }

    public static void main(String[] arguments) {
        if (arguments.length < 4 || arguments.length > 5) {
            System.err.println(USAGE);
            System.exit(1);
        }
        try {
            send(arguments[0], arguments[1], arguments[2], arguments[3], arguments.length > 4 ? arguments[4] : null);
        } catch (HubTlsException error) {
            System.err.println(error.getCode() + ": " + error.getMessage());
            System.exit(1);
        } catch (MqttException error) {
            if (error.getCause() instanceof HubTlsException cause) System.err.println(cause.getCode() + ": " + cause.getMessage());
            else System.err.println("not delivered: " + (error.getCause() == null ? error : error.getCause()));
            System.exit(1);
        }
    }
}
