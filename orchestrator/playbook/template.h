/* Templates: text with {{ expressions }}, {% statements %} and {# comments #}, as Ansible 2.14 renders them.
 *
 * Statements: if/elif/else, for (with else, `if`, unpacking, `recursive`, `loop`), set (also as a block, with
 * filters, and of namespace() members), raw, filter, with, macro, call, block, extends, include, import,
 * from. `-` at a tag's edge strips white space. Others (do, break, continue, autoescape, trans, debug) are
 * refused by name, as Ansible does unless it is configured otherwise.
 *
 * Errors, limits, memory and threads: as in expr.h; a rendered text is at most 16 MiB.
 */
#pragma once
#include "playbook/expr.h"

/* How templates are written. Texts are borrowed. */
struct template_syntax {
    const char *start[3], *end[3]; /* variable, block, comment */
    bool trim_blocks, lstrip_blocks;
    const char *newline; /* line ends of the template's own text; NULL: as \n */
    bool raw_text; /* backslashes inside {{ }} stand for themselves: templates in playbooks, not files */
};
extern const struct template_syntax template_default_syntax;
/* The line end that '\\n', '\\r' or '\\r\\n' stands for, with or without quotes, or that the text is; NULL
 * for others. */
const char *template_newline(const char *text);

/* Among the names that template_names() gives: the template needs other files, whose names of variables are
 * not in the list. */
#define TEMPLATE_OTHER_FILES "{% include %}"

/* Whether the text holds `{{`, `{%` or `{#` at all: rendering anything else gives it back unchanged. */
bool template_is_template(const char *text);
/* The same for any string in the value. */
bool template_is_template_json(const json_t *value);

/* A string from a playbook or a variable. "{{ name }}" alone gives the variable with its type; other
 * templates give text, which is read back as a list, map or boolean if it looks like one (so "{{ [1] + [2]
 * }}" is a list, "{{ 1 + 1 }}" is the text "2": what Ansible does). */
struct err *template_render(struct arena *arena, const struct expr_env *env, const struct expr_place *place,
                            const char *text, json_t **value) REHOST_MUST_CHECK;
/* Every string in `value`, however deep; map keys stay. Map entries and list items that come out as EXPR_OMIT
 * are left out. For the arguments of a module. */
struct err *template_render_json(struct arena *arena, const struct expr_env *env,
                                 const struct expr_place *place, const json_t *value,
                                 json_t **rendered) REHOST_MUST_CHECK;
/* A template file's text (the template module and lookup): always text; trim_blocks on, lstrip_blocks off,
 * the last newline is kept; a first line `#jinja2: key: value, ...` may set trim_blocks, lstrip_blocks and
 * the delimiters. `name` is for messages. The text is in the arena. */
struct err *template_render_text(struct arena *arena, const struct expr_env *env, const char *name,
                                 const char *text, size_t length, char **rendered,
                                 size_t *rendered_length) REHOST_MUST_CHECK;
/* The same, read from the file at `path`; its first line may change the syntax. */
struct err *template_render_file(struct arena *arena, const struct expr_env *env,
                                 const struct template_syntax *syntax, const char *path, char **rendered,
                                 size_t *rendered_length) REHOST_MUST_CHECK;
/* Parses only, see expr_check(). */
struct err *template_check(struct arena *arena, const struct expr_place *place,
                           const char *text) REHOST_MUST_CHECK;
/* See expr_names(). */
struct err *template_names(struct arena *arena, const struct expr_scope *scope,
                           const struct expr_place *place, const char *text, const char ***names,
                           size_t *count) REHOST_MUST_CHECK;
/* The same for every string in a value. */
struct err *template_names_json(struct arena *arena, const struct expr_scope *scope,
                                const struct expr_place *place, const json_t *value, const char ***names,
                                size_t *count) REHOST_MUST_CHECK;
