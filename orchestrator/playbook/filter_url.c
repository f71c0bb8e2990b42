/* Filters on URLs and on markup. */
#include "playbook/filter.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* A span of text; from is NULL when the part is absent. */
struct part {
    const char *from;
    size_t length;
};

struct url {
    struct part scheme, netloc, path, query, fragment, username, password, hostname, port;
};

static bool is_scheme(const char *text, size_t length)
{
    if (length == 0 || !isalpha((unsigned char)text[0]))
        return false;
    for (size_t i = 1; i < length; i++)
        if (!isalnum((unsigned char)text[i]) && !strchr("+-.", text[i]))
            return false;
    return true;
}

/* user:password@host:port */
static void split_netloc(struct url *url)
{
    const char *from = url->netloc.from, *end = from + url->netloc.length;
    const char *at = memrchr(from, '@', url->netloc.length);
    if (at) {
        const char *colon = memchr(from, ':', (size_t)(at - from));
        url->username = (struct part){from, (size_t)((colon ? colon : at) - from)};
        if (colon)
            url->password = (struct part){colon + 1, (size_t)(at - colon - 1)};
        from = at + 1;
    }
    const char *close = *from == '[' ? memchr(from, ']', (size_t)(end - from)) : NULL;
    const char *colon = close ? (close + 1 < end && close[1] == ':' ? close + 1 : NULL)
                              : memchr(from, ':', (size_t)(end - from));
    if (close)
        url->hostname = (struct part){from + 1, (size_t)(close - from - 1)};
    else
        url->hostname = (struct part){from, (size_t)((colon ? colon : end) - from)};
    if (url->hostname.length == 0)
        url->hostname.from = NULL;
    if (colon && colon + 1 < end)
        url->port = (struct part){colon + 1, (size_t)(end - colon - 1)};
}

static void url_split(const char *text, struct url *url)
{
    *url = (struct url){.scheme = {text, 0}, .netloc = {text, 0}, .query = {text, 0}, .fragment = {text, 0}};
    const char *colon = strchr(text, ':');
    if (colon && is_scheme(text, (size_t)(colon - text))) {
        url->scheme.length = (size_t)(colon - text);
        text = colon + 1;
    }
    if (strncmp(text, "//", 2) == 0) {
        url->netloc = (struct part){text + 2, strcspn(text + 2, "/?#")};
        text = url->netloc.from + url->netloc.length;
    }
    url->path = (struct part){text, strcspn(text, "?#")};
    text += url->path.length;
    if (*text == '?') {
        url->query = (struct part){text + 1, strcspn(text + 1, "#")};
        text = url->query.from + url->query.length;
    }
    if (*text == '#')
        url->fragment = (struct part){text + 1, strlen(text + 1)};
    split_netloc(url);
}

static struct err *keep_part(struct eval *ev, const char *name, struct part part, json_t **out)
{
    bool lower = strcmp(name, "scheme") == 0 || strcmp(name, "hostname") == 0;
    *out = json_null();
    if (!part.from)
        return NULL;
    if (strcmp(name, "port") == 0) {
        char *end;
        long port = strtol(part.from, &end, 10);
        if (end != part.from + part.length || port < 0 || port > 65535)
            return err_new(ERR_INPUT, "'urlsplit': the port '%.*s' is no number up to 65535",
                           (int)part.length, part.from);
        return pool_integer(ev->pool, port, out);
    }
    TRY(pool_text(ev->pool, part.from, part.length, out));
    return lower ? text_change_case(ev, *out, false, out) : NULL;
}

/* urlsplit(part=none): one part, or a map of all. */
static struct err *apply_urlsplit(struct eval *ev, const struct call *call, json_t **out)
{
    struct url url;
    const char *wanted = call_text(ev, call->arg[0], "");
    url_split(json_string_value(call->input), &url);
    const struct {
        const char *name;
        struct part part;
    } parts[] = {{"fragment", url.fragment}, {"hostname", url.hostname}, {"netloc", url.netloc},
                 {"password", url.password}, {"path", url.path},         {"port", url.port},
                 {"query", url.query},       {"scheme", url.scheme},     {"username", url.username}};
    json_t *value;
    json_auto_t *all = json_object();
    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
        if (*wanted && strcmp(wanted, parts[i].name) != 0)
            continue;
        TRY(keep_part(ev, parts[i].name, parts[i].part, &value));
        json_object_set(all, parts[i].name, value);
    }
    if (*wanted && json_object_size(all) == 0)
        return err_with_hint(
            err_new(ERR_INPUT, "'urlsplit' knows no part '%s'", wanted),
            "use scheme, netloc, hostname, port, username, password, path, query or fragment");
    *out = json_object_get(all, wanted);
    return *wanted ? pool_keep(ev->pool, json_incref(*out), out) : pool_keep(ev->pool, TAKE(all), out);
}

static int hex_digit(char c)
{
    return isdigit((unsigned char)c)    ? c - '0'
           : isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10
                                        : -1;
}

/* '+' is a blank; what is no escape stays as it is. */
static struct err *apply_urldecode(struct eval *ev, const struct call *call, json_t **out)
{
    CLEANUP_STRBUF struct strbuf sb;
    strbuf_init(&sb, VALUE_MAX_TEXT);
    for (const char *p = call_text(ev, call->input, ""); *p; p++) {
        int high = *p == '%' ? hex_digit(p[1]) : -1, low = high >= 0 ? hex_digit(p[2]) : -1;
        if (low >= 0 && high * 16 + low) {
            strbuf_addc(&sb, (char)(high * 16 + low));
            p += 2;
        } else {
            strbuf_addc(&sb, *p == '+' ? ' ' : *p);
        }
    }
    return pool_buffer(ev->pool, &sb, out);
}

static bool has_scheme(const struct call *call, const struct url *url)
{
    const json_t *schemes = call->arg[0], *item;
    size_t i;
    if (!schemes || json_is_null(schemes))
        return true;
    json_array_foreach(schemes, i, item)
    {
        const char *name = json_string_value(item);
        if (name && strlen(name) == url->scheme.length &&
            strncmp(name, url->scheme.from, url->scheme.length) == 0)
            return true;
    }
    return false;
}

static struct err *is_uri(struct eval *ev, const struct call *call, json_t **out)
{
    struct url url;
    url_split(call_text(ev, call->input, ""), &url);
    *out = pool_bool(has_scheme(call, &url));
    return NULL;
}

static struct err *is_url(struct eval *ev, const struct call *call, json_t **out)
{
    struct url url;
    url_split(call_text(ev, call->input, ""), &url);
    bool file = url.scheme.length == 4 && strncmp(url.scheme.from, "file", 4) == 0;
    *out = pool_bool(has_scheme(call, &url) && (url.netloc.length > 0 || file));
    return NULL;
}

static struct err *is_urn(struct eval *ev, const struct call *call, json_t **out)
{
    struct url url;
    url_split(call_text(ev, call->input, ""), &url);
    *out = pool_bool(url.scheme.length == 3 && strncasecmp(url.scheme.from, "urn", 3) == 0);
    return NULL;
}

static void add_escaped(struct strbuf *sb, const char *text)
{
    static const char from[] = "&<>'\"";
    static const char *const to[] = {"&amp;", "&lt;", "&gt;", "&#39;", "&#34;"};
    for (; *text; text++) {
        const char *special = strchr(from, *text);
        if (special)
            strbuf_adds(sb, to[special - from]);
        else
            strbuf_addc(sb, *text);
    }
}

/* What is marked safe is not escaped again. */
static struct err *keep_safe(struct eval *ev, const struct strbuf *sb, json_t **out)
{
    TRY(pool_buffer(ev->pool, sb, out));
    pool_mark(ev->pool, *out)->kind = MARK_SAFE;
    return NULL;
}

static struct err *escape(struct eval *ev, const struct call *call, bool even_safe, json_t **out)
{
    CLEANUP_STRBUF struct strbuf sb;
    strbuf_init(&sb, VALUE_MAX_TEXT);
    *out = call->input;
    if (pool_kind(ev->pool, call->input) == MARK_SAFE && !even_safe)
        return NULL;
    add_escaped(&sb, call_text(ev, call->input, ""));
    return keep_safe(ev, &sb, out);
}

static struct err *apply_escape(struct eval *ev, const struct call *call, json_t **out)
{
    return escape(ev, call, false, out);
}

static struct err *apply_forceescape(struct eval *ev, const struct call *call, json_t **out)
{
    return escape(ev, call, true, out);
}

static struct err *apply_safe(struct eval *ev, const struct call *call, json_t **out)
{
    CLEANUP_STRBUF struct strbuf sb;
    strbuf_init(&sb, VALUE_MAX_TEXT);
    strbuf_adds(&sb, call_text(ev, call->input, ""));
    return keep_safe(ev, &sb, out);
}

static struct err *is_escaped(struct eval *ev, const struct call *call, json_t **out)
{
    *out = pool_bool(pool_kind(ev->pool, call->input) == MARK_SAFE);
    return NULL;
}

/* xmlattr(autospace=true): ' a="1" b="2"' */
static struct err *apply_xmlattr(struct eval *ev, const struct call *call, json_t **out)
{
    CLEANUP_STRBUF struct strbuf sb;
    strbuf_init(&sb, VALUE_MAX_TEXT);
    const char *key;
    json_t *value;
    if (!json_is_object(call->input))
        return call_wrong(call, "a map");
    json_object_foreach(call->input, key, value)
    {
        if (json_is_null(value))
            continue;
        strbuf_adds(&sb, sb.length || call_truth(call->arg[0], true) ? " " : "");
        add_escaped(&sb, key);
        strbuf_adds(&sb, "=\"");
        add_escaped(&sb, call_text(ev, value, ""));
        strbuf_addc(&sb, '"');
    }
    return pool_buffer(ev->pool, &sb, out);
}

/* The character that "&name;" stands for, and how long that is; 0 for none that is known here. */
static char entity_at(const char *p, size_t *length)
{
    static const struct {
        const char *name;
        char c;
    } known[] = {{"&amp;", '&'},  {"&lt;", '<'},   {"&gt;", '>'},
                 {"&quot;", '"'}, {"&#39;", '\''}, {"&#34;", '"'}};
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
        *length = strlen(known[i].name);
        if (strncmp(p, known[i].name, *length) == 0)
            return known[i].c;
    }
    return 0;
}

/* The end of the comment or tag at p, or NULL. */
static const char *tag_end(const char *p)
{
    const char *end = strncmp(p, "<!--", 4) == 0 ? strstr(p + 4, "-->") : NULL;
    if (end)
        return end + 3;
    end = strchr(p, '>');
    return end ? end + 1 : NULL;
}

/* Without comments and tags; runs of white space become one blank. */
static struct err *apply_striptags(struct eval *ev, const struct call *call, json_t **out)
{
    CLEANUP_STRBUF struct strbuf sb;
    strbuf_init(&sb, VALUE_MAX_TEXT);
    bool blank = false;
    for (const char *p = call_text(ev, call->input, ""), *end; *p; p++) {
        size_t length;
        char entity = *p == '&' ? entity_at(p, &length) : 0;
        if (*p == '<' && (end = tag_end(p))) {
            p = end - 1;
        } else if (isspace((unsigned char)*p)) {
            blank = true;
        } else {
            if (blank && sb.length)
                strbuf_addc(&sb, ' ');
            blank = false;
            strbuf_addc(&sb, entity ? entity : *p);
            p += entity ? length - 1 : 0;
        }
    }
    return pool_buffer(ev->pool, &sb, out);
}

static const struct filter rows[] = {
    {"urlsplit", apply_urlsplit, 0, FILTER_ON_TEXT, {"query"}},
    {"urldecode", apply_urldecode, 0, 0, {0}},
    {"escape", apply_escape, 0, 0, {0}},
    {"e", apply_escape, 0, 0, {0}},
    {"forceescape", apply_forceescape, 0, 0, {0}},
    {"safe", apply_safe, 0, 0, {0}},
    {"xmlattr", apply_xmlattr, 0, 0, {"autospace"}},
    {"striptags", apply_striptags, 0, 0, {0}},
};
const struct filter_table filters_url = {rows, sizeof(rows) / sizeof(*rows)};

static const struct filter test_rows[] = {
    {"uri", is_uri, 0, 0, {"schemes"}},
    {"url", is_url, 0, 0, {"schemes"}},
    {"urn", is_urn, 0, 0, {0}},
    {"escaped", is_escaped, 0, 0, {0}},
};
const struct filter_table tests_url = {test_rows, sizeof(test_rows) / sizeof(*test_rows)};
