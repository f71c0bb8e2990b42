#include "base/scrub.h"

#include "base/guarded.h"

#include <jansson.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 1024
#define MAX_FORMS 12
#define REPLACEMENT "[secret]"

/* One spelling of a secret, found by a hash of its first SCRUB_MIN_BYTES bytes: thousands of presigned URLs
 * may be registered, and a log line must not be compared with each. */
struct form {
    struct form *next_in_bucket;
    const char *bytes; /* in the entry's guarded block */
    size_t length;
};

struct entry {
    struct entry *next;
    size_t uses; /* the same value may be registered by several owners */
    char *block; /* guarded memory of all forms; the first is the secret itself */
    size_t block_size;
    struct form forms[MAX_FORMS];
    size_t form_count;
};

/* The secret registry: one of the pieces of global state that the design allows. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct entry *entries;
static struct form *buckets[BUCKETS];

static size_t bucket_of(const char *bytes)
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (size_t i = 0; i < SCRUB_MIN_BYTES; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * 16777619u;
    return hash % BUCKETS;
}

/* The spellings one after another in `all`, which is wiped by its owner; lengths[] says where each ends. */
struct spellings {
    struct strbuf all;
    size_t lengths[MAX_FORMS];
    size_t count;
};

/* Keeps what was added after `start` when it is long enough and not there yet. */
static void keep_spelling(struct spellings *s, size_t start)
{
    size_t length = s->all.length - start, offset = 0;
    bool keep = length >= SCRUB_MIN_BYTES && s->count < MAX_FORMS && !s->all.overflowed;
    for (size_t i = 0; keep && i < s->count; offset += s->lengths[i++])
        if (s->lengths[i] == length && !memcmp(s->all.data + offset, s->all.data + start, length))
            keep = false;
    if (keep)
        s->lengths[s->count++] = length;
    else
        s->all.length = start;
}

/* Base64 of the secret when `shift` bytes stand before it, without the characters that depend on its
 * neighbours. */
static void add_base64(struct spellings *s, const void *bytes, size_t length, size_t shift, bool url_alphabet)
{
    size_t padded = shift + length, block_size = padded + (padded + 2) / 3 * 4 + 1;
    size_t first = (shift * 8 + 5) / 6, end = padded * 8 / 6, start = s->all.length;
    unsigned char *input = calloc(1, block_size);
    if (!input)
        return;
    unsigned char *coded = input + padded;
    memcpy(input + shift, bytes, length);
    (void)EVP_EncodeBlock(coded, input, (int)padded);
    for (size_t i = first; url_alphabet && i < end; i++)
        coded[i] = coded[i] == '+' ? '-' : coded[i] == '/' ? '_' : coded[i];
    strbuf_add(&s->all, coded + first, end - first);
    keep_spelling(s, start);
    OPENSSL_cleanse(input, block_size);
    free(input);
}

static void add_url_encoded(struct spellings *s, bool keep_slash)
{
    size_t start = s->all.length;
    char *text = strndup(s->all.data, s->lengths[0]);
    if (!text)
        return;
    strbuf_add_url_encoded(&s->all, text, keep_slash); /* stops at a NUL, which no URL carries */
    keep_spelling(s, start);
    OPENSSL_cleanse(text, strlen(text));
    free(text);
}

static void add_json_escaped(struct spellings *s, size_t flags)
{
    json_t *string = json_stringn(s->all.data, s->lengths[0]); /* NULL for what is not UTF-8 */
    char *text = string ? json_dumps(string, JSON_ENCODE_ANY | flags) : NULL;
    json_decref(string);
    if (!text)
        return;
    size_t length = strlen(text), start = s->all.length;
    strbuf_add(&s->all, text + 1, length - 2);
    keep_spelling(s, start);
    OPENSSL_cleanse(text, length);
    free(text);
}

static void spell(struct spellings *s, const void *bytes, size_t length)
{
    *s = (struct spellings){.count = 0};
    strbuf_init(&s->all, 0);
    strbuf_add(&s->all, bytes, length);
    keep_spelling(s, 0);
    for (size_t shift = 0; shift < 3; shift++) {
        add_base64(s, bytes, length, shift, false);
        add_base64(s, bytes, length, shift, true);
    }
    add_url_encoded(s, false);
    add_url_encoded(s, true);
    add_json_escaped(s, 0);
    add_json_escaped(s, JSON_ENSURE_ASCII | JSON_ESCAPE_SLASH);
}

static struct entry *entry_new(const void *bytes, size_t length)
{
    struct spellings s;
    spell(&s, bytes, length);
    struct entry *entry = calloc(1, sizeof(*entry));
    char *block = entry && s.count ? guarded_alloc(s.all.length) : NULL;
    if (block) {
        memcpy(block, s.all.data, s.all.length);
        *entry = (struct entry){.uses = 1, .block = block, .block_size = s.all.length, .form_count = s.count};
        for (size_t i = 0, offset = 0; i < s.count; offset += s.lengths[i++])
            entry->forms[i] = (struct form){.bytes = block + offset, .length = s.lengths[i]};
    } else {
        free(entry);
        entry = NULL;
    }
    strbuf_wipe(&s.all);
    return entry;
}

static void index_forms(struct entry *entry)
{
    for (size_t i = 0; i < entry->form_count; i++) {
        struct form *form = &entry->forms[i], **bucket = &buckets[bucket_of(form->bytes)];
        form->next_in_bucket = *bucket;
        *bucket = form;
    }
}

static void unindex_forms(struct entry *entry)
{
    for (size_t i = 0; i < entry->form_count; i++) {
        struct form *form = &entry->forms[i], **link = &buckets[bucket_of(form->bytes)];
        while (*link != form)
            link = &(*link)->next_in_bucket;
        *link = form->next_in_bucket;
    }
}

/* The link that leads to the entry of this value, or the one at the end of the list. */
static struct entry **find_entry(const void *bytes, size_t length)
{
    struct entry **link = &entries;
    while (*link &&
           ((*link)->forms[0].length != length || memcmp((*link)->forms[0].bytes, bytes, length) != 0))
        link = &(*link)->next;
    return link;
}

void scrub_register(const void *bytes, size_t length)
{
    if (length < SCRUB_MIN_BYTES)
        return;
    (void)pthread_mutex_lock(&lock);
    struct entry *known = *find_entry(bytes, length);
    if (known) {
        known->uses++;
    } else {
        struct entry *entry = entry_new(bytes, length);
        if (entry) {
            entry->next = entries;
            entries = entry;
            index_forms(entry);
        }
    }
    (void)pthread_mutex_unlock(&lock);
}

void scrub_forget(const void *bytes, size_t length)
{
    if (length < SCRUB_MIN_BYTES)
        return;
    (void)pthread_mutex_lock(&lock);
    struct entry **link = find_entry(bytes, length), *entry = *link;
    if (entry && --entry->uses == 0) {
        *link = entry->next;
        unindex_forms(entry);
        guarded_free(entry->block, entry->block_size);
        free(entry);
    }
    (void)pthread_mutex_unlock(&lock);
}

/* The length of the longest secret that starts at `text`, 0 for none. */
static size_t match_at(const char *text, size_t length)
{
    size_t longest = 0;
    if (length < SCRUB_MIN_BYTES)
        return 0;
    for (const struct form *form = buckets[bucket_of(text)]; form; form = form->next_in_bucket)
        if (form->length > longest && form->length <= length && !memcmp(form->bytes, text, form->length))
            longest = form->length;
    return longest;
}

void scrub_text(const char *text, size_t length, struct strbuf *out)
{
    size_t clean = 0, i = 0; /* text[clean..i) has no secret and is not written yet */
    (void)pthread_mutex_lock(&lock);
    while (entries && i < length) {
        size_t matched = match_at(text + i, length - i);
        if (!matched) {
            i++;
            continue;
        }
        strbuf_add(out, text + clean, i - clean);
        strbuf_adds(out, REPLACEMENT);
        clean = i += matched;
    }
    (void)pthread_mutex_unlock(&lock);
    strbuf_add(out, text + clean, length - clean);
}
