/* Variables: which scope wins over which. Source: "Understanding variable precedence" of the Ansible
 * documentation. */
#include "base/decode.h"
#include "playbook/crew_team.h"
#include "playbook/run.h"
#include <stdlib.h>
#include <string.h>

static void set_magic(struct run *run, const char *name, json_t *value)
{
    json_object_set_new(run->magic, name, value);
}

struct err *run_init_vars(struct run *run)
{
    const char *host = run->options->host_name ? run->options->host_name : "host";
    char *dir = realpath(run->playbook->dir, NULL);
    run->magic = json_object();
    run->role_defaults = json_object();
    run->role_vars = json_object();
    run->roles_known = json_object();
    run->facts = json_object();
    run->included = json_object();
    run->registered = json_object();
    run->dirty = json_object();
    set_magic(run, "inventory_hostname", json_string(host));
    set_magic(run, "inventory_hostname_short", json_stringn(host, strcspn(host, ".")));
    set_magic(run, "ansible_host", json_string(host));
    set_magic(run, "playbook_dir", json_string(dir ? dir : run->playbook->dir));
    set_magic(run, "ansible_check_mode", json_boolean(run->options->check));
    set_magic(run, "ansible_diff_mode", json_boolean(run->options->diff));
    set_magic(run, "ansible_managed", json_string("Ansible managed"));
    set_magic(run, "ansible_run_tags", tags_of_list(run->options->tags, "all"));
    set_magic(run, "ansible_skip_tags", tags_of_list(run->options->skip_tags, NULL));
    set_magic(run, "ansible_verbosity", json_integer(0));
    const json_t *group_names = run->crew ? run->crew->hosts[run->host].group_names : NULL;
    const json_t *groups = run->crew ? run->crew->groups : NULL;
    set_magic(run, "group_names",
              group_names ? json_incref((json_t *)(uintptr_t)group_names) : json_pack("[s]", "ungrouped"));
    set_magic(run, "groups",
              groups ? json_incref((json_t *)(uintptr_t)groups)
                     : json_pack("{s:[s], s:[s]}", "all", host, "ungrouped", host));
    set_magic(run, "ansible_play_hosts", json_pack("[s]", host));
    set_magic(run, "ansible_play_hosts_all", json_pack("[s]", host));
    set_magic(run, "ansible_play_batch", json_pack("[s]", host));
    set_magic(run, "play_hosts", json_pack("[s]", host));
    set_magic(run, "ansible_version",
              json_pack("{s:s, s:i, s:i, s:i}", "full", "2.14.0", "major", 2, "minor", 14, "revision", 0));
    json_t *seen = run->options->host_vars ? json_deep_copy(run->options->host_vars) : json_object();
    set_magic(run, "hostvars", json_pack("{s:o}", host, seen));
    free(dir);
    return NULL;
}

void run_free_vars(struct run *run)
{
    json_decref(run->magic);
    json_decref(run->role_defaults);
    json_decref(run->role_vars);
    json_decref(run->roles_known);
    json_decref(run->facts);
    json_decref(run->included);
    json_decref(run->registered);
    json_decref(run->dirty);
}

void run_show_role(struct run *run, const struct role *role)
{
    json_object_update(run->role_defaults, role->defaults);
    json_object_update(run->role_vars, role->vars);
}

static void add_name(json_t *names, const char *name)
{
    size_t i;
    const json_t *one;
    json_array_foreach(names, i, one) if (strcmp(json_string_value(one), name) == 0) return;
    json_array_append_new(names, json_string(name));
}

/* The hosts that take part, by name. */
static void name_team(struct run *run)
{
    const struct team *team = run->member->team;
    CLEANUP_JSON json_t *batch = json_array();
    for (size_t i = 0; i < team->count; i++)
        json_array_append_new(batch, json_string(run->crew->hosts[team->members[i].host].name));
    set_magic(run, "ansible_play_batch", json_incref(batch));
    set_magic(run, "play_hosts", json_incref(batch));
    set_magic(run, "ansible_play_hosts", json_incref(team->play_hosts));
    set_magic(run, "ansible_play_hosts_all", json_incref(team->play_hosts));
}

/* Files are looked for beside the playbook that the play stands in. */
static void enter_dir(struct run *run, const char *dir)
{
    char *path = realpath(dir, NULL);
    set_magic(run, "playbook_dir", json_string(path ? path : dir));
    free(path);
    if (strcmp(run->playbook->dir, dir) == 0)
        return;
    struct playbook *playbook = ARENA_NEW(run->arena, struct playbook);
    *playbook = *run->playbook;
    playbook->dir = dir;
    run->playbook = playbook;
}

static struct err *add_first_found(struct run *run, struct job *job, const json_t *names)
{
    size_t i;
    const json_t *name;
    CLEANUP_JSON json_t *one = json_is_array(names) ? NULL : json_pack("[O]", names);
    json_array_foreach(one ? one : names, i, name)
    {
        const char *text = json_string_value(name);
        char *path = text ? find_file(run->arena, run->playbook, job->entry, "vars", text) : NULL;
        if (!path)
            continue;
        json_t *vars;
        TRY(load_vars_file(run->arena, path, &vars));
        json_object_update(run->play_vars, vars);
        return NULL;
    }
    return entry_error(job->entry, "there is no file of 'vars_files': %s",
                       expr_value_text(job->arena, names));
}

static struct err *add_vars_file(struct run *run, const json_t *written)
{
    struct job *job = job_new(run, run->play->root, false);
    struct expr_env env = run_env(run, job, job->scope);
    struct expr_place place = entry_place(run->play->root, KW_VARS_FILES);
    CLEANUP_JSON json_t *names = NULL;
    struct err *e = template_render_json(job->arena, &env, &place, written, &names);
    if (!e)
        e = add_first_found(run, job, names);
    job_free(job);
    return e;
}

struct err *run_vars_files(struct run *run)
{
    size_t i;
    const json_t *written;
    if (!run->play->vars_files)
        return NULL;
    TRY(run_settle_all(run)); /* the names may hold facts */
    if (run_over(run))
        return NULL;
    run->play_vars = json_keep(run->arena, json_copy(run->play->vars));
    json_array_foreach(run->play->vars_files, i, written)
    {
        struct err *e = add_vars_file(run, written);
        if (!e)
            continue;
        struct entry *entry = ARENA_NEW(run->arena, struct entry);
        *entry = *run->play->root;
        entry->kind = ENTRY_TASK;
        entry->module = modules_find(run->playbook->modules, "include_vars");
        entry->keywords[KW_NAME] = json_keep(run->arena, json_string("vars_files"));
        return run_fail_here(run, entry, e);
    }
    return NULL;
}

void run_enter_play(struct run *run, const struct play *play)
{
    if (run->member)
        name_team(run);
    run->play = play;
    run->play_vars = play->vars;
    enter_dir(run, play->dir);
    json_object_clear(run->role_defaults);
    json_object_clear(run->role_vars);
    json_t *names = json_array(), *needed = json_array(), *all = json_array();
    for (size_t i = 0; i < play->role_count; i++) {
        const struct role *role = play->roles[i];
        if (role->visible)
            run_show_role(run, role);
        for (size_t k = 0; k < role->need_count; k++)
            add_name(needed, role->needs[k]->name);
        if (role->visible)
            add_name(names, role->name);
        if (role->visible)
            add_name(all, role->name);
    }
    size_t i;
    const json_t *one;
    json_array_foreach(needed, i, one) add_name(all, json_string_value(one));
    set_magic(run, "ansible_play_role_names", json_incref(names));
    set_magic(run, "role_names", names);
    set_magic(run, "ansible_dependent_role_names", needed);
    set_magic(run, "ansible_role_names", all);
    json_t *title = play->root->keywords[KW_NAME];
    json_t *hosts = play->root->keywords[KW_HOSTS];
    if (!json_is_string(title))
        title = hosts;
    json_t *named =
        title ? json_pack("{s:O}", "ansible_play_name", title) : json_pack("{s:s}", "ansible_play_name", "");
    run->play_named = json_keep(run->arena, named);
}

void run_set_facts(struct run *run, json_t *values)
{
    const char *key;
    json_t *value;
    json_t *known = json_object_get(run->facts, "ansible_facts");
    if (!known) {
        known = json_object();
        json_object_set_new(run->facts, "ansible_facts", known);
    }
    json_object_foreach(values, key, value)
    {
        char name[300];
        if (strcmp(key, "changed") == 0 || strcmp(key, "failed") == 0 ||
            snprintf(name, sizeof(name), "ansible_%s", key) >= (int)sizeof(name))
            continue;
        json_object_set(known, key, value);
        json_object_set(run->facts, name, value);
    }
    json_decref(values);
    run->facts_known = true;
}

void run_add_facts(struct run *run, const json_t *facts)
{
    const char *key;
    json_t *value;
    json_t *known = json_object_get(run->facts, "ansible_facts");
    if (!known) {
        known = json_object();
        json_object_set_new(run->facts, "ansible_facts", known);
    }
    json_object_foreach((json_t *)(uintptr_t)facts, key, value)
    {
        json_object_set(known, key, value);
        json_object_set(run->facts, key, value);
    }
}

void run_mark_facts(struct run *run, const struct entry *entry, void (*mark)(struct run *, const char *))
{
    static const char prefix[] = "ansible_facts.";
    const char *at = entry->module->shell ? entry->module->returns : "";
    bool any = false;
    for (; *at; at += strspn(at, " ")) {
        size_t length = strcspn(at, " ");
        if (strncmp(at, prefix, sizeof(prefix) - 1) == 0) {
            char name[128];
            (void)snprintf(name, sizeof(name), "%.*s", (int)(length - (sizeof(prefix) - 1)),
                           at + sizeof(prefix) - 1);
            mark(run, name);
            any = true;
        }
        at += length;
    }
    if (any)
        mark(run, "ansible_facts");
}

const struct expr_scope *scope_with(struct arena *arena, const struct expr_scope *outer, const json_t *vars,
                                    bool literal)
{
    if (!vars || !json_object_size(vars))
        return outer;
    struct expr_scope *scope = ARENA_NEW(arena, struct expr_scope);
    *scope = (struct expr_scope){.outer = outer, .vars = vars, .literal = literal};
    return scope;
}

/* vars of blocks and tasks, from the outermost inwards. */
static const struct expr_scope *chain(struct arena *arena, const struct expr_scope *scope,
                                      const struct entry *entry)
{
    if (!entry)
        return scope;
    scope = chain(arena, scope, entry->parent);
    return scope_with(arena, scope, entry->keywords[KW_VARS], false);
}

static bool is_dynamic(const struct entry *entry)
{
    return entry->module &&
           (entry->module->action == ACTION_INCLUDE_TASKS || entry->module->action == ACTION_INCLUDE_ROLE);
}

/* What roles and includes were given: stronger than facts and results. */
static const struct expr_scope *params(struct run *run, struct arena *arena, const struct expr_scope *scope,
                                       const struct entry *entry, bool own)
{
    if (!entry)
        return scope;
    scope = params(run, arena, scope, entry->parent, false);
    scope = scope_with(arena, scope, entry->params, false);
    if (!is_dynamic(entry))
        return scope;
    scope = scope_with(arena, scope, entry->keywords[KW_VARS], false);
    const struct include_frame *frame = own ? NULL : run->frames;
    while (frame && frame->entry != entry)
        frame = frame->outer;
    return scope_with(arena, scope, frame ? frame->vars : NULL, true);
}

/* defaults or vars of the roles that the entry is in, from the outermost inwards. */
static const struct expr_scope *roles(struct arena *arena, const struct expr_scope *scope,
                                      const struct entry *entry, bool defaults)
{
    const struct role *role = entry->role;
    while (entry && entry->role == role)
        entry = entry->parent;
    if (entry)
        scope = roles(arena, scope, entry, defaults);
    return role ? scope_with(arena, scope, defaults ? role->defaults : role->vars, false) : scope;
}

static json_t *role_magic(const struct entry *entry)
{
    const struct role *role = entry->role;
    json_t *names = json_array(), *paths = json_array();
    for (; entry; entry = entry->parent)
        if (entry->role && entry->module &&
            (entry->module->action == ACTION_INCLUDE_ROLE || entry->module->action == ACTION_IMPORT_ROLE)) {
            json_array_append_new(names, json_string(entry->role->name));
            json_array_append_new(paths, json_string(entry->role->path));
        }
    json_t *magic = json_pack("{s:s, s:s, s:s}", "role_name", role->name, "ansible_role_name", role->name,
                              "role_path", role->path);
    if (json_array_size(names)) {
        json_object_set(magic, "ansible_parent_role_names", names);
        json_object_set(magic, "ansible_parent_role_paths", paths);
    }
    json_decref(names);
    json_decref(paths);
    return magic;
}

const struct expr_scope *run_scope(struct run *run, struct arena *arena, const struct entry *entry)
{
    const struct role *role = entry->role;
    const struct expr_scope *s = scope_with(arena, NULL, run->magic, true);
    s = scope_with(arena, s, run->play_named, false);
    s = scope_with(arena, s, run->role_defaults, false);
    s = roles(arena, s, entry, true);
    s = scope_with(arena, s, run->options->host_vars, false);
    /* Facts and results are always there, even when still empty: a step in flight may fill them. */
    struct expr_scope *facts = ARENA_NEW(arena, struct expr_scope);
    *facts = (struct expr_scope){.outer = s, .vars = run->facts, .literal = true};
    s = facts;
    s = scope_with(arena, s, run->play_vars, false);
    s = scope_with(arena, s, run->role_vars, false);
    s = roles(arena, s, entry, false);
    s = chain(arena, s, entry);
    s = scope_with(arena, s, run->included, false);
    struct expr_scope *registered = ARENA_NEW(arena, struct expr_scope);
    *registered = (struct expr_scope){.outer = s, .vars = run->registered, .literal = true};
    s = params(run, arena, registered, entry, true);
    if (role)
        s = scope_with(arena, s, json_keep(arena, role_magic(entry)), true);
    return scope_with(arena, s, run->options->extra_vars, false);
}
