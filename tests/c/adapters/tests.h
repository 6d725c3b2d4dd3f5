#ifndef TESTS_H
#define TESTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stack.h"

void client_hello_is_the_policys(void **state);
void client_hello_asks_for_each_fragment_length(void **state);
void client_hello_offers_the_protocols(void **state);
void narrowed_policy_is_offered_narrowed(void **state);

#endif
