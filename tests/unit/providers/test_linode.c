/* The Linode compute adapter: what it sends, what it makes of answers. Shapes are those of Linode's published
 * document, to which tests/contract holds it with a checking proxy; the texts of errors are those that its
 * public clients report. */
#include "base/decode.h"
#include "base/hash.h"
#include "base/http.h"
#include "providers/compute/provider.h"
#include "tests/unit/providers/adapter_fixture.h"

#define REASON(status, reason) ANSWER(status, "{\"errors\":[{\"reason\":\"" reason "\"}]}")
#define FIELD(field, reason)                                                                                 \
    ANSWER("400 Bad Request", "{\"errors\":[{\"field\":\"" field "\",\"reason\":\"" reason "\"}]}")
#define PAGE(page, pages, items)                                                                             \
    OK("{\"data\":[" items "],\"page\":" page ",\"pages\":" pages ",\"results\":2}")
#define LIST(items) PAGE("1", "1", items)
#define NOTHING OK("{}")
#define SERVER_WITH(id, region, ipv4, tags)                                                                  \
    "{\"id\":" id ",\"label\":\"rehost-r1-web-1-a1\",\"status\":\"provisioning\","                           \
    "\"created\":\"2026-11-20T02:41:00\",\"region\":\"" region "\",\"type\":\"g6-nanode-1\","                \
    "\"ipv4\":[" ipv4 "],\"ipv6\":\"2001:db8:7::1/128\",\"tags\":[" tags "]}"
#define TAGS "\"rehost-run:r1\",\"rehost-host:web-1\",\"by hand\""
#define SERVER SERVER_WITH("42", "nl-ams", "\"192.168.134.7\",\"198.18.0.7\"", TAGS)

#define KEY "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPaJ"

static const struct label labels[] = {{"rehost-run", "r1"}, {"rehost-host", "web-1"}};
static const char *const keys[] = {KEY " alice@laptop"};
static const struct server_spec spec = {
    .name = "rehost-r1-web-1-a1",
    .region = "nl-ams",
    .size = "g6-nanode-1",
    .image = "ubuntu-24.04",
    .ssh_key_ids = keys,
    .ssh_key_count = 1,
    .user_data = "#cloud-config\n",
    .labels = labels,
    .label_count = 2,
};

static struct err *create_from(struct fixture *f, const struct server_spec *wanted)
{
    struct server server = {0};
    const char *op = NULL;
    return ops->server_create(&f->ctx, f->provider, f->arena, wanted, &server, &op);
}

/* The body of request number `i`. */
static json_t *asked(const struct fixture *f, int i)
{
    json_t *body = NULL;
    const char *text = strstr(f->server.requests[i], "\r\n\r\n") + 4;
    assert_null(decode_json(text, strlen(text), "a request", &body));
    return body;
}

static const char *text_at(const json_t *json, const char *path)
{
    const char *text = json_string_value(decode_find(json, path));
    return text ? text : "nothing";
}

/* ---- servers ---- */

static void create_sends_what_the_plan_says(void **state)
{
    (void)state;
    struct fixture f;
    struct server server = {0};
    const char *op = "unset";
    begin(&f, (const char *[]){OK(SERVER), NULL});
    assert_fine(ops->server_create(&f.ctx, f.provider, f.arena, &spec, &server, &op));
    assert_null(op); /* there are no action objects: its status is polled */
    assert_string_equal(server.id, "42");
    assert_int_equal(server.status, SERVER_PENDING);
    assert_asked(&f, 0, "POST /linode/instances", NULL);
    CLEANUP_JSON json_t *body = asked(&f, 0);
    assert_string_equal(text_at(body, "label"), "rehost-r1-web-1-a1");
    assert_string_equal(text_at(body, "image"), "linode/ubuntu24.04");
    assert_string_equal(text_at(body, "type"), "g6-nanode-1");
    assert_string_equal(text_at(body, "region"), "nl-ams");
    assert_string_equal(text_at(body, "tags.0"), "rehost-run:r1");
    assert_string_equal(text_at(body, "tags.1"), "rehost-host:web-1");
    assert_string_equal(text_at(body, "authorized_keys.0"), KEY " alice@laptop");
    assert_string_equal(text_at(body, "metadata.user_data"), "I2Nsb3VkLWNvbmZpZwo="); /* base64 */
    assert_true(json_is_true(decode_find(body, "booted")));
    assert_true(json_is_false(decode_find(body, "backups_enabled")));
    assert_true(json_is_false(decode_find(body, "private_ip")));
    end(&f);
}

static void each_server_gets_a_strong_root_password_of_its_own(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, (const char *[]){OK(SERVER), OK(SERVER), NULL});
    assert_fine(create_from(&f, &spec));
    assert_fine(create_from(&f, &spec));
    canned_stop(&f.server);
    CLEANUP_JSON json_t *one = asked(&f, 0);
    CLEANUP_JSON json_t *two = asked(&f, 1);
    assert_int_equal(strlen(text_at(one, "root_pass")), 44); /* 256 bits; 7 to 128 characters are possible */
    assert_string_not_equal(text_at(one, "root_pass"), text_at(two, "root_pass"));
    end(&f);
}

static void create_from_a_snapshot_or_an_image_of_the_user_names_it_as_linode_does(void **state)
{
    (void)state;
    struct fixture f;
    struct server_spec wanted = spec;
    begin(&f, (const char *[]){OK(SERVER), OK(SERVER), OK(SERVER), NULL});
    wanted.image = "snapshot:private/123";
    assert_fine(create_from(&f, &wanted));
    wanted.image = "private/77";
    assert_fine(create_from(&f, &wanted));
    wanted.image = "debian-12";
    wanted.user_data = NULL;
    assert_fine(create_from(&f, &wanted));
    canned_stop(&f.server);
    static const char *const images[] = {"private/123", "private/77", "linode/debian12"};
    for (int i = 0; i < 3; i++) {
        CLEANUP_JSON json_t *body = asked(&f, i);
        assert_string_equal(text_at(body, "image"), images[i]);
    }
    CLEANUP_JSON json_t *last = asked(&f, 2);
    assert_null(decode_find(last, "metadata"));
    end(&f);
}

static void failed_create_is_told_apart_by_status_field_and_text(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        enum err_kind kind;
    } cases[] = {
        {FIELD("label", "Label must be unique among your linodes"), ERR_CONFLICT},
        {FIELD("label", "Label has bad characters"), ERR_REJECTED},
        {REASON("400 Bad Request", "Account Limit reached. Please open a support ticket."), ERR_QUOTA},
        {FIELD("type", "Account Limit reached. Please open a support ticket."), ERR_QUOTA},
        {REASON("400 Bad Request", "Linode busy."), ERR_CONFLICT},
        {REASON("400 Bad Request", "No open slots for this plan!"), ERR_CAPACITY},
        {FIELD("type", "something that nobody has documented"), ERR_CAPACITY},
        {FIELD("region", "something that nobody has documented"), ERR_CAPACITY},
        {FIELD("root_pass", "Password does not meet strength requirement"), ERR_REJECTED},
        {FIELD("image", "image is not valid"), ERR_REJECTED},
        {REASON("401 Unauthorized", "Invalid Token"), ERR_AUTH},
        {REASON("403 Forbidden", "Unauthorized"), ERR_AUTH},
        {REASON("404 Not Found", "Not found"), ERR_REJECTED}, /* its image: there is no server to look for */
        {REASON("408 Request Timeout", "Please try again"), ERR_UNKNOWN_OUTCOME}, /* it may exist */
        {REASON("429 Too Many Requests", "Too many requests"), ERR_RATE_LIMIT},
        {REASON("500 Oops", "m"), ERR_UNKNOWN_OUTCOME},
        {ANSWER("502 Bad Gateway", "<html><h1>Bad Gateway</h1></html>"), ERR_UNKNOWN_OUTCOME},
        {ANSWER("400 Bad Request", "<html></html>"), ERR_REJECTED},
        {CANNED_HANG_UP, ERR_UNKNOWN_OUTCOME},
        {HEAD("200 OK") "Content-Length: 900\r\n\r\n{\"id\":42,\"label\":", ERR_UNKNOWN_OUTCOME},
        {OK("<html>"), ERR_UNKNOWN_OUTCOME},
        {OK("{\"label\":\"x\"}"), ERR_UNKNOWN_OUTCOME},
        {OK(""), ERR_UNKNOWN_OUTCOME},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture f;
        begin(&f, (const char *[]){cases[i].answer, NULL});
        CLEANUP_ERR struct err *e = create_from(&f, &spec);
        if (e && err_kind(e) != cases[i].kind)
            (void)fprintf(stderr, "%s\n", cases[i].answer);
        assert_kind(e, cases[i].kind);
        end(&f);
    }
}

static void error_shows_field_and_reason_but_no_password(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, (const char *[]){FIELD("root_pass", "Password does not meet strength requirement"), NULL});
    CLEANUP_ERR struct err *e = create_from(&f, &spec);
    canned_stop(&f.server);
    CLEANUP_JSON json_t *body = asked(&f, 0);
    assert_non_null(strstr(err_text(e), "'root_pass': Password does not meet strength requirement"));
    assert_null(strstr(err_text(e), text_at(body, "root_pass")));
    end(&f);
}

static void rate_limit_says_when_to_come_back(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f,
          (const char *[]){HEAD("429 Too Many Requests") "Retry-After: 7\r\n\r\n"
                                                         "{\"errors\":[{\"reason\":\"Too many requests\"}]}",
                           HEAD("429 Too Many Requests") "X-RateLimit-Remaining: -1\r\n\r\n", NULL});
    CLEANUP_ERR struct err *told = create_from(&f, &spec);
    assert_kind(told, ERR_RATE_LIMIT);
    assert_true(err_retry_after_ms(told) == 7000);
    CLEANUP_ERR struct err *untold = create_from(&f, &spec);
    assert_kind(untold, ERR_RATE_LIMIT);
    assert_true(err_retry_after_ms(untold) >= 1000);
    end(&f);
}

static void names_tags_and_user_data_that_linode_refuses_are_never_sent(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, (const char *[]){NULL});
    static char long_text[(16 << 10) + 2];
    memset(long_text, 'x', sizeof(long_text) - 1);
    static const char *const names[] = {"ab", "a--b", "1web", "web-", "-web", "Web", "web_1", ""};
    static const struct label long_tag[] = {
        {"rehost-host", "0123456789-123456789-123456789-12345678"}}; /* 51 with "rehost-host:" */
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct server_spec bad = spec;
        bad.name = names[i];
        CLEANUP_ERR struct err *e = create_from(&f, &bad);
        assert_kind(e, ERR_INPUT);
    }
    struct server_spec bad = spec;
    bad.user_data = long_text;
    CLEANUP_ERR struct err *too_much = create_from(&f, &bad);
    assert_kind(too_much, ERR_INPUT);
    bad = spec;
    bad.labels = long_tag;
    bad.label_count = 1;
    CLEANUP_ERR struct err *tag = create_from(&f, &bad);
    assert_kind(tag, ERR_INPUT);
    assert_non_null(strstr(err_text(tag), "51 characters"));
    assert_asked_times(&f, 0);
    end(&f);
}

static void server_has_its_public_address_and_utc_times(void **state)
{
    (void)state;
    struct fixture f;
    struct server server = {0};
    begin(&f, (const char *[]){OK(SERVER), NULL});
    assert_fine(ops->server_get(&f.ctx, f.provider, f.arena, "42", &server));
    assert_string_equal(server.ipv4, "198.18.0.7"); /* not the private one before it */
    assert_string_equal(server.ipv6, "2001:db8:7::1");
    assert_true(server.created_ms == INT64_C(1795142460000));
    assert_string_equal(server_label(&server, "rehost-host"), "web-1");
    assert_int_equal(server.label_count, 2); /* a tag without ':' is somebody else's */
    end(&f);
}

static void server_without_addresses_yet_has_none(void **state)
{
    (void)state;
    struct fixture f;
    struct server server = {0};
    begin(&f, (const char *[]){OK("{\"id\":1,\"label\":\"x\",\"status\":\"offline\",\"created\":"
                                  "\"2026-11-20T02:41:00\",\"region\":\"us-central\",\"type\":null,"
                                  "\"ipv4\":[\"192.168.255.254\"],\"ipv6\":null,\"tags\":[]}"),
                               NULL});
    assert_fine(ops->server_get(&f.ctx, f.provider, f.arena, "1", &server));
    assert_null(server.ipv4);
    assert_null(server.ipv6);
    assert_int_equal(server.status, SERVER_OFF);
    end(&f);
}

static void addresses_beside_the_private_network_are_public(void **state)
{
    (void)state;
    struct fixture f;
    struct server server = {0};
    begin(&f, (const char *[]){OK(SERVER_WITH("1", "nl-ams", "\"192.168.127.1\"", "")), NULL});
    assert_fine(ops->server_get(&f.ctx, f.provider, f.arena, "1", &server));
    assert_string_equal(server.ipv4, "192.168.127.1");
    end(&f);
}

static void list_filters_by_tag_in_a_header_and_reads_all_pages(void **state)
{
    (void)state;
    struct fixture f;
    struct server *servers = NULL;
    size_t count = 0;
    begin(&f,
          (const char *[]){PAGE("1", "2", SERVER "," SERVER_WITH("43", "nl-ams", "", "\"rehost-run:r11\"")),
                           PAGE("2", "2", SERVER_WITH("44", "nl-ams", "", "\"rehost-run:r1\"")), NULL});
    assert_fine(ops->server_list(&f.ctx, f.provider, f.arena, &labels[0], &servers, &count));
    assert_int_equal(count, 2); /* the one of run r11 is not taken on trust */
    assert_string_equal(servers[0].id, "42");
    assert_string_equal(servers[1].id, "44");
    const char *filter = "X-Filter: {\"tags\":\"rehost-run:r1\"}";
    assert_asked(&f, 0, "GET /linode/instances?page_size=500", filter);
    assert_asked(&f, 1, "GET /linode/instances?page_size=500&page=2", filter);
    end(&f);
}

static void list_of_everything_has_no_filter(void **state)
{
    (void)state;
    struct fixture f;
    struct server *servers = NULL;
    size_t count = 0;
    begin(&f, (const char *[]){LIST(SERVER), NULL});
    assert_fine(ops->server_list(&f.ctx, f.provider, f.arena, NULL, &servers, &count));
    assert_int_equal(count, 1);
    canned_stop(&f.server);
    assert_null(strstr(f.server.requests[0], "X-Filter"));
    end(&f);
}

static void power_and_delete_have_nothing_to_wait_for(void **state)
{
    (void)state;
    static const struct {
        enum server_power power;
        const char *line;
    } cases[] = {{POWER_ON, "POST /linode/instances/42/boot"},
                 {POWER_OFF, "POST /linode/instances/42/shutdown"},
                 {POWER_SHUTDOWN, "POST /linode/instances/42/shutdown"},
                 {POWER_REBOOT, "POST /linode/instances/42/reboot"}};
    struct fixture f;
    const char *op = "unset";
    begin(&f, (const char *[]){NOTHING, NOTHING, NOTHING, NOTHING, NOTHING, NULL});
    for (size_t i = 0; i < 4; i++) {
        assert_fine(ops->server_power(&f.ctx, f.provider, f.arena, "42", cases[i].power, &op));
        assert_null(op);
    }
    assert_fine(ops->server_delete(&f.ctx, f.provider, f.arena, "42", &op));
    assert_null(op);
    for (int i = 0; i < 4; i++)
        assert_asked(&f, i, cases[i].line, NULL);
    assert_asked(&f, 4, "DELETE /linode/instances/42", NULL);
    end(&f);
}

static void delete_of_a_busy_or_missing_server_is_told_apart(void **state)
{
    (void)state;
    struct fixture f;
    const char *op = NULL;
    begin(&f, (const char *[]){REASON("400 Bad Request", "Linode busy."),
                               REASON("404 Not Found", "Not found"), NULL});
    CLEANUP_ERR struct err *busy = ops->server_delete(&f.ctx, f.provider, f.arena, "42", &op);
    assert_kind(busy, ERR_CONFLICT);
    CLEANUP_ERR struct err *gone = ops->server_delete(&f.ctx, f.provider, f.arena, "42", &op);
    assert_kind(gone, ERR_NOT_FOUND);
    end(&f);
}

static void key_is_its_own_id_and_never_registered(void **state)
{
    (void)state;
    struct fixture f;
    const char *id = NULL;
    begin(&f, (const char *[]){NULL});
    assert_fine(ops->key_ensure(&f.ctx, f.provider, f.arena, "rehost-r1", KEY " alice@laptop\n", &id));
    assert_string_equal(id, KEY " alice@laptop"); /* one line: Linode takes no newline in a key */
    assert_fine(ops->key_delete(&f.ctx, f.provider, f.arena, id));
    assert_asked_times(&f, 0);
    end(&f);
}

/* ---- account and catalogue ---- */

#define PROFILE(scopes, restricted)                                                                          \
    HEAD("200 OK")                                                                                           \
    "X-OAuth-Scopes: " scopes "\r\n\r\n{\"username\":\"dr\",\"restricted\":" restricted "}"
#define COUNT(remaining)                                                                                     \
    HEAD("200 OK")                                                                                           \
    "X-RateLimit-Remaining: " remaining "\r\n\r\n{\"data\":[],\"page\":1,\"pages\":1,\"results\":17}"

static void check_tells_scopes_servers_and_remaining_rate(void **state)
{
    (void)state;
    static const struct {
        const char *profile;
        bool read_only;
        const char *lacks;
    } cases[] = {
        {PROFILE("*", "false"), false, NULL},
        {PROFILE("linodes:read_write images:read_only", "false"), false, NULL},
        {PROFILE("images:read_write,linodes:read_write", "false"), false, NULL},
        {PROFILE("linodes:read_only images:read_only", "false"), true, "linodes:read_write"},
        {PROFILE("linodes:read_write", "false"), false, "images:read_only"},
        {PROFILE("linodes:read_write images:read_only", "true"), false,
         "a user without restrictions (others cannot set tags)"},
        {OK("{\"username\":\"dr\",\"restricted\":false}"), false, NULL}, /* scopes not told */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture f;
        struct account_state account = {0};
        begin(&f, (const char *[]){cases[i].profile, COUNT("198"), NULL});
        assert_fine(ops->check(&f.ctx, f.provider, f.arena, &account));
        assert_int_equal(account.read_only, cases[i].read_only);
        assert_string_equal(account.lacks ? account.lacks : "-", cases[i].lacks ? cases[i].lacks : "-");
        assert_true(account.rate_remaining == 198);
        assert_int_equal(account.server_count, 17);
        assert_int_equal(account.server_limit, -1);
        assert_asked(&f, 0, "GET /profile", NULL);
        assert_asked(&f, 1, "GET /linode/instances?page_size=25", NULL);
        end(&f);
    }
}

static void token_without_any_right_to_servers_is_told_what_it_lacks(void **state)
{
    (void)state;
    struct fixture f;
    struct account_state account = {0};
    begin(&f, (const char *[]){PROFILE("domains:read_write", "false"),
                               REASON("401 Unauthorized", "Invalid Token"), NULL});
    assert_fine(ops->check(&f.ctx, f.provider, f.arena, &account));
    assert_true(account.read_only);
    assert_string_equal(account.lacks, "linodes:read_write, images:read_only");
    CLEANUP_ERR struct err *wrong = ops->check(&f.ctx, f.provider, f.arena, &account);
    assert_kind(wrong, ERR_AUTH);
    end(&f);
}

#define REGION(id, country, status, site, capabilities)                                                      \
    "{\"id\":\"" id "\",\"country\":\"" country "\",\"status\":\"" status "\",\"site_type\":\"" site         \
    "\",\"capabilities\":[" capabilities "]}"
#define TYPE(id, class, more)                                                                                \
    "{\"id\":\"" id                                                                                          \
    "\",\"class\":\"" class "\",\"vcpus\":2,\"memory\":4096,\"disk\":81920,"                                 \
                            "\"price\":{\"hourly\":0.036,\"monthly\":24.0},\"region_prices\":[" more "]}"
#define IMAGE(id, status, capabilities)                                                                      \
    "{\"id\":\"" id "\",\"status\":\"" status "\",\"is_public\":true,\"capabilities\":[" capabilities "]}"

static const char *const catalog_answers[] = {
    LIST(REGION("nl-ams", "nl", "ok", "core", "\"Linodes\",\"Metadata\",\"Premium Plans\"") "," REGION(
        "br-gru", "br", "ok", "core",
        "\"Linodes\",\"Metadata\"") "," REGION("us-old", "us", "ok", "core",
                                               "\"Linodes\"") "," REGION("us-edge", "us", "ok", "distributed",
                                                                         "\"Linodes\",\"Metadata\"") "," REGION("us-out",
                                                                                                                "us",
                                                                                                                "outage",
                                                                                                                "core",
                                                                                                                "\"Linodes\",\"Metadata\"")),
    LIST("{\"region\":\"br-gru\",\"plan\":\"g6-standard-2\",\"available\":false},"
         "{\"region\":\"nl-ams\",\"plan\":\"g6-standard-2\",\"available\":true}"),
    LIST(TYPE("g6-standard-2", "standard", "{\"id\":\"br-gru\",\"hourly\":0.05,\"monthly\":33.6}") "," TYPE(
        "g7-premium-2", "premium", "") "," TYPE("g1-gpu", "gpu", "") "," TYPE("g1-acc", "accelerated", "")),
    LIST(IMAGE("linode/ubuntu24.04", "available", "\"cloud-init\"") "," IMAGE(
        "linode/debian12", "available",
        "\"cloud-init\"") "," IMAGE("linode/alpine3.18", "available",
                                    "") "," IMAGE("linode/ubuntu24.04-kube", "available",
                                                  "\"cloud-init\"") "," IMAGE("private/9", "creating",
                                                                              "\"cloud-init\"")),
    NULL};

static void catalog_has_places_prices_and_stock(void **state)
{
    (void)state;
    struct fixture f;
    struct catalog catalog = {0};
    begin(&f, catalog_answers);
    assert_fine(ops->catalog(&f.ctx, f.provider, f.arena, &catalog));
    assert_string_equal(catalog.currency, "USD");
    assert_int_equal(catalog.region_count, 3); /* no user data in us-old, no such sizes at the edge */
    assert_string_equal(catalog.regions[0].name, "nl-ams");
    assert_string_equal(catalog.regions[0].country, "nl");
    assert_int_equal(catalog.size_count, 2); /* neither GPUs nor accelerators */
    const struct server_size *size = &catalog.sizes[0];
    assert_string_equal(size->architecture, "x86");
    assert_true(size->memory_gib > 3.99 && size->memory_gib < 4.01); /* told in MB */
    assert_true(size->disk_gib > 79.9 && size->disk_gib < 80.1);
    assert_int_equal(size->offer_count, 3);
    assert_true(size->offers[0].available);
    assert_true(size->offers[0].price_hourly > 0.0359 && size->offers[0].price_hourly < 0.0361);
    assert_string_equal(size->offers[1].region, "br-gru");
    assert_false(size->offers[1].available);
    assert_true(size->offers[1].price_monthly > 33.5);
    assert_false(size->offers[2].available); /* outage */
    assert_int_equal(catalog.sizes[1].offer_count, 1);
    assert_true(catalog.sizes[1].offers[0].available); /* not listed: no reason to leave it out */
    end(&f);
}

static void catalog_has_images_by_their_common_names(void **state)
{
    (void)state;
    struct fixture f;
    struct catalog catalog = {0};
    begin(&f, catalog_answers);
    assert_fine(ops->catalog(&f.ctx, f.provider, f.arena, &catalog));
    assert_int_equal(catalog.image_count, 3); /* no cloud-init: no use; not there yet: likewise */
    assert_string_equal(catalog.images[0], "ubuntu-24.04");
    assert_string_equal(catalog.images[1], "debian-12");
    assert_string_equal(catalog.images[2], "linode/ubuntu24.04-kube");
    assert_asked(&f, 1, "GET /regions/availability?page_size=500", "X-Filter: {\"available\":false}");
    end(&f);
}

/* ---- what not every provider has ---- */

static const char *const everywhere[] = {"0.0.0.0/0", "::/0"};
static const char *const office[] = {"198.18.1.0/24"};
static const struct firewall_rule firewall_rules[] = {
    {.protocol = "tcp", .port_from = 22, .port_to = 22, .sources = office, .source_count = 1},
    {.protocol = "udp", .port_from = 8000, .port_to = 8010, .sources = everywhere, .source_count = 2},
    {.protocol = "icmp", .sources = everywhere, .source_count = 2},
};
static const struct firewall_spec firewall = {.name = "rehost-web", .rules = firewall_rules, .rule_count = 3};

#define RULES                                                                                                \
    "{\"inbound\":[{\"action\":\"ACCEPT\",\"protocol\":\"TCP\",\"addresses\":{\"ipv4\":[\"198.18.1.0/24\"]}" \
    ",\"ports\":\"22\"},{\"action\":\"ACCEPT\",\"protocol\":\"UDP\",\"addresses\":{\"ipv4\":"                \
    "[\"0.0.0.0/0\"],\"ipv6\":[\"::/0\"]},\"ports\":\"8000-8010\"},{\"action\":\"ACCEPT\",\"protocol\":"     \
    "\"ICMP\",\"addresses\":{\"ipv4\":[\"0.0.0.0/0\"],\"ipv6\":[\"::/0\"]}}],\"inbound_policy\":\"DROP\","   \
    "\"outbound\":[],\"outbound_policy\":\"ACCEPT\"}"

static void firewall_is_made_once_and_then_given_its_rules(void **state)
{
    (void)state;
    struct fixture f;
    const char *id = NULL;
    begin(&f,
          (const char *[]){LIST(""), OK("{\"id\":9,\"label\":\"rehost-web\"}"),
                           LIST("{\"id\":8,\"label\":\"rehost-web-2\"},{\"id\":9,\"label\":\"rehost-web\"}"),
                           OK(RULES), NULL});
    assert_fine(ops->firewall->ensure(&f.ctx, f.provider, f.arena, &firewall, &id));
    assert_string_equal(id, "9");
    id = NULL;
    assert_fine(ops->firewall->ensure(&f.ctx, f.provider, f.arena, &firewall, &id));
    assert_string_equal(id, "9");
    assert_asked(&f, 1, "POST /networking/firewalls", "{\"label\":\"rehost-web\",\"rules\":" RULES "}");
    assert_asked(&f, 3, "PUT /networking/firewalls/9/rules", "\r\n\r\n" RULES);
    end(&f);
}

static void firewall_stands_before_the_server_or_its_public_interface(void **state)
{
    (void)state;
    struct fixture f;
    const char *op = "unset";
    begin(&f, (const char *[]){
                  OK(SERVER), LIST(""), OK("{\"id\":1}"), /* legacy interfaces: the server */
                  OK("{\"id\":42,\"interface_generation\":\"linode\"}"),
                  OK("{\"interfaces\":[{\"id\":5,\"public\":null,\"vpc\":{}},{\"id\":6,\"public\":{}}]}"),
                  LIST(""), OK("{\"id\":2}"), OK(SERVER),
                  LIST("{\"id\":1,\"entity\":{\"id\":42,\"type\":\"linode\"}}"), NULL});
    for (int i = 0; i < 3; i++)
        assert_fine(ops->firewall->attach(&f.ctx, f.provider, f.arena, "9", "42", &op));
    assert_null(op);
    assert_asked_times(&f, 9); /* the third time it is there already */
    assert_asked(&f, 2, "POST /networking/firewalls/9/devices", "{\"type\":\"linode\",\"id\":42}");
    assert_asked(&f, 6, "POST /networking/firewalls/9/devices", "{\"type\":\"interface\",\"id\":6}");
    end(&f);
}

#define SECOND SERVER_WITH("2", "nl-ams", "\"198.18.0.2\"", "")
#define ELSEWHERE SERVER_WITH("3", "us-east", "\"198.18.0.3\"", "")
#define SERVERS(of_one) LIST(SERVER_WITH("1", "nl-ams", of_one, "") "," SECOND "," ELSEWHERE)

static void objection_where_nothing_is_made_is_no_lack_of_capacity(void **state)
{
    (void)state;
    struct fixture f;
    const char *op = NULL;
    begin(&f, (const char *[]){OK(SERVER), LIST(""), FIELD("type", "linode is not allowed here"), NULL});
    CLEANUP_ERR struct err *e = ops->firewall->attach(&f.ctx, f.provider, f.arena, "9", "42", &op);
    assert_kind(e, ERR_REJECTED);
    end(&f);
}

static void public_addresses_of_all_servers_can_be_moved(void **state)
{
    (void)state;
    struct fixture f;
    struct movable_ip *ips = NULL;
    size_t count = 0;
    begin(&f, (const char *[]){SERVERS("\"198.18.0.1\",\"192.168.200.1\",\"198.18.0.11\""), NULL});
    assert_fine(ops->ip->list(&f.ctx, f.provider, f.arena, &ips, &count));
    assert_int_equal(count, 4); /* not the private one */
    assert_string_equal(ips[1].address, "198.18.0.11");
    assert_string_equal(ips[1].server_id, "1");
    assert_string_equal(ips[1].region, "nl-ams");
    assert_string_equal(ips[1].kind, "public IP");
    assert_true(ips[1].needs_configuration);
    end(&f);
}

static void move_of_the_only_address_is_a_swap(void **state)
{
    (void)state;
    struct fixture f;
    const char *op = "unset";
    static const struct movable_ip ip = {.id = "198.18.0.1", .address = "198.18.0.1", .region = "nl-ams"};
    begin(&f, (const char *[]){SERVERS("\"198.18.0.1\""), NOTHING, SERVERS("\"198.18.0.11\",\"198.18.0.1\""),
                               NOTHING, NULL});
    assert_fine(ops->ip->move(&f.ctx, f.provider, f.arena, &ip, "2", &op));
    assert_null(op);
    assert_fine(ops->ip->move(&f.ctx, f.provider, f.arena, &ip, "2", &op));
    assert_asked(&f, 1, "POST /networking/ips/assign",
                 "{\"region\":\"nl-ams\",\"assignments\":[{\"address\":\"198.18.0.1\","
                 "\"linode_id\":2},{\"address\":\"198.18.0.2\",\"linode_id\":1}]}");
    assert_asked(&f, 3, "POST /networking/ips/assign",
                 "\"assignments\":[{\"address\":\"198.18.0.1\",\"linode_id\":2}]}");
    end(&f);
}

static void address_that_is_there_elsewhere_or_lost_is_not_sent_for(void **state)
{
    (void)state;
    struct fixture f;
    const char *op = NULL;
    static const struct movable_ip ip = {.id = "198.18.0.1", .address = "198.18.0.1", .region = "nl-ams"};
    static const struct movable_ip lost = {.id = "198.18.0.9", .address = "198.18.0.9", .region = "nl-ams"};
    begin(&f, (const char *[]){SERVERS("\"198.18.0.1\""), SERVERS("\"198.18.0.1\""),
                               SERVERS("\"198.18.0.1\""), SERVERS("\"198.18.0.1\""), NULL});
    assert_fine(ops->ip->move(&f.ctx, f.provider, f.arena, &ip, "1", &op)); /* has it already */
    CLEANUP_ERR struct err *region = ops->ip->move(&f.ctx, f.provider, f.arena, &ip, "3", &op);
    assert_kind(region, ERR_REJECTED);
    CLEANUP_ERR struct err *gone = ops->ip->move(&f.ctx, f.provider, f.arena, &lost, "2", &op);
    assert_kind(gone, ERR_NOT_FOUND);
    CLEANUP_ERR struct err *nobody = ops->ip->move(&f.ctx, f.provider, f.arena, &ip, "77", &op);
    assert_kind(nobody, ERR_NOT_FOUND);
    canned_stop(&f.server);
    for (int i = 0; i < 4; i++)
        assert_true(strncmp(f.server.requests[i], "GET ", 4) == 0);
    end(&f);
}

static void snapshot_is_an_image_of_the_ext4_disk(void **state)
{
    (void)state;
    struct fixture f;
    const char *id = NULL;
    const char *op = NULL;
    bool done = true;
    begin(&f,
          (const char *[]){LIST("{\"id\":11,\"filesystem\":\"swap\"},{\"id\":12,\"filesystem\":\"ext4\"}"),
                           OK("{\"id\":\"private/7\",\"status\":\"creating\"}"),
                           OK("{\"id\":\"private/7\",\"status\":\"creating\"}"),
                           OK("{\"id\":\"private/7\",\"status\":\"available\"}"),
                           REASON("404 Not Found", "Not found"), NULL});
    assert_fine(ops->snapshot->create(&f.ctx, f.provider, f.arena, "42", "rehost-r1", &id, &op));
    assert_string_equal(id, "private/7");
    assert_fine(ops->op_poll(&f.ctx, f.provider, f.arena, op, &done));
    assert_false(done);
    assert_fine(ops->op_poll(&f.ctx, f.provider, f.arena, op, &done));
    assert_true(done);
    CLEANUP_ERR struct err *failed = ops->op_poll(&f.ctx, f.provider, f.arena, op, &done);
    assert_kind(failed, ERR_UNKNOWN_OUTCOME);
    assert_asked(&f, 0, "GET /linode/instances/42/disks?page_size=500", NULL);
    assert_asked(&f, 1, "POST /images", "{\"disk_id\":12,\"label\":\"rehost-r1\",\"cloud_init\":true}");
    assert_asked(&f, 2, "GET /images/private%2F7", NULL);
    end(&f);
}

static void private_images_are_the_snapshots(void **state)
{
    (void)state;
    struct fixture f;
    struct snapshot *snapshots = NULL;
    size_t count = 0;
    begin(&f, (const char *[]){LIST("{\"id\":\"linode/debian12\",\"is_public\":true},"
                                    "{\"id\":\"private/7\",\"label\":\"rehost-r1\",\"is_public\":false,"
                                    "\"status\":\"available\",\"size\":2560,"
                                    "\"created\":\"2026-11-20T02:41:00\"}"),
                               NOTHING, NULL});
    assert_fine(ops->snapshot->list(&f.ctx, f.provider, f.arena, &snapshots, &count));
    assert_int_equal(count, 1);
    assert_string_equal(snapshots[0].id, "private/7");
    assert_string_equal(snapshots[0].name, "rehost-r1");
    assert_true(snapshots[0].ready);
    assert_true(snapshots[0].size_gib > 2.4 && snapshots[0].size_gib < 2.6);
    assert_true(snapshots[0].created_ms == INT64_C(1795142460000));
    assert_fine(ops->snapshot->delete (&f.ctx, f.provider, f.arena, "private/7"));
    assert_asked(&f, 1, "DELETE /images/private%2F7", NULL);
    end(&f);
}

#define VOLUME(region, size, server) VOLUME_IN("creating", region, size, server)
#define VOLUME_IN(status, region, size, server)                                                              \
    "{\"id\":3,\"label\":\"data\",\"region\":\"" region "\",\"size\":" size ",\"linode_id\":" server         \
    ",\"status\":\"" status "\",\"filesystem_path\":\"/dev/disk/by-id/scsi-0Linode_Volume_data\"}"

static const struct volume_spec volume_spec = {.name = "data", .region = "nl-ams", .size_gib = 20};

static void volume_is_found_by_name_and_region_or_made(void **state)
{
    (void)state;
    struct fixture f;
    struct volume volume = {0};
    const char *op = NULL;
    bool done = true;
    begin(&f, (const char *[]){LIST(VOLUME("us-east", "20", "null")), OK(VOLUME("nl-ams", "20", "null")),
                               OK(VOLUME("nl-ams", "20", "null")), LIST(VOLUME("nl-ams", "20", "null")),
                               LIST(VOLUME_IN("active", "nl-ams", "20", "42")),
                               LIST(VOLUME("nl-ams", "30", "null")), NULL});
    assert_fine(ops->volume->ensure(&f.ctx, f.provider, f.arena, &volume_spec, &volume, &op));
    assert_string_equal(volume.id, "3");
    assert_null(volume.device);
    assert_fine(ops->op_poll(&f.ctx, f.provider, f.arena, op, &done));
    assert_false(done); /* still "creating" */
    op = NULL;          /* a process that starts again knows of no operation, and waits for the same */
    assert_fine(ops->volume->ensure(&f.ctx, f.provider, f.arena, &volume_spec, &volume, &op));
    assert_string_equal(op, "volume:3");
    assert_fine(ops->volume->ensure(&f.ctx, f.provider, f.arena, &volume_spec, &volume, &op));
    assert_null(op);
    assert_string_equal(volume.server_id, "42");
    assert_string_equal(volume.device, "/dev/disk/by-id/scsi-0Linode_Volume_data");
    CLEANUP_ERR struct err *size =
        ops->volume->ensure(&f.ctx, f.provider, f.arena, &volume_spec, &volume, &op);
    assert_kind(size, ERR_CONFLICT);
    assert_asked(&f, 1, "POST /volumes", "{\"label\":\"data\",\"region\":\"nl-ams\",\"size\":20}");
    end(&f);
}

static void volume_is_attached_and_detached_until_it_says_so(void **state)
{
    (void)state;
    struct fixture f;
    const char *op = NULL;
    bool done = true;
    begin(&f, (const char *[]){OK(VOLUME("nl-ams", "20", "null")), OK(VOLUME("nl-ams", "20", "42")),
                               OK(VOLUME("nl-ams", "20", "null")), OK(VOLUME("nl-ams", "20", "42")),
                               OK(VOLUME("nl-ams", "20", "42")), OK(VOLUME("nl-ams", "20", "42")), NOTHING,
                               OK(VOLUME("nl-ams", "20", "42")), OK(VOLUME("nl-ams", "20", "null")),
                               OK(VOLUME("nl-ams", "20", "null")), OK(VOLUME("nl-ams", "20", "42")), NULL});
    assert_fine(ops->volume->attach(&f.ctx, f.provider, f.arena, "3", "42", &op));
    assert_fine(ops->op_poll(&f.ctx, f.provider, f.arena, op, &done));
    assert_false(done);
    assert_fine(ops->op_poll(&f.ctx, f.provider, f.arena, op, &done));
    assert_true(done);
    assert_fine(ops->volume->attach(&f.ctx, f.provider, f.arena, "3", "42", &op));
    assert_null(op); /* is there already */
    assert_fine(ops->volume->detach(&f.ctx, f.provider, f.arena, "3", &op));
    assert_fine(ops->op_poll(&f.ctx, f.provider, f.arena, op, &done));
    assert_false(done);
    assert_fine(ops->op_poll(&f.ctx, f.provider, f.arena, op, &done));
    assert_true(done);
    assert_fine(ops->volume->detach(&f.ctx, f.provider, f.arena, "3", &op));
    assert_null(op);
    CLEANUP_ERR struct err *taken = ops->volume->attach(&f.ctx, f.provider, f.arena, "3", "43", &op);
    assert_kind(taken, ERR_CONFLICT);
    assert_asked(&f, 1, "POST /volumes/3/attach", "{\"linode_id\":42}");
    assert_asked(&f, 6, "POST /volumes/3/detach", NULL);
    end(&f);
}

#define CLUSTER(id, status, host)                                                                            \
    "{\"id\":" id ",\"label\":\"main\",\"region\":\"nl-ams\",\"type\":\"g6-dedicated-2\",\"status\":"        \
    "\"" status "\",\"version\":\"16.4\",\"port\":23456,\"cluster_size\":3,"                                 \
    "\"allow_list\":[\"198.18.0.0/24\"],\"hosts\":{\"primary\":" host                                        \
    ",\"secondary\":null},\"oldest_restore_time\":\"2026-11-13 02:41:00\"}"

static void database_tells_host_credentials_and_window(void **state)
{
    (void)state;
    struct fixture f;
    struct database_cluster cluster = {0};
    begin(&f, (const char *[]){OK(CLUSTER("5", "active", "\"main.servers.linodedb.net\"")),
                               OK("{\"username\":\"akmadmin\",\"password\":\"s3cret-of-5\"}"),
                               OK(CLUSTER("6", "provisioning", "null")), NULL});
    assert_fine(ops->database->get(&f.ctx, f.provider, f.arena, "5", &cluster));
    assert_true(cluster.ready);
    assert_string_equal(cluster.host, "main.servers.linodedb.net");
    assert_int_equal(cluster.port, 23456);
    assert_string_equal(cluster.version, "16");
    assert_string_equal(cluster.user, "akmadmin");
    assert_string_equal(secret_text(cluster.password), "s3cret-of-5");
    assert_true(cluster.oldest_ms == INT64_C(1794537660000));
    assert_fine(ops->database->get(&f.ctx, f.provider, f.arena, "6", &cluster));
    assert_false(cluster.ready); /* no credentials are asked for before it is */
    assert_null(cluster.host);
    end(&f);
}

static void database_is_restored_as_a_fork_with_the_versions_and_guests_of_its_source(void **state)
{
    (void)state;
    struct fixture f;
    struct database_cluster cluster = {0};
    struct database_restore restore = {.source_id = "5",
                                       .name = "main-dr",
                                       .region = "us-east",
                                       .size = "g6-dedicated-4",
                                       .at_ms = INT64_C(1795142460000)};
    begin(&f, (const char *[]){OK(CLUSTER("5", "failed", "null")), OK(CLUSTER("6", "provisioning", "null")),
                               OK(CLUSTER("5", "active", "null")), OK(CLUSTER("7", "provisioning", "null")),
                               NULL});
    assert_fine(ops->database->restore(&f.ctx, f.provider, f.arena, &restore, &cluster));
    assert_string_equal(cluster.id, "6");
    assert_false(cluster.ready);
    restore.at_ms = 0;
    assert_fine(ops->database->restore(&f.ctx, f.provider, f.arena, &restore, &cluster));
    assert_asked(&f, 1, "POST /databases/postgresql/instances", NULL);
    CLEANUP_JSON json_t *body = asked(&f, 1);
    assert_string_equal(text_at(body, "engine"), "postgresql/16");
    assert_string_equal(text_at(body, "region"), "us-east");
    assert_string_equal(text_at(body, "type"), "g6-dedicated-4");
    assert_int_equal(json_integer_value(decode_find(body, "fork.source")), 5);
    assert_string_equal(text_at(body, "fork.restore_time"), "2026-11-20T02:41:00");
    assert_string_equal(text_at(body, "allow_list.0"), "198.18.0.0/24"); /* empty: nobody may connect */
    CLEANUP_JSON json_t *newest = asked(&f, 3);
    assert_null(decode_find(newest, "fork.restore_time"));
    end(&f);
}

static int find_provider(void **state)
{
    (void)state;
    ops = provider_find("linode");
    return ops && !http_global_init() ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(create_sends_what_the_plan_says),
        cmocka_unit_test(each_server_gets_a_strong_root_password_of_its_own),
        cmocka_unit_test(create_from_a_snapshot_or_an_image_of_the_user_names_it_as_linode_does),
        cmocka_unit_test(failed_create_is_told_apart_by_status_field_and_text),
        cmocka_unit_test(error_shows_field_and_reason_but_no_password),
        cmocka_unit_test(rate_limit_says_when_to_come_back),
        cmocka_unit_test(names_tags_and_user_data_that_linode_refuses_are_never_sent),
        cmocka_unit_test(server_has_its_public_address_and_utc_times),
        cmocka_unit_test(server_without_addresses_yet_has_none),
        cmocka_unit_test(addresses_beside_the_private_network_are_public),
        cmocka_unit_test(list_filters_by_tag_in_a_header_and_reads_all_pages),
        cmocka_unit_test(list_of_everything_has_no_filter),
        cmocka_unit_test(power_and_delete_have_nothing_to_wait_for),
        cmocka_unit_test(delete_of_a_busy_or_missing_server_is_told_apart),
        cmocka_unit_test(key_is_its_own_id_and_never_registered),
        cmocka_unit_test(check_tells_scopes_servers_and_remaining_rate),
        cmocka_unit_test(token_without_any_right_to_servers_is_told_what_it_lacks),
        cmocka_unit_test(catalog_has_places_prices_and_stock),
        cmocka_unit_test(catalog_has_images_by_their_common_names),
        cmocka_unit_test(firewall_is_made_once_and_then_given_its_rules),
        cmocka_unit_test(firewall_stands_before_the_server_or_its_public_interface),
        cmocka_unit_test(objection_where_nothing_is_made_is_no_lack_of_capacity),
        cmocka_unit_test(public_addresses_of_all_servers_can_be_moved),
        cmocka_unit_test(move_of_the_only_address_is_a_swap),
        cmocka_unit_test(address_that_is_there_elsewhere_or_lost_is_not_sent_for),
        cmocka_unit_test(snapshot_is_an_image_of_the_ext4_disk),
        cmocka_unit_test(private_images_are_the_snapshots),
        cmocka_unit_test(volume_is_found_by_name_and_region_or_made),
        cmocka_unit_test(volume_is_attached_and_detached_until_it_says_so),
        cmocka_unit_test(database_tells_host_credentials_and_window),
        cmocka_unit_test(database_is_restored_as_a_fork_with_the_versions_and_guests_of_its_source),
    };
    return cmocka_run_group_tests(tests, find_provider, NULL);
}
