/* What may stand behind a keyword. */
#include "playbook/parse.h"
#include <ctype.h>
#include <string.h>

/* What Ansible knows and rehost does not, and what to do instead. */
static const struct refusal {
    const char *name, *instead;
} refused[] = {
    {"debugger", "look at values with the module debug"},
    {"timeout", "use the module's own timeout, or 'timeout 60 ...' in a command"},
    {"gather_timeout", "leave it out"},
    {"fact_path", "leave it out"},
    {"port", "say ansible_port in the inventory"},
    {"become_exe", "leave it out: sudo is used"},
    {"become_flags", "leave it out: sudo is used"},
    {"delegate_facts", "set facts on the host itself"},
    {"add_host", "name the host in the inventory"},
    {"group_by", "use 'when', or groups in the inventory"},
    {"async_status", "a task has all the time it needs: leave out async and async_status"},
    {"set_stats", "use set_fact"},
    {"include", "use import_tasks or include_tasks"},
    {"with_inventory_hostnames", "use loop with groups['all']"},
};

static const struct refusal *find_refused(const char *name)
{
    static const char builtin[] = "ansible.builtin.";
    if (strncmp(name, builtin, sizeof(builtin) - 1) == 0)
        name += sizeof(builtin) - 1;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
        if (strcmp(refused[i].name, name) == 0)
            return &refused[i];
    return NULL;
}

bool keyword_is_refused(const char *name)
{
    return find_refused(name) != NULL;
}

struct err *parse_unknown_key(struct loader *loader, const struct yaml_node *key, unsigned place,
                              const char *where)
{
    const struct refusal *refusal = find_refused(key->text);
    if (refusal)
        return err_with_hint(yaml_error(key, "'%s' is not supported", key->text), "%s", refusal->instead);
    const char *nearest = keyword_nearest(loader->arena, key->text, place);
    struct err *e = yaml_error(key, "'%s' is not a keyword of a %s", key->text, where);
    return nearest ? err_with_hint(e, "did you mean '%s'?", nearest) : e;
}

static struct err *check_expressions(struct loader *loader, const struct yaml_node *value, const char *name)
{
    if (value->type == YAML_LIST) {
        for (size_t i = 0; i < value->count; i++)
            TRY(check_expressions(loader, value->items[i], name));
        return NULL;
    }
    if (value->type == YAML_MAP || value->type == YAML_NULL)
        return yaml_error(value, "'%s' must be an expression, not %s", name, yaml_type_name(value->type));
    if (value->type != YAML_STRING)
        return NULL;
    struct expr_place place = {.file = value->file, .line = value->line};
    return expr_check(loader->arena, &place, value->text);
}

struct err *parse_check_templates(struct loader *loader, const struct yaml_node *value)
{
    for (size_t i = 0; i < value->count; i++)
        TRY(parse_check_templates(loader, value->items[i]));
    if (value->type != YAML_STRING || !template_is_template(value->text))
        return NULL;
    struct expr_place place = {.file = value->file, .line = value->line};
    return template_check(loader->arena, &place, value->text);
}

static struct err *check_name(const struct yaml_node *value, const char *what)
{
    const char *c = value->text;
    bool good = value->type == YAML_STRING && (isalpha((unsigned char)*c) || *c == '_');
    for (; good && *c; c++)
        good = isalnum((unsigned char)*c) || *c == '_';
    return good ? NULL : yaml_error(value, "%s must be the name of a variable", what);
}

static struct err *check_loop_control(const struct yaml_node *value)
{
    static const char *const known[] = {"loop_var", "index_var", "label", "extended", "pause"};
    const size_t count = sizeof(known) / sizeof(known[0]);
    if (value->type != YAML_MAP)
        return yaml_error(value, "'loop_control' must be a map");
    for (size_t i = 0; i < value->count; i++) {
        const char *key = value->keys[i]->text;
        size_t k = 0;
        while (k < count && strcmp(known[k], key) != 0)
            k++;
        if (k == count) {
            const char *nearest = yaml_nearest(key, known, count);
            struct err *e = yaml_error(value->keys[i], "'%s' is not a keyword of 'loop_control'", key);
            return nearest ? err_with_hint(e, "did you mean '%s'?", nearest) : e;
        }
        if (k < 2)
            TRY(check_name(value->items[i], key));
    }
    return NULL;
}

static struct err *check_text_or_bool(const struct yaml_node *value, const char *name)
{
    if (value->type == YAML_BOOL || (value->type == YAML_STRING && template_is_template(value->text)))
        return NULL;
    return yaml_error(value, "'%s' must be yes or no", name);
}

static struct err *check_map(const struct yaml_node *value, const char *name)
{
    return value->type == YAML_MAP || value->type == YAML_NULL
               ? NULL
               : yaml_error(value, "'%s' must be a map", name);
}

static struct err *check_notify(const struct yaml_node *value, const char *name)
{
    if (value->type == YAML_STRING)
        return NULL;
    if (value->type != YAML_LIST)
        return yaml_error(value, "'%s' must be a name or a list of names", name);
    for (size_t i = 0; i < value->count; i++)
        if (value->items[i]->type != YAML_STRING)
            return yaml_error(value->items[i], "'%s' must hold names", name);
    return NULL;
}

static struct err *check_delegate(struct loader *loader, const struct yaml_node *value)
{
    static const char *const here[] = {"localhost", "127.0.0.1", "::1", ""};
    if (value->type != YAML_STRING)
        return yaml_error(value, "'delegate_to' must be a name");
    for (size_t i = 0; i < sizeof(here) / sizeof(here[0]); i++)
        if (strcmp(value->text, here[i]) == 0)
            return NULL;
    if (template_is_template(value->text))
        return parse_check_templates(loader, value);
    return err_with_hint(yaml_error(value, "'delegate_to' another machine is not possible"),
                         "a task runs on the play's host or on localhost");
}

static struct err *check_prompts(const struct yaml_node *value)
{
    static const char *const known[] = {"name",    "prompt",    "default", "private", "confirm",
                                        "encrypt", "salt_size", "salt",    "unsafe"};
    const size_t count = sizeof(known) / sizeof(known[0]);
    if (value->type != YAML_LIST)
        return yaml_error(value, "'vars_prompt' must be a list");
    for (size_t i = 0; i < value->count; i++) {
        const struct yaml_node *one = value->items[i];
        if (one->type != YAML_MAP || !yaml_get(one, "name") || yaml_get(one, "name")->type != YAML_STRING)
            return yaml_error(one, "an item of 'vars_prompt' is a map with 'name'");
        for (size_t k = 0; k < one->count; k++) {
            size_t n = 0;
            while (n < count && strcmp(known[n], one->keys[k]->text) != 0)
                n++;
            if (n == count)
                return yaml_error(one->keys[k], "'%s' is not a keyword of 'vars_prompt'", one->keys[k]->text);
        }
        if (yaml_get(one, "encrypt"))
            return err_with_hint(yaml_error(yaml_get(one, "encrypt"), "'encrypt' is not supported"),
                                 "use the filter password_hash");
    }
    return NULL;
}

static struct err *check_tags(struct loader *loader, const struct yaml_node *value)
{
    if (value->type != YAML_LIST && value->type != YAML_STRING && value->type != YAML_INT &&
        value->type != YAML_NULL)
        return yaml_error(value, "'tags' must be a name or a list of names");
    for (size_t i = 0; i < value->count; i++)
        if (value->items[i]->type == YAML_LIST || value->items[i]->type == YAML_MAP)
            return yaml_error(value->items[i], "'tags' must hold names");
    return parse_check_templates(loader, value);
}

static struct err *check_become_method(const struct yaml_node *value)
{
    const char *text = value->type == YAML_STRING ? value->text : "";
    if (strcmp(text, "sudo") == 0 || strcmp(text, "ansible.builtin.sudo") == 0 || template_is_template(text))
        return NULL;
    return err_with_hint(yaml_error(value, "'become_method' can only be sudo"),
                         "a login that is root needs none; from root to another user it is always runuser");
}

static struct err *check_connection(const struct yaml_node *value)
{
    static const char *const known[] = {"ssh", "smart", "paramiko", "paramiko_ssh", "local"};
    const char *text = value->type == YAML_STRING ? value->text : "";
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(text, known[i]) == 0)
            return NULL;
    return err_with_hint(yaml_error(value, "the connection '%s' is not supported", text), "ssh, local");
}

static struct err *check_poll(struct loader *loader, const struct yaml_node *value)
{
    if (value->type == YAML_STRING && template_is_template(value->text))
        return parse_check_templates(loader, value);
    if (value->type != YAML_LIST && value->type != YAML_MAP && strcmp(value->text, "0") == 0)
        return err_with_hint(yaml_error(value, "'poll: 0' is not supported: every task is awaited"),
                             "use the module reboot, or systemd-run in a command");
    return NULL;
}

static struct err *check_keyword(struct loader *loader, enum keyword keyword, const struct yaml_node *value)
{
    const char *name = keyword_spec(keyword)->name;
    switch (keyword) {
    case KW_WHEN:
    case KW_CHANGED_WHEN:
    case KW_FAILED_WHEN:
    case KW_UNTIL:
        return check_expressions(loader, value, name);
    case KW_BECOME:
    case KW_CHECK_MODE:
    case KW_NO_LOG:
    case KW_IGNORE_ERRORS:
    case KW_DIFF:
        return check_text_or_bool(value, name);
    case KW_REGISTER:
        return check_name(value, "'register'");
    case KW_LOOP_CONTROL:
        TRY(check_loop_control(value));
        return parse_check_templates(loader, value);
    case KW_VARS:
        TRY(check_map(value, name));
        return parse_check_templates(loader, value);
    case KW_NOTIFY:
    case KW_LISTEN:
        return check_notify(value, name);
    case KW_TAGS:
        return check_tags(loader, value);
    case KW_POLL:
        return check_poll(loader, value);
    case KW_DELEGATE_TO:
        return check_delegate(loader, value);
    case KW_MODULE_DEFAULTS:
        return args_check_defaults(loader, value);
    case KW_VARS_PROMPT:
        return check_prompts(value);
    case KW_BECOME_METHOD:
        return check_become_method(value);
    case KW_CONNECTION:
        return check_connection(value);
    case KW_BLOCK:
    case KW_RESCUE:
    case KW_ALWAYS:
    case KW_TASKS:
    case KW_PRE_TASKS:
    case KW_POST_TASKS:
    case KW_HANDLERS:
    case KW_ROLES:
        return value->type == YAML_LIST || value->type == YAML_NULL
                   ? NULL
                   : yaml_error(value, "'%s' must be a list", name);
    default:
        return parse_check_templates(loader, value);
    }
}

bool keyword_is_section(enum keyword keyword)
{
    switch (keyword) {
    case KW_BLOCK:
    case KW_RESCUE:
    case KW_ALWAYS:
    case KW_TASKS:
    case KW_PRE_TASKS:
    case KW_POST_TASKS:
    case KW_HANDLERS:
    case KW_ROLES:
    case KW_ARGS:
        return true;
    default:
        return false;
    }
}

struct err *parse_keyword(struct loader *loader, struct entry *entry, enum keyword keyword,
                          const struct yaml_node *key, const struct yaml_node *value)
{
    TRY(check_keyword(loader, keyword, value));
    entry->keyword_lines[keyword] = key->line;
    if (keyword_is_section(keyword) || value->type == YAML_NULL)
        return NULL;
    entry->keywords[keyword] = json_keep(loader->arena, yaml_to_json(value));
    return NULL;
}
