/* The reference of what is supported, as Markdown, from the tables that decide it. */
#include "playbook/filter.h"
#include "playbook/play.h"
#include <string.h>

/* --- keywords --- */

static void add_places(struct strbuf *out, unsigned places)
{
    static const struct {
        unsigned place;
        const char *name;
    } names[] = {{PLACE_PLAY, "play"},       {PLACE_BLOCK, "block"}, {PLACE_TASK, "task"},
                 {PLACE_HANDLER, "handler"}, {PLACE_ROLE, "role"},   {PLACE_INCLUDE, "include"}};
    unsigned all = 0;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        all |= names[i].place;
    const char *between = "";
    if ((places & all) == all) {
        strbuf_adds(out, "everywhere");
        return;
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (places & names[i].place) {
            strbuf_addf(out, "%s%s", between, names[i].name);
            between = ", ";
        }
}

static void describe_keywords(struct strbuf *out)
{
    strbuf_adds(
        out,
        "### Keywords\n\nWhere: in a play, a block, a task, a handler, an entry of `roles`, or a task that "
        "includes (`include_tasks`, `import_tasks`, `include_role`, `import_role`). \"No effect\": accepted, "
        "so "
        "that the same playbook runs under Ansible.\n\n| keyword | where | meaning |\n| --- | --- | --- |\n");
    for (enum keyword keyword = 0; keyword < KW_COUNT; keyword++) {
        const struct keyword_spec *spec = keyword_spec(keyword);
        strbuf_addf(out, "| `%s` | ", spec->name);
        add_places(out, spec->places);
        strbuf_addf(out, " | %s |\n", spec->meaning);
    }
}

/* --- modules --- */

static void add_words(struct strbuf *out, const char *words)
{
    for (const char *word = words; *word; word += strspn(word, " ")) {
        size_t length = strcspn(word, " ");
        strbuf_addf(out, "%s`%.*s`", word == words ? "" : " ", (int)length, word);
        word += length;
    }
}

static void describe_arg(struct strbuf *out, const struct arg_spec *arg)
{
    static const char *const types[ARG_TYPE_COUNT] = {
        [ARG_TEXT] = "text",   [ARG_BOOL] = "yes/no", [ARG_INT] = "number",
        [ARG_PATH] = "path",   [ARG_MODE] = "mode",   [ARG_WORDS] = "list",
        [ARG_COMMAS] = "list", [ARG_LINES] = "map",   [ARG_COMMAND] = "command",
        [ARG_ANY] = "any",     [ARG_JSON] = "any",    [ARG_VALIDATE] = "command with %s",
    };
    strbuf_addf(out, "`%s` (", arg->name);
    if (arg->choices)
        add_words(out, arg->choices);
    else
        strbuf_adds(out, types[arg->type]);
    strbuf_adds(out, arg->flags & ARG_REQUIRED ? ", required" : "");
    if (arg->aliases) {
        strbuf_adds(out, ", or ");
        add_words(out, arg->aliases);
    }
    strbuf_adds(out, ")");
}

static void describe_module(struct strbuf *out, const struct module_spec *module)
{
    strbuf_addf(out, "\n#### %s.%s\n\n%c%s", module->collection, module->name,
                module->summary[0] >= 'a' && module->summary[0] <= 'z' ? module->summary[0] - 32
                                                                       : module->summary[0],
                module->summary + 1);
    strbuf_addf(out, "%s%s\n", *module->text ? " " : "", module->text);
    if (module->args->name)
        strbuf_adds(out, "\nArguments: ");
    for (const struct arg_spec *arg = module->args; arg->name; arg++) {
        describe_arg(out, arg);
        strbuf_adds(out, arg[1].name ? "; " : ".\n");
    }
    if (module->any_args)
        strbuf_adds(out, "\nAny other argument is taken too.\n");
    if (*module->returns) {
        strbuf_adds(out, "\nReturns: ");
        add_words(out, module->returns);
        strbuf_adds(out, ".\n");
    }
}

static void describe_modules(struct strbuf *out, const struct modules *modules)
{
    const struct module_spec *module;
    strbuf_adds(
        out,
        "\n### Modules\n\nBy short name or with the collection. Types: *path* is on the host, `~` and "
        "`$NAME` are "
        "expanded there; *mode* is octal (quote it: `\"0644\"`) or symbolic; *list* is a list or text with "
        "commas; "
        "*command with %s* runs before the new file takes its place, with `%s` for the file. An argument "
        "that "
        "Ansible knows and that is not listed is refused. `seuser`, `serole`, `setype` and `selevel` have no "
        "effect: Debian and Ubuntu come without SELinux.\n\n| module | what it is about |\n| --- | --- |\n");
    for (size_t i = 0; (module = modules_at(modules, i)); i++)
        strbuf_addf(out, "| `%s` | %s |\n", module->name, module->summary);
    for (size_t i = 0; (module = modules_at(modules, i)); i++)
        describe_module(out, module);
}

/* --- expressions --- */

static void describe_filters(struct strbuf *out, const char *title, const struct filter_table *const *tables,
                             size_t count)
{
    strbuf_addf(out, "\n### %s\n\n", title);
    const char *between = "";
    for (size_t t = 0; t < count; t++)
        for (size_t i = 0; i < tables[t]->count; i++) {
            const struct filter *row = &tables[t]->rows[i];
            bool variadic = row->flags & FILTER_VARIADIC, open = variadic || row->params[0];
            strbuf_addf(out, "%s`%s%s%s", between, row->name, open ? "(" : "", variadic ? "..." : "");
            for (int p = 0; p < FILTER_MAX_PARAMS && row->params[p]; p++)
                strbuf_addf(out, "%s%s%s", p || variadic ? ", " : "", row->params[p],
                            variadic || p >= row->required ? "=" : "");
            strbuf_addf(out, "%s`", open ? ")" : "");
            between = ", ";
        }
    strbuf_adds(out, ".\n");
}

struct err *playbook_describe(struct arena *arena, const struct playbook_paths *paths, struct strbuf *out)
{
    static const struct filter_table *const methods[] = {&methods_text};
    const struct modules *modules;
    TRY(modules_load(arena, &paths->modules_dir, 1, &modules));
    describe_keywords(out);
    describe_modules(out, modules);
    describe_filters(out, "Filters", filter_tables, filter_table_count);
    describe_filters(out, "Tests", test_tables, test_table_count);
    describe_filters(out, "Methods", methods, sizeof(methods) / sizeof(methods[0]));
    return strbuf_check(out, "the reference of playbooks");
}

struct err *playbook_describe_module(struct arena *arena, const struct playbook_paths *paths,
                                     const char *name, struct strbuf *out)
{
    const struct modules *modules;
    TRY(modules_load(arena, &paths->modules_dir, 1, &modules));
    const struct module_spec *module = modules_find(modules, name);
    if (!module)
        return err_new(ERR_NOT_FOUND, "there is no module '%s'", name);
    describe_module(out, module);
    return strbuf_check(out, "the reference of a module");
}
