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
