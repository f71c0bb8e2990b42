/* Where each keyword may stand. Source: "Playbook keywords" of the Ansible 2.14 documentation. */
#include "playbook/play.h"
#include <string.h>

#define EVERY (PLACE_PLAY | PLACE_BLOCK | PLACE_TASK | PLACE_HANDLER | PLACE_ROLE | PLACE_INCLUDE)
#define TASKS (PLACE_TASK | PLACE_HANDLER)
#define LOOPS (TASKS | PLACE_INCLUDE)
#define NOT_PLAY (EVERY & ~PLACE_PLAY)

static const struct keyword_spec specs[KW_COUNT] = {
    [KW_NAME] = {"name", (EVERY & ~PLACE_ROLE) | PLACE_IMPORT},
    [KW_WHEN] = {"when", NOT_PLAY | PLACE_IMPORT},
    [KW_VARS] = {"vars", EVERY | PLACE_IMPORT},
    [KW_TAGS] = {"tags", EVERY | PLACE_IMPORT},
    [KW_BECOME] = {"become", EVERY},
    [KW_BECOME_USER] = {"become_user", EVERY},
    [KW_BECOME_METHOD] = {"become_method", EVERY},
    [KW_CHECK_MODE] = {"check_mode", EVERY},
    [KW_DIFF] = {"diff", EVERY},
    [KW_ENVIRONMENT] = {"environment", EVERY},
    [KW_IGNORE_ERRORS] = {"ignore_errors", EVERY},
    [KW_IGNORE_UNREACHABLE] = {"ignore_unreachable", EVERY},
    [KW_ANY_ERRORS_FATAL] = {"any_errors_fatal", EVERY},
    [KW_NO_LOG] = {"no_log", EVERY},
    [KW_DELEGATE_TO] = {"delegate_to", NOT_PLAY},
    [KW_RUN_ONCE] = {"run_once", EVERY},
    [KW_REMOTE_USER] = {"remote_user", EVERY},
    [KW_THROTTLE] = {"throttle", EVERY},
    [KW_NOTIFY] = {"notify", PLACE_TASK | PLACE_HANDLER | PLACE_BLOCK},
    [KW_REGISTER] = {"register", LOOPS},
    [KW_CHANGED_WHEN] = {"changed_when", TASKS},
    [KW_FAILED_WHEN] = {"failed_when", TASKS},
    [KW_UNTIL] = {"until", TASKS},
    [KW_RETRIES] = {"retries", TASKS},
    [KW_DELAY] = {"delay", TASKS},
    [KW_LOOP] = {"loop", LOOPS},
    [KW_LOOP_CONTROL] = {"loop_control", LOOPS},
    [KW_WITH_ITEMS] = {"with_items", LOOPS},
    [KW_WITH_LIST] = {"with_list", LOOPS},
    [KW_WITH_DICT] = {"with_dict", LOOPS},
    [KW_WITH_FIRST_FOUND] = {"with_first_found", LOOPS},
    [KW_WITH_FILEGLOB] = {"with_fileglob", LOOPS},
    [KW_WITH_TOGETHER] = {"with_together", LOOPS},
    [KW_WITH_NESTED] = {"with_nested", LOOPS},
    [KW_WITH_CARTESIAN] = {"with_cartesian", LOOPS},
    [KW_WITH_SEQUENCE] = {"with_sequence", LOOPS},
    [KW_WITH_SUBELEMENTS] = {"with_subelements", LOOPS},
    [KW_WITH_RANDOM_CHOICE] = {"with_random_choice", LOOPS},
    [KW_WITH_INDEXED_ITEMS] = {"with_indexed_items", LOOPS},
    [KW_WITH_FLATTENED] = {"with_flattened", LOOPS},
    [KW_ARGS] = {"args", LOOPS},
    [KW_LISTEN] = {"listen", PLACE_HANDLER},
    [KW_BLOCK] = {"block", PLACE_BLOCK},
    [KW_RESCUE] = {"rescue", PLACE_BLOCK},
    [KW_ALWAYS] = {"always", PLACE_BLOCK},
    [KW_HOSTS] = {"hosts", PLACE_PLAY},
    [KW_GATHER_FACTS] = {"gather_facts", PLACE_PLAY},
    [KW_GATHER_SUBSET] = {"gather_subset", PLACE_PLAY},
    [KW_VARS_FILES] = {"vars_files", PLACE_PLAY},
    [KW_ROLES] = {"roles", PLACE_PLAY},
    [KW_TASKS] = {"tasks", PLACE_PLAY},
    [KW_PRE_TASKS] = {"pre_tasks", PLACE_PLAY},
    [KW_POST_TASKS] = {"post_tasks", PLACE_PLAY},
    [KW_HANDLERS] = {"handlers", PLACE_PLAY},
    [KW_SERIAL] = {"serial", PLACE_PLAY},
    [KW_STRATEGY] = {"strategy", PLACE_PLAY},
    [KW_FORCE_HANDLERS] = {"force_handlers", PLACE_PLAY},
    [KW_MAX_FAIL_PERCENTAGE] = {"max_fail_percentage", PLACE_PLAY},
    [KW_ROLE] = {"role", PLACE_ROLE},
    [KW_CONNECTION] = {"connection", EVERY},
    [KW_COLLECTIONS] = {"collections", EVERY},
    [KW_MODULE_DEFAULTS] = {"module_defaults", EVERY},
    [KW_VARS_PROMPT] = {"vars_prompt", PLACE_PLAY},
};

const struct keyword_spec *keyword_spec(enum keyword keyword)
{
    return &specs[keyword];
}

int keyword_find(const char *name, unsigned place)
{
    for (int i = 0; i < KW_COUNT; i++)
        if ((specs[i].places & place) && strcmp(specs[i].name, name) == 0)
            return i;
    return -1;
}

const char *keyword_nearest(struct arena *arena, const char *name, unsigned place)
{
    const char **names = arena_array(arena, KW_COUNT, sizeof(*names));
    size_t count = 0;
    for (int i = 0; i < KW_COUNT; i++)
        if (specs[i].places & place)
            names[count++] = specs[i].name;
    return yaml_nearest(name, names, count);
}

const struct entry *entry_heritage(const struct entry *entry)
{
    const struct entry *from = entry->parent;
    while (from && from->module &&
           (from->module->action == ACTION_INCLUDE_TASKS || from->module->action == ACTION_INCLUDE_ROLE))
        from = from->parent;
    return from;
}

const json_t *entry_inherited(const struct entry *entry, enum keyword keyword, const struct entry **giver)
{
    for (; entry; entry = entry_heritage(entry))
        if (entry->keywords[keyword]) {
            if (giver)
                *giver = entry;
            return entry->keywords[keyword];
        }
    return NULL;
}

struct expr_place entry_place(const struct entry *entry, enum keyword keyword)
{
    int line = entry->keyword_lines[keyword];
    return (struct expr_place){.file = entry->file, .line = line ? line : entry->line};
}

struct err *entry_error(const struct entry *entry, const char *fmt, ...)
{
    CLEANUP_STRBUF struct strbuf text;
    strbuf_init(&text, 65536);
    va_list args;
    va_start(args, fmt);
    strbuf_vaddf(&text, fmt, args);
    va_end(args);
    return err_new(ERR_INPUT, "%s:%d:%d: %s", entry->file, entry->line, entry->column, text.data);
}

const char *entry_title(const struct entry *entry)
{
    const json_t *name = entry->keywords[KW_NAME];
    if (name && json_is_string(name) && *json_string_value(name))
        return json_string_value(name);
    if (entry->module)
        return entry->module->name;
    return "block";
}

void entry_list_add(struct arena *arena, struct entry_list *list, struct entry *entry)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 8;
        struct entry **items = arena_array(arena, capacity, sizeof(struct entry *));
        if (list->count)
            memcpy(items, list->items, list->count * sizeof(struct entry *));
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = entry;
}

static void release_json(void *json)
{
    json_decref(json);
}

json_t *json_keep(struct arena *arena, json_t *json)
{
    if (json)
        arena_defer(arena, release_json, json);
    return json;
}
