/* The command line: one table (spec.c) from which parser, help, man page, completion and reference are made.
 *
 * A command is a function that fills in its result; out.c prints it, as text or as one JSON document:
 *   {"schema": "rehost/1", "command": "plan", "exit": 0, "data": {...}, "error": null | {"kind", "message",
 * "hint"}} stdout carries the result only, stderr progress and errors.
 */
#pragma once
#include "base/arena.h"
#include "base/ctx.h"
#include "base/err.h"
#include "core/run.h"
#include <jansson.h>
#include <stdbool.h>

enum exit_code {
    EXIT_OK = 0,
    EXIT_ERROR = 1,
    EXIT_ATTENTION = 2,
    EXIT_OBJECTIVE_MISSED = 3,
    EXIT_APPROVAL = 4,
    EXIT_RESUMABLE = 5,
    EXIT_STALE = 6,
    EXIT_HELD = 7,
    EXIT_UNKNOWN_OUTCOME = 8,
};

struct cli_option {
    const char *name;  /* "inventory": written --inventory */
    char letter;       /* 'i', or 0 */
    const char *value; /* "FILE"; NULL: a switch */
    const char *doc;
    bool repeats;
};

struct cli;

struct cli_command {
    const char *name;
    const char *arguments; /* "HOST", "[RUN]" */
    int min_arguments, max_arguments;
    const char *summary;     /* one line */
    const char *description; /* paragraphs */
    const char *example;
    const struct cli_option *options;
    size_t option_count;
    struct err *(*run)(struct cli *cli);
};

struct cli {
    const struct cli_command *command;
    const char **arguments;
    int argument_count;
    const char **option_values; /* parallel to all options: the command's first, then common ones; "" for a
                                   given switch */
    const char **repeated;      /* values of repeating options, in order */
    const struct cli_option **repeated_options; /* and whose they are */
    size_t repeated_count;
    struct arena *arena;
    struct ctx ctx;
    int cancel_fd;
    bool json;
    bool color;
    json_t *data;  /* the result; owned */
    int exit_code; /* set by the command when it succeeded with something to say */
};

extern const struct cli_command cli_commands[];
extern const size_t cli_command_count;
extern const struct cli_option cli_common_options[];
extern const size_t cli_common_option_count;

/* The whole program. Returns the exit code. */
int cli_main(int argc, char **argv);

const struct cli_command *cli_find_command(const char *name);
struct err *cli_parse(struct cli *cli, int argc, char **argv) REHOST_MUST_CHECK;
/* An option's value ("" for a switch that was given), or NULL. */
const char *cli_option(const struct cli *cli, const char *name);
bool cli_switch(const struct cli *cli, const char *name);
/* The values of one repeating option, in order. */
const char **cli_values(const struct cli *cli, const char *name, size_t *count);
/* Whether the command has an option of its own in the place of a common one. */
bool cli_shadows(const struct cli_command *command, const struct cli_option *common);
/* For commands that only look: no file is made. */
struct err *cli_open_project(struct cli *cli, struct project **project) REHOST_MUST_CHECK;
/* Before a command acts: its journal and its log exist from here on. */
struct err *cli_open_journal(struct cli *cli, struct project *project) REHOST_MUST_CHECK;
/* The host that an argument names; without argument the only host of the inventory. */
struct err *cli_pick_host(struct cli *cli, struct project *project,
                          const struct host **host) REHOST_MUST_CHECK;
int cli_exit_code_of(const struct err *e);

struct err *cmd_init(struct cli *cli), *cmd_check(struct cli *cli), *cmd_plan(struct cli *cli),
    *cmd_recover(struct cli *cli), *cmd_resume(struct cli *cli), *cmd_status(struct cli *cli),
    *cmd_report(struct cli *cli), *cmd_backup(struct cli *cli), *cmd_play(struct cli *cli),
    *cmd_destroy(struct cli *cli), *cmd_catalog(struct cli *cli), *cmd_rollback(struct cli *cli),
    *cmd_gc(struct cli *cli), *cmd_help(struct cli *cli);
