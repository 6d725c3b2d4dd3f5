#include "server.h"

#include <arpa/inet.h>
#include <cjson/cJSON.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static _Noreturn void fail(const char *what) {
  perror(what);
  exit(2);
}

// What the other end of a pipe is: only that is to be inherited.
static void make_pipe(int ends[2]) {
  if (pipe(ends) != 0 || fcntl(ends[0], F_SETFD, FD_CLOEXEC) != 0 || fcntl(ends[1], F_SETFD, FD_CLOEXEC) != 0) {
    fail("pipe");
  }
}

static void begin(server *server, const char *program, const char *argument) {
  int input[2], output[2];
  make_pipe(input);
  make_pipe(output);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO);
  char *const arguments[] = {(char *)program, (char *)argument, NULL};
  if (posix_spawn(&server->process, program, &actions, NULL, arguments, environ) != 0) {
    fail(program);
  }
  posix_spawn_file_actions_destroy(&actions);
  close(input[0]);
  close(output[1]);
  server->input = input[1];
  server->output = output[0];
}

void server_begin(server *server, const char *row) { begin(server, PROGRAMS "/scenario-server", row); }

static size_t bytes_of(const cJSON *hexadecimal, uint8_t bytes[CONVERSATION_BYTES]) {
  const char *text = hexadecimal == NULL ? "" : hexadecimal->valuestring;
  size_t len = 0;
  for (; text[2 * len] != 0 && len < CONVERSATION_BYTES; len++) {
    char pair[3] = {text[2 * len], text[2 * len + 1], 0};
    bytes[len] = (uint8_t)strtoul(pair, NULL, 16);
  }
  return len;
}

void server_await(server *server) {
  char line[4096];
  FILE *output = fdopen(server->output, "r");
  if (output == NULL || fgets(line, sizeof line, output) == NULL) {
    fprintf(stderr, "the server ended before it listened\n");
    exit(2);
  }
  fclose(output);
  cJSON *answer = cJSON_Parse(line);
  snprintf(server->host, sizeof server->host, "%s", cJSON_GetObjectItem(answer, "host")->valuestring);
  snprintf(server->directory, sizeof server->directory, "%s", cJSON_GetObjectItem(answer, "directory")->valuestring);
  server->port = (uint16_t)cJSON_GetObjectItem(answer, "port")->valueint;
  server->send_len = bytes_of(cJSON_GetObjectItem(answer, "send"), server->send);
  server->receive_len = bytes_of(cJSON_GetObjectItem(answer, "receive"), server->receive);
  cJSON_Delete(answer);
}

void server_start(server *server, const char *row) {
  server_begin(server, row);
  server_await(server);
}

void server_start_echo(server *server) {
  begin(server, PROGRAMS "/echo-server", NULL);
  server_await(server);
}

int server_dial(const server *server) { return dial(server->port); }

int dial(uint16_t port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  struct timeval patience = {.tv_sec = 30};
  int socket_ = socket(AF_INET, SOCK_STREAM, 0);
  if (socket_ < 0 || connect(socket_, (struct sockaddr *)&address, sizeof address) != 0 ||
      setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) != 0) {
    fail("connect");
  }
  return socket_;
}

void server_stop(server *server) {
  close(server->input);
  if (waitpid(server->process, NULL, 0) != server->process) {
    fail("waitpid");
  }
}
