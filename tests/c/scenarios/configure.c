#include <string.h>

#include "file.h"
#include "scenario.h"

#define MAX_ITEMS 16

// Goes on only while nothing has failed.
#define TRY(call)               \
  do {                          \
    hubtls_status tried = call; \
    if (tried != HUBTLS_OK) {   \
      return tried;             \
    }                           \
  } while (0)

typedef hubtls_status (*from_name)(const char *name, uint16_t *number, hubtls_error *error);
typedef hubtls_status (*narrow)(const hubtls_policy *policy, const uint16_t *numbers, size_t count, hubtls_policy **narrowed,
                                hubtls_error *error);

// Narrows `*policy` to what the names in `list` mean, if there is a list.
static hubtls_status narrow_to(hubtls_policy **policy, const cJSON *list, from_name number_of, narrow only, hubtls_error *error) {
  uint16_t numbers[MAX_ITEMS];
  size_t count = 0;
  const cJSON *item;
  cJSON_ArrayForEach(item, list) {
    TRY(number_of(item->valuestring, &numbers[count], error));
    count++;
  }
  if (count == 0) {
    return HUBTLS_OK;
  }
  hubtls_policy *narrowed;
  TRY(only(*policy, numbers, count, &narrowed, error));
  hubtls_policy_free(*policy);
  *policy = narrowed;
  return HUBTLS_OK;
}

static hubtls_status narrow_all(hubtls_policy **policy, const cJSON *client, hubtls_error *error) {
  TRY(narrow_to(policy, cJSON_GetObjectItem(client, "versions"), hubtls_tls_version_from_name, hubtls_policy_only_versions, error));
  TRY(narrow_to(policy, cJSON_GetObjectItem(client, "suites"), hubtls_suite_from_name, hubtls_policy_only_suites, error));
  return narrow_to(policy, cJSON_GetObjectItem(client, "groups"), hubtls_group_from_name, hubtls_policy_only_groups, error);
}

static hubtls_status set_policy(hubtls_config_builder *builder, const cJSON *client, hubtls_error *error) {
  const cJSON *name = cJSON_GetObjectItem(client, "policy");
  hubtls_policy *policy;
  TRY(hubtls_policy_named(name == NULL ? "iothub" : name->valuestring, &policy, error));
  hubtls_status status = narrow_all(&policy, client, error);
  if (status == HUBTLS_OK) {
    status = hubtls_config_builder_set_policy(builder, policy, error);
  }
  hubtls_policy_free(policy);
  return status;
}

static hubtls_status set_trust(hubtls_config_builder *builder, const cJSON *client, const char *directory, hubtls_error *error) {
  const cJSON *trust = cJSON_GetObjectItem(client, "trust");
  const char *kind = trust == NULL ? "replaced" : trust->valuestring;
  if (strcmp(kind, "embedded") == 0) {
    return HUBTLS_OK;
  }
  file pem = file_read(directory, strcmp(kind, "unrelated") == 0 ? "unrelated.pem" : "roots.pem");
  hubtls_roots *given, *roots;
  hubtls_status status = hubtls_roots_from_pem(pem.data, pem.len, &given, error);
  file_free(&pem);
  TRY(status);
  bool vouching = cJSON_IsTrue(cJSON_GetObjectItem(client, "vouching_for_azure"));
  status = hubtls_roots_vouching_for_azure(given, vouching, &roots, error);
  hubtls_roots_free(given);
  TRY(status);
  status = strcmp(kind, "added") == 0 ? hubtls_config_builder_add_roots(builder, roots, error)
                                      : hubtls_config_builder_set_roots(builder, roots, error);
  hubtls_roots_free(roots);
  return status;
}

static hubtls_status set_pin(hubtls_config_builder *builder, const cJSON *client, const char *directory, hubtls_error *error) {
  const cJSON *pin = cJSON_GetObjectItem(client, "pin");
  if (pin == NULL) {
    return HUBTLS_OK;
  }
  file pem = file_read(directory, strcmp(pin->valuestring, "rsa") == 0 ? "rsa-root.pem" : "ecdsa-root.pem");
  hubtls_status status = hubtls_config_builder_add_pin_of_certificate(builder, pem.data, pem.len, error);
  file_free(&pem);
  return status;
}

static hubtls_status set_revocation_lists(hubtls_config_builder *builder, const cJSON *client, const char *directory,
                                          hubtls_error *error) {
  if (!cJSON_IsTrue(cJSON_GetObjectItem(client, "revocation_lists"))) {
    return HUBTLS_OK;
  }
  file lists = file_read(directory, "revocation.pem");
  hubtls_status status = hubtls_config_builder_add_revocation_lists(builder, lists.data, lists.len, error);
  file_free(&lists);
  return status;
}

static hubtls_status set_identity(hubtls_config_builder *builder, const cJSON *client, const char *directory, hubtls_error *error) {
  if (cJSON_GetObjectItem(client, "identity") == NULL) {
    return HUBTLS_OK;
  }
  file chain = file_read(directory, "identity.chain"), key = file_read(directory, "identity.key");
  hubtls_identity *identity;
  hubtls_status status = hubtls_identity_from_pem(chain.data, chain.len, key.data, key.len, NULL, &identity, error);
  file_free(&chain);
  file_free(&key);
  TRY(status);
  status = hubtls_config_builder_set_identity(builder, identity, error);
  hubtls_identity_free(identity);
  return status;
}

static hubtls_status set_alpn(hubtls_config_builder *builder, const cJSON *client, hubtls_error *error) {
  hubtls_bytes protocols[MAX_ITEMS];
  size_t count = 0;
  const cJSON *item;
  cJSON_ArrayForEach(item, cJSON_GetObjectItem(client, "alpn")) {
    protocols[count++] = (hubtls_bytes){(const uint8_t *)item->valuestring, strlen(item->valuestring)};
  }
  return hubtls_config_builder_set_alpn(builder, protocols, count, error);
}

static hubtls_status set_all(hubtls_config_builder *builder, const cJSON *client, const char *directory, hubtls_error *error) {
  TRY(set_policy(builder, client, error));
  TRY(set_trust(builder, client, directory, error));
  TRY(set_pin(builder, client, directory, error));
  TRY(set_revocation_lists(builder, client, directory, error));
  TRY(set_identity(builder, client, directory, error));
  TRY(set_alpn(builder, client, error));
  const cJSON *time = cJSON_GetObjectItem(client, "time");
  return time == NULL ? HUBTLS_OK : hubtls_config_builder_set_time(builder, (uint64_t)time->valuedouble, error);
}

hubtls_status configure(const cJSON *client, const char *directory, hubtls_config **config, hubtls_error *error) {
  hubtls_config_builder *builder = hubtls_config_builder_new();
  hubtls_status status = set_all(builder, client, directory, error);
  if (status == HUBTLS_OK) {
    status = hubtls_config_builder_build(builder, config, error);
  }
  hubtls_config_builder_free(builder);
  return status;
}
