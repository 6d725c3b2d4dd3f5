// Runs every row of scenarios.json, or the named ones: scenarios FILE [NAME...]
#include <stdio.h>
#include <string.h>

#include "file.h"
#include "scenario.h"

static bool run(const cJSON *row, const server *server) {
  const cJSON *client = cJSON_GetObjectItem(row, "client");
  hubtls_error error = HUBTLS_ERROR_INIT;
  hubtls_config *config = NULL;
  hubtls_negotiated *negotiated = NULL;
  hubtls_status status = configure(client, server->directory, &config, &error);
  if (status == HUBTLS_OK && cJSON_IsTrue(cJSON_GetObjectItem(client, "resume"))) {
    status = converse(client, config, server, &negotiated, &error);
    hubtls_negotiated_free(negotiated);
    negotiated = NULL;
  }
  if (status == HUBTLS_OK) {
    status = converse(client, config, server, &negotiated, &error);
  }
  bool passed = compare(cJSON_GetObjectItem(row, "expect"), status, &error, negotiated);
  hubtls_negotiated_free(negotiated);
  hubtls_config_free(config);
  return passed;
}

static const char *name_of(const cJSON *row) { return cJSON_GetObjectItem(row, "name")->valuestring; }

static bool is_wanted(const char *name, int count, char **wanted) {
  for (int i = 0; i < count; i++) {
    if (strcmp(name, wanted[i]) == 0) {
      return true;
    }
  }
  return count == 0;
}

// The first row from `row` on that is wanted; NULL if there is none.
static const cJSON *next_wanted(const cJSON *row, int count, char **wanted) {
  while (row != NULL && !is_wanted(name_of(row), count, wanted)) {
    row = row->next;
  }
  return row;
}

int main(int count, char **arguments) {
  if (count < 2) {
    fprintf(stderr, "usage: scenarios FILE [NAME...]\n");
    return 2;
  }
  file table = file_read(NULL, arguments[1]);
  cJSON *rows = cJSON_Parse((const char *)table.data);
  if (rows == NULL) {
    fprintf(stderr, "%s is not JSON\n", arguments[1]);
    return 2;
  }
  int passed = 0, failed = 0;
  server current, next;
  const cJSON *row = next_wanted(rows->child, count - 2, arguments + 2);
  if (row != NULL) {
    server_begin(&next, name_of(row));
  }
  while (row != NULL) {
    current = next;
    const cJSON *following = next_wanted(row->next, count - 2, arguments + 2);
    // It makes its certificates meanwhile.
    if (following != NULL) {
      server_begin(&next, name_of(following));
    }
    server_await(&current);
    bool is_good = run(row, &current);
    server_stop(&current);
    printf("%s %s\n", is_good ? "ok    " : "FAILED", name_of(row));
    fflush(stdout);
    *(is_good ? &passed : &failed) += 1;
    row = following;
  }
  cJSON_Delete(rows);
  file_free(&table);
  printf("%d passed, %d failed\n", passed, failed);
  return failed > 0 || passed == 0 ? 1 : 0;
}
