// What the stack under test offers, captured and compared with the policy.

#include "tests.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define RECORD_HEADER 5

// The first record that the stack sends to a peer that says nothing.
static size_t capture(const hubtls_native_options *options, uint8_t *record, size_t room) {
  int ends[2];
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  shutdown(ends[1], SHUT_WR);
  hubtls_error error = HUBTLS_ERROR_INIT;
  hubtls_status status = stack_converse(ends[0], options, NULL, 0, NULL, 0, &error);
  if (status != HUBTLS_ERROR_CLOSED_IN_HANDSHAKE) {
    fail_msg("%s: %s (%s)", hubtls_status_name(status), error.message, error.hint);
  }
  close(ends[0]);
  size_t len = 0;
  ssize_t count;
  while ((count = read(ends[1], record + len, room - len)) > 0) {
    len += (size_t)count;
  }
  close(ends[1]);
  assert_true(len > RECORD_HEADER);
  return RECORD_HEADER + ((size_t)record[3] << 8 | record[4]);
}

static cJSON *parse(const uint8_t *record, size_t len) {
  char path[] = "client-hello-XXXXXX", command[512], line[8192];
  int file = mkstemp(path);
  assert_true(file >= 0 && write(file, record, len) == (ssize_t)len);
  close(file);
  snprintf(command, sizeof command, "'%s/client-hello' %s", PROGRAMS, path);
  FILE *output = popen(command, "r");
  assert_non_null(output);
  assert_non_null(fgets(line, sizeof line, output));
  assert_int_equal(pclose(output), 0);
  unlink(path);
  return cJSON_Parse(line);
}

static cJSON *hello_of(const hubtls_native_options *options) {
  static uint8_t record[65536];
  size_t len = capture(options, record, sizeof record);
  return parse(record, len);
}

static int number_at(const cJSON *list, size_t index) { return cJSON_GetArrayItem(list, (int)index)->valueint; }

// The same numbers in the same order.
static void assert_is(const cJSON *hello, const char *key, const uint16_t *expected, size_t count) {
  const cJSON *sent = cJSON_GetObjectItem(hello, key);
  char *text = cJSON_PrintUnformatted(hello);
  bool same = (size_t)cJSON_GetArraySize(sent) == count;
  for (size_t i = 0; same && i < count; i++) {
    same = number_at(sent, i) == expected[i];
  }
  if (!same) {
    fail_msg("%s is not the policy's: %s", key, text);
  }
  free(text);
}

// At least one of the expected numbers, and no other.
static void assert_is_part_of(const cJSON *hello, const char *key, const uint16_t *expected, size_t count) {
  const cJSON *sent = cJSON_GetObjectItem(hello, key);
  assert_true(cJSON_GetArraySize(sent) > 0);
  for (int i = 0; i < cJSON_GetArraySize(sent); i++) {
    unsigned number = (unsigned)number_at(sent, (size_t)i);
    bool pss_pss = stack_under_test.adds_pss_pss && number >= 0x0809 && number <= 0x080B;
    if (!pss_pss && !hubtls_native_holds(expected, count, number)) {
      fail_msg("%s has %#x, which the policy has not", key, number);
    }
  }
}

static void compare(const cJSON *hello, const hubtls_policy *policy) {
  size_t count;
  const uint16_t *list = hubtls_policy_versions(policy, &count);
  bool fragments = hubtls_policy_fragment_length(policy, NULL) != HUBTLS_FRAGMENT_OFF;
  bool has_tls13 = stack_under_test.has_tls13 && !(fragments && stack_under_test.fragments_tls12_only);
  if (!has_tls13 && list[0] == HUBTLS_TLS_1_3) {
    list++;
    count--;
  }
  assert_is(hello, "versions", list, count);
  list = hubtls_policy_suites(policy, &count);
  // The suites of TLS 1.3 come first.
  while (!has_tls13 && list[0] >> 8 == 0x13) {
    list++;
    count--;
  }
  assert_is(hello, "suites", list, count);
  list = hubtls_policy_groups(policy, &count);
  assert_is(hello, "groups", list, count);
  list = hubtls_policy_signature_schemes(policy, &count);
  if (stack_under_test.has_all_schemes) {
    assert_is(hello, "signature_schemes", list, count);
  } else {
    assert_is_part_of(hello, "signature_schemes", list, count);
  }
}

void client_hello_is_the_policys(void **state) {
  (void)state;
  static const char *const names[] = {"iothub", "iothub-ecc", "iothub-aead", "iothub-tls12"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    hubtls_policy *policy = NULL;
    assert_int_equal(hubtls_policy_named(names[i], &policy, NULL), HUBTLS_OK);
    hubtls_native_options options = HUBTLS_NATIVE_OPTIONS_INIT;
    options.policy = policy;
    options.host = "hub1.azure-devices.net.";
    cJSON *hello = hello_of(&options);
    compare(hello, policy);
    assert_string_equal(cJSON_GetObjectItem(hello, "server_name")->valuestring, "hub1.azure-devices.net");
    assert_int_equal(cJSON_GetObjectItem(hello, "fragment_length")->valueint, 0);
    cJSON_Delete(hello);
    hubtls_policy_free(policy);
  }
}

void client_hello_asks_for_each_fragment_length(void **state) {
  (void)state;
  hubtls_policy *policy = NULL;
  assert_int_equal(hubtls_policy_named("iothub", &policy, NULL), HUBTLS_OK);
  for (size_t bytes = 512; bytes <= 4096; bytes *= 2) {
    hubtls_policy *small = NULL;
    assert_int_equal(hubtls_policy_with_fragment_length(policy, HUBTLS_FRAGMENT_REQUEST, bytes, &small, NULL), HUBTLS_OK);
    hubtls_native_options options = HUBTLS_NATIVE_OPTIONS_INIT;
    options.policy = small;
    options.host = "hub1.azure-devices.net";
    cJSON *hello = hello_of(&options);
    compare(hello, small);
    assert_int_equal(cJSON_GetObjectItem(hello, "fragment_length")->valueint, (int)bytes);
    cJSON_Delete(hello);
    hubtls_policy_free(small);
  }
  hubtls_policy_free(policy);
}

void client_hello_offers_the_protocols(void **state) {
  (void)state;
  static const char *const protocols[] = {"mqtt", "http/1.1"};
  hubtls_native_options options = HUBTLS_NATIVE_OPTIONS_INIT;
  options.host = "hub1.azure-devices.net";
  options.protocols = protocols;
  options.protocols_count = 2;
  cJSON *hello = hello_of(&options);
  cJSON *sent = cJSON_GetObjectItem(hello, "protocols");
  assert_int_equal(cJSON_GetArraySize(sent), 2);
  assert_string_equal(cJSON_GetArrayItem(sent, 0)->valuestring, "mqtt");
  assert_string_equal(cJSON_GetArrayItem(sent, 1)->valuestring, "http/1.1");
  cJSON_Delete(hello);
}

void narrowed_policy_is_offered_narrowed(void **state) {
  (void)state;
  static const uint16_t suites[] = {0xC02C, 0xC02F};
  hubtls_policy *policy = NULL, *narrowed = NULL;
  assert_int_equal(hubtls_policy_named("iothub-tls12", &policy, NULL), HUBTLS_OK);
  assert_int_equal(hubtls_policy_only_suites(policy, suites, 2, &narrowed, NULL), HUBTLS_OK);
  hubtls_native_options options = HUBTLS_NATIVE_OPTIONS_INIT;
  options.policy = narrowed;
  options.host = "hub1.azure-devices.net";
  cJSON *hello = hello_of(&options);
  compare(hello, narrowed);
  cJSON_Delete(hello);
  hubtls_policy_free(narrowed);
  hubtls_policy_free(policy);
}
