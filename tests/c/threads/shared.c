/* Values that any number of threads may use, and the list of live handles behind them. */
#include "crew.h"
#include "threads.h"

#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 16, CONNECTIONS = 6, ROUNDS = 20 };

static const char MESSAGE[] = "the same message from every thread";

typedef struct {
    hubtls_config *config;
    hubtls_config_handle *handle;
    hubtls_roots *private_ones;
    hubtls_roots *more;
    atomic_int connecting;
    atomic_int asked;
} fleet;

static uint64_t count_and_tell(void *context)
{
    atomic_fetch_add((atomic_int *)context, 1);
    return (uint64_t)time(NULL);
}

static void talk_over_stream(const hubtls_config *config)
{
    hubtls_error error = HUBTLS_ERROR_INIT;
    char answer[sizeof MESSAGE];
    hubtls_stream *stream = stream_with(config);
    CHECK_OK(hubtls_stream_write_all(stream, (const uint8_t *)MESSAGE, sizeof MESSAGE, &error), error);
    CHECK_OK(hubtls_stream_read_exact(stream, (uint8_t *)answer, sizeof answer, &error), error);
    CHECK(memcmp(answer, MESSAGE, sizeof answer) == 0);
    hubtls_negotiated *negotiated = hubtls_stream_negotiated(stream);
    CHECK_OK(hubtls_stream_finish(stream, &error), error);
    hubtls_stream_free(stream);
    CHECK(strstr(hubtls_negotiated_json(negotiated), "cipher_suite") != NULL);
    hubtls_negotiated_free(negotiated);
}

static void talk_over_connection(const hubtls_config *config)
{
    hubtls_error error = HUBTLS_ERROR_INIT;
    uint8_t answer[sizeof MESSAGE];
    int socket = server_dial(&the_server);
    hubtls_connection *connection = connection_with(config, socket);
    size_t taken = 0;
    CHECK_OK(hubtls_connection_write(connection, (const uint8_t *)MESSAGE, sizeof MESSAGE, &taken, &error), error);
    CHECK(taken == sizeof MESSAGE);
    send_pending(connection, socket);
    for (size_t got = 0; got < sizeof answer;) {
        got += receive_some(connection, socket, answer + got, sizeof answer - got);
    }
    CHECK(memcmp(answer, MESSAGE, sizeof answer) == 0);
    hubtls_connection_free(connection);
    close(socket);
}

static void connect_often(void *context, int number)
{
    fleet *fleet = context;
    for (int i = 0; i < CONNECTIONS; i++) {
        hubtls_config *current = hubtls_config_handle_current(fleet->handle);
        if ((number + i) % 2 == 0) {
            talk_over_stream(current);
        } else {
            talk_over_connection(current);
        }
        hubtls_config_free(current);
    }
    atomic_fetch_sub(&fleet->connecting, 1);
}

static void replace_roots(void *context, int number)
{
    fleet *fleet = context;
    hubtls_error error = HUBTLS_ERROR_INIT;
    (void)number;
    for (int i = 0; i < ROUNDS || atomic_load(&fleet->connecting) > 0; i++) {
        const hubtls_roots *next = i % 2 == 0 ? fleet->more : fleet->private_ones;
        CHECK_OK(hubtls_config_handle_replace_roots(fleet->handle, next, &error), error);
        hubtls_config *current = hubtls_config_handle_current(fleet->handle);
        hubtls_roots *trusted = hubtls_config_roots(current);
        CHECK(hubtls_roots_count(trusted) == hubtls_roots_count(next));
        hubtls_roots_free(trusted);
        hubtls_config_free(current);
    }
}

static void clone_and_free(void *context, int number)
{
    fleet *fleet = context;
    (void)number;
    for (int i = 0; i < ROUNDS || atomic_load(&fleet->connecting) > 0; i++) {
        hubtls_config *copy = hubtls_config_clone(fleet->config);
        hubtls_policy *policy = hubtls_config_policy(copy);
        hubtls_config_free(copy);
        CHECK(strstr(hubtls_policy_json(policy), hubtls_policy_name(policy)) != NULL);
        hubtls_policy_free(policy);
    }
}

void sixteen_threads_connect_while_the_roots_are_replaced(void **state)
{
    (void)state;
    hubtls_error error = HUBTLS_ERROR_INIT;
    hubtls_roots *azure = NULL;
    CHECK_OK(hubtls_roots_azure(&azure, &error), error);
    fleet fleet = {.private_ones = roots_from("roots.pem")};
    atomic_init(&fleet.connecting, THREADS);
    CHECK_OK(hubtls_roots_with_added(azure, fleet.private_ones, &fleet.more, &error), error);
    fleet.config = config_with(fleet.private_ones, count_and_tell, &fleet.asked);
    CHECK_OK(hubtls_config_handle_new(fleet.config, &fleet.handle, &error), error);

    crew crew;
    crew_hire(&crew, THREADS + 3);
    for (int i = 0; i < THREADS; i++) {
        crew_add(&crew, connect_often, &fleet);
    }
    crew_add(&crew, replace_roots, &fleet);
    crew_add(&crew, clone_and_free, &fleet);
    crew_add(&crew, clone_and_free, &fleet);
    crew_join(&crew);
    CHECK(atomic_load(&fleet.asked) > 0);

    hubtls_roots *unrelated = roots_from("unrelated.pem");
    CHECK_OK(hubtls_config_handle_replace_roots(fleet.handle, unrelated, &error), error);
    hubtls_config *current = hubtls_config_handle_current(fleet.handle);
    hubtls_stream *stream = NULL;
    CHECK(hubtls_stream_connect(current, the_server.host, the_server.port, NULL, &stream, &error) == HUBTLS_ERROR_UNKNOWN_ROOT);
    CHECK(stream == NULL);
    hubtls_config_free(current);
    hubtls_roots_free(unrelated);
    hubtls_config_handle_free(fleet.handle);
    hubtls_config_free(fleet.config);
    hubtls_roots_free(fleet.more);
    hubtls_roots_free(fleet.private_ones);
    hubtls_roots_free(azure);
}

enum { QUESTIONS = 13 };

typedef struct {
    hubtls_policy *policy;
    hubtls_roots *roots;
    hubtls_negotiated *negotiated;
    const char *answers[THREADS][QUESTIONS];
} texts;

static void ask_for_texts(void *context, int number)
{
    texts *texts = context;
    const char *answers[QUESTIONS] = {
        hubtls_policy_json(texts->policy),
        hubtls_policy_openssl_cipher_list(texts->policy),
        hubtls_policy_openssl_ciphersuites(texts->policy),
        hubtls_policy_openssl_groups(texts->policy),
        hubtls_policy_openssl_signature_algorithms(texts->policy),
        hubtls_policy_wolfssl_cipher_list(texts->policy),
        hubtls_policy_wolfssl_signature_algorithms(texts->policy),
        hubtls_policy_name(texts->policy),
        hubtls_roots_pem(texts->roots),
        hubtls_roots_fingerprint_at(texts->roots, 1),
        hubtls_negotiated_json(texts->negotiated),
        hubtls_negotiated_root(texts->negotiated),
        hubtls_negotiated_peer_subject_at(texts->negotiated, 0),
    };
    memcpy(texts->answers[number], answers, sizeof answers);
}

void strings_that_are_made_when_asked_for_are_made_once(void **state)
{
    (void)state;
    hubtls_error error = HUBTLS_ERROR_INIT;
    hubtls_stream *stream = stream_to_server();
    for (int round = 0; round < ROUNDS; round++) {
        texts texts = {.negotiated = hubtls_stream_negotiated(stream)};
        CHECK_OK(hubtls_policy_named("iothub", &texts.policy, &error), error);
        CHECK_OK(hubtls_roots_embedded(&texts.roots, &error), error);
        crew_run(THREADS, ask_for_texts, &texts);
        for (int question = 0; question < QUESTIONS; question++) {
            CHECK(texts.answers[0][question] != NULL && texts.answers[0][question][0] != '\0');
            for (int i = 1; i < THREADS; i++) {
                CHECK(texts.answers[i][question] == texts.answers[0][question]);
            }
        }
        hubtls_negotiated_free(texts.negotiated);
        hubtls_roots_free(texts.roots);
        hubtls_policy_free(texts.policy);
    }
    hubtls_stream_free(stream);
}

static void make_and_free(void *context, int number)
{
    (void)context;
    hubtls_error error = HUBTLS_ERROR_INIT;
    for (int i = 0; i < ROUNDS; i++) {
        hubtls_policy *policy = NULL, *narrowed = NULL;
        hubtls_roots *roots = NULL;
        hubtls_config *config = NULL;
        CHECK(hubtls_policy_named("nothing", &policy, &error) == HUBTLS_ERROR_UNKNOWN_POLICY && policy == NULL);
        CHECK(strcmp(error.name, "UNKNOWN_POLICY") == 0);
        CHECK_OK(hubtls_policy_named(number % 2 == 0 ? "iothub" : "iothub-aead", &policy, &error), error);
        CHECK_OK(hubtls_policy_only_authentication(policy, HUBTLS_AUTHENTICATION_RSA, &narrowed, &error), error);
        CHECK_OK(hubtls_roots_of_policy(policy, &roots, &error), error);
        hubtls_policy_free(policy);
        hubtls_config_builder *builder = hubtls_config_builder_new();
        CHECK_OK(hubtls_config_builder_set_policy(builder, narrowed, &error), error);
        CHECK_OK(hubtls_config_builder_set_roots(builder, roots, &error), error);
        CHECK_OK(hubtls_config_builder_build(builder, &config, &error), error);
        hubtls_config_builder_free(builder);
        hubtls_roots_free(roots);
        hubtls_policy_free(narrowed);
        hubtls_config_free(config);
    }
}

void handles_are_made_and_freed_by_all_threads(void **state)
{
    (void)state;
    crew_run(THREADS, make_and_free, NULL);
}

static void free_policy(void *context, int number)
{
    (void)number;
    hubtls_policy_free(context);
}

void a_handle_that_two_threads_free_is_freed_once(void **state)
{
    (void)state;
    hubtls_error error = HUBTLS_ERROR_INIT;
    for (int round = 0; round < ROUNDS; round++) {
        hubtls_policy *policy = NULL;
        CHECK_OK(hubtls_policy_named("iothub", &policy, &error), error);
        crew_run(2, free_policy, policy);
    }
}

static void set_and_build(void *context, int number)
{
    hubtls_config_builder *builder = context;
    hubtls_error error = HUBTLS_ERROR_INIT;
    const hubtls_bytes protocols[] = {{(const uint8_t *)"mqtt", 4}};
    for (int i = 0; i < ROUNDS; i++) {
        hubtls_config *config = NULL;
        hubtls_status set = number % 2 == 0 ? hubtls_config_builder_set_alpn(builder, protocols, 1, &error)
                                            : hubtls_config_builder_set_resumption(builder, i % 2 == 0, &error);
        CHECK(set == HUBTLS_OK || set == HUBTLS_ERROR_IN_USE);
        hubtls_status built = hubtls_config_builder_build(builder, &config, &error);
        CHECK(built == HUBTLS_OK ? config != NULL : built == HUBTLS_ERROR_IN_USE && config == NULL);
        hubtls_config_free(config);
    }
}

void a_builder_in_use_is_refused_or_serves(void **state)
{
    (void)state;
    hubtls_config_builder *builder = hubtls_config_builder_new();
    crew_run(4, set_and_build, builder);
    hubtls_config_builder_free(builder);
}
