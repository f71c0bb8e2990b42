#include "providers/rest/rest.h"
#include "base/clock.h"
#include "base/decode.h"
#include "base/http.h"
#include "base/strbuf.h"
#include <stdlib.h>
#include <string.h>

struct rest {
    const struct rest_dialect *dialect;
    struct arena *arena; /* of the strings below */
    const char *account;
    const char *endpoint;
    struct secret *token;
    struct http_pool *http;
    struct pace *pace;
};

/* Fallbacks, after the dialect's own rules. */
static const struct rest_rule common_rules[] = {
    {401, NULL, NULL, ERR_AUTH, "the API token is wrong, revoked or expired: give the account a new one"},
    {403, NULL, NULL, ERR_AUTH, "the API token lacks a permission for this request"},
    {404, NULL, NULL, ERR_NOT_FOUND, NULL},
    {408, NULL, NULL, ERR_TRANSIENT, NULL},
    {409, NULL, NULL, ERR_CONFLICT, NULL},
    {423, NULL, NULL, ERR_CONFLICT, NULL},
    {429, NULL, NULL, ERR_RATE_LIMIT, NULL},
    {4, NULL, NULL, ERR_REJECTED, NULL},
    {5, NULL, NULL, ERR_TRANSIENT, NULL},
};

struct err *rest_open(const struct rest_dialect *dialect, const struct account_options *account,
                      struct rest **rest)
{
    if (!account->token)
        return err_with_hint(
            err_new(ERR_INPUT, "%s account '%s' has no API token", dialect->provider, account->name),
            "name its source in the inventory: a file, a command or an environment variable");
    size_t length = 0;
    const unsigned char *token = secret_bytes(account->token, &length);
    struct arena *arena = arena_new(0);
    struct rest *opened = ARENA_NEW(arena, struct rest);
    opened->arena = arena;
    opened->dialect = dialect;
    opened->account = arena_strdup(arena, account->name);
    char *endpoint = arena_strdup(arena, account->endpoint ? account->endpoint : dialect->endpoint);
    for (size_t end = strlen(endpoint); end > 0 && endpoint[end - 1] == '/'; end--)
        endpoint[end - 1] = '\0';
    opened->endpoint = endpoint;

    struct http_pool_options pool = {.ca_file = account->ca_file};
    struct err *e = secret_new(token, length, &opened->token);
    if (!e)
        e = http_pool_open(&pool, &opened->http);
    if (!e)
        e = pace_open(dialect->limits, dialect->limit_count, &opened->pace);
    if (e) {
        rest_close(opened);
        return err_wrap(e, "opening %s account '%s'", dialect->provider, account->name);
    }
    *rest = opened;
    return NULL;
}

void rest_close(struct rest *rest)
{
    if (!rest)
        return;
    if (rest->http)
        http_pool_close(rest->http);
    pace_close(rest->pace);
    secret_free(rest->token);
    arena_free(rest->arena);
}

void *rest_alloc(struct rest *rest, size_t size)
{
    return arena_alloc(rest->arena, size);
}

static bool is_read(const struct rest_call *call)
{
    return strcmp(call->method, "GET") == 0;
}

static const char *call_name(struct arena *arena, const struct rest *rest, const struct rest_call *call)
{
    return arena_printf(arena, "%s account '%s': %s %s", rest->dialect->provider, rest->account, call->method,
                        call->path_template);
}

/* ---- classification ---- */

struct problem { /* what the far side says went wrong */
    int status;  /* 0: a failed operation */
    const char *code;
    const char *message;
    const char *detail;
};

static bool rule_fits(const struct rest_rule *rule, const struct problem *problem)
{
    if (rule->status >= 100 && rule->status != problem->status)
        return false;
    if (rule->status > 0 && rule->status < 100 && rule->status != problem->status / 100)
        return false;
    if (rule->code && (!problem->code || strcmp(rule->code, problem->code) != 0))
        return false;
    return !rule->text || (problem->message && strcasestr(problem->message, rule->text));
}

static const struct rest_rule *find_rule(const struct rest_dialect *dialect, const struct problem *problem)
{
    /* An operation has no status: only rules that name a code or a text say something about it. */
    for (size_t i = 0; i < dialect->rule_count; i++) {
        struct rest_rule rule = dialect->rules[i];
        if (problem->status == 0 && (rule.code || rule.text))
            rule.status = 0;
        if (rule_fits(&rule, problem))
            return &dialect->rules[i];
    }
    for (size_t i = 0; problem->status && i < sizeof(common_rules) / sizeof(common_rules[0]); i++)
        if (rule_fits(&common_rules[i], problem))
            return &common_rules[i];
    return NULL;
}

static const char *text_at(const json_t *body, const char *path)
{
    return path ? json_string_value(decode_find(body, path)) : NULL;
}

static struct problem read_problem(struct arena *arena, const struct rest_dialect *dialect,
                                   const struct http_response *response)
{
    struct problem problem = {.status = response->status};
    CLEANUP_JSON json_t *body = NULL;
    CLEANUP_ERR struct err *e = decode_json(response->body, response->body_length, "an error answer", &body);
    if (e || !json_is_object(body)) /* proxies in front of APIs answer HTML */
        return problem;
    problem.code = dialect->error_code ? rest_id(arena, body, dialect->error_code) : NULL;
    problem.message = arena_strdup(arena, text_at(body, dialect->error_message));
    const json_t *detail = dialect->error_detail ? decode_find(body, dialect->error_detail) : NULL;
    if (detail && !json_is_null(detail) && json_object_size(detail) + json_array_size(detail) > 0)
        problem.detail = decode_dump(arena, detail);
    return problem;
}

/* A number of the rate limit, under either of the names in use: "ratelimit-reset", "x-ratelimit-reset". What
 * can be neither seconds nor a time counts as not told. */
static int64_t header_int(const struct http_response *response, const char *name, int64_t fallback)
{
    const long long largest = 1000000000000;
    const char *text = http_response_header(response, name);
    if (!text && strncmp(name, "x-", 2) == 0)
        text = http_response_header(response, name + 2);
    char *end = NULL;
    long long value = text ? strtoll(text, &end, 10) : 0;
    return text && end != text && value >= 0 && value <= largest ? (int64_t)value : fallback;
}

/* How long to wait after a 429: Retry-After (seconds) when given. Otherwise ratelimit-reset is mostly the
 * time when the whole allowance is back; it refills evenly, so ten requests' worth is enough to go on, and
 * waiting for all of it would cost an outage up to an hour. */
static int64_t retry_after_ms(const struct rest_dialect *dialect, const struct http_response *response)
{
    enum { SHORTEST_MS = 1000, LONGEST_MS = 60000, REQUESTS = 10 };
    int64_t seconds = header_int(response, "retry-after", -1);
    if (seconds >= 0)
        return seconds * 1000;
    int64_t full_ms = header_int(response, "x-ratelimit-reset", 0) * 1000 - clock_now_ms();
    int64_t used =
        header_int(response, "x-ratelimit-limit", 0) - header_int(response, "x-ratelimit-remaining", 0);
    int64_t wait_ms = used > REQUESTS && !dialect->reset_is_first ? full_ms / used * REQUESTS : full_ms;
    if (wait_ms < SHORTEST_MS) /* also when no header helps, or the clocks differ */
        return SHORTEST_MS;
    return wait_ms < LONGEST_MS ? wait_ms : LONGEST_MS;
}

static const char *problem_text(struct arena *arena, const struct rest_dialect *dialect,
                                const struct problem *problem, const struct http_response *response)
{
    CLEANUP_STRBUF struct strbuf text;
    strbuf_init(&text, 2000);
    if (problem->code)
        strbuf_addf(&text, " '%s'", problem->code);
    strbuf_addf(&text, ": %s", problem->message ? problem->message : "without a readable reason");
    if (problem->detail)
        strbuf_addf(&text, " %s", problem->detail);
    const char *id =
        dialect->request_id_header ? http_response_header(response, dialect->request_id_header) : NULL;
    if (id)
        strbuf_addf(&text, " (request id '%s')", id);
    return strbuf_to_arena(&text, arena);
}

static struct err *answer_error(struct arena *arena, const struct rest *rest, const struct rest_call *call,
                                const struct http_response *response)
{
    struct problem problem = read_problem(arena, rest->dialect, response);
    const struct rest_rule *rule = find_rule(rest->dialect, &problem);
    enum err_kind kind = rule ? rule->kind : ERR_REJECTED; /* no rule: 1xx and 3xx, which no API sends here */
    bool may_have_begun = response->status == 408 || response->status >= 500;
    if (kind == ERR_TRANSIENT && may_have_begun && !is_read(call))
        kind = ERR_UNKNOWN_OUTCOME;
    struct err *e = err_new(kind, "%s answered %d%s", call_name(arena, rest, call), response->status,
                            problem_text(arena, rest->dialect, &problem, response));
    if (kind == ERR_RATE_LIMIT)
        e = err_with_retry_after(e, retry_after_ms(rest->dialect, response));
    return rule && rule->hint ? err_with_hint(e, "%s", rule->hint) : e;
}

struct err *rest_answer_unreadable(const struct rest_call *call, struct err *cause)
{
    if (!cause || is_read(call))
        return cause;
    return err_with_kind(cause, ERR_UNKNOWN_OUTCOME);
}

/* ---- one exchange ---- */

static void decref(void *json)
{
    json_decref(json);
}

void rest_wipe(json_t *json)
{
    const char *key = NULL;
    json_t *item = NULL;
    size_t i = 0;
    json_object_foreach(json, key, item)
    {
        rest_wipe(item);
    }
    json_array_foreach(json, i, item)
    {
        rest_wipe(item);
    }
    if (json_is_string(json))
        explicit_bzero((void *)(uintptr_t)json_string_value(json), json_string_length(json));
}

static void wipe_and_decref(void *json)
{
    rest_wipe(json);
    json_decref(json);
}

/* The error of http_send(), in the light of what the call does. */
static struct err *exchange_failed(struct arena *arena, const struct rest *rest, const struct rest_call *call,
                                   struct err *cause)
{
    enum err_kind kind = err_kind(cause);
    struct err *e = err_wrap(cause, "%s", call_name(arena, rest, call));
    if (kind == ERR_UNKNOWN_OUTCOME && is_read(call))
        return err_with_kind(e, ERR_TRANSIENT);
    if (kind == ERR_INPUT) /* the answer is larger than we take: nothing that the user wrote */
        return err_with_kind(e, is_read(call) ? ERR_REJECTED : ERR_UNKNOWN_OUTCOME);
    return e;
}

static struct err *exchange(const struct ctx *ctx, struct rest *rest, struct arena *arena,
                            const struct rest_call *call, struct http_response *response)
{
    struct http_header headers[3] = {{"Accept", "application/json"}};
    size_t header_count = 1;
    if (call->body)
        headers[header_count++] = (struct http_header){"Content-Type", "application/json"};
    if (call->header.name)
        headers[header_count++] = call->header;
    char *body = call->body ? json_dumps(call->body, JSON_COMPACT) : NULL;
    if (call->body && !body)
        return err_new(ERR_INTERNAL, "%s: the request cannot be written as JSON",
                       call_name(arena, rest, call));
    struct http_request request = {
        .method = call->method,
        .url = arena_printf(arena, "%s%s", rest->endpoint, call->path),
        .path_template = call->path_template,
        .bearer_token = rest->token,
        .headers = headers,
        .header_count = header_count,
        .body = body,
        .body_length = body ? strlen(body) : 0,
    };
    struct err *e = http_send(ctx, rest->http, arena, &request, response);
    if (body) { /* user data may carry keys */
        explicit_bzero(body, request.body_length);
        free(body);
    }
    return e ? exchange_failed(arena, rest, call, e) : NULL;
}

static struct err *read_body(struct arena *arena, const struct rest *rest, const struct rest_call *call,
                             const struct http_response *response, json_t **body)
{
    *body = NULL;
    if (response->body_length == 0)
        return NULL;
    struct err *e = decode_json(response->body, response->body_length, "the answer", body);
    explicit_bzero((void *)(uintptr_t)response->body, response->body_length); /* it may hold a password */
    if (!e) {
        arena_defer(arena, wipe_and_decref, *body);
        return NULL;
    }
    e = err_wrap(e, "%s answered %d", call_name(arena, rest, call), response->status);
    return err_with_kind(e, is_read(call) ? ERR_TRANSIENT : ERR_UNKNOWN_OUTCOME);
}

struct err *rest_send(const struct ctx *ctx, struct rest *rest, struct arena *arena,
                      const struct rest_call *call, struct rest_answer *answer)
{
    struct http_response response = {0};
    struct pace_slots slots;
    TRY(pace_wait(ctx, rest->pace, call->method, call->path, call->is_list, &slots));
    struct err *e = exchange(ctx, rest, arena, call, &response);
    pace_done(rest->pace, &slots);
    if (e)
        return e;
    if (response.status < 200 || response.status > 299)
        return answer_error(arena, rest, call, &response);
    const char *scopes = rest->dialect->scopes_header;
    *answer = (struct rest_answer){.status = response.status,
                                   .scopes = scopes ? http_response_header(&response, scopes) : NULL,
                                   .rate_remaining = header_int(&response, "x-ratelimit-remaining", -1)};
    return read_body(arena, rest, call, &response, &answer->body);
}

/* ---- lists ---- */

const char *rest_encode(struct arena *arena, const char *text)
{
    CLEANUP_STRBUF struct strbuf encoded;
    strbuf_init(&encoded, 0);
    strbuf_add_url_encoded(&encoded, text, false);
    return strbuf_to_arena(&encoded, arena);
}

const char *rest_id(struct arena *arena, const json_t *json, const char *path)
{
    const json_t *id = decode_find(json, path);
    if (json_is_integer(id))
        return arena_printf(arena, "%" JSON_INTEGER_FORMAT, json_integer_value(id));
    return arena_strdup(arena, json_string_value(id));
}

static const char *page_path(struct arena *arena, const struct rest_dialect *dialect,
                             const struct rest_listing *listing, const char *page)
{
    CLEANUP_STRBUF struct strbuf text;
    strbuf_init(&text, 0);
    strbuf_addf(&text, "%s?", listing->path);
    if (listing->query && listing->query[0])
        strbuf_addf(&text, "%s&", listing->query);
    strbuf_addf(&text, "%s=%d", dialect->page_size_parameter, dialect->page_size);
    if (page)
        strbuf_addf(&text, "&%s=%s", dialect->page_parameter, rest_encode(arena, page));
    return strbuf_to_arena(&text, arena);
}

/* What to ask for after page number `number` (from 1); NULL after the last. */
static const char *next_page(struct arena *arena, const struct rest_dialect *dialect, const json_t *body,
                             int number)
{
    const char *given = rest_id(arena, body, dialect->next_page);
    if (!given || !given[0])
        return NULL;
    if (dialect->paging == REST_NEXT_IS_GIVEN)
        return given;
    if (dialect->paging == REST_PAGES_ARE_COUNTED && strtol(given, NULL, 10) <= number)
        return NULL;
    return arena_printf(arena, "%d", number + 1);
}

struct err *rest_list(const struct ctx *ctx, struct rest *rest, struct arena *arena,
                      const struct rest_listing *listing, json_t **items)
{
    *items = json_array();
    arena_defer(arena, decref, *items);
    const char *page = NULL;
    for (int number = 1; number <= REST_MAX_PAGES; number++) {
        struct rest_call call = {.method = "GET",
                                 .path = page_path(arena, rest->dialect, listing, page),
                                 .path_template =
                                     listing->path_template ? listing->path_template : listing->path,
                                 .header = listing->header,
                                 .is_list = true};
        struct rest_answer answer = {0};
        const json_t *found = NULL;
        TRY(rest_send(ctx, rest, arena, &call, &answer));
        TRY(decode_array(answer.body, listing->items, &found));
        if (json_array_extend(*items, decode_find(answer.body, listing->items)) != 0)
            return err_new(ERR_INTERNAL, "%s: out of memory", call_name(arena, rest, &call));
        page = next_page(arena, rest->dialect, answer.body, number);
        if (!page)
            return NULL;
    }
    return err_new(ERR_REJECTED, "%s account '%s': the list '%s' has more than %d pages",
                   rest->dialect->provider, rest->account, listing->path, REST_MAX_PAGES);
}

/* ---- operations ---- */

struct err *rest_op_join(struct arena *arena, const json_t *json, const char *path, const char **op)
{
    const json_t *value = decode_find(json, path);
    if (!value || json_is_null(value))
        return NULL;
    const char *id = rest_id(arena, json, path);
    if (!id || !id[0] || strchr(id, ','))
        return err_new(ERR_REJECTED, "answer has no operation id at '%s'", path);
    *op = *op ? arena_printf(arena, "%s,%s", *op, id) : id;
    return NULL;
}

struct err *rest_op_failed(const struct rest *rest, const char *what, const char *code, const char *message)
{
    struct problem problem = {.code = code, .message = message};
    const struct rest_rule *rule = find_rule(rest->dialect, &problem);
    struct err *e = err_new(rule ? rule->kind : ERR_UNKNOWN_OUTCOME,
                            "%s account '%s': operation '%s' failed with '%s': %s", rest->dialect->provider,
                            rest->account, what, code ? code : "no code",
                            message ? message : "without a readable reason");
    return rule && rule->hint ? err_with_hint(e, "%s", rule->hint) : e;
}

static const json_t *find_op(struct arena *arena, const json_t *ops, const char *id)
{
    size_t i = 0;
    const json_t *op = NULL;
    json_array_foreach(ops, i, op)
    {
        const char *found = rest_id(arena, op, "id");
        if (found && strcmp(found, id) == 0)
            return op;
    }
    return NULL;
}

static struct err *op_state(const struct rest *rest, struct arena *arena, const json_t *ops, const char *id,
                            bool *done)
{
    const json_t *op = find_op(arena, ops, id);
    if (!op)
        return err_new(ERR_UNKNOWN_OUTCOME, "%s account '%s' does not list the operation '%s'",
                       rest->dialect->provider, rest->account, id);
    const char *status = NULL;
    const char *what = NULL;
    TRY(decode_string(op, "status", &status));
    TRY(decode_optional_string(op, "command", id, &what));
    *done = strcmp(status, rest->dialect->op_success) == 0;
    if (*done || strcmp(status, rest->dialect->op_running) == 0)
        return NULL;
    return rest_op_failed(rest, what, text_at(op, "error.code"), text_at(op, "error.message"));
}

/* "12,13" -> {"12", "13"} */
static const char **split_ids(struct arena *arena, const char *op, size_t *count)
{
    const char **ids = arena_array(arena, strlen(op) / 2 + 1, sizeof(*ids));
    char *save = NULL;
    *count = 0;
    for (char *id = strtok_r(arena_strdup(arena, op), ",", &save); id; id = strtok_r(NULL, ",", &save))
        ids[(*count)++] = id;
    return ids;
}

static const char *op_path(struct arena *arena, const char *list, const char **ids, size_t count)
{
    CLEANUP_STRBUF struct strbuf path;
    strbuf_init(&path, 0);
    strbuf_adds(&path, list);
    for (size_t i = 0; i < count; i++)
        strbuf_addf(&path, "%cid=%s", i ? '&' : '?', rest_encode(arena, ids[i]));
    return strbuf_to_arena(&path, arena);
}

struct err *rest_op_poll(const struct ctx *ctx, struct rest *rest, struct arena *arena, const char *op,
                         bool *done)
{
    size_t count = 0;
    const char **ids = split_ids(arena, op, &count);
    struct rest_call call = {.method = "GET",
                             .path = op_path(arena, rest->dialect->op_list, ids, count),
                             .path_template = rest->dialect->op_list};
    struct rest_answer answer = {0};
    const json_t *ops = NULL;
    TRY(rest_send(ctx, rest, arena, &call, &answer));
    TRY(decode_array(answer.body, rest->dialect->op_items, &ops));
    *done = true;
    for (size_t i = 0; i < count; i++) {
        bool one_done = false;
        TRY(op_state(rest, arena, ops, ids[i], &one_done));
        *done = *done && one_done;
    }
    return NULL;
}
