#include "report.h"

#include "input.h"

#include <string.h>

int depth = 0;

static struct {
    hubtls_error error;
    hubtls_error before;
    bool passed;
} reports[MOST_DEPTH + 1];

hubtls_error *report(void)
{
    uint8_t kind = byte();
    memset(&reports[depth].error, 0x5a, sizeof(hubtls_error));
    reports[depth].error.size = kind == 254 ? byte() : sizeof(hubtls_error);
    reports[depth].before = reports[depth].error;
    reports[depth].passed = kind != 255;
    return reports[depth].passed ? &reports[depth].error : NULL;
}

bool reported(hubtls_status status)
{
    const hubtls_error *error = &reports[depth].error;
    const char *name = hubtls_status_name(status);
    EXPECT(name != NULL);
    if (status == HUBTLS_OK || !reports[depth].passed || error->size < sizeof *error) {
        EXPECT(memcmp(error, &reports[depth].before, sizeof *error) == 0);
        return status == HUBTLS_OK;
    }
    EXPECT(error->code == status);
    EXPECT(strcmp(error->name, name) == 0);
    EXPECT(memchr(error->message, '\0', sizeof error->message) != NULL);
    EXPECT(memchr(error->hint, '\0', sizeof error->hint) != NULL);
    return false;
}

bool succeeded(hubtls_status status)
{
    EXPECT(status != HUBTLS_ERROR_INTERNAL);
    bool success = reported(status);
    const hubtls_error *error = &reports[depth].error;
    if (!success && reports[depth].passed && error->size == sizeof *error) {
        EXPECT(error->message[0] != '\0' && error->hint[0] != '\0');
    }
    return success;
}
