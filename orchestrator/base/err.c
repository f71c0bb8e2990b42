#include "base/err.h"

#undef err_new /* wrapped for the static analyzer */
#undef err_errno
#undef err_wrap
#undef err_with_hint

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct err {
    enum err_kind kind;
    char *message;
    char *hint;
    char *text; /* made by err_text() */
    struct err *cause;
    int64_t retry_after_ms;
};

static char oom_message[] = "out of memory";
/* Handed out when an error cannot be allocated; never written to, so that threads may share it. */
static struct err oom = {.kind = ERR_INTERNAL, .message = oom_message};

static const char *const kind_names[ERR_KIND_COUNT] = {
    [ERR_INTERNAL] = "internal",
    [ERR_INPUT] = "input",
    [ERR_NOT_FOUND] = "not-found",
    [ERR_IO] = "io",
    [ERR_CAPACITY] = "capacity",
    [ERR_QUOTA] = "quota",
    [ERR_AUTH] = "auth",
    [ERR_REJECTED] = "rejected",
    [ERR_CONFLICT] = "conflict",
    [ERR_RATE_LIMIT] = "rate-limit",
    [ERR_TRANSIENT] = "transient",
    [ERR_TIMEOUT] = "timeout",
    [ERR_UNKNOWN_OUTCOME] = "unknown-outcome",
    [ERR_REMOTE] = "remote",
    [ERR_TRUST] = "trust",
    [ERR_STALE] = "stale",
    [ERR_HELD] = "held",
    [ERR_APPROVAL] = "approval",
    [ERR_CANCELLED] = "cancelled",
};

/* Bytes of the UTF-8 character at `s` (RFC 3629, section 4), 0 when there is none. */
static size_t character_length(const unsigned char *s)
{
    if (s[0] < 0x80)
        return 1;
    size_t length = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    unsigned char least = s[0] == 0xe0 ? 0xa0 : s[0] == 0xf0 ? 0x90 : 0x80;
    unsigned char most = s[0] == 0xed ? 0x9f : s[0] == 0xf4 ? 0x8f : 0xbf;
    if (s[0] < 0xc2 || s[0] > 0xf4 || s[1] < least || s[1] > most)
        return 0;
    for (size_t i = 2; i < length; i++)
        if (s[i] < 0x80 || s[i] > 0xbf)
            return 0;
    return length;
}

/* Errors quote what users and hosts wrote, and become JSON, which has no other bytes than UTF-8. */
static REHOST_PRINTF(1, 0) char *format(const char *fmt, va_list args)
{
    char *text = NULL;
    if (vasprintf(&text, fmt, args) < 0)
        return NULL;
    for (char *c = text; *c;) {
        size_t length = character_length((const unsigned char *)c);
        if (!length)
            *c = '?';
        c += length ? length : 1;
    }
    return text;
}

/* Takes `message` and `cause`. */
static struct err *err_make(enum err_kind kind, char *message, struct err *cause)
{
    struct err *e = message ? calloc(1, sizeof(*e)) : NULL;
    if (!e) {
        free(message);
        err_free(cause);
        return &oom;
    }
    e->kind = kind;
    e->message = message;
    e->cause = cause;
    return e;
}

struct err *err_new(enum err_kind kind, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    char *message = format(fmt, args);
    va_end(args);
    return err_make(kind, message, NULL);
}

struct err *err_errno(enum err_kind kind, int errno_value, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    char *message = format(fmt, args);
    va_end(args);

    char reason[128];
    char *joined = NULL;
    if (!message || asprintf(&joined, "%s: %s", message, strerror_r(errno_value, reason, sizeof(reason))) < 0)
        joined = NULL;
    free(message);
    return err_make(kind, joined, NULL);
}

struct err *err_wrap(struct err *cause, const char *fmt, ...)
{
    if (!cause)
        return NULL;
    va_list args;
    va_start(args, fmt);
    char *message = format(fmt, args);
    va_end(args);
    return err_make(cause->kind, message, cause);
}

struct err *err_with_hint(struct err *e, const char *fmt, ...)
{
    if (!e || e == &oom)
        return e;
    va_list args;
    va_start(args, fmt);
    char *hint = format(fmt, args);
    va_end(args);
    if (hint) {
        free(e->hint);
        e->hint = hint;
    }
    return e;
}

struct err *err_with_retry_after(struct err *e, int64_t retry_after_ms)
{
    if (e && e != &oom)
        e->retry_after_ms = retry_after_ms;
    return e;
}

struct err *err_with_kind(struct err *e, enum err_kind kind)
{
    if (e && e != &oom)
        e->kind = kind;
    return e;
}

enum err_kind err_kind(const struct err *e)
{
    return e->kind;
}

const char *err_kind_name(enum err_kind kind)
{
    return (unsigned)kind < ERR_KIND_COUNT ? kind_names[kind] : "unknown";
}

const char *err_message(const struct err *e)
{
    return e->message;
}

const char *err_hint(const struct err *e)
{
    for (; e; e = e->cause)
        if (e->hint)
            return e->hint;
    return NULL;
}

const struct err *err_cause(const struct err *e)
{
    return e->cause;
}

int64_t err_retry_after_ms(const struct err *e)
{
    for (; e; e = e->cause)
        if (e->retry_after_ms > 0)
            return e->retry_after_ms;
    return 0;
}

const char *err_text(struct err *e)
{
    if (!e->cause || e->text)
        return e->text ? e->text : e->message;
    size_t size = 0;
    for (const struct err *link = e; link; link = link->cause)
        size += strlen(link->message) + 2;
    char *end = e->text = malloc(size);
    if (!end)
        return e->message;
    for (const struct err *link = e; link; link = link->cause) {
        end = stpcpy(end, link->message);
        if (link->cause)
            end = stpcpy(end, ": ");
    }
    return e->text;
}

void err_free(struct err *e)
{
    while (e && e != &oom) {
        struct err *cause = e->cause;
        free(e->message);
        free(e->hint);
        free(e->text);
        free(e);
        e = cause;
    }
}
