/* The DNS services that exist, and the comparison of record sets that compare-and-swap stands on. */
#include "providers/dns/dns.h"
#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

extern const struct dns_ops dns_hetzner;

static const struct dns_ops *const services[] = {
    &dns_hetzner,
};

#define SERVICE_COUNT (sizeof(services) / sizeof(services[0]))

const struct dns_ops *dns_find(const char *type)
{
    for (size_t i = 0; i < SERVICE_COUNT; i++)
        if (strcmp(services[i]->type, type) == 0)
            return services[i];
    return NULL;
}

const char *const *dns_types(size_t *count)
{
    static const char *const types[] = {"hetzner"};
    _Static_assert(sizeof(types) / sizeof(types[0]) == SERVICE_COUNT, "one name a service");
    *count = SERVICE_COUNT;
    return types;
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

/* A set has no order and no duplicates, so equal sizes and inclusion are equality. */
bool dns_record_set_equal(const struct dns_record_set *a, const struct dns_record_set *b)
{
    if (a->count != b->count || strcmp(a->type, b->type) != 0 || !name_equal(a->name, b->name))
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!holds(b, a->values[i]))
            return false;
    return true;
}
