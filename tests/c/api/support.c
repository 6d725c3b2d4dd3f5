#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>

void assert_failure(hubtls_status status, hubtls_status expected, const char *name, const char *word, const hubtls_error *error, const char *call) {
  if (status != expected) {
    fail_msg("%s: %s and not %s: %s (%s)", call, hubtls_status_name(status), name, error->message, error->hint);
  }
  assert_int_equal(error->code, expected);
  assert_string_equal(error->name, name);
  assert_true(error->message[0] != 0 && error->hint[0] != 0);
  if (strstr(error->message, word) == NULL && strstr(error->hint, word) == NULL) {
    fail_msg("%s: '%s' is not said: %s (%s)", call, word, error->message, error->hint);
  }
}

file fixture(const char *name) {
  static file kept[64];
  static char names[64][64];
  for (size_t i = 0; i < 64; i++) {
    if (kept[i].data == NULL) {
      snprintf(names[i], sizeof names[i], "%s", name);
      return kept[i] = file_read(FIXTURES, name);
    }
    if (strcmp(names[i], name) == 0) {
      return kept[i];
    }
  }
  fail_msg("too many fixtures");
  return kept[0];
}

hubtls_config *built(hubtls_config_builder *builder) {
  hubtls_config *config = NULL;
  OK(hubtls_config_builder_build(builder, &config, &error));
  assert_non_null(config);
  hubtls_config_builder_free(builder);
  return config;
}

hubtls_config_builder *builder_for(const server *peer) {
  hubtls_config_builder *builder = hubtls_config_builder_new();
  hubtls_roots *roots = NULL;
  file pem = file_read(peer->directory, "roots.pem");
  OK(hubtls_roots_from_pem(pem.data, pem.len, &roots, &error));
  OK(hubtls_config_builder_set_roots(builder, roots, &error));
  hubtls_roots_free(roots);
  file_free(&pem);
  return builder;
}

hubtls_config_builder *builder_with_identity(const server *peer) {
  hubtls_config_builder *builder = builder_for(peer);
  hubtls_identity *identity = NULL;
  file chain = file_read(peer->directory, "identity.chain"), key = file_read(peer->directory, "identity.key");
  OK(hubtls_identity_from_pem(chain.data, chain.len, key.data, key.len, NULL, &identity, &error));
  OK(hubtls_config_builder_set_identity(builder, identity, &error));
  hubtls_identity_free(identity);
  file_free(&chain);
  file_free(&key);
  return builder;
}

hubtls_config *config_for(const server *peer) { return built(builder_for(peer)); }

hubtls_connection *connection_to(const hubtls_config *config) {
  hubtls_connection *connection = NULL;
  OK(hubtls_connection_new(config, "localhost", &connection, &error));
  assert_non_null(connection);
  return connection;
}

void send_pending(hubtls_connection *connection, int socket) {
  while (hubtls_connection_wants_transmit(connection)) {
    hubtls_bytes pending = hubtls_connection_pending(connection);
    ssize_t sent = send(socket, pending.data, pending.len, MSG_NOSIGNAL);
    assert_true(sent > 0);
    OK(hubtls_connection_transmitted(connection, (size_t)sent, &error));
  }
}

// Receives once; what the connection does not take, because plaintext has to be read first, stays in the socket.
static hubtls_status receive(hubtls_connection *connection, int socket, hubtls_error *error) {
  uint8_t buffer[1000];
  ssize_t count = recv(socket, buffer, sizeof buffer, MSG_PEEK);
  assert_true(count >= 0);
  if (count == 0) {
    return hubtls_connection_receive_end(connection, error);
  }
  size_t taken = 0;
  hubtls_status status = hubtls_connection_receive(connection, buffer, (size_t)count, &taken, error);
  if (status == HUBTLS_OK) {
    assert_int_equal(recv(socket, buffer, taken, 0), taken);
  }
  return status;
}

hubtls_status shake_hands(hubtls_connection *connection, int socket, hubtls_error *error) {
  hubtls_status status = HUBTLS_OK;
  while (status == HUBTLS_OK && hubtls_connection_is_handshaking(connection)) {
    send_pending(connection, socket);
    status = receive(connection, socket, error);
  }
  if (status == HUBTLS_OK) {
    send_pending(connection, socket);
  }
  return status;
}

hubtls_status read_plaintext(hubtls_connection *connection, int socket, uint8_t *data, size_t len, hubtls_error *error) {
  size_t got = 0, count = 0;
  for (;;) {
    hubtls_status status = hubtls_connection_read(connection, data + got, len - got, &count, error);
    if (status != HUBTLS_OK) {
      return status;
    }
    got += count;
    if (got == len || hubtls_connection_is_ended(connection)) {
      return HUBTLS_OK;
    }
    if (count == 0 && (status = receive(connection, socket, error)) != HUBTLS_OK) {
      return status;
    }
  }
}

void converse(hubtls_connection *connection, int socket, const server *peer) {
  size_t taken = 0;
  uint8_t answer[CONVERSATION_BYTES];
  OK(hubtls_connection_write(connection, peer->send, peer->send_len, &taken, &error));
  assert_int_equal(taken, peer->send_len);
  send_pending(connection, socket);
  OK(read_plaintext(connection, socket, answer, peer->receive_len, &error));
  assert_memory_equal(answer, peer->receive, peer->receive_len);
}
