/* Arenas: memory that is freed all at once.
 *
 * One arena a run, a host, a step. Allocation cannot fail for the caller: when memory runs out or the arena passes its
 * maximum, the process ends with a message. Inputs are bounded before they reach an arena, so that is a defect, not an error.
 *
 * Threads: one arena belongs to one thread at a time.
 */
#pragma once
#include "base/err.h"
#include <stddef.h>

struct arena;

struct arena *arena_new(size_t max_bytes); /* 0: the default of 256 MiB */
void arena_free(struct arena *arena);      /* NULL is allowed */
void *arena_alloc(struct arena *arena, size_t size) __attribute__((returns_nonnull, malloc, alloc_size(2))); /* zeroed */
void *arena_array(struct arena *arena, size_t count, size_t size) __attribute__((returns_nonnull));          /* zeroed */
char *arena_strdup(struct arena *arena, const char *text);                 /* NULL in, NULL out */
char *arena_strndup(struct arena *arena, const char *text, size_t length);
char *arena_printf(struct arena *arena, const char *fmt, ...) REHOST_PRINTF(2, 3);
void *arena_memdup(struct arena *arena, const void *data, size_t size);
/* Calls `release(object)` when the arena is freed, newest first: for a library's object that lives as long as the arena. */
void arena_defer(struct arena *arena, void (*release)(void *object), void *object);

static inline void arena_freep(struct arena **arena)
{
    arena_free(*arena);
}
#define CLEANUP_ARENA __attribute__((cleanup(arena_freep)))
#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
