#include "helpers.h"

#include <signal.h>
#include <stdalign.h>
#include <sys/wait.h>
#include <unistd.h>

static void blocks_are_zeroed_aligned_and_do_not_overlap(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    unsigned char *blocks[500];
    for (size_t i = 0; i < 500; i++) {
        size_t size = i * 37 % 3000;
        blocks[i] = arena_alloc(arena, size);
        assert_int_equal((uintptr_t)blocks[i] % alignof(max_align_t), 0);
        for (size_t j = 0; j < size; j++)
            assert_int_equal(blocks[i][j], 0);
        memset(blocks[i], (int)(i % 255) + 1, size);
    }
    for (size_t i = 0; i < 500; i++)
        for (size_t j = 0; j < i * 37 % 3000; j++)
            assert_int_equal(blocks[i][j], i % 255 + 1);
}

static void texts_are_copied_and_formatted(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    char source[] = "hello";
    char *copy = arena_strdup(arena, source), *part = arena_strndup(arena, source, 4);
    source[0] = 'j';
    assert_string_equal(copy, "hello");
    assert_string_equal(part, "hell");
    assert_null(arena_strdup(arena, NULL));
    assert_string_equal(arena_printf(arena, "%s-%05d", "x", 42), "x-00042");
    assert_memory_equal(arena_memdup(arena, "a\0b", 3), "a\0b", 3);
}

static char order[4];

static void note(void *object)
{
    strncat(order, object, 1);
}

static void deferred_releases_run_newest_first_when_the_arena_is_freed(void **state)
{
    (void)state;
    struct arena *arena = arena_new(0);
    char a[] = "a", b[] = "b", c[] = "c";
    arena_defer(arena, note, a);
    arena_defer(arena, note, b);
    arena_defer(arena, note, c);
    assert_string_equal(order, "");
    arena_free(arena);
    assert_string_equal(order, "cba");
}

/* Runs `act` in a child and expects it to abort with `message` on stderr. */
static void assert_aborts(void (*act)(void), const char *message)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)dup2(ends[1], STDERR_FILENO);
        (void)signal(SIGABRT, SIG_DFL);
        act();
        _exit(0);
    }
    (void)close(ends[1]);
    char text[512] = "";
    size_t length = 0;
    for (ssize_t got = 0; (got = read(ends[0], text + length, sizeof(text) - 1 - length)) > 0;)
        length += (size_t)got;
    (void)close(ends[0]);
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    assert_non_null(strstr(text, message));
}

static void fill_past_the_maximum(void)
{
    struct arena *arena = arena_new(10000);
    for (int i = 0; i < 20; i++)
        (void)arena_alloc(arena, 1000);
}

static void ask_for_more_than_exists(void)
{
    (void)arena_array(arena_new(0), SIZE_MAX / 2, 4);
}

static void passing_the_maximum_ends_the_process_with_a_message(void **state)
{
    (void)state;
    assert_aborts(fill_past_the_maximum, "an arena passed its maximum");
    assert_aborts(ask_for_more_than_exists, "an arena passed its maximum");
}

static void the_whole_maximum_can_be_used(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(10240);
    for (int i = 0; i < 10; i++)
        memset(arena_alloc(arena, 1024), 1, 1024);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_zeroed_aligned_and_do_not_overlap),
        cmocka_unit_test(texts_are_copied_and_formatted),
        cmocka_unit_test(deferred_releases_run_newest_first_when_the_arena_is_freed),
        cmocka_unit_test(passing_the_maximum_ends_the_process_with_a_message),
        cmocka_unit_test(the_whole_maximum_can_be_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
