#include "core/area.h"
#include <stddef.h>
#include <string.h>

/* Membership as of 2026: european-union.europa.eu, efta.int. */
#define EU "at be bg hr cy cz dk ee fi fr de gr hu ie it lv lt lu mt nl pl pt ro sk si es se"

static const struct {
    const char *name;
    const char *countries;
} groups[] = {
    {"eu", EU},
    {"eea", EU " is li no"},
};

static const char *countries_of(const char *area)
{
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
        if (strcmp(groups[i].name, area) == 0)
            return groups[i].countries;
    return NULL;
}

static bool is_country(const char *text)
{
    return strlen(text) == 2 && strspn(text, "abcdefghijklmnopqrstuvwxyz") == 2;
}

bool area_exists(const char *area)
{
    return countries_of(area) || is_country(area);
}

bool area_holds(const char *area, const char *country)
{
    const char *members = countries_of(area);
    if (!country || !is_country(country))
        return false;
    return members ? strstr(members, country) != NULL : strcmp(area, country) == 0;
}

const char *area_groups(void)
{
    return "eu, eea";
}
