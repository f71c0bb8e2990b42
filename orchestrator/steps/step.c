#include "steps/step.h"
#include "base/decode.h"
#include "base/retry.h"
#include "base/strbuf.h"
#include <string.h>

static const struct step_ops *const kinds[] = {
    &step_fence,   &step_provision, &step_reach,   &step_configure,
    &step_restore, &step_verify,    &step_cutover, &step_protect,
};

const struct step_ops *step_find(const char *kind)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
        if (!strcmp(kinds[i]->kind, kind))
            return kinds[i];
    return NULL;
}

static REHOST_PRINTF(2, 0) char *format(struct step_run *step, const char *fmt, va_list args)
{
    CLEANUP_STRBUF struct strbuf text;
    strbuf_init(&text, 64 << 10);
    strbuf_vaddf(&text, fmt, args);
    return strbuf_to_arena(&text, step->arena);
}

void step_note(struct step_run *step, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    step->services->note(step, format(step, fmt, args));
    va_end(args);
}

void step_live(struct step_run *step, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    step->services->live(step, format(step, fmt, args));
    va_end(args);
}

struct err *step_fact(struct step_run *step, const char *path, const char **value)
{
    const json_t *found = decode_find(step->facts, path);
    if (!json_is_string(found))
        return err_new(ERR_INTERNAL, "step '%s' needs '%s', which no earlier step found out", step->id, path);
    *value = json_string_value(found);
    return NULL;
}

struct err *step_target(struct step_run *step, struct ssh_target *target)
{
    *target = (struct ssh_target){.user = "root"};
    TRY(step_fact(step, "reach.address", &target->host));
    TRY(step_fact(step, "reach.host_key", &target->host_key));
    return step->services->ssh_key(step->services->core, &target->private_key, &(const char *){0});
}

struct connecting {
    const struct ssh_target *target;
    struct ssh **link;
};

static struct err *connect_once(const struct ctx *ctx, void *arg)
{
    struct connecting *connecting = arg;
    return ssh_connect(ctx, connecting->target, connecting->link);
}

struct err *step_connect(struct step_run *step, struct ssh **ssh)
{
    if (!*step->link) {
        struct ssh_target target;
        TRY(step_target(step, &target));
        struct connecting connecting = {.target = &target, .link = step->link};
        TRY(retry_run(step->ctx, &retry_reads, "connect to the new server", connect_once, &connecting));
    }
    *ssh = *step->link;
    return NULL;
}

void step_drop_link(struct step_run *step)
{
    ssh_close(*step->link);
    *step->link = NULL;
}

struct op_poll {
    struct step_run *step;
    const struct compute_account *account;
    const char *op;
    bool done;
};

static struct err *poll_once(const struct ctx *ctx, void *arg)
{
    struct op_poll *poll = arg;
    return poll->account->ops->op_poll(ctx, poll->account->provider, poll->step->arena, poll->op,
                                       &poll->done);
}

#define OP_DEADLINE_MS (15 * 60 * 1000)

struct err *step_wait_op(struct step_run *step, const struct compute_account *account, const char *op)
{
    const struct ctx limited = ctx_with_timeout(step->ctx, OP_DEADLINE_MS);
    struct op_poll poll = {.step = step, .account = account, .op = op, .done = !op};
    while (!poll.done) {
        TRY(retry_run(&limited, &retry_reads, "look at a pending operation", poll_once, &poll));
        if (!poll.done)
            TRY(ctx_sleep(&limited, account->poll_ms));
    }
    return NULL;
}
