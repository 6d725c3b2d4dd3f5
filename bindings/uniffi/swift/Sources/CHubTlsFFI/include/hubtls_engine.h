/* The functions of C that carry bytes, as bindings/c/engine exports them. Each returns a number of bytes in its lower 31 bits, and flags. */
#ifndef HUBTLS_ENGINE_H
#define HUBTLS_ENGINE_H

#include <stdint.h>

/* The handshake goes on. */
static const int64_t HUBTLS_ENGINE_HANDSHAKING = INT64_C(1) << 32;
/* Ciphertext waits for the transport. */
static const int64_t HUBTLS_ENGINE_TRANSMIT = INT64_C(1) << 33;
/* The peer has finished. */
static const int64_t HUBTLS_ENGINE_ENDED = INT64_C(1) << 34;
/* The connection has failed, after these bytes: send what waits, and let Engine.fail throw. */
static const int64_t HUBTLS_ENGINE_FAILED = INT64_C(1) << 35;
/* More plaintext waits: feed again, with nothing. */
static const int64_t HUBTLS_ENGINE_MORE = INT64_C(1) << 36;
/* Not all was done: send what came of it, and let Engine.refuse throw. */
static const int64_t HUBTLS_ENGINE_REFUSED = INT64_C(1) << 37;
/* The engine was closed. */
static const int64_t HUBTLS_ENGINE_GONE = INT64_C(1) << 38;

/* Decrypts `len` bytes, which are overwritten, into `output`. */
int64_t hubtls_engine_feed(int64_t engine, uint8_t *ciphertext, int32_t len, uint8_t *output, int32_t capacity);
/* Encrypts all of `len` bytes into `output`, which has room for 96 bytes more for each record, 256, and what waits. */
int64_t hubtls_engine_encrypt(int64_t engine, const uint8_t *plaintext, int32_t len, uint8_t *output, int32_t capacity);
/* Moves ciphertext that waits to `output`. */
int64_t hubtls_engine_outgoing(int64_t engine, uint8_t *output, int32_t capacity);

#endif
