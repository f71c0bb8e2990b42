/* Where each keyword may stand, and what it means. Source: "Playbook keywords" of the Ansible 2.14
 * documentation. */
#include "playbook/play.h"
#include <string.h>

#define EVERY (PLACE_PLAY | PLACE_BLOCK | PLACE_TASK | PLACE_HANDLER | PLACE_ROLE | PLACE_INCLUDE)
#define TASKS (PLACE_TASK | PLACE_HANDLER)
#define LOOPS (TASKS | PLACE_INCLUDE)
#define NOT_PLAY (EVERY & ~PLACE_PLAY)

static const struct keyword_spec specs[KW_COUNT] = {
    [KW_NAME] = {"name", (EVERY & ~PLACE_ROLE) | PLACE_IMPORT, "shown; handlers are notified by it"},
    [KW_WHEN] = {"when", NOT_PLAY | PLACE_IMPORT,
                 "condition, or a list of which all must hold; those of block, role and include come first"},
    [KW_VARS] = {"vars", EVERY | PLACE_IMPORT, "variables"},
    [KW_TAGS] = {"tags", EVERY | PLACE_IMPORT,
                 "chosen by `--tags` and `--skip-tags`; `always` and `never` as in Ansible"},
    [KW_BECOME] = {"become", EVERY, "root by `sudo`, once a session, unless the login is root"},
    [KW_BECOME_USER] = {"become_user", EVERY, "run as this user (with `become: yes`)"},
    [KW_BECOME_METHOD] = {"become_method", EVERY,
                          "only `sudo`; from root to another user it is always `runuser`"},
    [KW_CHECK_MODE] = {"check_mode", EVERY, "yes: only check; no: run even with `--check`"},
    [KW_DIFF] = {"diff", EVERY, "yes or no, whatever `--diff` says"},
    [KW_ENVIRONMENT] = {"environment", EVERY,
                        "variables for the tasks; names that the shell or rehost uses (`IFS`, `_...`, "
                        "`a_...`, `RH_...`) are refused"},
    [KW_IGNORE_ERRORS] = {"ignore_errors", EVERY, "a failure is reported as ignored, and the play goes on"},
    [KW_IGNORE_UNREACHABLE] = {"ignore_unreachable", EVERY, "no effect"},
    [KW_ANY_ERRORS_FATAL] = {"any_errors_fatal", EVERY,
                             "a task that fails on one host is the last one for all of them"},
    [KW_NO_LOG] = {"no_log", EVERY, "arguments, results and diffs are not shown"},
    [KW_DELEGATE_TO] = {"delegate_to", NOT_PLAY,
                        "`localhost` (also `127.0.0.1`) or the host itself; another machine is refused"},
    [KW_RUN_ONCE] = {"run_once", EVERY, "by the first host of the batch; the result is everybody's"},
    [KW_REMOTE_USER] = {"remote_user", EVERY,
                        "of a play: the login, unless `ansible_user` says it; elsewhere no effect"},
    [KW_THROTTLE] = {"throttle", EVERY, "no effect"},
    [KW_NOTIFY] = {"notify", PLACE_TASK | PLACE_HANDLER | PLACE_BLOCK,
                   "handlers to run when the task changes something"},
    [KW_REGISTER] = {"register", LOOPS, "keep the result under this name"},
    [KW_CHANGED_WHEN] = {"changed_when", TASKS, "condition; of a list all must hold"},
    [KW_FAILED_WHEN] = {"failed_when", TASKS, "condition; of a list all must hold"},
    [KW_UNTIL] = {"until", TASKS, "try again until it holds"},
    [KW_RETRIES] = {"retries", TASKS, "tries after the first, with until; 3"},
    [KW_DELAY] = {"delay", TASKS, "seconds between them; 5"},
    [KW_LOOP] = {"loop", LOOPS, "a list"},
    [KW_LOOP_CONTROL] = {"loop_control", LOOPS, "see Loops"},
    [KW_WITH_ITEMS] = {"with_items", LOOPS, "a list, spread one level"},
    [KW_WITH_LIST] = {"with_list", LOOPS, "a list as it is"},
    [KW_WITH_DICT] = {"with_dict", LOOPS, "a map; `item.key`, `item.value`"},
    [KW_WITH_FIRST_FOUND] = {"with_first_found", LOOPS, "the first file that is there"},
    [KW_WITH_FILEGLOB] = {"with_fileglob", LOOPS, "files of the control side"},
    [KW_WITH_TOGETHER] = {"with_together", LOOPS, "lists side by side"},
    [KW_WITH_NESTED] = {"with_nested", LOOPS, "every combination"},
    [KW_WITH_CARTESIAN] = {"with_cartesian", LOOPS, "every combination"},
    [KW_WITH_SEQUENCE] = {"with_sequence", LOOPS, "`start=1 end=5 stride=2 format=web%02d`, or `count`"},
    [KW_WITH_SUBELEMENTS] = {"with_subelements", LOOPS, "each item with each of one of its lists"},
    [KW_WITH_RANDOM_CHOICE] = {"with_random_choice", LOOPS, "one of the list"},
    [KW_WITH_INDEXED_ITEMS] = {"with_indexed_items", LOOPS, "`item.0` number, `item.1` item"},
    [KW_WITH_FLATTENED] = {"with_flattened", LOOPS, "a list, spread at all levels"},
    [KW_WITH_FILE] = {"with_file", LOOPS, "what files of the control side hold"},
    [KW_WITH_LINES] = {"with_lines", LOOPS, "the lines that commands of the control side say"},
    [KW_WITH_ENV] = {"with_env", LOOPS, "variables of the control side's environment"},
    [KW_ARGS] = {"args", LOOPS, "more arguments of the module"},
    [KW_LISTEN] = {"listen", PLACE_HANDLER, "further names to be notified by"},
    [KW_BLOCK] = {"block", PLACE_BLOCK, "a list of tasks"},
    [KW_RESCUE] = {"rescue", PLACE_BLOCK, "runs when the block failed"},
    [KW_ALWAYS] = {"always", PLACE_BLOCK, "runs in any case"},
    [KW_HOSTS] = {"hosts", PLACE_PLAY, "pattern of hosts and groups; required"},
    [KW_GATHER_FACTS] = {"gather_facts", PLACE_PLAY, "no: no facts"},
    [KW_GATHER_SUBSET] = {"gather_subset", PLACE_PLAY, "no effect: all facts, one task"},
    [KW_VARS_FILES] = {"vars_files", PLACE_PLAY,
                       "paths, which may be templates; of a list in the list the first that is there"},
    [KW_ROLES] = {"roles", PLACE_PLAY, "before `tasks`"},
    [KW_TASKS] = {"tasks", PLACE_PLAY, "what is done, after the roles"},
    [KW_PRE_TASKS] = {"pre_tasks", PLACE_PLAY, "before the roles"},
    [KW_POST_TASKS] = {"post_tasks", PLACE_PLAY, "after the tasks"},
    [KW_HANDLERS] = {"handlers", PLACE_PLAY, "tasks that run when they were notified"},
    [KW_SERIAL] = {"serial", PLACE_PLAY,
                   "so many hosts at a time: a number, a percentage, or a list of them"},
    [KW_STRATEGY] = {"strategy", PLACE_PLAY, "no effect: within a play each host goes at its own pace"},
    [KW_FORCE_HANDLERS] = {"force_handlers", PLACE_PLAY, "run handlers even after a failure"},
    [KW_MAX_FAIL_PERCENTAGE] = {"max_fail_percentage", PLACE_PLAY,
                                "the play ends when more hosts than that have failed"},
    [KW_ROLE] = {"role", PLACE_ROLE, "the role (or `name`); what is no keyword is a variable for the role"},
    [KW_CONNECTION] = {"connection", EVERY,
                       "`local`: on this machine, in the folder of the playbook; others have no effect"},
    [KW_COLLECTIONS] = {"collections", EVERY, "no effect: modules are found without"},
    [KW_MODULE_DEFAULTS] = {"module_defaults", EVERY,
                            "arguments that tasks of a module have unless they give them"},
    [KW_ASYNC] = {"async", TASKS, "seconds that the task may take; longer ends the run on that host"},
    [KW_POLL] = {"poll", TASKS, "no effect: the end is awaited; 0 is refused"},
    [KW_VARS_PROMPT] = {"vars_prompt", PLACE_PLAY,
                        "asked for nobody: `-e`, or the default; without either it is refused"},
};

const struct keyword_spec *keyword_spec(enum keyword keyword)
{
    return &specs[keyword];
}

/* with_community.general.flattened is with_flattened. */
static bool is_named(const struct keyword_spec *spec, const char *name)
{
    if (strcmp(spec->name, name) == 0)
        return true;
    const char *dot = strncmp(name, "with_", 5) == 0 ? strrchr(name, '.') : NULL;
    return dot && strncmp(spec->name, "with_", 5) == 0 && strcmp(spec->name + 5, dot + 1) == 0 &&
           (strncmp(name + 5, "ansible.builtin.", 16) == 0 ||
            strncmp(name + 5, "community.general.", 18) == 0);
}

int keyword_find(const char *name, unsigned place)
{
    for (int i = 0; i < KW_COUNT; i++)
        if ((specs[i].places & place) && is_named(&specs[i], name))
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
