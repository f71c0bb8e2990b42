#include "cli/help.h"
#include "cli/out.h"
#include "core/model.h"
#include "core/project.h"
#include "playbook/playbook.h"
#include <string.h>

static const char *const exit_codes[][2] = {
    {"0", "done, within the objectives"},
    {"1", "error"},
    {"2", "plan or check needs attention"},
    {"3", "done, but an objective was missed"},
    {"4", "waiting for approval"},
    {"5", "stopped, resumable"},
    {"6", "plan or lease out of date"},
    {"7", "held by someone else"},
    {"8", "unknown outcome: a human must look"},
};
#define EXIT_CODE_COUNT (sizeof(exit_codes) / sizeof(*exit_codes))

static const char *option_usage(struct arena *arena, const struct cli_option *option)
{
    const char *letter = option->letter ? arena_printf(arena, "-%c, ", option->letter) : "";
    return option->value ? arena_printf(arena, "%s--%s %s", letter, option->name, option->value)
                         : arena_printf(arena, "%s--%s", letter, option->name);
}

static void print_wrapped(struct cli *cli, const char *text, int width)
{
    int column = 0;
    for (const char *word = text; *word;) {
        int length = (int)strcspn(word, " ");
        if (column && column + 1 + length > width) {
            out_text(cli, "\n");
            column = 0;
        }
        out_text(cli, "%s%.*s", column ? " " : "", length, word);
        column += length + (column ? 1 : 0);
        word += length;
        word += strspn(word, " ");
    }
    out_text(cli, "\n");
}

static void print_options(struct cli *cli, const struct cli_option *options, size_t count)
{
    for (size_t i = 0; i < count; i++)
        out_text(cli, "  %-30s %s\n", option_usage(cli->arena, &options[i]), options[i].doc);
}

void help_command(struct cli *cli, const struct cli_command *command)
{
    out_text(cli, "rehost %s - %s\n\nusage: rehost %s %s%s[options]\n\n", command->name, command->summary,
             command->name, command->arguments, *command->arguments ? " " : "");
    print_wrapped(cli, command->description, 100);
    out_text(cli, "\n");
    print_options(cli, command->options, command->option_count);
    for (size_t i = 0; i < cli_common_option_count; i++)
        if (!cli_shadows(command, &cli_common_options[i]))
            print_options(cli, &cli_common_options[i], 1);
    out_text(cli, "\nexample: %s\n", command->example);
}

void help_overview(struct cli *cli)
{
    out_text(cli,
             "rehost rebuilds lost servers: it provisions a fresh host at another place, configures it,\n"
             "restores secrets and data, proves the service, and moves DNS.\n\n");
    for (size_t i = 0; i < cli_command_count; i++)
        out_text(cli, "  %-8s %-20s %s\n", cli_commands[i].name, cli_commands[i].arguments,
                 cli_commands[i].summary);
    out_text(cli, "\nrehost help COMMAND explains one. Exit codes:\n");
    for (size_t i = 0; i < EXIT_CODE_COUNT; i++)
        out_text(cli, "  %s  %s\n", exit_codes[i][0], exit_codes[i][1]);
    out_text(cli, "\nIs a server lost right now?  rehost plan HOST   then   rehost recover HOST\n");
}

/* --- man page (man(7)): a leading '-' or '.' must not be taken for roff --- */

static void man_text(struct cli *cli, const char *text)
{
    for (; *text; text++)
        out_text(cli, *text == '-' || *text == '\\' ? "\\%c" : "%c", *text);
    out_text(cli, "\n");
}

static void man_options(struct cli *cli, const struct cli_option *options, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        out_text(cli, ".TP\n.B ");
        man_text(cli, option_usage(cli->arena, &options[i]));
        man_text(cli, options[i].doc);
    }
}

void help_man(struct cli *cli)
{
    out_text(cli,
             ".TH REHOST 1\n.SH NAME\nrehost \\- rebuild lost servers\n.SH SYNOPSIS\n.B rehost\n.I COMMAND\n"
             "[\\fIarguments\\fR] [\\fIoptions\\fR]\n.SH COMMANDS\n");
    for (size_t i = 0; i < cli_command_count; i++) {
        const struct cli_command *command = &cli_commands[i];
        out_text(cli, ".SS \"rehost %s %s\"\n", command->name, command->arguments);
        man_text(cli, command->description);
        man_options(cli, command->options, command->option_count);
        out_text(cli, ".PP\nExample: ");
        man_text(cli, command->example);
    }
    out_text(cli, ".SH OPTIONS OF ALL COMMANDS\n");
    man_options(cli, cli_common_options, cli_common_option_count);
    out_text(cli, ".SH EXIT STATUS\n");
    for (size_t i = 0; i < EXIT_CODE_COUNT; i++) {
        out_text(cli, ".TP\n.B %s\n", exit_codes[i][0]);
        man_text(cli, exit_codes[i][1]);
    }
    out_text(cli, ".SH ENVIRONMENT\n.TP\n.B REHOST_INVENTORY\nthe inventory\n.TP\n.B NO_COLOR\n"
                  "when not empty: no colours\n");
}

/* --- docs/reference.md --- */

static void reference_options(struct cli *cli, const struct cli_option *options, size_t count)
{
    if (!count)
        return;
    out_text(cli, "| option | meaning |\n| --- | --- |\n");
    for (size_t i = 0; i < count; i++) {
        out_text(cli, "| `");
        for (const char *c = option_usage(cli->arena, &options[i]); *c; c++)
            out_text(cli, *c == '|' ? "\\%c" : "%c", *c);
        out_text(cli, "` | %s |\n", options[i].doc);
    }
    out_text(cli, "\n");
}

void help_reference(struct cli *cli)
{
    out_text(
        cli,
        "# Command reference\n\nMade by `rehost help --reference` from the command table; do not edit.\n\n");
    for (size_t i = 0; i < cli_command_count; i++) {
        const struct cli_command *command = &cli_commands[i];
        out_text(cli, "## rehost %s %s\n\n%s.\n\n%s\n\n", command->name, command->arguments, command->summary,
                 command->description);
        reference_options(cli, command->options, command->option_count);
        out_text(cli, "Example: `%s`\n\n", command->example);
    }
    out_text(cli, "## Options of all commands\n\n");
    reference_options(cli, cli_common_options, cli_common_option_count);
    out_text(cli, "## Exit codes\n\n| code | meaning |\n| --- | --- |\n");
    for (size_t i = 0; i < EXIT_CODE_COUNT; i++)
        out_text(cli, "| %s | %s |\n", exit_codes[i][0], exit_codes[i][1]);
    out_text(cli,
             "\n## JSON\n\nEvery command takes `--json` and prints one document on stdout:\n\n"
             "    {\"schema\": \"rehost/1\", \"command\": \"plan\", \"exit\": 0, \"data\": {...}, "
             "\"error\": null}\n\n"
             "`error` is `{\"kind\", \"message\", \"hint\"}` when something failed. Times are "
             "milliseconds since the epoch, durations milliseconds "
             "(both `_ms`), sizes are bytes (`_bytes`) or GiB (`_gib`). Text output may change; this does "
             "not within a schema version.\n\n"
             "## Environment\n\n`REHOST_INVENTORY` names the inventory. `NO_COLOR`, when not empty, and "
             "`TERM=dumb` switch colours off.\n");
}

/* --- bash completion --- */

void help_completion(struct cli *cli)
{
    out_text(cli, "_rehost() {\n    local word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]} words\n"
                  "    if [ \"$COMP_CWORD\" -eq 1 ]; then words=\"");
    for (size_t i = 0; i < cli_command_count; i++)
        out_text(cli, "%s%s", i ? " " : "", cli_commands[i].name);
    out_text(cli, "\"\n    else case $command in\n");
    for (size_t i = 0; i < cli_command_count; i++) {
        out_text(cli, "    %s) words=\"", cli_commands[i].name);
        for (size_t k = 0; k < cli_commands[i].option_count; k++)
            out_text(cli, "--%s ", cli_commands[i].options[k].name);
        for (size_t k = 0; k < cli_common_option_count; k++)
            if (!cli_shadows(&cli_commands[i], &cli_common_options[k]))
                out_text(cli, "--%s ", cli_common_options[k].name);
        out_text(cli, "\" ;;\n");
    }
    out_text(cli, "    esac; fi\n    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$word\")\n}\n"
                  "complete -o default -F _rehost rehost\n");
}

/* All of it, or one module. */
static struct err *help_playbooks(struct cli *cli, const char *module)
{
    const char *shipped = arena_printf(cli->arena, "%s/modules", project_playbook_dir(cli->arena));
    const struct playbook_paths paths = {.modules_dir = shipped};
    CLEANUP_STRBUF struct strbuf text;
    strbuf_init(&text, 4 << 20);
    struct err *e = module ? playbook_describe_module(cli->arena, &paths, module, &text)
                           : playbook_describe(cli->arena, &paths, &text);
    if (e && err_kind(e) == ERR_NOT_FOUND) {
        err_free(e);
        return err_with_hint(err_new(ERR_INPUT, "rehost has no command and no module '%s'", module),
                             "rehost help lists the commands, rehost help playbooks the modules");
    }
    TRY(e);
    out_text(cli, "%s", text.data);
    return NULL;
}

struct err *cmd_help(struct cli *cli)
{
    if (cli_switch(cli, "man"))
        help_man(cli);
    else if (cli_switch(cli, "reference"))
        help_reference(cli);
    else if (cli_switch(cli, "completion"))
        help_completion(cli);
    else if (!cli->argument_count)
        help_overview(cli);
    else if (!strcmp(cli->arguments[0], "inventory")) {
        CLEANUP_STRBUF struct strbuf text;
        strbuf_init(&text, 1 << 20);
        inventory_describe(&text);
        out_text(cli, "%s", text.data);
    } else if (!strcmp(cli->arguments[0], "playbooks")) {
        return help_playbooks(cli, NULL);
    } else {
        const struct cli_command *command = cli_find_command(cli->arguments[0]);
        if (!command)
            return help_playbooks(cli, cli->arguments[0]);
        help_command(cli, command);
    }
    return NULL;
}
