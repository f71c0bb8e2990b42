/* The Hetzner compute adapter: what it sends, what it makes of answers. Shapes are those of Hetzner's
 * published document, to which tests/contract holds it with a checking proxy. */
#include "base/http.h"
#include "providers/compute/provider.h"
#include "tests/unit/providers/adapter_fixture.h"

#define ERROR(status, code) ANSWER(status, "{\"error\":{\"code\":\"" code "\",\"message\":\"m\"}}")
#define LAST_PAGE ",\"meta\":{\"pagination\":{\"next_page\":null,\"total_entries\":1}}"
#define SERVER                                                                                               \
    "{\"id\":42,\"name\":\"rehost-r1-web-1-a1\",\"status\":\"initializing\",\"created\":\"2026-11-20T02:41:" \
    "00+00:00\","                                                                                            \
    "\"public_net\":{\"ipv4\":{\"ip\":\"198.18.0.7\"},\"ipv6\":{\"ip\":\"2001:db8:7::/64\"}},"               \
    "\"server_type\":{\"name\":\"cx23\"},\"location\":{\"name\":\"nbg1\"},"                                  \
    "\"labels\":{\"rehost-run\":\"r1\",\"rehost-host\":\"web-1\"}}"

static const struct label labels[] = {{"rehost-run", "r1"}, {"rehost-host", "web-1"}};
static const char *const keys[] = {"rehost-r1"};
static const struct server_spec spec = {
    .name = "rehost-r1-web-1-a1",
    .region = "nbg1",
    .size = "cx23",
    .image = "debian-12",
    .ssh_key_ids = keys,
    .ssh_key_count = 1,
    .user_data = "#cloud-config\n",
    .labels = labels,
    .label_count = 2,
};

static struct err *create(struct fixture *f, struct server *server, const char **op)
{
    return ops->server_create(&f->ctx, f->provider, f->arena, &spec, server, op);
}

static void create_sends_what_the_plan_says_and_joins_all_actions(void **state)
{
    (void)state;
    struct fixture f;
    struct server server = {0};
    const char *op = NULL;
    begin(&f, (const char *[]){ANSWER("201 Made",
                                      "{\"server\":" SERVER ",\"action\":{\"id\":1},"
                                      "\"next_actions\":[{\"id\":2},{\"id\":3}],\"root_password\":null}"),
                               NULL});
    assert_fine(create(&f, &server, &op));
    assert_string_equal(server.id, "42");
    assert_int_equal(server.status, SERVER_PENDING);
    assert_string_equal(server.ipv4, "198.18.0.7");
    assert_string_equal(server.ipv6, "2001:db8:7::1"); /* a host address, not the network */
    assert_string_equal(server.region, "nbg1");
    assert_true(server.created_ms == INT64_C(1795142460000));
    assert_string_equal(server_label(&server, "rehost-host"), "web-1");
    assert_string_equal(op, "1,2,3");
    assert_asked(
        &f, 0, "POST /servers",
        "{\"name\":\"rehost-r1-web-1-a1\",\"server_type\":\"cx23\",\"image\":\"debian-12\",\"location\":"
        "\"nbg1\","
        "\"ssh_keys\":[\"rehost-r1\"],\"labels\":{\"rehost-run\":\"r1\",\"rehost-host\":\"web-1\"},\"start_"
        "after_"
        "create\":true,"
        "\"public_net\":{\"enable_ipv4\":true,\"enable_ipv6\":true},\"user_data\":\"#cloud-config\\n\"}");
    end(&f);
}

static void failed_create_is_told_apart_by_its_code(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        enum err_kind kind;
    } cases[] = {
        {ERROR("412 Precondition Failed", "resource_unavailable"), ERR_CAPACITY},
        {ERROR("422 Unprocessable", "placement_error"), ERR_CAPACITY},
        {ERROR("422 Unprocessable", "invalid_input"), ERR_REJECTED},
        {ERROR("404 Not Found", "not_found"),
         ERR_REJECTED}, /* its image or size: there is no server to look for */
        {ERROR("403 Forbidden", "resource_limit_exceeded"), ERR_QUOTA},
        {ERROR("403 Forbidden", "forbidden"), ERR_AUTH},
        {ERROR("401 Unauthorized", "unauthorized"), ERR_AUTH},
        {ERROR("401 Unauthorized", "token_readonly"), ERR_AUTH},
        {ERROR("409 Conflict", "uniqueness_error"), ERR_CONFLICT},
        {ERROR("423 Locked", "locked"), ERR_CONFLICT},
        {ERROR("423 Locked", "protected"), ERR_REJECTED},
        {ERROR("429 Too Many", "rate_limit_exceeded"), ERR_RATE_LIMIT},
        {ERROR("500 Oops", "server_error"), ERR_UNKNOWN_OUTCOME},
        {ERROR("503 Later", "unavailable"), ERR_UNKNOWN_OUTCOME},
        {ERROR("504 Late", "timeout"), ERR_UNKNOWN_OUTCOME},
        {CANNED_HANG_UP, ERR_UNKNOWN_OUTCOME},
        {HEAD("201 Made") "Content-Length: 900\r\n\r\n{\"server\":{\"id\":42", ERR_UNKNOWN_OUTCOME},
        {ANSWER("201 Made", "<html>"), ERR_UNKNOWN_OUTCOME},
        {ANSWER("201 Made", "{\"action\":{\"id\":1}}"), ERR_UNKNOWN_OUTCOME},
        {ANSWER("201 Made", ""), ERR_UNKNOWN_OUTCOME},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture f;
        struct server server = {0};
        const char *op = NULL;
        begin(&f, (const char *[]){cases[i].answer, NULL});
        CLEANUP_ERR struct err *e = create(&f, &server, &op);
        assert_kind(e, cases[i].kind);
        end(&f);
    }
}

static void bad_names_labels_and_user_data_are_never_sent(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, (const char *[]){NULL});
    static char long_text[33 * 1024 + 1];
    memset(long_text, 'x', sizeof(long_text) - 1);
    static const struct label bad_value[] = {{"rehost-run", "R.1"}};
    static const struct label bad_key[] = {{"rehost run", "r1"}};
    static const struct label too_long[] = {
        {"rehost-run", "0123456789012345678901234567890123456789012345678901234567890123"}};
    struct server_spec specs[6] = {spec, spec, spec, spec, spec, spec};
    specs[0].labels = bad_value;
    specs[1].labels = bad_key;
    specs[2].labels = too_long;
    specs[3].name = "Web_1";
    specs[4].user_data = long_text;
    specs[5].user_data = "\xff\xfe";
    specs[0].label_count = specs[1].label_count = specs[2].label_count = 1;
    for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
        struct server server = {0};
        const char *op = NULL;
        CLEANUP_ERR struct err *e = ops->server_create(&f.ctx, f.provider, f.arena, &specs[i], &server, &op);
        assert_kind(e, ERR_INPUT);
    }
    assert_asked_times(&f, 0);
    end(&f);
}

static void list_asks_by_label_and_reads_all_pages(void **state)
{
    (void)state;
    struct fixture f;
    struct server *servers = NULL;
    size_t count = 0;
    begin(&f, (const char *[]){
                  ANSWER("200 OK", "{\"servers\":[" SERVER "],\"meta\":{\"pagination\":{\"next_page\":2}}}"),
                  ANSWER("200 OK", "{\"servers\":[" SERVER "]" LAST_PAGE "}"),
                  ANSWER("200 OK", "{\"servers\":[" SERVER "]" LAST_PAGE "}"), NULL});
    assert_fine(ops->server_list(&f.ctx, f.provider, f.arena, &labels[0], &servers, &count));
    assert_int_equal(count, 2);
    assert_string_equal(servers[1].name, "rehost-r1-web-1-a1");
    static const struct label other = {"rehost-run", "r2"}; /* whatever the filter thinks */
    assert_fine(ops->server_list(&f.ctx, f.provider, f.arena, &other, &servers, &count));
    assert_int_equal(count, 0);
    assert_asked(&f, 0, "GET /servers?label_selector=rehost-run%3Dr1&per_page=50", NULL);
    assert_asked(&f, 1, "GET /servers?label_selector=rehost-run%3Dr1&per_page=50&page=2", NULL);
    end(&f);
}

static void server_that_is_gone_is_not_found(void **state)
{
    (void)state;
    struct fixture f;
    struct server server = {0};
    const char *op = NULL;
    begin(&f,
          (const char *[]){ERROR("404 Not Found", "not_found"), ERROR("404 Not Found", "not_found"), NULL});
    CLEANUP_ERR struct err *get = ops->server_get(&f.ctx, f.provider, f.arena, "42", &server);
    assert_kind(get, ERR_NOT_FOUND);
    CLEANUP_ERR struct err *gone = ops->server_delete(&f.ctx, f.provider, f.arena, "42", &op);
    assert_kind(gone, ERR_NOT_FOUND);
    end(&f);
}

static void delete_and_power_give_their_action(void **state)
{
    (void)state;
    struct fixture f;
    const char *op = NULL;
    begin(&f, (const char *[]){ANSWER("200 OK", "{\"action\":{\"id\":7}}"),
                               ANSWER("201 Made", "{\"action\":{\"id\":8}}"), NULL});
    assert_fine(ops->server_delete(&f.ctx, f.provider, f.arena, "42", &op));
    assert_string_equal(op, "7");
    assert_fine(ops->server_power(&f.ctx, f.provider, f.arena, "42", POWER_OFF, &op));
    assert_string_equal(op, "8");
    assert_asked(&f, 0, "DELETE /servers/42", NULL);
    assert_asked(&f, 1, "POST /servers/42/actions/poweroff", NULL);
    end(&f);
}

static void capacity_can_also_fail_after_the_create(void **state)
{
    (void)state;
    struct fixture f;
    bool done = false;
    begin(&f, (const char *[]){ANSWER("200 OK",
                                      "{\"actions\":[{\"id\":1,\"command\":\"create_server\",\"status\":"
                                      "\"error\",\"error\":{\"code\":\"resource_unavailable\",\"message\":"
                                      "\"error during placement\"}}]}"),
                               NULL});
    CLEANUP_ERR struct err *e = ops->op_poll(&f.ctx, f.provider, f.arena, "1", &done);
    assert_kind(e, ERR_CAPACITY);
    assert_non_null(err_hint(e));
    end(&f);
}

static void check_tells_remaining_rate_and_servers(void **state)
{
    (void)state;
    struct fixture f;
    struct account_state account = {0};
    begin(&f,
          (const char *[]){HEAD("200 OK") "RateLimit-Remaining: 3599\r\n\r\n{\"servers\":[]" LAST_PAGE "}",
                           ERROR("401 Unauthorized", "unauthorized"), NULL});
    assert_fine(ops->check(&f.ctx, f.provider, f.arena, &account));
    assert_true(account.rate_remaining == 3599);
    assert_int_equal(account.server_count, 1);
    CLEANUP_ERR struct err *refused = ops->check(&f.ctx, f.provider, f.arena, &account);
    assert_kind(refused, ERR_AUTH);
    end(&f);
}

static void catalog_joins_prices_stock_and_images(void **state)
{
    (void)state;
    struct fixture f;
    struct catalog catalog = {0};
    begin(&f,
          (const char *[]){
              ANSWER("200 OK", "{\"pricing\":{\"currency\":\"EUR\"}}"),
              ANSWER(
                  "200 OK",
                  "{\"server_types\":[{\"name\":\"cx23\",\"architecture\":\"x86\",\"cores\":2,\"memory\":4.0,"
                  "\"disk\":40,\"prices\":[{\"location\":\"hel1\",\"price_hourly\":{\"gross\":\"0.0071\"}},"
                  "{\"location\":\"fsn1\",\"price_hourly\":{\"gross\":\"0.0060\"}}],"
                  "\"locations\":[{\"name\":\"fsn1\",\"available\":true,\"deprecation\":null},"
                  "{\"name\":\"hel1\",\"available\":false,\"deprecation\":"
                  "{\"unavailable_after\":\"2027-01-01T00:00:00Z\"}}]}]" LAST_PAGE "}"),
              ANSWER("200 OK", "{\"locations\":[{\"name\":\"fsn1\",\"country\":\"DE\"},"
                               "{\"name\":\"hel1\",\"country\":\"FI\"}]" LAST_PAGE "}"),
              ANSWER("200 OK", "{\"images\":[{\"name\":\"debian-12\"},{\"name\":\"debian-12\"},"
                               "{\"name\":null},{\"name\":\"ubuntu-24.04\"}]" LAST_PAGE "}"),
              NULL});
    assert_fine(ops->catalog(&f.ctx, f.provider, f.arena, &catalog));
    assert_string_equal(catalog.currency, "EUR");
    assert_int_equal(catalog.size_count, 1);
    const struct server_size *size = &catalog.sizes[0];
    assert_int_equal(size->cores, 2);
    assert_true(size->memory_gib > 3.9 && size->memory_gib < 4.1);
    assert_int_equal(size->offer_count, 2);
    assert_true(size->offers[0].available);
    assert_true(size->offers[0].price_hourly > 0.0059 && size->offers[0].price_hourly < 0.0061);
    assert_false(size->offers[1].available);
    assert_true(size->offers[1].price_hourly > 0.0070);
    assert_string_equal(size->retired_at, "2027-01-01T00:00:00Z");
    assert_int_equal(catalog.region_count, 2);
    assert_string_equal(catalog.regions[1].country, "fi");
    assert_int_equal(catalog.image_count,
                     2); /* debian-12 once, though there is one for x86 and one for arm */
    assert_string_equal(catalog.images[1], "ubuntu-24.04");
    end(&f);
}

#define KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPaJ"
#define NO_KEYS ANSWER("200 OK", "{\"ssh_keys\":[]" LAST_PAGE "}")
#define HAS_KEY                                                                                              \
    ANSWER("200 OK",                                                                                         \
           "{\"ssh_keys\":[{\"id\":9,\"name\":\"bob\",\"public_key\":\"ssh-ed25519 AAAAother x\"},"          \
           "{\"id\":23,\"name\":\"desk\",\"public_key\":\"" KEY " bob@desk\"}]" LAST_PAGE "}")

static void key_that_is_there_is_found_by_its_material(void **state)
{
    (void)state;
    struct fixture f;
    const char *id = NULL;
    begin(&f, (const char *[]){HAS_KEY, NULL});
    assert_fine(ops->key_ensure(&f.ctx, f.provider, f.arena, "rehost-r1", KEY " alice@laptop\n", &id));
    assert_string_equal(id, "desk");
    end(&f);
}

static void key_that_is_not_there_is_registered(void **state)
{
    (void)state;
    struct fixture f;
    const char *id = NULL;
    begin(&f, (const char *[]){NO_KEYS,
                               ANSWER("201 Made", "{\"ssh_key\":{\"id\":77,\"name\":\"rehost-r1\"}}"), NULL});
    assert_fine(ops->key_ensure(&f.ctx, f.provider, f.arena, "rehost-r1", KEY, &id));
    assert_string_equal(id, "rehost-r1");
    assert_asked(&f, 1, "POST /ssh_keys", "{\"name\":\"rehost-r1\",\"public_key\":\"" KEY "\"}");
    end(&f);
}

static void key_that_somebody_registers_at_the_same_time_is_looked_up(void **state)
{
    (void)state;
    struct fixture f;
    const char *id = NULL;
    begin(&f, (const char *[]){NO_KEYS, ERROR("409 Conflict", "uniqueness_error"), HAS_KEY, NULL});
    assert_fine(ops->key_ensure(&f.ctx, f.provider, f.arena, "rehost-r1", KEY, &id));
    assert_string_equal(id, "desk");
    end(&f);
}

static void key_name_that_belongs_to_another_key_is_refused(void **state)
{
    (void)state;
    struct fixture f;
    const char *id = NULL;
    begin(&f, (const char *[]){NO_KEYS, ERROR("409 Conflict", "uniqueness_error"), NO_KEYS, NULL});
    CLEANUP_ERR struct err *e = ops->key_ensure(&f.ctx, f.provider, f.arena, "rehost-r1", KEY, &id);
    assert_kind(e, ERR_REJECTED);
    assert_non_null(strstr(err_hint(e), "rehost-r1"));
    end(&f);
}

static void key_is_deleted_by_its_name(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, (const char *[]){HAS_KEY, ANSWER("204 No Content", ""), NO_KEYS, HAS_KEY, NULL});
    assert_fine(ops->key_delete(&f.ctx, f.provider, f.arena, "desk"));
    CLEANUP_ERR struct err *gone = ops->key_delete(&f.ctx, f.provider, f.arena, "desk");
    assert_kind(gone, ERR_NOT_FOUND);
    CLEANUP_ERR struct err *other = ops->key_delete(&f.ctx, f.provider, f.arena, "carol");
    assert_kind(other, ERR_NOT_FOUND); /* and the others stay */
    assert_asked(&f, 0, "GET /ssh_keys?name=desk&per_page=50", NULL);
    assert_asked(&f, 1, "DELETE /ssh_keys/23", NULL);
    end(&f);
}

static int find_provider(void **state)
{
    (void)state;
    ops = provider_find("hetzner");
    return ops && !http_global_init() ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(create_sends_what_the_plan_says_and_joins_all_actions),
        cmocka_unit_test(failed_create_is_told_apart_by_its_code),
        cmocka_unit_test(bad_names_labels_and_user_data_are_never_sent),
        cmocka_unit_test(list_asks_by_label_and_reads_all_pages),
        cmocka_unit_test(server_that_is_gone_is_not_found),
        cmocka_unit_test(delete_and_power_give_their_action),
        cmocka_unit_test(capacity_can_also_fail_after_the_create),
        cmocka_unit_test(check_tells_remaining_rate_and_servers),
        cmocka_unit_test(catalog_joins_prices_stock_and_images),
        cmocka_unit_test(key_that_is_there_is_found_by_its_material),
        cmocka_unit_test(key_that_is_not_there_is_registered),
        cmocka_unit_test(key_that_somebody_registers_at_the_same_time_is_looked_up),
        cmocka_unit_test(key_is_deleted_by_its_name),
        cmocka_unit_test(key_name_that_belongs_to_another_key_is_refused),
    };
    return cmocka_run_group_tests(tests, find_provider, NULL);
}
