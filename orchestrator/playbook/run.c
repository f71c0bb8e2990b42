/* The walk: blocks, tasks, loops, includes, handlers. See run.h for how it goes ahead of the host. */
#include "playbook/run.h"
#include "base/decode.h"
#include "playbook/crew_team.h"
#include <stdlib.h>
#include <string.h>

#define MAX_NUMBER 1000000

bool run_over(const struct run *run)
{
    return run->failed || run->ended;
}

/* --- a step, or several tries of it --- */

static struct step *step_new(struct job *job)
{
    struct step *step = ARENA_NEW(job->arena, struct step);
    step->job = job;
    return step;
}

static struct err *number_of(struct run *run, struct job *job, enum keyword keyword, int64_t fallback,
                             int64_t *number)
{
    const json_t *written = job->entry->keywords[keyword];
    *number = fallback;
    if (!written)
        return NULL;
    struct expr_env env = run_env(run, job, job->scope);
    struct expr_place place = entry_place(job->entry, keyword);
    CLEANUP_JSON json_t *value = NULL;
    TRY(template_render_json(job->arena, &env, &place, written, &value));
    char *end;
    double n = strtod(expr_value_text(job->arena, value), &end);
    if (*end || n < 0 || n > MAX_NUMBER)
        return entry_error(job->entry, "'%s' must be a number up to %d", keyword_spec(keyword)->name,
                           MAX_NUMBER);
    *number = (int64_t)n;
    return NULL;
}

static struct err *until_holds(struct run *run, struct job *job, struct step *step, bool *hold)
{
    json_t *values = step->frame.values;
    if (step->frame.status == FRAME_SKIPPED) {
        *hold = true;
        return NULL;
    }
    const struct expr_scope *scope = scope_with(job->arena, job->scope, step->loop_vars, true);
    const json_t *registered = job->entry->keywords[KW_REGISTER];
    json_object_set_new(values, "failed", json_boolean(step->frame.status == FRAME_FAILED));
    if (registered)
        scope = scope_with(job->arena, scope,
                           json_keep(job->arena, json_pack("{s:O}", json_string_value(registered), values)),
                           true);
    return conditions_hold(run, job, scope, job->entry, KW_UNTIL, true, hold);
}

/* A loop that cannot be evaluated is no error when the task would have been skipped anyway. */
static struct err *failed_loop(struct run *run, struct job *job, struct err *e)
{
    bool hold = true;
    struct step *step = step_new(job);
    err_free(step_tolerance(run, step, job->scope));
    struct err *other = when_holds(run, job, job->scope, &hold);
    if (other)
        err_free(other);
    step->local = true;
    step->frame.status = !other && !hold ? FRAME_SKIPPED : FRAME_FAILED;
    step->frame.values = json_pack("{s:b, s:s}", "changed", 0, "msg", err_text(e));
    err_free(e);
    run_queue(run, step);
    return NULL;
}

/* Waits for the step's answer, with `async` only so long. */
static struct err *receive(struct run *run, struct job *job, struct step *step)
{
    int64_t limit_s;
    TRY(number_of(run, job, KW_ASYNC, 0, &limit_s));
    if (step->local)
        return NULL;
    struct ctx limited = ctx_with_timeout(run->ctx, limit_s * 1000);
    run->session.ctx = limit_s ? &limited : run->ctx;
    struct err *e = run_await(run, &run->session, step);
    run->session.ctx = run->ctx;
    if (!e && limit_s) { /* as Ansible's async_status */
        json_object_set_new(step->frame.values, "started", json_integer(1));
        json_object_set_new(step->frame.values, "finished", json_integer(1));
    }
    if (!e || !limit_s || err_kind(e) != ERR_TIMEOUT)
        return e;
    struct err *whole = ctx_check(run->ctx);
    if (whole) {
        err_free(whole);
        return e;
    }
    err_free(e);
    run_queue(run, step);
    return err_new(ERR_UNKNOWN_OUTCOME, "%s:%d: task '%s' was not done within %lld s (async)",
                   job->entry->file, job->entry->line, entry_title(job->entry), (long long)limit_s);
}

/* until: sent and awaited one by one. What came of the last try counts. */
static struct err *run_tries(struct run *run, struct job *job, struct step *step, bool in_loop)
{
    int64_t retries, delay_s;
    TRY(run_settle_all(run));
    if (run->failed)
        return NULL;
    struct err *bad = number_of(run, job, KW_RETRIES, 3, &retries);
    if (!bad)
        bad = number_of(run, job, KW_DELAY, 5, &delay_s);
    if (bad)
        return failed_loop(run, job, bad);
    for (int64_t attempt = 0;; attempt++) {
        step->local = false;
        TRY(step_start(run, job, step, in_loop, true));
        TRY(receive(run, job, step));
        bool hold = false;
        struct err *e = until_holds(run, job, step, &hold);
        /* After the last one, Ansible does not count the first. */
        if (step->frame.status != FRAME_SKIPPED)
            json_object_set_new(step->frame.values, "attempts",
                                json_integer(!hold && attempt >= retries && retries ? retries : attempt + 1));
        if (e || hold || attempt >= retries) {
            if (!hold && !e)
                step->frame.status = FRAME_FAILED;
            if (e) {
                step->frame.status = FRAME_FAILED;
                json_object_set_new(step->frame.values, "msg", json_string(err_text(e)));
                err_free(e);
            }
            run_queue(run, step);
            return NULL;
        }
        json_decref(step->frame.values);
        step->frame.values = NULL;
        TRY(ctx_sleep(run->ctx, delay_s * 1000));
    }
}

/* async: nothing else is under way while it runs. */
static struct err *run_limited(struct run *run, struct job *job, struct step *step, bool in_loop)
{
    TRY(run_settle_all(run));
    if (run->failed)
        return NULL;
    TRY(step_start(run, job, step, in_loop, true));
    TRY(receive(run, job, step));
    run_queue(run, step);
    return NULL;
}

static struct err *run_step(struct run *run, struct job *job, json_t *loop_vars, const char *label)
{
    struct step *step = step_new(job);
    step->loop_vars = loop_vars;
    step->label = label;
    if (job->entry->module->action == ACTION_REBOOT)
        return run_reboot(run, job, step, loop_vars != NULL);
    if (job->entry->keywords[KW_UNTIL]) /* retries alone mean nothing, as in Ansible before 2.16 */
        return run_tries(run, job, step, loop_vars != NULL);
    if (job->entry->keywords[KW_ASYNC])
        return run_limited(run, job, step, loop_vars != NULL);
    TRY(step_start(run, job, step, loop_vars != NULL, false));
    run_queue(run, step);
    return run_settle_ready(run);
}

/* --- tasks --- */

/* Whether the walk must know what came of the job before it goes on. */
static bool judged_here(const struct job *job)
{
    const struct entry *entry = job->entry;
    const json_t *failed_when = entry->keywords[KW_FAILED_WHEN];
    return (failed_when && !json_is_false(failed_when)) || entry->keywords[KW_UNTIL] ||
           entry->keywords[KW_ASYNC] || job->failed_here;
}

/* Whether what is still under way could see what a task that is done here does, or should have kept it from
 * being done. */
static bool is_seen_early(const struct run *run, const struct entry *entry)
{
    const char *key;
    json_t *value;
    if (entry->module->action == ACTION_PAUSE)
        return true;
    if (entry->module->action != ACTION_SET_FACT && entry->module->action != ACTION_INCLUDE_VARS)
        return false;
    json_object_foreach(entry->args, key,
                        value) if (json_object_get(run->dirty, key) || template_is_template(key)) return true;
    for (const struct entry *e = entry; e; e = e->parent)
        if (e->rescue.count || e->always.count)
            return true;
    for (const struct step *step = run->first; step; step = step->next) {
        const struct entry *other = step->job->entry;
        if (other->keywords[KW_CHANGED_WHEN] || other->keywords[KW_NOTIFY])
            return true;
    }
    return false;
}

/* The host learns that a loop is over: only now may its failures stop what follows. */
static void close_loop(struct run *run)
{
    static const char text[] = "rh_settle 0 _\n";
    session_send(&run->session, text, sizeof(text) - 1);
}

static struct err *run_loop(struct run *run, struct job *job, const json_t *items)
{
    int64_t pause_ms;
    job->looping = true;
    struct err *e = loop_pause(run, job, &pause_ms);
    for (size_t i = 0; !e && i < json_array_size(items) && !run_over(run); i++) {
        json_t *vars;
        const char *label;
        if (i && pause_ms) {
            TRY(run_settle_all(run));
            TRY(ctx_sleep(run->ctx, pause_ms));
        }
        e = loop_variables(run, job, items, i, &vars, &label);
        if (!e)
            TRY(run_step(run, job, vars, label));
    }
    if (e)
        TRY(failed_loop(run, job, e));
    close_loop(run);
    return NULL;
}

/* A loop over nothing is a task that is skipped, whatever its condition. */
static void run_nothing(struct run *run, struct job *job)
{
    struct step *step = step_new(job);
    err_free(step_tolerance(run, step, job->scope));
    step->local = true;
    step->frame.status = FRAME_SKIPPED;
    step->frame.values = json_pack("{s:b, s:b, s:s, s:[]}", "changed", 0, "skipped", 1, "skipped_reason",
                                   "No items in the list", "results");
    run_queue(run, step);
}

static struct err *send_job(struct run *run, struct job *job)
{
    CLEANUP_JSON json_t *items = NULL;
    struct err *e = loop_items(run, job, &items);
    if (e)
        return failed_loop(run, job, e);
    if (items && !json_array_size(items)) {
        run_nothing(run, job);
        return NULL;
    }
    if (items)
        return run_loop(run, job, items);
    return run_step(run, job, NULL, NULL);
}

static struct err *run_job(struct run *run, struct job *job)
{
    const json_t *registered = job->entry->keywords[KW_REGISTER];
    struct err *waited = run_wait_for_names(run, job);
    if (!waited && is_seen_early(run, job->entry))
        waited = run_settle_all(run);
    if (waited || run_over(run)) {
        job_free(job);
        return waited;
    }
    if (registered)
        run_mark_dirty(run, json_string_value(registered));
    run_mark_facts(run, job->entry, run_mark_dirty);
    struct err *e = send_job(run, job);
    if (e && !job->in_flight)
        job_free(job); /* otherwise it goes with the queue */
    TRY(e);
    job->all_sent = !judged_here(job);
    if (job->all_sent && job->in_flight)
        return NULL;
    TRY(run_settle_job(run, job));
    return job_finish(run, job);
}

struct err *run_fail_here(struct run *run, const struct entry *entry, struct err *e)
{
    if (err_kind(e) != ERR_INPUT && err_kind(e) != ERR_NOT_FOUND)
        return e;
    TRY(run_settle_all(run));
    if (run->failed) {
        err_free(e);
        return NULL;
    }
    struct job *job = job_new(run, entry, false);
    TRY(failed_loop(run, job, e));
    TRY(run_settle_job(run, job));
    return job_finish(run, job);
}

/* --- meta --- */

static struct err *meta_holds(struct run *run, const struct entry *entry, bool *hold)
{
    struct job *job = job_new(run, entry, false);
    *hold = false;
    struct err *e = run_wait_for_names(run, job);
    if (!e && !run_over(run))
        e = when_holds(run, job, job->scope, hold);
    job_free(job);
    return e ? run_fail_here(run, entry, e) : NULL;
}

/* end_play and end_batch: the first host's condition decides for all. */
static struct err *end_for_all(struct run *run, const struct entry *entry, bool play)
{
    bool mine = true, hold;
    const char *key = NULL;
    if (run->member)
        TRY(team_once(run, entry, &mine, &key));
    if (!mine)
        return NULL;
    TRY(meta_holds(run, entry, &hold));
    TRY(run_settle_all(run));
    run->ended = hold && !run->failed;
    if (run->member && play && run->ended)
        team_end_play(run);
    if (run->member)
        team_once_done(run, key, &(struct once_result){.ended = run->ended, .failed = run->failed});
    return NULL;
}

static struct err *run_meta(struct run *run, const struct entry *entry)
{
    const char *action = json_string_value(json_object_get(entry->args, "action"));
    bool hold;
    if (action && (strcmp(action, "end_play") == 0 || strcmp(action, "end_batch") == 0))
        return end_for_all(run, entry, strcmp(action, "end_play") == 0);
    TRY(meta_holds(run, entry, &hold));
    if (!hold || !action)
        return NULL;
    if (strcmp(action, "flush_handlers") == 0)
        return run_flush_handlers(run);
    if (strcmp(action, "reset_connection") == 0)
        return run_renew(run, entry);
    if (strcmp(action, "end_host") == 0) {
        TRY(run_settle_all(run));
        run->ended = !run->failed;
    }
    if (strcmp(action, "clear_facts") == 0) {
        TRY(run_settle_all(run));
        json_object_clear(run->facts);
        run->facts_known = false;
    }
    return NULL;
}

/* --- blocks --- */

static struct err *run_always(struct run *run, const struct entry *block, bool handlers)
{
    bool failed = run->failed;
    struct task_event first = run->result->failed;
    static const char reset[] = "RH_STOP='' RH_FAILED=''\n";
    run->failed = false;
    session_send(&run->session, reset, sizeof(reset) - 1);
    TRY(run_entries(run, &block->always, handlers));
    TRY(run_settle_all(run));
    if (failed)
        run->result->failed = first;
    run->failed = run->failed || failed;
    return NULL;
}

static struct err *rescue(struct run *run, const struct entry *block, bool handlers)
{
    static const char reset[] = "RH_STOP='' RH_FAILED=''\n";
    bool own = run->result->failed.task != NULL; /* not that of the host that carried run_once out */
    run->failed = false;
    run->result->failed = (struct task_event){0};
    run->result->counts[TASK_FAILED] -= own;
    run->result->counts[TASK_IGNORED] += own;
    session_send(&run->session, reset, sizeof(reset) - 1);
    TRY(run_entries(run, &block->rescue, handlers));
    return run_settle_all(run);
}

/* A role that the play names twice with the same parameters runs once, unless all of it was skipped. */
static struct err *run_role(struct run *run, const struct entry *block, bool handlers)
{
    const struct role *role = block->starts;
    if (json_is_string(json_object_get(run->roles_known, role->key)))
        return NULL;
    if (role->use_count < 2)
        return run_entries(run, &block->block, handlers);
    TRY(run_settle_all(run));
    size_t ran = run->ran;
    TRY(run_entries(run, &block->block, handlers));
    TRY(run_settle_all(run));
    if (run->ran > ran)
        json_object_set_new(run->roles_known, role->key, json_string("done"));
    return NULL;
}

/* A block that can be rescued is a border: what comes before is settled first, and what is inside before it
 * is left. */
static struct err *run_block(struct run *run, const struct entry *block, bool handlers)
{
    if (block->starts)
        return run_role(run, block, handlers);
    if (!block->rescue.count && !block->always.count)
        return run_entries(run, &block->block, handlers);
    TRY(run_settle_all(run));
    if (run_over(run))
        return NULL;
    TRY(run_entries(run, &block->block, handlers));
    TRY(run_settle_all(run));
    if (run->failed && block->rescue.count)
        TRY(rescue(run, block, handlers));
    /* whoever leaves the play by `meta` leaves it at once, as in Ansible */
    return block->always.count && !run->ended ? run_always(run, block, handlers) : NULL;
}

/* --- which tasks run at all --- */

static struct err *render_tags(struct run *run, const struct entry *entry, json_t **tags)
{
    CLEANUP_JSON json_t *written = entry_tags(entry);
    if (!template_is_template_json(written)) {
        *tags = TAKE(written);
        return NULL;
    }
    struct job *job = job_new(run, entry, false);
    struct expr_env env = run_env(run, job, job->scope);
    struct expr_place place = entry_place(entry, KW_TAGS);
    CLEANUP_JSON json_t *rendered = NULL;
    struct err *e = template_render_json(job->arena, &env, &place, written, &rendered);
    *tags = e ? NULL : loop_flatten(rendered, false);
    job_free(job);
    return e;
}

/* Imports and blocks only hand their tags on; handlers run when they are notified. */
static struct err *is_chosen(struct run *run, const struct entry *entry, bool handlers, bool *chosen)
{
    *chosen = true;
    if (handlers || entry->kind == ENTRY_BLOCK || entry->module->action == ACTION_IMPORT_TASKS ||
        entry->module->action == ACTION_IMPORT_ROLE)
        return NULL;
    CLEANUP_JSON json_t *tags = NULL;
    TRY(render_tags(run, entry, &tags));
    *chosen = tags_selected(tags, run->options->tags, run->options->skip_tags);
    if (*chosen && run->seeking) {
        run->seeking = !entry_is_named(entry, run->options->start_at_task);
        *chosen = !run->seeking;
    }
    return NULL;
}

/* run_once, among many hosts: one carries the task out, the others take over what came of it. */
static struct err *is_mine(struct run *run, struct job *job, bool *mine)
{
    bool once = false;
    *mine = true;
    if (run->member)
        TRY(job_flag(run, job, job->scope, KW_RUN_ONCE, false, &once));
    return once ? team_once(run, job->entry, mine, &job->once) : NULL;
}

static struct err *run_task(struct run *run, const struct entry *entry, bool handlers)
{
    struct job *job = job_new(run, entry, handlers);
    bool mine;
    struct err *e = is_mine(run, job, &mine);
    if (e || !mine) {
        job_free(job);
        return e ? run_fail_here(run, entry, e) : NULL;
    }
    job->gathers_facts = entry->module->action == ACTION_SETUP;
    run->facts_pending = run->facts_pending || job->gathers_facts;
    return run_job(run, job);
}

static struct err *run_entry(struct run *run, const struct entry *entry, bool handlers)
{
    bool chosen;
    struct err *e = is_chosen(run, entry, handlers, &chosen);
    if (e)
        return run_fail_here(run, entry, e);
    if (!chosen)
        return NULL;
    if (entry->kind == ENTRY_BLOCK)
        return run_block(run, entry, handlers);
    switch (entry->module->action) {
    case ACTION_INCLUDE_TASKS:
    case ACTION_IMPORT_TASKS:
    case ACTION_INCLUDE_ROLE:
    case ACTION_IMPORT_ROLE:
        return run_include(run, entry, handlers);
    case ACTION_META:
        return run_meta(run, entry);
    default:
        return run_task(run, entry, handlers);
    }
}

struct err *run_entries(struct run *run, const struct entry_list *list, bool handlers)
{
    for (size_t i = 0; i < list->count && !run_over(run); i++) {
        if (run->member)
            TRY(team_pass(run, list->items[i]));
        if (!run_over(run))
            TRY(run_entry(run, list->items[i], handlers));
    }
    return NULL;
}
