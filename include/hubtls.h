/* hubtls: TLS as Azure IoT Hub demands it. Generated: HUBTLS_BLESS=1 cargo test -p hubtls-c */

#ifndef HUBTLS_H
#define HUBTLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The rules that hold for all of it:
 *
 * - Ownership: what a function gives in an output of a type `hubtls_... **`, or returns as a non-const pointer, is the caller's and is freed
 *   once with the `_free` of its type. NULL is a no-op there, and so is a handle that was freed already, unless its address was given out
 *   anew. Everything else that is returned is lent, for as long as its comment says. What is passed in is copied or shared and may be freed
 *   at once.
 * - Outputs (`*policy`, `*taken`) are written on success alone and may not be NULL, unless a comment says so.
 * - Errors: a `hubtls_status` is HUBTLS_OK or one of HUBTLS_ERROR_*; comments name them without that prefix. The last argument, `error`, may be
 *   NULL. Nothing is kept in the thread.
 * - Misuse is reported, not punished: NULL where a handle is needed is HUBTLS_ERROR_INVALID_ARGUMENT, and questions about NULL have a harmless
 *   answer. Bytes are `data` and `len`; NULL with 0 is empty.
 * - A fault of hubtls's own is HUBTLS_ERROR_INTERNAL; in a library that was installed for size (`compact`, `small`) it ends the program instead.
 * - Threads: policies, roots, identities, configurations and what was negotiated never change and may be used by any number of threads.
 *   Builders, connections and each side of a stream are for one thread at a time; a second call meanwhile fails with HUBTLS_ERROR_IN_USE.
 *   Nobody may free what another call uses.
 * - Text is UTF-8 and ends with a zero. Versions, suites, groups and signature schemes are IANA's numbers.
 *
 * Define HUBTLS_POLICY_ONLY before including this if you link libhubtls-policy, which has no engine.
 */

#define HUBTLS_VERSION "0.1.0"
#define HUBTLS_VERSION_MAJOR 0
#define HUBTLS_VERSION_MINOR 1
#define HUBTLS_VERSION_PATCH 0

#ifndef HUBTLS_POLICY_ONLY
#define HUBTLS_ENGINE
#endif
/* `hubtls_stream` is over a socket of POSIX. Windows needs another `hubtls_stream_new`, which takes a SOCKET: that is not a descriptor, and wider than
 * an int. Until then use `hubtls_connection` there. */
#if !defined(_WIN32)
#define HUBTLS_POSIX
#endif

/* HUBTLS_OK or HUBTLS_ERROR_*. 1xx: fix the call. 2xx: fix the configuration. 3xx: the peer is not to be trusted or does not speak what it
 * must. 4xx: the transport failed, try again. 9xx: a fault of hubtls or of the machine. Numbers and names never change and are the same in every language. */
typedef int32_t hubtls_status;
enum {
  HUBTLS_ERROR_INVALID_ARGUMENT = 101,
  HUBTLS_ERROR_HANDSHAKE_NOT_COMPLETE = 102,
  HUBTLS_ERROR_WRITE_AFTER_FINISH = 103,
  HUBTLS_ERROR_INVALID_SERVER_NAME = 104,
  HUBTLS_ERROR_IN_USE = 105,
  HUBTLS_ERROR_UNKNOWN_POLICY = 201,
  HUBTLS_ERROR_UNKNOWN_SUITE = 202,
  HUBTLS_ERROR_UNKNOWN_GROUP = 203,
  HUBTLS_ERROR_UNKNOWN_VERSION = 204,
  HUBTLS_ERROR_POLICY_WIDENED = 205,
  HUBTLS_ERROR_POLICY_EMPTY = 206,
  HUBTLS_ERROR_INVALID_POLICY_DOCUMENT = 207,
  HUBTLS_ERROR_INVALID_FRAGMENT_LENGTH = 208,
  HUBTLS_ERROR_UNSUPPORTED_BY_ENGINE = 209,
  HUBTLS_ERROR_UNKNOWN_SIGNATURE_SCHEME = 210,
  HUBTLS_ERROR_INVALID_CERTIFICATE = 221,
  HUBTLS_ERROR_NO_CERTIFICATE = 222,
  HUBTLS_ERROR_NOT_A_CERTIFICATE_AUTHORITY = 223,
  HUBTLS_ERROR_PIN_NOT_ROOT = 224,
  HUBTLS_ERROR_INVALID_PIN = 225,
  HUBTLS_ERROR_INVALID_REVOCATION_LIST = 226,
  HUBTLS_ERROR_INVALID_KEY = 241,
  HUBTLS_ERROR_UNSUPPORTED_KEY_TYPE = 242,
  HUBTLS_ERROR_KEY_MISMATCH = 243,
  HUBTLS_ERROR_PASSPHRASE_REQUIRED = 244,
  HUBTLS_ERROR_WRONG_PASSPHRASE = 245,
  HUBTLS_ERROR_INVALID_PKCS12 = 246,
  HUBTLS_ERROR_EMPTY_CHAIN = 247,
  HUBTLS_ERROR_CHAIN_OUT_OF_ORDER = 248,
  HUBTLS_ERROR_IDENTITY_EXPIRED = 249,
  HUBTLS_ERROR_IDENTITY_NOT_YET_VALID = 250,
  HUBTLS_ERROR_SIGNER_FAILED = 251,
  HUBTLS_ERROR_INVALID_ALPN = 261,
  HUBTLS_ERROR_NO_ROOTS = 262,
  HUBTLS_ERROR_UNKNOWN_ROOT = 301,
  HUBTLS_ERROR_HOST_NAME_MISMATCH = 302,
  HUBTLS_ERROR_CERTIFICATE_EXPIRED = 303,
  HUBTLS_ERROR_CERTIFICATE_NOT_YET_VALID = 304,
  HUBTLS_ERROR_CERTIFICATE_REVOKED = 305,
  HUBTLS_ERROR_REVOCATION_UNKNOWN = 306,
  HUBTLS_ERROR_PIN_MISMATCH = 307,
  HUBTLS_ERROR_ROOT_NOT_FOR_AZURE = 308,
  HUBTLS_ERROR_CERTIFICATE_REJECTED = 309,
  HUBTLS_ERROR_PROTOCOL_VERSION = 321,
  HUBTLS_ERROR_NO_COMMON_SUITE = 322,
  HUBTLS_ERROR_CLIENT_CERTIFICATE_REQUIRED = 323,
  HUBTLS_ERROR_CLIENT_CERTIFICATE_REFUSED = 324,
  HUBTLS_ERROR_NO_COMMON_PROTOCOL = 325,
  HUBTLS_ERROR_NOT_TLS = 326,
  HUBTLS_ERROR_FRAGMENT_LENGTH_REFUSED = 327,
  HUBTLS_ERROR_PEER_MISBEHAVED = 341,
  HUBTLS_ERROR_BAD_RECORD = 342,
  HUBTLS_ERROR_RECORD_OVERFLOW = 343,
  HUBTLS_ERROR_ALERT_RECEIVED = 344,
  HUBTLS_ERROR_CLOSED_IN_HANDSHAKE = 401,
  HUBTLS_ERROR_TRUNCATED = 402,
  HUBTLS_ERROR_TIMEOUT = 403,
  HUBTLS_ERROR_IO = 404,
  HUBTLS_ERROR_RECORD_LIMIT = 405,
  HUBTLS_ERROR_UNREACHABLE = 406,
  HUBTLS_ERROR_INTERNAL = 901,
  HUBTLS_ERROR_NO_RANDOMNESS = 902,
  HUBTLS_ERROR_NO_TIME = 903,
};

#define HUBTLS_ERROR_INIT { sizeof(hubtls_error), HUBTLS_OK, 0, false, false, NULL, { 0 }, { 0 } }
#define HUBTLS_SIGNER_INIT { sizeof(hubtls_signer), NULL, NULL, NULL, NULL, 0 }
#define HUBTLS_STREAM_OPTIONS_INIT { sizeof(hubtls_stream_options), 0, 0, 0, 0, 0 }
#define HUBTLS_READINESS_INIT { sizeof(hubtls_readiness), 0, 0, 0, false }


// The number of this interface. A library with the same number has every function and every field that a program compiled with this
// header uses; the number changes only when something is removed or changes its meaning.
#define HUBTLS_ABI_VERSION 1

#if defined(HUBTLS_ENGINE)
// Most bytes of a signature that a `hubtls_signer` can return: RSA-4096 needs 512.
#define HUBTLS_MAX_SIGNATURE 1024
#endif

// Bytes of the sentence and of the hint in a `hubtls_error`, with the zero at the end. Longer ones are cut.
#define HUBTLS_ERROR_TEXT 512

// TLS 1.2.
#define HUBTLS_TLS_1_2 771

// TLS 1.3.
#define HUBTLS_TLS_1_3 772

// Not a suite of IoT Hub's.
#define HUBTLS_STRENGTH_UNKNOWN 0

// Strong: a hub that enforces TLS 1.2 accepts the suite.
#define HUBTLS_STRENGTH_RECOMMENDED 1

// Weak: retired on 2025-08-31. No policy holds the suite.
#define HUBTLS_STRENGTH_RETIRED 2

// Do not ask for a fragment length. Every released policy says so.
#define HUBTLS_FRAGMENT_OFF 0

// Ask, and go on with fragments of usual length if the server does not agree.
#define HUBTLS_FRAGMENT_REQUEST 1

// Ask, and fail the handshake if the server does not agree.
#define HUBTLS_FRAGMENT_REQUIRE 2

// 512 bytes.
#define HUBTLS_FRAGMENT_LENGTH_512 512

// 1024 bytes.
#define HUBTLS_FRAGMENT_LENGTH_1024 1024

// 2048 bytes.
#define HUBTLS_FRAGMENT_LENGTH_2048 2048

// 4096 bytes.
#define HUBTLS_FRAGMENT_LENGTH_4096 4096

// Suites that bind the server to an ECDSA key.
#define HUBTLS_AUTHENTICATION_ECDSA 1

// Suites that bind the server to an RSA key.
#define HUBTLS_AUTHENTICATION_RSA 2

#if defined(HUBTLS_ENGINE)
// An immutable, checked configuration, counted by reference: any number of threads and connections share it. Free it with
// `hubtls_config_free`; connections made from it live on.
typedef struct hubtls_config hubtls_config;

// Collects the options of a configuration. Whatever is not set is as the policy `iothub` has it. What is passed in is copied or shared:
// free it when you like. For one thread at a time. Free it with `hubtls_config_builder_free`, after building too.
typedef struct hubtls_config_builder hubtls_config_builder;

// The current configuration of a running program: new connections take it, and replacing it drops none of the old ones. Any number of
// threads may use one. Free it with `hubtls_config_handle_free`.
typedef struct hubtls_config_handle hubtls_config_handle;

// A TLS client connection that owns no socket and no thread.
//
// Loop: send what `hubtls_connection_transmit` yields, give what arrives to `hubtls_connection_receive`, take plaintext with
// `hubtls_connection_read`. Buffers are bounded: `receive` and `write` take 0 bytes when the other side has to move first. After an error the
// connection is dead: every call returns the same error. What `transmit` still yields, an alert, should be sent before the socket is closed.
//
// For one thread at a time: a second call meanwhile fails with `HUBTLS_ERROR_IN_USE`. Free it with `hubtls_connection_free`.
typedef struct hubtls_connection hubtls_connection;

// A client's certificate chain and key. Immutable; any number of threads may use one. Free it with `hubtls_identity_free`; what was made
// from it lives on. Key memory that hubtls fills is overwritten when it is freed; the caller's buffers are the caller's to overwrite.
typedef struct hubtls_identity hubtls_identity;

// What client and server agreed on, and who the server is. Immutable; any number of threads may use one, and it outlives its connection.
// Free it with `hubtls_negotiated_free`.
typedef struct hubtls_negotiated hubtls_negotiated;
#endif

// What a client offers to IoT Hub and which roots it trusts. Immutable; any number of threads may use one. Free it with
// `hubtls_policy_free`; what was made from it lives on.
typedef struct hubtls_policy hubtls_policy;

// Trusted roots. Immutable; any number of threads may use one. Free it with `hubtls_roots_free`; what was made from it lives on.
typedef struct hubtls_roots hubtls_roots;

#if (defined(HUBTLS_ENGINE) && defined(HUBTLS_POSIX))
// A connection over a blocking socket, its handshake complete. One thread may read while another writes; two at the same side fail with
// `HUBTLS_ERROR_IN_USE`. Free it with `hubtls_stream_free` when no call uses it any more; to end calls that wait, `shutdown` the socket first.
typedef struct hubtls_stream hubtls_stream;
#endif

// What went wrong. The caller owns it: start with `hubtls_error error = HUBTLS_ERROR_INIT;` and pass its address as the last argument of
// any call, or NULL to do without. It is written only when a call fails, holds no pointer that has to be freed, and holds no key and no
// plaintext.
typedef struct {
  // `sizeof(hubtls_error)`, as `HUBTLS_ERROR_INIT` sets it. With any smaller number nothing is written.
  size_t size;
  // The code, the same number in every language.
  hubtls_status code;
  // The number of the TLS alert in IANA's registry; see `has_alert`.
  uint8_t alert;
  // Whether an alert was sent or received.
  bool has_alert;
  // Whether the peer sent the alert.
  bool alert_received;
  // The code's name, the same in every language, e.g. `UNKNOWN_ROOT`. Lives for ever.
  const char *name;
  // What is wrong, in a sentence.
  char message[HUBTLS_ERROR_TEXT];
  // What to do about it, in a sentence.
  char hint[HUBTLS_ERROR_TEXT];
} hubtls_error;

// Bytes: `data` may be NULL if `len` is 0. These two members are all that it will ever have.
typedef struct {
  // The first byte.
  const uint8_t *data;
  // How many bytes there are.
  size_t len;
} hubtls_bytes;

#if defined(HUBTLS_ENGINE)
// Tells the time in seconds since 1970, or 0 if it is not known. Called during handshakes, from whichever thread runs them; must not block.
typedef uint64_t (*hubtls_clock_function)(void *context);

// Takes one line of NSS's key log format, without the end of the line. Called during handshakes, from whichever thread runs them.
typedef void (*hubtls_key_log_function)(void *context, const char *line);

// Takes plaintext, a record or a part of one at a time; `data` lives until it returns. It must not call hubtls with the same connection.
typedef void (*hubtls_plaintext_function)(void *context, const uint8_t *data, size_t len);

// A private key that is held elsewhere: in a TPM, an HSM, a secure element, behind PKCS#11.
//
// hubtls copies the struct. It calls `sign` on the thread that drives a handshake, perhaps on several at once, and once when the identity is
// made. A callback must return: no longjmp, no C++ exception. It may call hubtls, but not with the connection that it is called for: that
// fails with `HUBTLS_ERROR_IN_USE`.
typedef struct {
  // `sizeof(hubtls_signer)`, as `HUBTLS_SIGNER_INIT` sets it.
  size_t size;
  // Whatever the functions need; hubtls only passes it on.
  void *context;
  // Signs `message` (not hashed yet) by the scheme of that number in IANA's registry. Writes the signature, an ECDSA one as ASN.1 DER, to
  // `signature`, which has room for `*signature_len` bytes (`HUBTLS_MAX_SIGNATURE`), and its length to `*signature_len`. Returns 0, or any
  // other number if it failed: the handshake then fails with `HUBTLS_ERROR_SIGNER_FAILED`, and the number stands in the sentence.
  int (*sign)(void *context,
              uint16_t scheme,
              const uint8_t *message,
              size_t message_len,
              uint8_t *signature,
              size_t *signature_len);
  // Called once when nothing uses `context` any more, on whichever thread ends that; may be NULL.
  void (*release)(void *context);
  // The schemes it can sign with, preferred first, or NULL with `schemes_len` 0 for all that the certificate's key allows. Read at once.
  const uint16_t *schemes;
  // How many there are.
  size_t schemes_len;
} hubtls_signer;
#endif

// How well a set of roots is prepared for the loss of one.
typedef struct {
  // `sizeof(hubtls_readiness)`, set by the caller.
  size_t size;
  // How many have expired.
  size_t expired;
  // How many expire before the horizon.
  size_t expiring;
  // How many independent ones, of different organizations and keys, are valid now and still at the horizon.
  size_t independent;
  // Whether at least two independent ones remain.
  bool ready;
} hubtls_readiness;

#if (defined(HUBTLS_ENGINE) && defined(HUBTLS_POSIX))
// Time limits in milliseconds; 0 is the default of each.
typedef struct {
  // `sizeof(hubtls_stream_options)`, as `HUBTLS_STREAM_OPTIONS_INIT` sets it.
  size_t size;
  // For connecting to all addresses of the host together; looking them up takes what the system's resolver takes. Default: 30 seconds. Not
  // used by `hubtls_stream_new`.
  uint32_t connect_timeout_ms;
  // For the whole handshake. Default: 30 seconds.
  uint32_t handshake_timeout_ms;
  // For each wait of a read. Default: for ever.
  uint32_t read_timeout_ms;
  // For each wait of a write. Default: for ever.
  uint32_t write_timeout_ms;
  // How long to wait after the handshake whether the server refuses the client certificate, which in TLS 1.3 it does only then. Waits no
  // longer than until the server sends something, and not at all where no refusal can come. Default: not at all; the first read tells.
  uint32_t confirm_ms;
} hubtls_stream_options;
#endif

// Success.
#define HUBTLS_OK 0

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

#if defined(HUBTLS_ENGINE)
// A builder with nothing set; NULL never.
hubtls_config_builder *hubtls_config_builder_new(void);

// What may be offered and accepted. Default: the policy `iothub`.
//
// Errors: `INVALID_ARGUMENT`, `IN_USE`.
hubtls_status hubtls_config_builder_set_policy(hubtls_config_builder *builder,
                                               const hubtls_policy *policy,
                                               hubtls_error *error);

// Trusts these roots *instead of* the policy's.
//
// Errors: `INVALID_ARGUMENT`, `IN_USE`.
hubtls_status hubtls_config_builder_set_roots(hubtls_config_builder *builder,
                                              const hubtls_roots *roots,
                                              hubtls_error *error);

// Trusts these roots as well. An added private root does not vouch for names of Azure's unless it says so
// (`hubtls_roots_vouching_for_azure`).
//
// Errors: `INVALID_ARGUMENT`, `IN_USE`.
hubtls_status hubtls_config_builder_add_roots(hubtls_config_builder *builder,
                                              const hubtls_roots *roots,
                                              hubtls_error *error);

// Accepts only chains that end in a pinned root; several pins allow several roots. `pin` is SHA-256 of the root's SubjectPublicKeyInfo: 64
// hexadecimal digits, with or without colons, or base64, with or without `sha256/`.
//
// Errors: `INVALID_PIN`, `INVALID_ARGUMENT`, `IN_USE`.
hubtls_status hubtls_config_builder_add_pin(hubtls_config_builder *builder,
                                            const char *pin,
                                            hubtls_error *error);

// As `hubtls_config_builder_add_pin`, from the root's certificate in PEM. A certificate that is not a root's is refused.
//
// Errors: `PIN_NOT_ROOT`, `NO_CERTIFICATE`, `INVALID_CERTIFICATE`, `INVALID_PIN`, `INVALID_ARGUMENT`, `IN_USE`.
hubtls_status hubtls_config_builder_add_pin_of_certificate(hubtls_config_builder *builder,
                                                           const uint8_t *pem,
                                                           size_t len,
                                                           hubtls_error *error);

// The client's certificate chain and key, sent to servers that ask for them.
//
// Errors: `INVALID_ARGUMENT`, `IN_USE`.
hubtls_status hubtls_config_builder_set_identity(hubtls_config_builder *builder,
                                                 const hubtls_identity *identity,
                                                 hubtls_error *error);

// Whether an expired or not yet valid client certificate is an error. Default: no, it is a warning of the configuration.
//
// Errors: `INVALID_ARGUMENT`, `IN_USE`.
hubtls_status hubtls_config_builder_set_refuse_invalid_identity(hubtls_config_builder *builder,
                                                                bool refuse,
                                                                hubtls_error *error);

// Certificate revocation lists, PEM or one in DER: certificates of their issuers are checked against them. May be called several times.
//
// Errors: `INVALID_REVOCATION_LIST`, `INVALID_ARGUMENT`, `IN_USE`.
hubtls_status hubtls_config_builder_add_revocation_lists(hubtls_config_builder *builder,
                                                         const uint8_t *data,
                                                         size_t len,
                                                         hubtls_error *error);

// Whether a certificate without a current revocation list of its issuer is refused. Default: no.
//
// Errors: `INVALID_ARGUMENT`, `IN_USE`.
hubtls_status hubtls_config_builder_set_require_revocation_status(hubtls_config_builder *builder,
                                                                  bool require,
                                                                  hubtls_error *error);

// The protocols to offer with ALPN (RFC 7301), most wanted first, each of 1 to 255 bytes. Default: none. Checked by `_build`.
//
// Errors: `INVALID_ARGUMENT`, `IN_USE`.
hubtls_status hubtls_config_builder_set_alpn(hubtls_config_builder *builder,
                                             const hubtls_bytes *protocols,
                                             size_t count,
                                             hubtls_error *error);

// Which name the ClientHello carries (SNI): this DNS name, or none if `name` is NULL. Default: the name that is verified. Checked by `_build`.
//
// Errors: `INVALID_ARGUMENT`, `IN_USE`.
hubtls_status hubtls_config_builder_set_sni(hubtls_config_builder *builder,
                                            const char *name,
                                            hubtls_error *error);

// Whether sessions are kept in memory and resumed. Default: yes.
//
// Errors: `INVALID_ARGUMENT`, `IN_USE`.
hubtls_status hubtls_config_builder_set_resumption(hubtls_config_builder *builder, bool resume, hubtls_error *error);

// The maximum fragment length to negotiate (RFC 6066, section 4): one of `HUBTLS_FRAGMENT_*`, and 512, 1024, 2048 or 4096 bytes. Default: as
// the policy says.
//
// Errors: `INVALID_FRAGMENT_LENGTH`, `INVALID_ARGUMENT`, `IN_USE`.
hubtls_status hubtls_config_builder_set_fragment_length(hubtls_config_builder *builder,
                                                        uint8_t mode,
                                                        size_t bytes,
                                                        hubtls_error *error);

// Whether the post-quantum hybrid X25519MLKEM768 is offered first. Default: no, since the ClientHello grows from about 0.3 to 1.5 KB.
//
// Errors: `INVALID_ARGUMENT`, `IN_USE`.
hubtls_status hubtls_config_builder_set_post_quantum(hubtls_config_builder *builder,
                                                     bool offer,
                                                     hubtls_error *error);

// The time by which certificates are judged, in seconds since 1970: for devices that learn it once, and for tests. Default: the system's
// clock.
//
// Errors: `INVALID_ARGUMENT`, `IN_USE`.
hubtls_status hubtls_config_builder_set_time(hubtls_config_builder *builder,
                                             uint64_t seconds,
                                             hubtls_error *error);

// Asks `now` for the time. `context` must live, and bear calls from any thread, as long as anything that was made from this builder does.
//
// Errors: `INVALID_ARGUMENT`, `IN_USE`.
hubtls_status hubtls_config_builder_set_clock(hubtls_config_builder *builder,
                                              hubtls_clock_function now,
                                              void *context,
                                              hubtls_error *error);

// Hands every connection's secrets to `log`, for debugging: whoever has them can read the traffic. `context` as for
// `hubtls_config_builder_set_clock`. Default: to nobody.
//
// Errors: `INVALID_ARGUMENT`, `IN_USE`.
hubtls_status hubtls_config_builder_set_key_log(hubtls_config_builder *builder,
                                                hubtls_key_log_function log,
                                                void *context,
                                                hubtls_error *error);

// Checks everything and makes the configuration. The builder stays as it is.
//
// Errors: `NO_ROOTS`, `INVALID_ALPN`, `INVALID_SERVER_NAME` (the SNI), `IDENTITY_EXPIRED`, `IDENTITY_NOT_YET_VALID`,
// `UNSUPPORTED_BY_ENGINE`, `INVALID_ARGUMENT`, `IN_USE`.
hubtls_status hubtls_config_builder_build(const hubtls_config_builder *builder,
                                          hubtls_config **config,
                                          hubtls_error *error);

// Frees a builder. NULL is a no-op.
void hubtls_config_builder_free(hubtls_config_builder *builder);

// Another reference to the same configuration, to be freed by itself; NULL for NULL.
hubtls_config *hubtls_config_clone(const hubtls_config *config);

// The same configuration with these roots instead, and with no session to resume.
//
// Errors: `NO_ROOTS`, `INVALID_ARGUMENT`.
hubtls_status hubtls_config_with_roots(const hubtls_config *config,
                                       const hubtls_roots *roots,
                                       hubtls_config **changed,
                                       hubtls_error *error);

// The policy of a configuration, narrowed as it was; to be freed. NULL for NULL.
hubtls_policy *hubtls_config_policy(const hubtls_config *config);

// The roots that a configuration trusts; to be freed. NULL for NULL.
hubtls_roots *hubtls_config_roots(const hubtls_config *config);

// How many warnings there are: what is allowed but unwise or about to break, an expired client certificate for example. 0 for NULL.
size_t hubtls_config_warning_count(const hubtls_config *config);

// The warning at `index`, a sentence; NULL if there is none. Lives as long as this reference.
const char *hubtls_config_warning_at(const hubtls_config *config, size_t index);

// Frees a reference to a configuration. NULL is a no-op.
void hubtls_config_free(hubtls_config *config);

// A handle that starts with `config`.
//
// Errors: `INVALID_ARGUMENT`.
hubtls_status hubtls_config_handle_new(const hubtls_config *config, hubtls_config_handle **handle, hubtls_error *error);

// The configuration for the next connection; to be freed. NULL for NULL.
hubtls_config *hubtls_config_handle_current(const hubtls_config_handle *handle);

// Makes `config` the current one, atomically.
//
// Errors: `INVALID_ARGUMENT`.
hubtls_status hubtls_config_handle_replace(const hubtls_config_handle *handle,
                                           const hubtls_config *config,
                                           hubtls_error *error);

// Trusts `roots` instead of the current ones from the next connection on, which resumes no session. On failure the current configuration stays.
//
// Errors: `NO_ROOTS`, `INVALID_ARGUMENT`.
hubtls_status hubtls_config_handle_replace_roots(const hubtls_config_handle *handle,
                                                 const hubtls_roots *roots,
                                                 hubtls_error *error);

// Frees a handle. NULL is a no-op.
void hubtls_config_handle_free(hubtls_config_handle *handle);

// Starts a connection to the server called `server_name`, a DNS name or an IP address: its certificate must be for that name, whatever
// address is dialled. The ClientHello waits in `transmit`.
//
// Errors: `INVALID_SERVER_NAME`, `INVALID_ARGUMENT`.
hubtls_status hubtls_connection_new(const hubtls_config *config,
                                    const char *server_name,
                                    hubtls_connection **connection,
                                    hubtls_error *error);

// Feeds ciphertext read from the network; `*taken` says how many bytes were taken. Copies `data`. 0 means that `hubtls_connection_read` must go
// first.
//
// Errors: any of 3xx, `SIGNER_FAILED`, `NO_TIME`, `INTERNAL`, `INVALID_ARGUMENT`, `IN_USE`.
hubtls_status hubtls_connection_receive(hubtls_connection *connection,
                                        const uint8_t *data,
                                        size_t len,
                                        size_t *taken,
                                        hubtls_error *error);

// Feeds ciphertext and decrypts it in the caller's buffer, without the copies that `receive` and `read` make; plaintext goes to `each`, in order.
//
// `*done` says how many bytes of `buffer` are done with; they are overwritten. The rest is the beginning of a record: keep it, append what
// arrives and call again; a buffer of 18,437 bytes holds any record.
//
// Errors: as `hubtls_connection_receive`.
hubtls_status hubtls_connection_receive_in_place(hubtls_connection *connection,
                                                 uint8_t *buffer,
                                                 size_t len,
                                                 hubtls_plaintext_function each,
                                                 void *context,
                                                 size_t *done,
                                                 hubtls_error *error);

// Says that the network has ended: no more bytes will be received. What was received before can still be read.
//
// Errors: `CLOSED_IN_HANDSHAKE` or `TRUNCATED` unless the peer had sent close_notify, `INVALID_ARGUMENT`, `IN_USE`.
hubtls_status hubtls_connection_receive_end(hubtls_connection *connection, hubtls_error *error);

// Moves plaintext to `data`, at most `len` bytes; `*count` says how many. 0 means none now, or no more ever if `hubtls_connection_is_ended`.
//
// Errors: as `hubtls_connection_receive`, after everything that was received before has been read.
hubtls_status hubtls_connection_read(hubtls_connection *connection,
                                     uint8_t *data,
                                     size_t len,
                                     size_t *count,
                                     hubtls_error *error);

// How many bytes of plaintext can be read at once, without receiving anything more, in `*bytes`.
//
// Errors: as `hubtls_connection_read`.
hubtls_status hubtls_connection_readable_bytes(hubtls_connection *connection, size_t *bytes, hubtls_error *error);

// Encrypts up to 16,384 bytes of `data` as one record; `*taken` says how many. 0 while the handshake goes on or too much waits to be transmitted.
//
// Errors: `WRITE_AFTER_FINISH`, `RECORD_LIMIT`, else as `hubtls_connection_receive`.
hubtls_status hubtls_connection_write(hubtls_connection *connection,
                                      const uint8_t *data,
                                      size_t len,
                                      size_t *taken,
                                      hubtls_error *error);

// Moves ciphertext for the network to `data`, at most `len` bytes; `*count` says how many.
//
// Errors: `INVALID_ARGUMENT`, `IN_USE`.
hubtls_status hubtls_connection_transmit(hubtls_connection *connection,
                                         uint8_t *data,
                                         size_t len,
                                         size_t *count,
                                         hubtls_error *error);

// The ciphertext that waits for the network, without a copy: send it, then call `hubtls_connection_transmitted`. Lives until the next call with
// this connection; empty for NULL.
hubtls_bytes hubtls_connection_pending(hubtls_connection *connection);

// Says that the network took the first `count` bytes of `hubtls_connection_pending`.
//
// Errors: `INVALID_ARGUMENT` if there are fewer, `IN_USE`.
hubtls_status hubtls_connection_transmitted(hubtls_connection *connection, size_t count, hubtls_error *error);

// Queues close_notify: nothing more can be written; receiving goes on until the peer finishes too. A second time does nothing.
//
// Errors: `HANDSHAKE_NOT_COMPLETE`; else as `hubtls_connection_receive`.
hubtls_status hubtls_connection_finish(hubtls_connection *connection,
                                       hubtls_error *error);

// Whether the handshake goes on; false for NULL and while another call uses the connection.
bool hubtls_connection_is_handshaking(hubtls_connection *connection);

// Whether `receive` would take more now; false for NULL and while another call uses the connection.
bool hubtls_connection_wants_receive(hubtls_connection *connection);

// Whether something waits in `transmit`; false for NULL and while another call uses the connection.
bool hubtls_connection_wants_transmit(hubtls_connection *connection);

// Whether the peer has sent close_notify and everything before it was read; false for NULL and while another call uses the connection.
bool hubtls_connection_is_ended(hubtls_connection *connection);

// What was agreed; to be freed.
//
// Errors: `HANDSHAKE_NOT_COMPLETE`, `INVALID_ARGUMENT`, `IN_USE`.
hubtls_status hubtls_connection_negotiated(hubtls_connection *connection,
                                           hubtls_negotiated **negotiated,
                                           hubtls_error *error);

// Frees a connection. NULL is a no-op, and so is a connection that a call uses: from its own callback, nothing is freed.
void hubtls_connection_free(hubtls_connection *connection);
#endif

// The version of the library, e.g. `0.1.0`. Lives for ever.
const char *hubtls_version(void);

// The `HUBTLS_ABI_VERSION` of the library: compare it with that of the header.
uint32_t hubtls_abi_version(void);

// The name of a status, e.g. `UNKNOWN_ROOT`; `OK` for `HUBTLS_OK` and NULL for a number that is none. Lives for ever.
const char *hubtls_status_name(hubtls_status code);

// Whether the same attempt may succeed later without any change (4xx).
bool hubtls_status_is_transient(hubtls_status code);

// The name of a TLS alert in IANA's registry, in lower case, or `unknown`. Lives for ever.
const char *hubtls_alert_name(uint8_t alert);

// Fills `error` and returns `code`: for adapters and bindings that report in hubtls's way. `message` and `hint` are copied; NULL counts as
// empty, and what is not UTF-8 is replaced. A `code` that is none of hubtls's becomes `HUBTLS_ERROR_INTERNAL`.
hubtls_status hubtls_error_fill(hubtls_error *error,
                                hubtls_status code,
                                const char *message,
                                const char *hint);

#if defined(HUBTLS_ENGINE)
// An identity from PEM in memory: the chain, the client's own certificate first, and its key as PKCS#8, PKCS#1 or SEC1. Both may be in one
// text: each argument reads its part. `passphrase` is NULL unless the key is encrypted. The data is copied.
//
// Errors: `EMPTY_CHAIN`, `INVALID_CERTIFICATE`, `CHAIN_OUT_OF_ORDER`, `INVALID_KEY`, `UNSUPPORTED_KEY_TYPE`, `KEY_MISMATCH`,
// `PASSPHRASE_REQUIRED`, `WRONG_PASSPHRASE`, `INVALID_ARGUMENT`.
hubtls_status hubtls_identity_from_pem(const uint8_t *chain,
                                       size_t chain_len,
                                       const uint8_t *key,
                                       size_t key_len,
                                       const char *passphrase,
                                       hubtls_identity **identity,
                                       hubtls_error *error);

// An identity from PEM in files; otherwise as `hubtls_identity_from_pem`. Both may be the same file.
//
// Errors: as `hubtls_identity_from_pem`; `INVALID_ARGUMENT` if a file cannot be read.
hubtls_status hubtls_identity_from_pem_files(const char *chain_path,
                                             const char *key_path,
                                             const char *passphrase,
                                             hubtls_identity **identity,
                                             hubtls_error *error);

// An identity from DER in memory: `count` certificates, the client's own first, and its key. Otherwise as `hubtls_identity_from_pem`.
//
// Errors: as `hubtls_identity_from_pem`.
hubtls_status hubtls_identity_from_der(const hubtls_bytes *chain,
                                       size_t count,
                                       const uint8_t *key,
                                       size_t key_len,
                                       const char *passphrase,
                                       hubtls_identity **identity,
                                       hubtls_error *error);

// An identity from a PKCS#12 file's content (`.pfx`, `.p12`) with one private key. `passphrase` is NULL if it has none.
//
// Errors: those of `hubtls_identity_from_pem`, and `INVALID_PKCS12`.
hubtls_status hubtls_identity_from_pkcs12(const uint8_t *file,
                                          size_t len,
                                          const char *passphrase,
                                          hubtls_identity **identity,
                                          hubtls_error *error);

// An identity from a chain in PEM and something that signs with the key of its first certificate. Lets it sign once, to see that it works.
//
// From here on `signer->context` belongs to hubtls: `release` is called once when nothing uses it any more, also if this call fails, unless
// `signer` is NULL or its size is wrong.
//
// Errors: those of `hubtls_identity_from_pem` for the chain, `SIGNER_FAILED`, `INVALID_ARGUMENT`.
hubtls_status hubtls_identity_from_signer(const uint8_t *chain,
                                          size_t chain_len,
                                          const hubtls_signer *signer,
                                          hubtls_identity **identity,
                                          hubtls_error *error);

// The common name of the client's certificate, or its whole subject. Lives as long as the identity; NULL for NULL.
const char *hubtls_identity_subject(const hubtls_identity *identity);

// The kind of key: `RSA-2048` and the like, `P-256`, `P-384` or `Ed25519`. Lives as long as the identity; NULL for NULL.
const char *hubtls_identity_key_algorithm(const hubtls_identity *identity);

// Last second of the validity of the client's certificate, in seconds since 1970; 0 for NULL or if it is not known.
uint64_t hubtls_identity_not_after(const hubtls_identity *identity);

// Frees an identity. NULL is a no-op.
void hubtls_identity_free(hubtls_identity *identity);
#endif

// `TLSv1.2` or `TLSv1.3`; NULL for any other version. Lives for ever.
const char *hubtls_tls_version_name(uint16_t version);

// IANA's name of a cipher suite, which is also JSSE's; NULL if it is none of IoT Hub's twenty. Lives for ever.
const char *hubtls_suite_name(uint16_t suite);

// OpenSSL's name of a cipher suite; NULL if it is none of IoT Hub's twenty. Lives for ever.
const char *hubtls_suite_openssl_name(uint16_t suite);

// GnuTLS's name of a cipher suite; NULL if it is none of IoT Hub's twenty. Lives for ever.
const char *hubtls_suite_gnutls_name(uint16_t suite);

// What IoT Hub thinks of a cipher suite: one of `HUBTLS_STRENGTH_*`.
uint8_t hubtls_suite_strength(uint16_t suite);

// IANA's name of a key exchange group; NULL if hubtls does not know it. Lives for ever.
const char *hubtls_group_name(uint16_t group);

// IANA's name of a signature scheme; NULL if hubtls does not know it. Lives for ever.
const char *hubtls_signature_scheme_name(uint16_t scheme);

// The TLS version that `name` means in any usual spelling: `TLSv1.2`, `1.2`.
//
// Errors: `POLICY_WIDENED` for what is older than TLS 1.2, `UNKNOWN_VERSION`, `INVALID_ARGUMENT`.
hubtls_status hubtls_tls_version_from_name(const char *name, uint16_t *version, hubtls_error *error);

// The cipher suite that IANA, OpenSSL, GnuTLS or JSSE call `name`, retired ones too.
//
// Errors: `UNKNOWN_SUITE` with what was probably meant, `INVALID_ARGUMENT`.
hubtls_status hubtls_suite_from_name(const char *name, uint16_t *suite, hubtls_error *error);

// The key exchange group that IANA, OpenSSL or GnuTLS call `name`.
//
// Errors: `UNKNOWN_GROUP`, `INVALID_ARGUMENT`.
hubtls_status hubtls_group_from_name(const char *name, uint16_t *group, hubtls_error *error);

#if defined(HUBTLS_ENGINE)
// The TLS version, `HUBTLS_TLS_1_2` or `HUBTLS_TLS_1_3`; 0 for NULL.
uint16_t hubtls_negotiated_version(const hubtls_negotiated *negotiated);

// The cipher suite's number in IANA's registry (`hubtls_suite_name` has its name); 0 for NULL.
uint16_t hubtls_negotiated_suite(const hubtls_negotiated *negotiated);

// The key exchange group's number in IANA's registry; 0 for NULL and for a TLS 1.2 session that was resumed.
uint16_t hubtls_negotiated_group(const hubtls_negotiated *negotiated);

// The maximum fragment length that the server agreed to, in bytes; 0 for none and for NULL.
size_t hubtls_negotiated_fragment_length(const hubtls_negotiated *negotiated);

// The protocol that the server chose with ALPN, not ended by a zero; NULL and 0 for none and for NULL. Lives as long as `negotiated`.
hubtls_bytes hubtls_negotiated_alpn(const hubtls_negotiated *negotiated);

// Whether an earlier session was resumed; false for NULL.
bool hubtls_negotiated_resumed(const hubtls_negotiated *negotiated);

// Whether the server asked for a client certificate in this handshake; false for NULL.
bool hubtls_negotiated_client_certificate_requested(const hubtls_negotiated *negotiated);

// How long the handshake took in microseconds, network included, if a `hubtls_stream` measured it; else 0.
uint64_t hubtls_negotiated_handshake_us(const hubtls_negotiated *negotiated);

// How many certificates the server sent; 0 for NULL.
size_t hubtls_negotiated_peer_certificate_count(const hubtls_negotiated *negotiated);

// The server's certificate at `index` in DER, its own at 0; NULL and 0 if there is none. Lives as long as `negotiated`.
hubtls_bytes hubtls_negotiated_peer_certificate_at(const hubtls_negotiated *negotiated, size_t index);

// The common name of the server's certificate at `index`, without control characters; NULL if there is none. Lives as long as `negotiated`.
const char *hubtls_negotiated_peer_subject_at(const hubtls_negotiated *negotiated,
                                              size_t index);

// SHA-256 of the SubjectPublicKeyInfo of the root that the chain ends in: what a pin names. Writes 32 bytes to `sha256`; returns false, and
// writes nothing, if the root is not known or a pointer is NULL.
bool hubtls_negotiated_root_spki_sha256(const hubtls_negotiated *negotiated,
                                        uint8_t *sha256);

// The name of the trusted root that the chain ends in; NULL if it is not known. Lives as long as `negotiated`.
const char *hubtls_negotiated_root(const hubtls_negotiated *negotiated);

// All of it as JSON. Lives as long as `negotiated`; NULL for NULL.
const char *hubtls_negotiated_json(const hubtls_negotiated *negotiated);

// Frees what was agreed. NULL is a no-op.
void hubtls_negotiated_free(hubtls_negotiated *negotiated);
#endif

// The policy of that name, in any case: a dated one (`iothub-2025-08`), or the alias of the newest: `iothub`, `iothub-ecc`, `iothub-aead`,
// `iothub-tls12`.
//
// Errors: `UNKNOWN_POLICY`, `INVALID_ARGUMENT`.
hubtls_status hubtls_policy_named(const char *name,
                                  hubtls_policy **policy,
                                  hubtls_error *error);

// How many dated policies there are.
size_t hubtls_policy_count(void);

// The dated policy at `index`, below `hubtls_policy_count()`.
//
// Errors: `INVALID_ARGUMENT`.
hubtls_status hubtls_policy_at(size_t index, hubtls_policy **policy, hubtls_error *error);

// A policy from a JSON document of `len` bytes: the name of a dated policy, and what it is narrowed to.
//
// Errors: `INVALID_POLICY_DOCUMENT` with line and column; `UNKNOWN_POLICY`, `UNKNOWN_SUITE` and the like; `POLICY_WIDENED`, `POLICY_EMPTY`,
// `NO_ROOTS`, `INVALID_FRAGMENT_LENGTH`, `INVALID_ARGUMENT`.
hubtls_status hubtls_policy_from_json(const char *json,
                                      size_t len,
                                      hubtls_policy **policy,
                                      hubtls_error *error);

// The policy as the JSON document that `hubtls_policy_from_json` reads. Lives as long as the policy; NULL for NULL.
const char *hubtls_policy_json(const hubtls_policy *policy);

// The policy's suites of TLS 1.2 for `SSL_CTX_set_cipher_list` of OpenSSL; empty if there is none. Lives as long as the policy; NULL for NULL.
const char *hubtls_policy_openssl_cipher_list(const hubtls_policy *policy);

// The policy's suites of TLS 1.3 for `SSL_CTX_set_ciphersuites` of OpenSSL; empty if there is none. Lives as long as the policy; NULL for NULL.
const char *hubtls_policy_openssl_ciphersuites(const hubtls_policy *policy);

// The policy's groups for `SSL_CTX_set1_groups_list` of OpenSSL. Lives as long as the policy; NULL for NULL.
const char *hubtls_policy_openssl_groups(const hubtls_policy *policy);

// The policy's signature schemes for `SSL_CTX_set1_sigalgs_list` of OpenSSL. Lives as long as the policy; NULL for NULL.
const char *hubtls_policy_openssl_signature_algorithms(const hubtls_policy *policy);

// The policy's suites, of both versions, for `wolfSSL_CTX_set_cipher_list`. Lives as long as the policy; NULL for NULL.
const char *hubtls_policy_wolfssl_cipher_list(const hubtls_policy *policy);

// The policy's signature schemes for `wolfSSL_CTX_set1_sigalgs_list`. Lives as long as the policy; NULL for NULL.
const char *hubtls_policy_wolfssl_signature_algorithms(const hubtls_policy *policy);

// The dated name of the policy, or of the one that was narrowed. Lives for ever; NULL for NULL.
const char *hubtls_policy_name(const hubtls_policy *policy);

// Whether it holds less than the policy of its name; false for NULL.
bool hubtls_policy_is_narrowed(const hubtls_policy *policy);

// The versions offered, newest first, as on the wire; `*count` says how many. Lives as long as the policy; NULL and 0 for NULL.
const uint16_t *hubtls_policy_versions(const hubtls_policy *policy,
                                       size_t *count);

// The cipher suites in the order offered, by IANA's numbers; `*count` says how many. Lives as long as the policy; NULL and 0 for NULL.
const uint16_t *hubtls_policy_suites(const hubtls_policy *policy,
                                     size_t *count);

// The key exchange groups in the order offered, by IANA's numbers; `*count` says how many. Lives as long as the policy; NULL and 0 for NULL.
const uint16_t *hubtls_policy_groups(const hubtls_policy *policy,
                                     size_t *count);

// The signature schemes in the order offered, by IANA's numbers; `*count` says how many. Lives as long as the policy; NULL and 0 for NULL.
const uint16_t *hubtls_policy_signature_schemes(const hubtls_policy *policy,
                                                size_t *count);

// Whether a maximum fragment length is negotiated (one of `HUBTLS_FRAGMENT_*`), and in `*bytes`, if that is not NULL, its length or 0.
uint8_t hubtls_policy_fragment_length(const hubtls_policy *policy,
                                      size_t *bytes);

// How many warnings there are about the policy: what is allowed but likely to be regretted. 0 for NULL.
size_t hubtls_policy_warning_count(const hubtls_policy *policy);

// The warning at `index`, a sentence; NULL if there is none. Lives as long as the policy.
const char *hubtls_policy_warning_at(const hubtls_policy *policy, size_t index);

// The same policy once more, to be freed by itself; NULL for NULL.
hubtls_policy *hubtls_policy_clone(const hubtls_policy *policy);

// Frees a policy. NULL is a no-op.
void hubtls_policy_free(hubtls_policy *policy);

// Makes a policy that offers these versions at most, and of the suites those that remain usable.
//
// Errors: `UNKNOWN_VERSION`, `POLICY_WIDENED` (older than TLS 1.2, or not in the policy), `POLICY_EMPTY`, `INVALID_ARGUMENT`.
hubtls_status hubtls_policy_only_versions(const hubtls_policy *policy,
                                          const uint16_t *versions,
                                          size_t count,
                                          hubtls_policy **narrowed,
                                          hubtls_error *error);

// Makes a policy that offers these cipher suites at most, by IANA's numbers.
//
// Errors: `UNKNOWN_SUITE`, `POLICY_WIDENED` (retired, or not in the policy), `POLICY_EMPTY`, `INVALID_ARGUMENT`.
hubtls_status hubtls_policy_only_suites(const hubtls_policy *policy,
                                        const uint16_t *suites,
                                        size_t count,
                                        hubtls_policy **narrowed,
                                        hubtls_error *error);

// Makes a policy that offers these key exchange groups at most, by IANA's numbers.
//
// Errors: `UNKNOWN_GROUP`, `POLICY_WIDENED`, `POLICY_EMPTY`, `INVALID_ARGUMENT`.
hubtls_status hubtls_policy_only_groups(const hubtls_policy *policy,
                                        const uint16_t *groups,
                                        size_t count,
                                        hubtls_policy **narrowed,
                                        hubtls_error *error);

// Makes a policy with only those suites that bind the server to a kind of key, `HUBTLS_AUTHENTICATION_*`.
//
// Errors: `POLICY_EMPTY`, `INVALID_ARGUMENT`.
hubtls_status hubtls_policy_only_authentication(const hubtls_policy *policy,
                                                uint8_t authentication,
                                                hubtls_policy **narrowed,
                                                hubtls_error *error);

// Makes a policy that negotiates the maximum fragment length so: `mode` is one of `HUBTLS_FRAGMENT_*`, `bytes` 512, 1024, 2048 or 4096
// (not used with `HUBTLS_FRAGMENT_OFF`).
//
// Errors: `INVALID_FRAGMENT_LENGTH`, `INVALID_ARGUMENT`.
hubtls_status hubtls_policy_with_fragment_length(const hubtls_policy *policy,
                                                 uint8_t mode,
                                                 size_t bytes,
                                                 hubtls_policy **changed,
                                                 hubtls_error *error);

// The two roots that Azure IoT Hub's chains end in.
//
// Errors: `INVALID_ARGUMENT`.
hubtls_status hubtls_roots_azure(hubtls_roots **roots, hubtls_error *error);

// All four roots that are shipped: those of `hubtls_roots_azure`, DigiCert Global Root G3 and Microsoft ECC Root CA 2017.
//
// Errors: `INVALID_ARGUMENT`.
hubtls_status hubtls_roots_embedded(hubtls_roots **roots,
                                    hubtls_error *error);

// The roots that a policy trusts.
//
// Errors: `INVALID_ARGUMENT`.
hubtls_status hubtls_roots_of_policy(const hubtls_policy *policy, hubtls_roots **roots, hubtls_error *error);

// Private roots from `len` bytes: PEM text with any number of certificates, or one certificate in DER. At most 1,000 and 4 MiB.
//
// Errors: `INVALID_CERTIFICATE`, `NOT_A_CERTIFICATE_AUTHORITY`, `NO_CERTIFICATE`, `INVALID_ARGUMENT`.
hubtls_status hubtls_roots_from_pem(const uint8_t *data,
                                    size_t len,
                                    hubtls_roots **roots,
                                    hubtls_error *error);

// Private roots from a file; otherwise as `hubtls_roots_from_pem`.
//
// Errors: as `hubtls_roots_from_pem`; `INVALID_ARGUMENT` if the file cannot be read.
hubtls_status hubtls_roots_from_pem_file(const char *path, hubtls_roots **roots, hubtls_error *error);

// Private roots from `count` certificates in DER.
//
// Errors: as `hubtls_roots_from_pem`.
hubtls_status hubtls_roots_from_der(const hubtls_bytes *certificates,
                                    size_t count,
                                    hubtls_roots **roots,
                                    hubtls_error *error);

// Makes roots of these and those of `added`.
//
// Errors: `INVALID_ARGUMENT`.
hubtls_status hubtls_roots_with_added(const hubtls_roots *roots,
                                      const hubtls_roots *added,
                                      hubtls_roots **both,
                                      hubtls_error *error);

// Makes roots of which the private ones are believed about names under `azure-devices.net` and `azure-devices-provisioning.net`, or are not.
// Initially they are not; shipped ones always are.
//
// Errors: `INVALID_ARGUMENT`.
hubtls_status hubtls_roots_vouching_for_azure(const hubtls_roots *roots,
                                              bool vouching,
                                              hubtls_roots **changed,
                                              hubtls_error *error);

// Makes roots of those that are believed about the server called `name`: for a TLS library that has one list of roots for all servers.
//
// Errors: `INVALID_ARGUMENT`.
hubtls_status hubtls_roots_believed_about(const hubtls_roots *roots,
                                          const char *name,
                                          hubtls_roots **believed,
                                          hubtls_error *error);

// How many roots there are; 0 for NULL.
size_t hubtls_roots_count(const hubtls_roots *roots);

// All certificates as PEM text, for other TLS libraries. Lives as long as the roots; NULL for NULL.
const char *hubtls_roots_pem(const hubtls_roots *roots);

// The common name of the root at `index`, or its whole subject if it has none. Lives as long as the roots; NULL if there is none.
const char *hubtls_roots_subject_at(const hubtls_roots *roots,
                                    size_t index);

// SHA-256 of the certificate of the root at `index`, `CB:3C:...:5F`. Lives as long as the roots; NULL if there is none.
const char *hubtls_roots_fingerprint_at(const hubtls_roots *roots, size_t index);

// Last second of the validity of the root at `index`, in seconds since 1970; 0 if that is not known or there is none.
uint64_t hubtls_roots_not_after_at(const hubtls_roots *roots, size_t index);

// Says which roots have expired at `now` (seconds since 1970) or expire within the next `within_days` days, and whether enough remain.
//
// Errors: `INVALID_ARGUMENT`.
hubtls_status hubtls_roots_readiness(const hubtls_roots *roots,
                                     uint64_t now,
                                     uint32_t within_days,
                                     hubtls_readiness *readiness,
                                     hubtls_error *error);

// Frees roots. NULL is a no-op.
void hubtls_roots_free(hubtls_roots *roots);

#if (defined(HUBTLS_ENGINE) && defined(HUBTLS_POSIX))
// Connects to `host` and shakes hands: TCP to every address of the host until one answers, then TLS. `options` may be NULL.
//
// Errors: `UNREACHABLE`, `TIMEOUT`, `CLOSED_IN_HANDSHAKE`, any of 3xx, `INVALID_SERVER_NAME`, `INVALID_ARGUMENT`.
hubtls_status hubtls_stream_connect(const hubtls_config *config,
                                    const char *host,
                                    uint16_t port,
                                    const hubtls_stream_options *options,
                                    hubtls_stream **stream,
                                    hubtls_error *error);
#endif

#if (defined(HUBTLS_ENGINE) && defined(HUBTLS_POSIX))
// Shakes hands over a connected, blocking socket. hubtls uses a duplicate of `socket`: yours stays open until you close it. `options` may be
// NULL. Time limits set on the socket are overwritten.
//
// Errors: `TIMEOUT`, `CLOSED_IN_HANDSHAKE`, `IO`, any of 3xx, `INVALID_SERVER_NAME`, `INVALID_ARGUMENT`.
hubtls_status hubtls_stream_new(const hubtls_config *config,
                                const char *server_name,
                                int socket,
                                const hubtls_stream_options *options,
                                hubtls_stream **stream,
                                hubtls_error *error);
#endif

#if (defined(HUBTLS_ENGINE) && defined(HUBTLS_POSIX))
// Waits for plaintext and moves it to `data`, at most `len` bytes; `*count` says how many. 0 means that the peer has finished, or that `len` is 0.
//
// Errors: `TIMEOUT` (call again), `TRUNCATED`, `IO`, any of 3xx, `INVALID_ARGUMENT`, `IN_USE`.
hubtls_status hubtls_stream_read(hubtls_stream *stream,
                                 uint8_t *data,
                                 size_t len,
                                 size_t *count,
                                 hubtls_error *error);
#endif

#if (defined(HUBTLS_ENGINE) && defined(HUBTLS_POSIX))
// Reads until `data` is full.
//
// Errors: `TRUNCATED` if the peer finishes before, else as `hubtls_stream_read`; what came before an error is lost.
hubtls_status hubtls_stream_read_exact(hubtls_stream *stream, uint8_t *data, size_t len, hubtls_error *error);
#endif

#if (defined(HUBTLS_ENGINE) && defined(HUBTLS_POSIX))
// Encrypts and sends up to 16,384 bytes of `data`; `*taken` says how many were taken. What was taken and did not leave in time goes first in the
// next call.
//
// Errors: `TIMEOUT` (nothing was taken: call again), `WRITE_AFTER_FINISH`, `RECORD_LIMIT`, `IO`, any of 3xx, `INVALID_ARGUMENT`, `IN_USE`.
hubtls_status hubtls_stream_write(hubtls_stream *stream,
                                  const uint8_t *data,
                                  size_t len,
                                  size_t *taken,
                                  hubtls_error *error);
#endif

#if (defined(HUBTLS_ENGINE) && defined(HUBTLS_POSIX))
// Encrypts and sends all of `data`.
//
// Errors: as `hubtls_stream_write`; after one, how much was sent is not known, so end the connection.
hubtls_status hubtls_stream_write_all(hubtls_stream *stream, const uint8_t *data, size_t len, hubtls_error *error);
#endif

#if (defined(HUBTLS_ENGINE) && defined(HUBTLS_POSIX))
// Sends close_notify: nothing more can be written, reading goes on until the peer finishes too. A second time does nothing.
//
// Errors: `TIMEOUT`, `IO`, `INVALID_ARGUMENT`, `IN_USE`.
hubtls_status hubtls_stream_finish(hubtls_stream *stream,
                                   hubtls_error *error);
#endif

#if (defined(HUBTLS_ENGINE) && defined(HUBTLS_POSIX))
// How long each wait of a read may take, in milliseconds; 0 is for ever.
//
// Errors: `IO`, `INVALID_ARGUMENT`, `IN_USE`.
hubtls_status hubtls_stream_set_read_timeout(hubtls_stream *stream, uint32_t timeout_ms, hubtls_error *error);
#endif

#if (defined(HUBTLS_ENGINE) && defined(HUBTLS_POSIX))
// How long each wait of a write may take, in milliseconds; 0 is for ever.
//
// Errors: `IO`, `INVALID_ARGUMENT`, `IN_USE`.
hubtls_status hubtls_stream_set_write_timeout(hubtls_stream *stream, uint32_t timeout_ms, hubtls_error *error);
#endif

#if (defined(HUBTLS_ENGINE) && defined(HUBTLS_POSIX))
// The descriptor of the stream's socket, for `poll` and `shutdown`; -1 for NULL. It stays the stream's: do not close it. Mind that decrypted
// bytes may wait in the stream when the socket has none.
int hubtls_stream_socket(const hubtls_stream *stream);
#endif

#if (defined(HUBTLS_ENGINE) && defined(HUBTLS_POSIX))
// What was agreed; to be freed. NULL for NULL.
hubtls_negotiated *hubtls_stream_negotiated(const hubtls_stream *stream);
#endif

#if (defined(HUBTLS_ENGINE) && defined(HUBTLS_POSIX))
// Closes the socket, without close_notify unless `hubtls_stream_finish` was called, and frees the stream. NULL is a no-op.
void hubtls_stream_free(hubtls_stream *stream);
#endif

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* HUBTLS_H */
