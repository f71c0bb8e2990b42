/* Filters on paths, as text, and comment(). Nothing here looks at the file system. */
#include "playbook/filter.h"
#include <string.h>

static struct err *apply_basename(struct eval *ev, const struct call *call, json_t **out)
{
    const char *path = call_text(ev, call->input, ""), *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    return pool_text(ev->pool, name, strlen(name), out);
}

/* As Python: '/a/b/' gives '/a/b', 'a' gives ''. */
static struct err *apply_dirname(struct eval *ev, const struct call *call, json_t **out)
{
    const char *path = call_text(ev, call->input, ""), *slash = strrchr(path, '/');
    size_t length = slash ? (size_t)(slash - path) + 1 : 0, trimmed = length;
    while (trimmed > 0 && path[trimmed - 1] == '/')
        trimmed--;
    return pool_text(ev->pool, path, trimmed ? trimmed : length, out);
}

/* ('root', '.ext'); leading dots of a name do not count */
static struct err *apply_splitext(struct eval *ev, const struct call *call, json_t **out)
{
    const char *path = call_text(ev, call->input, ""), *slash = strrchr(path, '/'),
               *name = slash ? slash + 1 : path;
    name += strspn(name, ".");
    const char *dot = strrchr(name, '.');
    size_t root = dot ? (size_t)(dot - path) : strlen(path);
    return eval_tuple(ev, json_pack("[s#, s]", path, root, path + root), out);
}

static struct err *apply_path_join(struct eval *ev, const struct call *call, json_t **out)
{
    CLEANUP_STRBUF struct strbuf sb;
    strbuf_init(&sb, VALUE_MAX_TEXT);
    json_t *parts = call->input;
    if (json_is_string(parts))
        return pool_text(ev->pool, json_string_value(parts), json_string_length(parts), out);
    if (!json_is_array(parts))
        return call_wrong(call, "a list of path parts");
    for (size_t i = 0; i < json_array_size(parts); i++) {
        const char *part = call_text(ev, json_array_get(parts, i), "");
        if (*part == '/')
            strbuf_reset(&sb);
        else if (sb.length && sb.data[sb.length - 1] != '/')
            strbuf_addc(&sb, '/');
        strbuf_adds(&sb, part);
    }
    return pool_buffer(ev->pool, &sb, out);
}

struct comment_style {
    const char *name, *decoration, *beginning, *end;
};

/* Lines of nothing but the prefix; a prefix that is a line end itself gets no other. */
static void add_prefix(struct strbuf *sb, const char *prefix, const char *newline, json_int_t count)
{
    const char *end = strcmp(prefix, newline) == 0 ? "" : newline;
    for (; *prefix && count > 0 && !sb->overflowed; count--) {
        strbuf_adds(sb, prefix);
        strbuf_adds(sb, end);
    }
}

static void add_postfix(struct strbuf *sb, const char *postfix, const char *newline, json_int_t count)
{
    for (; *newline && count > 0 && !sb->overflowed; count--) {
        strbuf_adds(sb, newline);
        strbuf_adds(sb, postfix);
    }
}

/* Each line behind the decoration; where the line is empty the decoration loses its trailing blanks. */
static void add_decorated(struct strbuf *sb, const char *text, const char *decoration, const char *newline)
{
    size_t bare = strlen(decoration);
    while (bare && (decoration[bare - 1] == ' ' || decoration[bare - 1] == '\t'))
        bare--;
    for (;;) {
        const char *end = *newline ? strstr(text, newline) : NULL;
        size_t length = end ? (size_t)(end - text) : strlen(text);
        strbuf_add(sb, decoration, length == 0 && end ? bare : strlen(decoration));
        strbuf_add(sb, text, length);
        if (!end)
            return;
        strbuf_adds(sb, newline);
        text = end + strlen(newline);
    }
}

/* A named argument, an own default, or the decoration without trailing blanks. */
static const char *edge_text(struct eval *ev, const json_t *named, const char *name, const char *decoration)
{
    const json_t *value = json_object_get(named, name);
    if (value)
        return call_text(ev, value, "");
    size_t length = strlen(decoration);
    while (length && decoration[length - 1] == ' ')
        length--;
    return arena_strndup(ev->pool->arena, decoration, length);
}

static json_int_t count_of(const json_t *named, const char *name)
{
    const json_t *value = json_object_get(named, name);
    return value && value_is_int(value) ? value_integer(value) : 1;
}

/* comment(style='plain', decoration=, beginning=, end=, prefix=, postfix=, prefix_count=, postfix_count=,
 * newline=) */
static struct err *apply_comment(struct eval *ev, const struct call *call, json_t **out)
{
    static const struct comment_style styles[] = {{"plain", "# ", "", ""},
                                                  {"erlang", "% ", "", ""},
                                                  {"c", "// ", "", ""},
                                                  {"cblock", " * ", "/*", " */"},
                                                  {"xml", " - ", "<!--", "-->"}};
    const char *name =
        call->rest_count ? call_text(ev, call->rest[0], "") : call_text(ev, call->arg[0], "plain");
    const struct comment_style *style = NULL;
    for (size_t i = 0; i < sizeof(styles) / sizeof(*styles); i++)
        if (strcmp(styles[i].name, name) == 0)
            style = &styles[i];
    if (!style)
        return err_new(ERR_INPUT, "'comment' knows the styles plain, erlang, c, cblock and xml, not '%s'",
                       name);
    CLEANUP_STRBUF struct strbuf sb;
    strbuf_init(&sb, VALUE_MAX_TEXT);
    json_t *named = call->named;
    const char *newline = call_text(ev, json_object_get(named, "newline"), "\n");
    const char *decoration = call_text(ev, json_object_get(named, "decoration"), style->decoration);
    const char *beginning = call_text(ev, json_object_get(named, "beginning"), style->beginning);
    const char *end = call_text(ev, json_object_get(named, "end"), style->end);
    if (*beginning)
        strbuf_addf(&sb, "%s%s", beginning, newline);
    add_prefix(&sb, edge_text(ev, named, "prefix", decoration), newline, count_of(named, "prefix_count"));
    add_decorated(&sb, call_text(ev, call->input, ""), decoration, newline);
    add_postfix(&sb, edge_text(ev, named, "postfix", decoration), newline, count_of(named, "postfix_count"));
    if (*end)
        strbuf_addf(&sb, "%s%s", newline, end);
    return pool_buffer(ev->pool, &sb, out);
}

static const struct filter rows[] = {
    {"basename", apply_basename, 0, FILTER_ON_TEXT, {0}},
    {"dirname", apply_dirname, 0, FILTER_ON_TEXT, {0}},
    {"splitext", apply_splitext, 0, FILTER_ON_TEXT, {0}},
    {"path_join", apply_path_join, 0, 0, {0}},
    {"comment", apply_comment, 0, FILTER_VARIADIC | FILTER_ON_TEXT, {"style"}},
};
const struct filter_table filters_path = {rows, sizeof(rows) / sizeof(*rows)};
