// Trusted roots.

#include "support.h"

#define YEAR_2026 1767225600u

static void shipped_roots_are_described(void **state) {
  (void)state;
  hubtls_roots *roots = NULL, *all = NULL, *policys = NULL;
  hubtls_policy *policy = NULL;
  OK(hubtls_roots_azure(&roots, &error));
  OK(hubtls_roots_embedded(&all, &error));
  OK(hubtls_policy_named("iothub", &policy, &error));
  OK(hubtls_roots_of_policy(policy, &policys, &error));
  assert_int_equal(hubtls_roots_count(roots), 2);
  assert_int_equal(hubtls_roots_count(all), 4);
  assert_string_equal(hubtls_roots_pem(policys), hubtls_roots_pem(roots));
  assert_string_equal(hubtls_roots_subject_at(roots, 0), "DigiCert Global Root G2");
  assert_string_equal(hubtls_roots_fingerprint_at(roots, 0),
                      "CB:3C:CB:B7:60:31:E5:E0:13:8F:8D:D3:9A:23:F9:DE:47:FF:C3:5E:43:C1:14:4C:EA:27:D4:6A:5A:B1:CB:5F");
  assert_int_equal(hubtls_roots_not_after_at(roots, 0), 2147169600);
  assert_null(hubtls_roots_subject_at(roots, 2));
  assert_null(hubtls_roots_fingerprint_at(roots, 2));
  assert_int_equal(hubtls_roots_not_after_at(roots, 2), 0);
  hubtls_policy_free(policy);
  hubtls_roots_free(policys);
  hubtls_roots_free(all);
  hubtls_roots_free(roots);
  roots = NULL;
  FAILS(INVALID_ARGUMENT, "roots is NULL", hubtls_roots_azure(NULL, &error));
  FAILS(INVALID_ARGUMENT, "roots is NULL", hubtls_roots_embedded(NULL, &error));
  FAILS(INVALID_ARGUMENT, "policy is NULL", hubtls_roots_of_policy(NULL, &roots, &error));
  assert_null(roots);
}

static void private_roots_are_read(void **state) {
  (void)state;
  file pem = fixture("roots.pem"), der = fixture("rsa-root.der"), other = fixture("ecdsa-root.der"), leaf = fixture("leaf.pem");
  hubtls_roots *roots = NULL;
  OK(hubtls_roots_from_pem(pem.data, pem.len, &roots, &error));
  assert_int_equal(hubtls_roots_count(roots), 2);
  hubtls_roots_free(roots);
  OK(hubtls_roots_from_pem(der.data, der.len, &roots, &error));
  assert_int_equal(hubtls_roots_count(roots), 1);
  hubtls_roots_free(roots);
  const hubtls_bytes ders[] = {{der.data, der.len}, {other.data, other.len}};
  OK(hubtls_roots_from_der(ders, 2, &roots, &error));
  assert_int_equal(hubtls_roots_count(roots), 2);
  hubtls_roots_free(roots);
  OK(hubtls_roots_from_pem_file(FIXTURES "/roots.pem", &roots, &error));
  assert_int_equal(hubtls_roots_count(roots), 2);
  hubtls_roots_free(roots);

  roots = NULL;
  const hubtls_bytes bad[] = {{der.data, der.len}, {der.data, 100}}, null[] = {{NULL, 100}};
  FAILS(INVALID_CERTIFICATE, "certificate 2 of 2", hubtls_roots_from_der(bad, 2, &roots, &error));
  FAILS(INVALID_ARGUMENT, "certificates is NULL", hubtls_roots_from_der(null, 1, &roots, &error));
  FAILS(NO_CERTIFICATE, "no certificate", hubtls_roots_from_der(NULL, 0, &roots, &error));
  FAILS(NOT_A_CERTIFICATE_AUTHORITY, "authority", hubtls_roots_from_pem(leaf.data, leaf.len, &roots, &error));
  FAILS(NO_CERTIFICATE, "no certificate", hubtls_roots_from_pem(NULL, 0, &roots, &error));
  FAILS(INVALID_ARGUMENT, "data is NULL", hubtls_roots_from_pem(NULL, 1, &roots, &error));
  FAILS(INVALID_ARGUMENT, "cannot be read", hubtls_roots_from_pem_file(FIXTURES "/none", &roots, &error));
  FAILS(INVALID_ARGUMENT, "cannot be read", hubtls_roots_from_pem_file(FIXTURES, &roots, &error));
  FAILS(INVALID_ARGUMENT, "path is NULL", hubtls_roots_from_pem_file(NULL, &roots, &error));
  FAILS(NOT_A_CERTIFICATE_AUTHORITY, "leaf.pem", hubtls_roots_from_pem_file(FIXTURES "/leaf.pem", &roots, &error));
  assert_null(roots);
}

static void private_roots_vouch_for_azure_only_if_told_to(void **state) {
  (void)state;
  file pem = fixture("rsa-root.pem");
  hubtls_roots *mine = NULL, *azure = NULL, *both = NULL, *vouching = NULL, *believed = NULL;
  OK(hubtls_roots_from_pem(pem.data, pem.len, &mine, &error));
  OK(hubtls_roots_azure(&azure, &error));
  OK(hubtls_roots_with_added(azure, mine, &both, &error));
  assert_int_equal(hubtls_roots_count(both), 3);
  OK(hubtls_roots_believed_about(both, "Hub1.azure-devices.net.", &believed, &error));
  assert_int_equal(hubtls_roots_count(believed), 2);
  hubtls_roots_free(believed);
  OK(hubtls_roots_believed_about(both, "localhost", &believed, &error));
  assert_int_equal(hubtls_roots_count(believed), 3);
  hubtls_roots_free(believed);
  OK(hubtls_roots_vouching_for_azure(both, true, &vouching, &error));
  OK(hubtls_roots_believed_about(vouching, "hub1.azure-devices.net", &believed, &error));
  assert_int_equal(hubtls_roots_count(believed), 3);
  hubtls_roots_free(believed);
  believed = NULL;
  FAILS(INVALID_ARGUMENT, "roots is NULL", hubtls_roots_with_added(NULL, mine, &believed, &error));
  FAILS(INVALID_ARGUMENT, "added is NULL", hubtls_roots_with_added(mine, NULL, &believed, &error));
  FAILS(INVALID_ARGUMENT, "NULL", hubtls_roots_vouching_for_azure(NULL, true, &believed, &error));
  FAILS(INVALID_ARGUMENT, "name is NULL", hubtls_roots_believed_about(mine, NULL, &believed, &error));
  assert_null(believed);
  hubtls_roots_free(vouching);
  hubtls_roots_free(both);
  hubtls_roots_free(azure);
  hubtls_roots_free(mine);
}

static void readiness_is_told(void **state) {
  (void)state;
  hubtls_roots *roots = NULL;
  OK(hubtls_roots_azure(&roots, &error));
  hubtls_readiness readiness = HUBTLS_READINESS_INIT;
  OK(hubtls_roots_readiness(roots, YEAR_2026, 365, &readiness, &error));
  assert_true(readiness.ready);
  assert_int_equal(readiness.independent, 2);
  OK(hubtls_roots_readiness(roots, 2147169600 - 86400, 10, &readiness, &error));
  assert_false(readiness.ready);
  assert_int_equal(readiness.expiring, 1);
  OK(hubtls_roots_readiness(roots, UINT64_MAX, UINT32_MAX, &readiness, &error));
  assert_int_equal(readiness.expired, 2);
  readiness.size = 1;
  FAILS(INVALID_ARGUMENT, "size", hubtls_roots_readiness(roots, 0, 0, &readiness, &error));
  FAILS(INVALID_ARGUMENT, "readiness is NULL", hubtls_roots_readiness(roots, 0, 0, NULL, &error));
  FAILS(INVALID_ARGUMENT, "roots is NULL", hubtls_roots_readiness(NULL, 0, 0, &readiness, &error));
  hubtls_roots_free(roots);
}

static void questions_about_null_have_harmless_answers(void **state) {
  (void)state;
  assert_int_equal(hubtls_roots_count(NULL), 0);
  assert_null(hubtls_roots_pem(NULL));
  assert_null(hubtls_roots_subject_at(NULL, 0));
  assert_null(hubtls_roots_fingerprint_at(NULL, 0));
  assert_int_equal(hubtls_roots_not_after_at(NULL, 0), 0);
  hubtls_roots_free(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(shipped_roots_are_described),
      cmocka_unit_test(private_roots_are_read),
      cmocka_unit_test(private_roots_vouch_for_azure_only_if_told_to),
      cmocka_unit_test(readiness_is_told),
      cmocka_unit_test(questions_about_null_have_harmless_answers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
