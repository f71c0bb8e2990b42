/* The plan that leads the users back to where they were before a run. */
#include "base/clock.h"
#include "base/decode.h"
#include "core/plan.h"
#include "core/plan_private.h"
#include <string.h>

struct undoing {
    struct project *project;
    struct arena *arena;
    struct run_row run;
    json_t *planned; /* the run's plan */
    json_t *steps, *warnings;
};

static const char *text_of(const json_t *json, const char *path)
{
    return json_string_value(decode_find(json, path));
}

static const json_t *planned_input(const struct undoing *undoing, const char *step_id)
{
    size_t i;
    const json_t *step;
    json_array_foreach(json_object_get(undoing->planned, "steps"), i, step)
    {
        if (!strcmp(text_of(step, "id"), step_id))
            return json_object_get(step, "input");
    }
    return NULL;
}

/* What was written is expected now, and what the plan saw is wanted back, where something was written. */
static json_t *records_back(const json_t *input, json_t *written)
{
    json_t *wanted = json_object();
    const char *type;
    json_t *set;
    json_object_foreach(written, type, set)
    {
        json_t *before = json_object_get(json_object_get(input, "expected"), type);
        json_object_set(wanted, type, before);
    }
    return json_pack("{s:s, s:s, s:O, s:o}", "name", text_of(input, "name"), "provider",
                     text_of(input, "provider"), "expected", written, "wanted", wanted);
}

static json_t *address_back(const json_t *moved)
{
    return json_pack("{s:{s:s, s:s, s:s, s:s, s:s, s:s}}", "movable", "provider", text_of(moved, "provider"),
                     "id", text_of(moved, "id"), "address", text_of(moved, "address"), "kind",
                     text_of(moved, "kind"), "held_by", text_of(moved, "to"), "to", text_of(moved, "from"));
}

static void add_back(struct undoing *undoing, const struct step_row *row, const json_t *output)
{
    const json_t *input = planned_input(undoing, row->id);
    const json_t *moved = json_object_get(output, "moved");
    json_t *written = json_object_get(output, "written");
    if (moved && !text_of(moved, "from")) {
        json_array_append_new(undoing->warnings, json_sprintf("the address %s was nobody's before: it stays",
                                                              text_of(moved, "address")));
        return;
    }
    if (!input || (!moved && !json_object_size(written)))
        return;
    const char *title =
        moved ? arena_printf(undoing->arena, "move %s back", text_of(moved, "address"))
              : arena_printf(undoing->arena, "put back the records of %s", text_of(input, "name"));
    json_array_append_new(
        undoing->steps, json_pack("{s:s, s:s, s:s, s:i, s:s, s:I, s:o}", "id", row->id, "kind",
                                  step_cutover.kind, "title", title, "danger", step_cutover.danger, "touches",
                                  step_cutover.touches, "estimate_ms", (json_int_t)step_cutover.estimate_ms,
                                  "input", moved ? address_back(moved) : records_back(input, written)));
}

static struct err *add_steps(struct undoing *undoing)
{
    struct step_row *rows;
    size_t count;
    TRY(store_step_list(undoing->project->store, undoing->arena, undoing->run.id, &rows, &count));
    for (size_t i = count; i-- > 0;) { /* the last change first */
        if (strcmp(rows[i].kind, step_cutover.kind) != 0 || !rows[i].output)
            continue;
        CLEANUP_JSON json_t *output = NULL;
        TRY(decode_json(rows[i].output, strlen(rows[i].output), "the journal", &output));
        add_back(undoing, &rows[i], output);
    }
    if (json_array_size(undoing->steps))
        return NULL;
    const char *kept = json_string_value(json_array_get(undoing->warnings, 0));
    return err_with_hint(err_new(ERR_INPUT, "there is nothing to put back of run '%s': %s", undoing->run.id,
                                 kept ? kept : "it changed neither DNS nor an address"),
                         "rehost report %s", undoing->run.id);
}

/* The users go back to a server that the run fenced: say what is known of it. */
static struct err *warn_of_fence(struct undoing *undoing)
{
    struct step_row *rows;
    size_t count;
    TRY(store_step_list(undoing->project->store, undoing->arena, undoing->run.id, &rows, &count));
    json_array_append_new(undoing->warnings,
                          json_string("the run's own server keeps running: what is written there from now on "
                                      "is not on the old one; power it off when users have left it"));
    for (size_t i = 0; i < count; i++) {
        CLEANUP_JSON json_t *output = NULL;
        if (strcmp(rows[i].kind, step_fence.kind) != 0 || !rows[i].output)
            continue;
        TRY(decode_json(rows[i].output, strlen(rows[i].output), "the journal", &output));
        const char *proof = text_of(output, "proof");
        if (!proof || !strcmp(proof, "unproven"))
            continue;
        json_array_append_new(undoing->warnings,
                              json_string(!strcmp(proof, "gone")
                                              ? "the old server was gone: users will find nothing there"
                                              : "the old server was powered off: switch it on first"));
    }
    return NULL;
}

static json_t *head(const struct undoing *undoing)
{
    const struct inventory *inventory = undoing->project->inventory;
    const int64_t now_ms = clock_now_ms(), until_ms = now_ms + PLAN_VALID_MS;
    return json_pack("{s:i, s:s, s:s, s:s, s:s, s:O*, s:I, s:I, s:I, s:{s:s, s:s}, s:{s:i, s:i}, s:{}, s:[], "
                     "s:[], s:O, s:O}",
                     "format", PLAN_FORMAT, "kind", "rollback", "host", undoing->run.host, "scenario",
                     "rollback", "of_run", undoing->run.id, "back_to", planned_input(undoing, "fence"),
                     "made_ms", (json_int_t)now_ms, "valid_until_ms", (json_int_t)until_ms, "incident_ms",
                     (json_int_t)now_ms, "inventory", "path", inventory->path, "digest", inventory->digest,
                     "objectives", "rto_ms", 0, "rpo_ms", 0, "facts", "restore_points", "struck", "warnings",
                     undoing->warnings, "steps", undoing->steps);
}

struct err *plan_rollback(struct project *project, struct arena *arena, const char *run_id, struct plan *plan)
{
    TRY(project_store_read(project));
    CLEANUP_JSON json_t *steps = json_array();
    CLEANUP_JSON json_t *warnings = json_array();
    CLEANUP_JSON json_t *planned = NULL;
    struct undoing undoing = {.project = project, .arena = arena, .steps = steps, .warnings = warnings};
    TRY(store_run_get(project->store, arena, run_id, &undoing.run));
    if (!strcmp(undoing.run.kind, "rollback"))
        return err_with_hint(err_new(ERR_INPUT, "run '%s' is a rollback itself", run_id),
                             "rebuild the host again: rehost recover %s", undoing.run.host);
    TRY(decode_json(undoing.run.plan, strlen(undoing.run.plan), "the journal", &planned));
    undoing.planned = planned;
    TRY(add_steps(&undoing));
    TRY(warn_of_fence(&undoing));
    plan->json = head(&undoing);
    plan_seal(arena, plan);
    return NULL;
}
