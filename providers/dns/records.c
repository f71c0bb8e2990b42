#include "providers/dns/records.h"
#include "base/strbuf.h"
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- names ---- */

static size_t length_without_dot(const char *name)
{
    size_t length = strlen(name);
    return length > 0 && name[length - 1] == '.' ? length - 1 : length;
}

const char *dns_without_dot(struct arena *arena, const char *name)
{
    return arena_strndup(arena, name, length_without_dot(name));
}

bool dns_name_within(const char *name, const char *zone)
{
    size_t length = length_without_dot(name);
    size_t suffix = length_without_dot(zone);
    if (length < suffix || strncasecmp(name + length - suffix, zone, suffix) != 0)
        return false;
    return length == suffix || name[length - suffix - 1] == '.';
}

struct err *dns_relative_name(struct arena *arena, const char *zone, const char *name, const char *apex,
                              const char **relative)
{
    if (!dns_name_within(name, zone))
        return err_new(ERR_INPUT, "'%s' does not lie in the zone '%s'", name, zone);
    size_t length = length_without_dot(name) - length_without_dot(zone);
    char *found = length ? arena_strndup(arena, name, length - 1) : arena_strdup(arena, apex);
    for (char *c = found; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    *relative = found;
    return NULL;
}

const char *dns_absolute_name(struct arena *arena, const char *zone, const char *relative)
{
    if (!relative[0] || strcmp(relative, "@") == 0)
        return dns_without_dot(arena, zone);
    size_t length = length_without_dot(relative);
    if (relative[length] == '.')
        return arena_strndup(arena, relative, length);
    return arena_printf(arena, "%s.%.*s", relative, (int)length_without_dot(zone), zone);
}

bool dns_type_holds_names(const char *type)
{
    return strcmp(type, "CNAME") == 0 || strcmp(type, "NS") == 0;
}

/* ---- texts ---- */

#define STRING_MAX_BYTES 255

/* "\\" and what follows it, a character or the three digits of a byte (RFC 1035, section 5.1); its last one.
 */
static const char *add_escaped(struct strbuf *plain, const char *c)
{
    bool is_byte = strspn(c + 1, "0123456789") >= 3;
    int byte = is_byte ? (c[1] - '0') * 100 + (c[2] - '0') * 10 + c[3] - '0' : c[1];
    strbuf_addc(plain, (char)byte);
    return c + (is_byte ? 3 : 1);
}

const char *dns_text_from_zone(struct arena *arena, const char *text)
{
    if (text[0] != '"')
        return text;
    bool quoted = false;
    CLEANUP_STRBUF struct strbuf plain;
    strbuf_init(&plain, 0);
    for (const char *c = text; *c; c++) {
        if (*c == '"')
            quoted = !quoted;
        else if (quoted && *c == '\\' && c[1])
            c = add_escaped(&plain, c);
        else if (quoted)
            strbuf_addc(&plain, *c);
    }
    return strbuf_to_arena(&plain, arena);
}

/* Bytes of the character at `text` in UTF-8: never cut in two, for requests are UTF-8 as a whole. */
static size_t character_bytes(const char *text)
{
    size_t bytes = 1;
    while (((unsigned char)text[bytes] & 0xc0) == 0x80)
        bytes++;
    return bytes;
}

const char *dns_text_to_zone(struct arena *arena, const char *text)
{
    CLEANUP_STRBUF struct strbuf quoted;
    strbuf_init(&quoted, 0);
    strbuf_addc(&quoted, '"');
    for (size_t used = 0, bytes; *text; text += bytes, used += bytes) {
        bytes = character_bytes(text);
        if (used + bytes > STRING_MAX_BYTES) {
            strbuf_adds(&quoted, "\" \"");
            used = 0;
        }
        if (*text == '"' || *text == '\\')
            strbuf_addc(&quoted, '\\');
        strbuf_add(&quoted, text, bytes);
    }
    strbuf_addc(&quoted, '"');
    return strbuf_to_arena(&quoted, arena);
}

/* ---- sets ---- */

static int compare_values(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void dns_sort_values(struct dns_record_set *set)
{
    if (set->count)
        qsort(set->values, set->count, sizeof(*set->values), compare_values);
}

/* "2001:db8::1" and "2001:DB8:0::1" are one address. */
static bool address_equal(int family, const char *a, const char *b)
{
    unsigned char x[sizeof(struct in6_addr)] = {0};
    unsigned char y[sizeof(struct in6_addr)] = {0};
    return inet_pton(family, a, x) == 1 && inet_pton(family, b, y) == 1 && memcmp(x, y, sizeof(x)) == 0;
}

/* "Shop.example.com." and "shop.example.com" are one name. */
static bool name_equal(const char *a, const char *b)
{
    size_t x = strlen(a);
    size_t y = strlen(b);
    x -= x > 0 && a[x - 1] == '.';
    y -= y > 0 && b[y - 1] == '.';
    return x == y && strncasecmp(a, b, x) == 0;
}

static bool value_equal(const char *type, const char *a, const char *b)
{
    if (strcmp(a, b) == 0)
        return true;
    if (strcmp(type, "A") == 0)
        return address_equal(AF_INET, a, b);
    if (strcmp(type, "AAAA") == 0)
        return address_equal(AF_INET6, a, b);
    if (strcmp(type, "CNAME") == 0 || strcmp(type, "NS") == 0)
        return name_equal(a, b);
    return false;
}

static bool holds(const struct dns_record_set *set, const char *value)
{
    for (size_t i = 0; i < set->count; i++)
        if (value_equal(set->type, set->values[i], value))
            return true;
    return false;
}

static bool holds_all(const struct dns_record_set *set, const struct dns_record_set *values)
{
    for (size_t i = 0; i < values->count; i++)
        if (!holds(set, values->values[i]))
            return false;
    return true;
}

/* In both directions: some services keep a value twice. */
bool dns_record_set_equal(const struct dns_record_set *a, const struct dns_record_set *b)
{
    return a->count == b->count && strcmp(a->type, b->type) == 0 && name_equal(a->name, b->name) &&
           holds_all(a, b) && holds_all(b, a);
}

static bool is_part_of(const struct dns_record_set *part, const struct dns_record_set *a,
                       const struct dns_record_set *b)
{
    for (size_t i = 0; i < part->count; i++)
        if (!holds(a, part->values[i]) && !holds(b, part->values[i]))
            return false;
    return true;
}

/* Where values only go, none that is new shows that it began: then those that stay have to be there. */
bool dns_record_set_between(const struct dns_record_set *found, const struct dns_record_set *expected,
                            const struct dns_record_set *wanted)
{
    bool begun = holds_all(expected, wanted) && holds_all(found, wanted);
    for (size_t i = 0; i < found->count; i++)
        begun = begun || (holds(wanted, found->values[i]) && !holds(expected, found->values[i]));
    return begun && is_part_of(found, expected, wanted);
}

static const char *values_text(struct arena *arena, const struct dns_record_set *set)
{
    CLEANUP_STRBUF struct strbuf text;
    strbuf_init(&text, 0);
    for (size_t i = 0; i < set->count; i++)
        strbuf_addf(&text, "%s%s", i ? " " : "", set->values[i]);
    return set->count ? strbuf_to_arena(&text, arena) : "nothing";
}

struct err *dns_check_expected_whole(struct arena *arena, const struct dns_record_set *found,
                                     const struct dns_record_set *expected,
                                     const struct dns_record_set *wanted)
{
    if (strcmp(expected->type, wanted->type) != 0 || !name_equal(expected->name, wanted->name))
        return err_new(ERR_INTERNAL, "'%s' %s is expected, '%s' %s wanted: not one record set",
                       expected->name, expected->type, wanted->name, wanted->type);
    if (dns_record_set_equal(found, expected) || dns_record_set_equal(found, wanted))
        return NULL;
    return err_with_hint(
        err_new(ERR_CONFLICT, "'%s' %s has changed: expected '%s', found '%s'; nothing was written",
                found->name, found->type, values_text(arena, expected), values_text(arena, found)),
        "somebody else changed it: find out who, then plan again");
}

struct err *dns_check_expected(struct arena *arena, const struct dns_record_set *found,
                               const struct dns_record_set *expected, const struct dns_record_set *wanted)
{
    if (dns_record_set_between(found, expected, wanted))
        return NULL;
    return dns_check_expected_whole(arena, found, expected, wanted);
}

/* ---- services whose unit is the record ---- */

struct listed { /* the records of one set, before a change */
    struct dns_record *records;
    size_t count;
    struct dns_record_set set;
};

static struct err *look(const struct dns_record_service *service, const struct ctx *ctx, struct dns *dns,
                        struct arena *arena, const struct dns_zone *zone, const char *name, const char *type,
                        struct listed *listed)
{
    *listed = (struct listed){0};
    TRY(service->list(ctx, dns, arena, zone, name, type, &listed->records, &listed->count));
    listed->set = (struct dns_record_set){.name = dns_without_dot(arena, name),
                                          .type = arena_strdup(arena, type),
                                          .ttl_seconds = zone->default_ttl_seconds,
                                          .count = listed->count,
                                          .values = arena_array(arena, listed->count + 1, sizeof(char *))};
    for (size_t i = 0; i < listed->count; i++) {
        listed->set.values[i] = listed->records[i].value;
        listed->set.proxied = listed->set.proxied || listed->records[i].proxied;
        if (i == 0 || listed->records[i].ttl_seconds < listed->set.ttl_seconds)
            listed->set.ttl_seconds = listed->records[i].ttl_seconds;
    }
    dns_sort_values(&listed->set);
    return NULL;
}

struct err *dns_records_get(const struct dns_record_service *service, const struct ctx *ctx, struct dns *dns,
                            struct arena *arena, const struct dns_zone *zone, const char *name,
                            const char *type, struct dns_record_set *set)
{
    struct listed listed;
    TRY(look(service, ctx, dns, arena, zone, name, type, &listed));
    *set = listed.set;
    return NULL;
}

/* The record that has `value` already, or NULL; each serves once. */
static struct dns_record *take_record(struct listed *listed, bool *taken, const char *type, const char *value)
{
    for (size_t i = 0; i < listed->count; i++)
        if (!taken[i] && (!value || value_equal(type, listed->records[i].value, value))) {
            taken[i] = true;
            return &listed->records[i];
        }
    return NULL;
}

/* What is to be written, in this order: TTLs and values in place, new records, surplus ones away. */
static size_t make_changes(struct arena *arena, struct listed *listed, const struct dns_record_set *wanted,
                           int64_t ttl_seconds, struct dns_record **ret_changes)
{
    struct dns_record *changes = arena_array(arena, listed->count + wanted->count + 1, sizeof(*changes));
    bool *taken = arena_array(arena, listed->count + 1, sizeof(*taken));
    bool *settled = arena_array(arena, wanted->count + 1, sizeof(*settled));
    size_t count = 0;
    for (size_t i = 0; i < wanted->count; i++) { /* values that are there stay where they are */
        const struct dns_record *same = take_record(listed, taken, wanted->type, wanted->values[i]);
        settled[i] = same != NULL;
        if (same && ttl_seconds && same->ttl_seconds != ttl_seconds && !same->proxied)
            changes[count++] =
                (struct dns_record){.id = same->id, .value = wanted->values[i], .ttl_seconds = ttl_seconds};
    }
    size_t creates = 0;
    struct dns_record *created = arena_array(arena, wanted->count + 1, sizeof(*created));
    for (size_t i = 0; i < wanted->count; i++) {
        if (settled[i])
            continue;
        const struct dns_record *old = take_record(listed, taken, wanted->type, NULL);
        struct dns_record change = {.id = old ? old->id : NULL,
                                    .value = wanted->values[i],
                                    .ttl_seconds = ttl_seconds ? ttl_seconds : listed->set.ttl_seconds,
                                    .proxied = old ? old->proxied : listed->set.proxied};
        if (old)
            changes[count++] = change;
        else
            created[creates++] = change;
    }
    for (size_t i = 0; i < creates; i++)
        changes[count++] = created[i];
    for (struct dns_record *old; (old = take_record(listed, taken, wanted->type, NULL));)
        changes[count++] = (struct dns_record){.id = old->id};
    *ret_changes = changes;
    return count;
}

struct err *dns_records_set_if(const struct dns_record_service *service, const struct ctx *ctx,
                               struct dns *dns, struct arena *arena, const struct dns_zone *zone,
                               const struct dns_record_set *expected, const struct dns_record_set *wanted)
{
    struct listed listed;
    struct dns_record *changes = NULL;
    TRY(look(service, ctx, dns, arena, zone, wanted->name, wanted->type, &listed));
    if (service->write_all)
        TRY(dns_check_expected_whole(arena, &listed.set, expected, wanted));
    else
        TRY(dns_check_expected(arena, &listed.set, expected, wanted));
    int64_t ttl_seconds = wanted->ttl_seconds > 0 ? service->ttl(wanted->ttl_seconds) : 0;
    size_t count = make_changes(arena, &listed, wanted, ttl_seconds, &changes);
    if (count > 1 && service->write_all)
        return service->write_all(ctx, dns, arena, zone, wanted->name, wanted->type, changes, count);
    for (size_t i = 0; i < count; i++) {
        struct err *e = service->write(ctx, dns, arena, zone, wanted->name, wanted->type, &changes[i]);
        if (e && err_kind(e) == ERR_NOT_FOUND) /* gone since the read: the next one tells */
            return err_with_kind(e, ERR_TRANSIENT);
        TRY(e);
    }
    return NULL;
}
