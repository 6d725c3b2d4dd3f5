/* What the adapters for other TLS libraries have in common: the options, and the codes for what those libraries report. Include the header of
 * your library, not this one. */
#ifndef HUBTLS_NATIVE_H
#define HUBTLS_NATIVE_H

#include <stdio.h>
#include <string.h>

#include "hubtls.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How a policy is applied. Start with HUBTLS_NATIVE_OPTIONS_INIT and set `host`. Everything stays the caller's; it is used during the call
 * alone, unless the adapter says otherwise. */
typedef struct hubtls_native_options {
  /* sizeof(hubtls_native_options), as HUBTLS_NATIVE_OPTIONS_INIT sets it. */
  size_t size;
  /* What may be offered and accepted. NULL: the policy `iothub`. */
  const hubtls_policy *policy;
  /* The trusted roots. NULL: those of the policy. Of private ones, only those that vouch for Azure are used for a name of Azure's. */
  const hubtls_roots *roots;
  /* The name that the server's certificate must be for: a DNS name or an IP address. */
  const char *host;
  /* The client's certificate chain and key in PEM; NULL for none, or if the key is elsewhere and you set both with your library's functions. */
  const char *chain_pem;
  const char *key_pem;
  /* The key's passphrase, or NULL. */
  const char *passphrase;
  /* The protocols to offer with ALPN, most wanted first. */
  const char *const *protocols;
  size_t protocols_count;
} hubtls_native_options;

#define HUBTLS_NATIVE_OPTIONS_INIT { sizeof(hubtls_native_options), NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0 }

/* Longest DNS name and the zero after it. */
#define HUBTLS_NATIVE_HOST 254
/* Most protocols, and most bytes of them all in the form of RFC 7301. */
#define HUBTLS_NATIVE_PROTOCOLS 16
#define HUBTLS_NATIVE_ALPN 1024

/* What the options come to, once they are checked. */
typedef struct hubtls_native_plan {
  hubtls_policy *policy;
  hubtls_roots *roots;
  /* Without brackets and final dot. */
  char host[HUBTLS_NATIVE_HOST];
  bool host_is_address;
  /* The protocols in the form of RFC 7301. */
  unsigned char alpn[HUBTLS_NATIVE_ALPN];
  size_t alpn_len;
} hubtls_native_plan;

static inline void hubtls_native_release(hubtls_native_plan *plan) {
  hubtls_policy_free(plan->policy);
  hubtls_roots_free(plan->roots);
  plan->policy = NULL;
  plan->roots = NULL;
}

static inline hubtls_status hubtls_native_take_host(hubtls_native_plan *plan, const char *host, hubtls_error *error) {
  const char *hint = "set the member `host` of the options to the server's name, for example my-hub.azure-devices.net";
  size_t len = host == NULL ? 0 : strlen(host);
  if (len > 2 && host[0] == '[' && host[len - 1] == ']') {
    host += 1;
    len -= 2;
  } else if (len > 1 && host[len - 1] == '.') {
    len -= 1;
  }
  if (len == 0)
    return hubtls_error_fill(error, HUBTLS_ERROR_INVALID_SERVER_NAME, "there is no host name to verify", hint);
  if (len >= HUBTLS_NATIVE_HOST)
    return hubtls_error_fill(error, HUBTLS_ERROR_INVALID_SERVER_NAME, "the host name is too long", hint);
  memcpy(plan->host, host, len);
  plan->host[len] = 0;
  plan->host_is_address = strchr(plan->host, ':') != NULL || strspn(plan->host, "0123456789.") == len;
  if (strpbrk(plan->host, "/ @*?") != NULL || (plan->host_is_address && strchr(plan->host, ':') == NULL && len < 7))
    return hubtls_error_fill(error, HUBTLS_ERROR_INVALID_SERVER_NAME, "the host name is neither a DNS name nor an IP address",
                             "give the host name alone, without scheme, port and path");
  /* OpenSSL takes a dot at the beginning for "any name below". */
  if (plan->host[0] == '.' || strstr(plan->host, "..") != NULL)
    return hubtls_error_fill(error, HUBTLS_ERROR_INVALID_SERVER_NAME, "a part of the host name is empty", hint);
  return HUBTLS_OK;
}

static inline hubtls_status hubtls_native_take_protocols(hubtls_native_plan *plan, const hubtls_native_options *options,
                                                         hubtls_error *error) {
  for (size_t i = 0; i < options->protocols_count; i++) {
    size_t len = options->protocols == NULL || options->protocols[i] == NULL ? 0 : strlen(options->protocols[i]);
    if (len == 0 || len > 255 || plan->alpn_len + 1 + len > sizeof plan->alpn || i >= HUBTLS_NATIVE_PROTOCOLS)
      return hubtls_error_fill(error, HUBTLS_ERROR_INVALID_ALPN, "the protocols for ALPN are not valid",
                               "give at most 16 names of 1 to 255 bytes, 1,000 bytes in all");
    plan->alpn[plan->alpn_len] = (unsigned char)len;
    memcpy(plan->alpn + plan->alpn_len + 1, options->protocols[i], len);
    plan->alpn_len += 1 + len;
  }
  return HUBTLS_OK;
}

/* Checks the options. Release the plan, whatever comes out. */
static inline hubtls_status hubtls_native_make_plan(hubtls_native_plan *plan, const hubtls_native_options *options, hubtls_error *error) {
  memset(plan, 0, sizeof *plan);
  if (options == NULL || options->size < sizeof *options)
    return hubtls_error_fill(error, HUBTLS_ERROR_INVALID_ARGUMENT, "the options are NULL or do not say their size",
                             "start with HUBTLS_NATIVE_OPTIONS_INIT");
  if ((options->chain_pem == NULL) != (options->key_pem == NULL))
    return hubtls_error_fill(error, HUBTLS_ERROR_INVALID_ARGUMENT, "there is a chain without a key or a key without a chain",
                             "set both `chain_pem` and `key_pem`, or neither");
  hubtls_status status = hubtls_native_take_host(plan, options->host, error);
  if (status == HUBTLS_OK) status = hubtls_native_take_protocols(plan, options, error);
  if (status == HUBTLS_OK) {
    plan->policy = hubtls_policy_clone(options->policy);
    if (plan->policy == NULL) status = hubtls_policy_named("iothub", &plan->policy, error);
  }
  hubtls_roots *roots = NULL;
  if (status == HUBTLS_OK && options->roots == NULL) status = hubtls_roots_of_policy(plan->policy, &roots, error);
  if (status == HUBTLS_OK)
    status = hubtls_roots_believed_about(roots == NULL ? options->roots : roots, plan->host, &plan->roots, error);
  hubtls_roots_free(roots);
  if (status == HUBTLS_OK && hubtls_roots_pem(plan->roots)[0] == 0)
    status = hubtls_error_fill(error, HUBTLS_ERROR_NO_ROOTS, "no root is trusted for this server",
                               "give roots; private ones vouch for names of Azure's only after hubtls_roots_vouching_for_azure");
  return status;
}

/* The code, 1 to 4, of the fragment length that the policy asks for (RFC 6066, section 4); 0 if it asks for none. */
static inline unsigned char hubtls_native_fragment_code(const hubtls_policy *policy) {
  size_t bytes = 0;
  unsigned char code = 0;
  hubtls_policy_fragment_length(policy, &bytes);
  for (; bytes > 256; bytes /= 2) code++;
  return code;
}

/* Whether the policy lists `wanted`. */
static inline bool hubtls_native_holds(const uint16_t *list, size_t count, unsigned wanted) {
  for (size_t i = 0; i < count; i++)
    if (list[i] == wanted) return true;
  return false;
}

/* The server ended the connection with this alert. `sent_certificate`: the client has an identity. */
static inline hubtls_status hubtls_native_alert(unsigned char alert, bool sent_certificate, hubtls_error *error) {
  hubtls_status status = HUBTLS_ERROR_ALERT_RECEIVED;
  const char *hint = "the server's log may tell why";
  switch (alert) {
    case 70: /* protocol_version */
      status = HUBTLS_ERROR_PROTOCOL_VERSION;
      hint = "the server must speak TLS 1.2 or later: it has to be updated";
      break;
    case 40: /* handshake_failure */
    case 71: /* insufficient_security */
      status = HUBTLS_ERROR_NO_COMMON_SUITE;
      hint = "the server accepts none of the policy's cipher suites, or wants a client certificate that it did not get";
      break;
    case 116: /* certificate_required */
      status = HUBTLS_ERROR_CLIENT_CERTIFICATE_REQUIRED;
      hint = "configure an identity";
      break;
    case 42: /* bad_certificate and what follows */
    case 43:
    case 44:
    case 45:
    case 46:
    case 48:
      status = sent_certificate ? HUBTLS_ERROR_CLIENT_CERTIFICATE_REFUSED : HUBTLS_ERROR_CLIENT_CERTIFICATE_REQUIRED;
      hint = "check that the server trusts the issuer of the client certificate and that it is valid";
      break;
    case 120: /* no_application_protocol */
      status = HUBTLS_ERROR_NO_COMMON_PROTOCOL;
      hint = "offer a protocol that the server speaks, or none";
      break;
    default:
      break;
  }
  char message[96];
  snprintf(message, sizeof message, "the server ended the connection: %s (%u)", hubtls_alert_name(alert), (unsigned)alert);
  status = hubtls_error_fill(error, status, message, hint);
  if (error != NULL && error->size >= sizeof *error) {
    error->alert = alert;
    error->has_alert = true;
    error->alert_received = true;
  }
  return status;
}

#ifdef __cplusplus
}
#endif

#endif
