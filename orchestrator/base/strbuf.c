#include "base/strbuf.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 64

/* What an empty buffer without memory of its own points to; never written to, because its capacity counts as
 * 0. */
static char empty[1];

void strbuf_init(struct strbuf *sb, size_t max_bytes)
{
    *sb = (struct strbuf){.data = empty, .max = max_bytes ? max_bytes : STRBUF_DEFAULT_MAX};
}

void strbuf_free(struct strbuf *sb)
{
    if (sb->capacity)
        free(sb->data);
    strbuf_init(sb, sb->max);
}

void strbuf_wipe(struct strbuf *sb)
{
    if (sb->capacity)
        OPENSSL_cleanse(sb->data, sb->capacity);
    strbuf_free(sb);
}

void strbuf_reset(struct strbuf *sb)
{
    sb->length = 0;
    sb->overflowed = false;
    if (sb->capacity)
        sb->data[0] = '\0';
}

/* Makes room for `length` more bytes and the NUL. The old memory is cleansed rather than left to realloc(),
 * because some buffers hold secrets. */
static bool reserve(struct strbuf *sb, size_t length)
{
    size_t need = sb->length + length + 1;
    if (need <= sb->capacity)
        return true;
    size_t capacity = sb->capacity ? sb->capacity : FIRST_CAPACITY;
    while (capacity < need)
        capacity *= 2;
    char *data = malloc(capacity);
    if (!data)
        return false;
    memcpy(data, sb->data, sb->length + 1);
    if (sb->capacity) {
        OPENSSL_cleanse(sb->data, sb->capacity);
        free(sb->data);
    }
    sb->data = data;
    sb->capacity = capacity;
    return true;
}

void strbuf_add(struct strbuf *sb, const void *data, size_t length)
{
    size_t room = sb->max - sb->length;
    if (length > room) {
        sb->overflowed = true;
        length = room;
    }
    if (!length)
        return;
    if (!reserve(sb, length)) {
        sb->overflowed = true;
        return;
    }
    memcpy(sb->data + sb->length, data, length);
    sb->length += length;
    sb->data[sb->length] = '\0';
}

void strbuf_adds(struct strbuf *sb, const char *text)
{
    strbuf_add(sb, text, strlen(text));
}

void strbuf_addc(struct strbuf *sb, char c)
{
    strbuf_add(sb, &c, 1);
}

void strbuf_vaddf(struct strbuf *sb, const char *fmt, va_list args)
{
    va_list again;
    va_copy(again, args);
    int wanted = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    if (wanted < 0) {
        sb->overflowed = true;
        return;
    }
    size_t length = (size_t)wanted, room = sb->max - sb->length;
    if (length > room) {
        sb->overflowed = true;
        length = room;
    }
    if (!reserve(sb, length)) {
        sb->overflowed = true;
        return;
    }
    (void)vsnprintf(sb->data + sb->length, length + 1, fmt, args);
    sb->length += length;
}

void strbuf_addf(struct strbuf *sb, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    strbuf_vaddf(sb, fmt, args);
    va_end(args);
}

void strbuf_add_shell_quoted(struct strbuf *sb, const char *text)
{
    strbuf_addc(sb, '\'');
    for (;;) {
        size_t plain = strcspn(text, "'");
        strbuf_add(sb, text, plain);
        text += plain;
        if (!*text)
            break;
        strbuf_adds(sb, "'\\''");
        text++;
    }
    strbuf_addc(sb, '\'');
}

static bool is_unreserved(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '~';
}

void strbuf_add_url_encoded(struct strbuf *sb, const char *text, bool keep_slash)
{
    static const char hex[] = "0123456789ABCDEF";
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (is_unreserved(c) || (keep_slash && c == '/')) {
            strbuf_addc(sb, (char)c);
        } else {
            char escape[3] = {'%', hex[c >> 4], hex[c & 15]};
            strbuf_add(sb, escape, sizeof(escape));
        }
    }
}

void strbuf_consume(struct strbuf *sb, size_t length)
{
    if (length >= sb->length) {
        bool overflowed = sb->overflowed;
        strbuf_reset(sb);
        sb->overflowed = overflowed;
        return;
    }
    sb->length -= length;
    memmove(sb->data, sb->data + length, sb->length + 1);
}

void strbuf_trim(struct strbuf *sb)
{
    while (sb->length && strchr(" \t\r\n\v\f", sb->data[sb->length - 1]) && sb->data[sb->length - 1])
        sb->data[--sb->length] = '\0';
}

struct err *strbuf_check(const struct strbuf *sb, const char *what)
{
    return sb->overflowed ? err_new(ERR_INPUT, "%s is larger than %zu bytes", what, sb->max) : NULL;
}

char *strbuf_to_arena(const struct strbuf *sb, struct arena *arena)
{
    return arena_strndup(arena, sb->data, sb->length);
}
