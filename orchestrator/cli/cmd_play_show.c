/* The screen of `rehost play`: a line a task and host, then what became of each host. */
#include "base/decode.h"
#include "cli/cmd_play.h"
#include "cli/out.h"
#include "playbook/data_text.h"
#include "playbook/template.h"
#include <stdlib.h>
#include <string.h>

static const char *const status_words[TASK_STATUS_COUNT] = {"ok", "changed", "skipped", "failed", "ignored"};

static const char *status_mark(enum task_status status)
{
    return status == TASK_FAILED    ? "XX"
           : status == TASK_CHANGED ? "~ "
           : status == TASK_SKIPPED ? "--"
                                    : "ok";
}

/* --- tasks --- */

static json_t *object_in(json_t *object, const char *key)
{
    json_t *child = json_object_get(object, key);
    if (!child) {
        child = json_object();
        json_object_set_new(object, key, child);
    }
    return child;
}

/* Where the results of a host go in the document: with --host there is only one. */
static json_t *host_data(const struct play_command *play, const char *host)
{
    json_t *data = play->cli->data;
    return play->name_width ? object_in(object_in(data, "hosts"), host) : data;
}

static void keep_event(struct play_command *play, const struct task_event *event)
{
    const char *message = event->message ? event->message : "";
    json_t *task =
        json_pack("{s:s, s:s?, s:s?, s:s, s:s, s:s, s:i, s:s}", "task", event->task, "role", event->role,
                  "item", event->item, "module", event->module, "status", status_words[event->status], "file",
                  event->file, "line", event->line, "message", message);
    json_t *data = host_data(play, event->host), *tasks = json_object_get(data, "tasks");
    if (!tasks) {
        tasks = json_array();
        json_object_set_new(data, "tasks", tasks);
    }
    if (play->cli->json)
        json_array_append(tasks, task);
    if (event->status == TASK_FAILED && play->name_width) {
        json_object_set_new(task, "host", json_string(event->host));
        json_array_append(play->failures, task);
    }
    json_decref(task);
}

void play_show_event(const struct task_event *event, void *arg)
{
    struct play_command *play = arg;
    struct cli *cli = play->cli;
    const char *gap = play->name_width ? "  " : "";
    out_text(cli, "%s %-8s %-*s%s%s%s%s%s%s%s\n", status_mark(event->status), status_words[event->status],
             play->name_width, play->name_width ? event->host : "", gap, event->role ? event->role : "",
             event->role ? ": " : "", event->task, event->item ? "  (" : "", event->item ? event->item : "",
             event->item ? ")" : "");
    if (event->message && *event->message)
        out_text(cli, "   %s\n", event->message);
    if (event->diff && *event->diff)
        out_text(cli, "%s%s", event->diff, event->diff[strlen(event->diff) - 1] == '\n' ? "" : "\n");
    keep_event(play, event);
}

/* --- hosts --- */

static const char *const end_words[] = {[CREW_NOT_USED] = "not-used",
                                        [CREW_DONE] = "done",
                                        [CREW_FAILED] = "failed",
                                        [CREW_UNREACHABLE] = "unreachable"};

static void keep_result(const struct play_command *play, const char *name, const struct crew_result *result)
{
    json_t *data = host_data(play, name), *counts = object_in(data, "counts");
    for (int i = 0; i < TASK_STATUS_COUNT; i++)
        json_object_set_new(counts, status_words[i], json_integer(result->result.counts[i]));
    if (!json_object_get(data, "tasks"))
        json_object_set_new(data, "tasks", json_array());
    if (!play->name_width)
        return;
    json_object_set_new(data, "end", json_string(end_words[result->end]));
    if (result->message)
        json_object_set_new(data, "message", json_string(result->message));
}

static void show_counts(const struct cli *cli, const struct crew_result *result)
{
    for (int i = 0; i < TASK_STATUS_COUNT; i++)
        out_text(cli, "%s%s=%d", i ? " " : "", status_words[i], result->result.counts[i]);
}

static void show_host(const struct play_command *play, const char *name, const struct crew_result *result)
{
    const struct cli *cli = play->cli;
    out_text(cli, "%s %-*s  ", result->end == CREW_DONE ? "ok" : "XX", play->name_width, name);
    show_counts(cli, result);
    out_text(cli, " unreachable=%d\n", result->end == CREW_UNREACHABLE);
    if (result->end != CREW_UNREACHABLE || !result->message)
        return;
    out_text(cli, "   %s\n", result->message);
    if (result->hint)
        out_text(cli, "   %s\n", result->hint);
}

static bool ended_well(const struct play_command *play, const struct crew_result *results, const char *host)
{
    for (size_t i = 0; i < play->crew.host_count; i++)
        if (strcmp(play->hosts[i].name, host) == 0)
            return results[i].end == CREW_DONE;
    return false;
}

/* Of the hosts that failed: elsewhere a failure was rescued. */
static void show_failures(const struct play_command *play, const struct crew_result *results)
{
    size_t i;
    const json_t *task;
    const char *title = "\nfailed tasks:\n";
    json_array_foreach(play->failures, i, task)
    {
        if (ended_well(play, results, json_string_value(json_object_get(task, "host"))))
            continue;
        out_text(play->cli, "%s", title);
        title = "";
        const char *item = json_string_value(json_object_get(task, "item"));
        const char *message = json_string_value(json_object_get(task, "message"));
        out_text(play->cli, "XX %-*s  %s:%lld  %s%s%s%s\n", play->name_width,
                 json_string_value(json_object_get(task, "host")),
                 json_string_value(json_object_get(task, "file")),
                 json_integer_value(json_object_get(task, "line")),
                 json_string_value(json_object_get(task, "task")), item ? "  (" : "", item ? item : "",
                 item ? ")" : "");
        if (message && *message)
            out_text(play->cli, "   %.*s\n", (int)strcspn(message, "\n"), message);
    }
}

void play_show_results(struct play_command *play, const struct crew_result *results)
{
    struct cli *cli = play->cli;
    const char *note = cli_switch(cli, "check") ? "   (check: nothing was changed)" : "";
    out_text(cli, "\n");
    for (size_t i = 0; i < play->crew.host_count; i++) {
        if (play->name_width && results[i].end == CREW_NOT_USED)
            continue;
        keep_result(play, play->hosts[i].name, &results[i]);
        if (play->name_width)
            show_host(play, play->hosts[i].name, &results[i]);
        else
            show_counts(cli, &results[i]);
    }
    if (!play->name_width || *note)
        out_text(cli, "%s\n", note);
    show_failures(play, results);
}

/* --- lists --- */

static json_t *add_play(const struct play_command *play, const struct playbook_item *item)
{
    json_t *plays = json_object_get(play->cli->data, "plays");
    json_t *data = json_pack("{s:i, s:s, s:s, s:s}", "play", item->play_number, "name", item->play, "hosts",
                             item->hosts, "tags", item->tags ? item->tags : "");
    json_array_append_new(plays, data);
    out_text(play->cli, "play %d  %s  (hosts: %s)%s%s\n", item->play_number, item->play, item->hosts,
             item->tags && *item->tags ? "  tags: " : "", item->tags ? item->tags : "");
    return data;
}

static struct err *list_hosts(struct play_command *play, const struct playbook_item *item, json_t *data)
{
    CLEANUP_ARENA struct arena *scratch = arena_new(0);
    CLEANUP_JSON json_t *pattern = NULL;
    const struct expr_scope scope = {.vars = play->extra_vars};
    const struct expr_env env = {.scope = &scope};
    const struct expr_place place = {.file = item->file, .line = item->line};
    size_t *indices, count;
    json_t *names = json_array();
    json_object_set_new(data, "matched", names);
    TRY(template_render_json(scratch, &env, &place, item->pattern, &pattern));
    TRY(play->crew.match(play, scratch, pattern, &indices, &count));
    for (size_t i = 0; i < count; i++) {
        json_array_append_new(names, json_string(play->hosts[indices[i]].name));
        out_text(play->cli, "    %s\n", play->hosts[indices[i]].name);
    }
    return NULL;
}

static void list_task(const struct play_command *play, const struct playbook_item *item, json_t *data)
{
    json_t *tasks = json_object_get(data, "tasks");
    if (!tasks) {
        tasks = json_array();
        json_object_set_new(data, "tasks", tasks);
    }
    json_array_append_new(tasks, json_pack("{s:s, s:s?, s:s, s:s, s:i}", "task", item->task, "role",
                                           item->role, "tags", item->tags ? item->tags : "", "file",
                                           item->file, "line", item->line));
    out_text(play->cli, "    %s%s%s%s%s\n", item->role ? item->role : "", item->role ? ": " : "", item->task,
             item->tags && *item->tags ? "  tags: " : "", item->tags ? item->tags : "");
}

/* The tags of a play's tasks are texts "a, b". */
static void note_tags(json_t *seen, const char *tags)
{
    while (tags && *tags) {
        size_t length = strcspn(tags, ",");
        json_t *tag = json_stringn(tags, length);
        json_object_set_new(seen, json_string_value(tag), json_true());
        json_decref(tag);
        tags += length + strspn(tags + length, ", ");
    }
}

static void list_tags(const struct play_command *play, size_t at, json_t *data)
{
    CLEANUP_JSON json_t *seen = json_object();
    CLEANUP_ARENA struct arena *scratch = arena_new(0);
    const struct playbook_item *items = play->items;
    for (size_t i = at + 1; i < play->item_count && items[i].task; i++)
        note_tags(seen, items[i].tags);
    json_t *tags = json_array();
    const char *text = "", **names = data_keys(seen, true);
    for (size_t i = 0; i < json_object_size(seen); i++) {
        json_array_append_new(tags, json_string(names[i]));
        text = arena_printf(scratch, "%s%s%s", text, *text ? ", " : "", names[i]);
    }
    free(names);
    json_object_set_new(data, "task_tags", tags);
    out_text(play->cli, "    tags of tasks: %s\n", *text ? text : "none");
}

struct err *play_show_lists(struct play_command *play)
{
    struct cli *cli = play->cli;
    json_t *data = NULL;
    json_object_set_new(cli->data, "plays", json_array());
    if (cli_switch(cli, "list-hosts"))
        TRY(play_find_hosts(play));
    for (size_t i = 0; i < play->item_count; i++) {
        const struct playbook_item *item = &play->items[i];
        if (!item->task) {
            data = add_play(play, item);
            if (cli_switch(cli, "list-hosts"))
                TRY(list_hosts(play, item, data));
            if (cli_switch(cli, "list-tags"))
                list_tags(play, i, data);
        } else if (cli_switch(cli, "list-tasks")) {
            list_task(play, item, data);
        }
    }
    return NULL;
}
