#include "base/decode.h"

#include "helpers.h"

static const char answer[] =
    "{\"server\":{\"id\":42,\"name\":\"web-1\",\"on\":true,\"price\":1.5,\"ip\":null,"
    "\"tags\":[\"a\",{\"b\":\"c\"}]}}";

static json_t *parse(const char *text)
{
    json_t *json = NULL;
    assert_ok(decode_json(text, strlen(text), "the answer", &json));
    return json;
}

static void values_are_found_by_their_path(void **state)
{
    (void)state;
    CLEANUP_JSON json_t *json = parse(answer);
    const char *text = NULL;
    int64_t number = 0;
    bool flag = false;
    const json_t *part = NULL;
    assert_ok(decode_int(json, "server.id", &number));
    assert_int_equal(number, 42);
    assert_ok(decode_string(json, "server.name", &text));
    assert_string_equal(text, "web-1");
    assert_ok(decode_bool(json, "server.on", &flag));
    assert_true(flag);
    assert_ok(decode_string(json, "server.tags.1.b", &text));
    assert_string_equal(text, "c");
    assert_ok(decode_array(json, "server.tags", &part));
    assert_int_equal(json_array_size(part), 2);
    assert_ok(decode_object(json, "server", &part));
    assert_ptr_equal(decode_find(json, ""), json);
    assert_true(json_is_null(decode_find(json, "server.ip")));
}

static void a_missing_value_is_named_by_its_path(void **state)
{
    (void)state;
    CLEANUP_JSON json_t *json = parse(answer);
    static const char *const missing[] = {"nothing",
                                          "server.ip",
                                          "server.id.x",
                                          "server.tags.2",
                                          "server.tags.01x",
                                          "server.tags.-1",
                                          "server.tags.99999999999",
                                          "server..id",
                                          ".server"};
    for (size_t i = 0; i < sizeof(missing) / sizeof(*missing); i++) {
        char expected[80];
        int64_t number = 0;
        (void)snprintf(expected, sizeof(expected), "answer lacks '%s'", missing[i]);
        assert_fails(decode_int(json, missing[i], &number), ERR_REJECTED, expected);
    }
}

static void a_value_of_the_wrong_type_is_refused_also_when_optional(void **state)
{
    (void)state;
    CLEANUP_JSON json_t *json = parse(answer);
    const char *text = NULL;
    int64_t number = 0;
    bool flag = false;
    const json_t *part = NULL;
    assert_fails(decode_string(json, "server.id", &text), ERR_REJECTED,
                 "a whole number at 'server.id' instead of text");
    assert_fails(decode_int(json, "server.price", &number), ERR_REJECTED, "a fraction at 'server.price'");
    assert_fails(decode_bool(json, "server.id", &flag), ERR_REJECTED, "server.id");
    assert_fails(decode_array(json, "server", &part), ERR_REJECTED,
                 "an object at 'server' instead of a list");
    assert_fails(decode_object(json, "server.tags", &part), ERR_REJECTED, "server.tags");
    assert_fails(decode_optional_string(json, "server.id", "x", &text), ERR_REJECTED, "server.id");
    assert_fails(decode_optional_int(json, "server.name", 7, &number), ERR_REJECTED, "server.name");
}

static void an_optional_value_falls_back_when_missing_or_null(void **state)
{
    (void)state;
    CLEANUP_JSON json_t *json = parse(answer);
    const char *text = NULL;
    int64_t number = 0;
    assert_ok(decode_optional_string(json, "server.ip", "none", &text));
    assert_string_equal(text, "none");
    assert_ok(decode_optional_int(json, "server.cores", 7, &number));
    assert_int_equal(number, 7);
    assert_ok(decode_optional_int(json, "server.id", 7, &number));
    assert_int_equal(number, 42);
}

static void what_is_not_json_is_refused_without_quoting_it(void **state)
{
    (void)state;
    json_t *json = NULL;
    struct err *e = decode_json("{\"password\": hunter2}", 21, "the answer", &json);
    assert_non_null(e);
    assert_null(strstr(err_text(e), "hunter2"));
    assert_fails(e, ERR_REJECTED, "the answer is not valid JSON: line 1");
    assert_fails(decode_json("", 0, "it", &json), ERR_REJECTED, NULL);
    assert_fails(decode_json("{} x", 4, "it", &json), ERR_REJECTED, NULL);
    assert_fails(decode_json("{\"a\":1,\"a\":2}", 13, "it", &json), ERR_REJECTED, "duplicate");
    assert_fails(decode_json("\"\xff\"", 3, "it", &json), ERR_REJECTED, NULL);
    assert_null(json);
}

static void nesting_and_size_are_limited(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    char text[200] = "";
    memset(text, '[', 64);
    memset(text + 64, ']', 64);
    json_t *json = parse(text);
    json_decref(json);
    memset(text, '[', 65);
    memset(text + 65, ']', 65);
    assert_fails(decode_json(text, 130, "it", &json), ERR_REJECTED, "64 levels");

    CLEANUP_JSON json_t *quoted =
        parse("[\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[ \\\" [\"]");
    assert_non_null(quoted);
    size_t length = (8u << 20) + 1;
    char *large = arena_alloc(arena, length);
    memset(large, ' ', length);
    assert_fails(decode_json(large, length, "it", &json), ERR_REJECTED, "larger");
}

static void a_dump_is_compact_and_reads_back(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    CLEANUP_JSON json_t *json = parse(answer);
    char *text = decode_dump(arena, json);
    assert_string_equal(text, answer);
    CLEANUP_JSON json_t *again = parse(text);
    assert_true(json_equal(json, again));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_found_by_their_path),
        cmocka_unit_test(a_missing_value_is_named_by_its_path),
        cmocka_unit_test(a_value_of_the_wrong_type_is_refused_also_when_optional),
        cmocka_unit_test(an_optional_value_falls_back_when_missing_or_null),
        cmocka_unit_test(what_is_not_json_is_refused_without_quoting_it),
        cmocka_unit_test(nesting_and_size_are_limited),
        cmocka_unit_test(a_dump_is_compact_and_reads_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
