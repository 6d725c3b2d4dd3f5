#ifndef CALLBACKS_H
#define CALLBACKS_H

#include <hubtls.h>

/* What hubtls calls: each makes further calls, chosen by the input, before it answers. */

uint64_t tell_time(void *context);
void log_keys(void *context, const char *line);
void take_plaintext(void *context, const uint8_t *data, size_t len);

/* A signer with the key client.key, or one that does what it must not. */
hubtls_signer signer(void);

/* Signers that hubtls has not released yet. */
extern int live_signers;

/* Callbacks make no calls any more. */
void callbacks_end(void);
void callbacks_begin(void);

#endif
