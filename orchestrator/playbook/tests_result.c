/* Tests on the registered result of a task: `result is changed`, and the order of versions. */
#include "playbook/filter.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static struct err *member(const struct call *call, const char *name, bool *truth)
{
    const json_t *value = json_object_get(call->input, name);
    if (!json_is_object(call->input))
        return err_new(ERR_INPUT, "'%s' works on the registered result of a task, but got %s", call->name,
                       value_type_name(call->input));
    *truth = value && value_true(value);
    return NULL;
}

static struct err *test_member(const struct call *call, const char *name, bool wanted, json_t **out)
{
    bool truth;
    TRY(member(call, name, &truth));
    *out = pool_bool(truth == wanted);
    return NULL;
}

static struct err *is_failed(struct eval *ev, const struct call *call, json_t **out)
{
    (void)ev;
    return test_member(call, "failed", true, out);
}

static struct err *is_success(struct eval *ev, const struct call *call, json_t **out)
{
    (void)ev;
    return test_member(call, "failed", false, out);
}

static struct err *is_skipped(struct eval *ev, const struct call *call, json_t **out)
{
    (void)ev;
    return test_member(call, "skipped", true, out);
}

static struct err *is_unreachable(struct eval *ev, const struct call *call, json_t **out)
{
    (void)ev;
    return test_member(call, "unreachable", true, out);
}

static struct err *is_reachable(struct eval *ev, const struct call *call, json_t **out)
{
    (void)ev;
    return test_member(call, "unreachable", false, out);
}

/* A loop's result is changed when one of its items is. */
static struct err *is_changed(struct eval *ev, const struct call *call, json_t **out)
{
    (void)ev;
    bool truth;
    TRY(member(call, "changed", &truth));
    const json_t *results = json_object_get(call->input, "results");
    for (size_t i = 0; !json_object_get(call->input, "changed") && i < json_array_size(results); i++) {
        const json_t *changed = json_object_get(json_array_get(results, i), "changed");
        truth = truth || (changed && value_true(changed));
    }
    *out = pool_bool(truth);
    return NULL;
}

static struct err *is_started(struct eval *ev, const struct call *call, json_t **out)
{
    (void)ev;
    return test_member(call, "started", true, out);
}

/* Without `finished` in the result the task was not asynchronous and has ended. */
static struct err *is_finished(struct eval *ev, const struct call *call, json_t **out)
{
    (void)ev;
    bool truth;
    TRY(member(call, "finished", &truth));
    *out = pool_bool(truth || !json_object_get(call->input, "finished"));
    return NULL;
}

static const struct filter rows[] = {
    {"failed", is_failed, 0, 0, {0}},       {"failure", is_failed, 0, 0, {0}},
    {"success", is_success, 0, 0, {0}},     {"succeeded", is_success, 0, 0, {0}},
    {"successful", is_success, 0, 0, {0}},  {"skipped", is_skipped, 0, 0, {0}},
    {"skip", is_skipped, 0, 0, {0}},        {"changed", is_changed, 0, 0, {0}},
    {"change", is_changed, 0, 0, {0}},      {"unreachable", is_unreachable, 0, 0, {0}},
    {"reachable", is_reachable, 0, 0, {0}}, {"started", is_started, 0, 0, {0}},
    {"finished", is_finished, 0, 0, {0}},
};
const struct filter_table tests_result = {rows, sizeof(rows) / sizeof(*rows)};

/* Runs of digits, runs of letters, other single characters without the dots: how Python's LooseVersion reads
 * a version. */
static size_t component(const char *p, bool *number)
{
    *number = isdigit((unsigned char)*p);
    size_t n = 0;
    if (*number)
        return strspn(p, "0123456789");
    while (p[n] >= 'a' && p[n] <= 'z')
        n++;
    if (n)
        return n;
    while (p[n] && p[n] != '.' && !isdigit((unsigned char)p[n]) && !(p[n] >= 'a' && p[n] <= 'z'))
        n++;
    return n;
}

static int compare_numbers(const char *a, size_t n, const char *b, size_t m)
{
    for (; n > 1 && *a == '0'; n--)
        a++;
    for (; m > 1 && *b == '0'; m--)
        b++;
    if (n != m)
        return n < m ? -1 : 1;
    return strncmp(a, b, n);
}

static struct err *compare_loose(const char *a, const char *b, int *order)
{
    const char *whole_a = a, *whole_b = b;
    for (;;) {
        bool number_a, number_b;
        a += *a == '.';
        b += *b == '.';
        if (!*a || !*b) {
            *order = (*a != 0) - (*b != 0);
            return NULL;
        }
        size_t n = component(a, &number_a), m = component(b, &number_b);
        if (n == 0 || m == 0) { /* an empty part, as in 1..2: nothing to compare */
            a += n;
            b += m;
            continue;
        }
        if (number_a != number_b)
            return err_with_hint(
                err_new(ERR_INPUT, "the versions '%s' and '%s' cannot be compared: a number meets a word",
                        whole_a, whole_b),
                "compare with version_type='semver' or cut the version down to numbers");
        *order = number_a ? compare_numbers(a, n, b, m) : strncmp(a, b, n < m ? n : m);
        if (*order == 0 && !number_a)
            *order = (n > m) - (n < m);
        if (*order)
            return NULL;
        a += n;
        b += m;
    }
}

/* The dotted part of a semantic version before '-' (and without '+build'); then the pre-release: none is
 * newer than any. */
static int compare_dotted(const char *a, const char *b, bool release)
{
    while (*a && *b) {
        size_t n = strcspn(a, "."), m = strcspn(b, ".");
        bool number_a = strspn(a, "0123456789") == n, number_b = strspn(b, "0123456789") == m;
        int order = number_a && number_b               ? compare_numbers(a, n, b, m)
                    : number_a != number_b && !release ? (number_a ? -1 : 1)
                                                       : strncmp(a, b, n > m ? n : m);
        if (order)
            return order;
        a += n + (a[n] == '.');
        b += m + (b[m] == '.');
    }
    return (*a != 0) - (*b != 0);
}

static struct err *compare_semantic(const char *a, const char *b, int *order)
{
    char text[2][128];
    char *pre[2];
    const char *in[2] = {a, b};
    for (int i = 0; i < 2; i++) {
        size_t length = strcspn(in[i], "+");
        if (length >= sizeof(text[i]) || strspn(in[i], "0123456789.") < 5)
            return err_new(ERR_INPUT, "'%s' is not a semantic version", in[i]);
        memcpy(text[i], in[i], length);
        text[i][length] = 0;
        pre[i] = strchr(text[i], '-');
        if (pre[i])
            *pre[i]++ = 0;
    }
    *order = compare_dotted(text[0], text[1], true);
    if (*order == 0 && pre[0] && pre[1])
        *order = compare_dotted(pre[0], pre[1], false);
    else if (*order == 0)
        *order = (pre[1] != NULL) - (pre[0] != NULL);
    return NULL;
}

/* Two or three numbers, and a pre-release a1 or b1: how Python's StrictVersion reads a version. */
static struct err *read_strict(const char *text, long part[5])
{
    const char *p = text;
    size_t numbers = 0;
    for (int i = 0; i < 5; i++)
        part[i] = 0;
    do {
        char *end;
        p += numbers > 0;
        part[numbers++] = isdigit((unsigned char)*p) ? strtol(p, &end, 10) : -1;
        p = part[numbers - 1] < 0 ? p : end;
    } while (*p == '.' && numbers < 3 && part[numbers - 1] >= 0);
    part[3] = *p == 'a' || *p == 'b' ? *p : 'z';
    if (part[3] != 'z' && isdigit((unsigned char)p[1])) {
        char *end;
        part[4] = strtol(p + 1, &end, 10);
        p = end;
    }
    if (numbers < 2 || part[numbers - 1] < 0 || *p)
        return err_new(ERR_INPUT, "'%s' is not a strict version", text);
    return NULL;
}

static struct err *compare_strict(const char *a, const char *b, int *order)
{
    long x[5], y[5];
    TRY(read_strict(a, x));
    TRY(read_strict(b, y));
    *order = 0;
    for (int i = 0; i < 5 && !*order; i++)
        *order = (x[i] > y[i]) - (x[i] < y[i]);
    return NULL;
}

/* PEP 440: [N!]N(.N)*[{a|b|rc}N][.postN][.devN], compared as [epoch, release, pre, post, dev]. */
struct pep440 {
    long epoch, release[8], pre_kind, pre, post, dev;
};

static bool read_word(const char **p, const char *word, long *number)
{
    const char *at = *p + (**p == '.' || **p == '-' || **p == '_');
    size_t n = strlen(word);
    if (strncasecmp(at, word, n) != 0)
        return false;
    at += n;
    at += (*at == '.' || *at == '-' || *at == '_') && isdigit((unsigned char)at[1]);
    char *end;
    *number = isdigit((unsigned char)*at) ? strtol(at, &end, 10) : 0;
    *p = isdigit((unsigned char)*at) ? end : at;
    return true;
}

static struct err *read_pep440(const char *text, struct pep440 *v)
{
    static const struct {
        const char *word;
        long kind;
    } kinds[] = {{"alpha", 1}, {"beta", 2}, {"preview", 3}, {"pre", 3},
                 {"rc", 3},    {"a", 1},    {"b", 2},       {"c", 3}};
    const char *p = text + (*text == 'v');
    char *end;
    size_t bang = strspn(p, "0123456789");
    *v = (struct pep440){.pre_kind = 4, .post = -1, .dev = 1L << 40};
    if (bang && p[bang] == '!') {
        v->epoch = strtol(p, NULL, 10);
        p += bang + 1;
    }
    size_t count = 0;
    for (; isdigit((unsigned char)*p) && count < 8;
         p = *end == '.' && isdigit((unsigned char)end[1]) ? end + 1 : end)
        v->release[count++] = strtol(p, &end, 10);
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds) && v->pre_kind == 4; i++)
        if (read_word(&p, kinds[i].word, &v->pre))
            v->pre_kind = kinds[i].kind;
    if (!read_word(&p, "post", &v->post) && !read_word(&p, "rev", &v->post))
        (void)read_word(&p, "r", &v->post);
    bool dev = read_word(&p, "dev", &v->dev);
    if (dev && v->pre_kind == 4 && v->post < 0) /* before the first pre-release */
        v->pre_kind = 0;
    if (count == 0 || (*p && *p != '+'))
        return err_new(ERR_INPUT, "'%s' is no version of PEP 440", text);
    return NULL;
}

static struct err *compare_pep440(const char *a, const char *b, int *order)
{
    struct pep440 x, y;
    TRY(read_pep440(a, &x));
    TRY(read_pep440(b, &y));
    long one[sizeof(x) / sizeof(long)], other[sizeof(y) / sizeof(long)];
    memcpy(one, &x, sizeof(x));
    memcpy(other, &y, sizeof(y));
    *order = 0;
    for (size_t i = 0; i < sizeof(one) / sizeof(*one) && !*order; i++)
        *order = (one[i] > other[i]) - (one[i] < other[i]);
    return NULL;
}

struct err *version_compare(const char *a, const char *b, const char *type, int *order)
{
    if (strcmp(type, "loose") == 0)
        return compare_loose(a, b, order);
    if (strcmp(type, "strict") == 0)
        return compare_strict(a, b, order);
    if (strcmp(type, "pep440") == 0)
        return compare_pep440(a, b, order);
    if (strcmp(type, "semver") == 0 || strcmp(type, "semantic") == 0)
        return compare_semantic(a, b, order);
    return err_with_hint(err_new(ERR_INPUT, "'version' knows no version_type '%s'", type),
                         "use loose, strict, semver or pep440");
}
