// The options for azure-iot-sdk-c, taken as its tlsio_openssl.c takes them.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <unistd.h>

#include "file.h"
#include "hubtls_azure_iot_c.h"
#include "server.h"

static const void *value_of(const hubtls_azure_iot_c_option *options, size_t count, const char *name) {
  for (size_t i = 0; i < count; i++) {
    if (strcmp(options[i].name, name) == 0) {
      return options[i].value;
    }
  }
  return NULL;
}

// How many certificates of the text the context trusts now.
static size_t trust(SSL_CTX *ctx, const char *pem) {
  size_t count = 0;
  BIO *bio = BIO_new_mem_buf(pem, -1);
  X509 *certificate;
  while ((certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
    assert_int_equal(X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), certificate), 1);
    X509_free(certificate);
    count++;
  }
  ERR_clear_error();
  BIO_free(bio);
  return count;
}

static void identify(SSL_CTX *ctx, const char *chain, const char *key) {
  BIO *bio = BIO_new_mem_buf(chain, -1);
  X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
  assert_int_equal(SSL_CTX_use_certificate(ctx, certificate), 1);
  X509_free(certificate);
  while ((certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
    assert_int_equal(SSL_CTX_add_extra_chain_cert(ctx, certificate), 1);
  }
  ERR_clear_error();
  BIO_free(bio);
  bio = BIO_new_mem_buf(key, -1);
  EVP_PKEY *private_key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
  assert_int_equal(SSL_CTX_use_PrivateKey(ctx, private_key), 1);
  EVP_PKEY_free(private_key);
  BIO_free(bio);
}

static void options_make_a_client_of_the_hub(void **state) {
  (void)state;
  server peer;
  server_start(&peer, "OpenSSL with TLS 1.2 accepts a client certificate with a key p256");
  file pem = file_read(peer.directory, "roots.pem"), chain = file_read(peer.directory, "identity.chain"), key = file_read(peer.directory, "identity.key");
  hubtls_policy *policy = NULL;
  hubtls_roots *roots = NULL;
  hubtls_azure_iot_c_option options[HUBTLS_AZURE_IOT_C_OPTIONS];
  assert_int_equal(hubtls_policy_named("iothub", &policy, NULL), HUBTLS_OK);
  assert_int_equal(hubtls_roots_from_pem(pem.data, pem.len, &roots, NULL), HUBTLS_OK);
  size_t count = hubtls_azure_iot_c_options(policy, roots, (const char *)chain.data, (const char *)key.data, options);
  assert_int_equal(count, 4);

  SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
  assert_int_equal(trust(ctx, value_of(options, count, "TrustedCerts")), hubtls_roots_count(roots));
  assert_int_equal(SSL_CTX_set_cipher_list(ctx, value_of(options, count, "CipherSuite")), 1);
  identify(ctx, value_of(options, count, "x509certificate"), value_of(options, count, "x509privatekey"));

  // Of TLS 1.2 it offers what the policy offers, in that order.
  size_t suites = 0, at = 0;
  const uint16_t *suite = hubtls_policy_suites(policy, &suites);
  STACK_OF(SSL_CIPHER) *ciphers = SSL_CTX_get_ciphers(ctx);
  for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); i++) {
    uint16_t offered = SSL_CIPHER_get_protocol_id(sk_SSL_CIPHER_value(ciphers, i));
    if (offered >> 8 == 0x13) continue;
    while (at < suites && suite[at] >> 8 == 0x13) at++;
    assert_true(at < suites);
    assert_int_equal(offered, suite[at++]);
  }
  assert_int_equal(at, suites);

  SSL *ssl = SSL_new(ctx);
  int socket = server_dial(&peer);
  char answer[CONVERSATION_BYTES];
  SSL_set_fd(ssl, socket);
  SSL_set_tlsext_host_name(ssl, "localhost");
  SSL_set1_host(ssl, "localhost");
  assert_int_equal(SSL_connect(ssl), 1);
  assert_int_equal(SSL_write(ssl, peer.send, (int)peer.send_len), peer.send_len);
  assert_int_equal(SSL_read(ssl, answer, (int)peer.receive_len), peer.receive_len);
  assert_memory_equal(answer, peer.receive, peer.receive_len);
  SSL_free(ssl);
  SSL_CTX_free(ctx);
  close(socket);
  hubtls_roots_free(roots);
  hubtls_policy_free(policy);
  file_free(&pem);
  file_free(&chain);
  file_free(&key);
  server_stop(&peer);
}

static void device_with_a_symmetric_key_has_no_certificate(void **state) {
  (void)state;
  hubtls_policy *policy = NULL;
  hubtls_roots *roots = NULL;
  hubtls_azure_iot_c_option options[HUBTLS_AZURE_IOT_C_OPTIONS];
  assert_int_equal(hubtls_policy_named("iothub-ecc", &policy, NULL), HUBTLS_OK);
  assert_int_equal(hubtls_roots_of_policy(policy, &roots, NULL), HUBTLS_OK);
  size_t count = hubtls_azure_iot_c_options(policy, roots, NULL, NULL, options);
  assert_int_equal(count, 2);
  assert_string_equal(value_of(options, count, "TrustedCerts"), hubtls_roots_pem(roots));
  assert_string_equal(value_of(options, count, "CipherSuite"), hubtls_policy_openssl_cipher_list(policy));
  assert_int_equal(hubtls_azure_iot_c_options(NULL, roots, NULL, NULL, options), 0);
  assert_int_equal(hubtls_azure_iot_c_options(policy, NULL, NULL, NULL, options), 0);
  assert_int_equal(hubtls_azure_iot_c_options(policy, roots, NULL, NULL, NULL), 0);
  hubtls_roots_free(roots);
  hubtls_policy_free(policy);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(options_make_a_client_of_the_hub),
      cmocka_unit_test(device_with_a_symmetric_key_has_no_certificate),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
