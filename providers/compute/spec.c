#include "providers/compute/spec.h"
#include <string.h>

struct err *spec_check_name(const char *what, const char *value)
{
    size_t length = value ? strlen(value) : 0;
    if (length < 1 || length > 63)
        return err_new(ERR_INPUT, "%s '%s' has %zu characters (1 to 63 are possible)", what,
                       value ? value : "", length);
    if (strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789-") != length)
        return err_new(ERR_INPUT, "%s '%s' has a character other than a-z, 0-9 and '-'", what, value);
    return NULL;
}

struct err *spec_check(const struct server_spec *spec, size_t user_data_max_bytes)
{
    TRY(spec_check_name("server name", spec->name));
    for (size_t i = 0; i < spec->label_count; i++) {
        TRY(spec_check_name("label key", spec->labels[i].key));
        TRY(spec_check_name("label value", spec->labels[i].value));
    }
    size_t length = spec->user_data ? strlen(spec->user_data) : 0;
    if (length > user_data_max_bytes)
        return err_new(ERR_INPUT, "user data for server '%s' has %zu bytes, the provider takes %zu",
                       spec->name, length, user_data_max_bytes);
    return NULL;
}

const char *spec_key_material(struct arena *arena, const char *public_key)
{
    size_t type = strcspn(public_key, " \t");
    size_t gap = strspn(public_key + type, " \t");
    size_t key = strcspn(public_key + type + gap, " \t\r\n");
    return arena_printf(arena, "%.*s %.*s", (int)type, public_key, (int)key, public_key + type + gap);
}

bool spec_contains(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

void spec_collect_regions(struct arena *arena, struct catalog *catalog)
{
    size_t most = 0;
    for (size_t i = 0; i < catalog->size_count; i++)
        most += catalog->sizes[i].offer_count;
    catalog->regions = arena_array(arena, most + 1, sizeof(*catalog->regions));
    for (size_t i = 0; i < catalog->size_count; i++) {
        const struct server_size *size = &catalog->sizes[i];
        for (size_t k = 0; k < size->offer_count; k++)
            if (!spec_contains(catalog->regions, catalog->region_count, size->offers[k].region))
                catalog->regions[catalog->region_count++] = size->offers[k].region;
    }
}
