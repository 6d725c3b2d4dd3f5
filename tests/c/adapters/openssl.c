#include "hubtls_openssl.h"
#include "stack.h"

const stack stack_under_test = {"OpenSSL", true, true, false, true, 512, true, false};

static hubtls_status talk(SSL *ssl, const uint8_t *send, size_t send_len, uint8_t *receive, size_t receive_len, hubtls_error *error) {
  int ret = SSL_write(ssl, send, (int)send_len);
  if (ret <= 0) {
    return hubtls_openssl_error(ssl, ret, error);
  }
  for (size_t got = 0; got < receive_len; got += (size_t)ret) {
    ret = SSL_read(ssl, receive + got, (int)(receive_len - got));
    if (ret <= 0) {
      return hubtls_openssl_error(ssl, ret, error);
    }
  }
  SSL_shutdown(ssl);
  return HUBTLS_OK;
}

hubtls_status stack_converse(int socket, const hubtls_native_options *options, const uint8_t *send, size_t send_len, uint8_t *receive,
                             size_t receive_len, hubtls_error *error) {
  SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
  SSL *ssl = NULL;
  hubtls_status status = hubtls_openssl_configure(ctx, options, error);
  if (status == HUBTLS_OK) {
    ssl = SSL_new(ctx);
    status = hubtls_openssl_prepare(ssl, options, error);
  }
  if (status == HUBTLS_OK) {
    SSL_set_fd(ssl, socket);
    int ret = SSL_connect(ssl);
    status = ret == 1 ? hubtls_openssl_check(ssl, options, error) : hubtls_openssl_error(ssl, ret, error);
  }
  if (status == HUBTLS_OK && send_len > 0) {
    status = talk(ssl, send, send_len, receive, receive_len, error);
  }
  SSL_free(ssl);
  SSL_CTX_free(ctx);
  return status;
}
