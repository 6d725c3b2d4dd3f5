#ifndef FILE_H
#define FILE_H

#include <stddef.h>
#include <stdint.h>

// A whole file; `data[len]` is a zero, so that text is a string.
typedef struct {
  uint8_t *data;
  size_t len;
} file;

// `directory` may be NULL. Ends the program with a message if that file cannot be read.
file file_read(const char *directory, const char *name);
void file_free(file *content);

#endif
