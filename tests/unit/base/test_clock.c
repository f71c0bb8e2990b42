#include "base/clock.h"

#include "helpers.h"

#define INCIDENT_MS INT64_C(1795142460000) /* date -ud '2026-11-20 02:41:00' +%s */

static void times_are_written_in_utc(void **state)
{
    (void)state;
    char text[CLOCK_TEXT_SIZE];
    assert_string_equal(clock_format_utc(INCIDENT_MS + 999, text), "2026-11-20T02:41:00Z");
    assert_string_equal(clock_format_hms(INCIDENT_MS, text), "02:41:00");
    assert_string_equal(clock_format_stamp(INCIDENT_MS, text), "20261120_024100");
    assert_string_equal(clock_format_utc(-1, text), "1969-12-31T23:59:59Z");
    assert_string_equal(clock_format_utc(INT64_MIN, text) ? "kept within its buffer" : "",
                        "kept within its buffer");
}

static void lengths_of_time_are_written_as_people_say_them(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {{0, "0ms"},          {850, "850ms"},       {42999, "42s"},    {725000, "12m05s"},
                 {12000000, "3h20m"}, {86400000, "24h00m"}, {777600000, "9d"}, {-42000, "-42s"},
                 {59999, "59s"},      {60000, "1m00s"},     {172800000, "2d"}, {INT64_MIN, "-106751991167d"}};
    char text[CLOCK_TEXT_SIZE];
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_string_equal(clock_format_duration(cases[i].ms, text), cases[i].text);
}

static void every_accepted_spelling_means_the_same_instant(void **state)
{
    (void)state;
    static const char *const spellings[] = {
        "2026-11-20T02:41:00Z",      "2026-11-20 02:41:00",      "2026-11-20 02:41",   "20261120_024100",
        "2026-11-20T02:41:00+00:00", "2026-11-20T02:41:00.000Z", "2026-11-20T02:41:00"};
    for (size_t i = 0; i < sizeof(spellings) / sizeof(*spellings); i++) {
        int64_t ms = 0;
        assert_ok(clock_parse_utc(spellings[i], &ms));
        assert_true(ms == INCIDENT_MS);
    }
    int64_t ms = 0;
    assert_ok(clock_parse_utc("2026-11-20T02:41:00.1239Z", &ms));
    assert_true(ms == INCIDENT_MS + 123);
    assert_ok(clock_parse_utc("2024-02-29 00:00", &ms));
}

static void what_is_no_time_or_no_day_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",
                                        "now",
                                        "2026-11-20",
                                        "2026-11-20T",
                                        "2026-11-20T02:41:00+01:00",
                                        "2026-11-20T02:41:00Z ",
                                        "2026-11-20T02:41:00.Z",
                                        "2026-1-2 02:41",
                                        "2025-02-29 00:00",
                                        "2026-13-01 00:00",
                                        "2026-00-10 00:00",
                                        "2026-11-20 24:00",
                                        "2026-11-20 02:60",
                                        "2026-11-20 02:41:60",
                                        "20261120_02410",
                                        "20261120_0241000",
                                        "20261120_02410x",
                                        "-026-11-20 02:41",
                                        "0026-11-20 02:41",
                                        "1969-12-31 23:59"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        int64_t ms = 0;
        assert_fails(clock_parse_utc(wrong[i], &ms), ERR_INPUT, wrong[i]);
    }
}

static void lengths_of_time_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {{"90s", 90000},     {"15m", 900000},           {"1h", 3600000},
                 {"1h30m", 5400000}, {"2d", 172800000},         {"250ms", 250},
                 {"0s", 0},          {"1d2h3m4s5ms", 93784005}, {"36525d", INT64_C(3155760000000)}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        int64_t ms = -1;
        assert_ok(clock_parse_duration(cases[i].text, &ms));
        assert_true(ms == cases[i].ms);
    }
    static const char *const wrong[] = {"",
                                        "5",
                                        "s",
                                        "1.5h",
                                        "-5s",
                                        "5 s",
                                        "1m1h",
                                        "1s1s",
                                        "5w",
                                        "5S",
                                        "36526d",
                                        "36525d1ms",
                                        "99999999999999999999ms",
                                        "1h "};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        int64_t ms = 0;
        assert_fails(clock_parse_duration(wrong[i], &ms), ERR_INPUT, wrong[i]);
    }
}

static void both_clocks_move_forward(void **state)
{
    (void)state;
    int64_t boot = clock_boot_ms();
    assert_true(boot > 0 && clock_boot_ms() >= boot);
    assert_true(clock_now_ms() > INT64_C(1700000000000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_written_in_utc),
        cmocka_unit_test(lengths_of_time_are_written_as_people_say_them),
        cmocka_unit_test(every_accepted_spelling_means_the_same_instant),
        cmocka_unit_test(what_is_no_time_or_no_day_is_refused),
        cmocka_unit_test(lengths_of_time_are_read),
        cmocka_unit_test(both_clocks_move_forward),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
