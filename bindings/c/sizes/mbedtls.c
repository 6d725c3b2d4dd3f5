// The smallest useful TLS client on mbedTLS: what its static libraries add to a program.
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/ssl.h>

int main(int count, char **arguments) {
  mbedtls_ssl_context ssl;
  mbedtls_ssl_config config;
  mbedtls_x509_crt roots, chain;
  mbedtls_pk_context key;
  mbedtls_entropy_context entropy;
  mbedtls_ctr_drbg_context random;
  mbedtls_net_context socket = {.fd = 0};
  mbedtls_ssl_init(&ssl);
  mbedtls_ssl_config_init(&config);
  mbedtls_x509_crt_init(&roots);
  mbedtls_x509_crt_init(&chain);
  mbedtls_pk_init(&key);
  mbedtls_entropy_init(&entropy);
  mbedtls_ctr_drbg_init(&random);
  if (count < 3 || mbedtls_ctr_drbg_seed(&random, mbedtls_entropy_func, &entropy, NULL, 0) != 0 || mbedtls_x509_crt_parse_file(&roots, arguments[1]) != 0 ||
      mbedtls_x509_crt_parse_file(&chain, arguments[2]) != 0 || mbedtls_pk_parse_keyfile(&key, arguments[2], NULL) != 0 ||
      mbedtls_ssl_config_defaults(&config, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT) != 0) {
    return 2;
  }
  mbedtls_ssl_conf_ca_chain(&config, &roots, NULL);
  mbedtls_ssl_conf_own_cert(&config, &chain, &key);
  mbedtls_ssl_conf_rng(&config, mbedtls_ctr_drbg_random, &random);
  unsigned char data[4];
  if (mbedtls_ssl_setup(&ssl, &config) != 0 || mbedtls_ssl_set_hostname(&ssl, "hub.example") != 0) {
    return 2;
  }
  mbedtls_ssl_set_bio(&ssl, &socket, mbedtls_net_send, mbedtls_net_recv, NULL);
  return mbedtls_ssl_handshake(&ssl) != 0 || mbedtls_ssl_write(&ssl, data, 4) != 4 || mbedtls_ssl_read(&ssl, data, 4) != 4;
}
