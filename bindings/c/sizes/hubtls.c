// The smallest useful TLS client on hubtls: what its static library adds to a program.
#include <hubtls.h>

int main(int count, char **arguments) {
  hubtls_identity *identity = NULL;
  hubtls_roots *roots = NULL;
  hubtls_config *config = NULL;
  hubtls_stream *stream = NULL;
  hubtls_config_builder *builder = hubtls_config_builder_new();
  uint8_t data[4];
  if (count < 3 || hubtls_roots_from_pem_file(arguments[1], &roots, NULL) || hubtls_identity_from_pem_files(arguments[2], arguments[2], NULL, &identity, NULL) ||
      hubtls_config_builder_set_roots(builder, roots, NULL) || hubtls_config_builder_set_identity(builder, identity, NULL) ||
      hubtls_config_builder_build(builder, &config, NULL)) {
    return 2;
  }
  return hubtls_stream_new(config, "hub.example", 0, NULL, &stream, NULL) || hubtls_stream_write_all(stream, (const uint8_t *)"ping", 4, NULL) ||
         hubtls_stream_read_exact(stream, data, 4, NULL);
}
