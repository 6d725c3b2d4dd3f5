#ifndef SUPPORT_H
#define SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "file.h"
#include "hubtls.h"
#include "server.h"

// Of everything in the fixtures that is encrypted.
#define PASSPHRASE "correct horse"

// The call, which passes `&error`, succeeds.
#define OK(call)                                                                                   \
  do {                                                                                             \
    hubtls_error error = HUBTLS_ERROR_INIT;                                                        \
    hubtls_status status_ = (call);                                                                \
    if (status_ != HUBTLS_OK) fail_msg("%s: %s: %s", #call, hubtls_status_name(status_), error.message); \
  } while (0)

// The call, which passes `&error`, fails with that code, the error says so, and its sentence or hint holds the word.
#define FAILS(code_, word, call)                                  \
  do {                                                            \
    hubtls_error error = HUBTLS_ERROR_INIT;                       \
    assert_failure((call), HUBTLS_ERROR_##code_, #code_, word, &error, #call); \
  } while (0)

void assert_failure(hubtls_status status, hubtls_status expected, const char *name, const char *word, const hubtls_error *error, const char *call);

// A file of the fixtures, until the program ends.
file fixture(const char *name);

// The configuration of `builder`, which is freed.
hubtls_config *built(hubtls_config_builder *builder);
// A builder that trusts the roots of the server.
hubtls_config_builder *builder_for(const server *peer);
// As that, with the client certificate of the row.
hubtls_config_builder *builder_with_identity(const server *peer);
// With nothing else set.
hubtls_config *config_for(const server *peer);

// A connection to the server called localhost.
hubtls_connection *connection_to(const hubtls_config *config);
// Sends and receives until the handshake is complete, or until an error, which it returns.
hubtls_status shake_hands(hubtls_connection *connection, int socket, hubtls_error *error);
// Sends what waits.
void send_pending(hubtls_connection *connection, int socket);
// Reads until `len` bytes of plaintext are there.
hubtls_status read_plaintext(hubtls_connection *connection, int socket, uint8_t *data, size_t len, hubtls_error *error);
// Holds the row's conversation.
void converse(hubtls_connection *connection, int socket, const server *peer);

// A signer with the key in that file of the fixtures, or of the server's directory.
typedef struct {
  void *key;
  int calls;
  int releases;
  // What `sign` returns without signing, if not 0.
  int failure;
  // What it claims the signature's length to be, if not 0.
  size_t claimed_len;
  // Called before signing, if not NULL.
  void (*before)(void *context);
  void *before_context;
} signing;

void signing_begin(signing *signing, const char *directory, const char *key_file);
void signing_end(signing *signing);
hubtls_signer signer_of(signing *signing);

#endif
