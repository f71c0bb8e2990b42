/* Values inside one evaluation: json_t, and what JSON cannot say (undefined, tuple, text that must stay
 * text).
 *
 * A `struct pool` owns every value that an evaluation makes, until the whole evaluation ends; all json_t
 * pointers passed around inside are borrowed from it or from the scopes. What JSON cannot say is kept beside
 * the value, in a table by its address. The pool also holds the budget: a template cannot make more than 128
 * MiB of values, or nest them more than 100 deep.
 *
 * Internal to the expression engine. Threads: one pool belongs to one evaluation.
 */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "base/strbuf.h"
#include <jansson.h>

#define VALUE_MAX_TEXT (16u << 20)
#define VALUE_MAX_DEPTH 100

enum mark_kind {
    MARK_NONE,
    MARK_UNDEFINED,
    MARK_TUPLE,
    MARK_TEXT, /* stays text: a template does not read it back as a list or map */
    MARK_LOOP,
    MARK_NAMESPACE,
    MARK_MACRO,
    MARK_MODULE, /* what import gives */
    MARK_SELF,   /* the template's blocks */
    MARK_CYCLER,
    MARK_JOINER,
    MARK_SAFE, /* escaped already */
    MARK_TIME, /* text; data and members are filter_time.c's */
    MARK_SPAN
};

struct mark {
    const json_t *value;
    enum mark_kind kind;
    int depth;            /* of a container; 0: not measured yet */
    const char *why;      /* undefined: the message; in the arena */
    const char *name;     /* undefined: the name that was not found, or NULL */
    const json_t *within; /* undefined: the map that lacks it; NULL: the scopes */
    json_t *members;      /* namespace, macro, module: borrowed object */
    void *data;           /* loop, macro, cycler, joiner: of whoever made it; in the arena */
    json_t *rendered;     /* a variable's value after rendering, see eval_render_variable() */
    bool own;             /* made by this template: its methods may change it */
    bool rendering;       /* that is under way: a reference to it now is a loop */
};

struct pool {
    struct arena *arena; /* for parsed templates and messages; lives as long as the pool */
    json_t *kept;
    struct mark *marks; /* open addressing, power of two */
    size_t mark_count, mark_capacity;
    size_t spent_bytes;
    int variable_depth;          /* variables being rendered */
    int nesting;                 /* of the evaluator's own recursion */
    struct template_unit *units; /* templates that others include, parsed */
};

void pool_init(struct pool *pool);
void pool_free(struct pool *pool);
#define CLEANUP_POOL __attribute__((cleanup(pool_free)))

/* Hands a new reference to the pool; `*out` is the borrowed value. A NULL `fresh` (text that is not UTF-8) is
 * an error. */
struct err *pool_keep(struct pool *pool, json_t *fresh, json_t **out) REHOST_MUST_CHECK;
struct err *pool_spend(struct pool *pool, size_t bytes) REHOST_MUST_CHECK;
struct mark *pool_mark(struct pool *pool, const json_t *value); /* finds or makes */
const struct mark *pool_find(const struct pool *pool,
                             const json_t *value); /* NULL when there is none; pool may be NULL */
enum mark_kind pool_kind(const struct pool *pool, const json_t *value);

/* Shorthands for pool_keep() with a new value. */
struct err *pool_text(struct pool *pool, const char *text, size_t length, json_t **out) REHOST_MUST_CHECK;
struct err *pool_buffer(struct pool *pool, const struct strbuf *sb, json_t **out) REHOST_MUST_CHECK;
struct err *pool_integer(struct pool *pool, json_int_t number, json_t **out) REHOST_MUST_CHECK;
struct err *pool_real(struct pool *pool, double number, json_t **out) REHOST_MUST_CHECK;
json_t *pool_bool(bool truth); /* a constant: needs no keeping */

bool value_true(const json_t *value);
/* As Python compares: 1 == 1.0 == true. */
bool value_equal(const json_t *a, const json_t *b);
/* ERR_INPUT when the two have no order. */
struct err *value_compare(const json_t *a, const json_t *b, int *order) REHOST_MUST_CHECK;
/* Python's str() and repr(). */
void value_add_text(struct strbuf *sb, const struct pool *pool, const json_t *value);
void value_add_repr(struct strbuf *sb, const struct pool *pool, const json_t *value);
void value_add_real(struct strbuf *sb, double number);
/* Integers, reals and booleans. */
bool value_is_number(const json_t *value);
double value_number(const json_t *value);
json_int_t value_integer(const json_t *value);      /* of an integer or boolean */
bool value_is_int(const json_t *value);             /* integer or boolean */
const char *value_type_name(const json_t *value);   /* "a list" */
const char *value_python_type(const json_t *value); /* "list" */

/* Characters of UTF-8 text. */
size_t text_count(const char *text, size_t length);
size_t text_offset(const char *text, size_t length,
                   size_t character); /* byte offset; `length` when past the end */
