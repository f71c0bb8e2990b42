/* Makes sure that the old server cannot answer or write any more before traffic moves: it is gone, or off, or
 * a human accepted by name that this is not proven. Output: {proof: "gone" | "off" | "powered-off" |
 * "unproven", server_id}.
 */
#include "base/decode.h"
#include "base/retry.h"
#include "steps/step.h"
#include <string.h>

struct finding {
    struct step_run *step;
    const struct compute_account *account;
    struct server *servers;
    size_t count;
};

static struct err *list_once(const struct ctx *ctx, void *arg)
{
    struct finding *finding = arg;
    return finding->account->ops->server_list(ctx, finding->account->provider, finding->step->arena, NULL,
                                              &finding->servers, &finding->count);
}

struct getting {
    struct step_run *step;
    const struct compute_account *account;
    const char *id;
    struct server *server;
};

static struct err *get_once(const struct ctx *ctx, void *arg)
{
    struct getting *getting = arg;
    return getting->account->ops->server_get(ctx, getting->account->provider, getting->step->arena,
                                             getting->id, getting->server);
}

/* A list can lag, and some leave out special kinds of servers: where the id is known, it is asked for itself.
 */
static struct err *find_by_id(struct step_run *step, const struct compute_account *account, const char *id,
                              const struct server **old)
{
    struct getting getting = {
        .step = step, .account = account, .id = id, .server = ARENA_NEW(step->arena, struct server)};
    CLEANUP_ERR struct err *e =
        retry_run(step->ctx, &retry_reads, "ask for the old server", get_once, &getting);
    *old = e ? NULL : getting.server;
    return e && err_kind(e) != ERR_NOT_FOUND ? TAKE(e) : NULL;
}

/* Some providers allow two servers of one name: what is proven of one says nothing of the other. */
static struct err *find_old(struct step_run *step, const struct compute_account *account,
                            const char *name_or_id, const struct server **old)
{
    struct finding finding = {.step = step, .account = account};
    TRY(retry_run(step->ctx, &retry_reads, "look for the old server", list_once, &finding));
    *old = NULL;
    for (size_t i = 0; i < finding.count; i++) {
        const struct server *server = &finding.servers[i];
        if (!strcmp(server->id, name_or_id)) {
            *old = server;
            return NULL;
        }
        if (strcmp(server->name, name_or_id) != 0)
            continue;
        if (*old)
            return err_with_hint(err_new(ERR_CONFLICT, "there are two servers '%s': %s and %s", name_or_id,
                                         (*old)->id, server->id),
                                 "name the old one by its id under hosts.%s.current.server, then plan again",
                                 step->host);
        *old = server;
    }
    return *old || !json_is_true(json_object_get(step->input, "by_id"))
               ? NULL
               : find_by_id(step, account, name_or_id, old);
}

static void set_proof(struct step_run *step, const char *proof, const struct server *old)
{
    json_object_set_new(step->output, "proof", json_string(proof));
    if (old)
        json_object_set_new(step->output, "server_id", json_string(old->id));
}

struct powering {
    struct step_run *step;
    const struct compute_account *account;
    const char *id, *op;
};

static struct err *power_off_once(const struct ctx *ctx, void *arg)
{
    struct powering *powering = arg;
    return powering->account->ops->server_power(ctx, powering->account->provider, powering->step->arena,
                                                powering->id, POWER_OFF, &powering->op);
}

static struct err *power_off(struct step_run *step, const struct compute_account *account,
                             const struct server *old)
{
    char *question = arena_printf(
        step->arena,
        "power off '%s' (id %s, %s): it still runs; data written there since the restore point is lost",
        old->name, old->id, old->ipv4 ? old->ipv4 : "no address");
    TRY(step->services->confirm(step, DANGER_SEVERE, question, step->host));
    /* Busy or asked to slow down: again. A lost answer is not taken for anything. */
    const struct retry_policy policy = {
        .max_attempts = 6, .base_ms = 1000, .max_ms = 15000, .retry_conflict = true};
    struct powering powering = {.step = step, .account = account, .id = old->id};
    int64_t effect;
    TRY(effect_begin(step->effects, "server.poweroff", old->name, NULL, &effect));
    struct err *e = retry_run(step->ctx, &policy, "power off the old server", power_off_once, &powering);
    TRY(effect_end(step->effects, effect, e, old->id));
    return step_wait_op(step, account, powering.op);
}

#define SETTLING_DEADLINE_MS (2 * 60 * 1000)

/* A server that is being deleted or stopped is neither gone nor running: wait until it is one thing or the
 * other. */
static struct err *find_settled(struct step_run *step, const struct compute_account *account,
                                const char *name, const struct server **old)
{
    const struct ctx limited = ctx_with_timeout(step->ctx, SETTLING_DEADLINE_MS);
    for (;;) {
        TRY(find_old(step, account, name, old));
        if (!*old || ((*old)->status != SERVER_DELETING && (*old)->status != SERVER_PENDING))
            return NULL;
        step_live(step, "the old server is '%s'", server_status_name((*old)->status));
        TRY(ctx_sleep(&limited, account->poll_ms));
    }
}

/* Some providers answer a power-off at once and carry it out seconds later. */
static struct err *find_off(struct step_run *step, const struct compute_account *account, const char *id,
                            const struct server **old)
{
    const struct ctx limited = ctx_with_timeout(step->ctx, SETTLING_DEADLINE_MS);
    for (;;) {
        TRY(find_old(step, account, id, old));
        if (!*old || (*old)->status == SERVER_OFF)
            return NULL;
        if (ctx_remaining_ms(&limited) <= account->poll_ms)
            return err_with_hint(err_new(ERR_CONFLICT,
                                         "the old server '%s' was told to power off but is '%s'",
                                         (*old)->name, server_status_name((*old)->status)),
                                 "look at it in the provider's console, then: rehost resume %s", step->run);
        step_live(step, "the old server was told to power off and is '%s'",
                  server_status_name((*old)->status));
        TRY(ctx_sleep(&limited, account->poll_ms));
    }
}

static struct err *prove(struct step_run *step, const struct compute_account *account, const char *name)
{
    const struct server *old;
    TRY(find_settled(step, account, name, &old));
    if (!old) {
        set_proof(step, "gone", NULL);
        step_note(step, "the provider has no server '%s' any more: proven gone", name);
        return NULL;
    }
    if (old->status == SERVER_OFF) {
        set_proof(step, "off", old);
        step_note(step, "the old server '%s' (%s) is off", old->name, old->id);
        return NULL;
    }
    TRY(power_off(step, account, old));
    const char *id = old->id;
    TRY(find_off(step, account, id, &old));
    set_proof(step, "powered-off", old);
    step_note(step, "the old server '%s' (%s) is powered off", name, id);
    return NULL;
}

static struct err *fence_apply(struct step_run *step)
{
    const char *account_name, *name;
    TRY(decode_string(step->input, "provider", &account_name));
    TRY(decode_string(step->input, "server", &name));
    struct compute_account account;
    TRY(step->services->compute(step->services->core, account_name, &account));
    CLEANUP_ERR struct err *e = prove(step, &account, name);
    if (!e || err_kind(e) == ERR_CANCELLED || err_kind(e) == ERR_APPROVAL || err_kind(e) == ERR_STALE)
        return TAKE(e);
    if (!step->services->accept_unproven_fence) {
        const char *cure = arena_strdup(step->arena, err_hint(e));
        return err_with_hint(err_wrap(TAKE(e), "prove that the old server '%s' is off", name),
                             "%s%sif you know that it cannot write any more: --accept-unproven-fence %s",
                             cure ? cure : "", cure ? "; or " : "", step->host);
    }
    set_proof(step, "unproven", NULL);
    step_note(step, "UNPROVEN FENCE accepted by the operator: %s", err_text(e));
    return NULL;
}

const struct step_ops step_fence = {
    .kind = "fence",
    .touches = "powers off the old server when it still runs",
    .danger = DANGER_SEVERE,
    .estimate_ms = 5000,
    .apply = fence_apply,
};
