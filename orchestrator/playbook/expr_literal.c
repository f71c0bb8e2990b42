/* Text that looks like a Python or JSON value, read back as one: what Ansible does with the result of a
 * template. */
#include "playbook/expr_eval.h"
#include <string.h>

/* Builds the value of a tree of nothing but literals; NULL when there is anything else. */
static json_t *build(const struct expr_node *node)
{
    if (node->type == NODE_CONST)
        return json_incref(node->value);
    if (node->type == NODE_NAME)
        return strcmp(node->name, "null") == 0 ? json_null() : NULL;
    if (node->type == NODE_MINUS && node->left->type == NODE_CONST && json_is_number(node->left->value))
        return json_is_real(node->left->value) ? json_real(-json_real_value(node->left->value))
                                               : json_integer(-json_integer_value(node->left->value));
    if (node->type != NODE_LIST && node->type != NODE_TUPLE && node->type != NODE_DICT)
        return NULL;
    json_auto_t *value = node->type == NODE_DICT ? json_object() : json_array();
    for (size_t i = 0; i < node->arg_count; i++) {
        json_auto_t *item = build(node->args[i]);
        if (!item)
            return NULL;
        if (node->type != NODE_DICT) {
            json_array_append(value, item);
            continue;
        }
        json_auto_t *entry = build(node->args[++i]);
        if (!entry || json_is_array(item) || json_is_object(item))
            return NULL;
        CLEANUP_STRBUF struct strbuf key;
        strbuf_init(&key, VALUE_MAX_TEXT);
        value_add_text(&key, NULL, item);
        json_object_set(value, key.data, entry);
    }
    return TAKE(value);
}

struct err *eval_literal(struct eval *ev, const char *text, size_t length, json_t **out)
{
    CLEANUP_ARENA struct arena *scratch = arena_new((size_t)1 << 30);
    const struct expr_node *node;
    *out = NULL;
    TRY(pool_spend(ev->pool, 4 * length));
    if (strlen(text) != length)
        return NULL;
    CLEANUP_ERR struct err *e = expr_parse_text(scratch, ev->place, text, false, &node);
    json_t *value = e ? NULL : build(node);
    return value ? pool_keep(ev->pool, value, out) : NULL;
}
