/* include_vars: variables from a file, or from the files of a folder. Source: "include_vars" of the Ansible
 * 2.14 documentation; doubtful cases were settled by running ansible-core 2.14. */
#include "base/decode.h"
#include "base/fs.h"
#include "playbook/regex.h"
#include "playbook/run.h"
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FOLDER_DEPTH 32
#define MAX_FILES 1000

struct gathering {
    struct run *run;
    struct job *job;
    const json_t *args;
    json_t *vars, *files;
    int64_t depth; /* 0: all */
};

static struct err *add_file(struct gathering *g, const char *path)
{
    json_t *vars;
    if (json_array_size(g->files) >= MAX_FILES)
        return entry_error(g->job->entry, "'include_vars' reads at most %d files", MAX_FILES);
    TRY(load_vars_file(g->run->arena, path, &vars));
    json_object_update(g->vars, vars);
    json_array_append_new(g->files, json_string(path));
    return NULL;
}

static struct err *matches(const char *pattern, const char *name, bool *found)
{
    return regex_matches(pattern, (struct regex_flags){0}, name, strlen(name), found);
}

static bool in_list(const json_t *list, const char *word)
{
    size_t i;
    const json_t *one;
    if (json_is_string(list)) {
        CLEANUP_JSON json_t *words = tags_of_list(json_string_value(list), NULL);
        return in_list(words, word);
    }
    json_array_foreach(list, i,
                       one) if (json_is_string(one) && strcmp(json_string_value(one), word) == 0) return true;
    return false;
}

static bool has_extension(const struct gathering *g, const char *name)
{
    const json_t *extensions = json_object_get(g->args, "extensions");
    const char *dot = strrchr(name, '.');
    dot = dot && dot != name ? dot + 1 : "";
    if (extensions)
        return in_list(extensions, dot);
    return strcmp(dot, "yaml") == 0 || strcmp(dot, "yml") == 0 || strcmp(dot, "json") == 0;
}

/* Whether a file of the folder counts; one with another extension is an error unless it may be ignored. */
static struct err *is_wanted(const struct gathering *g, const char *path, const char *name, bool *wanted)
{
    const struct role *role = g->job->entry->role;
    const char *pattern = json_string_value(json_object_get(g->args, "files_matching"));
    const json_t *ignored = json_object_get(g->args, "ignore_files");
    CLEANUP_JSON json_t *list = json_is_array(ignored)    ? json_incref((json_t *)(uintptr_t)ignored)
                                : json_is_string(ignored) ? tags_of_list(json_string_value(ignored), NULL)
                                                          : json_array();
    size_t i;
    const json_t *one;
    *wanted = !role || strcmp(path, arena_printf(g->job->arena, "%s/vars/main.yml", role->path)) != 0;
    if (*wanted && pattern)
        TRY(matches(pattern, name, wanted));
    json_array_foreach(list, i, one)
    {
        bool ignore = false;
        if (*wanted)
            TRY(matches(arena_printf(g->job->arena, "%s$", expr_value_text(g->job->arena, one)), name,
                        &ignore));
        *wanted = *wanted && !ignore;
    }
    if (!*wanted || has_extension(g, name))
        return NULL;
    bool lenient = false;
    const json_t *flag = json_object_get(g->args, "ignore_unknown_extensions");
    *wanted = false;
    if (flag && value_as_flag(flag, &lenient) && lenient)
        return NULL;
    return entry_error(g->job->entry, "'%s' does not have a valid extension", path);
}

static int is_no_dot(const struct dirent *item)
{
    return strcmp(item->d_name, ".") != 0 && strcmp(item->d_name, "..") != 0;
}

/* The files of a folder come before its folders, both by name. */
static struct err *add_folder(struct gathering *g, const char *path, int level)
{
    struct dirent **items = NULL;
    int count = level < MAX_FOLDER_DEPTH ? scandir(path, &items, is_no_dot, alphasort) : 0;
    struct err *e = NULL;
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < count && !e; i++) {
            const char *child = arena_printf(g->run->arena, "%s/%s", path, items[i]->d_name);
            bool folder = fs_is_dir(child), wanted = false;
            if (folder && pass == 1 && (!g->depth || level + 1 < g->depth))
                e = add_folder(g, child, level + 1);
            if (!folder && pass == 0)
                e = is_wanted(g, child, items[i]->d_name, &wanted);
            if (!e && wanted)
                e = add_file(g, child);
        }
    for (int i = 0; i < count; i++)
        free(items[i]);
    free(items);
    return e;
}

static struct err *gather_folder(struct gathering *g, const char *dir)
{
    const struct entry *entry = g->job->entry;
    struct arena *arena = g->job->arena;
    const char *base = entry->role ? entry->role->path : fs_dirname(arena, entry->file);
    bool in_vars = strncmp(dir, "vars", 4) == 0 && (dir[4] == '/' || !dir[4]);
    const char *path =
        fs_resolve(arena, entry->role && !in_vars ? arena_printf(arena, "%s/vars", base) : base, dir);
    const json_t *depth = json_object_get(g->args, "depth");
    char *end = NULL;
    if (depth)
        g->depth = strtoll(expr_value_text(arena, depth), &end, 10);
    if (end && (*end || g->depth < 0))
        return entry_error(entry, "'depth' must be a whole number");
    if (!fs_is_dir(path))
        return entry_error(entry, "'%s' is not a folder", path);
    return add_folder(g, path, 0);
}

struct err *action_include_vars(struct run *run, struct job *job, const json_t *args, json_t **values)
{
    CLEANUP_JSON json_t *vars = json_object(), *files = json_array();
    struct gathering g = {.run = run, .job = job, .args = args, .vars = vars, .files = files};
    const json_t *dir = json_object_get(args, "dir"), *file = json_object_get(args, "file");
    if (!dir == !file)
        return entry_error(job->entry, "'include_vars' needs a file or 'dir'");
    if (dir) {
        TRY(gather_folder(&g, expr_value_text(job->arena, dir)));
    } else {
        const char *name = expr_value_text(job->arena, file);
        char *path = find_file(run->arena, run->playbook, job->entry, "vars", name);
        if (!path)
            return entry_error(job->entry, "there is no file '%s'", name);
        TRY(add_file(&g, path));
    }
    const json_t *into = json_object_get(args, "name");
    CLEANUP_JSON json_t *facts =
        into ? json_pack("{s:O}", expr_value_text(job->arena, into), vars) : json_incref(vars);
    json_object_update(run->included, facts);
    *values = json_pack("{s:b, s:O, s:O}", "changed", 0, "ansible_included_var_files", files, "ansible_facts",
                        facts);
    return NULL;
}
