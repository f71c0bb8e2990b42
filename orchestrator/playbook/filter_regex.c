/* Regular expressions: Python's syntax by PCRE2, whose own is nearly a superset. Matching has a step limit.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "playbook/filter.h"
#include <ctype.h>
#include <pcre2.h>
#include <string.h>

#define STEP_LIMIT 5000000

struct regex {
    pcre2_code *code;
    pcre2_match_data *match;
    pcre2_match_context *context;
    const char *pattern;
};

static void regex_free(struct regex *re)
{
    pcre2_match_data_free(re->match);
    pcre2_match_context_free(re->context);
    pcre2_code_free(re->code);
}
#define CLEANUP_REGEX __attribute__((cleanup(regex_free)))

/* Python's \Z is PCRE's \z; PCRE's \Z would also match before a last newline. */
static void add_python_pattern(struct strbuf *sb, const char *pattern)
{
    for (; *pattern; pattern++) {
        strbuf_addc(sb, *pattern);
        if (*pattern == '\\' && pattern[1]) {
            pattern++;
            strbuf_addc(sb, *pattern == 'Z' ? 'z' : *pattern);
        }
    }
}

static struct err *regex_compile(struct regex *re, const char *pattern, struct regex_flags flags)
{
    CLEANUP_STRBUF struct strbuf sb;
    strbuf_init(&sb, 64u << 10);
    add_python_pattern(&sb, pattern);
    TRY(strbuf_check(&sb, "the regular expression"));
    int code;
    PCRE2_SIZE offset;
    uint32_t options = PCRE2_UTF | PCRE2_UCP | (flags.ignore_case ? PCRE2_CASELESS : 0) |
                       (flags.multi_line ? PCRE2_MULTILINE : 0) | (flags.anchored ? PCRE2_ANCHORED : 0);
    re->pattern = pattern;
    re->code = pcre2_compile((PCRE2_SPTR)sb.data, sb.length, options, &code, &offset, NULL);
    if (!re->code) {
        PCRE2_UCHAR message[200];
        pcre2_get_error_message(code, message, sizeof(message));
        return err_new(ERR_INPUT, "the regular expression '%s' is wrong at character %zu: %s", pattern,
                       offset, message);
    }
    re->match = pcre2_match_data_create_from_pattern(re->code, NULL);
    re->context = pcre2_match_context_create(NULL);
    if (!re->match || !re->context)
        return err_new(ERR_INTERNAL, "out of memory for a regular expression");
    pcre2_set_match_limit(re->context, STEP_LIMIT);
    pcre2_set_heap_limit(re->context, 64u << 10); /* KiB */
    return NULL;
}

/* *groups is the number of groups that took part, or 0 when there is no match. */
static struct err *regex_match(struct regex *re, const char *text, size_t length, size_t from, int *groups)
{
    uint32_t options = from > 0 ? PCRE2_NO_UTF_CHECK : 0; /* the first match has checked all of the text */
    int rc = pcre2_match(re->code, (PCRE2_SPTR)text, length, from, options, re->match, re->context);
    *groups = rc > 0 ? rc : 0;
    if (rc > 0 || rc == PCRE2_ERROR_NOMATCH)
        return NULL;
    if (rc == PCRE2_ERROR_MATCHLIMIT || rc == PCRE2_ERROR_HEAPLIMIT || rc == PCRE2_ERROR_DEPTHLIMIT)
        return err_with_hint(
            err_new(ERR_INPUT, "the regular expression '%s' takes too many steps", re->pattern),
            "avoid repeated groups that hold repetitions, as in (a+)+");
    return err_new(ERR_INPUT, "the regular expression '%s' failed (%d)", re->pattern, rc);
}

struct err *regex_matches(const char *pattern, struct regex_flags flags, const char *text, size_t length,
                          bool *found)
{
    CLEANUP_REGEX struct regex re = {0};
    int groups;
    TRY(regex_compile(&re, pattern, flags));
    TRY(regex_match(&re, text, length, 0, &groups));
    *found = groups > 0;
    return NULL;
}

/* A group's text; false when it took no part. Groups beyond the pattern's are an error for the caller to
 * name. */
static bool group_span(const struct regex *re, uint32_t group, size_t *from, size_t *to)
{
    const PCRE2_SIZE *spans = pcre2_get_ovector_pointer(re->match);
    *from = *to = 0;
    if (spans[2 * group] == PCRE2_UNSET)
        return false;
    *from = spans[2 * group];
    *to =
        spans[2 * group + 1] < *from ? *from : spans[2 * group + 1]; /* \K can put the end before the start */
    return true;
}

static uint32_t group_count(const struct regex *re)
{
    uint32_t count = 0;
    pcre2_pattern_info(re->code, PCRE2_INFO_CAPTURECOUNT, &count);
    return count;
}

/* \1, \g<1>, \g<name>: *group and the length of the reference, or false when it is none. */
static bool parse_reference(const struct regex *re, const char *p, int *group, size_t *length)
{
    if (p[1] >= '1' && p[1] <= '9') {
        *group = p[1] - '0';
        *length = 2;
        if (p[2] >= '0' && p[2] <= '9') {
            *group = *group * 10 + p[2] - '0';
            *length = 3;
        }
        return true;
    }
    const char *close = p[1] == 'g' && p[2] == '<' ? strchr(p, '>') : NULL;
    char name[40];
    if (!close || close - p - 3 >= (long)sizeof(name) || close - p - 3 < 1)
        return false;
    memcpy(name, p + 3, (size_t)(close - p - 3));
    name[close - p - 3] = 0;
    *length = (size_t)(close - p) + 1;
    *group = name[strspn(name, "0123456789")] ? pcre2_substring_number_from_name(re->code, (PCRE2_SPTR)name)
                                              : (int)strtol(name, NULL, 10);
    return true;
}

static struct err *add_replacement(const struct regex *re, const char *text, const char *replacement,
                                   struct strbuf *sb)
{
    static const char from[] = "ntrabfv\\", to[] = "\n\t\r\a\b\f\v\\";
    for (const char *p = replacement; *p; p++) {
        int group;
        size_t length, start, end;
        const char *escape = *p == '\\' && p[1] ? strchr(from, p[1]) : NULL;
        if (escape) {
            strbuf_addc(sb, to[escape - from]);
            p++;
        } else if (*p == '\\' && parse_reference(re, p, &group, &length)) {
            if (group < 0 || group > (int)group_count(re))
                return err_new(ERR_INPUT, "the replacement '%s' refers to a group that '%s' does not have",
                               replacement, re->pattern);
            if (group_span(re, (uint32_t)group, &start, &end))
                strbuf_add(sb, text + start, end - start);
            p += length - 1;
        } else if (*p == '\\' && isalnum((unsigned char)p[1])) {
            return err_with_hint(
                err_new(ERR_INPUT, "the replacement '%s' has the bad escape '\\%c'", replacement, p[1]),
                "the whole match is \\g<0>, a backslash is \\\\");
        } else {
            strbuf_addc(sb, *p);
        }
    }
    return NULL;
}

/* The text's characters from `at` on; where an empty match makes one step. */
static size_t next_character(const char *text, size_t length, size_t at)
{
    return at + text_offset(text + at, length - at, 1);
}

static struct err *replace_all(struct regex *re, const char *text, size_t length, const char *replacement,
                               struct strbuf *sb)
{
    size_t at = 0, start, end;
    while (at <= length) {
        int groups;
        TRY(regex_match(re, text, length, at, &groups));
        if (!groups)
            break;
        group_span(re, 0, &start, &end);
        if (start < at)
            break;
        strbuf_add(sb, text + at, start - at);
        TRY(add_replacement(re, text, replacement, sb));
        at = end;
        if (end > start)
            continue;
        size_t next = end < length ? next_character(text, length, end) : length + 1;
        if (end < length)
            strbuf_add(sb, text + end, next - end);
        at = next;
    }
    if (at < length)
        strbuf_add(sb, text + at, length - at);
    return NULL;
}

/* regex_replace(pattern, replacement, ignorecase, multiline) */
static struct err *apply_replace(struct eval *ev, const struct call *call, json_t **out)
{
    CLEANUP_REGEX struct regex re = {0};
    CLEANUP_STRBUF struct strbuf sb;
    strbuf_init(&sb, VALUE_MAX_TEXT);
    const char *text = call_text(ev, call->input, "");
    struct regex_flags flags = {.ignore_case = call_truth(call->arg[2], false),
                                .multi_line = call_truth(call->arg[3], false)};
    TRY(regex_compile(&re, call_text(ev, call->arg[0], ""), flags));
    TRY(replace_all(&re, text, strlen(text), call_text(ev, call->arg[1], ""), &sb));
    return pool_buffer(ev->pool, &sb, out);
}

static struct err *keep_group(struct eval *ev, const struct regex *re, uint32_t group, const char *text,
                              json_t **out)
{
    size_t start, end;
    if (group_span(re, group, &start, &end))
        return pool_text(ev->pool, text + start, end - start, out);
    *out = json_null();
    return NULL;
}

/* regex_search(pattern, '\\g<1>', '\\2', ignorecase=..., multiline=...): text, or a list when groups are
 * asked for */
static struct err *apply_search(struct eval *ev, const struct call *call, json_t **out)
{
    CLEANUP_REGEX struct regex re = {0};
    int groups;
    const char *text = call_text(ev, call->input, "");
    struct regex_flags flags = {.ignore_case = call_truth(call->arg[0], false),
                                .multi_line = call_truth(call->arg[1], false)};
    TRY(regex_compile(&re, call_text(ev, call->rest[0], ""), flags));
    TRY(regex_match(&re, text, strlen(text), 0, &groups));
    *out = json_null();
    if (!groups)
        return NULL;
    if (call->rest_count == 1)
        return keep_group(ev, &re, 0, text, out);
    TRY(pool_keep(ev->pool, json_array(), out));
    for (size_t i = 1; i < call->rest_count; i++) {
        const char *reference = call_text(ev, call->rest[i], "");
        int group = -1;
        size_t length;
        json_t *value;
        if (*reference != '\\' || !parse_reference(&re, reference, &group, &length) || group < 0 ||
            group > (int)group_count(&re))
            return err_new(ERR_INPUT, "'regex_search' cannot find the group '%s' in '%s'", reference,
                           re.pattern);
        TRY(keep_group(ev, &re, (uint32_t)group, text, &value));
        json_array_append(*out, value);
    }
    return NULL;
}

/* One match of findall(): the whole, the only group, or a tuple of the groups. */
static struct err *keep_match(struct eval *ev, const struct regex *re, const char *text, json_t **out)
{
    uint32_t count = group_count(re);
    size_t start, end;
    if (count <= 1) {
        group_span(re, count, &start, &end);
        return pool_text(ev->pool, text + start, end - start, out);
    }
    json_t *tuple = json_array();
    for (uint32_t group = 1; group <= count; group++) {
        group_span(re, group, &start, &end);
        json_array_append_new(tuple, json_stringn_nocheck(text + start, end - start));
    }
    return eval_tuple(ev, tuple, out);
}

/* regex_findall(pattern, multiline, ignorecase) */
static struct err *apply_findall(struct eval *ev, const struct call *call, json_t **out)
{
    CLEANUP_REGEX struct regex re = {0};
    const char *text = call_text(ev, call->input, "");
    size_t length = strlen(text), at = 0, start, end;
    struct regex_flags flags = {.multi_line = call_truth(call->arg[1], false),
                                .ignore_case = call_truth(call->arg[2], false)};
    TRY(regex_compile(&re, call_text(ev, call->arg[0], ""), flags));
    TRY(pool_keep(ev->pool, json_array(), out));
    while (at <= length) {
        int groups;
        json_t *found;
        TRY(regex_match(&re, text, length, at, &groups));
        if (!groups)
            break;
        group_span(&re, 0, &start, &end);
        if (start < at)
            break;
        TRY(keep_match(ev, &re, text, &found));
        json_array_append(*out, found);
        at = end > start ? end : end < length ? next_character(text, length, end) : length + 1;
    }
    return NULL;
}

/* What Python's re.escape() escapes. */
static struct err *apply_escape(struct eval *ev, const struct call *call, json_t **out)
{
    static const char special[] = "()[]{}?*+-|^$\\.&~# \t\n\r\v\f", basic[] = "[]^$.*\\";
    const char *set = special, *type = call_text(ev, call->arg[0], "python");
    if (strcmp(type, "posix_basic") == 0)
        set = basic;
    else if (strcmp(type, "python") != 0)
        return err_new(ERR_INPUT, "'regex_escape' knows no type '%s'", type);
    CLEANUP_STRBUF struct strbuf sb;
    strbuf_init(&sb, VALUE_MAX_TEXT);
    for (const char *p = call_text(ev, call->input, ""); *p; p++) {
        strbuf_adds(&sb, strchr(set, *p) ? "\\" : "");
        strbuf_addc(&sb, *p);
    }
    return pool_buffer(ev->pool, &sb, out);
}

static const struct filter rows[] = {
    {"regex_replace", apply_replace, 0, 0, {"pattern", "replacement", "ignorecase", "multiline"}},
    {"regex_search", apply_search, 1, FILTER_VARIADIC, {"ignorecase", "multiline"}},
    {"regex_findall", apply_findall, 1, 0, {"regex", "multiline", "ignorecase"}},
    {"regex_escape", apply_escape, 0, 0, {"re_type"}},
};
const struct filter_table filters_regex = {rows, sizeof(rows) / sizeof(*rows)};
