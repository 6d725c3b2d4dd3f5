
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

#define HUBTLS_VERSION "@VERSION@"
#define HUBTLS_VERSION_MAJOR @MAJOR@
#define HUBTLS_VERSION_MINOR @MINOR@
#define HUBTLS_VERSION_PATCH @PATCH@

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
@CODES@
};

#define HUBTLS_ERROR_INIT { sizeof(hubtls_error), HUBTLS_OK, 0, false, false, NULL, { 0 }, { 0 } }
#define HUBTLS_SIGNER_INIT { sizeof(hubtls_signer), NULL, NULL, NULL, NULL, 0 }
#define HUBTLS_STREAM_OPTIONS_INIT { sizeof(hubtls_stream_options), 0, 0, 0, 0, 0 }
#define HUBTLS_READINESS_INIT { sizeof(hubtls_readiness), 0, 0, 0, false }
