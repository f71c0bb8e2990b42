// All providers of the local cloud. The first one's URL is the ready file's "url".
#include "http.h"

const struct dialect *const dialects[] = {
    &dialect_hetzner, &dialect_digitalocean, &dialect_linode, &dialect_vultr, &dialect_cloudflare, NULL,
};
