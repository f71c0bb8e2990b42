/* The command line as it is typed: what is wrong is said with what was probably meant. */
#include "base/clock.h"
#include "cli/cli.h"
#include "cli/plan_options.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MAX_WORDS 12

/* Words as a shell would split them; NULL-terminated, without the program's name. */
static struct err *parse(struct arena *arena, struct cli *cli, const char *const *words)
{
    char **argv = arena_array(arena, MAX_WORDS + 2, sizeof(*argv));
    int argc = 0;
    argv[argc++] = arena_strdup(arena, "rehost");
    for (; *words; words++)
        argv[argc++] = arena_strdup(arena, *words);
    *cli = (struct cli){.arena = arena};
    return cli_parse(cli, argc, argv);
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void ok(struct err *e)
{
    if (e)
        fail_msg("unexpected: %s", err_text(e));
}

static void refuses(const char *const *words, const char *text, const char *hint)
{
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    struct cli cli;
    CLEANUP_ERR struct err *e = parse(arena, &cli, words);
    assert_non_null(e);
    assert_int_equal(err_kind(e), ERR_INPUT);
    if (!strstr(err_text(e), text))
        fail_msg("'%s' is not in: %s", text, err_text(e));
    if (hint && (!err_hint(e) || !strstr(err_hint(e), hint)))
        fail_msg("'%s' is not in the hint: %s", hint, err_hint(e) ? err_hint(e) : "(none)");
}

static void arguments_and_options_may_stand_in_any_order(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    struct cli cli;
    ok(parse(arena, &cli, WORDS("plan", "--out", "a.plan", "web-1", "-i", "ops.yaml", "--incident=02:41")));
    assert_string_equal(cli.command->name, "plan");
    assert_int_equal(cli.argument_count, 1);
    assert_string_equal(cli.arguments[0], "web-1");
    assert_string_equal(cli_option(&cli, "out"), "a.plan");
    assert_string_equal(cli_option(&cli, "inventory"), "ops.yaml");
    assert_string_equal(cli_option(&cli, "incident"), "02:41");
    assert_null(cli_option(&cli, "before"));
    assert_false(cli_switch(&cli, "json"));
}

static void a_letter_takes_its_value_with_or_without_a_space(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    struct cli cli;
    ok(parse(arena, &cli, WORDS("plan", "-iops.yaml", "-o", "x")));
    assert_string_equal(cli_option(&cli, "inventory"), "ops.yaml");
    assert_string_equal(cli_option(&cli, "out"), "x");
}

static void a_repeating_option_keeps_all_its_values_in_order(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    struct cli cli;
    ok(parse(arena, &cli, WORDS("play", "site.yaml", "-e", "a=1", "--extra-vars=b=2", "-e@c.json")));
    assert_int_equal(cli.repeated_count, 3);
    assert_string_equal(cli.repeated[0], "a=1");
    assert_string_equal(cli.repeated[1], "b=2");
    assert_string_equal(cli.repeated[2], "@c.json");
}

static void each_repeating_option_has_its_own_values(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    struct cli cli;
    size_t count;
    ok(parse(arena, &cli, WORDS("play", "site.yaml", "-i", "one", "-ea=1", "-i", "two")));
    const char **values = cli_values(&cli, "inventory", &count);
    assert_int_equal(count, 2);
    assert_string_equal(values[0], "one");
    assert_string_equal(values[1], "two");
    values = cli_values(&cli, "extra-vars", &count);
    assert_int_equal(count, 1);
    assert_string_equal(values[0], "a=1");
    cli_values(&cli, "tags", &count);
    assert_int_equal(count, 0);
}

static void after_two_dashes_everything_is_an_argument(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    struct cli cli;
    ok(parse(arena, &cli, WORDS("plan", "--", "--json")));
    assert_int_equal(cli.argument_count, 1);
    assert_string_equal(cli.arguments[0], "--json");
    assert_false(cli.json);
}

static void without_a_command_there_is_help(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    struct cli cli;
    ok(parse(arena, &cli, (const char *const[]){NULL}));
    assert_string_equal(cli.command->name, "help");
    ok(parse(arena, &cli, WORDS("--help")));
    assert_string_equal(cli.command->name, "help");
}

static void a_command_explains_itself_without_its_arguments(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    struct cli cli;
    ok(parse(arena, &cli, WORDS("recover", "--help")));
    assert_true(cli_switch(&cli, "help"));
}

static void an_unknown_command_suggests_the_nearest(void **state)
{
    (void)state;
    refuses(WORDS("recvoer", "web-1"), "no command 'recvoer'", "did you mean 'rehost recover'?");
    refuses(WORDS("frobnicate"), "no command 'frobnicate'", "rehost help");
}

static void an_unknown_option_suggests_the_nearest(void **state)
{
    (void)state;
    refuses(WORDS("plan", "--incidnet", "02:41"), "no option '--incidnet'", "did you mean --incident?");
    refuses(WORDS("recover", "web-1", "-z"), "no option '-z'", "rehost help recover");
    refuses(WORDS("status", "--yes"), "rehost status has no option '--yes'", NULL);
}

static void a_missing_value_is_named(void **state)
{
    (void)state;
    refuses(WORDS("plan", "--out"), "--out needs a value: FILE", NULL);
    refuses(WORDS("plan", "-o"), "--out needs a value: FILE", NULL);
}

static void a_value_for_a_switch_is_refused(void **state)
{
    (void)state;
    refuses(WORDS("recover", "web-1", "--yes=please"), "--yes takes no value", NULL);
}

static void a_missing_argument_comes_with_an_example(void **state)
{
    (void)state;
    refuses(WORDS("recover"), "rehost recover needs HOST|PLAN", "rehost recover web-1");
    refuses(WORDS("destroy"), "rehost destroy needs RUN", "--confirm");
}

static void one_argument_too_many_is_named(void **state)
{
    (void)state;
    refuses(WORDS("plan", "web-1", "web-2"), "does not take 'web-2'", "rehost help plan");
    refuses(WORDS("gc", "now"), "does not take 'now'", NULL);
}

static void a_program_gets_json_also_when_the_rest_is_wrong(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    struct cli cli;
    err_free(parse(arena, &cli, WORDS("plan", "--nonsense", "--json")));
    assert_true(cli.json);
    err_free(parse(arena, &cli, WORDS("nonsense", "--json")));
    assert_true(cli.json);
}

static int64_t incident_of(const char *text, bool *valid)
{
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    struct cli cli;
    struct plan_options options;
    ok(parse(arena, &cli, WORDS("plan", "--incident", text)));
    CLEANUP_ERR struct err *e = cli_plan_options(&cli, &options);
    *valid = !e;
    return e ? 0 : options.incident_ms;
}

static void a_time_of_day_is_the_last_one_that_has_passed(void **state)
{
    (void)state;
    static const char *const times[] = {"00:00", "02:41", "12:00", "23:59"};
    for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++) {
        bool valid;
        int64_t at_ms = incident_of(times[i], &valid), age_ms = clock_now_ms() - at_ms;
        assert_true(valid);
        assert_true(age_ms >= 0 && age_ms <= 24 * 3600000 + 60000);
        int minute = atoi(times[i]) * 60 + atoi(times[i] + 3);
        assert_int_equal(at_ms / 60000 % 1440, minute);
    }
}

static void what_is_no_time_is_refused(void **state)
{
    (void)state;
    static const char *const times[] = {
        "24:00", "12:60", "-1:00", "+1:00", "1:00", "12:0", "12:00x", "soon", "2999-01-01T00:00:00Z"};
    for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++) {
        bool valid;
        incident_of(times[i], &valid);
        if (valid)
            fail_msg("'%s' was taken for a time", times[i]);
    }
}

/* --- the table itself --- */

static void every_command_is_complete(void **state)
{
    (void)state;
    for (size_t i = 0; i < cli_command_count; i++) {
        const struct cli_command *command = &cli_commands[i];
        assert_non_null(command->run);
        assert_non_null(command->arguments);
        assert_true(strlen(command->summary) > 10 && strlen(command->summary) < 60);
        assert_true(strlen(command->description) > 20);
        assert_int_equal(strncmp(command->example, "rehost ", 7), 0);
        assert_true(command->min_arguments <= command->max_arguments);
    }
}

static void every_example_can_be_parsed(void **state)
{
    (void)state;
    for (size_t i = 0; i < cli_command_count; i++) {
        CLEANUP_ARENA struct arena *arena = arena_new(0);
        struct cli cli;
        const char *words[MAX_WORDS + 1] = {0};
        char *text = arena_strdup(arena, cli_commands[i].example), *rest = NULL;
        size_t count = 0;
        for (char *word = strtok_r(text, " ", &rest); word && count < MAX_WORDS;
             word = strtok_r(NULL, " ", &rest))
            if (word != text)
                words[count++] = word;
        ok(parse(arena, &cli, words));
        assert_string_equal(cli.command->name, cli_commands[i].name);
    }
}

static const struct cli_option *option_at(const struct cli_command *command, size_t i)
{
    return i < cli_common_option_count ? &cli_common_options[i]
                                       : &command->options[i - cli_common_option_count];
}

static bool is_common(const struct cli_option *option)
{
    return option >= cli_common_options && option < cli_common_options + cli_common_option_count;
}

static void no_option_of_a_command_hides_another(void **state)
{
    (void)state;
    for (size_t c = 0; c < cli_command_count; c++) {
        size_t total = cli_common_option_count + cli_commands[c].option_count;
        for (size_t i = 0; i < total; i++)
            for (size_t k = i + 1; k < total; k++) {
                const struct cli_option *a = option_at(&cli_commands[c], i),
                                        *b = option_at(&cli_commands[c], k);
                bool takes_its_place =
                    a->letter == b->letter && !strcmp(a->name, b->name) && is_common(a) != is_common(b);
                if (takes_its_place)
                    continue;
                assert_string_not_equal(a->name, b->name);
                if (a->letter)
                    assert_int_not_equal(a->letter, b->letter);
            }
    }
}

static void each_kind_of_ending_has_its_exit_code(void **state)
{
    (void)state;
    static const struct {
        enum err_kind kind;
        int code;
    } codes[] = {{ERR_INPUT, 1}, {ERR_CAPACITY, 1}, {ERR_APPROVAL, 4},       {ERR_CANCELLED, 5},
                 {ERR_STALE, 6}, {ERR_HELD, 7},     {ERR_UNKNOWN_OUTCOME, 8}};
    for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
        CLEANUP_ERR struct err *e = err_new(codes[i].kind, "x");
        assert_int_equal(cli_exit_code_of(e), codes[i].code);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_and_options_may_stand_in_any_order),
        cmocka_unit_test(a_letter_takes_its_value_with_or_without_a_space),
        cmocka_unit_test(a_repeating_option_keeps_all_its_values_in_order),
        cmocka_unit_test(each_repeating_option_has_its_own_values),
        cmocka_unit_test(after_two_dashes_everything_is_an_argument),
        cmocka_unit_test(without_a_command_there_is_help),
        cmocka_unit_test(a_command_explains_itself_without_its_arguments),
        cmocka_unit_test(an_unknown_command_suggests_the_nearest),
        cmocka_unit_test(an_unknown_option_suggests_the_nearest),
        cmocka_unit_test(a_missing_value_is_named),
        cmocka_unit_test(a_value_for_a_switch_is_refused),
        cmocka_unit_test(a_missing_argument_comes_with_an_example),
        cmocka_unit_test(one_argument_too_many_is_named),
        cmocka_unit_test(a_program_gets_json_also_when_the_rest_is_wrong),
        cmocka_unit_test(a_time_of_day_is_the_last_one_that_has_passed),
        cmocka_unit_test(what_is_no_time_is_refused),
        cmocka_unit_test(every_command_is_complete),
        cmocka_unit_test(every_example_can_be_parsed),
        cmocka_unit_test(no_option_of_a_command_hides_another),
        cmocka_unit_test(each_kind_of_ending_has_its_exit_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
