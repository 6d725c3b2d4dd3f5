/* The same device on libmosquitto, which keeps OpenSSL: the policy is applied to its SSL_CTX.
 *
 *   cc device_mosquitto.c -o device-mosquitto $(pkg-config --cflags --libs hubtls libmosquitto openssl)
 *   device-mosquitto my-hub.azure-devices.net[:PORT] device-01 device-01.pem device-01.key [private-root.pem]
 *
 * libhubtls-policy, which has no engine, is enough for it.
 */
#include <hubtls_openssl.h>
#include <mosquitto.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct device {
    char topic[300];
    int result; /* Of the connection, as MQTT has it; -1 before. */
    bool delivered;
} device;

static void on_connect(struct mosquitto *client, void *context, int result) {
    device *self = context;
    const char *message = "{\"temperature\":21.5}";
    self->result = result;
    if (result != 0 || mosquitto_publish(client, NULL, self->topic, (int)strlen(message), message, 1, false) != MOSQ_ERR_SUCCESS)
        mosquitto_disconnect(client);
}

static void on_publish(struct mosquitto *client, void *context, int id) {
    (void)id;
    ((device *)context)->delivered = true;
    mosquitto_disconnect(client);
}

static char *read_file(const char *path) {
    FILE *file = fopen(path, "rb");
    char *text = calloc(1, 65536);
    if (file == NULL || text == NULL || fread(text, 1, 65535, file) == 0) {
        fprintf(stderr, "%s cannot be read\n", path);
        exit(2);
    }
    fclose(file);
    return text;
}

/* The context that libmosquitto is to use. */
static hubtls_status configure(SSL_CTX *ctx, const char *host, int count, char **arguments, hubtls_error *error) {
    hubtls_native_options options = HUBTLS_NATIVE_OPTIONS_INIT;
    hubtls_roots *azure = NULL, *private_roots = NULL, *both = NULL;
    char *chain = read_file(arguments[3]), *key = read_file(arguments[4]);
    options.host = host;
    options.chain_pem = chain;
    options.key_pem = key;
    hubtls_status status = HUBTLS_OK;
    if (count > 5) {
        status = hubtls_roots_azure(&azure, error);
        if (!status) status = hubtls_roots_from_pem_file(arguments[5], &private_roots, error);
        if (!status) status = hubtls_roots_with_added(azure, private_roots, &both, error);
        options.roots = both;
    }
    if (!status) status = hubtls_openssl_configure(ctx, &options, error);
    hubtls_roots_free(both);
    hubtls_roots_free(private_roots);
    hubtls_roots_free(azure);
    OPENSSL_cleanse(key, strlen(key));
    free(key);
    free(chain);
    return status;
}

int main(int count, char **arguments) {
    if (count < 5 || strlen(arguments[1]) > 255 || strlen(arguments[2]) > 128) {
        fprintf(stderr, "usage: device-mosquitto HOST[:PORT] DEVICE CERTIFICATE KEY [ROOT]\n");
        return 2;
    }
    char *host = arguments[1], *colon = strrchr(host, ':'), user[600];
    int port = colon == NULL ? 8883 : atoi(colon + 1);
    if (colon != NULL) *colon = 0;
    device self = {.result = -1};
    snprintf(self.topic, sizeof self.topic, "devices/%s/messages/events/", arguments[2]);
    snprintf(user, sizeof user, "%s/%s/?api-version=2021-04-12", host, arguments[2]);

    hubtls_error error = HUBTLS_ERROR_INIT;
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    if (configure(ctx, host, count, arguments, &error)) {
        fprintf(stderr, "%s: %s (%s)\n", error.name, error.message, error.hint);
        SSL_CTX_free(ctx);
        return 1;
    }
    mosquitto_lib_init();
    struct mosquitto *client = mosquitto_new(arguments[2], true, &self);
    mosquitto_connect_callback_set(client, on_connect);
    mosquitto_publish_callback_set(client, on_publish);
    mosquitto_username_pw_set(client, user, NULL);
    /* Without this, libmosquitto sets versions, suites and roots over again. */
    mosquitto_int_option(client, MOSQ_OPT_SSL_CTX_WITH_DEFAULTS, 0);
    mosquitto_void_option(client, MOSQ_OPT_SSL_CTX, ctx);
    int result = mosquitto_connect(client, host, port, 60);
    while (result == MOSQ_ERR_SUCCESS) result = mosquitto_loop(client, 1000, 1);
    if (self.delivered)
        printf("telemetry delivered\n");
    else
        fprintf(stderr, "not delivered: %s (%s)\n", mosquitto_strerror(result), self.result > 0 ? mosquitto_connack_string(self.result) : "no answer");
    mosquitto_destroy(client);
    mosquitto_lib_cleanup();
    SSL_CTX_free(ctx);
    return self.delivered ? 0 : 1;
}
