#include "core/readiness.h"
#include "base/clock.h"
#include "base/decode.h"
#include "base/fs.h"
#include "core/account_ask.h"
#include "core/shared_lease.h"
#include <string.h>

#define ASK_DEADLINE_MS 15000

struct looking {
    struct project *project;
    struct arena *arena;
    struct readiness *out;
    struct account_question *questions; /* one an account with servers, answer: struct account_state */
    size_t account_count;
};

static void add(struct looking *l, enum finding_level level, const char *host, const char *subject,
                const char *text, const char *cure)
{
    struct readiness *r = l->out;
    if (r->count == r->capacity) {
        size_t capacity = r->capacity ? 2 * r->capacity : 64;
        struct finding *grown = arena_array(l->arena, capacity, sizeof(*grown));
        if (r->count)
            memcpy(grown, r->findings, r->count * sizeof(*grown));
        r->findings = grown;
        r->capacity = capacity;
    }
    r->findings[r->count++] = (struct finding){.level = level,
                                               .host = host,
                                               .subject = subject,
                                               .text = arena_strdup(l->arena, text),
                                               .cure = arena_strdup(l->arena, cure)};
}

/* Takes the error; true when there was none. */
static bool passed(struct looking *l, enum finding_level level, const char *host, const char *subject,
                   struct err *error)
{
    CLEANUP_ERR struct err *e = error;
    if (e)
        add(l, level, host, subject, err_text(e), err_hint(e));
    return !e;
}

/* --- keys and storage: what every host needs --- */

static struct err *use_keys(struct looking *l)
{
    const struct secret *key;
    const char *public_key;
    TRY(project_ssh_key(l->project, &key, &public_key));
    CLEANUP_SECRET struct secret *probe = NULL;
    CLEANUP_SECRET struct secret *opened = NULL;
    TRY(secret_new("probe of the backup key", 23, &probe));
    char *sealed;
    TRY(project_seal(l->project, l->arena, probe, &sealed));
    return project_unseal(l->project, sealed, &opened);
}

static void check_keys(struct looking *l)
{
    if (passed(l, FINDING_BLOCKING, NULL, "keys", use_keys(l)))
        add(l, FINDING_OK, NULL, "keys", "SSH key and working backup key can be used", NULL);
    const char *recovery = arena_printf(l->arena, "%s/keys/recovery.agekey", l->project->inventory->dir);
    if (fs_exists(recovery))
        add(l, FINDING_WARN, NULL, "keys",
            "the recovery key, which opens every backup, lies beside the inventory",
            arena_printf(l->arena, "move it offline and delete '%s'", recovery));
}

static struct err *use_storage(struct looking *l)
{
    struct data_env env;
    struct s3_object *objects;
    size_t count;
    TRY(project_data(l->project, &env));
    return s3_list(l->project->ctx, env.s3, l->arena, arena_printf(l->arena, "%srehost-check/", env.prefix),
                   &objects, &count);
}

/* Two people with two journals share a lease in the bucket; without conditional writes it would protect
 * nothing. */
static struct err *probe_leases(struct looking *l)
{
    struct s3 *s3;
    TRY(project_s3(l->project, &s3));
    return shared_lease_probe(l->project->ctx, s3, l->project->inventory->storage.prefix);
}

static void check_storage(struct looking *l)
{
    const struct storage *storage = &l->project->inventory->storage;
    if (!storage->endpoint || !passed(l, FINDING_BLOCKING, NULL, "storage", use_storage(l)))
        return;
    add(l, FINDING_OK, NULL, "storage",
        arena_printf(l->arena, "%s/%s answers", storage->endpoint, storage->bucket), NULL);
    if (passed(l, FINDING_BLOCKING, NULL, "shared lease", probe_leases(l)))
        add(l, FINDING_OK, NULL, "shared lease",
            "the store honours conditional writes: one run a host, also from two machines", NULL);
}

/* --- accounts --- */

static struct err *ask_state(const struct ctx *ctx, struct account_question *question)
{
    return question->compute.ops->check(ctx, question->compute.provider, question->arena, question->answer);
}

static void ask_accounts(struct looking *l)
{
    const struct schema_items *accounts = &l->project->inventory->accounts;
    l->questions = arena_array(l->arena, accounts->count + 1, sizeof(*l->questions));
    for (FOREACH(struct account, account, *accounts))
        if (provider_find(account->type))
            l->questions[l->account_count++] = (struct account_question){
                .account = account->name, .answer = ARENA_NEW(l->arena, struct account_state)};
    account_ask(l->project, l->questions, l->account_count, "ask the provider", ASK_DEADLINE_MS, ask_state);
}

static bool is_full(const struct account_state *state)
{
    return state->server_limit >= 0 && state->server_count >= state->server_limit;
}

/* Why nothing can be created there; NULL: something can. */
static const char *closed_because(struct looking *l, const struct account_question *question)
{
    const struct account_state *state = question->answer;
    if (question->error)
        return err_text(question->error);
    if (state->blocked)
        return state->blocked;
    if (state->read_only)
        return "the token may only read";
    if (state->lacks)
        return arena_printf(l->arena, "the token lacks %s", state->lacks);
    if (is_full(state))
        return arena_printf(l->arena, "all %d servers that the account may have are in use",
                            state->server_limit);
    return NULL;
}

static const char *cure_of(const struct account_question *question)
{
    const struct account_state *state = question->answer;
    return question->error    ? err_hint(question->error)
           : state->blocked   ? "settle it with the provider"
           : state->read_only ? "make a token that may write"
           : state->lacks     ? "make a token with these permissions"
                              : "delete what is not needed, or have the limit raised";
}

static const char *state_text(struct looking *l, const struct account_state *state)
{
    const char *limit =
        state->server_limit >= 0 ? arena_printf(l->arena, " of %d possible", state->server_limit) : "";
    const char *rate = state->rate_remaining >= 0
                           ? arena_printf(l->arena, ", %lld requests left", (long long)state->rate_remaining)
                           : "";
    return arena_printf(l->arena, "token good, %d servers there%s%s", state->server_count, limit, rate);
}

/* A closed account is no disaster while a host has another: it blocks a host when none is left to it. */
static void check_accounts(struct looking *l)
{
    ask_accounts(l);
    for (size_t i = 0; i < l->account_count; i++) {
        const struct account_question *question = &l->questions[i];
        const char *subject = arena_printf(l->arena, "provider %s", question->account);
        const char *why = closed_because(l, question);
        if (why)
            add(l, FINDING_WARN, NULL, subject, why, cure_of(question));
        else
            add(l, FINDING_OK, NULL, subject, state_text(l, question->answer), NULL);
    }
}

static const struct account_question *find_account(struct looking *l, const char *account)
{
    for (size_t i = 0; i < l->account_count; i++)
        if (strcmp(l->questions[i].account, account) == 0)
            return &l->questions[i];
    return NULL;
}

static const char *account_closed(struct looking *l, const char *account)
{
    const struct account_question *question = find_account(l, account);
    return question ? closed_because(l, question) : NULL;
}

/* --- one host --- */

static const char *duration(struct looking *l, int64_t ms)
{
    char text[CLOCK_TEXT_SIZE];
    return arena_strdup(l->arena, clock_format_duration(ms, text));
}

static void check_rungs(struct looking *l, const struct host *host, const json_t *rungs)
{
    size_t i, usable = 0, elsewhere = 0;
    const json_t *rung;
    json_array_foreach(rungs, i, rung)
    {
        const char *account = json_string_value(json_object_get(rung, "provider"));
        const char *retired = json_string_value(json_object_get(rung, "retired_at"));
        const char *name = arena_printf(l->arena, "place %zu, %s/%s %s", i + 1, account,
                                        json_string_value(json_object_get(rung, "region")),
                                        json_string_value(json_object_get(rung, "size")));
        const char *closed = account_closed(l, account);
        bool stock = json_is_true(json_object_get(rung, "available"));
        if (closed)
            add(l, FINDING_WARN, host->name, host->name,
                arena_printf(l->arena, "%s cannot be used: %s", name, closed), NULL);
        else if (!stock)
            add(l, FINDING_WARN, host->name, host->name,
                arena_printf(l->arena, "%s is sold out right now", name),
                "rehost catalog shows what is in stock");
        if (retired)
            add(l, FINDING_WARN, host->name, host->name,
                arena_printf(l->arena, "%s is retired by the provider on %s", name, retired),
                "choose another size");
        usable += !closed && stock;
        elsewhere += !closed && strcmp(account, host->current.account) != 0;
    }
    if (!usable)
        add(l, FINDING_BLOCKING, host->name, host->name, "no place has a server to give right now",
            arena_printf(l->arena, "add a place: rehost catalog --fit %s", host->name));
    else if (!elsewhere)
        add(l, FINDING_WARN, host->name, host->name,
            arena_printf(l->arena, "losing the account '%s' loses the host and every place to rebuild it",
                         host->current.account),
            "add a place at another provider's account");
}

static void check_points(struct looking *l, const struct host *host, const json_t *points)
{
    size_t i;
    const json_t *point;
    json_array_foreach(points, i, point)
    {
        const int64_t age_ms = json_integer_value(json_object_get(point, "age_ms"));
        const int64_t rpo_ms = json_integer_value(json_object_get(point, "rpo_ms"));
        bool ok = age_ms <= rpo_ms;
        add(l, ok ? FINDING_OK : FINDING_WARN, host->name, host->name,
            arena_printf(l->arena, "%s: newest restore point is %s old, RPO %s",
                         json_string_value(json_object_get(point, "dataset")), duration(l, age_ms),
                         duration(l, rpo_ms)),
            ok ? NULL : arena_printf(l->arena, "rehost backup %s", host->name));
    }
}

static bool is_told(const struct looking *l, const char *text)
{
    for (size_t i = 0; i < l->out->count; i++)
        if (strcmp(l->out->findings[i].text, text) == 0)
            return true;
    return false;
}

static void warn_all(struct looking *l, const struct host *host, const json_t *texts, const char *cure)
{
    size_t i;
    const json_t *text;
    json_array_foreach(texts, i, text) if (!is_told(l, json_string_value(text)))
        add(l, FINDING_WARN, host->name, host->name, json_string_value(text), cure);
}

static const json_t *rungs_of(const struct plan *plan)
{
    size_t i;
    const json_t *step;
    json_array_foreach(json_object_get(plan->json, "steps"), i, step)
    {
        if (decode_find(step, "input.places"))
            return decode_find(step, "input.places");
    }
    return NULL;
}

/* What a recovery would need is all in its plan: catalogue, restore points, DNS. */
static void check_plan_of(struct looking *l, const struct host *host)
{
    const struct plan_options options = {0};
    struct plan plan;
    if (!passed(l, FINDING_BLOCKING, host->name, host->name,
                plan_recover(l->project, l->arena, host, &options, &plan)))
        return;
    warn_all(l, host, json_object_get(plan.json, "warnings"), NULL);
    warn_all(l, host, json_object_get(plan.json, "struck"),
             host->places.count
                 ? arena_printf(l->arena, "mend that, or replace the place under hosts.%s.places", host->name)
                 : NULL);
    check_rungs(l, host, rungs_of(&plan));
    check_points(l, host, json_object_get(plan.json, "restore_points"));
    add(l, FINDING_OK, host->name, host->name,
        arena_printf(l->arena, "a recovery can be planned: %zu steps, about %s",
                     json_array_size(json_object_get(plan.json, "steps")),
                     duration(l, plan_estimate_ms(&plan, NULL))),
        NULL);
}

/* Why the old server could not be powered off; NULL: it could, as far as one can tell. */
static const char *fence_problem(const struct account_question *question)
{
    const struct account_state *state = question->answer;
    return question->error ? err_text(question->error) : state->read_only ? "the token may only read" : NULL;
}

/* A server that is not there is proof enough for the fence: a name that was mistyped would be, too. An
 * account that did not answer is not asked again for each of its hosts. */
static void check_current(struct looking *l, const struct host *host)
{
    struct host_location location = {0};
    CLEANUP_ERR struct err *e = project_locate(l->project, host, &location);
    const struct account_question *question = e ? NULL : find_account(l, location.account);
    const char *problem = question ? fence_problem(question) : NULL;
    if (problem)
        add(l, FINDING_WARN, host->name, host->name,
            arena_printf(l->arena, "the old server at '%s' could not be fenced: %s", location.account,
                         problem),
            arena_printf(l->arena, "mend the account, or be ready for --accept-unproven-fence %s",
                         host->name));
    if (question && !question->error)
        e = project_find_server(l->project, host, &location);
    if (e && err_kind(e) == ERR_NOT_FOUND)
        add(l, FINDING_WARN, host->name, host->name, err_text(e),
            arena_printf(l->arena, "when it does run: mend hosts.%s.current", host->name));
    else if (!e && host->datasets.count && !location.host_key)
        add(l, FINDING_WARN, host->name, host->name,
            "the server's SSH host key is not known, so no backup can be taken",
            arena_printf(l->arena, "put it into hosts.%s.current.host_key", host->name));
}

static void check_blast_radius(struct looking *l, const struct host *host)
{
    for (FOREACH(struct dns_name, name, host->names))
        if (strcmp(name->account, host->current.account) == 0)
            add(l, FINDING_WARN, host->name, host->name,
                arena_printf(l->arena,
                             "the DNS of %s is at the account '%s', as is the server: losing it loses both",
                             name->name, name->account),
                "have the zone served by another account");
}

static struct err *load_playbooks(struct looking *l, const struct schema_texts *names)
{
    for (size_t i = 0; i < names->count; i++) {
        const struct playbook *playbook;
        TRY(project_playbook(l->project, names->items[i], &playbook));
    }
    return NULL;
}

static struct err *load_all_playbooks(struct looking *l, const struct host *host)
{
    TRY(load_playbooks(l, &host->playbooks.configure));
    TRY(load_playbooks(l, &host->playbooks.secrets));
    return load_playbooks(l, &host->playbooks.start);
}

static struct err *open_secrets(struct looking *l, const struct host *host)
{
    CLEANUP_JSON json_t *unused = NULL;
    return project_vars(l->project, host, &unused);
}

static void check_host(struct looking *l, const struct host *host)
{
    passed(l, FINDING_BLOCKING, host->name, host->name, open_secrets(l, host));
    check_current(l, host);
    check_blast_radius(l, host);
    if (passed(l, FINDING_BLOCKING, host->name, host->name, load_all_playbooks(l, host)))
        check_plan_of(l, host);
}

/* --- all --- */

struct err *readiness_look(struct project *project, struct arena *arena, const struct host *only,
                           struct readiness *readiness)
{
    struct looking l = {.project = project, .arena = arena, .out = readiness};
    *readiness = (struct readiness){.arena = arena};
    check_keys(&l);
    check_storage(&l);
    check_accounts(&l);
    for (FOREACH(struct host, host, project->inventory->hosts)) {
        if (only && host != only)
            continue;
        struct err *stop = ctx_check(project->ctx);
        if (!stop) {
            check_host(&l, host);
            continue;
        }
        for (size_t i = 0; i < l.account_count; i++)
            err_free(l.questions[i].error);
        return stop;
    }
    for (size_t i = 0; i < l.account_count; i++)
        err_free(l.questions[i].error);
    return ctx_check(project->ctx);
}

enum finding_level readiness_of(const struct readiness *readiness, const struct host *host)
{
    enum finding_level worst = FINDING_OK;
    for (size_t i = 0; i < readiness->count; i++) {
        const struct finding *finding = &readiness->findings[i];
        bool concerns =
            finding->host ? strcmp(finding->host, host->name) == 0 : finding->level == FINDING_BLOCKING;
        if (concerns && finding->level > worst)
            worst = finding->level;
    }
    return worst;
}
