#include "base/ctx.h"

#include "base/clock.h"

#include <errno.h>
#include <string.h>

#define MAX_FDS 64

/* poll() counts CLOCK_MONOTONIC, which stands still while a laptop sleeps; deadlines count CLOCK_BOOTTIME.
 * Waking once a minute bounds how late a deadline is noticed. */
#define LONGEST_POLL_MS 60000

struct ctx ctx_background(void)
{
    return (struct ctx){.cancel_fd = -1, .deadline_ms = CTX_NO_DEADLINE};
}

/* now + wait_ms, where a negative or overflowing sum means never. */
static int64_t deadline_after(int64_t now_ms, int64_t wait_ms)
{
    int64_t deadline = 0;
    if (wait_ms < 0 || __builtin_add_overflow(now_ms, wait_ms, &deadline))
        return CTX_NO_DEADLINE;
    return deadline;
}

struct ctx ctx_with_timeout(const struct ctx *parent, int64_t timeout_ms)
{
    struct ctx child = *parent;
    int64_t deadline = deadline_after(clock_boot_ms(), timeout_ms > 0 ? timeout_ms : 0);
    if (deadline < child.deadline_ms)
        child.deadline_ms = deadline;
    return child;
}

int64_t ctx_remaining_ms(const struct ctx *ctx)
{
    if (ctx->deadline_ms == CTX_NO_DEADLINE)
        return INT64_MAX;
    int64_t now = clock_boot_ms();
    return now >= ctx->deadline_ms ? 0 : ctx->deadline_ms - now;
}

static struct err *cancelled(void)
{
    return err_new(ERR_CANCELLED, "stopped on request");
}

struct err *ctx_check(const struct ctx *ctx)
{
    struct pollfd cancel = {.fd = ctx->cancel_fd, .events = POLLIN};
    if (ctx->cancel_fd >= 0 && poll(&cancel, 1, 0) > 0)
        return cancelled();
    if (ctx_remaining_ms(ctx) == 0)
        return err_new(ERR_TIMEOUT, "the time allowed ran out");
    return NULL;
}

/* One poll(): how many of the first `count` are ready, -1 when it was cancelled, -2 when poll() failed. */
static int poll_once(struct pollfd *all, size_t count, int64_t wait_ms)
{
    int timeout = (int)(wait_ms < LONGEST_POLL_MS ? wait_ms : LONGEST_POLL_MS);
    int ready = poll(all, count + 1, timeout);
    if (ready < 0)
        return errno == EINTR ? 0 : -2;
    if (all[count].revents)
        return -1;
    return ready;
}

struct err *ctx_wait(const struct ctx *ctx, struct pollfd *fds, size_t count, int64_t wait_ms,
                     int *ready_count)
{
    struct pollfd all[MAX_FDS + 1];
    if (count > MAX_FDS)
        return err_new(ERR_INTERNAL, "cannot wait for %zu descriptors at once", count);
    if (count)
        memcpy(all, fds, count * sizeof(*fds));
    all[count] = (struct pollfd){.fd = ctx->cancel_fd, .events = POLLIN};

    int64_t until = deadline_after(clock_boot_ms(), wait_ms);
    int ready = 0;
    for (;;) {
        TRY(ctx_check(ctx));
        int64_t now = clock_boot_ms();
        int64_t left = until == CTX_NO_DEADLINE ? INT64_MAX : until > now ? until - now : 0;
        int64_t remaining = ctx_remaining_ms(ctx);
        ready = poll_once(all, count, left < remaining ? left : remaining);
        if (ready == -1)
            return cancelled();
        if (ready == -2)
            return err_errno(ERR_IO, errno, "cannot wait for descriptors");
        if (ready > 0 || left == 0)
            break;
    }
    for (size_t i = 0; i < count; i++)
        fds[i].revents = ready > 0 ? all[i].revents : 0;
    if (ready_count)
        *ready_count = ready;
    return NULL;
}

struct err *ctx_sleep(const struct ctx *ctx, int64_t wait_ms)
{
    return ctx_wait(ctx, NULL, 0, wait_ms, NULL);
}
