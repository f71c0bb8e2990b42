#include "playbook/words.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct err *words_split(struct arena *arena, const char *text, char ***words, size_t *count)
{
    char **list = arena_array(arena, strlen(text) / 2 + 1, sizeof(*list)); /* words are apart by a blank */
    size_t n = 0;
    CLEANUP_STRBUF struct strbuf word;
    strbuf_init(&word, 0);
    bool in_word = false;
    char quote = 0;
    for (const char *c = text;; c++) {
        if (quote && *c == '\0')
            return err_new(ERR_INPUT, "a quote (%c) is not closed in '%.80s'", quote, text);
        if (quote) {
            if (*c == quote)
                quote = 0;
            else if (quote == '"' && *c == '\\' && (c[1] == '"' || c[1] == '\\'))
                strbuf_addc(&word, *++c);
            else
                strbuf_addc(&word, *c);
        } else if (*c == '\0' || isspace((unsigned char)*c)) {
            if (in_word)
                list[n++] = strbuf_to_arena(&word, arena);
            strbuf_reset(&word);
            in_word = false;
            if (*c == '\0')
                break;
        } else {
            in_word = true;
            if (*c == '\'' || *c == '"')
                quote = *c;
            else if (*c == '\\' && c[1] != '\0')
                strbuf_addc(&word, *++c);
            else
                strbuf_addc(&word, *c);
        }
    }
    *words = list;
    *count = n;
    return NULL;
}

static size_t name_length(const char *text)
{
    size_t n = 0;
    if (isalpha((unsigned char)text[0]) || text[0] == '_')
        while (isalnum((unsigned char)text[n]) || text[n] == '_')
            n++;
    return n;
}

static void add_quoted(struct strbuf *out, const char *text, size_t length)
{
    if (!length)
        return;
    char *copy = strndup(text, length);
    if (!copy)
        return;
    strbuf_add_shell_quoted(out, copy);
    free(copy);
}

/* Quotes `text` but for $NAME and ${NAME}, which become "${NAME-$NAME}" with the fallback quoted. */
static void add_expanding(struct strbuf *out, const char *text)
{
    const char *from = text;
    for (const char *dollar = strchr(text, '$'); dollar; dollar = strchr(dollar + 1, '$')) {
        bool braced = dollar[1] == '{';
        const char *name = dollar + 1 + braced;
        size_t length = name_length(name);
        if (!length || (braced && name[length] != '}'))
            continue;
        add_quoted(out, from, (size_t)(dollar - from));
        from = name + length + braced;
        strbuf_addf(out, "\"${%.*s-\\$%s%.*s%s}\"", (int)length, name, braced ? "{" : "", (int)length, name,
                    braced ? "\\}" : "");
        dollar = from - 1;
    }
    add_quoted(out, from, strlen(from));
    if (!*text)
        strbuf_adds(out, "''");
}

void words_add_path(struct strbuf *out, const char *path)
{
    if (*path == '~') { /* ~ or ~user: it must stand unquoted, up to and with the first slash */
        size_t length = strcspn(path, "/");
        if (length == 1 || name_length(path + 1) == length - 1) {
            strbuf_add(out, path, length + (path[length] == '/'));
            path += length + (path[length] == '/');
            if (!*path)
                return;
        }
    }
    add_expanding(out, path);
}

struct err *words_add_command(struct arena *arena, struct strbuf *out, const char *text, bool expand)
{
    char **words;
    size_t count;
    TRY(words_split(arena, text, &words, &count));
    for (size_t i = 0; i < count; i++) {
        if (i)
            strbuf_addc(out, ' ');
        if (expand)
            words_add_path(out, words[i]);
        else
            strbuf_add_shell_quoted(out, words[i]);
    }
    return NULL;
}

struct err *words_add_validate(struct arena *arena, struct strbuf *out, const char *text)
{
    if (!strstr(text, "%s"))
        return err_new(ERR_INPUT, "validate must contain %%s: '%s'", text);
    char **words;
    size_t count;
    TRY(words_split(arena, text, &words, &count));
    for (size_t i = 0; i < count; i++) {
        if (i)
            strbuf_addc(out, ' ');
        const char *from = words[i];
        for (const char *percent; (percent = strchr(from, '%')) != NULL;) {
            add_quoted(out, from, (size_t)(percent - from));
            strbuf_adds(out, percent[1] == 's' ? "\"$RH_NEW\"" : "'%'");
            from = percent + 1 + (percent[1] == 's' || percent[1] == '%');
        }
        add_quoted(out, from, strlen(from));
        if (!*words[i])
            strbuf_adds(out, "''");
    }
    return NULL;
}

/* The end of the piece that begins at `at`: quotes and {{ }} or {% %} hold blanks together. */
static struct err *piece_end(const char *text, size_t at, size_t *end)
{
    char quote = 0;
    int depth = 0;
    size_t i = at;
    for (; text[i]; i++) {
        char c = text[i];
        if (quote) {
            if (c == '\\' && quote == '"' && text[i + 1])
                i++;
            else if (c == quote)
                quote = 0;
        } else if (c == '{' && (text[i + 1] == '{' || text[i + 1] == '%')) {
            depth++;
            i++;
        } else if (depth && (c == '}' || c == '%') && text[i + 1] == '}') {
            depth--;
            i++;
        } else if (c == '\'' || c == '"') {
            quote = c;
        } else if (c == '\\' && text[i + 1]) {
            i++;
        } else if (!depth && isspace((unsigned char)c)) {
            break;
        }
    }
    if (quote || depth)
        return err_new(ERR_INPUT, "unbalanced quotes or braces in '%.80s'", text + at);
    *end = i;
    return NULL;
}

/* Takes one pair of quotes off around the whole value, as Ansible does. */
static char *unquote(struct arena *arena, const char *text, size_t length)
{
    if (length >= 2 && (text[0] == '\'' || text[0] == '"') && text[length - 1] == text[0])
        return arena_strndup(arena, text + 1, length - 2);
    return arena_strndup(arena, text, length);
}

struct err *words_pairs(struct arena *arena, const char *text, struct word_pair **pairs, size_t *count)
{
    struct word_pair *list = arena_array(arena, strlen(text) / 2 + 1, sizeof(*list));
    size_t n = 0;
    for (size_t at = 0; text[at];) {
        if (isspace((unsigned char)text[at])) {
            at++;
            continue;
        }
        struct word_pair *pair = &list[n++];
        pair->start = at;
        TRY(piece_end(text, at, &pair->end));
        size_t name = name_length(text + at);
        if (name && text[at + name] == '=') {
            pair->key = arena_strndup(arena, text + at, name);
            pair->value = unquote(arena, text + at + name + 1, pair->end - at - name - 1);
        } else {
            pair->value = unquote(arena, text + at, pair->end - at);
        }
        at = pair->end;
    }
    *pairs = list;
    *count = n;
    return NULL;
}
