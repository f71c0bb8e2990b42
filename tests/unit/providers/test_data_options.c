/* What an inventory may say about a dataset, and what reaches a shell of it. */
#include "providers/data/driver.h"
#include "providers/data/host_script.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/proc.h"

#include <cmocka.h>

static json_t *parse(const char *text)
{
    json_t *json = json_loads(text, 0, NULL);
    assert_non_null(json);
    return json;
}

static void accepts(const char *kind, const char *options)
{
    json_t *json = parse(options);
    const struct dataset dataset = {"shop", kind, "web-1", json};
    struct err *failed = dataset_check_options(&dataset);
    if (failed)
        fail_msg("%s: %s", options, err_text(failed));
    json_decref(json);
}

static void refuses(const char *kind, const char *options, const char *words)
{
    json_t *json = parse(options);
    const struct dataset dataset = {"shop", kind, "web-1", json};
    struct err *failed = dataset_check_options(&dataset);
    assert_non_null(failed);
    assert_int_equal(err_kind(failed), ERR_INPUT);
    if (!strstr(err_text(failed), words))
        fail_msg("'%s' is not in: %s", words, err_text(failed));
    err_free(failed);
    json_decref(json);
}

static void options_that_fit_their_kind_are_accepted(void **state)
{
    (void)state;
    accepts("postgres", "{\"database\": \"shop\"}");
    accepts("postgres", "{\"database\": \"shop-2.x_y\", \"owner\": \"app\", \"port\": 5433}");
    accepts("files", "{\"path\": \"/srv/uploads\"}");
    accepts("files",
            "{\"path\": \"/srv/it's here\", \"exclude\": [\"*.tmp\", \"./cache\"], \"owner\": \"app\","
            " \"group\": \"www-data\", \"mode\": \"0750\"}");
}

static void a_bad_option_is_refused_by_name(void **state)
{
    (void)state;
    refuses("postgres", "{}", "needs the option 'database'");
    refuses("postgres", "{\"database\": \"shop\", \"passwort\": \"x\"}", "no option 'passwort'");
    refuses("postgres", "{\"database\": \"a b\"}", "'database'");
    refuses("postgres", "{\"database\": \"dbname=x host=y\"}", "'database'");
    refuses("postgres", "{\"database\": \"-c\"}", "'database'");
    refuses("postgres", "{\"database\": 5}", "'database'");
    refuses("postgres", "{\"database\": \"shop\", \"port\": 70000}", "'port'");
    refuses("postgres", "{\"database\": \"shop\", \"port\": \"5432\"}", "'port'");
    refuses("files", "{\"path\": \"srv\"}", "'path'");
    refuses("files", "{\"path\": \"/\"}", "'path'");
    refuses("files", "{\"path\": \"/srv/\"}", "'path'");
    refuses("files", "{\"path\": \"/srv/../etc\"}", "'path'");
    refuses("files", "{\"path\": \"/srv/..\"}", "'path'");
    refuses("files", "{\"path\": \"/srv\\nx\"}", "'path'");
    refuses("files", "{\"path\": \"/srv\", \"exclude\": \"*.tmp\"}", "'exclude'");
    refuses("files", "{\"path\": \"/srv\", \"exclude\": [1]}", "'exclude'");
    refuses("files", "{\"path\": \"/srv\", \"mode\": \"u+x\"}", "'mode'");
    refuses("files", "{\"path\": \"/srv\", \"owner\": \"-R\"}", "'owner'");
    refuses("mysql", "{}", "unknown kind 'mysql'");
}

static void every_kind_in_the_list_has_a_driver(void **state)
{
    (void)state;
    size_t count;
    const char *const *kinds = dataset_kinds(&count);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(dataset_find_ops(kinds[i])->kind, kinds[i]);
    assert_null(dataset_find_ops("mysql"));
}

/* bash -n reads a script without running it. */
static void check_syntax(const struct strbuf *script)
{
    const struct ctx ctx = ctx_background();
    struct strbuf errout CLEANUP_STRBUF;
    struct proc_result result;
    strbuf_init(&errout, 0);
    struct err *failed = proc_run(&ctx, (const char *[]){"bash", "-n", NULL}, script->data, script->length,
                                  NULL, &errout, &result);
    if (failed)
        fail_msg("%s", err_text(failed));
    if (result.exit_status != 0)
        fail_msg("%s\n%s", errout.data, script->data);
}

static void scripts_stay_shell_whatever_a_value_holds(void **state)
{
    (void)state;
    json_t *options =
        parse("{\"path\": \"/srv/it's $(touch /tmp/owned) `x` \\\" here\", \"exclude\": [\"'; rm -rf /\"]}");
    const struct dataset dataset = {"uploads", "files", "web-1", options};
    const struct restore_target target = {"run_1", NULL};
    const struct host_backup backup = {"run-1", (const char *const[]){"age1x", "age1y", NULL}, 16 << 20};
    const struct host_restore restore = {"run-1", 1000, 200, "aa"};
    const struct dataset_ops *ops = dataset_find_ops("files");
    assert_null(dataset_check_options(&dataset));
    for (int i = 0; i < 5; i++) {
        struct strbuf script CLEANUP_STRBUF;
        strbuf_init(&script, 0);
        if (i == 0)
            host_script_backup(ops, &dataset, &backup, &script);
        else if (i == 1)
            host_script_restore(ops, &dataset, &target, &restore, &script);
        else
            host_script_action(ops, &dataset, &target, (enum host_action)(i - 2), &script);
        assert_non_null(strstr(script.data, "/srv/it'\\''s $(touch"));
        check_syntax(&script);
    }
    json_decref(options);
}

static void database_names_stay_within_what_the_server_keeps(void **state)
{
    (void)state;
    json_t *options =
        parse("{\"database\": \"a_database_with_a_name_of_63_bytes_which_is_the_longest_allowed\"}");
    const struct dataset dataset = {"shop", "postgres", "web-1", options};
    const struct restore_target target = {"r_20261120_024100_abcdef_restore_shop", NULL};
    struct strbuf script CLEANUP_STRBUF;
    strbuf_init(&script, 0);
    assert_null(dataset_check_options(&dataset));
    host_script_action(dataset_find_ops("postgres"), &dataset, &target, HOST_SWITCH, &script);
    check_syntax(&script);
    const char *names[] = {"\nnew='", "\nbefore='"};
    for (size_t i = 0; i < 2; i++) {
        const char *name = strstr(script.data, names[i]);
        assert_non_null(name);
        name += strlen(names[i]);
        assert_true(strcspn(name, "'") <= 63);
    }
    json_decref(options);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_that_fit_their_kind_are_accepted),
        cmocka_unit_test(a_bad_option_is_refused_by_name),
        cmocka_unit_test(every_kind_in_the_list_has_a_driver),
        cmocka_unit_test(scripts_stay_shell_whatever_a_value_holds),
        cmocka_unit_test(database_names_stay_within_what_the_server_keeps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
