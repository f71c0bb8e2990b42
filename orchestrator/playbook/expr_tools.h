/* What filters and lookups share: random text, names of lookups. Threads: no state. */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include <jansson.h>
#include <stdbool.h>

/* `length` characters of the set, as Python's random module chooses them with a seed (NULL: by chance). */
struct err *random_text(struct arena *arena, const json_t *seed, const char *set, size_t set_size,
                        size_t length, char **text) REHOST_MUST_CHECK;

/* Names of lookups. */
bool lookup_exists(const char *name);
struct err *lookup_unknown(const char *name) REHOST_MUST_CHECK;
