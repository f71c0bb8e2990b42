#include "cli/confirm.h"
#include "cli/out.h"
#include "cli/run_command.h"

static size_t show_items(struct cli *cli, const struct gc_item *items, size_t count, bool remove)
{
    size_t leftovers = 0, removed = 0, unlisted = 0;
    cli->data = json_pack("{s:[]}", "servers");
    for (size_t i = 0; i < count; i++) {
        leftovers += !items[i].owned;
        unlisted += items[i].unlisted;
        removed += items[i].removed;
        out_text(cli, " %s %-14s %-12s %-32s %s\n",
                 items[i].unlisted ? "!!"
                 : items[i].owned  ? "= "
                                   : "- ",
                 items[i].account, items[i].server_id, items[i].name, items[i].why);
        json_array_append_new(json_object_get(cli->data, "servers"),
                              json_pack("{s:s, s:s, s:s, s:s, s:b, s:b, s:s}", "provider", items[i].account,
                                        "server_id", items[i].server_id, "name", items[i].name, "run",
                                        items[i].run, "owned", items[i].owned, "removed", items[i].removed,
                                        "why", items[i].why));
    }
    out_text(cli, "%zu servers with our labels, %zu %s\n", count - unlisted, remove ? removed : leftovers,
             remove ? "removed" : "left behind");
    if (unlisted)
        cli->exit_code = EXIT_ATTENTION;
    return leftovers - removed;
}

struct err *cmd_gc(struct cli *cli)
{
    CLEANUP_PROJECT struct project *project = NULL;
    struct run_options options;
    struct gc_item *items;
    size_t count;
    bool remove = cli_switch(cli, "remove");
    TRY(cli_open_project(cli, &project));
    TRY(run_command_options(cli, NULL, &options));
    if (remove)
        TRY(confirm_ask(cli, DANGER_MODERATE, "remove the servers that nobody owns", "yes"));
    TRY(run_gc(project, cli->arena, &options, remove, &items, &count));
    size_t leftovers = show_items(cli, items, count, remove);
    if (leftovers) {
        out_text(cli, "Next:  rehost gc --remove\n");
        cli->exit_code = EXIT_ATTENTION;
    }
    return NULL;
}
