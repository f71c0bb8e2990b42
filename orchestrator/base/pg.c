#include "base/pg.h"

#include <ctype.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_PORT 5432
#define MAX_ROWS 10000
#define FIRST_ROWS 16
#define SQLSTATE_CHARS 5

struct pg {
    PGconn *conn; /* NULL once it is of no use: nothing is sent on a connection in an unknown state */
    char *where;  /* for messages */
};

/* --- errors --- */

/* https://www.postgresql.org/docs/15/errcodes-appendix.html */
static enum err_kind kind_of(const char *sqlstate)
{
    static const struct {
        const char *prefix;
        enum err_kind kind;
    } kinds[] = {
        {"28", ERR_AUTH},        /* invalid authorization, wrong password */
        {"23505", ERR_CONFLICT}, /* unique violation: exists already */
        {"40", ERR_CONFLICT},    /* serialization failure, deadlock */
        {"55P03", ERR_CONFLICT}, /* lock not available */
        {"08", ERR_TRANSIENT},   /* connection */
        {"53", ERR_TRANSIENT},   /* insufficient resources, too many connections */
        {"57P", ERR_TRANSIENT},  /* shutting down, starting up */
    };
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
        if (strncmp(sqlstate, kinds[i].prefix, strlen(kinds[i].prefix)) == 0)
            return kinds[i].kind;
    return ERR_REJECTED;
}

static int first_line(const char *text)
{
    return (int)strcspn(text, "\n");
}

/* libpq 15 hands out the SQLSTATE of a refused login only as a part of its message, and only when it is asked
 * to be verbose:
 * "...: FATAL:  28P01: password authentication failed...". NULL when the failure did not come from the
 * server. */
static const char *find_sqlstate(const char *message)
{
    for (const char *at = strstr(message, ":  "); at; at = strstr(at + 1, ":  ")) {
        const char *code = at + 3;
        int length = 0;
        while (length < SQLSTATE_CHARS &&
               (isupper((unsigned char)code[length]) || isdigit((unsigned char)code[length])))
            length++;
        if (length == SQLSTATE_CHARS && code[length] == ':')
            return code;
    }
    return NULL;
}

static struct err *connect_failed(const struct pg *pg)
{
    const char *message = PQerrorMessage(pg->conn), *sqlstate = find_sqlstate(message);
    if (sqlstate) {
        const char *words = sqlstate + SQLSTATE_CHARS + 1;
        words += strspn(words, " ");
        return err_new(kind_of(sqlstate), "PostgreSQL at %s refused the connection: %.*s (SQLSTATE %.5s)",
                       pg->where, first_line(words), words, sqlstate);
    }
    if (PQconnectionNeedsPassword(pg->conn))
        return err_new(ERR_AUTH, "PostgreSQL at %s asks for a password, but none was given", pg->where);
    return err_new(ERR_TRANSIENT, "cannot connect to PostgreSQL at %s: %.*s", pg->where, first_line(message),
                   message);
}

static struct err *link_lost(struct pg *pg)
{
    const char *message = PQerrorMessage(pg->conn);
    struct err *e =
        err_new(ERR_UNKNOWN_OUTCOME, "the connection to PostgreSQL at %s was lost during a statement: %.*s",
                pg->where, first_line(message), message);
    PQfinish(TAKE(pg->conn));
    return e;
}

static struct err *statement_failed(struct pg *pg, const PGresult *result)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *words = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    if (!sqlstate) /* made by libpq itself */
        return link_lost(pg);
    return err_new(kind_of(sqlstate), "PostgreSQL at %s refused a statement: %s (SQLSTATE %s)", pg->where,
                   words ? words : "no reason", sqlstate);
}

/* --- waiting --- */

static struct err *wait_for_socket(const struct ctx *ctx, const struct pg *pg, short events)
{
    struct pollfd ready = {.fd = PQsocket(pg->conn), .events = events};
    return ctx_wait(ctx, &ready, 1, -1, NULL);
}

/* --- connecting --- */

static struct err *start(const struct pg_target *target, struct pg *pg)
{
    char port[12];
    (void)snprintf(port, sizeof(port), "%d", target->port ? target->port : DEFAULT_PORT);
    const char *const names[] = {"host",     "port", "user", "dbname", "application_name", "client_encoding",
                                 "password", NULL};
    const char *const values[] = {target->host,
                                  port,
                                  target->user,
                                  target->database,
                                  "rehost",
                                  "UTF8",
                                  target->password ? secret_text(target->password) : NULL,
                                  NULL};
    pg->conn = PQconnectStartParams(names, values, 0);
    if (!pg->conn)
        return err_new(ERR_INTERNAL, "out of memory");
    (void)PQsetErrorVerbosity(pg->conn, PQERRORS_VERBOSE);
    return PQstatus(pg->conn) == CONNECTION_BAD ? connect_failed(pg) : NULL;
}

static struct err *finish_connecting(const struct ctx *ctx, const struct pg *pg)
{
    PostgresPollingStatusType next = PGRES_POLLING_WRITING;
    while (next != PGRES_POLLING_OK) {
        if (next == PGRES_POLLING_FAILED)
            return connect_failed(pg);
        TRY(wait_for_socket(ctx, pg, next == PGRES_POLLING_READING ? POLLIN : POLLOUT));
        next = PQconnectPoll(pg->conn);
    }
    return NULL;
}

/* A statement whose client has gone (a cancel, a crash) ends within a second instead of when it is done. */
static struct err *ask_to_watch_client(const struct ctx *ctx, struct pg *pg)
{
    if (PQserverVersion(pg->conn) < 140000)
        return NULL;
    CLEANUP_ARENA struct arena *scratch = arena_new(0);
    struct err *e = pg_query(ctx, pg, scratch, "set client_connection_check_interval = '1s'", NULL, 0, NULL);
    if (e && err_kind(e) == ERR_REJECTED) { /* systems without the means for it: not worth failing for */
        err_free(e);
        e = NULL;
    }
    return e;
}

static struct err *connect_all(const struct ctx *ctx, const struct pg_target *target, struct pg *pg)
{
    TRY(start(target, pg));
    TRY(finish_connecting(ctx, pg));
    (void)PQsetErrorVerbosity(pg->conn, PQERRORS_DEFAULT);
    if (PQsetnonblocking(pg->conn, 1))
        return connect_failed(pg);
    return ask_to_watch_client(ctx, pg);
}

struct err *pg_connect(const struct ctx *ctx, const struct pg_target *target, struct pg **out)
{
    CLEANUP_PG struct pg *pg = calloc(1, sizeof(*pg));
    if (!pg ||
        asprintf(&pg->where, "'%s' port %d", target->host, target->port ? target->port : DEFAULT_PORT) < 0)
        return err_new(ERR_INTERNAL, "out of memory");
    struct err *e = connect_all(ctx, target, pg);
    if (e)
        return err_wrap(e, "connecting as '%s' to the database '%s'", target->user, target->database);
    *out = TAKE(pg);
    return NULL;
}

void pg_close(struct pg *pg)
{
    if (!pg)
        return;
    PQfinish(pg->conn);
    free(pg->where);
    free(pg);
}

/* --- statements --- */

static struct err *send_all(const struct ctx *ctx, struct pg *pg)
{
    for (;;) {
        int unsent = PQflush(pg->conn);
        if (unsent < 0)
            return link_lost(pg);
        if (!unsent)
            return NULL;
        TRY(wait_for_socket(ctx, pg, POLLIN | POLLOUT)); /* the server may have to talk before it listens */
        if (!PQconsumeInput(pg->conn))
            return link_lost(pg);
    }
}

static struct err *next_result(const struct ctx *ctx, struct pg *pg, PGresult **result)
{
    while (PQisBusy(pg->conn)) {
        TRY(wait_for_socket(ctx, pg, POLLIN));
        if (!PQconsumeInput(pg->conn))
            return link_lost(pg);
    }
    *result = PQgetResult(pg->conn);
    return NULL;
}

static void add_names(struct arena *arena, const PGresult *result, struct pg_rows *rows)
{
    rows->column_count = PQnfields(result);
    rows->names = arena_array(arena, (size_t)rows->column_count + 1, sizeof(*rows->names));
    for (int i = 0; i < rows->column_count; i++)
        rows->names[i] = arena_strdup(arena, PQfname(result, i));
}

/* `capacity` doubles; what it outgrows stays in the arena until that is freed. */
static void add_row(struct arena *arena, const PGresult *result, struct pg_rows *rows, int *capacity)
{
    if (rows->row_count == *capacity) {
        const char ***old = rows->cells;
        *capacity = *capacity ? *capacity * 2 : FIRST_ROWS;
        rows->cells = arena_array(arena, (size_t)*capacity, sizeof(*rows->cells));
        if (old)
            memcpy(rows->cells, old, (size_t)rows->row_count * sizeof(*old));
    }
    const char **row = arena_array(arena, (size_t)rows->column_count + 1, sizeof(*row));
    for (int i = 0; i < rows->column_count; i++)
        if (!PQgetisnull(result, 0, i))
            row[i] = arena_strndup(arena, PQgetvalue(result, 0, i), (size_t)PQgetlength(result, 0, i));
    rows->cells[rows->row_count++] = row;
}

static struct err *take_result(struct pg *pg, struct arena *arena, const PGresult *result,
                               struct pg_rows *rows, int *capacity)
{
    switch (PQresultStatus(result)) {
    case PGRES_SINGLE_TUPLE:
        if (!rows)
            return NULL;
        if (rows->row_count == MAX_ROWS)
            return err_new(ERR_REJECTED, "a statement gave more than %d rows", MAX_ROWS);
        if (!rows->names)
            add_names(arena, result, rows);
        add_row(arena, result, rows, capacity);
        return NULL;
    case PGRES_TUPLES_OK: /* the end of the rows, or no row at all */
        if (rows && !rows->names)
            add_names(arena, result, rows);
        return NULL;
    case PGRES_COMMAND_OK:
        return NULL;
    case PGRES_COPY_IN:
    case PGRES_COPY_OUT:
    case PGRES_COPY_BOTH:
        return err_new(ERR_INTERNAL, "COPY is not supported");
    default:
        return statement_failed(pg, result);
    }
}

/* Reads all results, so that the connection is ready for the next statement. */
static struct err *take_results(const struct ctx *ctx, struct pg *pg, struct arena *arena,
                                struct pg_rows *rows)
{
    CLEANUP_ERR struct err *failure = NULL;
    int capacity = 0;
    for (;;) {
        PGresult *result = NULL;
        struct err *e = next_result(ctx, pg, &result);
        if (failure && (e || !result)) { /* what the server said tells more than that it hung up afterwards */
            err_free(e);
            return TAKE(failure);
        }
        if (e || !result)
            return e;
        if (!failure)
            failure = take_result(pg, arena, result, rows, &capacity);
        PQclear(result);
        if (failure && (!pg->conn || err_kind(failure) == ERR_INTERNAL))
            return TAKE(failure);
    }
}

static struct err *run(const struct ctx *ctx, struct pg *pg, struct arena *arena, const char *sql,
                       const char *const *params, int param_count, struct pg_rows *rows)
{
    if (!PQsendQueryParams(pg->conn, sql, param_count, NULL, params, NULL, NULL, 0))
        return link_lost(pg);
    if (!PQsetSingleRowMode(pg->conn))
        return err_new(ERR_INTERNAL, "libpq cannot read row by row");
    TRY(send_all(ctx, pg));
    return take_results(ctx, pg, arena, rows);
}

struct err *pg_query(const struct ctx *ctx, struct pg *pg, struct arena *arena, const char *sql,
                     const char *const *params, int param_count, struct pg_rows *rows)
{
    if (rows)
        *rows = (struct pg_rows){0};
    if (!pg->conn)
        return err_new(ERR_TRANSIENT, "the connection to PostgreSQL at %s is closed", pg->where);
    struct err *e = run(ctx, pg, arena, sql, params, param_count, rows);
    /* A connection in the middle of a statement is of no use; closing it makes the server end the statement.
     */
    if (e && pg->conn && PQtransactionStatus(pg->conn) == PQTRANS_ACTIVE)
        PQfinish(TAKE(pg->conn));
    return e;
}
