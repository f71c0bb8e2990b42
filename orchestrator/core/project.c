#include "core/project.h"
#include "base/age.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/retry.h"
#include "providers/secrets/secrets.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct open_account {
    struct open_account *next;
    const char *name;
    struct compute_account compute;
    struct server *servers; /* of list_servers(); NULL: not asked yet */
    size_t server_count;
    struct movable_ip *ips; /* of project_movable_ips(); NULL: not asked yet */
    size_t ip_count;
    const char *ips_error; /* why they are not known; NULL: nothing went wrong */
    struct dns_account dns;
};

struct open_source {
    struct open_source *next;
    const struct source *source;
    struct secret *secret;
};

struct open_playbook {
    struct open_playbook *next;
    const char *name;
    const struct playbook *playbook;
};

struct project_handles {
    struct open_account *accounts;
    struct open_source *sources;
    struct open_playbook *playbooks;
    struct s3 *s3;
    const char *ssh_public_key;
};

struct err *project_open(const struct ctx *ctx, const char *inventory_path, struct project **out)
{
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    struct project *project = ARENA_NEW(arena, struct project);
    TRY(inventory_load(arena, inventory_path, &project->inventory));
    project->ctx = ctx;
    project->handles = ARENA_NEW(arena, struct project_handles);
    project->store_path = arena_printf(arena, "%s/journal.db", project->inventory->state_dir);
    project->arena = TAKE(arena);
    *out = project;
    return NULL;
}

void project_close(struct project *project)
{
    if (!project)
        return;
    for (struct open_account *a = project->handles->accounts; a; a = a->next) {
        if (a->compute.provider)
            a->compute.ops->close(a->compute.provider);
        if (a->dns.dns)
            a->dns.ops->close(a->dns.dns);
    }
    s3_close(project->handles->s3);
    store_close(project->store);
    for (struct open_source *s = project->handles->sources; s; s = s->next)
        secret_free(s->secret);
    arena_free(project->arena);
}

struct err *project_store(struct project *project)
{
    if (project->store && !project->store_is_empty)
        return NULL;
    store_close(project->store);
    project->store = NULL;
    project->store_is_empty = false;
    return store_open(project->store_path, &project->store);
}

struct err *project_store_read(struct project *project)
{
    if (project->store)
        return NULL;
    if (fs_exists(project->store_path))
        return project_store(project);
    TRY(store_open_empty(project->store_path, &project->store));
    project->store_is_empty = true;
    return NULL;
}

/* --- secrets --- */

struct err *project_secret_source(struct project *project, const struct source *source,
                                  const struct secret **secret)
{
    for (struct open_source *s = project->handles->sources; s; s = s->next) {
        if (s->source == source) {
            *secret = s->secret;
            return NULL;
        }
    }
    const struct secret_source from = {
        .kind = source->file  ? SECRET_SOURCE_FILE
                : source->env ? SECRET_SOURCE_ENV
                              : SECRET_SOURCE_COMMAND,
        .file = source->file,
        .env = source->env,
        .command = (const char *const *)source->command.items,
    };
    struct open_source *opened = ARENA_NEW(project->arena, struct open_source);
    TRY(secret_source_read(project->ctx, &from, project->inventory->dir, &opened->secret));
    opened->source = source;
    opened->next = project->handles->sources;
    project->handles->sources = opened;
    *secret = opened->secret;
    return NULL;
}

struct err *project_secret(struct project *project, const char *name, const struct secret **secret)
{
    const struct named_source *named = inventory_secret(project->inventory, name);
    if (!named)
        return err_new(ERR_INPUT, "no secret '%s' in '%s'", name, project->inventory->path);
    struct err *e = project_secret_source(project, &named->source, secret);
    return e ? err_wrap(e, "read the secret '%s'", name) : NULL;
}

struct err *project_vars(struct project *project, const struct host *host, json_t **vars)
{
    json_t *values = json_object();
    json_t *all = host->vars ? json_deep_copy(host->vars) : json_object();
    json_object_set_new(all, "secrets", values);
    for (size_t i = 0; i < host->secrets.count; i++) {
        const struct secret *secret;
        struct err *e = project_secret(project, host->secrets.items[i], &secret);
        if (e) {
            json_decref(all);
            return e;
        }
        json_object_set_new(values, host->secrets.items[i], json_string(secret_text(secret)));
    }
    *vars = all;
    return NULL;
}

struct err *project_ssh_key(struct project *project, const struct secret **private_key,
                            const char **public_key)
{
    TRY(project_secret_source(project, &project->inventory->keys.ssh, private_key));
    if (!project->handles->ssh_public_key) {
        char *text;
        TRY(ssh_public_key(project->arena, *private_key, &text));
        project->handles->ssh_public_key = text;
    }
    *public_key = project->handles->ssh_public_key;
    return NULL;
}

struct err *project_seal(struct project *project, struct arena *arena, const struct secret *secret,
                         char **sealed)
{
    const struct secret *identity;
    TRY(project_secret_source(project, &project->inventory->keys.backup, &identity));
    char *recipient;
    TRY(age_recipient(arena, identity, &recipient));
    const char *const recipients[] = {recipient, project->inventory->keys.recovery};
    CLEANUP_STRBUF struct strbuf cipher;
    strbuf_init(&cipher, 1 << 20);
    size_t length;
    const unsigned char *bytes = secret_bytes(secret, &length);
    TRY(age_encrypt(recipients, 2, bytes, length, &cipher));
    *sealed = hash_base64(arena, cipher.data, cipher.length);
    return NULL;
}

struct err *project_unseal(struct project *project, const char *sealed, struct secret **secret)
{
    const struct secret *identity;
    TRY(project_secret_source(project, &project->inventory->keys.backup, &identity));
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    uint8_t *cipher;
    size_t length;
    TRY(hash_base64_decode(arena, sealed, &cipher, &length));
    CLEANUP_STRBUF_WIPE struct strbuf plain;
    strbuf_init(&plain, SECRET_MAX_BYTES);
    TRY(age_decrypt(identity, cipher, length, &plain));
    return secret_new(plain.data, plain.length, secret);
}

/* --- accounts --- */

static struct err *find_account(struct project *project, const char *name, const struct account **account,
                                struct open_account **opened)
{
    *account = inventory_account(project->inventory, name);
    if (!*account)
        return err_new(ERR_INPUT, "no provider account '%s' in '%s'", name, project->inventory->path);
    for (*opened = project->handles->accounts; *opened; *opened = (*opened)->next)
        if (!strcmp((*opened)->name, name))
            return NULL;
    *opened = ARENA_NEW(project->arena, struct open_account);
    **opened = (struct open_account){.next = project->handles->accounts, .name = (*account)->name};
    project->handles->accounts = *opened;
    return NULL;
}

struct err *project_compute(struct project *project, const char *name, struct compute_account *out)
{
    const struct account *account;
    struct open_account *opened;
    TRY(find_account(project, name, &account, &opened));
    if (!opened->compute.provider) {
        if (!provider_find(account->type))
            return err_new(ERR_INPUT, "account '%s' (%s) has no servers", name, account->type);
        struct account_options options = {
            .name = name, .endpoint = account->endpoint, .ca_file = account->ca_file};
        TRY(project_secret_source(project, &account->token, &options.token));
        opened->compute = (struct compute_account){.ops = provider_find(account->type),
                                                   .settle_ms = account->settle_ms,
                                                   .poll_ms = account->poll_ms,
                                                   .max_creates = account->max_creates};
        TRY(opened->compute.ops->open(&options, &opened->compute.provider));
    }
    *out = opened->compute;
    return NULL;
}

struct err *project_dns(struct project *project, const char *name, struct dns_account *out)
{
    const struct account *account;
    struct open_account *opened;
    TRY(find_account(project, name, &account, &opened));
    if (!opened->dns.dns) {
        struct account_options options = {
            .name = name, .endpoint = account->endpoint, .ca_file = account->ca_file};
        TRY(project_secret_source(project, &account->token, &options.token));
        opened->dns = (struct dns_account){.ops = dns_find(account->type), .poll_ms = account->poll_ms};
        if (!opened->dns.ops)
            return err_new(ERR_INPUT, "account '%s' (%s) serves no DNS", name, account->type);
        TRY(opened->dns.ops->open(&options, &opened->dns.dns));
    }
    *out = opened->dns;
    return NULL;
}

struct err *project_s3(struct project *project, struct s3 **s3)
{
    const struct storage *storage = &project->inventory->storage;
    if (!storage->endpoint)
        return err_with_hint(err_new(ERR_INPUT, "'%s' has no object storage", project->inventory->path),
                             "describe it under the key 'storage'");
    if (!project->handles->s3) {
        struct s3_options options = {.endpoint = storage->endpoint,
                                     .region = storage->region,
                                     .bucket = storage->bucket,
                                     .ca_file = storage->ca_file};
        TRY(project_secret_source(project, &storage->access_key, &options.access_key));
        TRY(project_secret_source(project, &storage->secret_key, &options.secret_key));
        TRY(s3_open(&options, &project->handles->s3));
    }
    *s3 = project->handles->s3;
    return NULL;
}

struct err *project_data(struct project *project, struct data_env *env)
{
    const struct storage *storage = &project->inventory->storage;
    struct s3 *s3;
    TRY(project_s3(project, &s3));
    *env = (struct data_env){.s3 = s3,
                             .prefix = storage->prefix ? storage->prefix : "",
                             .recovery_recipient = project->inventory->keys.recovery};
    TRY(project_secret_source(project, &project->inventory->keys.backup, &env->identity));
    return project_secret_source(project, &project->inventory->keys.signing, &env->signing_key);
}

/* --- playbooks --- */

const char *project_playbook_dir(struct arena *arena)
{
    const char *wanted = getenv("REHOST_PLAYBOOKS");
    if (wanted && *wanted)
        return wanted;
    char program[4096] = "";
    if (readlink("/proc/self/exe", program, sizeof(program) - 1) > 0) {
        char *beside = arena_printf(arena, "%s/../share/rehost/playbooks", fs_dirname(arena, program));
        if (fs_is_dir(beside))
            return beside;
    }
    return REHOST_SOURCE_PLAYBOOKS;
}

static bool is_path(const char *name)
{
    size_t length = strlen(name);
    return strchr(name, '/') || (length > 5 && !strcmp(name + length - 5, ".yaml")) ||
           (length > 4 && !strcmp(name + length - 4, ".yml"));
}

struct err *project_load_playbook(struct arena *arena, const char *base_dir, const char *name,
                                  const char *const *role_dirs, size_t role_dir_count,
                                  const struct playbook **playbook)
{
    const char *shipped = project_playbook_dir(arena);
    const char **roles = arena_array(arena, role_dir_count + 1, sizeof(*roles));
    for (size_t i = 0; i < role_dir_count; i++)
        roles[i] = role_dirs[i];
    roles[role_dir_count] = arena_printf(arena, "%s/roles", shipped);
    const struct playbook_paths paths = {
        .modules_dir = arena_printf(arena, "%s/modules", shipped), .role_dirs = roles, .role_dir_count = role_dir_count + 1};
    char *path =
        is_path(name) ? fs_resolve(arena, base_dir, name) : arena_printf(arena, "%s/%s.yaml", shipped, name);
    if (!fs_exists(path))
        return err_with_hint(err_new(ERR_NOT_FOUND, "no playbook '%s' at '%s'", name, path),
                             "a name without '/' is one of the shipped playbooks in '%s'", shipped);
    return playbook_load(arena, path, &paths, playbook);
}

struct err *project_playbook(struct project *project, const char *name, const struct playbook **playbook)
{
    for (struct open_playbook *p = project->handles->playbooks; p; p = p->next) {
        if (!strcmp(p->name, name)) {
            *playbook = p->playbook;
            return NULL;
        }
    }
    struct open_playbook *opened = ARENA_NEW(project->arena, struct open_playbook);
    TRY(project_load_playbook(project->arena, project->inventory->dir, name, NULL, 0, &opened->playbook));
    opened->name = arena_strdup(project->arena, name);
    opened->next = project->handles->playbooks;
    project->handles->playbooks = opened;
    *playbook = opened->playbook;
    return NULL;
}

/* --- where a host is --- */

struct err *project_locate(struct project *project, const struct host *host, struct host_location *location)
{
    struct resource_row made;
    TRY(project_store_read(project));
    TRY(store_resource_current(project->store, project->arena, host->name, &made));
    if (made.server_id)
        *location = (struct host_location){.account = made.account,
                                           .server_id = made.server_id,
                                           .name = made.name,
                                           .address = made.address,
                                           .host_key = made.host_key,
                                           .made_by_rehost = true};
    else
        *location = (struct host_location){.account = host->current.account,
                                           .name = host->current.server,
                                           .host_key = host->current.host_key};
    return NULL;
}

struct listing {
    struct project *project;
    struct open_account *opened;
};

static struct err *list_once(const struct ctx *ctx, void *arg)
{
    struct listing *listing = arg;
    struct open_account *opened = listing->opened;
    return opened->compute.ops->server_list(ctx, opened->compute.provider, listing->project->arena, NULL,
                                            &opened->servers, &opened->server_count);
}

/* All servers of an account, asked for once: many hosts are looked for among them. */
static struct err *list_servers(struct project *project, const char *name, struct open_account **opened)
{
    const struct account *account;
    struct compute_account unused;
    TRY(project_compute(project, name, &unused));
    TRY(find_account(project, name, &account, opened));
    if ((*opened)->servers)
        return NULL;
    struct listing listing = {.project = project, .opened = *opened};
    return retry_run(project->ctx, &retry_reads, "look for the server", list_once, &listing);
}

struct err *project_find_server(struct project *project, const struct host *host,
                                struct host_location *location)
{
    TRY(project_locate(project, host, location));
    struct open_account *opened;
    TRY(list_servers(project, location->account, &opened));
    for (size_t i = 0; i < opened->server_count; i++) {
        const struct server *server = &opened->servers[i];
        bool same = location->server_id
                        ? !strcmp(server->id, location->server_id)
                        : !strcmp(server->name, location->name) || !strcmp(server->id, location->name);
        if (!same)
            continue;
        location->server_id = server->id;
        location->address = server->ipv4;
        return NULL;
    }
    return err_with_hint(err_new(ERR_NOT_FOUND, "server '%s' of host '%s' does not exist at '%s' any more",
                                 location->name, host->name, location->account),
                         "rebuild it with: rehost recover %s", host->name);
}

static struct err *ips_once(const struct ctx *ctx, void *arg)
{
    struct listing *listing = arg;
    struct open_account *opened = listing->opened;
    return opened->compute.ops->ip->list(ctx, opened->compute.provider, listing->project->arena, &opened->ips,
                                         &opened->ip_count);
}

struct err *project_movable_ips(struct project *project, const char *name, struct movable_ip **ips,
                                size_t *count)
{
    const struct account *account;
    struct open_account *opened;
    struct compute_account compute;
    *count = 0;
    TRY(project_compute(project, name, &compute));
    TRY(find_account(project, name, &account, &opened));
    if (!compute.ops->ip)
        return NULL;
    if (opened->ips_error)
        return err_new(ERR_TRANSIENT, "%s", opened->ips_error);
    if (!opened->ips) {
        struct listing listing = {.project = project, .opened = opened};
        struct err *e =
            retry_run(project->ctx, &retry_reads, "look for movable addresses", ips_once, &listing);
        if (e && err_kind(e) != ERR_CANCELLED)
            opened->ips_error = arena_strdup(project->arena, err_text(e));
        TRY(e);
    }
    *ips = opened->ips;
    *count = opened->ip_count;
    return NULL;
}
