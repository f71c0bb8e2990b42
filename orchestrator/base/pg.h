/* PostgreSQL through libpq, non-blocking beneath ctx_wait().
 *
 * Errors: ERR_TRANSIENT (cannot connect; the server is starting, stopping or full), ERR_AUTH, ERR_REJECTED (the server refused the
 * statement; message with SQLSTATE; or more than 10 000 rows), ERR_CONFLICT (unique violation, serialization failure, deadlock, lock not
 * available), ERR_TIMEOUT, ERR_CANCELLED, ERR_UNKNOWN_OUTCOME (link lost during a statement). After ERR_TIMEOUT, ERR_CANCELLED and
 * ERR_UNKNOWN_OUTCOME the connection is closed: whether a statement that changes something took effect is not known, and later
 * calls are ERR_TRANSIENT. From PostgreSQL 14 on the server ends a statement whose client has gone within a second.
 * libpq's environment variables (PGSSLMODE, PGSSLROOTCERT...) apply. Threads: one connection belongs to one thread.
 */
#pragma once
#include "base/arena.h"
#include "base/ctx.h"
#include "base/err.h"
#include "base/secret.h"

struct pg;

struct pg_target {
    const char *host; /* name, address, or the directory of a unix socket */
    int port;         /* 0: 5432 */
    const char *user;
    const char *database;
    const struct secret *password; /* NULL: none */
};

struct pg_rows {
    int row_count, column_count;
    const char ***cells; /* cells[row][column], NULL for SQL NULL; in the arena */
    const char **names;
};

struct err *pg_connect(const struct ctx *ctx, const struct pg_target *target, struct pg **pg) REHOST_MUST_CHECK;
void pg_close(struct pg *pg);
/* One statement with bound text parameters ($1...). rows may be NULL. At most 10 000 rows. */
struct err *pg_query(const struct ctx *ctx, struct pg *pg, struct arena *arena, const char *sql, const char *const *params,
                     int param_count, struct pg_rows *rows) REHOST_MUST_CHECK;
static inline void pg_closep(struct pg **pg)
{
    pg_close(*pg);
}
#define CLEANUP_PG __attribute__((cleanup(pg_closep)))
