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

const char *spec_tag(struct arena *arena, const struct label *label)
{
    return arena_printf(arena, "%s:%s", label->key, label->value);
}

json_t *spec_tags(struct arena *arena, const struct server_spec *spec)
{
    json_t *tags = json_array();
    for (size_t i = 0; i < spec->label_count; i++)
        (void)json_array_append_new(tags, json_string(spec_tag(arena, &spec->labels[i])));
    return tags;
}

void spec_read_tags(struct arena *arena, const json_t *tags, struct server *server)
{
    struct label *labels = arena_array(arena, json_array_size(tags) + 1, sizeof(*labels));
    size_t i = 0;
    const json_t *tag = NULL;
    server->label_count = 0;
    json_array_foreach(tags, i, tag)
    {
        const char *text = json_string_value(tag);
        const char *colon = text ? strchr(text, ':') : NULL;
        if (colon)
            labels[server->label_count++] =
                (struct label){.key = arena_strndup(arena, text, (size_t)(colon - text)),
                               .value = arena_strdup(arena, colon + 1)};
    }
    server->labels = labels;
}

bool spec_has_label(const struct server *server, const struct label *label)
{
    const char *value = server_label(server, label->key);
    return value && strcmp(value, label->value) == 0;
}

bool spec_image(struct arena *arena, const char *image, const char **distribution, const char **version)
{
    size_t letters = strspn(image, "abcdefghijklmnopqrstuvwxyz");
    const char *number = image + letters + 1;
    if (!letters || image[letters] != '-' || !*number || strspn(number, "0123456789.") != strlen(number))
        return false;
    *distribution = arena_strndup(arena, image, letters);
    *version = arena_strdup(arena, number);
    return true;
}

const char *spec_image_snapshot(const char *image)
{
    static const char prefix[] = "snapshot:";
    return strncmp(image, prefix, sizeof(prefix) - 1) == 0 ? image + sizeof(prefix) - 1 : NULL;
}

const char *spec_country(struct arena *arena, const char *country)
{
    if (!country)
        return NULL;
    char *lower = arena_strdup(arena, country);
    for (char *c = lower; *c; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    return lower;
}
