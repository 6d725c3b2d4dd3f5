#include <string.h>
#include <unistd.h>

#include "scenario.h"

#define PATIENCE_MS 30000

static hubtls_status exchange(hubtls_stream *stream, const server *server, hubtls_error *error) {
  uint8_t answer[CONVERSATION_BYTES];
  hubtls_status status = hubtls_stream_write_all(stream, server->send, server->send_len, error);
  if (status == HUBTLS_OK) {
    status = hubtls_stream_read_exact(stream, answer, server->receive_len, error);
  }
  if (status == HUBTLS_OK && memcmp(answer, server->receive, server->receive_len) != 0) {
    status = hubtls_error_fill(error, HUBTLS_ERROR_INTERNAL, "the server gave another answer", NULL);
  }
  return status != HUBTLS_OK ? status : hubtls_stream_finish(stream, error);
}

hubtls_status converse(const cJSON *client, const hubtls_config *config, const server *server, hubtls_negotiated **negotiated,
                       hubtls_error *error) {
  const cJSON *name = cJSON_GetObjectItem(client, "server_name");
  const cJSON *limit = cJSON_GetObjectItem(client, "handshake_timeout_ms");
  hubtls_stream_options options = HUBTLS_STREAM_OPTIONS_INIT;
  options.handshake_timeout_ms = limit == NULL ? PATIENCE_MS : (uint32_t)limit->valueint;
  options.read_timeout_ms = options.write_timeout_ms = PATIENCE_MS;
  hubtls_stream *stream;
  int socket = server_dial(server);
  hubtls_status status =
      hubtls_stream_new(config, name == NULL ? "localhost" : name->valuestring, socket, &options, &stream, error);
  close(socket);
  if (status != HUBTLS_OK) {
    return status;
  }
  status = exchange(stream, server, error);
  if (status == HUBTLS_OK) {
    *negotiated = hubtls_stream_negotiated(stream);
  }
  hubtls_stream_free(stream);
  return status;
}
