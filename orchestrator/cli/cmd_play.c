#include "base/decode.h"
#include "base/fs.h"
#include "base/proc.h"
#include "base/yaml.h"
#include "cli/out.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the host --- */

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

/* OpenSSH's own tool reads known_hosts, hashed names and all. */
static struct err *known_host_key(struct cli *cli, struct ssh_target *target)
{
    const char *name = target->port && target->port != 22
                           ? arena_printf(cli->arena, "[%s]:%d", target->host, target->port)
                           : target->host;
    const char *const argv[] = {"ssh-keygen", "-F", name, NULL};
    CLEANUP_STRBUF struct strbuf out;
    strbuf_init(&out, 1 << 20);
    struct proc_result result;
    TRY(proc_run(&cli->ctx, argv, NULL, 0, &out, NULL, &result));
    const char *key = result.exit_status == 0 ? strstr(out.data, " ssh-ed25519 ") : NULL;
    if (key)
        target->host_key = arena_strndup(cli->arena, key + 1, strcspn(key + 1, "\r\n"));
    else if (!target->trust_first_use)
        return err_with_hint(
            err_new(ERR_TRUST, "the host key of '%s' is not known", name),
            "give it with --host-key 'ssh-ed25519 AAAA...', or accept it with --trust-on-first-use");
    return NULL;
}

static struct err *read_key(struct cli *cli, struct project *project, const struct secret **key)
{
    const char *path = cli_option(cli, "key");
    if (!path && project)
        return project_ssh_key(project, key, &(const char *){0});
    struct secret *read = NULL;
    TRY(secret_read_file(fs_resolve(cli->arena, ".", path ? path : "~/.ssh/id_ed25519"), &read));
    *key = secret_keep(cli->arena, read);
    return NULL;
}

static struct err *make_target(struct cli *cli, struct project *project, struct ssh_target *target)
{
    *target = (struct ssh_target){.user = cli_option(cli, "user"),
                                  .host_key = cli_option(cli, "host-key"),
                                  .trust_first_use = cli_switch(cli, "trust-on-first-use")};
    if (!cli_option(cli, "host"))
        return err_with_hint(err_new(ERR_INPUT, "rehost play needs --host"), "for example: %s",
                             cli->command->example);
    TRY(split_address(cli, cli_option(cli, "host"), target));
    if (!target->host_key)
        TRY(known_host_key(cli, target));
    return read_key(cli, project, &target->private_key);
}

/* --- variables --- */

static struct err *add_map(const struct yaml_node *root, json_t *vars)
{
    if (root->type != YAML_MAP)
        return yaml_error(root, "variables must be a map");
    CLEANUP_JSON json_t *loaded = yaml_to_json(root);
    json_object_update(vars, loaded);
    return NULL;
}

/* As ansible-playbook has it: NAME=VALUE (text), {"name": value} (YAML or JSON), @FILE (the same in a file).
 */
static struct err *add_extra_var(struct cli *cli, const char *text, json_t *vars)
{
    const struct yaml_node *root;
    const char *equals = strchr(text, '=');
    if (*text == '@') {
        TRY(yaml_parse_file(cli->arena, text + 1, &root));
        return add_map(root, vars);
    }
    if (*text == '{') {
        TRY(yaml_parse(cli->arena, "--extra-vars", text, strlen(text), &root));
        return add_map(root, vars);
    }
    if (!equals || equals == text)
        return err_with_hint(
            err_new(ERR_INPUT, "--extra-vars '%s' is neither NAME=VALUE nor {...} nor @FILE", text),
            "for example: -e app_port=3000 or -e @vars.yaml");
    json_object_set_new(vars, arena_strndup(cli->arena, text, (size_t)(equals - text)),
                        json_string(equals + 1));
    return NULL;
}

static struct err *add_extra_vars(struct cli *cli, json_t *vars)
{
    for (size_t i = 0; i < cli->repeated_count; i++)
        TRY(add_extra_var(cli, cli->repeated[i], vars));
    return NULL;
}

/* --- the screen --- */

static const char *const status_words[TASK_STATUS_COUNT] = {"ok", "changed", "skipped", "failed", "ignored"};

static void on_event(const struct task_event *event, void *arg)
{
    struct cli *cli = arg;
    const char *mark = event->status == TASK_FAILED    ? "XX"
                       : event->status == TASK_CHANGED ? "~ "
                       : event->status == TASK_SKIPPED ? "--"
                                                       : "ok";
    out_text(cli, "%s %-8s %s%s%s%s%s%s\n", mark, status_words[event->status], event->role ? event->role : "",
             event->role ? ": " : "", event->task, event->item ? "  (" : "", event->item ? event->item : "",
             event->item ? ")" : "");
    if (event->message && *event->message)
        out_text(cli, "   %s\n", event->message);
    if (event->diff && *event->diff)
        out_text(cli, "%s%s", event->diff, event->diff[strlen(event->diff) - 1] == '\n' ? "" : "\n");
    json_array_append_new(json_object_get(cli->data, "tasks"),
                          json_pack("{s:s, s:s?, s:s?, s:s, s:s, s:s, s:i, s:s}", "task", event->task, "role",
                                    event->role, "item", event->item, "module", event->module, "status",
                                    status_words[event->status], "file", event->file, "line", event->line,
                                    "message", event->message ? event->message : ""));
}

static void show_counts(struct cli *cli, const struct playbook_result *result)
{
    json_t *counts = json_object();
    json_object_set_new(cli->data, "counts", counts);
    for (int i = 0; i < TASK_STATUS_COUNT; i++) {
        out_text(cli, "%s%s=%d", i ? " " : "\n", status_words[i], result->counts[i]);
        json_object_set_new(counts, status_words[i], json_integer(result->counts[i]));
    }
    out_text(cli, "%s\n", cli_switch(cli, "check") ? "   (check: nothing was changed)" : "");
}

/* --- the command --- */

static struct err *apply(struct cli *cli, const struct playbook *playbook, const struct ssh_target *target,
                         const json_t *host_vars, const json_t *extra_vars)
{
    CLEANUP_SSH struct ssh *ssh = NULL;
    TRY(ssh_connect(&cli->ctx, target, &ssh));
    if (target->trust_first_use && !target->host_key)
        out_info("--       accepted the host key %s\n", ssh_host_key(ssh));
    const char *as = cli_option(cli, "as");
    const struct playbook_options options = {.check = cli_switch(cli, "check"),
                                             .diff = cli_switch(cli, "diff"),
                                             .host_name = as ? as : target->host,
                                             .host_vars = host_vars,
                                             .extra_vars = extra_vars,
                                             .on_event = on_event,
                                             .arg = cli};
    struct playbook_result result = {0};
    struct err *e = playbook_apply(&cli->ctx, playbook, ssh, cli->arena, &options, &result);
    show_counts(cli, &result);
    return e;
}

struct err *cmd_play(struct cli *cli)
{
    CLEANUP_PROJECT struct project *project = NULL;
    CLEANUP_JSON json_t *host_vars = NULL;
    CLEANUP_JSON json_t *extra_vars = json_object();
    cli->data = json_pack("{s:s, s:[]}", "playbook", cli->arguments[0], "tasks");
    if (cli_option(cli, "as")) {
        const struct host *host;
        TRY(cli_open_project(cli, &project));
        TRY(inventory_host(project->inventory, cli_option(cli, "as"), &host));
        TRY(project_vars(project, host, &host_vars));
    }
    TRY(add_extra_vars(cli, extra_vars));
    const struct playbook *playbook;
    TRY(project_load_playbook(cli->arena, ".", cli->arguments[0], &playbook));
    struct ssh_target target;
    TRY(make_target(cli, project, &target));
    return apply(cli, playbook, &target, host_vars, extra_vars);
}
