#include "steps/address.h"
#include "base/clock.h"
#include "base/decode.h"
#include "base/retry.h"
#include "base/strbuf.h"
#include <arpa/inet.h>
#include <string.h>

#define PROOF_DEADLINE_MS (2 * 60 * 1000)
#define PROOF_POLL_MS 1000

struct moving {
    struct step_run *step;
    struct compute_account account;
    const char *id, *address, *kind, *to; /* `to`: a server's id */
    struct movable_ip ip;                 /* as the provider tells it now */
    const char *op;
};

static const char *text_of(const json_t *json, const char *path)
{
    return json_string_value(decode_find(json, path));
}

bool address_can_move(const struct step_run *step)
{
    const char *account = text_of(step->input, "movable.provider");
    const char *region = text_of(step->input, "movable.region");
    const char *new_account = text_of(step->facts, "create.account");
    const char *new_region = text_of(step->facts, "create.region");
    if (!account || text_of(step->input, "movable.to"))
        return account != NULL;
    return new_account && new_region && strcmp(account, new_account) == 0 &&
           (!region || strcmp(region, new_region) == 0);
}

/* --- the provider's side --- */

static struct err *list_once(const struct ctx *ctx, void *arg)
{
    struct moving *m = arg;
    struct movable_ip *ips;
    size_t count;
    TRY(m->account.ops->ip->list(ctx, m->account.provider, m->step->arena, &ips, &count));
    for (size_t i = 0; i < count; i++)
        if (strcmp(ips[i].id, m->id) == 0) {
            m->ip = ips[i];
            return NULL;
        }
    return err_new(ERR_NOT_FOUND, "the account has no %s '%s' (%s) any more", m->kind, m->address, m->id);
}

static struct err *move_once(const struct ctx *ctx, void *arg)
{
    struct moving *m = arg;
    return m->account.ops->ip->move(ctx, m->account.provider, m->step->arena, &m->ip, m->to, &m->op);
}

static struct err *move(struct moving *m)
{
    /* Moving it to where it is already is nothing, so that a lost answer is sent again. */
    const struct retry_policy policy = {
        .max_attempts = 6, .base_ms = 1000, .max_ms = 15000, .idempotent = true, .retry_conflict = true};
    struct step_run *step = m->step;
    CLEANUP_JSON json_t *detail = json_pack("{s:s?, s:s}", "from", m->ip.server_id, "to", m->to);
    int64_t effect;
    TRY(effect_begin(step->effects, "ip.move", m->address, decode_dump(step->arena, detail), &effect));
    struct err *e = retry_run(step->ctx, &policy, "move the address", move_once, m);
    TRY(effect_end(step->effects, effect, e, m->op));
    return step_wait_op(step, &m->account, m->op);
}

/* --- the server's side --- */

/* A unit of its own, so that the address is there after a reboot, whatever manages the network. */
static struct err *configure(struct moving *m)
{
    struct in_addr parsed;
    if (inet_pton(AF_INET, m->address, &parsed) != 1) /* it becomes part of a script */
        return err_new(ERR_REJECTED, "'%s' is no IPv4 address", m->address);
    CLEANUP_STRBUF struct strbuf script;
    strbuf_init(&script, 4096);
    strbuf_addf(&script,
                "set -eu\n"
                "unit=rehost-address-%s.service\n"
                "device=$(ip -o -4 route show default | sed -n 's/.* dev \\([^ ]*\\).*/\\1/p' | head -n 1)\n"
                "ip=$(command -v ip)\n"
                "cat >\"/etc/systemd/system/$unit\" <<END\n"
                "[Unit]\n"
                "Description=Movable address %s\n"
                "After=network-online.target\n"
                "Wants=network-online.target\n"
                "[Service]\n"
                "Type=oneshot\n"
                "RemainAfterExit=yes\n"
                "ExecStart=$ip address replace %s/32 dev $device\n"
                "[Install]\n"
                "WantedBy=multi-user.target\n"
                "END\n"
                "systemctl daemon-reload\n"
                "systemctl enable --quiet \"$unit\"\n"
                "systemctl restart \"$unit\"\n",
                m->address, m->address, m->address);
    struct ssh *ssh;
    struct ssh_result result;
    TRY(step_connect(m->step, &ssh));
    return err_wrap(ssh_run(m->step->ctx, ssh, m->step->arena, "sh", script.data, script.length, &result),
                    "put the address %s on the new server's interface", m->address);
}

/* A login at the address, with the new server's own key, shows where packets go. */
static struct err *prove(struct moving *m)
{
    struct ssh_target target;
    TRY(step_target(m->step, &target));
    target.host = m->address;
    const struct ctx limited = ctx_with_timeout(m->step->ctx, PROOF_DEADLINE_MS);
    for (;;) {
        CLEANUP_SSH struct ssh *ssh = NULL;
        CLEANUP_ERR struct err *e = ssh_connect(&limited, &target, &ssh);
        if (!e)
            return NULL;
        if (ctx_remaining_ms(&limited) <= PROOF_POLL_MS) {
            TRY(ctx_check(m->step->ctx));
            return err_wrap(TAKE(e), "reach the new server at its moved address %s", m->address);
        }
        step_live(m->step, "%s does not lead to the new server yet", m->address);
        TRY(ctx_sleep(&limited, PROOF_POLL_MS));
    }
}

/* --- both --- */

static struct err *open_account(struct step_run *step, struct moving *m)
{
    const char *account;
    *m = (struct moving){.step = step, .to = text_of(step->input, "movable.to")};
    TRY(decode_string(step->input, "movable.provider", &account));
    TRY(decode_string(step->input, "movable.id", &m->id));
    TRY(decode_string(step->input, "movable.address", &m->address));
    TRY(decode_string(step->input, "movable.kind", &m->kind));
    if (!m->to)
        TRY(step_fact(step, "create.server_id", &m->to));
    TRY(step->services->compute(step->services->core, account, &m->account));
    if (!m->account.ops->ip)
        return err_new(ERR_INTERNAL, "the provider of account '%s' has no movable addresses", account);
    return retry_run(step->ctx, &retry_reads, "look at the movable address", list_once, m);
}

static struct err *remember(struct moving *m)
{
    json_t *output = m->step->output;
    if (!json_object_get(output,
                         "moved")) /* before it moves: a resume must not take the new place for the old */
        json_object_set_new(output, "moved",
                            json_pack("{s:s, s:s, s:s, s:s, s:s?, s:s}", "provider",
                                      text_of(m->step->input, "movable.provider"), "id", m->id, "address",
                                      m->address, "kind", m->kind, "from", m->ip.server_id, "to", m->to));
    return m->step->services->save(m->step);
}

/* Who moved it since has his reasons; what is nobody's can be taken. */
static struct err *check_holder(const struct moving *m)
{
    const char *holder = m->ip.server_id, *expected = text_of(m->step->input, "movable.held_by");
    if (!holder || !expected || !strcmp(holder, expected) || !strcmp(holder, m->to))
        return NULL;
    return err_with_hint(err_new(ERR_CONFLICT, "%s %s is at server %s, not at %s any more", m->kind,
                                 m->address, holder, expected),
                         "it was moved since: look at it in the provider's console");
}

struct err *address_move(struct step_run *step)
{
    struct moving m;
    TRY(open_account(step, &m));
    TRY(check_holder(&m));
    bool back = text_of(step->input, "movable.to") != NULL;
    TRY(remember(&m));
    if (!back && json_is_true(decode_find(step->input, "movable.needs_configuration")))
        TRY(configure(&m));
    if (!m.ip.server_id || strcmp(m.ip.server_id, m.to) != 0)
        TRY(move(&m));
    json_object_set_new(step->output, "flipped_ms", json_integer(clock_now_ms()));
    if (!back)
        TRY(prove(&m));
    json_object_set_new(step->output, "confirmed_ms", json_integer(clock_now_ms()));
    json_object_set_new(step->output, "old_ttl_seconds", json_integer(0));
    step_note(step, "%s %s moved to server %s; DNS stays as it is", m.kind, m.address, m.to);
    return NULL;
}
