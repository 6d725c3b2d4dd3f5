/* What the header says about threads: values are shared by any number; a builder, a connection and each side of a stream serve one call at a
 * time and refuse a second one. */
#include "threads.h"

#include "crew.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

server the_server;

int main(int count, char **arguments)
{
    if (count != 2) {
        fprintf(stderr, "usage: %s ECHO-SERVER\n", arguments[0]);
        return 2;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sixteen_threads_connect_while_the_roots_are_replaced),
        cmocka_unit_test(strings_that_are_made_when_asked_for_are_made_once),
        cmocka_unit_test(handles_are_made_and_freed_by_all_threads),
        cmocka_unit_test(a_handle_that_two_threads_free_is_freed_once),
        cmocka_unit_test(a_builder_in_use_is_refused_or_serves),
        cmocka_unit_test(one_thread_reads_a_stream_while_another_writes_it),
        cmocka_unit_test(a_side_of_a_stream_that_waits_refuses_a_second_reader),
        cmocka_unit_test(threads_at_the_same_side_of_a_stream_lose_and_double_nothing),
        cmocka_unit_test(threads_at_the_same_connection_lose_and_double_nothing),
    };
    the_server = server_start(arguments[1]);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    server_stop(&the_server);
    return failed;
}
