/* Streams, of which each side serves one call at a time, and connections, which do so as a whole. */
#include "crew.h"
#include "threads.h"

#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

enum { TRANSFER = 1 << 20, SIDE = 4, PIECES = 40, PIECE = 1000, PER_WRITER = PIECES * PIECE };

static uint8_t pattern_at(size_t index)
{
    return (uint8_t)(index % 251);
}

static void write_transfer(void *stream, int number)
{
    (void)number;
    hubtls_error error = HUBTLS_ERROR_INIT;
    uint8_t piece[PIECE];
    for (size_t written = 0; written < TRANSFER;) {
        size_t len = TRANSFER - written < sizeof piece ? TRANSFER - written : sizeof piece;
        for (size_t i = 0; i < len; i++) {
            piece[i] = pattern_at(written + i);
        }
        CHECK_OK(hubtls_stream_write_all(stream, piece, len, &error), error);
        written += len;
    }
    CHECK_OK(hubtls_stream_finish(stream, &error), error);
}

static void read_transfer(void *stream, int number)
{
    (void)number;
    hubtls_error error = HUBTLS_ERROR_INIT;
    uint8_t data[4096];
    size_t got = 0, count = 0;
    do {
        CHECK_OK(hubtls_stream_read(stream, data, sizeof data, &count, &error), error);
        for (size_t i = 0; i < count; i++) {
            CHECK(data[i] == pattern_at(got + i));
        }
        got += count;
    } while (count > 0);
    CHECK(got == TRANSFER);
}

void one_thread_reads_a_stream_while_another_writes_it(void **state)
{
    (void)state;
    hubtls_stream *stream = stream_to_server();
    crew crew;
    crew_hire(&crew, 2);
    crew_add(&crew, write_transfer, stream);
    crew_add(&crew, read_transfer, stream);
    crew_join(&crew);
    hubtls_stream_free(stream);
}

static void read_one_byte(void *stream, int number)
{
    (void)number;
    hubtls_error error = HUBTLS_ERROR_INIT;
    hubtls_status status;
    uint8_t byte = 0;
    size_t count = 0;
    do {
        status = hubtls_stream_read(stream, &byte, 1, &count, &error);
    } while (status == HUBTLS_ERROR_IN_USE);
    CHECK_OK(status, error);
    CHECK(count == 1 && byte == '!');
}

static void be_refused_and_wake_the_reader(void *stream, int number)
{
    (void)number;
    hubtls_error error = HUBTLS_ERROR_INIT;
    uint8_t byte = 0;
    size_t count = 7;
    /* Refused from when the reader waits on, which it does until the server answers. */
    while (hubtls_stream_set_read_timeout(stream, 0, &error) == HUBTLS_OK) {
        sched_yield();
    }
    CHECK(error.code == HUBTLS_ERROR_IN_USE);
    CHECK(hubtls_stream_read(stream, &byte, 1, &count, &error) == HUBTLS_ERROR_IN_USE);
    CHECK(count == 7 && byte == 0);
    CHECK_OK(hubtls_stream_write_all(stream, (const uint8_t *)"!", 1, &error), error);
}

void a_side_of_a_stream_that_waits_refuses_a_second_reader(void **state)
{
    (void)state;
    hubtls_stream *stream = stream_to_server();
    crew crew;
    crew_hire(&crew, 2);
    crew_add(&crew, read_one_byte, stream);
    crew_add(&crew, be_refused_and_wake_the_reader, stream);
    crew_join(&crew);
    hubtls_stream_free(stream);
}

typedef struct {
    hubtls_stream *stream;
    hubtls_connection *connection;
    int socket;
    atomic_int writing;
    atomic_int letters[SIDE];
    atomic_bool done;
} letters;

static void count_letters(letters *letters, const uint8_t *data, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        CHECK(data[i] >= 'a' && data[i] < 'a' + SIDE);
        atomic_fetch_add(&letters->letters[data[i] - 'a'], 1);
    }
}

static void check_letters(letters *letters)
{
    for (int i = 0; i < SIDE; i++) {
        CHECK(atomic_load(&letters->letters[i]) == PER_WRITER);
    }
}

static void fill(uint8_t *piece, int number)
{
    for (int i = 0; i < PIECE; i++) {
        piece[i] = (uint8_t)('a' + number % SIDE);
    }
}

static void write_letters(void *context, int number)
{
    letters *letters = context;
    hubtls_error error = HUBTLS_ERROR_INIT;
    uint8_t piece[PIECE];
    fill(piece, number);
    for (int i = 0; i < PIECES;) {
        hubtls_status status = hubtls_stream_write_all(letters->stream, piece, sizeof piece, &error);
        if (status == HUBTLS_ERROR_IN_USE) {
            sched_yield();
            continue;
        }
        CHECK_OK(status, error);
        i++;
    }
    if (atomic_fetch_sub(&letters->writing, 1) == 1) {
        CHECK_OK(hubtls_stream_finish(letters->stream, &error), error);
    }
}

static void read_letters(void *context, int number)
{
    (void)number;
    letters *letters = context;
    hubtls_error error = HUBTLS_ERROR_INIT;
    uint8_t data[777];
    for (;;) {
        size_t count = 0;
        hubtls_status status = hubtls_stream_read(letters->stream, data, sizeof data, &count, &error);
        if (status == HUBTLS_ERROR_IN_USE) {
            sched_yield();
            continue;
        }
        CHECK_OK(status, error);
        if (count == 0) {
            return;
        }
        count_letters(letters, data, count);
    }
}

void threads_at_the_same_side_of_a_stream_lose_and_double_nothing(void **state)
{
    (void)state;
    letters letters = {.stream = stream_to_server()};
    atomic_init(&letters.writing, SIDE);
    crew crew;
    crew_hire(&crew, 2 * SIDE);
    for (int i = 0; i < SIDE; i++) {
        crew_add(&crew, write_letters, &letters);
    }
    for (int i = 0; i < SIDE; i++) {
        crew_add(&crew, read_letters, &letters);
    }
    crew_join(&crew);
    check_letters(&letters);
    hubtls_stream_free(letters.stream);
}

static void write_letters_to_connection(void *context, int number)
{
    letters *letters = context;
    hubtls_error error = HUBTLS_ERROR_INIT;
    uint8_t piece[PIECE];
    fill(piece, number);
    for (int i = 0; i < PIECES;) {
        size_t taken = 0;
        hubtls_status status = hubtls_connection_write(letters->connection, piece, sizeof piece, &taken, &error);
        CHECK(status == HUBTLS_OK || status == HUBTLS_ERROR_IN_USE);
        CHECK(taken == 0 || taken == sizeof piece);
        if (taken > 0) {
            i++;
        } else {
            sched_yield();
        }
    }
}

/* One thread alone sends: two would put the records out of order. */
static void send_letters(void *context, int number)
{
    (void)number;
    letters *letters = context;
    while (!atomic_load(&letters->done)) {
        send_pending(letters->connection, letters->socket);
        sched_yield();
    }
}

static void receive_letters(void *context, int number)
{
    (void)number;
    letters *letters = context;
    static uint8_t data[1 << 16];
    for (size_t got = 0; got < SIDE * PER_WRITER;) {
        size_t count = receive_some(letters->connection, letters->socket, data, sizeof data);
        count_letters(letters, data, count);
        got += count;
    }
    atomic_store(&letters->done, true);
}

static void ask_connection(void *context, int number)
{
    (void)number;
    letters *letters = context;
    hubtls_error error = HUBTLS_ERROR_INIT;
    while (!atomic_load(&letters->done)) {
        hubtls_negotiated *negotiated = NULL;
        hubtls_status status = hubtls_connection_negotiated(letters->connection, &negotiated, &error);
        CHECK(status == HUBTLS_OK ? negotiated != NULL : status == HUBTLS_ERROR_IN_USE && negotiated == NULL);
        hubtls_negotiated_free(negotiated);
        CHECK(!hubtls_connection_is_handshaking(letters->connection));
        CHECK(!hubtls_connection_is_ended(letters->connection));
        (void)hubtls_connection_wants_transmit(letters->connection);
        sched_yield();
    }
}

void threads_at_the_same_connection_lose_and_double_nothing(void **state)
{
    (void)state;
    hubtls_roots *roots = roots_from("roots.pem");
    hubtls_config *config = config_with(roots, NULL, NULL);
    letters letters = {.socket = server_dial(&the_server)};
    letters.connection = connection_with(config, letters.socket);
    crew crew;
    crew_hire(&crew, SIDE + 4);
    for (int i = 0; i < SIDE; i++) {
        crew_add(&crew, write_letters_to_connection, &letters);
    }
    crew_add(&crew, send_letters, &letters);
    crew_add(&crew, receive_letters, &letters);
    crew_add(&crew, ask_connection, &letters);
    crew_add(&crew, ask_connection, &letters);
    crew_join(&crew);
    check_letters(&letters);
    hubtls_connection_free(letters.connection);
    hubtls_config_free(config);
    hubtls_roots_free(roots);
    close(letters.socket);
}
