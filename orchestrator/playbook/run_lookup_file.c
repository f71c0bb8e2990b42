/* Lookups into structured files: ini, csvfile, password. */
#include "base/fs.h"
#include "playbook/expr_tools.h"
#include "playbook/regex.h"
#include "playbook/run_lookup.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

static const char *pair_text(const struct lookup *l, const json_t *pairs, const char *name,
                             const char *fallback)
{
    const json_t *value = json_object_get(pairs, name);
    return value ? expr_value_text(l->arena, value) : fallback;
}

static bool pair_flag(const json_t *pairs, const char *name)
{
    bool flag;
    const json_t *value = json_object_get(pairs, name);
    return value && value_as_flag(value, &flag) && flag;
}

static char *trimmed(char *text)
{
    text += strspn(text, " \t\r");
    for (size_t n = strlen(text); n && strchr(" \t\r", text[n - 1]); n--)
        text[n - 1] = 0;
    return text;
}

/* --- ini: 'key section=s file=f', type=properties has no sections --- */

#define PROPERTIES "java_properties" /* what its lines count as, as in Ansible */

/* As Python's configparser reads it: what [DEFAULT] holds is in every section, deeper lines belong to the
 * value before them. */
struct ini {
    const char *section;
    bool case_sensitive, is_there;
    json_t *defaults, *own, *others, *at;
    const char *key; /* the setting that deeper lines belong to, or NULL */
    size_t indent;
};

static void enter_section(struct ini *ini, const char *name)
{
    bool defaults = strcmp(name, "DEFAULT") == 0, own = strcmp(name, ini->section) == 0;
    json_object_clear(ini->others);
    ini->at = defaults ? ini->defaults : own ? ini->own : ini->others;
    ini->is_there = ini->is_there || own;
    ini->key = NULL;
}

static struct err *read_setting(struct ini *ini, char *line)
{
    char *equals = line + strcspn(line, "=:");
    if (!*equals || !ini->at)
        return err_new(ERR_INPUT, ini->at ? "'%s' is no setting" : "'%s' stands before the sections", line);
    *equals = 0;
    char *key = trimmed(line);
    for (char *c = key; *c && !ini->case_sensitive; c++)
        *c = (char)tolower((unsigned char)*c);
    if (json_object_get(ini->at, key))
        return err_new(ERR_INPUT, "the setting '%s' stands there twice", key);
    json_t *value = json_string(trimmed(equals + 1));
    if (!value || json_object_set_new(ini->at, key, value))
        return err_new(ERR_INPUT, "the file is not UTF-8 text");
    ini->key = key;
    return NULL;
}

static struct err *read_ini(const struct lookup *l, struct ini *ini, char *text)
{
    for (char *save, *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        char *start = trimmed(line), *close = *start == '[' ? strrchr(start, ']') : NULL;
        size_t indent = (size_t)(start - line);
        if (!*start || *start == '#' || *start == ';')
            continue;
        if (ini->key && indent > ini->indent) {
            const char *before = json_string_value(json_object_get(ini->at, ini->key));
            const char *longer = arena_printf(l->arena, "%s\n%s", before, start);
            json_object_set_new(ini->at, ini->key, json_string(longer));
            continue;
        }
        ini->indent = indent;
        if (close) {
            *close = 0;
            enter_section(ini, start + 1);
        } else {
            TRY(read_setting(ini, start));
        }
    }
    return NULL;
}

static struct err *find_settings(const struct lookup *l, const json_t *settings, const char *key, bool regex,
                                 bool *any)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)settings, name, value)
    {
        bool match = strcmp(name, key) == 0;
        if (regex)
            TRY(regex_matches(key, (struct regex_flags){.anchored = true}, name, strlen(name), &match));
        if (match)
            json_array_append(l->results, value);
        *any = *any || match;
    }
    return NULL;
}

static struct err *search_ini(const struct lookup *l, const json_t *pairs, const char *key, char *text)
{
    json_auto_t *defaults = json_object(), *own = json_object(), *others = json_object();
    bool properties = strcmp(pair_text(l, pairs, "type", "ini"), "properties") == 0, any = false;
    bool regex = pair_flag(pairs, "re");
    struct ini ini = {.section = properties ? PROPERTIES : pair_text(l, pairs, "section", "global"),
                      .case_sensitive = pair_flag(pairs, "case_sensitive"),
                      .defaults = defaults,
                      .own = own,
                      .others = others};
    if (properties)
        enter_section(&ini, PROPERTIES);
    TRY(read_ini(l, &ini, text));
    if (!ini.is_there && strcmp(ini.section, "DEFAULT") != 0)
        return err_new(ERR_INPUT, "there is no section '%s'", ini.section);
    json_object_update(defaults, own);
    char *wanted = arena_strdup(l->arena, key);
    for (char *c = wanted; *c && !regex && !ini.case_sensitive; c++)
        *c = (char)tolower((unsigned char)*c);
    TRY(find_settings(l, defaults, wanted, regex, &any));
    const char *fallback = pair_text(l, pairs, "default", "");
    if (!any && !regex)
        lookup_put(l, fallback, strlen(fallback));
    return NULL;
}

struct err *lookup_ini(const struct lookup *l)
{
    static const char *const keys[] = {"section", "file",           "type",     "default",
                                       "re",      "case_sensitive", "encoding", NULL};
    for (size_t i = 0; i < json_array_size(l->terms); i++) {
        json_auto_t *pairs = json_object();
        const char *key;
        char *text;
        size_t length;
        TRY(lookup_split_term(l, expr_value_text(l->arena, json_array_get(l->terms, i)), keys, &key, pairs));
        TRY(lookup_read(l, pair_text(l, pairs, "file", "ansible.ini"), &text, &length));
        TRY(search_ini(l, pairs, key, text));
    }
    return NULL;
}

/* --- csvfile: 'key file=f delimiter=, col=1' --- */

/* One field from *text, which moves behind it; *last tells that the line ended. */
static char *read_field(char **text, char delimiter, bool *last)
{
    char *from = *text, *to = from, *p = from;
    bool quoted = *p == '"';
    p += quoted;
    while (*p && (quoted || (*p != delimiter && *p != '\n'))) {
        if (quoted && *p == '"' && p[1] != '"') {
            quoted = false;
            p++;
            continue;
        }
        p += quoted && *p == '"';
        *to++ = *p++;
    }
    *last = *p != delimiter;
    *text = p + (*p != 0);
    if (*last && to > from && to[-1] == '\r')
        to--;
    *to = 0;
    return from;
}

/* The field of the first row that begins with the key; *found is NULL when there is no such row. */
static struct err *find_field(char *text, const char *key, char delimiter, long column, const char **found)
{
    *found = NULL;
    while (*text) {
        bool last = false;
        const char *wanted = NULL;
        char *first = NULL;
        for (long i = 0; !last; i++) {
            char *field = read_field(&text, delimiter, &last);
            first = i ? first : field;
            wanted = i == column ? field : wanted;
        }
        if (strcmp(first, key) != 0)
            continue;
        *found = wanted;
        return wanted ? NULL : err_new(ERR_INPUT, "the row '%s' has no column %ld", key, column);
    }
    return NULL;
}

struct err *lookup_csvfile(const struct lookup *l)
{
    static const char *const keys[] = {"file", "delimiter", "col", "default", "encoding", NULL};
    for (size_t i = 0; i < json_array_size(l->terms); i++) {
        json_auto_t *pairs = json_object();
        const char *key;
        char *text;
        size_t length;
        TRY(lookup_split_term(l, expr_value_text(l->arena, json_array_get(l->terms, i)), keys, &key, pairs));
        const char *delimiter = pair_text(l, pairs, "delimiter", "TAB");
        TRY(lookup_read(l, pair_text(l, pairs, "file", "ansible.csv"), &text, &length));
        const char *found;
        TRY(find_field(text, key, strcasecmp(delimiter, "TAB") == 0 ? '\t' : delimiter[0],
                       strtol(pair_text(l, pairs, "col", "1"), NULL, 10), &found));
        found = found ? found : pair_text(l, pairs, "default", NULL);
        if (found)
            lookup_put(l, found, strlen(found));
    }
    return NULL;
}

/* --- password: 'file length=20 chars=ascii_letters,digits' --- */

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static void add_characters(struct strbuf *sb, const char *name)
{
    static const struct {
        const char *name, *characters;
    } sets[] = {{"ascii_letters", LOWER UPPER},
                {"ascii_lowercase", LOWER},
                {"ascii_uppercase", UPPER},
                {"digits", DIGITS},
                {"hexdigits", DIGITS "abcdefABCDEF"},
                {"octdigits", "01234567"},
                {"punctuation", "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"}};
    for (size_t i = 0; i < sizeof(sets) / sizeof(*sets); i++)
        if (strcmp(sets[i].name, name) == 0)
            name = sets[i].characters;
    for (; *name; name++)
        if (!sb->length || !memchr(sb->data, *name, sb->length))
            strbuf_addc(sb, *name);
}

/* A list, or text with commas in which ",," is a comma. */
static struct err *read_characters(const struct lookup *l, const json_t *value, struct strbuf *sb)
{
    size_t i;
    const json_t *item;
    const char *text = json_string_value(value);
    json_array_foreach(value, i, item) add_characters(sb, expr_value_text(l->arena, item));
    bool comma = text && strstr(text, ",,");
    for (char *copy = arena_strdup(l->arena, text ? text : ""), *save, *part = strtok_r(copy, ",", &save);
         part; part = strtok_r(NULL, ",", &save))
        add_characters(sb, part);
    if (comma)
        add_characters(sb, ",");
    if (!value)
        add_characters(sb, LOWER UPPER DIGITS ".,:-_");
    for (i = 0; i < sb->length; i++)
        if (sb->data[i] & 0x80)
            return err_new(ERR_INPUT, "'chars' takes ASCII only");
    return sb->length ? NULL : err_new(ERR_INPUT, "'chars' is empty");
}

struct password {
    const char *path;
    json_t *pairs;
};

static struct err *new_password(const struct lookup *l, const struct password *p, char **password)
{
    CLEANUP_STRBUF struct strbuf set;
    strbuf_init(&set, 1024);
    long length = strtol(pair_text(l, p->pairs, "length", "20"), NULL, 10);
    if (length < 1 || length > 1024)
        return err_new(ERR_INPUT, "a password has 1 to 1024 characters");
    TRY(read_characters(l, json_object_get(p->pairs, "chars"), &set));
    return random_text(l->arena, json_object_get(p->pairs, "seed"), set.data, set.length, (size_t)length,
                       password);
}

/* The first line of the file, which is made when it is not there. */
static struct err *stored_password(const struct lookup *l, const struct password *p, char **password)
{
    const char *path = fs_resolve(l->arena, l->run->playbook->dir, p->path);
    size_t length;
    if (strcmp(path, "/dev/null") == 0)
        return new_password(l, p, password);
    if (!fs_exists(path)) {
        TRY(new_password(l, p, password));
        TRY(fs_make_dirs(fs_dirname(l->arena, path), 0700));
        const char *line = arena_printf(l->arena, "%s\n", *password);
        return fs_write_file(path, line, strlen(line), 0600);
    }
    TRY(fs_read_file(l->arena, path, 1u << 20, password, &length));
    (*password)[strcspn(*password, "\r\n")] = 0;
    if (strstr(*password, " salt="))
        return err_new(ERR_INPUT, "'%s' holds a salt: 'encrypt' is not supported, use | password_hash", path);
    return NULL;
}

struct err *lookup_password(const struct lookup *l)
{
    static const char *const keys[] = {"length", "chars", "seed", "encrypt", "ident", NULL};
    for (size_t i = 0; i < json_array_size(l->terms); i++) {
        json_auto_t *pairs = json_object();
        struct password p = {.pairs = pairs};
        char *password;
        TRY(lookup_split_term(l, expr_value_text(l->arena, json_array_get(l->terms, i)), keys, &p.path,
                              pairs));
        if (json_object_get(pairs, "encrypt") || json_object_get(pairs, "ident"))
            return err_with_hint(err_new(ERR_INPUT, "'encrypt' is not supported"),
                                 "use | password_hash('sha512', salt)");
        TRY(stored_password(l, &p, &password));
        lookup_put(l, password, strlen(password));
    }
    return NULL;
}
