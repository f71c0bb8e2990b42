/* PostgreSQL by libpq, directly and through an SSH tunnel: a real cluster and a real sshd, both started here.
 */
#include "tests/unit/base/sshd_fixture.h"

#include "base/clock.h"
#include "base/pg.h"

#include <glob.h>
#include <pthread.h>
#include <pwd.h>
#include <sys/eventfd.h>

static struct sshd *sshd;
static struct arena *shared_arena;
static char *cluster_dir;
static int cluster_port;
static pid_t cluster_pid;
static struct secret *password;

static char *find_binary(const char *name)
{
    glob_t found;
    assert_int_equal(glob(arena_printf(shared_arena, "/usr/lib/postgresql/*/bin/%s", name), 0, NULL, &found),
                     0);
    char *path = arena_strdup(shared_arena, found.gl_pathv[found.gl_pathc - 1]);
    globfree(&found);
    return path;
}

static void run_as_postgres(const char *const argv[])
{
    struct ctx ctx = seconds(120);
    struct proc_result result;
    CLEANUP_STRBUF struct strbuf out;
    strbuf_init(&out, 65536);
    check_ok(proc_run(&ctx, argv, NULL, 0, &out, &out, &result));
    if (result.exit_status)
        fail_msg("%s", out.data);
}

static void start_cluster(void)
{
    const struct passwd *user = getpwnam("postgres");
    assert_non_null(user);
    cluster_dir = make_temp_dir(shared_arena);
    assert_return_code(chown(cluster_dir, user->pw_uid, user->pw_gid), 0);
    char *pwfile = arena_printf(shared_arena, "%s/password", cluster_dir),
         *data = arena_printf(shared_arena, "%s/data", cluster_dir);
    write_text(pwfile, secret_text(password), 0600);
    assert_return_code(chown(pwfile, user->pw_uid, user->pw_gid), 0);
    const char *init[] = {"setpriv",
                          "--reuid=postgres",
                          "--regid=postgres",
                          "--clear-groups",
                          find_binary("initdb"),
                          "-D",
                          data,
                          "-A",
                          "scram-sha-256",
                          "--pwfile",
                          pwfile,
                          "-E",
                          "UTF8",
                          "--locale=C",
                          "-N",
                          NULL};
    run_as_postgres(init);
    cluster_port = free_port();
    const char *argv[] = {"/usr/bin/setpriv",
                          "--reuid=postgres",
                          "--regid=postgres",
                          "--clear-groups",
                          "--pdeathsig",
                          "KILL",
                          find_binary("postgres"),
                          "-D",
                          data,
                          "-p",
                          arena_printf(shared_arena, "%d", cluster_port),
                          "-k",
                          "",
                          "-c",
                          "listen_addresses=127.0.0.1",
                          "-c",
                          "fsync=off",
                          NULL};
    cluster_pid = spawn(argv, arena_printf(shared_arena, "%s/log", cluster_dir));
    wait_for_port(cluster_port);
}

static int start_all(void **state)
{
    (void)state;
    check_ok(ssh_global_init());
    shared_arena = arena_new(0);
    check_ok(secret_new("open sesame", 11, &password));
    sshd = sshd_start(NULL);
    start_cluster();
    return 0;
}

static int stop_all(void **state)
{
    (void)state;
    kill(cluster_pid, SIGQUIT);
    waitpid(cluster_pid, NULL, 0);
    remove_dir(cluster_dir);
    sshd_stop(sshd);
    secret_free(password);
    arena_free(shared_arena);
    return 0;
}

static struct pg_target direct(void)
{
    return (struct pg_target){.host = "127.0.0.1",
                              .port = cluster_port,
                              .user = "postgres",
                              .database = "postgres",
                              .password = password};
}

/* The server answers logins a moment after it listens. */
static struct pg *connect_to(const struct pg_target *target)
{
    struct ctx ctx = seconds(30);
    for (;;) {
        struct pg *pg = NULL;
        struct err *e = pg_connect(&ctx, target, &pg);
        if (!e)
            return pg;
        if (err_kind(e) != ERR_TRANSIENT)
            check_ok(e);
        err_free(e);
        check_ok(ctx_sleep(&ctx, 50));
    }
}

static void rows_parameters_and_nulls_come_back(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    struct pg_target target = direct();
    CLEANUP_PG struct pg *pg = connect_to(&target);
    struct ctx ctx = seconds(30);
    struct pg_rows rows;
    const char *params[] = {"it's; drop table x", NULL, "20"};
    check_ok(pg_query(
        &ctx, pg, arena,
        "select $1::text as said, $2::int as nothing, n from generate_series(1, $3::int) n order by n",
        params, 3, &rows));
    assert_int_equal(rows.row_count, 20);
    assert_int_equal(rows.column_count, 3);
    assert_string_equal(rows.names[0], "said");
    assert_string_equal(rows.cells[0][0], params[0]);
    assert_null(rows.cells[0][1]);
    assert_string_equal(rows.cells[19][2], "20");
    check_ok(pg_query(&ctx, pg, arena, "select 1 where false", NULL, 0, &rows));
    assert_int_equal(rows.row_count, 0);
    assert_int_equal(rows.column_count, 1);
    check_ok(pg_query(&ctx, pg, arena, "create temp table t (a int primary key)", NULL, 0, NULL));
    check_ok(pg_query(&ctx, pg, arena, "insert into t values (1)", NULL, 0, &rows));
    assert_int_equal(rows.row_count, 0);
    check_ok(pg_query(&ctx, pg, arena, "select", NULL, 0, &rows));
    assert_int_equal(rows.row_count, 1);
}

static void refusals_have_their_kind_and_the_connection_goes_on(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    struct pg_target target = direct();
    CLEANUP_PG struct pg *pg = connect_to(&target);
    struct ctx ctx = seconds(30);
    struct pg_rows rows;
    struct err *e = pg_query(&ctx, pg, arena, "selekt 1", NULL, 0, &rows);
    assert_non_null(e);
    assert_non_null(strstr(err_text(e), "syntax error"));
    assert_non_null(strstr(err_text(e), "42601"));
    check_kind(e, ERR_REJECTED);
    check_kind(pg_query(&ctx, pg, arena, "select 1/(5-n) from generate_series(1, 5) n", NULL, 0, &rows),
               ERR_REJECTED);
    check_kind(pg_query(&ctx, pg, arena, "select 1; select 2", NULL, 0, &rows), ERR_REJECTED);
    check_kind(pg_query(&ctx, pg, arena, "select generate_series(1, 10001)", NULL, 0, &rows), ERR_REJECTED);
    check_ok(pg_query(&ctx, pg, arena, "create temp table t (a int primary key); ", NULL, 0, NULL));
    check_ok(pg_query(&ctx, pg, arena, "insert into t values (1)", NULL, 0, NULL));
    check_kind(pg_query(&ctx, pg, arena, "insert into t values (1)", NULL, 0, NULL), ERR_CONFLICT);
    check_ok(pg_query(&ctx, pg, arena, "select generate_series(1, 10000)", NULL, 0, &rows));
    assert_int_equal(rows.row_count, 10000);
    assert_string_equal(rows.cells[9999][0], "10000");
}

static void copy_is_refused(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    struct pg_target target = direct();
    CLEANUP_PG struct pg *pg = connect_to(&target);
    struct ctx ctx = seconds(30);
    check_kind(pg_query(&ctx, pg, arena, "copy (select 1) to stdout", NULL, 0, NULL), ERR_INTERNAL);
    check_kind(pg_query(&ctx, pg, arena, "select 1", NULL, 0, NULL), ERR_TRANSIENT);
}

static void refused_logins_have_their_kind(void **state)
{
    (void)state;
    CLEANUP_SECRET struct secret *wrong = NULL;
    struct ctx ctx = seconds(30);
    struct pg_target target = direct();
    struct pg *pg = connect_to(&target);
    pg_close(pg);
    pg = NULL;
    check_ok(secret_new("wrong password", 14, &wrong));
    target.password = wrong;
    struct err *e = pg_connect(&ctx, &target, &pg);
    assert_non_null(e);
    assert_non_null(strstr(err_text(e), "password authentication failed"));
    assert_null(strstr(err_text(e), "wrong password"));
    check_kind(e, ERR_AUTH);
    target.password = NULL;
    check_kind(pg_connect(&ctx, &target, &pg), ERR_AUTH);
    target = direct();
    target.database = "nowhere";
    check_kind(pg_connect(&ctx, &target, &pg), ERR_REJECTED);
    target = direct();
    target.port = free_port();
    check_kind(pg_connect(&ctx, &target, &pg), ERR_TRANSIENT);
}

static void a_terminated_backend_is_reported(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    struct pg_target target = direct();
    CLEANUP_PG struct pg *pg = connect_to(&target);
    struct ctx ctx = seconds(30);
    check_kind(pg_query(&ctx, pg, arena, "select pg_terminate_backend(pg_backend_pid())", NULL, 0, NULL),
               ERR_TRANSIENT);
    struct err *e = pg_query(&ctx, pg, arena, "select 1", NULL, 0, NULL);
    assert_non_null(e);
    assert_true(err_kind(e) == ERR_TRANSIENT || err_kind(e) == ERR_UNKNOWN_OUTCOME);
    err_free(e);
}

static struct ssh_tunnel *open_tunnel(int port)
{
    struct ctx ctx = seconds(30);
    struct ssh_tunnel *tunnel = NULL;
    check_ok(ssh_tunnel_open(&ctx, &sshd->target, "127.0.0.1", port, &tunnel));
    return tunnel;
}

static struct pg_target through(const struct ssh_tunnel *tunnel)
{
    struct pg_target target = direct();
    target.host = ssh_tunnel_directory(tunnel);
    return target;
}

static void the_tunnel_carries_several_connections_and_large_results(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    struct ctx ctx = seconds(60);
    struct ssh_tunnel *tunnel = open_tunnel(cluster_port);
    struct pg_target target = through(tunnel);
    struct stat st;
    assert_return_code(stat(target.host, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    struct pg *pg[4];
    for (int i = 0; i < 4; i++)
        pg[i] = connect_to(&target);
    for (int i = 0; i < 4; i++) {
        struct pg_rows rows;
        size_t length = 3u << 20;
        char *big = arena_alloc(arena, length + 1);
        memset(big, 'a' + i, length);
        const char *params[] = {big};
        check_ok(pg_query(&ctx, pg[i], arena, "select $1::text || 'z'", params, 1, &rows));
        assert_int_equal(strlen(rows.cells[0][0]), length + 1);
        assert_memory_equal(rows.cells[0][0], big, length);
    }
    for (int i = 0; i < 4; i++)
        pg_close(pg[i]);
    for (int i = 0; i < 20; i++)
        pg_close(connect_to(&target)); /* one after another */
    char *directory = arena_strdup(arena, target.host);
    ssh_tunnel_close(tunnel);
    assert_false(fs_exists(directory));
}

static void a_wrong_password_through_the_tunnel_is_an_auth_error(void **state)
{
    (void)state;
    CLEANUP_SECRET struct secret *wrong = NULL;
    struct ctx ctx = seconds(30);
    struct ssh_tunnel *tunnel = open_tunnel(cluster_port);
    struct pg_target target = through(tunnel);
    struct pg *pg = NULL;
    check_ok(secret_new("wrong password", 14, &wrong));
    target.password = wrong;
    check_kind(pg_connect(&ctx, &target, &pg), ERR_AUTH);
    ssh_tunnel_close(tunnel);
}

static void a_tunnel_to_where_nothing_listens_gives_a_transient_error(void **state)
{
    (void)state;
    struct ctx ctx = seconds(30);
    int port = free_port();
    struct ssh_tunnel *tunnel = open_tunnel(port);
    struct pg_target target = through(tunnel);
    struct pg *pg = NULL;
    target.port = port;
    check_kind(pg_connect(&ctx, &target, &pg), ERR_TRANSIENT);
    check_kind(pg_connect(&ctx, &target, &pg), ERR_TRANSIENT); /* the tunnel lives on */
    ssh_tunnel_close(tunnel);
}

static bool is_running(struct pg *watcher, const char *sql)
{
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    struct ctx ctx = seconds(30);
    struct pg_rows rows;
    const char *params[] = {sql};
    check_ok(pg_query(&ctx, watcher, arena,
                      "select 1 from pg_stat_activity where query = $1 and state = 'active'", params, 1,
                      &rows));
    return rows.row_count > 0;
}

struct cancel_when_running {
    const char *sql;
    int cancel_fd;
};

static void *cancel_thread(void *arg)
{
    const struct cancel_when_running *wanted = arg;
    struct pg_target target = direct();
    struct ctx ctx = seconds(30);
    CLEANUP_PG struct pg *watcher = connect_to(&target);
    while (!is_running(watcher, wanted->sql))
        check_ok(ctx_sleep(&ctx, 20));
    (void)eventfd_write(wanted->cancel_fd, 1);
    return NULL;
}

static void a_cancel_during_a_long_statement_ends_it_here_and_on_the_server(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    struct ssh_tunnel *tunnel = open_tunnel(cluster_port);
    struct pg_target target = through(tunnel), near = direct();
    CLEANUP_PG struct pg *pg = connect_to(&target);
    CLEANUP_PG struct pg *watcher = connect_to(&near);
    CLEANUP_FD int cancel = eventfd(0, EFD_CLOEXEC);
    struct cancel_when_running wanted = {"select pg_sleep(600)", cancel};
    struct ctx patient = seconds(60), ctx = patient;
    pthread_t thread;
    ctx.cancel_fd = cancel;
    assert_int_equal(pthread_create(&thread, NULL, cancel_thread, &wanted), 0);
    check_kind(pg_query(&ctx, pg, arena, wanted.sql, NULL, 0, NULL), ERR_CANCELLED);
    pthread_join(thread, NULL);
    check_kind(pg_query(&patient, pg, arena, "select 1", NULL, 0, NULL), ERR_TRANSIENT);
    while (is_running(watcher, wanted.sql)) /* the server looks once a second */
        check_ok(ctx_sleep(&patient, 50));
    struct ctx brief = seconds(1);
    CLEANUP_PG struct pg *second = connect_to(&target);
    check_kind(pg_query(&brief, second, arena, "select pg_sleep(601)", NULL, 0, NULL), ERR_TIMEOUT);
    ssh_tunnel_close(tunnel);
}

static void a_lost_tunnel_is_an_unknown_outcome_then_transient(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    struct sshd *own = sshd_start(NULL);
    struct ctx ctx = seconds(60);
    struct ssh_tunnel *tunnel = NULL;
    check_ok(ssh_tunnel_open(&ctx, &own->target, "127.0.0.1", cluster_port, &tunnel));
    struct pg_target target = through(tunnel);
    CLEANUP_PG struct pg *pg = connect_to(&target);
    /* The statement itself ends the link: sshd's session process is its client's other end. */
    CLEANUP_SSH struct ssh *ssh = NULL;
    check_ok(ssh_connect(&ctx, &own->target, &ssh));
    check_ok(ssh_run(&ctx, ssh, arena,
                     arena_printf(arena, "(sleep 0.3; pkill -KILL -P %d) >/dev/null 2>&1 &", (int)own->pid),
                     NULL, 0, NULL));
    check_kind(pg_query(&ctx, pg, arena, "select pg_sleep(600)", NULL, 0, NULL), ERR_UNKNOWN_OUTCOME);
    struct pg *second = NULL;
    check_kind(pg_connect(&ctx, &target, &second), ERR_TRANSIENT);
    ssh_tunnel_close(tunnel);
    sshd_stop(own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_parameters_and_nulls_come_back),
        cmocka_unit_test(refusals_have_their_kind_and_the_connection_goes_on),
        cmocka_unit_test(copy_is_refused),
        cmocka_unit_test(refused_logins_have_their_kind),
        cmocka_unit_test(a_terminated_backend_is_reported),
        cmocka_unit_test(the_tunnel_carries_several_connections_and_large_results),
        cmocka_unit_test(a_wrong_password_through_the_tunnel_is_an_auth_error),
        cmocka_unit_test(a_tunnel_to_where_nothing_listens_gives_a_transient_error),
        cmocka_unit_test(a_cancel_during_a_long_statement_ends_it_here_and_on_the_server),
        cmocka_unit_test(a_lost_tunnel_is_an_unknown_outcome_then_transient),
    };
    return cmocka_run_group_tests(tests, start_all, stop_all);
}
