/* Points in time and the spans between them: what to_datetime and now() give is Python's naive datetime. Such
 * a value is its text, with the members that playbooks ask for beside it. */
#include "playbook/filter.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DAY_SECONDS 86400

struct moment {
    int64_t seconds; /* of a point: since 1970, as if the clock stood on UTC; of a span: its length */
    struct tm tm;    /* of a point */
};

static struct err *format_time(struct eval *ev, const char *format, const struct tm *tm, json_t **out)
{
    char text[512];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored                                                                               \
    "-Wformat-nonliteral" /* the format is the playbook author's; strftime() only reads tm */
    size_t length = strftime(text, sizeof(text), format, tm);
#pragma GCC diagnostic pop
    if (length == 0 && *format)
        return err_new(ERR_INPUT, "the time's format '%.100s' gives nothing or more than %zu characters",
                       format, sizeof(text) - 1);
    return pool_text(ev->pool, text, length, out);
}

static struct err *keep_moment(struct eval *ev, enum mark_kind kind, struct moment moment, json_t *members,
                               json_t *text, json_t **out)
{
    struct moment *kept = ARENA_NEW(ev->pool->arena, struct moment);
    *kept = moment;
    TRY(pool_keep(ev->pool, members, &members));
    struct mark *mark = pool_mark(ev->pool, text);
    mark->kind = kind;
    mark->members = members;
    mark->data = kept;
    *out = text;
    return NULL;
}

struct err *time_value(struct eval *ev, const struct tm *tm, json_t **out)
{
    json_t *text;
    struct tm copy = *tm;
    struct moment moment = {.seconds = timegm(&copy), .tm = *tm};
    TRY(format_time(ev, "%Y-%m-%d %H:%M:%S", tm, &text));
    json_t *members = json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i}", "year", tm->tm_year + 1900, "month",
                                tm->tm_mon + 1, "day", tm->tm_mday, "hour", tm->tm_hour, "minute", tm->tm_min,
                                "second", tm->tm_sec, "microsecond", 0);
    return keep_moment(ev, MARK_TIME, moment, members, text, out);
}

/* As Python writes a timedelta: "3 days, 12:00:00", "-1 day, 0:30:00". */
static struct err *span_value(struct eval *ev, int64_t seconds, json_t **out)
{
    char text[80];
    int64_t days = seconds / DAY_SECONDS - (seconds % DAY_SECONDS < 0), rest = seconds - days * DAY_SECONDS;
    int n = 0;
    if (days)
        n = snprintf(text, sizeof(text), "%lld day%s, ", (long long)days, days == 1 || days == -1 ? "" : "s");
    n += snprintf(text + n, sizeof(text) - (size_t)n, "%d:%02d:%02d", (int)(rest / 3600),
                  (int)(rest / 60 % 60), (int)(rest % 60));
    json_t *value;
    TRY(pool_text(ev->pool, text, (size_t)n, &value));
    json_t *members = json_pack("{s:I, s:I, s:i}", "days", (json_int_t)days, "seconds", (json_int_t)rest,
                                "microseconds", 0);
    return keep_moment(ev, MARK_SPAN, (struct moment){.seconds = seconds}, members, value, out);
}

struct err *time_difference(struct eval *ev, const json_t *left, const json_t *right, bool *done,
                            json_t **out)
{
    const struct mark *a = pool_find(ev->pool, left), *b = pool_find(ev->pool, right);
    *done = a && b && a->kind == MARK_TIME && b->kind == MARK_TIME;
    if (!*done)
        return NULL;
    return span_value(ev, ((struct moment *)a->data)->seconds - ((struct moment *)b->data)->seconds, out);
}

struct err *time_method(struct eval *ev, const json_t *object, const char *name, const struct arguments *args,
                        json_t **out)
{
    const struct mark *mark = pool_find(ev->pool, object);
    const struct moment *moment = mark->data;
    if (mark->kind == MARK_SPAN && strcmp(name, "total_seconds") == 0)
        return pool_real(ev->pool, (double)moment->seconds, out);
    if (mark->kind == MARK_TIME && strcmp(name, "strftime") == 0 && args->count == 1)
        return format_time(ev, call_text(ev, args->items[0], ""), &moment->tm, out);
    if (mark->kind == MARK_TIME && strcmp(name, "isoformat") == 0)
        return format_time(ev, "%Y-%m-%dT%H:%M:%S", &moment->tm, out);
    if (mark->kind == MARK_TIME && strcmp(name, "timestamp") == 0) {
        struct tm local = moment->tm;
        local.tm_isdst = -1;
        return pool_real(ev->pool, (double)mktime(&local), out);
    }
    return err_with_hint(err_new(ERR_INPUT, "%s has no method '%s' here",
                                 mark->kind == MARK_TIME ? "a point in time" : "a span of time", name),
                         mark->kind == MARK_TIME ? "use strftime(), isoformat() or timestamp()"
                                                 : "use total_seconds(), .days or .seconds");
}

/* to_datetime(format='%Y-%m-%d %H:%M:%S') */
static struct err *apply_to_datetime(struct eval *ev, const struct call *call, json_t **out)
{
    struct tm tm = {.tm_mday = 1};
    const char *text = call_text(ev, call->input, ""),
               *format = call_text(ev, call->arg[0], "%Y-%m-%d %H:%M:%S");
    if (strstr(format, "%f") || strstr(format, "%z"))
        return err_new(ERR_INPUT, "'to_datetime' knows no %%f and %%z here");
    const char *end = strptime(text, format, &tm);
    if (!end || *end)
        return err_new(ERR_INPUT, "'to_datetime': '%.100s' is not of the form '%.100s'", text, format);
    struct tm whole = tm;
    timegm(&whole); /* finds the day of the week and of the year */
    if (whole.tm_mday != tm.tm_mday)
        return err_new(ERR_INPUT, "'to_datetime': there is no day '%.100s'", text);
    return time_value(ev, &whole, out);
}

/* 'format' | strftime(second=now, utc=false) */
static struct err *apply_strftime(struct eval *ev, const struct call *call, json_t **out)
{
    struct tm tm;
    time_t when = time(NULL);
    if (call->arg[0] && !json_is_null(call->arg[0])) {
        char *end;
        const char *text = call_text(ev, call->arg[0], "");
        double second = strtod(text, &end);
        if (end == text || *end || !(second > -1e15 && second < 1e15))
            return err_new(ERR_INPUT, "'strftime' needs seconds since 1970, but got '%.100s'", text);
        when = (time_t)second - ((double)(time_t)second > second);
    }
    if (!(call_truth(call->arg[1], false) ? gmtime_r(&when, &tm) : localtime_r(&when, &tm)))
        return err_new(ERR_INPUT, "'strftime': the time is out of range");
    return format_time(ev, json_string_value(call->input), &tm, out);
}

/* now(utc=false, fmt=none) */
struct err *time_now(struct eval *ev, const struct arguments *args, json_t **out)
{
    struct tm tm;
    time_t now = time(NULL);
    const json_t *utc = args->count ? args->items[0] : json_object_get(args->named, "utc");
    const json_t *fmt = args->count > 1 ? args->items[1] : json_object_get(args->named, "fmt");
    if (utc && value_true(utc))
        gmtime_r(&now, &tm);
    else
        localtime_r(&now, &tm);
    return json_is_string(fmt) ? format_time(ev, json_string_value(fmt), &tm, out) : time_value(ev, &tm, out);
}

static const struct filter rows[] = {
    {"to_datetime", apply_to_datetime, 0, 0, {"format"}},
    {"strftime", apply_strftime, 0, FILTER_ON_TEXT, {"second", "utc"}},
};
const struct filter_table filters_time = {rows, sizeof(rows) / sizeof(*rows)};
