/* Who holds a lease: a process, on a boot of a machine. Threads: any. */
#pragma once
#include "base/arena.h"
#include <stdbool.h>
#include <stdint.h>

/* "user@machine pid 42", for people. */
const char *owner_text(struct arena *arena);
/* Where a process id means something: this boot of this machine, and this pid namespace. */
const char *owner_place(struct arena *arena);
/* Process `pid` of `place` is known not to exist any more: it cannot come back. False for other places, of
 * which nothing is known. */
bool owner_is_gone(const char *place, int64_t pid);
/* It is this process. */
bool owner_is_me(const char *place, int64_t pid);
