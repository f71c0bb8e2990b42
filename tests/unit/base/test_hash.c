#include "base/hash.h"

#include "helpers.h"

static void sha256_gives_the_digests_of_the_standard(void **state)
{
    (void)state;
    char hex[HASH_SHA256_HEX_SIZE];
    /* FIPS 180-2, appendix B.1 and the empty message */
    assert_string_equal(hash_sha256_hex("abc", 3, hex),
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_string_equal(hash_sha256_hex("", 0, hex),
                        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void hmac_gives_the_codes_of_the_standard(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    uint8_t mac[HASH_SHA256_SIZE];
    const char *text = "what do ya want for nothing?"; /* RFC 4231, test case 2 */
    hash_hmac_sha256("Jefe", 4, text, strlen(text), mac);
    assert_string_equal(hash_hex(arena, mac, sizeof(mac)),
                        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

static void base64_goes_there_and_back(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    static const char *const pairs[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"}}; /* RFC 4648, section 10 */
    for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
        uint8_t *data = NULL;
        size_t length = 99;
        assert_string_equal(hash_base64(arena, pairs[i][0], strlen(pairs[i][0])), pairs[i][1]);
        assert_ok(hash_base64_decode(arena, pairs[i][1], &data, &length));
        assert_int_equal(length, strlen(pairs[i][0]));
        assert_string_equal((char *)data, pairs[i][0]);
    }
}

static void only_strict_base64_is_decoded(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    static const char *const wrong[] = {"Zg",    "Zg=",  "Zg===", "Z===",         "====", "=",   "Zm9v\n",
                                        " Zm9v", "Zm=v", "Zm9-",  "Zm9vZg==Zm9v", "Zh==", "Zm9="};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        uint8_t *data = NULL;
        size_t length = 0;
        assert_fails(hash_base64_decode(arena, wrong[i], &data, &length), ERR_INPUT, NULL);
    }
}

static void random_ids_use_the_whole_alphabet_and_nothing_else(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    const char *id = hash_random_id(arena, 4000);
    bool seen[256] = {false};
    assert_int_equal(strlen(id), 4000);
    assert_int_equal(strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789"), 4000);
    int distinct = 0;
    for (; *id; id++) {
        distinct += !seen[(unsigned char)*id];
        seen[(unsigned char)*id] = true;
    }
    assert_int_equal(distinct, 36);
    assert_string_not_equal(hash_random_id(arena, 12), hash_random_id(arena, 12));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sha256_gives_the_digests_of_the_standard),
        cmocka_unit_test(hmac_gives_the_codes_of_the_standard),
        cmocka_unit_test(base64_goes_there_and_back),
        cmocka_unit_test(only_strict_base64_is_decoded),
        cmocka_unit_test(random_ids_use_the_whole_alphabet_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
