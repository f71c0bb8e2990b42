/* Any bytes as JSON: either refused, or a dump of them reads back as the same. The first line is a path to
 * look up. */
#include "base/decode.h"

#include "fuzz.h"

static void look_up(const json_t *json, const char *path)
{
    const char *text = NULL;
    int64_t number = 0;
    bool flag = false;
    const json_t *part = NULL;
    err_free(decode_string(json, path, &text));
    err_free(decode_int(json, path, &number));
    err_free(decode_bool(json, path, &flag));
    err_free(decode_array(json, path, &part));
    err_free(decode_object(json, path, &part));
    err_free(decode_optional_string(json, path, "", &text));
    err_free(decode_optional_int(json, path, 0, &number));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    char *text = fuzz_text(data, size), *line_end = memchr(text, '\n', size);
    char *body = line_end ? line_end + 1 : text;
    CLEANUP_JSON json_t *json = NULL;
    CLEANUP_ERR struct err *failure = decode_json(body, size - (size_t)(body - text), "the input", &json);
    FUZZ_REQUIRE(!failure != !json);
    if (json) {
        if (line_end)
            *line_end = '\0';
        look_up(json, line_end ? text : "");
        char *dump = decode_dump(arena, json);
        CLEANUP_JSON json_t *again = NULL;
        CLEANUP_ERR struct err *lost = decode_json(dump, strlen(dump), "the dump", &again);
        FUZZ_REQUIRE(!lost && json_equal(json, again));
    }
    free(text);
    return 0;
}
