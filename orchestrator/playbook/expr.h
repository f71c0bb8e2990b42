/* Expressions: the language between `{{` and `}}` and of `when`, with the meaning that Ansible 2.14 gives it.
 *
 * A value is a json_t. Names are looked up in a chain of scopes, innermost first. As in Ansible, a variable
 * may itself be a template ("{{ other }}/x"): its strings are rendered when it is used, at most 64 deep. A
 * scope whose values come from a host or were rendered before is marked `literal`: what stands in it is data
 * and never read as a template, so that a host cannot make the control side evaluate anything.
 *
 * Undefined values are an error ("'x' is undefined") unless default(), `is defined` and the like take care of
 * them. Unknown filters, tests and functions are found while parsing: ERR_INPUT with a suggestion.
 *
 * Errors: ERR_INPUT, "FILE:LINE: message", with the expression in it; a lookup's error keeps its own kind,
 * except ERR_NOT_FOUND. Limits: text 1 MiB, nesting 64, a value 16 MiB, steps of one evaluation 20 million.
 * Memory: the arena holds parsed expressions and messages; a json_t that is handed out is a new reference for
 * the caller. Threads: no shared state; scopes are only read. Sources: the Jinja 3.1 template designer
 * documentation, Ansible's "Using filters", "Tests" and "Lookups" pages; doubtful cases were settled by
 * running ansible-core 2.14.
 */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include <jansson.h>

/* What `{{ omit }}` yields; template_render_json() leaves out map entries with this value. */
#define EXPR_OMIT "__omit_place_holder__"

struct expr_scope {
    const struct expr_scope *outer; /* NULL: outermost */
    const json_t *vars;             /* an object; NULL counts as empty */
    bool literal; /* values are data (facts, results, loop items, set_fact), never templates */
};

struct expr_place {
    const char *file;
    int line; /* from 1; 0: unknown */
};

struct expr_env;

/* `lookup(plugin, terms..., key=value...)`: the caller's implementation. `terms` is an array, `options` an
 * object without `wantlist` and `errors`, which the evaluator handles. The result is a new reference: an
 * array with the result of each term (what Ansible's lookup plugins return), or another value as the only
 * result. An unknown plugin must be refused with ERR_INPUT. */
typedef struct err *expr_lookup_fn(struct arena *arena, const struct expr_env *env,
                                   const struct expr_place *place, const char *plugin, const json_t *terms,
                                   const json_t *options, json_t **result);

/* The text of the template `name` that the one at `from` (the outermost) includes, imports or extends, and
 * where it was found. ERR_NOT_FOUND when there is none. */
typedef struct err *expr_load_fn(struct arena *arena, const struct expr_env *env,
                                 const struct expr_place *from, const char *name, char **text, size_t *length,
                                 const char **path);

struct expr_env {
    const struct expr_scope *scope;
    expr_lookup_fn *lookup; /* NULL: lookups are refused */
    expr_load_fn *load;     /* NULL: templates stand alone */
    void *lookup_context;   /* of both */
    int lookup_depth; /* set by the evaluator: lookups under way; a template that looks itself up ends at 16
                       */
};

/* `text` is a bare expression, as in `when`; an expression wholly inside `{{ }}` is accepted too. */
struct err *expr_evaluate(struct arena *arena, const struct expr_env *env, const struct expr_place *place,
                          const char *text, json_t **value) REHOST_MUST_CHECK;
/* The truth of `text` as a condition (when, failed_when, changed_when, until, assert). */
struct err *expr_is_true(struct arena *arena, const struct expr_env *env, const struct expr_place *place,
                         const char *text, bool *truth) REHOST_MUST_CHECK;
/* Parses a condition only: syntax and the names of filters, tests and functions. */
struct err *expr_check(struct arena *arena, const struct expr_place *place,
                       const char *text) REHOST_MUST_CHECK;
/* The variables (and functions) that `text` refers to, each once, in the arena. With a scope, the variables
 * that those variables' own templates refer to are included. For finding out which tasks depend on an earlier
 * result. */
struct err *expr_names(struct arena *arena, const struct expr_scope *scope, const struct expr_place *place,
                       const char *text, const char ***names, size_t *count) REHOST_MUST_CHECK;

/* The value as Ansible counts it for `when: value` (Python's truth of it). */
bool expr_value_is_true(const json_t *value);
/* The value as text in a template: True, None, 1.5, ['a', 'b'], {'k': 1}; strings as they are. In the arena.
 */
char *expr_value_text(struct arena *arena, const json_t *value);
