/* The first line of a template that sets its syntax: "#jinja2: trim_blocks: False". */
#include "playbook/template_ast.h"
#include <string.h>

const struct template_syntax template_default_syntax = {
    .start = {"{{", "{%", "{#"}, .end = {"}}", "%}", "#}"}, .trim_blocks = true};

const char *template_newline(const char *text)
{
    size_t length = strlen(text);
    bool quoted = length > 1 && (*text == '\'' || *text == '"') && text[length - 1] == *text;
    static const char *const ends[][2] = {{"\\n", "\n"}, {"\\r", "\r"}, {"\\r\\n", "\r\n"}};
    for (size_t i = 0; i < 3; i++)
        for (int k = 0; k < 2; k++)
            if (strlen(ends[i][k]) == length - 2 * quoted &&
                strncmp(text + quoted, ends[i][k], length - 2 * quoted) == 0)
                return ends[i][1];
    return NULL;
}

static struct err *read_setting(struct arena *arena, const struct expr_place *place, const char *name,
                                const char *value, struct template_syntax *syntax)
{
    static const char *const marks[] = {"variable_start_string", "block_start_string", "comment_start_string",
                                        "variable_end_string",   "block_end_string",   "comment_end_string"};
    bool truth = strcmp(value, "True") == 0;
    size_t length = strlen(value);
    if (strcmp(name, "trim_blocks") == 0 || strcmp(name, "lstrip_blocks") == 0) {
        if (!truth && strcmp(value, "False") != 0)
            return expr_error(place, 1, "'%s' in the #jinja2 line is True or False, not '%s'", name, value);
        *(name[0] == 't' ? &syntax->trim_blocks : &syntax->lstrip_blocks) = truth;
        return NULL;
    }
    if (strcmp(name, "newline_sequence") == 0) {
        syntax->newline = template_newline(value);
        return syntax->newline
                   ? NULL
                   : expr_error(place, 1,
                                "'newline_sequence' in the #jinja2 line is '\\n', '\\r' or '\\r\\n'");
    }
    for (size_t i = 0; i < 6; i++) {
        if (strcmp(name, marks[i]) != 0)
            continue;
        if (length < 3 || (value[0] != '\'' && value[0] != '"') || value[length - 1] != value[0])
            return expr_error(place, 1, "'%s' in the #jinja2 line needs a text in quotes", name);
        *(i < 3 ? &syntax->start[i] : &syntax->end[i - 3]) = arena_strndup(arena, value + 1, length - 2);
        return NULL;
    }
    return expr_error(place, 1, "the #jinja2 line has the unknown setting '%s'", name);
}

struct err *template_read_header(struct arena *arena, const struct expr_place *place, const char *text,
                                 size_t length, struct template_syntax *syntax, size_t *header_length)
{
    static const char header[] = "#jinja2:";
    *header_length = 0;
    if (length < sizeof(header) - 1 || strncmp(text, header, sizeof(header) - 1) != 0)
        return NULL;
    const char *eol = memchr(text, '\n', length);
    *header_length = eol ? (size_t)(eol - text) + 1 : length;
    char *line = arena_strndup(arena, text + sizeof(header) - 1,
                               (eol ? (size_t)(eol - text) : length) - sizeof(header) + 1);
    for (char *save, *pair = strtok_r(line, ",", &save); pair; pair = strtok_r(NULL, ",", &save)) {
        char *colon = strchr(pair, ':');
        if (!colon)
            return expr_error(place, 1, "the #jinja2 line needs 'name: value', not '%s'", pair);
        *colon = 0;
        const char *parts[2] = {pair, colon + 1};
        for (int i = 0; i < 2; i++) {
            parts[i] += strspn(parts[i], " \t\r");
            parts[i] = arena_strndup(arena, parts[i], strcspn(parts[i], " \t\r"));
        }
        TRY(read_setting(arena, place, parts[0], parts[1], syntax));
    }
    return NULL;
}
