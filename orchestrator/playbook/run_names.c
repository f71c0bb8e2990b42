/* Which results of earlier tasks a task needs before it can be rendered. Too many names cost a round trip,
 * one too few would be a wrong result: so whatever cannot be told by names (lookups, includes) waits for
 * everything. */
#include "base/fs.h"
#include "playbook/crew_team.h"
#include "playbook/run.h"
#include <string.h>

#define MAX_TEMPLATE_BYTES (4u << 20)

struct search {
    struct run *run;
    struct job *job;
    bool everything;
    bool found;  /* a dirty name */
    bool others; /* what only other hosts know */
};

void run_mark_dirty(struct run *run, const char *name)
{
    json_int_t count = json_integer_value(json_object_get(run->dirty, name));
    json_object_set_new(run->dirty, name, json_integer(count + 1));
}

void run_mark_clean(struct run *run, const char *name)
{
    json_int_t count = json_integer_value(json_object_get(run->dirty, name));
    if (count > 1)
        json_object_set_new(run->dirty, name, json_integer(count - 1));
    else
        json_object_del(run->dirty, name);
}

/* Facts arrive under names of their own; a name that stands in another scope is none of them. */
static bool is_pending_fact(const struct search *search, const char *name)
{
    if (!search->run->facts_pending || strncmp(name, "ansible_", 8) != 0)
        return false;
    return !json_object_get(search->run->magic, name);
}

static bool holds_lookup(const json_t *value)
{
    const char *text = json_string_value(value);
    size_t i;
    const char *key;
    json_t *child;
    if (text)
        return strstr(text, "lookup") || strstr(text, "query") || strstr(text, "q(");
    json_array_foreach(value, i, child) if (holds_lookup(child)) return true;
    json_object_foreach((json_t *)(uintptr_t)value, key, child) if (holds_lookup(child)) return true;
    return false;
}

static void look_at(struct search *search, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (json_object_get(search->run->dirty, names[i]) || is_pending_fact(search, names[i]))
            search->found = true;
        for (const struct expr_scope *s = search->job->scope; s;
             s = s->outer) /* a variable may look up what names others */
            if (!s->literal && s->vars && holds_lookup(json_object_get(s->vars, names[i])))
                search->everything = true;
        if (strcmp(names[i], "hostvars") == 0 || strcmp(names[i], "vars") == 0 ||
            strcmp(names[i], TEMPLATE_OTHER_FILES) == 0 || strcmp(names[i], "lookup") == 0 ||
            strcmp(names[i], "query") == 0 || strcmp(names[i], "q") == 0)
            search->everything = true;
        if (strcmp(names[i], "hostvars") == 0)
            search->others = true;
    }
}

static struct err *search_value(struct search *search, const struct expr_place *place, const json_t *value)
{
    if (!value || search->found)
        return NULL;
    const char **names;
    size_t count;
    TRY(template_names_json(search->job->arena, search->job->scope, place, value, &names, &count));
    look_at(search, names, count);
    search->everything = search->everything || holds_lookup(value);
    return NULL;
}

/* Conditions are bare expressions. */
static struct err *search_conditions(struct search *search, const struct expr_place *place,
                                     const json_t *value)
{
    size_t i;
    const json_t *one;
    if (!value || search->found)
        return NULL;
    json_array_foreach(value, i, one) TRY(search_conditions(search, place, one));
    if (!json_is_string(value))
        return NULL;
    const char **names;
    size_t count;
    TRY(expr_names(search->job->arena, search->job->scope, place, json_string_value(value), &names, &count));
    look_at(search, names, count);
    search->everything = search->everything || holds_lookup(value);
    return NULL;
}

static struct err *search_template_file(struct search *search, const struct expr_place *place)
{
    const struct entry *entry = search->job->entry;
    const char *src = json_string_value(json_object_get(entry->args, "src"));
    if (!src || search->found)
        return NULL;
    char *path = template_is_template(src)
                     ? NULL
                     : find_file(search->job->arena, search->run->playbook, entry, "templates", src);
    if (!path) { /* its name is only known later: take all templates to need everything */
        search->everything = true;
        return NULL;
    }
    char *text;
    size_t length, count;
    const char **names;
    struct err *e = fs_read_file(search->job->arena, path, MAX_TEMPLATE_BYTES, &text, &length);
    if (!e)
        e = template_names(search->job->arena, search->job->scope, place, text, &names, &count);
    if (e) { /* rendering will tell better what is wrong */
        err_free(e);
        search->everything = true;
        return NULL;
    }
    look_at(search, names, count);
    return NULL;
}

static struct err *search_entry(struct search *search)
{
    static const enum keyword values[] = {
        KW_LOOP,
        KW_WITH_ITEMS,
        KW_WITH_LIST,
        KW_WITH_DICT,
        KW_WITH_FIRST_FOUND,
        KW_WITH_FILEGLOB,
        KW_WITH_TOGETHER,
        KW_WITH_NESTED,
        KW_WITH_CARTESIAN,
        KW_WITH_SEQUENCE,
        KW_WITH_SUBELEMENTS,
        KW_WITH_RANDOM_CHOICE,
        KW_WITH_INDEXED_ITEMS,
        KW_WITH_FLATTENED,
        KW_WITH_FILE,
        KW_WITH_LINES,
        KW_WITH_ENV,
        KW_LOOP_CONTROL,
        KW_ENVIRONMENT,
        KW_BECOME,
        KW_BECOME_USER,
        KW_CHECK_MODE,
        KW_NO_LOG,
        KW_IGNORE_ERRORS,
        KW_RETRIES,
        KW_DELAY,
        KW_DIFF,
    };
    const struct entry *entry = search->job->entry;
    for (const struct entry *e = entry; e; e = e->parent) {
        struct expr_place place = entry_place(e, KW_WHEN);
        TRY(search_conditions(search, &place, e->keywords[KW_WHEN]));
        for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
            if (e == entry || values[i] > KW_VARS)
                TRY(search_value(search, &place, e->keywords[values[i]]));
    }
    struct expr_place place = {.file = entry->file, .line = entry->line};
    TRY(search_value(search, &place, entry->args));
    if (entry->text) {
        json_t *text = json_keep(search->job->arena, json_string(entry->text));
        TRY(search_value(search, &place, text));
    }
    if (entry->module && entry->module->action == ACTION_ASSERT)
        TRY(search_conditions(search, &place, json_object_get(entry->args, "that")));
    if (entry->module && entry->module->action == ACTION_DEBUG)
        TRY(search_conditions(search, &place, json_object_get(entry->args, "var")));
    if (entry->module && entry->module->action == ACTION_TEMPLATE)
        TRY(search_template_file(search, &place));
    return NULL;
}

struct err *run_wait_for_names(struct run *run, struct job *job)
{
    bool others = run->member && run->names_hostvars;
    while (others || (run->first && (json_object_size(run->dirty) || run->facts_pending))) {
        struct search search = {.run = run, .job = job};
        TRY(search_entry(&search));
        if (others && (search.others || search.everything))
            return team_meet(run);
        if (search.everything)
            return run_settle_all(run);
        if (!search.found)
            return NULL;
        TRY(run_settle_one(run));
        if (run->failed)
            return NULL;
    }
    return NULL;
}
