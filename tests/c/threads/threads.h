#ifndef THREADS_H
#define THREADS_H

#include "server.h"

#include <hubtls.h>

/* The server that all tests talk to. */
extern server the_server;

/* The roots in a file of the server's directory. */
hubtls_roots *roots_from(const char *file);

/* A configuration with these roots, and with that clock unless it is NULL. */
hubtls_config *config_with(const hubtls_roots *roots, hubtls_clock_function clock, void *context);

/* A stream to the server. */
hubtls_stream *stream_with(const hubtls_config *config);

/* The same with roots.pem. */
hubtls_stream *stream_to_server(void);

/* A connection whose handshake is complete, over `socket`. */
hubtls_connection *connection_with(const hubtls_config *config, int socket);

/* Sends what waits in the connection. */
void send_pending(hubtls_connection *connection, int socket);

/* Waits for ciphertext and gives it to the connection; the plaintext that it held goes to `data`, and how much that is comes back. */
size_t receive_some(hubtls_connection *connection, int socket, uint8_t *data, size_t len);

void sixteen_threads_connect_while_the_roots_are_replaced(void **state);
void strings_that_are_made_when_asked_for_are_made_once(void **state);
void handles_are_made_and_freed_by_all_threads(void **state);
void a_handle_that_two_threads_free_is_freed_once(void **state);
void a_builder_in_use_is_refused_or_serves(void **state);

void one_thread_reads_a_stream_while_another_writes_it(void **state);
void a_side_of_a_stream_that_waits_refuses_a_second_reader(void **state);
void threads_at_the_same_side_of_a_stream_lose_and_double_nothing(void **state);
void threads_at_the_same_connection_lose_and_double_nothing(void **state);

#endif
