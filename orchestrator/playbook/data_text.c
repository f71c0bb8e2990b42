#include "playbook/data_text.h"
#include "base/yaml_scalar.h"
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

static int compare_keys(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

const char **data_keys(const json_t *map, bool sorted)
{
    size_t count = 0, size = json_object_size(map);
    const char **keys = calloc(size + 1, sizeof(*keys)), *key;
    json_t *item;
    if (!keys)
        abort();
    json_object_foreach((json_t *)(uintptr_t)map, key, item) keys[count++] = key;
    if (sorted)
        qsort(keys, size, sizeof(*keys), compare_keys);
    return keys;
}

static unsigned next_character(const unsigned char **p)
{
    unsigned c = *(*p)++;
    int more = c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
    c = more == 0 ? c : c & (0x3fu >> more);
    while (more-- > 0)
        c = c << 6 | (*(*p)++ & 0x3f);
    return c;
}

static void add_json_text(struct strbuf *sb, const char *text, size_t length, const struct json_style *style)
{
    static const char from[] = "\"\\\n\r\t\b\f", to[] = "\"\\nrtbf";
    const unsigned char *p = (const unsigned char *)text, *end = p + length;
    strbuf_addc(sb, '"');
    while (p < end) {
        const unsigned char *start = p;
        unsigned c = next_character(&p);
        const char *escape = c && c < 0x80 ? strchr(from, (int)c) : NULL;
        bool html = style->escape_html && c < 0x80 && strchr("<>&'", (int)c);
        if (escape)
            strbuf_addf(sb, "\\%c", to[escape - from]);
        else if (c >= 0x10000 && !style->keep_unicode)
            strbuf_addf(sb, "\\u%04x\\u%04x", 0xd800 + ((c - 0x10000) >> 10),
                        0xdc00 + ((c - 0x10000) & 0x3ff));
        else if (c < 0x20 || html || (c >= 0x80 && !style->keep_unicode))
            strbuf_addf(sb, "\\u%04x", c);
        else
            strbuf_add(sb, start, (size_t)(p - start));
    }
    strbuf_addc(sb, '"');
}

static void new_line(struct strbuf *sb, const struct json_style *style, int level)
{
    strbuf_adds(sb, style->indent ? "\n" : "");
    for (int i = 0; i < style->indent * level; i++)
        strbuf_addc(sb, ' ');
}

static void add_json(struct strbuf *sb, const json_t *value, const struct json_style *style, int level)
{
    const char *separator = style->between ? style->between : style->indent ? "," : ", ";
    if (json_is_string(value)) {
        add_json_text(sb, json_string_value(value), json_string_length(value), style);
    } else if (json_is_array(value) && json_array_size(value)) {
        strbuf_addc(sb, '[');
        for (size_t i = 0; i < json_array_size(value) && !sb->overflowed; i++) {
            strbuf_adds(sb, i ? separator : "");
            new_line(sb, style, level + 1);
            add_json(sb, json_array_get(value, i), style, level + 1);
        }
        new_line(sb, style, level);
        strbuf_addc(sb, ']');
    } else if (json_is_object(value) && json_object_size(value)) {
        const char **keys = data_keys(value, style->sort_keys);
        strbuf_addc(sb, '{');
        for (size_t i = 0; i < json_object_size(value) && !sb->overflowed; i++) {
            strbuf_adds(sb, i ? separator : "");
            new_line(sb, style, level + 1);
            add_json_text(sb, keys[i], strlen(keys[i]), style);
            strbuf_adds(sb, style->after_key ? style->after_key : ": ");
            add_json(sb, json_object_get(value, keys[i]), style, level + 1);
        }
        free(keys);
        new_line(sb, style, level);
        strbuf_addc(sb, '}');
    } else if (json_is_real(value)) {
        value_add_real(sb, json_real_value(value));
    } else if (json_is_integer(value)) {
        strbuf_addf(sb, "%lld", (long long)json_integer_value(value));
    } else {
        strbuf_adds(sb, json_is_object(value)  ? "{}"
                        : json_is_array(value) ? "[]"
                        : json_is_true(value)  ? "true"
                        : json_is_false(value) ? "false"
                                               : "null");
    }
}

void data_add_json(struct strbuf *sb, const json_t *value, const struct json_style *style)
{
    add_json(sb, value, style, 0);
}

static int write_yaml(void *context, unsigned char *data, size_t size)
{
    strbuf_add(context, data, size);
    return 1;
}

/* Whether the text, written plainly, would be read as something else: a number, a date, a merge key. Slightly
 * wider than PyYAML's rule for dates: it takes any text of digits, '-', ':', 'T', 'Z', '.', '+' and blanks
 * that starts like 2020-1-1. */
static bool reads_as_other(const char *text, size_t length)
{
    static const char *const words[] = {"=",     "<<",    ".inf",  ".Inf",  ".INF", "-.inf", "+.inf",
                                        "-.Inf", "+.Inf", "-.INF", "+.INF", ".nan", ".NaN",  ".NAN"};
    if (yaml_scalar_type(text, length) != YAML_STRING)
        return true;
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (strcmp(text, words[i]) == 0)
            return true;
    size_t digits = strspn(text, "0123456789_");
    if (digits == length ||
        (digits == 0 && length > 1 && strchr("+-", text[0]) && strspn(text + 1, "0123456789_") == length - 1))
        return true; /* beyond 64 bits */
    size_t month = digits == 4 && text[4] == '-' ? strspn(text + 5, "0123456789") : 0;
    size_t day =
        (month == 1 || month == 2) && text[5 + month] == '-' ? strspn(text + 6 + month, "0123456789") : 0;
    return (day == 1 || day == 2) && strspn(text, "0123456789-:TtZ.+ ") == length;
}

static bool emit_scalar(yaml_emitter_t *emitter, const char *text, size_t length, bool is_text)
{
    yaml_event_t event;
    bool plain = !is_text || !reads_as_other(text, length);
    return yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)text, (int)length, plain,
                                        is_text, YAML_ANY_SCALAR_STYLE) &&
           yaml_emitter_emit(emitter, &event);
}

static bool emit_simple(yaml_emitter_t *emitter, const json_t *value)
{
    CLEANUP_STRBUF struct strbuf sb;
    strbuf_init(&sb, 100);
    if (json_is_string(value))
        return emit_scalar(emitter, json_string_value(value), json_string_length(value), true);
    if (json_is_real(value)) {
        value_add_real(&sb, json_real_value(value));
        char *exponent = strchr(sb.data, 'e'); /* YAML 1.1 wants a point in a float */
        if (exponent && !strchr(sb.data, '.')) {
            char tail[16];
            strncpy(tail, exponent, sizeof(tail) - 1);
            tail[sizeof(tail) - 1] = 0;
            sb.length = (size_t)(exponent - sb.data);
            strbuf_addf(&sb, ".0%s", tail);
        }
    } else if (json_is_integer(value)) {
        strbuf_addf(&sb, "%lld", (long long)json_integer_value(value));
    } else {
        strbuf_adds(&sb, json_is_true(value) ? "true" : json_is_false(value) ? "false" : "null");
    }
    return emit_scalar(emitter, sb.data, sb.length, false);
}

/* PyYAML's default: a collection of nothing but scalars stands on one line. */
static bool is_flat(const json_t *value)
{
    const char *key;
    json_t *item;
    for (size_t i = 0; i < json_array_size(value); i++)
        if (json_is_array(json_array_get(value, i)) || json_is_object(json_array_get(value, i)))
            return false;
    json_object_foreach((json_t *)(uintptr_t)value, key,
                        item) if (json_is_array(item) || json_is_object(item)) return false;
    return true;
}

static bool emit_value(yaml_emitter_t *emitter, const json_t *value, const struct yaml_style *style);

static bool emit_list(yaml_emitter_t *emitter, const json_t *value, const struct yaml_style *style)
{
    yaml_event_t event;
    bool ok = yaml_sequence_start_event_initialize(
                  &event, NULL, NULL, 1,
                  !style->block && is_flat(value) ? YAML_FLOW_SEQUENCE_STYLE : YAML_BLOCK_SEQUENCE_STYLE) &&
              yaml_emitter_emit(emitter, &event);
    for (size_t i = 0; ok && i < json_array_size(value); i++)
        ok = emit_value(emitter, json_array_get(value, i), style);
    return ok && yaml_sequence_end_event_initialize(&event) && yaml_emitter_emit(emitter, &event);
}

static bool emit_map(yaml_emitter_t *emitter, const json_t *value, const struct yaml_style *style)
{
    yaml_event_t event;
    bool ok = yaml_mapping_start_event_initialize(
                  &event, NULL, NULL, 1,
                  !style->block && is_flat(value) ? YAML_FLOW_MAPPING_STYLE : YAML_BLOCK_MAPPING_STYLE) &&
              yaml_emitter_emit(emitter, &event);
    const char **keys = data_keys(value, style->sort_keys);
    for (size_t i = 0; ok && i < json_object_size(value); i++)
        ok = emit_scalar(emitter, keys[i], strlen(keys[i]), true) &&
             emit_value(emitter, json_object_get(value, keys[i]), style);
    free(keys);
    return ok && yaml_mapping_end_event_initialize(&event) && yaml_emitter_emit(emitter, &event);
}

static bool emit_value(yaml_emitter_t *emitter, const json_t *value, const struct yaml_style *style)
{
    if (json_is_array(value))
        return emit_list(emitter, value, style);
    return json_is_object(value) ? emit_map(emitter, value, style) : emit_simple(emitter, value);
}

struct err *data_add_yaml(struct strbuf *sb, const json_t *value, const struct yaml_style *style)
{
    yaml_emitter_t emitter;
    yaml_event_t event;
    if (!yaml_emitter_initialize(&emitter))
        return err_new(ERR_INTERNAL, "out of memory for YAML");
    yaml_emitter_set_output(&emitter, write_yaml, sb);
    yaml_emitter_set_unicode(&emitter, 1);
    if (style->indent)
        yaml_emitter_set_indent(&emitter, style->indent);
    if (style->width)
        yaml_emitter_set_width(&emitter, style->width);
    bool ok = yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING) &&
              yaml_emitter_emit(&emitter, &event) &&
              yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1) &&
              yaml_emitter_emit(&emitter, &event) && emit_value(&emitter, value, style) &&
              yaml_document_end_event_initialize(&event, 1) && yaml_emitter_emit(&emitter, &event) &&
              yaml_stream_end_event_initialize(&event) && yaml_emitter_emit(&emitter, &event);
    yaml_emitter_delete(&emitter);
    return ok ? NULL : err_new(ERR_INPUT, "the value cannot be written as YAML");
}
