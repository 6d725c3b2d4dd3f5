// The blocking stream.

#include "support.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define ECDSA_12 "OpenSSL with TLS 1.2 agrees to ECDHE-ECDSA-AES128-GCM-SHA256"

static hubtls_stream *stream_to(const server *peer, const hubtls_stream_options *options) {
  hubtls_config *config = config_for(peer);
  hubtls_stream *stream = NULL;
  OK(hubtls_stream_connect(config, "localhost", peer->port, options, &stream, &error));
  assert_non_null(stream);
  hubtls_config_free(config);
  return stream;
}

static void echo_is_read_in_every_way(void **state) {
  (void)state;
  server peer;
  server_start_echo(&peer);
  hubtls_stream *stream = stream_to(&peer, NULL);
  uint8_t data[8] = {0};
  size_t count = 0;
  OK(hubtls_stream_write(stream, (const uint8_t *)"hello", 5, &count, &error));
  assert_int_equal(count, 5);
  OK(hubtls_stream_read(stream, data, 1, &count, &error));
  assert_int_equal(count, 1);
  OK(hubtls_stream_read_exact(stream, data + 1, 4, &error));
  assert_memory_equal(data, "hello", 5);
  OK(hubtls_stream_write_all(stream, (const uint8_t *)"bye", 3, &error));
  OK(hubtls_stream_read(stream, NULL, 0, &count, &error));
  assert_int_equal(count, 0);
  OK(hubtls_stream_finish(stream, &error));
  OK(hubtls_stream_finish(stream, &error));
  FAILS(WRITE_AFTER_FINISH, "finish", hubtls_stream_write(stream, data, 1, &count, &error));
  FAILS(WRITE_AFTER_FINISH, "finish", hubtls_stream_write_all(stream, data, 1, &error));
  // What the peer still sends is read, and the end is an end as often as it is asked for.
  FAILS(TRUNCATED, "2 bytes too early", hubtls_stream_read_exact(stream, data, 5, &error));
  assert_memory_equal(data, "bye", 3);
  for (int i = 0; i < 2; i++) {
    count = 7;
    OK(hubtls_stream_read(stream, data, sizeof data, &count, &error));
    assert_int_equal(count, 0);
  }
  hubtls_stream_free(stream);
  server_stop(&peer);
}

static void large_write_is_taken_by_records(void **state) {
  (void)state;
  enum { LARGE = 100 * 1000 };
  server peer;
  server_start_echo(&peer);
  hubtls_stream *stream = stream_to(&peer, NULL);
  uint8_t *sent = malloc(LARGE), *received = malloc(LARGE);
  for (size_t i = 0; i < LARGE; i++) {
    sent[i] = (uint8_t)(i * 31 >> 3);
  }
  size_t count = 0;
  OK(hubtls_stream_write(stream, sent, LARGE, &count, &error));
  assert_true(count > 0 && count <= 16384);
  OK(hubtls_stream_write_all(stream, sent + count, LARGE - count, &error));
  OK(hubtls_stream_read_exact(stream, received, LARGE, &error));
  assert_memory_equal(sent, received, LARGE);
  free(sent);
  free(received);
  hubtls_stream_free(stream);
  server_stop(&peer);
}

static void handshake_is_measured_and_told(void **state) {
  (void)state;
  server peer;
  server_start(&peer, ECDSA_12);
  hubtls_stream *stream = stream_to(&peer, NULL);
  hubtls_negotiated *negotiated = hubtls_stream_negotiated(stream);
  hubtls_stream_free(stream);
  assert_int_equal(hubtls_negotiated_suite(negotiated), 0xC02B);
  assert_true(hubtls_negotiated_handshake_us(negotiated) > 0);
  hubtls_negotiated_free(negotiated);
  server_stop(&peer);
}

static void socket_of_the_caller_stays_the_callers(void **state) {
  (void)state;
  server peer;
  server_start_echo(&peer);
  hubtls_config *config = config_for(&peer);
  hubtls_stream *stream = NULL;
  int socket = server_dial(&peer);
  hubtls_stream_options options = HUBTLS_STREAM_OPTIONS_INIT;
  options.read_timeout_ms = options.write_timeout_ms = 10000;
  OK(hubtls_stream_new(config, "localhost", socket, &options, &stream, &error));
  int own = hubtls_stream_socket(stream);
  assert_true(own >= 0 && own != socket);
  uint8_t byte = '!';
  OK(hubtls_stream_write_all(stream, &byte, 1, &error));
  struct pollfd readable = {.fd = own, .events = POLLIN};
  assert_int_equal(poll(&readable, 1, 10000), 1);
  OK(hubtls_stream_read_exact(stream, &byte, 1, &error));
  hubtls_stream_free(stream);
  assert_int_equal(fcntl(own, F_GETFD), -1);
  assert_true(fcntl(socket, F_GETFD) >= 0);
  close(socket);
  hubtls_config_free(config);
  server_stop(&peer);
}

static void silent_peer_ends_at_the_time_limit(void **state) {
  (void)state;
  server peer;
  server_start(&peer, "A peer that stays silent runs into the handshake's time limit");
  hubtls_config *config = config_for(&peer);
  hubtls_stream *stream = NULL;
  hubtls_stream_options options = HUBTLS_STREAM_OPTIONS_INIT;
  options.handshake_timeout_ms = 100;
  FAILS(TIMEOUT, "time", hubtls_stream_connect(config, "localhost", peer.port, &options, &stream, &error));
  assert_null(stream);
  hubtls_config_free(config);
  server_stop(&peer);
}

static void reading_goes_on_after_its_time_limit(void **state) {
  (void)state;
  server peer;
  server_start_echo(&peer);
  hubtls_stream_options options = HUBTLS_STREAM_OPTIONS_INIT;
  options.read_timeout_ms = 50;
  hubtls_stream *stream = stream_to(&peer, &options);
  uint8_t byte = 0;
  size_t count = 7;
  FAILS(TIMEOUT, "time", hubtls_stream_read(stream, &byte, 1, &count, &error));
  assert_int_equal(count, 7);
  OK(hubtls_stream_set_read_timeout(stream, 20, &error));
  FAILS(TIMEOUT, "time", hubtls_stream_read_exact(stream, &byte, 1, &error));
  OK(hubtls_stream_set_read_timeout(stream, 0, &error));
  OK(hubtls_stream_write_all(stream, (const uint8_t *)"!", 1, &error));
  OK(hubtls_stream_read(stream, &byte, 1, &count, &error));
  assert_int_equal(byte, '!');
  hubtls_stream_free(stream);
  server_stop(&peer);
}

static void writing_to_a_peer_that_does_not_read_ends_at_its_time_limit(void **state) {
  (void)state;
  server peer;
  server_start_echo(&peer);
  hubtls_stream *stream = stream_to(&peer, NULL);
  OK(hubtls_stream_set_write_timeout(stream, 100, &error));
  static uint8_t piece[16384];
  hubtls_status status = HUBTLS_OK;
  size_t taken = 0, written = 0;
  // The server sends back until nobody takes it, and then reads no more.
  for (int i = 0; status == HUBTLS_OK && i < 10000; i++) {
    memset(piece, i % 251, sizeof piece);
    status = hubtls_stream_write(stream, piece, sizeof piece, &taken, NULL);
    written += status == HUBTLS_OK ? taken : 0;
  }
  assert_int_equal(status, HUBTLS_ERROR_TIMEOUT);
  // All that was taken arrives, once, the last of it when the stream is finished: that may wait in the stream.
  uint8_t *received = malloc(written);
  size_t early = written - 2 * sizeof piece;
  OK(hubtls_stream_read_exact(stream, received, early, &error));
  OK(hubtls_stream_set_write_timeout(stream, 0, &error));
  OK(hubtls_stream_finish(stream, &error));
  OK(hubtls_stream_read_exact(stream, received + early, written - early, &error));
  for (size_t i = 0; i < written; i++) {
    assert_int_equal(received[i], i / sizeof piece % 251);
  }
  free(received);
  hubtls_stream_free(stream);
  server_stop(&peer);
}

static void refusal_of_the_client_is_waited_for_on_request(void **state) {
  (void)state;
  server peer;
  server_start(&peer, "A client certificate demanded in TLS 1.3 and missing is told");
  hubtls_config *config = config_for(&peer);
  hubtls_stream *stream = NULL;
  hubtls_stream_options options = HUBTLS_STREAM_OPTIONS_INIT;
  uint8_t byte;
  size_t count;
  OK(hubtls_stream_connect(config, "localhost", peer.port, &options, &stream, &error));
  FAILS(CLIENT_CERTIFICATE_REQUIRED, "identity", hubtls_stream_read(stream, &byte, 1, &count, &error));
  hubtls_stream_free(stream);
  stream = NULL;
  options.confirm_ms = 10000;
  FAILS(CLIENT_CERTIFICATE_REQUIRED, "identity", hubtls_stream_connect(config, "localhost", peer.port, &options, &stream, &error));
  assert_null(stream);
  hubtls_config_free(config);
  server_stop(&peer);
}

static void unreachable_peer_is_told(void **state) {
  (void)state;
  hubtls_config *config = built(hubtls_config_builder_new());
  hubtls_stream *stream = NULL;
  // A port that is free, and stays so while it is bound and nobody listens.
  int bound = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = {.sin_family = AF_INET};
  socklen_t len = sizeof address;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  assert_int_equal(bind(bound, (struct sockaddr *)&address, sizeof address), 0);
  assert_int_equal(getsockname(bound, (struct sockaddr *)&address, &len), 0);
  FAILS(UNREACHABLE, "refused", hubtls_stream_connect(config, "127.0.0.1", ntohs(address.sin_port), NULL, &stream, &error));
  FAILS(UNREACHABLE, "nowhere.invalid", hubtls_stream_connect(config, "nowhere.invalid", 8883, NULL, &stream, &error));
  assert_null(stream);
  close(bound);
  hubtls_config_free(config);
}

static void *end_it(void *stream) {
  struct timespec moment = {.tv_nsec = 50 * 1000 * 1000};
  nanosleep(&moment, NULL);
  shutdown(hubtls_stream_socket(stream), SHUT_RDWR);
  return NULL;
}

static void shutdown_of_the_socket_ends_a_read_that_waits(void **state) {
  (void)state;
  server peer;
  server_start_echo(&peer);
  hubtls_stream *stream = stream_to(&peer, NULL);
  pthread_t thread;
  uint8_t byte;
  size_t count = 7;
  assert_int_equal(pthread_create(&thread, NULL, end_it, stream), 0);
  // Ended, or reset: the server may send meanwhile.
  hubtls_status status = hubtls_stream_read(stream, &byte, 1, &count, NULL);
  assert_true(status == HUBTLS_ERROR_TRUNCATED || status == HUBTLS_ERROR_IO);
  assert_int_equal(count, 7);
  pthread_join(thread, NULL);
  hubtls_stream_free(stream);
  server_stop(&peer);
}

static void what_is_no_socket_is_refused(void **state) {
  (void)state;
  hubtls_config *config = built(hubtls_config_builder_new());
  hubtls_stream *stream = NULL;
  int ends[2], unconnected = socket(AF_INET, SOCK_STREAM, 0);
  FAILS(INVALID_ARGUMENT, "-1 is no socket", hubtls_stream_new(config, "hub.example", -1, NULL, &stream, &error));
  FAILS(INVALID_ARGUMENT, "1000000", hubtls_stream_new(config, "hub.example", 1000000, NULL, &stream, &error));
  assert_int_equal(pipe(ends), 0);
  FAILS(IO, "socket", hubtls_stream_new(config, "hub.example", ends[0], NULL, &stream, &error));
  FAILS(IO, "connected", hubtls_stream_new(config, "hub.example", unconnected, NULL, &stream, &error));
  assert_null(stream);
  close(ends[0]);
  close(ends[1]);
  close(unconnected);
  hubtls_config_free(config);
}

static void bad_arguments_are_reported(void **state) {
  (void)state;
  server peer;
  server_start_echo(&peer);
  hubtls_config *config = config_for(&peer);
  hubtls_stream *stream = NULL;
  hubtls_stream_options options = HUBTLS_STREAM_OPTIONS_INIT;
  size_t count = 7;
  uint8_t byte = 0;
  FAILS(INVALID_ARGUMENT, "config is NULL", hubtls_stream_connect(NULL, "localhost", peer.port, NULL, &stream, &error));
  FAILS(INVALID_ARGUMENT, "host is NULL", hubtls_stream_connect(config, NULL, peer.port, NULL, &stream, &error));
  FAILS(INVALID_ARGUMENT, "stream is NULL", hubtls_stream_connect(config, "localhost", peer.port, NULL, NULL, &error));
  FAILS(INVALID_SERVER_NAME, "port", hubtls_stream_connect(config, "localhost:8883", peer.port, NULL, &stream, &error));
  FAILS(INVALID_ARGUMENT, "config is NULL", hubtls_stream_new(NULL, "localhost", 0, NULL, &stream, &error));
  FAILS(INVALID_ARGUMENT, "server_name is NULL", hubtls_stream_new(config, NULL, 0, NULL, &stream, &error));
  FAILS(INVALID_ARGUMENT, "stream is NULL", hubtls_stream_new(config, "localhost", 0, NULL, NULL, &error));
  options.size = 3;
  FAILS(INVALID_ARGUMENT, "hubtls_stream_options", hubtls_stream_connect(config, "localhost", peer.port, &options, &stream, &error));
  FAILS(INVALID_ARGUMENT, "hubtls_stream_options", hubtls_stream_new(config, "localhost", 0, &options, &stream, &error));
  assert_null(stream);
  stream = stream_to(&peer, NULL);
  FAILS(INVALID_ARGUMENT, "data is NULL", hubtls_stream_read(stream, NULL, 1, &count, &error));
  FAILS(INVALID_ARGUMENT, "count is NULL", hubtls_stream_read(stream, &byte, 1, NULL, &error));
  FAILS(INVALID_ARGUMENT, "data is NULL", hubtls_stream_read_exact(stream, NULL, 1, &error));
  FAILS(INVALID_ARGUMENT, "data is NULL", hubtls_stream_write(stream, NULL, 1, &count, &error));
  FAILS(INVALID_ARGUMENT, "taken is NULL", hubtls_stream_write(stream, &byte, 1, NULL, &error));
  FAILS(INVALID_ARGUMENT, "data is NULL", hubtls_stream_write_all(stream, NULL, 1, &error));
  assert_int_equal(count, 7);
  // None of it harmed the stream.
  OK(hubtls_stream_write_all(stream, (const uint8_t *)"!", 1, &error));
  OK(hubtls_stream_read(stream, &byte, 1, &count, &error));
  assert_int_equal(byte, '!');
  hubtls_stream_free(stream);
  hubtls_config_free(config);
  server_stop(&peer);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(echo_is_read_in_every_way),
      cmocka_unit_test(large_write_is_taken_by_records),
      cmocka_unit_test(handshake_is_measured_and_told),
      cmocka_unit_test(socket_of_the_caller_stays_the_callers),
      cmocka_unit_test(silent_peer_ends_at_the_time_limit),
      cmocka_unit_test(reading_goes_on_after_its_time_limit),
      cmocka_unit_test(writing_to_a_peer_that_does_not_read_ends_at_its_time_limit),
      cmocka_unit_test(refusal_of_the_client_is_waited_for_on_request),
      cmocka_unit_test(unreachable_peer_is_told),
      cmocka_unit_test(shutdown_of_the_socket_ends_a_read_that_waits),
      cmocka_unit_test(what_is_no_socket_is_refused),
      cmocka_unit_test(bad_arguments_are_reported),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
