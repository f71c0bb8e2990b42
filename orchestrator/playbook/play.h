/* A playbook in memory: what parse.c makes and run.c walks. Internal to the playbook layer.
 *
 * Everything is an entry: a task, or a block of entries. A play, a role and an included file are blocks too,
 * so that keywords are inherited in one way: by following `parent`. Keyword values stay as they were written
 * (templates and all) and are rendered when the run reaches them. Entries live in the playbook's arena and
 * are read-only after loading; json_t values belong to them.
 */
#pragma once
#include "base/arena.h"
#include "base/yaml.h"
#include "playbook/modules.h"
#include "playbook/playbook.h"
#include "playbook/template.h"

enum keyword {
    KW_NAME,
    KW_WHEN,
    KW_VARS,
    KW_TAGS,
    KW_BECOME,
    KW_BECOME_USER,
    KW_BECOME_METHOD,
    KW_CHECK_MODE,
    KW_DIFF,
    KW_ENVIRONMENT,
    KW_IGNORE_ERRORS,
    KW_IGNORE_UNREACHABLE,
    KW_ANY_ERRORS_FATAL,
    KW_NO_LOG,
    KW_DELEGATE_TO,
    KW_RUN_ONCE,
    KW_REMOTE_USER,
    KW_THROTTLE,
    KW_NOTIFY,
    KW_REGISTER,
    KW_CHANGED_WHEN,
    KW_FAILED_WHEN,
    KW_UNTIL,
    KW_RETRIES,
    KW_DELAY,
    KW_LOOP,
    KW_LOOP_CONTROL,
    KW_WITH_ITEMS,
    KW_WITH_LIST,
    KW_WITH_DICT,
    KW_WITH_FIRST_FOUND,
    KW_WITH_FILEGLOB,
    KW_WITH_SEQUENCE,
    KW_WITH_TOGETHER,
    KW_WITH_NESTED,
    KW_WITH_CARTESIAN,
    KW_WITH_SUBELEMENTS,
    KW_WITH_RANDOM_CHOICE,
    KW_WITH_INDEXED_ITEMS,
    KW_WITH_FLATTENED,
    KW_WITH_FILE,
    KW_WITH_LINES,
    KW_WITH_ENV,
    KW_ARGS,
    KW_LISTEN,
    KW_BLOCK,
    KW_RESCUE,
    KW_ALWAYS,
    KW_HOSTS,
    KW_GATHER_FACTS,
    KW_GATHER_SUBSET,
    KW_VARS_FILES,
    KW_ROLES,
    KW_TASKS,
    KW_PRE_TASKS,
    KW_POST_TASKS,
    KW_HANDLERS,
    KW_SERIAL,
    KW_STRATEGY,
    KW_FORCE_HANDLERS,
    KW_MAX_FAIL_PERCENTAGE,
    KW_ROLE,
    KW_CONNECTION,
    KW_COLLECTIONS,
    KW_MODULE_DEFAULTS,
    KW_VARS_PROMPT,
    KW_ASYNC,
    KW_POLL,
    KW_COUNT
};

enum place {
    PLACE_PLAY = 1,
    PLACE_BLOCK = 2,
    PLACE_TASK = 4,
    PLACE_HANDLER = 8,
    PLACE_ROLE = 16,
    PLACE_INCLUDE = 32,
    PLACE_IMPORT = 64 /* import_playbook */
};

struct keyword_spec {
    const char *name;
    unsigned places;     /* where it may stand */
    const char *meaning; /* for the reference */
};
const struct keyword_spec *keyword_spec(enum keyword keyword);
/* -1 when there is none of that name at that place. */
int keyword_find(const char *name, unsigned place);
/* The nearest keyword that may stand there, or NULL. */
const char *keyword_nearest(struct arena *arena, const char *name, unsigned place);

struct entry_list {
    struct entry **items;
    size_t count, capacity;
};
void entry_list_add(struct arena *arena, struct entry_list *list, struct entry *entry);

/* One use of a role; uses with the same parameters are one. */
struct role {
    const char *name;
    const char *path;
    const char *key;  /* tells uses apart */
    json_t *defaults; /* objects, never NULL; with those of the roles it depends on */
    json_t *vars;
    struct entry_list handlers;
    struct role **needs; /* what it depends on */
    size_t need_count, need_capacity;
    bool visible;     /* the whole play sees its variables and handlers from the beginning */
    bool repeats;     /* meta: allow_duplicates */
    size_t use_count; /* how often the play names it */
};

enum entry_kind { ENTRY_TASK, ENTRY_BLOCK };

struct entry {
    enum entry_kind kind;
    const struct entry *parent; /* of a play: its import_playbook, or NULL */
    const struct role *role;    /* NULL outside of roles */
    const char *file;           /* of the YAML */
    int line, column;
    int number;                 /* in the order of the walk, from 1; 0: read during the run, or a handler */
    json_t *keywords[KW_COUNT]; /* NULL: not given */
    int keyword_lines[KW_COUNT];

    /* tasks */
    const struct module_spec *module;
    const char *written; /* the module's name as it stands there */
    json_t *args;        /* an object with canonical names; values may be templates */
    const char *text;    /* the free form of command and the like, or NULL */

    /* blocks; a task that includes (include_tasks, include_role) holds what it includes when its name is no
     * template */
    struct entry_list block, rescue, always;
    const struct entry *apply; /* of an include: a block with the keywords of what it includes, or NULL */
    json_t *params;            /* of a use of a role: what is no keyword; or NULL */
    json_t *given;             /* of a use of a role: its vars; or NULL */
    const struct role *starts; /* a block with all tasks of a role that does not run twice, or NULL */
};

struct play {
    struct entry *root;                                       /* carries the play's keywords */
    struct entry_list pre_tasks, tasks, post_tasks, handlers; /* tasks: roles, then tasks */
    struct role **roles;
    size_t role_count, role_capacity;
    const char *dir;    /* of its file */
    json_t *vars;       /* vars, then vars_files */
    json_t *vars_files; /* those that only the run can find, or NULL */
    bool uses_facts;
    bool dynamic; /* files are only known in the run: they may name facts */
    bool open;    /* an include will only be known in the run: it may bring handlers */
};

struct playbook {
    struct arena *arena;
    const char *path;
    const char *dir;
    struct playbook_paths paths;
    const struct modules *modules;
    struct play **plays;
    size_t play_count, play_capacity;
    size_t task_count;
    char digest[65];
    bool names_hostvars; /* some file does */
};

/* Where an entry's keywords come from when it has none itself: the parent; but the keywords of an
 * include_tasks or include_role are its own and not those of what it includes. */
const struct entry *entry_heritage(const struct entry *entry);
/* The nearest value of an inherited keyword, from the task outwards; NULL when nobody gave one. */
const json_t *entry_inherited(const struct entry *entry, enum keyword keyword, const struct entry **giver);
/* "FILE:LINE" for expressions. */
struct expr_place entry_place(const struct entry *entry, enum keyword keyword);
/* ERR_INPUT "FILE:LINE:COLUMN: message". */
struct err *entry_error(const struct entry *entry, const char *fmt, ...)
    REHOST_PRINTF(2, 3) REHOST_MUST_CHECK;
/* The task's name, or its module's; not rendered. */
const char *entry_title(const struct entry *entry);

/* The value as yes or no, as Ansible reads it; false when it is neither. */
bool value_as_flag(const json_t *value, bool *flag);

/* --- tags.c --- */
/* The tags of the entry and of what it inherits from, as they are written: an array of text (new reference).
 */
json_t *entry_tags(const struct entry *entry);
/* Whether a task with these tags (rendered) runs with --tags and --skip-tags, as Ansible decides it. */
bool tags_selected(const json_t *tags, const char *only, const char *skip);
/* A comma list as an array of text (new reference); `fallback` when it is NULL or empty. */
json_t *tags_of_list(const char *list, const char *fallback);

/* --- list.c --- */
/* Whether --start-at-task means this task. */
bool entry_is_named(const struct entry *entry, const char *pattern);
/* ERR_INPUT when there is no task to start at. */
struct err *playbook_check_start(const struct playbook *playbook,
                                 const struct playbook_options *options) REHOST_MUST_CHECK;

/* Tasks that cannot be taken. */
#define MAX_REFUSED 20
struct refused {
    struct err *items[MAX_REFUSED];
    size_t count;
};

/* What parse.c and load.c share. */
struct loader {
    struct refused *refused; /* NULL: the first one ends it */
    struct playbook *playbook;
    struct arena *arena;
    struct play *play;
    const char **files; /* every file read so far, for the digest */
    size_t file_count, file_capacity;
    const struct entry *import; /* the import_playbook that is being followed, or NULL */
    int depth, role_depth;      /* of includes and roles, against endless ones */
};
/* Whether a text names a fact (`ansible_...`). */
bool text_names_fact(const char *text);
void loader_note_file(struct loader *loader, const char *path);
struct err *parse_play(struct loader *loader, const struct yaml_node *node,
                       struct play **play) REHOST_MUST_CHECK;
/* A list of tasks and blocks. */
struct err *parse_entries(struct loader *loader, const struct yaml_node *list, const struct entry *parent,
                          const struct role *role, unsigned place, struct entry_list *out) REHOST_MUST_CHECK;
/* A file that holds such a list (included, or a role's). */
struct err *parse_task_file(struct loader *loader, const char *path, const struct entry *parent,
                            const struct role *role, unsigned place,
                            struct entry_list *out) REHOST_MUST_CHECK;
/* One item of `roles:` or (with `needed_by`) of a role's dependencies, as a block. */
struct err *parse_role_use(struct loader *loader, const struct yaml_node *node, const struct entry *parent,
                           const struct role *needed_by, struct role **role,
                           struct entry_list *out) REHOST_MUST_CHECK;

/* --- load_roles.c --- */
struct role_request {
    const char *name;
    const char *tasks_from, *vars_from, *defaults_from, *handlers_from; /* NULL: main */
    bool visible;
    bool include; /* by a task */
    bool once;    /* not again in a play when it has run */
};
/* A role and what it depends on, as blocks below `parent`. `role` may be NULL. */
struct err *load_role(struct loader *loader, const struct role_request *request, const struct entry *at,
                      const struct entry *parent, struct role **role,
                      struct entry_list *out) REHOST_MUST_CHECK;
/* Whether `entry` is itself in that role. */
bool role_is_around(const struct loader *loader, const struct entry *entry, const char *name);

/* A YAML file with a map of variables. */
struct err *load_vars_file(struct arena *arena, const char *path, json_t **vars) REHOST_MUST_CHECK;
/* Where a file named in a task is: role, folder of the task's file, folder of the playbook; `subdir` is
 * "files", "templates", "vars", "tasks". NULL when it is nowhere. */
char *find_file(struct arena *arena, const struct playbook *playbook, const struct entry *entry,
                const char *subdir, const char *name);
/* Keeps a json_t as long as the arena lives. NULL stays NULL. */
json_t *json_keep(struct arena *arena, json_t *json);
