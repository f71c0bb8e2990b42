/* Which hosts a playbook is for, and the way to each of them. */
#include "base/decode.h"
#include "base/fs.h"
#include "base/proc.h"
#include "base/strbuf.h"
#include "cli/cmd_play.h"
#include "cli/out.h"
#include "playbook/template.h"
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_FORKS 50

/* --- the host's key --- */

static const char *known_name(struct arena *arena, const struct ssh_target *target)
{
    return target->port && target->port != 22 ? arena_printf(arena, "[%s]:%d", target->host, target->port)
                                              : target->host;
}

static const char trust_hint[] = "ssh to it once, or accept it with --trust-on-first-use; with --host also "
                                 "--host-key 'ssh-ed25519 AAAA...'";

/* OpenSSH's own tool reads known_hosts, hashed names and all. *key stays NULL when nobody knows it and that
 * is allowed. */
static struct err *known_host_key(const struct ctx *ctx, struct arena *arena, const struct play_way *way,
                                  const char **key)
{
    const char *name = known_name(arena, &way->target), *file = way->known_hosts;
    const char *const argv[] = {"ssh-keygen", "-F", name, file ? "-f" : NULL, file, NULL};
    CLEANUP_STRBUF struct strbuf out;
    strbuf_init(&out, 1 << 20);
    struct proc_result result = {.exit_status = 1};
    if (!file || strcmp(file, "/dev/null") != 0)
        TRY(proc_run(ctx, argv, NULL, 0, &out, NULL, &result));
    const char *found = result.exit_status == 0 ? strstr(out.data, " ssh-ed25519 ") : NULL;
    if (found)
        *key = arena_strndup(arena, found + 1, strcspn(found + 1, "\r\n"));
    else if (!way->target.trust_first_use)
        return err_with_hint(err_new(ERR_TRUST, "the host key of '%s' is not known", name), "%s", trust_hint);
    return NULL;
}

static struct err *open_way(const struct ctx *ctx, void *arg, size_t host, struct ssh **ssh)
{
    const struct play_command *play = arg;
    const struct play_way *way = &play->ways[host];
    CLEANUP_ARENA struct arena *scratch = arena_new(0);
    struct ssh_target target = way->target;
    if (way->local)
        return NULL;
    if (!target.host_key)
        TRY(known_host_key(ctx, scratch, way, &target.host_key));
    TRY(ssh_connect(ctx, &target, ssh));
    if (!target.host_key)
        out_info("--       %s: accepted the host key %s\n", play->hosts[host].name, ssh_host_key(*ssh));
    return NULL;
}

/* --- one machine, by its address --- */

static struct err *split_address(struct cli *cli, const char *text, struct ssh_target *target)
{
    const char *colon = strrchr(text, ':');
    target->host = text;
    if (!colon || strchr(text, ':') != colon) /* a bare IPv6 address has several */
        return NULL;
    char *end;
    long port = strtol(colon + 1, &end, 10);
    if (*end || end == colon + 1 || port < 1 || port > 65535)
        return err_new(ERR_INPUT, "--host '%s': the port is not a number from 1 to 65535", text);
    target->host = arena_strndup(cli->arena, text, (size_t)(colon - text));
    target->port = (int)port;
    return NULL;
}

static struct err *read_key(struct cli *cli, const char *path, const struct secret **key)
{
    struct secret *read = NULL;
    TRY(secret_read_file(fs_resolve(cli->arena, NULL, path ? path : "~/.ssh/id_ed25519"), &read));
    *key = secret_keep(cli->arena, read);
    return NULL;
}

static const char *key_option(const struct cli *cli)
{
    return cli_option(cli, "key") ? cli_option(cli, "key") : cli_option(cli, "private-key");
}

static struct err *match_one(void *arg, struct arena *arena, const json_t *pattern, size_t **indices,
                             size_t *count)
{
    (void)arg;
    (void)pattern; /* --host says where */
    *indices = arena_array(arena, 1, sizeof(**indices));
    *count = 1;
    return NULL;
}

/* What Ansible gives for `-i ADDRESS,`: the login among the host's variables, and no group. */
static void describe_one(struct play_command *play)
{
    struct cli *cli = play->cli;
    struct crew_host *host = play->hosts;
    const char *user = cli_option(cli, "user");
    play->one = json_pack("{s:{s:s}, s:[s], s:{s:[s], s:[s]}}", "vars", "ansible_user", user ? user : "root",
                          "group_names", "ungrouped", "groups", "all", host->name, "ungrouped", host->name);
    json_t *vars = json_object_get(play->one, "vars");
    json_object_update(vars, play->host_vars);
    host->vars = vars;
    host->group_names = json_object_get(play->one, "group_names");
    play->crew.groups = json_object_get(play->one, "groups");
}

static struct err *find_one(struct play_command *play)
{
    struct cli *cli = play->cli;
    struct play_way *way = play->ways = arena_array(cli->arena, 1, sizeof(*way));
    struct crew_host *host = play->hosts = arena_array(cli->arena, 1, sizeof(*host));
    way->target = (struct ssh_target){.user = cli_option(cli, "user"),
                                      .host_key = cli_option(cli, "host-key"),
                                      .trust_first_use = cli_switch(cli, "trust-on-first-use")};
    TRY(split_address(cli, cli_option(cli, "host"), &way->target));
    if (!key_option(cli) && play->project)
        TRY(project_ssh_key(play->project, &way->target.private_key, &(const char *){0}));
    else
        TRY(read_key(cli, key_option(cli), &way->target.private_key));
    *host = (struct crew_host){.name = cli_option(cli, "as") ? cli_option(cli, "as") : way->target.host,
                               .vars = play->host_vars,
                               .become = cli_switch(cli, "become"),
                               .become_user = cli_option(cli, "become-user"),
                               .become_password = play->become_password};
    play->crew =
        (struct crew){.hosts = host, .host_count = 1, .arg = play, .match = match_one, .open = open_way};
    describe_one(play);
    return NULL;
}

/* --- an inventory --- */

static struct err *load_inventory(struct play_command *play)
{
    struct cli *cli = play->cli;
    size_t count;
    const char *const *sources = cli_values(cli, "inventory", &count);
    if (!count) {
        sources = play->config.inventory;
        count = play->config.inventory_count;
    }
    const char *dir = fs_dirname(cli->arena, playbook_path(play->playbook));
    TRY(hosts_load(&cli->ctx, cli->arena, sources, count, dir, &play->inventory));
    for (size_t i = 0; i < play->inventory->warning_count; i++)
        out_info("!!       %s\n", play->inventory->warnings[i]);
    return NULL;
}

static struct err *read_limit(struct play_command *play)
{
    const char *limit = cli_option(play->cli, "limit");
    size_t *indices, count;
    if (!limit)
        return NULL;
    TRY(hosts_limit(play->inventory, play->cli->arena, limit, &indices, &count));
    play->limited = arena_array(play->cli->arena, play->inventory->count + 1, sizeof(bool));
    for (size_t i = 0; i < count; i++)
        play->limited[indices[i]] = true;
    return count ? NULL : err_new(ERR_INPUT, "--limit '%s' leaves no host", limit);
}

struct err *play_match(struct play_command *play, struct arena *arena, const json_t *written,
                       size_t **indices, size_t *count, const char **unknown)
{
    size_t all;
    TRY(hosts_match(play->inventory, arena, written, indices, &all, unknown));
    *count = 0;
    for (size_t i = 0; i < all; i++)
        if (!play->limited || play->limited[(*indices)[i]])
            (*indices)[(*count)++] = (*indices)[i];
    return NULL;
}

static struct err *match_play(void *arg, struct arena *arena, const json_t *pattern, size_t **indices,
                              size_t *count)
{
    struct play_command *play = arg;
    const char *unknown;
    TRY(play_match(play, arena, pattern, indices, count, &unknown));
    const char *near = unknown ? hosts_nearest(play->inventory, arena, unknown) : NULL;
    if (unknown)
        out_info("!!       no host or group is named '%s'%s%s%s\n", unknown, near ? "; did you mean '" : "",
                 near ? near : "", near ? "'?" : "");
    if (!*count)
        out_info("--       a play is skipped: no host is left for '%s'\n", expr_value_text(arena, pattern));
    return NULL;
}

static const char *own_name(struct arena *arena)
{
    struct passwd entry, *found = NULL;
    size_t size = 16384;
    char *text = arena_alloc(arena, size);
    return getpwuid_r(geteuid(), &entry, text, size, &found) == 0 && found ? found->pw_name : NULL;
}

/* What the command line and ansible.cfg say of every host; variables of a host come after. */
static struct hosts_login default_login(const struct play_command *play)
{
    struct cli *cli = play->cli;
    const struct hosts_config *config = &play->config;
    const char *user = cli_option(cli, "user"), *key = key_option(cli),
               *become_user = cli_option(cli, "become-user");
    return (struct hosts_login){.port = config->remote_port,
                                .user = user                  ? user
                                        : config->remote_user ? config->remote_user
                                                              : own_name(cli->arena),
                                .key_file = key ? key : config->private_key_file,
                                .trust_unknown =
                                    cli_switch(cli, "trust-on-first-use") || !config->host_key_checking,
                                .become = cli_switch(cli, "become") || config->become,
                                .become_user = become_user ? become_user : config->become_user,
                                .become_password = play->become_password};
}

/* A key that many hosts share is read once. `keys`: path -> index of the host that has it. */
static struct err *shared_key(struct play_command *play, json_t *keys, size_t host, const char *path)
{
    const struct secret **key = &play->ways[host].target.private_key;
    const json_t *reader = json_object_get(keys, path ? path : "");
    if (reader) {
        *key = play->ways[json_integer_value(reader)].target.private_key;
        return NULL;
    }
    TRY(err_wrap(read_key(play->cli, path, key), "host '%s'", play->hosts[host].name));
    json_object_set_new(keys, path ? path : "", json_integer((json_int_t)host));
    return NULL;
}

/* What the plays want of a host: one session serves them all. */
struct want {
    bool wanted;
    bool remote;                       /* by a play that is not wholly done here */
    const char *user;                  /* remote_user of the first play that says it, or NULL */
    const struct playbook_item *other; /* a play that says another one, or NULL */
};

static struct err *two_users(const struct play_command *play, const struct want *want, size_t host)
{
    return err_with_hint(
        err_new(ERR_INPUT, "%s:%d: play '%s' logs in on '%s' as another user than '%s' of an earlier play",
                want->other->file, want->other->line, want->other->play, play->hosts[host].name, want->user),
        "a host has one login: say remote_user once, and become_user where it matters");
}

static struct err *prepare(struct play_command *play, json_t *keys, const struct want *want, size_t host)
{
    struct hosts_login login = default_login(play);
    struct play_way *way = &play->ways[host];
    login.user = want->user ? want->user : login.user;
    TRY(hosts_read_login(play->cli->arena, &play->inventory->items[host], play->extra_vars, &login));
    way->local = login.local || !want->remote;
    if (want->other && login.user == want->user && !way->local) /* no ansible_user decides */
        return two_users(play, want, host);
    way->known_hosts = login.known_hosts;
    way->target = (struct ssh_target){.host = login.address,
                                      .port = login.port,
                                      .user = login.user,
                                      .trust_first_use = login.trust_unknown};
    play->hosts[host].become = login.become;
    play->hosts[host].become_user = login.become_user;
    play->hosts[host].become_password = login.become_password;
    return way->local ? NULL : shared_key(play, keys, host, login.key_file);
}

static struct err *render_text(const struct play_command *play, const struct playbook_item *item,
                               const json_t *written, const char **text)
{
    struct arena *arena = play->cli->arena;
    const struct expr_scope scope = {.vars = play->extra_vars};
    const struct expr_env env = {.scope = &scope};
    const struct expr_place place = {.file = item->file, .line = item->line};
    CLEANUP_JSON json_t *value = NULL;
    *text = NULL;
    if (!written)
        return NULL;
    TRY(template_render_json(arena, &env, &place, written, &value));
    *text = arena_strdup(arena, expr_value_text(arena, value));
    return NULL;
}

static void want_host(struct want *want, const struct playbook_item *item, bool here, const char *user)
{
    want->wanted = true;
    want->remote = want->remote || !here;
    if (user && want->user && strcmp(user, want->user) != 0)
        want->other = item;
    want->user = want->user ? want->user : user;
}

static struct err *want_play(struct play_command *play, const struct playbook_item *item, struct want *wants)
{
    CLEANUP_ARENA struct arena *scratch = arena_new(0);
    CLEANUP_JSON json_t *pattern = NULL;
    const struct expr_scope scope = {.vars = play->extra_vars};
    const struct expr_env env = {.scope = &scope};
    const struct expr_place place = {.file = item->file, .line = item->line};
    size_t *indices, count;
    const char *unknown, *connection, *user;
    TRY(template_render_json(scratch, &env, &place, item->pattern, &pattern));
    TRY(render_text(play, item, item->connection, &connection));
    TRY(render_text(play, item, item->remote_user, &user));
    TRY(play_match(play, scratch, pattern, &indices, &count, &unknown));
    bool here = connection && (!strcmp(connection, "local") || !strcmp(connection, "ansible.builtin.local"));
    for (size_t k = 0; k < count; k++)
        want_host(&wants[indices[k]], item, here, here ? NULL : user);
    return NULL;
}

/* Only hosts that some play is for are prepared. What is wrong with one of them stops the command before it
 * touches any; the others may be as they like. */
static struct err *prepare_wanted(struct play_command *play)
{
    struct cli *cli = play->cli;
    CLEANUP_JSON json_t *keys = json_object();
    struct want *wants = arena_array(cli->arena, play->crew.host_count + 1, sizeof(*wants));
    size_t count = 0;
    for (size_t i = 0; i < play->item_count; i++)
        if (!play->items[i].task)
            TRY(want_play(play, &play->items[i], wants));
    for (size_t i = 0; i < play->crew.host_count; i++) {
        if (!wants[i].wanted)
            continue;
        count++;
        TRY(prepare(play, keys, &wants[i], i));
        int width = (int)strlen(play->hosts[i].name);
        play->name_width = width > play->name_width ? width : play->name_width;
    }
    if (!count && !play->inventory->count)
        return err_with_hint(err_new(ERR_INPUT, "rehost play needs hosts: --inventory or --host"),
                             "for example: %s", cli->command->example);
    if (play->name_width > 30)
        play->name_width = 30;
    return NULL;
}

static struct err *read_forks(struct play_command *play)
{
    const char *text = cli_option(play->cli, "forks");
    char *end = NULL;
    long forks = text ? strtol(text, &end, 10) : play->config.forks ? play->config.forks : DEFAULT_FORKS;
    if (text && (*end || forks < 1 || forks > 10000))
        return err_new(ERR_INPUT, "--forks '%s' is not a whole number from 1 to 10000", text);
    play->crew.forks = (size_t)forks;
    return NULL;
}

static struct err *find_many(struct play_command *play)
{
    struct cli *cli = play->cli;
    if (cli_option(cli, "host-key"))
        return err_with_hint(err_new(ERR_INPUT, "--host-key goes with --host, not with an inventory"),
                             "for many hosts: known_hosts, or --trust-on-first-use");
    TRY(load_inventory(play));
    TRY(read_limit(play));
    size_t count = play->inventory->count + play->inventory->has_implicit;
    play->hosts = arena_array(cli->arena, count + 1, sizeof(*play->hosts));
    play->ways = arena_array(cli->arena, count + 1, sizeof(*play->ways));
    for (size_t i = 0; i < count; i++)
        play->hosts[i] = (struct crew_host){.name = play->inventory->items[i].name,
                                            .vars = play->inventory->items[i].vars,
                                            .group_names = play->inventory->items[i].group_names};
    play->crew = (struct crew){.hosts = play->hosts,
                               .host_count = count,
                               .groups = play->inventory->groups,
                               .arg = play,
                               .match = match_play,
                               .open = open_way};
    return read_forks(play);
}

struct err *play_find_hosts(struct play_command *play)
{
    struct cli *cli = play->cli;
    size_t sources;
    cli_values(cli, "inventory", &sources);
    if (cli_option(cli, "host") && sources && !cli_option(cli, "as"))
        return err_with_hint(err_new(ERR_INPUT, "--host and --inventory do not go together"),
                             "to take one host of the inventory: --limit NAME");
    if (cli_option(cli, "as") && !cli_option(cli, "host"))
        return err_with_hint(err_new(ERR_INPUT, "--as needs the machine: --host ADDRESS"), "for example: %s",
                             "rehost play hardening --as web-1 --host 203.0.113.7");
    if (cli_option(cli, "host") && cli_option(cli, "limit"))
        return err_new(ERR_INPUT, "--limit goes with an inventory, not with --host");
    if (cli_option(cli, "host"))
        return find_one(play);
    TRY(find_many(play));
    return cli_switch(cli, "list-hosts") ? NULL : prepare_wanted(play);
}
