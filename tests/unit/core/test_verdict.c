/* The verdict: measured times from the journal against the objectives that the plan carried. */
#include "base/clock.h"
#include "base/decode.h"
#include "core/verdict.h"
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define MINUTE 60000

static char dir[] = "/tmp/rehost-test-verdict-XXXXXX";

struct fixture {
    struct arena *arena;
    struct store *store;
    struct lease lease;
    struct plan plan;
    const char *path;
};

static void ok(struct err *e)
{
    if (e)
        fail_msg("unexpected: %s", err_text(e));
}

/* The incident is at minute 100; RTO 60 minutes; the shop may lose 40 minutes, the uploads 10. */
static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    f->arena = arena_new(0);
    f->path = arena_printf(f->arena, "%s/journal.db", dir);
    ok(store_open(f->path, &f->store));
    ok(store_lease_acquire(f->store, f->arena, "web-1", "r-1", &f->lease));
    const struct run_row run = {
        .id = "r-1", .host = "web-1", .kind = "recover", .plan = "{}", .plan_digest = "d", .started_ms = 1};
    ok(store_run_create(&f->lease, &run));
    f->plan.json =
        json_pack("{s:i, s:{s:i, s:i}, s:[{s:s, s:i}, {s:s, s:i}]}", "incident_ms", 100 * MINUTE,
                  "objectives", "rto_ms", 60 * MINUTE, "rpo_ms", 40 * MINUTE, "restore_points", "dataset",
                  "shop", "rpo_ms", 40 * MINUTE, "dataset", "uploads", "rpo_ms", 10 * MINUTE);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    json_decref(f->plan.json);
    store_close(f->store);
    for (size_t i = 0; i < 3; i++)
        unlink(arena_printf(f->arena, "%s%s", f->path, suffixes[i]));
    arena_free(f->arena);
    free(f);
    return 0;
}

/* A finished step that ended at that minute. */
static void add_step(struct fixture *f, int seq, const char *id, const char *kind, json_t *output,
                     int64_t ended_minute)
{
    const struct step_row step = {.seq = seq, .id = id, .kind = kind, .title = id};
    ok(store_step_begin(&f->lease, &step));
    ok(store_step_end(&f->lease, seq, STEP_DONE, output, NULL));
    json_decref(output);
    sqlite3 *db;
    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    char *sql = arena_printf(f->arena, "UPDATE step SET ended_ms = %lld WHERE seq = %d",
                             (long long)ended_minute * MINUTE, seq);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void add_restore(struct fixture *f, int seq, const char *id, int64_t taken_minute)
{
    add_step(
        f, seq, id, "restore",
        json_pack("{s:s, s:I}", "stamp", "20261120_020012", "taken_ms", (json_int_t)taken_minute * MINUTE),
        110);
}

static json_t *cutover(int64_t flipped_minute, int64_t confirmed_minute, int64_t ttl_seconds)
{
    return json_pack("{s:I, s:I, s:I}", "flipped_ms", (json_int_t)flipped_minute * MINUTE, "confirmed_ms",
                     (json_int_t)confirmed_minute * MINUTE, "old_ttl_seconds", (json_int_t)ttl_seconds);
}

static json_t *judge(struct fixture *f)
{
    json_t *verdict = NULL;
    ok(verdict_make(f->store, f->arena, &f->plan, "r-1", &verdict));
    return verdict;
}

static int64_t minute_at(const json_t *verdict, const char *path)
{
    const json_t *found = decode_find(verdict, path);
    if (!json_is_integer(found))
        fail_msg("the verdict has no '%s'", path);
    assert_int_equal(json_integer_value(found) % MINUTE, 0);
    return json_integer_value(found) / MINUTE;
}

static bool true_at(const json_t *verdict, const char *path)
{
    return json_is_true(decode_find(verdict, path));
}

static void service_is_up_when_the_last_name_is_confirmed(void **state)
{
    struct fixture *f = *state;
    add_step(f, 1, "verify", "verify", NULL, 120);
    add_step(f, 2, "dns-a", "cutover", cutover(121, 122, 600), 122);
    add_step(f, 3, "dns-b", "cutover", cutover(123, 125, 60), 125);
    CLEANUP_JSON json_t *verdict = judge(f);
    assert_int_equal(minute_at(verdict, "service_up_ms"), 125);
    assert_int_equal(minute_at(verdict, "rto.actual_ms"), 25);
    assert_int_equal(minute_at(verdict, "rto.target_ms"), 60);
    assert_true(true_at(verdict, "rto.met"));
    assert_true(true_at(verdict, "met"));
}

static void the_last_resolver_waits_for_the_longest_old_ttl(void **state)
{
    struct fixture *f = *state;
    add_step(f, 1, "dns-a", "cutover", cutover(121, 122, 600), 122);
    add_step(f, 2, "dns-b", "cutover", cutover(123, 125, 60), 125);
    CLEANUP_JSON json_t *verdict = judge(f);
    assert_int_equal(minute_at(verdict, "resolvers_by_ms"), 131);
}

static void without_names_service_is_up_when_it_is_verified(void **state)
{
    struct fixture *f = *state;
    add_step(f, 1, "verify", "verify", NULL, 120);
    add_step(f, 2, "protect", "protect", NULL, 140);
    CLEANUP_JSON json_t *verdict = judge(f);
    assert_int_equal(minute_at(verdict, "rto.actual_ms"), 20);
    assert_int_equal(minute_at(verdict, "protected_ms"), 140);
    assert_null(json_object_get(verdict, "resolvers_by_ms"));
}

static void exactly_on_the_objective_is_met_and_later_is_not(void **state)
{
    struct fixture *f = *state;
    add_step(f, 1, "verify", "verify", NULL, 160);
    CLEANUP_JSON json_t *just = judge(f);
    assert_true(true_at(just, "met"));
    add_step(f, 1, "verify", "verify", NULL, 161);
    CLEANUP_JSON json_t *late = judge(f);
    assert_false(true_at(late, "rto.met"));
    assert_false(true_at(late, "met"));
}

static void what_was_written_after_the_restore_point_is_lost(void **state)
{
    struct fixture *f = *state;
    add_step(f, 1, "verify", "verify", NULL, 120);
    add_restore(f, 2, "restore-shop", 60);
    CLEANUP_JSON json_t *verdict = judge(f);
    assert_string_equal(json_string_value(decode_find(verdict, "rpo.0.dataset")), "shop");
    assert_string_equal(json_string_value(decode_find(verdict, "rpo.0.stamp")), "20261120_020012");
    assert_int_equal(minute_at(verdict, "rpo.0.actual_ms"), 40);
    assert_int_equal(minute_at(verdict, "rpo.0.lost_from_ms"), 60);
    assert_int_equal(minute_at(verdict, "rpo.0.lost_to_ms"), 100);
    assert_true(true_at(verdict, "rpo.0.met"));
    assert_true(true_at(verdict, "met"));
}

static void each_dataset_has_its_own_objective(void **state)
{
    struct fixture *f = *state;
    add_step(f, 1, "verify", "verify", NULL, 120);
    add_restore(f, 2, "restore-shop", 70);
    add_restore(f, 3, "restore-uploads", 70);
    CLEANUP_JSON json_t *verdict = judge(f);
    assert_true(true_at(verdict, "rpo.0.met"));
    assert_false(true_at(verdict, "rpo.1.met"));
    assert_true(true_at(verdict, "rto.met"));
    assert_false(true_at(verdict, "met"));
}

static void a_point_after_the_incident_loses_nothing(void **state)
{
    struct fixture *f = *state;
    add_step(f, 1, "verify", "verify", NULL, 120);
    add_restore(f, 2, "restore-shop", 105);
    CLEANUP_JSON json_t *verdict = judge(f);
    assert_int_equal(minute_at(verdict, "rpo.0.actual_ms"), 0);
}

static void a_service_that_never_came_up_meets_nothing(void **state)
{
    struct fixture *f = *state;
    add_restore(f, 1, "restore-shop", 100);
    CLEANUP_JSON json_t *verdict = judge(f);
    assert_null(json_object_get(verdict, "rto"));
    assert_false(true_at(verdict, "met"));
}

/* The times of a run that was stopped for an hour and resumed are those of the wall clock. */
static void a_resumed_run_is_judged_by_when_its_steps_ended(void **state)
{
    struct fixture *f = *state;
    const struct step_row step = {.seq = 1, .id = "verify", .kind = "verify", .title = "verify"};
    ok(store_step_begin(&f->lease, &step));
    ok(store_step_end(&f->lease, 1, STEP_FAILED, NULL, "not yet"));
    add_step(f, 1, "verify", "verify", NULL, 175);
    CLEANUP_JSON json_t *verdict = judge(f);
    assert_int_equal(minute_at(verdict, "rto.actual_ms"), 75);
    assert_false(true_at(verdict, "met"));
}

static void the_server_is_named_without_its_keys(void **state)
{
    struct fixture *f = *state;
    add_step(f, 1, "create", "provision",
             json_pack("{s:s, s:s, s:s, s:i}", "name", "web-1-r-1-a2", "address", "198.18.0.7",
                       "host_key_sealed", "xyz", "attempt", 2),
             105);
    CLEANUP_JSON json_t *verdict = judge(f);
    assert_string_equal(json_string_value(decode_find(verdict, "server.address")), "198.18.0.7");
    assert_null(decode_find(verdict, "server.host_key_sealed"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(service_is_up_when_the_last_name_is_confirmed),
        TEST(the_last_resolver_waits_for_the_longest_old_ttl),
        TEST(without_names_service_is_up_when_it_is_verified),
        TEST(exactly_on_the_objective_is_met_and_later_is_not),
        TEST(what_was_written_after_the_restore_point_is_lost),
        TEST(each_dataset_has_its_own_objective),
        TEST(a_point_after_the_incident_loses_nothing),
        TEST(a_service_that_never_came_up_meets_nothing),
        TEST(a_resumed_run_is_judged_by_when_its_steps_ended),
        TEST(the_server_is_named_without_its_keys),
    };
    if (!mkdtemp(dir))
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return rmdir(dir) || failed;
}
