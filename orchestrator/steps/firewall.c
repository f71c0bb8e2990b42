#include "steps/firewall.h"
#include "base/decode.h"
#include "base/retry.h"

struct putting {
    struct step_run *step;
    const struct compute_account *account;
    struct firewall_spec spec;
    const char *id, *server_id, *op;
};

static struct err *ensure_once(const struct ctx *ctx, void *arg)
{
    struct putting *p = arg;
    return p->account->ops->firewall->ensure(ctx, p->account->provider, p->step->arena, &p->spec, &p->id);
}

static struct err *attach_once(const struct ctx *ctx, void *arg)
{
    struct putting *p = arg;
    return p->account->ops->firewall->attach(ctx, p->account->provider, p->step->arena, p->id, p->server_id,
                                             &p->op);
}

static struct err *read_rule(struct step_run *step, const json_t *json, struct firewall_rule *rule)
{
    const json_t *sources;
    int64_t from, to;
    TRY(decode_string(json, "protocol", &rule->protocol));
    TRY(decode_int(json, "port_from", &from));
    TRY(decode_int(json, "port_to", &to));
    TRY(decode_array(json, "sources", &sources));
    rule->port_from = (int)from;
    rule->port_to = (int)to;
    rule->source_count = json_array_size(sources);
    const char **texts = arena_array(step->arena, rule->source_count + 1, sizeof(*texts));
    for (size_t i = 0; i < rule->source_count; i++)
        TRY(decode_string(json_array_get(sources, i), "", &texts[i]));
    rule->sources = texts;
    return NULL;
}

static struct err *read_spec(struct step_run *step, const json_t *rules, struct firewall_spec *spec)
{
    struct firewall_rule *read = arena_array(step->arena, json_array_size(rules) + 1, sizeof(*read));
    for (size_t i = 0; i < json_array_size(rules); i++)
        TRY(read_rule(step, json_array_get(rules, i), &read[i]));
    *spec = (struct firewall_spec){.name = arena_printf(step->arena, "rehost-%s", step->host),
                                   .rules = read,
                                   .rule_count = json_array_size(rules)};
    return NULL;
}

/* One call between its intent and its outcome. Both calls may be repeated: they end in the same state. */
static struct err *call(struct putting *p, const char *what, retry_fn *once)
{
    const struct retry_policy policy = {
        .max_attempts = 6, .base_ms = 1000, .max_ms = 15000, .idempotent = true, .retry_conflict = true};
    int64_t effect;
    TRY(effect_begin(p->step->effects, what, p->spec.name, NULL, &effect));
    struct err *e = retry_run(p->step->ctx, &policy, "put the firewall in place", once, p);
    return effect_end(p->step->effects, effect, e, e ? NULL : p->id);
}

struct err *firewall_put(struct step_run *step, const struct compute_account *account, const char *server_id)
{
    const json_t *rules = json_object_get(step->input, "firewall");
    struct putting p = {.step = step, .account = account, .server_id = server_id};
    if (!rules)
        return NULL;
    if (!account->ops->firewall)
        return err_new(ERR_REJECTED, "the provider has no firewall to put before the server");
    TRY(read_spec(step, rules, &p.spec));
    TRY(call(&p, "firewall.ensure", ensure_once));
    TRY(call(&p, "firewall.attach", attach_once));
    TRY(step_wait_op(step, account, p.op));
    step_note(step, "the provider's firewall '%s' stands before the server, %zu rules", p.spec.name,
              p.spec.rule_count);
    return NULL;
}
