/* A hubtls policy applied to wolfSSL 5, which does the TLS. Header-only: hubtls itself does not link wolfSSL.
 *
 *   WOLFSSL_CTX *ctx = wolfSSL_CTX_new(wolfSSLv23_client_method());
 *   if (hubtls_wolfssl_configure(ctx, &options, &error)) ...
 *   WOLFSSL *ssl = wolfSSL_new(ctx);
 *   if (hubtls_wolfssl_prepare(ssl, &options, &error)) ...   // the name: without it wolfSSL accepts every server of a trusted root
 *   wolfSSL_set_fd(ssl, socket);
 *   int ret = wolfSSL_connect(ssl);
 *   if (ret != WOLFSSL_SUCCESS) hubtls_wolfssl_error(ssl, ret, &error);
 *
 * Needs wolfSSL built with --enable-opensslextra, --enable-sni and --enable-supportedcurves, as Debian's is; with --enable-maxfragment and
 * --enable-alpn for those. A context is for one host: of private roots it trusts only those that are
 * believed about the host of its options.
 *
 * What wolfSSL cannot express: whether a server agreed to a fragment length, so that a policy which requires one is refused; and the order of the
 * signature schemes, among which it puts rsa_pss_pss_* beside rsa_pss_rsae_*. Of a certificate without alternative names it takes the common name. */
#ifndef HUBTLS_WOLFSSL_H
#define HUBTLS_WOLFSSL_H

#include <wolfssl/options.h>
/* Its options come first. */
#include <wolfssl/error-ssl.h>
#include <wolfssl/ssl.h>
#include <wolfssl/wolfcrypt/error-crypt.h>

#include "hubtls_native.h"

#if !defined(OPENSSL_EXTRA) || !defined(HAVE_SNI) || !defined(HAVE_SUPPORTED_CURVES)
#error "hubtls_wolfssl.h needs wolfSSL built with --enable-opensslextra, --enable-sni and --enable-supportedcurves"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Whether this wolfSSL has every suite of the list: it passes over names that it does not know. */
static inline bool hubtls_wolfssl_has_all(const char *suites) {
  while (*suites != 0) {
    size_t len = strcspn(suites, ":");
    bool found = false;
    const char *known;
    for (int i = 0; !found && (known = wolfSSL_get_cipher_list(i)) != NULL; i++) found = strlen(known) == len && strncmp(known, suites, len) == 0;
    if (!found) return false;
    suites += len + (suites[len] == ':');
  }
  return true;
}

static inline hubtls_status hubtls_wolfssl_set_offer(WOLFSSL_CTX *ctx, const hubtls_policy *policy, hubtls_error *error) {
  const char *hint = "this wolfSSL was built without something that the policy needs: narrow the policy, or use another build";
  size_t count = 0;
  const uint16_t *versions = hubtls_policy_versions(policy, &count);
  if (wolfSSL_CTX_SetMinVersion(ctx, versions[count - 1] == HUBTLS_TLS_1_2 ? WOLFSSL_TLSV1_2 : WOLFSSL_TLSV1_3) != WOLFSSL_SUCCESS ||
      wolfSSL_CTX_set_max_proto_version(ctx, versions[0]) != WOLFSSL_SUCCESS ||
      !hubtls_wolfssl_has_all(hubtls_policy_wolfssl_cipher_list(policy)) ||
      wolfSSL_CTX_set_cipher_list(ctx, hubtls_policy_wolfssl_cipher_list(policy)) != WOLFSSL_SUCCESS ||
      wolfSSL_CTX_set1_sigalgs_list(ctx, hubtls_policy_wolfssl_signature_algorithms(policy)) != WOLFSSL_SUCCESS)
    return hubtls_error_fill(error, HUBTLS_ERROR_UNSUPPORTED_BY_ENGINE, "wolfSSL does not take the policy", hint);
  const uint16_t *groups = hubtls_policy_groups(policy, &count);
  for (size_t i = 0; i < count; i++)
    if (wolfSSL_CTX_UseSupportedCurve(ctx, groups[i]) != WOLFSSL_SUCCESS)
      return hubtls_error_fill(error, HUBTLS_ERROR_UNSUPPORTED_BY_ENGINE, "wolfSSL lacks a group of the policy", hint);
  unsigned char fragment = hubtls_native_fragment_code(policy);
  if (fragment == 0) return HUBTLS_OK;
  if (hubtls_policy_fragment_length(policy, NULL) == HUBTLS_FRAGMENT_REQUIRE)
    return hubtls_error_fill(error, HUBTLS_ERROR_UNSUPPORTED_BY_ENGINE, "wolfSSL does not tell whether a server agrees to a fragment length",
                             "request the length instead of requiring it");
#ifdef HAVE_MAX_FRAGMENT
  if (wolfSSL_CTX_UseMaxFragment(ctx, fragment) == WOLFSSL_SUCCESS) return HUBTLS_OK;
#endif
  return hubtls_error_fill(error, HUBTLS_ERROR_UNSUPPORTED_BY_ENGINE, "wolfSSL does not take the fragment length", hint);
}

/* Exactly these roots: whatever the context trusted before is gone. */
static inline hubtls_status hubtls_wolfssl_set_roots(WOLFSSL_CTX *ctx, const hubtls_roots *roots, hubtls_error *error) {
  const char *pem = hubtls_roots_pem(roots);
  if (wolfSSL_CTX_load_verify_buffer(ctx, (const unsigned char *)pem, (long)strlen(pem), WOLFSSL_FILETYPE_PEM) != WOLFSSL_SUCCESS)
    return hubtls_error_fill(error, HUBTLS_ERROR_INVALID_CERTIFICATE, "wolfSSL does not take a root", "replace the root");
  return HUBTLS_OK;
}

static inline int hubtls_wolfssl_give_passphrase(char *buffer, int size, int writing, void *passphrase) {
  (void)writing;
  const char *text = (const char *)passphrase;
  if (text == NULL || size <= 0 || strlen(text) > (size_t)size) return 0;
  memcpy(buffer, text, strlen(text));
  return (int)strlen(text);
}

/* Whether each certificate of the text can be read: wolfSSL sends a chain as it is. */
static inline bool hubtls_wolfssl_reads(const char *pem) {
  WOLFSSL_BIO *text = wolfSSL_BIO_new_mem_buf(pem, (int)strlen(pem));
  bool sound = text != NULL && strstr(pem, "-----BEGIN") != NULL;
  for (const char *rest = pem; sound && (rest = strstr(rest, "-----BEGIN")) != NULL; rest++) {
    WOLFSSL_X509 *certificate = wolfSSL_PEM_read_bio_X509(text, NULL, NULL, NULL);
    sound = certificate != NULL;
    wolfSSL_X509_free(certificate);
  }
  wolfSSL_BIO_free(text);
  return sound;
}

static inline hubtls_status hubtls_wolfssl_set_identity(WOLFSSL_CTX *ctx, const hubtls_native_options *options, hubtls_error *error) {
  const unsigned char *chain = (const unsigned char *)options->chain_pem, *key = (const unsigned char *)options->key_pem;
  if (!hubtls_wolfssl_reads(options->chain_pem) ||
      wolfSSL_CTX_use_certificate_chain_buffer(ctx, chain, (long)strlen(options->chain_pem)) != WOLFSSL_SUCCESS)
    return hubtls_error_fill(error, HUBTLS_ERROR_INVALID_CERTIFICATE, "the client's certificate cannot be used", "give it in PEM");
  wolfSSL_CTX_set_default_passwd_cb(ctx, hubtls_wolfssl_give_passphrase);
  wolfSSL_CTX_set_default_passwd_cb_userdata(ctx, (void *)(size_t)options->passphrase);
  int ret = wolfSSL_CTX_use_PrivateKey_buffer(ctx, key, (long)strlen(options->key_pem), WOLFSSL_FILETYPE_PEM);
  wolfSSL_CTX_set_default_passwd_cb_userdata(ctx, NULL);
  if (ret != WOLFSSL_SUCCESS) {
    if (strstr(options->key_pem, "ENCRYPTED") == NULL)
      return hubtls_error_fill(error, HUBTLS_ERROR_INVALID_KEY, "the private key cannot be read", "give it in PEM");
    return hubtls_error_fill(error, options->passphrase == NULL ? HUBTLS_ERROR_PASSPHRASE_REQUIRED : HUBTLS_ERROR_WRONG_PASSPHRASE,
                             "the private key cannot be read", "give its passphrase");
  }
  if (wolfSSL_CTX_check_private_key(ctx) != WOLFSSL_SUCCESS)
    return hubtls_error_fill(error, HUBTLS_ERROR_KEY_MISMATCH, "the private key belongs to another certificate",
                             "give the key of the first certificate of the chain");
  return HUBTLS_OK;
}

/* Applies the policy to a new context: versions, suites, groups, signature algorithms, roots, fragment length and the client's identity. Copies
 * everything. After a failure the context trusts nobody: free it.
 *
 * Errors: INVALID_SERVER_NAME, INVALID_ALPN, NO_ROOTS, UNSUPPORTED_BY_ENGINE, INVALID_CERTIFICATE, INVALID_KEY, KEY_MISMATCH, PASSPHRASE_REQUIRED,
 * WRONG_PASSPHRASE, INVALID_ARGUMENT. */
static inline hubtls_status hubtls_wolfssl_configure(WOLFSSL_CTX *ctx, const hubtls_native_options *options, hubtls_error *error) {
  if (ctx == NULL) return hubtls_error_fill(error, HUBTLS_ERROR_INVALID_ARGUMENT, "ctx is NULL", "check what wolfSSL_CTX_new returned");
  wolfSSL_CTX_set_verify(ctx, WOLFSSL_VERIFY_PEER, NULL);
  wolfSSL_CTX_UnloadCAs(ctx);
  hubtls_native_plan plan;
  hubtls_status status = hubtls_native_make_plan(&plan, options, error);
  if (status == HUBTLS_OK) status = hubtls_wolfssl_set_offer(ctx, plan.policy, error);
  if (status == HUBTLS_OK && options->chain_pem != NULL) status = hubtls_wolfssl_set_identity(ctx, options, error);
  if (status == HUBTLS_OK) status = hubtls_wolfssl_set_roots(ctx, plan.roots, error);
  hubtls_native_release(&plan);
  return status;
}

static inline hubtls_status hubtls_wolfssl_set_protocols(WOLFSSL *ssl, const hubtls_native_plan *plan, hubtls_error *error) {
  if (plan->alpn_len == 0) return HUBTLS_OK;
#ifdef HAVE_ALPN
  /* Commas between the names instead of lengths before them. */
  char names[HUBTLS_NATIVE_ALPN];
  for (size_t at = 0; at < plan->alpn_len; at += 1 + (size_t)plan->alpn[at])
    if (memchr(plan->alpn + at + 1, ',', plan->alpn[at]) != NULL)
      return hubtls_error_fill(error, HUBTLS_ERROR_INVALID_ALPN, "wolfSSL cannot offer a protocol with a comma in its name", "use another name");
  memcpy(names, plan->alpn + 1, plan->alpn_len - 1);
  for (size_t at = plan->alpn[0]; at < plan->alpn_len - 1; at += 1 + (size_t)plan->alpn[at + 1]) names[at] = ',';
  if (wolfSSL_UseALPN(ssl, names, (unsigned)plan->alpn_len - 1, WOLFSSL_ALPN_FAILED_ON_MISMATCH) == WOLFSSL_SUCCESS) return HUBTLS_OK;
  return hubtls_error_fill(error, HUBTLS_ERROR_INVALID_ALPN, "wolfSSL does not take the protocols", "check their names");
#else
  (void)ssl;
  return hubtls_error_fill(error, HUBTLS_ERROR_UNSUPPORTED_BY_ENGINE, "this wolfSSL has no ALPN", "build it with --enable-alpn");
#endif
}

/* Prepares one connection made from a configured context: the name goes into the ClientHello (SNI) and is verified; and ALPN.
 *
 * Errors: INVALID_SERVER_NAME, INVALID_ALPN, NO_ROOTS, UNSUPPORTED_BY_ENGINE, INVALID_ARGUMENT. */
static inline hubtls_status hubtls_wolfssl_prepare(WOLFSSL *ssl, const hubtls_native_options *options, hubtls_error *error) {
  if (ssl == NULL) return hubtls_error_fill(error, HUBTLS_ERROR_INVALID_ARGUMENT, "ssl is NULL", "check what wolfSSL_new returned");
  hubtls_native_plan plan;
  hubtls_status status = hubtls_native_make_plan(&plan, options, error);
  if (status == HUBTLS_OK) {
    bool set = plan.host_is_address
                   ? wolfSSL_X509_VERIFY_PARAM_set1_ip_asc(wolfSSL_get0_param(ssl), plan.host) == WOLFSSL_SUCCESS
                   : wolfSSL_check_domain_name(ssl, plan.host) == WOLFSSL_SUCCESS &&
                         wolfSSL_UseSNI(ssl, WOLFSSL_SNI_HOST_NAME, plan.host, (unsigned short)strlen(plan.host)) == WOLFSSL_SUCCESS;
    if (!set)
      status = hubtls_error_fill(error, HUBTLS_ERROR_INVALID_SERVER_NAME, "wolfSSL does not take the host name", "give a DNS name or an IP address");
  }
  if (status == HUBTLS_OK) status = hubtls_wolfssl_set_protocols(ssl, &plan, error);
  hubtls_native_release(&plan);
  return status;
}

static inline hubtls_status hubtls_wolfssl_failed(hubtls_status status, const char *what, int code, const char *hint, hubtls_error *error) {
  char reason[WOLFSSL_MAX_ERROR_SZ] = "", message[HUBTLS_ERROR_TEXT];
  wolfSSL_ERR_error_string_n((unsigned long)(unsigned)-code, reason, sizeof reason);
  snprintf(message, sizeof message, "%s: %s (%d)", what, reason, code);
  return hubtls_error_fill(error, status, message, hint);
}

/* Says in hubtls's codes why wolfSSL_connect, wolfSSL_read or wolfSSL_write returned `ret`. Call it at once. HUBTLS_OK: nothing failed, or the server has
 * finished in good order. */
static inline hubtls_status hubtls_wolfssl_error(WOLFSSL *ssl, int ret, hubtls_error *error) {
  const char *certificate = "the server's certificate is not to be trusted";
  if (ssl == NULL) return hubtls_error_fill(error, HUBTLS_ERROR_INVALID_ARGUMENT, "ssl is NULL", "pass the connection that failed");
  if (ret > 0) return HUBTLS_OK;
  int code = wolfSSL_get_error(ssl, ret);
  WOLFSSL_ALERT_HISTORY alerts;
  memset(&alerts, 0, sizeof alerts);
  wolfSSL_get_alert_history(ssl, &alerts);
  switch (code) {
    case WOLFSSL_ERROR_WANT_READ:
    case WOLFSSL_ERROR_WANT_WRITE:
      return hubtls_wolfssl_failed(HUBTLS_ERROR_IO, "the socket is not ready", code, "wait until it is ready, then call again", error);
    case DOMAIN_NAME_MISMATCH:
    case IPADDR_MISMATCH:
      return hubtls_wolfssl_failed(HUBTLS_ERROR_HOST_NAME_MISMATCH, certificate, code, "connect with a name that it is for", error);
    case ASN_NO_SIGNER_E:
    case ASN_SELF_SIGNED_E:
      return hubtls_wolfssl_failed(HUBTLS_ERROR_UNKNOWN_ROOT, certificate, code,
                                   "if this is your own server, give its root; a private root vouches for names of Azure's only if it is told to", error);
    case ASN_AFTER_DATE_E:
      return hubtls_wolfssl_failed(HUBTLS_ERROR_CERTIFICATE_EXPIRED, certificate, code, "it has expired: renew it, or is this machine's clock wrong?", error);
    case ASN_BEFORE_DATE_E:
      return hubtls_wolfssl_failed(HUBTLS_ERROR_CERTIFICATE_NOT_YET_VALID, certificate, code, "it is not valid yet: is this machine's clock set?", error);
    case VERSION_ERROR:
      return hubtls_wolfssl_failed(HUBTLS_ERROR_PROTOCOL_VERSION, "the server does not speak TLS 1.2 or later", code, "it has to be updated", error);
    case MATCH_SUITE_ERROR:
      return hubtls_wolfssl_failed(HUBTLS_ERROR_NO_COMMON_SUITE, "the server chose what was not offered", code, "it has to be updated", error);
    case LENGTH_ERROR:
      if (wolfSSL_is_init_finished(ssl))
        return hubtls_wolfssl_failed(HUBTLS_ERROR_RECORD_OVERFLOW, "a record is larger than agreed", code, "the server has to be mended", error);
      /* Text read as the header of a record has an impossible length. */
      return hubtls_wolfssl_failed(HUBTLS_ERROR_NOT_TLS, "what the server sent is no TLS", code, "check the port: 8883 is MQTT over TLS", error);
    case UNKNOWN_RECORD_TYPE:
    case UNKNOWN_HANDSHAKE_TYPE:
      return hubtls_wolfssl_failed(HUBTLS_ERROR_NOT_TLS, "what the server sent is no TLS", code, "check the port: 8883 is MQTT over TLS", error);
    case WOLFSSL_ERROR_ZERO_RETURN:
      if (wolfSSL_is_init_finished(ssl)) return HUBTLS_OK;
      return hubtls_wolfssl_failed(HUBTLS_ERROR_CLOSED_IN_HANDSHAKE, "the connection ended", code, "the server's log may tell why", error);
    case SOCKET_PEER_CLOSED_E:
    case SOCKET_ERROR_E:
      return hubtls_wolfssl_failed(wolfSSL_is_init_finished(ssl) ? HUBTLS_ERROR_TRUNCATED : HUBTLS_ERROR_CLOSED_IN_HANDSHAKE, "the connection ended",
                                   code, "the network or the server failed; try again", error);
    default:
      break;
  }
  if (alerts.last_rx.level == 2 && alerts.last_rx.code >= 0)
    return hubtls_native_alert((unsigned char)alerts.last_rx.code, wolfSSL_get_certificate(ssl) != NULL, error);
  return hubtls_wolfssl_failed(HUBTLS_ERROR_PEER_MISBEHAVED, "TLS failed", code, "the server's log may tell why", error);
}

#ifdef __cplusplus
}
#endif

#endif
