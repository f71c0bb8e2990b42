#include "base/decode.h"

#include "base/strbuf.h"

#include <string.h>

#define MAX_TEXT_BYTES ((size_t)8 << 20)
#define MAX_DEPTH 64

/* Jansson's own limit is 2048 levels; this looks before it allocates. Brackets inside strings do not count.
 */
static bool is_too_deep(const char *text, size_t length)
{
    size_t depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (in_string && c == '\\')
            i++;
        else if (c == '"')
            in_string = !in_string;
        else if (!in_string && (c == '[' || c == '{') && ++depth > MAX_DEPTH)
            return true;
        else if (!in_string && (c == ']' || c == '}') && depth)
            depth--;
    }
    return false;
}

struct err *decode_json(const char *text, size_t length, const char *what, json_t **out)
{
    if (length > MAX_TEXT_BYTES)
        return err_new(ERR_REJECTED, "%s is larger than %zu bytes", what, MAX_TEXT_BYTES);
    if (is_too_deep(text, length))
        return err_new(ERR_REJECTED, "%s is nested deeper than %d levels", what, MAX_DEPTH);
    json_error_t error;
    *out = json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (*out)
        return NULL;
    char *quote = strstr(error.text, " near '"); /* what stands there may be a secret */
    if (quote)
        *quote = '\0';
    return err_new(ERR_REJECTED, "%s is not valid JSON: line %d, column %d: %s", what, error.line,
                   error.column, error.text);
}

/* The element that `segment` names in an object or (by index) in an array. */
static const json_t *find_child(const json_t *json, const char *segment, size_t length)
{
    if (!json_is_array(json))
        return json_object_getn(json, segment, length);
    size_t index = 0;
    if (!length || length > 9)
        return NULL;
    for (size_t i = 0; i < length; i++) {
        if (segment[i] < '0' || segment[i] > '9')
            return NULL;
        index = index * 10 + (size_t)(segment[i] - '0');
    }
    return json_array_get(json, index);
}

static const json_t *find(const json_t *json, const char *path)
{
    while (json && *path) {
        size_t length = strcspn(path, ".");
        json = find_child(json, path, length);
        path += length + (path[length] == '.');
    }
    return json;
}

json_t *decode_find(const json_t *json, const char *path)
{
    union {
        const json_t *found;
        json_t *borrowed; /* as in Jansson's getters: the caller may take a reference */
    } result = {.found = find(json, path)};
    return result.borrowed;
}

static const char *type_name(const json_t *json)
{
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "a list";
    case JSON_STRING:
        return "text";
    case JSON_INTEGER:
        return "a whole number";
    case JSON_REAL:
        return "a fraction";
    case JSON_TRUE:
    case JSON_FALSE:
        return "true or false";
    case JSON_NULL:
        break;
    }
    return "null";
}

static struct err *wrong_type(const json_t *json, const char *path, const char *wanted)
{
    return err_new(ERR_REJECTED, "answer has %s at '%s' instead of %s", type_name(json), path, wanted);
}

/* Finds a value that is there and not null. */
static struct err *require(const json_t *json, const char *path, const json_t **found)
{
    *found = find(json, path);
    if (!*found || json_is_null(*found))
        return err_new(ERR_REJECTED, "answer lacks '%s'", path);
    return NULL;
}

struct err *decode_string(const json_t *json, const char *path, const char **out)
{
    const json_t *found = NULL;
    TRY(require(json, path, &found));
    if (!json_is_string(found))
        return wrong_type(found, path, "text");
    *out = json_string_value(found);
    return NULL;
}

struct err *decode_int(const json_t *json, const char *path, int64_t *out)
{
    const json_t *found = NULL;
    TRY(require(json, path, &found));
    if (!json_is_integer(found))
        return wrong_type(found, path, "a whole number");
    *out = json_integer_value(found);
    return NULL;
}

struct err *decode_bool(const json_t *json, const char *path, bool *out)
{
    const json_t *found = NULL;
    TRY(require(json, path, &found));
    if (!json_is_boolean(found))
        return wrong_type(found, path, "true or false");
    *out = json_is_true(found);
    return NULL;
}

struct err *decode_array(const json_t *json, const char *path, const json_t **out)
{
    TRY(require(json, path, out));
    return json_is_array(*out) ? NULL : wrong_type(*out, path, "a list");
}

struct err *decode_object(const json_t *json, const char *path, const json_t **out)
{
    TRY(require(json, path, out));
    return json_is_object(*out) ? NULL : wrong_type(*out, path, "an object");
}

static bool is_absent(const json_t *json, const char *path)
{
    const json_t *found = find(json, path);
    return !found || json_is_null(found);
}

struct err *decode_optional_string(const json_t *json, const char *path, const char *fallback,
                                   const char **out)
{
    *out = fallback;
    return is_absent(json, path) ? NULL : decode_string(json, path, out);
}

struct err *decode_optional_int(const json_t *json, const char *path, int64_t fallback, int64_t *out)
{
    *out = fallback;
    return is_absent(json, path) ? NULL : decode_int(json, path, out);
}

static int append_chunk(const char *chunk, size_t length, void *sink)
{
    strbuf_add(sink, chunk, length);
    return 0;
}

char *decode_dump(struct arena *arena, const json_t *json)
{
    struct strbuf text CLEANUP_STRBUF;
    strbuf_init(&text, 0);
    (void)json_dump_callback(json, append_chunk, &text, JSON_COMPACT | JSON_ENCODE_ANY);
    return strbuf_to_arena(&text, arena);
}
