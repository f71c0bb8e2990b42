/* The part of a plan that leads the users to the new server: what DNS says now, and whether an address can be
 * moved instead. */
#include "base/decode.h"
#include "base/retry.h"
#include "core/plan_private.h"
#include <string.h>

/* --- what DNS says --- */

struct dns_look {
    struct maker *maker;
    struct dns_account account;
    struct dns_zone zone;
    const char *name, *type;
    struct dns_record_set set;
};

static struct err *zone_once(const struct ctx *ctx, void *arg)
{
    struct dns_look *look = arg;
    return look->account.ops->zone_find(ctx, look->account.dns, look->maker->arena, look->name, &look->zone);
}

static struct err *record_once(const struct ctx *ctx, void *arg)
{
    struct dns_look *look = arg;
    return look->account.ops->record_get(ctx, look->account.dns, look->maker->arena, &look->zone, look->name,
                                         look->type, &look->set);
}

static struct err *look_at(struct dns_look *look, const char *type, json_t *expected)
{
    look->type = type;
    look->set = (struct dns_record_set){0};
    TRY(retry_run(look->maker->project->ctx, &retry_reads, "read the DNS record", record_once, look));
    json_t *values = json_array();
    for (size_t i = 0; i < look->set.count; i++)
        json_array_append_new(values, json_string(look->set.values[i]));
    json_object_set_new(expected, type,
                        json_pack("{s:o, s:I}", "values", values, "ttl", (json_int_t)look->set.ttl_seconds));
    return NULL;
}

/* An alias has no address of its own: it follows the name that it stands for. */
static struct err *is_alias(struct dns_look *look, bool *alias)
{
    look->type = "CNAME";
    look->set = (struct dns_record_set){0};
    TRY(retry_run(look->maker->project->ctx, &retry_reads, "read the DNS record", record_once, look));
    *alias = look->set.count > 0;
    if (*alias)
        json_array_append_new(look->maker->warnings,
                              json_sprintf("%s is an alias (CNAME) of %s and stays as it is: list that name",
                                           look->name, look->set.values[0]));
    return NULL;
}

/* --- an address that can be moved instead --- */

/* Some rung stands where the address can be used. */
static bool is_on_ladder(const struct maker *maker, const char *account, const char *region)
{
    size_t i, k;
    const json_t *step, *place;
    json_array_foreach(maker->steps, i, step)
    {
        json_array_foreach(decode_find(step, "input.places"), k, place)
        {
            if (!strcmp(json_string_value(json_object_get(place, "provider")), account) &&
                (!region || !strcmp(json_string_value(json_object_get(place, "region")), region)))
                return true;
        }
    }
    return false;
}

/* What the step needs to move `address`; NULL when it is a server's own. Kinds that cost the new server its
 * own address, or a stop of both, are left alone: DNS is quicker. */
static struct err *find_movable(struct maker *maker, const char *address, json_t **movable)
{
    struct host_location old;
    struct movable_ip *ips;
    size_t count;
    *movable = NULL;
    TRY(project_locate(maker->project, maker->host, &old));
    if (plan_is_lost(maker, old.account))
        return NULL;
    TRY(project_movable_ips(maker->project, old.account, &ips, &count));
    for (size_t i = 0; i < count; i++) {
        const struct movable_ip *ip = &ips[i];
        if (strcmp(ip->address, address) != 0 || ip->needs_servers_off || ip->gives_up_own ||
            !is_on_ladder(maker, old.account, ip->region))
            continue;
        *movable = json_pack("{s:s, s:s, s:s, s:s, s:s?, s:b}", "provider", old.account, "id", ip->id,
                             "address", ip->address, "kind", ip->kind, "region", ip->region,
                             "needs_configuration", ip->needs_configuration);
    }
    return NULL;
}

/* An account that does not answer must not keep us from a plan: DNS does it then. */
static struct err *add_movable(struct maker *maker, const char *address, json_t *input)
{
    json_t *movable = NULL;
    CLEANUP_ERR struct err *e = address ? find_movable(maker, address, &movable) : NULL;
    if (e && err_kind(e) == ERR_CANCELLED)
        return TAKE(e);
    if (e)
        json_array_append_new(maker->warnings,
                              json_sprintf("whether %s can be moved is not known: %s", address, err_text(e)));
    if (movable)
        json_object_set_new(input, "movable", movable);
    return NULL;
}

/* --- names --- */

static void warn_of_addresses(struct maker *maker, const char *name, const json_t *expected)
{
    size_t addresses = json_array_size(decode_find(expected, "A.values"));
    if (addresses > 1)
        json_array_append_new(
            maker->warnings,
            json_sprintf("%s has %zu addresses: the new server's takes the place of all of them", name,
                         addresses));
}

static void warn_of_ttl(struct maker *maker, const struct dns_look *look, const struct dns_name *name,
                        int64_t ttl)
{
    const int64_t least = look->account.ops->ttl_min_seconds;
    if (ttl > 300)
        json_array_append_new(
            maker->warnings,
            json_sprintf("%s has a TTL of %lld s: visitors move that much later; lower it today", name->name,
                         (long long)ttl));
    if (name->ttl_seconds && name->ttl_seconds < least)
        json_array_append_new(maker->warnings,
                              json_sprintf("%s: its DNS service raises the TTL of %lld s to %lld s",
                                           name->name, (long long)name->ttl_seconds, (long long)least));
}

static struct err *look_at_addresses(struct dns_look *look, json_t *input, json_t *expected)
{
    TRY(look_at(look, "A", expected));
    TRY(look_at(look, "AAAA", expected));
    warn_of_addresses(look->maker, look->name, expected);
    /* Moving one of several would leave the others at the old server. */
    if (json_array_size(decode_find(expected, "A.values")) != 1 ||
        json_array_size(decode_find(expected, "AAAA.values")) != 0)
        return NULL;
    return add_movable(look->maker, json_string_value(decode_find(expected, "A.values.0")), input);
}

static struct err *look_at_name(struct dns_look *look, const struct dns_name *name, json_t *input)
{
    json_t *expected = json_object_get(input, "expected");
    if (!strcmp(name->type, "address"))
        TRY(look_at_addresses(look, input, expected));
    else
        TRY(look_at(look, name->type, expected));
    const char *first = !strcmp(name->type, "address") ? "A" : name->type;
    warn_of_ttl(look->maker, look, name,
                json_integer_value(json_object_get(json_object_get(expected, first), "ttl")));
    return NULL;
}

static const char *name_title(struct maker *maker, const struct dns_name *name, const json_t *input)
{
    const char *address = json_string_value(decode_find(input, "movable.address"));
    if (address)
        return arena_printf(maker->arena, "move %s, else point %s to the new server", address, name->name);
    if (name->value)
        return arena_printf(maker->arena, "set %s %s", name->name, name->type);
    return arena_printf(maker->arena, "point %s to the new server", name->name);
}

static const char *name_step_id(struct maker *maker, const struct dns_name *name)
{
    return strcmp(name->type, "address") != 0
               ? arena_printf(maker->arena, "dns-%s-%s", name->name, name->type)
               : arena_printf(maker->arena, "dns-%s", name->name);
}

struct err *plan_add_name(struct maker *maker, const struct dns_name *name)
{
    struct dns_look look = {.maker = maker, .name = name->name};
    bool alias = false;
    if (plan_is_lost(maker, name->account)) {
        json_array_append_new(
            maker->warnings,
            json_sprintf("%s is served by '%s', which is left out: point it to the new server "
                         "by hand, or at its registrar to other name servers",
                         name->name, name->account));
        return NULL;
    }
    TRY(project_dns(maker->project, name->account, &look.account));
    struct err *unfound = retry_run(maker->project->ctx, &retry_reads, "find the DNS zone", zone_once, &look);
    if (unfound && !err_hint(unfound))
        unfound = err_with_hint(unfound, "to recover without moving its names: --without %s", name->account);
    TRY(unfound);
    if (!strcmp(name->type, "address"))
        TRY(is_alias(&look, &alias));
    if (alias)
        return NULL;
    CLEANUP_JSON json_t *input =
        json_pack("{s:s, s:s, s:s, s:s*, s:{}}", "name", name->name, "provider", name->account, "type",
                  name->type, "value", name->value, "expected");
    if (name->ttl_seconds)
        json_object_set_new(input, "ttl", json_integer(name->ttl_seconds));
    TRY(look_at_name(&look, name, input));
    const char *title = name_title(maker, name, input);
    plan_add_step(maker, name_step_id(maker, name), &step_cutover, title, TAKE(input));
    return NULL;
}
