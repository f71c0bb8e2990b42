/* Moves one DNS name to the new server: read, compare with what the plan saw, write, and then ask each
 * authoritative server itself. A and AAAA go together: an AAAA that points to the old server is removed when
 * the new one has no IPv6. Output: {flipped_ms, confirmed_ms, old_ttl_seconds, servers}.
 */
#include "base/clock.h"
#include "base/decode.h"
#include "base/dnsquery.h"
#include "base/retry.h"
#include "steps/step.h"
#include <string.h>

#define CONFIRM_DEADLINE_MS 120000
#define CONFIRM_POLL_MS 1000

struct zone_ref {
    struct dns_account account;
    struct dns_zone zone;
    const char *name;
};

struct exchange { /* one call in the retry loop */
    struct step_run *step;
    struct zone_ref *ref;
    const struct dns_record_set *expected, *wanted;
    const char *op;
    bool done;
    const char **servers;
    size_t server_count;
};

static struct err *zone_once(const struct ctx *ctx, void *arg)
{
    struct exchange *x = arg;
    return x->ref->account.ops->zone_find(ctx, x->ref->account.dns, x->step->arena, x->ref->name,
                                          &x->ref->zone);
}

static struct err *set_once(const struct ctx *ctx, void *arg)
{
    struct exchange *x = arg;
    return x->ref->account.ops->record_set_if(ctx, x->ref->account.dns, x->step->arena, &x->ref->zone,
                                              x->expected, x->wanted, &x->op);
}

static struct err *poll_once(const struct ctx *ctx, void *arg)
{
    struct exchange *x = arg;
    return x->ref->account.ops->op_poll(ctx, x->ref->account.dns, x->step->arena, x->op, &x->done);
}

static struct err *servers_once(const struct ctx *ctx, void *arg)
{
    struct exchange *x = arg;
    return x->ref->account.ops->authoritative_servers(ctx, x->ref->account.dns, x->step->arena, &x->ref->zone,
                                                      &x->servers, &x->server_count);
}

static struct err *open_zone(struct step_run *step, struct zone_ref *ref)
{
    const char *account;
    TRY(decode_string(step->input, "name", &ref->name));
    TRY(decode_string(step->input, "provider", &account));
    TRY(step->services->dns(step->services->core, account, &ref->account));
    struct exchange x = {.step = step, .ref = ref};
    return retry_run(step->ctx, &retry_reads, "find the DNS zone", zone_once, &x);
}

/* --- what is there and what shall be --- */

static struct err *read_expected(struct step_run *step, const char *type, const char *name,
                                 struct dns_record_set *set)
{
    const json_t *planned = json_object_get(json_object_get(step->input, "expected"), type);
    *set = (struct dns_record_set){.name = name, .type = type};
    TRY(decode_optional_int(planned, "ttl", 0, &set->ttl_seconds));
    const json_t *values = json_object_get(planned, "values");
    set->values = arena_array(step->arena, json_array_size(values) + 1, sizeof(*set->values));
    for (; set->count < json_array_size(values); set->count++)
        set->values[set->count] = json_string_value(json_array_get(values, set->count));
    return NULL;
}

static struct err *make_wanted(struct step_run *step, const struct dns_record_set *expected,
                               const char *address, struct dns_record_set *set)
{
    *set = (struct dns_record_set){.name = expected->name, .type = expected->type};
    TRY(decode_optional_int(step->input, "ttl", expected->ttl_seconds, &set->ttl_seconds));
    set->values = arena_array(step->arena, 2, sizeof(*set->values));
    set->values[0] = address;
    set->count = address ? 1 : 0;
    return NULL;
}

static struct err *flip(struct step_run *step, struct zone_ref *ref, const struct dns_record_set *expected,
                        const struct dns_record_set *wanted)
{
    /* The write is a compare-and-swap: sent again after a lost answer it finds its own result and is done. */
    const struct retry_policy policy = {
        .max_attempts = 6, .base_ms = 1000, .max_ms = 15000, .idempotent = true};
    struct exchange x = {.step = step, .ref = ref, .expected = expected, .wanted = wanted};
    CLEANUP_JSON json_t *detail =
        json_pack("{s:s, s:s?, s:s?}", "type", wanted->type, "old",
                  expected->count ? expected->values[0] : NULL, "new", wanted->values[0]);
    int64_t effect;
    TRY(effect_begin(step->effects, "dns.set", ref->name, decode_dump(step->arena, detail), &effect));
    struct err *e = retry_run(step->ctx, &policy, "change the DNS record", set_once, &x);
    TRY(effect_end(step->effects, effect, e, x.op));
    const struct ctx limited = ctx_with_timeout(step->ctx, CONFIRM_DEADLINE_MS);
    for (x.done = !x.op; !x.done;) {
        TRY(retry_run(&limited, &retry_reads, "look at the DNS change", poll_once, &x));
        if (!x.done)
            TRY(ctx_sleep(&limited, ref->account.poll_ms));
    }
    return NULL;
}

/* The type's expected set, the wanted one, and whether the plan touches it at all. */
static struct err *flip_type(struct step_run *step, struct zone_ref *ref, const char *type,
                             const char *address)
{
    struct dns_record_set expected, wanted;
    TRY(read_expected(step, type, ref->name, &expected));
    TRY(make_wanted(step, &expected, address, &wanted));
    if (!expected.count && !wanted.count)
        return NULL;
    TRY(flip(step, ref, &expected, &wanted));
    step_note(step, "%s %s: %s -> %s", ref->name, type, expected.count ? expected.values[0] : "(none)",
              address ? address : "(removed)");
    return NULL;
}

static const char *new_ipv6(struct step_run *step)
{
    return json_string_value(decode_find(step->facts, "create.ipv6"));
}

static struct err *cutover_apply(struct step_run *step)
{
    struct zone_ref ref = {0};
    const char *address;
    TRY(step_fact(step, "reach.address", &address));
    TRY(open_zone(step, &ref));
    char *question = arena_printf(step->arena, "point %s to %s", ref.name, address);
    TRY(step->services->confirm(step, DANGER_MODERATE, question, "yes"));
    TRY(flip_type(step, &ref, "A", address));
    const json_t *old6 = decode_find(step->input, "expected.AAAA.values");
    if (json_array_size(old6))
        TRY(flip_type(step, &ref, "AAAA", new_ipv6(step)));
    json_object_set_new(step->output, "flipped_ms", json_integer(clock_now_ms()));
    int64_t old_ttl;
    TRY(decode_optional_int(step->input, "expected.A.ttl", 0, &old_ttl));
    json_object_set_new(step->output, "old_ttl_seconds", json_integer(old_ttl));
    return NULL;
}

/* --- proof at the authoritative servers --- */

static struct err *server_agrees(struct step_run *step, const struct ctx *ctx, const char *server,
                                 const char *name, const char *address, bool *agrees)
{
    struct dns_answer found;
    *agrees = false;
    CLEANUP_ERR struct err *unresolved =
        dnsquery_ask(ctx, step->arena, step->services->resolver, server, "A", true, &found);
    if (unresolved)
        return err_kind(unresolved) == ERR_TRANSIENT ? NULL : TAKE(unresolved);
    struct dns_answer answer;
    CLEANUP_ERR struct err *e = dnsquery_ask(ctx, step->arena, found.values[0], name, "A", false, &answer);
    if (e && err_kind(e) != ERR_NOT_FOUND && err_kind(e) != ERR_TRANSIENT)
        return TAKE(e);
    *agrees = !e && answer.count == 1 && answer.authoritative && !strcmp(answer.values[0], address);
    return NULL;
}

static struct err *confirm_server(struct step_run *step, const struct ctx *limited, const char *server,
                                  const char *name, const char *address)
{
    for (;;) {
        bool agrees;
        TRY(server_agrees(step, limited, server, name, address, &agrees));
        if (agrees)
            return NULL;
        step_live(step, "%s does not answer the new address for %s yet", server, name);
        TRY(ctx_sleep(limited, CONFIRM_POLL_MS));
    }
}

static struct err *cutover_verify(struct step_run *step)
{
    struct zone_ref ref = {0};
    const char *address;
    TRY(step_fact(step, "reach.address", &address));
    TRY(open_zone(step, &ref));
    struct exchange x = {.step = step, .ref = &ref};
    TRY(retry_run(step->ctx, &retry_reads, "ask for the authoritative servers", servers_once, &x));
    if (!x.server_count)
        return err_new(ERR_REJECTED, "the provider names no authoritative server for zone '%s'",
                       ref.zone.name);
    const struct ctx limited = ctx_with_timeout(step->ctx, CONFIRM_DEADLINE_MS);
    json_t *servers = json_array();
    json_object_set_new(step->output, "servers", servers);
    for (size_t i = 0; i < x.server_count; i++) {
        struct err *e = confirm_server(step, &limited, x.servers[i], ref.name, address);
        if (e)
            return err_wrap(e, "confirm %s at authoritative server '%s'", ref.name, x.servers[i]);
        json_array_append_new(servers, json_string(x.servers[i]));
    }
    json_object_set_new(step->output, "confirmed_ms", json_integer(clock_now_ms()));
    step_note(step, "%s answers %s at %zu of %zu authoritative servers", ref.name, address, x.server_count,
              x.server_count);
    return NULL;
}

const struct step_ops step_cutover = {
    .kind = "cutover",
    .touches = "changes the DNS records of one name",
    .danger = DANGER_MODERATE,
    .estimate_ms = 10000,
    .apply = cutover_apply,
    .verify = cutover_verify,
};
