#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define SECOND_MS INT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)
#define LONGEST_MS (36525 * DAY_MS) /* a hundred years */

static int64_t read_clock(clockid_t id)
{
    struct timespec now = {0};
    (void)clock_gettime(id, &now); /* cannot fail for these two clocks */
    return (int64_t)now.tv_sec * SECOND_MS + now.tv_nsec / 1000000;
}

int64_t clock_now_ms(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t clock_boot_ms(void)
{
    return read_clock(CLOCK_BOOTTIME);
}

static struct tm to_utc(int64_t epoch_ms)
{
    time_t seconds = (time_t)(epoch_ms / SECOND_MS - (epoch_ms % SECOND_MS < 0));
    struct tm tm = {0};
    (void)gmtime_r(&seconds, &tm); /* a count of ms in 64 bits always fits a year in an int */
    return tm;
}

const char *clock_format_utc(int64_t epoch_ms, char *buf)
{
    struct tm tm = to_utc(epoch_ms);
    (void)strftime(buf, CLOCK_TEXT_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm);
    return buf;
}

const char *clock_format_hms(int64_t epoch_ms, char *buf)
{
    struct tm tm = to_utc(epoch_ms);
    (void)strftime(buf, CLOCK_TEXT_SIZE, "%H:%M:%S", &tm);
    return buf;
}

const char *clock_format_stamp(int64_t epoch_ms, char *buf)
{
    struct tm tm = to_utc(epoch_ms);
    (void)strftime(buf, CLOCK_TEXT_SIZE, "%Y%m%d_%H%M%S", &tm);
    return buf;
}

const char *clock_format_duration(int64_t ms, char *buf)
{
    const char *sign = ms < 0 ? "-" : "";
    uint64_t m = ms < 0 ? 0 - (uint64_t)ms : (uint64_t)ms;
    if (m < SECOND_MS)
        (void)snprintf(buf, CLOCK_TEXT_SIZE, "%s%dms", sign, (int)m);
    else if (m < MINUTE_MS)
        (void)snprintf(buf, CLOCK_TEXT_SIZE, "%s%ds", sign, (int)(m / SECOND_MS));
    else if (m < HOUR_MS)
        (void)snprintf(buf, CLOCK_TEXT_SIZE, "%s%dm%02ds", sign, (int)(m / MINUTE_MS),
                       (int)(m % MINUTE_MS / SECOND_MS));
    else if (m < 2 * DAY_MS)
        (void)snprintf(buf, CLOCK_TEXT_SIZE, "%s%dh%02dm", sign, (int)(m / HOUR_MS),
                       (int)(m % HOUR_MS / MINUTE_MS));
    else
        (void)snprintf(buf, CLOCK_TEXT_SIZE, "%s%llud", sign, (unsigned long long)(m / DAY_MS));
    return buf;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Reads exactly `digits` digits and moves *text past them. */
static bool take_number(const char **text, int digits, int *value)
{
    *value = 0;
    for (int i = 0; i < digits; i++, (*text)++) {
        if (!is_digit(**text))
            return false;
        *value = *value * 10 + (**text - '0');
    }
    return true;
}

static bool take_char(const char **text, char c)
{
    if (**text != c)
        return false;
    (*text)++;
    return true;
}

/* "20261120_024100" */
static bool parse_stamp(const char *text, struct tm *tm)
{
    return take_number(&text, 4, &tm->tm_year) && take_number(&text, 2, &tm->tm_mon) &&
           take_number(&text, 2, &tm->tm_mday) && take_char(&text, '_') &&
           take_number(&text, 2, &tm->tm_hour) && take_number(&text, 2, &tm->tm_min) &&
           take_number(&text, 2, &tm->tm_sec) && !*text;
}

/* ".123": any number of digits, of which the first three count. */
static bool take_fraction(const char **text, int *ms)
{
    int scale = 100;
    if (!is_digit(**text))
        return false;
    for (; is_digit(**text); (*text)++, scale /= 10)
        *ms += (**text - '0') * scale;
    return true;
}

/* "2026-11-20T02:41:00Z" and its looser relatives. */
static bool parse_iso(const char *text, struct tm *tm, int *ms)
{
    if (!take_number(&text, 4, &tm->tm_year) || !take_char(&text, '-') ||
        !take_number(&text, 2, &tm->tm_mon) || !take_char(&text, '-') || !take_number(&text, 2, &tm->tm_mday))
        return false;
    if (!take_char(&text, 'T') && !take_char(&text, ' '))
        return false;
    if (!take_number(&text, 2, &tm->tm_hour) || !take_char(&text, ':') || !take_number(&text, 2, &tm->tm_min))
        return false;
    if (take_char(&text, ':')) {
        if (!take_number(&text, 2, &tm->tm_sec))
            return false;
        if (take_char(&text, '.') && !take_fraction(&text, ms))
            return false;
    }
    return !*text || !strcmp(text, "Z") || !strcmp(text, "+00:00");
}

struct err *clock_parse_utc(const char *text, int64_t *epoch_ms)
{
    struct tm tm = {0};
    int ms = 0;
    bool stamp = strlen(text) == 15 && text[8] == '_';
    if (stamp ? parse_stamp(text, &tm) : parse_iso(text, &tm, &ms)) {
        tm.tm_year -= 1900;
        tm.tm_mon -= 1;
        struct tm given = tm;
        time_t seconds =
            timegm(&tm); /* normalises: a day or hour that does not exist comes back as another */
        if (given.tm_year >= 70 && given.tm_mon == tm.tm_mon && given.tm_mday == tm.tm_mday &&
            given.tm_hour == tm.tm_hour && given.tm_min == tm.tm_min && given.tm_sec == tm.tm_sec) {
            *epoch_ms = (int64_t)seconds * SECOND_MS + ms;
            return NULL;
        }
    }
    return err_with_hint(err_new(ERR_INPUT, "'%s' is not a time", text),
                         "write it in UTC as 2026-11-20T02:41:00Z, '2026-11-20 02:41' or 20261120_024100");
}

static const struct {
    const char *name;
    int64_t ms;
} units[] = {{"ms", 1}, {"s", SECOND_MS}, {"m", MINUTE_MS}, {"h", HOUR_MS}, {"d", DAY_MS}};

/* The size of the unit at *text, 0 when it is none. Moves past it. */
static int64_t take_unit(const char **text)
{
    size_t length = 0;
    while ((*text)[length] >= 'a' && (*text)[length] <= 'z')
        length++;
    for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
        if (strlen(units[i].name) == length && !strncmp(*text, units[i].name, length)) {
            *text += length;
            return units[i].ms;
        }
    }
    return 0;
}

/* Each unit at most once, the larger ones first. */
static bool parse_duration(const char *text, int64_t *ms)
{
    int64_t total = 0, last_unit = INT64_MAX;
    do {
        int64_t value = 0;
        if (!is_digit(*text))
            return false;
        for (; is_digit(*text); text++) {
            value = value * 10 + (*text - '0');
            if (value > LONGEST_MS)
                return false;
        }
        int64_t unit = take_unit(&text);
        if (!unit || unit >= last_unit || value > LONGEST_MS / unit)
            return false;
        last_unit = unit;
        total += value * unit;
    } while (*text);
    if (total > LONGEST_MS)
        return false;
    *ms = total;
    return true;
}

struct err *clock_parse_duration(const char *text, int64_t *ms)
{
    if (parse_duration(text, ms))
        return NULL;
    return err_with_hint(err_new(ERR_INPUT, "'%s' is not a length of time", text),
                         "write a number and a unit: 250ms, 90s, 15m, 1h30m, 2d");
}
