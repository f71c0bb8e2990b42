/* The inventory as rehost sees it: everything a recovery needs to know before the disaster.
 *
 * Plain data, filled by inventory.c from YAML through the schema table; every pointer lives in the
 * inventory's arena. Threads: read-only after loading.
 */
#pragma once
#include "core/schema.h"
#include <jansson.h>

struct source { /* where a secret value comes from; exactly one is set */
    const char *file;
    const char *env;
    struct schema_texts command;
    const struct yaml_node *where;
};

struct account {
    const char *name;
    const char *type;     /* of a compute adapter, and of the DNS adapter of the same service */
    const char *endpoint; /* NULL: the service's own */
    const char *ca_file;
    struct source token;
    int64_t settle_ms;   /* how long a create of unknown outcome may still land */
    int64_t poll_ms;     /* between looks at pending operations */
    int64_t max_creates; /* per run */
};

struct storage {
    const char *endpoint; /* NULL: no storage configured */
    const char *region;
    const char *bucket;
    const char *prefix;
    const char *ca_file;
    struct source access_key, secret_key;
};

struct keys {
    struct source ssh;     /* OpenSSH ed25519 private key that opens the hosts */
    struct source backup;  /* age identity: the working key */
    const char *recovery;  /* age recipient: the offline key */
    struct source signing; /* Ed25519 PEM: signs manifests */
};

struct named_source {
    const char *name;
    struct source source;
};

struct place {
    const char *account;
    const char *region; /* NULL: any that fits */
    const char *size;   /* NULL: the cheapest that fits the needs */
    const struct yaml_node *where;
};

struct needs { /* what a size must have at least; 0 or NULL: anything */
    int64_t cores, memory_gib, disk_gib;
    const char *architecture;
    struct schema_texts areas; /* countries and legal areas where the host may be; none: anywhere */
};

struct playbook_phases {
    struct schema_texts configure; /* before secrets and data */
    struct schema_texts secrets;
    struct schema_texts start; /* after the data is back */
};

struct objectives {
    int64_t rto_ms, rpo_ms;
};

struct host_dataset {
    const char *name;
    const char *kind;
    int64_t rpo_ms;            /* 0: the host's */
    struct schema_texts areas; /* countries and legal areas where the data may be; none: anywhere */
    json_t *options;
    const struct yaml_node *where;
};

struct check {
    const char *kind; /* https, sql, command */
    const char *name;
    int64_t within_ms; /* tried again until this has passed */
    const char *url;
    int64_t status;
    const char *contains;
    const char *ca_file;
    const char *dataset; /* sql: the dataset whose database is asked */
    const char *user;
    const char *password; /* name of a secret */
    const char *query;
    int64_t at_least;
    const char *command;
    const struct yaml_node *where;
};

struct dns_name {
    const char *name;
    const char *account;
    const char *type;    /* "address": A and AAAA; "CNAME", "TXT" */
    const char *value;   /* CNAME, TXT: the new value, in which "{ipv4}" and the like stand for the new server */
    int64_t ttl_seconds; /* 0: as it is */
    const struct yaml_node *where;
};

struct open_port { /* what the provider's firewall lets in */
    const char *protocol;
    const char *port;         /* "443", "8000-8100"; NULL with icmp */
    struct schema_texts from; /* networks; none: everywhere */
    const struct yaml_node *where;
};

struct current_server {
    const char *account;
    const char *server;   /* name or id at the provider */
    const char *host_key; /* "ssh-ed25519 AAAA..."; NULL: only fencing is possible, no backup */
};

struct host {
    const char *name;
    struct current_server current;
    struct schema_items places; /* struct place; none: rehost looks for them by the needs */
    struct needs needs;
    struct schema_items firewall; /* struct open_port; none: the provider's firewall is left alone */
    const char *image;
    int64_t boot_deadline_ms;
    struct playbook_phases playbooks;
    json_t *vars;
    struct schema_texts secrets;  /* names that this host's playbooks may see */
    struct schema_items datasets; /* struct host_dataset */
    struct schema_items checks;   /* struct check */
    struct schema_items names;    /* struct dns_name */
    struct objectives objectives;
    const struct yaml_node *where;
};

struct inventory {
    const char *path, *dir;
    char digest[65]; /* SHA-256 of the file */
    int64_t version;
    const char *project;
    const char *state_dir;        /* NULL: the user's state folder */
    const char *resolver;         /* DNS server for look-ups; NULL: the system's */
    struct schema_items accounts; /* struct account */
    struct storage storage;
    struct keys keys;
    struct schema_items secrets; /* struct named_source */
    struct schema_items hosts;   /* struct host */
};

/* Loads and validates. ERR_INPUT with file:line:column, the key's path, and what is known in its place. */
struct err *inventory_load(struct arena *arena, const char *path,
                           const struct inventory **inventory) REHOST_MUST_CHECK;
const struct account *inventory_account(const struct inventory *inventory, const char *name); /* or NULL */
/* "8000-8100" -> 8000, 8100; NULL -> 0, 0. False: not ports. */
bool inventory_port_range(const char *text, int64_t *from, int64_t *to);
/* ERR_NOT_FOUND with did-you-mean. */
struct err *inventory_host(const struct inventory *inventory, const char *name,
                           const struct host **host) REHOST_MUST_CHECK;
const struct named_source *inventory_secret(const struct inventory *inventory,
                                            const char *name); /* or NULL */
/* The types that an account may have, of servers or DNS, with commas between. */
const char *inventory_account_types(struct arena *arena);
/* The reference of all keys, as docs/inventory.md holds it. */
void inventory_describe(struct strbuf *out);

/* for (FOREACH(struct host, host, inventory->hosts)) */
#define FOREACH(type, variable, list)                                                                        \
    const type *variable = (list).items,                                                                     \
               *variable##_end_ = (list).count ? variable + (list).count : variable;                         \
    variable < variable##_end_;                                                                              \
    variable++
