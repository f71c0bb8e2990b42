#include "base/age.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/strbuf.h"
#include "core/area.h"
#include "core/inventory_schema.h"
#include "core/model.h"
#include "providers/compute/provider.h"
#include "providers/data/dataset.h"
#include "providers/dns/dns.h"
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define INVENTORY_MAX_BYTES (8u << 20)

const struct account *inventory_account(const struct inventory *inventory, const char *name)
{
    for (FOREACH(struct account, account, inventory->accounts))
        if (!strcmp(account->name, name))
            return account;
    return NULL;
}

const struct named_source *inventory_secret(const struct inventory *inventory, const char *name)
{
    for (FOREACH(struct named_source, secret, inventory->secrets))
        if (!strcmp(secret->name, name))
            return secret;
    return NULL;
}

/* The names of a list of structs that begin with their name, for did-you-mean. */
static const char *nearest_name(const struct schema_items *items, size_t struct_size, const char *word)
{
    const char *names[64];
    size_t count = 0;
    for (size_t i = 0; i < items->count && count < 64; i++)
        memcpy(&names[count++], (const char *)items->items + i * struct_size, sizeof(char *));
    return yaml_nearest(word, names, count);
}

struct err *inventory_host(const struct inventory *inventory, const char *name, const struct host **host)
{
    for (FOREACH(struct host, candidate, inventory->hosts)) {
        if (!strcmp(candidate->name, name)) {
            *host = candidate;
            return NULL;
        }
    }
    struct err *e = err_new(ERR_NOT_FOUND, "no host '%s' in '%s'", name, inventory->path);
    const char *near = nearest_name(&inventory->hosts, sizeof(struct host), name);
    return near ? err_with_hint(e, "did you mean '%s'?", near) : e;
}

static struct err *check_source(const struct source *source, const char *path)
{
    int set = !!source->file + !!source->env + !!source->command.count;
    if (set == 1 || !source->where)
        return NULL;
    return yaml_error(source->where, "%s: give exactly one of 'file', 'env' and 'command'", path);
}

/* `map`: the one whose key 'provider' names the account. */
static struct err *check_account(const struct inventory *inventory, const struct yaml_node *map,
                                 const char *path, const char *name)
{
    if (inventory_account(inventory, name))
        return NULL;
    struct err *e =
        yaml_error(yaml_get(map, "provider"), "%s.provider: no account '%s' under 'providers'", path, name);
    const char *near = nearest_name(&inventory->accounts, sizeof(struct account), name);
    return near ? err_with_hint(e, "did you mean '%s'?", near) : e;
}

static struct err *unknown_secret(const struct inventory *inventory, const struct yaml_node *where,
                                  const char *path, const char *name)
{
    struct err *e = yaml_error(where, "%s: no secret '%s' under 'secrets'", path, name);
    const char *near = nearest_name(&inventory->secrets, sizeof(struct named_source), name);
    return near ? err_with_hint(e, "did you mean '%s'?", near) : e;
}

/* "rehost-host:" and a host's name together are a tag, of which some provider takes 50 characters. */
#define LABEL_MAX_LENGTH 38

static bool is_label(const char *name)
{
    size_t length = strlen(name);
    return length && length <= LABEL_MAX_LENGTH &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == length && *name != '-' &&
           name[length - 1] != '-';
}

static struct err *check_check(const struct inventory *inventory, const struct host *host,
                               const struct check *check)
{
    if (!strcmp(check->kind, "https") && (!check->url || strncmp(check->url, "https://", 8) != 0))
        return yaml_error(check->where, "check of host '%s': 'url' must begin with https://", host->name);
    if (!strcmp(check->kind, "command") && !check->command)
        return yaml_error(check->where, "check of host '%s': the key 'command' is missing", host->name);
    if (strcmp(check->kind, "sql") != 0)
        return NULL;
    if (!check->dataset || !check->user || !check->password || !check->query)
        return yaml_error(check->where, "check of host '%s': sql needs dataset, user, password and query",
                          host->name);
    if (!inventory_secret(inventory, check->password))
        return unknown_secret(inventory, yaml_get(check->where, "password"), "password of a check",
                              check->password);
    for (FOREACH(struct host_dataset, dataset, host->datasets))
        if (!strcmp(dataset->name, check->dataset) && !strcmp(dataset->kind, "postgres"))
            return NULL;
    return yaml_error(check->where, "check of host '%s': no postgres dataset '%s'", host->name,
                      check->dataset);
}

static struct err *check_areas(const struct schema_texts *areas, const struct yaml_node *map,
                               const char *path)
{
    for (size_t i = 0; i < areas->count; i++)
        if (!area_exists(areas->items[i]))
            return err_with_hint(
                yaml_error(yaml_get(map, "areas")->items[i], "%s.areas: no area '%s'", path, areas->items[i]),
                "a country's two letters in lower case (de, us), or one of: %s", area_groups());
    return NULL;
}

static struct err *check_datasets(const struct inventory *inventory, const struct host *host)
{
    for (FOREACH(struct host_dataset, item, host->datasets)) {
        const struct dataset dataset = {
            .name = item->name, .kind = item->kind, .host = host->name, .options = item->options};
        struct err *bad = is_label(item->name)
                              ? dataset_check_options(&dataset)
                              : err_new(ERR_INPUT, "the name may hold only a-z, 0-9 and '-'");
        if (bad) {
            CLEANUP_ERR struct err *cause = bad;
            const char *hint = err_hint(cause);
            struct err *e =
                yaml_error(item->where, "hosts.%s.datasets.%s: %s", host->name, item->name, err_text(cause));
            return hint ? err_with_hint(e, "%s", hint) : e;
        }
        TRY(check_areas(&item->areas, item->where, item->name));
        if (!inventory->storage.endpoint)
            return yaml_error(item->where, "hosts.%s has datasets, but there is no 'storage'", host->name);
    }
    return NULL;
}

static bool has_needs(const struct needs *needs)
{
    return needs->cores || needs->memory_gib || needs->disk_gib;
}

static struct err *check_servers(const struct inventory *inventory, const struct yaml_node *map,
                                 const char *path, const char *name)
{
    TRY(check_account(inventory, map, path, name));
    if (provider_find(inventory_account(inventory, name)->type))
        return NULL;
    return yaml_error(yaml_get(map, "provider"), "%s.provider: account '%s' has no servers", path, name);
}

static struct err *check_places(struct arena *arena, const struct inventory *inventory,
                                const struct host *host)
{
    if (!host->places.count && !has_needs(&host->needs))
        return err_with_hint(
            yaml_error(host->where, "hosts.%s: neither 'places' nor 'needs' tell where to rebuild it",
                       host->name),
            "list places, or say what it needs: needs: {cores: 2, memory_gib: 4, disk_gib: 40}");
    size_t index = 0;
    for (FOREACH(struct place, place, host->places)) {
        const char *path = arena_printf(arena, "hosts.%s.places[%zu]", host->name, index++);
        TRY(check_servers(inventory, place->where, path, place->account));
        if (!place->size && !has_needs(&host->needs))
            return err_with_hint(yaml_error(place->where, "%s: no 'size', and the host has no 'needs'", path),
                                 "give one of the two");
    }
    const struct yaml_node *needs = yaml_get(host->where, "needs");
    return check_areas(&host->needs.areas, needs, arena_printf(arena, "hosts.%s.needs", host->name));
}

bool inventory_port_range(const char *text, int64_t *from, int64_t *to)
{
    char *end = NULL;
    *from = *to = 0;
    if (!text)
        return true;
    if (text[strspn(text, "0123456789-")] || strchr(text, '-') == text)
        return false;
    *from = *to = strtol(text, &end, 10);
    if (*end == '-')
        *to = strtol(end + 1, &end, 10);
    return end != text && !*end && *from >= 1 && *from <= *to && *to <= 65535;
}

static bool is_network(const char *text)
{
    unsigned char address[sizeof(struct in6_addr)];
    char host[64], *end = NULL;
    size_t length = strcspn(text, "/");
    if (length >= sizeof(host) || text[length] != '/')
        return false;
    memcpy(host, text, length);
    host[length] = '\0';
    bool v4 = inet_pton(AF_INET, host, address) == 1;
    long prefix = strtol(text + length + 1, &end, 10);
    return (v4 || inet_pton(AF_INET6, host, address) == 1) && end != text + length + 1 && !*end &&
           prefix >= 0 && prefix <= (v4 ? 32 : 128);
}

static struct err *check_port(const struct host *host, const struct open_port *port, bool *ssh)
{
    int64_t from, to;
    bool icmp = !strcmp(port->protocol, "icmp");
    if (icmp != !port->port || !inventory_port_range(port->port, &from, &to))
        return err_with_hint(yaml_error(port->where, "hosts.%s.firewall: '%s' is no port or range",
                                        host->name, port->port ? port->port : ""),
                             icmp ? "icmp has no ports" : "for example 443 or 8000-8100");
    for (size_t i = 0; i < port->from.count; i++)
        if (!is_network(port->from.items[i]))
            return err_with_hint(yaml_error(yaml_get(port->where, "from")->items[i],
                                            "hosts.%s.firewall: '%s' is no network", host->name,
                                            port->from.items[i]),
                                 "for example 203.0.113.0/24, 198.51.100.7/32 or 2001:db8::/32");
    *ssh = *ssh || (!strcmp(port->protocol, "tcp") && from <= 22 && to >= 22);
    return NULL;
}

static struct err *check_firewall(const struct host *host)
{
    bool ssh = false;
    for (FOREACH(struct open_port, port, host->firewall))
        TRY(check_port(host, port, &ssh));
    if (!host->firewall.count || ssh)
        return NULL;
    return err_with_hint(yaml_error(yaml_get(host->where, "firewall"),
                                    "hosts.%s.firewall lets no SSH in: the new server could not be reached",
                                    host->name),
                         "add: {port: 22, from: [the networks that rehost is run from]}");
}

static struct err *check_name(const struct inventory *inventory, const struct dns_name *name,
                              const char *path)
{
    TRY(check_account(inventory, name->where, path, name->account));
    if (!dns_find(inventory_account(inventory, name->account)->type))
        return yaml_error(yaml_get(name->where, "provider"), "%s.provider: account '%s' serves no DNS", path,
                          name->account);
    bool address = !strcmp(name->type, "address");
    if (address != !name->value)
        return yaml_error(name->where,
                          address ? "%s: an address has no 'value': it is the new server's"
                                  : "%s: the key 'value' is missing",
                          path);
    return NULL;
}

static struct err *check_host(const struct inventory *inventory, const struct host *host)
{
    if (!is_label(host->name))
        return err_with_hint(yaml_error(host->where, "host name '%s' cannot be used as a label", host->name),
                             "use a-z, 0-9 and '-', at most %d characters", LABEL_MAX_LENGTH);
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    TRY(check_servers(inventory, yaml_get(host->where, "current"),
                      arena_printf(arena, "hosts.%s.current", host->name), host->current.account));
    TRY(check_places(arena, inventory, host));
    TRY(check_firewall(host));
    size_t index = 0;
    for (FOREACH(struct dns_name, name, host->names))
        TRY(check_name(inventory, name, arena_printf(arena, "hosts.%s.names[%zu]", host->name, index++)));
    for (size_t i = 0; i < host->secrets.count; i++)
        if (!inventory_secret(inventory, host->secrets.items[i]))
            return unknown_secret(inventory, yaml_get(host->where, "secrets")->items[i],
                                  arena_printf(arena, "hosts.%s.secrets[%zu]", host->name, i),
                                  host->secrets.items[i]);
    TRY(check_datasets(inventory, host));
    for (FOREACH(struct check, check, host->checks))
        TRY(check_check(inventory, host, check));
    return NULL;
}

static struct err *check_sources(const struct inventory *inventory)
{
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    TRY(check_source(&inventory->keys.ssh, "keys.ssh"));
    TRY(check_source(&inventory->keys.backup, "keys.backup"));
    TRY(check_source(&inventory->keys.signing, "keys.signing"));
    TRY(check_source(&inventory->storage.access_key, "storage.access_key"));
    TRY(check_source(&inventory->storage.secret_key, "storage.secret_key"));
    for (FOREACH(struct account, account, inventory->accounts))
        TRY(check_source(&account->token, arena_printf(arena, "providers.%s.token", account->name)));
    for (FOREACH(struct named_source, secret, inventory->secrets))
        TRY(check_source(&secret->source, arena_printf(arena, "secrets.%s", secret->name)));
    return NULL;
}

/* An account serves servers, DNS zones, or both: known is the type of either kind of adapter. */
static const char **known_types(struct arena *arena, size_t *count)
{
    enum { MOST = 64 };
    const char **types = arena_array(arena, MOST, sizeof(*types));
    *count = 0;
    for (size_t i = 0; provider_at(i) && *count < MOST; i++)
        types[(*count)++] = provider_at(i)->type;
    for (size_t i = 0; dns_at(i) && *count < MOST; i++)
        if (!provider_find(dns_at(i)->type))
            types[(*count)++] = dns_at(i)->type;
    return types;
}

const char *inventory_account_types(struct arena *arena)
{
    size_t count;
    const char **types = known_types(arena, &count);
    CLEANUP_STRBUF struct strbuf all;
    strbuf_init(&all, 0);
    for (size_t i = 0; i < count; i++)
        strbuf_addf(&all, "%s%s", i ? ", " : "", types[i]);
    return strbuf_to_arena(&all, arena);
}

static struct err *unknown_type(struct arena *arena, const struct account *account,
                                const struct yaml_node *where)
{
    size_t count;
    const char **types = known_types(arena, &count);
    const char *near = yaml_nearest(account->type, types, count);
    struct err *e = yaml_error(where, "providers.%s.type: no provider '%s'", account->name, account->type);
    return near ? err_with_hint(e, "did you mean '%s'?", near)
                : err_with_hint(e, "known are: %s", inventory_account_types(arena));
}

static struct err *check_types(struct arena *arena, const struct inventory *inventory,
                               const struct yaml_node *root)
{
    const struct yaml_node *accounts = yaml_get(root, "providers");
    for (FOREACH(struct account, account, inventory->accounts))
        if (!provider_find(account->type) && !dns_find(account->type))
            return unknown_type(arena, account, yaml_get(yaml_get(accounts, account->name), "type"));
    return NULL;
}

static struct err *check_all(struct arena *arena, const struct inventory *inventory,
                             const struct yaml_node *root)
{
    if (!is_label(inventory->project))
        return yaml_error(yaml_get(root, "project"), "project: use a-z, 0-9 and '-', at most %d characters",
                          LABEL_MAX_LENGTH);
    TRY(check_sources(inventory));
    TRY(check_types(arena, inventory, root));
    CLEANUP_ERR struct err *bad = age_check_recipient(inventory->keys.recovery);
    if (bad)
        return err_with_hint(
            yaml_error(yaml_get(yaml_get(root, "keys"), "recovery"), "keys.recovery: %s", err_text(bad)),
            "make one with: age-keygen");
    for (FOREACH(struct host, host, inventory->hosts))
        TRY(check_host(inventory, host));
    return NULL;
}

/* Absolute, because paths that were seen from it once may be seen from it again. */
static const char *folder_of(struct arena *arena, const char *path)
{
    const char *dir = fs_dirname(arena, path);
    char *absolute = realpath(dir, NULL);
    if (absolute)
        dir = arena_strdup(arena, absolute);
    free(absolute);
    return dir;
}

struct err *inventory_load(struct arena *arena, const char *path, const struct inventory **out)
{
    char *text;
    size_t length;
    struct err *missing = fs_read_file(arena, path, INVENTORY_MAX_BYTES, &text, &length);
    if (missing)
        return err_with_hint(err_wrap(missing, "read the inventory"),
                             "make one with: rehost init, or name it with --inventory FILE");
    const struct yaml_node *root;
    TRY(yaml_parse(arena, path, text, length, &root));
    struct inventory *inventory = ARENA_NEW(arena, struct inventory);
    inventory->path = arena_strdup(arena, path);
    inventory->dir = folder_of(arena, path);
    hash_sha256_hex(text, length, inventory->digest);
    TRY(schema_bind(arena, &inventory_schema, root, "", inventory->dir, inventory));
    if (!inventory->state_dir)
        inventory->state_dir = arena_printf(arena, "%s/%s", fs_state_dir(arena), inventory->project);
    TRY(check_all(arena, inventory, root));
    *out = inventory;
    return NULL;
}

void inventory_describe(struct strbuf *out)
{
    strbuf_adds(out, "# Inventory reference\n\nMade by `rehost help inventory` from the table that also "
                     "validates; do not edit.\n"
                     "An example with every part stands in `inventory.example.yaml`.\n");
    schema_describe(&inventory_schema, "", out);
}
