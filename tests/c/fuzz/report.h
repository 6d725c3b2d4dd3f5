#ifndef REPORT_H
#define REPORT_H

#include <hubtls.h>
#include <stdio.h>
#include <stdlib.h>

/* What must hold, whatever is passed. */
#define EXPECT(condition)                                                                                                                   \
    do {                                                                                                                                    \
        if (!(condition)) {                                                                                                                 \
            fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition);                                                   \
            abort();                                                                                                                        \
        }                                                                                                                                   \
    } while (0)

/* Calls may be nested: a callback makes further ones. */
enum { MOST_DEPTH = 3 };
extern int depth;

/* What to pass as a call's `error`: one of full size, one that is too small, or NULL. */
hubtls_error *report(void);

/* Whether the call that got `report()` succeeded. Its status and its error must tell the same, and it must not be a fault of hubtls. */
bool succeeded(hubtls_status status);

/* The same for `hubtls_error_fill`, which may be asked to tell of a fault. */
bool reported(hubtls_status status);

/* Where an output goes that must stay so if the call fails. */
#define UNTOUCHED ((void *)&depth)

/* Calls something that gives a count of at most `most`, in `*count`. */
#define COUNTED(count, most, call)                                                                                                          \
    do {                                                                                                                                    \
        count = SIZE_MAX;                                                                                                                   \
        if (succeeded(call)) {                                                                                                              \
            EXPECT(count <= (most));                                                                                                        \
        } else {                                                                                                                            \
            EXPECT(count == SIZE_MAX);                                                                                                      \
            count = 0;                                                                                                                      \
        }                                                                                                                                   \
    } while (0)

#endif
