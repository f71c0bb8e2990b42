#include "base/decode.h"
#include "base/yaml.h"
#include "cli/cmd_play.h"
#include "playbook/words.h"
#include <string.h>

static struct err *add_map(const struct yaml_node *root, json_t *vars)
{
    if (root->type == YAML_STRING && strncmp(root->text, "$ANSIBLE_VAULT", 14) == 0)
        return err_with_hint(yaml_error(root, "the file is encrypted with Ansible Vault"),
                             "ansible-vault view it into a file of mode 600, and give that one");
    if (root->type != YAML_MAP)
        return yaml_error(root, "variables must be a map");
    CLEANUP_JSON json_t *loaded = yaml_to_json(root);
    json_object_update(vars, loaded);
    return NULL;
}

static struct err *not_understood(const char *text)
{
    return err_with_hint(
        err_new(ERR_INPUT, "--extra-vars '%s' is neither NAME=VALUE nor {...} nor @FILE", text),
        "for example: -e app_port=3000, -e \"motd='two words'\" or -e @vars.yaml");
}

/* As ansible-playbook has it: NAME=VALUE NAME=VALUE (texts), {"name": value} (YAML or JSON), @FILE (the same
 * in a file). */
static struct err *add_extra_vars(struct cli *cli, const char *text, json_t *vars)
{
    const struct yaml_node *root;
    struct word_pair *pairs;
    size_t count;
    if (*text == '@') {
        TRY(yaml_parse_file(cli->arena, text + 1, &root));
        return add_map(root, vars);
    }
    if (*text == '{') {
        TRY(yaml_parse(cli->arena, "--extra-vars", text, strlen(text), &root));
        return add_map(root, vars);
    }
    TRY(err_wrap(words_pairs(cli->arena, text, &pairs, &count), "--extra-vars"));
    if (!count)
        return not_understood(text);
    for (size_t i = 0; i < count; i++) {
        if (!pairs[i].key)
            return not_understood(text);
        json_object_set_new(vars, pairs[i].key, json_string(pairs[i].value));
    }
    return NULL;
}

struct err *play_extra_vars(struct cli *cli, json_t *vars)
{
    size_t count;
    const char **values = cli_values(cli, "extra-vars", &count);
    for (size_t i = 0; i < count; i++)
        TRY(add_extra_vars(cli, values[i], vars));
    return NULL;
}
