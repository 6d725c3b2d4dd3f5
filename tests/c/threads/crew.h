#ifndef CREW_H
#define CREW_H

#include <hubtls.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* cmocka's assertions leave the test by longjmp, which a thread other than the test's must not: this ends the program. */
#define CHECK(condition)                                                                                                                    \
    do {                                                                                                                                    \
        if (!(condition)) {                                                                                                                 \
            fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition);                                                   \
            abort();                                                                                                                        \
        }                                                                                                                                   \
    } while (0)

/* The same for a call of hubtls, with what it says. */
#define CHECK_OK(call, error)                                                                                                               \
    do {                                                                                                                                    \
        if ((call) != HUBTLS_OK) {                                                                                                          \
            fprintf(stderr, "%s:%d: %s: %s: %s\n", __FILE__, __LINE__, #call, (error).name, (error).message);                               \
            abort();                                                                                                                        \
        }                                                                                                                                   \
    } while (0)

enum { MOST_MEMBERS = 32 };

/* Threads that begin together. */
typedef struct {
    pthread_t threads[MOST_MEMBERS];
    struct crew_member {
        void (*work)(void *context, int number);
        void *context;
        int number;
        pthread_barrier_t *start;
    } members[MOST_MEMBERS];
    int count;
    pthread_barrier_t start;
} crew;

/* An empty crew that will have `size` members. */
void crew_hire(crew *crew, int size);

/* Adds a member that calls `work` once all are there. */
void crew_add(crew *crew, void (*work)(void *context, int number), void *context);

/* Waits for the end of all. */
void crew_join(crew *crew);

/* `size` members that do the same; waits for their end. */
void crew_run(int size, void (*work)(void *context, int number), void *context);

#endif
