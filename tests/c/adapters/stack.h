#ifndef STACK_H
#define STACK_H

#include "hubtls_native.h"

// A TLS library under test, with the policy applied to it by its adapter.
typedef struct {
  const char *name;
  // Whether it offers TLS 1.3.
  bool has_tls13;
  // Whether its list of signature algorithms can be the policy's; else it is a part of it.
  bool has_all_schemes;
  // Whether it adds rsa_pss_pss_*, which the policy has not.
  bool adds_pss_pss;
  // Whether it can verify that a server has an IP address.
  bool has_addresses;
  // The fragment length with which it takes a server's chain of certificates.
  size_t fragment_length;
  // Whether it tells what fragment length was agreed on.
  bool tells_fragment_length;
  // Whether a fragment length keeps it to TLS 1.2.
  bool fragments_tls12_only;
} stack;

extern const stack stack_under_test;

// Shakes hands over the socket, sends and waits for the answer; `send_len` is 0 for a handshake alone.
hubtls_status stack_converse(int socket, const hubtls_native_options *options, const uint8_t *send, size_t send_len, uint8_t *receive,
                             size_t receive_len, hubtls_error *error);

#endif
