#ifndef HANDLES_H
#define HANDLES_H

#include <stdbool.h>

/* The types of handles. */
enum kind { POLICY, ROOTS, IDENTITY, BUILDER, CONFIG, HANDLE, CONNECTION, NEGOTIATED, KINDS };

/* One of the live handles of that type, or NULL: one that was freed is never passed again. */
void *handle(enum kind kind);

/* What came out of a call: a new handle, which is kept and perhaps frees an older one, or what stood in the output before it failed. */
void made(enum kind kind, bool success, void *output);

/* Frees one, twice; sometimes NULL. */
void free_one(enum kind kind);

/* Frees all. */
void free_all(void);

/* Says that a call uses a handle, of which the callbacks then know that freeing it does nothing. */
void begin_use(void *used);
void end_use(void);
bool is_used(const void *handle);

#endif
