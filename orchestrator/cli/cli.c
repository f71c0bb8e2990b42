#include "cli/cli.h"
#include "base/fs.h"
#include "base/http.h"
#include "base/log.h"
#include "base/ssh.h"
#include "cli/help.h"
#include "cli/out.h"
#include "cli/stop.h"
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* ux: each kind of ending has a number of its own, for scripts. */
int cli_exit_code_of(const struct err *e)
{
    switch (err_kind(e)) {
    case ERR_APPROVAL:
        return EXIT_APPROVAL;
    case ERR_STALE:
        return EXIT_STALE;
    case ERR_HELD:
        return EXIT_HELD;
    case ERR_UNKNOWN_OUTCOME:
        return EXIT_UNKNOWN_OUTCOME;
    case ERR_CANCELLED:
        return EXIT_RESUMABLE;
    default:
        return EXIT_ERROR;
    }
}

static struct err *open_log(struct cli *cli, const struct project *project)
{
    return log_open(arena_printf(cli->arena, "%s/rehost.log", project->inventory->state_dir), LOG_INFO);
}

struct err *cli_open_project(struct cli *cli, struct project **project)
{
    const char *path = cli_option(cli, "inventory");
    if (!path)
        path = getenv("REHOST_INVENTORY");
    TRY(project_open(&cli->ctx, path && *path ? path : "inventory.yaml", project));
    return fs_is_dir((*project)->inventory->state_dir) ? open_log(cli, *project) : NULL;
}

struct err *cli_open_journal(struct cli *cli, struct project *project)
{
    TRY(project_store(project));
    return open_log(cli, project);
}

struct err *cli_pick_host(struct cli *cli, struct project *project, const struct host **host)
{
    if (cli->argument_count)
        return inventory_host(project->inventory, cli->arguments[0], host);
    if (project->inventory->hosts.count == 1) {
        *host = project->inventory->hosts.items;
        return NULL;
    }
    return err_with_hint(err_new(ERR_INPUT, "which host? '%s' has %zu", project->inventory->path,
                                 project->inventory->hosts.count),
                         "for example: rehost %s %s", cli->command->name,
                         project->inventory->hosts.count
                             ? ((const struct host *)project->inventory->hosts.items)->name
                             : "web-1");
}

/* Keys are in memory: no core dump, no debugger of another process of the same user. */
static void protect_process(void)
{
    const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
}

static struct err *run_command(struct cli *cli, int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "--version")) {
        out_text(cli, "rehost " REHOST_VERSION "\n");
        return NULL;
    }
    TRY(cli_parse(cli, argc, argv));
    if (cli_switch(cli, "help")) {
        help_command(cli, cli->command);
        return NULL;
    }
    TRY(http_global_init());
    TRY(ssh_global_init());
    TRY(stop_init(&cli->cancel_fd));
    cli->ctx.cancel_fd = cli->cancel_fd;
    return cli->command->run(cli);
}

int cli_main(int argc, char **argv)
{
    protect_process();
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    struct cli cli = {.arena = arena, .ctx = ctx_background(), .cancel_fd = -1};
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    cli.color = isatty(STDERR_FILENO) && !(no_color && *no_color) && !(term && !strcmp(term, "dumb"));
    CLEANUP_ERR struct err *e = run_command(&cli, argc, argv);
    int exit_code = cli.exit_code ? cli.exit_code : e ? cli_exit_code_of(e) : EXIT_OK;
    out_finish(&cli, e, exit_code);
    if (e)
        out_error(&cli, e);
    json_decref(cli.data);
    log_close();
    return exit_code;
}
