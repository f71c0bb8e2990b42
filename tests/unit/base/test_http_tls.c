/* http_send() against nginx with certificates of a test authority made by openssl: whom it trusts, and for
 * which name. */
#include "base/clock.h"
#include "base/ctx.h"
#include "base/fs.h"
#include "base/http.h"
#include "base/io.h"
#include "base/proc.h"

#include "helpers.h"

#include <arpa/inet.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define NGINX "/usr/sbin/nginx"

extern char **environ;

struct site {
    struct arena *arena;
    const char *dir, *ca_file;
    int tls_port, plain_port;
    pid_t nginx;
    struct http_pool *pool;
    struct http_response response;
};

static void run(const struct site *site, const char *script)
{
    const char *argv[] = {"sh", "-euc", script, site->dir, NULL};
    struct ctx ctx = ctx_background();
    struct proc_result result;
    struct strbuf errout CLEANUP_STRBUF;
    strbuf_init(&errout, 0);
    assert_ok(proc_run(&ctx, argv, NULL, 0, NULL, &errout, &result));
    if (result.exit_status != 0)
        fail_msg("%s", errout.data);
}

/* A port that was free a moment ago. */
static int free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    CLEANUP_FD int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    return ntohs(address.sin_port);
}

static const char make_certificates[] =
    "cd \"$0\"\n"
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj '/CN=test authority' "
    "-keyout ca.key -out ca.pem\n"
    "openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/CN=site.test' -keyout "
    "site.key "
    "-out site.csr\n"
    "printf 'subjectAltName=DNS:site.test,IP:127.0.0.1\\n' > site.ext\n"
    "openssl x509 -req -in site.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile site.ext -out "
    "site.pem\n";

static void write_config(const struct site *site)
{
    char *text = arena_printf(
        site->arena,
        "daemon off;\nmaster_process off;\npid %s/pid;\nerror_log %s/error.log;\n"
        "events {}\nhttp {\n access_log off;\n client_body_temp_path %s/body;\n"
        " proxy_temp_path %s/proxy;\n fastcgi_temp_path %s/fastcgi;\n uwsgi_temp_path %s/uwsgi;\n"
        " scgi_temp_path %s/scgi;\n default_type text/plain;\n"
        " server {\n  listen 127.0.0.1:%d ssl;\n  listen 127.0.0.1:%d;\n"
        "  ssl_certificate %s/site.pem;\n  ssl_certificate_key %s/site.key;\n"
        "  location / { return 200 \"sni=$ssl_server_name host=$host\"; }\n }\n}\n",
        site->dir, site->dir, site->dir, site->dir, site->dir, site->dir, site->dir, site->tls_port,
        site->plain_port, site->dir, site->dir);
    assert_ok(fs_write_file(arena_printf(site->arena, "%s/nginx.conf", site->dir), text, strlen(text), 0600));
}

static void wait_until_it_listens(const struct site *site)
{
    struct ctx root = ctx_background(), ctx = ctx_with_timeout(&root, 30000);
    for (;;) {
        CLEANUP_FD int fd = -1;
        CLEANUP_ERR struct err *e = io_connect_tcp(&ctx, "127.0.0.1", site->tls_port, &fd);
        if (!e)
            return;
        assert_int_equal(err_kind(e), ERR_TRANSIENT);
        assert_int_equal(waitpid(site->nginx, NULL, WNOHANG), 0);
        assert_ok(ctx_sleep(&ctx, 10));
    }
}

static int start_nginx(void **state)
{
    struct site *site = calloc(1, sizeof(*site));
    assert_non_null(site);
    *state = site;
    site->arena = arena_new(0);
    site->dir = make_dir(site->arena);
    site->ca_file = arena_printf(site->arena, "%s/ca.pem", site->dir);
    site->tls_port = free_port();
    site->plain_port = free_port();
    run(site, make_certificates);
    write_config(site);
    char *argv[] = {arena_strdup(site->arena, NGINX),        arena_strdup(site->arena, "-p"),
                    arena_strdup(site->arena, site->dir),    arena_strdup(site->arena, "-c"),
                    arena_strdup(site->arena, "nginx.conf"), arena_strdup(site->arena, "-e"),
                    arena_strdup(site->arena, "error.log"),  NULL};
    assert_int_equal(posix_spawn(&site->nginx, NGINX, NULL, NULL, argv, environ), 0);
    wait_until_it_listens(site);
    assert_ok(http_pool_open(NULL, &site->pool));
    return 0;
}

static int stop_nginx(void **state)
{
    struct site *site = *state;
    http_pool_close(site->pool);
    (void)kill(site->nginx, SIGTERM);
    (void)waitpid(site->nginx, NULL, 0);
    run(site, "rm -r \"$0\"");
    arena_free(site->arena);
    free(site);
    return 0;
}

static struct http_request https(struct site *site, const char *host)
{
    return (struct http_request){.method =
                                     "POST", /* the stricter case: its errors must not be "unknown outcome" */
                                 .url = arena_printf(site->arena, "https://%s:%d/", host, site->tls_port),
                                 .path_template = "/",
                                 .connect_to = "127.0.0.1"};
}

static struct err *send_it(struct site *site, const struct http_request *request)
{
    struct ctx ctx = ctx_background();
    return http_send(&ctx, site->pool, site->arena, request, &site->response);
}

static void a_certificate_of_an_unknown_authority_is_not_trusted(void **state)
{
    struct site *site = *state;
    struct http_request request = https(site, "site.test");
    assert_fails(send_it(site, &request), ERR_TRUST, "POST /");
}

static void an_authority_can_be_given_for_one_request(void **state)
{
    struct site *site = *state;
    struct http_request request = https(site, "site.test");
    request.ca_file = site->ca_file;
    assert_ok(send_it(site, &request));
    assert_string_equal(site->response.body, "sni=site.test host=site.test");
    request.ca_file = NULL;
    request.method = "GET"; /* which may reuse connections, but not this one */
    assert_fails(send_it(site, &request), ERR_TRUST, NULL);
}

static void an_authority_can_be_given_for_a_pool(void **state)
{
    struct site *site = *state;
    struct http_pool *own = site->pool;
    struct http_pool_options options = {.ca_file = site->ca_file};
    assert_ok(http_pool_open(&options, &site->pool));
    struct http_request request = https(site, "127.0.0.1");
    request.connect_to = NULL;
    for (int i = 0; i < 2; i++) {
        assert_ok(send_it(site, &request));
        assert_string_equal(site->response.body, "sni= host=127.0.0.1");
        request.method = "GET";
    }
    http_pool_close(site->pool);
    site->pool = own;
}

static void a_certificate_for_another_host_is_not_trusted(void **state)
{
    struct site *site = *state;
    struct http_request request = https(site, "other.test");
    request.ca_file = site->ca_file;
    assert_fails(send_it(site, &request), ERR_TRUST, "other.test");
}

static void a_failed_handshake_means_that_nothing_was_sent(void **state)
{
    struct site *site = *state;
    struct http_request request = https(site, "site.test");
    request.url = arena_printf(site->arena, "https://site.test:%d/", site->plain_port);
    assert_fails(send_it(site, &request), ERR_TRANSIENT, NULL);
}

static void a_missing_authority_file_is_the_users_mistake(void **state)
{
    struct site *site = *state;
    struct http_request request = https(site, "site.test");
    request.ca_file = "/nonexistent/ca.pem";
    assert_fails(send_it(site, &request), ERR_INPUT, "/nonexistent/ca.pem");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_certificate_of_an_unknown_authority_is_not_trusted),
        cmocka_unit_test(an_authority_can_be_given_for_one_request),
        cmocka_unit_test(an_authority_can_be_given_for_a_pool),
        cmocka_unit_test(a_certificate_for_another_host_is_not_trusted),
        cmocka_unit_test(a_failed_handshake_means_that_nothing_was_sent),
        cmocka_unit_test(a_missing_authority_file_is_the_users_mistake),
    };
    if (!fs_exists(NGINX)) {
        (void)fprintf(stderr, "%s is not installed (apt-get install nginx-light)\n", NGINX);
        return 1;
    }
    assert_ok(http_global_init());
    return cmocka_run_group_tests(tests, start_nginx, stop_nginx);
}
