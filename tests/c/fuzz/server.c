#include "server.h"

#include "report.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>

enum { MOST_PEERS = 8 };
static struct peer {
    const hubtls_connection *connection;
    SSL *ssl;
} peers[MOST_PEERS];
static SSL_CTX *context;

static int accept_any(int preverified, X509_STORE_CTX *store)
{
    (void)preverified;
    (void)store;
    return 1;
}

void server_setup(void)
{
    context = SSL_CTX_new(TLS_server_method());
    EXPECT(context != NULL);
    EXPECT(SSL_CTX_use_certificate_chain_file(context, CERTIFICATES "/server.pem") == 1);
    EXPECT(SSL_CTX_use_PrivateKey_file(context, CERTIFICATES "/server.key", SSL_FILETYPE_PEM) == 1);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, accept_any);
    EXPECT(SSL_CTX_set_session_id_context(context, (const unsigned char *)"fuzz", 4) == 1);
}

static struct peer *find(const hubtls_connection *connection)
{
    for (int i = 0; i < MOST_PEERS; i++) {
        if (peers[i].connection == connection) {
            return &peers[i];
        }
    }
    return NULL;
}

static struct peer *find_or_start(const hubtls_connection *connection)
{
    struct peer *peer = find(connection);
    if (peer == NULL) {
        peer = find(NULL);
        EXPECT(peer != NULL);
        peer->connection = connection;
        peer->ssl = SSL_new(context);
        EXPECT(peer->ssl != NULL);
        SSL_set_bio(peer->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
        SSL_set_accept_state(peer->ssl);
    }
    return peer;
}

void server_serve(const hubtls_connection *connection, const uint8_t *data, size_t len)
{
    struct peer *peer = find_or_start(connection);
    BIO_write(SSL_get_rbio(peer->ssl), data, (int)len);
    uint8_t echo[4096];
    for (int count; (count = SSL_read(peer->ssl, echo, sizeof echo)) > 0;) {
        SSL_write(peer->ssl, echo, count);
    }
    if (SSL_get_shutdown(peer->ssl) & SSL_RECEIVED_SHUTDOWN) {
        SSL_shutdown(peer->ssl);
    }
    ERR_clear_error();
}

hubtls_bytes server_output(const hubtls_connection *connection)
{
    struct peer *peer = find(connection);
    if (peer == NULL) {
        return (hubtls_bytes){NULL, 0};
    }
    char *data = NULL;
    long len = BIO_get_mem_data(SSL_get_wbio(peer->ssl), &data);
    return (hubtls_bytes){(const uint8_t *)data, (size_t)len};
}

void server_output_taken(const hubtls_connection *connection, size_t count)
{
    if (count == 0) {
        return;
    }
    BIO *output = SSL_get_wbio(find(connection)->ssl);
    uint8_t gone[4096];
    while (count > 0) {
        int read = BIO_read(output, gone, (int)(count < sizeof gone ? count : sizeof gone));
        EXPECT(read > 0);
        count -= (size_t)read;
    }
}

void server_forget(const hubtls_connection *connection)
{
    struct peer *peer = connection == NULL ? NULL : find(connection);
    if (peer != NULL) {
        SSL_free(peer->ssl);
        memset(peer, 0, sizeof *peer);
    }
}
