#include "playbook/modules.h"
#include "base/fs.h"
#include "base/yaml.h"
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#define MAX_MODULE_BYTES 65536
#define MAX_MODULES 1000
#define MAX_ARGS 64
#define BUILTIN "ansible.builtin"

/* One file of a folder of modules; those that only others need have no head. */
struct module_file {
    const char *name;
    const char *text;
    const char *needs;
    struct module_spec *spec; /* NULL: no module */
    const char *runs;
};

struct modules {
    struct arena *arena;
    struct module_file *files;
    size_t file_count;
    const struct module_spec *specs[MAX_MODULES]; /* by name */
    size_t count;
};

static const char *const type_names[ARG_TYPE_COUNT] = {
    [ARG_TEXT] = "text",       [ARG_BOOL] = "bool",         [ARG_INT] = "int",       [ARG_PATH] = "path",
    [ARG_MODE] = "mode",       [ARG_WORDS] = "words",       [ARG_COMMAS] = "commas", [ARG_LINES] = "lines",
    [ARG_COMMAND] = "command", [ARG_VALIDATE] = "validate", [ARG_ANY] = "any",       [ARG_JSON] = "json",
};

const char *arg_type_name(enum arg_type type)
{
    return type_names[type];
}

/* Modules of the host for which the control side prepares something first. */
static enum action action_of(const char *name)
{
    static const struct {
        const char *name;
        enum action action;
    } prepared[] = {
        {"command", ACTION_COMMAND}, {"shell", ACTION_COMMAND},       {"raw", ACTION_COMMAND},
        {"copy", ACTION_COPY},       {"template", ACTION_TEMPLATE},   {"script", ACTION_SCRIPT},
        {"setup", ACTION_SETUP},     {"unarchive", ACTION_UNARCHIVE}, {"reboot", ACTION_REBOOT},
    };
    for (size_t i = 0; i < sizeof(prepared) / sizeof(prepared[0]); i++)
        if (strcmp(prepared[i].name, name) == 0)
            return prepared[i].action;
    return ACTION_HOST;
}

/* --- a head --- */

struct head {
    struct arena *arena;
    const char *path;
    int line;
    struct module_file *file;
    struct arg_spec *args; /* MAX_ARGS + 1 */
    size_t arg_count;
    struct strbuf *text;
};

static struct err *head_error(const struct head *head, const char *what)
{
    return err_new(ERR_INPUT, "%s:%d: %s", head->path, head->line, what);
}

/* "NAME TYPE[, required][, or ALIAS...][, one of WORD...]" */
static struct err *read_arg(struct head *head, const char *text)
{
    if (head->arg_count == MAX_ARGS)
        return head_error(head, "a module has at most 64 arguments");
    struct arg_spec *arg = &head->args[head->arg_count++];
    size_t length = strcspn(text, " ");
    arg->name = arena_strndup(head->arena, text, length);
    text += length + strspn(text + length, " ");
    length = strcspn(text, ",");
    arg->type = ARG_TYPE_COUNT;
    for (enum arg_type type = 0; type < ARG_TYPE_COUNT; type++)
        if (strlen(type_names[type]) == length && strncmp(type_names[type], text, length) == 0)
            arg->type = type;
    if (!*arg->name || arg->type == ARG_TYPE_COUNT)
        return head_error(head, "an argument is described by 'arg NAME TYPE' with a known type");
    for (text += length; *text; text += length) {
        text += strspn(text, ", ");
        length = strcspn(text, ",");
        if (strncmp(text, "or ", 3) == 0)
            arg->aliases = arena_strndup(head->arena, text + 3, length - 3);
        else if (strncmp(text, "one of ", 7) == 0)
            arg->choices = arena_strndup(head->arena, text + 7, length - 7);
        else if (length == strlen("required") && strncmp(text, "required", length) == 0)
            arg->flags |= ARG_REQUIRED;
        else
            return head_error(head, "after an argument's type: 'required', 'or ALIAS', 'one of WORD'");
    }
    return NULL;
}

static struct err *read_property(struct head *head, const char *line)
{
    struct module_spec *spec = head->file->spec;
    const char *rest = line + strcspn(line, " ");
    size_t length = (size_t)(rest - line);
    rest += strspn(rest, " ");
    const struct {
        const char *name;
        const char **into;
    } texts[] = {{"free", &spec->free_form},
                 {"returns", &spec->returns},
                 {"needs", &head->file->needs},
                 {"runs", &head->file->runs}};
    if (length == 3 && strncmp(line, "arg", 3) == 0)
        return read_arg(head, rest);
    if (length == 3 && strncmp(line, "any", 3) == 0) {
        spec->any_args = true;
        return NULL;
    }
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        if (strlen(texts[i].name) == length && strncmp(line, texts[i].name, length) == 0) {
            *texts[i].into = rest;
            return NULL;
        }
    return head_error(head, "the head of a module holds 'arg', 'any', 'free', 'returns', 'needs' and 'runs'");
}

/* "NAME (COLLECTION): sentence"; false when the line is something else. */
static bool read_title(struct head *head, const char *line)
{
    const char *open = strstr(line, " ("), *close = open ? strstr(open, "): ") : NULL;
    if (!close || (size_t)(open - line) != strlen(head->file->name) ||
        strncmp(line, head->file->name, (size_t)(open - line)) != 0)
        return false;
    struct module_spec *spec = ARENA_NEW(head->arena, struct module_spec);
    *spec =
        (struct module_spec){.name = head->file->name,
                             .collection = arena_strndup(head->arena, open + 2, (size_t)(close - open - 2)),
                             .summary = close + 3,
                             .text = "",
                             .returns = "",
                             .shell = head->file->name};
    head->file->spec = spec;
    return true;
}

/* Comment lines up to the first line that is none. */
static struct err *read_head(struct head *head)
{
    bool properties = false;
    for (const char *at = head->file->text; *at == '#'; at += strcspn(at, "\n"), at += *at == '\n') {
        const char *from = at[1] == ' ' ? at + 2 : at + 1;
        char *line = arena_strndup(head->arena, from, strcspn(from, "\n"));
        head->line++;
        if (head->line == 1) {
            if (!read_title(head, line))
                return NULL;
        } else if (!*line) {
            properties = true;
        } else if (properties) {
            TRY(read_property(head, line));
        } else {
            strbuf_addf(head->text, "%s%s", head->text->length ? " " : "", line);
        }
    }
    return NULL;
}

static struct err *load_head(struct arena *arena, const char *path, struct module_file *file)
{
    CLEANUP_STRBUF struct strbuf text;
    strbuf_init(&text, MAX_MODULE_BYTES);
    struct arg_spec args[MAX_ARGS + 1] = {{0}};
    struct head head = {.arena = arena, .path = path, .file = file, .args = args, .text = &text};
    TRY(read_head(&head));
    if (!file->spec)
        return NULL;
    struct arg_spec *kept = arena_array(arena, head.arg_count + 1, sizeof(*kept));
    memcpy(kept, args, (head.arg_count + 1) * sizeof(*kept));
    file->spec->args = kept;
    file->spec->text = strbuf_to_arena(&text, arena);
    return NULL;
}

/* --- the folders --- */

static struct module_file *find_file_named(const struct modules *modules, const char *name)
{
    for (size_t i = 0; i < modules->file_count; i++)
        if (strcmp(modules->files[i].name, name) == 0)
            return &modules->files[i];
    return NULL;
}

static struct err *load_file(struct modules *modules, const char *dir, const char *filename)
{
    size_t length = strlen(filename);
    if (length < 4 || strcmp(filename + length - 3, ".sh") != 0)
        return NULL;
    char *name = arena_strndup(modules->arena, filename, length - 3);
    if (find_file_named(modules, name))
        return NULL;
    if (modules->file_count == MAX_MODULES)
        return err_new(ERR_INPUT, "'%s' holds more than %d modules", dir, MAX_MODULES);
    struct module_file *file = &modules->files[modules->file_count++];
    *file = (struct module_file){.name = name, .needs = ""};
    char *path = arena_printf(modules->arena, "%s/%s", dir, filename), *text;
    size_t size;
    TRY(fs_read_file(modules->arena, path, MAX_MODULE_BYTES, &text, &size));
    file->text = text;
    TRY(load_head(modules->arena, path, file));
    if (file->spec)
        file->spec->action = action_of(name);
    return NULL;
}

static struct err *load_folder(struct modules *modules, const char *path)
{
    DIR *dir = opendir(path);
    struct err *e = NULL;
    for (struct dirent *item; dir && !e && (item = readdir(dir));)
        e = load_file(modules, path, item->d_name);
    if (dir)
        closedir(dir);
    return e;
}

static struct err *load_here(struct modules *modules)
{
    for (const struct module_here *here = modules_here; here->head; here++) {
        struct module_file *file = ARENA_NEW(modules->arena, struct module_file);
        *file = (struct module_file){.text = here->head, .needs = ""};
        file->name = arena_strndup(modules->arena, here->head + 2, strcspn(here->head + 2, " "));
        TRY(load_head(modules->arena, "modules_here.c", file));
        file->spec->action = here->action;
        file->spec->shell = NULL;
        modules->specs[modules->count++] = file->spec;
    }
    return NULL;
}

static int compare_specs(const void *a, const void *b)
{
    const struct module_spec *const *left = a, *const *right = b;
    return strcmp((*left)->name, (*right)->name);
}

/* What is done here cannot be replaced; a second name takes the shell function of the first. */
static struct err *gather(struct modules *modules)
{
    for (size_t i = 0; i < modules->file_count; i++) {
        struct module_file *file = &modules->files[i];
        if (!file->spec || modules_find(modules, file->name))
            continue;
        if (file->runs) {
            if (!find_file_named(modules, file->runs))
                return err_new(ERR_INPUT, "module '%s' runs '%s', which is not there", file->name,
                               file->runs);
            file->spec->shell = file->runs;
        }
        if (modules->count == MAX_MODULES)
            return err_new(ERR_INPUT, "there are more than %d modules", MAX_MODULES);
        modules->specs[modules->count++] = file->spec;
    }
    qsort(modules->specs, modules->count, sizeof(modules->specs[0]), compare_specs);
    return NULL;
}

struct err *modules_load(struct arena *arena, const char *const *dirs, size_t count,
                         const struct modules **out)
{
    struct modules *modules = ARENA_NEW(arena, struct modules);
    modules->arena = arena;
    modules->files = arena_array(arena, MAX_MODULES, sizeof(*modules->files));
    TRY(load_here(modules));
    for (size_t i = 0; i < count; i++)
        TRY(load_folder(modules, dirs[i]));
    TRY(gather(modules));
    *out = modules;
    return NULL;
}

struct err *modules_text(const struct modules *modules, const char *name, const char **text,
                         const char **needs)
{
    const struct module_file *file = find_file_named(modules, name);
    if (!file)
        return err_new(ERR_NOT_FOUND, "there is no file '%s.sh' among the modules", name);
    *text = file->text;
    *needs = file->needs;
    return NULL;
}

/* --- looking --- */

bool word_in(const char *words, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = words; length && at && *at; at += strspn(at, " ")) {
        size_t here = strcspn(at, " ");
        if (here == length && strncmp(at, word, length) == 0)
            return true;
        at += here;
    }
    return false;
}

/* Whether `name` is `spec`, bare or with its collection. */
static bool is_named(const struct module_spec *spec, const char *name)
{
    if (strcmp(name, spec->name) == 0)
        return true;
    const char *dot = strrchr(name, '.');
    if (!dot || strcmp(dot + 1, spec->name) != 0)
        return false;
    size_t length = (size_t)(dot - name);
    if (length == strlen(spec->collection) && strncmp(name, spec->collection, length) == 0)
        return true;
    return strcmp(spec->collection, BUILTIN) == 0 && length == strlen("ansible.legacy") &&
           strncmp(name, "ansible.legacy", length) == 0;
}

const struct module_spec *modules_find(const struct modules *modules, const char *name)
{
    for (size_t i = 0; i < modules->count; i++)
        if (is_named(modules->specs[i], name))
            return modules->specs[i];
    return NULL;
}

const struct module_spec *modules_at(const struct modules *modules, size_t index)
{
    return index < modules->count ? modules->specs[index] : NULL;
}

const char *modules_nearest(const struct modules *modules, const char *name)
{
    const char *names[MAX_MODULES];
    for (size_t i = 0; i < modules->count; i++)
        names[i] = modules->specs[i]->name;
    const char *dot = strrchr(name, '.');
    return yaml_nearest(dot ? dot + 1 : name, names, modules->count);
}

const struct arg_spec *module_find_arg(const struct module_spec *module, const char *name)
{
    for (const struct arg_spec *arg = module->args; arg->name; arg++)
        if (strcmp(arg->name, name) == 0 || word_in(arg->aliases, name))
            return arg;
    return NULL;
}

const char *module_nearest_arg(const struct module_spec *module, const char *name)
{
    const char *names[MAX_ARGS];
    size_t count = 0;
    for (const struct arg_spec *arg = module->args; arg->name && count < MAX_ARGS; arg++)
        names[count++] = arg->name;
    return yaml_nearest(name, names, count);
}
