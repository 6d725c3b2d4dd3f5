// What no program should do, and what comes of it: a code, and no crash.

#include "support.h"

static void null_is_no_handle(void **state) {
  (void)state;
  const hubtls_bytes bytes = {(const uint8_t *)"mqtt", 4};
  hubtls_config *config = NULL;
  hubtls_config_handle *handle = NULL;
  hubtls_negotiated *negotiated = NULL;
  uint8_t byte = 0;
  size_t count = 7;

  FAILS(INVALID_ARGUMENT, "builder is NULL", hubtls_config_builder_set_policy(NULL, NULL, &error));
  FAILS(INVALID_ARGUMENT, "builder is NULL", hubtls_config_builder_set_roots(NULL, NULL, &error));
  FAILS(INVALID_ARGUMENT, "builder is NULL", hubtls_config_builder_add_roots(NULL, NULL, &error));
  FAILS(INVALID_ARGUMENT, "builder is NULL", hubtls_config_builder_add_pin(NULL, "pin", &error));
  FAILS(INVALID_ARGUMENT, "builder is NULL", hubtls_config_builder_add_pin_of_certificate(NULL, &byte, 1, &error));
  FAILS(INVALID_ARGUMENT, "builder is NULL", hubtls_config_builder_set_identity(NULL, NULL, &error));
  FAILS(INVALID_ARGUMENT, "builder is NULL", hubtls_config_builder_set_refuse_invalid_identity(NULL, true, &error));
  FAILS(INVALID_ARGUMENT, "builder is NULL", hubtls_config_builder_add_revocation_lists(NULL, &byte, 1, &error));
  FAILS(INVALID_ARGUMENT, "builder is NULL", hubtls_config_builder_set_require_revocation_status(NULL, true, &error));
  FAILS(INVALID_ARGUMENT, "builder is NULL", hubtls_config_builder_set_alpn(NULL, &bytes, 1, &error));
  FAILS(INVALID_ARGUMENT, "builder is NULL", hubtls_config_builder_set_sni(NULL, NULL, &error));
  FAILS(INVALID_ARGUMENT, "builder is NULL", hubtls_config_builder_set_resumption(NULL, true, &error));
  FAILS(INVALID_ARGUMENT, "builder is NULL", hubtls_config_builder_set_fragment_length(NULL, HUBTLS_FRAGMENT_REQUEST, 512, &error));
  FAILS(INVALID_ARGUMENT, "builder is NULL", hubtls_config_builder_set_post_quantum(NULL, true, &error));
  FAILS(INVALID_ARGUMENT, "builder is NULL", hubtls_config_builder_set_time(NULL, 1, &error));
  FAILS(INVALID_ARGUMENT, "builder is NULL", hubtls_config_builder_set_clock(NULL, NULL, NULL, &error));
  FAILS(INVALID_ARGUMENT, "builder is NULL", hubtls_config_builder_set_key_log(NULL, NULL, NULL, &error));
  FAILS(INVALID_ARGUMENT, "builder is NULL", hubtls_config_builder_build(NULL, &config, &error));

  FAILS(INVALID_ARGUMENT, "config is NULL", hubtls_config_with_roots(NULL, NULL, &config, &error));
  assert_null(hubtls_config_clone(NULL));
  assert_null(hubtls_config_policy(NULL));
  assert_null(hubtls_config_roots(NULL));
  assert_int_equal(hubtls_config_warning_count(NULL), 0);
  assert_null(hubtls_config_warning_at(NULL, 0));
  FAILS(INVALID_ARGUMENT, "config is NULL", hubtls_config_handle_new(NULL, &handle, &error));
  FAILS(INVALID_ARGUMENT, "handle is NULL", hubtls_config_handle_replace(NULL, NULL, &error));
  FAILS(INVALID_ARGUMENT, "handle is NULL", hubtls_config_handle_replace_roots(NULL, NULL, &error));
  assert_null(hubtls_config_handle_current(NULL));
  assert_null(config);
  assert_null(handle);

  FAILS(INVALID_ARGUMENT, "connection is NULL", hubtls_connection_receive(NULL, &byte, 1, &count, &error));
  FAILS(INVALID_ARGUMENT, "connection is NULL", hubtls_connection_receive_end(NULL, &error));
  FAILS(INVALID_ARGUMENT, "connection is NULL", hubtls_connection_read(NULL, &byte, 1, &count, &error));
  FAILS(INVALID_ARGUMENT, "connection is NULL", hubtls_connection_readable_bytes(NULL, &count, &error));
  FAILS(INVALID_ARGUMENT, "connection is NULL", hubtls_connection_write(NULL, &byte, 1, &count, &error));
  FAILS(INVALID_ARGUMENT, "connection is NULL", hubtls_connection_transmit(NULL, &byte, 1, &count, &error));
  FAILS(INVALID_ARGUMENT, "connection is NULL", hubtls_connection_transmitted(NULL, 0, &error));
  FAILS(INVALID_ARGUMENT, "connection is NULL", hubtls_connection_finish(NULL, &error));
  FAILS(INVALID_ARGUMENT, "connection is NULL", hubtls_connection_negotiated(NULL, &negotiated, &error));
  assert_int_equal(hubtls_connection_pending(NULL).len, 0);
  assert_false(hubtls_connection_is_handshaking(NULL));
  assert_false(hubtls_connection_wants_receive(NULL));
  assert_false(hubtls_connection_wants_transmit(NULL));
  assert_false(hubtls_connection_is_ended(NULL));

  FAILS(INVALID_ARGUMENT, "stream is NULL", hubtls_stream_read(NULL, &byte, 1, &count, &error));
  FAILS(INVALID_ARGUMENT, "stream is NULL", hubtls_stream_read_exact(NULL, &byte, 1, &error));
  FAILS(INVALID_ARGUMENT, "stream is NULL", hubtls_stream_write(NULL, &byte, 1, &count, &error));
  FAILS(INVALID_ARGUMENT, "stream is NULL", hubtls_stream_write_all(NULL, &byte, 1, &error));
  FAILS(INVALID_ARGUMENT, "stream is NULL", hubtls_stream_finish(NULL, &error));
  FAILS(INVALID_ARGUMENT, "stream is NULL", hubtls_stream_set_read_timeout(NULL, 1, &error));
  FAILS(INVALID_ARGUMENT, "stream is NULL", hubtls_stream_set_write_timeout(NULL, 1, &error));
  assert_int_equal(hubtls_stream_socket(NULL), -1);
  assert_null(hubtls_stream_negotiated(NULL));
  assert_null(negotiated);
  assert_int_equal(count, 7);

  assert_null(hubtls_identity_subject(NULL));
  assert_null(hubtls_identity_key_algorithm(NULL));
  assert_int_equal(hubtls_identity_not_after(NULL), 0);
}

static void error_may_be_null(void **state) {
  (void)state;
  hubtls_policy *policy = NULL;
  assert_int_equal(hubtls_policy_named("nonsense", &policy, NULL), HUBTLS_ERROR_UNKNOWN_POLICY);
  assert_int_equal(hubtls_config_builder_build(NULL, NULL, NULL), HUBTLS_ERROR_INVALID_ARGUMENT);
  assert_int_equal(hubtls_policy_named("iothub", &policy, NULL), HUBTLS_OK);
  hubtls_policy_free(policy);
}

static void freeing_null_does_nothing(void **state) {
  (void)state;
  hubtls_policy_free(NULL);
  hubtls_roots_free(NULL);
  hubtls_identity_free(NULL);
  hubtls_config_builder_free(NULL);
  hubtls_config_free(NULL);
  hubtls_config_handle_free(NULL);
  hubtls_connection_free(NULL);
  hubtls_negotiated_free(NULL);
  hubtls_stream_free(NULL);
}

static void freeing_twice_does_nothing(void **state) {
  (void)state;
  server peer;
  server_start_echo(&peer);
  hubtls_policy *policy = NULL;
  hubtls_roots *roots = NULL;
  hubtls_identity *identity = NULL;
  hubtls_config_handle *handle = NULL;
  hubtls_stream *stream = NULL;
  file chain = fixture("p256.chain"), key = fixture("p256.key");
  OK(hubtls_policy_named("iothub", &policy, &error));
  OK(hubtls_roots_azure(&roots, &error));
  OK(hubtls_identity_from_pem(chain.data, chain.len, key.data, key.len, NULL, &identity, &error));
  hubtls_config_builder *builder = builder_for(&peer);
  hubtls_config *config = NULL;
  OK(hubtls_config_builder_build(builder, &config, &error));
  OK(hubtls_config_handle_new(config, &handle, &error));
  OK(hubtls_stream_connect(config, "localhost", peer.port, NULL, &stream, &error));
  hubtls_negotiated *negotiated = hubtls_stream_negotiated(stream);
  hubtls_connection *connection = connection_to(config);
  for (int i = 0; i < 2; i++) {
    hubtls_policy_free(policy);
    hubtls_roots_free(roots);
    hubtls_identity_free(identity);
    hubtls_config_builder_free(builder);
    hubtls_config_free(config);
    hubtls_config_handle_free(handle);
    hubtls_connection_free(connection);
    hubtls_negotiated_free(negotiated);
    hubtls_stream_free(stream);
  }
  server_stop(&peer);
}

static void freeing_what_is_something_else_does_nothing(void **state) {
  (void)state;
  hubtls_policy *policy = NULL;
  int mine = 7;
  OK(hubtls_policy_named("iothub", &policy, &error));
  hubtls_roots_free((hubtls_roots *)policy);
  hubtls_policy_free((hubtls_policy *)&mine);
  assert_int_equal(mine, 7);
  assert_string_equal(hubtls_policy_name(policy), "iothub-2025-08");
  hubtls_policy_free(policy);
}

static void parts_may_be_freed_before_what_was_made_of_them(void **state) {
  (void)state;
  server peer;
  server_start_echo(&peer);
  hubtls_config *config = config_for(&peer);
  hubtls_config_handle *handle = NULL;
  OK(hubtls_config_handle_new(config, &handle, &error));
  hubtls_config_free(config);
  config = hubtls_config_handle_current(handle);
  hubtls_config_handle_free(handle);
  hubtls_connection *connection = connection_to(config);
  hubtls_config_free(config);
  int socket = server_dial(&peer);
  OK(shake_hands(connection, socket, &error));
  hubtls_connection_free(connection);
  server_stop(&peer);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(null_is_no_handle),
      cmocka_unit_test(error_may_be_null),
      cmocka_unit_test(freeing_null_does_nothing),
      cmocka_unit_test(freeing_twice_does_nothing),
      cmocka_unit_test(freeing_what_is_something_else_does_nothing),
      cmocka_unit_test(parts_may_be_freed_before_what_was_made_of_them),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
