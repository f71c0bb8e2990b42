#include "playbook/frame.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NONCE "n0nce"

static struct err *take(const char *text, size_t length, int id, struct frame *frame, bool *found,
                        size_t *left)
{
    const char *const nonces[2] = {NONCE, NULL};
    struct strbuf in;
    strbuf_init(&in, 0);
    strbuf_add(&in, text, length);
    struct err *e = frame_take(&in, nonces, id, frame, found);
    if (left)
        *left = in.length;
    strbuf_free(&in);
    return e;
}

static void values_of_all_kinds_come_through(void **state)
{
    (void)state;
    const char payload[] =
        "s msg 5\na\nb'c\ni rc 2\n-1\nb changed 1\n1\ns stat.mode 4\n0644\nb stat.exists 1\n0\n"
        "l files 0\n\ns files.0.path 2\n/a\ns files.1.path 2\n/b\nm empty 0\n\n";
    json_t *values;
    assert_null(frame_parse_payload(payload, sizeof(payload) - 1, &values));
    assert_string_equal(json_string_value(json_object_get(values, "msg")), "a\nb'c");
    assert_int_equal(json_integer_value(json_object_get(values, "rc")), -1);
    assert_true(json_is_true(json_object_get(values, "changed")));
    const json_t *stat = json_object_get(values, "stat"), *files = json_object_get(values, "files");
    assert_string_equal(json_string_value(json_object_get(stat, "mode")), "0644");
    assert_true(json_is_false(json_object_get(stat, "exists")));
    assert_int_equal(json_array_size(files), 2);
    assert_string_equal(json_string_value(json_object_get(json_array_get(files, 1), "path")), "/b");
    assert_true(json_is_object(json_object_get(values, "empty")));
    json_decref(values);
}

static void json_comes_through_as_data_and_what_is_none_is_left_out(void **state)
{
    (void)state;
    const char payload[] =
        "j packages 19\n{\"a.b\":[1,{\"c\":2}]}\nj json 4\n{\"a\"\nj n 4\nnull\ns msg 1\nx\n";
    json_t *values;
    assert_null(frame_parse_payload(payload, sizeof(payload) - 1, &values));
    const json_t *list = json_object_get(json_object_get(values, "packages"), "a.b");
    assert_int_equal(json_integer_value(json_object_get(json_array_get(list, 1), "c")), 2);
    assert_null(json_object_get(values, "json"));
    assert_true(json_is_null(json_object_get(values, "n")));
    assert_string_equal(json_string_value(json_object_get(values, "msg")), "x");
    json_decref(values);
}

static void json_without_end_is_left_out(void **state)
{
    (void)state;
    char payload[600] = "j deep 500\n";
    memset(payload + strlen(payload), '[', 500);
    strcat(payload, "\n");
    json_t *values;
    assert_null(frame_parse_payload(payload, strlen(payload), &values));
    assert_int_equal(json_object_size(values), 0);
    json_decref(values);
}

static void a_frame_is_taken_only_when_it_is_whole(void **state)
{
    (void)state;
    const char whole[] = NONCE " 7 ok 10\ns a 3\nxyz\n\nrest";
    size_t frame_length = sizeof(whole) - 1 - strlen("rest");
    for (size_t length = 0; length < frame_length; length++) {
        struct frame frame = {0};
        bool found;
        assert_null(take(whole, length, 7, &frame, &found, NULL));
        assert_false(found);
    }
    struct frame frame = {0};
    bool found;
    size_t left;
    assert_null(take(whole, sizeof(whole) - 1, 7, &frame, &found, &left));
    assert_true(found);
    assert_int_equal(left, strlen("rest"));
    assert_string_equal(json_string_value(json_object_get(frame.values, "a")), "xyz");
    json_decref(frame.values);
}

static void what_is_not_marked_with_the_nonce_is_no_result(void **state)
{
    (void)state;
    const char text[] = "other 7 failed 0\n\nnoise\n" NONCE " 7 ok 0\n\n";
    struct frame frame = {0};
    bool found;
    assert_null(take(text, sizeof(text) - 1, 7, &frame, &found, NULL));
    assert_true(found);
    assert_int_equal(frame.status, FRAME_OK);
    json_decref(frame.values);
}

static void broken_frames_are_refused(void **state)
{
    (void)state;
    static const char *const broken[] = {
        NONCE " 8 ok 0\n\n",
        NONCE " 7 great 0\n\n",
        NONCE " 7 ok 99999999999\n",
        NONCE " 7 ok -1\n\n",
        NONCE " 7 ok 0\nx",
        NONCE " 7 ok 8\ns a 9\nx\n\n",
        NONCE " 7 ok 8\nq a 1\nx\n\n",
        NONCE " 7 ok 8\nb a 1\n2\n\n",
        NONCE " 7 ok 8\ni a 1\nx\n\n",
        NONCE " 7 ok 8\ns \n 1\nx\n\n",
        NONCE " 7  0\n\n",
        NONCE " x ok 0\n\n",
    };
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        struct frame frame = {0};
        bool found;
        struct err *e = take(broken[i], strlen(broken[i]), 7, &frame, &found, NULL);
        if (!e)
            fail_msg("accepted: %s", broken[i]);
        assert_int_equal(err_kind(e), ERR_REMOTE);
        err_free(e);
    }
}

static void a_list_does_not_grow_by_a_large_number(void **state)
{
    (void)state;
    json_t *values;
    struct err *e = frame_parse_payload("s a.0 1\nx\ns a.9999 1\nx\n", 22, &values);
    assert_non_null(e);
    err_free(e);
}

static void bytes_that_are_no_utf8_become_question_marks(void **state)
{
    (void)state;
    json_t *values;
    assert_null(frame_parse_payload("s a 5\n\xc3\xa9\xff"
                                    "ab\n",
                                    12, &values));
    assert_string_equal(json_string_value(json_object_get(values, "a")), "\xc3\xa9?ab");
    json_decref(values);
}

/* Whatever arrives: an error or a value, never more memory than the input is worth. */
static void random_bytes_do_no_harm(void **state)
{
    (void)state;
    static const char alphabet[] = "sib lm.01239\nan0ce okfailed";
    srand(1);
    for (int round = 0; round < 20000; round++) {
        char text[200];
        size_t length = (size_t)(rand() % 200), from = 0;
        if (round % 2) {
            memcpy(text, NONCE " 7 ok ", 11);
            from = length > 11 ? 11 : length;
        }
        for (size_t i = from; i < length; i++)
            text[i] = alphabet[(size_t)rand() % (sizeof(alphabet) - 1)];
        struct frame frame = {0};
        bool found;
        struct err *e = take(text, length, 7, &frame, &found, NULL);
        if (!e && found)
            json_decref(frame.values);
        err_free(e);
        json_t *values;
        e = frame_parse_payload(text, length, &values);
        if (!e)
            json_decref(values);
        err_free(e);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_of_all_kinds_come_through),
        cmocka_unit_test(json_comes_through_as_data_and_what_is_none_is_left_out),
        cmocka_unit_test(json_without_end_is_left_out),
        cmocka_unit_test(a_frame_is_taken_only_when_it_is_whole),
        cmocka_unit_test(what_is_not_marked_with_the_nonce_is_no_result),
        cmocka_unit_test(broken_frames_are_refused),
        cmocka_unit_test(a_list_does_not_grow_by_a_large_number),
        cmocka_unit_test(bytes_that_are_no_utf8_become_question_marks),
        cmocka_unit_test(random_bytes_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
