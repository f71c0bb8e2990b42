/* What the files of the store share: prepared statements with bound parameters. Private to core/store*.c. */
#pragma once
#include "core/store.h"
#include <sqlite3.h>

struct store {
    sqlite3 *db;
    const char *path;
    struct arena *arena;
};

/* Gives the statement back to the connection, where store_prepare() finds it again: parsing the SQL costs ten
 * times what it takes to run it. NULL is allowed. */
static inline void store_stmtp(sqlite3_stmt **stmt)
{
    sqlite3_reset(*stmt);
    if (*stmt)
        sqlite3_clear_bindings(*stmt);
}
#define CLEANUP_STMT __attribute__((cleanup(store_stmtp)))

/* `types`: one letter a parameter: 's' const char * (NULL is NULL), 'i' int64_t. */
struct err *store_prepare(struct store *store, sqlite3_stmt **stmt, const char *sql, const char *types,
                          ...) REHOST_MUST_CHECK;
struct err *store_exec(struct store *store, const char *sql, const char *types, ...) REHOST_MUST_CHECK;
/* *row: whether there is one more. */
struct err *store_step_row(struct store *store, sqlite3_stmt *stmt, bool *row) REHOST_MUST_CHECK;
const char *store_text(struct arena *arena, sqlite3_stmt *stmt, int column); /* copy, NULL for NULL */

/* The lease of row `holder` (run, owner, expires_ms set) by process `pid` of `boot`: may it be taken? */
bool store_holder_is_gone(const struct lease_holder *holder, const char *boot, int64_t pid);

/* One transaction: lease check, `sql`, commit. ERR_STALE when the lease is not ours any more. */
struct err *store_fenced_exec(const struct lease *lease, const char *sql, const char *types,
                              ...) REHOST_MUST_CHECK;
