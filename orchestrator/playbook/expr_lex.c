/* Text to tokens, by the lexical rules of Jinja. */
#include "base/strbuf.h"
#include "playbook/expr_ast.h"
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAX_TOKENS 200000
#define MAX_BRACKETS 64

struct lexer {
    const struct lex_input *in;
    size_t at;
    int line;
    char brackets[MAX_BRACKETS]; /* the closing brackets that are still due */
    int open;
    struct token *tokens;
    size_t count, capacity;
};

static struct err *lex_error(const struct lexer *lx, const char *message)
{
    size_t from = lx->at > 30 ? lx->at - 30 : 0;
    while (from < lx->at && (lx->in->source[from] & 0xc0) == 0x80)
        from++;
    return expr_error(lx->in->place, lx->line, "%s after '%.*s'", message, (int)(lx->at - from),
                      lx->in->source + from);
}

static char peek(const struct lexer *lx, size_t ahead)
{
    return lx->at + ahead < lx->in->length ? lx->in->source[lx->at + ahead] : 0;
}

static struct err *add_token(struct lexer *lx, enum token_type type, struct token **token)
{
    if (lx->count >= MAX_TOKENS)
        return lex_error(lx, "the expression is too long");
    if (lx->count == lx->capacity) {
        size_t capacity = lx->capacity ? 2 * lx->capacity : 16;
        struct token *tokens = arena_array(lx->in->arena, capacity, sizeof(*tokens));
        if (lx->count)
            memcpy(tokens, lx->tokens, lx->count * sizeof(*tokens));
        lx->tokens = tokens;
        lx->capacity = capacity;
    }
    *token = &lx->tokens[lx->count++];
    **token = (struct token){.type = type, .text = "", .line = lx->line, .offset = lx->at};
    return NULL;
}

static bool is_name_start(char c)
{
    return isalpha((unsigned char)c) || c == '_' || (c & 0x80);
}

static struct err *lex_name(struct lexer *lx)
{
    struct token *token;
    TRY(add_token(lx, TOKEN_NAME, &token));
    size_t start = lx->at;
    while (is_name_start(peek(lx, 0)) || isdigit((unsigned char)peek(lx, 0)))
        lx->at++;
    token->length = lx->at - start;
    token->text = arena_strndup(lx->in->arena, lx->in->source + start, token->length);
    return NULL;
}

static void add_code_point(struct strbuf *sb, unsigned long c)
{
    if (c < 0x80) {
        strbuf_addc(sb, (char)c);
        return;
    }
    int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    strbuf_addc(sb, (char)((0xff00 >> (more + 1) & 0xff) | (int)(c >> (6 * more))));
    while (more-- > 0)
        strbuf_addc(sb, (char)(0x80 | (c >> (6 * more) & 0x3f)));
}

/* \xHH, \uHHHH, \UHHHHHHHH */
static struct err *lex_code_escape(struct lexer *lx, struct strbuf *sb, int digits)
{
    char hex[9] = {0};
    for (int i = 0; i < digits; i++) {
        hex[i] = peek(lx, 0);
        if (!isxdigit((unsigned char)hex[i]))
            return lex_error(lx, "a \\ escape without enough hexadecimal digits");
        lx->at++;
    }
    unsigned long c = strtoul(hex, NULL, 16);
    if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        return lex_error(lx, "a \\ escape that is not a character");
    add_code_point(sb, c);
    return NULL;
}

static struct err *lex_escape(struct lexer *lx, struct strbuf *sb)
{
    static const char from[] = "\\'\"abfnrtv", to[] = "\\'\"\a\b\f\n\r\t\v";
    char c = peek(lx, 0);
    const char *known = c ? strchr(from, c) : NULL;
    lx->at += c != 0;
    if (known) {
        strbuf_addc(sb, to[known - from]);
    } else if (c == 'x' || c == 'u' || c == 'U') {
        return lex_code_escape(lx, sb, c == 'x' ? 2 : c == 'u' ? 4 : 8);
    } else if (c >= '0' && c <= '7') {
        unsigned value = (unsigned)(c - '0');
        for (int i = 0; i < 2 && peek(lx, 0) >= '0' && peek(lx, 0) <= '7'; i++)
            value = value * 8 + (unsigned)(lx->in->source[lx->at++] - '0');
        if (value == 0)
            return lex_error(lx, "a NUL character");
        add_code_point(sb, value);
    } else if (c == '\n') {
        lx->line++;
    } else {
        strbuf_addc(sb, '\\');
        if (c)
            strbuf_addc(sb, c);
    }
    return NULL;
}

static struct err *lex_text_body(struct lexer *lx, char quote, struct strbuf *sb)
{
    for (;;) {
        char c = peek(lx, 0);
        if (lx->at >= lx->in->length)
            return lex_error(lx, "quoted text without an end");
        lx->at++;
        if (c == quote)
            return NULL;
        lx->line += c == '\n';
        if (c != '\\') {
            strbuf_addc(sb, c);
        } else if (lx->in->raw_text) {
            bool pair = peek(lx, 0) == '\\'; /* each of them stands for itself */
            if (pair) {
                strbuf_addc(sb, '\\');
                lx->at++;
            } else if (peek(lx, 0) == quote) /* what Ansible makes of it is a syntax error */
                return lex_error(lx,
                                 "a backslash does not protect a quote here: use the other kind of quotes");
            strbuf_addc(sb, '\\');
        } else {
            TRY(lex_escape(lx, sb));
        }
    }
}

static struct err *lex_text(struct lexer *lx)
{
    CLEANUP_STRBUF struct strbuf sb;
    strbuf_init(&sb, 0);
    struct token *token;
    TRY(add_token(lx, TOKEN_TEXT, &token));
    TRY(lex_text_body(lx, lx->in->source[lx->at++], &sb));
    token->text = arena_strndup(lx->in->arena, sb.data, sb.length);
    token->length = sb.length;
    return NULL;
}

/* Copies a run of digits without '_'. */
static size_t copy_digits(struct lexer *lx, char *digits, size_t n, size_t size, const char *allowed)
{
    for (char c = peek(lx, 0); c && n + 1 < size && (strchr(allowed, c) || c == '_'); c = peek(lx, 0)) {
        if (c != '_')
            digits[n++] = c;
        lx->at++;
    }
    digits[n] = 0;
    return n;
}

static struct err *lex_real(struct lexer *lx, char *digits, size_t n, size_t size, struct token *token)
{
    static const char decimal[] = "0123456789";
    if (peek(lx, 0) == '.') {
        digits[n++] = '.';
        lx->at++;
        n = copy_digits(lx, digits, n, size - 8, decimal);
    }
    char sign = peek(lx, 1);
    bool exponent = (peek(lx, 0) | 0x20) == 'e' &&
                    (isdigit((unsigned char)sign) ||
                     ((sign == '-' || sign == '+') && isdigit((unsigned char)peek(lx, 2))));
    if (exponent) {
        digits[n++] = 'e';
        lx->at++;
        if (sign == '-' || sign == '+')
            digits[n++] = lx->in->source[lx->at++];
        copy_digits(lx, digits, n, size, decimal);
    }
    token->type = TOKEN_REAL;
    token->real = strtod(digits, NULL);
    return NULL;
}

static struct err *lex_number(struct lexer *lx)
{
    char digits[80];
    struct token *token;
    TRY(add_token(lx, TOKEN_INTEGER, &token));
    int base = 10;
    if (peek(lx, 0) == '0' && peek(lx, 1) && strchr("xXoObB", peek(lx, 1))) {
        char kind = (char)tolower(peek(lx, 1));
        base = kind == 'x' ? 16 : kind == 'o' ? 8 : 2;
        lx->at += 2;
    }
    size_t n = copy_digits(lx, digits, 0, sizeof(digits) - 20,
                           base == 16   ? "0123456789abcdefABCDEF"
                           : base == 10 ? "0123456789"
                           : base == 8  ? "01234567"
                                        : "01");
    char next = peek(lx, 0), after = peek(lx, 1);
    bool exponent =
        (next | 0x20) == 'e' && (isdigit((unsigned char)after) ||
                                 ((after == '-' || after == '+') && isdigit((unsigned char)peek(lx, 2))));
    if (base == 10 && ((next == '.' && isdigit((unsigned char)after)) || exponent))
        return lex_real(lx, digits, n, sizeof(digits), token);
    errno = 0;
    token->integer = strtoll(digits, NULL, base);
    bool leading_zero =
        base == 10 && digits[0] == '0' && token->integer != 0; /* 010 is no number in Python */
    if (errno || n == 0 || leading_zero || is_name_start(peek(lx, 0)))
        return lex_error(lx, "a number that cannot be read");
    return NULL;
}

static struct err *track_bracket(struct lexer *lx, char c)
{
    const char *opening = strchr("([{", c);
    if (opening && *opening) {
        if (lx->open == MAX_BRACKETS)
            return lex_error(lx, "brackets nested more than 64 deep");
        lx->brackets[lx->open++] = ")]}"[opening - "([{"];
    } else if (strchr(")]}", c)) {
        if (lx->open == 0 || lx->brackets[lx->open - 1] != c)
            return lex_error(lx, "a closing bracket that does not fit");
        lx->open--;
    }
    return NULL;
}

static struct err *lex_operator(struct lexer *lx)
{
    static const char *const operators[] = {"//", "**", "==", "!=", ">=", "<=", "+", "-", "/",
                                            "*",  "%",  "~",  "[",  "]",  "(",  ")", "{", "}",
                                            ">",  "<",  "=",  ".",  ":",  "|",  ",", ";"};
    for (size_t i = 0; i < sizeof(operators) / sizeof(*operators); i++) {
        size_t n = strlen(operators[i]);
        if (lx->in->length - lx->at < n || strncmp(lx->in->source + lx->at, operators[i], n) != 0)
            continue;
        struct token *token;
        TRY(add_token(lx, TOKEN_OPERATOR, &token));
        TRY(track_bracket(lx, operators[i][0]));
        token->text = operators[i];
        token->length = n;
        lx->at += n;
        return NULL;
    }
    lx->at++;
    return lex_error(lx, "an unexpected character");
}

/* Inside brackets `}}` closes two of them, as in {{ {'a': {}} }}. */
static bool at_end_mark(const struct lexer *lx)
{
    const char *mark = lx->in->end_mark;
    if (!mark || lx->open > 0)
        return false;
    size_t skip = peek(lx, 0) == '-' || (peek(lx, 0) == '+' && mark[0] == '%');
    return lx->in->length - lx->at >= skip + strlen(mark) &&
           strncmp(lx->in->source + lx->at + skip, mark, strlen(mark)) == 0;
}

static struct err *lex_all(struct lexer *lx)
{
    while (lx->at < lx->in->length) {
        char c = peek(lx, 0);
        if (at_end_mark(lx))
            break;
        if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v') {
            lx->line += c == '\n';
            lx->at++;
        } else if (is_name_start(c)) {
            TRY(lex_name(lx));
        } else if (isdigit((unsigned char)c)) {
            TRY(lex_number(lx));
        } else if (c == '\'' || c == '"') {
            TRY(lex_text(lx));
        } else {
            TRY(lex_operator(lx));
        }
    }
    if (lx->at >= lx->in->length && lx->in->end_mark)
        return lex_error(lx, lx->open ? "a bracket without its end" : "no closing mark");
    if (lx->open)
        return lex_error(lx, "a bracket without its end");
    return NULL;
}

struct err *expr_lex(const struct lex_input *input, size_t *offset, int line, struct token **tokens,
                     size_t *count)
{
    struct lexer lx = {.in = input, .at = *offset, .line = line};
    TRY(lex_all(&lx));
    struct token *end;
    TRY(add_token(&lx, TOKEN_END, &end));
    *offset = lx.at;
    *tokens = lx.tokens;
    *count = lx.count;
    return NULL;
}
