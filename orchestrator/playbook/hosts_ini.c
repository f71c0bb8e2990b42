/* The INI form of inventories: sections [group], [group:vars], [group:children]. */
#include "base/strbuf.h"
#include "base/yaml_scalar.h"
#include "playbook/hosts_data.h"
#include "playbook/play.h"
#include <ctype.h>
#include <string.h>

enum section { SECTION_HOSTS, SECTION_VARS, SECTION_CHILDREN };

/* A group that was named before its own section came. */
struct promise {
    const char *name;
    int line;
    enum section section;      /* that named it: VARS or CHILDREN */
    struct hosts_list parents; /* of struct hosts_group */
};

struct ini {
    struct hosts_data *data;
    struct arena *scratch;
    const char *file;
    int line, column;
    enum section section;
    struct hosts_group *group;
    struct hosts_list promises;
};

static struct err *ini_error(const struct ini *ini, const char *fmt, ...) REHOST_PRINTF(2, 3);
static struct err *ini_error(const struct ini *ini, const char *fmt, ...)
{
    CLEANUP_STRBUF struct strbuf text;
    strbuf_init(&text, 4096);
    va_list args;
    va_start(args, fmt);
    strbuf_vaddf(&text, fmt, args);
    va_end(args);
    return err_new(ERR_INPUT, "%s:%d:%d: %s", ini->file, ini->line, ini->column, text.data);
}

/* Puts the place in front of an error that has none. */
static struct err *at_line(const struct ini *ini, struct err *e)
{
    if (!e || err_kind(e) != ERR_INPUT)
        return e;
    struct err *placed = ini_error(ini, "%s", err_text(e));
    if (err_hint(e))
        placed = err_with_hint(placed, "%s", err_hint(e));
    err_free(e);
    return placed;
}

/* --- sections --- */

static const char *skip_name(const char *at)
{
    while (*at && *at != ':' && *at != ']' && !isspace((unsigned char)*at))
        at++;
    return at;
}

/* Nothing but blanks and a comment is left. */
static bool ends_here(const char *at)
{
    at += strspn(at, " \t\f\v");
    return !*at || *at == '#';
}

/* "[name]" or "[name:kind]"; false when the line is none of that. */
static bool split_section(const struct ini *ini, const char *line, const char **name, const char **kind)
{
    if (*line != '[')
        return false;
    const char *end = skip_name(line + 1), *close = end;
    *kind = "hosts";
    if (*end == ':') {
        for (close = end + 1; isalnum((unsigned char)*close) || *close == '_';)
            close++;
        *kind = arena_strndup(ini->scratch, end + 1, (size_t)(close - end) - 1);
    }
    if (end == line + 1 || *close != ']' || !**kind || !ends_here(close + 1))
        return false;
    *name = arena_strndup(ini->scratch, line + 1, (size_t)(end - line) - 1);
    return true;
}

static struct promise *find_promise(const struct ini *ini, const char *name)
{
    for (size_t i = 0; i < ini->promises.count; i++) {
        struct promise *promise = ini->promises.items[i];
        if (promise->name && !strcmp(promise->name, name))
            return promise;
    }
    return NULL;
}

static struct promise *add_promise(struct ini *ini, const char *name)
{
    struct promise *promise = ARENA_NEW(ini->scratch, struct promise);
    *promise = (struct promise){
        .name = arena_strdup(ini->scratch, name), .line = ini->line, .section = ini->section};
    hosts_list_add(ini->scratch, &ini->promises, promise);
    return promise;
}

static struct err *keep_promise(struct ini *ini, struct promise *promise)
{
    promise->name = NULL;
    for (size_t i = 0; i < promise->parents.count; i++)
        TRY(at_line(ini, hosts_child_add(ini->data, promise->parents.items[i], ini->group)));
    return NULL;
}

static struct err *enter_section(struct ini *ini, const char *name, const char *kind)
{
    static const char *const kinds[] = {
        [SECTION_HOSTS] = "hosts", [SECTION_VARS] = "vars", [SECTION_CHILDREN] = "children"};
    size_t section = 0;
    while (section < 3 && strcmp(kind, kinds[section]) != 0)
        section++;
    if (section == 3) {
        const char *near = yaml_nearest(kind, kinds, 3);
        struct err *e = ini_error(ini, "a section of the kind '%s' is not known", kind);
        return near ? err_with_hint(e, "did you mean [%s:%s]?", name, near)
                    : err_with_hint(e, "there are [%s], [%s:vars] and [%s:children]", name, name, name);
    }
    bool known = hosts_group_find(ini->data, name);
    ini->section = (enum section)section;
    ini->group = hosts_group_add(ini->data, name);
    if (!ini->group)
        return ini_error(ini, "the inventory has more than %d groups", HOSTS_MAX_GROUPS);
    struct promise *promise = find_promise(ini, name);
    if (!known && !promise && section == SECTION_VARS)
        add_promise(ini, name);
    else if (promise && section != SECTION_VARS)
        return keep_promise(ini, promise);
    return NULL;
}

/* --- lines --- */

/* The words of a host's line, cut as Python's shlex cuts them; `#` starts a comment anywhere outside quotes.
 */
static struct err *split_words(const struct ini *ini, const char *line, struct hosts_list *words)
{
    CLEANUP_STRBUF struct strbuf word;
    strbuf_init(&word, 0);
    bool in_word = false;
    char quote = 0;
    for (const char *c = line;; c++) {
        bool end = !*c || (!quote && *c == '#');
        if (end && quote)
            return ini_error(ini, "a quote (%c) is not closed", quote);
        if (end || (!quote && isspace((unsigned char)*c))) {
            if (in_word)
                hosts_list_add(ini->scratch, words, strbuf_to_arena(&word, ini->scratch));
            strbuf_reset(&word);
            in_word = false;
            if (end)
                return NULL;
            continue;
        }
        in_word = true;
        if (quote && *c == quote)
            quote = 0;
        else if (!quote && (*c == '\'' || *c == '"'))
            quote = *c;
        else if (*c == '\\' && quote != '\'' && (!quote || c[1] == '"' || c[1] == '\\')) {
            if (!*++c)
                return ini_error(ini, "nothing follows the last '\\'");
            strbuf_addc(&word, *c);
        } else
            strbuf_addc(&word, *c);
    }
}

static struct err *read_host(struct ini *ini, const char *line)
{
    struct hosts_list words = {0};
    char **names;
    size_t count;
    int port;
    TRY(split_words(ini, line, &words));
    const char *first = words.count ? words.items[0] : "";
    if (!*first)
        return ini_error(ini, "a host's name is missing");
    if (!strcmp(first, "---") || first[strlen(first) - 1] == ':')
        return err_with_hint(ini_error(ini, "'%s' is not a host's name", first),
                             "if this is YAML, let the file's name end with .yml");
    TRY(at_line(ini, hosts_expand(ini->scratch, first, &names, &count, &port)));
    for (size_t i = 0; i < count; i++)
        TRY(at_line(ini, hosts_node_add(ini->data, names[i], ini->group, port)));
    for (size_t k = 1; k < words.count; k++) {
        char *word = words.items[k], *equals = strchr(word, '=');
        if (!equals)
            return ini_error(ini, "after a host's name come variables NAME=VALUE, not '%s'", word);
        *equals = '\0';
        json_t *value = json_keep(ini->data->arena, hosts_literal(equals + 1));
        for (size_t i = 0; i < count; i++)
            TRY(at_line(ini, hosts_node_set(ini->data, names[i], word, json_incref(value))));
    }
    return NULL;
}

static struct err *read_variable(struct ini *ini, char *line)
{
    char *equals = strchr(line, '=');
    if (!equals)
        return ini_error(ini, "'%s' is not NAME=VALUE", line);
    char *end = equals;
    while (end > line && isspace((unsigned char)end[-1]))
        end--;
    *end = '\0';
    equals++;
    equals += strspn(equals, " \t\f\v");
    return at_line(ini, hosts_group_set(ini->group, line, hosts_literal(equals)));
}

static struct err *read_child(struct ini *ini, char *line)
{
    char *end = line + (skip_name(line) - line);
    if (end == line || !ends_here(end))
        return ini_error(ini, "'%s' is not a group's name", line);
    *end = '\0';
    struct hosts_group *child = hosts_group_find(ini->data, line);
    if (child)
        return at_line(ini, hosts_child_add(ini->data, ini->group, child));
    struct promise *promise = find_promise(ini, line);
    if (ini->promises.count == HOSTS_MAX_GROUPS)
        return ini_error(ini, "the inventory has more than %d groups", HOSTS_MAX_GROUPS);
    if (!promise)
        promise = add_promise(ini, line);
    hosts_list_add(ini->scratch, &promise->parents, ini->group);
    return NULL;
}

static struct err *read_line(struct ini *ini, char *line)
{
    const char *name, *kind;
    if (split_section(ini, line, &name, &kind))
        return enter_section(ini, name, kind);
    if (*line == '[' && line[strlen(line) - 1] == ']')
        return err_with_hint(ini_error(ini, "'%s' is not a section", line),
                             "there are [group], [group:vars] and [group:children], without blanks");
    switch (ini->section) {
    case SECTION_VARS:
        return read_variable(ini, line);
    case SECTION_CHILDREN:
        return read_child(ini, line);
    default:
        return read_host(ini, line);
    }
}

static struct err *check_promises(struct ini *ini)
{
    for (size_t i = 0; i < ini->promises.count; i++) {
        const struct promise *promise = ini->promises.items[i];
        if (!promise->name)
            continue;
        ini->line = promise->line;
        const char **names = arena_array(ini->scratch, ini->data->groups.count, sizeof(*names));
        size_t count = 0;
        for (size_t k = 0; k < ini->data->groups.count; k++)
            if (strcmp(((struct hosts_group *)ini->data->groups.items[k])->name, promise->name) != 0)
                names[count++] = ((struct hosts_group *)ini->data->groups.items[k])->name;
        const char *near = yaml_nearest(promise->name, names, count);
        struct err *e = ini_error(ini, "there is no group '%s'", promise->name);
        return near ? err_with_hint(e, "did you mean '%s'?", near)
                    : err_with_hint(e, "a section [%s] would make it", promise->name);
    }
    return NULL;
}

struct err *hosts_read_ini(struct hosts_data *data, const char *file, const char *text, size_t length)
{
    CLEANUP_ARENA struct arena *scratch = arena_new(0);
    struct ini ini = {.data = data,
                      .scratch = scratch,
                      .file = file,
                      .section = SECTION_HOSTS,
                      .group = hosts_group_find(data, "ungrouped")};
    for (const char *at = text, *end = text + length; at < end;) {
        const char *start = at;
        while (at < end && *at != '\n' && *at != '\r')
            at++;
        char *line = arena_strndup(scratch, start, (size_t)(at - start));
        size_t size = (size_t)(at - start);
        at += at + 1 < end && *at == '\r' && at[1] == '\n' ? 2 : 1;
        ini.line++;
        while (size && isspace((unsigned char)line[size - 1]))
            line[--size] = '\0';
        size_t blanks = strspn(line, " \t\f\v");
        ini.column = (int)blanks + 1;
        line += blanks;
        if (size <= blanks || *line == '#' || *line == ';')
            continue; /* comments may even be in another encoding */
        if (yaml_scalar_bad_byte(line, size - blanks) != size - blanks)
            return err_with_hint(ini_error(&ini, "not valid UTF-8, or a NUL byte"), "save the file as UTF-8");
        TRY(read_line(&ini, line));
    }
    ini.column = 1;
    return check_promises(&ini);
}
