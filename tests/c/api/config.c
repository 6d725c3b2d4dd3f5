// Builders, configurations and the handle of the current one.

#include "support.h"

#include <stdio.h>
#include <unistd.h>

#define ECDSA_12 "OpenSSL with TLS 1.2 agrees to ECDHE-ECDSA-AES128-GCM-SHA256"
#define ECDSA_13 "OpenSSL with TLS 1.3 and an ECDSA certificate agrees to TLS_AES_128_GCM_SHA256"

// Shakes hands with the server by that configuration, which is freed.
static hubtls_status attempt(const server *peer, hubtls_config *config, hubtls_negotiated **negotiated, hubtls_error *error) {
  hubtls_connection *connection = connection_to(config);
  int socket = server_dial(peer);
  hubtls_status status = shake_hands(connection, socket, error);
  if (status == HUBTLS_OK && negotiated != NULL) {
    status = hubtls_connection_negotiated(connection, negotiated, error);
  }
  close(socket);
  hubtls_connection_free(connection);
  hubtls_config_free(config);
  return status;
}

static void empty_builder_makes_the_policy_iothub(void **state) {
  (void)state;
  hubtls_config *config = built(hubtls_config_builder_new());
  hubtls_policy *policy = hubtls_config_policy(config);
  hubtls_roots *roots = hubtls_config_roots(config);
  assert_string_equal(hubtls_policy_name(policy), "iothub-2025-08");
  assert_int_equal(hubtls_roots_count(roots), 2);
  assert_int_equal(hubtls_config_warning_count(config), 0);
  assert_null(hubtls_config_warning_at(config, 0));
  hubtls_config *other = hubtls_config_clone(config);
  hubtls_config_free(config);
  hubtls_policy *same = hubtls_config_policy(other);
  assert_string_equal(hubtls_policy_json(same), hubtls_policy_json(policy));
  hubtls_policy_free(same);
  hubtls_config_free(other);
  hubtls_roots_free(roots);
  hubtls_policy_free(policy);
}

static void builder_stays_as_it_was_after_a_failure_and_after_building(void **state) {
  (void)state;
  hubtls_config_builder *builder = hubtls_config_builder_new();
  hubtls_policy *policy = NULL;
  OK(hubtls_policy_named("iothub-ecc", &policy, &error));
  OK(hubtls_config_builder_set_policy(builder, policy, &error));
  hubtls_policy_free(policy);
  FAILS(INVALID_PIN, "pin", hubtls_config_builder_add_pin(builder, "nonsense", &error));
  FAILS(INVALID_ARGUMENT, "policy is NULL", hubtls_config_builder_set_policy(builder, NULL, &error));
  for (size_t i = 0; i < 2; i++) {
    hubtls_config *config = NULL;
    OK(hubtls_config_builder_build(builder, &config, &error));
    policy = hubtls_config_policy(config);
    assert_string_equal(hubtls_policy_name(policy), "iothub-2025-08-ecc");
    hubtls_policy_free(policy);
    hubtls_config_free(config);
  }
  hubtls_config_builder_free(builder);
}

static void roots_are_replaced_and_added(void **state) {
  (void)state;
  server peer;
  server_start(&peer, ECDSA_12);
  OK(attempt(&peer, config_for(&peer), NULL, &error));
  FAILS(UNKNOWN_ROOT, "root", attempt(&peer, built(hubtls_config_builder_new()), NULL, &error));
  hubtls_roots *roots = NULL, *empty = NULL;
  file pem = file_read(peer.directory, "roots.pem");
  OK(hubtls_roots_from_pem(pem.data, pem.len, &roots, &error));
  hubtls_config_builder *builder = hubtls_config_builder_new();
  OK(hubtls_config_builder_add_roots(builder, roots, &error));
  FAILS(INVALID_ARGUMENT, "roots is NULL", hubtls_config_builder_add_roots(builder, NULL, &error));
  FAILS(INVALID_ARGUMENT, "roots is NULL", hubtls_config_builder_set_roots(builder, NULL, &error));
  OK(attempt(&peer, built(builder), NULL, &error));
  // Private roots are believed about nothing of Azure's, so that none is left.
  OK(hubtls_roots_believed_about(roots, "hub1.azure-devices.net", &empty, &error));
  builder = hubtls_config_builder_new();
  OK(hubtls_config_builder_set_roots(builder, empty, &error));
  hubtls_config *config = NULL;
  FAILS(NO_ROOTS, "root", hubtls_config_builder_build(builder, &config, &error));
  assert_null(config);
  hubtls_config_builder_free(builder);
  hubtls_roots_free(empty);
  hubtls_roots_free(roots);
  file_free(&pem);
  server_stop(&peer);
}

static void pins_are_of_roots(void **state) {
  (void)state;
  server peer;
  server_start(&peer, ECDSA_12);
  file right = file_read(peer.directory, "rsa-root.pem"), wrong = file_read(peer.directory, "ecdsa-root.pem"), leaf = fixture("leaf.pem");
  hubtls_config_builder *builder = builder_for(&peer);
  OK(hubtls_config_builder_add_pin_of_certificate(builder, right.data, right.len, &error));
  hubtls_negotiated *negotiated = NULL;
  OK(attempt(&peer, built(builder), &negotiated, &error));
  uint8_t sha256[32];
  char text[65];
  assert_true(hubtls_negotiated_root_spki_sha256(negotiated, sha256));
  hubtls_negotiated_free(negotiated);
  for (size_t i = 0; i < 32; i++) {
    snprintf(text + 2 * i, 3, "%02x", sha256[i]);
  }
  builder = builder_for(&peer);
  OK(hubtls_config_builder_add_pin(builder, text, &error));
  OK(attempt(&peer, built(builder), NULL, &error));
  builder = builder_for(&peer);
  OK(hubtls_config_builder_add_pin_of_certificate(builder, wrong.data, wrong.len, &error));
  FAILS(PIN_MISMATCH, "pin", attempt(&peer, built(builder), NULL, &error));
  builder = hubtls_config_builder_new();
  FAILS(PIN_NOT_ROOT, "end-entity", hubtls_config_builder_add_pin_of_certificate(builder, leaf.data, leaf.len, &error));
  FAILS(NO_CERTIFICATE, "no certificate", hubtls_config_builder_add_pin_of_certificate(builder, NULL, 0, &error));
  FAILS(INVALID_ARGUMENT, "pem is NULL", hubtls_config_builder_add_pin_of_certificate(builder, NULL, 1, &error));
  FAILS(INVALID_ARGUMENT, "pin is NULL", hubtls_config_builder_add_pin(builder, NULL, &error));
  hubtls_config_builder_free(builder);
  file_free(&right);
  file_free(&wrong);
  server_stop(&peer);
}

static void expired_identity_is_a_warning_or_an_error(void **state) {
  (void)state;
  hubtls_identity *identity = NULL;
  hubtls_config *config = NULL;
  OK(hubtls_identity_from_pem_files(FIXTURES "/expired.chain", FIXTURES "/expired.key", NULL, &identity, &error));
  hubtls_config_builder *builder = hubtls_config_builder_new();
  OK(hubtls_config_builder_set_identity(builder, identity, &error));
  OK(hubtls_config_builder_build(builder, &config, &error));
  assert_int_equal(hubtls_config_warning_count(config), 1);
  assert_non_null(strstr(hubtls_config_warning_at(config, 0), "expired"));
  hubtls_config_free(config);
  config = NULL;
  OK(hubtls_config_builder_set_refuse_invalid_identity(builder, true, &error));
  FAILS(IDENTITY_EXPIRED, "renew", hubtls_config_builder_build(builder, &config, &error));
  // It was valid in 2020.
  OK(hubtls_config_builder_set_time(builder, 1590000000, &error));
  OK(hubtls_config_builder_build(builder, &config, &error));
  hubtls_config_free(config);
  hubtls_identity_free(identity);
  OK(hubtls_identity_from_pem_files(FIXTURES "/future.chain", FIXTURES "/future.key", NULL, &identity, &error));
  OK(hubtls_config_builder_set_identity(builder, identity, &error));
  config = NULL;
  FAILS(IDENTITY_NOT_YET_VALID, "clock", hubtls_config_builder_build(builder, &config, &error));
  FAILS(INVALID_ARGUMENT, "identity is NULL", hubtls_config_builder_set_identity(builder, NULL, &error));
  assert_null(config);
  hubtls_identity_free(identity);
  hubtls_config_builder_free(builder);
}

static uint64_t tell(void *context) { return *(uint64_t *)context; }

static void time_comes_from_where_the_program_says(void **state) {
  (void)state;
  server peer;
  server_start(&peer, ECDSA_12);
  hubtls_config_builder *builder = builder_for(&peer);
  OK(hubtls_config_builder_set_time(builder, 86400, &error));
  FAILS(CERTIFICATE_NOT_YET_VALID, "clock", attempt(&peer, built(builder), NULL, &error));
  uint64_t now = 1767225600;
  builder = builder_for(&peer);
  OK(hubtls_config_builder_set_clock(builder, tell, &now, &error));
  FAILS(INVALID_ARGUMENT, "now is NULL", hubtls_config_builder_set_clock(builder, NULL, &now, &error));
  hubtls_config *config = built(builder);
  OK(attempt(&peer, hubtls_config_clone(config), NULL, &error));
  now = 4102444800u;
  FAILS(CERTIFICATE_EXPIRED, "expired", attempt(&peer, hubtls_config_clone(config), NULL, &error));
  now = 0;
  FAILS(NO_TIME, "clock", attempt(&peer, config, NULL, &error));
  server_stop(&peer);
}

static void revoked_certificates_are_refused(void **state) {
  (void)state;
  server peer;
  server_start(&peer, "A revoked certificate is refused");
  file lists = file_read(peer.directory, "revocation.pem"), roots = fixture("roots.pem");
  hubtls_config_builder *builder = builder_for(&peer);
  OK(hubtls_config_builder_add_revocation_lists(builder, lists.data, lists.len, &error));
  OK(hubtls_config_builder_set_require_revocation_status(builder, true, &error));
  FAILS(INVALID_REVOCATION_LIST, "list", hubtls_config_builder_add_revocation_lists(builder, roots.data, roots.len, &error));
  FAILS(INVALID_ARGUMENT, "data is NULL", hubtls_config_builder_add_revocation_lists(builder, NULL, 1, &error));
  FAILS(CERTIFICATE_REVOKED, "revoked", attempt(&peer, built(builder), NULL, &error));
  builder = builder_for(&peer);
  OK(hubtls_config_builder_set_require_revocation_status(builder, true, &error));
  hubtls_config *config = NULL;
  FAILS(INVALID_ARGUMENT, "list", hubtls_config_builder_build(builder, &config, &error));
  hubtls_config_builder_free(builder);
  file_free(&lists);
  server_stop(&peer);
}

static void alpn_is_offered(void **state) {
  (void)state;
  server peer;
  server_start(&peer, "ALPN agrees to the protocol that both speak");
  const hubtls_bytes protocols[] = {{(const uint8_t *)"other", 5}, {(const uint8_t *)"mqtt", 4}}, empty[] = {{NULL, 0}}, null[] = {{NULL, 1}};
  hubtls_config_builder *builder = builder_for(&peer);
  OK(hubtls_config_builder_set_alpn(builder, protocols, 2, &error));
  FAILS(INVALID_ARGUMENT, "protocols is NULL", hubtls_config_builder_set_alpn(builder, NULL, 1, &error));
  FAILS(INVALID_ARGUMENT, "protocols is NULL", hubtls_config_builder_set_alpn(builder, null, 1, &error));
  hubtls_negotiated *negotiated = NULL;
  OK(attempt(&peer, built(builder), &negotiated, &error));
  hubtls_bytes alpn = hubtls_negotiated_alpn(negotiated);
  assert_int_equal(alpn.len, 4);
  assert_memory_equal(alpn.data, "mqtt", 4);
  hubtls_negotiated_free(negotiated);
  builder = hubtls_config_builder_new();
  OK(hubtls_config_builder_set_alpn(builder, empty, 1, &error));
  hubtls_config *config = NULL;
  FAILS(INVALID_ALPN, "ALPN", hubtls_config_builder_build(builder, &config, &error));
  hubtls_config_builder_free(builder);
  server_stop(&peer);
}

static void sni_is_set_apart(void **state) {
  (void)state;
  server peer;
  server_start(&peer, "A server that does not know the name says so");
  hubtls_config_builder *builder = builder_for(&peer);
  FAILS(ALERT_RECEIVED, "SNI", attempt(&peer, built(builder), NULL, &error));
  builder = builder_for(&peer);
  OK(hubtls_config_builder_set_sni(builder, "hub.example", &error));
  // By that name the server has another certificate.
  FAILS(UNKNOWN_ROOT, "RSA intermediate", attempt(&peer, built(builder), NULL, &error));
  builder = builder_for(&peer);
  OK(hubtls_config_builder_set_sni(builder, NULL, &error));
  OK(attempt(&peer, built(builder), NULL, &error));
  builder = hubtls_config_builder_new();
  OK(hubtls_config_builder_set_sni(builder, "not a name", &error));
  hubtls_config *config = NULL;
  FAILS(INVALID_SERVER_NAME, "not a name", hubtls_config_builder_build(builder, &config, &error));
  hubtls_config_builder_free(builder);
  server_stop(&peer);
}

static void take_line(void *context, const char *line) {
  char *kept = context;
  if (kept[0] == 0) {
    snprintf(kept, 300, "%s", line);
  }
}

static void secrets_are_logged_on_request(void **state) {
  (void)state;
  server peer;
  char kept[300] = "";
  server_start(&peer, ECDSA_12);
  hubtls_config_builder *builder = builder_for(&peer);
  OK(hubtls_config_builder_set_key_log(builder, take_line, kept, &error));
  FAILS(INVALID_ARGUMENT, "log is NULL", hubtls_config_builder_set_key_log(builder, NULL, kept, &error));
  OK(attempt(&peer, built(builder), NULL, &error));
  // A label, 32 bytes and 48 bytes in hexadecimal.
  assert_true(strncmp(kept, "CLIENT_RANDOM ", 14) == 0);
  assert_int_equal(strlen(kept), 14 + 64 + 1 + 96);
  server_stop(&peer);
}

static void fragment_length_is_agreed_on(void **state) {
  (void)state;
  server peer;
  server_start(&peer, ECDSA_13);
  hubtls_config_builder *builder = builder_for(&peer);
  OK(hubtls_config_builder_set_fragment_length(builder, HUBTLS_FRAGMENT_REQUIRE, 512, &error));
  FAILS(INVALID_FRAGMENT_LENGTH, "512", hubtls_config_builder_set_fragment_length(builder, HUBTLS_FRAGMENT_REQUEST, 100, &error));
  FAILS(INVALID_ARGUMENT, "mode", hubtls_config_builder_set_fragment_length(builder, 9, 512, &error));
  hubtls_negotiated *negotiated = NULL;
  OK(attempt(&peer, built(builder), &negotiated, &error));
  assert_int_equal(hubtls_negotiated_fragment_length(negotiated), 512);
  hubtls_negotiated_free(negotiated);
  server_stop(&peer);
}

static void post_quantum_hello_is_longer(void **state) {
  (void)state;
  hubtls_config_builder *builder = hubtls_config_builder_new();
  OK(hubtls_config_builder_set_post_quantum(builder, true, &error));
  hubtls_config *config = built(builder);
  hubtls_connection *connection = connection_to(config);
  assert_true(hubtls_connection_pending(connection).len > 1200);
  hubtls_connection_free(connection);
  hubtls_config_free(config);
}

// Two connections with one configuration; whether the second is resumed.
static bool resumes(const server *peer, hubtls_config *first, hubtls_config *second) {
  hubtls_negotiated *negotiated = NULL;
  hubtls_connection *connection = connection_to(first);
  int socket = server_dial(peer);
  OK(shake_hands(connection, socket, &error));
  converse(connection, socket, peer);
  OK(hubtls_connection_finish(connection, &error));
  send_pending(connection, socket);
  close(socket);
  hubtls_connection_free(connection);
  hubtls_config_free(first);
  OK(attempt(peer, second, &negotiated, &error));
  bool resumed = hubtls_negotiated_resumed(negotiated);
  hubtls_negotiated_free(negotiated);
  return resumed;
}

static void sessions_are_resumed_unless_roots_change(void **state) {
  (void)state;
  server peer;
  server_start(&peer, "TLS 1.3 resumes with a pre-shared key");
  hubtls_config *config = config_for(&peer), *changed = NULL;
  assert_true(resumes(&peer, hubtls_config_clone(config), hubtls_config_clone(config)));
  hubtls_roots *roots = hubtls_config_roots(config), *other = NULL;
  OK(hubtls_config_with_roots(config, roots, &changed, &error));
  assert_false(resumes(&peer, hubtls_config_clone(config), changed));
  FAILS(INVALID_ARGUMENT, "roots is NULL", hubtls_config_with_roots(config, NULL, &changed, &error));
  FAILS(INVALID_ARGUMENT, "config is NULL", hubtls_config_with_roots(NULL, roots, &changed, &error));
  OK(hubtls_roots_believed_about(roots, "hub1.azure-devices.net", &other, &error));
  FAILS(NO_ROOTS, "root", hubtls_config_with_roots(config, other, &changed, &error));
  hubtls_roots_free(other);
  hubtls_roots_free(roots);
  hubtls_config_free(config);
  hubtls_config_builder *builder = builder_for(&peer);
  OK(hubtls_config_builder_set_resumption(builder, false, &error));
  config = built(builder);
  assert_false(resumes(&peer, hubtls_config_clone(config), config));
  server_stop(&peer);
}

static void handle_swaps_the_current_configuration(void **state) {
  (void)state;
  server peer;
  server_start(&peer, ECDSA_12);
  hubtls_config *config = config_for(&peer);
  hubtls_config_handle *handle = NULL;
  OK(hubtls_config_handle_new(config, &handle, &error));
  OK(attempt(&peer, hubtls_config_handle_current(handle), NULL, &error));
  hubtls_roots *azure = NULL, *none = NULL, *mine = hubtls_config_roots(config);
  OK(hubtls_roots_azure(&azure, &error));
  OK(hubtls_config_handle_replace_roots(handle, azure, &error));
  FAILS(UNKNOWN_ROOT, "root", attempt(&peer, hubtls_config_handle_current(handle), NULL, &error));
  OK(hubtls_config_handle_replace(handle, config, &error));
  OK(attempt(&peer, hubtls_config_handle_current(handle), NULL, &error));
  OK(hubtls_roots_believed_about(mine, "hub1.azure-devices.net", &none, &error));
  FAILS(NO_ROOTS, "root", hubtls_config_handle_replace_roots(handle, none, &error));
  OK(attempt(&peer, hubtls_config_handle_current(handle), NULL, &error));
  FAILS(INVALID_ARGUMENT, "roots is NULL", hubtls_config_handle_replace_roots(handle, NULL, &error));
  FAILS(INVALID_ARGUMENT, "handle is NULL", hubtls_config_handle_replace_roots(NULL, azure, &error));
  FAILS(INVALID_ARGUMENT, "config is NULL", hubtls_config_handle_replace(handle, NULL, &error));
  FAILS(INVALID_ARGUMENT, "handle is NULL", hubtls_config_handle_replace(NULL, config, &error));
  FAILS(INVALID_ARGUMENT, "handle is NULL", hubtls_config_handle_new(config, NULL, &error));
  FAILS(INVALID_ARGUMENT, "config is NULL", hubtls_config_handle_new(NULL, &handle, &error));
  assert_null(hubtls_config_handle_current(NULL));
  hubtls_roots_free(none);
  hubtls_roots_free(mine);
  hubtls_roots_free(azure);
  hubtls_config_handle_free(handle);
  hubtls_config_free(config);
  server_stop(&peer);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(empty_builder_makes_the_policy_iothub),
      cmocka_unit_test(builder_stays_as_it_was_after_a_failure_and_after_building),
      cmocka_unit_test(roots_are_replaced_and_added),
      cmocka_unit_test(pins_are_of_roots),
      cmocka_unit_test(expired_identity_is_a_warning_or_an_error),
      cmocka_unit_test(time_comes_from_where_the_program_says),
      cmocka_unit_test(revoked_certificates_are_refused),
      cmocka_unit_test(alpn_is_offered),
      cmocka_unit_test(sni_is_set_apart),
      cmocka_unit_test(secrets_are_logged_on_request),
      cmocka_unit_test(fragment_length_is_agreed_on),
      cmocka_unit_test(post_quantum_hello_is_longer),
      cmocka_unit_test(sessions_are_resumed_unless_roots_change),
      cmocka_unit_test(handle_swaps_the_current_configuration),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
