/* A hubtls policy applied to OpenSSL 1.1.1 or later, which does the TLS. Header-only: hubtls itself does not link OpenSSL.
 *
 *   hubtls_native_options options = HUBTLS_NATIVE_OPTIONS_INIT;
 *   options.host = "my-hub.azure-devices.net";
 *   SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
 *   if (hubtls_openssl_configure(ctx, &options, &error)) ...
 *   SSL *ssl = SSL_new(ctx);
 *   if (hubtls_openssl_prepare(ssl, &options, &error)) ...
 *   int ret = SSL_connect(ssl);
 *   if (ret != 1) hubtls_openssl_error(ssl, ret, &error);
 *   else if (hubtls_openssl_check(ssl, &options, &error)) ...
 *
 * A context is for one host: its name is verified for every connection made from it, also by libraries that only take an SSL_CTX, and of private roots
 * it trusts only those that are believed about that host. With OpenSSL 3, hubtls_openssl_prepare refuses another host. */
#ifndef HUBTLS_OPENSSL_H
#define HUBTLS_OPENSSL_H

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "hubtls_native.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Fills `error` with what OpenSSL says, and empties its queue. */
static inline hubtls_status hubtls_openssl_failed(hubtls_status status, const char *what, const char *hint, hubtls_error *error) {
  char message[HUBTLS_ERROR_TEXT];
  const char *reason = ERR_reason_error_string(ERR_peek_last_error());
  snprintf(message, sizeof message, "%s%s%s", what, reason == NULL ? "" : ": ", reason == NULL ? "" : reason);
  ERR_clear_error();
  return hubtls_error_fill(error, status, message, hint);
}

static inline hubtls_status hubtls_openssl_set_offer(SSL_CTX *ctx, const hubtls_policy *policy, hubtls_error *error) {
  const char *hint = "this OpenSSL was built without something that the policy needs: narrow the policy, or use another build";
  size_t version_count = 0, suite_count = 0;
  const uint16_t *versions = hubtls_policy_versions(policy, &version_count);
  const uint16_t *suites = hubtls_policy_suites(policy, &suite_count);
  const char *list = hubtls_policy_openssl_cipher_list(policy);
  /* The list for TLS 1.2 may not be empty, even if nobody reads it. */
  if (!SSL_CTX_set_min_proto_version(ctx, versions[version_count - 1]) || !SSL_CTX_set_max_proto_version(ctx, versions[0]) ||
      !SSL_CTX_set_ciphersuites(ctx, hubtls_policy_openssl_ciphersuites(policy)) ||
      (list[0] != 0 && !SSL_CTX_set_cipher_list(ctx, list)) || !SSL_CTX_set1_groups_list(ctx, hubtls_policy_openssl_groups(policy)) ||
      !SSL_CTX_set1_sigalgs_list(ctx, hubtls_policy_openssl_signature_algorithms(policy)))
    return hubtls_openssl_failed(HUBTLS_ERROR_UNSUPPORTED_BY_ENGINE, "OpenSSL does not take the policy", hint, error);
  /* OpenSSL passes over names that it does not know. */
  size_t held = 0;
  STACK_OF(SSL_CIPHER) *ciphers = SSL_CTX_get_ciphers(ctx);
  for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); i++)
    held += hubtls_native_holds(suites, suite_count, SSL_CIPHER_get_protocol_id(sk_SSL_CIPHER_value(ciphers, i)));
  if (held != suite_count)
    return hubtls_error_fill(error, HUBTLS_ERROR_UNSUPPORTED_BY_ENGINE, "OpenSSL lacks a cipher suite of the policy", hint);
  SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION);
  SSL_CTX_clear_options(ctx, SSL_OP_LEGACY_SERVER_CONNECT | SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION);
  if (!SSL_CTX_set_tlsext_max_fragment_length(ctx, hubtls_native_fragment_code(policy)))
    return hubtls_openssl_failed(HUBTLS_ERROR_UNSUPPORTED_BY_ENGINE, "OpenSSL does not take the fragment length", hint, error);
  return HUBTLS_OK;
}

/* Exactly these roots: whatever the context trusted before is gone. */
static inline hubtls_status hubtls_openssl_set_roots(SSL_CTX *ctx, const hubtls_roots *roots, hubtls_error *error) {
  const char *pem = roots == NULL ? "" : hubtls_roots_pem(roots);
  BIO *text = BIO_new_mem_buf(pem, -1);
  X509_STORE *store = X509_STORE_new();
  bool sound = text != NULL && store != NULL;
  for (const char *rest = pem; sound && (rest = strstr(rest, "-----BEGIN")) != NULL; rest++) {
    X509 *certificate = PEM_read_bio_X509(text, NULL, NULL, NULL);
    sound = certificate != NULL && X509_STORE_add_cert(store, certificate);
    X509_free(certificate);
  }
  BIO_free(text);
  if (!sound) {
    X509_STORE_free(store);
    return hubtls_openssl_failed(HUBTLS_ERROR_INVALID_CERTIFICATE, "OpenSSL does not take a root", "replace the root", error);
  }
  /* A root of hubtls's need not be self-signed. */
  X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
  SSL_CTX_set_cert_store(ctx, store);
  /* This one would be preferred. */
  SSL_CTX_set0_verify_cert_store(ctx, NULL);
  return HUBTLS_OK;
}

static inline hubtls_status hubtls_openssl_set_name(X509_VERIFY_PARAM *param, const hubtls_native_plan *plan, hubtls_error *error) {
  X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  int set = plan->host_is_address ? X509_VERIFY_PARAM_set1_ip_asc(param, plan->host) && X509_VERIFY_PARAM_set1_host(param, NULL, 0)
                                  : X509_VERIFY_PARAM_set1_host(param, plan->host, 0) && X509_VERIFY_PARAM_set1_ip(param, NULL, 0);
  if (!set)
    return hubtls_openssl_failed(HUBTLS_ERROR_INVALID_SERVER_NAME, "OpenSSL does not take the host name",
                                 "give a DNS name or an IP address", error);
  return HUBTLS_OK;
}

static inline int hubtls_openssl_give_passphrase(char *buffer, int size, int writing, void *passphrase) {
  (void)writing;
  const char *text = (const char *)passphrase;
  if (text == NULL || size <= 0 || strlen(text) > (size_t)size) return -1;
  memcpy(buffer, text, strlen(text));
  return (int)strlen(text);
}

static inline hubtls_status hubtls_openssl_set_identity(SSL_CTX *ctx, const hubtls_native_options *options, hubtls_error *error) {
  void *passphrase = (void *)(size_t)options->passphrase;
  BIO *chain = BIO_new_mem_buf(options->chain_pem, -1), *key = BIO_new_mem_buf(options->key_pem, -1);
  X509 *certificate = chain == NULL ? NULL : PEM_read_bio_X509(chain, NULL, NULL, NULL);
  EVP_PKEY *private_key = key == NULL ? NULL : PEM_read_bio_PrivateKey(key, NULL, hubtls_openssl_give_passphrase, passphrase);
  hubtls_status status = HUBTLS_OK;
  if (certificate == NULL || !SSL_CTX_use_certificate(ctx, certificate)) {
    status = hubtls_openssl_failed(HUBTLS_ERROR_INVALID_CERTIFICATE, "the client's certificate cannot be used", "give it in PEM", error);
  } else if (private_key == NULL) {
    bool encrypted = strstr(options->key_pem, "ENCRYPTED") != NULL;
    status = hubtls_openssl_failed(!encrypted                     ? HUBTLS_ERROR_INVALID_KEY
                                   : options->passphrase == NULL ? HUBTLS_ERROR_PASSPHRASE_REQUIRED
                                                                 : HUBTLS_ERROR_WRONG_PASSPHRASE,
                                   "the private key cannot be read", encrypted ? "give its passphrase" : "give it in PEM", error);
  } else if (X509_check_private_key(certificate, private_key) != 1 || !SSL_CTX_use_PrivateKey(ctx, private_key)) {
    status = hubtls_openssl_failed(HUBTLS_ERROR_KEY_MISMATCH, "the private key belongs to another certificate",
                                   "give the key of the first certificate of the chain", error);
  } else {
    SSL_CTX_clear_chain_certs(ctx);
    X509 *issuer;
    while (status == HUBTLS_OK && (issuer = PEM_read_bio_X509(chain, NULL, NULL, NULL)) != NULL)
      if (!SSL_CTX_add0_chain_cert(ctx, issuer)) {
        X509_free(issuer);
        status = hubtls_openssl_failed(HUBTLS_ERROR_INVALID_CERTIFICATE, "the client's chain cannot be used", "replace it", error);
      }
    /* The end of the text is no failure. */
    if (status == HUBTLS_OK && ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
      status = hubtls_openssl_failed(HUBTLS_ERROR_INVALID_CERTIFICATE, "a certificate of the client's chain cannot be read", "replace it", error);
    ERR_clear_error();
  }
  X509_free(certificate);
  EVP_PKEY_free(private_key);
  BIO_free(chain);
  BIO_free(key);
  return status;
}

/* Applies the policy to a context: versions, both lists of suites, groups, signature algorithms, roots, the name to verify, fragment length, ALPN
 * and the client's identity. Copies everything. After a failure the context trusts nobody: free it.
 *
 * Errors: INVALID_SERVER_NAME, INVALID_ALPN, NO_ROOTS, UNSUPPORTED_BY_ENGINE, INVALID_CERTIFICATE, INVALID_KEY, KEY_MISMATCH, PASSPHRASE_REQUIRED,
 * WRONG_PASSPHRASE, INVALID_ARGUMENT. */
static inline hubtls_status hubtls_openssl_configure(SSL_CTX *ctx, const hubtls_native_options *options, hubtls_error *error) {
  if (ctx == NULL) return hubtls_error_fill(error, HUBTLS_ERROR_INVALID_ARGUMENT, "ctx is NULL", "check what SSL_CTX_new returned");
  ERR_clear_error();
  SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
  /* An application's own would take the place of all verification. */
  SSL_CTX_set_cert_verify_callback(ctx, NULL, NULL);
  hubtls_status status = hubtls_openssl_set_roots(ctx, NULL, error);
  hubtls_native_plan plan;
  memset(&plan, 0, sizeof plan);
  if (status == HUBTLS_OK) status = hubtls_native_make_plan(&plan, options, error);
  if (status == HUBTLS_OK) status = hubtls_openssl_set_offer(ctx, plan.policy, error);
  if (status == HUBTLS_OK) status = hubtls_openssl_set_name(SSL_CTX_get0_param(ctx), &plan, error);
  /* Before 3.0 an empty list is an error. */
  if (status == HUBTLS_OK && (plan.alpn_len > 0 || OPENSSL_VERSION_NUMBER >= 0x30000000L) &&
      SSL_CTX_set_alpn_protos(ctx, plan.alpn, (unsigned)plan.alpn_len) != 0)
    status = hubtls_openssl_failed(HUBTLS_ERROR_INVALID_ALPN, "OpenSSL does not take the protocols", "check their names", error);
  if (status == HUBTLS_OK && options->chain_pem != NULL) status = hubtls_openssl_set_identity(ctx, options, error);
  if (status == HUBTLS_OK) status = hubtls_openssl_set_roots(ctx, plan.roots, error);
  hubtls_native_release(&plan);
  return status;
}

/* Whether the context, from which `param` comes, was configured for that host. */
static inline bool hubtls_openssl_is_for(X509_VERIFY_PARAM *param, const hubtls_native_plan *plan) {
#if OPENSSL_VERSION_NUMBER >= 0x30000000L
  const char *host = X509_VERIFY_PARAM_get0_host(param, 0);
  char *address = X509_VERIFY_PARAM_get1_ip_asc(param);
  bool same = host == NULL && address == NULL;
  if (host != NULL && !plan->host_is_address) same = strcmp(host, plan->host) == 0;
  if (address != NULL && plan->host_is_address) {
    X509_VERIFY_PARAM *other = X509_VERIFY_PARAM_new();
    char *wanted = other != NULL && X509_VERIFY_PARAM_set1_ip_asc(other, plan->host) ? X509_VERIFY_PARAM_get1_ip_asc(other) : NULL;
    same = wanted != NULL && strcmp(address, wanted) == 0;
    OPENSSL_free(wanted);
    X509_VERIFY_PARAM_free(other);
  }
  OPENSSL_free(address);
  return same;
#else
  (void)param;
  (void)plan;
  return true;
#endif
}

/* Prepares one connection made from a configured context: the name goes into the ClientHello (SNI) and is verified.
 *
 * Errors: INVALID_SERVER_NAME, INVALID_ALPN, NO_ROOTS, INVALID_ARGUMENT (also if the context is for another host). */
static inline hubtls_status hubtls_openssl_prepare(SSL *ssl, const hubtls_native_options *options, hubtls_error *error) {
  if (ssl == NULL) return hubtls_error_fill(error, HUBTLS_ERROR_INVALID_ARGUMENT, "ssl is NULL", "check what SSL_new returned");
  hubtls_native_plan plan;
  hubtls_status status = hubtls_native_make_plan(&plan, options, error);
  if (status == HUBTLS_OK && !hubtls_openssl_is_for(SSL_get0_param(ssl), &plan))
    status = hubtls_error_fill(error, HUBTLS_ERROR_INVALID_ARGUMENT, "the context was configured for another host", "configure a context for each host");
  if (status == HUBTLS_OK) status = hubtls_openssl_set_name(SSL_get0_param(ssl), &plan, error);
  /* An IP address may not stand there (RFC 6066, section 3). */
  if (status == HUBTLS_OK && !SSL_set_tlsext_host_name(ssl, plan.host_is_address ? NULL : plan.host))
    status = hubtls_openssl_failed(HUBTLS_ERROR_INVALID_SERVER_NAME, "OpenSSL does not take the host name", "give a DNS name", error);
  hubtls_native_release(&plan);
  return status;
}

/* Checks what a handshake agreed on: OpenSSL itself goes on if a server does not agree to a fragment length that is required.
 *
 * Errors: FRAGMENT_LENGTH_REFUSED, HANDSHAKE_NOT_COMPLETE, NO_COMMON_SUITE, CERTIFICATE_REJECTED; of the options INVALID_SERVER_NAME, INVALID_ALPN,
 * NO_ROOTS, INVALID_ARGUMENT. */
static inline hubtls_status hubtls_openssl_check(SSL *ssl, const hubtls_native_options *options, hubtls_error *error) {
  hubtls_native_plan plan;
  hubtls_status status = hubtls_native_make_plan(&plan, options, error);
  if (status == HUBTLS_OK && (ssl == NULL || !SSL_is_init_finished(ssl)))
    status = hubtls_error_fill(error, HUBTLS_ERROR_HANDSHAKE_NOT_COMPLETE, "nothing is agreed yet", "call SSL_connect until it returns 1");
  if (status == HUBTLS_OK && SSL_get_verify_result(ssl) != X509_V_OK)
    status = hubtls_error_fill(error, HUBTLS_ERROR_CERTIFICATE_REJECTED, "the server's certificate was not verified",
                               "leave the verification as hubtls_openssl_configure sets it");
  if (status == HUBTLS_OK) {
    size_t count = 0;
    const uint16_t *suites = hubtls_policy_suites(plan.policy, &count);
    if (!hubtls_native_holds(suites, count, SSL_CIPHER_get_protocol_id(SSL_get_current_cipher(ssl))))
      status = hubtls_error_fill(error, HUBTLS_ERROR_NO_COMMON_SUITE, "the cipher suite is not in the policy",
                                 "configure the context with the same options");
  }
  if (status == HUBTLS_OK && hubtls_policy_fragment_length(plan.policy, NULL) == HUBTLS_FRAGMENT_REQUIRE &&
      SSL_SESSION_get_max_fragment_length(SSL_get_session(ssl)) != hubtls_native_fragment_code(plan.policy))
    status = hubtls_error_fill(error, HUBTLS_ERROR_FRAGMENT_LENGTH_REFUSED, "the server did not agree to the fragment length",
                               "request the length instead of requiring it, or do without");
  hubtls_native_release(&plan);
  return status;
}

static inline hubtls_status hubtls_openssl_verify_error(long result, hubtls_error *error) {
  hubtls_status status = HUBTLS_ERROR_CERTIFICATE_REJECTED;
  const char *hint = "the server's certificate has to be replaced";
  switch (result) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      status = HUBTLS_ERROR_HOST_NAME_MISMATCH;
      hint = "connect with a name that the certificate is for";
      break;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_CERT_UNTRUSTED:
      status = HUBTLS_ERROR_UNKNOWN_ROOT;
      hint = "if this is your own server, give its root; a private root vouches for names of Azure's only if it is told to";
      break;
    case X509_V_ERR_CERT_HAS_EXPIRED:
      status = HUBTLS_ERROR_CERTIFICATE_EXPIRED;
      hint = "the server's certificate has to be renewed; or is this machine's clock wrong?";
      break;
    case X509_V_ERR_CERT_NOT_YET_VALID:
      status = HUBTLS_ERROR_CERTIFICATE_NOT_YET_VALID;
      hint = "is this machine's clock set?";
      break;
    case X509_V_ERR_CERT_REVOKED:
      status = HUBTLS_ERROR_CERTIFICATE_REVOKED;
      break;
    default:
      break;
  }
  return hubtls_openssl_failed(status, X509_verify_cert_error_string(result), hint, error);
}

/* Says in hubtls's codes why SSL_connect, SSL_read or SSL_write returned `ret`, and empties OpenSSL's queue of errors. Call it at once.
 * HUBTLS_OK: nothing failed, or the server has finished in good order. */
static inline hubtls_status hubtls_openssl_error(SSL *ssl, int ret, hubtls_error *error) {
  const char *network = "the network or the server failed; try again";
  if (ssl == NULL) return hubtls_error_fill(error, HUBTLS_ERROR_INVALID_ARGUMENT, "ssl is NULL", "pass the connection that failed");
  int kind = SSL_get_error(ssl, ret);
  unsigned long code = ERR_peek_error();
  int reason = ERR_GET_LIB(code) == ERR_LIB_SSL ? ERR_GET_REASON(code) : 0;
  /* SSL_is_init_finished is no longer true after a fatal error. */
  unsigned char finished[64];
  bool handshaking = SSL_get_peer_finished(ssl, finished, sizeof finished) == 0;
  if (kind == SSL_ERROR_NONE || (kind == SSL_ERROR_ZERO_RETURN && !handshaking)) return HUBTLS_OK;
  if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE)
    return hubtls_openssl_failed(HUBTLS_ERROR_IO, "the socket is not ready", "wait until it is ready, then call again", error);
  if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED) return hubtls_openssl_verify_error(SSL_get_verify_result(ssl), error);
  /* OpenSSL adds 1000 to the number of an alert that the peer sent. */
  if (reason > SSL_AD_REASON_OFFSET && reason <= SSL_AD_REASON_OFFSET + 255) {
    ERR_clear_error();
    return hubtls_native_alert((unsigned char)(reason - SSL_AD_REASON_OFFSET), SSL_get_certificate(ssl) != NULL, error);
  }
  switch (reason) {
    case 0:
      break;
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_WRONG_SSL_VERSION:
      return hubtls_openssl_failed(HUBTLS_ERROR_PROTOCOL_VERSION, "the server does not speak TLS 1.2 or later", "it has to be updated", error);
    case SSL_R_WRONG_VERSION_NUMBER:
      return hubtls_openssl_failed(HUBTLS_ERROR_NOT_TLS, "the server does not speak TLS", "check the port: 8883 is MQTT over TLS", error);
    case SSL_R_WRONG_CIPHER_RETURNED:
    case SSL_R_UNKNOWN_CIPHER_RETURNED:
      return hubtls_openssl_failed(HUBTLS_ERROR_NO_COMMON_SUITE, "the server chose what was not offered", "it has to be updated", error);
#ifdef SSL_R_UNEXPECTED_EOF_WHILE_READING
    case SSL_R_UNEXPECTED_EOF_WHILE_READING:
      kind = SSL_ERROR_SYSCALL;
      break;
#endif
    default:
      return hubtls_openssl_failed(HUBTLS_ERROR_PEER_MISBEHAVED, "TLS failed", "the server's log may tell why", error);
  }
  if (kind == SSL_ERROR_SYSCALL || kind == SSL_ERROR_ZERO_RETURN)
    return handshaking ? hubtls_openssl_failed(HUBTLS_ERROR_CLOSED_IN_HANDSHAKE, "the connection ended in mid-handshake", network, error)
                       : hubtls_openssl_failed(HUBTLS_ERROR_TRUNCATED, "the connection ended", network, error);
  /* The oldest error is of another part of OpenSSL: a signature or a certificate that it cannot read. */
  return hubtls_openssl_failed(HUBTLS_ERROR_PEER_MISBEHAVED, "TLS failed", "the server's log may tell why", error);
}

#ifdef __cplusplus
}
#endif

#endif
