/* What a playbook would run: for --list-tasks and --list-tags. */
#include "base/decode.h"
#include "base/strbuf.h"
#include "playbook/play.h"
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

struct listing {
    struct arena *arena;
    const char *only, *skip;
    void (*each)(const struct playbook_item *item, void *arg);
    void *arg;
    struct playbook_item play;
};

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char *sorted_tags(struct arena *arena, const json_t *tags)
{
    const char **names = arena_array(arena, json_array_size(tags) + 1, sizeof(*names));
    size_t count = json_array_size(tags);
    for (size_t i = 0; i < count; i++)
        names[i] = json_string_value(json_array_get(tags, i));
    if (count)
        qsort(names, count, sizeof(*names), compare_names);
    CLEANUP_STRBUF struct strbuf text;
    strbuf_init(&text, 0);
    for (size_t i = 0; i < count; i++)
        if (!i || strcmp(names[i], names[i - 1]) != 0)
            strbuf_addf(&text, "%s%s", text.length ? ", " : "", names[i]);
    return strbuf_to_arena(&text, arena);
}

static bool is_import(const struct entry *entry)
{
    return entry->module->action == ACTION_IMPORT_TASKS || entry->module->action == ACTION_IMPORT_ROLE;
}

static void list_entries(const struct listing *listing, const struct entry_list *list);

static void list_task(const struct listing *listing, const struct entry *entry)
{
    CLEANUP_JSON json_t *tags = entry_tags(entry);
    if (entry->module->action == ACTION_META || !tags_selected(tags, listing->only, listing->skip))
        return;
    const json_t *name = entry->keywords[KW_NAME];
    struct playbook_item item = listing->play;
    item.role = entry->role ? entry->role->name : NULL;
    item.task = json_is_string(name) && *json_string_value(name) ? json_string_value(name) : entry->written;
    item.tags = sorted_tags(listing->arena, tags);
    item.file = entry->file;
    item.line = entry->line;
    listing->each(&item, listing->arg);
}

static void list_entries(const struct listing *listing, const struct entry_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct entry *entry = list->items[i];
        if (entry->kind == ENTRY_TASK && !is_import(entry)) {
            list_task(listing, entry);
            continue;
        }
        list_entries(listing, &entry->block);
        list_entries(listing, &entry->rescue);
        list_entries(listing, &entry->always);
    }
}

void playbook_list(const struct playbook *playbook, struct arena *arena, const char *tags,
                   const char *skip_tags, void (*each)(const struct playbook_item *item, void *arg),
                   void *arg)
{
    struct listing listing = {.arena = arena, .only = tags, .skip = skip_tags, .each = each, .arg = arg};
    for (size_t i = 0; i < playbook->play_count; i++) {
        const struct play *play = playbook->plays[i];
        const json_t *name = play->root->keywords[KW_NAME];
        const char *hosts = expr_value_text(arena, play->root->keywords[KW_HOSTS]);
        CLEANUP_JSON json_t *own = entry_tags(play->root);
        listing.play = (struct playbook_item){.play_number = (int)i + 1,
                                              .play = json_is_string(name) ? json_string_value(name) : hosts,
                                              .hosts = hosts,
                                              .pattern = play->root->keywords[KW_HOSTS],
                                              .connection = play->root->keywords[KW_CONNECTION],
                                              .remote_user = play->root->keywords[KW_REMOTE_USER],
                                              .tags = sorted_tags(arena, own),
                                              .file = play->root->file,
                                              .line = play->root->line};
        each(&listing.play, arg);
        list_entries(&listing, &play->pre_tasks);
        list_entries(&listing, &play->tasks);
        list_entries(&listing, &play->post_tasks);
    }
}

/* --- --start-at-task --- */

/* As Ansible: the name alone, or after that of its role. */
bool entry_is_named(const struct entry *entry, const char *pattern)
{
    const json_t *name = entry->keywords[KW_NAME];
    const char *title = json_is_string(name) ? json_string_value(name) : NULL;
    if (title && fnmatch(pattern, title, FNM_NOESCAPE) == 0)
        return true;
    if (!title || !*title)
        title = entry->written;
    CLEANUP_STRBUF struct strbuf full;
    strbuf_init(&full, 0);
    if (entry->role)
        strbuf_addf(&full, "%s : ", entry->role->name);
    strbuf_adds(&full, title ? title : "");
    return fnmatch(pattern, full.data, FNM_NOESCAPE) == 0;
}

static bool list_has(const struct entry_list *list, const struct playbook_options *options)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct entry *entry = list->items[i];
        if (entry->kind == ENTRY_TASK && !is_import(entry)) {
            CLEANUP_JSON json_t *tags = entry_tags(entry);
            if (tags_selected(tags, options->tags, options->skip_tags) &&
                entry_is_named(entry, options->start_at_task))
                return true;
        } else if (list_has(&entry->block, options) || list_has(&entry->always, options)) {
            return true;
        }
    }
    return false;
}

struct err *playbook_check_start(const struct playbook *playbook, const struct playbook_options *options)
{
    for (size_t i = 0; i < playbook->play_count; i++) {
        const struct play *play = playbook->plays[i];
        if (list_has(&play->pre_tasks, options) || list_has(&play->tasks, options) ||
            list_has(&play->post_tasks, options))
            return NULL;
    }
    return err_with_hint(
        err_new(ERR_INPUT, "%s: there is no task '%s' to start at", playbook->path, options->start_at_task),
        "tasks of include_tasks and include_role cannot be started at");
}
