/* YAML as a tree that remembers where each value stood.
 *
 * A safe subset of YAML 1.1 for files that people write: one or several documents, maps with scalar keys, lists, scalars, anchors, aliases and
 * `<<` merges. Refused, with file:line:column: more than 1 MiB, depth > 64, more than 100 aliases or 50 000 nodes after expansion, cycles,
 * invalid UTF-8, NUL, UTF-16, tabs as indentation, duplicate keys, tags other than the core ones and `!unsafe` of text (its text is then
 * a template that gives what was written).
 *
 * Nodes live in the arena. Threads: a tree is read-only.
 */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include <jansson.h>
#include <stddef.h>

enum yaml_type { YAML_NULL, YAML_BOOL, YAML_INT, YAML_FLOAT, YAML_STRING, YAML_LIST, YAML_MAP };

struct yaml_node {
    enum yaml_type type; /* of a plain scalar as Ansible reads it (YAML 1.1: yes/no/on/off are booleans); quoted: always YAML_STRING */
    const char *file;
    int line, column;    /* from 1 */
    const char *text;    /* scalars: as written (after unquoting) */
    size_t text_length;
    bool quoted;
    size_t count;                   /* lists and maps */
    const struct yaml_node **items; /* list items, or map values */
    const struct yaml_node **keys;  /* map keys (scalars), in file order */
};

/* `file` is the name for messages. An empty document gives a YAML_NULL node. More than one document is ERR_INPUT. */
struct err *yaml_parse(struct arena *arena, const char *file, const char *text, size_t length,
                       const struct yaml_node **root) REHOST_MUST_CHECK;
struct err *yaml_parse_file(struct arena *arena, const char *path, const struct yaml_node **root) REHOST_MUST_CHECK;

const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key); /* NULL when absent or not a map */
/* The node as JSON (new reference): for variables of playbooks and free-form parts of the inventory. */
json_t *yaml_to_json(const struct yaml_node *node);
const char *yaml_type_name(enum yaml_type type); /* "a map", "a list", "text", "a whole number" ... */
/* ERR_INPUT "FILE:LINE:COLUMN: message". */
struct err *yaml_error(const struct yaml_node *at, const char *fmt, ...) REHOST_PRINTF(2, 3) REHOST_MUST_CHECK;
/* The candidate nearest to `word` by edit distance (at most 2, and less than its length), or NULL: for did-you-mean. */
const char *yaml_nearest(const char *word, const char *const *candidates, size_t count);
