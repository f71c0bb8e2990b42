#include "playbook/frame.h"
#include "base/decode.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define MAX_KEY_BYTES 256
#define MAX_KEY_DEPTH 8
#define MAX_LIST_ITEMS 10000

static struct err *broken(const char *what)
{
    return err_with_hint(err_new(ERR_REMOTE, "the host sent a result that cannot be read: %s", what),
                         "something on the host meddles with the session's output");
}

/* Digits at *at, at most `max`; moves *at behind them. */
static bool take_number(const char **at, const char *end, size_t max, size_t *number)
{
    size_t value = 0;
    const char *from = *at;
    while (*at < end && isdigit((unsigned char)**at)) {
        value = value * 10 + (size_t)(**at - '0');
        if (value > max)
            return false;
        (*at)++;
    }
    *number = value;
    return *at > from;
}

/* Text from the host is UTF-8 or made so: bytes that are not become '?'. */
static json_t *text_value(const char *data, size_t length)
{
    json_t *value = json_stringn(data, length);
    if (value)
        return value;
    char *copy = malloc(length + 1);
    if (!copy)
        return NULL;
    for (size_t i = 0; i < length;) {
        size_t run = 1;
        unsigned char c = (unsigned char)data[i];
        size_t want = c < 0x80             ? 1
                      : (c & 0xe0) == 0xc0 ? 2
                      : (c & 0xf0) == 0xe0 ? 3
                      : (c & 0xf8) == 0xf0 ? 4
                                           : 0;
        json_t *probe = want && i + want <= length ? json_stringn(data + i, want) : NULL;
        if (probe)
            run = want;
        for (size_t k = 0; k < run; k++)
            copy[i + k] = probe ? data[i + k] : '?';
        json_decref(probe);
        i += run;
    }
    value = json_stringn(copy, length);
    free(copy);
    return value;
}

static bool is_index(const char *part)
{
    return *part && strspn(part, "0123456789") == strlen(part) && strlen(part) <= 5;
}

static json_t *child_of(json_t *parent, const char *part)
{
    if (!json_is_array(parent))
        return json_object_get(parent, part);
    return is_index(part) ? json_array_get(parent, strtoul(part, NULL, 10)) : NULL;
}

/* Lists grow one by one, so that a number cannot make a large one. Takes `value`. */
static bool put_child(json_t *parent, const char *part, json_t *value)
{
    if (!json_is_array(parent))
        return json_object_set_new(parent, part, value) == 0;
    size_t index = is_index(part) ? strtoul(part, NULL, 10) : SIZE_MAX;
    if (index == json_array_size(parent) && index < MAX_LIST_ITEMS)
        return json_array_append_new(parent, value) == 0;
    if (index < json_array_size(parent))
        return json_array_set_new(parent, index, value) == 0;
    json_decref(value);
    return false;
}

static bool put_value(json_t *values, char *key, json_t *value)
{
    json_t *parent = values;
    char *part = key;
    for (int depth = 0;; depth++) {
        char *dot = strchr(part, '.');
        if (!dot)
            return put_child(parent, part, value);
        *dot = '\0';
        json_t *child = depth < MAX_KEY_DEPTH ? child_of(parent, part) : NULL;
        if (!child && depth < MAX_KEY_DEPTH) {
            char *end = strchr(dot + 1, '.');
            if (end)
                *end = '\0';
            child = is_index(dot + 1) ? json_array() : json_object();
            if (end)
                *end = '.';
            if (!put_child(parent, part, child))
                child = NULL;
        }
        if (!json_is_object(child) && !json_is_array(child)) {
            json_decref(value);
            return false;
        }
        parent = child;
        part = dot + 1;
    }
}

/* What a program or a server on the host said in JSON; NULL when it is none after all. */
static json_t *json_value(const char *data, size_t length)
{
    json_t *value = NULL;
    err_free(decode_json(data, length, "a result", &value));
    return value;
}

static json_t *make_value(char type, const char *data, size_t length)
{
    char number[24];
    switch (type) {
    case 's':
        return text_value(data, length);
    case 'l':
        return length ? NULL : json_array();
    case 'm':
        return length ? NULL : json_object();
    case 'b':
        return length == 1 && (*data == '0' || *data == '1') ? json_boolean(*data == '1') : NULL;
    case 'i':
        if (!length || length >= sizeof(number))
            return NULL;
        memcpy(number, data, length);
        number[length] = '\0';
        char *end;
        long long value = strtoll(number, &end, 10);
        return *end == '\0' && !isspace((unsigned char)number[0]) ? json_integer(value) : NULL;
    default:
        return NULL;
    }
}

struct err *frame_parse_payload(const char *data, size_t length, json_t **out)
{
    CLEANUP_JSON json_t *values = json_object();
    const char *at = data, *end = data + length;
    for (int count = 0; at < end; count++) {
        if (count == FRAME_MAX_KEYS)
            return broken("too many values");
        char type = *at++;
        if (at == end || *at++ != ' ')
            return broken("a value without a type");
        char key[MAX_KEY_BYTES];
        size_t n = 0;
        while (at < end && n < sizeof(key) - 1 && (isalnum((unsigned char)*at) || strchr("._-", *at)))
            key[n++] = *at++;
        key[n] = '\0';
        size_t bytes;
        if (!n || at == end || *at++ != ' ' || !take_number(&at, end, FRAME_MAX_BYTES, &bytes))
            return broken("a value without a name or length");
        if (at == end || *at++ != '\n' || (size_t)(end - at) < bytes + 1 || at[bytes] != '\n')
            return broken("a value of another length than announced");
        json_t *value = type == 'j' ? json_value(at, bytes) : make_value(type, at, bytes);
        at += bytes + 1;
        if (!value && type == 'j')
            continue;
        if (!value || !put_value(values, key, value))
            return broken("a value of the wrong kind");
    }
    *out = TAKE(values);
    return NULL;
}

static bool take_status(const char **at, const char *end, enum frame_status *status)
{
    static const char *const names[] = {"ok", "failed", "skipped", "stopped"};
    for (size_t i = 0; i < 4; i++) {
        size_t length = strlen(names[i]);
        if ((size_t)(end - *at) > length && memcmp(*at, names[i], length) == 0 && (*at)[length] == ' ') {
            *status = (enum frame_status)i;
            *at += length + 1;
            return true;
        }
    }
    return false;
}

/* Where "NONCE " begins, or NULL. */
static const char *find_start(const struct strbuf *in, const char *const nonces[2], size_t *length)
{
    const char *first = NULL;
    for (int i = 0; i < 2; i++) {
        if (!nonces[i])
            continue;
        const char *at = memmem(in->data, in->length, nonces[i], strlen(nonces[i]));
        if (at && (!first || at < first)) {
            first = at;
            *length = strlen(nonces[i]);
        }
    }
    return first;
}

/* As frame_take(). *again: it was a second answer (of a shell that was ended just after its first) to an
 * earlier task, which is dropped. */
static struct err *take_one(struct strbuf *in, const char *const nonces[2], int id, struct frame *frame,
                            bool *found, bool *again)
{
    *found = false;
    size_t nonce_length = 0;
    const char *start = find_start(in, nonces, &nonce_length);
    if (!start)
        return in->length > FRAME_MAX_BYTES ? broken("too much that is no result") : NULL;
    const char *end = in->data + in->length;
    const char *header_end = memchr(start, '\n', (size_t)(end - start));
    if (!header_end)
        return end - start > 256 ? broken("a header that does not end") : NULL;
    const char *at = start + nonce_length;
    size_t got_id, bytes;
    if (*at++ != ' ' || !take_number(&at, header_end, INT32_MAX, &got_id) || *at++ != ' ' ||
        !take_status(&at, header_end, &frame->status) ||
        !take_number(&at, header_end, FRAME_MAX_BYTES, &bytes) || at != header_end)
        return broken("a bad header");
    if (got_id > (size_t)id)
        return broken("the result of another task");
    if ((size_t)(end - header_end) < bytes + 2)
        return NULL;
    if (header_end[1 + bytes] != '\n')
        return broken("a result of another length than announced");
    *again = got_id < (size_t)id;
    if (!*again)
        TRY(frame_parse_payload(header_end + 1, bytes, &frame->values));
    strbuf_consume(in, (size_t)(header_end + bytes + 2 - in->data));
    *found = !*again;
    return NULL;
}

struct err *frame_take(struct strbuf *in, const char *const nonces[2], int id, struct frame *frame,
                       bool *found)
{
    bool again = true;
    while (again) {
        again = false;
        TRY(take_one(in, nonces, id, frame, found, &again));
    }
    return NULL;
}
