/* From rendered arguments to a line of shell. Nothing of a value ever becomes shell syntax: everything is
 * quoted by the one quoting function, and only paths may leave ~ and $NAME to the host, as Ansible does. */
#include "playbook/data_text.h"
#include "playbook/run.h"
#include "playbook/words.h"
#include <ctype.h>
#include <string.h>

bool value_as_flag(const json_t *value, bool *flag)
{
    if (json_is_boolean(value)) {
        *flag = json_is_true(value);
        return true;
    }
    if (json_is_integer(value) && (json_integer_value(value) == 0 || json_integer_value(value) == 1)) {
        *flag = json_integer_value(value) == 1;
        return true;
    }
    static const char *const words[] = {"yes", "no", "true", "false", "on", "off",
                                        "1",   "0",  "y",    "n",     "t",  "f"};
    for (size_t i = 0; json_is_string(value) && i < sizeof(words) / sizeof(words[0]); i++)
        if (strcasecmp(json_string_value(value), words[i]) == 0) {
            *flag = i % 2 == 0;
            return true;
        }
    return false;
}

static struct err *wrong(const struct call *call, const struct arg_spec *arg, const char *need)
{
    return err_new(ERR_INPUT, "argument '%s' of '%s' must be %s", arg->name, call->module->name, need);
}

/* Text without NUL, which no shell can hold. */
static struct err *text_of(struct arena *arena, const struct call *call, const struct arg_spec *arg,
                           const json_t *value, const char **text)
{
    if (json_is_string(value) && strlen(json_string_value(value)) != json_string_length(value))
        return wrong(call, arg, "text without NUL bytes");
    *text = json_is_string(value) ? json_string_value(value) : expr_value_text(arena, value);
    return NULL;
}

static struct err *add_flag(const struct call *call, const struct arg_spec *arg, const json_t *value,
                            struct strbuf *out)
{
    bool flag;
    if (!value_as_flag(value, &flag))
        return wrong(call, arg, "yes or no");
    strbuf_adds(out, flag ? "yes" : "no");
    return NULL;
}

static struct err *add_integer(struct arena *arena, const struct call *call, const struct arg_spec *arg,
                               const json_t *value, struct strbuf *out)
{
    const char *text;
    TRY(text_of(arena, call, arg, value, &text));
    const char *digits = *text == '-' ? text + 1 : text;
    if (!*digits || strspn(digits, "0123456789") != strlen(digits) || strlen(digits) > 15)
        return wrong(call, arg, "a whole number");
    strbuf_adds(out, text);
    return NULL;
}

static struct err *add_mode(struct arena *arena, const struct call *call, const struct arg_spec *arg,
                            const json_t *value, struct strbuf *out)
{
    if (json_is_integer(value)) {
        json_int_t mode = json_integer_value(value);
        if (mode < 0 || mode > 07777)
            return err_with_hint(wrong(call, arg, "a file mode"), "write it in quotes: \"0644\"");
        strbuf_addf(out, "%04o", (unsigned)mode);
        return NULL;
    }
    const char *text;
    TRY(text_of(arena, call, arg, value, &text));
    if (!*text || strspn(text, "01234567augorwxXst+-=,preserve") != strlen(text))
        return err_with_hint(wrong(call, arg, "a file mode"), "for example \"0644\" or \"u=rw,g=r,o=\"");
    strbuf_adds(out, text);
    return NULL;
}

/* The items of a list argument; text is cut at commas, as Ansible does. */
static struct err *list_of(struct arena *arena, const struct call *call, const struct arg_spec *arg,
                           const json_t *value, const char ***items, size_t *count)
{
    size_t n = 0;
    if (json_is_array(value)) {
        *items = arena_array(arena, json_array_size(value) + 1, sizeof(**items));
        for (size_t i = 0; i < json_array_size(value); i++)
            TRY(text_of(arena, call, arg, json_array_get(value, i), &(*items)[n++]));
        *count = n;
        return NULL;
    }
    const char *text;
    TRY(text_of(arena, call, arg, value, &text));
    *items = arena_array(arena, strlen(text) + 1, sizeof(**items));
    while (*text) {
        size_t length = strcspn(text, ",");
        const char *from = text, *to = text + length;
        while (from < to && isspace((unsigned char)*from))
            from++;
        while (to > from && isspace((unsigned char)to[-1]))
            to--;
        if (to > from)
            (*items)[n++] = arena_strndup(arena, from, (size_t)(to - from));
        text += length + (text[length] == ',');
    }
    *count = n;
    return NULL;
}

static struct err *add_list(struct arena *arena, const struct call *call, const struct arg_spec *arg,
                            const json_t *value, struct strbuf *out)
{
    const char **items;
    size_t count;
    TRY(list_of(arena, call, arg, value, &items, &count));
    for (size_t i = 0; i < count; i++) {
        if (i)
            strbuf_addc(out, arg->type == ARG_WORDS ? ' ' : ',');
        if (arg->type == ARG_WORDS)
            strbuf_add_shell_quoted(out, items[i]);
        else
            strbuf_adds(out, items[i]);
    }
    return NULL;
}

static struct err *add_lines(struct arena *arena, const struct call *call, const struct arg_spec *arg,
                             const json_t *value, struct strbuf *out)
{
    const char *key, *text;
    json_t *item;
    if (!json_is_object(value))
        return wrong(call, arg, "a map");
    json_object_foreach((json_t *)(uintptr_t)value, key, item)
    {
        TRY(text_of(arena, call, arg, item, &text));
        if (strpbrk(key, "\r\n") || strpbrk(text, "\r\n"))
            return wrong(call, arg, "a map of single lines");
        strbuf_addf(out, "%s: %s\n", key, text);
    }
    return NULL;
}

static struct err *add_value(struct arena *arena, const struct call *call, const struct arg_spec *arg,
                             const json_t *value, struct strbuf *out)
{
    const char *text;
    switch (arg->type) {
    case ARG_BOOL:
        return add_flag(call, arg, value, out);
    case ARG_INT:
        return add_integer(arena, call, arg, value, out);
    case ARG_MODE:
        return add_mode(arena, call, arg, value, out);
    case ARG_WORDS:
    case ARG_COMMAS:
        return add_list(arena, call, arg, value, out);
    case ARG_LINES:
        return add_lines(arena, call, arg, value, out);
    case ARG_JSON:
        data_add_json(out, value, &(struct json_style){0});
        return NULL;
    case ARG_VALIDATE:
        TRY(text_of(arena, call, arg, value, &text));
        return words_add_validate(arena, out, text);
    default:
        TRY(text_of(arena, call, arg, value, &text));
        if (arg->choices && !word_in(arg->choices, text))
            return err_with_hint(err_new(ERR_INPUT, "argument '%s' of '%s' cannot be '%s'", arg->name,
                                         call->module->name, text),
                                 "one of: %s", arg->choices);
        strbuf_adds(out, text);
        return NULL;
    }
}

static void add_path(const char *path, struct strbuf *out)
{
    if (*path)
        words_add_path(out, path);
    else
        strbuf_adds(out, "''");
}

static struct err *add_args(struct arena *arena, const struct call *call, struct strbuf *out)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)call->args, key, value)
    {
        const struct arg_spec *arg = module_find_arg(call->module, key);
        struct arg_spec internal = {.name = key,
                                    .type = ARG_TEXT}; /* added by an action: content, data, basename */
        if (!arg)
            arg = &internal;
        if (json_is_null(value))
            continue;
        strbuf_addf(out, " %s ", arg->name);
        if (arg->type == ARG_PATH) {
            const char *text;
            TRY(text_of(arena, call, arg, value, &text));
            add_path(text, out);
            continue;
        }
        CLEANUP_STRBUF_WIPE struct strbuf text;
        strbuf_init(&text, 0);
        TRY(add_value(arena, call, arg, value, &text));
        TRY(strbuf_check(&text, "an argument"));
        strbuf_add_shell_quoted(out, text.data);
    }
    return NULL;
}

static bool is_variable_name(const char *name)
{
    if (!isalpha((unsigned char)*name) && *name != '_')
        return false;
    for (; *name; name++)
        if (!isalnum((unsigned char)*name) && *name != '_')
            return false;
    return true;
}

static struct err *add_environment(struct arena *arena, const struct call *call, struct strbuf *out)
{
    static const char *const reserved[] = {"IFS", "T", "PPID", "OPTIND", "PS4"};
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)call->environment, key, value)
    {
        bool taken = strncmp(key, "RH_", 3) == 0 || strncmp(key, "a_", 2) == 0 || *key == '_' ||
                     strcmp(key, "r_changed") == 0;
        for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
            taken = taken || strcmp(key, reserved[i]) == 0;
        if (!is_variable_name(key) || taken)
            return err_new(ERR_INPUT, "'%s' cannot be a name in 'environment'", key);
        struct arg_spec arg = {.name = key, .type = ARG_TEXT};
        const char *text;
        TRY(text_of(arena, call, &arg, value, &text));
        strbuf_addf(out, " +%s ", key);
        strbuf_add_shell_quoted(out, text);
    }
    return NULL;
}

static struct err *add_call(struct arena *arena, const struct call *call, const char *function,
                            struct strbuf *out)
{
    strbuf_addf(out, "%s %d %s_ %s", function, call->id, call->flags, call->module->shell);
    TRY(add_environment(arena, call, out));
    TRY(add_args(arena, call, out));
    if (call->words) {
        strbuf_adds(out, " words ");
        strbuf_add_shell_quoted(out, call->words);
    }
    if (call->script) {
        strbuf_adds(out, " script ");
        strbuf_add_shell_quoted(out, call->script);
    }
    return NULL;
}

/* For another user the call is text that the shell of that user evaluates: ~ and $NAME are that user's. */
struct err *compile_call(struct arena *arena, const struct call *call, struct strbuf *out)
{
    if (!call->user) {
        TRY(add_call(arena, call, "rh_task", out));
        strbuf_addc(out, '\n');
        return NULL;
    }
    CLEANUP_STRBUF_WIPE struct strbuf text;
    strbuf_init(&text, out->max);
    TRY(add_call(arena, call, "rh_try", &text));
    TRY(strbuf_check(&text, "a task"));
    strbuf_adds(out, "rh_as ");
    strbuf_add_shell_quoted(out, call->user);
    strbuf_addf(out, " %s %d %s_ ", call->nonce, call->id, call->flags);
    strbuf_add_shell_quoted(out, text.data);
    strbuf_addc(out, '\n');
    return NULL;
}

/* --- the library --- */

/* Comments, indentation and empty lines stay behind: they would be a third of what goes over the line. No
 * module's meaning hangs on them (multi-line texts in modules are programs for perl and awk). */
static void add_lines_without_margin(const char *text, struct strbuf *out)
{
    for (const char *line = text; *line;) {
        line += strspn(line, " ");
        size_t size = strcspn(line, "\n");
        if (size && line[0] != '#')
            strbuf_addf(out, "%.*s\n", (int)size, line);
        line += size + (line[size] == '\n');
    }
}

/* Adds modules/NAME.sh and, before it, what its head says that it needs; each once. */
static struct err *add_module(struct arena *arena, const struct modules *modules, const char *name,
                              json_t *added, struct strbuf *out)
{
    if (json_object_get(added, name))
        return NULL;
    json_object_set_new(added, name, json_true());
    const char *text, *needs;
    TRY(modules_text(modules, name, &text, &needs));
    while (*needs) {
        size_t length = strcspn(needs, " ");
        TRY(add_module(arena, modules, arena_strndup(arena, needs, length), added, out));
        needs += length + strspn(needs + length, " ");
    }
    add_lines_without_margin(text, out);
    return NULL;
}

static struct err *add_modules_of(struct arena *arena, const struct modules *modules,
                                  const struct entry_list *list, json_t *added, struct strbuf *out)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct entry *entry = list->items[i];
        if (entry->module && entry->module->shell)
            TRY(add_module(arena, modules, entry->module->shell, added, out));
        TRY(add_modules_of(arena, modules, &entry->block, added, out));
        TRY(add_modules_of(arena, modules, &entry->rescue, added, out));
        TRY(add_modules_of(arena, modules, &entry->always, added, out));
    }
    return NULL;
}

struct err *compile_library(struct arena *arena, const struct playbook *playbook, struct strbuf *out)
{
    const struct modules *modules = playbook->modules;
    json_t *added = json_keep(arena, json_object());
    TRY(add_module(arena, modules, "lib", added, out));
    for (size_t p = 0; p < playbook->play_count; p++) {
        const struct play *play = playbook->plays[p];
        if (play->uses_facts)
            TRY(add_module(arena, modules, "setup", added, out));
        TRY(add_modules_of(arena, modules, &play->pre_tasks, added, out));
        TRY(add_modules_of(arena, modules, &play->tasks, added, out));
        TRY(add_modules_of(arena, modules, &play->post_tasks, added, out));
        TRY(add_modules_of(arena, modules, &play->handlers, added, out));
        for (size_t i = 0; i < play->role_count; i++)
            TRY(add_modules_of(arena, modules, &play->roles[i]->handlers, added, out));
    }
    return strbuf_check(out, "the modules");
}
