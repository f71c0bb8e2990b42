/* Rendering inside one evaluation. Internal to the template engine. */
#pragma once
#include "playbook/expr_eval.h"
#include "playbook/template_ast.h"

/* Appends the rendered text to `out`. *only is the value when the template was nothing but one output, else
 * NULL. */
struct err *template_render_nodes(struct eval *ev, const struct template_syntax *syntax, const char *text,
                                  size_t length, struct strbuf *out, json_t **only) REHOST_MUST_CHECK;
/* A template in a playbook or variable; see template_render(). */
struct err *template_render_value(struct eval *ev, const char *text, size_t length,
                                  json_t **out) REHOST_MUST_CHECK;

/* --- between template_render.c and template_parts.c --- */

/* The versions of a block, that of the outermost child first. */
struct block_entry {
    const struct template_node *node;
    const struct template_unit *unit;
    const struct block_entry *base; /* what super() is */
    struct block_entry *next;       /* another name */
};

/* What one template and those that it extends share while they are rendered. */
struct template_context {
    const struct expr_place *root; /* of the outermost template, to look for others */
    struct block_entry *blocks;
    const char *newline; /* NULL: \n */
    struct local *top;   /* what was set outside of loops and the like: blocks and macros see it */
};

struct render {
    struct eval *ev;
    struct strbuf *out;
    json_t *only;   /* the value of the only output so far */
    size_t outputs; /* texts and values written to the outermost level */
    bool top;       /* outside of loops, macros, blocks: what is set is for the whole template */
    const struct template_unit *unit, *parent; /* parent: what it extends, once that statement was met */
};

struct err *render_nodes(struct render *r, const struct template_node *node) REHOST_MUST_CHECK;
/* Renders a body into a text of its own. */
struct err *render_apart(struct render *r, const struct template_node *body, json_t **text) REHOST_MUST_CHECK;
struct err *render_bind(struct eval *ev, const char *name, json_t *value) REHOST_MUST_CHECK;
/* loop(items) and the methods of `loop`. */
struct err *render_loop_again(struct eval *ev, void *loop, json_t *items, json_t **text) REHOST_MUST_CHECK;
struct err *render_loop_method(struct eval *ev, json_t *loop, const char *name, const struct arguments *args,
                               json_t **out) REHOST_MUST_CHECK;
/* Line ends become \n. */
const char *template_unify_lines(struct arena *arena, const char *text, size_t *length);
/* The unit and what it extends. */
struct err *render_unit(struct render *r) REHOST_MUST_CHECK;

struct err *render_block(struct render *r, const struct template_node *node) REHOST_MUST_CHECK;
struct err *render_extends(struct render *r, const struct template_node *node) REHOST_MUST_CHECK;
struct err *render_include(struct render *r, const struct template_node *node) REHOST_MUST_CHECK;
struct err *render_import(struct render *r, const struct template_node *node) REHOST_MUST_CHECK;
struct err *render_macro(struct render *r, const struct template_node *node) REHOST_MUST_CHECK;
struct err *render_call(struct render *r, const struct template_node *node) REHOST_MUST_CHECK;
/* Adds the unit's blocks behind those that are there. */
void render_add_blocks(struct eval *ev, const struct template_unit *unit);
