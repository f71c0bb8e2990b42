/* Values written as JSON and YAML the way Python's json and PyYAML write them. Internal to the expression
 * engine. */
#pragma once
#include "playbook/value.h"

struct json_style {
    int indent; /* 0: one line */
    bool sort_keys;
    bool escape_html; /* < > & ' as \u00xx, for tojson */
    bool keep_unicode;
    const char *between, *after_key; /* NULL: ", " (with an indent ",") and ": " */
};
void data_add_json(struct strbuf *sb, const json_t *value, const struct json_style *style);

struct yaml_style {
    int indent;
    bool block; /* never inline maps and lists */
    bool sort_keys;
    int width; /* 0: 80 */
};
struct err *data_add_yaml(struct strbuf *sb, const json_t *value,
                          const struct yaml_style *style) REHOST_MUST_CHECK;
/* The keys of a map, in order or sorted by code point; the array is the caller's to free. */
const char **data_keys(const json_t *map, bool sorted);
