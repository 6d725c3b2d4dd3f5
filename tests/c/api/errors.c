// Statuses, errors, versions and IANA's names.

#include "support.h"

static void version_is_that_of_the_header(void **state) {
  (void)state;
  assert_string_equal(hubtls_version(), HUBTLS_VERSION);
  assert_int_equal(hubtls_abi_version(), HUBTLS_ABI_VERSION);
}

static void every_status_has_its_name(void **state) {
  (void)state;
  assert_string_equal(hubtls_status_name(HUBTLS_OK), "OK");
  assert_string_equal(hubtls_status_name(HUBTLS_ERROR_UNKNOWN_ROOT), "UNKNOWN_ROOT");
  assert_int_equal(HUBTLS_ERROR_UNKNOWN_ROOT, 301);
  assert_null(hubtls_status_name(1));
  assert_null(hubtls_status_name(-301));
  assert_true(hubtls_status_is_transient(HUBTLS_ERROR_TIMEOUT));
  assert_false(hubtls_status_is_transient(HUBTLS_ERROR_UNKNOWN_ROOT));
  assert_false(hubtls_status_is_transient(HUBTLS_OK));
  assert_false(hubtls_status_is_transient(499));
}

static void alerts_have_names(void **state) {
  (void)state;
  assert_string_equal(hubtls_alert_name(48), "unknown_ca");
  assert_string_equal(hubtls_alert_name(200), "unknown");
}

static void error_is_filled_for_adapters(void **state) {
  (void)state;
  hubtls_error error = HUBTLS_ERROR_INIT;
  assert_int_equal(hubtls_error_fill(&error, HUBTLS_ERROR_IO, "it broke", "mend it"), HUBTLS_ERROR_IO);
  assert_int_equal(error.code, HUBTLS_ERROR_IO);
  assert_string_equal(error.name, "IO");
  assert_string_equal(error.message, "it broke");
  assert_string_equal(error.hint, "mend it");
  assert_false(error.has_alert || error.alert_received);
  assert_int_equal(hubtls_error_fill(&error, 12345, NULL, NULL), HUBTLS_ERROR_INTERNAL);
  assert_string_equal(error.message, "");
  assert_int_equal(hubtls_error_fill(NULL, HUBTLS_ERROR_IO, "it broke", "mend it"), HUBTLS_ERROR_IO);
}

static void error_of_unknown_size_is_left_alone(void **state) {
  (void)state;
  hubtls_error error, before;
  memset(&error, 0x5A, sizeof error);
  error.size = sizeof error - 1;
  before = error;
  assert_int_equal(hubtls_error_fill(&error, HUBTLS_ERROR_IO, "it broke", "mend it"), HUBTLS_ERROR_IO);
  assert_memory_equal(&error, &before, sizeof error);
}

static void error_of_a_later_release_is_filled_as_far_as_it_is_known(void **state) {
  (void)state;
  struct {
    hubtls_error error;
    char more[8];
  } larger = {.error = HUBTLS_ERROR_INIT, .more = "later"};
  larger.error.size = sizeof larger;
  assert_int_equal(hubtls_error_fill(&larger.error, HUBTLS_ERROR_IO, "it broke", "mend it"), HUBTLS_ERROR_IO);
  assert_string_equal(larger.error.message, "it broke");
  assert_string_equal(larger.more, "later");
}

static void long_text_is_cut_between_characters(void **state) {
  (void)state;
  char text[2 * HUBTLS_ERROR_TEXT] = "x";
  // Two bytes each: the last that fits would be cut in the middle.
  for (size_t i = 1; i + 2 < sizeof text; i += 2) {
    memcpy(text + i, "\xC3\xA4", 3);
  }
  hubtls_error error = HUBTLS_ERROR_INIT;
  hubtls_error_fill(&error, HUBTLS_ERROR_IO, text, text + 1);
  assert_int_equal(strlen(error.message), HUBTLS_ERROR_TEXT - 1);
  assert_int_equal(strlen(error.hint), HUBTLS_ERROR_TEXT - 2);
}

static void text_that_is_not_utf_8_is_refused(void **state) {
  (void)state;
  hubtls_policy *policy = NULL;
  FAILS(INVALID_ARGUMENT, "UTF-8", hubtls_policy_named("\xFF", &policy, &error));
  assert_null(policy);
}

static void sentence_that_is_not_utf_8_is_made_so(void **state) {
  (void)state;
  hubtls_error error = HUBTLS_ERROR_INIT;
  assert_int_equal(hubtls_error_fill(&error, HUBTLS_ERROR_IO, "\xFF!", NULL), HUBTLS_ERROR_IO);
  assert_string_equal(error.message, "\xEF\xBF\xBD!");
}

static void suites_have_names_and_strengths(void **state) {
  (void)state;
  assert_string_equal(hubtls_suite_name(0xC02B), "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
  assert_string_equal(hubtls_suite_openssl_name(0xC02B), "ECDHE-ECDSA-AES128-GCM-SHA256");
  assert_string_equal(hubtls_suite_gnutls_name(0xC02B), "TLS_ECDHE_ECDSA_AES_128_GCM_SHA256");
  assert_null(hubtls_suite_name(1));
  assert_null(hubtls_suite_openssl_name(1));
  assert_null(hubtls_suite_gnutls_name(1));
  assert_int_equal(hubtls_suite_strength(0xC02B), HUBTLS_STRENGTH_RECOMMENDED);
  assert_int_equal(hubtls_suite_strength(0x009C), HUBTLS_STRENGTH_RETIRED);
  assert_int_equal(hubtls_suite_strength(1), HUBTLS_STRENGTH_UNKNOWN);
  uint16_t suite = 7;
  OK(hubtls_suite_from_name("ecdhe-rsa-aes256-sha384", &suite, &error));
  assert_int_equal(suite, 0xC028);
  FAILS(UNKNOWN_SUITE, "did you mean", hubtls_suite_from_name("ECDHE-ECDSA-AES128-GMC-SHA256", &suite, &error));
  assert_int_equal(suite, 0xC028);
  FAILS(INVALID_ARGUMENT, "name is NULL", hubtls_suite_from_name(NULL, &suite, &error));
  FAILS(INVALID_ARGUMENT, "suite is NULL", hubtls_suite_from_name("AES128-SHA", NULL, &error));
}

static void versions_groups_and_schemes_have_names(void **state) {
  (void)state;
  uint16_t number = 7;
  assert_string_equal(hubtls_tls_version_name(HUBTLS_TLS_1_3), "TLSv1.3");
  assert_null(hubtls_tls_version_name(0x0301));
  OK(hubtls_tls_version_from_name("TLS 1.2", &number, &error));
  assert_int_equal(number, HUBTLS_TLS_1_2);
  FAILS(POLICY_WIDENED, "1.2", hubtls_tls_version_from_name("TLSv1.1", &number, &error));
  FAILS(UNKNOWN_VERSION, "TLSv1.3", hubtls_tls_version_from_name("TLSv9", &number, &error));
  FAILS(INVALID_ARGUMENT, "NULL", hubtls_tls_version_from_name(NULL, &number, &error));
  assert_int_equal(number, HUBTLS_TLS_1_2);
  assert_string_equal(hubtls_group_name(0x001D), "X25519");
  assert_null(hubtls_group_name(1));
  OK(hubtls_group_from_name("P-384", &number, &error));
  assert_int_equal(number, 24);
  FAILS(UNKNOWN_GROUP, "ffdhe2048", hubtls_group_from_name("ffdhe2048", &number, &error));
  FAILS(INVALID_ARGUMENT, "NULL", hubtls_group_from_name("P-384", NULL, &error));
  assert_string_equal(hubtls_signature_scheme_name(0x0403), "ecdsa_secp256r1_sha256");
  assert_null(hubtls_signature_scheme_name(1));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(version_is_that_of_the_header),
      cmocka_unit_test(every_status_has_its_name),
      cmocka_unit_test(alerts_have_names),
      cmocka_unit_test(error_is_filled_for_adapters),
      cmocka_unit_test(error_of_unknown_size_is_left_alone),
      cmocka_unit_test(error_of_a_later_release_is_filled_as_far_as_it_is_known),
      cmocka_unit_test(long_text_is_cut_between_characters),
      cmocka_unit_test(text_that_is_not_utf_8_is_refused),
      cmocka_unit_test(sentence_that_is_not_utf_8_is_made_so),
      cmocka_unit_test(suites_have_names_and_strengths),
      cmocka_unit_test(versions_groups_and_schemes_have_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
