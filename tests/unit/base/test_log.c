#include "base/fs.h"
#include "base/log.h"
#include "base/secret.h"

#include "helpers.h"

#include <errno.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

struct place {
    struct arena *arena;
    const char *dir, *path;
};

static int set_up(void **state)
{
    static struct place place;
    place.arena = arena_new(0);
    place.dir = make_dir(place.arena);
    place.path = arena_printf(place.arena, "%s/log", place.dir);
    *state = &place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;
    log_close();
    (void)unlink(place->path);
    (void)rmdir(place->dir);
    arena_free(place->arena);
    return 0;
}

static char *read_log(const struct place *place)
{
    char *text = NULL;
    assert_ok(fs_read_file(place->arena, place->path, 16u << 20, &text, NULL));
    return text;
}

static void a_line_has_time_level_and_text(void **state)
{
    const struct place *place = *state;
    log_info("before it is open: dropped");
    assert_ok(log_open(place->path, LOG_INFO));
    errno = EAGAIN;
    log_warn("disk %d%% full", 93);
    assert_int_equal(errno, EAGAIN);
    log_debug("too detailed for this level");
    const char *line = read_log(place);
    assert_int_equal(strlen(line), strlen("2026-11-20T02:41:00.123Z warn  disk 93% full\n"));
    assert_int_equal(line[4], '-');
    assert_int_equal(line[19], '.');
    assert_string_equal(line + 23, "Z warn  disk 93% full\n");
}

static void the_file_is_private_and_appended_to(void **state)
{
    const struct place *place = *state;
    struct stat st;
    assert_ok(log_open(place->path, LOG_DEBUG));
    log_debug("one");
    log_close();
    log_debug("dropped");
    assert_ok(log_open(place->path, LOG_DEBUG));
    log_debug("two");
    const char *text = read_log(place);
    assert_non_null(strstr(text, "debug one\n"));
    assert_non_null(strstr(text, "debug two\n"));
    assert_null(strstr(text, "dropped"));
    assert_int_equal(stat(place->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void a_registered_secret_never_reaches_the_file(void **state)
{
    const struct place *place = *state;
    CLEANUP_SECRET struct secret *secret = NULL;
    assert_ok(secret_new("first line\nsecond line", 22, &secret));
    assert_ok(log_open(place->path, LOG_INFO));
    log_info("the key is <%s>", secret_text(secret));
    const char *text = read_log(place);
    assert_non_null(strstr(text, "the key is <[secret]>\n"));
    assert_null(strstr(text, "line"));
}

static void text_from_outside_cannot_forge_a_line(void **state)
{
    const struct place *place = *state;
    assert_ok(log_open(place->path, LOG_INFO));
    log_info("server said: %s", "x\n2026-11-20T02:41:00.000Z info  all is well\r\x1b[2K\n");
    const char *text = read_log(place);
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
    assert_null(strchr(text, '\x1b'));
}

static void a_very_long_line_is_cut(void **state)
{
    const struct place *place = *state;
    char *text = arena_alloc(place->arena, 100001);
    memset(text, 'x', 100000);
    assert_ok(log_open(place->path, LOG_INFO));
    log_info("%s", text);
    const char *line = read_log(place);
    assert_true(strlen(line) < 9000);
    assert_non_null(strstr(line, "x [cut]\n"));
}

static void *write_lines(void *arg)
{
    for (int i = 0; i < 200; i++)
        log_info("thread %s line %d end", (const char *)arg, i);
    return NULL;
}

static void lines_of_many_threads_do_not_mix(void **state)
{
    const struct place *place = *state;
    char names[8][2];
    pthread_t threads[8];
    assert_ok(log_open(place->path, LOG_INFO));
    for (int i = 0; i < 8; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "%d", i);
        assert_int_equal(pthread_create(&threads[i], NULL, write_lines, names[i]), 0);
    }
    for (int i = 0; i < 8; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);

    int lines = 0, next[8] = {0}; /* the lines of one thread keep their order */
    char *rest = read_log(place);
    for (char *line = NULL; (line = strtok_r(NULL, "\n", &rest)) != NULL; lines++) {
        char thread = line[strlen("2026-11-20T02:41:00.123Z info  thread ")], expected[64];
        assert_in_range(thread, '0', '7');
        (void)snprintf(expected, sizeof(expected), " info  thread %c line %d end", thread,
                       next[thread - '0']++);
        assert_string_equal(line + 24, expected);
    }
    assert_int_equal(lines, 1600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_line_has_time_level_and_text, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_file_is_private_and_appended_to, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_registered_secret_never_reaches_the_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(text_from_outside_cannot_forge_a_line, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_very_long_line_is_cut, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lines_of_many_threads_do_not_mix, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
