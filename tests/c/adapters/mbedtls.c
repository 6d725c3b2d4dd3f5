#include "hubtls_mbedtls.h"

#include <errno.h>
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <sys/socket.h>
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
#include <psa/crypto.h>
#endif

#include "stack.h"

#if MBEDTLS_VERSION_NUMBER >= 0x03000000
const stack stack_under_test = {"mbedTLS 3", true, false, false, false, 512, false, true};
#else
const stack stack_under_test = {"mbedTLS 2.28", false, false, false, false, 4096, false, false};
#endif

static int send_some(void *context, const unsigned char *data, size_t len) {
  ssize_t count = send(*(int *)context, data, len, MSG_NOSIGNAL);
  return count < 0 ? MBEDTLS_ERR_SSL_INTERNAL_ERROR : (int)count;
}

static int receive_some(void *context, unsigned char *data, size_t len) {
  ssize_t count = recv(*(int *)context, data, len, 0);
  if (count < 0) {
    return errno == EAGAIN ? MBEDTLS_ERR_SSL_TIMEOUT : MBEDTLS_ERR_SSL_CONN_EOF;
  }
  return (int)count;
}

static hubtls_status talk(hubtls_mbedtls *tls, mbedtls_ssl_context *ssl, const uint8_t *send, size_t send_len, uint8_t *receive,
                          size_t receive_len, hubtls_error *error) {
  int ret = mbedtls_ssl_write(ssl, send, send_len);
  if (ret < 0) {
    return hubtls_mbedtls_error(tls, ssl, ret, error);
  }
  for (size_t got = 0; got < receive_len; got += (size_t)ret) {
    do {
      ret = mbedtls_ssl_read(ssl, receive + got, receive_len - got);
#ifdef MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET
    } while (ret == MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET);
#else
    } while (false);
#endif
    if (ret <= 0) {
      return hubtls_mbedtls_error(tls, ssl, ret == 0 ? MBEDTLS_ERR_SSL_CONN_EOF : ret, error);
    }
  }
  mbedtls_ssl_close_notify(ssl);
  return HUBTLS_OK;
}

hubtls_status stack_converse(int socket, const hubtls_native_options *options, const uint8_t *send, size_t send_len, uint8_t *receive,
                             size_t receive_len, hubtls_error *error) {
  hubtls_mbedtls tls;
  mbedtls_ssl_config config;
  mbedtls_ssl_context ssl;
  mbedtls_entropy_context entropy;
  mbedtls_ctr_drbg_context drbg;
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
  psa_crypto_init();
#endif
  hubtls_mbedtls_init(&tls);
  mbedtls_ssl_config_init(&config);
  mbedtls_ssl_init(&ssl);
  mbedtls_entropy_init(&entropy);
  mbedtls_ctr_drbg_init(&drbg);
  mbedtls_ctr_drbg_seed(&drbg, mbedtls_entropy_func, &entropy, NULL, 0);
  hubtls_status status = hubtls_mbedtls_configure(&tls, &config, options, mbedtls_ctr_drbg_random, &drbg, error);
  if (status == HUBTLS_OK && mbedtls_ssl_setup(&ssl, &config) != 0) {
    status = HUBTLS_ERROR_INTERNAL;
  }
  if (status == HUBTLS_OK) {
    status = hubtls_mbedtls_prepare(&tls, &ssl, error);
  }
  if (status == HUBTLS_OK) {
    mbedtls_ssl_set_bio(&ssl, &socket, send_some, receive_some, NULL);
    int ret = mbedtls_ssl_handshake(&ssl);
    status = ret == 0 ? hubtls_mbedtls_check(&tls, &ssl, error) : hubtls_mbedtls_error(&tls, &ssl, ret, error);
  }
  if (status == HUBTLS_OK && send_len > 0) {
    status = talk(&tls, &ssl, send, send_len, receive, receive_len, error);
  }
  mbedtls_ssl_free(&ssl);
  mbedtls_ssl_config_free(&config);
  hubtls_mbedtls_free(&tls);
  mbedtls_ctr_drbg_free(&drbg);
  mbedtls_entropy_free(&entropy);
  return status;
}
