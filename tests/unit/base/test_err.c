#include "helpers.h"

#include <errno.h>

static void a_wrapped_error_keeps_its_kind_and_tells_the_whole_chain(void **state)
{
    (void)state;
    struct err *e = err_errno(ERR_IO, ENOENT, "cannot open '%s'", "/x");
    e = err_wrap(e, "reading the inventory");
    e = err_wrap(e, "plan '%s'", "web-1");
    assert_int_equal(err_kind(e), ERR_IO);
    assert_string_equal(err_text(e),
                        "plan 'web-1': reading the inventory: cannot open '/x': No such file or directory");
    assert_string_equal(err_message(e), "plan 'web-1'");
    assert_string_equal(err_message(err_cause(e)), "reading the inventory");
    err_free(e);
}

static void a_message_is_utf_8_whatever_it_quotes(void **state)
{
    (void)state;
    struct err *e = err_new(ERR_REMOTE, "said '%s' '%.2s'",
                            "\xff"
                            "a\xc3\xa4\xed\xa0\x80\xf0\x9f\x98\x80",
                            "x\xc3\xa4");
    assert_string_equal(err_message(e), "said '?a\xc3\xa4???\xf0\x9f\x98\x80' 'x?'");
    err_free(e);
}

static void wrapping_success_is_success(void **state)
{
    (void)state;
    assert_null(err_wrap(NULL, "reading '%s'", "x"));
}

static void the_nearest_hint_in_the_chain_is_the_one_shown(void **state)
{
    (void)state;
    struct err *e = err_with_hint(err_new(ERR_INPUT, "inner"), "fix %s", "inner");
    e = err_wrap(e, "outer");
    assert_string_equal(err_hint(e), "fix inner");
    e = err_with_hint(e, "fix outer");
    assert_string_equal(err_hint(e), "fix outer");
    err_free(e);
}

static void a_retry_after_is_found_through_a_wrap_and_a_kind_can_be_corrected(void **state)
{
    (void)state;
    struct err *e = err_wrap(err_with_retry_after(err_new(ERR_RATE_LIMIT, "slow down"), 1500), "listing");
    assert_int_equal(err_retry_after_ms(e), 1500);
    e = err_with_kind(e, ERR_QUOTA);
    assert_int_equal(err_kind(e), ERR_QUOTA);
    err_free(e);
}

static void every_kind_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int i = 0; i < ERR_KIND_COUNT; i++) {
        assert_non_null(err_kind_name((enum err_kind)i));
        for (int j = 0; j < i; j++)
            assert_string_not_equal(err_kind_name((enum err_kind)i), err_kind_name((enum err_kind)j));
    }
    assert_string_equal(err_kind_name(ERR_UNKNOWN_OUTCOME), "unknown-outcome");
}

static struct err *fails_late(int *steps, struct err *failure)
{
    ++*steps;
    TRY(failure);
    ++*steps;
    return NULL;
}

static void try_returns_the_error_and_goes_on_after_success(void **state)
{
    (void)state;
    int steps = 0;
    assert_fails(fails_late(&steps, err_new(ERR_HELD, "held")), ERR_HELD, "held");
    assert_int_equal(steps, 1);
    assert_ok(fails_late(&steps, NULL));
    assert_int_equal(steps, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wrapped_error_keeps_its_kind_and_tells_the_whole_chain),
        cmocka_unit_test(a_message_is_utf_8_whatever_it_quotes),
        cmocka_unit_test(wrapping_success_is_success),
        cmocka_unit_test(the_nearest_hint_in_the_chain_is_the_one_shown),
        cmocka_unit_test(a_retry_after_is_found_through_a_wrap_and_a_kind_can_be_corrected),
        cmocka_unit_test(every_kind_has_a_name_of_its_own),
        cmocka_unit_test(try_returns_the_error_and_goes_on_after_success),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
