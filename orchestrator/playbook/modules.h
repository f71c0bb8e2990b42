/* What rehost knows about each module: where it runs and which arguments it takes.
 *
 * A module on the host is one file modules/NAME.sh, and the comment it begins with is its specification:
 *
 *   # NAME (COLLECTION): one sentence.
 *   # More for the reference.
 *   #
 *   # arg NAME TYPE[, required][, or ALIAS...][, one of WORD...]
 *   # any            (takes any other argument too)
 *   # free ARG       (what the text of `module: text` is)
 *   # returns KEY...
 *   # needs FILE...  (other files of modules/ that go along)
 *   # runs OTHER     (another name of that module: there is nothing but this comment)
 *
 * What is done on the control side has the same text in modules_here.c. Names are Ansible's, short or with
 * their collection. An argument that Ansible knows and that is not listed is refused like an unknown one.
 * Memory: everything lives in the arena of modules_load(). Threads: read-only once loaded.
 */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include <stdbool.h>

enum arg_type {
    ARG_TEXT,
    ARG_BOOL,
    ARG_INT,
    ARG_PATH,     /* on the host: ~ and $NAME are expanded there */
    ARG_MODE,     /* octal number or symbolic */
    ARG_WORDS,    /* a list, handed over as quoted words */
    ARG_COMMAS,   /* a list, handed over joined by commas */
    ARG_LINES,    /* a map or list, handed over as lines "key: value" */
    ARG_COMMAND,  /* a command line, handed over as quoted words */
    ARG_VALIDATE, /* the same, with %s for the file */
    ARG_ANY,      /* for actions on the control side */
    ARG_JSON,     /* handed over as compact JSON */
    ARG_TYPE_COUNT
};

enum { ARG_REQUIRED = 1 };

struct arg_spec {
    const char *name;
    enum arg_type type;
    unsigned flags;
    const char *aliases; /* separated by blanks, or NULL */
    const char *choices; /* separated by blanks, or NULL */
};

enum action {
    ACTION_HOST, /* the arguments go to the host as they are */
    ACTION_COMMAND,
    ACTION_COPY,
    ACTION_TEMPLATE,
    ACTION_SCRIPT,
    ACTION_UNARCHIVE,
    ACTION_SETUP,
    ACTION_REBOOT,
    ACTION_DEBUG, /* from here on nothing goes to the host */
    ACTION_ASSERT,
    ACTION_FAIL,
    ACTION_SET_FACT,
    ACTION_INCLUDE_VARS,
    ACTION_META,
    ACTION_PAUSE,
    ACTION_INCLUDE_TASKS,
    ACTION_IMPORT_TASKS,
    ACTION_INCLUDE_ROLE,
    ACTION_IMPORT_ROLE,
    ACTION_FOREIGN, /* for another system: fails when it is reached */
};

struct module_spec {
    const char *name;
    const char *collection;
    const char *summary; /* one sentence */
    const char *text;    /* more of them, or "" */
    enum action action;
    const char *shell; /* the file and function on the host (modules/NAME.sh, module_NAME), or NULL */
    const struct arg_spec *args; /* ends with a NULL name */
    const char *free_form; /* the argument that `module: text` is, or NULL: only key=value may stand there */
    const char *returns;   /* separated by blanks, or "" */
    bool any_args;         /* set_fact: every key is allowed */
};

/* The modules that a playbook can name. */
struct modules;

/* Reads the heads in the folders, of which the first one wins; folders that are not there are passed over.
 * ERR_INPUT "FILE:LINE: message" for a head that cannot be read. */
struct err *modules_load(struct arena *arena, const char *const *dirs, size_t count,
                         const struct modules **out) REHOST_MUST_CHECK;
/* NULL when there is no such module. */
const struct module_spec *modules_find(const struct modules *modules, const char *name);
/* The nearest module's name, or NULL. */
const char *modules_nearest(const struct modules *modules, const char *name);
/* All of them, by name; NULL after the last one. */
const struct module_spec *modules_at(const struct modules *modules, size_t index);
/* The shell text of modules/NAME.sh, and what it needs (separated by blanks, or ""). ERR_NOT_FOUND. */
struct err *modules_text(const struct modules *modules, const char *name, const char **text,
                         const char **needs) REHOST_MUST_CHECK;

/* By name or alias; NULL when the module does not take it. */
const struct arg_spec *module_find_arg(const struct module_spec *module, const char *name);
const char *module_nearest_arg(const struct module_spec *module, const char *name);
const char *arg_type_name(enum arg_type type);
/* Whether `word` is one of the blank-separated `words`. */
bool word_in(const char *words, const char *word);

/* --- between modules.c and modules_here.c --- */
struct module_here {
    enum action action;
    const char *head;
};
extern const struct module_here modules_here[]; /* ends with a NULL head */
