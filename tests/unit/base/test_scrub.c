#include "base/decode.h"
#include "base/hash.h"
#include "base/scrub.h"

#include "helpers.h"

#include <pthread.h>

#define VALUE "p/\"w+\xc3\xa9?d\\12~345"

static char *scrub(struct arena *arena, const char *text, size_t length)
{
    struct strbuf out CLEANUP_STRBUF;
    strbuf_init(&out, 0);
    scrub_text(text, length, &out);
    return strbuf_to_arena(&out, arena);
}

static void a_secret_in_plain_is_replaced_wherever_it_stands(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    scrub_register("sesame!", 7);
    assert_string_equal(scrub(arena, "sesame!", 7), "[secret]");
    assert_string_equal(scrub(arena, "open sesame! sesame!sesame!x", 28), "open [secret] [secret][secret]x");
    assert_string_equal(scrub(arena, "sesame", 6), "sesame");
    assert_string_equal(scrub(arena, "", 0), "");
    scrub_forget("sesame!", 7);
    assert_string_equal(scrub(arena, "sesame!", 7), "sesame!");
}

static void a_secret_in_base64_is_found_at_every_alignment(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    scrub_register(VALUE, strlen(VALUE));
    for (size_t before = 0; before < 7; before++) {
        for (size_t after = 0; after < 4; after++) {
            char *plain =
                arena_printf(arena, "%.*s%s%.*s", (int)before, "user:::", VALUE, (int)after, "@@@@");
            char *coded = hash_base64(arena, plain, strlen(plain));
            char *clean = scrub(arena, coded, strlen(coded));
            size_t left = strlen(clean) - strlen("[secret]"),
                   around = 4 * ((before + 2) / 3 + (after + 2) / 3 + 2);
            assert_non_null(strstr(clean, "[secret]"));
            assert_true(left <= around);
        }
    }
    scrub_forget(VALUE, strlen(VALUE));
}

static void a_secret_in_base64_for_urls_is_found(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    scrub_register("\xff\xef\xbe\xfb\xff\xff\xfe\xfb", 8);
    assert_string_equal(scrub(arena, "_----____vs=", 12), "[secret]s="); /* the s depends on what follows */
    assert_string_equal(scrub(arena, "/++++////vs=", 12), "[secret]s=");
    scrub_forget("\xff\xef\xbe\xfb\xff\xff\xfe\xfb", 8);
}

static void a_secret_in_a_url_or_in_json_is_found(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    struct strbuf url CLEANUP_STRBUF;
    strbuf_init(&url, 0);
    scrub_register(VALUE, strlen(VALUE));
    strbuf_adds(&url, "https://x/?q=");
    strbuf_add_url_encoded(&url, VALUE, false);
    assert_string_equal(scrub(arena, url.data, url.length), "https://x/?q=[secret]");
    strbuf_reset(&url);
    strbuf_add_url_encoded(&url, VALUE, true);
    assert_string_equal(scrub(arena, url.data, url.length), "[secret]");

    CLEANUP_JSON json_t *json = json_pack("{s:s}", "password", VALUE);
    char *text = decode_dump(arena, json);
    assert_null(strstr(text, VALUE)); /* it has a quote: JSON must have escaped it */
    assert_string_equal(scrub(arena, text, strlen(text)), "{\"password\":\"[secret]\"}");
    char *ascii = json_dumps(json, JSON_ENSURE_ASCII | JSON_ESCAPE_SLASH | JSON_COMPACT);
    assert_string_equal(scrub(arena, ascii, strlen(ascii)), "{\"password\":\"[secret]\"}");
    free(ascii);
    scrub_forget(VALUE, strlen(VALUE));
}

static void the_longer_of_two_secrets_wins(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    scrub_register("abcdef", 6);
    scrub_register("abcdefghi", 9);
    assert_string_equal(scrub(arena, "abcdefghi abcdefx", 17), "[secret] [secret]x");
    scrub_forget("abcdefghi", 9);
    assert_string_equal(scrub(arena, "abcdefghi", 9), "[secret]ghi");
    scrub_forget("abcdef", 6);
}

static void a_value_registered_twice_is_scrubbed_until_it_is_forgotten_twice(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    scrub_register("twice-used", 10);
    scrub_register("twice-used", 10);
    scrub_forget("twice-used", 10);
    assert_string_equal(scrub(arena, "twice-used", 10), "[secret]");
    scrub_forget("twice-used", 10);
    scrub_forget("twice-used", 10);
    assert_string_equal(scrub(arena, "twice-used", 10), "twice-used");
}

static void short_values_are_not_registered(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    scrub_register("admin", 5);
    assert_string_equal(scrub(arena, "the admin", 9), "the admin");
    scrub_forget("admin", 5);
}

static void binary_text_with_nuls_is_kept_and_scrubbed(void **state)
{
    (void)state;
    struct strbuf out CLEANUP_STRBUF;
    strbuf_init(&out, 0);
    scrub_register("key\0bytes", 9);
    scrub_text("a\0key\0bytes\0b", 13, &out);
    assert_int_equal(out.length, 12);
    assert_memory_equal(out.data, "a\0[secret]\0b", 12);
    scrub_forget("key\0bytes", 9);
}

static void *register_and_scrub(void *arg)
{
    const int *id = arg;
    for (int i = 0; i < 200; i++) {
        CLEANUP_ARENA struct arena *arena = arena_new(0);
        char *value = arena_printf(arena, "secret-%d-%d-value", *id, i);
        scrub_register(value, strlen(value));
        char *clean = scrub(arena, value, strlen(value));
        if (strcmp(clean, "[secret]") != 0)
            return arg;
        scrub_forget(value, strlen(value));
    }
    return NULL;
}

static void threads_register_scrub_and_forget_at_once(void **state)
{
    (void)state;
    pthread_t threads[6];
    int ids[6];
    for (int i = 0; i < 6; i++) {
        ids[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, register_and_scrub, &ids[i]), 0);
    }
    for (int i = 0; i < 6; i++) {
        void *failed = NULL;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_secret_in_plain_is_replaced_wherever_it_stands),
        cmocka_unit_test(a_secret_in_base64_is_found_at_every_alignment),
        cmocka_unit_test(a_secret_in_base64_for_urls_is_found),
        cmocka_unit_test(a_secret_in_a_url_or_in_json_is_found),
        cmocka_unit_test(the_longer_of_two_secrets_wins),
        cmocka_unit_test(a_value_registered_twice_is_scrubbed_until_it_is_forgotten_twice),
        cmocka_unit_test(short_values_are_not_registered),
        cmocka_unit_test(binary_text_with_nuls_is_kept_and_scrubbed),
        cmocka_unit_test(threads_register_scrub_and_forget_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
