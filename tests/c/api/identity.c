// The client's certificate and key, in every form.

#include "support.h"

// From PEM in memory.
static hubtls_status from_pem(const char *chain_file, const char *key_file, const char *passphrase, hubtls_identity **identity, hubtls_error *error) {
  file chain = fixture(chain_file), key = fixture(key_file);
  return hubtls_identity_from_pem(chain.data, chain.len, key.data, key.len, passphrase, identity, error);
}

static void identities_are_read_from_pem(void **state) {
  (void)state;
  static const struct {
    const char *chain, *key, *algorithm;
  } forms[] = {{"p256.chain", "p256.key", "P-256"},          {"p256.chain", "p256.sec1", "P-256"},        {"p384.chain", "p384.key", "P-384"},
               {"ed25519.chain", "ed25519.key", "Ed25519"},  {"rsa2048.chain", "rsa2048.key", "RSA-2048"}, {"rsa2048.chain", "rsa2048.pkcs1", "RSA-2048"},
               {"rsa4096.chain", "rsa4096.key", "RSA-4096"}, {"deep.chain", "deep.key", "P-256"}};
  for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
    hubtls_identity *identity = NULL;
    OK(from_pem(forms[i].chain, forms[i].key, NULL, &identity, &error));
    assert_string_equal(hubtls_identity_key_algorithm(identity), forms[i].algorithm);
    assert_true(strncmp(hubtls_identity_subject(identity), "device-", 7) == 0);
    assert_true(hubtls_identity_not_after(identity) > 1767225600);
    hubtls_identity_free(identity);
  }
}

static void identity_is_read_from_files(void **state) {
  (void)state;
  hubtls_identity *identity = NULL;
  OK(hubtls_identity_from_pem_files(FIXTURES "/p256.chain", FIXTURES "/p256.encrypted", PASSPHRASE, &identity, &error));
  assert_string_equal(hubtls_identity_subject(identity), "device-p256");
  hubtls_identity_free(identity);
  identity = NULL;
  FAILS(INVALID_ARGUMENT, "cannot be read", hubtls_identity_from_pem_files(FIXTURES "/none", FIXTURES "/p256.key", NULL, &identity, &error));
  FAILS(INVALID_ARGUMENT, "cannot be read", hubtls_identity_from_pem_files(FIXTURES "/p256.chain", FIXTURES, NULL, &identity, &error));
  FAILS(INVALID_ARGUMENT, "key_path is NULL", hubtls_identity_from_pem_files(FIXTURES "/p256.chain", NULL, NULL, &identity, &error));
  FAILS(INVALID_ARGUMENT, "chain_path is NULL", hubtls_identity_from_pem_files(NULL, FIXTURES "/p256.key", NULL, &identity, &error));
  assert_null(identity);
}

static void identity_is_read_from_der(void **state) {
  (void)state;
  file certificate = fixture("p256.crt.der"), key = fixture("p256.key.der"), encrypted = fixture("p256.encrypted.der");
  const hubtls_bytes chain[] = {{certificate.data, certificate.len}}, null[] = {{NULL, 5}};
  hubtls_identity *identity = NULL;
  OK(hubtls_identity_from_der(chain, 1, key.data, key.len, NULL, &identity, &error));
  hubtls_identity_free(identity);
  OK(hubtls_identity_from_der(chain, 1, encrypted.data, encrypted.len, PASSPHRASE, &identity, &error));
  hubtls_identity_free(identity);
  identity = NULL;
  FAILS(PASSPHRASE_REQUIRED, "passphrase", hubtls_identity_from_der(chain, 1, encrypted.data, encrypted.len, NULL, &identity, &error));
  FAILS(EMPTY_CHAIN, "certificate", hubtls_identity_from_der(NULL, 0, key.data, key.len, NULL, &identity, &error));
  FAILS(INVALID_KEY, "read", hubtls_identity_from_der(chain, 1, certificate.data, 20, NULL, &identity, &error));
  FAILS(INVALID_ARGUMENT, "chain is NULL", hubtls_identity_from_der(null, 1, key.data, key.len, NULL, &identity, &error));
  FAILS(INVALID_ARGUMENT, "chain is NULL", hubtls_identity_from_der(NULL, 1, key.data, key.len, NULL, &identity, &error));
  assert_null(identity);
}

static void identity_is_read_from_pkcs12(void **state) {
  (void)state;
  file p12 = fixture("p256.p12");
  hubtls_identity *identity = NULL;
  OK(hubtls_identity_from_pkcs12(p12.data, p12.len, PASSPHRASE, &identity, &error));
  assert_string_equal(hubtls_identity_subject(identity), "device-p256");
  hubtls_identity_free(identity);
  identity = NULL;
  FAILS(PASSPHRASE_REQUIRED, "passphrase", hubtls_identity_from_pkcs12(p12.data, p12.len, NULL, &identity, &error));
  FAILS(WRONG_PASSPHRASE, "passphrase", hubtls_identity_from_pkcs12(p12.data, p12.len, "wrong", &identity, &error));
  FAILS(INVALID_PKCS12, "PKCS#12", hubtls_identity_from_pkcs12(p12.data, p12.len / 2, PASSPHRASE, &identity, &error));
  FAILS(INVALID_ARGUMENT, "file is NULL", hubtls_identity_from_pkcs12(NULL, 9, PASSPHRASE, &identity, &error));
  FAILS(INVALID_ARGUMENT, "identity is NULL", hubtls_identity_from_pkcs12(p12.data, p12.len, PASSPHRASE, NULL, &error));
  assert_null(identity);
}

static void each_fault_of_an_identity_has_its_code(void **state) {
  (void)state;
  hubtls_identity *identity = NULL;
  OK(from_pem("p256.chain", "p256.encrypted", PASSPHRASE, &identity, &error));
  hubtls_identity_free(identity);
  identity = NULL;
  FAILS(PASSPHRASE_REQUIRED, "passphrase", from_pem("p256.chain", "p256.encrypted", NULL, &identity, &error));
  FAILS(WRONG_PASSPHRASE, "passphrase", from_pem("p256.chain", "p256.encrypted", "wrong", &identity, &error));
  FAILS(KEY_MISMATCH, "key", from_pem("p256.chain", "p384.key", NULL, &identity, &error));
  FAILS(UNSUPPORTED_KEY_TYPE, "P-521", from_pem("p521.chain", "p521.key", NULL, &identity, &error));
  FAILS(EMPTY_CHAIN, "certificate", from_pem("p256.key", "p256.key", NULL, &identity, &error));
  FAILS(INVALID_KEY, "key", from_pem("p256.chain", "p256.chain", NULL, &identity, &error));
  FAILS(INVALID_ARGUMENT, "UTF-8", from_pem("p256.chain", "p256.key", "\xFF", &identity, &error));
  FAILS(INVALID_ARGUMENT, "identity is NULL", from_pem("p256.chain", "p256.key", NULL, NULL, &error));
  FAILS(INVALID_ARGUMENT, "chain is NULL", hubtls_identity_from_pem(NULL, 1, NULL, 0, NULL, &identity, &error));
  file deep = fixture("deep.issuers"), leaf = fixture("p256.crt"), key = fixture("p256.key");
  uint8_t chain[16384];
  memcpy(chain, leaf.data, leaf.len);
  memcpy(chain + leaf.len, deep.data, deep.len);
  FAILS(CHAIN_OUT_OF_ORDER, "issuer", hubtls_identity_from_pem(chain, leaf.len + deep.len, key.data, key.len, NULL, &identity, &error));
  memset(chain + 40, '!', 8);
  FAILS(INVALID_CERTIFICATE, "certificate", hubtls_identity_from_pem(chain, leaf.len, key.data, key.len, NULL, &identity, &error));
  assert_null(identity);
}

static void questions_about_null_have_harmless_answers(void **state) {
  (void)state;
  assert_null(hubtls_identity_subject(NULL));
  assert_null(hubtls_identity_key_algorithm(NULL));
  assert_int_equal(hubtls_identity_not_after(NULL), 0);
  hubtls_identity_free(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(identities_are_read_from_pem),     cmocka_unit_test(identity_is_read_from_files),
      cmocka_unit_test(identity_is_read_from_der),        cmocka_unit_test(identity_is_read_from_pkcs12),
      cmocka_unit_test(each_fault_of_an_identity_has_its_code), cmocka_unit_test(questions_about_null_have_harmless_answers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
