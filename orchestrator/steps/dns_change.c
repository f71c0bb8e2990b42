#include "steps/dns_change.h"
#include "base/clock.h"
#include "base/decode.h"
#include "base/dnsquery.h"
#include "base/retry.h"
#include "base/strbuf.h"
#include <string.h>

#define CONFIRM_DEADLINE_MS                                                                                  \
    (10 * 60 * 1000) /* some services publish once a minute, and slower on a bad day */
#define CONFIRM_POLL_MS 1000

struct exchange { /* one call in the retry loop */
    struct dns_target *target;
    const struct dns_change *change;
    const char *op;
    bool done;
    const char **servers;
    size_t server_count;
    struct dns_record_set found;
};

static struct err *zone_once(const struct ctx *ctx, void *arg)
{
    struct dns_target *t = ((struct exchange *)arg)->target;
    return t->account.ops->zone_find(ctx, t->account.dns, t->step->arena, t->name, &t->zone);
}

static struct err *set_once(const struct ctx *ctx, void *arg)
{
    struct exchange *x = arg;
    struct dns_target *t = x->target;
    return t->account.ops->record_set_if(ctx, t->account.dns, t->step->arena, &t->zone, &x->change->expected,
                                         &x->change->wanted, &x->op);
}

static struct err *poll_once(const struct ctx *ctx, void *arg)
{
    struct exchange *x = arg;
    struct dns_target *t = x->target;
    return t->account.ops->op_poll(ctx, t->account.dns, t->step->arena, x->op, &x->done);
}

static struct err *servers_once(const struct ctx *ctx, void *arg)
{
    struct exchange *x = arg;
    struct dns_target *t = x->target;
    return t->account.ops->authoritative_servers(ctx, t->account.dns, t->step->arena, &t->zone, &x->servers,
                                                 &x->server_count);
}

static struct err *get_once(const struct ctx *ctx, void *arg)
{
    struct exchange *x = arg;
    struct dns_target *t = x->target;
    return t->account.ops->record_get(ctx, t->account.dns, t->step->arena, &t->zone, t->name,
                                      x->change->wanted.type, &x->found);
}

/* --- what is there and what shall be --- */

/* {values, ttl}; NULL: the set does not exist. */
static struct err *read_set(struct dns_target *target, const json_t *json, const char *type,
                            struct dns_record_set *set)
{
    *set = (struct dns_record_set){.name = target->name, .type = type};
    TRY(decode_optional_int(json, "ttl", 0, &set->ttl_seconds));
    const json_t *values = json_object_get(json, "values");
    set->values = arena_array(target->step->arena, json_array_size(values) + 1, sizeof(*set->values));
    for (; set->count < json_array_size(values); set->count++)
        TRY(decode_string(values, arena_printf(target->step->arena, "%zu", set->count),
                          &set->values[set->count]));
    return NULL;
}

static void one_value(struct dns_target *target, const char *value, struct dns_record_set *set)
{
    set->values = arena_array(target->step->arena, 2, sizeof(*set->values));
    set->values[0] = value;
    set->count = value ? 1 : 0;
}

static const char *fact(const struct step_run *step, const char *path)
{
    return json_string_value(decode_find(step->facts, path));
}

/* "{ipv4}" and the like in the value that the inventory gives a CNAME or TXT. */
static struct err *expand(struct step_run *step, const char *text, const char **out)
{
    static const struct {
        const char *word, *path;
    } words[] = {{"{ipv4}", "reach.address"},
                 {"{ipv6}", "create.ipv6"},
                 {"{provider}", "create.account"},
                 {"{region}", "create.region"}};
    CLEANUP_STRBUF struct strbuf expanded;
    strbuf_init(&expanded, 4096);
    while (*text) {
        size_t taken = 0;
        for (size_t i = 0; i < sizeof(words) / sizeof(*words) && !taken; i++) {
            if (strncmp(text, words[i].word, strlen(words[i].word)) != 0)
                continue;
            if (!fact(step, words[i].path))
                return err_new(ERR_REJECTED, "the new server has no %s for the record's value",
                               words[i].word);
            strbuf_adds(&expanded, fact(step, words[i].path));
            taken = strlen(words[i].word);
        }
        if (!taken)
            strbuf_addf(&expanded, "%c", *text);
        text += taken ? taken : 1;
    }
    *out = strbuf_to_arena(&expanded, step->arena);
    return NULL;
}

static struct err *add_change(struct dns_target *target, const char *type, const char *value)
{
    struct dns_change *change = &target->changes[target->count];
    const json_t *expected = json_object_get(target->step->input, "expected");
    const json_t *wanted = json_object_get(target->step->input, "wanted");
    TRY(read_set(target, json_object_get(expected, type), type, &change->expected));
    TRY(read_set(target, json_object_get(wanted, type), type, &change->wanted));
    if (!wanted) {
        TRY(decode_optional_int(target->step->input, "ttl", change->expected.ttl_seconds,
                                &change->wanted.ttl_seconds));
        one_value(target, value, &change->wanted);
    }
    if (change->expected.count || change->wanted.count)
        target->count++;
    return NULL;
}

/* An AAAA that leads to the old server goes with it when the new one has no IPv6; where there was none, none
 * is made: the name was not meant to have one. */
static struct err *add_addresses(struct dns_target *target)
{
    const char *ipv4;
    TRY(step_fact(target->step, "reach.address", &ipv4));
    TRY(add_change(target, "A", ipv4));
    if (json_array_size(decode_find(target->step->input, "expected.AAAA.values")))
        TRY(add_change(target, "AAAA", fact(target->step, "create.ipv6")));
    return NULL;
}

static struct err *add_changes(struct dns_target *target)
{
    const json_t *wanted = json_object_get(target->step->input, "wanted");
    const char *type, *value = NULL;
    TRY(decode_optional_string(target->step->input, "type", "address", &type));
    if (wanted) {
        static const char *const types[] = {"A", "AAAA", "CNAME", "TXT"};
        for (size_t i = 0; i < sizeof(types) / sizeof(*types) && target->count < 2; i++)
            if (json_object_get(wanted, types[i]))
                TRY(add_change(target, types[i], NULL));
        return NULL;
    }
    if (strcmp(type, "address") == 0)
        return add_addresses(target);
    TRY(decode_string(target->step->input, "value", &value));
    TRY(expand(target->step, value, &value));
    return add_change(target, type, value);
}

struct err *dns_target_open(struct step_run *step, struct dns_target *target)
{
    const char *account;
    *target = (struct dns_target){.step = step};
    TRY(decode_string(step->input, "name", &target->name));
    TRY(decode_string(step->input, "provider", &account));
    TRY(step->services->dns(step->services->core, account, &target->account));
    struct exchange x = {.target = target};
    TRY(retry_run(step->ctx, &retry_reads, "find the DNS zone", zone_once, &x));
    return add_changes(target);
}

static const char *values_text(struct arena *arena, const struct dns_record_set *set, const char *none)
{
    CLEANUP_STRBUF struct strbuf text;
    strbuf_init(&text, 8192);
    for (size_t i = 0; i < set->count; i++)
        strbuf_addf(&text, "%s%s", i ? " " : "", set->values[i]);
    return set->count ? strbuf_to_arena(&text, arena) : none;
}

const char *dns_target_text(const struct dns_target *target)
{
    struct arena *arena = target->step->arena;
    const char *text = "nothing";
    for (size_t i = 0; i < target->count; i++) {
        const struct dns_record_set *wanted = &target->changes[i].wanted;
        const char *one = arena_printf(arena, "%s %s", wanted->type, values_text(arena, wanted, "(removed)"));
        text = i ? arena_printf(arena, "%s, %s", text, one) : one;
    }
    return text;
}

/* --- writing --- */

static struct err *wait_for(struct exchange *x)
{
    struct dns_target *target = x->target;
    const struct ctx limited = ctx_with_timeout(target->step->ctx, CONFIRM_DEADLINE_MS);
    for (x->done = !x->op; !x->done;) {
        TRY(retry_run(&limited, &retry_reads, "look at the DNS change", poll_once, x));
        if (!x->done)
            TRY(ctx_sleep(&limited, target->account.poll_ms));
    }
    return NULL;
}

static struct err *write_change(struct dns_target *target, const struct dns_change *change)
{
    /* A compare-and-swap: sent again after a lost answer it finds its own result and is done. */
    const struct retry_policy policy = {
        .max_attempts = 6, .base_ms = 1000, .max_ms = 15000, .idempotent = true};
    struct step_run *step = target->step;
    struct exchange x = {.target = target, .change = change};
    const char *old = values_text(step->arena, &change->expected, "(none)");
    const char *new = values_text(step->arena, &change->wanted, "(removed)");
    CLEANUP_JSON json_t *detail =
        json_pack("{s:s, s:s, s:s}", "type", change->wanted.type, "old", old, "new", new);
    int64_t effect;
    TRY(effect_begin(step->effects, "dns.set", target->name, decode_dump(step->arena, detail), &effect));
    struct err *e = retry_run(step->ctx, &policy, "change the DNS record", set_once, &x);
    TRY(effect_end(step->effects, effect, e, x.op));
    TRY(wait_for(&x));
    step_note(step, "%s %s: %s -> %s", target->name, change->wanted.type, old, new);
    return NULL;
}

static json_t *set_json(const struct dns_record_set *set)
{
    json_t *values = json_array();
    for (size_t i = 0; i < set->count; i++)
        json_array_append_new(values, json_string(set->values[i]));
    return json_pack("{s:o, s:I}", "values", values, "ttl", (json_int_t)set->ttl_seconds);
}

struct err *dns_target_write(struct dns_target *target)
{
    json_t *output = target->step->output, *written = json_object();
    int64_t old_ttl_seconds = 0;
    json_object_set_new(output, "written", written);
    for (size_t i = 0; i < target->count; i++) {
        const struct dns_change *change = &target->changes[i];
        /* Before it is written: a rollback must know of it, whatever becomes of us. */
        json_object_set_new(written, change->wanted.type, set_json(&change->wanted));
        TRY(target->step->services->save(target->step));
        TRY(write_change(target, change));
        if (change->expected.count && change->expected.ttl_seconds > old_ttl_seconds)
            old_ttl_seconds = change->expected.ttl_seconds;
    }
    json_object_set_new(output, "flipped_ms", json_integer(clock_now_ms()));
    json_object_set_new(output, "old_ttl_seconds", json_integer(old_ttl_seconds));
    return target->step->services->save(target->step);
}

/* --- proof at the authoritative servers --- */

static bool has_values(const struct dns_answer *answer, const struct dns_record_set *wanted)
{
    const struct dns_record_set found = {
        .name = wanted->name, .type = wanted->type, .values = answer->values, .count = answer->count};
    return answer->authoritative && dns_record_set_equal(&found, wanted);
}

/* `server` is a name; an answer of an address that cannot be asked does not count for or against. */
static struct err *server_agrees(struct dns_target *target, const struct ctx *ctx, const char *server,
                                 const struct dns_record_set *wanted, bool *agrees)
{
    struct step_run *step = target->step;
    struct dns_answer found;
    *agrees = false;
    CLEANUP_ERR struct err *unresolved =
        dnsquery_ask(ctx, step->arena, step->services->resolver, server, "A", true, &found);
    if (unresolved)
        return err_kind(unresolved) == ERR_TRANSIENT ? NULL : TAKE(unresolved);
    struct dns_answer answer = {0};
    CLEANUP_ERR struct err *e =
        dnsquery_ask(ctx, step->arena, found.values[0], wanted->name, wanted->type, false, &answer);
    if (e && err_kind(e) != ERR_NOT_FOUND && err_kind(e) != ERR_TRANSIENT)
        return TAKE(e);
    *agrees = e ? err_kind(e) == ERR_NOT_FOUND && !wanted->count : has_values(&answer, wanted);
    return NULL;
}

/* A proxied record shows its service's own addresses to everybody: what the service says of it is all the
 * proof there is. */
static struct err *is_set_behind_proxy(struct dns_target *target, const struct ctx *ctx,
                                       const struct dns_change *change, bool *is_set)
{
    struct exchange x = {.target = target, .change = change};
    TRY(retry_run(ctx, &retry_reads, "read the DNS record", get_once, &x));
    *is_set = x.found.proxied && dns_record_set_equal(&x.found, &change->wanted);
    return NULL;
}

static const char *last_old_answer(const struct dns_target *target)
{
    const json_t *output = target->step->output;
    int64_t left_ms = json_integer_value(json_object_get(output, "flipped_ms")) +
                      json_integer_value(json_object_get(output, "old_ttl_seconds")) * 1000 - clock_now_ms();
    return left_ms > 0 ? arena_printf(target->step->arena, "; the last old answer expires in %lld s",
                                      (long long)(left_ms / 1000))
                       : "";
}

static struct err *confirm_at(struct dns_target *target, const struct ctx *limited, const char *server)
{
    bool looked = false;
    for (size_t i = 0; i < target->count;) {
        const struct dns_record_set *wanted = &target->changes[i].wanted;
        bool agrees;
        TRY(server_agrees(target, limited, server, wanted, &agrees));
        if (!agrees && !looked)
            TRY(is_set_behind_proxy(target, limited, &target->changes[i], &agrees));
        looked = !agrees;
        if (agrees) {
            i++;
            continue;
        }
        step_live(target->step, "%s does not answer the new %s of %s yet%s", server, wanted->type,
                  wanted->name, last_old_answer(target));
        TRY(ctx_sleep(limited, CONFIRM_POLL_MS));
    }
    return NULL;
}

struct err *dns_target_confirm(struct dns_target *target)
{
    struct step_run *step = target->step;
    struct exchange x = {.target = target};
    TRY(retry_run(step->ctx, &retry_reads, "ask for the authoritative servers", servers_once, &x));
    if (!x.server_count)
        return err_new(ERR_REJECTED, "the service names no authoritative server for zone '%s'",
                       target->zone.name);
    const struct ctx limited = ctx_with_timeout(step->ctx, CONFIRM_DEADLINE_MS);
    json_t *servers = json_array();
    json_object_set_new(step->output, "servers", servers);
    for (size_t i = 0; i < x.server_count; i++) {
        struct err *e = confirm_at(target, &limited, x.servers[i]);
        if (e)
            return err_wrap(e, "confirm %s at authoritative server '%s'", target->name, x.servers[i]);
        json_array_append_new(servers, json_string(x.servers[i]));
    }
    json_object_set_new(step->output, "confirmed_ms", json_integer(clock_now_ms()));
    step_note(step, "%s answers %s at %zu of %zu authoritative servers%s", target->name,
              dns_target_text(target), x.server_count, x.server_count, last_old_answer(target));
    return NULL;
}
