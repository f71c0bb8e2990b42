/* Lookups: what `lookup('plugin', ...)` reads on the control side, and the templates that others include. */
#include "base/decode.h"
#include "base/fs.h"
#include "playbook/run.h"
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#define MAX_LOOKUP_FILE_BYTES (4u << 20)
#define MAX_TEMPLATE_BYTES (1u << 20)

struct lookup_place {
    struct run *run;
    struct job *job;
};

static struct err *read_lookup_file(struct arena *arena, const char *path, json_t *results)
{
    char *data;
    size_t length;
    TRY(fs_read_file(arena, path, MAX_LOOKUP_FILE_BYTES, &data, &length));
    while (length && (data[length - 1] == '\n' || data[length - 1] == '\r'))
        length--;
    json_t *text = json_stringn(data, length);
    if (!text)
        return err_new(ERR_INPUT, "'%s' is not UTF-8 text", path);
    json_array_append_new(results, text);
    return NULL;
}

static struct err *lookup_file(struct arena *arena, const struct lookup_place *at, const char *name,
                               json_t *results)
{
    char *path = find_file(arena, at->run->playbook, at->job->entry, "files", name);
    if (!path)
        return err_new(ERR_NOT_FOUND, "there is no file '%s'", name);
    return read_lookup_file(arena, path, results);
}

static struct err *lookup_template(struct arena *arena, const struct lookup_place *at,
                                   const struct expr_env *env, const char *name, json_t *results)
{
    char *path = find_file(arena, at->run->playbook, at->job->entry, "templates", name);
    if (!path)
        return err_new(ERR_NOT_FOUND, "there is no template '%s'", name);
    char *text;
    size_t length;
    TRY(template_render_file(arena, env, path, &text, &length));
    json_array_append_new(results, json_stringn(text, length));
    return NULL;
}

static struct err *lookup_fileglob(struct arena *arena, const struct lookup_place *at, const char *pattern,
                                   json_t *results)
{
    const char *slash = strrchr(pattern, '/');
    char *dir = slash ? arena_strndup(arena, pattern, (size_t)(slash - pattern)) : arena_strdup(arena, ".");
    char *found = find_file(arena, at->run->playbook, at->job->entry, "files", dir);
    if (!found)
        return NULL;
    glob_t names = {0};
    if (glob(arena_printf(arena, "%s/%s", found, slash ? slash + 1 : pattern), 0, NULL, &names) == 0)
        for (size_t i = 0; i < names.gl_pathc; i++)
            if (!fs_is_dir(names.gl_pathv[i]))
                json_array_append_new(results, json_string(names.gl_pathv[i]));
    globfree(&names);
    return NULL;
}

static struct err *lookup_first_found(struct arena *arena, const struct lookup_place *at, const json_t *terms,
                                      const json_t *options, json_t *results)
{
    static const char *const subdirs[] = {"files", "templates", "vars", "tasks"};
    size_t i;
    const json_t *term;
    const json_t *files = json_object_get(options, "files");
    if (json_object_get(options, "paths"))
        return err_new(ERR_INPUT, "first_found takes no 'paths' here: write them before the files' names");
    json_array_foreach(files ? files : terms, i, term)
    {
        const char *name = json_string_value(term);
        for (size_t k = 0; name && k < 4; k++) {
            char *path = find_file(arena, at->run->playbook, at->job->entry, subdirs[k], name);
            if (path) {
                json_array_append_new(results, json_string(path));
                return NULL;
            }
        }
    }
    const json_t *skip = json_object_get(options, "skip");
    if (skip && expr_value_is_true(skip))
        return NULL;
    return err_new(ERR_NOT_FOUND, "none of the files was found");
}

static struct err *lookup_variable(struct arena *arena, const struct expr_env *env,
                                   const struct expr_place *place, const char *name, const json_t *options,
                                   json_t *results)
{
    json_t *value;
    struct err *e = expr_evaluate(arena, env, place, name, &value);
    if (e && json_object_get(options, "default")) {
        err_free(e);
        json_array_append(results, json_object_get(options, "default"));
        return NULL;
    }
    if (!e)
        json_array_append_new(results, value);
    return e;
}

static struct err *run_lookup(struct arena *arena, const struct expr_env *env, const struct expr_place *place,
                              const char *plugin, const json_t *terms, const json_t *options, json_t **result)
{
    const struct lookup_place *at = env->lookup_context;
    CLEANUP_JSON json_t *results = json_array();
    const char *dot = strrchr(plugin, '.');
    const char *name = dot ? dot + 1 : plugin;
    size_t i;
    const json_t *term;
    if (strcmp(name, "first_found") == 0) {
        TRY(lookup_first_found(arena, at, terms, options, results));
    } else {
        json_array_foreach(terms, i, term)
        {
            const char *text = expr_value_text(arena, term);
            if (strcmp(name, "file") == 0)
                TRY(lookup_file(arena, at, text, results));
            else if (strcmp(name, "template") == 0)
                TRY(lookup_template(arena, at, env, text, results));
            else if (strcmp(name, "env") == 0)
                json_array_append_new(results, json_string(getenv(text) ? getenv(text) : ""));
            else if (strcmp(name, "vars") == 0)
                TRY(lookup_variable(arena, env, place, text, options, results));
            else if (strcmp(name, "fileglob") == 0)
                TRY(lookup_fileglob(arena, at, text, results));
            else
                return err_with_hint(err_new(ERR_INPUT, "there is no lookup '%s' here", plugin),
                                     "known are: env, file, fileglob, first_found, template, vars");
        }
    }
    *result = TAKE(results);
    return NULL;
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
    *at = (struct lookup_place){.run = run, .job = job};
    return (struct expr_env){
        .scope = scope, .lookup = run_lookup, .load = load_template, .lookup_context = at};
}
