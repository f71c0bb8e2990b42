#include "core/run.h"
#include "base/clock.h"
#include "base/decode.h"
#include "base/hash.h"
#include "base/log.h"
#include "core/run_private.h"
#include "core/verdict.h"
#include <string.h>

static const json_t *plan_steps(const struct run *run)
{
    return json_object_get(run->plan.json, "steps");
}

static const char *text_of(const json_t *json, const char *key)
{
    return json_string_value(json_object_get(json, key));
}

void run_init_bare_step(struct run *run, struct step_run *step, struct arena *arena, json_t *output)
{
    *step = (struct step_run){.ctx = run->project->ctx,
                              .arena = arena,
                              .services = &run->services,
                              .effects = &run->effects,
                              .run = run->id,
                              .host = run->host->name,
                              .id = "remove",
                              .facts = run->facts,
                              .output = output,
                              .link = &run->link};
}

void run_init_step(struct run *run, struct step_run *step, struct arena *arena, size_t index)
{
    const json_t *planned = json_array_get(plan_steps(run), index);
    json_t *output = json_object_get(run->facts, text_of(planned, "id"));
    if (!output) {
        output = json_object();
        json_object_set_new(run->facts, text_of(planned, "id"), output);
    }
    run_init_bare_step(run, step, arena, output);
    step->ops = step_find(text_of(planned, "kind"));
    step->seq = (int)index + 1;
    step->id = text_of(planned, "id");
    step->input = json_object_get(planned, "input");
}

/* --- one step --- */

static struct err *apply_step(struct run *run, struct step_run *step, const struct run_step_view *view)
{
    const struct step_row row = {.seq = view->seq, .id = view->id, .kind = view->kind, .title = view->title};
    TRY(store_step_begin(&run->lease, &row));
    run->current_seq = view->seq;
    log_info("%s step %d '%s' begins", run->id, view->seq, view->id);
    TRY(step->ops->apply(step));
    return step->ops->verify ? step->ops->verify(step) : NULL;
}

/* Why a run could not go on although its own words are "cancelled", or about a journal that refused a write.
 */
static struct err *true_cause(struct run *run, struct err **journal)
{
    if (*journal && err_kind(*journal) == ERR_STALE)
        return TAKE(*journal);
    return run->shared ? shared_lease_check(run->shared) : NULL;
}

static struct err *end_step(struct run *run, const struct step_run *step, struct run_step_view *view,
                            struct err *error)
{
    view->state = error ? STEP_FAILED : STEP_DONE;
    CLEANUP_ERR struct err *journal =
        store_step_end(&run->lease, view->seq, view->state, step->output, error ? err_text(error) : NULL);
    const struct run_observer *observer = run->options->observer;
    if (observer && observer->step_end)
        observer->step_end(observer->arg, view, error);
    struct err *lost = error ? true_cause(run, &journal) : NULL;
    if (lost) { /* somebody else took the run */
        err_free(error);
        return lost;
    }
    if (error)
        return err_wrap(error, "step %d, %s", view->seq, view->title);
    return TAKE(journal);
}

static struct err *do_step(struct run *run, size_t index, const struct step_row *past)
{
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    struct step_run step;
    run_init_step(run, &step, arena, index);
    const json_t *planned = json_array_get(plan_steps(run), index);
    struct run_step_view view = {.seq = step.seq,
                                 .count = (int)json_array_size(plan_steps(run)),
                                 .id = step.id,
                                 .kind = step.ops->kind,
                                 .title = text_of(planned, "title"),
                                 .state = STEP_RUNNING,
                                 .estimate_ms = json_integer_value(json_object_get(planned, "estimate_ms"))};
    if (past && past->state == STEP_DONE)
        return NULL;
    const struct run_observer *observer = run->options->observer;
    if (observer && observer->step_begin)
        observer->step_begin(observer->arg, &view);
    const int64_t start_ms = clock_boot_ms();
    struct err *e = apply_step(run, &step, &view);
    view.elapsed_ms = clock_boot_ms() - start_ms;
    return end_step(run, &step, &view, e);
}

/* --- the whole run --- */

/* Outputs that the journal holds become facts again. */
static struct err *load_facts(struct run *run, const struct step_row *past, size_t past_count)
{
    for (size_t i = 0; i < past_count; i++) {
        json_t *output;
        if (!past[i].output)
            continue;
        TRY(decode_json(past[i].output, strlen(past[i].output), "the journal", &output));
        json_object_set_new(run->facts, past[i].id, output);
    }
    return NULL;
}

static const struct step_row *find_past(const struct step_row *past, size_t count, int seq)
{
    for (size_t i = 0; i < count; i++)
        if (past[i].seq == seq)
            return &past[i];
    return NULL;
}

static struct err *do_steps(struct run *run)
{
    struct step_row *past;
    size_t past_count;
    TRY(store_step_list(run->project->store, run->arena, run->id, &past, &past_count));
    TRY(load_facts(run, past, past_count));
    for (size_t i = 0; i < json_array_size(plan_steps(run)); i++) {
        TRY(ctx_check(run->project->ctx));
        TRY(do_step(run, i, find_past(past, past_count, (int)i + 1)));
    }
    return NULL;
}

/* The new machine serves the host now; a machine that an earlier run made is retired. */
static struct err *put_in_service(struct run *run)
{
    const json_t *create = json_object_get(run->facts, "create");
    if (!create)
        return NULL;
    struct resource_row before;
    TRY(store_resource_current(run->project->store, run->arena, run->host->name, &before));
    if (before.server_id && strcmp(before.server_id, text_of(create, "server_id")) != 0) {
        before.state = "retired";
        TRY(store_resource_put(&run->lease, &before));
    }
    const struct resource_row now = {.account = text_of(create, "account"),
                                     .server_id = text_of(create, "server_id"),
                                     .run = run->id,
                                     .host = run->host->name,
                                     .state = "current"};
    return store_resource_put(&run->lease, &now);
}

/* After a rollback the host is served by what that run had fenced: a machine of an earlier run, or the one
 * that the inventory names. A later run's machine stays in service. */
static struct err *put_back_in_service(struct run *run)
{
    struct resource_row now, *machines;
    size_t count;
    const json_t *back_to = json_object_get(run->plan.json, "back_to");
    TRY(store_resource_current(run->project->store, run->arena, run->host->name, &now));
    if (now.server_id && strcmp(now.run, text_of(run->plan.json, "of_run")) != 0)
        return NULL;
    if (now.server_id) {
        now.state = "retired";
        TRY(store_resource_put(&run->lease, &now));
    }
    TRY(store_resource_list(run->project->store, run->arena, run->host->name, &machines, &count));
    for (size_t i = 0; i < count && back_to; i++) {
        if (strcmp(machines[i].state, "retired") != 0 ||
            strcmp(machines[i].account, text_of(back_to, "provider")) != 0 ||
            strcmp(machines[i].server_id, text_of(back_to, "server")) != 0)
            continue;
        machines[i].state = "current";
        return store_resource_put(&run->lease, &machines[i]);
    }
    return NULL;
}

static struct err *conclude(struct run *run)
{
    bool back = !strcmp(text_of(run->plan.json, "kind"), "rollback");
    TRY(back ? put_back_in_service(run) : put_in_service(run));
    CLEANUP_ERR struct err *late = run_reap(run);
    if (late) /* an account that is down must not spoil a finished recovery: `gc` comes later */
        log_warn("%s: look for servers that landed late: %s", run->id, err_text(late));
    CLEANUP_JSON json_t *verdict = NULL;
    TRY(verdict_make(run->project->store, run->arena, &run->plan, run->id, &verdict));
    return store_run_set_state(&run->lease, RUN_DONE, verdict);
}

/* A backup that failed or was killed is taken anew, not resumed: it must not stand in the way, least of all
 * of a recovery. */
static bool is_resumable(const char *kind)
{
    return !kind || strcmp(kind, "backup") != 0;
}

static struct err *carry_out(struct run *run)
{
    run_fill_services(run);
    run_tell_leases(run);
    struct err *e = run_start_heartbeat(run);
    if (!e)
        e = do_steps(run);
    ssh_close(run->link);
    if (!e)
        e = conclude(run);
    else
        err_free(store_run_set_state(
            &run->lease, is_resumable(text_of(run->plan.json, "kind")) ? RUN_STOPPED : RUN_ABANDONED, NULL));
    run_stop_heartbeat(run);
    run_give_leases(run);
    json_decref(run->facts);
    const struct run_observer *observer = run->options->observer;
    if (observer && observer->end)
        observer->end(observer->arg);
    return e;
}

struct err *run_check_free(struct project *project, struct arena *arena, const char *host)
{
    struct run_row open;
    TRY(project_store(project));
    TRY(store_run_find_open(project->store, arena, host, &open));
    if (!open.id || !is_resumable(open.kind))
        return NULL;
    return err_with_hint(err_new(ERR_HELD, "host '%s' has an unfinished run '%s' (%s)", host, open.id,
                                 run_state_name(open.state)),
                         "go on with: rehost resume %s   or give it up with: rehost destroy %s", open.id,
                         open.id);
}

/* A rollback gives up the run that it undoes. */
static struct err *create_run(struct run *run, const struct run_row *row)
{
    struct run_row open;
    const char *undone = text_of(run->plan.json, "of_run");
    TRY(store_run_find_open(run->project->store, run->arena, run->host->name, &open));
    if (!open.id || !undone || strcmp(open.id, undone) != 0)
        TRY(run_check_free(run->project, run->arena, run->host->name));
    if (open.id)
        TRY(store_run_abandon(&run->lease, open.id));
    return store_run_create(&run->lease, row);
}

struct err *run_open_journal(struct run *run, const struct run_row *row)
{
    TRY(project_store(run->project));
    TRY(run_take_leases(run));
    struct err *e = create_run(run, row);
    if (e)
        run_give_leases(run);
    return e;
}

static struct err *new_run(struct run *run)
{
    const json_t *plan = run->plan.json;
    const struct run_row row = {
        .id = run->id,
        .host = run->host->name,
        .kind = text_of(plan, "kind"),
        .plan = plan_text(run->arena, &run->plan),
        .plan_digest = run->plan.digest,
        .inventory = run->project->inventory->path,
        .incident_ms = json_integer_value(json_object_get(plan, "incident_ms")),
        .started_ms = clock_now_ms(),
    };
    return run_open_journal(run, &row);
}

static void announce(const struct run *run, bool resumed)
{
    const struct run_observer *observer = run->options->observer;
    if (observer && observer->begin)
        observer->begin(observer->arg, run->id, &run->plan, resumed);
}

/* A plan from a file may lack them. */
static json_t *known_facts(const struct plan *plan)
{
    const json_t *known = json_object_get(plan->json, "facts");
    return json_is_object(known) ? json_deep_copy(known) : json_object();
}

struct err *run_start(struct project *project, struct arena *arena, const struct plan *plan,
                      const struct run_options *options, const char **run_id)
{
    *run_id = NULL;
    struct run run = {.project = project, .arena = arena, .options = options, .plan = *plan};
    TRY(inventory_host(project->inventory, plan_host(plan), &run.host));
    run.id = arena_printf(arena, "r-%s", hash_random_id(arena, 8));
    TRY(new_run(&run));
    *run_id = run.id;
    run.facts = known_facts(&run.plan);
    announce(&run, false);
    return carry_out(&run);
}

static struct err *check_open(struct project *project, struct arena *arena, const char *run_id)
{
    struct run_row row;
    TRY(store_run_get(project->store, arena, run_id, &row));
    if (row.state == RUN_RUNNING || row.state == RUN_STOPPED)
        return NULL;
    return err_with_hint(err_new(ERR_INPUT, "run '%s' is %s", run_id, run_state_name(row.state)),
                         "rehost report %s", run_id);
}

struct err *run_resume(struct project *project, struct arena *arena, const char *run_id,
                       const struct run_options *options)
{
    TRY(project_store(project));
    struct run_row row;
    TRY(store_run_get(project->store, arena, run_id, &row));
    TRY(check_open(project, arena, run_id));
    struct run run = {.project = project, .arena = arena, .options = options, .id = row.id, .resumed = true};
    TRY(inventory_host(project->inventory, row.host, &run.host));
    TRY(plan_parse(arena, row.plan, strlen(row.plan), &run.plan));
    TRY(run_take_leases(&run));
    struct err *e =
        check_open(project, arena, run_id); /* another process may have ended it before we had the lease */
    if (!e)
        e = store_run_set_state(&run.lease, RUN_RUNNING, NULL);
    if (e) {
        run_give_leases(&run);
        return e;
    }
    run.facts = known_facts(&run.plan);
    announce(&run, true);
    return carry_out(&run);
}
