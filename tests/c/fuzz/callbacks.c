#include "callbacks.h"

#include "calls.h"
#include "input.h"
#include "report.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>
#include <time.h>

int live_signers = 0;
static bool quiet = false;

void callbacks_begin(void)
{
    quiet = false;
}

void callbacks_end(void)
{
    quiet = true;
}

static void call_again(void)
{
    if (quiet || depth == MOST_DEPTH || input_is_used_up()) {
        return;
    }
    depth++;
    for (size_t calls = below(3); calls > 0; calls--) {
        call();
    }
    depth--;
}

uint64_t tell_time(void *context)
{
    EXPECT(context == UNTOUCHED);
    call_again();
    switch (byte()) {
    case 255: return 0;
    case 254: return long_number();
    default: return (uint64_t)time(NULL);
    }
}

void log_keys(void *context, const char *line)
{
    EXPECT(context == UNTOUCHED);
    EXPECT(strlen(line) > 64);
    call_again();
}

void take_plaintext(void *context, const uint8_t *data, size_t len)
{
    hubtls_connection *connection = context;
    uint8_t first[1];
    size_t count;
    EXPECT(len > 0 && data != NULL);
    /* The connection is in use, whatever is asked of it. */
    depth++;
    EXPECT(hubtls_connection_read(connection, first, 1, &count, NULL) == HUBTLS_ERROR_IN_USE);
    EXPECT(hubtls_connection_write(connection, data, len, &count, NULL) == HUBTLS_ERROR_IN_USE);
    EXPECT(!hubtls_connection_is_handshaking(connection) && hubtls_connection_pending(connection).len == 0);
    hubtls_connection_free(connection);
    depth--;
    call_again();
}

static EVP_PKEY *key(void)
{
    static EVP_PKEY *made = NULL;
    if (made == NULL) {
        hubtls_bytes pem = file("client.key");
        BIO *source = BIO_new_mem_buf(pem.data, (int)pem.len);
        made = PEM_read_bio_PrivateKey(source, NULL, NULL, NULL);
        BIO_free(source);
        EXPECT(made != NULL);
    }
    return made;
}

static int sign(void *context, uint16_t scheme, const uint8_t *message, size_t message_len, uint8_t *signature, size_t *signature_len)
{
    EXPECT(context == UNTOUCHED);
    EXPECT(*signature_len == HUBTLS_MAX_SIGNATURE);
    call_again();
    uint8_t kind = byte();
    if (kind == 255) {
        return (int)long_number();
    }
    if (kind == 254) {
        *signature_len = (size_t)long_number();
        return 0;
    }
    (void)scheme;
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    EXPECT(EVP_DigestSignInit(digest, NULL, EVP_sha256(), NULL, key()) == 1);
    EXPECT(EVP_DigestSign(digest, signature, signature_len, message, message_len) == 1);
    EVP_MD_CTX_free(digest);
    return 0;
}

static void release(void *context)
{
    EXPECT(context == UNTOUCHED);
    live_signers--;
    call_again();
}

hubtls_signer signer(void)
{
    hubtls_signer made = HUBTLS_SIGNER_INIT;
    uint8_t kind = byte();
    made.size = kind == 255 ? byte() : sizeof made;
    made.context = UNTOUCHED;
    made.sign = kind == 254 ? NULL : sign;
    made.release = release;
    if (kind % 2 == 1) {
        made.schemes = numbers(&made.schemes_len);
    }
    return made;
}
