// The smallest useful TLS client on OpenSSL: what its static libraries add to a program.
#include <openssl/ssl.h>

int main(int count, char **arguments) {
  SSL_CTX *context = SSL_CTX_new(TLS_client_method());
  if (count < 3 || SSL_CTX_load_verify_locations(context, arguments[1], NULL) != 1 || SSL_CTX_use_certificate_chain_file(context, arguments[2]) != 1 ||
      SSL_CTX_use_PrivateKey_file(context, arguments[2], SSL_FILETYPE_PEM) != 1) {
    return 2;
  }
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
  SSL *ssl = SSL_new(context);
  char data[4];
  SSL_set_fd(ssl, 0);
  SSL_set1_host(ssl, "hub.example");
  return SSL_connect(ssl) != 1 || SSL_write(ssl, "ping", 4) != 4 || SSL_read(ssl, data, 4) != 4;
}
