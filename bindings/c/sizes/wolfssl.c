// The smallest useful TLS client on wolfSSL: what its static library adds to a program.
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>

int main(int count, char **arguments) {
  wolfSSL_Init();
  WOLFSSL_CTX *context = wolfSSL_CTX_new(wolfSSLv23_client_method());
  if (count < 3 || wolfSSL_CTX_load_verify_locations(context, arguments[1], NULL) != WOLFSSL_SUCCESS ||
      wolfSSL_CTX_use_certificate_chain_file(context, arguments[2]) != WOLFSSL_SUCCESS ||
      wolfSSL_CTX_use_PrivateKey_file(context, arguments[2], WOLFSSL_FILETYPE_PEM) != WOLFSSL_SUCCESS) {
    return 2;
  }
  WOLFSSL *ssl = wolfSSL_new(context);
  char data[4];
  wolfSSL_set_fd(ssl, 0);
  wolfSSL_check_domain_name(ssl, "hub.example");
  return wolfSSL_connect(ssl) != WOLFSSL_SUCCESS || wolfSSL_write(ssl, "ping", 4) != 4 || wolfSSL_read(ssl, data, 4) != 4;
}
