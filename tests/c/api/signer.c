// Keys that are held elsewhere.

#include "support.h"

#include <unistd.h>

#define MTLS_12 "OpenSSL with TLS 1.2 accepts a client certificate with a key p256"
#define MTLS_13 "OpenSSL with TLS 1.3 accepts a client certificate with a key p256"

static hubtls_status identity_of(const hubtls_signer *signer, hubtls_identity **identity, hubtls_error *error) {
  file chain = fixture("p256.chain");
  return hubtls_identity_from_signer(chain.data, chain.len, signer, identity, error);
}

static void signer_is_tried_and_released_once(void **state) {
  (void)state;
  signing device;
  signing_begin(&device, FIXTURES, "p256.key");
  hubtls_signer signer = signer_of(&device);
  hubtls_identity *identity = NULL;
  OK(identity_of(&signer, &identity, &error));
  assert_int_equal(device.calls, 1);
  assert_int_equal(device.releases, 0);
  hubtls_config_builder *builder = hubtls_config_builder_new();
  OK(hubtls_config_builder_set_identity(builder, identity, &error));
  hubtls_identity_free(identity);
  hubtls_config *config = built(builder);
  assert_int_equal(device.releases, 0);
  hubtls_connection *connection = connection_to(config);
  hubtls_config_free(config);
  assert_int_equal(device.releases, 0);
  hubtls_connection_free(connection);
  assert_int_equal(device.releases, 1);
  signing_end(&device);
}

static void signer_that_does_not_work_is_found_out_and_released(void **state) {
  (void)state;
  signing device;
  hubtls_identity *identity = NULL;
  signing_begin(&device, FIXTURES, "p256.key");
  hubtls_signer signer = signer_of(&device);
  device.failure = -42;
  FAILS(SIGNER_FAILED, "-42", identity_of(&signer, &identity, &error));
  device.failure = 0;
  device.claimed_len = HUBTLS_MAX_SIGNATURE + 1;
  FAILS(SIGNER_FAILED, "1025 bytes", identity_of(&signer, &identity, &error));
  device.claimed_len = 64;
  FAILS(SIGNER_FAILED, "DER", identity_of(&signer, &identity, &error));
  device.claimed_len = 3;
  FAILS(SIGNER_FAILED, "not a ecdsa_secp256r1_sha256 signature", identity_of(&signer, &identity, &error));
  assert_int_equal(device.releases, 4);
  device.claimed_len = 0;

  const uint16_t others[] = {0x0804, 0xFFFF}, mine[] = {0xFFFF, 0x0403};
  signer.schemes = others;
  signer.schemes_len = 2;
  FAILS(SIGNER_FAILED, "no scheme", identity_of(&signer, &identity, &error));
  signer.schemes = mine;
  OK(identity_of(&signer, &identity, &error));
  hubtls_identity_free(identity);
  identity = NULL;
  signer.schemes = NULL;
  FAILS(INVALID_ARGUMENT, "schemes is NULL", identity_of(&signer, &identity, &error));
  signer.schemes_len = 0;
  file other = fixture("p384.chain");
  FAILS(SIGNER_FAILED, "returned -1", hubtls_identity_from_signer(other.data, other.len, &signer, &identity, &error));
  FAILS(EMPTY_CHAIN, "certificate", hubtls_identity_from_signer(NULL, 0, &signer, &identity, &error));
  FAILS(INVALID_ARGUMENT, "identity is NULL", identity_of(&signer, NULL, &error));
  assert_int_equal(device.releases, 10);
  signer.sign = NULL;
  FAILS(SIGNER_FAILED, "NULL", identity_of(&signer, &identity, &error));
  assert_int_equal(device.releases, 11);

  // Not understood, so nothing in it is used.
  signer.size = 1;
  FAILS(INVALID_ARGUMENT, "size", identity_of(&signer, &identity, &error));
  FAILS(INVALID_ARGUMENT, "signer is NULL", identity_of(NULL, &identity, &error));
  assert_int_equal(device.releases, 11);
  assert_null(identity);
  signing_end(&device);
}

// A connection whose client certificate is signed for by `device`.
static hubtls_connection *connection_with(signing *device, const server *peer) {
  signing_begin(device, peer->directory, "identity.key");
  hubtls_signer signer = signer_of(device);
  hubtls_identity *identity = NULL;
  hubtls_config_builder *builder = builder_for(peer);
  file chain = file_read(peer->directory, "identity.chain");
  OK(hubtls_identity_from_signer(chain.data, chain.len, &signer, &identity, &error));
  OK(hubtls_config_builder_set_identity(builder, identity, &error));
  hubtls_identity_free(identity);
  file_free(&chain);
  hubtls_config *config = built(builder);
  hubtls_connection *connection = connection_to(config);
  hubtls_config_free(config);
  return connection;
}

static void handshake_is_signed_elsewhere(void **state) {
  (void)state;
  static const char *const rows[] = {MTLS_12, MTLS_13};
  for (size_t i = 0; i < 2; i++) {
    server peer;
    signing device;
    server_start(&peer, rows[i]);
    hubtls_connection *connection = connection_with(&device, &peer);
    int socket = server_dial(&peer);
    OK(shake_hands(connection, socket, &error));
    assert_int_equal(device.calls, 2);
    converse(connection, socket, &peer);
    close(socket);
    hubtls_connection_free(connection);
    assert_int_equal(device.releases, 1);
    signing_end(&device);
    server_stop(&peer);
  }
}

static void signer_that_fails_in_the_handshake_fails_it(void **state) {
  (void)state;
  server peer;
  signing device;
  server_start(&peer, MTLS_12);
  hubtls_connection *connection = connection_with(&device, &peer);
  device.failure = 7;
  int socket = server_dial(&peer);
  FAILS(SIGNER_FAILED, "returned 7", shake_hands(connection, socket, &error));
  // And the same again.
  size_t count = 0;
  FAILS(SIGNER_FAILED, "returned 7", hubtls_connection_read(connection, NULL, 0, &count, &error));
  close(socket);
  hubtls_connection_free(connection);
  signing_end(&device);
  server_stop(&peer);
}

// What a callback tries with the connection that it is called for.
static void call_again(void *context) {
  hubtls_connection *connection = context;
  uint8_t byte = 0;
  size_t count = 7;
  hubtls_negotiated *negotiated = NULL;
  FAILS(IN_USE, "another call", hubtls_connection_receive(connection, &byte, 1, &count, &error));
  FAILS(IN_USE, "another call", hubtls_connection_read(connection, &byte, 1, &count, &error));
  FAILS(IN_USE, "another call", hubtls_connection_write(connection, &byte, 1, &count, &error));
  FAILS(IN_USE, "another call", hubtls_connection_finish(connection, &error));
  FAILS(IN_USE, "another call", hubtls_connection_negotiated(connection, &negotiated, &error));
  assert_int_equal(count, 7);
  assert_false(hubtls_connection_is_handshaking(connection) || hubtls_connection_wants_receive(connection) ||
               hubtls_connection_wants_transmit(connection) || hubtls_connection_is_ended(connection));
  assert_int_equal(hubtls_connection_pending(connection).len, 0);
  // It stays.
  hubtls_connection_free(connection);
  // Everything else may be used.
  hubtls_policy *policy = NULL;
  OK(hubtls_policy_named("iothub", &policy, &error));
  hubtls_policy_free(policy);
  hubtls_config_builder *builder = hubtls_config_builder_new();
  hubtls_config *config = built(builder);
  hubtls_connection *another = connection_to(config);
  assert_true(hubtls_connection_wants_transmit(another));
  hubtls_connection_free(another);
  hubtls_config_free(config);
}

static void callback_may_use_anything_but_its_own_connection(void **state) {
  (void)state;
  server peer;
  signing device;
  server_start(&peer, MTLS_12);
  hubtls_connection *connection = connection_with(&device, &peer);
  device.before = call_again;
  device.before_context = connection;
  int socket = server_dial(&peer);
  OK(shake_hands(connection, socket, &error));
  converse(connection, socket, &peer);
  close(socket);
  hubtls_connection_free(connection);
  signing_end(&device);
  server_stop(&peer);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(signer_is_tried_and_released_once),
      cmocka_unit_test(signer_that_does_not_work_is_found_out_and_released),
      cmocka_unit_test(handshake_is_signed_elsewhere),
      cmocka_unit_test(signer_that_fails_in_the_handshake_fails_it),
      cmocka_unit_test(callback_may_use_anything_but_its_own_connection),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
