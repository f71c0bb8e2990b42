#include "base/arena.h"

#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_MAX_BYTES ((size_t)256 << 20)
#define FIRST_CHUNK_BYTES ((size_t)512) /* every task under way has an arena */
#define LARGEST_CHUNK_BYTES ((size_t)256 << 10)

#if defined(__SANITIZE_ADDRESS__)
#define EVERY_BLOCK_ALONE true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define EVERY_BLOCK_ALONE true
#endif
#endif
#ifndef EVERY_BLOCK_ALONE
#define EVERY_BLOCK_ALONE false
#endif

struct chunk {
    struct chunk *next;
    size_t size, used; /* of bytes[] */
    alignas(max_align_t) unsigned char bytes[];
};

struct release {
    struct release *next;
    void (*release)(void *object);
    void *object;
};

struct arena {
    struct chunk *chunks; /* allocations come from the first */
    struct release *releases;
    size_t next_chunk_bytes;
    size_t total_bytes;
    size_t max_bytes;
};

static _Noreturn void die(const char *what)
{
    (void)fprintf(stderr, "rehost: internal error: %s\n", what);
    abort();
}

struct arena *arena_new(size_t max_bytes)
{
    struct arena *arena = calloc(1, sizeof(*arena));
    if (!arena)
        die("out of memory");
    arena->next_chunk_bytes = FIRST_CHUNK_BYTES;
    arena->max_bytes = max_bytes ? max_bytes : DEFAULT_MAX_BYTES;
    return arena;
}

void arena_free(struct arena *arena)
{
    if (!arena)
        return;
    while (arena->releases) {
        struct release *newest = arena->releases;
        arena->releases = newest->next;
        newest->release(newest->object);
    }
    while (arena->chunks) {
        struct chunk *chunk = arena->chunks;
        arena->chunks = chunk->next;
        free(chunk);
    }
    free(arena);
}

static struct chunk *chunk_new(struct arena *arena, size_t size)
{
    if (size > arena->max_bytes - arena->total_bytes)
        die("an arena passed its maximum");
    struct chunk *chunk = calloc(1, sizeof(*chunk) + size);
    if (!chunk)
        die("out of memory");
    chunk->size = size;
    arena->total_bytes += size;
    return chunk;
}

/* A chunk of its own for a large block: it goes behind the first chunk, whose free space stays in use. Under
 * AddressSanitizer for every block, so that it sees a byte too far. */
static void *alloc_large(struct arena *arena, size_t size)
{
    struct chunk *chunk = chunk_new(arena, size);
    chunk->used = size;
    if (arena->chunks) {
        chunk->next = arena->chunks->next;
        arena->chunks->next = chunk;
    } else {
        arena->chunks = chunk;
    }
    return chunk->bytes;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    if (size > arena->max_bytes)
        die("an arena passed its maximum");
    if (EVERY_BLOCK_ALONE)
        return alloc_large(arena, size);
    size_t align = alignof(max_align_t);
    size = size ? (size + align - 1) / align * align : align;

    struct chunk *chunk = arena->chunks;
    if (!chunk || size > chunk->size - chunk->used) {
        if (size > arena->next_chunk_bytes / 4)
            return alloc_large(arena, size);
        size_t room = arena->max_bytes - arena->total_bytes;
        chunk = chunk_new(arena, arena->next_chunk_bytes <= room ? arena->next_chunk_bytes : size);
        chunk->next = arena->chunks;
        arena->chunks = chunk;
        if (arena->next_chunk_bytes < LARGEST_CHUNK_BYTES)
            arena->next_chunk_bytes *= 2;
    }
    void *block = chunk->bytes + chunk->used;
    chunk->used += size;
    return block;
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
    size_t total = 0;
    if (__builtin_mul_overflow(count, size, &total))
        die("an arena passed its maximum");
    return arena_alloc(arena, total);
}

void *arena_memdup(struct arena *arena, const void *data, size_t size)
{
    void *copy = arena_alloc(arena, size);
    if (size)
        memcpy(copy, data, size);
    return copy;
}

char *arena_strndup(struct arena *arena, const char *text, size_t length)
{
    char *copy = arena_alloc(arena, length + 1);
    if (length)
        memcpy(copy, text, length);
    return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
    return text ? arena_strndup(arena, text, strlen(text)) : NULL;
}

char *arena_printf(struct arena *arena, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (length < 0)
        die("a text could not be formatted");
    char *text = arena_alloc(arena, (size_t)length + 1);
    (void)vsnprintf(text, (size_t)length + 1, fmt, again);
    va_end(again);
    return text;
}

void arena_defer(struct arena *arena, void (*release)(void *object), void *object)
{
    struct release *entry = ARENA_NEW(arena, struct release);
    *entry = (struct release){.next = arena->releases, .release = release, .object = object};
    arena->releases = entry;
}
