/* The DigitalOcean compute adapter: what it sends, and what it makes of answers, above all where this
 * provider has its traps. Shapes are those of its published document, to which tests/contract holds it with a
 * checking proxy. */
#include "base/http.h"
#include "providers/compute/provider.h"
#include "tests/unit/providers/adapter_fixture.h"
#include <time.h>

#define REFUSED(status, id, text) ANSWER(status, "{\"id\":\"" id "\",\"message\":\"" text "\"}")
#define UNPROCESSABLE(text) REFUSED("422 Unprocessable", "unprocessable_entity", text)
#define FORBIDDEN REFUSED("403 Forbidden", "forbidden", "You are not authorized to perform this operation")
#define NOT_FOUND REFUSED("404 Not Found", "not_found", "The resource you were accessing could not be found.")
#define GONE ANSWER("204 No Content", "")
#define LAST_PAGE ",\"links\":{},\"meta\":{\"total\":1}}"

#define NO_NETWORKS "{\"v4\":[],\"v6\":[]}"
#define NETWORKS                                                                                             \
    "{\"v4\":[{\"ip_address\":\"10.0.0.2\",\"type\":\"private\"},"                                           \
    "{\"ip_address\":\"198.18.0.7\",\"type\":\"public\"}],"                                                  \
    "\"v6\":[{\"ip_address\":\"2001:db8::7\",\"netmask\":64,\"type\":\"public\"}]}"
#define TAGS "[\"rehost-run:r1\",\"rehost-host:web-1\",\"web\"]"
#define DROPLET_WITH(status, locked, networks, tags)                                                         \
    "{\"id\":42,\"name\":\"rehost-r1-web-1-a1\",\"status\":\"" status "\",\"locked\":" locked ","            \
    "\"created_at\":\"2026-11-20T02:41:00Z\",\"size_slug\":\"s-1vcpu-2gb\",\"region\":{\"slug\":\"fra1\"},"  \
    "\"networks\":" networks ",\"tags\":" tags "}"
#define DROPLET DROPLET_WITH("active", "false", NETWORKS, TAGS)
#define NEW_DROPLET DROPLET_WITH("new", "true", NO_NETWORKS, TAGS)
#define ONE(droplet) "{\"droplet\":" droplet "}"
#define LIST(droplets) "{\"droplets\":[" droplets "]" LAST_PAGE
#define ACTION(status, type) "{\"action\":{\"id\":7,\"status\":\"" status "\",\"type\":\"" type "\"}}"

/* ---- create ---- */

static const struct label labels[] = {{"rehost-run", "r1"}, {"rehost-host", "web-1"}};
static const char *const keys[] = {"512189"};
static const struct server_spec spec = {
    .name = "rehost-r1-web-1-a1",
    .region = "fra1",
    .size = "s-1vcpu-2gb",
    .image = "ubuntu-24.04",
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

static void create_sends_what_the_plan_says_and_has_no_address_yet(void **state)
{
    (void)state;
    struct fixture f;
    struct server server = {0};
    const char *op = NULL;
    begin(&f, (const char *[]){ANSWER("202 Accepted",
                                      "{\"droplet\":" NEW_DROPLET ",\"links\":{\"actions\":[{\"id\":7,"
                                      "\"rel\":\"create\",\"href\":\"https://x/v2/actions/7\"}]}}"),
                               NULL});
    assert_fine(create(&f, &server, &op));
    assert_string_equal(server.id, "42");
    assert_int_equal(server.status, SERVER_PENDING);
    assert_null(server.ipv4);
    assert_null(server.ipv6);
    assert_string_equal(server.region, "fra1");
    assert_string_equal(server.size, "s-1vcpu-2gb");
    assert_true(server.created_ms == INT64_C(1795142460000));
    assert_string_equal(server_label(&server, "rehost-host"), "web-1");
    assert_string_equal(op, "7");
    assert_asked(&f, 0, "POST /v2/droplets",
                 "{\"name\":\"rehost-r1-web-1-a1\",\"region\":\"fra1\",\"size\":\"s-1vcpu-"
                 "2gb\",\"image\":\"ubuntu-24-04-x64\","
                 "\"ssh_keys\":[512189],\"tags\":[\"rehost-run:r1\",\"rehost-host:web-1\"],"
                 "\"ipv6\":true,\"monitoring\":false,\"with_droplet_agent\":false,\"user_"
                 "data\":\"#cloud-config\\n\"}");
    end(&f);
}

static void failed_create_is_told_apart_by_its_words(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        enum err_kind kind;
    } cases[] = {
        {UNPROCESSABLE("Size is not available in this region."), ERR_CAPACITY},
        {UNPROCESSABLE("This size is unavailable"), ERR_CAPACITY},
        {UNPROCESSABLE("This size is currently restricted. Please open a ticket."), ERR_CAPACITY},
        {UNPROCESSABLE("Region is not available"), ERR_CAPACITY},
        {UNPROCESSABLE("creating this/these droplet(s) will exceed your droplet limit"), ERR_QUOTA},
        {UNPROCESSABLE("Name Only valid hostname characters are allowed."), ERR_REJECTED},
        {NOT_FOUND, ERR_REJECTED}, /* its image or size: there is no server to look for */
        {REFUSED("401 Unauthorized", "unauthorized", "Unable to authenticate you."), ERR_AUTH},
        {FORBIDDEN, ERR_AUTH},
        {REFUSED("429 Too Many", "too_many_requests", "API Rate limit exceeded."), ERR_RATE_LIMIT},
        {REFUSED("500 Oops", "server_error", "m"), ERR_UNKNOWN_OUTCOME},
        {"HTTP/1.1 503 Later\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<html>sorry</html>",
         ERR_UNKNOWN_OUTCOME},
        {CANNED_HANG_UP, ERR_UNKNOWN_OUTCOME},
        {HEAD("202 Accepted") "Content-Length: 900\r\n\r\n{\"droplet\":{\"id\":42", ERR_UNKNOWN_OUTCOME},
        {ANSWER("202 Accepted", "<html>"), ERR_UNKNOWN_OUTCOME},
        {ANSWER("202 Accepted", "{\"links\":{}}"), ERR_UNKNOWN_OUTCOME},
        {ANSWER("202 Accepted", ""), ERR_UNKNOWN_OUTCOME},
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

static void html_error_page_is_not_shown(void **state)
{
    (void)state;
    struct fixture f;
    struct server *servers = NULL;
    size_t count = 0;
    begin(&f, (const char *[]){"HTTP/1.1 503 Later\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n"
                               "<html><h1>We will be back</h1></html>",
                               NULL});
    CLEANUP_ERR struct err *e = ops->server_list(&f.ctx, f.provider, f.arena, NULL, &servers, &count);
    assert_kind(e, ERR_TRANSIENT);
    assert_null(strstr(err_text(e), "html"));
    end(&f);
}

static void snapshot_as_an_image_goes_by_its_number(void **state)
{
    (void)state;
    struct fixture f;
    struct server server = {0};
    struct server_spec copy = spec;
    const char *op = NULL;
    begin(&f, (const char *[]){ANSWER("202 Accepted", "{\"droplet\":" NEW_DROPLET ",\"links\":{}}"), NULL});
    copy.image = "snapshot:6372321";
    assert_fine(ops->server_create(&f.ctx, f.provider, f.arena, &copy, &server, &op));
    assert_null(op);
    copy.image = "snapshot:nightly";
    CLEANUP_ERR struct err *no_number = ops->server_create(&f.ctx, f.provider, f.arena, &copy, &server, &op);
    assert_kind(no_number, ERR_INPUT);
    assert_asked(&f, 0, "POST /v2/droplets", "\"image\":6372321,");
    end(&f);
}

/* The hourly limit slides: ratelimit-reset is when the oldest request no longer counts. Less would be in
 * vain. */
static void request_over_the_limit_comes_back_when_the_first_one_is_free(void **state)
{
    (void)state;
    struct fixture f;
    struct server server = {0};
    const char *op = NULL;
    char answer[300];
    (void)snprintf(answer, sizeof(answer),
                   "HTTP/1.1 429 Too Many\r\nConnection: close\r\nratelimit-limit: 5000\r\n"
                   "ratelimit-remaining: 0\r\nratelimit-reset: %lld\r\n\r\n{\"id\":\"too_many_requests\"}",
                   (long long)time(NULL) + 3600);
    begin(&f, (const char *[]){answer, NULL});
    CLEANUP_ERR struct err *e = create(&f, &server, &op);
    assert_kind(e, ERR_RATE_LIMIT);
    assert_int_equal(err_retry_after_ms(e), 60000); /* as long as we ever wait at once */
    end(&f);
}

/* ---- finding ---- */

static void active_droplet_without_networks_has_no_address(void **state)
{
    (void)state;
    struct fixture f;
    struct server server = {0};
    begin(&f, (const char *[]){OK(ONE(DROPLET_WITH("active", "false", NO_NETWORKS, TAGS))),
                               OK(ONE(DROPLET_WITH("active", "false", "{}", TAGS))), OK(ONE(DROPLET)),
                               OK(ONE(DROPLET_WITH("archive", "false", NETWORKS, TAGS))), NULL});
    for (int i = 0; i < 2; i++) {
        assert_fine(ops->server_get(&f.ctx, f.provider, f.arena, "42", &server));
        assert_int_equal(server.status, SERVER_RUNNING);
        assert_null(server.ipv4);
    }
    assert_fine(ops->server_get(&f.ctx, f.provider, f.arena, "42", &server));
    assert_string_equal(server.ipv4, "198.18.0.7"); /* the public one, though the private one comes first */
    assert_string_equal(server.ipv6, "2001:db8::7");
    assert_fine(ops->server_get(&f.ctx, f.provider, f.arena, "42", &server));
    assert_int_equal(server.status, SERVER_OFF);
    end(&f);
}

static void list_follows_links_and_compares_labels_exactly(void **state)
{
    (void)state;
    struct fixture f;
    struct server *servers = NULL;
    size_t count = 0;
    begin(&f,
          (const char *[]){OK("{\"droplets\":[" DROPLET "],\"links\":{\"pages\":{\"next\":"
                              "\"https://api.digitalocean.com/v2/droplets?page=2\"}},\"meta\":{}}"),
                           OK(LIST(DROPLET_WITH("off", "false", NETWORKS, "[\"rehost-run:R1\"]"))), NULL});
    assert_fine(ops->server_list(&f.ctx, f.provider, f.arena, &labels[0], &servers, &count));
    assert_int_equal(count, 1);
    assert_string_equal(server_label(&servers[0], "rehost-run"), "r1");
    assert_int_equal(servers[0].label_count, 2); /* "web" is nobody's label */
    assert_asked(&f, 0, "GET /v2/droplets?tag_name=rehost-run%3Ar1&per_page=200", NULL);
    assert_asked(&f, 1, "GET /v2/droplets?tag_name=rehost-run%3Ar1&per_page=200&page=2", NULL);
    end(&f);
}

/* Without tag:read the tags are silently empty. "No such server" would be wrong then, and costly. */
static void list_by_label_with_hidden_tags_is_an_error(void **state)
{
    (void)state;
    struct fixture f;
    struct server *servers = NULL;
    size_t count = 0;
    begin(&f, (const char *[]){OK(LIST(DROPLET_WITH("active", "false", NETWORKS, "[]"))), NULL});
    CLEANUP_ERR struct err *e = ops->server_list(&f.ctx, f.provider, f.arena, &labels[0], &servers, &count);
    assert_kind(e, ERR_AUTH);
    assert_non_null(strstr(err_hint(e), "tag:read"));
    end(&f);
}

/* ---- changes ---- */

static void refused_change_is_explained_by_the_droplet(void **state)
{
    (void)state;
    static const struct {
        const char *refusal, *droplet;
        enum server_power power;
        bool fine;
        enum err_kind kind;
    } cases[] = {
        {"It cannot be done now", DROPLET_WITH("active", "true", NETWORKS, TAGS), POWER_OFF, false,
         ERR_CONFLICT},
        {"It is off already", DROPLET_WITH("off", "false", NETWORKS, TAGS), POWER_OFF, true, ERR_INTERNAL},
        {"It is off already", DROPLET_WITH("off", "false", NETWORKS, TAGS), POWER_SHUTDOWN, true,
         ERR_INTERNAL},
        {"It is on already", DROPLET, POWER_ON, true, ERR_INTERNAL},
        {"It cannot be done at all", DROPLET, POWER_OFF, false, ERR_REJECTED},
        {"It cannot be done at all", DROPLET, POWER_REBOOT, false, ERR_REJECTED},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture f;
        const char *op = NULL;
        char refusal[300], droplet[1000];
        (void)snprintf(refusal, sizeof(refusal), UNPROCESSABLE("%s"), cases[i].refusal);
        (void)snprintf(droplet, sizeof(droplet), OK("{\"droplet\":%s}"), cases[i].droplet);
        begin(&f, (const char *[]){refusal, droplet, NULL});
        CLEANUP_ERR struct err *e = ops->server_power(&f.ctx, f.provider, f.arena, "42", cases[i].power, &op);
        if (cases[i].fine)
            assert_fine(e);
        else
            assert_kind(e, cases[i].kind);
        assert_null(op);
        end(&f);
    }
}

static void busy_droplet_is_a_conflict_without_another_question(void **state)
{
    (void)state;
    struct fixture f;
    const char *op = NULL;
    begin(&f, (const char *[]){UNPROCESSABLE("Droplet already has a pending event."), NULL});
    CLEANUP_ERR struct err *e = ops->server_delete(&f.ctx, f.provider, f.arena, "42", &op);
    assert_kind(e, ERR_CONFLICT);
    end(&f);
}

static void delete_and_power_are_sent_as_the_document_says(void **state)
{
    (void)state;
    struct fixture f;
    const char *op = NULL;
    begin(&f,
          (const char *[]){ANSWER("201 Made", ACTION("in-progress", "power_off")), GONE, NOT_FOUND, NULL});
    assert_fine(ops->server_power(&f.ctx, f.provider, f.arena, "42", POWER_OFF, &op));
    assert_string_equal(op, "7");
    assert_fine(ops->server_delete(&f.ctx, f.provider, f.arena, "42", &op));
    assert_null(op);
    CLEANUP_ERR struct err *gone = ops->server_delete(&f.ctx, f.provider, f.arena, "42", &op);
    assert_kind(gone, ERR_NOT_FOUND);
    assert_asked(&f, 0, "POST /v2/droplets/42/actions", "{\"type\":\"power_off\"}");
    assert_asked(&f, 1, "DELETE /v2/droplets/42", NULL);
    end(&f);
}

static void operation_ends_well_or_says_what_it_means(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        bool done;
        enum err_kind kind; /* ERR_INTERNAL: none */
    } cases[] = {
        {OK(ACTION("in-progress", "create")), false, ERR_INTERNAL},
        {OK(ACTION("completed", "create")), true, ERR_INTERNAL},
        {OK(ACTION("errored", "create")), false, ERR_CAPACITY}, /* nothing usable: the next place, please */
        {OK(ACTION("errored", "shutdown")), false, ERR_UNKNOWN_OUTCOME},
        {NOT_FOUND, false, ERR_NOT_FOUND}, /* as its droplet is, which tells */
        {"HTTP/1.1 502 Bad\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<html>", false,
         ERR_TRANSIENT},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture f;
        bool done = true;
        begin(&f, (const char *[]){cases[i].answer, NULL});
        CLEANUP_ERR struct err *e = ops->op_poll(&f.ctx, f.provider, f.arena, "7", &done);
        if (cases[i].kind == ERR_INTERNAL)
            assert_fine(e);
        else
            assert_kind(e, cases[i].kind);
        assert_int_equal(done, cases[i].done);
        assert_asked(&f, 0, "GET /v2/actions/7", NULL);
        end(&f);
    }
}

/* ---- account and catalogue ---- */

#define ACCOUNT(status)                                                                                      \
    OK("{\"account\":{\"droplet_limit\":25,\"status\":\"" status "\",\"status_message\":\"unpaid\"}}")
#define SOME OK("{\"meta\":{\"total\":3}}")

static void check_tells_limit_and_servers(void **state)
{
    (void)state;
    struct fixture f;
    struct account_state account = {0};
    begin(&f, (const char *[]){ACCOUNT("active"),
                               ANSWER("200 OK\r\nratelimit-remaining: 4987", "{\"meta\":{\"total\":3}}"),
                               SOME, SOME, SOME, SOME, SOME, SOME, NULL});
    assert_fine(ops->check(&f.ctx, f.provider, f.arena, &account));
    assert_int_equal(account.server_limit, 25);
    assert_int_equal(account.server_count, 3);
    assert_int_equal(account.rate_remaining, 4987);
    assert_null(account.lacks);
    assert_null(account.blocked);
    end(&f);
}

static void check_of_a_narrow_token_names_what_it_lacks(void **state)
{
    (void)state;
    struct fixture f;
    struct account_state account = {0};
    begin(&f, (const char *[]){FORBIDDEN, SOME, FORBIDDEN, SOME, SOME, SOME, FORBIDDEN, SOME, NULL});
    assert_fine(ops->check(&f.ctx, f.provider, f.arena, &account));
    assert_string_equal(account.lacks, "account:read, ssh_key:read, tag:read");
    assert_int_equal(account.server_limit, -1);
    end(&f);
    begin(&f, (const char *[]){OK("{\"account\":{\"droplet_limit\":0,\"status\":\"active\"}}"), FORBIDDEN,
                               SOME, SOME, SOME, SOME, SOME, SOME, NULL});
    assert_fine(ops->check(&f.ctx, f.provider, f.arena, &account));
    assert_string_equal(account.lacks, "droplet:read");
    assert_int_equal(account.server_limit, -1); /* not 0, which is what such a token is told */
    end(&f);
}

static void check_of_a_wrong_token_is_an_error(void **state)
{
    (void)state;
    struct fixture f;
    struct account_state account = {0};
    const char *wrong = REFUSED("401 Unauthorized", "unauthorized", "Unable to authenticate you.");
    begin(&f, (const char *[]){wrong, wrong, NULL});
    CLEANUP_ERR struct err *e = ops->check(&f.ctx, f.provider, f.arena, &account);
    assert_kind(e, ERR_AUTH);
    end(&f);
}

static void check_of_a_locked_account_says_so(void **state)
{
    (void)state;
    struct fixture f;
    struct account_state account = {0};
    begin(&f, (const char *[]){ACCOUNT("locked"), SOME, SOME, SOME, SOME, SOME, SOME, SOME, NULL});
    assert_fine(ops->check(&f.ctx, f.provider, f.arena, &account));
    assert_string_equal(account.blocked, "the account's status is 'locked': unpaid");
    end(&f);
}

#define REGION(slug, available, sizes)                                                                       \
    "{\"slug\":\"" slug "\",\"available\":" available ",\"sizes\":[" sizes "],\"features\":[]}"
#define SIZE(slug, available, regions)                                                                       \
    "{\"slug\":\"" slug "\",\"memory\":2048,\"vcpus\":1,\"disk\":50,\"price_monthly\":12.0,\"price_"         \
    "hourly\":0.01786,\"available\":" available ",\"regions\":[" regions "]}"

static void catalog_tells_stock_in_the_words_of_all_providers(void **state)
{
    (void)state;
    struct fixture f;
    struct catalog catalog = {0};
    begin(&f, (const char *[]){
                  OK("{\"regions\":[" REGION("fra1", "true", "\"s-1\",\"s-2\"") "," REGION(
                      "nyc1", "false", "") "," REGION("mars1", "true", "") "]" LAST_PAGE),
                  OK("{\"sizes\":[" SIZE("s-1", "true", "\"fra1\",\"nyc1\"") "," SIZE(
                      "s-2", "true", "") ","
                                         "{\"slug\":\"gpu-1\",\"gpu_info\":{\"count\":1}}]" LAST_PAGE),
                  OK("{\"images\":[{\"slug\":\"ubuntu-24-04-x64\"},{\"slug\":\"debian-12-x64\"},"
                     "{\"slug\":\"centos-stream-9-x64\"},{\"slug\":null},"
                     "{\"slug\":\"fedora-40-x64\",\"status\":\"retired\"}]" LAST_PAGE),
                  NULL});
    assert_fine(ops->catalog(&f.ctx, f.provider, f.arena, &catalog));
    assert_string_equal(catalog.currency, "USD");
    assert_int_equal(catalog.size_count, 2); /* without the one that has a GPU */
    const struct server_size *size = &catalog.sizes[0];
    assert_true(size->memory_gib > 1.99 && size->memory_gib < 2.01);
    assert_true(size->disk_gib > 49 && size->disk_gib < 51);
    assert_string_equal(size->architecture, "x86");
    assert_int_equal(size->offer_count, 2);
    assert_string_equal(size->offers[0].region, "fra1");
    assert_true(size->offers[0].available);
    assert_true(size->offers[0].price_monthly > 11.9 && size->offers[0].price_hourly < 0.02);
    assert_false(size->offers[1].available); /* the region is closed */
    assert_int_equal(catalog.sizes[1].offer_count, 1);
    assert_false(catalog.sizes[1].offers[0].available); /* sold out: "available", but nowhere */
    assert_int_equal(catalog.region_count, 3);
    assert_string_equal(catalog.regions[0].country, "de");
    assert_string_equal(catalog.regions[1].country, "us");
    assert_null(catalog.regions[2].country);
    assert_int_equal(catalog.image_count, 3);
    assert_string_equal(catalog.images[0], "ubuntu-24.04");
    assert_string_equal(catalog.images[1], "debian-12");
    assert_string_equal(catalog.images[2], "centos-stream-9-x64");
    end(&f);
}

/* ---- keys ---- */

#define PUBLIC_KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK0wmN/Cr3JXqmLW7u+g9pTh+wyqDHpSQEIQczXkVx9r"
#define KEY_PATH                                                                                             \
    "/v2/account/keys/44:c5:0f:b7:34:37:f9:94:0b:d4:e4:53:84:4d:5a:25" /* ssh-keygen -l -E md5               \
                                                                        */
#define KEY "{\"ssh_key\":{\"id\":512189,\"name\":\"bob\",\"public_key\":\"" PUBLIC_KEY " bob@laptop\"}}"

static const char *ensure_key(struct fixture *f)
{
    const char *id = NULL;
    assert_fine(ops->key_ensure(&f->ctx, f->provider, f->arena, "rehost-r1", PUBLIC_KEY " alice@home", &id));
    return id;
}

static void key_that_is_there_is_found_by_its_fingerprint(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, (const char *[]){OK(KEY), NULL});
    assert_string_equal(ensure_key(&f), "512189");
    assert_asked(&f, 0, "GET " KEY_PATH, NULL);
    end(&f);
}

static void key_that_is_not_there_is_registered(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, (const char *[]){NOT_FOUND, ANSWER("201 Made", KEY), NULL});
    assert_string_equal(ensure_key(&f), "512189");
    assert_asked(&f, 1, "POST /v2/account/keys",
                 "{\"name\":\"rehost-r1\",\"public_key\":\"" PUBLIC_KEY " alice@home\"}");
    end(&f);
}

static void key_that_somebody_registers_at_the_same_time_is_looked_up(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, (const char *[]){NOT_FOUND, UNPROCESSABLE("SSH Key is already in use on your account"), OK(KEY),
                               NULL});
    assert_string_equal(ensure_key(&f), "512189");
    end(&f);
}

static void other_key_with_the_same_fingerprint_is_not_used(void **state)
{
    (void)state;
    struct fixture f;
    const char *id = NULL;
    begin(&f, (const char *[]){OK("{\"ssh_key\":{\"id\":1,\"public_key\":\"ssh-ed25519 AAAA\"}}"), NULL});
    CLEANUP_ERR struct err *e = ops->key_ensure(&f.ctx, f.provider, f.arena, "k", PUBLIC_KEY, &id);
    assert_kind(e, ERR_REJECTED);
    assert_null(id);
    end(&f);
}

/* ---- firewalls ---- */

#define FIREWALL(status, pending, droplets)                                                                  \
    "{\"id\":\"f-1\",\"name\":\"rehost\",\"status\":\"" status "\",\"pending_changes\":[" pending            \
    "],\"droplet_ids\":[" droplets "],\"tags\":[\"web\"]}"
#define ONE_FIREWALL(status, pending, droplets) OK("{\"firewall\":" FIREWALL(status, pending, droplets) "}")
#define OUTBOUND                                                                                             \
    "\"outbound_rules\":[{\"protocol\":\"tcp\",\"ports\":\"1-65535\",\"destinations\":{\"addresses\":[\"0."  \
    "0.0.0/0\",\"::/0\"]}}"

static struct err *ensure_firewall(struct fixture *f, const char **id)
{
    static const char *const anywhere[] = {"0.0.0.0/0", "::/0"};
    static const struct firewall_rule rules[] = {
        {"tcp", 22, 22, anywhere, 2}, {"udp", 8000, 9000, anywhere, 1}, {"icmp", 0, 0, anywhere, 1}};
    const struct firewall_spec wanted = {.name = "rehost", .rules = rules, .rule_count = 3};
    return ops->firewall->ensure(&f->ctx, f->provider, f->arena, &wanted, id);
}

static void firewall_lets_in_what_the_rules_say_and_everything_out(void **state)
{
    (void)state;
    struct fixture f;
    const char *id = NULL;
    begin(&f,
          (const char *[]){OK("{\"firewalls\":[]" LAST_PAGE),
                           ANSWER("202 Accepted", "{\"firewall\":" FIREWALL("waiting", "", "") "}"), NULL});
    assert_fine(ensure_firewall(&f, &id));
    assert_string_equal(id, "f-1");
    assert_asked(
        &f, 1, "POST /v2/firewalls",
        "{\"name\":\"rehost\",\"inbound_rules\":"
        "[{\"protocol\":\"tcp\",\"ports\":\"22\",\"sources\":{\"addresses\":[\"0.0.0.0/0\",\"::/0\"]}},"
        "{\"protocol\":\"udp\",\"ports\":\"8000-9000\",\"sources\":{\"addresses\":[\"0.0.0.0/0\"]}},"
        "{\"protocol\":\"icmp\",\"ports\":\"0\",\"sources\":{\"addresses\":[\"0.0.0.0/0\"]}}]," OUTBOUND);
    end(&f);
}

/* What a PUT leaves out is reset: the servers behind the firewall would lose it. */
static void new_rules_keep_the_droplets_of_a_firewall(void **state)
{
    (void)state;
    struct fixture f;
    const char *id = NULL;
    begin(&f, (const char *[]){OK("{\"firewalls\":[" FIREWALL("succeeded", "", "41,42") "]" LAST_PAGE),
                               ONE_FIREWALL("waiting", "", "41,42"), NULL});
    assert_fine(ensure_firewall(&f, &id));
    assert_asked(&f, 1, "PUT /v2/firewalls/f-1", "\"droplet_ids\":[41,42],\"tags\":[\"web\"]");
    end(&f);
}

static void firewall_is_attached_once_and_waited_for(void **state)
{
    (void)state;
    struct fixture f;
    const char *op = NULL;
    bool done = true;
    begin(&f, (const char *[]){ONE_FIREWALL("succeeded", "", "41"), GONE, ONE_FIREWALL("waiting", "", "41"),
                               ONE_FIREWALL("succeeded", "{\"droplet_id\":42}", "41"),
                               ONE_FIREWALL("succeeded", "", "41,42"), ONE_FIREWALL("succeeded", "", "41,42"),
                               NULL});
    assert_fine(ops->firewall->attach(&f.ctx, f.provider, f.arena, "f-1", "42", &op));
    for (int i = 0; i < 3; i++) {
        assert_fine(ops->op_poll(&f.ctx, f.provider, f.arena, op, &done));
        assert_int_equal(done, i == 2);
    }
    assert_fine(ops->firewall->attach(&f.ctx, f.provider, f.arena, "f-1", "42", &op)); /* sends nothing */
    assert_asked(&f, 1, "POST /v2/firewalls/f-1/droplets", "{\"droplet_ids\":[42]}");
    assert_asked_times(&f, 6);
    end(&f);
}

/* ---- reserved IPs, snapshots, volumes ---- */

static void reserved_ip_moves_in_one_call_and_only_when_it_has_to(void **state)
{
    (void)state;
    struct fixture f;
    struct movable_ip *ips = NULL;
    size_t count = 0;
    const char *op = NULL;
    begin(&f,
          (const char *[]){
              OK("{\"reserved_ips\":[{\"ip\":\"198.18.9.1\",\"region\":{\"slug\":\"fra1\"},\"droplet\":null},"
                 "{\"ip\":\"198.18.9.2\",\"region\":{\"slug\":\"nyc1\"},\"droplet\":{\"id\":41}}]" LAST_PAGE),
              OK("{\"reserved_ip\":{\"ip\":\"198.18.9.2\",\"droplet\":{\"id\":41}}}"),
              ANSWER("201 Made", ACTION("in-progress", "assign_ip")),
              OK("{\"reserved_ip\":{\"ip\":\"198.18.9.2\",\"droplet\":{\"id\":42}}}"), NULL});
    assert_fine(ops->ip->list(&f.ctx, f.provider, f.arena, &ips, &count));
    assert_int_equal(count, 2);
    assert_null(ips[0].server_id);
    assert_string_equal(ips[1].server_id, "41");
    assert_string_equal(ips[1].region, "nyc1");
    assert_fine(ops->ip->move(&f.ctx, f.provider, f.arena, &ips[1], "42", &op));
    assert_string_equal(op, "7");
    assert_fine(ops->ip->move(&f.ctx, f.provider, f.arena, &ips[1], "42", &op));
    assert_null(op);
    assert_asked(&f, 2, "POST /v2/reserved_ips/198.18.9.2/actions",
                 "{\"type\":\"assign\",\"droplet_id\":42}");
    end(&f);
}

static void snapshot_is_an_action_and_its_id_comes_from_the_list(void **state)
{
    (void)state;
    struct fixture f;
    struct snapshot *snapshots = NULL;
    size_t count = 0;
    const char *id = "?", *op = NULL;
    begin(&f, (const char *[]){ANSWER("201 Made", ACTION("in-progress", "snapshot")),
                               OK("{\"snapshots\":[{\"id\":\"6372321\",\"name\":\"nightly\",\"created_at\":"
                                  "\"2026-11-20T02:41:00Z\",\"size_gigabytes\":2.34}]" LAST_PAGE),
                               NULL});
    assert_fine(ops->snapshot->create(&f.ctx, f.provider, f.arena, "42", "nightly", &id, &op));
    assert_null(id);
    assert_string_equal(op, "7");
    assert_fine(ops->snapshot->list(&f.ctx, f.provider, f.arena, &snapshots, &count));
    assert_int_equal(count, 1);
    assert_string_equal(snapshots[0].id, "6372321");
    assert_true(snapshots[0].created_ms == INT64_C(1795142460000));
    assert_asked(&f, 0, "POST /v2/droplets/42/actions", "{\"type\":\"snapshot\",\"name\":\"nightly\"}");
    assert_asked(&f, 1, "GET /v2/snapshots?resource_type=droplet&per_page=200", NULL);
    end(&f);
}

#define VOLUME(droplets)                                                                                     \
    "{\"id\":\"v-1\",\"name\":\"data\",\"size_gigabytes\":10,\"region\":{\"slug\":\"fra1\"},"                \
    "\"droplet_ids\":[" droplets "]}"
#define ONE_VOLUME(droplets) OK("{\"volume\":" VOLUME(droplets) "}")
#define VOLUMES(volumes) OK("{\"volumes\":[" volumes "]" LAST_PAGE)

static void volume_is_made_once_and_never_resized(void **state)
{
    (void)state;
    struct fixture f;
    struct volume volume = {0};
    struct volume_spec wanted = {.name = "data", .region = "fra1", .size_gib = 10};
    const char *op = NULL;
    begin(&f, (const char *[]){VOLUMES(""), ANSWER("201 Made", "{\"volume\":" VOLUME("") "}"),
                               VOLUMES(VOLUME("42")), VOLUMES(VOLUME("42")), NULL});
    assert_fine(ops->volume->ensure(&f.ctx, f.provider, f.arena, &wanted, &volume, &op));
    assert_string_equal(volume.id, "v-1");
    assert_null(volume.device);
    assert_fine(ops->volume->ensure(&f.ctx, f.provider, f.arena, &wanted, &volume, &op));
    assert_string_equal(volume.server_id, "42");
    assert_string_equal(volume.device, "/dev/disk/by-id/scsi-0DO_Volume_data");
    wanted.size_gib = 20;
    CLEANUP_ERR struct err *e = ops->volume->ensure(&f.ctx, f.provider, f.arena, &wanted, &volume, &op);
    assert_kind(e, ERR_CONFLICT);
    assert_asked(&f, 0, "GET /v2/volumes?name=data&region=fra1&per_page=200", NULL);
    assert_asked(&f, 1, "POST /v2/volumes", "{\"name\":\"data\",\"region\":\"fra1\",\"size_gigabytes\":10}");
    end(&f);
}

/* The text of the refusal varies; the droplet tells. */
static void what_a_locked_droplet_refuses_is_worth_another_try(void **state)
{
    (void)state;
    struct fixture f;
    const char *op = NULL;
    const struct movable_ip ip = {.id = "198.18.9.2", .address = "198.18.9.2"};
    const char *locked = OK(ONE(NEW_DROPLET)), *unlocked = OK(ONE(DROPLET));
    begin(&f, (const char *[]){OK("{\"reserved_ip\":{\"ip\":\"198.18.9.2\",\"droplet\":null}}"),
                               UNPROCESSABLE("Not now"), locked, ONE_VOLUME(""), UNPROCESSABLE("Not now"),
                               locked, ONE_VOLUME(""), UNPROCESSABLE("Not ever"), unlocked, NULL});
    CLEANUP_ERR struct err *moved = ops->ip->move(&f.ctx, f.provider, f.arena, &ip, "42", &op);
    assert_kind(moved, ERR_CONFLICT);
    CLEANUP_ERR struct err *attached = ops->volume->attach(&f.ctx, f.provider, f.arena, "v-1", "42", &op);
    assert_kind(attached, ERR_CONFLICT);
    CLEANUP_ERR struct err *refused = ops->volume->attach(&f.ctx, f.provider, f.arena, "v-1", "42", &op);
    assert_kind(refused, ERR_REJECTED);
    assert_asked(&f, 2, "GET /v2/droplets/42", NULL);
    end(&f);
}

static void volume_is_attached_and_detached_only_when_it_has_to(void **state)
{
    (void)state;
    struct fixture f;
    const char *op = NULL;
    begin(&f, (const char *[]){ONE_VOLUME(""), ANSWER("202 Accepted", ACTION("in-progress", "attach_volume")),
                               ONE_VOLUME("42"), ONE_VOLUME("41"), ONE_VOLUME("42"),
                               ANSWER("202 Accepted", ACTION("in-progress", "detach_volume")), ONE_VOLUME(""),
                               NULL});
    assert_fine(ops->volume->attach(&f.ctx, f.provider, f.arena, "v-1", "42", &op));
    assert_string_equal(op, "7");
    assert_fine(ops->volume->attach(&f.ctx, f.provider, f.arena, "v-1", "42", &op));
    assert_null(op);
    CLEANUP_ERR struct err *taken = ops->volume->attach(&f.ctx, f.provider, f.arena, "v-1", "42", &op);
    assert_kind(taken, ERR_CONFLICT);
    assert_fine(ops->volume->detach(&f.ctx, f.provider, f.arena, "v-1", &op));
    assert_string_equal(op, "7");
    assert_fine(ops->volume->detach(&f.ctx, f.provider, f.arena, "v-1", &op));
    assert_null(op);
    assert_asked(&f, 1, "POST /v2/volumes/v-1/actions",
                 "{\"type\":\"attach\",\"droplet_id\":42,\"region\":\"fra1\"}");
    assert_asked(&f, 5, "POST /v2/volumes/v-1/actions",
                 "{\"type\":\"detach\",\"droplet_id\":42,\"region\":\"fra1\"}");
    end(&f);
}

/* ---- databases ---- */

#define CONNECTION                                                                                           \
    "{\"uri\":\"postgres://doadmin:s3kr1t-pw@db.test:25060/defaultdb\",\"host\":\"db.test\",\"port\":"       \
    "25060,\"user\":\"doadmin\",\"password\":\"s3kr1t-pw\",\"database\":\"defaultdb\"}"
#define CLUSTER(id, engine, status, connection)                                                              \
    "{\"id\":\"" id "\",\"name\":\"backend\",\"engine\":\"" engine "\",\"version\":\"16\",\"num_nodes\":2,"  \
    "\"size\":\"db-s-1vcpu-1gb\",\"region\":\"fra1\",\"status\":\"" status "\",\"connection\":" connection   \
    "}"
#define ONE_CLUSTER OK("{\"database\":" CLUSTER("d-1", "pg", "online", CONNECTION) "}")
#define BACKUPS                                                                                              \
    OK("{\"backups\":[{\"created_at\":\"2026-11-19T20:00:00Z\",\"size_gigabytes\":1},"                       \
       "{\"created_at\":\"2026-11-18T20:00:00Z\",\"size_gigabytes\":1},"                                     \
       "{\"created_at\":\"2026-11-17T20:00:00Z\",\"size_gigabytes\":1}]}")

static void list_of_databases_has_postgresql_with_window_and_password(void **state)
{
    (void)state;
    struct fixture f;
    struct database_cluster *clusters = NULL;
    size_t count = 0;
    begin(&f, (const char *[]){
                  OK("{\"databases\":[" CLUSTER("d-0", "mysql", "online", CONNECTION) "," CLUSTER(
                      "d-1", "pg", "online", CONNECTION) "," CLUSTER("d-2", "pg", "creating", "null") "]}"),
                  BACKUPS, NULL});
    assert_fine(ops->database->list(&f.ctx, f.provider, f.arena, &clusters, &count));
    assert_int_equal(count, 2);
    assert_string_equal(clusters[0].id, "d-1");
    assert_true(clusters[0].ready);
    assert_string_equal(clusters[0].host, "db.test");
    assert_int_equal(clusters[0].port, 25060);
    assert_string_equal(secret_text(clusters[0].password), "s3kr1t-pw");
    assert_true(clusters[0].oldest_ms == INT64_C(1794945600000));
    assert_true(clusters[0].newest_ms == INT64_C(1795118400000));
    assert_false(clusters[1].ready); /* and its backups were not asked for */
    assert_null(clusters[1].host);
    assert_null(clusters[1].password);
    assert_asked(&f, 0, "GET /v2/databases", NULL);
    assert_asked(&f, 1, "GET /v2/databases/d-1/backups", NULL);
    end(&f);
}

static struct err *restore_database(struct fixture *f, int64_t at_ms, struct database_cluster *cluster)
{
    const struct database_restore wanted = {
        .source_id = "d-1", .name = "backend-r1", .region = "ams3", .size = "db-s-2vcpu-4gb", .at_ms = at_ms};
    return ops->database->restore(&f->ctx, f->provider, f->arena, &wanted, cluster);
}

static void restore_takes_the_newest_backup_before_the_wanted_time(void **state)
{
    (void)state;
    struct fixture f;
    struct database_cluster cluster = {0};
    const char *made = ANSWER("201 Made", "{\"database\":" CLUSTER("d-9", "pg", "creating", "{}") "}");
    begin(&f, (const char *[]){ONE_CLUSTER, BACKUPS, made, ONE_CLUSTER, made, ONE_CLUSTER, BACKUPS, NULL});
    assert_fine(restore_database(&f, INT64_C(1795118399000), &cluster)); /* 2026-11-19T19:59:59Z */
    assert_string_equal(cluster.id, "d-9");
    assert_false(cluster.ready);
    assert_fine(restore_database(&f, 0, &cluster));
    CLEANUP_ERR struct err *too_old = restore_database(&f, INT64_C(1794945599000), &cluster);
    assert_kind(too_old, ERR_NOT_FOUND);
    assert_asked(
        &f, 2, "POST /v2/databases",
        "{\"name\":\"backend-r1\",\"engine\":\"pg\",\"size\":\"db-s-2vcpu-4gb\",\"region\":\"ams3\",\"num_"
        "nodes\":2,"
        "\"backup_restore\":{\"database_name\":\"backend\",\"backup_created_at\":\"2026-11-18T20:00:00Z\"},"
        "\"version\":\"16\"}");
    assert_asked(&f, 4, "POST /v2/databases", "\"backup_restore\":{\"database_name\":\"backend\"}");
    assert_asked_times(&f, 7); /* nothing was sent where no backup is old enough */
    end(&f);
}

static int find_provider(void **state)
{
    (void)state;
    ops = provider_find("digitalocean");
    return ops && !http_global_init() ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(create_sends_what_the_plan_says_and_has_no_address_yet),
        cmocka_unit_test(failed_create_is_told_apart_by_its_words),
        cmocka_unit_test(html_error_page_is_not_shown),
        cmocka_unit_test(snapshot_as_an_image_goes_by_its_number),
        cmocka_unit_test(request_over_the_limit_comes_back_when_the_first_one_is_free),
        cmocka_unit_test(active_droplet_without_networks_has_no_address),
        cmocka_unit_test(list_follows_links_and_compares_labels_exactly),
        cmocka_unit_test(list_by_label_with_hidden_tags_is_an_error),
        cmocka_unit_test(refused_change_is_explained_by_the_droplet),
        cmocka_unit_test(busy_droplet_is_a_conflict_without_another_question),
        cmocka_unit_test(delete_and_power_are_sent_as_the_document_says),
        cmocka_unit_test(operation_ends_well_or_says_what_it_means),
        cmocka_unit_test(check_tells_limit_and_servers),
        cmocka_unit_test(check_of_a_narrow_token_names_what_it_lacks),
        cmocka_unit_test(check_of_a_wrong_token_is_an_error),
        cmocka_unit_test(check_of_a_locked_account_says_so),
        cmocka_unit_test(catalog_tells_stock_in_the_words_of_all_providers),
        cmocka_unit_test(key_that_is_there_is_found_by_its_fingerprint),
        cmocka_unit_test(key_that_is_not_there_is_registered),
        cmocka_unit_test(key_that_somebody_registers_at_the_same_time_is_looked_up),
        cmocka_unit_test(other_key_with_the_same_fingerprint_is_not_used),
        cmocka_unit_test(firewall_lets_in_what_the_rules_say_and_everything_out),
        cmocka_unit_test(new_rules_keep_the_droplets_of_a_firewall),
        cmocka_unit_test(firewall_is_attached_once_and_waited_for),
        cmocka_unit_test(reserved_ip_moves_in_one_call_and_only_when_it_has_to),
        cmocka_unit_test(snapshot_is_an_action_and_its_id_comes_from_the_list),
        cmocka_unit_test(volume_is_made_once_and_never_resized),
        cmocka_unit_test(what_a_locked_droplet_refuses_is_worth_another_try),
        cmocka_unit_test(volume_is_attached_and_detached_only_when_it_has_to),
        cmocka_unit_test(list_of_databases_has_postgresql_with_window_and_password),
        cmocka_unit_test(restore_takes_the_newest_backup_before_the_wanted_time),
    };
    return cmocka_run_group_tests(tests, find_provider, NULL);
}
