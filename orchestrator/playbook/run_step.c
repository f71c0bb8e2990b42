/* One step: its conditions, its arguments, and either a call to the host or an answer given here. */
#include "base/decode.h"
#include "playbook/run.h"
#include "playbook/words.h"
#include <string.h>

struct err *job_flag(struct run *run, struct job *job, const struct expr_scope *scope, enum keyword keyword,
                     bool fallback, bool *flag)
{
    const struct entry *giver;
    const json_t *written = entry_inherited(job->entry, keyword, &giver);
    *flag = fallback;
    if (!written)
        return NULL;
    CLEANUP_JSON json_t *value = NULL;
    if (json_is_string(written)) {
        struct expr_env env = run_env(run, job, scope);
        struct expr_place place = entry_place(giver, keyword);
        TRY(template_render(job->arena, &env, &place, json_string_value(written), &value));
        written = value;
    }
    if (value_as_flag(written, flag))
        return NULL;
    return entry_error(giver, "'%s' must be yes or no", keyword_spec(keyword)->name);
}

static struct err *condition_holds(struct job *job, const struct expr_env *env,
                                   const struct expr_place *place, const json_t *condition, bool *hold)
{
    if (json_is_string(condition))
        return expr_is_true(job->arena, env, place, json_string_value(condition), hold);
    *hold = expr_value_is_true(condition);
    return NULL;
}

struct err *conditions_hold(struct run *run, struct job *job, const struct expr_scope *scope,
                            const struct entry *entry, enum keyword keyword, bool every, bool *hold)
{
    const json_t *written = entry->keywords[keyword];
    struct expr_env env = run_env(run, job, scope);
    struct expr_place place = entry_place(entry, keyword);
    if (!json_is_array(written))
        return condition_holds(job, &env, &place, written, hold);
    *hold = every;
    for (size_t i = 0; i < json_array_size(written); i++) {
        TRY(condition_holds(job, &env, &place, json_array_get(written, i), hold));
        if (*hold != every)
            return NULL;
    }
    return NULL;
}

/* Conditions of blocks, roles and includes come before the task's own. */
static struct err *when_of(struct run *run, struct job *job, const struct expr_scope *scope,
                           const struct entry *entry, bool *hold)
{
    *hold = true;
    const struct entry *from = entry_heritage(entry);
    if (from)
        TRY(when_of(run, job, scope, from, hold));
    if (!*hold || !entry->keywords[KW_WHEN])
        return NULL;
    return conditions_hold(run, job, scope, entry, KW_WHEN, true, hold);
}

struct err *when_holds(struct run *run, struct job *job, const struct expr_scope *scope, bool *hold)
{
    return when_of(run, job, scope, job->entry, hold);
}

static void answer(struct step *step, enum frame_status status, json_t *values)
{
    step->local = true;
    step->frame = (struct frame){.status = status, .values = values};
}

static void answer_skipped(struct step *step)
{
    answer(step, FRAME_SKIPPED,
           json_pack("{s:b, s:b, s:s}", "changed", 0, "skipped", 1, "skip_reason",
                     "Conditional result was False"));
}

/* environment of the play, blocks and task together; the inner one wins. */
static struct err *environment_of(struct run *run, struct job *job, const struct expr_scope *scope,
                                  const struct entry *entry, json_t *all)
{
    const struct entry *from = entry_heritage(entry);
    if (from)
        TRY(environment_of(run, job, scope, from, all));
    if (!entry->keywords[KW_ENVIRONMENT])
        return NULL;
    struct expr_env env = run_env(run, job, scope);
    struct expr_place place = entry_place(entry, KW_ENVIRONMENT);
    CLEANUP_JSON json_t *value = NULL;
    TRY(template_render_json(job->arena, &env, &place, entry->keywords[KW_ENVIRONMENT], &value));
    size_t i;
    json_t *one;
    json_array_foreach(value, i, one) if (json_is_object(one)) json_object_update(all, one);
    if (json_is_object(value))
        json_object_update(all, value);
    else if (!json_is_array(value))
        return entry_error(entry, "'environment' must be a map");
    return NULL;
}

/* Who the task runs as; see struct call. */
static struct err *user_of(struct run *run, struct job *job, const struct expr_scope *scope, bool here,
                           const char **user, bool *become)
{
    *user = NULL;
    TRY(job_flag(run, job, scope, KW_BECOME, run->options->become, become));
    const struct entry *giver = job->entry;
    const json_t *written = entry_inherited(job->entry, KW_BECOME_USER, &giver);
    CLEANUP_JSON json_t *usual = json_string(run->options->become_user ? run->options->become_user : "root");
    if (!*become) {
        *user = run->session.become && !here ? "" : NULL;
        return NULL;
    }
    struct expr_env env = run_env(run, job, scope);
    struct expr_place place = entry_place(giver, KW_BECOME_USER);
    CLEANUP_JSON json_t *value = NULL;
    TRY(template_render_json(job->arena, &env, &place, written ? written : usual, &value));
    const char *name = expr_value_text(job->arena, value);
    if (strcmp(name, "root") == 0)
        return NULL;
    if (!*name || *name == '-' ||
        strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") != strlen(name))
        return entry_error(giver, "'%s' cannot be the name of a user", name);
    *user = name;
    return NULL;
}

/* c: check mode, d: diff, i: a failure does not stop what follows, l: one item of a loop, closed by
 * rh_settle, r: needs root, v: the playbook can read the values. */
static struct err *flags_of(struct run *run, struct step *step, const struct expr_scope *scope, bool in_loop,
                            bool retried, const char **flags)
{
    struct job *job = step->job;
    bool check, diff;
    TRY(job_flag(run, job, scope, KW_CHECK_MODE, run->options->check, &check));
    TRY(job_flag(run, job, scope, KW_DIFF, run->options->diff, &diff));
    bool judged_here = job->entry->keywords[KW_FAILED_WHEN] != NULL;
    const struct entry *entry = job->entry;
    bool read = entry->keywords[KW_REGISTER] || entry->keywords[KW_CHANGED_WHEN] || judged_here || retried;
    *flags = arena_printf(job->arena, "%s%s%s%s%s", check ? "c" : "", diff ? "d" : "",
                          step->ignore_errors || judged_here || retried ? "i" : "", in_loop ? "l" : "",
                          read ? "v" : "");
    return NULL;
}

/* The command line or script of command, shell, raw and script. */
static struct err *render_text(struct job *job, const struct expr_env *env, char **text)
{
    size_t length;
    const char *name =
        arena_printf(job->arena, "%s:%d (%s)", job->entry->file, job->entry->line, job->entry->module->name);
    TRY(template_render_text(job->arena, env, name, job->entry->text, strlen(job->entry->text), text,
                             &length));
    if (strlen(*text) != length)
        return entry_error(job->entry, "a command cannot hold NUL bytes");
    return NULL;
}

static struct err *set_words(struct job *job, struct call *call, const char *text)
{
    CLEANUP_STRBUF_WIPE struct strbuf words;
    strbuf_init(&words, 0);
    const json_t *argv = json_object_get(call->args, "argv");
    size_t i;
    json_t *word;
    json_array_foreach(argv, i, word)
    {
        const char *each = expr_value_text(job->arena, word);
        strbuf_adds(&words, i ? " " : "");
        if (*each && !call->user)
            words_add_path(&words, each);
        else
            strbuf_add_shell_quoted(&words, each);
    }
    if (text)
        TRY(words_add_command(job->arena, &words, text, true));
    TRY(strbuf_check(&words, "a command"));
    call->words = strbuf_to_arena(&words, job->arena);
    return NULL;
}

static struct err *prepare_call(struct run *run, struct job *job, struct step *step,
                                const struct expr_scope *scope, json_t *args, struct call *call,
                                struct payload *payload)
{
    struct expr_env env = run_env(run, job, scope);
    char *text = NULL;
    if (job->entry->text)
        TRY(render_text(job, &env, &text));
    switch (job->entry->module->action) {
    case ACTION_COMMAND:
        if (strcmp(job->entry->module->shell, "command") == 0)
            TRY(set_words(job, call, text));
        else
            call->script = text;
        json_object_del(args, "argv");
        json_object_del(args, "warn");
        return NULL;
    case ACTION_COPY:
    case ACTION_TEMPLATE:
    case ACTION_UNARCHIVE:
    case ACTION_SCRIPT:
        if (text)
            json_object_set_new(args, "text", json_string(text));
        return action_prepare(run, job, scope, args, &call->words, step->id, payload);
    default:
        return NULL;
    }
}

/* One for every user: that user's tasks share a shell on the host. */
static void nonce_of(struct run *run, const char *user, char nonce[33])
{
    const char *known = json_string_value(json_object_get(run->nonces, user));
    if (known) {
        memcpy(nonce, known, 33);
        return;
    }
    session_nonce(nonce);
    json_object_set_new(run->nonces, user, json_string(nonce));
}

static struct err *send_call(struct run *run, struct job *job, struct step *step,
                             const struct expr_scope *scope, json_t *args, bool in_loop, bool retried)
{
    step->id = ++run->next_id;
    CLEANUP_JSON json_t *environment = json_object();
    TRY(environment_of(run, job, scope, job->entry, environment));
    struct call call = {
        .id = step->id, .module = job->entry->module, .args = args, .environment = environment};
    bool become, here;
    struct session *session = &run->session;
    TRY(step_is_here(run, job, scope, &here));
    TRY(user_of(run, job, scope, here, &call.user, &become));
    TRY(flags_of(run, step, scope, in_loop && !here, retried || here, &call.flags));
    if (become && !call.user)
        call.flags = arena_printf(job->arena, "%sr", call.flags);
    if (call.user) {
        nonce_of(run, call.user, step->nonce);
        call.nonce = step->nonce;
    }
    CLEANUP_STRBUF_WIPE struct strbuf out;
    strbuf_init(&out, 128u << 20);
    struct payload payload __attribute__((cleanup(payload_free))) = {.fd = -1};
    TRY(prepare_call(run, job, step, scope, args, &call, &payload));
    TRY(compile_call(job->arena, &call, &out));
    TRY(strbuf_check(&out, "a task"));
    if (here)
        TRY(run_here(run, become, &session));
    if (!session) {
        answer(step, FRAME_STOPPED, json_object());
        return NULL;
    }
    payload_send(&payload, step->id, session);
    session_send(session, out.data, out.length);
    return here ? run_await(run, session, step) : NULL;
}

/* An error that is the task's own (a value that cannot be used, an undefined variable) is its failure, not
 * the run's. */
static struct err *answer_failed(struct step *step, struct err *e)
{
    if (err_kind(e) != ERR_INPUT && err_kind(e) != ERR_NOT_FOUND && err_kind(e) != ERR_IO)
        return e;
    const char *hint = err_hint(e);
    json_t *text = json_sprintf("%s%s%s", err_text(e), hint ? "; " : "", hint ? hint : "");
    answer(step, FRAME_FAILED, json_pack("{s:o}", "msg", text ? text : json_string("bad text")));
    err_free(e);
    return NULL;
}

struct err *step_tolerance(struct run *run, struct step *step, const struct expr_scope *scope)
{
    TRY(job_flag(run, step->job, scope, KW_NO_LOG, false, &step->no_log));
    return job_flag(run, step->job, scope, KW_IGNORE_ERRORS, false, &step->ignore_errors);
}

static struct err *start(struct run *run, struct job *job, struct step *step, bool in_loop, bool retried)
{
    const struct expr_scope *scope = scope_with(job->arena, job->scope, step->loop_vars, true);
    bool hold;
    err_free(step_tolerance(run, step, scope)); /* what comes of the condition is also theirs */
    TRY(when_holds(run, job, scope, &hold));
    if (!hold) {
        answer_skipped(step);
        return NULL;
    }
    TRY(step_tolerance(run, step, scope));
    if (!job->entry->module->shell)
        return action_local(run, job, step, scope);
    if (!step->done_key) /* further tries are the same step */
        doubt_name_step(run, job, step);
    if (doubt_is_done(run, step))
        return NULL;
    struct expr_env env = run_env(run, job, scope);
    struct expr_place place = {.file = job->entry->file, .line = job->entry->line};
    CLEANUP_JSON json_t *rendered = NULL;
    TRY(template_render_json(job->arena, &env, &place, job->entry->args, &rendered));
    /* Actions change their arguments; without a template in them they still are the playbook's, for all
     * hosts. */
    CLEANUP_JSON json_t *args = json_copy(rendered);
    return send_call(run, job, step, scope, args, in_loop, retried);
}

struct err *step_start(struct run *run, struct job *job, struct step *step, bool in_loop, bool retried)
{
    struct err *e = start(run, job, step, in_loop, retried);
    return e ? answer_failed(step, e) : NULL;
}
