/* Files of a playbook: roles, variables, imports; and what is known once all are read: digest, facts,
 * handlers. */
#include "base/fs.h"
#include "base/hash.h"
#include "playbook/parse.h"
#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PLAYS 100
#define MAX_FILE_BYTES (64u << 20)
#define MAX_FILES 20000

void loader_note_file(struct loader *loader, const char *path)
{
    for (size_t i = 0; i < loader->file_count; i++)
        if (strcmp(loader->files[i], path) == 0)
            return;
    if (loader->file_count == loader->file_capacity) {
        size_t capacity = loader->file_capacity ? loader->file_capacity * 2 : 64;
        const char **files = arena_array(loader->arena, capacity, sizeof(*files));
        if (loader->file_count)
            memcpy(files, loader->files, loader->file_count * sizeof(*files));
        loader->files = files;
        loader->file_capacity = capacity;
    }
    loader->files[loader->file_count++] = arena_strdup(loader->arena, path);
}

/* --- where files are --- */

static char *try_file(struct arena *arena, const char *dir, const char *subdir, const char *name)
{
    char *path = arena_printf(arena, "%s/%s/%s", dir, subdir, name);
    if (fs_exists(path))
        return path;
    path = arena_printf(arena, "%s/%s", dir, name);
    return fs_exists(path) ? path : NULL;
}

char *find_file(struct arena *arena, const struct playbook *playbook, const struct entry *entry,
                const char *subdir, const char *name)
{
    if (name[0] == '/' || name[0] == '~') {
        char *path = fs_resolve(arena, playbook->dir, name);
        return fs_exists(path) ? path : NULL;
    }
    char *found = entry->role ? try_file(arena, entry->role->path, subdir, name) : NULL;
    if (!found && entry->file)
        found = try_file(arena, fs_dirname(arena, entry->file), subdir, name);
    return found ? found : try_file(arena, playbook->dir, subdir, name);
}

struct err *load_vars_file(struct arena *arena, const char *path, json_t **vars)
{
    const struct yaml_node *root;
    TRY(yaml_parse_file(arena, path, &root));
    if (root->type == YAML_NULL) {
        *vars = json_keep(arena, json_object());
        return NULL;
    }
    if (root->type == YAML_STRING && strncmp(root->text, "$ANSIBLE_VAULT", 14) == 0)
        return err_with_hint(yaml_error(root, "the file is encrypted with Ansible Vault"),
                             "ansible-vault decrypt it first, or give the values with -e @FILE");
    if (root->type != YAML_MAP)
        return yaml_error(root, "a file of variables is a map, not %s", yaml_type_name(root->type));
    *vars = json_keep(arena, yaml_to_json(root));
    return NULL;
}

/* --- once everything is read --- */

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static struct err *note_folder(struct loader *loader, const char *path, int depth)
{
    DIR *dir = depth < 32 ? opendir(path) : NULL;
    struct err *e = NULL;
    for (struct dirent *item; dir && !e && (item = readdir(dir));) {
        if (strcmp(item->d_name, ".") == 0 || strcmp(item->d_name, "..") == 0)
            continue;
        char *child = arena_printf(loader->arena, "%s/%s", path, item->d_name);
        if (fs_is_dir(child))
            e = note_folder(loader, child, depth + 1);
        else
            loader_note_file(loader, child);
        if (loader->file_count > MAX_FILES)
            e = err_new(ERR_INPUT, "'%s' holds more than %d files", path, MAX_FILES);
    }
    if (dir)
        closedir(dir);
    return e;
}

/* Names that begin with ansible_ but are no facts. */
static bool is_magic(const char *name)
{
    static const char *const magic[] = {
        "check_mode",  "diff_mode",
        "managed",     "host",
        "port",        "user",
        "connection",  "version",
        "verbosity",   "loop",
        "index_var",   "play_",
        "ssh_",        "python_interpreter",
        "become",      "failed_",
        "run_tags",    "role_name",
        "role_names",  "parent_role",
        "search_path", "inventory_sources",
        "password",    "limit",
        "forks",
    };
    for (size_t i = 0; i < sizeof(magic) / sizeof(magic[0]); i++) {
        size_t length = strlen(magic[i]);
        bool prefix = magic[i][length - 1] == '_' || strcmp(magic[i], "become") == 0;
        if (strncmp(name, magic[i], length) == 0 &&
            (prefix || !(isalnum((unsigned char)name[length]) || name[length] == '_')))
            return true;
    }
    return false;
}

bool text_names_fact(const char *text)
{
    for (const char *at = text; (at = strstr(at, "ansible_")) != NULL; at++) {
        bool starts = at == text || !(isalnum((unsigned char)at[-1]) || at[-1] == '_');
        if (starts && !is_magic(at + strlen("ansible_")))
            return true;
    }
    return false;
}

/* The digest over all files, by name relative to the playbook, and whether any of them names a fact. */
static struct err *digest_files(struct loader *loader, bool *uses_facts)
{
    struct playbook *playbook = loader->playbook;
    qsort(loader->files, loader->file_count, sizeof(*loader->files), compare_names);
    CLEANUP_STRBUF struct strbuf all;
    strbuf_init(&all, 0);
    size_t skip = strlen(playbook->dir) + 1;
    for (size_t i = 0; i < loader->file_count; i++) {
        const char *path = loader->files[i];
        CLEANUP_ARENA struct arena *scratch = arena_new(MAX_FILE_BYTES * 2);
        char *data;
        size_t length;
        char hex[HASH_SHA256_HEX_SIZE];
        TRY(fs_read_file(scratch, path, MAX_FILE_BYTES, &data, &length));
        bool inside = strncmp(path, playbook->dir, skip - 1) == 0 && path[skip - 1] == '/';
        strbuf_addf(&all, "%s  %s\n", hash_sha256_hex(data, length, hex),
                    inside ? path + skip : fs_basename(path));
        *uses_facts = *uses_facts || text_names_fact(data);
        playbook->names_hostvars = playbook->names_hostvars || strstr(data, "hostvars");
    }
    TRY(strbuf_check(&all, "the list of the playbook's files"));
    hash_sha256_hex(all.data, all.length, playbook->digest);
    return NULL;
}

static bool handler_answers(const struct entry *handler, const char *name)
{
    const json_t *own = handler->keywords[KW_NAME];
    const json_t *listen = handler->keywords[KW_LISTEN];
    const json_t *one;
    size_t i;
    if (json_is_string(own) &&
        (strcmp(json_string_value(own), name) == 0 || template_is_template(json_string_value(own))))
        return true;
    if (json_is_string(own) && handler->role) { /* "role : name" */
        size_t length = strlen(handler->role->name);
        if (strncmp(name, handler->role->name, length) == 0 && strncmp(name + length, " : ", 3) == 0 &&
            strcmp(name + length + 3, json_string_value(own)) == 0)
            return true;
    }
    if (json_is_string(listen))
        return strcmp(json_string_value(listen), name) == 0;
    json_array_foreach(listen, i, one) if (strcmp(json_string_value(one), name) == 0) return true;
    return false;
}

static bool list_answers(const struct entry_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i]->kind == ENTRY_BLOCK || list->items[i]->block.count
                ? list_answers(&list->items[i]->block, name)
                : handler_answers(list->items[i], name))
            return true;
    return false;
}

static bool play_answers(const struct play *play, const char *name)
{
    if (list_answers(&play->handlers, name))
        return true;
    for (size_t i = 0; i < play->role_count; i++)
        if (list_answers(&play->roles[i]->handlers, name))
            return true;
    return false;
}

static struct err *check_notified(const struct play *play, const struct entry *entry, const char *name)
{
    if (play->open || template_is_template(name) || play_answers(play, name))
        return NULL;
    const char *names[64];
    size_t count = 0;
    for (size_t i = 0; i < play->handlers.count && count < 64; i++)
        names[count++] = entry_title(play->handlers.items[i]);
    for (size_t r = 0; r < play->role_count; r++)
        for (size_t i = 0; i < play->roles[r]->handlers.count && count < 64; i++)
            names[count++] = entry_title(play->roles[r]->handlers.items[i]);
    struct err *e = entry_error(entry, "there is no handler '%s'", name);
    const char *nearest = yaml_nearest(name, names, count);
    return nearest ? err_with_hint(e, "did you mean '%s'?", nearest) : e;
}

static struct err *check_handlers(const struct play *play, const struct entry_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct entry *entry = list->items[i];
        const json_t *notify = entry->keywords[KW_NOTIFY];
        const json_t *one;
        size_t k;
        if (json_is_string(notify))
            TRY(check_notified(play, entry, json_string_value(notify)));
        json_array_foreach(notify, k, one) TRY(check_notified(play, entry, json_string_value(one)));
        TRY(check_handlers(play, &entry->block));
        TRY(check_handlers(play, &entry->rescue));
        TRY(check_handlers(play, &entry->always));
    }
    return NULL;
}

static struct err *load_plays(struct loader *loader, const char *path);

static struct err *import_playbook(struct loader *loader, const struct yaml_node *node,
                                   const struct yaml_node *file)
{
    struct playbook *playbook = loader->playbook;
    if (file->type != YAML_STRING || template_is_template(file->text))
        return yaml_error(file, "'import_playbook' takes a plain path");
    struct entry *import = entry_new(loader, node, loader->import, NULL, ENTRY_BLOCK);
    for (size_t i = 0; i < node->count; i++) {
        if (node->items[i] == file)
            continue;
        int keyword = keyword_find(node->keys[i]->text, PLACE_IMPORT);
        if (keyword < 0)
            return parse_unknown_key(loader, node->keys[i], PLACE_IMPORT, "import_playbook");
        TRY(parse_keyword(loader, import, (enum keyword)keyword, node->keys[i], node->items[i]));
    }
    import->params =
        import->keywords[KW_VARS] ? import->keywords[KW_VARS] : json_keep(loader->arena, json_object());
    import->keywords[KW_VARS] = NULL;
    if (loader->depth >= 8)
        return yaml_error(node, "playbooks import each other without end");
    const char *path = fs_resolve(loader->arena, fs_dirname(loader->arena, node->file), file->text);
    const char *dir = playbook->dir;
    const struct entry *outer = loader->import;
    loader->depth++;
    loader->import = import;
    playbook->dir = fs_dirname(loader->arena, path);
    struct err *e = load_plays(loader, path);
    playbook->dir = dir;
    loader->import = outer;
    loader->depth--;
    return e;
}

static struct err *load_one_play(struct loader *loader, const struct yaml_node *node)
{
    struct playbook *playbook = loader->playbook;
    const struct yaml_node *import = yaml_get(node, "import_playbook");
    if (!import)
        import = yaml_get(node, "ansible.builtin.import_playbook");
    if (import)
        return import_playbook(loader, node, import);
    if (playbook->play_count == playbook->play_capacity)
        return yaml_error(node, "a playbook has at most %d plays", MAX_PLAYS);
    struct play *play;
    TRY(parse_play(loader, node, &play));
    TRY(check_handlers(play, &play->handlers));
    TRY(check_handlers(play, &play->pre_tasks));
    TRY(check_handlers(play, &play->tasks));
    TRY(check_handlers(play, &play->post_tasks));
    playbook->plays[playbook->play_count++] = play;
    return NULL;
}

static struct err *load_plays(struct loader *loader, const char *path)
{
    const struct yaml_node *root;
    TRY(yaml_parse_file(loader->arena, path, &root));
    loader_note_file(loader, path);
    if (root->type != YAML_LIST || !root->count)
        return yaml_error(root, "a playbook is a list of plays, not %s", yaml_type_name(root->type));
    for (size_t i = 0; i < root->count; i++)
        TRY(load_one_play(loader, root->items[i]));
    return NULL;
}

static void number_entries(const struct entry_list *list, int *last)
{
    for (size_t i = 0; i < list->count; i++) {
        list->items[i]->number = ++*last;
        number_entries(&list->items[i]->block, last);
        number_entries(&list->items[i]->rescue, last);
        number_entries(&list->items[i]->always, last);
    }
}

static struct err *load_finish(struct loader *loader)
{
    struct playbook *playbook = loader->playbook;
    static const char *const beside[] = {"files", "templates", "vars", "tasks"};
    for (size_t i = 0; i < 4; i++)
        TRY(note_folder(loader, arena_printf(loader->arena, "%s/%s", playbook->dir, beside[i]), 0));
    for (size_t p = 0; p < playbook->play_count; p++) {
        int last = 0;
        number_entries(&playbook->plays[p]->pre_tasks, &last);
        number_entries(&playbook->plays[p]->tasks, &last);
        number_entries(&playbook->plays[p]->post_tasks, &last);
    }
    for (size_t p = 0; p < playbook->play_count; p++)
        for (size_t i = 0; i < playbook->plays[p]->role_count; i++)
            TRY(note_folder(loader, playbook->plays[p]->roles[i]->path, 0));
    bool uses_facts = false;
    TRY(digest_files(loader, &uses_facts));
    for (size_t p = 0; p < playbook->play_count; p++) {
        const json_t *gather = playbook->plays[p]->root->keywords[KW_GATHER_FACTS];
        playbook->plays[p]->uses_facts =
            (uses_facts || playbook->plays[p]->dynamic) && !(gather && !expr_value_is_true(gather));
    }
    return NULL;
}

/* One error for all of them; what came of what they left out says nothing new. */
static struct err *refused_error(struct refused *refused, struct err *other)
{
    if (!refused->count)
        return other;
    err_free(other);
    if (refused->count == 1)
        return refused->items[0];
    CLEANUP_STRBUF struct strbuf all;
    strbuf_init(&all, 0);
    for (size_t i = 0; i < refused->count; i++) {
        const char *hint = err_hint(refused->items[i]);
        strbuf_addf(&all, "\n  %s%s%s", err_text(refused->items[i]), hint ? "; " : "", hint ? hint : "");
        err_free(refused->items[i]);
    }
    return err_new(ERR_INPUT, "%s%zu tasks cannot be taken:%s",
                   refused->count == MAX_REFUSED ? "at least " : "", refused->count, all.data);
}

struct err *playbook_load(struct arena *arena, const char *path, const struct playbook_paths *paths,
                          const struct playbook **out)
{
    struct playbook *playbook = ARENA_NEW(arena, struct playbook);
    playbook->arena = arena;
    playbook->path = arena_strdup(arena, path);
    playbook->dir = fs_dirname(arena, path);
    playbook->paths = *paths;
    playbook->play_capacity = MAX_PLAYS;
    playbook->plays = arena_array(arena, MAX_PLAYS, sizeof(struct play *));
    const char *const modules_dirs[] = {arena_printf(arena, "%s/modules", playbook->dir), paths->modules_dir};
    TRY(modules_load(arena, modules_dirs, 2, &playbook->modules));
    struct refused refused = {0};
    struct loader loader = {.playbook = playbook, .arena = arena, .refused = &refused};
    TRY(refused_error(&refused, load_plays(&loader, path)));
    TRY(load_finish(&loader));
    *out = playbook;
    return NULL;
}

const char *playbook_path(const struct playbook *playbook)
{
    return playbook->path;
}

const char *playbook_name(const struct playbook *playbook)
{
    const json_t *name = playbook->plays[0]->root->keywords[KW_NAME];
    return json_is_string(name) ? json_string_value(name) : fs_basename(playbook->path);
}

size_t playbook_task_count(const struct playbook *playbook)
{
    return playbook->task_count;
}

const char *playbook_digest(const struct playbook *playbook)
{
    return playbook->digest;
}
