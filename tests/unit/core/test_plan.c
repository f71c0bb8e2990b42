/* Plans: the digest belongs to the content, and what is out of date is refused. */
#include "base/clock.h"
#include "core/plan.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char text[] =
    "{\"format\":1,\"host\":\"web-1\",\"inventory\":{\"digest\":\"abc\",\"path\":\"inventory.yaml\"},"
    "\"kind\":\"recover\",\"price\":0.0057,\"steps\":["
    "{\"estimate_ms\":5000,\"id\":\"fence\",\"input\":{},\"kind\":\"fence\"},"
    "{\"estimate_ms\":60000,\"id\":\"create\",\"input\":{\"image\":\"debian-12\"},\"kind\":\"provision\"},"
    "{\"estimate_ms\":1000,\"id\":\"dns-a\",\"input\":{},\"kind\":\"cutover\"},"
    "{\"estimate_ms\":2000,\"id\":\"dns-b\",\"input\":{},\"kind\":\"cutover\"},"
    "{\"estimate_ms\":30000,\"id\":\"protect\",\"input\":{},\"kind\":\"protect\"}],"
    "\"valid_until_ms\":1}";

static struct plan parse(struct arena *arena, const char *json)
{
    struct plan plan;
    struct err *e = plan_parse(arena, json, strlen(json), &plan);
    if (e)
        fail_msg("unexpected: %s", err_text(e));
    return plan;
}

static void refuses(const char *json, const char *words)
{
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    struct plan plan = {0};
    CLEANUP_ERR struct err *e = plan_parse(arena, json, strlen(json), &plan);
    assert_non_null(e);
    if (!strstr(err_text(e), words))
        fail_msg("'%s' is not in: %s", words, err_text(e));
}

static void the_digest_of_a_plan_is_stable(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    struct plan first = parse(arena, text), second = parse(arena, plan_text(arena, &first));
    assert_string_equal(first.digest, second.digest);
    assert_string_equal(plan_text(arena, &first), plan_text(arena, &second));
    assert_int_equal(strlen(first.digest), 64);
}

static void the_order_of_keys_and_white_space_do_not_change_it(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    struct plan a = parse(arena, "{\"format\":1,\"host\":\"h\",\"steps\":[]}");
    struct plan b = parse(arena, "{ \"steps\": [],\n \"host\": \"h\", \"format\": 1 }");
    assert_string_equal(a.digest, b.digest);
}

static void any_other_change_does(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    struct plan plan = parse(arena, text);
    char *changed = arena_strdup(arena, text);
    strstr(changed, "debian-12")[7] = '3';
    struct plan other = parse(arena, changed);
    assert_string_not_equal(plan.digest, other.digest);
}

static void a_plan_survives_a_file(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    char path[] = "/tmp/rehost-test-plan-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    struct plan plan = parse(arena, text), loaded;
    CLEANUP_ERR struct err *e = plan_save(arena, &plan, path);
    assert_null(e);
    CLEANUP_ERR struct err *bad = plan_load(arena, path, &loaded);
    assert_null(bad);
    assert_string_equal(plan.digest, loaded.digest);
    unlink(path);
}

static void what_is_no_plan_is_refused(void **state)
{
    (void)state;
    refuses("", "plan");
    refuses("[]", "no object");
    refuses("\"plan\"", "no object");
    refuses("{\"format\":1,\"host\":\"h\"}", "steps");
    refuses("{\"format\":1,\"host\":7,\"steps\":[]}", "host");
    refuses("{\"format\":1,\"host\":\"h\",\"steps\":[{\"id\":\"x\",\"kind\":\"fence\"}]}", "input");
    refuses("{\"format\":1,\"host\":\"h\",\"steps\":[{\"id\":\"x\",\"kind\":\"dance\",\"input\":{}}]}",
            "unknown kind 'dance'");
}

static void another_format_is_refused(void **state)
{
    (void)state;
    refuses("{\"format\":2,\"host\":\"h\",\"steps\":[]}", "format");
}

static void a_plan_of_another_inventory_is_stale(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    struct plan plan = parse(arena, text);
    json_object_set_new(plan.json, "valid_until_ms", json_integer(clock_now_ms() + 60000));
    struct inventory inventory = {.path = "inventory.yaml", .digest = "abc"};
    CLEANUP_ERR struct err *fresh = plan_check_fresh(&plan, &inventory);
    assert_null(fresh);
    strcpy(inventory.digest, "abd");
    CLEANUP_ERR struct err *e = plan_check_fresh(&plan, &inventory);
    assert_int_equal(err_kind(e), ERR_STALE);
    assert_non_null(strstr(err_hint(e), "rehost plan web-1"));
}

static void a_plan_whose_time_is_over_is_stale(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    struct plan plan = parse(arena, text);
    const struct inventory inventory = {.path = "inventory.yaml", .digest = "abc"};
    CLEANUP_ERR struct err *e = plan_check_fresh(&plan, &inventory);
    assert_int_equal(err_kind(e), ERR_STALE);
    assert_non_null(strstr(err_text(e), "1970-01-01"));
}

static void the_forecast_adds_up_to_the_last_step_of_a_kind(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    struct plan plan = parse(arena, text);
    assert_int_equal(plan_estimate_ms(&plan, NULL), 98000);
    assert_int_equal(plan_estimate_ms(&plan, "cutover"), 68000);
    assert_int_equal(plan_estimate_ms(&plan, "fence"), 5000);
    assert_int_equal(plan_estimate_ms(&plan, "verify"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_digest_of_a_plan_is_stable),
        cmocka_unit_test(the_order_of_keys_and_white_space_do_not_change_it),
        cmocka_unit_test(any_other_change_does),
        cmocka_unit_test(a_plan_survives_a_file),
        cmocka_unit_test(what_is_no_plan_is_refused),
        cmocka_unit_test(another_format_is_refused),
        cmocka_unit_test(a_plan_of_another_inventory_is_stale),
        cmocka_unit_test(a_plan_whose_time_is_over_is_stale),
        cmocka_unit_test(the_forecast_adds_up_to_the_last_step_of_a_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
