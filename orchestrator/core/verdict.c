#include "core/verdict.h"
#include "base/clock.h"
#include "base/decode.h"
#include <string.h>

struct measured {
    int64_t verified_ms, confirmed_ms, resolvers_by_ms, protected_ms;
    json_t *server; /* borrowed */
};

static int64_t int_at(const json_t *json, const char *path)
{
    return json_integer_value(decode_find(json, path));
}

static void measure_step(struct measured *m, const struct step_row *step, json_t *output)
{
    if (step->state != STEP_DONE)
        return;
    if (!strcmp(step->kind, "verify"))
        m->verified_ms = step->ended_ms;
    if (!strcmp(step->kind, "protect"))
        m->protected_ms = step->ended_ms;
    if (!strcmp(step->kind, "cutover")) {
        int64_t confirmed_ms = int_at(output, "confirmed_ms");
        int64_t cached_ms = int_at(output, "flipped_ms") + int_at(output, "old_ttl_seconds") * 1000;
        m->confirmed_ms = confirmed_ms > m->confirmed_ms ? confirmed_ms : m->confirmed_ms;
        cached_ms = cached_ms > confirmed_ms ? cached_ms : confirmed_ms;
        m->resolvers_by_ms = cached_ms > m->resolvers_by_ms ? cached_ms : m->resolvers_by_ms;
    }
}

static json_t *pick_server(const json_t *create)
{
    json_t *server = json_object();
    static const char *const keys[] = {"account",   "region",  "size",   "name",
                                       "server_id", "address", "attempt"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
        if (json_object_get(create, keys[i]))
            json_object_set(server, keys[i], json_object_get(create, keys[i]));
    return server;
}

/* Writes between the restore point and the incident cannot be in the restored data: that stretch is what was
 * lost. */
static bool add_rpo(json_t *rpo, const struct plan *plan, const char *dataset, const json_t *restored)
{
    int64_t incident_ms = int_at(plan->json, "incident_ms"), target_ms = 0;
    size_t index;
    const json_t *point;
    json_array_foreach(json_object_get(plan->json, "restore_points"), index, point)
    {
        if (!strcmp(json_string_value(json_object_get(point, "dataset")), dataset))
            target_ms = int_at(point, "rpo_ms");
    }
    int64_t taken_ms = int_at(restored, "taken_ms");
    int64_t lost_ms = incident_ms > taken_ms ? incident_ms - taken_ms : 0;
    json_array_append_new(rpo,
                          json_pack("{s:s, s:s, s:I, s:I, s:b, s:I, s:I, s:O*}", "dataset", dataset, "stamp",
                                    json_string_value(json_object_get(restored, "stamp")), "target_ms",
                                    (json_int_t)target_ms, "actual_ms", (json_int_t)lost_ms, "met",
                                    lost_ms <= target_ms, "lost_from_ms", (json_int_t)taken_ms, "lost_to_ms",
                                    (json_int_t)incident_ms, "probes", json_object_get(restored, "probes")));
    return lost_ms <= target_ms;
}

static void set_time(json_t *verdict, const char *key, int64_t at_ms)
{
    if (at_ms)
        json_object_set_new(verdict, key, json_integer(at_ms));
}

static json_t *judge(const struct plan *plan, const struct measured *m, json_t *rpo, bool rpo_met)
{
    const int64_t incident_ms = int_at(plan->json, "incident_ms"),
                  target_ms = int_at(plan->json, "objectives.rto_ms");
    const int64_t up_ms = m->confirmed_ms ? m->confirmed_ms : m->verified_ms;
    json_t *verdict = json_pack("{s:I, s:O}", "incident_ms", (json_int_t)incident_ms, "rpo", rpo);
    set_time(verdict, "service_up_ms", up_ms);
    set_time(verdict, "confirmed_ms", m->confirmed_ms);
    set_time(verdict, "resolvers_by_ms", m->resolvers_by_ms);
    set_time(verdict, "protected_ms", m->protected_ms);
    if (m->server)
        json_object_set(verdict, "server", m->server);
    bool rto_met = up_ms && up_ms - incident_ms <= target_ms;
    if (up_ms)
        json_object_set_new(verdict, "rto",
                            json_pack("{s:I, s:I, s:b}", "target_ms", (json_int_t)target_ms, "actual_ms",
                                      (json_int_t)(up_ms - incident_ms), "met", rto_met));
    json_object_set_new(verdict, "met", json_boolean(rto_met && rpo_met));
    return verdict;
}

struct err *verdict_make(struct store *store, struct arena *arena, const struct plan *plan, const char *run,
                         json_t **verdict)
{
    struct step_row *steps;
    size_t count;
    TRY(store_step_list(store, arena, run, &steps, &count));
    struct measured m = {0};
    bool rpo_met = true;
    CLEANUP_JSON json_t *rpo = json_array();
    CLEANUP_JSON json_t *server = NULL;
    for (size_t i = 0; i < count; i++) {
        CLEANUP_JSON json_t *output = NULL;
        if (steps[i].output)
            TRY(decode_json(steps[i].output, strlen(steps[i].output), "the journal", &output));
        measure_step(&m, &steps[i], output);
        if (!strcmp(steps[i].kind, "restore") && steps[i].state == STEP_DONE)
            rpo_met &= add_rpo(rpo, plan, steps[i].id + strlen("restore-"), output);
        if (!strcmp(steps[i].kind, "provision") && output && !server)
            m.server = server = pick_server(output);
    }
    *verdict = judge(plan, &m, rpo, rpo_met);
    return NULL;
}
