// Connections without sockets.

#include "support.h"

#include <unistd.h>

#define ECDSA_12 "OpenSSL with TLS 1.2 agrees to ECDHE-ECDSA-AES128-GCM-SHA256"
#define ECDSA_13 "OpenSSL with TLS 1.3 and an ECDSA certificate agrees to TLS_AES_128_GCM_SHA256"

// A connection whose handshake is complete, and its socket.
static hubtls_connection *connected(const server *peer, int *socket) {
  hubtls_config *config = config_for(peer);
  hubtls_connection *connection = connection_to(config);
  hubtls_config_free(config);
  *socket = server_dial(peer);
  OK(shake_hands(connection, *socket, &error));
  return connection;
}

static void conversation_is_held_and_ended(void **state) {
  (void)state;
  static const char *const rows[] = {ECDSA_12, ECDSA_13};
  for (size_t i = 0; i < 2; i++) {
    server peer;
    int socket;
    server_start(&peer, rows[i]);
    hubtls_connection *connection = connected(&peer, &socket);
    converse(connection, socket, &peer);
    OK(hubtls_connection_finish(connection, &error));
    OK(hubtls_connection_finish(connection, &error));
    size_t count = 7;
    FAILS(WRITE_AFTER_FINISH, "finish", hubtls_connection_write(connection, peer.send, 1, &count, &error));
    assert_int_equal(count, 7);
    send_pending(connection, socket);
    uint8_t byte;
    hubtls_error error = HUBTLS_ERROR_INIT;
    // s_server may close without close_notify.
    hubtls_status status = read_plaintext(connection, socket, &byte, 1, &error);
    assert_true(status == HUBTLS_ERROR_TRUNCATED || (status == HUBTLS_OK && hubtls_connection_is_ended(connection)));
    close(socket);
    hubtls_connection_free(connection);
    server_stop(&peer);
  }
}

static void state_is_told(void **state) {
  (void)state;
  server peer;
  int socket;
  server_start(&peer, ECDSA_12);
  hubtls_config *config = config_for(&peer);
  hubtls_connection *fresh = connection_to(config);
  hubtls_negotiated *negotiated = NULL;
  size_t count = 7;
  assert_true(hubtls_connection_is_handshaking(fresh));
  assert_true(hubtls_connection_wants_transmit(fresh));
  assert_true(hubtls_connection_wants_receive(fresh));
  assert_false(hubtls_connection_is_ended(fresh));
  FAILS(HANDSHAKE_NOT_COMPLETE, "handshake", hubtls_connection_finish(fresh, &error));
  FAILS(HANDSHAKE_NOT_COMPLETE, "handshake", hubtls_connection_negotiated(fresh, &negotiated, &error));
  assert_null(negotiated);
  OK(hubtls_connection_write(fresh, (const uint8_t *)"x", 1, &count, &error));
  assert_int_equal(count, 0);
  OK(hubtls_connection_readable_bytes(fresh, &count, &error));
  assert_int_equal(count, 0);
  hubtls_connection_free(fresh);
  hubtls_config_free(config);

  hubtls_connection *connection = connected(&peer, &socket);
  assert_false(hubtls_connection_is_handshaking(connection));
  assert_false(hubtls_connection_wants_transmit(connection));
  OK(hubtls_connection_negotiated(connection, &negotiated, &error));
  hubtls_connection_free(connection);
  assert_int_equal(hubtls_negotiated_version(negotiated), HUBTLS_TLS_1_2);
  hubtls_negotiated_free(negotiated);
  close(socket);
  server_stop(&peer);
}

static void ciphertext_leaves_by_copy_or_without(void **state) {
  (void)state;
  hubtls_config *config = built(hubtls_config_builder_new());
  hubtls_connection *connection = connection_to(config);
  hubtls_bytes pending = hubtls_connection_pending(connection);
  uint8_t copy[2048];
  size_t count = 0;
  assert_true(pending.len > 100 && pending.len < sizeof copy);
  memcpy(copy, pending.data, pending.len);
  OK(hubtls_connection_transmitted(connection, 10, &error));
  assert_int_equal(hubtls_connection_pending(connection).len, pending.len - 10);
  FAILS(INVALID_ARGUMENT, "were pending", hubtls_connection_transmitted(connection, pending.len, &error));
  uint8_t rest[2048];
  OK(hubtls_connection_transmit(connection, rest, 5, &count, &error));
  assert_int_equal(count, 5);
  assert_memory_equal(rest, copy + 10, 5);
  OK(hubtls_connection_transmit(connection, rest, sizeof rest, &count, &error));
  assert_memory_equal(rest, copy + 15, count);
  assert_int_equal(count, pending.len - 15);
  assert_false(hubtls_connection_wants_transmit(connection));
  OK(hubtls_connection_transmit(connection, NULL, 0, &count, &error));
  assert_int_equal(count, 0);
  hubtls_connection_free(connection);
  hubtls_config_free(config);
}

typedef struct {
  uint8_t bytes[CONVERSATION_BYTES];
  size_t len;
  hubtls_connection *connection;
} taken;

static void take(void *context, const uint8_t *data, size_t len) {
  taken *self = context;
  size_t count = 7;
  assert_true(self->len + len <= sizeof self->bytes);
  memcpy(self->bytes + self->len, data, len);
  self->len += len;
  FAILS(IN_USE, "another call", hubtls_connection_read(self->connection, self->bytes, 1, &count, &error));
}

static void plaintext_is_decrypted_in_place(void **state) {
  (void)state;
  server peer;
  int socket;
  server_start(&peer, ECDSA_13);
  hubtls_connection *connection = connected(&peer, &socket);
  size_t count = 0, done = 0, filled = 0;
  OK(hubtls_connection_write(connection, peer.send, peer.send_len, &count, &error));
  send_pending(connection, socket);
  taken plaintext = {.len = 0, .connection = connection};
  static uint8_t buffer[18437];
  while (plaintext.len < peer.receive_len) {
    // In small pieces, so that records come in parts.
    ssize_t got = read(socket, buffer + filled, 7);
    assert_true(got > 0);
    filled += (size_t)got;
    OK(hubtls_connection_receive_in_place(connection, buffer, filled, take, &plaintext, &done, &error));
    memmove(buffer, buffer + done, filled - done);
    filled -= done;
  }
  assert_memory_equal(plaintext.bytes, peer.receive, peer.receive_len);
  FAILS(INVALID_ARGUMENT, "each is NULL", hubtls_connection_receive_in_place(connection, buffer, 0, NULL, NULL, &done, &error));
  FAILS(INVALID_ARGUMENT, "done is NULL", hubtls_connection_receive_in_place(connection, buffer, 0, take, NULL, NULL, &error));
  FAILS(INVALID_ARGUMENT, "buffer is NULL", hubtls_connection_receive_in_place(connection, NULL, 1, take, NULL, &done, &error));
  close(socket);
  hubtls_connection_free(connection);
  server_stop(&peer);
}

static void readable_bytes_are_counted(void **state) {
  (void)state;
  server peer;
  int socket;
  server_start(&peer, ECDSA_12);
  hubtls_connection *connection = connected(&peer, &socket);
  size_t count = 0;
  OK(hubtls_connection_write(connection, peer.send, peer.send_len, &count, &error));
  send_pending(connection, socket);
  uint8_t byte;
  OK(read_plaintext(connection, socket, &byte, 1, &error));
  OK(hubtls_connection_readable_bytes(connection, &count, &error));
  assert_int_equal(count, peer.receive_len - 1);
  close(socket);
  hubtls_connection_free(connection);
  server_stop(&peer);
}

static void failure_is_final_and_carries_its_alert(void **state) {
  (void)state;
  server peer;
  server_start(&peer, "An expired certificate is refused");
  hubtls_config *config = config_for(&peer);
  hubtls_connection *connection = connection_to(config);
  int socket = server_dial(&peer);
  hubtls_error error = HUBTLS_ERROR_INIT;
  assert_int_equal(shake_hands(connection, socket, &error), HUBTLS_ERROR_CERTIFICATE_EXPIRED);
  assert_true(error.has_alert && !error.alert_received);
  assert_int_equal(error.alert, 45);
  // The alert is still to be sent.
  assert_true(hubtls_connection_wants_transmit(connection));
  send_pending(connection, socket);
  size_t count = 7;
  uint8_t byte = 0;
  FAILS(CERTIFICATE_EXPIRED, "2021", hubtls_connection_receive(connection, &byte, 1, &count, &error));
  FAILS(CERTIFICATE_EXPIRED, "2021", hubtls_connection_read(connection, &byte, 1, &count, &error));
  FAILS(CERTIFICATE_EXPIRED, "2021", hubtls_connection_write(connection, &byte, 1, &count, &error));
  FAILS(CERTIFICATE_EXPIRED, "2021", hubtls_connection_finish(connection, &error));
  FAILS(CERTIFICATE_EXPIRED, "2021", hubtls_connection_receive_end(connection, &error));
  FAILS(CERTIFICATE_EXPIRED, "2021", hubtls_connection_readable_bytes(connection, &count, &error));
  assert_int_equal(count, 7);
  assert_false(hubtls_connection_wants_receive(connection));
  close(socket);
  hubtls_connection_free(connection);
  hubtls_config_free(config);
  server_stop(&peer);
}

static void alert_of_the_peer_is_told_apart(void **state) {
  (void)state;
  server peer;
  server_start(&peer, "A server that speaks only TLS 1.1 is refused");
  hubtls_config *config = config_for(&peer);
  hubtls_connection *connection = connection_to(config);
  int socket = server_dial(&peer);
  hubtls_error error = HUBTLS_ERROR_INIT;
  assert_int_equal(shake_hands(connection, socket, &error), HUBTLS_ERROR_PROTOCOL_VERSION);
  assert_true(error.has_alert && error.alert_received);
  assert_string_equal(hubtls_alert_name(error.alert), "protocol_version");
  close(socket);
  hubtls_connection_free(connection);
  hubtls_config_free(config);
  server_stop(&peer);
}

static void end_of_the_network_is_an_error_before_the_peer_has_finished(void **state) {
  (void)state;
  server peer;
  int socket;
  server_start(&peer, ECDSA_12);
  hubtls_connection *connection = connected(&peer, &socket);
  FAILS(TRUNCATED, "close_notify", hubtls_connection_receive_end(connection, &error));
  close(socket);
  hubtls_connection_free(connection);
  hubtls_config *config = config_for(&peer);
  connection = connection_to(config);
  FAILS(CLOSED_IN_HANDSHAKE, "handshake", hubtls_connection_receive_end(connection, &error));
  hubtls_connection_free(connection);
  hubtls_config_free(config);
  server_stop(&peer);
}

static void peer_that_speaks_no_tls_is_refused(void **state) {
  (void)state;
  hubtls_config *config = built(hubtls_config_builder_new());
  hubtls_connection *connection = connection_to(config);
  size_t count = 7;
  FAILS(NOT_TLS, "HTTP", hubtls_connection_receive(connection, (const uint8_t *)"HTTP/1.1 400 Bad Request", 24, &count, &error));
  assert_int_equal(count, 7);
  hubtls_connection_free(connection);
  hubtls_config_free(config);
}

static void bad_arguments_are_reported(void **state) {
  (void)state;
  hubtls_config *config = built(hubtls_config_builder_new());
  hubtls_connection *connection = NULL;
  size_t count = 7;
  uint8_t byte = 0;
  FAILS(INVALID_SERVER_NAME, "port", hubtls_connection_new(config, "hub.example:8883", &connection, &error));
  FAILS(INVALID_ARGUMENT, "server_name is NULL", hubtls_connection_new(config, NULL, &connection, &error));
  FAILS(INVALID_ARGUMENT, "config is NULL", hubtls_connection_new(NULL, "hub.example", &connection, &error));
  FAILS(INVALID_ARGUMENT, "connection is NULL", hubtls_connection_new(config, "hub.example", NULL, &error));
  assert_null(connection);
  connection = connection_to(config);
  FAILS(INVALID_ARGUMENT, "data is NULL", hubtls_connection_receive(connection, NULL, 1, &count, &error));
  FAILS(INVALID_ARGUMENT, "taken is NULL", hubtls_connection_receive(connection, &byte, 1, NULL, &error));
  FAILS(INVALID_ARGUMENT, "data is NULL", hubtls_connection_read(connection, NULL, 1, &count, &error));
  FAILS(INVALID_ARGUMENT, "count is NULL", hubtls_connection_read(connection, &byte, 1, NULL, &error));
  FAILS(INVALID_ARGUMENT, "data is NULL", hubtls_connection_write(connection, NULL, 1, &count, &error));
  FAILS(INVALID_ARGUMENT, "taken is NULL", hubtls_connection_write(connection, &byte, 1, NULL, &error));
  FAILS(INVALID_ARGUMENT, "data is NULL", hubtls_connection_transmit(connection, NULL, 1, &count, &error));
  FAILS(INVALID_ARGUMENT, "count is NULL", hubtls_connection_transmit(connection, &byte, 1, NULL, &error));
  FAILS(INVALID_ARGUMENT, "bytes is NULL", hubtls_connection_readable_bytes(connection, NULL, &error));
  FAILS(INVALID_ARGUMENT, "negotiated is NULL", hubtls_connection_negotiated(connection, NULL, &error));
  assert_int_equal(count, 7);
  // None of it harmed the connection.
  OK(hubtls_connection_receive(connection, NULL, 0, &count, &error));
  assert_int_equal(count, 0);
  hubtls_connection_free(connection);
  hubtls_config_free(config);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(conversation_is_held_and_ended),
      cmocka_unit_test(state_is_told),
      cmocka_unit_test(ciphertext_leaves_by_copy_or_without),
      cmocka_unit_test(plaintext_is_decrypted_in_place),
      cmocka_unit_test(readable_bytes_are_counted),
      cmocka_unit_test(failure_is_final_and_carries_its_alert),
      cmocka_unit_test(alert_of_the_peer_is_told_apart),
      cmocka_unit_test(end_of_the_network_is_an_error_before_the_peer_has_finished),
      cmocka_unit_test(peer_that_speaks_no_tls_is_refused),
      cmocka_unit_test(bad_arguments_are_reported),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
