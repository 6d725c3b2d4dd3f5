// What was agreed on.

#include "support.h"

#include <stdio.h>
#include <unistd.h>

// What a connection to the server agrees to by that configuration.
static hubtls_negotiated *agreed(const server *peer, const hubtls_config *config) {
  hubtls_negotiated *negotiated = NULL;
  hubtls_connection *connection = connection_to(config);
  int socket = server_dial(peer);
  OK(shake_hands(connection, socket, &error));
  converse(connection, socket, peer);
  OK(hubtls_connection_negotiated(connection, &negotiated, &error));
  close(socket);
  hubtls_connection_free(connection);
  assert_non_null(negotiated);
  return negotiated;
}

static void numbers_are_those_of_iana(void **state) {
  (void)state;
  static const struct {
    const char *row;
    uint16_t version, suite;
  } rows[] = {
      {"OpenSSL with TLS 1.2 agrees to ECDHE-ECDSA-AES256-GCM-SHA384", HUBTLS_TLS_1_2, 0xC02C},
      {"OpenSSL with TLS 1.3 and an ECDSA certificate agrees to TLS_AES_256_GCM_SHA384", HUBTLS_TLS_1_3, 0x1302},
  };
  for (size_t i = 0; i < 2; i++) {
    server peer;
    server_start(&peer, rows[i].row);
    hubtls_config *config = config_for(&peer);
    hubtls_negotiated *negotiated = agreed(&peer, config);
    assert_int_equal(hubtls_negotiated_version(negotiated), rows[i].version);
    assert_int_equal(hubtls_negotiated_suite(negotiated), rows[i].suite);
    assert_non_null(hubtls_group_name(hubtls_negotiated_group(negotiated)));
    assert_int_equal(hubtls_negotiated_fragment_length(negotiated), 0);
    assert_int_equal(hubtls_negotiated_alpn(negotiated).len, 0);
    assert_false(hubtls_negotiated_resumed(negotiated));
    assert_false(hubtls_negotiated_client_certificate_requested(negotiated));
    // Only a stream takes the time.
    assert_int_equal(hubtls_negotiated_handshake_us(negotiated), 0);
    hubtls_negotiated_free(negotiated);
    hubtls_config_free(config);
    server_stop(&peer);
  }
}

static void group_is_the_one_of_the_server(void **state) {
  (void)state;
  server peer;
  server_start(&peer, "A server that knows only P-384 gets it after a HelloRetryRequest");
  hubtls_config *config = config_for(&peer);
  hubtls_negotiated *negotiated = agreed(&peer, config);
  assert_string_equal(hubtls_group_name(hubtls_negotiated_group(negotiated)), "secp384r1");
  hubtls_negotiated_free(negotiated);
  hubtls_config_free(config);
  server_stop(&peer);
}

static void protocol_and_fragment_length_are_told(void **state) {
  (void)state;
  server peer;
  server_start(&peer, "ALPN agrees to the protocol that both speak");
  hubtls_config_builder *builder = builder_for(&peer);
  hubtls_policy *policy = NULL, *fragmented = NULL;
  const hubtls_bytes mqtt = {(const uint8_t *)"mqtt", 4};
  OK(hubtls_policy_named("iothub", &policy, &error));
  OK(hubtls_policy_with_fragment_length(policy, HUBTLS_FRAGMENT_REQUEST, 1024, &fragmented, &error));
  OK(hubtls_config_builder_set_policy(builder, fragmented, &error));
  OK(hubtls_config_builder_set_alpn(builder, &mqtt, 1, &error));
  hubtls_policy_free(policy);
  hubtls_policy_free(fragmented);
  hubtls_config *config = built(builder);
  hubtls_negotiated *negotiated = agreed(&peer, config);
  hubtls_bytes protocol = hubtls_negotiated_alpn(negotiated);
  assert_int_equal(protocol.len, 4);
  assert_memory_equal(protocol.data, "mqtt", 4);
  assert_int_equal(hubtls_negotiated_fragment_length(negotiated), 1024);
  assert_non_null(strstr(hubtls_negotiated_json(negotiated), "\"fragment_length\":1024"));
  hubtls_negotiated_free(negotiated);
  hubtls_config_free(config);
  server_stop(&peer);
}

static void resumption_is_told(void **state) {
  (void)state;
  server peer;
  server_start(&peer, "TLS 1.2 resumes with a ticket");
  hubtls_config *config = config_for(&peer);
  for (int i = 0; i < 2; i++) {
    hubtls_negotiated *negotiated = agreed(&peer, config);
    assert_int_equal(hubtls_negotiated_resumed(negotiated), i > 0);
    assert_int_equal(hubtls_negotiated_group(negotiated) == 0, i > 0);
    assert_true(hubtls_negotiated_peer_certificate_count(negotiated) > 0);
    hubtls_negotiated_free(negotiated);
  }
  hubtls_config_free(config);
  server_stop(&peer);
}

static void demand_for_a_client_certificate_is_told(void **state) {
  (void)state;
  server peer;
  server_start(&peer, "OpenSSL with TLS 1.3 accepts a client certificate with a key p256");
  hubtls_config *config = built(builder_with_identity(&peer));
  hubtls_negotiated *negotiated = agreed(&peer, config);
  assert_true(hubtls_negotiated_client_certificate_requested(negotiated));
  hubtls_negotiated_free(negotiated);
  hubtls_config_free(config);
  server_stop(&peer);
}

static void server_and_its_root_are_told(void **state) {
  (void)state;
  server peer;
  server_start(&peer, "OpenSSL with TLS 1.2 agrees to ECDHE-ECDSA-AES128-GCM-SHA256");
  hubtls_config *config = config_for(&peer);
  hubtls_negotiated *negotiated = agreed(&peer, config);
  size_t count = hubtls_negotiated_peer_certificate_count(negotiated);
  assert_true(count >= 1);
  for (size_t i = 0; i < count; i++) {
    hubtls_bytes der = hubtls_negotiated_peer_certificate_at(negotiated, i);
    // A SEQUENCE of that length.
    assert_true(der.len > 200 && der.data[0] == 0x30 && der.data[1] == 0x82);
    assert_int_equal(der.len, 4 + (size_t)(der.data[2] << 8 | der.data[3]));
    assert_true(strlen(hubtls_negotiated_peer_subject_at(negotiated, i)) > 0);
  }
  assert_null(hubtls_negotiated_peer_certificate_at(negotiated, count).data);
  assert_null(hubtls_negotiated_peer_subject_at(negotiated, count));
  // The root is one of those trusted.
  hubtls_roots *roots = hubtls_config_roots(config);
  bool found = false;
  for (size_t i = 0; i < hubtls_roots_count(roots); i++) {
    found = found || strcmp(hubtls_roots_subject_at(roots, i), hubtls_negotiated_root(negotiated)) == 0;
  }
  assert_true(found);
  hubtls_roots_free(roots);
  hubtls_config_free(config);

  // What a pin names: pinning it, the server is still accepted.
  uint8_t digest[32];
  assert_true(hubtls_negotiated_root_spki_sha256(negotiated, digest));
  char pin[2 * sizeof digest + 1];
  for (size_t i = 0; i < sizeof digest; i++) {
    snprintf(pin + 2 * i, 3, "%02x", digest[i]);
  }
  hubtls_config_builder *builder = builder_for(&peer);
  OK(hubtls_config_builder_add_pin(builder, pin, &error));
  config = built(builder);
  hubtls_negotiated *pinned = agreed(&peer, config);
  assert_string_equal(hubtls_negotiated_root(pinned), hubtls_negotiated_root(negotiated));
  hubtls_negotiated_free(pinned);
  hubtls_config_free(config);

  const char *json = hubtls_negotiated_json(negotiated);
  assert_non_null(strstr(json, "\"version\":\"TLSv1.2\""));
  assert_non_null(strstr(json, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"));
  hubtls_negotiated_free(negotiated);
  server_stop(&peer);
}

static void nothing_is_known_of_null(void **state) {
  (void)state;
  uint8_t digest[32] = {7}, same[32] = {7};
  assert_int_equal(hubtls_negotiated_version(NULL), 0);
  assert_int_equal(hubtls_negotiated_suite(NULL), 0);
  assert_int_equal(hubtls_negotiated_group(NULL), 0);
  assert_int_equal(hubtls_negotiated_fragment_length(NULL), 0);
  assert_null(hubtls_negotiated_alpn(NULL).data);
  assert_false(hubtls_negotiated_resumed(NULL));
  assert_false(hubtls_negotiated_client_certificate_requested(NULL));
  assert_int_equal(hubtls_negotiated_handshake_us(NULL), 0);
  assert_int_equal(hubtls_negotiated_peer_certificate_count(NULL), 0);
  assert_null(hubtls_negotiated_peer_certificate_at(NULL, 0).data);
  assert_null(hubtls_negotiated_peer_subject_at(NULL, 0));
  assert_false(hubtls_negotiated_root_spki_sha256(NULL, digest));
  assert_memory_equal(digest, same, sizeof digest);
  assert_null(hubtls_negotiated_root(NULL));
  assert_null(hubtls_negotiated_json(NULL));
  hubtls_negotiated_free(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(numbers_are_those_of_iana),
      cmocka_unit_test(group_is_the_one_of_the_server),
      cmocka_unit_test(protocol_and_fragment_length_are_told),
      cmocka_unit_test(resumption_is_told),
      cmocka_unit_test(demand_for_a_client_certificate_is_told),
      cmocka_unit_test(server_and_its_root_are_told),
      cmocka_unit_test(nothing_is_known_of_null),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
