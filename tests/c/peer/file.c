#include "file.h"

#include <stdio.h>
#include <stdlib.h>

static _Noreturn void fail(const char *path) {
  perror(path);
  exit(2);
}

file file_read(const char *directory, const char *name) {
  char path[4096];
  snprintf(path, sizeof path, "%s%s%s", directory == NULL ? "" : directory, directory == NULL ? "" : "/", name);
  FILE *stream = fopen(path, "rb");
  if (stream == NULL || fseek(stream, 0, SEEK_END) != 0) {
    fail(path);
  }
  long len = ftell(stream);
  file content = {malloc((size_t)len + 1), (size_t)len};
  rewind(stream);
  if (content.data == NULL || fread(content.data, 1, content.len, stream) != content.len) {
    fail(path);
  }
  content.data[content.len] = 0;
  fclose(stream);
  return content;
}

void file_free(file *content) {
  free(content->data);
  *content = (file){NULL, 0};
}
