#ifndef SERVER_H
#define SERVER_H

#include <hubtls.h>

/* OpenSSL's server in memory: one for each connection that asks for it, so that a handshake can be completed. */

/* Makes what all servers share. */
void server_setup(void);

/* Takes what the connection has to send, and answers. Sends back the application data that came. */
void server_serve(const hubtls_connection *connection, const uint8_t *data, size_t len);

/* What it has to send to the connection, and how much was taken of that. */
hubtls_bytes server_output(const hubtls_connection *connection);
void server_output_taken(const hubtls_connection *connection, size_t count);

/* The connection is gone. */
void server_forget(const hubtls_connection *connection);

#endif
