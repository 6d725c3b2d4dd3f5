#include "crew.h"

static void *begin(void *argument)
{
    struct crew_member *member = argument;
    pthread_barrier_wait(member->start);
    member->work(member->context, member->number);
    return NULL;
}

void crew_hire(crew *crew, int size)
{
    CHECK(size <= MOST_MEMBERS);
    crew->count = 0;
    CHECK(pthread_barrier_init(&crew->start, NULL, (unsigned)size) == 0);
}

void crew_add(crew *crew, void (*work)(void *context, int number), void *context)
{
    int number = crew->count++;
    struct crew_member *member = &crew->members[number];
    *member = (struct crew_member){work, context, number, &crew->start};
    CHECK(pthread_create(&crew->threads[number], NULL, begin, member) == 0);
}

void crew_join(crew *crew)
{
    for (int i = 0; i < crew->count; i++) {
        CHECK(pthread_join(crew->threads[i], NULL) == 0);
    }
    pthread_barrier_destroy(&crew->start);
}

void crew_run(int size, void (*work)(void *context, int number), void *context)
{
    crew all;
    crew_hire(&all, size);
    for (int i = 0; i < size; i++) {
        crew_add(&all, work, context);
    }
    crew_join(&all);
}
