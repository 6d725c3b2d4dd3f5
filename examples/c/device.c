/* A small device: connects to Azure IoT Hub, or to any MQTT 3.1.1 broker, with its certificate, and sends one telemetry message.
 *
 *   cc device.c -o device $(pkg-config --cflags --libs hubtls)
 *   device my-hub.azure-devices.net[:PORT] device-01 device-01.pem device-01.key [private-root.pem]
 */
#include <hubtls.h>
#include <stdio.h>
#include <stdlib.h>

#include "mqtt.h"

static hubtls_status configure(int count, char **arguments, hubtls_config **config, hubtls_error *error) {
    hubtls_identity *identity = NULL;
    hubtls_roots *roots = NULL;
    hubtls_config_builder *builder = hubtls_config_builder_new();
    hubtls_status status = hubtls_identity_from_pem_files(arguments[3], arguments[4], NULL, &identity, error);
    if (!status) status = hubtls_config_builder_set_identity(builder, identity, error);
    if (!status && count > 5) {
        status = hubtls_roots_from_pem_file(arguments[5], &roots, error);
        if (!status) status = hubtls_config_builder_add_roots(builder, roots, error);
    }
    /* The policy `iothub` is the default: versions, cipher suites and roots as Azure IoT Hub demands them. */
    if (!status) status = hubtls_config_builder_build(builder, config, error);
    hubtls_roots_free(roots);
    hubtls_identity_free(identity);
    hubtls_config_builder_free(builder);
    return status;
}

/* Sends a packet in one piece, so that it travels in one TLS record, and waits for the answer. */
static hubtls_status ask(hubtls_stream *stream, const uint8_t *packet, size_t len, const uint8_t expected[4], hubtls_error *error) {
    uint8_t answer[4];
    hubtls_status status = hubtls_stream_write_all(stream, packet, len, error);
    if (!status) status = hubtls_stream_read_exact(stream, answer, sizeof answer, error);
    if (!status && memcmp(answer, expected, sizeof answer) != 0)
        status = hubtls_error_fill(error, HUBTLS_ERROR_INVALID_ARGUMENT, "the broker did not accept", "check the device's name and rights");
    return status;
}

static hubtls_status deliver(hubtls_stream *stream, const char *host, const char *device, hubtls_error *error) {
    char user[600], topic[300];
    uint8_t packet[MQTT_PACKET];
    snprintf(user, sizeof user, "%s/%s/?api-version=2021-04-12", host, device);
    snprintf(topic, sizeof topic, "devices/%s/messages/events/", device);
    hubtls_status status = ask(stream, packet, mqtt_connect(packet, device, user), mqtt_accepted, error);
    if (!status) status = ask(stream, packet, mqtt_publish(packet, 1, topic, "{\"temperature\":21.5}"), mqtt_delivered, error);
    if (!status) status = hubtls_stream_write_all(stream, mqtt_disconnect, sizeof mqtt_disconnect, error);
    /* Says that nothing more comes, so that the hub can tell this end from a cut connection. */
    if (!status) status = hubtls_stream_finish(stream, error);
    return status;
}

int main(int count, char **arguments) {
    if (count < 5 || strlen(arguments[1]) > 255 || strlen(arguments[2]) > 128) {
        fprintf(stderr, "usage: device HOST[:PORT] DEVICE CERTIFICATE KEY [ROOT]\n");
        return 2;
    }
    char *host = arguments[1], *colon = strrchr(host, ':');
    uint16_t port = colon == NULL ? 8883 : (uint16_t)atoi(colon + 1);
    if (colon != NULL) *colon = 0;

    hubtls_error error = HUBTLS_ERROR_INIT;
    hubtls_stream_options options = HUBTLS_STREAM_OPTIONS_INIT;
    options.handshake_timeout_ms = options.read_timeout_ms = options.write_timeout_ms = 10000;
    hubtls_config *config = NULL; /* A program builds it once and shares it by all its connections. */
    hubtls_stream *stream = NULL;
    hubtls_status status = configure(count, arguments, &config, &error);
    for (size_t i = 0; i < hubtls_config_warning_count(config); i++) fprintf(stderr, "warning: %s\n", hubtls_config_warning_at(config, i));
    if (!status) status = hubtls_stream_connect(config, host, port, &options, &stream, &error);
    if (!status) {
        hubtls_negotiated *agreed = hubtls_stream_negotiated(stream);
        printf("connected: %s, %s\n", hubtls_tls_version_name(hubtls_negotiated_version(agreed)), hubtls_suite_name(hubtls_negotiated_suite(agreed)));
        hubtls_negotiated_free(agreed);
        status = deliver(stream, host, arguments[2], &error);
    }
    if (status)
        fprintf(stderr, "%s: %s (%s)\n", error.name, error.message, error.hint);
    else
        printf("telemetry delivered\n");
    hubtls_stream_free(stream);
    hubtls_config_free(config);
    return status ? 1 : 0;
}
