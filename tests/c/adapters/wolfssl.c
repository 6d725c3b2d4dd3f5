#include "hubtls_wolfssl.h"
#include "stack.h"

const stack stack_under_test = {"wolfSSL", true, false, true, true, 512, false, false};

static hubtls_status talk(WOLFSSL *ssl, const uint8_t *send, size_t send_len, uint8_t *receive, size_t receive_len, hubtls_error *error) {
  int ret = wolfSSL_write(ssl, send, (int)send_len);
  if (ret <= 0) {
    return hubtls_wolfssl_error(ssl, ret, error);
  }
  for (size_t got = 0; got < receive_len; got += (size_t)ret) {
    ret = wolfSSL_read(ssl, receive + got, (int)(receive_len - got));
    if (ret <= 0) {
      return hubtls_wolfssl_error(ssl, ret, error);
    }
  }
  wolfSSL_shutdown(ssl);
  return HUBTLS_OK;
}

hubtls_status stack_converse(int socket, const hubtls_native_options *options, const uint8_t *send, size_t send_len, uint8_t *receive,
                             size_t receive_len, hubtls_error *error) {
  wolfSSL_Init();
  WOLFSSL_CTX *ctx = wolfSSL_CTX_new(wolfSSLv23_client_method());
  WOLFSSL *ssl = NULL;
  hubtls_status status = hubtls_wolfssl_configure(ctx, options, error);
  if (status == HUBTLS_OK) {
    ssl = wolfSSL_new(ctx);
    status = hubtls_wolfssl_prepare(ssl, options, error);
  }
  if (status == HUBTLS_OK) {
    wolfSSL_set_fd(ssl, socket);
    int ret = wolfSSL_connect(ssl);
    status = ret == WOLFSSL_SUCCESS ? HUBTLS_OK : hubtls_wolfssl_error(ssl, ret, error);
  }
  if (status == HUBTLS_OK && send_len > 0) {
    status = talk(ssl, send, send_len, receive, receive_len, error);
  }
  wolfSSL_free(ssl);
  wolfSSL_CTX_free(ctx);
  wolfSSL_Cleanup();
  return status;
}
