/* What hosts report, and how counts are compared. */
#include "providers/data/host_script.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct arena *arena;

static int set_up(void **state)
{
    (void)state;
    arena = arena_new(0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static void refuses(const char *text)
{
    struct host_report report;
    struct err *failed = host_report_parse(arena, text, &report);
    assert_non_null(failed);
    assert_int_equal(err_kind(failed), ERR_REJECTED);
    err_free(failed);
}

static void parts_are_sorted_whatever_order_they_ended_in(void **state)
{
    (void)state;
    struct host_report report;
    assert_null(host_report_parse(
        arena, "part 3 cc 30\npart 1 aa 10\npart 2 bb 20\nsha256 abc\nsource_bytes 99\n", &report));
    assert_int_equal(report.part_count, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(report.parts[i].number, i + 1);
        assert_int_equal(report.parts[i].size_bytes, 10 * (i + 1));
    }
    assert_string_equal(report.parts[1].etag, "bb");
    assert_int_equal(report.bytes_done, 60);
    assert_int_equal(report.source_bytes, 99);
    assert_string_equal(report.sha256, "abc");
}

static void a_line_that_is_still_being_written_does_not_count(void **state)
{
    (void)state;
    struct host_report report;
    assert_null(host_report_parse(arena, "bytes 1000\nbytes 20", &report));
    assert_int_equal(report.bytes_done, 1000);
}

static void probes_of_many_lines_become_one_object(void **state)
{
    (void)state;
    struct host_report report;
    assert_null(
        host_report_parse(arena,
                          "note counting\nprobe {\"rows\": {\"a\": 1}}\nprobe {\"rows\": {\"b.\\\"c\": 2}}\n"
                          "info {\"owner\": \"app\"}\ntool zstd 1.5\nsomething else\n",
                          &report));
    assert_int_equal(json_integer_value(json_object_get(json_object_get(report.probes, "rows"), "a")), 1);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(report.probes, "rows"), "b.\"c")), 2);
    assert_string_equal(json_string_value(json_object_get(report.info, "owner")), "app");
    assert_string_equal(json_string_value(json_array_get(report.tools, 0)), "zstd 1.5");
    assert_string_equal(report.note, "counting");
}

static void nonsense_from_a_host_is_refused(void **state)
{
    (void)state;
    refuses("part 0 aa 10\n");
    refuses("part 10001 aa 10\n");
    refuses("part 1 aa -5\n");
    refuses("part 1\n");
    refuses("part 1 aa\n");
    refuses("part 1 aa 10 more\n");
    refuses("part 1 aa 10more\n");
    refuses("part 1 aa 9223372036854775807\n");
    refuses("part 99999999999999999999 aa 10\n");
    refuses("part 1 0123456789012345678901234567890123456789012345678901234567890123x 10\n");
    refuses("part 1 aa 10\npart 1 aa 10\n");
    refuses("probe nonsense\n");
    refuses("probe [1]\n");
}

static struct err *compare(const char *backup, const char *restored)
{
    json_t *was = json_loads(backup, 0, NULL), *is = json_loads(restored, 0, NULL);
    struct err *failed = dataset_compare_probes(arena, was, is);
    json_decref(was);
    json_decref(is);
    return failed;
}

static void equal_counts_are_equal(void **state)
{
    (void)state;
    assert_null(compare("{\"rows\": {\"a\": 1, \"b\": 2}}", "{\"rows\": {\"b\": 2, \"a\": 1}}"));
}

static void each_difference_is_named(void **state)
{
    (void)state;
    struct err *failed =
        compare("{\"rows\": {\"a\": 1, \"b\": 2, \"c\": 3}}", "{\"rows\": {\"a\": 1, \"b\": 5, \"d\": 4}}");
    assert_non_null(failed);
    assert_int_equal(err_kind(failed), ERR_CONFLICT);
    assert_non_null(strstr(err_text(failed), "rows.b: 2 in the backup, 5 restored"));
    assert_non_null(strstr(err_text(failed), "rows.c: 3 in the backup, absent restored"));
    assert_non_null(strstr(err_text(failed), "rows.d: absent in the backup, 4 restored"));
    assert_null(strstr(err_text(failed), "rows.a"));
    err_free(failed);
    failed = compare("{\"rows\": {}}", "{}");
    assert_non_null(failed);
    err_free(failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_sorted_whatever_order_they_ended_in),
        cmocka_unit_test(a_line_that_is_still_being_written_does_not_count),
        cmocka_unit_test(probes_of_many_lines_become_one_object),
        cmocka_unit_test(nonsense_from_a_host_is_refused),
        cmocka_unit_test(equal_counts_are_equal),
        cmocka_unit_test(each_difference_is_named),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
