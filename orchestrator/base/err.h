/* Errors as values.
 *
 * A function that can fail returns `struct err *`; NULL is success. An error has a kind (what a caller may branch on), a
 * message (what was attempted, lower case, values in single quotes), an optional hint (what the reader can do) and an
 * optional cause. The caller owns the error it receives and frees it, wraps it, or returns it.
 *
 * Threads: an error belongs to one thread at a time. Memory: heap; if memory runs out, a static error is returned.
 */
#pragma once
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#define REHOST_MUST_CHECK __attribute__((warn_unused_result))
#define REHOST_NEVER_NULL __attribute__((returns_nonnull))
#define REHOST_PRINTF(fmt_index, first) __attribute__((format(printf, fmt_index, first)))

enum err_kind {
    ERR_INTERNAL,        /* a defect in rehost */
    ERR_INPUT,           /* what the user wrote is wrong: the message names the place */
    ERR_NOT_FOUND,       /* the thing asked for does not exist */
    ERR_IO,              /* local file or process */
    ERR_CAPACITY,        /* out of stock here: try the next rung */
    ERR_QUOTA,           /* an account limit */
    ERR_AUTH,            /* credentials refused or lacking a scope */
    ERR_REJECTED,        /* the far side refused this request for good */
    ERR_CONFLICT,        /* busy, locked, exists already, or not what was expected */
    ERR_RATE_LIMIT,      /* asked to slow down; err_retry_after_ms() says for how long */
    ERR_TRANSIENT,       /* did not take effect; the same request may work later */
    ERR_TIMEOUT,         /* a deadline passed while waiting for something that changes nothing */
    ERR_UNKNOWN_OUTCOME, /* the request may or may not have taken effect */
    ERR_REMOTE,          /* a command or task on a host ran and failed */
    ERR_TRUST,           /* a key, certificate or signature is not the expected one */
    ERR_STALE,           /* lease lost or plan out of date: this process must not act any more */
    ERR_HELD,            /* somebody else holds the lock */
    ERR_APPROVAL,        /* a human has to agree first */
    ERR_CANCELLED,       /* the user asked to stop */
    ERR_KIND_COUNT
};

struct err;

struct err *err_new(enum err_kind kind, const char *fmt, ...) REHOST_PRINTF(2, 3) REHOST_MUST_CHECK REHOST_NEVER_NULL;
/* For a failed system call: appends strerror(errno_value). */
struct err *err_errno(enum err_kind kind, int errno_value, const char *fmt, ...)
    REHOST_PRINTF(3, 4) REHOST_MUST_CHECK REHOST_NEVER_NULL;
/* A new error of the cause's kind around `cause`, which it owns. NULL stays NULL: `TRY(err_wrap(f(), "reading '%s'", path))`. */
struct err *err_wrap(struct err *cause, const char *fmt, ...) REHOST_PRINTF(2, 3) REHOST_MUST_CHECK;
/* Sets the hint and returns `e`. */
struct err *err_with_hint(struct err *e, const char *fmt, ...) REHOST_PRINTF(2, 3) REHOST_MUST_CHECK;
struct err *err_with_retry_after(struct err *e, int64_t retry_after_ms) REHOST_MUST_CHECK;
/* Gives `e` another kind and returns it: for a caller that knows better what a failure means. */
struct err *err_with_kind(struct err *e, enum err_kind kind) REHOST_MUST_CHECK;

enum err_kind err_kind(const struct err *e);
const char *err_kind_name(enum err_kind kind); /* "unknown-outcome" */
const char *err_message(const struct err *e);  /* this error's own words, without its causes */
const char *err_hint(const struct err *e);     /* the nearest hint in the chain, or NULL */
const struct err *err_cause(const struct err *e);
int64_t err_retry_after_ms(const struct err *e); /* 0 when not given */
/* "message: cause: cause" in a buffer owned by the error. */
const char *err_text(struct err *e);
void err_free(struct err *e); /* NULL is allowed; frees the causes too */
static inline void err_freep(struct err **e)
{
    err_free(*e);
}
#define CLEANUP_ERR __attribute__((cleanup(err_freep)))

#ifdef __clang_analyzer__
/* The static analyzer sees one file at a time and would follow paths on which a new error is no error. */
#define err_new(...) err_same_presence(true, err_new(__VA_ARGS__))
#define err_errno(...) err_same_presence(true, err_errno(__VA_ARGS__))
#define err_wrap(cause, ...)                                                                                           \
    ({                                                                                                                 \
        struct err *wrap_cause_ = (cause);                                                                             \
        err_same_presence(wrap_cause_, err_wrap(wrap_cause_, __VA_ARGS__));                                            \
    })
#define err_with_hint(cause, ...)                                                                                      \
    ({                                                                                                                 \
        struct err *hint_cause_ = (cause);                                                                             \
        err_same_presence(hint_cause_, err_with_hint(hint_cause_, __VA_ARGS__));                                       \
    })
static inline struct err *err_same_presence(bool given, struct err *made)
{
    if (given != (made != (void *)0))
        __builtin_unreachable();
    return made;
}
#endif

/* Returns the error of `expression` to the caller, if any. The only macro that hides a return. */
#define TRY(expression)                                                                                                \
    do {                                                                                                               \
        struct err *try_error_ = (expression);                                                                         \
        if (try_error_)                                                                                                \
            return try_error_;                                                                                         \
    } while (0)

/* Takes the value out of a variable that has a cleanup attribute, so that ownership can leave the function. */
#define TAKE(pointer)                                                                                                  \
    ({                                                                                                                 \
        __auto_type take_value_ = (pointer);                                                                           \
        (pointer) = NULL;                                                                                              \
        take_value_;                                                                                                   \
    })
