/* The context of a piece of work: who may cancel it and when it must be over.
 *
 * Every wait in rehost goes through ctx_wait() or ctx_sleep(), so that Ctrl-C and deadlines work everywhere.
 * A context is a small value that is copied to narrow it; the cancel descriptor is shared. Threads: a context is read-only.
 */
#pragma once
#include "base/err.h"
#include <poll.h>
#include <stddef.h>

#define CTX_NO_DEADLINE INT64_MAX

struct ctx {
    int cancel_fd;       /* an eventfd that becomes readable when the work shall stop; -1: never */
    int64_t deadline_ms; /* on clock_boot_ms(); CTX_NO_DEADLINE: none */
};

struct ctx ctx_background(void); /* cannot be cancelled, no deadline */
struct ctx ctx_with_timeout(const struct ctx *parent, int64_t timeout_ms); /* the earlier of both deadlines */
int64_t ctx_remaining_ms(const struct ctx *ctx); /* until the deadline, 0 when past, INT64_MAX without one */
struct err *ctx_check(const struct ctx *ctx) REHOST_MUST_CHECK; /* ERR_CANCELLED, ERR_TIMEOUT, or NULL */

/* Waits until one of `fds` is ready, at most `wait_ms` (-1: as long as the context allows). *ready_count may be NULL; it is 0
 * when wait_ms passed. Errors: ERR_CANCELLED, ERR_TIMEOUT (the context's deadline), ERR_IO. `count` is at most 64. */
struct err *ctx_wait(const struct ctx *ctx, struct pollfd *fds, size_t count, int64_t wait_ms,
                     int *ready_count) REHOST_MUST_CHECK;
struct err *ctx_sleep(const struct ctx *ctx, int64_t wait_ms) REHOST_MUST_CHECK;
