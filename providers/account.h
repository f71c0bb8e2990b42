/* What opening an account at a provider or DNS service needs. */
#pragma once
#include "base/secret.h"

struct account_options {
    const char *name;           /* the inventory's, for messages */
    const char *endpoint;       /* NULL: the service's own */
    const char *ca_file;        /* NULL: the system's */
    const struct secret *token; /* what proves who asks: an API token, or a TSIG key; copied */
};
