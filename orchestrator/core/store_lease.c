#include "base/clock.h"
#include "core/owner.h"
#include "core/store_sql.h"
#include <unistd.h>

struct holder_row {
    bool exists;
    struct lease_holder holder;
    const char *boot_id;
    int64_t pid, epoch;
};

static struct err *holder_read(struct store *store, struct arena *arena, const char *host,
                               struct holder_row *row)
{
    *row = (struct holder_row){0};
    CLEANUP_STMT sqlite3_stmt *stmt = NULL;
    TRY(store_prepare(store, &stmt,
                      "SELECT run, owner, expires_ms, boot_id, pid, epoch FROM lease WHERE host = ?", "s",
                      host));
    TRY(store_step_row(store, stmt, &row->exists));
    if (!row->exists)
        return NULL;
    row->holder.run = store_text(arena, stmt, 0);
    row->holder.owner = store_text(arena, stmt, 1);
    row->holder.expires_ms = sqlite3_column_int64(stmt, 2);
    row->boot_id = store_text(arena, stmt, 3);
    row->pid = sqlite3_column_int64(stmt, 4);
    row->epoch = sqlite3_column_int64(stmt, 5);
    return NULL;
}

/* A process of this boot that is gone cannot come back: no need to wait until its lease expires. */
bool store_holder_is_gone(const struct lease_holder *holder, const char *boot, int64_t pid)
{
    return !holder->run || holder->expires_ms <= clock_now_ms() || owner_is_gone(boot, pid);
}

static struct err *held(const struct holder_row *row, const char *host)
{
    char until[CLOCK_TEXT_SIZE];
    return err_with_hint(err_new(ERR_HELD, "host '%s' is held by run '%s' of %s, lease until %s", host,
                                 row->holder.run, row->holder.owner,
                                 clock_format_utc(row->holder.expires_ms, until)),
                         "wait for it, or look at it with: rehost status %s", row->holder.run);
}

static struct err *acquire_locked(struct store *store, struct arena *arena, const char *host, const char *run,
                                  struct lease *lease)
{
    struct holder_row row;
    TRY(holder_read(store, arena, host, &row));
    bool ours = row.exists && owner_is_me(row.boot_id, row.pid);
    if (!ours && !store_holder_is_gone(&row.holder, row.boot_id, row.pid))
        return held(&row, host);
    *lease = (struct lease){.store = store,
                            .host = arena_strdup(arena, host),
                            .run = arena_strdup(arena, run),
                            .epoch = row.epoch + 1};
    return store_exec(
        store,
        "INSERT INTO lease (host, run, owner, boot_id, pid, epoch, expires_ms) VALUES (?,?,?,?,?,?,?)"
        " ON CONFLICT (host) DO UPDATE SET run=excluded.run, owner=excluded.owner, boot_id=excluded.boot_id,"
        " pid=excluded.pid, epoch=excluded.epoch, expires_ms=excluded.expires_ms",
        "ssssiii", host, run, owner_text(arena), owner_place(arena), (int64_t)getpid(), lease->epoch,
        clock_now_ms() + STORE_LEASE_MS);
}

struct err *store_lease_acquire(struct store *store, struct arena *arena, const char *host, const char *run,
                                struct lease *lease)
{
    TRY(store_exec(store, "BEGIN IMMEDIATE", ""));
    struct err *e = acquire_locked(store, arena, host, run, lease);
    if (!e)
        e = store_exec(store, "COMMIT", "");
    if (e)
        err_free(store_exec(store, "ROLLBACK", ""));
    return e;
}

struct err *store_lease_renew(const struct lease *lease)
{
    return store_fenced_exec(lease, "UPDATE lease SET expires_ms = ? WHERE host = ?", "is",
                             clock_now_ms() + STORE_LEASE_MS, lease->host);
}

struct err *store_lease_release(const struct lease *lease)
{
    return store_fenced_exec(lease, "UPDATE lease SET run = NULL, expires_ms = 0 WHERE host = ?", "s",
                             lease->host);
}
