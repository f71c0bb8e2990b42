/* Includes: files of tasks and roles that join the run when their turn comes. */
#include "base/decode.h"
#include "playbook/run.h"
#include <string.h>

#define MAX_INCLUDE_DEPTH 100

static const char *text_of(const json_t *args, const char *name)
{
    return json_string_value(json_object_get(args, name));
}

/* The loader for what is only known in the run. Loaded playbooks are read-only: so it works on a copy. */
static struct loader loader_of(struct run *run)
{
    struct playbook *playbook = ARENA_NEW(run->arena, struct playbook);
    struct play *play = ARENA_NEW(run->arena, struct play);
    *playbook = *run->playbook;
    *play = *run->play;
    play->role_capacity = play->role_count;
    return (struct loader){.playbook = playbook, .arena = run->arena, .play = play};
}

static struct err *load_included_role(struct run *run, const struct entry *entry, const json_t *args,
                                      struct entry_list *list)
{
    struct loader loader = loader_of(run);
    bool again = true;
    const json_t *repeats = json_object_get(args, "allow_duplicates");
    if (repeats && !value_as_flag(repeats, &again))
        return entry_error(entry, "'allow_duplicates' must be yes or no");
    struct role_request request = {.name = text_of(args, "name"),
                                   .tasks_from = text_of(args, "tasks_from"),
                                   .vars_from = text_of(args, "vars_from"),
                                   .defaults_from = text_of(args, "defaults_from"),
                                   .handlers_from = text_of(args, "handlers_from"),
                                   .include = true,
                                   .once = !again};
    TRY(load_role(&loader, &request, entry, entry->apply ? entry->apply : entry, NULL, list));
    run->play = loader.play;
    return NULL;
}

static struct err *find_included(struct run *run, struct job *job, const struct expr_scope *scope,
                                 bool handlers, struct entry_list *list)
{
    const struct entry *entry = job->entry;
    if (entry->block.count) {
        *list = entry->block;
        return NULL;
    }
    struct expr_env env = run_env(run, job, scope);
    struct expr_place place = {.file = entry->file, .line = entry->line};
    CLEANUP_JSON json_t *args = NULL;
    TRY(template_render_json(run->arena, &env, &place, entry->args, &args));
    bool role = entry->module->action == ACTION_INCLUDE_ROLE;
    const char *name = text_of(args, role ? "name" : "file");
    if (!name)
        return entry_error(entry, "'%s' needs a name", entry->module->name);
    if (role)
        return load_included_role(run, entry, args, list);
    char *path = find_file(run->arena, run->playbook, entry, "tasks", name);
    if (!path)
        return entry_error(entry, "there is no file '%s' to include", name);
    struct loader loader = loader_of(run);
    TRY(parse_task_file(&loader, path, entry->apply ? entry->apply : entry, entry->role,
                        handlers ? PLACE_HANDLER : PLACE_TASK, list));
    run->play = loader.play;
    return NULL;
}

/* Modules that nobody named before: the library grows. */
struct err *run_send_modules(struct run *run, const struct entry_list *list)
{
    CLEANUP_ARENA struct arena *scratch = arena_new(0);
    struct play play = {.root = run->play->root, .tasks = *list};
    struct play *plays[] = {&play};
    struct playbook part = *run->playbook;
    part.plays = plays;
    part.play_count = 1;
    CLEANUP_STRBUF struct strbuf text;
    strbuf_init(&text, 0);
    TRY(compile_library(scratch, &part, &text));
    run_learn(run, text.data);
    return NULL;
}

/* Handlers of an included role join the play when it is included, and its variables with `public`. */
static struct err *meet_role(struct run *run, struct job *job, const struct expr_scope *scope,
                             const struct entry_list *list)
{
    const json_t *written = json_object_get(job->entry->args, "public");
    const struct role *role = list->count ? list->items[list->count - 1]->role : NULL;
    bool shown = false;
    if (!role)
        return NULL;
    if (written) {
        struct expr_env env = run_env(run, job, scope);
        struct expr_place place = {.file = job->entry->file, .line = job->entry->line};
        CLEANUP_JSON json_t *value = NULL;
        TRY(template_render_json(job->arena, &env, &place, written, &value));
        if (!value_as_flag(value, &shown))
            return entry_error(job->entry, "'public' must be yes or no");
    }
    if (shown)
        run_show_role(run, role);
    for (size_t i = 0; i < role->need_count; i++)
        if (!json_object_get(run->roles_known, role->needs[i]->key)) {
            json_object_set_new(run->roles_known, role->needs[i]->key, json_true());
            run_collect_handlers(run, &role->needs[i]->handlers);
        }
    if (!json_object_get(run->roles_known, role->key)) {
        json_object_set_new(run->roles_known, role->key, json_true());
        run_collect_handlers(run, &role->handlers);
    }
    return NULL;
}

static struct err *run_included(struct run *run, struct job *job, const json_t *loop_vars, bool handlers)
{
    const struct expr_scope *scope = scope_with(job->arena, job->scope, loop_vars, true);
    bool hold;
    TRY(when_holds(run, job, scope, &hold));
    if (!hold) {
        run->result->counts[TASK_SKIPPED]++;
        return NULL;
    }
    if (run->depth >= MAX_INCLUDE_DEPTH)
        return entry_error(job->entry, "includes are nested more than %d deep", MAX_INCLUDE_DEPTH);
    struct entry_list list = {0};
    TRY(find_included(run, job, scope, handlers, &list));
    if (!job->entry->block.count)
        TRY(run_send_modules(run, &list));
    if (job->entry->module->action == ACTION_INCLUDE_ROLE)
        TRY(meet_role(run, job, scope, &list));
    else
        run->result->counts[TASK_OK]++; /* Ansible counts a file of tasks, but not a role */
    struct include_frame frame = {
        .outer = run->frames,
        .entry = job->entry,
        .vars = loop_vars ? json_keep(run->arena, json_copy((json_t *)(uintptr_t)loop_vars)) : NULL};
    run->frames = &frame;
    run->depth++;
    struct err *e = run_entries(run, &list, handlers);
    run->depth--;
    run->frames = frame.outer;
    return e;
}

static struct err *include_items(struct run *run, struct job *job, bool handlers)
{
    CLEANUP_JSON json_t *items = NULL;
    bool dynamic = job->entry->module->action == ACTION_INCLUDE_TASKS ||
                   job->entry->module->action == ACTION_INCLUDE_ROLE;
    if (!dynamic)
        return run_entries(run, &job->entry->block, handlers); /* its conditions are the tasks' own */
    TRY(run_wait_for_names(run, job));
    if (run_over(run))
        return NULL;
    TRY(loop_items(run, job, &items));
    if (!items)
        return run_included(run, job, NULL, handlers);
    for (size_t i = 0; i < json_array_size(items) && !run_over(run); i++) {
        json_t *vars;
        const char *label;
        TRY(loop_variables(run, job, items, i, &vars, &label));
        TRY(run_included(run, job, vars, handlers));
    }
    return NULL;
}

struct err *run_include(struct run *run, const struct entry *entry, bool handlers)
{
    struct job *job = job_new(run, entry, handlers);
    struct err *e = include_items(run, job, handlers);
    job_free(job);
    return e ? run_fail_here(run, entry, e) : NULL;
}
