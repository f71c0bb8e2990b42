/* The journal: leases fence, runs exclude each other, what was acknowledged survives, and every row reads
 * back. */
#include "base/clock.h"
#include "base/decode.h"
#include "base/secret.h"
#include "core/store.h"
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    char dir[64];
    const char *path;
    struct arena *arena;
    struct store *store;
};

static void ok(struct err *e)
{
    if (e)
        fail_msg("unexpected: %s", err_text(e));
}

static void fails(struct err *e, enum err_kind kind, const char *words)
{
    assert_non_null(e);
    if (err_kind(e) != kind || !strstr(err_text(e), words))
        fail_msg("'%s' with '%s' wanted, not '%s': %s", err_kind_name(kind), words,
                 err_kind_name(err_kind(e)), err_text(e));
    err_free(e);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    (void)snprintf(f->dir, sizeof(f->dir), "/tmp/rehost-test-store-XXXXXX");
    if (!mkdtemp(f->dir))
        return -1;
    f->arena = arena_new(0);
    f->path = arena_printf(f->arena, "%s/journal.db", f->dir);
    ok(store_open(f->path, &f->store));
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    static const char *const suffixes[] = {"", "-wal", "-shm"};
    store_close(f->store);
    for (size_t i = 0; i < 3; i++)
        unlink(arena_printf(f->arena, "%s%s", f->path, suffixes[i]));
    rmdir(f->dir);
    arena_free(f->arena);
    free(f);
    return 0;
}

/* Behind the store's back: what another process, another machine or time would do to it. */
static void tamper(const struct fixture *f, const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    sqlite3_close(db);
}

static struct lease take(struct fixture *f, const char *run)
{
    struct lease lease;
    ok(store_lease_acquire(f->store, f->arena, "web-1", run, &lease));
    return lease;
}

static struct lease open_run(struct fixture *f, const char *id)
{
    struct lease lease = take(f, id);
    const struct run_row row = {.id = id,
                                .host = "web-1",
                                .kind = "recover",
                                .plan = "{}",
                                .plan_digest = "d1",
                                .inventory = "inventory.yaml",
                                .incident_ms = 1000,
                                .started_ms = clock_now_ms()};
    ok(store_run_create(&lease, &row));
    return lease;
}

/* A child that takes the lease and then waits to be killed. */
static pid_t holder_start(const struct fixture *f)
{
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (!child) {
        struct store *store;
        struct lease lease;
        struct err *e = store_open(f->path, &store);
        if (!e)
            e = store_lease_acquire(store, f->arena, "web-1", "r-child", &lease);
        if (write(ready[1], e ? "x" : ".", 1) != 1)
            _exit(1);
        for (;;)
            pause();
    }
    char answer = 'x';
    close(ready[1]);
    assert_int_equal(read(ready[0], &answer, 1), 1);
    close(ready[0]);
    assert_int_equal(answer, '.');
    return child;
}

static void kill_hard(pid_t child)
{
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

/* --- leases --- */

static void a_lease_of_a_living_process_is_held(void **state)
{
    struct fixture *f = *state;
    pid_t child = holder_start(f);
    struct lease lease;
    fails(store_lease_acquire(f->store, f->arena, "web-1", "r-2", &lease), ERR_HELD, "held by run 'r-child'");
    ok(store_lease_acquire(f->store, f->arena, "web-2", "r-3", &lease)); /* another host is another lease */
    kill_hard(child);
}

static void a_lease_of_a_dead_process_is_taken_over_at_once(void **state)
{
    struct fixture *f = *state;
    kill_hard(holder_start(f));
    struct lease lease = take(f, "r-2");
    assert_int_equal(lease.epoch, 2);
    ok(store_lease_renew(&lease));
}

static void a_lease_of_another_machine_is_taken_only_when_it_expired(void **state)
{
    struct fixture *f = *state;
    take(f, "r-1");
    tamper(f, "UPDATE lease SET boot_id = 'elsewhere', pid = 4000000");
    struct lease lease;
    fails(store_lease_acquire(f->store, f->arena, "web-1", "r-2", &lease), ERR_HELD, "lease until");
    tamper(f, "UPDATE lease SET expires_ms = 1");
    ok(store_lease_acquire(f->store, f->arena, "web-1", "r-2", &lease));
}

static void a_stale_lease_cannot_write(void **state)
{
    struct fixture *f = *state;
    struct lease old = open_run(f, "r-1");
    struct lease young = take(f, "r-1");
    assert_true(young.epoch > old.epoch);
    int64_t id;
    const struct step_row step = {.seq = 1, .id = "fence", .kind = "fence", .title = "fence"};
    const struct resource_row server = {.account = "a", .server_id = "1", .host = "web-1", .state = "live"};
    fails(store_event_add(&old, "late"), ERR_STALE, "not ours any more");
    fails(store_effect_begin(&old, 1, "server.create", "web-1", NULL, &id), ERR_STALE, "epoch 1");
    fails(store_step_begin(&old, &step), ERR_STALE, "");
    fails(store_resource_put(&old, &server), ERR_STALE, "");
    fails(store_run_set_state(&old, RUN_DONE, NULL), ERR_STALE, "");
    fails(store_lease_renew(&old), ERR_STALE, "");
    fails(store_lease_release(&old), ERR_STALE, "");
    ok(store_event_add(&young, "in time"));
    struct event_row *events;
    size_t count;
    ok(store_event_list(f->store, f->arena, "r-1", &events, &count));
    assert_int_equal(count, 1);
    assert_string_equal(events[0].text, "in time");
}

static void an_expired_lease_cannot_write_even_when_nobody_took_it(void **state)
{
    struct fixture *f = *state;
    struct lease lease = open_run(f, "r-1");
    tamper(f, "UPDATE lease SET expires_ms = 1");
    fails(store_event_add(&lease, "late"), ERR_STALE, "not ours any more");
    fails(store_lease_renew(&lease), ERR_STALE, "");
}

static void a_released_lease_is_free_and_its_epoch_never_falls(void **state)
{
    struct fixture *f = *state;
    struct lease lease = take(f, "r-1");
    ok(store_lease_release(&lease));
    fails(store_event_add(&lease, "after"), ERR_STALE, "");
    struct lease next = take(f, "r-2");
    assert_int_equal(next.epoch, lease.epoch + 1);
}

/* --- runs --- */

static void a_host_has_one_open_run(void **state)
{
    struct fixture *f = *state;
    struct lease lease = open_run(f, "r-1");
    struct run_row open;
    ok(store_run_find_open(f->store, f->arena, "web-1", &open));
    assert_string_equal(open.id, "r-1");
    lease = take(f, "r-2");
    const struct run_row second = {
        .id = "r-2", .host = "web-1", .kind = "recover", .plan = "{}", .plan_digest = "d2"};
    struct err *e = store_run_create(&lease, &second);
    assert_non_null(e);
    err_free(e);
    ok(store_run_find_open(f->store, f->arena, "web-1", &open));
    assert_string_equal(open.id, "r-1");
}

static void a_run_that_is_over_makes_room(void **state)
{
    struct fixture *f = *state;
    struct lease lease = open_run(f, "r-1");
    ok(store_run_set_state(&lease, RUN_DONE, NULL));
    struct run_row open;
    ok(store_run_find_open(f->store, f->arena, "web-1", &open));
    assert_null(open.id);
    open_run(f, "r-2");
}

static void a_run_reads_back_as_it_was_written(void **state)
{
    struct fixture *f = *state;
    struct lease lease = open_run(f, "r-1");
    CLEANUP_JSON json_t *verdict = json_pack("{s:b}", "met", 1);
    ok(store_run_set_state(&lease, RUN_DONE, verdict));
    ok(store_lease_release(&lease));
    struct run_row run;
    ok(store_run_get(f->store, f->arena, "r-1", &run));
    assert_string_equal(run.host, "web-1");
    assert_string_equal(run.kind, "recover");
    assert_string_equal(run.plan_digest, "d1");
    assert_int_equal(run.incident_ms, 1000);
    assert_int_equal(run.state, RUN_DONE);
    assert_true(run.ended_ms >= run.started_ms);
    assert_string_equal(run.verdict, "{\"met\":true}");
    assert_non_null(strstr(run.created_by, "pid"));
    assert_null(run.holder.run);
    fails(store_run_get(f->store, f->arena, "r-9", &run), ERR_NOT_FOUND, "no run 'r-9'");
}

static void a_run_whose_process_died_shows_that_nobody_works_on_it(void **state)
{
    struct fixture *f = *state;
    struct lease lease = open_run(f, "r-child");
    struct run_row run;
    ok(store_run_get(f->store, f->arena, "r-child", &run));
    assert_false(run.holder.gone);
    ok(store_lease_release(&lease));
    pid_t child = holder_start(f);
    ok(store_run_get(f->store, f->arena, "r-child", &run));
    assert_false(run.holder.gone);
    kill_hard(child);
    ok(store_run_get(f->store, f->arena, "r-child", &run));
    assert_true(run.holder.gone);
}

static void runs_are_listed_newest_first(void **state)
{
    struct fixture *f = *state;
    struct lease lease = open_run(f, "r-1");
    ok(store_run_set_state(&lease, RUN_DONE, NULL));
    lease = open_run(f, "r-2");
    ok(store_run_set_state(&lease, RUN_DONE, NULL));
    open_run(f, "r-3");
    tamper(f, "UPDATE run SET started_ms = 5");
    struct run_row *runs;
    size_t count;
    ok(store_run_list(f->store, f->arena, "web-1", 2, &runs, &count));
    assert_int_equal(count, 2);
    assert_string_equal(runs[0].id, "r-3");
    assert_string_equal(runs[1].id, "r-2");
    ok(store_run_list(f->store, f->arena, "web-2", 2, &runs, &count));
    assert_int_equal(count, 0);
}

/* --- steps --- */

static void a_step_keeps_its_output_and_counts_its_attempts(void **state)
{
    struct fixture *f = *state;
    struct lease lease = open_run(f, "r-1");
    const struct step_row step = {.seq = 2, .id = "create", .kind = "provision", .title = "create server"};
    CLEANUP_JSON json_t *output = json_pack("{s:i}", "attempt", 1);
    ok(store_step_begin(&lease, &step));
    ok(store_step_save(&lease, 2, output));
    ok(store_step_end(&lease, 2, STEP_FAILED, NULL, "no stock"));
    struct step_row *steps;
    size_t count;
    ok(store_step_list(f->store, f->arena, "r-1", &steps, &count));
    assert_int_equal(count, 1);
    assert_int_equal(steps[0].state, STEP_FAILED);
    assert_string_equal(steps[0].error, "no stock");
    assert_string_equal(steps[0].output, "{\"attempt\":1}");
    const int64_t first_ms = steps[0].started_ms;
    ok(store_step_begin(&lease, &step));
    ok(store_step_list(f->store, f->arena, "r-1", &steps, &count));
    assert_int_equal(steps[0].state, STEP_RUNNING);
    assert_int_equal(steps[0].attempts, 2);
    assert_int_equal(steps[0].started_ms, first_ms);
    assert_null(steps[0].error);
    assert_string_equal(steps[0].output, "{\"attempt\":1}");
    assert_int_equal(steps[0].ended_ms, 0);
}

static void the_error_of_a_step_is_scrubbed(void **state)
{
    struct fixture *f = *state;
    struct lease lease = open_run(f, "r-1");
    CLEANUP_SECRET struct secret *secret = NULL;
    ok(secret_new("correct-horse-battery", 21, &secret));
    const struct step_row step = {.seq = 1, .id = "x", .kind = "fence", .title = "x"};
    ok(store_step_begin(&lease, &step));
    ok(store_step_end(&lease, 1, STEP_FAILED, NULL, "said correct-horse-battery back"));
    ok(store_event_add(&lease, "saw correct-horse-battery"));
    struct step_row *steps;
    struct event_row *events;
    size_t count;
    ok(store_step_list(f->store, f->arena, "r-1", &steps, &count));
    assert_null(strstr(steps[0].error, "horse"));
    ok(store_event_list(f->store, f->arena, "r-1", &events, &count));
    assert_null(strstr(events[0].text, "horse"));
}

static void history_is_the_mean_of_undisturbed_successes(void **state)
{
    struct fixture *f = *state;
    struct step_mean *means;
    ok(store_step_means(f->store, f->arena, "web-1", &means));
    assert_null(means);
    const struct step_row step = {.seq = 1, .id = "create", .kind = "provision", .title = "x"};
    static const char *const runs[] = {"r-1", "r-2", "r-3", "r-4"};
    for (int i = 0; i < 4; i++) {
        struct lease lease = open_run(f, runs[i]);
        ok(store_step_begin(&lease, &step));
        ok(store_step_end(&lease, 1, i == 3 ? STEP_FAILED : STEP_DONE, NULL, NULL));
        ok(store_run_set_state(&lease, RUN_DONE, NULL));
    }
    tamper(f, "UPDATE step SET started_ms = 0, ended_ms = 1000 WHERE run = 'r-1';"
              "UPDATE step SET started_ms = 0, ended_ms = 3000 WHERE run = 'r-2';"
              "UPDATE step SET started_ms = 0, ended_ms = 999000, attempts = 2 WHERE run = 'r-3';"
              "UPDATE step SET started_ms = 0, ended_ms = 999000 WHERE run = 'r-4'");
    ok(store_step_means(f->store, f->arena, "web-1", &means));
    assert_string_equal(means->step_id, "create");
    assert_int_equal(means->took_ms, 2000);
    assert_null(means->next);
    ok(store_step_means(f->store, f->arena, "web-2", &means));
    assert_null(means);
}

/* --- effects, resources, backups --- */

static void an_effect_tells_intent_from_outcome(void **state)
{
    struct fixture *f = *state;
    struct lease lease = open_run(f, "r-1");
    int64_t ids[4];
    for (int i = 0; i < 4; i++)
        ok(store_effect_begin(&lease, 2, "server.create", "web-1-a1", "{\"region\":\"hel1\"}", &ids[i]));
    CLEANUP_ERR struct err *refused = err_new(ERR_REJECTED, "no");
    CLEANUP_ERR struct err *lost = err_new(ERR_UNKNOWN_OUTCOME, "the answer was lost");
    ok(store_effect_end(&lease, ids[0], NULL, "4711"));
    ok(store_effect_end(&lease, ids[1], refused, NULL));
    ok(store_effect_end(&lease, ids[2], lost, NULL));
    struct effect_row *effects;
    size_t count;
    ok(store_effect_list(f->store, f->arena, "r-1", &effects, &count));
    assert_int_equal(count, 4);
    assert_string_equal(effects[0].outcome, "done");
    assert_string_equal(effects[0].reference, "4711");
    assert_string_equal(effects[0].detail, "{\"region\":\"hel1\"}");
    assert_string_equal(effects[1].outcome, "failed");
    assert_string_equal(effects[1].error, "no");
    assert_string_equal(effects[2].outcome, "unknown");
    assert_null(effects[3].outcome);
    assert_int_equal(effects[3].step_seq, 2);
}

static void a_resource_keeps_what_a_later_note_leaves_out(void **state)
{
    struct fixture *f = *state;
    struct lease lease = open_run(f, "r-1");
    const struct resource_row made = {.account = "main",
                                      .server_id = "7",
                                      .run = "r-1",
                                      .host = "web-1",
                                      .name = "web-1-r-1-a1",
                                      .region = "hel1",
                                      .size = "cx23",
                                      .address = "198.18.0.7",
                                      .state = "live"};
    const struct resource_row keyed = {.account = "main",
                                       .server_id = "7",
                                       .host = "web-1",
                                       .host_key = "ssh-ed25519 AAAA",
                                       .state = "current"};
    struct resource_row current;
    ok(store_resource_put(&lease, &made));
    ok(store_resource_current(f->store, f->arena, "web-1", &current));
    assert_null(current.server_id);
    ok(store_resource_put(&lease, &keyed));
    ok(store_resource_current(f->store, f->arena, "web-1", &current));
    assert_string_equal(current.server_id, "7");
    assert_string_equal(current.run, "r-1");
    assert_string_equal(current.address, "198.18.0.7");
    assert_string_equal(current.host_key, "ssh-ed25519 AAAA");
    assert_string_equal(current.region, "hel1");
    const struct resource_row other = {
        .account = "spare", .server_id = "7", .host = "web-1", .state = "live"};
    ok(store_resource_put(&lease, &other)); /* ids are unique within an account only */
    struct resource_row *rows;
    size_t count;
    ok(store_resource_list(f->store, f->arena, "web-1", &rows, &count));
    assert_int_equal(count, 2);
    ok(store_resource_list(f->store, f->arena, NULL, &rows, &count));
    assert_int_equal(count, 2);
}

static void the_newest_backup_is_found_and_its_proof_is_never_lost(void **state)
{
    struct fixture *f = *state;
    struct lease lease = open_run(f, "r-1");
    struct backup_row backup = {.host = "web-1",
                                .dataset = "shop",
                                .stamp = "20261120_020000",
                                .run = "r-1",
                                .taken_ms = 2000,
                                .size_bytes = 10,
                                .verified = true};
    ok(store_backup_put(&lease, &backup));
    backup.verified = false;
    ok(store_backup_put(&lease, &backup));
    struct backup_row newest;
    ok(store_backup_newest(f->store, f->arena, "web-1", "shop", &newest));
    assert_string_equal(newest.stamp, "20261120_020000");
    assert_true(newest.verified);
    backup.stamp = "20261119_020000";
    backup.taken_ms = 1000;
    ok(store_backup_put(&lease, &backup));
    ok(store_backup_newest(f->store, f->arena, "web-1", "shop", &newest));
    assert_string_equal(newest.stamp, "20261120_020000");
    ok(store_backup_newest(f->store, f->arena, "web-1", "uploads", &newest));
    assert_null(newest.stamp);
}

/* --- durability and threads --- */

static void write_until_killed(const struct fixture *f, int ack)
{
    struct store *store;
    struct lease lease;
    struct err *e = store_open(f->path, &store);
    if (!e)
        e = store_lease_acquire(store, f->arena, "web-9", "r-9", &lease);
    while (!e) {
        e = store_event_add(&lease, "acknowledged");
        if (write(ack, e ? "x" : ".", 1) != 1)
            break;
    }
    _exit(1);
}

static void what_was_acknowledged_survives_a_kill(void **state)
{
    struct fixture *f = *state;
    for (int round = 0; round < 5; round++) {
        int ack[2];
        assert_int_equal(pipe(ack), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (!child)
            write_until_killed(f, ack[1]);
        close(ack[1]);
        size_t acknowledged = 0;
        char answer;
        for (; acknowledged < 20 && read(ack[0], &answer, 1) == 1; acknowledged++)
            assert_int_equal(answer, '.');
        kill_hard(child);
        for (; read(ack[0], &answer, 1) == 1; acknowledged++) /* sent before the kill */
            assert_int_equal(answer, '.');
        close(ack[0]);
        struct event_row *events;
        size_t count;
        ok(store_event_list(f->store, f->arena, "r-9", &events, &count));
        assert_in_range(count, acknowledged, acknowledged + 1);
        tamper(f, "DELETE FROM event; PRAGMA integrity_check");
    }
}

struct writer {
    const struct fixture *f;
    struct lease lease;
    bool good;
};

static void *write_many(void *arg)
{
    struct writer *writer = arg;
    struct store *store;
    struct err *e = store_open(writer->f->path, &store);
    if (!e) {
        writer->lease.store = store;
        for (int i = 0; !e && i < 50; i++)
            e = i % 2 ? store_lease_renew(&writer->lease) : store_event_add(&writer->lease, "from a thread");
        store_close(store);
    }
    writer->good = !e;
    err_free(e);
    return NULL;
}

static void threads_with_a_handle_each_share_a_lease(void **state)
{
    struct fixture *f = *state;
    struct lease lease = open_run(f, "r-1");
    struct writer writers[3];
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) {
        writers[i] = (struct writer){.f = f, .lease = lease};
        assert_int_equal(pthread_create(&threads[i], NULL, write_many, &writers[i]), 0);
    }
    for (int i = 0; i < 50; i++)
        ok(store_event_add(&lease, "from the main thread"));
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
        assert_true(writers[i].good);
    }
    struct event_row *events;
    size_t count;
    ok(store_event_list(f->store, f->arena, "r-1", &events, &count));
    assert_int_equal(count, 50 + 3 * 25);
}

static void the_journal_is_readable_by_its_owner_only(void **state)
{
    struct fixture *f = *state;
    struct stat info;
    assert_int_equal(stat(f->path, &info), 0);
    assert_int_equal(info.st_mode & 077, 0);
}

static void an_empty_journal_reads_as_one_and_makes_no_file(void **state)
{
    struct fixture *f = *state;
    CLEANUP_STORE struct store *store = NULL;
    const char *path = arena_printf(f->arena, "%s/none/journal.db", f->dir);
    ok(store_open_empty(path, &store));
    struct run_row run, *runs;
    size_t count;
    ok(store_run_list(store, f->arena, NULL, 5, &runs, &count));
    assert_int_equal(count, 0);
    fails(store_run_get(store, f->arena, "r-1", &run), ERR_NOT_FOUND, path);
    assert_int_not_equal(access(path, F_OK), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_lease_of_a_living_process_is_held),
        TEST(a_lease_of_a_dead_process_is_taken_over_at_once),
        TEST(a_lease_of_another_machine_is_taken_only_when_it_expired),
        TEST(a_stale_lease_cannot_write),
        TEST(an_expired_lease_cannot_write_even_when_nobody_took_it),
        TEST(a_released_lease_is_free_and_its_epoch_never_falls),
        TEST(a_host_has_one_open_run),
        TEST(a_run_that_is_over_makes_room),
        TEST(a_run_reads_back_as_it_was_written),
        TEST(a_run_whose_process_died_shows_that_nobody_works_on_it),
        TEST(runs_are_listed_newest_first),
        TEST(a_step_keeps_its_output_and_counts_its_attempts),
        TEST(the_error_of_a_step_is_scrubbed),
        TEST(history_is_the_mean_of_undisturbed_successes),
        TEST(an_effect_tells_intent_from_outcome),
        TEST(a_resource_keeps_what_a_later_note_leaves_out),
        TEST(the_newest_backup_is_found_and_its_proof_is_never_lost),
        TEST(what_was_acknowledged_survives_a_kill),
        TEST(threads_with_a_handle_each_share_a_lease),
        TEST(the_journal_is_readable_by_its_owner_only),
        TEST(an_empty_journal_reads_as_one_and_makes_no_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
