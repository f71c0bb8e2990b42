/* Handlers: which there are, who is notified, and when they run. */
#include "base/decode.h"
#include "playbook/run.h"
#include <string.h>

#define MAX_HANDLER_ROUNDS 100

static void add_handler(struct run *run, struct entry *handler)
{
    if (run->handlers.count == run->notified_capacity) {
        size_t capacity = run->notified_capacity ? run->notified_capacity * 2 : 32;
        bool *notified = arena_array(run->arena, capacity, sizeof(bool));
        if (run->handlers.count)
            memcpy(notified, run->notified, run->handlers.count * sizeof(bool));
        run->notified = notified;
        run->notified_capacity = capacity;
    }
    run->notified[run->handlers.count] = false;
    entry_list_add(run->arena, &run->handlers, handler);
}

void run_collect_handlers(struct run *run, const struct entry_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        struct entry *entry = list->items[i];
        if (entry->kind == ENTRY_BLOCK || entry->module->action == ACTION_IMPORT_TASKS)
            run_collect_handlers(run, &entry->block);
        else
            add_handler(run, entry);
    }
}

static bool handler_named(struct run *run, const struct entry *handler, const char *name)
{
    const char *title = entry_title(handler);
    if (template_is_template(title)) {
        struct job *job = job_new(run, handler, true);
        bool same = strcmp(job_title(run, job), name) == 0;
        job_free(job);
        return same;
    }
    if (strcmp(title, name) == 0)
        return true;
    size_t length = handler->role ? strlen(handler->role->name) : 0;
    return length && strncmp(name, handler->role->name, length) == 0 &&
           strncmp(name + length, " : ", 3) == 0 && strcmp(name + length + 3, title) == 0;
}

static bool handler_listens(const struct entry *handler, const char *name)
{
    const json_t *listen = handler->keywords[KW_LISTEN];
    size_t i;
    const json_t *one;
    if (json_is_string(listen))
        return strcmp(json_string_value(listen), name) == 0;
    json_array_foreach(listen, i, one) if (strcmp(json_string_value(one), name) == 0) return true;
    return false;
}

/* Of several handlers of one name the last one runs; of those that listen, all. */
static struct err *notify(struct run *run, struct job *job, const char *name)
{
    bool found = false, named = false;
    for (size_t i = run->handlers.count; i-- > 0;) {
        const struct entry *handler = run->handlers.items[i];
        bool hit = handler_listens(handler, name);
        if (!hit && !named && handler_named(run, handler, name))
            hit = named = true;
        if (hit)
            run->notified[i] = found = true;
    }
    return found ? NULL : entry_error(job->entry, "there is no handler '%s'", name);
}

struct err *run_notify(struct run *run, struct job *job)
{
    for (const struct entry *entry = job->entry; entry; entry = entry_heritage(entry)) {
        const json_t *written = entry->keywords[KW_NOTIFY];
        if (!written)
            continue;
        struct expr_env env = run_env(run, job, job->scope);
        struct expr_place place = entry_place(entry, KW_NOTIFY);
        CLEANUP_JSON json_t *names = NULL;
        TRY(template_render_json(job->arena, &env, &place, written, &names));
        size_t i;
        json_t *one;
        json_array_foreach(names, i, one) TRY(notify(run, job, expr_value_text(job->arena, one)));
        if (json_is_string(names))
            TRY(notify(run, job, json_string_value(names)));
    }
    return NULL;
}

struct err *run_flush_handlers(struct run *run)
{
    TRY(run_settle_all(run));
    for (int round = 0; round < MAX_HANDLER_ROUNDS; round++) {
        bool any = false;
        for (size_t i = 0; i < run->handlers.count && !run_over(run); i++) {
            if (!run->notified[i])
                continue;
            any = true;
            run->notified[i] = false;
            struct entry_list one = {.items = &run->handlers.items[i], .count = 1};
            TRY(run_entries(run, &one, true));
        }
        TRY(run_settle_all(run)); /* a handler may notify another one */
        if (!any || run_over(run))
            return NULL;
    }
    return NULL;
}
