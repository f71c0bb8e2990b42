/* The tree is built from libyaml's events by recursion, which is safe because depth is bounded before
 * descending. Aliases share nodes instead of copying them; what they would expand to is counted, since
 * consumers walk the tree as if copied. */
#include "base/yaml.h"
#include "base/fs.h"
#include "base/yaml_scalar.h"
#include <string.h>
#include <yaml.h>

#define MAX_FILE_BYTES (1u << 20)
#define MAX_DEPTH 64
#define MAX_ALIASES 100
#define MAX_NODES 50000
#define MAX_TEXT_BYTES (16u << 20) /* after expansion: a long text behind many aliases */

/* What a subtree amounts to when every alias in it is written out. */
struct extent {
    size_t nodes;
    size_t bytes;
    int height;
};

struct anchor {
    struct anchor *next;
    const char *name;
    const struct yaml_node *node; /* NULL while it is being built: an alias to it would be a cycle */
    struct extent extent;
};

struct builder {
    struct arena *arena;
    const char *file;
    yaml_parser_t parser;
    yaml_event_t event; /* the current one */
    bool has_event;
    struct anchor *anchors; /* newest first: a name may be defined again */
    int aliases;
    size_t nodes, bytes; /* so far, expanded */
};

struct children {
    const struct yaml_node **keys, **items;
    size_t count, capacity;
};

static struct err *build_node(struct builder *b, int depth, const struct yaml_node **node,
                              struct extent *extent);

static struct err *error_at(const struct builder *b, yaml_mark_t mark, const char *message)
{
    return err_new(ERR_INPUT, "%s:%zu:%zu: %s", b->file, mark.line + 1, mark.column + 1, message);
}

static struct err *parser_error(const struct builder *b)
{
    const yaml_parser_t *p = &b->parser;
    if (p->error == YAML_MEMORY_ERROR)
        return err_new(ERR_INTERNAL, "%s: out of memory while reading YAML", b->file);
    const char *problem = p->problem ? p->problem : "not valid YAML";
    struct err *e = error_at(b, p->problem_mark, problem);
    if (strstr(problem, "cannot start any token"))
        return err_with_hint(e,
                             "indent with spaces, not tabs; put text that starts with @, ` or %% in quotes");
    if (strstr(problem, "mapping values are not allowed"))
        return err_with_hint(e, "put text that holds ': ' in quotes");
    return e;
}

static struct err *next_event(struct builder *b)
{
    if (b->has_event)
        yaml_event_delete(&b->event);
    b->has_event = yaml_parser_parse(&b->parser, &b->event) != 0;
    return b->has_event ? NULL : parser_error(b);
}

static struct err *count_extent(struct builder *b, const struct extent *extent, yaml_mark_t mark)
{
    b->nodes += extent->nodes;
    b->bytes += extent->bytes;
    if (b->nodes > MAX_NODES)
        return error_at(b, mark, "the file has more than 50000 values when its aliases are written out");
    if (b->bytes > MAX_TEXT_BYTES)
        return error_at(b, mark, "the file has more than 16 MiB of text when its aliases are written out");
    return NULL;
}

static struct anchor *define_anchor(struct builder *b, const yaml_char_t *name)
{
    if (!name)
        return NULL;
    struct anchor *anchor = ARENA_NEW(b->arena, struct anchor);
    anchor->name = arena_strdup(b->arena, (const char *)name);
    anchor->next = b->anchors;
    b->anchors = anchor;
    return anchor;
}

static struct yaml_node *new_node(struct builder *b, enum yaml_type type)
{
    struct yaml_node *node = ARENA_NEW(b->arena, struct yaml_node);
    node->type = type;
    node->file = b->file;
    node->line = (int)b->event.start_mark.line + 1;
    node->column = (int)b->event.start_mark.column + 1;
    node->text = "";
    return node;
}

static struct err *build_alias(struct builder *b, int depth, const struct yaml_node **node,
                               struct extent *extent)
{
    const char *name = (const char *)b->event.data.alias.anchor;
    yaml_mark_t mark = b->event.start_mark;
    const struct anchor *anchor = b->anchors;
    while (anchor && strcmp(anchor->name, name) != 0)
        anchor = anchor->next;
    if (!anchor)
        return err_new(ERR_INPUT, "%s:%zu:%zu: the alias '*%s' has no anchor before it", b->file,
                       mark.line + 1, mark.column + 1, name);
    if (!anchor->node)
        return err_new(ERR_INPUT, "%s:%zu:%zu: the alias '*%s' contains itself", b->file, mark.line + 1,
                       mark.column + 1, name);
    if (++b->aliases > MAX_ALIASES)
        return error_at(b, mark, "more than 100 aliases");
    if (depth + anchor->extent.height > MAX_DEPTH)
        return error_at(b, mark, "nested more than 64 deep");
    *node = anchor->node;
    *extent = anchor->extent;
    return count_extent(b, extent, mark);
}

/* Text that is never a template (`!unsafe`): it is kept as a template that gives just this text, so that all who
 * read it need not know. */
static void protect(struct builder *b, struct yaml_node *node)
{
    const char *p = node->text;
    while ((p = strchr(p, '{')) && p[1] != '{' && p[1] != '%' && p[1] != '#')
        p++;
    if (!p)
        return;
    static const char quote[] = "\" ~ '\"' ~ \""; /* templates of tasks know no escapes */
    char *text = arena_alloc(b->arena, sizeof(quote) * node->text_length + sizeof("{{ \"\" }}")), *to = text;
    to += sprintf(to, "{{ \"");
    for (p = node->text; *p; p++) {
        if (*p == '"')
            to += sprintf(to, "%s", quote);
        else
            *to++ = *p;
    }
    to += sprintf(to, "\" }}");
    node->text = text;
    node->text_length = (size_t)(to - text);
}

static struct err *apply_tag(struct builder *b, struct yaml_node *node, const char *tag)
{
    enum yaml_type wanted;
    if (strcmp(tag, "!unsafe") == 0) {
        node->type = YAML_STRING;
        protect(b, node);
        return NULL;
    }
    if (!yaml_scalar_tag(tag, &wanted))
        return err_with_hint(yaml_error(node, "the tag '%s' is not supported", tag),
                             strcmp(tag, "!vault") ? "remove the tag" : "decrypt the value first");
    if (wanted == YAML_STRING || wanted == node->type) {
        node->type = wanted;
        return NULL;
    }
    enum yaml_type plain = yaml_scalar_type(node->text, node->text_length);
    if (plain != wanted && !(wanted == YAML_FLOAT && plain == YAML_INT))
        return yaml_error(node, "'%s' is not %s", node->text, yaml_type_name(wanted));
    (void)b;
    node->type = wanted;
    return NULL;
}

static struct err *build_scalar(struct builder *b, const struct yaml_node **out, struct extent *extent)
{
    const char *text = (const char *)b->event.data.scalar.value;
    size_t length = b->event.data.scalar.length;
    if (memchr(text, 0, length))
        return error_at(b, b->event.start_mark, "text with a NUL character");
    struct yaml_node *node = new_node(b, YAML_STRING);
    struct anchor *anchor = define_anchor(b, b->event.data.scalar.anchor);
    node->text = arena_strndup(b->arena, text, length);
    node->text_length = length;
    node->quoted = b->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    if (!node->quoted)
        node->type = yaml_scalar_type(node->text, length);
    if (b->event.data.scalar.tag)
        TRY(apply_tag(b, node, (const char *)b->event.data.scalar.tag));
    *out = node;
    *extent = (struct extent){.nodes = 1, .bytes = length};
    if (anchor) {
        anchor->node = node;
        anchor->extent = *extent;
    }
    return count_extent(b, extent, b->event.start_mark);
}

static void add_child(struct builder *b, struct children *c, const struct yaml_node *key,
                      const struct yaml_node *item)
{
    if (c->count == c->capacity) {
        size_t capacity = c->capacity ? 2 * c->capacity : 8;
        const struct yaml_node **keys = arena_array(b->arena, capacity, sizeof(*keys));
        const struct yaml_node **items = arena_array(b->arena, capacity, sizeof(*items));
        if (c->count) {
            memcpy(keys, c->keys, c->count * sizeof(*keys));
            memcpy(items, c->items, c->count * sizeof(*items));
        }
        c->keys = keys;
        c->items = items;
        c->capacity = capacity;
    }
    c->keys[c->count] = key;
    c->items[c->count++] = item;
}

static void add_extent(struct extent *sum, const struct extent *child)
{
    sum->nodes += child->nodes;
    sum->bytes += child->bytes;
    if (child->height + 1 > sum->height)
        sum->height = child->height + 1;
}

static struct err *check_collection(struct builder *b, const yaml_char_t *tag, const char *core, int depth)
{
    if (depth >= MAX_DEPTH)
        return error_at(b, b->event.start_mark, "nested more than 64 deep");
    if (tag && strcmp((const char *)tag, core) != 0 && strcmp((const char *)tag, "!") != 0)
        return err_with_hint(err_new(ERR_INPUT, "%s:%zu:%zu: the tag '%s' is not supported", b->file,
                                     b->event.start_mark.line + 1, b->event.start_mark.column + 1,
                                     (const char *)tag),
                             "remove the tag");
    return NULL;
}

static struct err *build_list(struct builder *b, int depth, const struct yaml_node **out,
                              struct extent *extent)
{
    TRY(check_collection(b, b->event.data.sequence_start.tag, YAML_SEQ_TAG, depth));
    struct yaml_node *node = new_node(b, YAML_LIST);
    struct anchor *anchor = define_anchor(b, b->event.data.sequence_start.anchor);
    struct children children = {0};
    *extent = (struct extent){.nodes = 1, .height = 1};
    TRY(count_extent(b, extent, b->event.start_mark));
    for (;;) {
        TRY(next_event(b));
        if (b->event.type == YAML_SEQUENCE_END_EVENT)
            break;
        const struct yaml_node *item;
        struct extent child;
        TRY(build_node(b, depth + 1, &item, &child));
        add_extent(extent, &child);
        add_child(b, &children, NULL, item);
    }
    node->items = children.items;
    node->count = children.count;
    if (anchor) {
        anchor->node = node;
        anchor->extent = *extent;
    }
    *out = node;
    return NULL;
}

/* Puts key and item into the map, replacing the item of an equal key but keeping that key's place, as
 * Python's dict does. */
static void put_child(struct builder *b, struct children *c, json_t *index, const struct yaml_node *key,
                      const struct yaml_node *item)
{
    const json_t *at = json_object_get(index, key->text);
    if (at) {
        c->keys[json_integer_value(at)] = key;
        c->items[json_integer_value(at)] = item;
        return;
    }
    json_object_set_new_nocheck(index, key->text, json_integer((json_int_t)c->count));
    add_child(b, c, key, item);
}

static struct err *merge_map(struct builder *b, struct children *c, json_t *index,
                             const struct yaml_node *from)
{
    if (from->type != YAML_MAP)
        return yaml_error(from, "'<<' merges maps, but this is %s", yaml_type_name(from->type));
    for (size_t i = 0; i < from->count; i++)
        put_child(b, c, index, from->keys[i], from->items[i]);
    return NULL;
}

static bool is_merge_key(const struct yaml_node *key)
{
    return !key->quoted && strcmp(key->text, "<<") == 0;
}

/* Merged entries come first and the map's own entries win over them; of several merged maps the first one
 * wins. */
static struct err *merge_entries(struct builder *b, struct children *own)
{
    bool any = false;
    for (size_t i = 0; i < own->count; i++)
        any = any || is_merge_key(own->keys[i]);
    if (!any)
        return NULL;
    struct children merged = {0};
    json_auto_t *index = json_object();
    for (size_t i = 0; i < own->count; i++) {
        const struct yaml_node *from = own->items[i];
        if (!is_merge_key(own->keys[i]))
            continue;
        if (from->type != YAML_LIST)
            TRY(merge_map(b, &merged, index, from));
        for (size_t k = from->type == YAML_LIST ? from->count : 0; k-- > 0;)
            TRY(merge_map(b, &merged, index, from->items[k]));
    }
    for (size_t i = 0; i < own->count; i++)
        if (!is_merge_key(own->keys[i]))
            put_child(b, &merged, index, own->keys[i], own->items[i]);
    *own = merged;
    return NULL;
}

static struct err *build_key(struct builder *b, int depth, json_t *seen, const struct yaml_node **key,
                             struct extent *extent)
{
    yaml_mark_t mark = b->event.start_mark;
    TRY(build_node(b, depth + 1, key, extent));
    if ((*key)->type == YAML_LIST || (*key)->type == YAML_MAP)
        return error_at(b, mark, "a map's key must be a single value");
    if (json_object_get(seen, (*key)->text))
        return err_new(ERR_INPUT, "%s:%zu:%zu: the key '%s' stands twice in this map (first in line %lld)",
                       b->file, mark.line + 1, mark.column + 1, (*key)->text,
                       json_integer_value(json_object_get(seen, (*key)->text)));
    json_object_set_new_nocheck(seen, (*key)->text, json_integer((json_int_t)mark.line + 1));
    return NULL;
}

static struct err *build_map(struct builder *b, int depth, const struct yaml_node **out,
                             struct extent *extent)
{
    TRY(check_collection(b, b->event.data.mapping_start.tag, YAML_MAP_TAG, depth));
    struct yaml_node *node = new_node(b, YAML_MAP);
    struct anchor *anchor = define_anchor(b, b->event.data.mapping_start.anchor);
    struct children children = {0};
    json_auto_t *seen = json_object();
    *extent = (struct extent){.nodes = 1, .height = 1};
    TRY(count_extent(b, extent, b->event.start_mark));
    for (;;) {
        TRY(next_event(b));
        if (b->event.type == YAML_MAPPING_END_EVENT)
            break;
        const struct yaml_node *key, *item;
        struct extent child;
        TRY(build_key(b, depth, seen, &key, &child));
        add_extent(extent, &child);
        TRY(next_event(b));
        TRY(build_node(b, depth + 1, &item, &child));
        add_extent(extent, &child);
        add_child(b, &children, key, item);
    }
    TRY(merge_entries(b, &children));
    node->keys = children.keys;
    node->items = children.items;
    node->count = children.count;
    if (anchor) {
        anchor->node = node;
        anchor->extent = *extent;
    }
    *out = node;
    return NULL;
}

static struct err *build_node(struct builder *b, int depth, const struct yaml_node **node,
                              struct extent *extent)
{
    switch (b->event.type) {
    case YAML_ALIAS_EVENT:
        return build_alias(b, depth, node, extent);
    case YAML_SCALAR_EVENT:
        return build_scalar(b, node, extent);
    case YAML_SEQUENCE_START_EVENT:
        return build_list(b, depth, node, extent);
    case YAML_MAPPING_START_EVENT:
        return build_map(b, depth, node, extent);
    default:
        return error_at(b, b->event.start_mark, "not valid YAML here");
    }
}

static struct err *build_document(struct builder *b, const struct yaml_node **root)
{
    struct extent extent;
    TRY(next_event(b)); /* stream start */
    TRY(next_event(b));
    if (b->event.type == YAML_STREAM_END_EVENT) {
        *root = new_node(b, YAML_NULL);
        return NULL;
    }
    TRY(next_event(b)); /* past document start */
    TRY(build_node(b, 0, root, &extent));
    TRY(next_event(b)); /* document end */
    TRY(next_event(b));
    if (b->event.type != YAML_STREAM_END_EVENT)
        return err_with_hint(error_at(b, b->event.start_mark, "a second document starts here"),
                             "keep one document in a file");
    return NULL;
}

/* libyaml would accept UTF-16 and name a bad byte only by its offset. */
static struct err *check_encoding(const char *file, const char *text, size_t length)
{
    if (length >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0))
        return err_with_hint(err_new(ERR_INPUT, "%s:1:1: the file is UTF-16", file), "save it as UTF-8");
    size_t bad = yaml_scalar_bad_byte(text, length);
    if (bad == length)
        return NULL;
    int line = 1, column = 1;
    for (size_t i = 0; i < bad; i++) {
        bool newline = text[i] == '\n';
        line += newline;
        column = newline ? 1 : column + ((text[i] & 0xc0) != 0x80);
    }
    if (text[bad] == 0)
        return err_new(ERR_INPUT, "%s:%d:%d: a NUL byte", file, line, column);
    return err_with_hint(err_new(ERR_INPUT, "%s:%d:%d: not valid UTF-8", file, line, column),
                         "save the file as UTF-8");
}

struct err *yaml_parse(struct arena *arena, const char *file, const char *text, size_t length,
                       const struct yaml_node **root)
{
    if (length > MAX_FILE_BYTES)
        return err_new(ERR_INPUT, "%s: the file has %zu bytes, more than 1 MiB", file, length);
    TRY(check_encoding(file, text, length));
    struct builder b = {.arena = arena, .file = arena_strdup(arena, file)};
    if (!yaml_parser_initialize(&b.parser))
        return err_new(ERR_INTERNAL, "%s: out of memory while reading YAML", file);
    yaml_parser_set_encoding(&b.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&b.parser, (const unsigned char *)text, length);
    struct err *e = build_document(&b, root);
    if (b.has_event)
        yaml_event_delete(&b.event);
    yaml_parser_delete(&b.parser);
    return e;
}

struct err *yaml_parse_file(struct arena *arena, const char *path, const struct yaml_node **root)
{
    char *text;
    size_t length;
    TRY(fs_read_file(arena, path, MAX_FILE_BYTES, &text, &length));
    return yaml_parse(arena, path, text, length, root);
}

const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
    if (!map || map->type != YAML_MAP)
        return NULL;
    for (size_t i = 0; i < map->count; i++)
        if (strcmp(map->keys[i]->text, key) == 0)
            return map->items[i];
    return NULL;
}

json_t *yaml_to_json(const struct yaml_node *node)
{
    if (node->type == YAML_LIST) {
        json_t *list = json_array();
        for (size_t i = 0; i < node->count; i++)
            json_array_append_new(list, yaml_to_json(node->items[i]));
        return list;
    }
    if (node->type == YAML_MAP) {
        json_t *map = json_object();
        for (size_t i = 0; i < node->count; i++)
            json_object_set_new_nocheck(map, node->keys[i]->text, yaml_to_json(node->items[i]));
        return map;
    }
    return yaml_scalar_json(node->type, node->text, node->text_length);
}

const char *yaml_type_name(enum yaml_type type)
{
    static const char *const names[] = {
        [YAML_NULL] = "nothing",   [YAML_BOOL] = "yes or no", [YAML_INT] = "a whole number",
        [YAML_FLOAT] = "a number", [YAML_STRING] = "text",    [YAML_LIST] = "a list",
        [YAML_MAP] = "a map"};
    return names[type];
}

struct err *yaml_error(const struct yaml_node *at, const char *fmt, ...)
{
    CLEANUP_STRBUF struct strbuf message;
    strbuf_init(&message, 64u << 10);
    va_list args;
    va_start(args, fmt);
    strbuf_vaddf(&message, fmt, args);
    va_end(args);
    return err_new(ERR_INPUT, "%s:%d:%d: %s", at->file, at->line, at->column, message.data);
}
