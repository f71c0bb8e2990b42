/* Creates the server: intent before effect, a host key of our own, the next place when one is out of stock,
 * and an unknown outcome settled by listing, never by sending again.
 *
 * Output: {attempt, creates, rung, account, name, host_key, host_key_sealed, sent_ms, server_id, address}. It
 * is durable before each create. `attempt` numbers the names, `creates` counts those that may have taken
 * effect.
 */
#include "base/clock.h"
#include "base/decode.h"
#include "base/hash.h"
#include "base/retry.h"
#include "steps/firewall.h"
#include <string.h>

struct rung {
    struct compute_account account;
    const char *account_name, *region, *size;
};

static struct err *read_rung(struct step_run *step, int64_t index, struct rung *rung)
{
    const json_t *place = json_array_get(json_object_get(step->input, "places"), (size_t)index);
    if (!place)
        return err_with_hint(err_new(ERR_CAPACITY, "no place of host '%s' has a server to give", step->host),
                             "add a place in another region or at another provider to the inventory");
    TRY(decode_string(place, "provider", &rung->account_name));
    TRY(decode_string(place, "region", &rung->region));
    TRY(decode_string(place, "size", &rung->size));
    return step->services->compute(step->services->core, rung->account_name, &rung->account);
}

static int64_t output_int(const struct step_run *step, const char *key)
{
    return json_integer_value(json_object_get(step->output, key));
}

static const char *output_text(const struct step_run *step, const char *key)
{
    return json_string_value(json_object_get(step->output, key));
}

static void set_text(struct step_run *step, const char *key, const char *value)
{
    json_object_set_new(step->output, key, value ? json_string(value) : json_null());
}

static void set_int(struct step_run *step, const char *key, int64_t value)
{
    json_object_set_new(step->output, key, json_integer(value));
}

/* --- the create itself --- */

/* cloud-config: JSON is YAML, so that nothing needs quoting by hand. The host key is ours, to be replaced
 * over the first session. */
static struct err *make_user_data(struct step_run *step, const char **user_data)
{
    CLEANUP_SECRET struct secret *host_key = NULL;
    TRY(step->services->unseal(step->services->core, output_text(step, "host_key_sealed"), &host_key));
    const struct secret *ssh_key;
    const char *public_key;
    TRY(step->services->ssh_key(step->services->core, &ssh_key, &public_key));
    CLEANUP_JSON json_t *config =
        json_pack("{s:s, s:b, s:b, s:b, s:[s], s:{s:s, s:s}}", "hostname", step->host, "disable_root", 0,
                  "ssh_pwauth", 0, "ssh_deletekeys", 1, "ssh_authorized_keys", public_key, "ssh_keys",
                  "ed25519_private", secret_text(host_key), "ed25519_public", output_text(step, "host_key"));
    char *text = decode_dump(step->arena, config);
    *user_data = arena_printf(step->arena, "#cloud-config\n%s\n", text);
    return NULL;
}

struct registering {
    struct step_run *step;
    const struct rung *rung;
    const char *name, *public_key, *key_id;
};

static struct err *register_once(const struct ctx *ctx, void *arg)
{
    struct registering *r = arg;
    return r->rung->account.ops->key_ensure(ctx, r->rung->account.provider, r->step->arena, r->name,
                                            r->public_key, &r->key_id);
}

/* Safe to repeat, unlike a create. The key's own digest names it: several inventories may share a project. */
static struct err *ensure_key(struct step_run *step, const struct rung *rung, const char **key_id)
{
    const struct retry_policy policy = {
        .max_attempts = 6, .base_ms = 500, .max_ms = 15000, .idempotent = true, .retry_conflict = true};
    struct registering registering = {.step = step, .rung = rung};
    const struct secret *private_key;
    TRY(step->services->ssh_key(step->services->core, &private_key, &registering.public_key));
    char digest[65];
    hash_sha256_hex(registering.public_key, strlen(registering.public_key), digest);
    registering.name = arena_printf(step->arena, "rehost-%.8s", digest);
    int64_t effect;
    TRY(effect_begin(step->effects, "key.ensure", registering.name, NULL, &effect));
    struct err *e = retry_run(step->ctx, &policy, "register the SSH key", register_once, &registering);
    *key_id = registering.key_id;
    return effect_end(step->effects, effect, e, e ? NULL : *key_id);
}

/* A new attempt: name, labels and host key are fixed and durable before anything is sent. */
static struct err *prepare_attempt(struct step_run *step, const struct rung *rung)
{
    int64_t attempt = output_int(step, "attempt") + 1;
    int64_t creates = output_int(step, "creates") + 1;
    if (creates > rung->account.max_creates)
        return err_with_hint(
            err_new(ERR_INPUT, "this run has sent %lld creates already", (long long)(creates - 1)),
            "raise 'max_creates' of the account, after looking at what exists: rehost gc");
    CLEANUP_SECRET struct secret *host_key = NULL;
    char *public_key, *sealed;
    TRY(ssh_make_key(step->arena, "", &host_key, &public_key));
    TRY(step->services->seal(step->services->core, step->arena, host_key, &sealed));
    set_int(step, "attempt", attempt);
    set_int(step, "creates", creates);
    set_text(step, "account", rung->account_name);
    set_text(step, "region", rung->region);
    set_text(step, "size", rung->size);
    set_text(step, "name",
             arena_printf(step->arena, "%s-%s-a%lld", step->host, step->run, (long long)attempt));
    set_text(step, "host_key", public_key);
    set_text(step, "host_key_sealed", sealed);
    set_int(step, "sent_ms", clock_now_ms());
    return step->services->save(step);
}

/* The last create has certainly left nothing behind. */
static struct err *forget_create(struct step_run *step)
{
    if (output_int(step, "sent_ms"))
        set_int(step, "creates", output_int(step, "creates") - 1);
    set_int(step, "sent_ms", 0);
    return step->services->save(step);
}

struct creating {
    struct step_run *step;
    const struct rung *rung;
    const struct server_spec *spec;
    struct server *server;
    const char **op;
};

static struct err *create_once(const struct ctx *ctx, void *arg)
{
    struct creating *creating = arg;
    const struct compute_account *account = &creating->rung->account;
    /* Each sending may land late, counted from itself: those before may have been refused minutes ago. */
    set_int(creating->step, "sent_ms", clock_now_ms());
    TRY(creating->step->services->save(creating->step));
    return account->ops->server_create(ctx, account->provider, creating->step->arena, creating->spec,
                                       creating->server, creating->op);
}

static struct err *send_create(struct step_run *step, const struct rung *rung, const char *key_id,
                               struct server *server, const char **op)
{
    const char *user_data, *image;
    TRY(decode_string(step->input, "image", &image));
    TRY(make_user_data(step, &user_data));
    const char *attempt = arena_printf(step->arena, "%lld", (long long)output_int(step, "attempt"));
    const struct label labels[] = {
        {"rehost-run", step->run}, {"rehost-host", step->host}, {"rehost-attempt", attempt}};
    const struct server_spec spec = {.name = output_text(step, "name"),
                                     .region = rung->region,
                                     .size = rung->size,
                                     .image = image,
                                     .ssh_key_ids = &key_id,
                                     .ssh_key_count = 1,
                                     .user_data = user_data,
                                     .labels = labels,
                                     .label_count = 3};
    CLEANUP_JSON json_t *detail = json_pack("{s:s, s:s, s:s}", "provider", rung->account_name, "region",
                                            rung->region, "size", rung->size);
    int64_t effect;
    TRY(effect_begin(step->effects, "server.create", spec.name, decode_dump(step->arena, detail), &effect));
    struct creating creating = {.step = step, .rung = rung, .spec = &spec, .server = server, .op = op};
    struct err *e = retry_run(step->ctx, &retry_writes, "create the server", create_once, &creating);
    return effect_end(step->effects, effect, e, e ? NULL : server->id);
}

/* --- settling --- */

struct listing {
    struct step_run *step;
    const struct rung *rung;
    struct server *servers;
    size_t count;
};

static struct err *list_once(const struct ctx *ctx, void *arg)
{
    struct listing *listing = arg;
    const struct label label = {"rehost-run", listing->step->run};
    return listing->rung->account.ops->server_list(ctx, listing->rung->account.provider, listing->step->arena,
                                                   &label, &listing->servers, &listing->count);
}

static struct err *put_machine(struct step_run *step, const struct rung *rung, const struct server *server,
                               const char *state)
{
    const struct machine machine = {.account = rung->account_name,
                                    .server_id = server->id,
                                    .name = server->name,
                                    .region = rung->region,
                                    .size = rung->size,
                                    .address = server->ipv4,
                                    .state = state};
    return step->services->machine_put(step, &machine);
}

static bool is_ours(const struct step_run *step, const struct server *server)
{
    const char *host = server_label(server, "rehost-host");
    return host && !strcmp(host, step->host) && server->status != SERVER_DELETING;
}

static struct err *remove_extra(struct step_run *step, const struct rung *rung, const struct server *extra)
{
    step_note(step, "a second server '%s' (%s) of this run was found and is removed", extra->name, extra->id);
    TRY(put_machine(step, rung, extra, "live"));
    const struct machine machine = {
        .account = rung->account_name, .server_id = extra->id, .name = extra->name};
    return step_delete_server(step, &rung->account, &machine);
}

/* Of several servers of this run and host the one of the last attempt is kept: only its host key is known.
 * The others landed late; they are removed and reported. */
static struct err *reduce_to_one(struct step_run *step, const struct rung *rung,
                                 const struct listing *listing, struct server *server, bool *found)
{
    *found = false;
    for (size_t i = 0; i < listing->count; i++) {
        const struct server *candidate = &listing->servers[i];
        if (!is_ours(step, candidate))
            continue;
        if (*found || strcmp(candidate->name, output_text(step, "name")) != 0) {
            TRY(remove_extra(step, rung, candidate));
            continue;
        }
        *server = *candidate;
        *found = true;
    }
    return NULL;
}

/* The answer to a create is lost: list by label until it shows or can be taken for never having been (sent_ms
 * + settle_ms). */
static struct err *settle(struct step_run *step, const struct rung *rung, struct server *server, bool *found)
{
    const int64_t horizon = output_int(step, "sent_ms") + rung->account.settle_ms;
    for (;;) {
        struct listing listing = {.step = step, .rung = rung};
        TRY(retry_run(step->ctx, &retry_reads, "list the servers of this run", list_once, &listing));
        TRY(reduce_to_one(step, rung, &listing, server, found));
        const int64_t left = horizon - clock_now_ms();
        if (*found || left <= 0)
            return NULL;
        step_live(step, "the answer to the create was lost; looking for the server for another %llds",
                  (long long)(left / 1000));
        TRY(ctx_sleep(step->ctx, left < 5000 ? left : 5000));
    }
}

/* --- readiness --- */

struct looking {
    struct step_run *step;
    const struct rung *rung;
    const char *id;
    struct server *server;
};

static struct err *get_once(const struct ctx *ctx, void *arg)
{
    struct looking *looking = arg;
    return looking->rung->account.ops->server_get(ctx, looking->rung->account.provider, looking->step->arena,
                                                  looking->id, looking->server);
}

#define RUNNING_DEADLINE_MS (10 * 60 * 1000)
/* A server that cannot be found right after its create may only be missing in a copy of the provider's data.
 */
#define GONE_AFTER_MS 10000
#define GONE_AFTER_LOOKS 3

/* Some providers accept a create, find no room for it, and drop it without a word
 * (docs/providers names which). */
static struct err *accepted_and_gone(const struct rung *rung, const char *id, struct err *not_found)
{
    return err_with_kind(err_wrap(not_found, "server %s was accepted by %s/%s and is gone", id,
                                  rung->account_name, rung->region),
                         ERR_CAPACITY);
}

/* Until the server runs and has an address. */
static struct err *look_until_running(struct step_run *step, struct looking *looking)
{
    const struct rung *rung = looking->rung;
    const struct ctx limited = ctx_with_timeout(step->ctx, RUNNING_DEADLINE_MS);
    const int64_t begun_ms = clock_boot_ms();
    for (int missing = 0;;) {
        CLEANUP_ERR struct err *e =
            retry_run(&limited, &retry_reads, "look at the new server", get_once, looking);
        if (e && err_kind(e) != ERR_NOT_FOUND)
            return TAKE(e);
        if (!e && looking->server->status == SERVER_RUNNING && looking->server->ipv4)
            return NULL;
        missing = e ? missing + 1 : 0;
        if (missing >= GONE_AFTER_LOOKS && clock_boot_ms() - begun_ms >= GONE_AFTER_MS)
            return accepted_and_gone(rung, looking->id, TAKE(e));
        step_live(step, e ? "server %s is not to be found" : "server %s is not running yet", looking->id);
        TRY(ctx_sleep(&limited, rung->account.poll_ms));
    }
}

static struct err *wait_running(struct step_run *step, const struct rung *rung, struct server *server,
                                const char *op)
{
    TRY(put_machine(step, rung, server, "live"));
    set_text(step, "server_id", server->id);
    TRY(step->services->save(step));
    struct err *e = step_wait_op(step, &rung->account, op);
    if (e && err_kind(e) != ERR_NOT_FOUND)
        return e;
    err_free(e); /* the operation is gone: the server will tell */
    struct looking looking = {
        .step = step, .rung = rung, .id = arena_strdup(step->arena, server->id), .server = server};
    TRY(look_until_running(step, &looking));
    TRY(firewall_put(step, &rung->account, looking.id));
    set_text(step, "address", server->ipv4);
    set_text(step, "ipv6", server->ipv6);
    TRY(put_machine(step, rung, server, "live"));
    step_note(step, "server '%s' (%s) runs at %s in %s/%s", server->name, server->id, server->ipv4,
              rung->account_name, rung->region);
    return NULL;
}

/* What was made here is of no use, so it goes before the next place is tried. When it cannot be removed now,
 * that must not keep the host from the next place: it carries the run's label, by which the end of the run or
 * `gc` finds it. *left: it may still be there. */
static struct err *give_back(struct step_run *step, const struct rung *rung, bool *left)
{
    const char *id = output_text(step, "server_id");
    *left = false;
    if (!id)
        return NULL;
    const struct machine machine = {
        .account = rung->account_name, .server_id = id, .name = output_text(step, "name")};
    CLEANUP_ERR struct err *e = step_delete_server(step, &rung->account, &machine);
    if (e && (err_kind(e) == ERR_CANCELLED || err_kind(e) == ERR_STALE || err_kind(e) == ERR_IO))
        return TAKE(e);
    if (e)
        step_note(step, "server '%s' (%s) at %s is left behind, rehost gc removes it: %s", machine.name, id,
                  rung->account_name, err_text(e));
    *left = e != NULL;
    json_object_del(step->output, "server_id"); /* of this account: it means nothing at the next one */
    return NULL;
}

/* Whether an error says that nothing was created: then there is nothing to settle after a crash either. */
static bool is_refusal(enum err_kind kind)
{
    return kind == ERR_CAPACITY || kind == ERR_QUOTA || kind == ERR_AUTH || kind == ERR_REJECTED ||
           kind == ERR_INPUT || kind == ERR_RATE_LIMIT || kind == ERR_TRANSIENT;
}

/* The create was not answered with a server: find it, or learn that it never was. */
static struct err *after_failed_create(struct step_run *step, const struct rung *rung, struct err *failure,
                                       struct server *server)
{
    CLEANUP_ERR struct err *e = failure;
    if (is_refusal(err_kind(e))) {
        TRY(forget_create(step));
        return TAKE(e);
    }
    if (err_kind(e) != ERR_UNKNOWN_OUTCOME && err_kind(e) != ERR_CONFLICT)
        return TAKE(e);
    bool found;
    TRY(settle(step, rung, server, &found));
    if (found)
        return NULL;
    return err_with_hint(err_wrap(TAKE(e), "create the server: nothing appeared in time"),
                         "go on with: rehost resume %s", step->run);
}

/* What a former process may have sent, if it is there. */
static struct err *find_former(struct step_run *step, const struct rung *rung, struct server *server,
                               bool *found)
{
    const char *account = output_text(step, "account"), *known = output_text(step, "server_id");
    *found = false;
    if (!output_int(step, "sent_ms") || !account || strcmp(account, rung->account_name) != 0)
        return NULL;
    TRY(settle(step, rung, server, found));
    if (*found)
        step_note(step,
                  known ? "server '%s' (%s) is there"
                        : "adopted server '%s' (%s): its create answer was lost",
                  server->name, server->id);
    return NULL;
}

static struct err *try_rung(struct step_run *step, const struct rung *rung)
{
    struct server server = {0};
    const char *op = NULL, *key_id;
    bool found;
    TRY(find_former(step, rung, &server, &found));
    if (found)
        return wait_running(step, rung, &server, NULL);
    TRY(ensure_key(step, rung, &key_id));
    TRY(prepare_attempt(step, rung));
    struct err *e = send_create(step, rung, key_id, &server, &op);
    if (e) {
        TRY(after_failed_create(step, rung, e, &server));
        step_note(step, "adopted server '%s' (%s): its create answer was lost", server.name, server.id);
    }
    return wait_running(step, rung, &server, op);
}

/* Every place was tried in vain: a resume asks all of them again, for stock comes back. */
static struct err *start_over(struct step_run *step, struct err *sold_out)
{
    set_int(step, "rung", 0);
    struct err *journal = step->services->save(step);
    if (!journal)
        return sold_out;
    err_free(sold_out);
    return journal;
}

/* What a failure at one rung means for the others. Whatever it is, the same request is not sent again. */
enum closed { CLOSED_NOT, CLOSED_RUNG, CLOSED_ACCOUNT };

static enum closed what_is_closed(enum err_kind kind)
{
    switch (kind) {
    case ERR_CAPACITY:
    case ERR_REJECTED: /* this size, image or region, as the next rung may not be */
        return CLOSED_RUNG;
    case ERR_QUOTA:
    case ERR_AUTH:
    case ERR_TRANSIENT:  /* its API did not answer, time and again */
    case ERR_RATE_LIMIT: /* likewise: what was asked for was waited */
        return CLOSED_ACCOUNT;
    default: /* nobody knows what happened, or the user has to act: stop and tell */
        return CLOSED_NOT;
    }
}

static bool is_closed(const json_t *accounts, const char *account)
{
    return json_object_get(accounts, account) != NULL;
}

static struct err *leave_rung(struct step_run *step, const struct rung *rung, int64_t index,
                              struct err *failure)
{
    bool whole = what_is_closed(err_kind(failure)) == CLOSED_ACCOUNT;
    step_note(step, "no %s in %s/%s: %s; trying the next place%s", rung->size, rung->account_name,
              rung->region, err_text(failure), whole ? " of another account" : "");
    bool left;
    TRY(give_back(step, rung, &left)); /* the failure may have come after a server was made */
    if (left)
        set_int(step, "sent_ms", 0);  /* nothing to settle, and its create counts */
    set_int(step, "rung", index + 1); /* a resume goes on there */
    return forget_create(step);
}

/* The error to end with: what the last rung said tells more than "none is left". */
static struct err *none_left(struct step_run *step, struct err *none, struct err *last)
{
    if (err_kind(none) != ERR_CAPACITY || !last || err_kind(last) == ERR_CAPACITY) {
        err_free(last);
        return err_kind(none) == ERR_CAPACITY ? start_over(step, none) : none;
    }
    err_free(none);
    return start_over(step, last);
}

static struct err *provision_apply(struct step_run *step)
{
    if (output_text(step, "address"))
        return NULL; /* done before a crash */
    CLEANUP_ERR struct err *last = NULL;
    CLEANUP_JSON json_t *closed = json_object(); /* accounts */
    for (int64_t index = output_int(step, "rung");; index++) {
        struct rung rung;
        struct err *none = read_rung(step, index, &rung);
        if (none)
            return none_left(step, none, TAKE(last));
        if (is_closed(closed, rung.account_name))
            continue;
        set_int(step, "rung", index);
        step_live(step, "asking %s/%s for a %s", rung.account_name, rung.region, rung.size);
        err_free(last);
        last = try_rung(step, &rung);
        if (!last || what_is_closed(err_kind(last)) == CLOSED_NOT)
            return TAKE(last);
        TRY(leave_rung(step, &rung, index, last));
        if (what_is_closed(err_kind(last)) == CLOSED_ACCOUNT)
            json_object_set_new(closed, rung.account_name, json_true());
    }
}

const struct step_ops step_provision = {
    .kind = "provision",
    .touches = "creates one server and registers our SSH key",
    .danger = DANGER_MODERATE,
    .estimate_ms = 60000,
    .apply = provision_apply,
};
