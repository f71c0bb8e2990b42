/* A playbook over SSH: one channel, one shell. */
#include "playbook/run.h"

#define END_GRACE_MS 3000

static struct err *pump_channel(const struct ctx *ctx, void *arg, struct strbuf *out, struct strbuf *in,
                                struct strbuf *errin, int64_t wait_ms, bool *eof)
{
    return ssh_channel_pump(ctx, arg, out, in, errin, wait_ms, eof);
}

/* The shell has been told to end. A process that it left behind may hold the channel open: that is not worth
 * waiting for. */
static void close_channel(const struct ctx *ctx, struct ssh_channel *channel, struct arena *arena)
{
    struct ctx grace = ctx_with_timeout(ctx, END_GRACE_MS);
    int status;
    const char *signal;
    err_free(ssh_channel_finish(&grace, channel, arena, &status, &signal));
}

struct err *playbook_apply(const struct ctx *ctx, const struct playbook *playbook, struct ssh *ssh,
                           struct arena *arena, const struct playbook_options *options,
                           struct playbook_result *result)
{
    struct ssh_channel *channel;
    *result = (struct playbook_result){0};
    TRY(ssh_channel_open(ctx, ssh, SESSION_COMMAND, &channel));
    struct session_link link = {.arg = channel, .pump = pump_channel};
    struct err *e = playbook_run(ctx, playbook, &link, arena, options, result);
    if (e && err_kind(e) != ERR_REMOTE)
        ssh_channel_abort(channel);
    else
        close_channel(ctx, channel, arena);
    return e;
}
