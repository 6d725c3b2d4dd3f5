#ifndef SERVER_H
#define SERVER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CONVERSATION_BYTES 256

// A server, a process of its own: that of one row of scenarios.json, or one that sends back what it gets.
typedef struct {
  pid_t process;
  int input;
  int output;
  char host[64];
  uint16_t port;
  char directory[1024];
  // The conversation to have with the server of a row.
  uint8_t send[CONVERSATION_BYTES];
  size_t send_len;
  uint8_t receive[CONVERSATION_BYTES];
  size_t receive_len;
} server;

// Starts the server of that row and returns at once. Like all of these, ends the program with a message if it fails.
void server_begin(server *server, const char *row);
// Waits until it listens. Its files are in `directory` then.
void server_await(server *server);
// Both together.
void server_start(server *server, const char *row);
// Starts the server that sends back what it gets, and after close_notify its own.
void server_start_echo(server *server);
// A new TCP connection to it. Reads from it fail after half a minute, so that no test hangs.
int server_dial(const server *server);
void server_stop(server *server);

// A TCP connection to that port of 127.0.0.1.
int dial(uint16_t port);

#endif
