// Policies: find, describe, narrow, JSON.

#include "support.h"

static hubtls_policy *named(const char *name) {
  hubtls_policy *policy = NULL;
  OK(hubtls_policy_named(name, &policy, &error));
  assert_non_null(policy);
  return policy;
}

static void policies_are_found_by_name_and_by_index(void **state) {
  (void)state;
  hubtls_policy *policy = named("IoTHub");
  assert_string_equal(hubtls_policy_name(policy), "iothub-2025-08");
  hubtls_policy_free(policy);
  policy = NULL;
  FAILS(UNKNOWN_POLICY, "iothub-ecc", hubtls_policy_named("iothub-ec", &policy, &error));
  FAILS(INVALID_ARGUMENT, "name is NULL", hubtls_policy_named(NULL, &policy, &error));
  FAILS(INVALID_ARGUMENT, "policy is NULL", hubtls_policy_named("iothub", NULL, &error));
  assert_null(policy);
  assert_int_equal(hubtls_policy_count(), 4);
  for (size_t i = 0; i < hubtls_policy_count(); i++) {
    OK(hubtls_policy_at(i, &policy, &error));
    hubtls_policy *same = named(hubtls_policy_name(policy));
    assert_string_equal(hubtls_policy_json(policy), hubtls_policy_json(same));
    hubtls_policy_free(same);
    hubtls_policy_free(policy);
  }
  policy = NULL;
  FAILS(INVALID_ARGUMENT, "there are 4", hubtls_policy_at(4, &policy, &error));
  FAILS(INVALID_ARGUMENT, "policy is NULL", hubtls_policy_at(0, NULL, &error));
  assert_null(policy);
}

static void policy_is_described(void **state) {
  (void)state;
  hubtls_policy *policy = named("iothub");
  size_t count = 0, bytes = 7;
  const uint16_t *list = hubtls_policy_versions(policy, &count);
  assert_int_equal(count, 2);
  assert_true(list[0] == HUBTLS_TLS_1_3 && list[1] == HUBTLS_TLS_1_2);
  list = hubtls_policy_suites(policy, &count);
  assert_int_equal(count, 10);
  assert_int_equal(list[2], 0xC02B);
  list = hubtls_policy_groups(policy, &count);
  assert_int_equal(count, 3);
  assert_int_equal(list[0], 0x001D);
  list = hubtls_policy_signature_schemes(policy, &count);
  assert_int_equal(count, 10);
  assert_int_equal(list[0], 0x0403);
  assert_int_equal(hubtls_policy_fragment_length(policy, &bytes), HUBTLS_FRAGMENT_OFF);
  assert_int_equal(bytes, 0);
  assert_false(hubtls_policy_is_narrowed(policy));
  assert_int_equal(hubtls_policy_warning_count(policy), 0);
  assert_null(hubtls_policy_warning_at(policy, 0));
  hubtls_policy_free(policy);
}

static void policy_speaks_the_words_of_other_libraries(void **state) {
  (void)state;
  hubtls_policy *policy = named("iothub-aead");
  assert_string_equal(hubtls_policy_openssl_cipher_list(policy), "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
                                                                 "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384");
  assert_string_equal(hubtls_policy_openssl_ciphersuites(policy), "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384");
  assert_string_equal(hubtls_policy_openssl_groups(policy), "X25519:P-256:P-384");
  assert_non_null(strstr(hubtls_policy_openssl_signature_algorithms(policy), "rsa_pss_rsae_sha256"));
  assert_ptr_equal(strstr(hubtls_policy_wolfssl_cipher_list(policy), "TLS13-AES128-GCM-SHA256:"), hubtls_policy_wolfssl_cipher_list(policy));
  assert_non_null(strstr(hubtls_policy_wolfssl_signature_algorithms(policy), "RSA-PSS+SHA256"));
  // Made once.
  assert_ptr_equal(hubtls_policy_openssl_groups(policy), hubtls_policy_openssl_groups(policy));
  hubtls_policy_free(policy);
}

static void policy_is_narrowed_and_never_widened(void **state) {
  (void)state;
  hubtls_policy *policy = named("iothub"), *narrowed = NULL;
  const uint16_t tls13[] = {HUBTLS_TLS_1_3}, tls11[] = {0x0302}, tls14[] = {0x0305};
  const uint16_t suites[] = {0xC030, 0xC02C}, retired[] = {0x009C}, unknown[] = {1}, groups[] = {0x0018}, hybrid[] = {0x11EC};
  size_t count = 0;
  OK(hubtls_policy_only_versions(policy, tls13, 1, &narrowed, &error));
  assert_true(hubtls_policy_is_narrowed(narrowed));
  assert_true(hubtls_policy_warning_count(narrowed) > 0);
  assert_non_null(strstr(hubtls_policy_warning_at(narrowed, 0), "TLS 1.3 alone"));
  hubtls_policy_free(narrowed);
  OK(hubtls_policy_only_suites(policy, suites, 2, &narrowed, &error));
  const uint16_t *list = hubtls_policy_suites(narrowed, &count);
  assert_true(count == 2 && list[0] == 0xC02C && list[1] == 0xC030);
  hubtls_policy_free(narrowed);
  OK(hubtls_policy_only_groups(policy, groups, 1, &narrowed, &error));
  hubtls_policy_groups(narrowed, &count);
  assert_int_equal(count, 1);
  hubtls_policy_free(narrowed);
  OK(hubtls_policy_only_authentication(policy, HUBTLS_AUTHENTICATION_ECDSA, &narrowed, &error));
  hubtls_policy_suites(narrowed, &count);
  assert_int_equal(count, 4);
  FAILS(POLICY_EMPTY, "nothing left", hubtls_policy_only_authentication(narrowed, HUBTLS_AUTHENTICATION_RSA, &policy, &error));
  hubtls_policy_free(narrowed);

  narrowed = NULL;
  FAILS(POLICY_WIDENED, "older than TLS 1.2", hubtls_policy_only_versions(policy, tls11, 1, &narrowed, &error));
  FAILS(UNKNOWN_VERSION, "0x0305", hubtls_policy_only_versions(policy, tls14, 1, &narrowed, &error));
  FAILS(POLICY_WIDENED, "retired", hubtls_policy_only_suites(policy, retired, 1, &narrowed, &error));
  FAILS(UNKNOWN_SUITE, "0x0001", hubtls_policy_only_suites(policy, unknown, 1, &narrowed, &error));
  FAILS(UNKNOWN_GROUP, "0x0001", hubtls_policy_only_groups(policy, unknown, 1, &narrowed, &error));
  FAILS(POLICY_WIDENED, "post-quantum", hubtls_policy_only_groups(policy, hybrid, 1, &narrowed, &error));
  FAILS(POLICY_EMPTY, "nothing", hubtls_policy_only_suites(policy, NULL, 0, &narrowed, &error));
  FAILS(INVALID_ARGUMENT, "suites is NULL", hubtls_policy_only_suites(policy, NULL, 1, &narrowed, &error));
  FAILS(INVALID_ARGUMENT, "versions is NULL", hubtls_policy_only_versions(policy, NULL, 1, &narrowed, &error));
  FAILS(INVALID_ARGUMENT, "larger than memory", hubtls_policy_only_groups(policy, groups, SIZE_MAX, &narrowed, &error));
  FAILS(INVALID_ARGUMENT, "policy is NULL", hubtls_policy_only_groups(NULL, groups, 1, &narrowed, &error));
  FAILS(INVALID_ARGUMENT, "narrowed is NULL", hubtls_policy_only_groups(policy, groups, 1, NULL, &error));
  FAILS(INVALID_ARGUMENT, "authentication", hubtls_policy_only_authentication(policy, 9, &narrowed, &error));
  assert_null(narrowed);
  hubtls_policy_free(policy);
}

static void fragment_length_is_set(void **state) {
  (void)state;
  hubtls_policy *policy = named("iothub"), *small = NULL;
  size_t bytes = 0;
  OK(hubtls_policy_with_fragment_length(policy, HUBTLS_FRAGMENT_REQUIRE, HUBTLS_FRAGMENT_LENGTH_1024, &small, &error));
  assert_int_equal(hubtls_policy_fragment_length(small, &bytes), HUBTLS_FRAGMENT_REQUIRE);
  assert_int_equal(bytes, 1024);
  assert_int_equal(hubtls_policy_fragment_length(small, NULL), HUBTLS_FRAGMENT_REQUIRE);
  hubtls_policy_free(small);
  small = NULL;
  OK(hubtls_policy_with_fragment_length(policy, HUBTLS_FRAGMENT_OFF, 0, &small, &error));
  hubtls_policy_free(small);
  small = NULL;
  FAILS(INVALID_FRAGMENT_LENGTH, "512", hubtls_policy_with_fragment_length(policy, HUBTLS_FRAGMENT_REQUEST, 513, &small, &error));
  FAILS(INVALID_ARGUMENT, "fragment mode", hubtls_policy_with_fragment_length(policy, 3, 512, &small, &error));
  assert_null(small);
  hubtls_policy_free(policy);
}

static void policy_goes_through_json(void **state) {
  (void)state;
  hubtls_policy *policy = named("iothub-ecc"), *read = NULL;
  const char *json = hubtls_policy_json(policy);
  OK(hubtls_policy_from_json(json, strlen(json), &read, &error));
  assert_string_equal(hubtls_policy_json(read), json);
  hubtls_policy_free(read);
  read = hubtls_policy_clone(policy);
  assert_string_equal(hubtls_policy_json(read), json);
  hubtls_policy_free(policy);
  assert_string_equal(hubtls_policy_name(read), "iothub-2025-08-ecc");
  hubtls_policy_free(read);
  read = NULL;
  FAILS(INVALID_POLICY_DOCUMENT, "line 1", hubtls_policy_from_json("{", 1, &read, &error));
  FAILS(INVALID_POLICY_DOCUMENT, "UTF-8", hubtls_policy_from_json("\xFF", 1, &read, &error));
  FAILS(INVALID_POLICY_DOCUMENT, "not valid", hubtls_policy_from_json(NULL, 0, &read, &error));
  FAILS(INVALID_ARGUMENT, "json is NULL", hubtls_policy_from_json(NULL, 1, &read, &error));
  const char *wide = "{\"policy\": \"iothub-2025-08\", \"suites\": [\"AES128-SHA\"]}";
  FAILS(POLICY_WIDENED, "weak", hubtls_policy_from_json(wide, strlen(wide), &read, &error));
  assert_null(read);
}

static void questions_about_null_have_harmless_answers(void **state) {
  (void)state;
  size_t count = 7;
  assert_null(hubtls_policy_name(NULL));
  assert_null(hubtls_policy_json(NULL));
  assert_null(hubtls_policy_clone(NULL));
  assert_null(hubtls_policy_openssl_cipher_list(NULL));
  assert_null(hubtls_policy_openssl_ciphersuites(NULL));
  assert_null(hubtls_policy_openssl_groups(NULL));
  assert_null(hubtls_policy_openssl_signature_algorithms(NULL));
  assert_null(hubtls_policy_wolfssl_cipher_list(NULL));
  assert_null(hubtls_policy_wolfssl_signature_algorithms(NULL));
  assert_null(hubtls_policy_suites(NULL, &count));
  assert_int_equal(count, 0);
  assert_null(hubtls_policy_versions(NULL, NULL));
  assert_null(hubtls_policy_groups(NULL, NULL));
  assert_null(hubtls_policy_signature_schemes(NULL, NULL));
  assert_false(hubtls_policy_is_narrowed(NULL));
  assert_int_equal(hubtls_policy_warning_count(NULL), 0);
  assert_null(hubtls_policy_warning_at(NULL, 0));
  assert_int_equal(hubtls_policy_fragment_length(NULL, &count), HUBTLS_FRAGMENT_OFF);
  hubtls_policy_free(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(policies_are_found_by_name_and_by_index), cmocka_unit_test(policy_is_described),
      cmocka_unit_test(policy_speaks_the_words_of_other_libraries), cmocka_unit_test(policy_is_narrowed_and_never_widened),
      cmocka_unit_test(fragment_length_is_set), cmocka_unit_test(policy_goes_through_json),
      cmocka_unit_test(questions_about_null_have_harmless_answers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
