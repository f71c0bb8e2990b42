/* `value is name(args)`. Tests on results of tasks, on the type and content of values, on versions and local
 * paths. */
#include "playbook/filter.h"
#include <ctype.h>
#include <math.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

static struct err *answer(bool truth, json_t **out)
{
    *out = pool_bool(truth);
    return NULL;
}

static struct err *is_defined(struct eval *ev, const struct call *call, json_t **out)
{
    return answer(!eval_is_undefined(ev, call->input), out);
}

static struct err *is_undefined(struct eval *ev, const struct call *call, json_t **out)
{
    return answer(eval_is_undefined(ev, call->input), out);
}

static struct err *is_none(struct eval *ev, const struct call *call, json_t **out)
{
    (void)ev;
    return answer(json_is_null(call->input), out);
}

static struct err *is_true(struct eval *ev, const struct call *call, json_t **out)
{
    (void)ev;
    return answer(json_is_true(call->input), out);
}

static struct err *is_false(struct eval *ev, const struct call *call, json_t **out)
{
    (void)ev;
    return answer(json_is_false(call->input), out);
}

static struct err *is_boolean(struct eval *ev, const struct call *call, json_t **out)
{
    (void)ev;
    return answer(json_is_boolean(call->input), out);
}

static struct err *is_string(struct eval *ev, const struct call *call, json_t **out)
{
    (void)ev;
    return answer(json_is_string(call->input), out);
}

static struct err *is_number(struct eval *ev, const struct call *call, json_t **out)
{
    (void)ev;
    return answer(value_is_number(call->input), out);
}

static struct err *is_integer(struct eval *ev, const struct call *call, json_t **out)
{
    (void)ev;
    return answer(json_is_integer(call->input), out);
}

static struct err *is_float(struct eval *ev, const struct call *call, json_t **out)
{
    (void)ev;
    return answer(json_is_real(call->input), out);
}

static struct err *is_mapping(struct eval *ev, const struct call *call, json_t **out)
{
    return answer(json_is_object(call->input) && !eval_is_undefined(ev, call->input), out);
}

/* Lists, maps and text: all of them have a length and elements. */
static struct err *is_iterable(struct eval *ev, const struct call *call, json_t **out)
{
    bool yes = json_is_array(call->input) || json_is_object(call->input) || json_is_string(call->input);
    return answer(yes && !eval_is_undefined(ev, call->input), out);
}

/* What Ansible reads as a boolean; others stay as they are. */
static json_t *converted(const json_t *value)
{
    static const char *const words[][2] = {{"yes", "no"}, {"on", "off"}, {"true", "false"},
                                           {"1", "0"},    {"y", "n"},    {"t", "f"}};
    for (size_t i = 0; json_is_string(value) && i < sizeof(words) / sizeof(*words); i++)
        for (int k = 0; k < 2; k++)
            if (strcasecmp(json_string_value(value), words[i][k]) == 0)
                return pool_bool(k == 0);
    return (json_t *)(uintptr_t)value;
}

/* truthy(convert_bool=false) */
static struct err *is_truthy(struct eval *ev, const struct call *call, json_t **out)
{
    (void)ev;
    const json_t *value = call_truth(call->arg[0], false) ? converted(call->input) : call->input;
    return answer(value_true(value), out);
}

static struct err *is_falsy(struct eval *ev, const struct call *call, json_t **out)
{
    TRY(is_truthy(ev, call, out));
    return answer(!value_true(*out), out);
}

static struct err *remainder_is(const struct call *call, json_int_t divisor, json_int_t remainder,
                                json_t **out)
{
    if (!value_is_number(call->input))
        return call_wrong(call, "a number");
    if (divisor == 0)
        return err_new(ERR_INPUT, "division by zero");
    if (json_is_real(call->input))
        return answer(fabs(fmod(json_real_value(call->input), (double)divisor)) == (double)remainder, out);
    json_int_t rest = divisor == -1 ? 0 : value_integer(call->input) % divisor;
    return answer((rest < 0 ? -rest : rest) == remainder, out);
}

static struct err *is_even(struct eval *ev, const struct call *call, json_t **out)
{
    (void)ev;
    return remainder_is(call, 2, 0, out);
}

static struct err *is_odd(struct eval *ev, const struct call *call, json_t **out)
{
    (void)ev;
    return remainder_is(call, 2, 1, out);
}

/* The very same value: for what playbooks compare, type and value. */
static struct err *is_same(struct eval *ev, const struct call *call, json_t **out)
{
    const json_t *a = call->input, *b = call->arg[0];
    (void)ev;
    return answer(json_typeof(a) == json_typeof(b) && value_equal(a, b), out);
}

static struct err *is_filter(struct eval *ev, const struct call *call, json_t **out)
{
    return answer(filter_find(call_text(ev, call->input, "")) != NULL, out);
}

static struct err *is_test(struct eval *ev, const struct call *call, json_t **out)
{
    return answer(filter_find_test(call_text(ev, call->input, "")) != NULL, out);
}

/* No value here is "not a number": there are none. */
static struct err *is_nan(struct eval *ev, const struct call *call, json_t **out)
{
    (void)ev;
    (void)call;
    return answer(false, out);
}

static struct err *is_vault(struct eval *ev, const struct call *call, json_t **out)
{
    return answer(strncmp(call_text(ev, call->input, ""), "$ANSIBLE_VAULT;", 15) == 0, out);
}

static struct err *is_divisible(struct eval *ev, const struct call *call, json_t **out)
{
    (void)ev;
    json_int_t divisor;
    TRY(call_int(call, 0, 1, &divisor));
    return remainder_is(call, divisor, 0, out);
}

static struct err *case_is(struct eval *ev, const struct call *call, bool upper, json_t **out)
{
    json_t *same, *other;
    TRY(text_change_case(ev, call->input, upper, &same));
    TRY(text_change_case(ev, call->input, !upper, &other));
    const char *text = call_text(ev, call->input, "");
    return answer(strcmp(json_string_value(same), text) == 0 && strcmp(json_string_value(other), text) != 0,
                  out);
}

static struct err *is_lower(struct eval *ev, const struct call *call, json_t **out)
{
    return case_is(ev, call, false, out);
}

static struct err *is_upper(struct eval *ev, const struct call *call, json_t **out)
{
    return case_is(ev, call, true, out);
}

static struct err *compared(struct eval *ev, const struct call *call, enum expr_op op, json_t **out)
{
    bool truth;
    TRY(eval_compare(ev, op, call->input, call->arg[0], &truth));
    return answer(truth, out);
}

#define COMPARISON(name, op)                                                                                 \
    static struct err *name(struct eval *ev, const struct call *call, json_t **out)                          \
    {                                                                                                        \
        return compared(ev, call, op, out);                                                                  \
    }
COMPARISON(is_eq, OP_EQ)
COMPARISON(is_ne, OP_NE)
COMPARISON(is_lt, OP_LT)
COMPARISON(is_le, OP_LE)
COMPARISON(is_gt, OP_GT)
COMPARISON(is_ge, OP_GE)
COMPARISON(is_in, OP_IN)

static struct err *is_containing(struct eval *ev, const struct call *call, json_t **out)
{
    bool truth;
    TRY(eval_compare(ev, OP_IN, call->arg[0], call->input, &truth));
    return answer(truth, out);
}

static struct err *all_in(struct eval *ev, const struct call *call, const json_t *few, json_t *many,
                          json_t **out)
{
    json_t *items, *set;
    bool truth = true;
    TRY(call_elements(ev, call, few, &items));
    TRY(call_elements(ev, call, many, &set));
    for (size_t i = 0; truth && i < json_array_size(items); i++)
        TRY(eval_compare(ev, OP_IN, json_array_get(items, i), set, &truth));
    return answer(truth, out);
}

static struct err *is_subset(struct eval *ev, const struct call *call, json_t **out)
{
    return all_in(ev, call, call->input, call->arg[0], out);
}

static struct err *is_superset(struct eval *ev, const struct call *call, json_t **out)
{
    return all_in(ev, call, call->arg[0], call->input, out);
}

static struct err *is_all(struct eval *ev, const struct call *call, json_t **out)
{
    json_t *items;
    bool truth = true;
    TRY(call_elements(ev, call, call->input, &items));
    for (size_t i = 0; truth && i < json_array_size(items); i++)
        truth = value_true(json_array_get(items, i));
    return answer(truth, out);
}

static struct err *is_any(struct eval *ev, const struct call *call, json_t **out)
{
    json_t *items;
    bool truth = false;
    TRY(call_elements(ev, call, call->input, &items));
    for (size_t i = 0; !truth && i < json_array_size(items); i++)
        truth = value_true(json_array_get(items, i));
    return answer(truth, out);
}

static struct err *matches(struct eval *ev, const struct call *call, bool anchored, json_t **out)
{
    bool found;
    struct regex_flags flags = {.ignore_case = call_truth(call->arg[1], false),
                                .multi_line = call_truth(call->arg[2], false),
                                .anchored = anchored};
    const char *text = call_text(ev, call->input, "");
    if (!json_is_string(call->arg[0]))
        return err_new(ERR_INPUT, "'%s' needs a regular expression, not %s", call->name,
                       value_type_name(call->arg[0]));
    TRY(regex_matches(call_text(ev, call->arg[0], ""), flags, text, strlen(text), &found));
    return answer(found, out);
}

static struct err *is_match(struct eval *ev, const struct call *call, json_t **out)
{
    return matches(ev, call, true, out);
}

static struct err *is_search(struct eval *ev, const struct call *call, json_t **out)
{
    return matches(ev, call, false, out);
}

/* regex(pattern, ignorecase, multiline, match_type='search') */
static struct err *is_regex(struct eval *ev, const struct call *call, json_t **out)
{
    const char *type = call_text(ev, call->arg[3], "search");
    if (strcmp(type, "fullmatch") == 0) {
        struct call whole = *call;
        const char *pattern = arena_printf(ev->pool->arena, "(?:%s)\\Z", call_text(ev, call->arg[0], ""));
        TRY(pool_text(ev->pool, pattern, strlen(pattern), &whole.arg[0]));
        return matches(ev, &whole, true, out);
    }
    if (strcmp(type, "search") != 0 && strcmp(type, "match") != 0)
        return err_with_hint(err_new(ERR_INPUT, "'regex' knows no match_type '%s'", type),
                             "use search, match or fullmatch");
    return matches(ev, call, *type == 'm', out);
}

static bool outcome_of_version(const char *op, int order, bool *truth)
{
    static const struct {
        const char *names;
        int orders; /* bit 0: older, bit 1: same, bit 2: newer */
    } ops[] = {{" == = eq ", 2}, {" != <> ne ", 5}, {" < lt ", 1},
               {" <= le ", 3},   {" > gt ", 4},     {" >= ge ", 6}};
    char word[8];
    int length = snprintf(word, sizeof(word), " %s ", op);
    for (size_t i = 0; length < (int)sizeof(word) && i < sizeof(ops) / sizeof(*ops); i++)
        if (strstr(ops[i].names, word)) {
            *truth = ops[i].orders >> (order < 0 ? 0 : order > 0 ? 2 : 1) & 1;
            return true;
        }
    return false;
}

/* version(version, operator='eq', strict=none, version_type='loose') */
static struct err *is_version(struct eval *ev, const struct call *call, json_t **out)
{
    int order;
    bool truth;
    const char *op = call_text(ev, call->arg[1], "eq");
    const char *type = call_text(ev, call->arg[3], call_truth(call->arg[2], false) ? "strict" : "loose");
    if (call->arg[2] && !json_is_null(call->arg[2]) && call->arg[3] && !json_is_null(call->arg[3]))
        return err_new(ERR_INPUT, "'version' takes either 'strict' or 'version_type'");
    const char *mine = call_text(ev, call->input, ""), *other = call_text(ev, call->arg[0], "");
    if (!*mine || !*other)
        return err_new(ERR_INPUT, "'version' compares two versions, but one is empty");
    TRY(version_compare(mine, other, type, &order));
    if (!outcome_of_version(op, order, &truth))
        return err_with_hint(err_new(ERR_INPUT, "'version' knows no operator '%s'", op),
                             "use ==, !=, <, <=, > or >=");
    return answer(truth, out);
}

static struct err *path_has(struct eval *ev, const struct call *call, mode_t type, json_t **out)
{
    struct stat st;
    const char *path = call_text(ev, call->input, "");
    bool exists = (type == S_IFLNK ? lstat(path, &st) : stat(path, &st)) == 0;
    return answer(exists && (type == 0 || (st.st_mode & S_IFMT) == type), out);
}

static struct err *is_file(struct eval *ev, const struct call *call, json_t **out)
{
    return path_has(ev, call, S_IFREG, out);
}

static struct err *is_directory(struct eval *ev, const struct call *call, json_t **out)
{
    return path_has(ev, call, S_IFDIR, out);
}

static struct err *is_link(struct eval *ev, const struct call *call, json_t **out)
{
    return path_has(ev, call, S_IFLNK, out);
}

static struct err *is_existing(struct eval *ev, const struct call *call, json_t **out)
{
    return path_has(ev, call, 0, out);
}

static struct err *is_absolute(struct eval *ev, const struct call *call, json_t **out)
{
    return answer(*call_text(ev, call->input, "") == '/', out);
}

static const struct filter value_rows[] = {
    {"defined", is_defined, 0, FILTER_UNDEFINED, {0}},
    {"undefined", is_undefined, 0, FILTER_UNDEFINED, {0}},
    {"none", is_none, 0, FILTER_UNDEFINED, {0}},
    {"true", is_true, 0, FILTER_UNDEFINED, {0}},
    {"false", is_false, 0, FILTER_UNDEFINED, {0}},
    {"boolean", is_boolean, 0, FILTER_UNDEFINED, {0}},
    {"string", is_string, 0, FILTER_UNDEFINED, {0}},
    {"number", is_number, 0, FILTER_UNDEFINED, {0}},
    {"integer", is_integer, 0, FILTER_UNDEFINED, {0}},
    {"float", is_float, 0, FILTER_UNDEFINED, {0}},
    {"mapping", is_mapping, 0, FILTER_UNDEFINED, {0}},
    {"iterable", is_iterable, 0, 0, {0}},
    {"sequence", is_iterable, 0, FILTER_UNDEFINED, {0}},
    {"truthy", is_truthy, 0, 0, {"convert_bool"}},
    {"falsy", is_falsy, 0, 0, {"convert_bool"}},
    {"even", is_even, 0, 0, {0}},
    {"odd", is_odd, 0, 0, {0}},
    {"divisibleby", is_divisible, 1, 0, {"num"}},
    {"lower", is_lower, 0, 0, {0}},
    {"upper", is_upper, 0, 0, {0}},
    {"eq", is_eq, 1, 0, {"other"}},
    {"==", is_eq, 1, 0, {"other"}},
    {"equalto", is_eq, 1, 0, {"other"}},
    {"sameas", is_same, 1, FILTER_UNDEFINED, {"other"}},
    {"filter", is_filter, 0, 0, {0}},
    {"test", is_test, 0, 0, {0}},
    {"nan", is_nan, 0, 0, {0}},
    {"isnan", is_nan, 0, 0, {0}},
    {"vault_encrypted", is_vault, 0, 0, {0}},
    {"ne", is_ne, 1, 0, {"other"}},
    {"!=", is_ne, 1, 0, {"other"}},
    {"lt", is_lt, 1, 0, {"other"}},
    {"<", is_lt, 1, 0, {"other"}},
    {"lessthan", is_lt, 1, 0, {"other"}},
    {"le", is_le, 1, 0, {"other"}},
    {"<=", is_le, 1, 0, {"other"}},
    {"gt", is_gt, 1, 0, {"other"}},
    {">", is_gt, 1, 0, {"other"}},
    {"greaterthan", is_gt, 1, 0, {"other"}},
    {"ge", is_ge, 1, 0, {"other"}},
    {">=", is_ge, 1, 0, {"other"}},
    {"in", is_in, 1, 0, {"seq"}},
    {"contains", is_containing, 1, 0, {"seq"}},
    {"subset", is_subset, 1, 0, {"b"}},
    {"issubset", is_subset, 1, 0, {"b"}},
    {"superset", is_superset, 1, 0, {"b"}},
    {"issuperset", is_superset, 1, 0, {"b"}},
    {"all", is_all, 0, 0, {0}},
    {"any", is_any, 0, 0, {0}},
    {"match", is_match, 1, 0, {"pattern", "ignorecase", "multiline"}},
    {"search", is_search, 1, 0, {"pattern", "ignorecase", "multiline"}},
    {"regex", is_regex, 1, 0, {"pattern", "ignorecase", "multiline", "match_type"}},
    {"version", is_version, 1, 0, {"version", "operator", "strict", "version_type"}},
    {"version_compare", is_version, 1, 0, {"version", "operator", "strict", "version_type"}},
    {"file", is_file, 0, 0, {0}},
    {"is_file", is_file, 0, 0, {0}},
    {"directory", is_directory, 0, 0, {0}},
    {"is_dir", is_directory, 0, 0, {0}},
    {"link", is_link, 0, 0, {0}},
    {"is_link", is_link, 0, 0, {0}},
    {"exists", is_existing, 0, 0, {0}},
    {"abs", is_absolute, 0, 0, {0}},
    {"is_abs", is_absolute, 0, 0, {0}},
};
const struct filter_table tests_value = {value_rows, sizeof(value_rows) / sizeof(*value_rows)};
