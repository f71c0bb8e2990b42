/* ansible.cfg: the few keys that say which hosts there are and how to reach them. Source: "Ansible
 * Configuration Settings" of the Ansible documentation. */
#include "base/fs.h"
#include "playbook/hosts_data.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define MAX_FILE_BYTES (256u << 10)

struct reading {
    struct arena *arena;
    struct hosts_config *config;
    const char *dir;
    const char *section;
    int line;
};

static struct err *line_error(const struct reading *r, const char *what, const char *value)
{
    return err_new(ERR_INPUT, "%s:%d:1: '%s' is not %s", r->config->path, r->line, value, what);
}

static struct err *read_flag(const struct reading *r, const char *value, bool *flag)
{
    static const char *const words[] = {"no", "yes", "false", "true", "off", "on",
                                        "0",  "1",   "n",     "y",    "f",   "t"};
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (!strcasecmp(value, words[i])) {
            *flag = i % 2;
            return NULL;
        }
    return line_error(r, "yes or no", value);
}

static struct err *read_count(const struct reading *r, const char *value, int *count)
{
    char *end;
    long number = strtol(value, &end, 10);
    if (!*value || *end || number < 1 || number > 65535)
        return line_error(r, "a whole number from 1 to 65535", value);
    *count = (int)number;
    return NULL;
}

static void read_paths(const struct reading *r, char *value, const char *separator, const char *const **paths,
                       size_t *count)
{
    char *save = NULL;
    const char **list = arena_array(r->arena, strlen(value) / 2 + 2, sizeof(*list));
    size_t n = 0;
    for (char *part = strtok_r(value, separator, &save); part; part = strtok_r(NULL, separator, &save)) {
        part += strspn(part, " \t");
        if (*part)
            list[n++] = fs_resolve(r->arena, r->dir, part);
    }
    *paths = list;
    *count = n;
}

static struct err *read_key(struct reading *r, const char *key, char *value)
{
    struct hosts_config *config = r->config;
    if (!strcmp(r->section, "privilege_escalation")) {
        if (!strcmp(key, "become"))
            return read_flag(r, value, &config->become);
        if (!strcmp(key, "become_ask_pass"))
            return read_flag(r, value, &config->become_ask_pass);
        if (!strcmp(key, "become_user"))
            config->become_user = value;
        return NULL;
    }
    if (strcmp(r->section, "defaults") != 0 || !*value)
        return NULL;
    if (!strcmp(key, "inventory"))
        read_paths(r, value, ",", &config->inventory, &config->inventory_count);
    else if (!strcmp(key, "roles_path"))
        read_paths(r, value, ":", &config->roles_path, &config->roles_path_count);
    else if (!strcmp(key, "remote_user"))
        config->remote_user = value;
    else if (!strcmp(key, "private_key_file"))
        config->private_key_file = fs_resolve(r->arena, r->dir, value);
    else if (!strcmp(key, "remote_port"))
        return read_count(r, value, &config->remote_port);
    else if (!strcmp(key, "forks"))
        return read_count(r, value, &config->forks);
    else if (!strcmp(key, "host_key_checking"))
        return read_flag(r, value, &config->host_key_checking);
    return NULL;
}

static void trim(char *text)
{
    size_t length = strlen(text);
    while (length && isspace((unsigned char)text[length - 1]))
        text[--length] = '\0';
}

/* "; comment" may follow a value after a blank, "# comment" may not: as Python's configparser is set up. */
static void cut_comment(char *value)
{
    for (char *c = value; (c = strchr(c, ';')); c++)
        if (c == value || isspace((unsigned char)c[-1])) {
            *c = '\0';
            return;
        }
}

static struct err *read_line(struct reading *r, char *line)
{
    if (!*line || *line == '#' || *line == ';' || isspace((unsigned char)*line))
        return NULL;
    if (*line == '[') {
        char *close = strchr(line, ']');
        if (!close)
            return line_error(r, "a section", line);
        r->section = arena_strndup(r->arena, line + 1, (size_t)(close - line) - 1);
        return NULL;
    }
    size_t name = strcspn(line, "=:");
    if (!line[name])
        return line_error(r, "NAME = VALUE", line);
    char *value = line + name + 1;
    line[name] = '\0';
    trim(line);
    for (char *c = line; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    value += strspn(value, " \t");
    cut_comment(value);
    trim(value);
    return read_key(r, line, value);
}

static struct err *read_config(struct arena *arena, const char *path, struct hosts_config *config)
{
    char *text;
    size_t length;
    struct stat info;
    struct reading r = {.arena = arena, .config = config, .dir = fs_dirname(arena, path), .section = ""};
    config->path = path;
    if (stat(r.dir, &info) == 0 && (info.st_mode & S_IWOTH)) /* sticky or not */
        return err_with_hint(err_new(ERR_TRUST, "everybody may write to the folder of '%s'", path),
                             "chmod o-w %s", r.dir);
    TRY(fs_read_file(arena, path, MAX_FILE_BYTES, &text, &length));
    for (char *at = text; at;) {
        char *end = strchr(at, '\n');
        if (end)
            *end = '\0';
        r.line++;
        trim(at);
        TRY(read_line(&r, at));
        at = end ? end + 1 : NULL;
    }
    return NULL;
}

struct err *hosts_read_config(struct arena *arena, const char *playbook_dir, struct hosts_config *config)
{
    *config = (struct hosts_config){.host_key_checking = true};
    if (fs_exists("ansible.cfg"))
        return read_config(arena, "ansible.cfg", config);
    const char *beside = playbook_dir ? arena_printf(arena, "%s/ansible.cfg", playbook_dir) : NULL;
    return beside && fs_exists(beside) ? read_config(arena, beside, config) : NULL;
}
