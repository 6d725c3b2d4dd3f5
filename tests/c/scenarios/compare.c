#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "scenario.h"

// Whether `text` holds `word`, whatever its case.
static bool says(const char *text, const char *word) {
  for (; *text != 0; text++) {
    size_t same = 0;
    while (word[same] != 0 && tolower((unsigned char)text[same]) == tolower((unsigned char)word[same])) {
      same++;
    }
    if (word[same] == 0) {
      return true;
    }
  }
  return word[0] == 0;
}

static bool complain(const char *what, const cJSON *expected, const hubtls_error *error) {
  char *text = cJSON_PrintUnformatted(expected);
  printf("  %s is not %s: %s, %s (%s) alert %s\n", what, text, error->name, error->message, error->hint,
         error->has_alert ? hubtls_alert_name(error->alert) : "none");
  cJSON_free(text);
  return false;
}

static bool compare_failure(const cJSON *expect, const hubtls_error *error) {
  const cJSON *name = cJSON_GetObjectItem(expect, "error");
  const cJSON *alert = cJSON_GetObjectItem(expect, "alert");
  const cJSON *word = cJSON_GetObjectItem(expect, "says");
  if (strcmp(error->name, name->valuestring) != 0) {
    return complain("the code", name, error);
  }
  if (cJSON_IsNull(alert) && error->has_alert) {
    return complain("the alert", alert, error);
  }
  if (cJSON_IsString(alert) && !(error->has_alert && strcmp(hubtls_alert_name(error->alert), alert->valuestring) == 0)) {
    return complain("the alert", alert, error);
  }
  if (error->hint[0] == 0) {
    return complain("the hint", NULL, error);
  }
  if (word != NULL && !says(error->message, word->valuestring) && !says(error->hint, word->valuestring)) {
    return complain("what is said", word, error);
  }
  return true;
}

static bool compare_agreement(const cJSON *expect, const char *json) {
  cJSON *agreed = cJSON_Parse(json);
  bool is_same = true;
  const cJSON *item;
  cJSON_ArrayForEach(item, expect) {
    const cJSON *own = cJSON_GetObjectItem(agreed, item->string);
    if (own == NULL || !cJSON_Compare(item, own, true)) {
      char *text = cJSON_PrintUnformatted(item);
      printf("  %s is not %s in %s\n", item->string, text, json);
      cJSON_free(text);
      is_same = false;
    }
  }
  cJSON_Delete(agreed);
  return is_same;
}

bool compare(const cJSON *expect, hubtls_status status, const hubtls_error *error, const hubtls_negotiated *negotiated) {
  bool is_failure = cJSON_GetObjectItem(expect, "error") != NULL;
  if (is_failure && status == HUBTLS_OK) {
    printf("  it did not fail but agreed to %s\n", hubtls_negotiated_json(negotiated));
    return false;
  }
  if (is_failure) {
    return compare_failure(expect, error);
  }
  return status == HUBTLS_OK ? compare_agreement(expect, hubtls_negotiated_json(negotiated))
                             : complain("the outcome", expect, error);
}
