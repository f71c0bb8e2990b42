/* The compute providers that exist, and small helpers over the contract's structs. */
#include "providers/compute/provider.h"
#include <string.h>

extern const struct provider_ops provider_digitalocean;
extern const struct provider_ops provider_hetzner;
extern const struct provider_ops provider_linode;
extern const struct provider_ops provider_vultr;

static const struct provider_ops *const providers[] = {
    &provider_digitalocean,
    &provider_hetzner,
    &provider_linode,
    &provider_vultr,
};

#define PROVIDER_COUNT (sizeof(providers) / sizeof(providers[0]))

const struct provider_ops *provider_find(const char *type)
{
    for (size_t i = 0; i < PROVIDER_COUNT; i++)
        if (strcmp(providers[i]->type, type) == 0)
            return providers[i];
    return NULL;
}

const struct provider_ops *provider_at(size_t index)
{
    return index < PROVIDER_COUNT ? providers[index] : NULL;
}

const char *server_status_name(enum server_status status)
{
    switch (status) {
    case SERVER_PENDING:
        return "pending";
    case SERVER_RUNNING:
        return "running";
    case SERVER_OFF:
        return "off";
    case SERVER_DELETING:
        return "deleting";
    case SERVER_STATUS_UNKNOWN:
        break;
    }
    return "unknown";
}

const char *server_label(const struct server *server, const char *key)
{
    for (size_t i = 0; i < server->label_count; i++)
        if (strcmp(server->labels[i].key, key) == 0)
            return server->labels[i].value;
    return NULL;
}
