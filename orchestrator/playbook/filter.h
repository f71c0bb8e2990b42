/* The tables of filters, tests, methods and functions. Internal to the expression engine.
 *
 * A function gets its arguments bound to the parameters of its table row: arg[i] is NULL when absent. All
 * values are borrowed from the pool; the result must be too.
 */
#pragma once
#include "playbook/expr_eval.h"
#include "playbook/expr_tools.h"
#include "playbook/regex.h"
#include <time.h>

#define FILTER_MAX_PARAMS 6

enum filter_flags {
    FILTER_UNDEFINED = 1, /* takes an undefined input and undefined arguments; others refuse them */
    FILTER_VARIADIC = 2,  /* positional arguments go to rest[], named ones to arg[] */
    FILTER_ON_TEXT = 8,   /* the input must be text */
    FILTER_TEXT = 4       /* the result stays text: a template does not read it back as a list or map */
};

struct filter;

struct call {
    const char *name;
    json_t *input;
    json_t *arg[FILTER_MAX_PARAMS];
    json_t **rest;
    size_t rest_count;
    json_t *named; /* FILTER_VARIADIC: named arguments that are not parameters; an object */
};

typedef struct err *filter_fn(struct eval *ev, const struct call *call, json_t **out);

struct filter {
    const char *name;
    filter_fn *apply;
    int required; /* parameters that must be given */
    int flags;
    const char *params[FILTER_MAX_PARAMS];
};

struct filter_table {
    const struct filter *rows;
    size_t count;
};

extern const struct filter_table filters_text, filters_list, filters_select, filters_data, filters_regex,
    filters_path, filters_random, filters_time, filters_url, filters_local, filters_wrap, filters_arrange,
    filters_convert;
/* Those whose name needs "community.general." in front. */
extern const struct filter_table filters_community;
/* All of them but those, for looking through. */
extern const struct filter_table *const filter_tables[], *const test_tables[];
extern const size_t filter_table_count, test_table_count;
/* Methods of text that are not filters as well. */
extern const struct filter_table methods_text;
/* Tests are filters whose result is a boolean. */
extern const struct filter_table tests_value, tests_result, tests_url, tests_local;

/* NULL when unknown. A leading "ansible.builtin." is skipped. */
const struct filter *filter_find(const char *name);
const struct filter *filter_find_test(const char *name);
/* "unknown filter 'x'", with a hint. */
struct err *filter_unknown(const char *kind, const char *name, bool test) REHOST_MUST_CHECK;

/* Evaluated arguments, before binding. */
struct arguments {
    json_t **items;
    size_t count;
    json_t *named; /* an object or NULL */
};
/* Binds and calls; `skip` positional arguments are left out (map('name', args...)). */
struct err *filter_call(struct eval *ev, const struct filter *filter, json_t *input,
                        const struct arguments *args, size_t skip, json_t **out) REHOST_MUST_CHECK;
struct err *filter_call_test(struct eval *ev, const struct filter *test, json_t *input,
                             const struct arguments *args, size_t skip, bool *truth) REHOST_MUST_CHECK;

/* `value.name(args)`: text, lists, maps. */
struct err *method_call(struct eval *ev, json_t *object, const char *name, const struct arguments *args,
                        json_t **out) REHOST_MUST_CHECK;
bool method_is_map_method(const char *name);
/* `name(args)`: range, dict, lookup, query, q, namespace, now, undef. */
struct err *function_call(struct eval *ev, const char *name, const struct arguments *args,
                          json_t **out) REHOST_MUST_CHECK;
bool function_exists(const char *name);
struct err *function_unknown(const char *name) REHOST_MUST_CHECK;

/* What can change in place: a list or map that the template made. methods_change.c. *known is false when the
 * type has no such method. */
struct err *method_change(struct eval *ev, json_t *object, const char *name, const struct arguments *args,
                          bool *known, json_t **out) REHOST_MUST_CHECK;

/* filter_time.c: points in time (MARK_TIME), spans (MARK_SPAN). */
struct err *time_value(struct eval *ev, const struct tm *tm, json_t **out) REHOST_MUST_CHECK;
struct err *time_now(struct eval *ev, const struct arguments *args, json_t **out) REHOST_MUST_CHECK;
/* `left - right`; *done is false when they are no points in time. */
struct err *time_difference(struct eval *ev, const json_t *left, const json_t *right, bool *done,
                            json_t **out) REHOST_MUST_CHECK;
struct err *time_method(struct eval *ev, const json_t *object, const char *name, const struct arguments *args,
                        json_t **out) REHOST_MUST_CHECK;

/* For the functions themselves. Text of an argument or `fallback` when it is absent; other values are
 * rendered to text. */
const char *call_text(struct eval *ev, const json_t *value, const char *fallback);
struct err *call_int(const struct call *call, int index, json_int_t fallback,
                     json_int_t *number) REHOST_MUST_CHECK;
bool call_truth(const json_t *value, bool fallback);
/* ERR_INPUT "filter 'NAME' works on a list, but got text". */
struct err *call_wrong(const struct call *call, const char *wanted) REHOST_MUST_CHECK;
/* The elements of a list, the characters of text or the keys of a map, as a list. */
struct err *call_elements(struct eval *ev, const struct call *call, const json_t *value,
                          json_t **list) REHOST_MUST_CHECK;
/* `a.b.0` looked up in a value; undefined when absent. */
struct err *call_attribute(struct eval *ev, json_t *value, const json_t *path,
                           json_t **out) REHOST_MUST_CHECK;

/* upper, lower: Unicode's simple case mapping. */
struct err *text_change_case(struct eval *ev, const json_t *text, bool upper, json_t **out) REHOST_MUST_CHECK;
/* Splits at `separator`, or at runs of white space when it is NULL; at most `limit` times unless it is
 * negative. */
struct err *text_split(struct eval *ev, const json_t *text, const char *separator, json_int_t limit,
                       json_t **out) REHOST_MUST_CHECK;
/* Python's str.format(): {} {0} {name} {x:>10}. */
struct err *text_format_braces(struct eval *ev, const struct call *call, json_t **out) REHOST_MUST_CHECK;
/* -1, 0 or 1: `a` is older than, the same as, newer than `b`, as Ansible's version test orders them. */
struct err *version_compare(const char *a, const char *b, const char *type, int *order) REHOST_MUST_CHECK;
