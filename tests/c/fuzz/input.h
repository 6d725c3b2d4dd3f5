#ifndef INPUT_H
#define INPUT_H

#include <hubtls.h>

/* The fuzzer's bytes, read one after the other; zeros when they are used up. */
void input_begin(const uint8_t *data, size_t len);
bool input_is_used_up(void);
uint8_t byte(void);
uint16_t short_number(void);
uint64_t long_number(void);

/* A number below `limit`. */
size_t below(size_t limit);

/* `pointer`, seldom NULL. */
void *seldom_null(void *pointer);

/* Bytes to lend: NULL with or without a length, a length larger than memory, a file of the test's certificates, or the fuzzer's own; in a block of
 * their exact size, that lives until the end of this input. */
hubtls_bytes lent(void);

/* The fuzzer's own alone. */
hubtls_bytes own(void);

/* A text to lend: NULL, one that hubtls knows, or the fuzzer's own, UTF-8 or not. Lives until the end of this input. */
const char *text(void);

/* A list of numbers, known ones and the fuzzer's own; NULL and 0 sometimes. Lives until the end of this input. */
const uint16_t *numbers(size_t *count);

/* Lists of bytes. Lives until the end of this input. */
const hubtls_bytes *byte_lists(size_t *count);

/* A block that is freed at the end of this input. */
void *scratch(size_t len);
void scratch_free(void);

/* Reads the certificates. */
void files_read(void);
/* The certificate or key in that file, ended by a zero. */
hubtls_bytes file(const char *name);

#endif
