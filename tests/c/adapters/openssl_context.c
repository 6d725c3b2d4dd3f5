// A context of OpenSSL that an application had set up otherwise before the policy was applied to it, or uses otherwise afterwards.

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <unistd.h>

#include "file.h"
#include "hubtls_openssl.h"
#include "server.h"

#define ROW "OpenSSL with TLS 1.2 agrees to ECDHE-ECDSA-AES128-GCM-SHA256"

static hubtls_roots *roots_of(const server *peer, const char *name) {
  hubtls_roots *roots = NULL;
  file pem = file_read(peer->directory, name);
  assert_int_equal(hubtls_roots_from_pem(pem.data, pem.len, &roots, NULL), HUBTLS_OK);
  file_free(&pem);
  return roots;
}

static int accept_all(X509_STORE_CTX *context, void *argument) {
  (void)argument;
  X509_STORE_CTX_set_error(context, X509_V_OK);
  return 1;
}

// Connects by a context that was configured with roots that the server's chain does not end in.
static void assert_refused(SSL_CTX *ctx, const server *peer) {
  hubtls_error error = HUBTLS_ERROR_INIT;
  hubtls_roots *unrelated = roots_of(peer, "unrelated.pem");
  hubtls_native_options options = HUBTLS_NATIVE_OPTIONS_INIT;
  options.host = "localhost";
  options.roots = unrelated;
  assert_int_equal(hubtls_openssl_configure(ctx, &options, &error), HUBTLS_OK);
  SSL *ssl = SSL_new(ctx);
  assert_int_equal(hubtls_openssl_prepare(ssl, &options, &error), HUBTLS_OK);
  int socket = server_dial(peer);
  SSL_set_fd(ssl, socket);
  int ret = SSL_connect(ssl);
  assert_int_not_equal(ret, 1);
  assert_int_equal(hubtls_openssl_error(ssl, ret, &error), HUBTLS_ERROR_UNKNOWN_ROOT);
  SSL_free(ssl);
  close(socket);
  hubtls_roots_free(unrelated);
}

static void other_store_for_verification_is_dropped(void **state) {
  (void)state;
  server peer;
  server_start(&peer, ROW);
  SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
  X509_STORE *store = X509_STORE_new();
  char path[1100];
  snprintf(path, sizeof path, "%s/roots.pem", peer.directory);
  assert_int_equal(X509_STORE_load_locations(store, path, NULL), 1);
  SSL_CTX_set0_verify_cert_store(ctx, store);
  assert_refused(ctx, &peer);
  SSL_CTX_free(ctx);
  server_stop(&peer);
}

static void other_verification_is_dropped(void **state) {
  (void)state;
  server peer;
  server_start(&peer, ROW);
  SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_cert_verify_callback(ctx, accept_all, NULL);
  assert_refused(ctx, &peer);
  SSL_CTX_free(ctx);
  server_stop(&peer);
}

static void context_is_for_one_host(void **state) {
  (void)state;
  static const char *const hosts[][2] = {{"gateway.local", "hub1.azure-devices.net"}, {"10.0.0.1", "10.0.0.2"}, {"::1", "gateway.local"}, {"gateway.local", "::1"}};
  server peer;
  server_start(&peer, ROW);
  hubtls_roots *given = roots_of(&peer, "roots.pem"), *roots = NULL;
  assert_int_equal(hubtls_roots_vouching_for_azure(given, true, &roots, NULL), HUBTLS_OK);
  for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
    hubtls_error error = HUBTLS_ERROR_INIT;
    hubtls_native_options options = HUBTLS_NATIVE_OPTIONS_INIT;
    options.roots = roots;
    options.host = hosts[i][0];
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    assert_int_equal(hubtls_openssl_configure(ctx, &options, &error), HUBTLS_OK);
    SSL *ssl = SSL_new(ctx);
    assert_int_equal(hubtls_openssl_prepare(ssl, &options, &error), HUBTLS_OK);
    options.host = hosts[i][1];
    assert_int_equal(hubtls_openssl_prepare(ssl, &options, &error), HUBTLS_ERROR_INVALID_ARGUMENT);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
  }
  hubtls_roots_free(roots);
  hubtls_roots_free(given);
  server_stop(&peer);
}

// A clean end is no failure, and a device must not take it for one.
static void orderly_end_is_no_error(void **state) {
  (void)state;
  server peer;
  server_start_echo(&peer);
  hubtls_error error = HUBTLS_ERROR_INIT;
  hubtls_roots *roots = roots_of(&peer, "roots.pem");
  hubtls_native_options options = HUBTLS_NATIVE_OPTIONS_INIT;
  options.host = "localhost";
  options.roots = roots;
  SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
  assert_int_equal(hubtls_openssl_configure(ctx, &options, &error), HUBTLS_OK);
  SSL *ssl = SSL_new(ctx);
  assert_int_equal(hubtls_openssl_prepare(ssl, &options, &error), HUBTLS_OK);
  int socket = server_dial(&peer);
  SSL_set_fd(ssl, socket);
  assert_int_equal(SSL_connect(ssl), 1);
  assert_int_equal(hubtls_openssl_check(ssl, &options, &error), HUBTLS_OK);
  // The server answers close_notify with its own.
  SSL_shutdown(ssl);
  char byte;
  int ret = SSL_read(ssl, &byte, 1);
  assert_int_equal(ret, 0);
  assert_int_equal(hubtls_openssl_error(ssl, ret, &error), HUBTLS_OK);
  SSL_free(ssl);
  SSL_CTX_free(ctx);
  close(socket);
  hubtls_roots_free(roots);
  server_stop(&peer);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(other_store_for_verification_is_dropped),
      cmocka_unit_test(other_verification_is_dropped),
      cmocka_unit_test(context_is_for_one_host),
      cmocka_unit_test(orderly_end_is_no_error),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
