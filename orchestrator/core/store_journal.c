/* Effects, resources, backups and events. */
#include "base/clock.h"
#include "base/scrub.h"
#include "core/store_sql.h"
#include <string.h>

#define LIST_MAX 10000

static struct err *next_row(struct store *store, sqlite3_stmt *stmt, size_t count, bool *row)
{
    TRY(store_step_row(store, stmt, row));
    return *row && count >= LIST_MAX ? err_new(ERR_INTERNAL, "more than %d rows in a journal list", LIST_MAX)
                                     : NULL;
}

/* --- effects --- */

struct err *store_effect_begin(const struct lease *lease, int step_seq, const char *what, const char *subject,
                               const char *detail, int64_t *id)
{
    TRY(store_fenced_exec(
        lease,
        "INSERT INTO effect (run, step_seq, what, subject, detail, epoch, begun_ms) VALUES (?,?,?,?,?,?,?)",
        "sisssii", lease->run, (int64_t)step_seq, what, subject, detail, lease->epoch, clock_now_ms()));
    *id = sqlite3_last_insert_rowid(lease->store->db);
    return NULL;
}

static const char *outcome_text(const struct err *outcome)
{
    if (!outcome)
        return "done";
    enum err_kind kind = err_kind(outcome);
    return kind == ERR_UNKNOWN_OUTCOME || kind == ERR_CANCELLED || kind == ERR_TIMEOUT ? "unknown" : "failed";
}

struct err *store_effect_end(const struct lease *lease, int64_t id, const struct err *outcome,
                             const char *reference)
{
    CLEANUP_STRBUF struct strbuf message;
    strbuf_init(&message, 64 << 10);
    if (outcome)
        scrub_text(err_message(outcome), strlen(err_message(outcome)), &message);
    return store_fenced_exec(
        lease,
        "UPDATE effect SET outcome = ?, error = ?, reference = ?, ended_ms = ? WHERE id = ? AND run = ?",
        "sssiis", outcome_text(outcome), outcome ? message.data : NULL, reference, clock_now_ms(), id,
        lease->run);
}

struct err *store_effect_list(struct store *store, struct arena *arena, const char *run,
                              struct effect_row **effects, size_t *count)
{
    CLEANUP_STMT sqlite3_stmt *stmt = NULL;
    TRY(store_prepare(store, &stmt,
                      "SELECT id, step_seq, what, subject, detail, outcome, error, reference, begun_ms, "
                      "ended_ms FROM effect"
                      " WHERE run = ? ORDER BY id",
                      "s", run));
    *effects = arena_array(arena, LIST_MAX, sizeof(**effects));
    *count = 0;
    for (;;) {
        bool row;
        TRY(next_row(store, stmt, *count, &row));
        if (!row)
            break;
        (*effects)[(*count)++] = (struct effect_row){
            .id = sqlite3_column_int64(stmt, 0),
            .step_seq = sqlite3_column_int(stmt, 1),
            .what = store_text(arena, stmt, 2),
            .subject = store_text(arena, stmt, 3),
            .detail = store_text(arena, stmt, 4),
            .outcome = store_text(arena, stmt, 5),
            .error = store_text(arena, stmt, 6),
            .reference = store_text(arena, stmt, 7),
            .begun_ms = sqlite3_column_int64(stmt, 8),
            .ended_ms = sqlite3_column_int64(stmt, 9),
        };
    }
    return NULL;
}

/* --- resources --- */

struct err *store_resource_put(const struct lease *lease, const struct resource_row *r)
{
    return store_fenced_exec(
        lease,
        "INSERT INTO resource (account, server_id, run, host, name, region, size, address, host_key, state, "
        "created_ms,"
        " updated_ms) VALUES (?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT (account, server_id) DO UPDATE SET"
        " address = coalesce(excluded.address, address), host_key = coalesce(excluded.host_key, host_key),"
        " state = excluded.state, updated_ms = excluded.updated_ms",
        "ssssssssssii", r->account, r->server_id, r->run, r->host, r->name, r->region, r->size, r->address,
        r->host_key, r->state, r->created_ms ? r->created_ms : clock_now_ms(), clock_now_ms());
}

#define RESOURCE_COLUMNS                                                                                     \
    "SELECT account, server_id, run, host, name, region, size, address, host_key, state, created_ms, "       \
    "updated_ms FROM resource "

static void read_resource(struct arena *arena, sqlite3_stmt *stmt, struct resource_row *r)
{
    const char **texts[] = {&r->account, &r->server_id, &r->run,     &r->host,     &r->name,
                            &r->region,  &r->size,      &r->address, &r->host_key, &r->state};
    for (int i = 0; i < 10; i++)
        *texts[i] = store_text(arena, stmt, i);
    r->created_ms = sqlite3_column_int64(stmt, 10);
    r->updated_ms = sqlite3_column_int64(stmt, 11);
}

struct err *store_resource_list(struct store *store, struct arena *arena, const char *host,
                                struct resource_row **resources, size_t *count)
{
    CLEANUP_STMT sqlite3_stmt *stmt = NULL;
    TRY(store_prepare(store, &stmt, RESOURCE_COLUMNS "WHERE ?1 IS NULL OR host = ?1 ORDER BY rowid DESC", "s",
                      host));
    *resources = arena_array(arena, LIST_MAX, sizeof(**resources));
    *count = 0;
    for (;;) {
        bool row;
        TRY(next_row(store, stmt, *count, &row));
        if (!row)
            break;
        read_resource(arena, stmt, &(*resources)[(*count)++]);
    }
    return NULL;
}

struct err *store_resource_current(struct store *store, struct arena *arena, const char *host,
                                   struct resource_row *resource)
{
    CLEANUP_STMT sqlite3_stmt *stmt = NULL;
    *resource = (struct resource_row){0};
    TRY(store_prepare(store, &stmt,
                      RESOURCE_COLUMNS "WHERE host = ? AND state = 'current' ORDER BY rowid DESC LIMIT 1",
                      "s", host));
    bool found;
    TRY(store_step_row(store, stmt, &found));
    if (found)
        read_resource(arena, stmt, resource);
    return NULL;
}

/* --- backups --- */

struct err *store_backup_put(const struct lease *lease, const struct backup_row *b)
{
    return store_fenced_exec(lease,
                             "INSERT INTO backup (host, dataset, stamp, run, taken_ms, size_bytes, verified)"
                             " VALUES (?,?,?,?,?,?,?) ON CONFLICT (host, dataset, stamp) DO UPDATE SET"
                             " verified = max(verified, excluded.verified)",
                             "ssssiii", b->host, b->dataset, b->stamp, b->run, b->taken_ms, b->size_bytes,
                             (int64_t)b->verified);
}

struct err *store_backup_newest(struct store *store, struct arena *arena, const char *host,
                                const char *dataset, struct backup_row *backup)
{
    CLEANUP_STMT sqlite3_stmt *stmt = NULL;
    *backup = (struct backup_row){0};
    TRY(store_prepare(store, &stmt,
                      "SELECT host, dataset, stamp, run, taken_ms, size_bytes, verified FROM backup"
                      " WHERE host = ? AND dataset = ? ORDER BY taken_ms DESC LIMIT 1",
                      "ss", host, dataset));
    bool found;
    TRY(store_step_row(store, stmt, &found));
    if (found)
        *backup = (struct backup_row){
            .host = store_text(arena, stmt, 0),
            .dataset = store_text(arena, stmt, 1),
            .stamp = store_text(arena, stmt, 2),
            .run = store_text(arena, stmt, 3),
            .taken_ms = sqlite3_column_int64(stmt, 4),
            .size_bytes = sqlite3_column_int64(stmt, 5),
            .verified = sqlite3_column_int(stmt, 6) != 0,
        };
    return NULL;
}

/* --- events --- */

struct err *store_event_add(const struct lease *lease, const char *text)
{
    CLEANUP_STRBUF struct strbuf clean;
    strbuf_init(&clean, 64 << 10);
    scrub_text(text, strlen(text), &clean);
    return store_fenced_exec(lease, "INSERT INTO event (run, at_ms, text) VALUES (?,?,?)", "sis", lease->run,
                             clock_now_ms(), clean.data);
}

struct err *store_event_list(struct store *store, struct arena *arena, const char *run,
                             struct event_row **events, size_t *count)
{
    CLEANUP_STMT sqlite3_stmt *stmt = NULL;
    TRY(store_prepare(store, &stmt, "SELECT at_ms, text FROM event WHERE run = ? ORDER BY id", "s", run));
    *events = arena_array(arena, LIST_MAX, sizeof(**events));
    *count = 0;
    for (;;) {
        bool row;
        TRY(next_row(store, stmt, *count, &row));
        if (!row)
            break;
        (*events)[(*count)++] =
            (struct event_row){.at_ms = sqlite3_column_int64(stmt, 0), .text = store_text(arena, stmt, 1)};
    }
    return NULL;
}
