/* Help, man page, reference and completion, made from the command table. */
#pragma once
#include "cli/cli.h"

void help_command(struct cli *cli, const struct cli_command *command);
void help_overview(struct cli *cli);
void help_man(struct cli *cli);
void help_reference(struct cli *cli);
void help_completion(struct cli *cli);
