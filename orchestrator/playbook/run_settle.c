/* Answers: in the order in which the tasks were sent. */
#include "base/clock.h"
#include "base/decode.h"
#include "playbook/crew_team.h"
#include "playbook/run.h"
#include <stdlib.h>
#include <string.h>

#define MAX_MESSAGE_BYTES 8192
#define MAX_DIFF_BYTES (256u << 10)
#define MAX_AHEAD_BYTES (8u << 20) /* what may wait here to be sent */

struct job *job_new(struct run *run, const struct entry *entry, bool handler)
{
    struct arena *arena = arena_new(0);
    struct job *job = ARENA_NEW(arena, struct job);
    job->arena = arena;
    job->entry = entry;
    job->handler = handler;
    job->scope = run_scope(run, arena, entry);
    job->results = json_keep(arena, json_array());
    return job;
}

void job_free(struct job *job)
{
    arena_free(job->arena);
}

void run_queue(struct run *run, struct step *step)
{
    bool first = !run->first;
    *run->last = step;
    run->last = &step->next;
    step->job->in_flight++;
    if (step->local && step->frame.status == FRAME_FAILED)
        step->job->failed_here = true;
    if (first)
        run->last_answer_ms = clock_boot_ms();
}

struct err *run_await(struct run *run, struct session *session, struct step *step)
{
    struct err *e = session_receive(session, *step->nonce ? step->nonce : NULL, step->id, &step->frame);
    if (e && err_kind(e) == ERR_UNKNOWN_OUTCOME)
        run_queue(run, step);
    step->local = !e;
    return e;
}

/* --- what came of a step --- */

static void add_lines(json_t *values, const char *from, const char *to)
{
    const char *text = json_string_value(json_object_get(values, from));
    if (!text)
        return;
    json_t *lines = json_array();
    while (*text) {
        size_t length = strcspn(text, "\n");
        json_array_append_new(lines,
                              json_stringn(text, length && text[length - 1] == '\r' ? length - 1 : length));
        text += length + (text[length] == '\n');
    }
    json_object_set_new(values, to, lines);
}

static bool flag_in(const json_t *values, const char *name)
{
    return json_is_true(json_object_get(values, name));
}

/* changed_when and failed_when see the result under the name that it will be registered as. */
static struct err *judge(struct run *run, struct job *job, const struct step *step, enum keyword keyword,
                         const char *name)
{
    const struct expr_scope *scope = scope_with(job->arena, job->scope, step->loop_vars, true);
    const json_t *registered = job->entry->keywords[KW_REGISTER];
    json_t *values = step->frame.values;
    if (registered)
        scope = scope_with(job->arena, scope,
                           json_keep(job->arena, json_pack("{s:O}", json_string_value(registered), values)),
                           true);
    bool hold;
    /* Of several conditions all must hold. */
    struct err *e = conditions_hold(run, job, scope, job->entry, keyword, true, &hold);
    if (e)
        json_object_set_new(values, keyword == KW_FAILED_WHEN ? "failed_when_result" : "changed_when_result",
                            json_string(err_text(e)));
    else
        json_object_set_new(values, name, json_boolean(hold));
    return e;
}

static struct err *judge_step(struct run *run, struct job *job, struct step *step)
{
    json_t *values = step->frame.values;
    bool failed = step->frame.status == FRAME_FAILED;
    if (step->frame.status != FRAME_SKIPPED)
        json_object_set_new(values, "failed", json_boolean(failed));
    add_lines(values, "stdout", "stdout_lines");
    add_lines(values, "stderr", "stderr_lines");
    if (step->frame.status == FRAME_SKIPPED) {
        json_object_set_new(values, "skipped", json_true());
        return NULL;
    }
    if (job->entry->keywords[KW_CHANGED_WHEN])
        TRY(judge(run, job, step, KW_CHANGED_WHEN, "changed"));
    if (job->entry->keywords[KW_FAILED_WHEN]) {
        TRY(judge(run, job, step, KW_FAILED_WHEN, "failed"));
        json_object_set(values, "failed_when_result", json_object_get(values, "failed"));
    }
    return NULL;
}

/* --- what people see --- */

const char *job_title(struct run *run, struct job *job)
{
    const char *written = entry_title(job->entry);
    if (!template_is_template(written))
        return written;
    struct expr_env env = run_env(run, job, job->scope);
    struct expr_place place = {.file = job->entry->file, .line = job->entry->line};
    CLEANUP_JSON json_t *value = NULL;
    CLEANUP_ERR struct err *e = template_render(job->arena, &env, &place, written, &value);
    return e ? written : expr_value_text(job->arena, value);
}

static const char *shortened(struct arena *arena, const char *text, size_t max)
{
    size_t length = strlen(text);
    if (length <= max)
        return text;
    const char *end = text + length - max; /* the end tells more than the beginning */
    while ((*end & 0xc0) == 0x80)
        end++;
    return arena_printf(arena, "... %s", end);
}

static const char *message_of(struct job *job, const struct step *step, bool failed)
{
    const json_t *values = step->frame.values;
    if (step->shown && !failed)
        return step->shown;
    const json_t *msg = json_object_get(values, "msg");
    const char *text = msg ? expr_value_text(job->arena, msg) : "";
    if (msg && !json_is_string(msg)) {
        char *dump = json_dumps(msg, JSON_INDENT(2) | JSON_ENCODE_ANY);
        text = arena_strdup(job->arena, dump ? dump : "");
        free(dump);
    }
    const char *warning = json_string_value(json_array_get(json_object_get(values, "warnings"), 0));
    if (!failed)
        return job->entry->module->action == ACTION_DEBUG ? text : warning ? warning : "";
    const char *unclear = json_string_value(json_object_get(values, "failed_when_result"));
    unclear = unclear ? unclear : json_string_value(json_object_get(values, "changed_when_result"));
    if (unclear)
        return shortened(job->arena, unclear, MAX_MESSAGE_BYTES);
    const char *errors = json_string_value(json_object_get(values, "stderr"));
    const char *output = json_string_value(json_object_get(values, "stdout"));
    const json_t *rc = json_object_get(values, "rc");
    if (json_is_integer(rc) && (errors || output)) {
        const char *said = errors && *errors ? errors : output ? output : "";
        if (!*said && strcmp(text, "non-zero return code") != 0)
            said = text;
        text = arena_printf(job->arena, "exit %lld%s%s", (long long)json_integer_value(rc), *said ? ": " : "",
                            said);
    }
    return shortened(job->arena, *text ? text : "failed", MAX_MESSAGE_BYTES);
}

static void fill_event(struct run *run, struct job *job, const struct step *step, enum task_status status,
                       struct task_event *event)
{
    const json_t *values = step->frame.values;
    int64_t now_ms = clock_boot_ms();
    bool failed = status == TASK_FAILED || status == TASK_IGNORED;
    const char *diff = json_string_value(json_object_get(values, "diff"));
    *event = (struct task_event){
        .host = json_string_value(json_object_get(run->magic, "inventory_hostname")),
        .task = job_title(run, job),
        .role = job->entry->role ? job->entry->role->name : NULL,
        .item = step->label,
        .module = job->entry->module->name,
        .file = job->entry->file,
        .line = job->entry->line,
        .handler = job->handler,
        .status = status,
        .message = message_of(job, step, failed),
        .diff = run->options->diff && diff ? shortened(job->arena, diff, MAX_DIFF_BYTES) : "",
        .elapsed_ms = now_ms - run->last_answer_ms,
    };
    if (step->no_log) {
        event->item = step->label ? "(hidden by no_log)" : NULL;
        event->message = failed ? "the result is hidden by no_log" : "";
        event->diff = "";
    }
    run->last_answer_ms = now_ms;
}

static enum task_status status_of(const struct step *step)
{
    const json_t *values = step->frame.values;
    if (step->frame.status == FRAME_SKIPPED)
        return TASK_SKIPPED;
    if (flag_in(values, "failed"))
        return step->ignore_errors ? TASK_IGNORED : TASK_FAILED;
    return flag_in(values, "changed") ? TASK_CHANGED : TASK_OK;
}

static const char *keep(struct run *run, const char *text)
{
    return text ? arena_strdup(run->arena, text) : NULL;
}

/* The first failure that nothing rescued is what the error is about. */
static void remember_failure(struct run *run, const struct task_event *event)
{
    run->result->failed = *event;
    run->result->failed.task = keep(run, event->task);
    run->result->failed.item = keep(run, event->item);
    run->result->failed.message = keep(run, event->message);
    run->result->failed.diff = "";
}

static void remember_for_rescue(struct run *run, const struct job *job, const struct step *step,
                                const struct task_event *event)
{
    json_object_set(run->registered, "ansible_failed_result", step->frame.values);
    json_object_set_new(run->registered, "ansible_failed_task",
                        json_pack("{s:s, s:s}", "name", job->entry->keywords[KW_NAME] ? event->task : "",
                                  "action", job->entry->written ? job->entry->written : ""));
}

/* --- when a job is over --- */

/* The keys are there when Ansible's are. */
static json_t *looped_result(const struct job *job)
{
    bool all_skipped = job->skipped == job->settled;
    json_t *result = json_pack("{s:O, s:b, s:b}", "results", job->results, "changed", job->changed > 0,
                               "skipped", all_skipped);
    json_object_set_new(result, "msg",
                        json_string(job->failed   ? "One or more items failed"
                                    : all_skipped ? "All items skipped"
                                                  : "All items completed"));
    if (job->failed)
        json_object_set_new(result, "failed", json_true());
    return result;
}

static void count_task(struct run *run, const struct job *job)
{
    enum task_status status = TASK_OK;
    if (job->failed)
        status = job->fatal ? TASK_FAILED : TASK_IGNORED;
    else if (job->changed)
        status = TASK_CHANGED;
    else if (job->skipped == job->settled)
        status = TASK_SKIPPED;
    run->result->counts[status]++;
    run->ran += status != TASK_SKIPPED;
}

/* What a task with run_once gave belongs to all hosts. */
static void tell_once(struct run *run, const struct job *job)
{
    const json_t *written = job->entry->keywords[KW_REGISTER];
    const char *name = written ? json_string_value(written) : NULL;
    json_t *registered = name ? json_object_get(run->registered, name) : NULL;
    CLEANUP_JSON json_t *facts = json_object();
    size_t i;
    const json_t *result;
    bool local = !job->entry->module->shell;
    json_array_foreach(job->results, i, result)
    {
        json_t *given = json_object_get(result, "ansible_facts");
        if (local && given)
            json_object_update(facts, given);
    }
    team_once_done(run, job->once,
                   &(struct once_result){.name = registered ? name : NULL,
                                         .registered = registered,
                                         .facts = facts,
                                         .failed = job->fatal > 0});
}

static struct err *finish(struct run *run, struct job *job)
{
    const json_t *registered = job->entry->keywords[KW_REGISTER];
    bool stopped = !job->settled; /* an earlier failure kept it from running */
    if (job->gathers_facts)
        run->facts_pending = false;
    run_mark_facts(run, job->entry, run_mark_clean);
    if (registered) {
        const char *name = json_string_value(registered);
        run_mark_clean(run, name);
        if (job->looping && !stopped)
            json_object_set_new(run->registered, name, looped_result(job));
        else if (!stopped)
            json_object_set(run->registered, name, json_array_get(job->results, 0));
    }
    if (stopped)
        return NULL;
    if (job->once)
        tell_once(run, job);
    count_task(run, job);
    if (job->fatal) {
        if (job->looping)
            json_object_set_new(run->registered, "ansible_failed_result", looped_result(job));
        run->failed = true;
    } else if (job->changed)
        return run_notify(run, job);
    return NULL;
}

struct err *job_finish(struct run *run, struct job *job)
{
    struct err *e = finish(run, job);
    job_free(job);
    return e;
}

/* --- the queue --- */

static void note_outcome(struct run *run, struct job *job, struct step *step, enum task_status status)
{
    struct task_event event;
    fill_event(run, job, step, status, &event);
    if (run->options->on_event)
        run->options->on_event(&event, run->options->arg);
    if (status == TASK_FAILED) {
        remember_for_rescue(run, job, step, &event);
        remember_failure(run, &event);
    }
}

static struct err *settle(struct run *run, struct job *job, struct step *step)
{
    doubt_note_answer(run, step);
    json_t *values = step->frame.values;
    struct err *judged = judge_step(run, job, step);
    if (judged) { /* a condition that cannot be evaluated fails the task */
        json_object_set_new(values, "failed", json_true());
        err_free(judged);
    }
    if (step->loop_vars) {
        const char *key;
        json_t *value;
        json_object_foreach(step->loop_vars, key, value) json_object_set(values, key, value);
    }
    enum task_status status = status_of(step);
    job->settled++;
    job->failed += status == TASK_FAILED || status == TASK_IGNORED;
    job->fatal += status == TASK_FAILED;
    job->changed += status == TASK_CHANGED;
    job->skipped += status == TASK_SKIPPED;
    json_array_append(job->results, values);
    if (job->gathers_facts && (status == TASK_OK || status == TASK_CHANGED))
        run_set_facts(run, json_deep_copy(values));
    else if (job->entry->module->shell && status != TASK_FAILED && status != TASK_IGNORED)
        run_add_facts(run, json_object_get(values, "ansible_facts"));
    note_outcome(run, job, step, status);
    return NULL;
}

static struct err *settle_first(struct run *run)
{
    struct step *step = run->first;
    struct job *job = step->job;
    run->first = step->next;
    if (!run->first)
        run->last = &run->first;
    job->in_flight--;
    struct err *e = NULL;
    bool dropped = step->frame.status == FRAME_STOPPED || (step->local && run->failed && job->settled == 0);
    if (!dropped)
        e = settle(run, job, step);
    json_decref(step->frame.values);
    step->frame.values = NULL;
    if (!e && job->all_sent && !job->in_flight)
        return job_finish(run, job);
    return e;
}

static void announce(struct run *run)
{
    if (run->options->on_start && !run->first->job->settled)
        run->options->on_start(job_title(run, run->first->job), run->options->arg);
}

struct err *run_settle_one(struct run *run)
{
    struct step *step = run->first;
    announce(run);
    if (!step->local)
        TRY(session_receive(&run->session, *step->nonce ? step->nonce : NULL, step->id, &step->frame));
    return settle_first(run);
}

struct err *run_settle_all(struct run *run)
{
    while (run->first)
        TRY(run_settle_one(run));
    return NULL;
}

struct err *run_settle_job(struct run *run, struct job *job)
{
    while (job->in_flight)
        TRY(run_settle_one(run));
    return NULL;
}

struct err *run_settle_ready(struct run *run)
{
    while (run->first && session_waiting(&run->session) > MAX_AHEAD_BYTES)
        TRY(run_settle_one(run));
    TRY(session_flush(&run->session));
    while (run->first) {
        struct step *step = run->first;
        const char *const nonces[2] = {run->session.nonce, *step->nonce ? step->nonce : NULL};
        bool found = step->local;
        if (!found)
            TRY(frame_take(&run->session.in, nonces, step->id, &step->frame, &found));
        if (!found)
            return NULL;
        announce(run);
        TRY(settle_first(run));
    }
    return NULL;
}
