#include "cli/show.h"
#include "base/clock.h"
#include "base/decode.h"
#include "base/strbuf.h"
#include "cli/out.h"
#include <string.h>

static const char *text_at(const json_t *json, const char *path)
{
    const char *text = json_string_value(decode_find(json, path));
    return text ? text : "-";
}

static int64_t int_at(const json_t *json, const char *path)
{
    return json_integer_value(decode_find(json, path));
}

static bool is_kind(const json_t *step, const char *kind)
{
    return !strcmp(text_at(step, "kind"), kind);
}

/* --- what would be done --- */

static void show_firewall(struct cli *cli, const json_t *rules)
{
    size_t index, i;
    const json_t *rule, *source;
    json_array_foreach(rules, index, rule)
    {
        CLEANUP_STRBUF struct strbuf sources;
        strbuf_init(&sources, 64 << 10);
        json_array_foreach(json_object_get(rule, "sources"), i, source)
            strbuf_addf(&sources, " %s", json_string_value(source));
        const int64_t from = int_at(rule, "port_from"), to = int_at(rule, "port_to");
        out_text(cli, "%-9s+ let in %s%s from%s\n", index ? "" : "FIREWALL", text_at(rule, "protocol"),
                 !from        ? ""
                 : from == to ? arena_printf(cli->arena, " %lld", (long long)from)
                              : arena_printf(cli->arena, " %lld-%lld", (long long)from, (long long)to),
                 strbuf_to_arena(&sources, cli->arena));
    }
}

static void show_place(struct cli *cli, const json_t *plan, const json_t *step)
{
    size_t index;
    const json_t *place, *struck;
    json_array_foreach(decode_find(step, "input.places"), index, place)
    {
        out_text(cli, "%-9s%s %-22s %-16s %lld vCPU %.0f GB %.0f GB disk   %s %.4f/h%s\n",
                 index ? "" : "PLACE", index ? "  next:" : "+ server",
                 arena_printf(cli->arena, "%s/%s", text_at(place, "provider"), text_at(place, "region")),
                 text_at(place, "size"), (long long)int_at(place, "cores"),
                 json_number_value(json_object_get(place, "memory_gib")),
                 json_number_value(json_object_get(place, "disk_gib")), text_at(place, "currency"),
                 json_number_value(json_object_get(place, "price_hourly")),
                 json_is_true(json_object_get(place, "available")) ? "" : "   (sold out right now)");
    }
    json_array_foreach(json_object_get(plan, "struck"), index, struck)
        out_text(cli, "           struck out: %s\n", json_string_value(struck));
    show_firewall(cli, decode_find(step, "input.firewall"));
}

static void show_movable(struct cli *cli, const json_t *step)
{
    const char *region = json_string_value(decode_find(step, "input.movable.region"));
    out_text(cli, "ADDRESS  ~ %s (%s) moves when the new server is at %s%s%s; else:\n",
             text_at(step, "input.movable.address"), text_at(step, "input.movable.kind"),
             text_at(step, "input.movable.provider"), region ? "/" : "", region ? region : "");
}

static void show_cutover(struct cli *cli, const json_t *step)
{
    json_t *expected = decode_find(step, "input.expected");
    const char *type;
    json_t *set;
    if (decode_find(step, "input.movable.to"))
        out_text(cli, "ADDRESS  ~ %s goes back to server %s\n", text_at(step, "input.movable.address"),
                 text_at(step, "input.movable.to"));
    else if (decode_find(step, "input.movable"))
        show_movable(cli, step);
    json_object_foreach(expected, type, set)
    {
        const json_t *wanted = json_object_get(decode_find(step, "input.wanted"), type);
        const char *value = json_string_value(decode_find(step, "input.value"));
        if (json_array_size(json_object_get(set, "values")) || value || strcmp(type, "A") == 0)
            out_text(cli, "DNS      ~ %s  %s  %s -> %s   TTL %lld\n", text_at(step, "input.name"), type,
                     text_at(set, "values.0"),
                     wanted  ? text_at(wanted, "values.0")
                     : value ? value
                             : "(new)",
                     (long long)int_at(set, "ttl"));
    }
}

static void show_change(struct cli *cli, const json_t *plan, const json_t *step)
{
    if (is_kind(step, "fence"))
        out_text(cli, "FENCE    - power off %s at %s, unless it is gone   severe  ?\n",
                 text_at(step, "input.server"), text_at(step, "input.provider"));
    else if (is_kind(step, "provision"))
        show_place(cli, plan, step);
    else if (is_kind(step, "configure"))
        out_text(cli, "CONFIG   > %-40s %lld tasks\n", text_at(step, "title"),
                 (long long)int_at(step, "input.tasks"));
    else if (is_kind(step, "cutover"))
        show_cutover(cli, step);
    else if (is_kind(step, "protect"))
        out_text(cli, "AFTER    + first backup of the new server\n");
}

static void show_points(struct cli *cli, const json_t *plan)
{
    size_t index;
    const json_t *point;
    json_array_foreach(json_object_get(plan, "restore_points"), index, point)
        out_text(cli, "DATA     R %s %-16s %s   %s   age at incident %s\n", text_at(point, "kind"),
                 text_at(point, "dataset"), text_at(point, "stamp"),
                 out_bytes(cli->arena, int_at(point, "size_bytes")),
                 out_duration(cli->arena, int_at(point, "age_ms")));
}

static void show_steps(struct cli *cli, const json_t *plan)
{
    size_t index;
    const json_t *step;
    out_text(cli, "\n  #  step                                          forecast\n");
    json_array_foreach(json_object_get(plan, "steps"), index, step)
    {
        int64_t danger = int_at(step, "danger");
        out_text(cli, " %2zu  %-44s  %8s%s\n", index + 1, text_at(step, "title"),
                 out_duration(cli->arena, int_at(step, "estimate_ms")),
                 danger == DANGER_SEVERE     ? "   severe: asks when it must act"
                 : danger == DANGER_MODERATE ? "   asks"
                                             : "");
    }
}

/* --- the forecast --- */

int64_t show_plan_forecast_ms(const struct plan *plan)
{
    int64_t spent_ms = clock_now_ms() - int_at(plan->json, "incident_ms");
    int64_t until = plan_estimate_ms(plan, "cutover");
    if (!until)
        until = plan_estimate_ms(plan, "verify");
    return (spent_ms > 0 ? spent_ms : 0) + until;
}

static bool rpo_met(const json_t *point)
{
    return int_at(point, "age_ms") <= int_at(point, "rpo_ms");
}

static void show_forecast(struct cli *cli, const struct plan *plan)
{
    int64_t target_ms = int_at(plan->json, "objectives.rto_ms"), ms = show_plan_forecast_ms(plan);
    out_text(
        cli, "\n objective                 target     forecast\n RTO service up            %-10s %-10s %s\n",
        out_duration(cli->arena, target_ms), out_duration(cli->arena, ms), ms <= target_ms ? "ok" : "MISSED");
    size_t index;
    const json_t *point;
    json_array_foreach(json_object_get(plan->json, "restore_points"), index, point)
        out_text(cli, " RPO %-21s %-10s %-10s %s\n", text_at(point, "dataset"),
                 out_duration(cli->arena, int_at(point, "rpo_ms")),
                 out_duration(cli->arena, int_at(point, "age_ms")), rpo_met(point) ? "ok" : "MISSED");
}

bool show_plan_needs_attention(const struct plan *plan)
{
    if (json_array_size(json_object_get(plan->json, "warnings")) ||
        json_array_size(json_object_get(plan->json, "struck")))
        return true;
    size_t index;
    const json_t *point;
    json_array_foreach(json_object_get(plan->json, "restore_points"), index,
                       point) if (!rpo_met(point)) return true;
    return show_plan_forecast_ms(plan) > int_at(plan->json, "objectives.rto_ms");
}

void show_plan(struct cli *cli, const struct plan *plan, bool saved)
{
    const json_t *json = plan->json;
    out_text(cli, "plan for %s, %s   incident %s   inventory %.12s\n\n", plan_host(plan),
             text_at(json, "scenario"), out_time(cli->arena, int_at(json, "incident_ms")),
             text_at(json, "inventory.digest"));
    out_text(cli, "  + create   ~ change   - destroy   > run on host   R restore   ? needs you\n\n");
    size_t index;
    const json_t *step, *warning;
    json_array_foreach(json_object_get(json, "steps"), index, step)
    {
        if (is_kind(step, "cutover") || is_kind(step, "protect"))
            break;
        show_change(cli, json, step);
    }
    show_points(cli, json);
    for (; index < json_array_size(json_object_get(json, "steps")); index++)
        show_change(cli, json, json_array_get(json_object_get(json, "steps"), index));
    show_steps(cli, json);
    show_forecast(cli, plan);
    json_array_foreach(json_object_get(json, "warnings"), index, warning)
        out_text(cli, " !! %s\n", json_string_value(warning));
    out_text(cli, "\nPlan: %zu steps, %zu restores.  digest %.12s%s\n",
             json_array_size(json_object_get(json, "steps")),
             json_array_size(json_object_get(json, "restore_points")), plan->digest,
             saved ? "   saved, valid 60 min" : "");
}

void show_changes(struct cli *cli, const struct plan *plan)
{
    size_t index;
    const json_t *step, *warning;
    json_array_foreach(json_object_get(plan->json, "steps"), index, step) show_change(cli, plan->json, step);
    json_array_foreach(json_object_get(plan->json, "warnings"), index, warning)
        out_text(cli, " !! %s\n", json_string_value(warning));
    out_text(cli, "\n");
}

/* --- the verdict --- */

static void show_objective(struct cli *cli, const char *name, const json_t *objective)
{
    out_text(cli, " %-24s %-10s %-10s %s\n", name, out_duration(cli->arena, int_at(objective, "target_ms")),
             out_duration(cli->arena, int_at(objective, "actual_ms")),
             json_is_true(json_object_get(objective, "met")) ? "met" : "MISSED");
}

void show_verdict(struct cli *cli, const json_t *verdict)
{
    size_t index;
    const json_t *rpo;
    const json_t *server = json_object_get(verdict, "server");
    if (server)
        out_text(cli, "server   %s at %s/%s, %s\n", text_at(server, "name"), text_at(server, "account"),
                 text_at(server, "region"), text_at(server, "address"));
    out_text(cli, "incident %s   service up %s   all resolvers by %s   protected again %s\n\n",
             out_time(cli->arena, int_at(verdict, "incident_ms")),
             out_time(cli->arena, int_at(verdict, "service_up_ms")),
             out_time(cli->arena, int_at(verdict, "resolvers_by_ms")),
             out_time(cli->arena, int_at(verdict, "protected_ms")));
    out_text(cli, " objective                target     actual     verdict\n");
    if (json_object_get(verdict, "rto"))
        show_objective(cli, "RTO service up", json_object_get(verdict, "rto"));
    json_array_foreach(json_object_get(verdict, "rpo"), index, rpo)
    {
        show_objective(cli, arena_printf(cli->arena, "RPO %s", text_at(rpo, "dataset")), rpo);
        out_text(cli, "   lost: what was written to %s from %s to %s (UTC); restored point %s\n",
                 text_at(rpo, "dataset"), out_time(cli->arena, int_at(rpo, "lost_from_ms")),
                 out_time(cli->arena, int_at(rpo, "lost_to_ms")), text_at(rpo, "stamp"));
    }
}
