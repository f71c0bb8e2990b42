/* A string that grows up to a maximum.
 *
 * Writing past the maximum drops the rest and marks the buffer as overflowed; check once at the end with strbuf_check().
 * The content is always NUL-terminated and may hold NULs of its own. Threads: one owner.
 */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include <stddef.h>

struct strbuf {
    char *data; /* never NULL after strbuf_init() */
    size_t length;
    size_t capacity;
    size_t max;
    bool overflowed;
};

#define STRBUF_DEFAULT_MAX (64u << 20)

void strbuf_init(struct strbuf *sb, size_t max_bytes); /* 0: STRBUF_DEFAULT_MAX */
void strbuf_free(struct strbuf *sb);                   /* wipes nothing; see strbuf_wipe() */
void strbuf_wipe(struct strbuf *sb);                   /* cleanses the bytes, then frees */
void strbuf_reset(struct strbuf *sb);                  /* empty, keeps the memory */
void strbuf_add(struct strbuf *sb, const void *data, size_t length);
void strbuf_adds(struct strbuf *sb, const char *text);
void strbuf_addc(struct strbuf *sb, char c);
void strbuf_addf(struct strbuf *sb, const char *fmt, ...) REHOST_PRINTF(2, 3);
void strbuf_vaddf(struct strbuf *sb, const char *fmt, va_list args) REHOST_PRINTF(2, 0);
/* Adds `text` as one word of POSIX shell, in single quotes. The only place where rehost quotes for a shell. */
void strbuf_add_shell_quoted(struct strbuf *sb, const char *text);
/* Percent-encodes everything but A-Z a-z 0-9 - _ . ~ (RFC 3986 unreserved); '/' too unless keep_slash. */
void strbuf_add_url_encoded(struct strbuf *sb, const char *text, bool keep_slash);
void strbuf_consume(struct strbuf *sb, size_t length); /* removes from the front */
void strbuf_trim(struct strbuf *sb);                   /* removes trailing white space */
struct err *strbuf_check(const struct strbuf *sb, const char *what) REHOST_MUST_CHECK; /* ERR_INPUT when it overflowed */
char *strbuf_to_arena(const struct strbuf *sb, struct arena *arena);

#define CLEANUP_STRBUF __attribute__((cleanup(strbuf_free)))
#define CLEANUP_STRBUF_WIPE __attribute__((cleanup(strbuf_wipe)))
