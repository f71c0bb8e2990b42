#include "cli/cmd_play.h"
#include "base/decode.h"
#include "base/fs.h"
#include "base/strbuf.h"
#include "cli/out.h"
#include <string.h>

/* Only for their folder: the playbook itself is loaded when its roles_path is known. */
static const char *playbook_dir(struct cli *cli)
{
    return fs_dirname(cli->arena, fs_resolve(cli->arena, NULL, cli->arguments[0]));
}

static void note_item(const struct playbook_item *item, void *arg)
{
    struct play_command *play = arg;
    if (play->item_count == play->item_capacity) {
        play->item_capacity = play->item_capacity ? 2 * play->item_capacity : 32;
        struct playbook_item *items = arena_array(play->cli->arena, play->item_capacity, sizeof(*items));
        if (play->item_count)
            memcpy(items, play->items, play->item_count * sizeof(*items));
        play->items = items;
    }
    play->items[play->item_count++] = *item;
}

static const char *joined(struct cli *cli, const char *option)
{
    size_t count;
    const char **values = cli_values(cli, option, &count), *text = NULL;
    for (size_t i = 0; i < count; i++)
        text = text ? arena_printf(cli->arena, "%s,%s", text, values[i]) : values[i];
    return text;
}

static struct err *load(struct play_command *play)
{
    struct cli *cli = play->cli;
    if (cli_option(cli, "as")) {
        const struct host *host;
        TRY(cli_open_project(cli, &play->project));
        TRY(inventory_host(play->project->inventory, cli_option(cli, "as"), &host));
        TRY(project_vars(play->project, host, &play->host_vars));
    }
    TRY(play_extra_vars(cli, play->extra_vars));
    TRY(hosts_read_config(cli->arena, playbook_dir(cli), &play->config));
    TRY(project_load_playbook(cli->arena, ".", cli->arguments[0], play->config.roles_path,
                              play->config.roles_path_count, &play->playbook));
    playbook_list(play->playbook, cli->arena, joined(cli, "tags"), joined(cli, "skip-tags"), note_item, play);
    return NULL;
}

static struct err *apply(struct play_command *play)
{
    struct cli *cli = play->cli;
    /* Whether to become is in the hosts: there a variable may have switched it off. */
    const struct playbook_options options = {.check = cli_switch(cli, "check"),
                                             .diff = cli_switch(cli, "diff"),
                                             .extra_vars = play->extra_vars,
                                             .tags = joined(cli, "tags"),
                                             .skip_tags = joined(cli, "skip-tags"),
                                             .start_at_task = cli_option(cli, "start-at-task"),
                                             .on_event = play_show_event,
                                             .arg = play};
    struct crew_result *results =
        arena_array(cli->arena, play->crew.host_count + 1, sizeof(struct crew_result));
    struct err *e = crew_apply(&cli->ctx, play->playbook, &play->crew, cli->arena, &options, results);
    play_show_results(play, results);
    for (size_t i = 0; i < play->crew.host_count; i++)
        if (results[i].end == CREW_UNREACHABLE && results[i].kind == ERR_UNKNOWN_OUTCOME)
            cli->exit_code = EXIT_UNKNOWN_OUTCOME; /* also when another host failed in a plain way */
    return e;
}

static struct err *run(struct play_command *play)
{
    struct cli *cli = play->cli;
    TRY(load(play));
    if (cli_switch(cli, "syntax-check")) {
        out_text(cli, "ok %s: %zu tasks\n", cli->arguments[0], playbook_task_count(play->playbook));
        return NULL;
    }
    if (cli_switch(cli, "list-hosts") || cli_switch(cli, "list-tasks") || cli_switch(cli, "list-tags"))
        return play_show_lists(play);
    TRY(play_become_password(play));
    TRY(play_find_hosts(play));
    return apply(play);
}

struct err *cmd_play(struct cli *cli)
{
    CLEANUP_JSON json_t *extra_vars = json_object();
    CLEANUP_JSON json_t *failures = json_array();
    struct play_command play = {.cli = cli, .extra_vars = extra_vars, .failures = failures};
    cli->data = json_pack("{s:s}", "playbook", cli->arguments[0]);
    struct err *e = run(&play);
    json_decref(play.host_vars);
    json_decref(play.one);
    project_close(play.project);
    return e;
}
