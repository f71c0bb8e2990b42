/* Binding YAML to structs by a table.
 *
 * One table per kind of map names its keys, their types and where they go; the same table validates (unknown
 * key with did-you-mean, missing key, wrong type, all as "FILE:LINE:COLUMN: hosts.web-1.places[0].region:
 * ..."), and docs/inventory.md is made from it.
 *
 * Bound values live in the arena. Threads: tables are constant.
 */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "base/yaml.h"
#include <stddef.h>

enum schema_type {
    SCHEMA_TEXT,      /* const char * */
    SCHEMA_PATH,      /* const char *, resolved against the file's folder */
    SCHEMA_INT,       /* int64_t, min..max */
    SCHEMA_BOOL,      /* bool */
    SCHEMA_DURATION,  /* int64_t, milliseconds; written "15m" */
    SCHEMA_TEXT_LIST, /* struct schema_texts */
    SCHEMA_JSON,      /* json_t *, a map of anything: variables, a dataset's own options */
    SCHEMA_MAP,       /* a struct, inline */
    SCHEMA_NAMED, /* struct schema_items: a map of name -> struct; the struct begins with `const char *name`
                   */
    SCHEMA_LIST,  /* struct schema_items: a list of structs */
};

struct schema_texts {
    const char **items;
    size_t count;
};

struct schema_items {
    void *items; /* array of structs of the sub-table's size */
    size_t count;
};

struct schema_key {
    const char *name;
    enum schema_type type;
    size_t offset;
    bool required;
    int64_t min, max;           /* SCHEMA_INT; max 0: any */
    const char *const *choices; /* SCHEMA_TEXT: NULL-terminated, or NULL */
    const char *fallback;       /* as it would be written; NULL: zero */
    const struct schema *sub;   /* SCHEMA_MAP, SCHEMA_NAMED, SCHEMA_LIST */
    const char *doc;
};

struct schema {
    const char *title;
    size_t struct_size;
    const struct schema_key *keys;
    size_t key_count;
    size_t rest_offset; /* when rest: a json_t * that takes all other keys (a dataset's own options) */
    bool rest;
    size_t where_offset; /* when has_where: a `const struct yaml_node *` that remembers the place */
    bool has_where;
};

struct err *schema_bind(struct arena *arena, const struct schema *schema, const struct yaml_node *node,
                        const char *path, const char *base_dir, void *out) REHOST_MUST_CHECK;
/* Writes the reference of the table and its sub-tables as Markdown. */
void schema_describe(const struct schema *schema, const char *path, struct strbuf *out);
