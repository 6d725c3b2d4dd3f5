/* A hubtls policy as the options of azure-iot-sdk-c, which keeps its TLS library. Needs no header of the SDK.
 *
 *   hubtls_azure_iot_c_option options[HUBTLS_AZURE_IOT_C_OPTIONS];
 *   size_t count = hubtls_azure_iot_c_options(policy, roots, chain_pem, key_pem, options);
 *   for (size_t i = 0; i < count; i++)
 *     IoTHubDeviceClient_LL_SetOption(client, options[i].name, options[i].value);
 *
 * What the SDK cannot express: the suites of TLS 1.3, groups, signature algorithms and the fragment length. It takes the roots for all hosts, and
 * it verifies the host name by itself. Its option `tls_version` is not among these: with OpenSSL 1.1 or later it has no effect, so the
 * minimum version is what the system's OpenSSL is configured for (`MinProtocol` in openssl.cnf); the suites below exist in TLS 1.2 alone, so
 * with them nothing older can be agreed. To restrict everything, build the SDK's tlsio on hubtls_openssl.h or on the engine. */
#ifndef HUBTLS_AZURE_IOT_C_H
#define HUBTLS_AZURE_IOT_C_H

#include "hubtls.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hubtls_azure_iot_c_option {
  const char *name;
  const void *value;
} hubtls_azure_iot_c_option;

#define HUBTLS_AZURE_IOT_C_OPTIONS 4

/* Writes the options and returns how many. The values live as long as `policy`, `roots` and the two texts; `chain_pem` and `key_pem` are NULL for
 * a device with a symmetric key. Of `roots`, give those that hubtls_roots_believed_about says for your hub. Returns 0 if policy or roots is NULL,
 * or if the policy has no suite of TLS 1.2: the SDK could not be kept to it. */
static inline size_t hubtls_azure_iot_c_options(const hubtls_policy *policy, const hubtls_roots *roots, const char *chain_pem,
                                                const char *key_pem, hubtls_azure_iot_c_option options[HUBTLS_AZURE_IOT_C_OPTIONS]) {
  size_t count = 0;
  if (policy == NULL || roots == NULL || options == NULL || hubtls_policy_openssl_cipher_list(policy)[0] == 0) return 0;
  /* PEM text, all of it in one string. */
  options[count].name = "TrustedCerts";
  options[count++].value = hubtls_roots_pem(roots);
  /* Given to SSL_CTX_set_cipher_list: TLS 1.2 only; ignored by the SDK on other TLS libraries. */
  options[count].name = "CipherSuite";
  options[count++].value = hubtls_policy_openssl_cipher_list(policy);
  if (chain_pem != NULL && key_pem != NULL) {
    options[count].name = "x509certificate";
    options[count++].value = chain_pem;
    options[count].name = "x509privatekey";
    options[count++].value = key_pem;
  }
  return count;
}

#ifdef __cplusplus
}
#endif

#endif
