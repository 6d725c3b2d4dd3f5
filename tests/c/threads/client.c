/* Ways to the server that the tests share. */
#include "crew.h"
#include "threads.h"

#include <sys/socket.h>

enum { READ_BYTES = 4096 };

hubtls_roots *roots_from(const char *file)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", the_server.directory, file);
    hubtls_roots *roots = NULL;
    hubtls_error error = HUBTLS_ERROR_INIT;
    CHECK_OK(hubtls_roots_from_pem_file(path, &roots, &error), error);
    return roots;
}

hubtls_config *config_with(const hubtls_roots *roots, hubtls_clock_function clock, void *context)
{
    hubtls_error error = HUBTLS_ERROR_INIT;
    hubtls_config_builder *builder = hubtls_config_builder_new();
    hubtls_config *config = NULL;
    CHECK_OK(hubtls_config_builder_set_roots(builder, roots, &error), error);
    if (clock != NULL) {
        CHECK_OK(hubtls_config_builder_set_clock(builder, clock, context, &error), error);
    }
    CHECK_OK(hubtls_config_builder_build(builder, &config, &error), error);
    hubtls_config_builder_free(builder);
    return config;
}

hubtls_stream *stream_with(const hubtls_config *config)
{
    hubtls_error error = HUBTLS_ERROR_INIT;
    hubtls_stream *stream = NULL;
    CHECK_OK(hubtls_stream_connect(config, the_server.host, the_server.port, NULL, &stream, &error), error);
    return stream;
}

hubtls_stream *stream_to_server(void)
{
    hubtls_roots *roots = roots_from("roots.pem");
    hubtls_config *config = config_with(roots, NULL, NULL);
    hubtls_stream *stream = stream_with(config);
    hubtls_config_free(config);
    hubtls_roots_free(roots);
    return stream;
}

void send_pending(hubtls_connection *connection, int socket)
{
    uint8_t wire[READ_BYTES];
    hubtls_error error = HUBTLS_ERROR_INIT;
    for (;;) {
        size_t count = 0;
        hubtls_status status = hubtls_connection_transmit(connection, wire, sizeof wire, &count, &error);
        if (status == HUBTLS_ERROR_IN_USE) {
            continue;
        }
        CHECK_OK(status, error);
        if (count == 0) {
            return;
        }
        for (size_t sent = 0; sent < count;) {
            ssize_t n = send(socket, wire + sent, count - sent, MSG_NOSIGNAL);
            CHECK(n > 0);
            sent += (size_t)n;
        }
    }
}

size_t receive_some(hubtls_connection *connection, int socket, uint8_t *data, size_t len)
{
    uint8_t wire[READ_BYTES];
    hubtls_error error = HUBTLS_ERROR_INIT;
    ssize_t arrived = recv(socket, wire, sizeof wire, 0);
    CHECK(arrived > 0);
    size_t received = 0;
    for (size_t done = 0, count = 0; done < (size_t)arrived || count > 0;) {
        size_t taken = 0;
        hubtls_status status = hubtls_connection_receive(connection, wire + done, (size_t)arrived - done, &taken, &error);
        CHECK(status == HUBTLS_OK || status == HUBTLS_ERROR_IN_USE);
        done += taken;
        count = 0;
        do {
            status = hubtls_connection_read(connection, data + received, len - received, &count, &error);
        } while (status == HUBTLS_ERROR_IN_USE);
        CHECK_OK(status, error);
        received += count;
    }
    return received;
}

hubtls_connection *connection_with(const hubtls_config *config, int socket)
{
    hubtls_error error = HUBTLS_ERROR_INIT;
    hubtls_connection *connection = NULL;
    CHECK_OK(hubtls_connection_new(config, the_server.host, &connection, &error), error);
    send_pending(connection, socket);
    while (hubtls_connection_is_handshaking(connection)) {
        uint8_t nothing[1];
        CHECK(receive_some(connection, socket, nothing, sizeof nothing) == 0);
        send_pending(connection, socket);
    }
    return connection;
}
