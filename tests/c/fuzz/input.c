#include "input.h"

#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t *next;
static const uint8_t *end;

enum { MOST_BLOCKS = 4096, FILES = 7 };
static void *blocks[MOST_BLOCKS];
static size_t block_count;

static struct {
    const char *name;
    hubtls_bytes content;
} files[FILES] = {{"root.pem", {0}}, {"server.pem", {0}}, {"server.key", {0}}, {"client.pem", {0}}, {"client.key", {0}}, {"client.p12", {0}}, {"root.crl", {0}}};

void input_begin(const uint8_t *data, size_t len)
{
    next = data;
    end = data + len;
}

bool input_is_used_up(void)
{
    return next == end;
}

uint8_t byte(void)
{
    return next == end ? 0 : *next++;
}

uint16_t short_number(void)
{
    uint16_t high = byte();
    return (uint16_t)(high << 8 | byte());
}

uint64_t long_number(void)
{
    uint64_t number = 0;
    for (int i = 0; i < 8; i++) {
        number = number << 8 | byte();
    }
    return number;
}

size_t below(size_t limit)
{
    return byte() % limit;
}

void *seldom_null(void *pointer)
{
    return byte() == 0xff ? NULL : pointer;
}

void *scratch(size_t len)
{
    void *block = malloc(len > 0 ? len : 1);
    EXPECT(block != NULL && block_count < MOST_BLOCKS);
    blocks[block_count++] = block;
    return block;
}

void scratch_free(void)
{
    while (block_count > 0) {
        free(blocks[--block_count]);
    }
}

void files_read(void)
{
    static uint8_t content[1 << 16];
    for (int i = 0; i < FILES; i++) {
        char path[1024];
        snprintf(path, sizeof path, "%s/%s", CERTIFICATES, files[i].name);
        FILE *opened = fopen(path, "rb");
        EXPECT(opened != NULL);
        size_t len = fread(content, 1, sizeof content - 1, opened);
        fclose(opened);
        uint8_t *kept = calloc(1, len + 1);
        EXPECT(kept != NULL);
        memcpy(kept, content, len);
        files[i].content = (hubtls_bytes){kept, len};
    }
}

hubtls_bytes file(const char *name)
{
    for (int i = 0; i < FILES; i++) {
        if (strcmp(files[i].name, name) == 0) {
            return files[i].content;
        }
    }
    abort();
}

hubtls_bytes own(void)
{
    size_t len = short_number(), left = (size_t)(end - next);
    len = len < left ? len : left;
    uint8_t *data = scratch(len);
    memcpy(data, next, len);
    next += len;
    return (hubtls_bytes){data, len};
}

hubtls_bytes lent(void)
{
    uint8_t kind = byte();
    switch (kind) {
    case 0: return (hubtls_bytes){NULL, 0};
    case 1: return (hubtls_bytes){NULL, short_number()};
    case 2: return (hubtls_bytes){own().data, SIZE_MAX - byte()};
    default: break;
    }
    if (kind >= 16) {
        return own();
    }
    hubtls_bytes whole = files[kind % FILES].content;
    uint8_t *data = scratch(whole.len);
    memcpy(data, whole.data, whole.len);
    /* One byte of some of them is changed. */
    if (kind >= 10) {
        data[short_number() % whole.len] ^= byte();
    }
    return (hubtls_bytes){data, whole.len};
}

const char *text(void)
{
    static const char *const KNOWN[] = {"iothub", "iothub-ecc", "iothub-2025-08-aead", "iothub-tls12", "hub.example", "127.0.0.1", "localhost",
        "hub.azure-devices.net", "TLSv1.2", "1.3", "TLS1.0", "ECDHE-RSA-AES128-GCM-SHA256", "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", "x25519",
        "P-256", "sha256/", "secret", "/dev/null", CERTIFICATES "/client.pem", CERTIFICATES "/client.key", CERTIFICATES "/root.pem", ""};
    uint8_t kind = byte();
    if (kind == 0) {
        return NULL;
    }
    if (kind < 128) {
        return KNOWN[kind % (sizeof KNOWN / sizeof KNOWN[0])];
    }
    hubtls_bytes content = own();
    char *made = scratch(content.len + 1);
    memcpy(made, content.data, content.len);
    made[content.len] = '\0';
    return made;
}

const uint16_t *numbers(size_t *count)
{
    static const uint16_t KNOWN[] = {0x0303, 0x0304, 0x0301, 0xc02b, 0xc02c, 0xc02f, 0xc030, 0xc023, 0xc028, 0x1301, 0x1302, 0x009f, 0x001d, 0x0017,
        0x0018, 0x11ec, 0x0403, 0x0503, 0x0804};
    *count = below(8);
    if (*count == 7) {
        *count = byte();
        return NULL;
    }
    uint16_t *made = scratch(*count * sizeof *made);
    for (size_t i = 0; i < *count; i++) {
        uint8_t kind = byte();
        made[i] = kind < 240 ? KNOWN[kind % (sizeof KNOWN / sizeof KNOWN[0])] : short_number();
    }
    return made;
}

const hubtls_bytes *byte_lists(size_t *count)
{
    *count = below(5);
    if (*count == 4) {
        *count = byte();
        return NULL;
    }
    hubtls_bytes *made = scratch(*count * sizeof *made);
    for (size_t i = 0; i < *count; i++) {
        made[i] = lent();
    }
    return made;
}
