/* Parsed templates. Internal to the template engine. Nodes live in the arena; threads: read-only after
 * parsing. */
#pragma once
#include "playbook/expr_ast.h"
#include "playbook/template.h"

enum template_node_type {
    TEMPLATE_TEXT,
    TEMPLATE_OUTPUT,  /* {{ expr }} */
    TEMPLATE_IF,      /* expr, body; otherwise holds elif and else */
    TEMPLATE_FOR,     /* targets in expr (items), condition, body; otherwise holds else */
    TEMPLATE_SET,     /* targets = expr, or the rendered body when expr is NULL */
    TEMPLATE_WITH,    /* targets[i] = values[i], body */
    TEMPLATE_FILTER,  /* body through expr, whose innermost input is the constant `hole` */
    TEMPLATE_BLOCK,   /* name, body */
    TEMPLATE_EXTENDS, /* expr: the name of the other template */
    TEMPLATE_INCLUDE, /* expr: a name or a list of them */
    TEMPLATE_IMPORT,  /* expr as name; or targets[i] of it as aliases[i] */
    TEMPLATE_MACRO,   /* name(targets, with the last default_count values as defaults), body */
    TEMPLATE_CALL     /* expr, a call, with caller(targets) that renders body */
};

struct template_node {
    struct template_node *next;
    enum template_node_type type;
    int line;
    const char *text; /* of the text; of other nodes the source, for messages */
    size_t length;
    const struct expr_node *expr, *condition;
    struct template_node *body, *otherwise;
    const char **targets;
    size_t target_count;
    const char *member; /* set: targets[0] is a namespace and this its member */
    const struct expr_node **values;
    struct expr_node *hole;
    bool uses_loop;
    bool unpack;      /* several targets take an item apart */
    bool recursive;   /* for: loop(items) renders it again */
    const char *name; /* of a block, a macro or a module */
    const char **aliases;
    struct template_node *next_block; /* of the same template */
    bool scoped, required;            /* block */
    bool ignore_missing, with_context;
    bool uses_varargs, uses_kwargs, uses_caller; /* macro */
};

/* A parsed template. */
struct template_unit {
    const char *path; /* as it was loaded; NULL for the outermost */
    struct expr_place place;
    struct template_node *first, *blocks;
    struct template_unit *next; /* a cache's list */
};

/* Reads a `#jinja2:` line at the text's start, if there is one: fills `syntax`, tells how long the line is.
 */
struct err *template_read_header(struct arena *arena, const struct expr_place *place, const char *text,
                                 size_t length, struct template_syntax *syntax,
                                 size_t *header_length) REHOST_MUST_CHECK;
/* Fills `unit`, whose place is set. Calls of what is neither a function nor a macro of the template are
 * refused, unless it is a part of another template that may have its own. */
struct err *template_parse(struct arena *arena, const struct template_syntax *syntax, const char *text,
                           size_t length, bool part, struct template_unit *unit) REHOST_MUST_CHECK;
/* Calls `visit` for every name that an expression of the template reads, and with TEMPLATE_OTHER_FILES when
 * it needs other templates. */
void template_walk_names(const struct template_node *node, void (*visit)(void *context, const char *name),
                         void *context);
