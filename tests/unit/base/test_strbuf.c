#include "base/ctx.h"
#include "base/proc.h"
#include "base/strbuf.h"

#include "helpers.h"

static void a_new_buffer_is_an_empty_text(void **state)
{
    (void)state;
    struct strbuf sb;
    strbuf_init(&sb, 0);
    assert_string_equal(sb.data, "");
    assert_int_equal(sb.length, 0);
    strbuf_trim(&sb);
    strbuf_consume(&sb, 3);
    strbuf_reset(&sb);
    strbuf_free(&sb);
    assert_string_equal(sb.data, "");
}

static void a_buffer_grows_and_keeps_what_it_holds(void **state)
{
    (void)state;
    struct strbuf sb CLEANUP_STRBUF;
    strbuf_init(&sb, 0);
    for (int i = 0; i < 10000; i++)
        strbuf_addf(&sb, "%d,", i);
    assert_int_equal(sb.length, 10 * 2 + 90 * 3 + 900 * 4 + 9000 * 5);
    assert_memory_equal(sb.data, "0,1,2,3,", 8);
    assert_string_equal(sb.data + sb.length - 10, "9998,9999,");
    strbuf_add(&sb, "a\0b", 3);
    assert_memory_equal(sb.data + sb.length - 3, "a\0b", 4);
}

static void writing_past_the_maximum_drops_the_rest_and_is_reported(void **state)
{
    (void)state;
    struct strbuf sb CLEANUP_STRBUF;
    strbuf_init(&sb, 5);
    strbuf_adds(&sb, "abcde");
    assert_ok(strbuf_check(&sb, "it"));
    strbuf_adds(&sb, "f");
    assert_string_equal(sb.data, "abcde");
    assert_fails(strbuf_check(&sb, "the answer"), ERR_INPUT, "the answer is larger than 5 bytes");
    strbuf_reset(&sb);
    strbuf_addf(&sb, "%s", "123456789");
    assert_string_equal(sb.data, "12345");
    assert_true(sb.overflowed);
}

static void consuming_removes_from_the_front_and_trimming_from_the_end(void **state)
{
    (void)state;
    struct strbuf sb CLEANUP_STRBUF;
    strbuf_init(&sb, 0);
    strbuf_adds(&sb, "one two \r\n\t ");
    strbuf_trim(&sb);
    assert_string_equal(sb.data, "one two");
    strbuf_consume(&sb, 4);
    assert_string_equal(sb.data, "two");
    strbuf_consume(&sb, 99);
    assert_string_equal(sb.data, "");
}

/* A real shell has the last word on what it reads. */
static void assert_shell_reads_back(const char *text)
{
    struct strbuf command CLEANUP_STRBUF, out CLEANUP_STRBUF;
    strbuf_init(&command, 0);
    strbuf_init(&out, 0);
    strbuf_adds(&command, "printf %s ");
    strbuf_add_shell_quoted(&command, text);
    const char *argv[] = {"sh", "-c", command.data, NULL};
    struct ctx ctx = ctx_background();
    struct proc_result result;
    assert_ok(proc_run(&ctx, argv, NULL, 0, &out, NULL, &result));
    assert_int_equal(result.exit_status, 0);
    assert_string_equal(out.data, text);
}

static void a_shell_reads_a_quoted_text_back_as_it_was(void **state)
{
    (void)state;
    assert_shell_reads_back("");
    assert_shell_reads_back("plain");
    assert_shell_reads_back("'");
    assert_shell_reads_back("it's '' \\'quoted\\'");
    assert_shell_reads_back("$HOME `id` $(id) \"x\" \\ ! * ? [a] {b} ~ # ; & | < > ( )");
    assert_shell_reads_back("-n\n two lines\n\ttab \x01 \xc3\xa9 ");
}

static void only_unreserved_characters_stay_in_a_url(void **state)
{
    (void)state;
    struct strbuf sb CLEANUP_STRBUF;
    strbuf_init(&sb, 0);
    strbuf_add_url_encoded(&sb, "aZ09-_.~/ +%&=?\xc3\xa9", false);
    assert_string_equal(sb.data, "aZ09-_.~%2F%20%2B%25%26%3D%3F%C3%A9");
    strbuf_reset(&sb);
    strbuf_add_url_encoded(&sb, "/a b/c", true);
    assert_string_equal(sb.data, "/a%20b/c");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_buffer_is_an_empty_text),
        cmocka_unit_test(a_buffer_grows_and_keeps_what_it_holds),
        cmocka_unit_test(writing_past_the_maximum_drops_the_rest_and_is_reported),
        cmocka_unit_test(consuming_removes_from_the_front_and_trimming_from_the_end),
        cmocka_unit_test(a_shell_reads_a_quoted_text_back_as_it_was),
        cmocka_unit_test(only_unreserved_characters_stay_in_a_url),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
