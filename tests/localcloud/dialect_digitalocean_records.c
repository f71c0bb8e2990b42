// One domain record: the fields of the API, and the value that a zone file has for them.
#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "dialect_digitalocean.h"

enum { TTL_DEFAULT = 1800, TTL_MIN = 30, NAME_MAX_SIZE = 200, DATA_MAX = 4000, TXT_CHUNK = 255 };

struct kind {
    const char *type;
    bool host;                                        // its data is a name
    bool (*valid)(const char *data);                  // may be NULL
    const char *needs[3];                             // numbers that it needs
    char *(*value)(const json_t *record, char *data); // takes data
};

static int number(const json_t *record, const char *field)
{
    return (int)json_integer_value(json_object_get(record, field));
}

static bool is_ipv4(const char *data)
{
    unsigned char address[16];

    return inet_pton(AF_INET, data, address) == 1;
}

static bool is_ipv6(const char *data)
{
    unsigned char address[16];

    return inet_pton(AF_INET6, data, address) == 1;
}

static char *plain(const json_t *record, char *data)
{
    (void)record;
    return data;
}

static char *mail(const json_t *record, char *data)
{
    char *value = text_format("%d %s", number(record, "priority"), data);

    free(data);
    return value;
}

static char *service(const json_t *record, char *data)
{
    char *value = text_format("%d %d %d %s", number(record, "priority"), number(record, "weight"),
                              number(record, "port"), data);

    free(data);
    return value;
}

static char *authority(const json_t *record, char *data)
{
    const char *tag = json_string_value(json_object_get(record, "tag"));
    char *value = text_format("%d %s \"%.*s\"", number(record, "flags"), tag ? tag : "issue",
                              (int)strcspn(data, "\""), data);

    free(data);
    return value;
}

// Quoted strings of at most 255 characters.
static char *text(const json_t *record, char *data)
{
    char *value = zalloc(strlen(data) * 2 + strlen(data) / TXT_CHUNK * 3 + 3), *out = value;
    size_t i;

    (void)record;
    *out++ = '"';
    for (i = 0; data[i]; i++) {
        if (i > 0 && i % TXT_CHUNK == 0)
            *out++ = '"', *out++ = ' ', *out++ = '"';
        if (data[i] == '"' || data[i] == '\\')
            *out++ = '\\';
        *out++ = data[i];
    }
    *out = '"';
    free(data);
    return value;
}

static const struct kind kinds[] = {
    {"A", false, is_ipv4, {NULL}, plain},      {"AAAA", false, is_ipv6, {NULL}, plain},
    {"CNAME", true, NULL, {NULL}, plain},      {"NS", true, NULL, {NULL}, plain},
    {"MX", true, NULL, {"priority"}, mail},    {"SRV", true, NULL, {"priority", "port", "weight"}, service},
    {"CAA", true, NULL, {"flags"}, authority}, {"TXT", false, NULL, {NULL}, text},
};

static const struct kind *kind_find(const char *type)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (text_equal(kinds[i].type, type))
            return &kinds[i];
    return NULL;
}

static bool printable(const char *data)
{
    for (; *data; data++)
        if ((unsigned char)*data < ' ' || *data == 127)
            return false;
    return true;
}

// Names are relative to the zone; none at all is the apex, as Libcloud says it.
static bool take_name(const struct request *request, struct response *response, json_t *record)
{
    const json_t *given = json_object_get(request->body, "name");
    const char *name = json_is_null(given) ? "@" : json_string_value(given);

    if (!given && json_object_get(record, "name"))
        return true;
    name = !name || !*name ? "@" : name;
    if (strlen(name) > NAME_MAX_SIZE || !printable(name) || strpbrk(name, " ;\"\\$()") ||
        name[strlen(name) - 1] == '.' || *name == '.')
        return ocean_invalid(response, "Name is not a valid host name"), false;
    json_object_set_new(record, "name", json_string(name));
    return true;
}

// Names in data must end with a dot, and are given back without it; so what was read cannot be sent again as
// it is (doctl#919, api-v2#130). "@" is the zone.
static bool take_data(const struct request *request, struct response *response, const struct kind *kind,
                      json_t *record)
{
    const char *data = json_string_value(json_object_get(request->body, "data"));
    bool keeps = json_object_get(record, "data") && (text_equal(request->method, "PATCH") || !kind->host);
    size_t size = data ? strlen(data) : 0;

    if (!data && keeps)
        return true;
    if (kind->host && !text_equal(data, "@") && (size < 2 || data[size - 1] != '.'))
        return ocean_invalid(response, "Data needs to end with a dot (.)"), false;
    if (size == 0 || size > DATA_MAX || !printable(data) || (kind->valid && !kind->valid(data)) ||
        (kind->host && strpbrk(data, " ;\"\\")))
        return ocean_invalid(response, "Data is not valid for the type %s", kind->type), false;
    bool dot = kind->host && data[size - 1] == '.';
    json_object_set_new(record, "data", json_stringn(data, size - dot));
    return true;
}

static bool take_numbers(const struct request *request, struct response *response, const struct kind *kind,
                         json_t *record)
{
    static const char *const fields[] = {"priority", "port", "weight", "flags"};

    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        const json_t *value = json_object_get(request->body, fields[i]);
        json_int_t given = json_integer_value(value);
        if (json_is_integer(value) && (given < 0 || given > 65535))
            return ocean_invalid(response, "%s must be between 0 and 65535", fields[i]), false;
        if (json_is_integer(value))
            json_object_set_new(record, fields[i], json_integer(given));
    }
    for (size_t i = 0; i < sizeof kind->needs / sizeof *kind->needs && kind->needs[i]; i++)
        if (!json_object_get(record, kind->needs[i]))
            return ocean_invalid(response, "%s is needed for the type %s", kind->needs[i], kind->type), false;
    const char *tag = json_string_value(json_object_get(request->body, "tag"));
    if (tag && !text_equal(tag, "issue") && !text_equal(tag, "issuewild") && !text_equal(tag, "iodef"))
        return ocean_invalid(response, "tag must be issue, issuewild or iodef"), false;
    if (tag)
        json_object_set_new(record, "tag", json_string(tag));
    return true;
}

// The minimum is known from neatnik/omg.lol#37, the text from peladonerd#44.
static bool take_ttl(const struct request *request, struct response *response, json_t *record)
{
    const json_t *given = json_object_get(request->body, "ttl");
    json_int_t ttl = json_integer_value(given);

    if (json_is_integer(given) && (ttl < TTL_MIN || ttl > 2147483647))
        return ocean_invalid(response, "record ttl must be greater than %d", TTL_MIN), false;
    if (json_is_integer(given))
        json_object_set_new(record, "ttl", json_integer(ttl));
    else if (!json_object_get(record, "ttl"))
        json_object_set_new(record, "ttl", json_integer(TTL_DEFAULT));
    return true;
}

bool ocean_record_read(const struct request *request, struct response *response, const struct zone *zone,
                       json_t *record)
{
    const char *given = json_string_value(json_object_get(request->body, "type"));
    const char *old = json_string_value(json_object_get(record, "type"));
    const struct kind *kind = kind_find(old ? old : given);

    if (!kind || (old && given && !text_equal(old, given)))
        return ocean_invalid(response, "Type is not valid"), false;
    json_object_set_new(record, "type", json_string(kind->type));
    if (!take_name(request, response, record) || !take_data(request, response, kind, record) ||
        !take_numbers(request, response, kind, record) || !take_ttl(request, response, record))
        return false;
    const char *data = json_string_value(json_object_get(record, "data"));
    const char *host = text_equal(data, "@") ? zone->name : data;
    char *value = kind->value(record, kind->host && !text_equal(kind->type, "CAA") ? text_format("%s.", host)
                                                                                   : text_copy(data));
    json_object_set_new(record, "value", json_string(value));
    free(value);
    return true;
}

void ocean_record_number(struct cloud *cloud, const struct rrset *rrset)
{
    json_t *record;
    size_t i;

    json_array_foreach(rrset->records, i, record)
    {
        const char *value = json_string_value(json_object_get(record, "value"));
        size_t size = strlen(value);
        bool dot = size > 0 && value[size - 1] == '.';
        json_object_set_new(record, "id", json_integer(cloud->ground->next_id++));
        json_object_set_new(record, "name", json_string(rrset->name));
        json_object_set_new(record, "type", json_string(rrset->type));
        json_object_set_new(record, "ttl", json_integer(TTL_DEFAULT));
        json_object_set_new(record, "data",
                            rrset->fixed ? json_string("1800") // as the provider shows SOA
                                         : json_stringn(value, size - dot));
    }
}

static json_t *or_null(const json_t *record, const char *field)
{
    json_t *value = json_object_get(record, field);

    return value ? json_incref(value) : json_null();
}

json_t *ocean_record_json(const char *name, const char *type, const json_t *record)
{
    static const char *const fields[] = {"id", "data", "priority", "port", "ttl", "weight", "flags", "tag"};
    json_t *json = json_pack("{s:s, s:s}", "type", type, "name", name);

    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        json_object_set_new(json, fields[i], or_null(record, fields[i]));
    return json;
}
