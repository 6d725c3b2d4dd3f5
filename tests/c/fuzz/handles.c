#include "handles.h"

#include "input.h"
#include "report.h"
#include "server.h"

enum { PER_KIND = 3 };
static void *live[KINDS][PER_KIND];
static void *used[MOST_DEPTH + 1];
static int use_count;

void begin_use(void *handle)
{
    EXPECT(use_count <= MOST_DEPTH);
    used[use_count++] = handle;
}

void end_use(void)
{
    use_count--;
}

bool is_used(const void *handle)
{
    for (int i = 0; i < use_count; i++) {
        if (used[i] == handle && handle != NULL) {
            return true;
        }
    }
    return false;
}

void *handle(enum kind kind)
{
    size_t place = below(PER_KIND + 1);
    return place == PER_KIND ? NULL : live[kind][place];
}

static void release(enum kind kind, void *handle)
{
    switch (kind) {
    case POLICY: hubtls_policy_free(handle); break;
    case ROOTS: hubtls_roots_free(handle); break;
    case IDENTITY: hubtls_identity_free(handle); break;
    case BUILDER: hubtls_config_builder_free(handle); break;
    case CONFIG: hubtls_config_free(handle); break;
    case HANDLE: hubtls_config_handle_free(handle); break;
    case CONNECTION: hubtls_connection_free(handle); break;
    case NEGOTIATED: hubtls_negotiated_free(handle); break;
    case KINDS: abort();
    }
}

/* Frees what is in a place and clears it, unless a call uses it: then it has to live on. Callbacks free nothing else, since the call they come
 * from may use it. */
static void clear(enum kind kind, void **place)
{
    void *gone = *place;
    if (is_used(gone)) {
        release(kind, gone);
        return;
    }
    if (depth > 0) {
        return;
    }
    *place = NULL;
    if (kind == CONNECTION) {
        server_forget(gone);
    }
    release(kind, gone);
}

void made(enum kind kind, bool success, void *output)
{
    if (!success) {
        EXPECT(output == UNTOUCHED);
        return;
    }
    EXPECT(output != NULL && output != UNTOUCHED);
    void **place = &live[kind][below(PER_KIND)];
    if (depth > 0 && *place != NULL) {
        if (kind == CONNECTION) {
            server_forget(output);
        }
        release(kind, output);
        return;
    }
    /* The place is taken first: what the end of the older one calls back may fill an empty one. */
    void *older = *place;
    *place = output;
    if (older != NULL && kind == CONNECTION) {
        server_forget(older);
    }
    release(kind, older);
}

void free_one(enum kind kind)
{
    void **place = &live[kind][below(PER_KIND)];
    void *gone = *place;
    clear(kind, place);
    /* Freed already, and its address was not given out anew: nothing may happen. What its end calls back may do that, so only the types without
     * callbacks are freed twice. */
    if (depth == 0 && (kind == POLICY || kind == ROOTS || kind == NEGOTIATED)) {
        release(kind, gone);
    }
    release(kind, NULL);
}

void free_all(void)
{
    for (int kind = 0; kind < KINDS; kind++) {
        for (int i = 0; i < PER_KIND; i++) {
            clear((enum kind)kind, &live[kind][i]);
            EXPECT(live[kind][i] == NULL);
        }
    }
}
