/* What rehost knows about each module: where it runs and which arguments it takes.
 *
 * Names are Ansible's, short or with their collection (ansible.builtin, ansible.posix, community.general). An
 * argument that Ansible knows and rehost does not is refused like an unknown one. Sources: the modules'
 * documentation in ansible-core 2.14 and the collections ansible.posix 1.4 and community.general 6. Threads:
 * constant tables.
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
    ACTION_DEBUG,
    ACTION_ASSERT,
    ACTION_FAIL,
    ACTION_SET_FACT,
    ACTION_INCLUDE_VARS,
    ACTION_META,
    ACTION_PAUSE,
    ACTION_SETUP,
    ACTION_INCLUDE_TASKS,
    ACTION_IMPORT_TASKS,
    ACTION_INCLUDE_ROLE,
    ACTION_IMPORT_ROLE,
};

struct module_spec {
    const char *name;
    const char *collection;
    enum action action;
    const char *shell; /* the file and function on the host (modules/NAME.sh, module_NAME), or NULL */
    const struct arg_spec *args; /* ends with a NULL name */
    const char
        *free_form; /* the argument that `module: text` is, or NULL when only key=value may stand there */
    bool any_args;  /* set_fact: every key is allowed */
};

/* NULL when there is no such module. */
const struct module_spec *module_find(const char *name);
/* The nearest module's name, or NULL. */
const char *module_nearest(const char *name);
/* By name or alias; NULL when the module does not take it. */
const struct arg_spec *module_find_arg(const struct module_spec *module, const char *name);
const char *module_nearest_arg(const struct module_spec *module, const char *name);
/* Whether `word` is one of the blank-separated `words`. */
bool word_in(const char *words, const char *word);
