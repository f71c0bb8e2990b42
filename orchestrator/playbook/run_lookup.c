/* The table of lookups, those that read files, variables and commands, and the templates that others include.
 */
#include "playbook/run_lookup.h"
#include "base/decode.h"
#include "base/fs.h"
#include "base/proc.h"
#include "playbook/expr_tools.h"
#include "playbook/regex.h"
#include "playbook/words.h"
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LOOKUP_FILE_BYTES (4u << 20)
#define MAX_TEMPLATE_BYTES (1u << 20)
#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

struct lookup_place {
    struct run *run;
    struct job *job;
    const char *subdir; /* where first_found looks */
};

const char *lookup_option(const struct lookup *l, const char *name, const char *fallback)
{
    const json_t *value = json_object_get(l->options, name);
    return value && !json_is_null(value) ? expr_value_text(l->arena, value) : fallback;
}

bool lookup_flag(const struct lookup *l, const char *name, bool fallback)
{
    const json_t *value = json_object_get(l->options, name);
    bool flag;
    return value && value_as_flag(value, &flag) ? flag : fallback;
}

void lookup_put(const struct lookup *l, const char *text, size_t length)
{
    json_array_append_new(l->results, json_stringn(text, length));
}

static const char *term_text(const struct lookup *l, size_t i)
{
    return expr_value_text(l->arena, json_array_get(l->terms, i));
}

struct err *lookup_read(const struct lookup *l, const char *name, char **data, size_t *length)
{
    char *path = find_file(l->arena, l->run->playbook, l->job->entry, "files", name);
    if (!path)
        return err_new(ERR_NOT_FOUND, "there is no file '%s'", name);
    return fs_read_file(l->arena, path, MAX_LOOKUP_FILE_BYTES, data, length);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

static struct err *put_files(const struct lookup *l, bool strip_right, bool strip_left)
{
    for (size_t i = 0; i < json_array_size(l->terms); i++) {
        char *data;
        size_t length;
        TRY(lookup_read(l, term_text(l, i), &data, &length));
        while (length && strip_right && is_blank(data[length - 1]))
            length--;
        for (; length && strip_left && is_blank(*data); length--)
            data++;
        json_t *text = json_stringn(data, length);
        if (!text)
            return err_new(ERR_INPUT, "'%s' is not UTF-8 text", term_text(l, i));
        json_array_append_new(l->results, text);
    }
    return NULL;
}

/* file(rstrip=true, lstrip=false) */
static struct err *lookup_file(const struct lookup *l)
{
    return put_files(l, lookup_flag(l, "rstrip", true), lookup_flag(l, "lstrip", false));
}

static struct err *lookup_unvault(const struct lookup *l)
{
    return put_files(l, false, false);
}

/* What looks like a list or a map becomes one, as everywhere in Ansible, unless convert_data=false. */
static struct err *put_rendered(const struct lookup *l, const char *text, size_t length)
{
    if ((*text != '[' && *text != '{') || !lookup_flag(l, "convert_data", true)) {
        lookup_put(l, text, length);
        return NULL;
    }
    json_t *value, *vars = json_keep(l->arena, json_pack("{s:s%}", "rendered", text, length));
    struct expr_env env = *l->env;
    env.scope = scope_with(l->arena, NULL, vars, true);
    TRY(template_render(l->arena, &env, l->place, "{{ rendered }}", &value));
    json_array_append_new(l->results, value);
    return NULL;
}

/* template(template_vars={}, convert_data=true, variable_start_string..., comment_end_string) */
static struct err *lookup_template(const struct lookup *l)
{
    struct template_syntax syntax = template_default_syntax;
    syntax.start[0] = lookup_option(l, "variable_start_string", syntax.start[0]);
    syntax.end[0] = lookup_option(l, "variable_end_string", syntax.end[0]);
    syntax.start[2] = lookup_option(l, "comment_start_string", syntax.start[2]);
    syntax.end[2] = lookup_option(l, "comment_end_string", syntax.end[2]);
    for (size_t i = 0; i < json_array_size(l->terms); i++) {
        char *path = find_file(l->arena, l->run->playbook, l->job->entry, "templates", term_text(l, i)),
             *text;
        size_t length;
        if (!path)
            return err_new(ERR_NOT_FOUND, "there is no template '%s'", term_text(l, i));
        struct expr_env env = *l->env;
        env.scope = template_scope(l->job, env.scope, term_text(l, i), path, NULL);
        env.scope = scope_with(l->arena, env.scope, json_object_get(l->options, "template_vars"), false);
        TRY(template_render_file(l->arena, &env, &syntax, path, &text, &length));
        TRY(put_rendered(l, text, length));
    }
    return NULL;
}

/* Adds the files that match; *any tells whether there were some. */
static void glob_in(const struct lookup *l, const char *dir, const char *pattern, bool *any)
{
    glob_t names = {0};
    const char *in = strcmp(dir, "/") == 0 ? "" : dir;
    if (glob(arena_printf(l->arena, "%s/%s", in, pattern), GLOB_NOESCAPE, NULL, &names) == 0)
        for (size_t i = 0; i < names.gl_pathc; i++)
            if (fs_exists(names.gl_pathv[i]) && !fs_is_dir(names.gl_pathv[i])) {
                json_array_append_new(l->results, json_string(names.gl_pathv[i]));
                *any = true;
            }
    globfree(&names);
}

/* A pattern without a folder is looked for in each of the task's folders until some file matches. */
static void glob_here(const struct lookup *l, const char *pattern)
{
    const struct entry *entry = l->job->entry;
    const char *dirs[] = {entry->role ? entry->role->path : NULL,
                          entry->file ? fs_dirname(l->arena, entry->file) : NULL, l->run->playbook->dir};
    bool any = false;
    for (size_t i = 0; i < 3 && !any; i++) {
        if (dirs[i])
            glob_in(l, arena_printf(l->arena, "%s/files", dirs[i]), pattern, &any);
        if (dirs[i] && !any)
            glob_in(l, dirs[i], pattern, &any);
    }
}

static struct err *lookup_fileglob(const struct lookup *l)
{
    for (size_t i = 0; i < json_array_size(l->terms); i++) {
        const char *pattern = term_text(l, i), *slash = strrchr(pattern, '/');
        if (!slash) {
            glob_here(l, pattern);
            continue;
        }
        char *dir = arena_strndup(l->arena, pattern, (size_t)(slash - pattern) + (slash == pattern));
        char *found = find_file(l->arena, l->run->playbook, l->job->entry, "files", dir);
        bool any;
        if (found)
            glob_in(l, found, slash + 1, &any);
    }
    return NULL;
}

/* A value as a list of texts: a list, or text with commas, colons or semicolons, as first_found takes it. */
static json_t *texts_of(const json_t *value, const char *separators)
{
    json_t *list = json_array();
    if (json_is_array(value))
        json_array_extend(list, (json_t *)(uintptr_t)value);
    const char *text = json_string_value(value);
    while (text && *text) {
        size_t length = strcspn(text, separators);
        if (length)
            json_array_append_new(list, json_stringn(text, length));
        text += length + (text[length] != 0);
    }
    return list;
}

/* One name in the task's folders; *found stays NULL when it is not there. */
static void find_first(const struct lookup *l, const char *dir, const char *name, char **found)
{
    const char *path = dir && *name != '/' ? arena_printf(l->arena, "%s/%s", dir, name) : name;
    *found = find_file(l->arena, l->run->playbook, l->job->entry, l->subdir, path);
}

/* The files of one term, in each of its paths. */
static void find_among(const struct lookup *l, const json_t *files, const json_t *paths, char **found)
{
    json_auto_t *names = texts_of(files, ",;"), *dirs = texts_of(paths, ",:;");
    size_t i, k;
    const json_t *dir, *name;
    json_array_foreach(dirs, i, dir)
        json_array_foreach(names, k, name) if (json_is_string(name) && json_is_string(dir) && !*found)
            find_first(l, json_string_value(dir), json_string_value(name), found);
    if (json_array_size(dirs) == 0)
        json_array_foreach(names, k, name) if (json_is_string(name) && !*found)
            find_first(l, NULL, json_string_value(name), found);
}

static struct err *lookup_first_found(const struct lookup *l)
{
    char *found = NULL;
    size_t i;
    const json_t *term, *paths = json_object_get(l->options, "paths");
    bool skip = lookup_flag(l, "skip", false);
    find_among(l, json_object_get(l->options, "files"), paths, &found);
    json_array_foreach(l->terms, i, term)
    {
        const json_t *own = json_object_get(term, "skip");
        bool flag;
        skip = skip || (own && value_as_flag(own, &flag) && flag);
        if (json_is_object(term))
            find_among(l, json_object_get(term, "files"), json_object_get(term, "paths"), &found);
        else
            find_among(l, term, paths, &found);
    }
    if (found)
        json_array_append_new(l->results, json_string(found));
    return found || skip ? NULL : err_new(ERR_NOT_FOUND, "none of the files was found");
}

static bool is_name(const char *text)
{
    return *text && strspn(text, NAME_CHARACTERS) == strlen(text) && !(*text >= '0' && *text <= '9');
}

/* Takes names only: what is no name, a number or `a.b`, is no variable. */
static struct err *lookup_vars(const struct lookup *l)
{
    for (size_t i = 0; i < json_array_size(l->terms); i++) {
        json_t *value, *fallback = json_object_get(l->options, "default");
        const char *name = json_string_value(json_array_get(l->terms, i));
        if (!name)
            return err_new(ERR_INPUT, "'%s' is no name of a variable", term_text(l, i));
        struct err *e = is_name(name) ? expr_evaluate(l->arena, l->env, l->place, name, &value)
                                      : err_new(ERR_INPUT, "there is no variable '%s'", name);
        if (e && (!fallback || json_is_null(fallback)))
            return e;
        json_array_append_new(l->results, e ? json_incref(fallback) : value);
        err_free(e);
    }
    return NULL;
}

/* The names that match one of the expressions. */
static struct err *lookup_varnames(const struct lookup *l)
{
    for (size_t i = 0; i < json_array_size(l->terms); i++) {
        json_auto_t *seen = json_object();
        for (const struct expr_scope *scope = l->env->scope; scope; scope = scope->outer) {
            const char *name;
            json_t *value;
            json_object_foreach((json_t *)(uintptr_t)scope->vars, name, value)
            {
                bool found;
                TRY(regex_matches(term_text(l, i), (struct regex_flags){0}, name, strlen(name), &found));
                if (found && !json_object_get(seen, name)) {
                    json_object_set_new(seen, name, json_true());
                    json_array_append_new(l->results, json_string(name));
                }
            }
        }
    }
    return NULL;
}

static struct err *lookup_env(const struct lookup *l)
{
    for (size_t i = 0; i < json_array_size(l->terms); i++) {
        const char *value = getenv(term_text(l, i));
        json_t *text = json_string(value ? value : lookup_option(l, "default", ""));
        if (!text)
            return err_new(ERR_INPUT, "'%s' is not UTF-8 text", term_text(l, i));
        json_array_append_new(l->results, text);
    }
    return NULL;
}

/* A command of the control side, beside the playbook. */
static struct err *run_command(const struct lookup *l, const char *command, struct strbuf *out)
{
    CLEANUP_STRBUF struct strbuf said;
    strbuf_init(&said, 64u << 10);
    const char *argv[] = {"sh", "-c", "cd \"$1\" && eval \"$2\"", "sh", l->run->playbook->dir, command, NULL};
    struct proc_result result;
    TRY(proc_run(l->run->ctx, argv, NULL, 0, out, &said, &result));
    if (result.exit_status != 0)
        return err_new(ERR_INPUT, "'%.200s' ended with %d: %.500s", command, result.exit_status, said.data);
    return NULL;
}

static struct err *lookup_pipe(const struct lookup *l)
{
    for (size_t i = 0; i < json_array_size(l->terms); i++) {
        CLEANUP_STRBUF struct strbuf out;
        strbuf_init(&out, MAX_LOOKUP_FILE_BYTES);
        TRY(run_command(l, term_text(l, i), &out));
        while (out.length && is_blank(out.data[out.length - 1]))
            out.length--;
        lookup_put(l, out.data, out.length);
    }
    return NULL;
}

static struct err *lookup_lines(const struct lookup *l)
{
    for (size_t i = 0; i < json_array_size(l->terms); i++) {
        CLEANUP_STRBUF struct strbuf out;
        strbuf_init(&out, MAX_LOOKUP_FILE_BYTES);
        TRY(run_command(l, term_text(l, i), &out));
        for (const char *line = out.data; *line;) {
            size_t length = strcspn(line, "\n");
            lookup_put(l, line, length);
            line += length + (line[length] != 0);
        }
    }
    return NULL;
}

struct err *lookup_split_term(const struct lookup *l, const char *term, const char *const *keys,
                              const char **head, json_t *pairs)
{
    char **words;
    size_t count;
    CLEANUP_STRBUF struct strbuf first;
    strbuf_init(&first, 64u << 10);
    if (!strpbrk(term, " =")) { /* no pairs, no quotes */
        json_object_update(pairs, (json_t *)(uintptr_t)l->options);
        *head = term;
        return NULL;
    }
    TRY(words_split(l->arena, term, &words, &count));
    for (size_t i = 0; i < count; i++) {
        char *equals = strchr(words[i], '=');
        bool known = false;
        for (size_t k = 0; equals && keys[k] && !known; k++)
            known = strncmp(words[i], keys[k], (size_t)(equals - words[i])) == 0 &&
                    keys[k][equals - words[i]] == 0;
        if (known) {
            *equals = 0;
            json_object_set_new(pairs, words[i], json_string(equals + 1));
            continue;
        }
        if (i && equals && strspn(words[i], NAME_CHARACTERS) == (size_t)(equals - words[i]))
            return err_new(ERR_INPUT, "there is no option '%.*s'", (int)(equals - words[i]), words[i]);
        if (first.length)
            strbuf_addc(&first, ' ');
        strbuf_adds(&first, words[i]);
    }
    json_object_update(pairs, (json_t *)(uintptr_t)l->options);
    *head = strbuf_to_arena(&first, l->arena);
    return NULL;
}

static const struct {
    const char *name;
    struct err *(*apply)(const struct lookup *l);
} lookups[] = {{"file", lookup_file},
               {"unvault", lookup_unvault},
               {"template", lookup_template},
               {"env", lookup_env},
               {"vars", lookup_vars},
               {"varnames", lookup_varnames},
               {"fileglob", lookup_fileglob},
               {"first_found", lookup_first_found},
               {"pipe", lookup_pipe},
               {"lines", lookup_lines},
               {"password", lookup_password},
               {"ini", lookup_ini},
               {"csvfile", lookup_csvfile},
               {"items", lookup_items},
               {"list", lookup_list},
               {"dict", lookup_dict},
               {"flattened", lookup_flattened},
               {"indexed_items", lookup_indexed_items},
               {"nested", lookup_nested},
               {"cartesian", lookup_nested},
               {"together", lookup_together},
               {"sequence", lookup_sequence},
               {"subelements", lookup_subelements},
               {"random_choice", lookup_random_choice}};

static struct err *run_lookup(struct arena *arena, const struct expr_env *env, const struct expr_place *place,
                              const char *plugin, const json_t *terms, const json_t *options, json_t **result)
{
    const struct lookup_place *at = env->lookup_context;
    CLEANUP_JSON json_t *results = json_array();
    struct lookup l = {.arena = arena,
                       .env = env,
                       .place = place,
                       .run = at->run,
                       .job = at->job,
                       .subdir = at->subdir,
                       .terms = terms,
                       .options = options,
                       .results = results};
    for (size_t i = 0; i < sizeof(lookups) / sizeof(*lookups); i++)
        if (strcmp(lookups[i].name, plugin) == 0) {
            TRY(lookups[i].apply(&l));
            *result = TAKE(results);
            return NULL;
        }
    return lookup_unknown(plugin);
}

/* As Ansible: in the folders of the task, then beside the outermost template. */
static struct err *load_template(struct arena *arena, const struct expr_env *env,
                                 const struct expr_place *from, const char *name, char **text, size_t *length,
                                 const char **path)
{
    const struct lookup_place *at = env->lookup_context;
    char *found = find_file(arena, at->run->playbook, at->job->entry, "templates", name);
    if (!found) {
        found = fs_resolve(arena, fs_dirname(arena, from->file), name);
        if (!fs_exists(found))
            return err_new(ERR_NOT_FOUND, "there is no template '%s'", name);
    }
    *path = found;
    struct err *e = fs_read_file(arena, found, MAX_TEMPLATE_BYTES, text, length);
    return e && err_kind(e) == ERR_NOT_FOUND ? err_with_kind(e, ERR_INPUT) : e;
}

struct expr_env run_env(struct run *run, struct job *job, const struct expr_scope *scope)
{
    struct lookup_place *at = ARENA_NEW(job->arena, struct lookup_place);
    *at = (struct lookup_place){.run = run, .job = job, .subdir = "files"};
    return (struct expr_env){
        .scope = scope, .lookup = run_lookup, .load = load_template, .lookup_context = at};
}

struct err *lookup_for_loop(struct run *run, struct job *job, const char *plugin, const json_t *terms,
                            const json_t *options, json_t **items)
{
    const char *action = job->entry->module ? job->entry->module->name : "";
    struct expr_env env = run_env(run, job, job->scope);
    struct lookup_place *at = env.lookup_context;
    at->subdir = strstr(action, "template") ? "templates" : strstr(action, "var") ? "vars" : "files";
    struct expr_place place = {.file = job->entry->file, .line = job->entry->line};
    return run_lookup(job->arena, &env, &place, plugin, terms, options, items);
}
