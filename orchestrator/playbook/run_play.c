/* Plays: their sections, handlers and facts; and a run from its first play to its last. */
#include "base/decode.h"
#include "playbook/run.h"
#include <string.h>

/* Of `roles:` and import_role, or needed by such a one. */
static bool in_play(const struct play *play, const struct role *role)
{
    if (role->visible)
        return true;
    for (size_t i = 0; i < play->role_count; i++)
        for (size_t k = 0; play->roles[i] != role && k < play->roles[i]->need_count; k++)
            if (play->roles[i]->needs[k] == role && in_play(play, play->roles[i]))
                return true;
    return false;
}

static void collect_handlers(struct run *run, const struct play *play)
{
    run->handlers = (struct entry_list){0};
    run->notified_capacity = 0;
    json_object_clear(run->roles_known);
    for (size_t i = 0; i < play->role_count; i++)
        if (in_play(play, play->roles[i])) {
            json_object_set_new(run->roles_known, play->roles[i]->key, json_true());
            run_collect_handlers(run, &play->roles[i]->handlers);
        }
    run_collect_handlers(run, &play->handlers);
}

static bool value_names_fact(const json_t *value)
{
    const char *text = json_string_value(value), *key;
    size_t i;
    const json_t *child;
    if (text)
        return template_is_template(text) && text_names_fact(text);
    json_array_foreach(value, i, child) if (value_names_fact(child)) return true;
    json_object_foreach((json_t *)(uintptr_t)value, key, child) if (value_names_fact(child)) return true;
    return false;
}

/* Variables of the host may name facts that the playbook does not. */
static bool variables_use_facts(const struct run *run, const struct play *play)
{
    const json_t *gather = play->root->keywords[KW_GATHER_FACTS];
    return !(gather && !expr_value_is_true(gather)) &&
           (value_names_fact(run->options->host_vars) || value_names_fact(run->options->extra_vars));
}

static struct err *gather_facts(struct run *run, const struct play *play)
{
    bool late = !play->uses_facts && variables_use_facts(run, play);
    if (run->facts_known || !(play->uses_facts || late))
        return NULL;
    struct entry *entry = ARENA_NEW(run->arena, struct entry);
    *entry = (struct entry){.kind = ENTRY_TASK,
                            .parent = play->root,
                            .file = play->root->file,
                            .line = play->root->line,
                            .column = play->root->column,
                            .module = modules_find(run->playbook->modules, "setup")};
    entry->args = json_keep(run->arena, json_object());
    entry->keywords[KW_NAME] = json_keep(run->arena, json_string("Gathering Facts"));
    if (!play->root->keywords[KW_TAGS])
        entry->keywords[KW_TAGS] = json_keep(run->arena, json_string("always"));
    struct entry_list list = {0};
    entry_list_add(run->arena, &list, entry);
    if (late)
        TRY(run_send_modules(run, &list));
    bool seeking = run->seeking;
    run->seeking = false;
    struct err *e = run_entries(run, &list, false);
    run->seeking = seeking;
    return e;
}

struct err *run_play(struct run *run, const struct play *play)
{
    run_enter_play(run, play);
    collect_handlers(run, play);
    TRY(gather_facts(run, play));
    TRY(run_vars_files(run));
    const struct entry_list *sections[] = {&play->pre_tasks, &play->tasks, &play->post_tasks};
    for (size_t i = 0; i < 3 && !run_over(run); i++) {
        TRY(run_entries(run, sections[i], false));
        TRY(run_flush_handlers(run));
    }
    TRY(run_settle_all(run));
    const json_t *force = play->root->keywords[KW_FORCE_HANDLERS];
    if (run->failed && force && expr_value_is_true(force)) {
        static const char reset[] = "RH_STOP='' RH_FAILED=''\n";
        session_send(&run->session, reset, sizeof(reset) - 1);
        run->failed = false;
        TRY(run_flush_handlers(run));
        run->failed = true;
    }
    run->ended = false;
    return NULL;
}

static struct err *check_prompts(const struct run *run, const struct play *play)
{
    size_t i;
    const json_t *prompt;
    json_array_foreach(play->root->keywords[KW_VARS_PROMPT], i, prompt)
    {
        const char *name = json_string_value(json_object_get(prompt, "name"));
        if (!json_object_get(prompt, "default") && !json_object_get(run->options->extra_vars, name))
            return err_with_hint(entry_error(play->root, "'vars_prompt' asks for '%s'", name),
                                 "nobody is asked during a run: give it with -e %s=...", name);
    }
    return NULL;
}

struct err *run_open(struct run *run, struct session_link *link)
{
    run->link = link;
    *run->result = (struct playbook_result){0};
    run->last = &run->first;
    session_init(&run->session, run->ctx, link);
    run->nonces = json_object();
    run->visits = json_object();
    TRY(run_init_vars(run));
    for (size_t i = 0; i < run->playbook->play_count; i++)
        TRY(check_prompts(run, run->playbook->plays[i]));
    run->seeking = run->options->start_at_task != NULL;
    if (run->seeking)
        TRY(playbook_check_start(run->playbook, run->options));
    CLEANUP_ARENA struct arena *scratch = arena_new(0);
    CLEANUP_STRBUF struct strbuf library;
    strbuf_init(&library, 0);
    TRY(compile_library(scratch, run->playbook, &library));
    if (link->becomes)
        TRY(session_become(&run->session, run->options->become_password));
    session_start(&run->session, library.data);
    if (link->local)
        run_enter_folder(run, &run->session);
    return session_flush(&run->session);
}

void run_free(struct run *run)
{
    while (run->first) { /* what was never answered */
        struct step *step = run->first;
        struct job *job = step->job;
        run->first = step->next;
        json_decref(step->frame.values);
        if (--job->in_flight == 0)
            job_free(job);
    }
    run_close_here(run);
    session_free(&run->session);
    json_decref(run->nonces);
    json_decref(run->visits);
    run_free_vars(run);
}

struct err *run_failure(const struct run *run)
{
    const struct task_event *failed = &run->result->failed;
    struct err *e =
        err_new(ERR_REMOTE, "task '%s' failed%s%s%s: %s", failed->task, failed->item ? " for '" : "",
                failed->item ? failed->item : "", failed->item ? "'" : "", failed->message);
    return err_with_hint(e, "%s:%d (module %s)", failed->file, failed->line, failed->module);
}

static struct err *run_plays(struct run *run)
{
    for (size_t i = 0; i < run->playbook->play_count && !run->failed; i++)
        TRY(run_play(run, run->playbook->plays[i]));
    return session_end(&run->session);
}

struct err *playbook_run(const struct ctx *ctx, const struct playbook *playbook, struct session_link *link,
                         struct arena *arena, const struct playbook_options *options,
                         struct playbook_result *result)
{
    struct run run = {.ctx = ctx, .arena = arena, .playbook = playbook, .options = options, .result = result};
    struct err *e = run_open(&run, link);
    if (!e)
        e = run_plays(&run);
    if (e)
        e = doubt_explain(&run, e);
    run_free(&run);
    if (!e && run.failed)
        e = run_failure(&run);
    return e;
}
