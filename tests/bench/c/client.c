/* The heap of OpenSSL's client: client ROOT.PEM SOCKET FRAGMENT_LENGTH CONNECTIONS RELEASE_BUFFERS
 *
 * Prints three numbers: bytes per idle connection, and the most that one connection held in its handshake and while it received 1 MB. */
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define SERVER_NAME "hub.example"
#define MEGABYTE (1024 * 1024)

/* See count.c. */
struct heap {
    uint64_t in_use, peak;
};

static volatile struct heap *heap;

#define MUST(condition)                                                                          \
    do {                                                                                         \
        if (!(condition)) {                                                                      \
            fprintf(stderr, "line %d: %s\n", __LINE__, #condition);                              \
            ERR_print_errors_fp(stderr);                                                         \
            exit(1);                                                                             \
        }                                                                                        \
    } while (0)

static uint8_t code_of(int fragment_length) {
    switch (fragment_length) {
    case 0: return TLSEXT_max_fragment_length_DISABLED;
    case 512: return TLSEXT_max_fragment_length_512;
    case 4096: return TLSEXT_max_fragment_length_4096;
    }
    MUST(!"a fragment length");
    return 0;
}

static SSL_CTX *context(const char *root, uint8_t fragment_code, int release_buffers) {
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    MUST(context);
    MUST(SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION));
    MUST(SSL_CTX_set_cipher_list(context, "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
                                          "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384"));
    MUST(SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384"));
    MUST(SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384"));
    MUST(SSL_CTX_load_verify_locations(context, root, NULL));
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
    if (fragment_code) MUST(SSL_CTX_set_tlsext_max_fragment_length(context, fragment_code));
    if (release_buffers) SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    return context;
}

static void receive(SSL *ssl, size_t length) {
    char output[512];
    while (length > 0) {
        int got = SSL_read(ssl, output, sizeof output);
        MUST(got > 0);
        length -= (size_t)got;
    }
}

static SSL *connection(SSL_CTX *context, const char *server, uint8_t fragment_code) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    MUST(strlen(server) < sizeof address.sun_path);
    strcpy(address.sun_path, server);
    int socket_fd = socket(AF_UNIX, SOCK_STREAM, 0);
    MUST(connect(socket_fd, (struct sockaddr *)&address, sizeof address) == 0);
    SSL *ssl = SSL_new(context);
    MUST(ssl && SSL_set_fd(ssl, socket_fd));
    MUST(SSL_set_tlsext_host_name(ssl, SERVER_NAME) && SSL_set1_host(ssl, SERVER_NAME));
    MUST(SSL_connect(ssl) == 1);
    MUST(SSL_SESSION_get_max_fragment_length(SSL_get_session(ssl)) == fragment_code);
    return ssl;
}

/* 1 KB each way. */
static void exchange(SSL *ssl) {
    char message[1024] = {'Z'};
    MUST(SSL_write(ssl, message, sizeof message) == sizeof message);
    receive(ssl, sizeof message);
}

int main(int count, char **arguments) {
    MUST(count == 6);
    const char *server = arguments[2];
    int connections = atoi(arguments[4]);
    uint8_t fragment_code = code_of(atoi(arguments[3]));
    int counters = open(getenv("HUBTLS_BENCH_HEAP"), O_RDWR);
    heap = mmap(NULL, sizeof *heap, PROT_READ | PROT_WRITE, MAP_SHARED, counters, 0);
    MUST(heap != MAP_FAILED);
    SSL_CTX *shared = context(arguments[1], fragment_code, atoi(arguments[5]));
    SSL **idle = calloc((size_t)connections, sizeof *idle);

    /* The first connection of a process also pays for what all share. */
    SSL *first = connection(shared, server, fragment_code);
    exchange(first);
    close(SSL_get_fd(first));
    SSL_free(first);

    uint64_t before = heap->in_use;
    heap->peak = before;
    SSL *ssl = connection(shared, server, fragment_code);
    uint64_t handshake = heap->peak - before;
    exchange(ssl);
    heap->peak = heap->in_use;
    MUST(SSL_write(ssl, "m", 1) == 1);
    receive(ssl, MEGABYTE);
    uint64_t receiving = heap->peak - before;
    close(SSL_get_fd(ssl));
    SSL_free(ssl);

    before = heap->in_use;
    for (int i = 0; i < connections; i++) {
        idle[i] = connection(shared, server, fragment_code);
        exchange(idle[i]);
        close(SSL_get_fd(idle[i]));
    }
    uint64_t each = (heap->in_use - before) / (uint64_t)connections;
    printf("%lu %lu %lu\n", (unsigned long)each, (unsigned long)handshake, (unsigned long)receiving);
    return 0;
}
