#include "base/clock.h"
#include "base/fs.h"
#include "core/store_sql.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

/* File systems on which WAL's shared memory does not work (https://www.sqlite.org/wal.html); magics from
 * statfs(2). */
static const struct {
    long magic;
    const char *name;
} network_file_systems[] = {
    {0x6969, "NFS"}, {0xff534d42, "CIFS"}, {0xfe534d42, "SMB2"}, {0x01021997, "9p"}, {0x65735546, "FUSE"},
};

static const char schema_sql[] =
    "CREATE TABLE IF NOT EXISTS lease (host TEXT PRIMARY KEY, run TEXT, owner TEXT, boot_id TEXT, pid "
    "INTEGER,"
    " epoch INTEGER NOT NULL, expires_ms INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS run (id TEXT PRIMARY KEY, host TEXT NOT NULL, kind TEXT NOT NULL, state "
    "INTEGER NOT NULL,"
    " plan TEXT NOT NULL, plan_digest TEXT NOT NULL, inventory TEXT, incident_ms INTEGER, started_ms INTEGER "
    "NOT NULL,"
    " ended_ms INTEGER, created_by TEXT, verdict TEXT);"
    "CREATE UNIQUE INDEX IF NOT EXISTS run_open ON run (host) WHERE state IN (0, 1);"
    "CREATE INDEX IF NOT EXISTS run_host ON run (host);"
    "CREATE TABLE IF NOT EXISTS step (run TEXT NOT NULL, seq INTEGER NOT NULL, id TEXT NOT NULL, kind TEXT "
    "NOT NULL,"
    " title TEXT NOT NULL, state INTEGER NOT NULL, attempts INTEGER NOT NULL, output TEXT, error TEXT, epoch "
    "INTEGER NOT NULL,"
    " started_ms INTEGER, ended_ms INTEGER, PRIMARY KEY (run, seq));"
    "CREATE TABLE IF NOT EXISTS effect (id INTEGER PRIMARY KEY, run TEXT NOT NULL, step_seq INTEGER, what "
    "TEXT NOT NULL,"
    " subject TEXT, detail TEXT, outcome TEXT, error TEXT, reference TEXT, epoch INTEGER NOT NULL,"
    " begun_ms INTEGER NOT NULL, ended_ms INTEGER);"
    "CREATE TABLE IF NOT EXISTS resource (account TEXT NOT NULL, server_id TEXT NOT NULL, run TEXT, host "
    "TEXT NOT NULL,"
    " name TEXT, region TEXT, size TEXT, address TEXT, host_key TEXT, state TEXT NOT NULL, created_ms "
    "INTEGER,"
    " updated_ms INTEGER, PRIMARY KEY (account, server_id));"
    "CREATE INDEX IF NOT EXISTS resource_host ON resource (host);"
    "CREATE TABLE IF NOT EXISTS backup (host TEXT NOT NULL, dataset TEXT NOT NULL, stamp TEXT NOT NULL, run "
    "TEXT,"
    " taken_ms INTEGER NOT NULL, size_bytes INTEGER NOT NULL, verified INTEGER NOT NULL,"
    " PRIMARY KEY (host, dataset, stamp));"
    "CREATE TABLE IF NOT EXISTS event (id INTEGER PRIMARY KEY, run TEXT, at_ms INTEGER NOT NULL, text TEXT "
    "NOT NULL);"
    "PRAGMA user_version = 1;";

static struct err *sql_error(struct store *store, const char *doing)
{
    return err_new(ERR_IO, "%s in the journal '%s': %s", doing, store->path, sqlite3_errmsg(store->db));
}

static struct err *refuse_network_file_system(const char *dir)
{
    struct statfs info;
    if (statfs(dir, &info))
        return NULL; /* opening will tell */
    for (size_t i = 0; i < sizeof(network_file_systems) / sizeof(*network_file_systems); i++)
        if ((info.f_type & 0xffffffff) == network_file_systems[i].magic)
            return err_with_hint(err_new(ERR_INPUT, "the journal cannot be kept in '%s': it is on %s", dir,
                                         network_file_systems[i].name),
                                 "set 'state_dir' in the inventory to a folder on a local disk");
    return NULL;
}

static struct err *configure(struct store *store)
{
    sqlite3_busy_timeout(store->db, 10000);
    static const char settings[] =
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;";
    if (sqlite3_exec(store->db, settings, NULL, NULL, NULL) ||
        sqlite3_exec(store->db, schema_sql, NULL, NULL, NULL))
        return sql_error(store, "prepare the tables");
    return NULL;
}

static struct err *open_database(const char *path, const char *shown_path, struct store **out)
{
    CLEANUP_STORE struct store *store = calloc(1, sizeof(*store));
    if (!store)
        return err_new(ERR_INTERNAL, "out of memory");
    store->arena = arena_new(0);
    store->path = arena_strdup(store->arena, shown_path);
    mode_t old_mask = umask(077); /* before any thread: the journal names hosts and addresses */
    int rc = sqlite3_open_v2(path, &store->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
    umask(old_mask);
    if (rc != SQLITE_OK)
        return err_new(ERR_IO, "open the journal '%s': %s", path, sqlite3_errstr(rc));
    TRY(configure(store));
    *out = TAKE(store);
    return NULL;
}

struct err *store_open(const char *path, struct store **out)
{
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    const char *dir = fs_dirname(arena, path);
    TRY(fs_make_dirs(dir, 0700));
    TRY(refuse_network_file_system(dir));
    return open_database(path, path, out);
}

struct err *store_open_empty(const char *path, struct store **out)
{
    return open_database(":memory:", path, out);
}
void store_close(struct store *store)
{
    if (!store)
        return;
    for (sqlite3_stmt *stmt; (stmt = sqlite3_next_stmt(store->db, NULL));)
        sqlite3_finalize(stmt);
    sqlite3_close(store->db);
    arena_free(store->arena);
    free(store);
}

static int bind_one(sqlite3_stmt *stmt, int index, char type, va_list *args)
{
    if (type == 'i')
        return sqlite3_bind_int64(stmt, index, va_arg(*args, int64_t));
    return sqlite3_bind_text(stmt, index, va_arg(*args, const char *), -1, SQLITE_TRANSIENT);
}

/* One that was given back. What is stepped through at the moment is busy. */
static sqlite3_stmt *kept_statement(struct store *store, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    while ((stmt = sqlite3_next_stmt(store->db, stmt)))
        if (!sqlite3_stmt_busy(stmt) && !strcmp(sqlite3_sql(stmt), sql))
            break;
    return stmt;
}

static struct err *prepare_v(struct store *store, sqlite3_stmt **stmt, const char *sql, const char *types,
                             va_list *args)
{
    *stmt = kept_statement(store, sql);
    if (!*stmt && sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT, stmt, NULL) != SQLITE_OK)
        return sql_error(store, "prepare a statement");
    for (int i = 0; types[i]; i++)
        if (bind_one(*stmt, i + 1, types[i], args) != SQLITE_OK)
            return sql_error(store, "bind a value");
    return NULL;
}

struct err *store_prepare(struct store *store, sqlite3_stmt **stmt, const char *sql, const char *types, ...)
{
    va_list args;
    va_start(args, types);
    struct err *e = prepare_v(store, stmt, sql, types, &args);
    va_end(args);
    return e;
}

struct err *store_step_row(struct store *store, sqlite3_stmt *stmt, bool *row)
{
    int rc = sqlite3_step(stmt);
    *row = rc == SQLITE_ROW;
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? NULL : sql_error(store, "read");
}

static struct err *exec_v(struct store *store, const char *sql, const char *types, va_list *args)
{
    CLEANUP_STMT sqlite3_stmt *stmt = NULL;
    TRY(prepare_v(store, &stmt, sql, types, args));
    int rc = sqlite3_step(stmt);
    return rc == SQLITE_DONE || rc == SQLITE_ROW ? NULL : sql_error(store, "write");
}

struct err *store_exec(struct store *store, const char *sql, const char *types, ...)
{
    va_list args;
    va_start(args, types);
    struct err *e = exec_v(store, sql, types, &args);
    va_end(args);
    return e;
}

static struct err *lease_check(const struct lease *lease)
{
    CLEANUP_STMT sqlite3_stmt *stmt = NULL;
    TRY(store_prepare(lease->store, &stmt,
                      "SELECT 1 FROM lease WHERE host = ? AND epoch = ? AND run = ? AND expires_ms > ?",
                      "sisi", lease->host, lease->epoch, lease->run, clock_now_ms()));
    bool ours;
    TRY(store_step_row(lease->store, stmt, &ours));
    if (ours)
        return NULL;
    return err_with_hint(err_new(ERR_STALE, "the lease of host '%s' is not ours any more (epoch %lld)",
                                 lease->host, (long long)lease->epoch),
                         "this process was paused too long or somebody took over: rehost status");
}

struct err *store_fenced_exec(const struct lease *lease, const char *sql, const char *types, ...)
{
    TRY(store_exec(lease->store, "BEGIN IMMEDIATE", ""));
    struct err *e = lease_check(lease);
    if (!e) {
        va_list args;
        va_start(args, types);
        e = exec_v(lease->store, sql, types, &args);
        va_end(args);
    }
    if (!e)
        e = store_exec(lease->store, "COMMIT", "");
    if (e)
        err_free(store_exec(lease->store, "ROLLBACK", ""));
    return e;
}

const char *store_text(struct arena *arena, sqlite3_stmt *stmt, int column)
{
    return arena_strdup(arena, (const char *)sqlite3_column_text(stmt, column));
}
