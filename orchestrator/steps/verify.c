/* Proves the service on the new server before any traffic goes there: HTTPS with the real host name against
 * the new address, SQL through libpq over an SSH tunnel, commands on the host. A check is tried again until
 * its own time is over. Output: {checks: [{name, ok, detail, ms}]}.
 */
#include "base/clock.h"
#include "base/decode.h"
#include "base/http.h"
#include "base/pg.h"
#include "base/scrub.h"
#include "base/strbuf.h"
#include "steps/step.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_MS 2000
#define ONE_TRY_MS 15000

typedef struct err *check_fn(struct step_run *step, const struct ctx *ctx, const json_t *check,
                             const char **detail);

static struct err *text_of(const json_t *check, const char *key, const char **text)
{
    return decode_optional_string(check, key, NULL, text);
}

/* What a host says goes into journal and report: without the secrets that it may hold. */
static const char *shorten(struct arena *arena, const char *text)
{
    CLEANUP_STRBUF struct strbuf clean;
    strbuf_init(&clean, 0);
    scrub_text(text, strlen(text), &clean);
    text = clean.data;
    char *line = arena_strndup(arena, text, strnlen(text, 160));
    line[strcspn(line, "\r\n")] = '\0';
    return line;
}

/* --- https --- */

static struct err *check_https(struct step_run *step, const struct ctx *ctx, const json_t *check,
                               const char **detail)
{
    const char *url, *contains, *ca_file, *address;
    int64_t status;
    TRY(decode_string(check, "url", &url));
    TRY(decode_int(check, "status", &status));
    TRY(text_of(check, "contains", &contains));
    TRY(text_of(check, "ca_file", &ca_file));
    TRY(step_fact(step, "reach.address", &address));
    struct http_pool *pool;
    const struct http_pool_options options = {.max_handles = 1, .ca_file = ca_file};
    TRY(http_pool_open(&options, &pool));
    const struct http_request request = {.method = "GET",
                                         .url = url,
                                         .path_template = "check",
                                         .connect_to = address,
                                         .timeout_ms = ONE_TRY_MS,
                                         .max_response_bytes = 1 << 20};
    struct http_response response = {0};
    struct err *e = http_send(ctx, pool, step->arena, &request, &response);
    http_pool_close(pool);
    TRY(e);
    *detail = arena_printf(step->arena, "%d in %lld ms", response.status, (long long)response.elapsed_ms);
    if (response.status != status)
        return err_new(ERR_REMOTE, "GET %s at %s gave %d instead of %lld: %s", url, address, response.status,
                       (long long)status, shorten(step->arena, response.body));
    if (contains && !strstr(response.body, contains))
        return err_new(ERR_REMOTE, "GET %s at %s: the answer does not hold '%s'", url, address, contains);
    return NULL;
}

/* --- sql --- */

static struct err *ask_number(struct step_run *step, const struct ctx *ctx, const struct pg_target *target,
                              const char *query, int64_t *number)
{
    CLEANUP_PG struct pg *pg = NULL;
    struct pg_rows rows;
    TRY(pg_connect(ctx, target, &pg));
    TRY(pg_query(ctx, pg, step->arena, query, NULL, 0, &rows));
    if (rows.row_count != 1 || rows.column_count != 1 || !rows.cells[0][0])
        return err_new(ERR_INPUT, "the query of a sql check must give one value, not %d rows of %d",
                       rows.row_count, rows.column_count);
    char *end;
    errno = 0;
    *number = strtoll(rows.cells[0][0], &end, 10);
    if (errno || *end)
        return err_new(ERR_INPUT, "the query of a sql check gave '%.40s', not a whole number",
                       rows.cells[0][0]);
    return NULL;
}

static struct err *check_sql(struct step_run *step, const struct ctx *ctx, const json_t *check,
                             const char **detail)
{
    struct pg_target target = {0};
    const char *password, *query;
    int64_t at_least, port, number = 0;
    TRY(decode_string(check, "database", &target.database));
    TRY(decode_string(check, "user", &target.user));
    TRY(decode_string(check, "password", &password));
    TRY(decode_string(check, "query", &query));
    TRY(decode_int(check, "at_least", &at_least));
    TRY(decode_optional_int(check, "port", 5432, &port));
    TRY(step->services->secret(step->services->core, password, &target.password));
    struct ssh_target host;
    TRY(step_target(step, &host));
    struct ssh_tunnel *tunnel;
    TRY(ssh_tunnel_open(ctx, &host, "127.0.0.1", (int)port, &tunnel));
    target.host = ssh_tunnel_directory(tunnel);
    target.port = (int)port;
    struct err *e = ask_number(step, ctx, &target, query, &number);
    ssh_tunnel_close(tunnel);
    TRY(e);
    *detail = arena_printf(step->arena, "%lld", (long long)number);
    if (number < at_least)
        return err_new(ERR_REMOTE, "'%s' gave %lld, expected at least %lld", query, (long long)number,
                       (long long)at_least);
    return NULL;
}

/* --- command --- */

static struct err *check_command(struct step_run *step, const struct ctx *ctx, const json_t *check,
                                 const char **detail)
{
    const char *command, *contains;
    TRY(decode_string(check, "command", &command));
    TRY(text_of(check, "contains", &contains));
    struct ssh *ssh;
    TRY(step_connect(step, &ssh));
    struct ssh_result result;
    TRY(ssh_run(ctx, ssh, step->arena, command, NULL, 0, &result));
    *detail = shorten(step->arena, result.out);
    if (contains && !strstr(result.out, contains))
        return err_new(ERR_REMOTE, "'%s': its output does not hold '%s'", command, contains);
    return NULL;
}

/* --- the step --- */

static check_fn *find_check(const char *kind)
{
    return !strcmp(kind, "https") ? check_https : !strcmp(kind, "sql") ? check_sql : check_command;
}

static struct err *try_until(struct step_run *step, const json_t *check, const char **detail)
{
    const char *kind;
    int64_t within_ms;
    TRY(decode_string(check, "kind", &kind));
    TRY(decode_int(check, "within_ms", &within_ms));
    const int64_t end_ms = clock_boot_ms() + within_ms;
    for (;;) {
        const struct ctx one = ctx_with_timeout(step->ctx, ONE_TRY_MS * 2);
        CLEANUP_ERR struct err *e = find_check(kind)(step, &one, check, detail);
        if (!e)
            return NULL;
        TRY(ctx_check(step->ctx));
        if (err_kind(e) == ERR_UNKNOWN_OUTCOME || err_kind(e) == ERR_TRANSIENT)
            step_drop_link(step);
        if (err_kind(e) == ERR_INPUT || clock_boot_ms() + RETRY_MS > end_ms)
            return TAKE(e);
        step_live(step, "not good yet: %s", err_message(e));
        TRY(ctx_sleep(step->ctx, RETRY_MS));
    }
}

static struct err *run_check(struct step_run *step, const json_t *check, json_t *results)
{
    const char *name, *detail = "";
    TRY(decode_string(check, "name", &name));
    step_live(step, "check %s", name);
    const int64_t start_ms = clock_boot_ms();
    struct err *e = try_until(step, check, &detail);
    json_array_append_new(results, json_pack("{s:s, s:b, s:s, s:I}", "name", name, "ok", e == NULL, "detail",
                                             detail, "ms", (json_int_t)(clock_boot_ms() - start_ms)));
    if (e)
        return err_wrap(e, "check '%s'", name);
    step_note(step, "check %s: ok, %s", name, detail);
    return NULL;
}

static struct err *verify_apply(struct step_run *step)
{
    json_t *results = json_array();
    json_object_set_new(step->output, "checks", results);
    size_t index;
    json_t *check;
    json_array_foreach(json_object_get(step->input, "checks"), index, check)
        TRY(run_check(step, check, results));
    return NULL;
}

const struct step_ops step_verify = {
    .kind = "verify",
    .touches = "only asks",
    .danger = DANGER_MILD,
    .estimate_ms = 10000,
    .apply = verify_apply,
};
