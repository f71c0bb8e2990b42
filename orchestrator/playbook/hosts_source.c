/* One source of an inventory: which reader it is for. */
#include "base/fs.h"
#include "playbook/hosts_data.h"
#include <dirent.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_FILE_BYTES (1u << 20)
#define MAX_DEPTH 20

static struct err *read_path(struct hosts_data *data, const char *path, int depth);

/* --- "one,two," --- */

static struct err *read_list(struct hosts_data *data, const char *source)
{
    char *save = NULL;
    struct hosts_group *ungrouped = hosts_group_find(data, "ungrouped");
    for (char *part = strtok_r(arena_strdup(data->arena, source), ",", &save); part;
         part = strtok_r(NULL, ",", &save)) {
        const char *name;
        int port;
        part += strspn(part, " \t\n");
        part[strcspn(part, " \t\n")] = '\0';
        if (!*part)
            continue;
        if (!hosts_split_port(data->arena, part, &name, &port)) {
            name = part;
            port = 0;
        }
        if (!hosts_node_find(data, name))
            TRY(hosts_node_add(data, name, ungrouped, port));
    }
    return NULL;
}

/* --- folders --- */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_ignored(const char *name)
{
    /* Ansible's defaults; DEFAULT_INVENTORY_IGNORE_EXTS of its configuration page */
    static const char *const patterns[] = {
        ".*",    "host_vars", "group_vars", "vars_plugins", "*.pyc",  "*.pyo", "*.swp", "*.bak",  "*~",
        "*.rpm", "*.md",      "*.txt",      "*.rst",        "*.orig", "*.ini", "*.cfg", "*.retry"};
    for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++)
        if (fnmatch(patterns[i], name, 0) == 0)
            return true;
    return false;
}

struct err *hosts_list_dir(struct arena *arena, const char *path, struct hosts_list *names)
{
    DIR *dir = opendir(path);
    if (!dir)
        return err_new(ERR_IO, "cannot read the folder '%s'", path);
    for (const struct dirent *entry; (entry = readdir(dir));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            hosts_list_add(arena, names, arena_strdup(arena, entry->d_name));
    closedir(dir);
    if (names->count)
        qsort(names->items, names->count, sizeof(*names->items), by_name);
    return NULL;
}

static struct err *read_folder(struct hosts_data *data, const char *path, int depth)
{
    struct hosts_list names = {0};
    TRY(hosts_list_dir(data->arena, path, &names));
    for (size_t i = 0; i < names.count; i++)
        if (!is_ignored(names.items[i]))
            TRY(read_path(data, arena_printf(data->arena, "%s/%s", path, (char *)names.items[i]), depth + 1));
    return NULL;
}

/* --- files --- */

static bool has_extension(const char *path, const char *const *extensions)
{
    const char *dot = strrchr(fs_basename(path), '.');
    for (; dot && *extensions; extensions++)
        if (!strcmp(dot, *extensions))
            return true;
    return false;
}

/* INI or YAML? A file whose name does not say is YAML when it reads as a map; else the INI reader's word
 * counts, unless the text begins as YAML documents do. */
static struct err *read_text(struct hosts_data *data, const char *path, const char *text, size_t length)
{
    static const char *const yaml[] = {".yml", ".yaml", ".json", NULL};
    CLEANUP_ARENA struct arena *scratch = arena_new(0);
    const struct yaml_node *root = NULL;
    bool named = has_extension(path, yaml);
    if (!named && strrchr(fs_basename(path), '.'))
        return hosts_read_ini(data, path, text, length);
    CLEANUP_ERR struct err *e = yaml_parse(scratch, path, text, length, &root);
    if (!e && (named || root->type == YAML_MAP))
        return hosts_read_yaml(data, root);
    if (e && (named || !strncmp(text, "---", 3) || !strncmp(text, "all:", 4)))
        return TAKE(e);
    return hosts_read_ini(data, path, text, length);
}

static struct err *read_file(struct hosts_data *data, const char *path)
{
    static const char *const toml[] = {".toml", NULL};
    char *text;
    size_t length;
    if (has_extension(path, toml))
        return err_with_hint(err_new(ERR_INPUT, "'%s': TOML inventories are not supported", path),
                             "ansible-inventory -i %s --list --yaml > hosts.yml", path);
    CLEANUP_ARENA struct arena *scratch = arena_new(0);
    bool runs = access(path, X_OK) == 0;
    struct err *e = fs_read_file(scratch, path, runs ? 64u << 20 : MAX_FILE_BYTES, &text, &length);
    if (e)
        return e;
    bool program = length > 1 && (!memcmp(text, "#!", 2) || (length > 3 && !memcmp(text, "\177ELF", 4)));
    if (program && runs)
        return hosts_read_program(data, path);
    if (program)
        return err_with_hint(err_new(ERR_INPUT, "'%s' is a program, but may not be executed", path),
                             "chmod +x %s", path);
    if (length >= 14 && !memcmp(text, "$ANSIBLE_VAULT", 14))
        return err_with_hint(err_new(ERR_INPUT, "'%s' is encrypted with Ansible Vault", path),
                             "ansible-vault decrypt it first");
    return read_text(data, path, text, length);
}

static struct err *read_path(struct hosts_data *data, const char *path, int depth)
{
    if (depth > MAX_DEPTH)
        return err_new(ERR_INPUT, "'%s': folders are nested more than %d deep", path, MAX_DEPTH);
    if (fs_is_dir(path))
        return read_folder(data, path, depth);
    data->source = path;
    return read_file(data, path);
}

/* As seen from `/`, without "." and ".."; symbolic links stay, since group_vars/ may be beside them. */
static char *absolute(struct arena *arena, const char *path)
{
    char *cwd = path[0] == '/' ? NULL : getcwd(NULL, 0);
    char *save = NULL, *rest = arena_printf(arena, "%s/%s", cwd ? cwd : "", path);
    char *out = arena_alloc(arena, strlen(rest) + 2), *end = out;
    free(cwd);
    for (char *part = strtok_r(rest, "/", &save); part; part = strtok_r(NULL, "/", &save)) {
        if (!strcmp(part, "."))
            continue;
        if (!strcmp(part, "..")) {
            while (end > out && *--end != '/')
                ;
            *end = '\0';
            continue;
        }
        *end++ = '/';
        end = stpcpy(end, part);
    }
    if (end == out)
        *out = '/';
    return out;
}

struct err *hosts_read_source(struct hosts_data *data, const char *source)
{
    if (strchr(source, ',') && !fs_exists(source)) {
        data->source = source;
        return read_list(data, source);
    }
    char *path = absolute(data->arena, fs_resolve(data->arena, NULL, source));
    if (!fs_exists(path))
        return err_with_hint(err_new(ERR_NOT_FOUND, "there is no inventory '%s'", source),
                             "a list of hosts has a comma: -i %s,", source);
    hosts_list_add(data->arena, &data->dirs, fs_is_dir(path) ? path : fs_dirname(data->arena, path));
    return read_path(data, path, 0);
}
