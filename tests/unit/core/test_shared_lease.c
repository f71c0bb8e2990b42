/* The shared lease: its text, and who may take it. Its life in a bucket is tested by tests/fault/two_laptops.
 */
#include "core/owner.h"
#include "core/shared_lease.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define NOW_MS 1700000000000

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

static struct shared_lease_state held_elsewhere(void)
{
    return (struct shared_lease_state){.host = "web-1",
                                       .run = "r-1",
                                       .owner = "ann@laptop pid 7",
                                       .place = "another boot pid:[1]",
                                       .pid = 7,
                                       .epoch = 3,
                                       .expires_ms = NOW_MS + 1};
}

static struct err *parse(const char *text, struct shared_lease_state *state)
{
    return shared_lease_parse(arena, text, strlen(text), "web-1", state);
}

static void refuses(const char *text, const char *why)
{
    struct shared_lease_state state;
    struct err *e = parse(text, &state);
    assert_non_null(e);
    assert_int_equal(err_kind(e), ERR_INPUT);
    if (!strstr(err_text(e), why))
        fail_msg("'%s' does not say '%s'", err_text(e), why);
    err_free(e);
}

static void what_is_written_is_read_back(void **unused)
{
    (void)unused;
    struct shared_lease_state written = held_elsewhere(), read;
    written.recovered_by = "r-0";
    struct err *e = parse(shared_lease_format(arena, &written), &read);
    assert_null(e);
    assert_string_equal(read.host, "web-1");
    assert_string_equal(read.run, "r-1");
    assert_string_equal(read.owner, "ann@laptop pid 7");
    assert_string_equal(read.place, "another boot pid:[1]");
    assert_string_equal(read.recovered_by, "r-0");
    assert_int_equal(read.pid, 7);
    assert_int_equal(read.epoch, 3);
    assert_int_equal(read.expires_ms, NOW_MS + 1);
}

static void a_released_lease_has_no_run(void **unused)
{
    (void)unused;
    struct shared_lease_state written = held_elsewhere(), read;
    written.run = NULL;
    struct err *e = parse(shared_lease_format(arena, &written), &read);
    assert_null(e);
    assert_null(read.run);
    assert_null(read.recovered_by);
    assert_true(shared_lease_is_free(&read, 0));
}

static void what_is_no_lease_is_refused_and_not_taken_for_a_free_one(void **unused)
{
    (void)unused;
    struct shared_lease_state other = held_elsewhere();
    other.host = "web-2";
    refuses("", "cannot be read");
    refuses("{}", "host");
    refuses("[1]", "cannot be read");
    refuses("{\"host\": \"web-1\", \"owner\": \"a\", \"place\": \"b\", \"pid\": 1, \"epoch\": 1}",
            "expires_ms");
    refuses("{\"host\": \"web-1\", \"owner\": \"a\", \"place\": \"b\", \"pid\": 1, \"epoch\": -1, "
            "\"expires_ms\": 0}",
            "epoch");
    refuses(shared_lease_format(arena, &other), "it is of host 'web-2'");
}

static void it_may_be_taken_when_its_time_is_over_by_the_clock_of_the_store(void **unused)
{
    (void)unused;
    const struct shared_lease_state state = held_elsewhere();
    assert_false(shared_lease_is_free(&state, NOW_MS));
    assert_true(shared_lease_is_free(&state, NOW_MS + 1));
}

static void the_same_pid_on_another_machine_is_somebody_else(void **unused)
{
    (void)unused;
    struct shared_lease_state state = held_elsewhere();
    state.pid = getpid();
    assert_false(shared_lease_is_free(&state, NOW_MS));
    state.place = "unknown";
    assert_false(shared_lease_is_free(&state, NOW_MS));
}

static void a_process_of_this_machine_holds_it_while_it_lives(void **unused)
{
    (void)unused;
    struct shared_lease_state state = held_elsewhere();
    state.place = owner_place(arena);
    state.pid = getppid();
    assert_false(shared_lease_is_free(&state, NOW_MS));
    pid_t child = fork();
    if (child == 0)
        _exit(0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    state.pid = child;
    assert_true(shared_lease_is_free(&state, NOW_MS));
    state.pid = getpid();
    assert_true(shared_lease_is_free(&state, NOW_MS));
}

static void its_key_is_below_the_prefix_however_that_ends(void **unused)
{
    (void)unused;
    assert_string_equal(shared_lease_key(arena, NULL, "web-1.json"), "leases/web-1.json");
    assert_string_equal(shared_lease_key(arena, "", "web-1.json"), "leases/web-1.json");
    assert_string_equal(shared_lease_key(arena, "team", "web-1.json"), "team/leases/web-1.json");
    assert_string_equal(shared_lease_key(arena, "a/b//", "web-1.json"), "a/b/leases/web-1.json");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(a_released_lease_has_no_run),
        cmocka_unit_test(what_is_no_lease_is_refused_and_not_taken_for_a_free_one),
        cmocka_unit_test(it_may_be_taken_when_its_time_is_over_by_the_clock_of_the_store),
        cmocka_unit_test(the_same_pid_on_another_machine_is_somebody_else),
        cmocka_unit_test(a_process_of_this_machine_holds_it_while_it_lives),
        cmocka_unit_test(its_key_is_below_the_prefix_however_that_ends),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
