/* Calls about connections, what they agreed on, and streams. */
#include "callbacks.h"
#include "calls.h"
#include "handles.h"
#include "input.h"
#include "report.h"
#include "server.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MOST_BYTES = 1 << 15 };

static void describe(const hubtls_negotiated *it)
{
    uint8_t sha256[32];
    size_t count = hubtls_negotiated_peer_certificate_count(it);
    EXPECT((hubtls_negotiated_version(it) != 0) == (it != NULL) && (hubtls_negotiated_suite(it) != 0) == (it != NULL));
    EXPECT((hubtls_negotiated_json(it) != NULL) == (it != NULL));
    EXPECT(hubtls_negotiated_handshake_us(it) == 0);
    EXPECT(hubtls_negotiated_fragment_length(it) <= 4096);
    hubtls_negotiated_group(it);
    hubtls_negotiated_alpn(it);
    hubtls_negotiated_resumed(it);
    hubtls_negotiated_client_certificate_requested(it);
    for (size_t i = 0; i < count; i++) {
        EXPECT(hubtls_negotiated_peer_certificate_at(it, i).len > 0 && hubtls_negotiated_peer_subject_at(it, i) != NULL);
    }
    EXPECT(hubtls_negotiated_peer_certificate_at(it, count).data == NULL && hubtls_negotiated_peer_subject_at(it, count) == NULL);
    EXPECT(hubtls_negotiated_root_spki_sha256(it, sha256) == (hubtls_negotiated_root(it) != NULL));
    EXPECT(!hubtls_negotiated_root_spki_sha256(it, NULL));
}

/* Bytes for the connection: the input's, or what the server has to send, perhaps cut or with a byte changed. */
static hubtls_bytes incoming(const hubtls_connection *connection, bool *of_server)
{
    *of_server = byte() % 4 != 0 && connection != NULL;
    if (!*of_server) {
        return lent();
    }
    hubtls_bytes output = server_output(connection);
    uint8_t kind = byte();
    size_t len = kind < 192 ? output.len : short_number() % (output.len + 1);
    uint8_t *data = scratch(len);
    if (len > 0) {
        memcpy(data, output.data, len);
        if (kind >= 250) {
            data[short_number() % len] ^= byte();
        }
    }
    return (hubtls_bytes){data, len};
}

static void receive(hubtls_connection *connection)
{
    bool of_server;
    hubtls_bytes bytes = incoming(connection, &of_server);
    size_t taken;
    begin_use(connection);
    COUNTED(taken, bytes.len, hubtls_connection_receive(connection, bytes.data, bytes.len, &taken, report()));
    end_use();
    if (of_server) {
        server_output_taken(connection, taken);
    }
}

static void receive_in_place(hubtls_connection *connection)
{
    bool of_server;
    hubtls_bytes bytes = incoming(connection, &of_server);
    size_t done;
    hubtls_plaintext_function each = byte() == 255 ? NULL : take_plaintext;
    begin_use(connection);
    /* All of it is scratch, and so is the input's. */
    COUNTED(done, bytes.len, hubtls_connection_receive_in_place(connection, (uint8_t *)bytes.data, bytes.len, each, connection, &done, report()));
    end_use();
    if (of_server) {
        server_output_taken(connection, done);
    }
}

static void move_out(hubtls_connection *connection, bool read)
{
    static uint8_t buffer[MOST_BYTES];
    size_t len = byte() % 4 == 0 ? short_number() % MOST_BYTES : MOST_BYTES, count;
    uint8_t *data = seldom_null(buffer);
    begin_use(connection);
    if (read) {
        COUNTED(count, len, hubtls_connection_read(connection, data, len, &count, report()));
    } else {
        COUNTED(count, len, hubtls_connection_transmit(connection, data, len, &count, report()));
        if (count > 0) {
            server_serve(connection, data, count);
        }
    }
    end_use();
}

/* As much of the handshake as the input allows in one call: what waits goes to the server and its answer back. */
static void exchange(hubtls_connection *connection)
{
    for (int flights = (int)below(8); flights > 0 && connection != NULL; flights--) {
        hubtls_bytes pending = hubtls_connection_pending(connection);
        if (pending.len > 0) {
            size_t count = pending.len;
            server_serve(connection, pending.data, pending.len);
            succeeded(hubtls_connection_transmitted(connection, count, report()));
        }
        hubtls_bytes answer = server_output(connection);
        size_t taken;
        begin_use(connection);
        COUNTED(taken, answer.len, hubtls_connection_receive(connection, answer.data, answer.len, &taken, report()));
        end_use();
        if (answer.len > 0) {
            server_output_taken(connection, taken);
        }
    }
}

/* Over a socket at whose other end the input waits, and then nothing more. */
static void stream(const hubtls_config *config)
{
    int ends[2];
    hubtls_stream *out = UNTOUCHED;
    hubtls_stream_options options = HUBTLS_STREAM_OPTIONS_INIT;
    options.size = byte() == 255 ? byte() : sizeof options;
    hubtls_bytes sent = own();
    EXPECT(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    EXPECT(sent.len == 0 || send(ends[1], sent.data, sent.len, MSG_DONTWAIT | MSG_NOSIGNAL) > 0);
    shutdown(ends[1], SHUT_WR);
    int socket = byte() == 255 ? -1 : ends[0];
    EXPECT(!succeeded(hubtls_stream_new(config, text(), socket, seldom_null(&options), seldom_null(&out), report())));
    EXPECT(out == UNTOUCHED);
    close(ends[0]);
    close(ends[1]);
    size_t count = 7;
    EXPECT(!succeeded(hubtls_stream_read(NULL, NULL, 0, &count, report())) && count == 7);
    EXPECT(!succeeded(hubtls_stream_write_all(NULL, NULL, 0, report())));
    EXPECT(hubtls_stream_socket(NULL) == -1 && hubtls_stream_negotiated(NULL) == NULL);
    hubtls_stream_free(NULL);
}

void call_about_connections(void)
{
    hubtls_connection *connection = handle(CONNECTION);
    size_t count;
    switch (below(18)) {
    case 0: {
        const hubtls_config *config = handle(CONFIG);
        hubtls_connection *out = UNTOUCHED;
        void *place = seldom_null(&out);
        const char *name = byte() < 192 ? "hub.example" : text();
        made(CONNECTION, succeeded(hubtls_connection_new(config, name, place, report())), out);
        break;
    }
    case 1: receive(connection); break;
    case 2: receive_in_place(connection); break;
    case 3: move_out(connection, true); break;
    case 4: move_out(connection, false); break;
    case 5:
    case 6:
        if (!is_used(connection)) {
            exchange(connection);
        }
        break;
    case 7: {
        hubtls_bytes data = lent();
        COUNTED(count, data.len, hubtls_connection_write(connection, data.data, data.len, &count, report()));
        EXPECT(count <= 16384);
        break;
    }
    case 8: succeeded(hubtls_connection_finish(connection, report())); break;
    case 9: {
        begin_use(connection);
        succeeded(hubtls_connection_receive_end(connection, report()));
        end_use();
        break;
    }
    case 10: {
        begin_use(connection);
        COUNTED(count, MOST_BYTES, hubtls_connection_readable_bytes(connection, seldom_null(&count), report()));
        end_use();
        break;
    }
    case 11: {
        size_t pending = hubtls_connection_pending(connection).len, sent = short_number();
        EXPECT(succeeded(hubtls_connection_transmitted(connection, sent, report())) == (sent <= pending && connection != NULL && !is_used(connection)));
        break;
    }
    case 12: {
        hubtls_negotiated *out = UNTOUCHED;
        made(NEGOTIATED, succeeded(hubtls_connection_negotiated(connection, seldom_null(&out), report())), out);
        break;
    }
    case 13: describe(handle(NEGOTIATED)); break;
    case 14: stream(handle(CONFIG)); break;
    case 15: {
        bool handshaking = hubtls_connection_is_handshaking(connection), ended = hubtls_connection_is_ended(connection);
        EXPECT(!(handshaking && ended));
        EXPECT(hubtls_connection_wants_transmit(connection) == (hubtls_connection_pending(connection).len > 0));
        hubtls_connection_wants_receive(connection);
        break;
    }
    default: receive(connection); break;
    }
}
