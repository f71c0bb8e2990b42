/* Removes a server that a run made. Used when a place gives up, by `destroy` and by `gc`; never for a machine
 * that rehost did not create. */
#include "base/retry.h"
#include "steps/step.h"

struct deleting {
    struct step_run *step;
    const struct compute_account *account;
    const char *id;
    const char *op;
};

static struct err *delete_once(const struct ctx *ctx, void *arg)
{
    struct deleting *deleting = arg;
    CLEANUP_ERR struct err *e = deleting->account->ops->server_delete(
        ctx, deleting->account->provider, deleting->step->arena, deleting->id, &deleting->op);
    return e && err_kind(e) == ERR_NOT_FOUND ? NULL : TAKE(e); /* gone already: as wanted */
}

struct err *step_delete_server(struct step_run *step, const struct compute_account *account,
                               const struct machine *machine)
{
    /* A delete may be sent again after a lost answer: the second finds nothing. */
    const struct retry_policy policy = {
        .max_attempts = 6, .base_ms = 1000, .max_ms = 15000, .idempotent = true, .retry_conflict = true};
    struct deleting deleting = {.step = step, .account = account, .id = machine->server_id};
    int64_t effect;
    TRY(effect_begin(step->effects, "server.delete", machine->name, NULL, &effect));
    struct err *e = retry_run(step->ctx, &policy, "delete a server", delete_once, &deleting);
    TRY(effect_end(step->effects, effect, e, machine->server_id));
    TRY(step_wait_op(step, account, deleting.op));
    struct machine gone = *machine;
    gone.state = "deleted";
    return step->services->machine_put(step, &gone);
}
