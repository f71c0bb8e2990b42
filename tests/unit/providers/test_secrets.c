/* Secrets from files, the environment and commands: the value arrives exactly, and no failure shows it. */
#include "base/log.h"
#include "providers/secrets/secrets.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[] = "/tmp/rehost-test-secrets-XXXXXX";

static void write_file(const char *name, const char *text, mode_t mode)
{
    char path[256];
    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static void expect_secret(const struct secret_source *source, const char *value)
{
    struct ctx ctx = ctx_background();
    CLEANUP_SECRET struct secret *secret = NULL;
    CLEANUP_ERR struct err *e = secret_source_read(&ctx, source, dir, &secret);
    assert_string_equal(e ? err_text(e) : "", "");
    size_t length = 0;
    const unsigned char *bytes = secret_bytes(secret, &length);
    assert_int_equal(length, strlen(value));
    assert_memory_equal(bytes, value, length);
}

static void expect_error(const struct secret_source *source, enum err_kind kind, const char *word)
{
    struct ctx ctx = ctx_background();
    struct secret *secret = NULL;
    CLEANUP_ERR struct err *e = secret_source_read(&ctx, source, dir, &secret);
    assert_non_null(e);
    assert_null(secret);
    assert_string_equal(err_kind_name(err_kind(e)), err_kind_name(kind));
    if (!strstr(err_text(e), word))
        fail_msg("'%s' is not in: %s", word, err_text(e));
    assert_null(strstr(err_text(e), "hunter2"));
}

#define FROM_FILE(path) (&(struct secret_source){.kind = SECRET_SOURCE_FILE, .file = (path)})
#define FROM_ENV(name) (&(struct secret_source){.kind = SECRET_SOURCE_ENV, .env = (name)})
#define FROM_COMMAND(...)                                                                                    \
    (&(struct secret_source){.kind = SECRET_SOURCE_COMMAND,                                                  \
                             .command = (const char *const[]){__VA_ARGS__, NULL}})

static void file_gives_its_content_without_the_last_newline(void **state)
{
    (void)state;
    write_file("token", "hunter2 \n\n", 0600);
    expect_secret(FROM_FILE("token"), "hunter2 \n");
}

static void file_that_others_may_read_is_refused(void **state)
{
    (void)state;
    write_file("open", "hunter2\n", 0644);
    expect_error(FROM_FILE("open"), ERR_INPUT, "open");
}

static void missing_file_is_named(void **state)
{
    (void)state;
    expect_error(FROM_FILE("nowhere"), ERR_NOT_FOUND, "nowhere");
}

static void empty_secret_is_refused(void **state)
{
    (void)state;
    write_file("empty", "\n", 0600);
    expect_error(FROM_FILE("empty"), ERR_INPUT, "empty");
    expect_error(FROM_COMMAND("true"), ERR_INPUT, "'true' is empty");
}

static void environment_variable_is_read_and_logged_by_name_only(void **state)
{
    (void)state;
    char path[256];
    (void)snprintf(path, sizeof(path), "%s/log", dir);
    assert_null(log_open(path, LOG_INFO));
    assert_int_equal(setenv("REHOST_TEST_TOKEN", "hunter2", 1), 0);
    expect_secret(FROM_ENV("REHOST_TEST_TOKEN"), "hunter2");
    log_close();

    char text[1024] = "";
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_true(fread(text, 1, sizeof(text) - 1, file) > 0);
    assert_int_equal(fclose(file), 0);
    assert_non_null(strstr(text, "REHOST_TEST_TOKEN"));
    assert_null(strstr(text, "hunter2"));
}

static void unset_environment_variable_is_named(void **state)
{
    (void)state;
    expect_error(FROM_ENV("REHOST_TEST_UNSET"), ERR_INPUT, "REHOST_TEST_UNSET");
}

static void command_runs_without_a_shell(void **state)
{
    (void)state;
    expect_secret(FROM_COMMAND("printf", "%s\n", "$(id); `id` > x"), "$(id); `id` > x");
}

static void command_with_a_relative_path_is_found_beside_the_inventory(void **state)
{
    (void)state;
    write_file("get-token", "#!/bin/sh\necho \"$1\"\n", 0700);
    expect_secret(FROM_COMMAND("./get-token", "hunter2"), "hunter2");
}

static void failing_command_tells_its_status_and_complaint_but_not_its_output(void **state)
{
    (void)state;
    write_file("locked", "#!/bin/sh\necho hunter2\necho 'vault is locked' >&2\nexit 7\n", 0700);
    expect_error(FROM_COMMAND("./locked"), ERR_IO, "exited with 7: vault is locked");
}

static void command_that_does_not_exist_is_named(void **state)
{
    (void)state;
    expect_error(FROM_COMMAND("rehost-no-such-command"), ERR_NOT_FOUND, "rehost-no-such-command");
}

static void command_output_has_a_maximum(void **state)
{
    (void)state;
    expect_secret(FROM_COMMAND("printf", "%.3s", "abcdef"), "abc");
    expect_error(FROM_COMMAND("head", "-c", "65600", "/dev/zero"), ERR_INPUT, "secret");
}

static void hanging_command_ends_with_the_context(void **state)
{
    (void)state;
    struct ctx background = ctx_background();
    struct ctx ctx = ctx_with_timeout(&background, 50);
    struct secret *secret = NULL;
    CLEANUP_ERR struct err *e = secret_source_read(&ctx, FROM_COMMAND("sleep", "600"), dir, &secret);
    assert_non_null(e);
    assert_string_equal(err_kind_name(err_kind(e)), err_kind_name(ERR_TIMEOUT));
}

static int make_dir(void **state)
{
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    (void)state;
    const char *const names[] = {"token", "open", "empty", "log", "get-token", "locked"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char path[256];
        (void)snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
        (void)unlink(path);
    }
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(file_gives_its_content_without_the_last_newline),
        cmocka_unit_test(file_that_others_may_read_is_refused),
        cmocka_unit_test(missing_file_is_named),
        cmocka_unit_test(empty_secret_is_refused),
        cmocka_unit_test(environment_variable_is_read_and_logged_by_name_only),
        cmocka_unit_test(unset_environment_variable_is_named),
        cmocka_unit_test(command_runs_without_a_shell),
        cmocka_unit_test(command_with_a_relative_path_is_found_beside_the_inventory),
        cmocka_unit_test(failing_command_tells_its_status_and_complaint_but_not_its_output),
        cmocka_unit_test(command_that_does_not_exist_is_named),
        cmocka_unit_test(command_output_has_a_maximum),
        cmocka_unit_test(hanging_command_ends_with_the_context),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
