#include "base/fs.h"

#include "helpers.h"

#include <sys/stat.h>
#include <unistd.h>

static void a_file_is_read_back_as_written_and_keeps_its_mode(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    const char *dir = make_dir(arena), *path = arena_printf(arena, "%s/file", dir);
    char *data = NULL;
    size_t length = 0;
    struct stat st;
    assert_ok(fs_write_file(path, "old content", 11, 0644));
    assert_ok(fs_write_file(path, "new\0x", 5, 0600));
    assert_ok(fs_read_file(arena, path, 5, &data, &length));
    assert_int_equal(length, 5);
    assert_memory_equal(data, "new\0x\0", 6);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    (void)unlink(path);
    assert_int_equal(rmdir(dir), 0); /* nothing was left beside */
}

static void a_file_larger_than_allowed_is_refused_by_name(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    const char *dir = make_dir(arena), *path = arena_printf(arena, "%s/file", dir);
    char *data = NULL;
    assert_ok(fs_write_file(path, "123456", 6, 0600));
    assert_fails(fs_read_file(arena, path, 5, &data, NULL), ERR_INPUT, path);
    (void)unlink(path);
    assert_fails(fs_read_file(arena, path, 5, &data, NULL), ERR_NOT_FOUND, path);
    assert_fails(fs_read_file(arena, dir, 5, &data, NULL), ERR_IO, dir);
    (void)rmdir(dir);
}

static void a_failed_write_leaves_the_old_file_and_nothing_else(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    const char *dir = make_dir(arena), *path = arena_printf(arena, "%s/sub", dir);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_fails(fs_write_file(path, "x", 1, 0600), ERR_IO, path); /* a directory cannot be replaced */
    assert_true(fs_is_dir(path));
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(rmdir(dir), 0);
    assert_fails(fs_write_file("/nonexistent/dir/file", "x", 1, 0600), ERR_IO, "/nonexistent/dir/file");
}

static void directories_are_made_with_their_parents(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    const char *dir = make_dir(arena), *deep = arena_printf(arena, "%s/a//b/c/", dir);
    assert_ok(fs_make_dirs(deep, 0700));
    assert_ok(fs_make_dirs(deep, 0700));
    assert_true(fs_is_dir(deep));
    const char *file = arena_printf(arena, "%s/a/file", dir);
    assert_ok(fs_write_file(file, "", 0, 0600));
    assert_true(fs_exists(file) && !fs_is_dir(file));
    assert_fails(fs_make_dirs(arena_printf(arena, "%s/x", file), 0700), ERR_IO, file);
    (void)unlink(file);
    assert_int_equal(rmdir(deep), 0);
    assert_int_equal(rmdir(arena_printf(arena, "%s/a/b", dir)), 0);
    assert_int_equal(rmdir(arena_printf(arena, "%s/a", dir)), 0);
    assert_int_equal(rmdir(dir), 0);
}

static void paths_are_taken_apart_as_posix_does(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    assert_string_equal(fs_dirname(arena, "/a/b"), "/a");
    assert_string_equal(fs_dirname(arena, "a/b/"), "a");
    assert_string_equal(fs_dirname(arena, "/a"), "/");
    assert_string_equal(fs_dirname(arena, "//"), "/");
    assert_string_equal(fs_dirname(arena, "a"), ".");
    assert_string_equal(fs_dirname(arena, ""), ".");
    assert_string_equal(fs_basename("/a/b.yaml"), "b.yaml");
    assert_string_equal(fs_basename("b.yaml"), "b.yaml");
}

static void paths_are_resolved_from_their_base_and_the_home_directory(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    assert_int_equal(setenv("HOME", "/home/op", 1), 0);
    assert_string_equal(fs_resolve(arena, "/etc/rehost", "keys/a"), "/etc/rehost/keys/a");
    assert_string_equal(fs_resolve(arena, "/etc/rehost", "/keys/a"), "/keys/a");
    assert_string_equal(fs_resolve(arena, "/etc/rehost", "~/keys"), "/home/op/keys");
    assert_string_equal(fs_resolve(arena, "/etc/rehost", "~"), "/home/op");
    assert_string_equal(fs_resolve(arena, "/etc", "~other"), "/etc/~other");
    assert_string_equal(fs_resolve(arena, NULL, "a"), "a");
    assert_int_equal(unsetenv("XDG_STATE_HOME"), 0);
    assert_string_equal(fs_state_dir(arena), "/home/op/.local/state/rehost");
    assert_int_equal(setenv("XDG_STATE_HOME", "relative", 1), 0);
    assert_string_equal(fs_state_dir(arena), "/home/op/.local/state/rehost");
    assert_int_equal(setenv("XDG_STATE_HOME", "/state", 1), 0);
    assert_string_equal(fs_state_dir(arena), "/state/rehost");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_read_back_as_written_and_keeps_its_mode),
        cmocka_unit_test(a_file_larger_than_allowed_is_refused_by_name),
        cmocka_unit_test(a_failed_write_leaves_the_old_file_and_nothing_else),
        cmocka_unit_test(directories_are_made_with_their_parents),
        cmocka_unit_test(paths_are_taken_apart_as_posix_does),
        cmocka_unit_test(paths_are_resolved_from_their_base_and_the_home_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
