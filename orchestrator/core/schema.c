#include "core/schema.h"
#include "base/clock.h"
#include "base/fs.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct binder {
    struct arena *arena;
    const char *base_dir;
};

static struct err *bind_map(const struct binder *binder, const struct schema *schema,
                            const struct yaml_node *node, const char *path, void *out);

static void json_release(void *json)
{
    json_decref(json);
}

static const char *path_join(struct arena *arena, const char *path, const char *key)
{
    return *path ? arena_printf(arena, "%s.%s", path, key) : arena_strdup(arena, key);
}

static struct err *expect(const struct yaml_node *node, enum yaml_type type, const char *path,
                          const char *wanted)
{
    if (node->type == type)
        return NULL;
    return yaml_error(node, "%s: expected %s, found %s", path, wanted, yaml_type_name(node->type));
}

static bool is_scalar(const struct yaml_node *node)
{
    return node->type != YAML_NULL && node->type != YAML_LIST && node->type != YAML_MAP;
}

static const char *choices_text(struct arena *arena, const char *const *choices)
{
    const char *text = choices[0];
    for (size_t i = 1; choices[i]; i++)
        text = arena_printf(arena, "%s, %s", text, choices[i]);
    return text;
}

static struct err *bind_text(const struct binder *binder, const struct schema_key *key,
                             const struct yaml_node *node, const char *path, const char **out)
{
    if (!is_scalar(node))
        return yaml_error(node, "%s: expected text, found %s", path, yaml_type_name(node->type));
    if (!node->text_length)
        return yaml_error(node, "%s: must not be empty", path);
    if (key->choices) {
        size_t count = 0;
        for (; key->choices[count]; count++)
            if (!strcmp(key->choices[count], node->text))
                break;
        if (!key->choices[count]) {
            const char *near = yaml_nearest(node->text, key->choices, count);
            struct err *e =
                yaml_error(node, "%s: '%s' is not one of the values that are known here", path, node->text);
            return near ? err_with_hint(e, "did you mean '%s'?", near)
                        : err_with_hint(e, "known are: %s", choices_text(binder->arena, key->choices));
        }
    }
    *out = key->type == SCHEMA_PATH ? fs_resolve(binder->arena, binder->base_dir, node->text) : node->text;
    return NULL;
}

static struct err *bind_int(const struct schema_key *key, const struct yaml_node *node, const char *path,
                            int64_t *out)
{
    TRY(expect(node, YAML_INT, path, "a whole number"));
    errno = 0;
    *out = strtoll(node->text, NULL, 0);
    if (errno || (key->max && (*out < key->min || *out > key->max)))
        return yaml_error(node, "%s: %s is outside %lld to %lld", path, node->text, (long long)key->min,
                          (long long)key->max);
    return NULL;
}

static struct err *bind_duration(const struct yaml_node *node, const char *path, int64_t *out)
{
    if (!is_scalar(node))
        return yaml_error(node, "%s: expected a length of time, found %s", path, yaml_type_name(node->type));
    CLEANUP_ERR struct err *bad = clock_parse_duration(node->text, out);
    if (!bad)
        return NULL;
    return err_with_hint(yaml_error(node, "%s: '%s' is not a length of time", path, node->text),
                         "write it like '90s', '15m', '1h30m' or '2d'");
}

static struct err *bind_text_list(const struct binder *binder, const struct schema_key *key,
                                  const struct yaml_node *node, const char *path, struct schema_texts *out)
{
    TRY(expect(node, YAML_LIST, path, "a list"));
    out->items = arena_array(binder->arena, node->count + 1, sizeof(*out->items));
    out->count = node->count;
    for (size_t i = 0; i < node->count; i++) {
        const char *where = arena_printf(binder->arena, "%s[%zu]", path, i);
        TRY(bind_text(binder, key, node->items[i], where, &out->items[i]));
    }
    return NULL;
}

static struct err *bind_items(const struct binder *binder, const struct schema_key *key,
                              const struct yaml_node *node, const char *path, struct schema_items *out)
{
    bool named = key->type == SCHEMA_NAMED;
    TRY(expect(node, named ? YAML_MAP : YAML_LIST, path, named ? "a map of names" : "a list"));
    char *items = arena_array(binder->arena, node->count + 1, key->sub->struct_size);
    for (size_t i = 0; i < node->count; i++) {
        void *item = items + i * key->sub->struct_size;
        const char *where = named ? path_join(binder->arena, path, node->keys[i]->text)
                                  : arena_printf(binder->arena, "%s[%zu]", path, i);
        TRY(bind_map(binder, key->sub, node->items[i], where, item));
        if (named)
            *(const char **)item = node->keys[i]->text;
    }
    out->items = items;
    out->count = node->count;
    return NULL;
}

static struct err *bind_json(const struct binder *binder, const struct yaml_node *node, const char *path,
                             json_t **out)
{
    TRY(expect(node, YAML_MAP, path, "a map"));
    *out = yaml_to_json(node);
    arena_defer(binder->arena, json_release, *out);
    return NULL;
}

static struct err *bind_value(const struct binder *binder, const struct schema_key *key,
                              const struct yaml_node *node, const char *path, void *field)
{
    switch (key->type) {
    case SCHEMA_TEXT:
    case SCHEMA_PATH:
        return bind_text(binder, key, node, path, field);
    case SCHEMA_INT:
        return bind_int(key, node, path, field);
    case SCHEMA_BOOL:
        TRY(expect(node, YAML_BOOL, path, "true or false"));
        *(bool *)field = strchr("yYtT", node->text[0]) || !strcasecmp(node->text, "on");
        return NULL;
    case SCHEMA_DURATION:
        return bind_duration(node, path, field);
    case SCHEMA_TEXT_LIST:
        return bind_text_list(binder, key, node, path, field);
    case SCHEMA_JSON:
        return bind_json(binder, node, path, field);
    case SCHEMA_MAP:
        return bind_map(binder, key->sub, node, path, field);
    case SCHEMA_NAMED:
    case SCHEMA_LIST:
        return bind_items(binder, key, node, path, field);
    }
    return err_new(ERR_INTERNAL, "schema of '%s' has an unknown type", path);
}

/* Of a map that was left out, too: its keys still have their defaults. */
static struct err *bind_fallback(const struct binder *binder, const struct schema_key *key, void *field)
{
    if (key->type == SCHEMA_MAP)
        for (size_t i = 0; i < key->sub->key_count; i++)
            TRY(bind_fallback(binder, &key->sub->keys[i], (char *)field + key->sub->keys[i].offset));
    if (!key->fallback)
        return NULL;
    enum yaml_type type = key->type == SCHEMA_INT    ? YAML_INT
                          : key->type == SCHEMA_BOOL ? YAML_BOOL
                                                     : YAML_STRING;
    const struct yaml_node node = {
        .type = type, .file = "default", .text = key->fallback, .text_length = strlen(key->fallback)};
    return bind_value(binder, key, &node, key->name, field);
}

static const struct schema_key *find_key(const struct schema *schema, const char *name)
{
    for (size_t i = 0; i < schema->key_count; i++)
        if (!strcmp(schema->keys[i].name, name))
            return &schema->keys[i];
    return NULL;
}

static struct err *unknown_key(const struct binder *binder, const struct schema *schema,
                               const struct yaml_node *key, const char *path)
{
    const char **names = arena_array(binder->arena, schema->key_count + 1, sizeof(*names));
    CLEANUP_STRBUF struct strbuf all;
    strbuf_init(&all, 4096);
    for (size_t i = 0; i < schema->key_count; i++) {
        names[i] = schema->keys[i].name;
        strbuf_addf(&all, "%s%s", i ? ", " : "", names[i]);
    }
    const char *near = yaml_nearest(key->text, names, schema->key_count);
    struct err *e = yaml_error(key, "%s: unknown key '%s'", *path ? path : "top level", key->text);
    return near ? err_with_hint(e, "did you mean '%s'?", near)
                : err_with_hint(e, "the keys of %s are: %s", schema->title, all.data);
}

static struct err *bind_rest(const struct binder *binder, const struct schema *schema,
                             const struct yaml_node *node, void *out)
{
    json_t *rest = json_object();
    arena_defer(binder->arena, json_release, rest);
    for (size_t i = 0; i < node->count; i++)
        if (!find_key(schema, node->keys[i]->text))
            json_object_set_new(rest, node->keys[i]->text, yaml_to_json(node->items[i]));
    memcpy((char *)out + schema->rest_offset, &rest, sizeof(json_t *));
    return NULL;
}

static struct err *bind_map(const struct binder *binder, const struct schema *schema,
                            const struct yaml_node *node, const char *path, void *out)
{
    TRY(expect(node, YAML_MAP, *path ? path : "top level", "a map"));
    if (schema->has_where)
        memcpy((char *)out + schema->where_offset, &node, sizeof(node));
    for (size_t i = 0; i < node->count; i++)
        if (!schema->rest && !find_key(schema, node->keys[i]->text))
            return unknown_key(binder, schema, node->keys[i], path);
    for (size_t i = 0; i < schema->key_count; i++) {
        const struct schema_key *key = &schema->keys[i];
        const struct yaml_node *value = yaml_get(node, key->name);
        void *field = (char *)out + key->offset;
        if (value && value->type != YAML_NULL)
            TRY(bind_value(binder, key, value, path_join(binder->arena, path, key->name), field));
        else if (key->required)
            return yaml_error(node, "%s: the key '%s' is missing: %s", *path ? path : "top level", key->name,
                              key->doc);
        else
            TRY(bind_fallback(binder, key, field));
    }
    return schema->rest ? bind_rest(binder, schema, node, out) : NULL;
}

struct err *schema_bind(struct arena *arena, const struct schema *schema, const struct yaml_node *node,
                        const char *path, const char *base_dir, void *out)
{
    const struct binder binder = {.arena = arena, .base_dir = base_dir};
    return bind_map(&binder, schema, node, path, out);
}

static const char *type_text(enum schema_type type)
{
    static const char *const names[] = {
        [SCHEMA_TEXT] = "text",         [SCHEMA_PATH] = "path",         [SCHEMA_INT] = "number",
        [SCHEMA_BOOL] = "true/false",   [SCHEMA_DURATION] = "duration", [SCHEMA_TEXT_LIST] = "list of text",
        [SCHEMA_JSON] = "map",          [SCHEMA_MAP] = "map",           [SCHEMA_NAMED] = "map of names",
        [SCHEMA_LIST] = "list of maps",
    };
    return names[type];
}

void schema_describe(const struct schema *schema, const char *path, struct strbuf *out)
{
    strbuf_addf(out, "\n## %s\n\n%s%s%s| key | type | default | meaning |\n| --- | --- | --- | --- |\n",
                schema->title, *path ? "`" : "", path, *path ? "`\n\n" : "");
    for (size_t i = 0; i < schema->key_count; i++) {
        const struct schema_key *key = &schema->keys[i];
        strbuf_addf(out, "| `%s` | %s | %s | %s |\n", key->name, type_text(key->type),
                    key->required   ? "required"
                    : key->fallback ? key->fallback
                                    : "",
                    key->doc);
    }
    for (size_t i = 0; i < schema->key_count; i++) {
        const struct schema_key *key = &schema->keys[i];
        if (!key->sub)
            continue;
        CLEANUP_STRBUF struct strbuf below;
        strbuf_init(&below, 1024);
        strbuf_addf(&below, "%s%s%s%s", path, *path ? "." : "", key->name,
                    key->type == SCHEMA_NAMED  ? ".NAME"
                    : key->type == SCHEMA_LIST ? "[]"
                                               : "");
        schema_describe(key->sub, below.data, out);
    }
}
