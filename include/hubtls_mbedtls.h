/* A hubtls policy applied to mbedTLS 2.28, or 3.2 or later, which does the TLS. Header-only: hubtls itself does not link mbedTLS.
 *
 *   hubtls_mbedtls tls;                              // must live as long as the configuration: mbedTLS keeps pointers to it
 *   hubtls_mbedtls_init(&tls);
 *   mbedtls_ssl_config_init(&config);
 *   if (hubtls_mbedtls_configure(&tls, &config, &options, mbedtls_ctr_drbg_random, &drbg, &error)) ...
 *   mbedtls_ssl_setup(&ssl, &config);
 *   if (hubtls_mbedtls_prepare(&tls, &ssl, &error)) ...   // the name: without it mbedTLS accepts every server of a trusted root
 *   ret = mbedtls_ssl_handshake(&ssl);
 *   if (ret != 0) hubtls_mbedtls_error(&tls, &ssl, ret, &error);
 *   else if (hubtls_mbedtls_check(&tls, &ssl, &error)) ...
 *
 * What mbedTLS cannot express:
 * - It does not verify IP addresses: a host that is one is refused. Of a certificate without alternative names it takes the common name.
 * - It does not tell whether a server agreed to a fragment length: a policy that requires one is refused. Before 3.6.3 it does not put together a
 *   handshake message that spans several records: with a fragment length, the server's chain of certificates must be shorter than that.
 * - 2.28 has no TLS 1.3 (the policy's TLS 1.2 is offered) and takes hashes instead of signature schemes: it has no RSA-PSS and no Ed25519.
 * - 3.x refuses in TLS 1.3 the fragment length that it asked for: with one, TLS 1.2 alone is offered. In TLS 1.2 it refuses the RSA-PSS signatures that it
 *   offers for TLS 1.3: they come last, and a server of TLS 1.2 that prefers them all the same is not understood. It has no Ed25519. Call
 *   psa_crypto_init() before TLS 1.3. */
#ifndef HUBTLS_MBEDTLS_H
#define HUBTLS_MBEDTLS_H

#include <mbedtls/error.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/pk.h>
#include <mbedtls/platform_util.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ciphersuites.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>

#include "hubtls_native.h"

#if MBEDTLS_VERSION_NUMBER >= 0x03000000 && MBEDTLS_VERSION_NUMBER < 0x03020000
#error "hubtls_mbedtls.h needs mbedTLS 2.28, or 3.2 or later"
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* From 3.0 on, members of its structs have this around their names. */
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
#define HUBTLS_MBEDTLS_MEMBER(name) MBEDTLS_PRIVATE(name)
#else
#define HUBTLS_MBEDTLS_MEMBER(name) name
#endif

#define HUBTLS_MBEDTLS_MOST 32

/* What mbedTLS keeps pointers to. */
typedef struct hubtls_mbedtls {
  hubtls_native_plan plan;
  mbedtls_x509_crt roots;
  mbedtls_x509_crt chain;
  mbedtls_pk_context key;
  bool has_identity;
  int suites[HUBTLS_MBEDTLS_MOST + 1];
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
  uint16_t groups[HUBTLS_MBEDTLS_MOST + 1];
  uint16_t schemes[HUBTLS_MBEDTLS_MOST + 1];
#else
  mbedtls_ecp_group_id groups[HUBTLS_MBEDTLS_MOST + 1];
  int hashes[4];
#endif
  const char *protocols[HUBTLS_NATIVE_PROTOCOLS + 1];
  char protocol_names[HUBTLS_NATIVE_ALPN];
} hubtls_mbedtls;

static inline void hubtls_mbedtls_init(hubtls_mbedtls *tls) {
  memset(tls, 0, sizeof *tls);
  mbedtls_x509_crt_init(&tls->roots);
  mbedtls_x509_crt_init(&tls->chain);
  mbedtls_pk_init(&tls->key);
}

/* Frees what was kept; the configuration must be gone, or not be used any more. */
static inline void hubtls_mbedtls_free(hubtls_mbedtls *tls) {
  if (tls == NULL) return;
  hubtls_native_release(&tls->plan);
  mbedtls_x509_crt_free(&tls->roots);
  mbedtls_x509_crt_free(&tls->chain);
  mbedtls_pk_free(&tls->key);
  mbedtls_platform_zeroize(tls, sizeof *tls);
}

static inline hubtls_status hubtls_mbedtls_failed(hubtls_status status, const char *what, int ret, const char *hint, hubtls_error *error) {
  char reason[160] = "", message[HUBTLS_ERROR_TEXT];
#ifdef MBEDTLS_ERROR_C
  mbedtls_strerror(ret, reason, sizeof reason);
#endif
  snprintf(message, sizeof message, "%s: %s (-0x%04x)", what, reason, (unsigned)-ret);
  return hubtls_error_fill(error, status, message, hint);
}

static inline hubtls_status hubtls_mbedtls_set_versions(mbedtls_ssl_config *config, const hubtls_policy *policy, hubtls_error *error) {
  size_t count = 0;
  const uint16_t *versions = hubtls_policy_versions(policy, &count);
#if MBEDTLS_VERSION_NUMBER >= 0x03000000 && defined(MBEDTLS_SSL_PROTO_TLS1_3)
  bool oldest_is_1_2 = versions[count - 1] == HUBTLS_TLS_1_2, newest_is_1_2 = versions[0] == HUBTLS_TLS_1_2;
  if (hubtls_native_fragment_code(policy) != 0) {
    if (!oldest_is_1_2)
      return hubtls_error_fill(error, HUBTLS_ERROR_UNSUPPORTED_BY_ENGINE, "mbedTLS takes a fragment length in TLS 1.2 only",
                               "use a policy with TLS 1.2, or without a fragment length");
    newest_is_1_2 = true;
  }
  mbedtls_ssl_conf_min_tls_version(config, oldest_is_1_2 ? MBEDTLS_SSL_VERSION_TLS1_2 : MBEDTLS_SSL_VERSION_TLS1_3);
  mbedtls_ssl_conf_max_tls_version(config, newest_is_1_2 ? MBEDTLS_SSL_VERSION_TLS1_2 : MBEDTLS_SSL_VERSION_TLS1_3);
#else
  if (!hubtls_native_holds(versions, count, HUBTLS_TLS_1_2))
    return hubtls_error_fill(error, HUBTLS_ERROR_UNSUPPORTED_BY_ENGINE, "this mbedTLS has no TLS 1.3, and the policy has nothing else",
                             "use a policy with TLS 1.2");
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
  mbedtls_ssl_conf_min_tls_version(config, MBEDTLS_SSL_VERSION_TLS1_2);
  mbedtls_ssl_conf_max_tls_version(config, MBEDTLS_SSL_VERSION_TLS1_2);
#else
  mbedtls_ssl_conf_min_version(config, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
  mbedtls_ssl_conf_max_version(config, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
#endif
#endif
  return HUBTLS_OK;
}

/* The suites, groups and signature algorithms of the policy that this build of mbedTLS has. */
static inline hubtls_status hubtls_mbedtls_set_offer(hubtls_mbedtls *tls, mbedtls_ssl_config *config, hubtls_error *error) {
  const hubtls_policy *policy = tls->plan.policy;
  size_t count = 0, suites = 0, groups = 0;
  const uint16_t *list = hubtls_policy_suites(policy, &count);
  for (size_t i = 0; i < count && suites < HUBTLS_MBEDTLS_MOST; i++)
    if (mbedtls_ssl_ciphersuite_from_id(list[i]) != NULL) tls->suites[suites++] = list[i];
  list = hubtls_policy_groups(policy, &count);
  for (size_t i = 0; i < count && groups < HUBTLS_MBEDTLS_MOST; i++) {
    const mbedtls_ecp_curve_info *curve = mbedtls_ecp_curve_info_from_tls_id(list[i]);
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
    if (curve != NULL) tls->groups[groups++] = list[i];
#else
    if (curve != NULL) tls->groups[groups++] = curve->grp_id;
#endif
  }
  if (suites == 0 || groups == 0)
    return hubtls_error_fill(error, HUBTLS_ERROR_UNSUPPORTED_BY_ENGINE, "this mbedTLS has no cipher suite or no group of the policy",
                             "build it with ECDHE, AES and SHA-2");
  mbedtls_ssl_conf_ciphersuites(config, tls->suites);
  list = hubtls_policy_signature_schemes(policy, &count);
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
  size_t schemes = 0;
  /* RSA-PSS (08xx) last: in TLS 1.2 mbedTLS takes no signature of that kind, and a server that heeds the client's order then uses another. */
  for (int pss = 0; pss < 2; pss++)
    for (size_t i = 0; i < count && schemes < HUBTLS_MBEDTLS_MOST; i++)
      if (list[i] != MBEDTLS_TLS1_3_SIG_ED25519 && (list[i] >> 8 == 8) == (pss == 1)) tls->schemes[schemes++] = list[i];
  tls->schemes[schemes] = MBEDTLS_TLS1_3_SIG_NONE;
  mbedtls_ssl_conf_groups(config, tls->groups);
  mbedtls_ssl_conf_sig_algs(config, tls->schemes);
#else
  size_t hashes = 0;
  /* The first byte of a scheme of TLS 1.2 is its hash (RFC 5246, section 7.4.1.4.1). */
  const struct {
    unsigned first;
    int hash;
  } known[] = {{4, MBEDTLS_MD_SHA256}, {5, MBEDTLS_MD_SHA384}, {6, MBEDTLS_MD_SHA512}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    for (size_t j = 0; j < count; j++)
      if (list[j] >> 8 == known[i].first) {
        tls->hashes[hashes++] = known[i].hash;
        break;
      }
  tls->hashes[hashes] = MBEDTLS_MD_NONE;
  tls->groups[groups] = MBEDTLS_ECP_DP_NONE;
  mbedtls_ssl_conf_curves(config, tls->groups);
  mbedtls_ssl_conf_sig_hashes(config, tls->hashes);
#endif
  return HUBTLS_OK;
}

static inline hubtls_status hubtls_mbedtls_set_identity(hubtls_mbedtls *tls, mbedtls_ssl_config *config, const hubtls_native_options *options,
                                                        int (*random)(void *, unsigned char *, size_t), void *random_context,
                                                        hubtls_error *error) {
  const unsigned char *chain = (const unsigned char *)options->chain_pem, *key = (const unsigned char *)options->key_pem;
  const unsigned char *passphrase = (const unsigned char *)options->passphrase;
  size_t passphrase_len = passphrase == NULL ? 0 : strlen(options->passphrase);
  int ret = mbedtls_x509_crt_parse(&tls->chain, chain, strlen(options->chain_pem) + 1);
  if (ret != 0)
    return hubtls_mbedtls_failed(HUBTLS_ERROR_INVALID_CERTIFICATE, "the client's certificate cannot be used", ret, "give it in PEM", error);
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
  ret = mbedtls_pk_parse_key(&tls->key, key, strlen(options->key_pem) + 1, passphrase, passphrase_len, random, random_context);
#else
  ret = mbedtls_pk_parse_key(&tls->key, key, strlen(options->key_pem) + 1, passphrase, passphrase_len);
#endif
  if (ret != 0) {
    bool encrypted = strstr(options->key_pem, "ENCRYPTED") != NULL;
    return hubtls_mbedtls_failed(!encrypted           ? HUBTLS_ERROR_INVALID_KEY
                                 : passphrase == NULL ? HUBTLS_ERROR_PASSPHRASE_REQUIRED
                                                      : HUBTLS_ERROR_WRONG_PASSPHRASE,
                                 "the private key cannot be read", ret, encrypted ? "give its passphrase" : "give it in PEM", error);
  }
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
  ret = mbedtls_pk_check_pair(&tls->chain.pk, &tls->key, random, random_context);
#else
  (void)random;
  (void)random_context;
  ret = mbedtls_pk_check_pair(&tls->chain.pk, &tls->key);
#endif
  if (ret != 0)
    return hubtls_mbedtls_failed(HUBTLS_ERROR_KEY_MISMATCH, "the private key belongs to another certificate", ret,
                                 "give the key of the first certificate of the chain", error);
  ret = mbedtls_ssl_conf_own_cert(config, &tls->chain, &tls->key);
  if (ret != 0) return hubtls_mbedtls_failed(HUBTLS_ERROR_INTERNAL, "mbedTLS does not take the identity", ret, "free memory", error);
  tls->has_identity = true;
  return HUBTLS_OK;
}

static inline hubtls_status hubtls_mbedtls_set_protocols(hubtls_mbedtls *tls, mbedtls_ssl_config *config, hubtls_error *error) {
  /* Ended by zeros instead of begun with lengths. */
  size_t count = 0;
  for (size_t at = 0; at < tls->plan.alpn_len; at += 1 + (size_t)tls->plan.alpn[at]) {
    memcpy(tls->protocol_names + at, tls->plan.alpn + at + 1, tls->plan.alpn[at]);
    tls->protocols[count++] = tls->protocol_names + at;
  }
  if (count == 0) return HUBTLS_OK;
#ifdef MBEDTLS_SSL_ALPN
  int ret = mbedtls_ssl_conf_alpn_protocols(config, tls->protocols);
  if (ret != 0) return hubtls_mbedtls_failed(HUBTLS_ERROR_INVALID_ALPN, "mbedTLS does not take the protocols", ret, "check their names", error);
  return HUBTLS_OK;
#else
  (void)config;
  return hubtls_error_fill(error, HUBTLS_ERROR_UNSUPPORTED_BY_ENGINE, "this mbedTLS has no ALPN", "build it with MBEDTLS_SSL_ALPN");
#endif
}

/* Applies the policy to an initialised configuration: versions, suites, groups, signature algorithms, roots, fragment length, ALPN and the client's
 * identity. `tls` must live as long as the configuration. After a failure free both.
 *
 * Errors: INVALID_SERVER_NAME, INVALID_ALPN, NO_ROOTS, UNSUPPORTED_BY_ENGINE, INVALID_CERTIFICATE, INVALID_KEY, KEY_MISMATCH, PASSPHRASE_REQUIRED,
 * WRONG_PASSPHRASE, INVALID_ARGUMENT. */
static inline hubtls_status hubtls_mbedtls_configure(hubtls_mbedtls *tls, mbedtls_ssl_config *config, const hubtls_native_options *options,
                                                     int (*random)(void *, unsigned char *, size_t), void *random_context,
                                                     hubtls_error *error) {
  if (tls == NULL || config == NULL || random == NULL)
    return hubtls_error_fill(error, HUBTLS_ERROR_INVALID_ARGUMENT, "tls, config or random is NULL", "pass initialised structs and a generator");
  hubtls_mbedtls_free(tls);
  hubtls_mbedtls_init(tls);
  hubtls_status status = hubtls_native_make_plan(&tls->plan, options, error);
  if (status != HUBTLS_OK) return status;
  if (tls->plan.host_is_address)
    return hubtls_error_fill(error, HUBTLS_ERROR_INVALID_SERVER_NAME, "mbedTLS cannot verify an IP address", "connect by a DNS name");
  int ret = mbedtls_ssl_config_defaults(config, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);
  if (ret != 0) return hubtls_mbedtls_failed(HUBTLS_ERROR_INTERNAL, "mbedTLS has no defaults", ret, "free memory", error);
  mbedtls_ssl_conf_rng(config, random, random_context);
  mbedtls_ssl_conf_authmode(config, MBEDTLS_SSL_VERIFY_REQUIRED);
  mbedtls_ssl_conf_cert_profile(config, &mbedtls_x509_crt_profile_next);
#ifdef MBEDTLS_SSL_RENEGOTIATION
  mbedtls_ssl_conf_renegotiation(config, MBEDTLS_SSL_RENEGOTIATION_DISABLED);
#endif
  status = hubtls_mbedtls_set_versions(config, tls->plan.policy, error);
  if (status == HUBTLS_OK) status = hubtls_mbedtls_set_offer(tls, config, error);
  if (status == HUBTLS_OK && hubtls_policy_fragment_length(tls->plan.policy, NULL) == HUBTLS_FRAGMENT_REQUIRE)
    status = hubtls_error_fill(error, HUBTLS_ERROR_UNSUPPORTED_BY_ENGINE, "mbedTLS does not tell whether a server agrees to a fragment length",
                               "request the length instead of requiring it");
  unsigned char fragment = hubtls_native_fragment_code(tls->plan.policy);
  if (status == HUBTLS_OK && fragment != 0) {
#ifdef MBEDTLS_SSL_MAX_FRAGMENT_LENGTH
    ret = mbedtls_ssl_conf_max_frag_len(config, fragment);
#else
    ret = MBEDTLS_ERR_SSL_FEATURE_UNAVAILABLE;
#endif
    if (ret != 0)
      status = hubtls_mbedtls_failed(HUBTLS_ERROR_UNSUPPORTED_BY_ENGINE, "mbedTLS does not take the fragment length", ret,
                                     "build it with MBEDTLS_SSL_MAX_FRAGMENT_LENGTH", error);
  }
  if (status == HUBTLS_OK) status = hubtls_mbedtls_set_protocols(tls, config, error);
  if (status == HUBTLS_OK) {
    const char *pem = hubtls_roots_pem(tls->plan.roots);
    ret = mbedtls_x509_crt_parse(&tls->roots, (const unsigned char *)pem, strlen(pem) + 1);
    if (ret != 0) status = hubtls_mbedtls_failed(HUBTLS_ERROR_INVALID_CERTIFICATE, "mbedTLS does not take a root", ret, "replace the root", error);
  }
  if (status == HUBTLS_OK) mbedtls_ssl_conf_ca_chain(config, &tls->roots, NULL);
  if (status == HUBTLS_OK && options->chain_pem != NULL)
    status = hubtls_mbedtls_set_identity(tls, config, options, random, random_context, error);
  return status;
}

/* Prepares one connection, after mbedtls_ssl_setup: the name goes into the ClientHello (SNI) and is verified.
 *
 * Errors: INVALID_SERVER_NAME, INVALID_ARGUMENT. */
static inline hubtls_status hubtls_mbedtls_prepare(const hubtls_mbedtls *tls, mbedtls_ssl_context *ssl, hubtls_error *error) {
  if (tls == NULL || ssl == NULL || tls->plan.host[0] == 0)
    return hubtls_error_fill(error, HUBTLS_ERROR_INVALID_ARGUMENT, "tls or ssl is NULL or not configured", "call hubtls_mbedtls_configure first");
  int ret = mbedtls_ssl_set_hostname(ssl, tls->plan.host);
  if (ret != 0) return hubtls_mbedtls_failed(HUBTLS_ERROR_INVALID_SERVER_NAME, "mbedTLS does not take the host name", ret, "give a DNS name", error);
  return HUBTLS_OK;
}

static inline bool hubtls_mbedtls_is_connected(mbedtls_ssl_context *ssl) {
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
  return mbedtls_ssl_is_handshake_over(ssl) == 1;
#else
  return ssl->state == MBEDTLS_SSL_HANDSHAKE_OVER;
#endif
}

/* Checks what a handshake agreed on, and that the name was verified.
 *
 * Errors: HANDSHAKE_NOT_COMPLETE, CERTIFICATE_REJECTED, INVALID_ARGUMENT. */
static inline hubtls_status hubtls_mbedtls_check(const hubtls_mbedtls *tls, mbedtls_ssl_context *ssl, hubtls_error *error) {
  if (tls == NULL || ssl == NULL) return hubtls_error_fill(error, HUBTLS_ERROR_INVALID_ARGUMENT, "tls or ssl is NULL", "pass both");
  if (!hubtls_mbedtls_is_connected(ssl))
    return hubtls_error_fill(error, HUBTLS_ERROR_HANDSHAKE_NOT_COMPLETE, "nothing is agreed yet", "call mbedtls_ssl_handshake until it returns 0");
  const char *verified = ssl->HUBTLS_MBEDTLS_MEMBER(hostname);
  if (verified == NULL || strcmp(verified, tls->plan.host) != 0)
    return hubtls_error_fill(error, HUBTLS_ERROR_CERTIFICATE_REJECTED, "the server's name was not verified",
                             "call hubtls_mbedtls_prepare before the handshake");
  if (mbedtls_ssl_get_verify_result(ssl) != 0)
    return hubtls_error_fill(error, HUBTLS_ERROR_CERTIFICATE_REJECTED, "the server's certificate was not verified",
                             "leave the verification as hubtls_mbedtls_configure sets it");
  return HUBTLS_OK;
}

static inline hubtls_status hubtls_mbedtls_verify_error(uint32_t flags, int ret, hubtls_error *error) {
  const char *what = "the server's certificate is not to be trusted";
  if (flags & MBEDTLS_X509_BADCERT_EXPIRED)
    return hubtls_mbedtls_failed(HUBTLS_ERROR_CERTIFICATE_EXPIRED, what, ret, "it has expired: renew it, or is this machine's clock wrong?", error);
  if (flags & MBEDTLS_X509_BADCERT_FUTURE)
    return hubtls_mbedtls_failed(HUBTLS_ERROR_CERTIFICATE_NOT_YET_VALID, what, ret, "it is not valid yet: is this machine's clock set?", error);
  if (flags & MBEDTLS_X509_BADCERT_REVOKED) return hubtls_mbedtls_failed(HUBTLS_ERROR_CERTIFICATE_REVOKED, what, ret, "it was revoked", error);
  if (flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED)
    return hubtls_mbedtls_failed(HUBTLS_ERROR_UNKNOWN_ROOT, what, ret,
                                 "if this is your own server, give its root; a private root vouches for names of Azure's only if it is told to", error);
  if (flags & MBEDTLS_X509_BADCERT_CN_MISMATCH)
    return hubtls_mbedtls_failed(HUBTLS_ERROR_HOST_NAME_MISMATCH, what, ret, "connect with a name that it is for", error);
  return hubtls_mbedtls_failed(HUBTLS_ERROR_CERTIFICATE_REJECTED, what, ret, "it has to be replaced", error);
}

/* Says in hubtls's codes why mbedtls_ssl_handshake, _read or _write returned a negative number, or _read 0. Call it before anything else with
 * `ssl`. HUBTLS_OK: nothing failed, or the server has finished in good order. */
static inline hubtls_status hubtls_mbedtls_error(const hubtls_mbedtls *tls, mbedtls_ssl_context *ssl, int ret, hubtls_error *error) {
  if (tls == NULL || ssl == NULL) return hubtls_error_fill(error, HUBTLS_ERROR_INVALID_ARGUMENT, "tls or ssl is NULL", "pass both");
  if (ret > 0) return HUBTLS_OK;
  bool connected = hubtls_mbedtls_is_connected(ssl);
  const char *network = "the network or the server failed; try again";
  uint32_t flags = mbedtls_ssl_get_verify_result(ssl);
  switch (ret) {
    case MBEDTLS_ERR_SSL_WANT_READ:
    case MBEDTLS_ERR_SSL_WANT_WRITE:
#ifdef MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET
    case MBEDTLS_ERR_SSL_RECEIVED_NEW_SESSION_TICKET:
#endif
      return hubtls_mbedtls_failed(HUBTLS_ERROR_IO, "the socket is not ready", ret, "wait until it is ready, then call again", error);
    case MBEDTLS_ERR_SSL_TIMEOUT:
      return hubtls_mbedtls_failed(HUBTLS_ERROR_TIMEOUT, "the peer did not answer in time", ret, "check that the server is up", error);
    case MBEDTLS_ERR_X509_CERT_VERIFY_FAILED:
      return hubtls_mbedtls_verify_error(flags, ret, error);
    case MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE:
      return hubtls_native_alert(ssl->HUBTLS_MBEDTLS_MEMBER(in_msg)[1], tls->has_identity, error);
#if MBEDTLS_VERSION_NUMBER >= 0x03000000
    case MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION:
#else
    case MBEDTLS_ERR_SSL_BAD_HS_PROTOCOL_VERSION:
#endif
      return hubtls_mbedtls_failed(HUBTLS_ERROR_PROTOCOL_VERSION, "the server does not speak TLS 1.2 or later", ret, "it has to be updated", error);
    case 0:
    case MBEDTLS_ERR_SSL_CONN_EOF:
    case MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY:
      if (connected && ret == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) return HUBTLS_OK;
      return hubtls_mbedtls_failed(connected ? HUBTLS_ERROR_TRUNCATED : HUBTLS_ERROR_CLOSED_IN_HANDSHAKE, "the connection ended", ret, network, error);
    case MBEDTLS_ERR_NET_CONN_RESET:
    case MBEDTLS_ERR_NET_RECV_FAILED:
    case MBEDTLS_ERR_NET_SEND_FAILED:
      return hubtls_mbedtls_failed(HUBTLS_ERROR_IO, "the transport failed", ret, network, error);
    case MBEDTLS_ERR_SSL_INVALID_RECORD:
      return hubtls_mbedtls_failed(HUBTLS_ERROR_NOT_TLS, "what the server sent is no TLS", ret, "check the port: 8883 is MQTT over TLS", error);
    default:
      return hubtls_mbedtls_failed(HUBTLS_ERROR_PEER_MISBEHAVED, "TLS failed", ret, "the server's log may tell why", error);
  }
}

#ifdef __cplusplus
}
#endif

#endif
