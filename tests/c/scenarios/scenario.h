#ifndef SCENARIO_H
#define SCENARIO_H

#include <cjson/cJSON.h>
#include <hubtls.h>

#include "server.h"

// The configuration that a row's `client` asks for, from the files in `directory`.
hubtls_status configure(const cJSON *client, const char *directory, hubtls_config **config, hubtls_error *error);

// Connects, shakes hands, has the conversation and finishes; gives what was agreed.
hubtls_status converse(const cJSON *client, const hubtls_config *config, const server *server, hubtls_negotiated **negotiated,
                       hubtls_error *error);

// Whether the outcome is the expected one; prints the difference if it is not. `negotiated` is NULL after a failure.
bool compare(const cJSON *expect, hubtls_status status, const hubtls_error *error, const hubtls_negotiated *negotiated);

#endif
