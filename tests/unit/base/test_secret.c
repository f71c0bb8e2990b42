#include "base/fs.h"
#include "base/scrub.h"
#include "base/secret.h"

#include "helpers.h"

#include <sys/stat.h>
#include <unistd.h>

#define VALUE "hunter2-hunter2"

static bool is_scrubbed(const char *text)
{
    struct strbuf out CLEANUP_STRBUF;
    strbuf_init(&out, 0);
    scrub_text(text, strlen(text), &out);
    return strstr(out.data, "[secret]") && !strstr(out.data, VALUE);
}

static void a_secret_gives_its_bytes_back_and_is_scrubbed_while_it_lives(void **state)
{
    (void)state;
    struct secret *secret = NULL;
    size_t length = 0;
    assert_ok(secret_new(VALUE, strlen(VALUE), &secret));
    assert_memory_equal(secret_bytes(secret, &length), VALUE, strlen(VALUE) + 1);
    assert_int_equal(length, strlen(VALUE));
    assert_string_equal(secret_text(secret), VALUE);
    assert_true(is_scrubbed("the password is " VALUE "."));
    secret_free(secret);
    assert_false(is_scrubbed("the password is " VALUE "."));
}

static void a_secret_kept_by_an_arena_ends_with_it(void **state)
{
    (void)state;
    struct arena *arena = arena_new(0);
    struct secret *secret = NULL;
    assert_ok(secret_new(VALUE, strlen(VALUE), &secret));
    assert_ptr_equal(secret_keep(arena, secret), secret);
    assert_true(is_scrubbed(VALUE));
    arena_free(arena);
    assert_false(is_scrubbed(VALUE));
}

/* The kernel tells: "dd" (do not dump) among the VmFlags of the mapping that holds the address. */
static void the_memory_of_a_secret_is_left_out_of_core_dumps(void **state)
{
    (void)state;
    CLEANUP_SECRET struct secret *secret = NULL;
    assert_ok(secret_new(VALUE, strlen(VALUE), &secret));
    FILE *maps = fopen("/proc/self/smaps", "re");
    assert_non_null(maps);
    char line[512];
    bool ours = false, found = false;
    while (fgets(line, sizeof(line), maps)) {
        char *rest = NULL;
        uintptr_t from = strtoul(line, &rest, 16);
        if (*rest == '-') /* "7f12a000-7f12b000 rw-p ..." begins a mapping */
            ours = (uintptr_t)secret >= from && (uintptr_t)secret < strtoul(rest + 1, NULL, 16);
        if (ours && !strncmp(line, "VmFlags:", 8))
            found = strstr(line, " dd") != NULL;
    }
    (void)fclose(maps);
    assert_true(found);
}

static void a_secret_larger_than_the_maximum_is_refused(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    CLEANUP_SECRET struct secret *secret = NULL;
    const char *bytes = arena_alloc(arena, SECRET_MAX_BYTES + 1);
    assert_fails(secret_new(bytes, SECRET_MAX_BYTES + 1, &secret), ERR_INPUT, "larger");
    assert_ok(secret_new(bytes, SECRET_MAX_BYTES, &secret));
}

static void one_newline_at_the_end_of_a_secret_file_is_dropped(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    const char *dir = make_dir(arena), *path = arena_printf(arena, "%s/token", dir);
    CLEANUP_SECRET struct secret *secret = NULL;
    assert_ok(fs_write_file(path, " two\nlines \n\n", 13, 0600));
    assert_ok(secret_read_file(path, &secret));
    assert_string_equal(secret_text(secret), " two\nlines \n");
    (void)unlink(path);
    (void)rmdir(dir);
}

static void a_secret_file_that_others_may_read_is_refused(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    const char *dir = make_dir(arena), *path = arena_printf(arena, "%s/token", dir);
    struct secret *secret = NULL;
    assert_ok(fs_write_file(path, VALUE, strlen(VALUE), 0640));
    struct err *e = secret_read_file(path, &secret);
    assert_non_null(e);
    assert_non_null(strstr(err_hint(e), "chmod 600"));
    assert_null(strstr(err_text(e), VALUE));
    assert_fails(e, ERR_INPUT, "mode 640");
    assert_ok(fs_write_file(path, "\n", 1, 0600));
    assert_fails(secret_read_file(path, &secret), ERR_INPUT, "empty");
    (void)unlink(path);
    assert_fails(secret_read_file(path, &secret), ERR_NOT_FOUND, path);
    (void)chmod(dir, 0700);
    assert_fails(secret_read_file(dir, &secret), ERR_INPUT, "directory");
    (void)rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_secret_gives_its_bytes_back_and_is_scrubbed_while_it_lives),
        cmocka_unit_test(a_secret_kept_by_an_arena_ends_with_it),
        cmocka_unit_test(the_memory_of_a_secret_is_left_out_of_core_dumps),
        cmocka_unit_test(a_secret_larger_than_the_maximum_is_refused),
        cmocka_unit_test(one_newline_at_the_end_of_a_secret_file_is_dropped),
        cmocka_unit_test(a_secret_file_that_others_may_read_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
