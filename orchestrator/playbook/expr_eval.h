/* Evaluating expression trees. Internal to the expression engine.
 *
 * An undefined value is an ordinary value with a mark until something uses it; using it is an error of kind
 * ERR_NOT_FOUND inside the engine (so that default() and lazily rendered variables can tell it from other
 * errors), and ERR_INPUT outside.
 */
#pragma once
#include "playbook/expr_ast.h"
#include "playbook/value.h"

/* Variables that a template sets itself (for, set, with), innermost first. */
struct local {
    struct local *next;
    const char *name;
    json_t *value; /* borrowed from the pool */
};

struct template_context;
struct block_entry;
struct arguments;

struct eval {
    struct pool *pool;
    const struct expr_env *env;
    const struct expr_place *place;
    struct local *locals;
    struct template_context *context; /* of the template under way, or NULL */
    const struct block_entry *block;  /* the block under way, for super() */
};

struct err *eval_node(struct eval *ev, const struct expr_node *node, json_t **out) REHOST_MUST_CHECK;
/* The same, but an undefined result is the error. */
struct err *eval_defined(struct eval *ev, const struct expr_node *node, json_t **out) REHOST_MUST_CHECK;
struct err *eval_truth(struct eval *ev, const struct expr_node *node, bool *truth) REHOST_MUST_CHECK;
/* NULL unless `value` is undefined. */
struct err *eval_require(struct eval *ev, const json_t *value) REHOST_MUST_CHECK;
/* The same for everything inside a value that is about to become text or to leave the engine. */
struct err *eval_require_deep(struct eval *ev, const json_t *value) REHOST_MUST_CHECK;
bool eval_is_undefined(const struct eval *ev, const json_t *value);
/* An undefined value. `name` (or NULL) was looked for in the map `within`, or in the scopes when that is
 * NULL; for did-you-mean. */
struct err *eval_undefined(struct eval *ev, json_t **out, const char *name, const json_t *within,
                           const char *fmt, ...) REHOST_PRINTF(5, 6) REHOST_MUST_CHECK;
/* "a.b['c']" for messages; `at` may be NULL in the two functions below. */
const char *eval_path(struct eval *ev, const struct expr_node *at);
/* A fresh tuple from a fresh array. */
struct err *eval_tuple(struct eval *ev, json_t *fresh, json_t **out) REHOST_MUST_CHECK;

struct err *eval_attribute(struct eval *ev, json_t *object, const char *name, const struct expr_node *at,
                           json_t **out) REHOST_MUST_CHECK;
struct err *eval_item(struct eval *ev, json_t *object, const json_t *index, const struct expr_node *at,
                      json_t **out) REHOST_MUST_CHECK;
struct err *eval_slice(struct eval *ev, json_t *object, json_t *const parts[3],
                       json_t **out) REHOST_MUST_CHECK;
struct err *eval_binary(struct eval *ev, enum expr_op op, json_t *left, json_t *right,
                        json_t **out) REHOST_MUST_CHECK;
struct err *eval_compare(struct eval *ev, enum expr_op op, json_t *left, json_t *right,
                         bool *truth) REHOST_MUST_CHECK;
struct err *eval_contains(json_t *container, const json_t *item, bool *truth) REHOST_MUST_CHECK;
struct err *eval_percent(struct eval *ev, const char *format, json_t *const *values, size_t count,
                         const json_t *map, json_t **out) REHOST_MUST_CHECK;
/* The raw value of a variable in the scopes, or NULL; *literal tells whether it is data. */
json_t *eval_find_variable(const struct expr_scope *scope, const char *name, bool *literal);
/* `callee(args)` of a macro, loop, joiner or what else can be called; super(); self.name(). template_parts.c
 */
struct err *eval_call_value(struct eval *ev, json_t *callee, const struct arguments *args,
                            json_t **out) REHOST_MUST_CHECK;
struct err *eval_joiner(struct eval *ev, json_t *separator, json_t **out) REHOST_MUST_CHECK;
struct err *eval_call_super(struct eval *ev, json_t **out) REHOST_MUST_CHECK;
struct err *eval_call_block(struct eval *ev, const char *name, json_t **out) REHOST_MUST_CHECK;
/* Renders a raw variable (template.c): strings in it that are templates, at any depth. */
struct err *eval_render_variable(struct eval *ev, const char *name, json_t *raw,
                                 json_t **out) REHOST_MUST_CHECK;
/* Python or JSON text of a list, map or boolean to its value; *out is NULL when it is none. */
struct err *eval_literal(struct eval *ev, const char *text, size_t length, json_t **out) REHOST_MUST_CHECK;
