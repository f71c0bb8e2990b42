/* Command lines are cut as Python's shlex cuts them, and nothing of a value becomes shell syntax. */
#include "base/ctx.h"
#include "base/proc.h"
#include "playbook/words.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct arena *arena;

static int setup(void **state)
{
    (void)state;
    arena = arena_new(0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

/* What a shell makes of the words: each in <>. */
static char *run_shell(const char *words)
{
    struct ctx ctx = ctx_background();
    struct strbuf script, out;
    struct proc_result result;
    strbuf_init(&script, 0);
    strbuf_init(&out, 0);
    strbuf_addf(&script, "NAME=value; RH_NEW=/new; unset NOPE; printf '<%%s>' %s", words);
    const char *const argv[] = {"env", "HOME=/root", "sh", NULL};
    assert_null(proc_run(&ctx, argv, script.data, script.length, &out, NULL, &result));
    char *text = strbuf_to_arena(&out, arena);
    strbuf_free(&script);
    strbuf_free(&out);
    return text;
}

static char *command(const char *text, bool expand)
{
    struct strbuf out;
    strbuf_init(&out, 0);
    assert_null(words_add_command(arena, &out, text, expand));
    char *shown = run_shell(out.data);
    strbuf_free(&out);
    return shown;
}

static void command_lines_are_cut_like_shlex(void **state)
{
    (void)state;
    assert_string_equal(command("a 'b c' \"d \\\" e\" f\\ g", false), "<a><b c><d \" e><f g>");
    assert_string_equal(command("x=\"1 2\"'3' '' \"\"", false), "<x=1 23><><>");
    assert_string_equal(command("  a\n\tb  ", false), "<a><b>");
    assert_string_equal(command("$(touch /tmp/no) `id` ; | & > < * ? \\\\", false),
                        "<$(touch></tmp/no)><`id`><;><|><&><>><<><*><?><\\>");
    char **words;
    size_t count;
    struct err *e = words_split(arena, "it's", &words, &count);
    assert_non_null(e);
    err_free(e);
}

static void only_names_and_home_are_expanded(void **state)
{
    (void)state;
    assert_string_equal(command("$NAME ${NAME}x '$NAME' $NOPE ${NOPE} $(id) $1 a~b ~ ~/x", true),
                        "<value><valuex><value><$NOPE><${NOPE}><$(id)><$1><a~b></root></root/x>");
    assert_string_equal(command("\"$NAME\\\"; id\"", true), "<value\"; id>");
    assert_string_equal(command("$NAME`id`'$(id)'", true), "<value`id`$(id)>");
}

static void every_byte_but_nul_survives(void **state)
{
    (void)state;
    char all[256];
    for (int i = 0; i < 255; i++)
        all[i] = (char)(i + 1);
    all[255] = '\0';
    struct strbuf out;
    strbuf_init(&out, 0);
    strbuf_add_shell_quoted(&out, all);
    char *shown = run_shell(out.data);
    assert_int_equal(strlen(shown), 257);
    assert_memory_equal(shown + 1, all, 255);
    strbuf_free(&out);
}

static void a_validation_names_the_file(void **state)
{
    (void)state;
    struct strbuf out;
    strbuf_init(&out, 0);
    assert_null(words_add_validate(arena, &out, "sh -c 'echo \"a { %s; }\" %%' \"$NAME\""));
    assert_string_equal(run_shell(out.data), "<sh><-c><echo \"a { /new; }\" %><$NAME>");
    struct err *e = words_add_validate(arena, &out, "visudo -c");
    assert_non_null(e);
    err_free(e);
    strbuf_free(&out);
}

static void pairs_keep_quotes_and_braces_together(void **state)
{
    (void)state;
    struct word_pair *pairs;
    size_t count;
    assert_null(words_pairs(arena, "a=1 b='x y' c={{ d | default('e f') }} plain 'a=b'", &pairs, &count));
    assert_int_equal(count, 5);
    assert_string_equal(pairs[1].key, "b");
    assert_string_equal(pairs[1].value, "x y");
    assert_string_equal(pairs[2].value, "{{ d | default('e f') }}");
    assert_null(pairs[3].key);
    assert_null(pairs[4].key);
    assert_string_equal(pairs[4].value, "a=b");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(command_lines_are_cut_like_shlex, setup, teardown),
        cmocka_unit_test_setup_teardown(only_names_and_home_are_expanded, setup, teardown),
        cmocka_unit_test_setup_teardown(every_byte_but_nul_survives, setup, teardown),
        cmocka_unit_test_setup_teardown(a_validation_names_the_file, setup, teardown),
        cmocka_unit_test_setup_teardown(pairs_keep_quotes_and_braces_together, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
