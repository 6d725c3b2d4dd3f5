// One TLS library, hardened by its adapter, against real servers.

#include "tests.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "file.h"
#include "server.h"

// What a connection to the server of a row comes to.
typedef struct {
  const char *row;
  const char *host;
  const char *roots;
  bool added;
  bool vouching;
  bool identity;
  const char *policy;
  hubtls_status status;
} attempt;

static hubtls_status connect_as(const attempt *attempt, hubtls_error *error) {
  server peer;
  server_start(&peer, attempt->row);
  file pem = file_read(peer.directory, attempt->roots == NULL ? "roots.pem" : attempt->roots);
  hubtls_roots *given = NULL, *roots = NULL, *azure = NULL;
  hubtls_policy *policy = NULL;
  assert_int_equal(hubtls_policy_named(attempt->policy == NULL ? "iothub" : attempt->policy, &policy, error), HUBTLS_OK);
  assert_int_equal(hubtls_roots_from_pem(pem.data, pem.len, &given, error), HUBTLS_OK);
  assert_int_equal(hubtls_roots_vouching_for_azure(given, attempt->vouching, &roots, error), HUBTLS_OK);
  if (attempt->added) {
    hubtls_roots *both = NULL;
    assert_int_equal(hubtls_roots_azure(&azure, error), HUBTLS_OK);
    assert_int_equal(hubtls_roots_with_added(azure, roots, &both, error), HUBTLS_OK);
    hubtls_roots_free(roots);
    roots = both;
  }
  hubtls_native_options options = HUBTLS_NATIVE_OPTIONS_INIT;
  options.policy = policy;
  options.roots = roots;
  options.host = attempt->host == NULL ? "localhost" : attempt->host;
  file chain = {NULL, 0}, key = {NULL, 0};
  if (attempt->identity) {
    chain = file_read(peer.directory, "identity.chain");
    key = file_read(peer.directory, "identity.key");
    options.chain_pem = (const char *)chain.data;
    options.key_pem = (const char *)key.data;
  }
  int socket = server_dial(&peer);
  uint8_t answer[CONVERSATION_BYTES];
  hubtls_status status = stack_converse(socket, &options, peer.send, peer.send_len, answer, peer.receive_len, error);
  if (status == HUBTLS_OK) {
    assert_memory_equal(answer, peer.receive, peer.receive_len);
  }
  close(socket);
  file_free(&chain);
  file_free(&key);
  file_free(&pem);
  hubtls_roots_free(azure);
  hubtls_roots_free(roots);
  hubtls_roots_free(given);
  hubtls_policy_free(policy);
  server_stop(&peer);
  return status;
}

static void expect(const attempt *attempts, size_t count) {
  for (size_t i = 0; i < count; i++) {
    hubtls_error error = HUBTLS_ERROR_INIT;
    hubtls_status status = connect_as(&attempts[i], &error);
    if (status != attempts[i].status) {
      fail_msg("%s: %s, not %s: %s (%s)", attempts[i].row, hubtls_status_name(status), hubtls_status_name(attempts[i].status), error.message,
               error.hint);
    }
    if (status != HUBTLS_OK) {
      assert_true(error.message[0] != 0 && error.hint[0] != 0);
    }
  }
}

#define EXPECT(...)                                    \
  do {                                                 \
    const attempt attempts[] = {__VA_ARGS__};          \
    expect(attempts, sizeof attempts / sizeof *attempts); \
  } while (0)

static void compliant_servers_are_talked_to(void **state) {
  (void)state;
  EXPECT({.row = "OpenSSL with TLS 1.2 agrees to ECDHE-RSA-AES128-GCM-SHA256"},
         {.row = "OpenSSL with TLS 1.2 agrees to ECDHE-ECDSA-AES256-GCM-SHA384"},
         {.row = "The ECC policy is served the ECDSA certificate of a server that has both", .policy = "iothub-ecc"},
         {.row = "A policy narrowed to one suite agrees to it", .policy = "iothub-tls12"},
         {.row = "A wildcard matches one label", .host = "d1.devices.example"});
  if (stack_under_test.has_tls13) {
    EXPECT({.row = "OpenSSL with TLS 1.3 and an ECDSA certificate agrees to TLS_AES_256_GCM_SHA384"});
  }
}

static void client_certificate_is_sent(void **state) {
  (void)state;
  EXPECT({.row = "OpenSSL with TLS 1.2 accepts a client certificate with a key p256", .identity = true},
         {.row = "OpenSSL with TLS 1.2 accepts a client certificate with a key rsa2048", .identity = true},
         {.row = "A client certificate refused in TLS 1.2 is told", .identity = true, .status = HUBTLS_ERROR_CLIENT_CERTIFICATE_REFUSED});
}

static void wrong_name_is_refused(void **state) {
  (void)state;
  EXPECT({.row = "A certificate for other names is refused and its names are told", .status = HUBTLS_ERROR_HOST_NAME_MISMATCH},
         {.row = "A wildcard does not match two labels", .host = "a.b.devices.example", .status = HUBTLS_ERROR_HOST_NAME_MISMATCH});
}

static void server_is_verified_by_its_address(void **state) {
  (void)state;
  hubtls_status right = stack_under_test.has_addresses ? HUBTLS_OK : HUBTLS_ERROR_INVALID_SERVER_NAME;
  hubtls_status wrong = stack_under_test.has_addresses ? HUBTLS_ERROR_HOST_NAME_MISMATCH : HUBTLS_ERROR_INVALID_SERVER_NAME;
  EXPECT({.row = "A server is verified by its IP address", .host = "127.0.0.1", .status = right},
         {.row = "A server is verified by its IP address", .host = "127.0.0.2", .status = wrong});
}

static void wrong_root_is_refused(void **state) {
  (void)state;
  EXPECT({.row = "A root that nobody trusts is refused", .roots = "unrelated.pem", .status = HUBTLS_ERROR_UNKNOWN_ROOT},
         {.row = "A root that nobody trusts is refused", .roots = "unrelated.pem", .added = true, .status = HUBTLS_ERROR_UNKNOWN_ROOT});
}

static void private_root_does_not_vouch_for_azure(void **state) {
  (void)state;
  const char *row = "An added private root does not vouch for a name of Azure's", *host = "hub1.azure-devices.net";
  EXPECT({.row = row, .host = host, .added = true, .status = HUBTLS_ERROR_UNKNOWN_ROOT},
         {.row = row, .host = host, .status = HUBTLS_ERROR_NO_ROOTS}, {.row = row, .host = host, .added = true, .vouching = true});
}

static void certificate_out_of_time_is_refused(void **state) {
  (void)state;
  EXPECT({.row = "An expired certificate is refused", .status = HUBTLS_ERROR_CERTIFICATE_EXPIRED},
         {.row = "A certificate that is not valid yet is refused and the clock is asked about",
          .status = HUBTLS_ERROR_CERTIFICATE_NOT_YET_VALID});
}

static void tls_1_1_is_refused(void **state) {
  (void)state;
  // A client of TLS 1.2 alone sends no list of versions: the server then tries an older one, and finds no suite for it.
  hubtls_status status = stack_under_test.has_tls13 ? HUBTLS_ERROR_PROTOCOL_VERSION : HUBTLS_ERROR_NO_COMMON_SUITE;
  EXPECT({.row = "A server that speaks only TLS 1.1 is refused", .status = status},
         {.row = "A server that speaks only TLS 1.0 is refused", .status = status});
}

static void weak_suites_are_refused(void **state) {
  (void)state;
  EXPECT({.row = "A server that offers only retired suites is refused", .status = HUBTLS_ERROR_NO_COMMON_SUITE},
         {.row = "The ECC policy has nothing in common with a server that has RSA alone",
          .policy = "iothub-ecc",
          .status = HUBTLS_ERROR_NO_COMMON_SUITE});
}

static void peer_that_speaks_no_tls_is_refused(void **state) {
  (void)state;
  EXPECT({.row = "A web server that answers in plain HTTP is no TLS server", .status = HUBTLS_ERROR_NOT_TLS},
         {.row = "A peer that closes in mid-handshake is told apart", .status = HUBTLS_ERROR_CLOSED_IN_HANDSHAKE});
}

static void bad_options_are_refused_before_anything_is_sent(void **state) {
  (void)state;
  hubtls_error error = HUBTLS_ERROR_INIT;
  hubtls_native_options options = HUBTLS_NATIVE_OPTIONS_INIT;
  assert_int_equal(stack_converse(-1, &options, NULL, 0, NULL, 0, &error), HUBTLS_ERROR_INVALID_SERVER_NAME);
  options.host = "https://hub1.azure-devices.net";
  assert_int_equal(stack_converse(-1, &options, NULL, 0, NULL, 0, &error), HUBTLS_ERROR_INVALID_SERVER_NAME);
  // An empty part: to OpenSSL the first would be "any name below".
  options.host = ".azure-devices.net";
  assert_int_equal(stack_converse(-1, &options, NULL, 0, NULL, 0, &error), HUBTLS_ERROR_INVALID_SERVER_NAME);
  options.host = "hub1..azure-devices.net";
  assert_int_equal(stack_converse(-1, &options, NULL, 0, NULL, 0, &error), HUBTLS_ERROR_INVALID_SERVER_NAME);
  options.host = "hub1.azure-devices.net";
  options.chain_pem = "";
  assert_int_equal(stack_converse(-1, &options, NULL, 0, NULL, 0, &error), HUBTLS_ERROR_INVALID_ARGUMENT);
  options.key_pem = "";
  assert_int_equal(stack_converse(-1, &options, NULL, 0, NULL, 0, &error), HUBTLS_ERROR_INVALID_CERTIFICATE);
  options.chain_pem = options.key_pem = NULL;
  const char *const protocols[] = {""};
  options.protocols = protocols;
  options.protocols_count = 1;
  assert_int_equal(stack_converse(-1, &options, NULL, 0, NULL, 0, &error), HUBTLS_ERROR_INVALID_ALPN);
  options.size = 1;
  assert_int_equal(stack_converse(-1, &options, NULL, 0, NULL, 0, &error), HUBTLS_ERROR_INVALID_ARGUMENT);
}

// The server agrees. A library that does not tell must not be used where a length is required.
static void fragment_length_is_requested_and_required(void **state) {
  (void)state;
  server peer;
  server_start(&peer, "A policy narrowed to one suite agrees to it");
  file pem = file_read(peer.directory, "roots.pem");
  hubtls_roots *roots = NULL;
  hubtls_policy *policy = NULL, *small = NULL;
  hubtls_error error = HUBTLS_ERROR_INIT;
  const hubtls_status outcomes[] = {HUBTLS_OK, stack_under_test.tells_fragment_length ? HUBTLS_OK : HUBTLS_ERROR_UNSUPPORTED_BY_ENGINE};
  const uint8_t modes[] = {HUBTLS_FRAGMENT_REQUEST, HUBTLS_FRAGMENT_REQUIRE};
  assert_int_equal(hubtls_roots_from_pem(pem.data, pem.len, &roots, &error), HUBTLS_OK);
  assert_int_equal(hubtls_policy_named("iothub", &policy, &error), HUBTLS_OK);
  for (size_t i = 0; i < 2; i++) {
    assert_int_equal(hubtls_policy_with_fragment_length(policy, modes[i], stack_under_test.fragment_length, &small, &error), HUBTLS_OK);
    hubtls_native_options options = HUBTLS_NATIVE_OPTIONS_INIT;
    options.policy = small;
    options.roots = roots;
    options.host = "localhost";
    int socket = server_dial(&peer);
    uint8_t answer[CONVERSATION_BYTES];
    hubtls_status status = stack_converse(socket, &options, peer.send, peer.send_len, answer, peer.receive_len, &error);
    if (status != outcomes[i]) {
      fail_msg("%s: %s (%s)", hubtls_status_name(status), error.message, error.hint);
    }
    close(socket);
    hubtls_policy_free(small);
  }
  hubtls_policy_free(policy);
  hubtls_roots_free(roots);
  file_free(&pem);
  server_stop(&peer);
}

typedef struct {
  int client;
  int server;
  // How often the client has spoken when the server has been asked: it may think for long before it does so.
  int turns;
} cable;

// Carries bytes both ways until one side ends or, when the conversation has been held, both have been quiet for a while; then cuts.
static void *carry(void *context) {
  cable *ends = context;
  struct pollfd sides[] = {{.fd = ends->client, .events = POLLIN}, {.fd = ends->server, .events = POLLIN}};
  uint8_t bytes[4096];
  bool open = true;
  int turns = 0, last = 1;
  while (open && poll(sides, 2, turns < ends->turns ? 30000 : 500) > 0) {
    for (int i = 0; open && i < 2; i++) {
      if (sides[i].revents != 0) {
        turns += i == 0 && last == 1;
        last = i;
        ssize_t count = recv(sides[i].fd, bytes, sizeof bytes, 0);
        open = count > 0 && send(sides[1 - i].fd, bytes, (size_t)count, MSG_NOSIGNAL) == count;
      }
    }
  }
  close(ends->client);
  return NULL;
}

// The end of the network is no end of the connection: something may be missing.
static void cut_connection_is_told_from_a_finished_one(void **state) {
  (void)state;
  static const char *const rows[] = {"OpenSSL with TLS 1.2 agrees to ECDHE-ECDSA-AES128-GCM-SHA256",
                                     "OpenSSL with TLS 1.3 and an ECDSA certificate agrees to TLS_AES_128_GCM_SHA256"};
  for (size_t i = 0; i < 1 + (size_t)stack_under_test.has_tls13; i++) {
    server peer;
    server_start(&peer, rows[i]);
    file pem = file_read(peer.directory, "roots.pem");
    hubtls_error error = HUBTLS_ERROR_INIT;
    hubtls_native_options options = HUBTLS_NATIVE_OPTIONS_INIT;
    hubtls_roots *roots = NULL;
    assert_int_equal(hubtls_roots_from_pem(pem.data, pem.len, &roots, &error), HUBTLS_OK);
    options.roots = roots;
    options.host = "localhost";
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    // TLS 1.3 takes a round trip less.
    cable cable = {ends[1], server_dial(&peer), i == 0 ? 3 : 2};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, carry, &cable), 0);
    uint8_t answer[CONVERSATION_BYTES];
    // Waits for one byte more than the server sends.
    hubtls_status status = stack_converse(ends[0], &options, peer.send, peer.send_len, answer, peer.receive_len + 1, &error);
    if (status != HUBTLS_ERROR_TRUNCATED) {
      fail_msg("%s: %s (%s)", hubtls_status_name(status), error.message, error.hint);
    }
    pthread_join(thread, NULL);
    close(ends[0]);
    close(cable.server);
    hubtls_roots_free(roots);
    file_free(&pem);
    server_stop(&peer);
  }
}

static void identity_is_checked_when_it_is_configured(void **state) {
  (void)state;
  server peer, other;
  server_start(&peer, "OpenSSL with TLS 1.2 accepts a client certificate with a key p256");
  server_start(&other, "OpenSSL with TLS 1.2 accepts a client certificate with a key p384");
  file chain = file_read(peer.directory, "identity.chain"), key = file_read(other.directory, "identity.key");
  hubtls_error error = HUBTLS_ERROR_INIT;
  hubtls_native_options options = HUBTLS_NATIVE_OPTIONS_INIT;
  options.host = "hub1.azure-devices.net";
  options.chain_pem = (const char *)chain.data;
  options.key_pem = (const char *)key.data;
  assert_int_equal(stack_converse(-1, &options, NULL, 0, NULL, 0, &error), HUBTLS_ERROR_KEY_MISMATCH);
  // A broken certificate after the client's own is not passed over.
  char *broken = calloc(1, chain.len + 100);
  file own_key = file_read(peer.directory, "identity.key");
  memcpy(broken, chain.data, chain.len);
  strcpy(broken + chain.len, "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n");
  options.chain_pem = broken;
  options.key_pem = (const char *)own_key.data;
  assert_int_equal(stack_converse(-1, &options, NULL, 0, NULL, 0, &error), HUBTLS_ERROR_INVALID_CERTIFICATE);
  options.chain_pem = (const char *)chain.data;
  free(broken);
  file_free(&own_key);
  options.key_pem = "no key";
  assert_int_equal(stack_converse(-1, &options, NULL, 0, NULL, 0, &error), HUBTLS_ERROR_INVALID_KEY);
  file_free(&chain);
  file_free(&key);
  server_stop(&peer);
  server_stop(&other);
}

int main(void) {
  // Some libraries write to a socket that is cut.
  signal(SIGPIPE, SIG_IGN);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(compliant_servers_are_talked_to),
      cmocka_unit_test(client_certificate_is_sent),
      cmocka_unit_test(wrong_name_is_refused),
      cmocka_unit_test(server_is_verified_by_its_address),
      cmocka_unit_test(wrong_root_is_refused),
      cmocka_unit_test(private_root_does_not_vouch_for_azure),
      cmocka_unit_test(certificate_out_of_time_is_refused),
      cmocka_unit_test(tls_1_1_is_refused),
      cmocka_unit_test(weak_suites_are_refused),
      cmocka_unit_test(peer_that_speaks_no_tls_is_refused),
      cmocka_unit_test(bad_options_are_refused_before_anything_is_sent),
      cmocka_unit_test(fragment_length_is_requested_and_required),
      cmocka_unit_test(cut_connection_is_told_from_a_finished_one),
      cmocka_unit_test(identity_is_checked_when_it_is_configured),
      cmocka_unit_test(client_hello_is_the_policys),
      cmocka_unit_test(client_hello_asks_for_each_fragment_length),
      cmocka_unit_test(client_hello_offers_the_protocols),
      cmocka_unit_test(narrowed_policy_is_offered_narrowed),
  };
  return cmocka_run_group_tests_name(stack_under_test.name, tests, NULL, NULL);
}
