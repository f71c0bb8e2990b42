/* The DNS services that exist. */
#include "providers/dns/dns.h"
#include <string.h>

extern const struct dns_ops dns_cloudflare;
extern const struct dns_ops dns_digitalocean;
extern const struct dns_ops dns_hetzner;
extern const struct dns_ops dns_linode;
extern const struct dns_ops dns_rfc2136;
extern const struct dns_ops dns_vultr;

static const struct dns_ops *const services[] = {
    &dns_cloudflare, &dns_digitalocean, &dns_hetzner, &dns_linode, &dns_rfc2136, &dns_vultr,
};

#define SERVICE_COUNT (sizeof(services) / sizeof(services[0]))

const struct dns_ops *dns_find(const char *type)
{
    for (size_t i = 0; i < SERVICE_COUNT; i++)
        if (strcmp(services[i]->type, type) == 0)
            return services[i];
    return NULL;
}

const struct dns_ops *dns_at(size_t index)
{
    return index < SERVICE_COUNT ? services[index] : NULL;
}
