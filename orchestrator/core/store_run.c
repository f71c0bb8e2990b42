#include "base/clock.h"
#include "base/scrub.h"
#include "core/store_sql.h"
#include <stdlib.h>
#include <string.h>

const char *run_state_name(enum run_state state)
{
    static const char *const names[RUN_STATE_COUNT] = {"running", "stopped", "done", "abandoned"};
    return names[state];
}

const char *step_state_name(enum step_state state)
{
    static const char *const names[STEP_STATE_COUNT] = {"pending", "running", "done", "failed", "skipped"};
    return names[state];
}

/* A json_t as text for a column; NULL stays NULL. The caller frees it. */
static void text_freep(char **text)
{
    free(*text);
}
#define CLEANUP_TEXT __attribute__((cleanup(text_freep)))

static char *json_text(const json_t *json)
{
    return json ? json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
}

/* --- runs --- */

struct err *store_run_create(const struct lease *lease, const struct run_row *run)
{
    return store_fenced_exec(
        lease,
        "INSERT INTO run (id, host, kind, state, plan, plan_digest, inventory, incident_ms, started_ms,"
        " created_by) VALUES (?,?,?,?,?,?,?,?,?, (SELECT owner FROM lease WHERE host = ?))",
        "sssisssiis", run->id, run->host, run->kind, (int64_t)RUN_RUNNING, run->plan, run->plan_digest,
        run->inventory, run->incident_ms, run->started_ms, run->host);
}

struct err *store_run_set_state(const struct lease *lease, enum run_state state, const json_t *verdict)
{
    CLEANUP_TEXT char *text = json_text(verdict);
    bool ended = state == RUN_DONE || state == RUN_ABANDONED;
    return store_fenced_exec(
        lease, "UPDATE run SET state = ?, ended_ms = ?, verdict = coalesce(?, verdict) WHERE id = ?", "iiss",
        (int64_t)state, ended ? clock_now_ms() : (int64_t)0, text, lease->run);
}

struct err *store_run_abandon(const struct lease *lease, const char *run_id)
{
    return store_fenced_exec(
        lease, "UPDATE run SET state = ?, ended_ms = ? WHERE id = ? AND host = ? AND state IN (0, 1)", "iiss",
        (int64_t)RUN_ABANDONED, clock_now_ms(), run_id, lease->host);
}

#define RUN_COLUMNS                                                                                          \
    "SELECT r.id, r.host, r.kind, r.state, r.plan, r.plan_digest, r.inventory, r.incident_ms, "              \
    "r.started_ms, r.ended_ms,"                                                                              \
    " r.created_by, r.verdict, l.run, l.owner, l.expires_ms, l.boot_id, l.pid FROM run r LEFT JOIN lease l " \
    "ON l.host = "                                                                                           \
    "r.host AND l.run = r.id "

static void read_run(struct arena *arena, sqlite3_stmt *stmt, struct run_row *run)
{
    *run = (struct run_row){
        .id = store_text(arena, stmt, 0),
        .host = store_text(arena, stmt, 1),
        .kind = store_text(arena, stmt, 2),
        .state = (enum run_state)sqlite3_column_int(stmt, 3),
        .plan = store_text(arena, stmt, 4),
        .plan_digest = store_text(arena, stmt, 5),
        .inventory = store_text(arena, stmt, 6),
        .incident_ms = sqlite3_column_int64(stmt, 7),
        .started_ms = sqlite3_column_int64(stmt, 8),
        .ended_ms = sqlite3_column_int64(stmt, 9),
        .created_by = store_text(arena, stmt, 10),
        .verdict = store_text(arena, stmt, 11),
        .holder = {.run = store_text(arena, stmt, 12),
                   .owner = store_text(arena, stmt, 13),
                   .expires_ms = sqlite3_column_int64(stmt, 14)},
    };
    run->holder.gone = store_holder_is_gone(&run->holder, (const char *)sqlite3_column_text(stmt, 15),
                                            sqlite3_column_int64(stmt, 16));
}

struct err *store_run_get(struct store *store, struct arena *arena, const char *id, struct run_row *run)
{
    CLEANUP_STMT sqlite3_stmt *stmt = NULL;
    TRY(store_prepare(store, &stmt, RUN_COLUMNS "WHERE r.id = ?", "s", id));
    bool found;
    TRY(store_step_row(store, stmt, &found));
    if (!found)
        return err_with_hint(err_new(ERR_NOT_FOUND, "no run '%s' in the journal '%s'", id, store->path),
                             "rehost status lists the runs");
    read_run(arena, stmt, run);
    return NULL;
}

struct err *store_run_list(struct store *store, struct arena *arena, const char *host, size_t limit,
                           struct run_row **runs, size_t *count)
{
    CLEANUP_STMT sqlite3_stmt *stmt = NULL;
    TRY(store_prepare(store, &stmt,
                      RUN_COLUMNS
                      "WHERE ?1 IS NULL OR r.host = ?1 ORDER BY r.started_ms DESC, r.rowid DESC LIMIT ?2",
                      "si", host, (int64_t)limit));
    *runs = arena_array(arena, limit + 1, sizeof(**runs));
    *count = 0;
    for (;;) {
        bool row;
        TRY(store_step_row(store, stmt, &row));
        if (!row || *count >= limit)
            break;
        read_run(arena, stmt, &(*runs)[(*count)++]);
    }
    return NULL;
}

struct err *store_run_find_open(struct store *store, struct arena *arena, const char *host,
                                struct run_row *run)
{
    CLEANUP_STMT sqlite3_stmt *stmt = NULL;
    *run = (struct run_row){0};
    TRY(store_prepare(store, &stmt, RUN_COLUMNS "WHERE r.host = ? AND r.state IN (0, 1)", "s", host));
    bool found;
    TRY(store_step_row(store, stmt, &found));
    if (found)
        read_run(arena, stmt, run);
    return NULL;
}

/* --- steps --- */

struct err *store_step_begin(const struct lease *lease, const struct step_row *step)
{
    return store_fenced_exec(
        lease,
        "INSERT INTO step (run, seq, id, kind, title, state, attempts, output, epoch, started_ms)"
        " VALUES (?,?,?,?,?,?,1,NULL,?,?) ON CONFLICT (run, seq) DO UPDATE SET"
        " state = excluded.state, attempts = attempts + 1, epoch = excluded.epoch, error = NULL,"
        " started_ms = coalesce(started_ms, excluded.started_ms), ended_ms = NULL",
        "sisssiii", lease->run, (int64_t)step->seq, step->id, step->kind, step->title, (int64_t)STEP_RUNNING,
        lease->epoch, clock_now_ms());
}

struct err *store_step_save(const struct lease *lease, int seq, const json_t *output)
{
    CLEANUP_TEXT char *text = json_text(output);
    return store_fenced_exec(lease, "UPDATE step SET output = ?, epoch = ? WHERE run = ? AND seq = ?", "sisi",
                             text, lease->epoch, lease->run, (int64_t)seq);
}

struct err *store_step_end(const struct lease *lease, int seq, enum step_state state, const json_t *output,
                           const char *error)
{
    CLEANUP_TEXT char *text = json_text(output);
    CLEANUP_STRBUF struct strbuf clean;
    strbuf_init(&clean, 64 << 10);
    if (error)
        scrub_text(error, strlen(error), &clean);
    return store_fenced_exec(
        lease,
        "UPDATE step SET state = ?, output = coalesce(?, output), error = ?, epoch = ?, ended_ms = ?"
        " WHERE run = ? AND seq = ?",
        "issiisi", (int64_t)state, text, error ? clean.data : NULL, lease->epoch, clock_now_ms(), lease->run,
        (int64_t)seq);
}

struct err *store_step_list(struct store *store, struct arena *arena, const char *run,
                            struct step_row **steps, size_t *count)
{
    CLEANUP_STMT sqlite3_stmt *stmt = NULL;
    TRY(store_prepare(store, &stmt,
                      "SELECT seq, id, kind, title, state, attempts, output, error, started_ms, ended_ms,"
                      " (SELECT count(*) FROM step WHERE run = ?1) FROM step WHERE run = ?1 ORDER BY seq",
                      "s", run));
    *steps = NULL;
    *count = 0;
    for (;;) {
        bool row;
        TRY(store_step_row(store, stmt, &row));
        if (!row)
            break;
        if (!*steps)
            *steps = arena_array(arena, (size_t)sqlite3_column_int64(stmt, 10) + 1, sizeof(**steps));
        (*steps)[(*count)++] = (struct step_row){
            .seq = sqlite3_column_int(stmt, 0),
            .id = store_text(arena, stmt, 1),
            .kind = store_text(arena, stmt, 2),
            .title = store_text(arena, stmt, 3),
            .state = (enum step_state)sqlite3_column_int(stmt, 4),
            .attempts = sqlite3_column_int(stmt, 5),
            .output = store_text(arena, stmt, 6),
            .error = store_text(arena, stmt, 7),
            .started_ms = sqlite3_column_int64(stmt, 8),
            .ended_ms = sqlite3_column_int64(stmt, 9),
        };
    }
    return NULL;
}

static void add_to_mean(struct arena *arena, const char *step_id, int64_t took_ms, struct step_mean **means)
{
    struct step_mean *mean = *means;
    while (mean && strcmp(mean->step_id, step_id) != 0)
        mean = mean->next;
    if (!mean) {
        mean = ARENA_NEW(arena, struct step_mean);
        *mean = (struct step_mean){.next = *means, .step_id = arena_strdup(arena, step_id)};
        *means = mean;
    }
    if (mean->of < 5) {
        mean->took_ms = (mean->took_ms * mean->of + took_ms) / (mean->of + 1);
        mean->of++;
    }
}

/* Averaged here: in SQL it takes a window function, which costs five times as much. */
struct err *store_step_means(struct store *store, struct arena *arena, const char *host,
                             struct step_mean **means)
{
    CLEANUP_STMT sqlite3_stmt *stmt = NULL;
    *means = NULL;
    TRY(store_prepare(store, &stmt,
                      "SELECT s.id, s.ended_ms - s.started_ms FROM run r JOIN step s ON s.run = r.id WHERE "
                      "r.host = ? AND s.state = ? AND s.attempts = 1 ORDER BY s.started_ms DESC",
                      "si", host, (int64_t)STEP_DONE));
    for (;;) {
        bool row;
        TRY(store_step_row(store, stmt, &row));
        if (!row)
            return NULL;
        add_to_mean(arena, (const char *)sqlite3_column_text(stmt, 0), sqlite3_column_int64(stmt, 1), means);
    }
}
