/* The interface of hubtls.h under libFuzzer: the input is a sequence of calls with whatever arguments C can pass, short of pointers that dangle.
 *
 * What must hold: nothing crashes or leaks, no call fails with HUBTLS_ERROR_INTERNAL (a panic), outputs and errors stay untouched unless the
 * header says that they are written, counts keep to their bounds, what is in use is refused, and each signer is released once. */
#include "callbacks.h"
#include "calls.h"
#include "handles.h"
#include "input.h"
#include "report.h"
#include "server.h"

void call(void)
{
    switch (byte() % 8) {
    case 0: call_about_values(); break;
    case 1: call_about_identities(); break;
    case 2:
    case 3: call_about_configs(); break;
    case 4: free_one((enum kind)below(KINDS)); break;
    default: call_about_connections(); break;
    }
}

int LLVMFuzzerInitialize(int *count, char ***arguments);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerInitialize(int *count, char ***arguments)
{
    (void)count;
    (void)arguments;
    files_read();
    server_setup();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    enum { MOST_CALLS = 200 };
    input_begin(data, len);
    callbacks_begin();
    for (int calls = 0; calls < MOST_CALLS && !input_is_used_up(); calls++) {
        call();
    }
    callbacks_end();
    free_all();
    EXPECT(live_signers == 0);
    scratch_free();
    return 0;
}
