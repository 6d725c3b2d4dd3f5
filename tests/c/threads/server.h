#ifndef SERVER_H
#define SERVER_H

#include <stdint.h>
#include <sys/types.h>

/* A running echo-server: any number of connections, each of which gets back what it sends. */
typedef struct {
    char host[64];
    uint16_t port;
    /* Where roots.pem and unrelated.pem are. */
    char directory[512];
    pid_t process;
    int input;
} server;

/* Starts the program at `path`. Aborts with a sentence if it does not serve. */
server server_start(const char *path);

/* Ends its input, and waits for its end. */
void server_stop(server *server);

/* A TCP connection to it. */
int server_dial(const server *server);

#endif
