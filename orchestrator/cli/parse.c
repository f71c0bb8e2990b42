/* From argv to a struct cli, by the command table. */
#include "cli/cli.h"
#include <stdlib.h>
#include <string.h>

const struct cli_command *cli_find_command(const char *name)
{
    for (size_t i = 0; i < cli_command_count; i++)
        if (!strcmp(cli_commands[i].name, name))
            return &cli_commands[i];
    return NULL;
}

static size_t option_total(const struct cli *cli)
{
    return cli_common_option_count + cli->command->option_count;
}

static const struct cli_option *option_at(const struct cli *cli, size_t index)
{
    return index < cli->command->option_count ? &cli->command->options[index]
                                              : &cli_common_options[index - cli->command->option_count];
}

static size_t option_index(const struct cli *cli, const char *name, size_t length)
{
    for (size_t i = 0; i < option_total(cli); i++)
        if (strlen(option_at(cli, i)->name) == length && !strncmp(option_at(cli, i)->name, name, length))
            return i;
    return SIZE_MAX;
}

const char *cli_option(const struct cli *cli, const char *name)
{
    size_t index = option_index(cli, name, strlen(name));
    return index == SIZE_MAX ? NULL : cli->option_values[index];
}

bool cli_switch(const struct cli *cli, const char *name)
{
    return cli_option(cli, name) != NULL;
}

const char **cli_values(const struct cli *cli, const char *name, size_t *count)
{
    const char **values = arena_array(cli->arena, cli->repeated_count + 1, sizeof(*values));
    *count = 0;
    for (size_t i = 0; i < cli->repeated_count; i++)
        if (!strcmp(cli->repeated_options[i]->name, name))
            values[(*count)++] = cli->repeated[i];
    return values;
}

bool cli_shadows(const struct cli_command *command, const struct cli_option *common)
{
    for (size_t i = 0; i < command->option_count; i++)
        if (!strcmp(command->options[i].name, common->name))
            return true;
    return false;
}

static struct err *unknown_option(const struct cli *cli, const char *given)
{
    const char *names[64];
    size_t count = 0;
    for (size_t i = 0; i < option_total(cli) && count < 64; i++)
        names[count++] = option_at(cli, i)->name;
    const char *near = yaml_nearest(given + strspn(given, "-"), names, count);
    struct err *e = err_new(ERR_INPUT, "rehost %s has no option '%s'", cli->command->name, given);
    return near ? err_with_hint(e, "did you mean --%s?", near)
                : err_with_hint(e, "rehost help %s", cli->command->name);
}

static struct err *set_option(struct cli *cli, size_t index, const char *value, int argc, char **argv,
                              int *at)
{
    const struct cli_option *option = option_at(cli, index);
    if (!option->value) {
        if (value)
            return err_new(ERR_INPUT, "--%s takes no value", option->name);
        value = "";
    } else if (!value) {
        if (*at + 1 >= argc)
            return err_new(ERR_INPUT, "--%s needs a value: %s", option->name, option->value);
        value = argv[++*at];
    }
    if (option->repeats) {
        cli->repeated_options[cli->repeated_count] = option;
        cli->repeated[cli->repeated_count++] = value;
    }
    cli->option_values[index] = value;
    return NULL;
}

static struct err *parse_letter(struct cli *cli, const char *word, int argc, char **argv, int *at)
{
    for (size_t i = 0; i < option_total(cli); i++)
        if (option_at(cli, i)->letter && option_at(cli, i)->letter == word[1])
            return set_option(cli, i, word[2] ? word + 2 : NULL, argc, argv, at);
    return unknown_option(cli, word);
}

static struct err *parse_long(struct cli *cli, const char *word, int argc, char **argv, int *at)
{
    const char *name = word + 2, *equals = strchr(name, '=');
    size_t index = option_index(cli, name, equals ? (size_t)(equals - name) : strlen(name));
    if (index == SIZE_MAX)
        return unknown_option(cli, word);
    return set_option(cli, index, equals ? equals + 1 : NULL, argc, argv, at);
}

static struct err *check_arguments(const struct cli *cli)
{
    if (cli_switch(cli, "help"))
        return NULL;
    if (cli->argument_count < cli->command->min_arguments)
        return err_with_hint(
            err_new(ERR_INPUT, "rehost %s needs %s", cli->command->name, cli->command->arguments),
            "for example: %s", cli->command->example);
    if (cli->argument_count > cli->command->max_arguments)
        return err_with_hint(err_new(ERR_INPUT, "rehost %s does not take '%s'", cli->command->name,
                                     cli->arguments[cli->command->max_arguments]),
                             "rehost help %s", cli->command->name);
    return NULL;
}

static struct err *find_command(struct cli *cli, const char *word)
{
    cli->command = cli_find_command(word);
    if (cli->command)
        return NULL;
    const char *names[32];
    for (size_t i = 0; i < cli_command_count; i++)
        names[i] = cli_commands[i].name;
    const char *near = yaml_nearest(word, names, cli_command_count);
    struct err *e = err_new(ERR_INPUT, "rehost has no command '%s'", word);
    return near ? err_with_hint(e, "did you mean 'rehost %s'?", near)
                : err_with_hint(e, "rehost help lists the commands");
}

struct err *cli_parse(struct cli *cli, int argc, char **argv)
{
    for (int at = 1; at < argc && strcmp(argv[at], "--") != 0; at++)
        cli->json |= !strcmp(argv[at], "--json"); /* a program reads: what is wrong with the rest, too */
    const char *word = argc > 1 ? argv[1] : "help";
    if (!strcmp(word, "--help") || !strcmp(word, "-h"))
        word = "help";
    TRY(find_command(cli, word));
    cli->option_values = arena_array(cli->arena, option_total(cli), sizeof(*cli->option_values));
    cli->arguments = arena_array(cli->arena, (size_t)argc + 1, sizeof(*cli->arguments));
    cli->repeated = arena_array(cli->arena, (size_t)argc + 1, sizeof(*cli->repeated));
    cli->repeated_options = arena_array(cli->arena, (size_t)argc + 1, sizeof(*cli->repeated_options));
    bool only_arguments = false;
    for (int at = 2; at < argc; at++) {
        if (!only_arguments && !strcmp(argv[at], "--"))
            only_arguments = true;
        else if (!only_arguments && !strncmp(argv[at], "--", 2))
            TRY(parse_long(cli, argv[at], argc, argv, &at));
        else if (!only_arguments && argv[at][0] == '-' && argv[at][1])
            TRY(parse_letter(cli, argv[at], argc, argv, &at));
        else
            cli->arguments[cli->argument_count++] = argv[at];
    }
    return check_arguments(cli);
}
