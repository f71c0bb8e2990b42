/* The Vultr adapters: what they send, what they make of answers. Shapes are those of Vultr's published
 * document, to which tests/contract holds them with a checking proxy; words of errors are those that its
 * users report. */
#include "base/http.h"
#include "providers/compute/provider.h"
#include "providers/dns/dns.h"
#include "tests/unit/providers/adapter_fixture.h"

#define ERROR(status, text) ANSWER(status, "{\"error\":\"" text "\",\"status\":400}")
#define NO_CONTENT HEAD("204 No Content") "\r\n"
#define PAGE(next) ",\"meta\":{\"total\":7,\"links\":{\"next\":\"" next "\",\"prev\":\"\"}}"
#define LAST PAGE("")
#define INSTANCE(status, power, ip, rest)                                                                    \
    "{\"id\":\"4f0f12e5-1f84\",\"main_ip\":\"" ip "\",\"region\":\"ams\",\"plan\":\"vc2-1c-2gb\","           \
    "\"date_created\":\"2026-11-20T02:41:00+00:00\",\"status\":\"" status "\",\"power_status\":\"" power     \
    "\",\"server_status\":\"none\",\"v6_network\":\"\",\"label\":\"rehost-r1-web-1-"                         \
    "a1\","                                                                                                  \
    "\"hostname\":\"rehost-r1-web-1-a1\",\"default_password\":\"v5{Fkvb#2ycPGwHs\"" rest "}"
#define TAGS ",\"tags\":[\"rehost-run:r1\",\"rehost-host:web-1\",\"somebody else's\"]"
#define PENDING INSTANCE("pending", "running", "0.0.0.0", TAGS ",\"v6_main_ip\":\"\"")
#define RUNNING                                                                                              \
    INSTANCE("active", "running", "198.18.0.7",                                                              \
             TAGS ",\"v6_main_ip\":\"2001:0db8:1112:18fb:0200:00ff:fe00:0000\"")
#define OS_LIST                                                                                              \
    OK("{\"os\":[{\"id\":159,\"name\":\"Custom\",\"arch\":\"x64\",\"family\":\"iso\"},"                      \
       "{\"id\":2284,\"name\":\"Ubuntu 24.04 LTS x64\",\"arch\":\"x64\",\"family\":\"ubuntu\"},"             \
       "{\"id\":2136,\"name\":\"Debian 12 x64 (bookworm)\",\"arch\":\"x64\",\"family\":\"debian\"},"         \
       "{\"id\":1869,\"name\":\"Rocky Linux 9 x64\",\"arch\":\"x64\",\"family\":\"rockylinux\"},"            \
       "{\"id\":240,\"name\":\"Windows 2016 Standard x64\",\"arch\":\"x64\",\"family\":\"windows\"},"        \
       "{\"id\":7,\"name\":\"Debian 12 i386\",\"arch\":\"i386\",\"family\":\"debian\"}]" LAST "}")

/* ---- servers ---- */

static const struct label labels[] = {{"rehost-run", "r1"}, {"rehost-host", "web-1"}};
static const char *const keys[] = {"c3096c8a"};
static const struct server_spec spec = {
    .name = "rehost-r1-web-1-a1",
    .region = "ams",
    .size = "vc2-1c-2gb",
    .image = "ubuntu-24.04",
    .ssh_key_ids = keys,
    .ssh_key_count = 1,
    .user_data = "#cloud-config\n",
    .labels = labels,
    .label_count = 2,
};

static struct err *create(struct fixture *f, const char *image, struct server *server, const char **op)
{
    struct server_spec wanted = spec;
    wanted.image = image;
    return ops->server_create(&f->ctx, f->provider, f->arena, &wanted, server, op);
}

static void create_sends_what_the_plan_says_in_vultr_s_words(void **state)
{
    (void)state;
    struct fixture f;
    struct server server = {0};
    const char *op = "unset";
    begin(&f, (const char *[]){OS_LIST, ANSWER("202 Accepted", "{\"instance\":" PENDING "}"), NULL});
    assert_fine(create(&f, "ubuntu-24.04", &server, &op));
    assert_string_equal(server.id, "4f0f12e5-1f84");
    assert_int_equal(server.status, SERVER_PENDING);
    assert_null(server.ipv4); /* "0.0.0.0" is none */
    assert_null(server.ipv6); /* neither is "" */
    assert_true(server.created_ms == INT64_C(1795142460000));
    assert_string_equal(server_label(&server, "rehost-host"), "web-1");
    assert_int_equal(server.label_count, 2);
    assert_null(op); /* there is nothing to poll */
    assert_asked(&f, 0, "GET /os?per_page=500", NULL);
    assert_asked(&f, 1, "POST /instances",
                 "{\"region\":\"ams\",\"plan\":\"vc2-1c-2gb\",\"label\":\"rehost-r1-web-1-a1\",\"hostname\":"
                 "\"rehost-r1-web-1-a1\",\"sshkey_id\":[\"c3096c8a\"],\"tags\":[\"rehost-run:r1\",\"rehost-"
                 "host:web-1\"],\"enable_ipv6\":true,\"backups\":\"disabled\",\"activation_email\":false,"
                 "\"user_data\":\"I2Nsb3VkLWNvbmZpZwo=\",\"os_id\":2284}");
    end(&f);
}

static void list_of_images_is_asked_for_once_an_open_account(void **state)
{
    (void)state;
    struct fixture f;
    struct server server = {0};
    const char *op = NULL;
    const char *made = ANSWER("202 Accepted", "{\"instance\":" PENDING "}");
    begin(&f, (const char *[]){ERROR("503 Later", "busy"), OS_LIST, made, made, NULL});
    CLEANUP_ERR struct err *e = create(&f, "debian-12", &server, &op);
    assert_kind(e, ERR_TRANSIENT); /* nothing was created yet, and a failure is not kept */
    assert_fine(create(&f, "debian-12", &server, &op));
    assert_fine(create(&f, "Rocky Linux 9 x64", &server, &op));
    assert_asked_times(&f, 4);
    assert_asked(&f, 2, "POST /instances", "\"os_id\":2136");
    assert_asked(&f, 3, "POST /instances", "\"os_id\":1869");
    end(&f);
}

static void snapshot_is_an_image_that_needs_no_list(void **state)
{
    (void)state;
    struct fixture f;
    struct server server = {0};
    const char *op = NULL;
    begin(&f, (const char *[]){ANSWER("202 Accepted", "{\"instance\":" PENDING "}"), NULL});
    assert_fine(create(&f, "snapshot:cb676a46", &server, &op));
    assert_asked(&f, 0, "POST /instances", "\"snapshot_id\":\"cb676a46\"");
    end(&f);
}

static void image_that_vultr_has_not_is_rejected_and_nothing_is_created(void **state)
{
    (void)state;
    static const char *const images[] = {"debian-99", "Custom", "Windows 2016 Standard x64", "windows-2016",
                                         "Debian 12 i386"};
    struct fixture f;
    begin(&f, (const char *[]){OS_LIST, NULL});
    for (size_t i = 0; i < sizeof(images) / sizeof(images[0]); i++) {
        struct server server = {0};
        const char *op = NULL;
        CLEANUP_ERR struct err *e = create(&f, images[i], &server, &op);
        assert_kind(e, ERR_REJECTED);
        assert_non_null(err_hint(e));
    }
    assert_asked_times(&f, 1);
    end(&f);
}

static void failed_create_is_told_apart_by_its_words(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        enum err_kind kind;
    } cases[] = {
        {ERROR("400 Bad", "The plan is not available in the selected region."), ERR_CAPACITY},
        {ERROR("400 Bad", "Plan is not available in the selected location"), ERR_CAPACITY},
        {ERROR("400 Bad", "Invalid plan chosen."), ERR_CAPACITY},
        {ERROR("400 Bad", "You have reached the maximum number of servers."), ERR_QUOTA},
        {ERROR("403 Forbidden", "Server limit exceeded for this account"), ERR_QUOTA},
        {ERROR("400 Bad", "Invalid region."), ERR_REJECTED},
        {ERROR("422 Bad", "Invalid hostname"), ERR_REJECTED},
        {ERROR("404 Not Found", "Invalid snapshot"), ERR_REJECTED}, /* there is no server to look for */
        {ERROR("401 No", "Invalid API token."), ERR_AUTH},
        {ERROR("401 No", "Unauthorized IP address: 198.18.0.1"), ERR_AUTH},
        {ERROR("403 No", "Unauthorized IP address: 198.18.0.1"), ERR_AUTH},
        {ERROR("403 No", "Forbidden"), ERR_AUTH},
        {ERROR("429 Slow", "rate limit exceeded"), ERR_RATE_LIMIT}, /* and no quota, for all its words */
        {ERROR("500 Oops", "Server error"), ERR_UNKNOWN_OUTCOME},
        {ERROR("503 Later", "m"), ERR_UNKNOWN_OUTCOME},
        {ANSWER("502 Bad Gateway", "<html>limit</html>"), ERR_UNKNOWN_OUTCOME},
        {CANNED_HANG_UP, ERR_UNKNOWN_OUTCOME},
        {HEAD("202 Accepted") "Content-Length: 900\r\n\r\n{\"instance\":{\"id\":\"4f", ERR_UNKNOWN_OUTCOME},
        {ANSWER("202 Accepted", "<html>"), ERR_UNKNOWN_OUTCOME},
        {ANSWER("202 Accepted", "{\"instance\":{\"label\":\"x\"}}"), ERR_UNKNOWN_OUTCOME},
        {ANSWER("202 Accepted", ""), ERR_UNKNOWN_OUTCOME},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture f;
        struct server server = {0};
        const char *op = NULL;
        begin(&f, (const char *[]){cases[i].answer, NULL});
        CLEANUP_ERR struct err *e = create(&f, "snapshot:1", &server, &op);
        assert_kind(e, cases[i].kind);
        end(&f);
    }
}

static void address_that_is_not_allow_listed_is_told_with_what_to_do(void **state)
{
    (void)state;
    struct fixture f;
    struct account_state account = {0};
    struct dns_zone zone = {0};
    const char *refused = ERROR("401 No", "Unauthorized IP address: 2001:db8::1");
    begin(&f, (const char *[]){refused, refused, ERROR("401 No", "Invalid API token."), NULL});
    CLEANUP_ERR struct err *e = ops->check(&f.ctx, f.provider, f.arena, &account);
    assert_kind(e, ERR_AUTH);
    assert_non_null(strstr(err_text(e), "2001:db8::1"));
    assert_non_null(strstr(err_hint(e), "IPv4 and IPv6"));
    CLEANUP_ERR struct err *dns = dns_ops->zone_find(&f.ctx, f.dns, f.arena, "example.com", &zone);
    assert_non_null(strstr(err_hint(dns), "IPv4 and IPv6"));
    CLEANUP_ERR struct err *wrong = ops->check(&f.ctx, f.provider, f.arena, &account);
    assert_kind(wrong, ERR_AUTH);
    assert_non_null(strstr(err_hint(wrong), "key is wrong"));
    assert_null(strstr(err_text(wrong), "sesame"));
    end(&f);
}

static void rate_limit_says_when_to_come_back(void **state)
{
    (void)state;
    struct fixture f;
    struct server server = {0};
    begin(&f, (const char *[]){HEAD("429 Slow") "Retry-After: 7\r\n\r\n{\"error\":\"rate limit exceeded\"}",
                               ERROR("429 Slow", "rate limit exceeded"), NULL});
    CLEANUP_ERR struct err *told = ops->server_get(&f.ctx, f.provider, f.arena, "4f0f", &server);
    assert_kind(told, ERR_RATE_LIMIT);
    assert_int_equal(err_retry_after_ms(told), 7000);
    CLEANUP_ERR struct err *untold = ops->server_get(&f.ctx, f.provider, f.arena, "4f0f", &server);
    assert_kind(untold, ERR_RATE_LIMIT);
    assert_int_equal(err_retry_after_ms(untold), 1000);
    end(&f);
}

static void status_is_read_from_three_fields(void **state)
{
    (void)state;
    static const struct {
        const char *instance;
        enum server_status status;
    } cases[] = {
        {"{\"instance\":" PENDING "}", SERVER_PENDING},
        {"{\"instance\":" INSTANCE("pending", "stopped", "0.0.0.0", "") "}", SERVER_PENDING},
        {"{\"instance\":" INSTANCE("active", "running", "0.0.0.0", "") "}",
         SERVER_PENDING}, /* no address yet */
        {"{\"instance\":" INSTANCE("active", "running", "0.0.0.0", ",\"vpc_only\":true") "}", SERVER_RUNNING},
        {"{\"instance\":" RUNNING "}", SERVER_RUNNING}, /* server_status "none" is not waited out */
        {"{\"instance\":" INSTANCE("active", "stopped", "198.18.0.7", "") "}", SERVER_OFF},
        {"{\"instance\":" INSTANCE("resizing", "stopped", "198.18.0.7", "") "}", SERVER_PENDING},
        {"{\"instance\":" INSTANCE("suspended", "running", "198.18.0.7", "") "}", SERVER_STATUS_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture f;
        struct server server = {0};
        char answer[2000];
        (void)snprintf(answer, sizeof(answer), OK("%s"), cases[i].instance);
        begin(&f, (const char *[]){answer, NULL});
        assert_fine(ops->server_get(&f.ctx, f.provider, f.arena, "4f0f", &server));
        assert_int_equal(server.status, cases[i].status);
        end(&f);
    }
}

static void addresses_are_read_in_their_usual_spelling(void **state)
{
    (void)state;
    struct fixture f;
    struct server server = {0};
    begin(&f, (const char *[]){
                  OK("{\"instance\":" RUNNING "}"),
                  OK("{\"instance\":" INSTANCE("active", "running", "198.18.0.7",
                                               ",\"v6_networks\":[{\"main_ip\":\"2001:db8::7\"}]") "}"),
                  NULL});
    assert_fine(ops->server_get(&f.ctx, f.provider, f.arena, "4f0f/..", &server));
    assert_string_equal(server.ipv4, "198.18.0.7");
    assert_string_equal(server.ipv6, "2001:db8:1112:18fb:200:ff:fe00:0");
    assert_fine(ops->server_get(&f.ctx, f.provider, f.arena, "4f0f", &server));
    assert_string_equal(server.ipv6, "2001:db8::7"); /* as the document's schema has it */
    assert_asked(&f, 0, "GET /instances/4f0f%2F..", NULL);
    end(&f);
}

static void list_reads_to_the_empty_cursor_and_picks_by_the_exact_label(void **state)
{
    (void)state;
    struct fixture f;
    struct server *servers = NULL;
    size_t count = 0;
    begin(&f, (const char *[]){OK("{\"instances\":[" PENDING
                                  "," INSTANCE("active", "running", "198.18.0.8",
                                               ",\"tags\":[\"Rehost-Run:R1\"]") "]" PAGE("bmV4dA==") "}"),
                               OK("{\"instances\":[" RUNNING "]" LAST "}"), NULL});
    assert_fine(ops->server_list(&f.ctx, f.provider, f.arena, &labels[0], &servers, &count));
    assert_int_equal(count, 2); /* not that of another case */
    assert_string_equal(servers[1].ipv4, "198.18.0.7");
    assert_asked(&f, 0, "GET /instances?per_page=500", NULL);
    assert_asked(&f, 1, "GET /instances?per_page=500&cursor=bmV4dA%3D%3D", NULL);
    end(&f);
}

static void power_has_no_handle_and_shutdown_is_halt(void **state)
{
    (void)state;
    static const struct {
        enum server_power power;
        const char *line;
    } cases[] = {
        {POWER_ON, "POST /instances/4f0f/start"},
        {POWER_OFF, "POST /instances/4f0f/halt"},
        {POWER_SHUTDOWN, "POST /instances/4f0f/halt"},
        {POWER_REBOOT, "POST /instances/4f0f/reboot"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture f;
        const char *op = "unset";
        begin(&f, (const char *[]){NO_CONTENT, NULL});
        assert_fine(ops->server_power(&f.ctx, f.provider, f.arena, "4f0f", cases[i].power, &op));
        assert_null(op);
        assert_asked(&f, 0, cases[i].line, NULL);
        end(&f);
    }
}

static void delete_tells_busy_from_gone_from_unknown(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        enum err_kind kind;
    } cases[] = {
        {ERROR("500 Oops", "Unable to destroy server: Unable to remove VM: Server is currently locked"),
         ERR_CONFLICT},
        {ERROR("500 Oops", "Server is already pending destruction."), ERR_NOT_FOUND},
        {ERROR("400 Bad", "Server is already pending destruction."), ERR_NOT_FOUND},
        {ERROR("400 Bad", "Invalid instance ID."), ERR_NOT_FOUND},
        {ERROR("404 Not Found", "Invalid instance ID."), ERR_NOT_FOUND},
        {ERROR("500 Oops", "Unable to destroy server"), ERR_UNKNOWN_OUTCOME},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture f;
        const char *op = NULL;
        begin(&f, (const char *[]){cases[i].answer, NULL});
        CLEANUP_ERR struct err *e = ops->server_delete(&f.ctx, f.provider, f.arena, "4f0f", &op);
        assert_kind(e, cases[i].kind);
        end(&f);
    }
    struct fixture f;
    const char *op = "unset";
    begin(&f, (const char *[]){NO_CONTENT, NULL});
    assert_fine(ops->server_delete(&f.ctx, f.provider, f.arena, "4f0f", &op));
    assert_null(op);
    end(&f);
}

static void look_that_fails_changes_nothing_and_is_transient(void **state)
{
    (void)state;
    static const char *const answers[] = {
        CANNED_HANG_UP,
        ANSWER("502 Bad Gateway", "<html>"),
        OK("<html>"),
        HEAD("200 OK") "Content-Length: 900\r\n\r\n{\"instances\":[",
    };
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        struct fixture f;
        struct server *servers = NULL;
        size_t count = 0;
        begin(&f, (const char *[]){answers[i], NULL});
        CLEANUP_ERR struct err *e = ops->server_list(&f.ctx, f.provider, f.arena, NULL, &servers, &count);
        assert_kind(e, ERR_TRANSIENT);
        end(&f);
    }
}

/* ---- account and catalogue ---- */

static void check_names_the_permissions_that_are_missing(void **state)
{
    (void)state;
    struct fixture f;
    struct account_state account = {0};
    const char *servers = OK("{\"instances\":[]" LAST "}");
    begin(&f,
          (const char *[]){
              OK("{\"account\":{\"acls\":[\"subscriptions_view\",\"subscriptions\",\"provisioning\","
                 "\"firewall\",\"dns\",\"billing\"]}}"),
              servers, OK("{\"account\":{\"acls\":[\"subscriptions_view\",\"subscriptions\",\"firewall\"]}}"),
              servers, OK("{\"account\":{\"acls\":[\"subscriptions_view\"]}}"), servers,
              OK("{\"account\":{\"name\":\"x\"}}"), servers, NULL});
    assert_fine(ops->check(&f.ctx, f.provider, f.arena, &account));
    assert_null(account.lacks);
    assert_false(account.read_only);
    assert_int_equal(account.server_count, 7);
    assert_int_equal(account.server_limit, -1);
    assert_true(account.rate_remaining == -1);
    assert_fine(ops->check(&f.ctx, f.provider, f.arena, &account));
    assert_string_equal(account.lacks, "provisioning, dns");
    assert_false(account.read_only);
    assert_fine(ops->check(&f.ctx, f.provider, f.arena, &account));
    assert_true(account.read_only);
    assert_fine(ops->check(&f.ctx, f.provider, f.arena, &account));
    assert_null(account.lacks); /* not told is not missing */
    assert_asked(&f, 1, "GET /instances?per_page=1", NULL);
    end(&f);
}

#define PLAN(id, type, disk, locations, rest)                                                                \
    "{\"id\":\"" id "\",\"vcpu_count\":2,\"ram\":2048,\"disk\":" disk                                        \
    ",\"monthly_cost\":10,\"hourly_cost\":"                                                                  \
    "0.015,\"type\":\"" type "\",\"locations\":[" locations "]" rest "}"

static void catalogue_tells_what_is_in_stock_not_only_what_is_offered(void **state)
{
    (void)state;
    struct fixture f;
    struct catalog catalog = {0};
    begin(
        &f,
        (const char *[]){
            OK("{\"plans\":[" PLAN(
                "vc2-2c-2gb", "vc2", "55", "\"ams\",\"sao\"",
                ",\"location_cost\":{\"sao\":{\"monthly_cost\":14.6,\"hourly_cost\":"
                "null}},\"gpu_brand\":\"none\"") "," PLAN("vcg-a16", "vcg", "50", "\"ams\"",
                                                          "") "," PLAN("voc-gpu", "voc", "50", "\"ams\"",
                                                                       ",\"gpu_brand\":"
                                                                       "\"nvidia\"") "," PLAN("vx"
                                                                                              "1-"
                                                                                              "g",
                                                                                              "vx"
                                                                                              "1",
                                                                                              "0",
                                                                                              "\""
                                                                                              "am"
                                                                                              "s"
                                                                                              "\"",
                                                                                              "") "," PLAN("v"
                                                                                                           "h"
                                                                                                           "p"
                                                                                                           "-"
                                                                                                           "1",
                                                                                                           "v"
                                                                                                           "h"
                                                                                                           "p",
                                                                                                           "5"
                                                                                                           "0",
                                                                                                           "\"ams\"",
                                                                                                           "") "]" LAST
                                                                                                               "}"),
            OK("{\"regions\":[{\"id\":\"ams\",\"country\":\"NL\"},{\"id\":\"ewr\",\"country\":"
               "\"US\"},"
               "{\"id\":\"sao\",\"country\":\"BR\"}]" LAST "}"),
            OK("{\"available_plans\":[\"vc2-2c-2gb\"],\"available_vpc_only_plans\":[\"vhp-1\"]}"),
            OK("{\"available_plans\":[],\"available_vpc_only_plans\":[]}"), OS_LIST, NULL});
    assert_fine(ops->catalog(&f.ctx, f.provider, f.arena, &catalog));
    assert_string_equal(catalog.currency, "USD");
    assert_int_equal(catalog.size_count, 2); /* no GPU, nothing that has no disk */
    const struct server_size *size = &catalog.sizes[0];
    assert_string_equal(size->name, "vc2-2c-2gb");
    assert_string_equal(size->architecture, "x86");
    assert_int_equal(size->cores, 2);
    assert_true(size->memory_gib == 2 && size->disk_gib == 55);
    assert_int_equal(size->offer_count, 2);
    assert_true(size->offers[0].available);
    assert_true(size->offers[0].price_hourly == 0.015 && size->offers[0].price_monthly == 10);
    assert_false(size->offers[1].available);
    assert_true(size->offers[1].price_monthly == 14.6); /* the region's own */
    assert_true(size->offers[1].price_hourly == 14.6 / 730);
    assert_false(catalog.sizes[1].offers[0].available); /* without a public address it is of no use */
    assert_int_equal(catalog.region_count, 3);
    assert_string_equal(catalog.regions[0].country, "nl");
    assert_int_equal(catalog.image_count, 3);
    assert_string_equal(catalog.images[0], "ubuntu-24.04");
    assert_string_equal(catalog.images[1], "debian-12");
    assert_string_equal(catalog.images[2], "Rocky Linux 9 x64");
    assert_asked_times(&f, 5); /* "ewr", where nothing is offered, is not asked */
    assert_asked(&f, 2, "GET /regions/ams/availability", NULL);
    assert_asked(&f, 3, "GET /regions/sao/availability", NULL);
    end(&f);
}

/* ---- keys ---- */

static void key_is_found_by_its_material_whatever_it_is_called(void **state)
{
    (void)state;
    struct fixture f;
    const char *id = NULL;
    const char *none = OK("{\"ssh_keys\":[]" LAST "}");
    begin(&f, (const char *[]){
                  OK("{\"ssh_keys\":[{\"id\":\"k1\",\"name\":\"rehost-r1\",\"ssh_key\":\"ssh-ed25519 "
                     "AAAB x\"},{\"id\":\"k2\",\"name\":\"old\",\"ssh_key\":\"ssh-ed25519 AAAA "
                     "y@z\\n\"}]" LAST "}"),
                  none, ANSWER("201 Created", "{\"ssh_key\":{\"id\":\"k3\"}}"), NO_CONTENT,
                  ERROR("404 Not Found", "Invalid SSH key"), NULL});
    assert_fine(ops->key_ensure(&f.ctx, f.provider, f.arena, "rehost-r1", "ssh-ed25519 AAAA a@b", &id));
    assert_string_equal(id, "k2");
    assert_fine(ops->key_ensure(&f.ctx, f.provider, f.arena, "rehost-r1", "ssh-ed25519 AAAA a@b", &id));
    assert_string_equal(id, "k3");
    assert_fine(ops->key_delete(&f.ctx, f.provider, f.arena, id));
    CLEANUP_ERR struct err *e = ops->key_delete(&f.ctx, f.provider, f.arena, id);
    assert_kind(e, ERR_NOT_FOUND);
    assert_asked(&f, 2, "POST /ssh-keys", "{\"name\":\"rehost-r1\",\"ssh_key\":\"ssh-ed25519 AAAA a@b\"}");
    assert_asked(&f, 3, "DELETE /ssh-keys/k3", NULL);
    end(&f);
}

/* ---- firewalls ---- */

static const char *const everywhere[] = {"0.0.0.0/0", "::/0"};
static const char *const office[] = {"198.18.5.77/16", "2001:DB8:0::/32"};
static const struct firewall_rule wanted_rules[] = {
    {"tcp", 443, 443, everywhere, 2},
    {"tcp", 8000, 8010, office, 2},
    {"icmp", 0, 0, everywhere, 1},
    {"tcp", 443, 443, everywhere, 1}, /* said twice */
};
static const struct firewall_spec wanted_firewall = {"rehost-web", wanted_rules, 4};

#define RULE(id, type, protocol, subnet, size, port)                                                         \
    "{\"id\":" id ",\"ip_type\":\"" type "\",\"protocol\":\"" protocol "\",\"subnet\":\"" subnet             \
    "\",\"subnet_size\":" size ",\"port\":\"" port "\",\"source\":\"\"}"

static void firewall_is_made_equal_to_what_is_wanted(void **state)
{
    (void)state;
    struct fixture f;
    const char *id = NULL;
    const char *made = ANSWER("201 Created", "{\"firewall_rule\":{\"id\":9}}");
    begin(&f, (const char *[]){
                  OK("{\"firewall_groups\":[{\"id\":\"g0\",\"description\":\"other\"},{\"id\":\"g1\","
                     "\"description\":"
                     "\"rehost-web\"}]" LAST "}"),
                  OK("{\"firewall_rules\":[" RULE("1", "v4", "TCP", "0.0.0.0", "0", "443") "," RULE(
                      "2", "v4", "tcp", "0.0.0.0", "0",
                      "22") "," RULE("3", "v6", "tcp", "2001:0db8::", "32",
                                     "8000:8010") "," RULE("4", "v4", "icmp", "0.0.0.0", "0",
                                                           "") ","
                                                               "{\"id\":5,\"ip_type\":\"v4\",\"protocol\":"
                                                               "\"tcp\",\"subnet\":\"\",\"subnet_size\":0,"
                                                               "\"port\":\"443\",\"source\":\"cloudflare\"}"
                                                               "]" LAST "}"),
                  made, made, NO_CONTENT, ERROR("404 Not Found", "gone"), NULL});
    assert_fine(ops->firewall->ensure(&f.ctx, f.provider, f.arena, &wanted_firewall, &id));
    assert_string_equal(id, "g1");
    assert_asked_times(&f, 6);
    assert_asked(
        &f, 2, "POST /firewalls/g1/rules",
        "{\"ip_type\":\"v6\",\"protocol\":\"tcp\",\"subnet\":\"::\",\"subnet_size\":0,\"port\":\"443\"}");
    assert_asked(&f, 3, "POST /firewalls/g1/rules",
                 "{\"ip_type\":\"v4\",\"protocol\":\"tcp\",\"subnet\":\"198.18.0.0\",\"subnet_size\":16,"
                 "\"port\":\"8000:8010\"}");
    assert_asked(&f, 4, "DELETE /firewalls/g1/rules/2", NULL);
    assert_asked(&f, 5, "DELETE /firewalls/g1/rules/5", NULL);
    end(&f);
}

static void firewall_that_is_not_there_is_made_with_its_rules(void **state)
{
    (void)state;
    struct fixture f;
    const char *id = NULL;
    const char *made = ANSWER("201 Created", "{\"firewall_rule\":{\"id\":9}}");
    const struct firewall_spec small = {"rehost-web", &wanted_rules[2], 1};
    begin(&f, (const char *[]){OK("{\"firewall_groups\":[]" LAST "}"),
                               ANSWER("201 Created", "{\"firewall_group\":{\"id\":\"g2\"}}"),
                               OK("{\"firewall_rules\":[]" LAST "}"), made, NULL});
    assert_fine(ops->firewall->ensure(&f.ctx, f.provider, f.arena, &small, &id));
    assert_string_equal(id, "g2");
    assert_asked(&f, 1, "POST /firewalls", "{\"description\":\"rehost-web\"}");
    assert_asked(&f, 3, "POST /firewalls/g2/rules",
                 "{\"ip_type\":\"v4\",\"protocol\":\"icmp\",\"subnet\":\"0.0.0.0\",\"subnet_size\":0}");
    end(&f);
}

static void source_that_is_no_network_is_never_sent(void **state)
{
    (void)state;
    static const char *const sources[] = {"office",       "198.18.0.0/33", "198.18.0.0/",
                                          "198.18.0.0/x", "::/129",        ""};
    struct fixture f;
    begin(&f, (const char *[]){NULL});
    for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
        const struct firewall_rule rule = {"tcp", 22, 22, &sources[i], 1};
        const struct firewall_spec bad = {"rehost-web", &rule, 1};
        const char *id = NULL;
        CLEANUP_ERR struct err *e = ops->firewall->ensure(&f.ctx, f.provider, f.arena, &bad, &id);
        assert_kind(e, ERR_INPUT);
    }
    assert_asked_times(&f, 0);
    end(&f);
}

static void firewall_is_attached_once(void **state)
{
    (void)state;
    struct fixture f;
    const char *op = "unset";
    begin(&f, (const char *[]){OK("{\"instance\":{\"firewall_group_id\":\"g1\"}}"),
                               OK("{\"instance\":{\"firewall_group_id\":\"\"}}"),
                               ANSWER("202 Accepted", "{\"instance\":" RUNNING "}"), NULL});
    assert_fine(ops->firewall->attach(&f.ctx, f.provider, f.arena, "g1", "4f0f", &op));
    assert_fine(ops->firewall->attach(&f.ctx, f.provider, f.arena, "g1", "4f0f", &op));
    assert_null(op);
    assert_asked_times(&f, 3);
    assert_asked(&f, 2, "PATCH /instances/4f0f", "{\"firewall_group_id\":\"g1\"}");
    end(&f);
}

/* ---- reserved IPs ---- */

#define RESERVED(subnet, size, owner)                                                                        \
    "{\"id\":\"ip1\",\"region\":\"ams\",\"ip_type\":\"v4\",\"subnet\":\"" subnet "\",\"subnet_size\":" size  \
    ",\"label\":\"x\",\"instance_id\":\"" owner "\"}"

static void reserved_ip_is_taken_from_whoever_has_it(void **state)
{
    (void)state;
    struct fixture f;
    struct movable_ip *ips = NULL;
    size_t count = 0;
    const char *op = "unset";
    begin(&f, (const char *[]){OK("{\"reserved_ips\":[" RESERVED("198.18.7.1", "32", "") "," RESERVED(
                                   "2001:0db8:5:5157::", "64", "old") "]" LAST "}"),
                               OK("{\"reserved_ip\":" RESERVED("198.18.7.1", "32", "old") "}"), NO_CONTENT,
                               NO_CONTENT, OK("{\"reserved_ip\":" RESERVED("198.18.7.1", "32", "new") "}"),
                               NULL});
    assert_fine(ops->ip->list(&f.ctx, f.provider, f.arena, &ips, &count));
    assert_int_equal(count, 2);
    assert_string_equal(ips[0].address, "198.18.7.1");
    assert_null(ips[0].server_id);
    assert_string_equal(ips[0].region, "ams");
    assert_true(ips[0].needs_configuration);
    assert_false(ips[0].needs_servers_off);
    assert_string_equal(ips[1].address, "2001:db8:5:5157::1"); /* a host address, not the network */
    assert_fine(
        ops->ip->move(&f.ctx, f.provider, f.arena, &ips[0], "new", &op)); /* the list was out of date */
    assert_null(op);
    assert_fine(ops->ip->move(&f.ctx, f.provider, f.arena, &ips[0], "new", &op));
    assert_asked_times(&f, 5);
    assert_asked(&f, 2, "POST /reserved-ips/ip1/detach", NULL);
    assert_asked(&f, 3, "POST /reserved-ips/ip1/attach", "{\"instance_id\":\"new\"}");
    end(&f);
}

/* ---- snapshots ---- */

#define SNAPSHOT(status)                                                                                     \
    "{\"id\":\"s1\",\"date_created\":\"2026-11-20T02:41:00+00:00\",\"description\":\"before\",\"size\":"     \
    "3221225472,\"status\":\"" status "\"}"

static void snapshot_is_polled_until_it_is_complete(void **state)
{
    (void)state;
    struct fixture f;
    const char *id = NULL;
    const char *op = NULL;
    bool done = true;
    struct snapshot *snapshots = NULL;
    size_t count = 0;
    begin(&f, (const char *[]){ANSWER("201 Created", "{\"snapshot\":" SNAPSHOT("pending") "}"),
                               OK("{\"snapshot\":" SNAPSHOT("pending") "}"),
                               OK("{\"snapshot\":" SNAPSHOT("complete") "}"),
                               OK("{\"snapshot\":" SNAPSHOT("deleted") "}"), ERROR("404 Not Found", "gone"),
                               OK("{\"snapshots\":[" SNAPSHOT("complete") "]" LAST "}"), NO_CONTENT, NULL});
    assert_fine(ops->snapshot->create(&f.ctx, f.provider, f.arena, "4f0f", "before", &id, &op));
    assert_string_equal(id, "s1");
    assert_string_equal(op, "snapshot:s1");
    assert_fine(ops->op_poll(&f.ctx, f.provider, f.arena, op, &done));
    assert_false(done);
    assert_fine(ops->op_poll(&f.ctx, f.provider, f.arena, op, &done));
    assert_true(done);
    for (int i = 0; i < 2; i++) { /* deleted meanwhile, or not known any more */
        CLEANUP_ERR struct err *e = ops->op_poll(&f.ctx, f.provider, f.arena, op, &done);
        assert_kind(e, ERR_UNKNOWN_OUTCOME);
    }
    assert_fine(ops->snapshot->list(&f.ctx, f.provider, f.arena, &snapshots, &count));
    assert_int_equal(count, 1);
    assert_true(snapshots[0].ready && snapshots[0].size_gib == 3);
    assert_string_equal(snapshots[0].name, "before");
    assert_fine(ops->snapshot->delete (&f.ctx, f.provider, f.arena, id));
    assert_asked(&f, 0, "POST /snapshots", "{\"instance_id\":\"4f0f\",\"description\":\"before\"}");
    assert_asked(&f, 1, "GET /snapshots/s1", NULL);
    assert_asked(&f, 6, "DELETE /snapshots/s1", NULL);
    end(&f);
}

/* ---- volumes ---- */

#define BLOCK(region, size, status, server)                                                                  \
    "{\"id\":\"b1\",\"region\":\"" region "\",\"size_gb\":" size                                             \
    ",\"label\":\"data-1\",\"status\":\"" status "\",\"attached_to_instance\":\"" server                     \
    "\",\"mount_id\":\"ams-x112233\"}"

static void volume_is_found_by_name_and_region_or_made(void **state)
{
    (void)state;
    struct fixture f;
    struct volume volume = {0};
    const char *op = NULL;
    bool done = false;
    const struct volume_spec wanted = {"data-1", "ams", 50};
    begin(&f, (const char *[]){OK("{\"blocks\":[" BLOCK("ewr", "50", "active", "") "]" LAST "}"),
                               ANSWER("202 Accepted", "{\"block\":" BLOCK("ams", "50", "pending", "") "}"),
                               OK("{\"block\":" BLOCK("ams", "50", "active", "") "}"),
                               OK("{\"blocks\":[" BLOCK("ams", "50", "active", "4f0f") "]" LAST "}"), NULL});
    assert_fine(ops->volume->ensure(&f.ctx, f.provider, f.arena, &wanted, &volume, &op));
    assert_null(volume.server_id);
    assert_null(volume.device);
    assert_string_equal(op, "block:b1");
    assert_fine(ops->op_poll(&f.ctx, f.provider, f.arena, op, &done));
    assert_true(done);
    assert_fine(ops->volume->ensure(&f.ctx, f.provider, f.arena, &wanted, &volume, &op));
    assert_null(op);
    assert_string_equal(volume.server_id, "4f0f");
    assert_string_equal(volume.device, "/dev/disk/by-id/virtio-ams-x112233");
    assert_asked(&f, 1, "POST /blocks",
                 "{\"region\":\"ams\",\"size_gb\":50,\"label\":\"data-1\",\"block_type\":\"high_perf\"}");
    end(&f);
}

static void volume_of_another_size_or_of_two_minds_is_left_alone(void **state)
{
    (void)state;
    struct fixture f;
    struct volume volume = {0};
    const char *op = NULL;
    const struct volume_spec wanted = {"data-1", "ams", 50};
    begin(&f, (const char *[]){OK("{\"blocks\":[" BLOCK("ams", "40", "active", "") "]" LAST "}"),
                               OK("{\"blocks\":[" BLOCK("ams", "50", "active", "") "," BLOCK(
                                   "ams", "50", "active", "") "]" LAST "}"),
                               NULL});
    for (int i = 0; i < 2; i++) {
        CLEANUP_ERR struct err *e = ops->volume->ensure(&f.ctx, f.provider, f.arena, &wanted, &volume, &op);
        assert_kind(e, ERR_CONFLICT);
    }
    assert_asked_times(&f, 2);
    end(&f);
}

static void volume_comes_and_goes_without_a_restart_of_the_server(void **state)
{
    (void)state;
    struct fixture f;
    const char *op = "unset";
    const char *loose = OK("{\"block\":" BLOCK("ams", "50", "active", "") "}");
    const char *attached = OK("{\"block\":" BLOCK("ams", "50", "active", "4f0f") "}");
    begin(&f, (const char *[]){loose, NO_CONTENT, attached, attached, attached, NO_CONTENT, loose, NO_CONTENT,
                               NULL});
    assert_fine(ops->volume->attach(&f.ctx, f.provider, f.arena, "b1", "4f0f", &op));
    assert_null(op);
    assert_fine(ops->volume->attach(&f.ctx, f.provider, f.arena, "b1", "4f0f", &op)); /* it is there */
    CLEANUP_ERR struct err *e = ops->volume->attach(&f.ctx, f.provider, f.arena, "b1", "other", &op);
    assert_kind(e, ERR_CONFLICT);
    assert_fine(ops->volume->detach(&f.ctx, f.provider, f.arena, "b1", &op));
    assert_fine(ops->volume->detach(&f.ctx, f.provider, f.arena, "b1", &op)); /* it is loose */
    assert_fine(ops->volume->delete (&f.ctx, f.provider, f.arena, "b1"));
    assert_asked_times(&f, 8);
    assert_asked(&f, 1, "POST /blocks/b1/attach", "{\"instance_id\":\"4f0f\",\"live\":true}");
    assert_asked(&f, 5, "POST /blocks/b1/detach", "{\"live\":true}");
    assert_asked(&f, 7, "DELETE /blocks/b1", NULL);
    end(&f);
}

/* ---- databases ---- */

#define DATABASE(engine, status)                                                                             \
    "{\"id\":\"d1\",\"date_created\":\"2026-11-20 10:13:31\",\"plan\":\"vultr-dbaas-startup-cc-1-55-2\","    \
    "\"region\":\"EWR\",\"database_engine\":\"" engine                                                       \
    "\",\"database_engine_version\":16.4,\"status\":\"" status                                               \
    "\",\"label\":\"shop\",\"dbname\":\"defaultdb\",\"host\":\"db.example.com\",\"user\":\"vultradmin\","    \
    "\"password\":\"open-sesame\",\"port\":16751}"
#define DATABASE_NEW                                                                                         \
    "{\"id\":\"d2\",\"plan\":\"p\",\"region\":\"ams\",\"database_engine\":\"pg\",\"database_engine_"         \
    "version\":"                                                                                             \
    "\"16\",\"status\":\"Rebuilding\",\"label\":\"shop-r1\",\"host\":\"\",\"password\":\"\",\"port\":"       \
    "\"16752\"}"

static void databases_are_postgresql_in_our_spelling(void **state)
{
    (void)state;
    struct fixture f;
    struct database_cluster *clusters = NULL;
    struct database_cluster cluster = {0};
    size_t count = 0;
    begin(&f, (const char *[]){OK("{\"databases\":[" DATABASE(
                                   "mysql", "Running") "," DATABASE_NEW "],\"meta\":{\"total\":2}}"),
                               OK("{\"database\":" DATABASE("pg", "Running") "}"),
                               OK("{\"latest_backup\":{\"date\":\"2026-11-20\",\"time\":\"02:41:00\"},"
                                  "\"oldest_backup\":{\"date\":\"2026-11-18\",\"time\":\"02:41:00\"}}"),
                               OK("{\"database\":" DATABASE_NEW "}"), NULL});
    assert_fine(ops->database->list(&f.ctx, f.provider, f.arena, &clusters, &count));
    assert_int_equal(count, 1);
    assert_string_equal(clusters[0].id, "d2");
    assert_false(clusters[0].ready);
    assert_null(clusters[0].host);
    assert_null(clusters[0].password);
    assert_int_equal(clusters[0].port, 16752);
    assert_fine(ops->database->get(&f.ctx, f.provider, f.arena, "d1", &cluster));
    assert_true(cluster.ready);
    assert_string_equal(cluster.region, "ewr"); /* in capitals at Vultr, here only */
    assert_string_equal(cluster.host, "db.example.com");
    assert_string_equal(cluster.user, "vultradmin");
    assert_string_equal(cluster.database, "defaultdb");
    assert_string_equal(secret_text(cluster.password), "open-sesame");
    assert_int_equal(cluster.port, 16751);
    assert_true(cluster.newest_ms == INT64_C(1795142460000));
    assert_true(cluster.oldest_ms == INT64_C(1795142460000) - INT64_C(2) * 86400000);
    assert_fine(ops->database->get(&f.ctx, f.provider, f.arena, "d2", &cluster)); /* backups: not yet */
    assert_string_equal(cluster.version, "16");
    assert_asked_times(&f, 4);
    assert_asked(&f, 0, "GET /databases", NULL); /* a list without pages */
    end(&f);
}

static void restore_forks_to_another_place_at_a_time_written_with_dashes(void **state)
{
    (void)state;
    struct fixture f;
    struct database_cluster cluster = {0};
    struct database_restore restore = {
        .source_id = "d1", .name = "shop-r1", .region = "ams", .size = "p", .at_ms = INT64_C(1795142460000)};
    begin(&f, (const char *[]){OK("{\"database\":" DATABASE_NEW "}"), OK("{\"database\":" DATABASE_NEW "}"),
                               OK("{\"database\":{}}"), NO_CONTENT, NULL});
    assert_fine(ops->database->restore(&f.ctx, f.provider, f.arena, &restore, &cluster));
    assert_string_equal(cluster.id, "d2");
    restore.at_ms = 0;
    assert_fine(ops->database->restore(&f.ctx, f.provider, f.arena, &restore, &cluster));
    CLEANUP_ERR struct err *e = ops->database->restore(&f.ctx, f.provider, f.arena, &restore, &cluster);
    assert_kind(e, ERR_UNKNOWN_OUTCOME);
    assert_fine(ops->database->delete (&f.ctx, f.provider, f.arena, "d2"));
    assert_asked(&f, 0, "POST /databases/d1/fork",
                 "{\"label\":\"shop-r1\",\"region\":\"ams\",\"plan\":\"p\",\"type\":\"pitr\",\"date\":"
                 "\"2026-11-20\",\"time\":\"02-41-00\"}");
    assert_asked(&f, 1, "POST /databases/d1/fork", "\"type\":\"basebackup\"}");
    assert_asked(&f, 3, "DELETE /databases/d2", NULL);
    end(&f);
}

/* ---- DNS ---- */

static const struct dns_zone zone = {.id = "example.com", .name = "example.com", .default_ttl_seconds = 300};

#define RECORD(id, name, type, ttl, data)                                                                    \
    "{\"id\":\"" id "\",\"type\":\"" type "\",\"name\":\"" name "\",\"data\":\"" data                        \
    "\",\"priority\":0,\"ttl\":" ttl "}"
#define RECORDS(records) OK("{\"records\":[" records "]" LAST "}")
#define ZONE_OF_ALL_SORTS                                                                                                                                                 \
    RECORDS(RECORD("n1", "", "NS", "300", "ns1.vultr.com") "," RECORD("n2", "", "NS", "300", "ns2.vultr.com.") "," RECORD("r0", "", "A", "300", "198.18.0.1") "," RECORD( \
        "r1", "www", "A", "600",                                                                                                                                          \
        "198.18.0.8") "," RECORD("r2", "www", "AAAA", "300",                                                                                                              \
                                 "2001:db8::8") "," RECORD("r3", "www.example.com", "A", "300",                                                                           \
                                                           "198.18.0.7") "," RECORD("r4", "shop", "CNAME",                                                                \
                                                                                    "300",                                                                                \
                                                                                    "www.example."                                                                        \
                                                                                    "com") "," RECORD("r5",                                                               \
                                                                                                      "txt",                                                              \
                                                                                                      "TXT",                                                              \
                                                                                                      "300",                                                              \
                                                                                                      "\\\""                                                              \
                                                                                                      "a "                                                                \
                                                                                                      "\\\\"                                                              \
                                                                                                      "\\\""                                                              \
                                                                                                      "b\\"                                                               \
                                                                                                      "\\\\"                                                              \
                                                                                                      "\"\\"                                                              \
                                                                                                      "\" "                                                               \
                                                                                                      "\\\""                                                              \
                                                                                                      "c\\"                                                               \
                                                                                                      "\"") "," RECORD("r6",                                              \
                                                                                                                       "xwww",                                            \
                                                                                                                       "A",                                               \
                                                                                                                       "300",                                             \
                                                                                                                       "198.18.0.6"))

static struct dns_record_set set_of(const char *name, const char *type, int64_t ttl, const char **value)
{
    return (struct dns_record_set){
        .name = name, .type = type, .ttl_seconds = ttl, .values = value, .count = *value ? 1 : 0};
}

static struct err *flip(struct fixture *f, const char *name, const char *type, const char *from,
                        const char *to, int64_t ttl)
{
    struct dns_record_set expected = set_of(name, type, 300, &from);
    struct dns_record_set wanted = set_of(name, type, ttl, &to);
    const char *op = "unset";
    struct err *e = dns_ops->record_set_if(&f->ctx, f->dns, f->arena, &zone, &expected, &wanted, &op);
    assert_null(op);
    return e;
}

static struct err *look(struct fixture *f, const char *name, const char *type, struct dns_record_set *set)
{
    return dns_ops->record_get(&f->ctx, f->dns, f->arena, &zone, name, type, set);
}

static void zone_is_the_longest_domain_that_holds_the_name(void **state)
{
    (void)state;
    struct fixture f;
    struct dns_zone found = {0};
    const char *domains = OK("{\"domains\":[{\"domain\":\"com\"},{\"domain\":\"shop.example.com\"},"
                             "{\"domain\":\"example.com\"},{\"domain\":\"ple.com\"}]" LAST "}");
    begin(&f, (const char *[]){domains, domains, domains, NULL});
    assert_fine(dns_ops->zone_find(&f.ctx, f.dns, f.arena, "www.Shop.example.com.", &found));
    assert_string_equal(found.id, "shop.example.com");
    assert_fine(dns_ops->zone_find(&f.ctx, f.dns, f.arena, "example.com", &found));
    assert_string_equal(found.name, "example.com");
    assert_true(found.default_ttl_seconds == 300);
    CLEANUP_ERR struct err *e = dns_ops->zone_find(&f.ctx, f.dns, f.arena, "example.org", &found);
    assert_kind(e, ERR_NOT_FOUND);
    assert_asked(&f, 0, "GET /domains?per_page=500", NULL);
    end(&f);
}

static void records_are_picked_from_the_whole_zone(void **state)
{
    (void)state;
    struct fixture f;
    struct dns_record_set set = {0};
    begin(&f, (const char *[]){ZONE_OF_ALL_SORTS, ZONE_OF_ALL_SORTS, ZONE_OF_ALL_SORTS, ZONE_OF_ALL_SORTS,
                               ZONE_OF_ALL_SORTS, NULL});
    assert_fine(look(&f, "WWW.example.com", "A", &set));
    assert_int_equal(set.count, 2); /* also the one that is written as in the document's example */
    assert_string_equal(set.values[0], "198.18.0.7");
    assert_string_equal(set.values[1], "198.18.0.8");
    assert_true(set.ttl_seconds == 300); /* the smaller one */
    assert_fine(look(&f, "example.com", "A", &set));
    assert_int_equal(set.count, 1);
    assert_string_equal(set.values[0], "198.18.0.1");
    assert_fine(look(&f, "shop.example.com", "CNAME", &set));
    assert_string_equal(set.values[0], "www.example.com"); /* absolute already */
    assert_fine(look(&f, "txt.example.com", "TXT", &set));
    assert_string_equal(set.values[0], "a \"b\"c");
    assert_fine(look(&f, "other.example.com", "A", &set));
    assert_int_equal(set.count, 0);
    assert_asked(&f, 0, "GET /domains/example.com/records?per_page=500", NULL);
    end(&f);
}

static void flip_is_one_patch_of_the_record(void **state)
{
    (void)state;
    struct fixture f;
    const char *now = RECORDS(
        RECORD("r1", "www", "A", "300", "198.18.0.8") "," RECORD("r2", "www", "AAAA", "300", "2001:db8::8"));
    begin(&f, (const char *[]){now, NO_CONTENT, now, NO_CONTENT, NULL});
    assert_fine(flip(&f, "www.example.com", "A", "198.18.0.8", "198.18.0.9", 300));
    assert_fine(flip(&f, "www.example.com", "A", "198.18.0.8", "198.18.0.9", 30));
    assert_asked_times(&f, 4);
    assert_asked(&f, 1, "PATCH /domains/example.com/records/r1", "{\"data\":\"198.18.0.9\",\"ttl\":300}");
    assert_asked(&f, 3, "PATCH /domains/example.com/records/r1", "{\"data\":\"198.18.0.9\",\"ttl\":120}");
    end(&f);
}

static void absent_records_are_created_and_unwanted_ones_deleted(void **state)
{
    (void)state;
    struct fixture f;
    const char *made = ANSWER("201 Created", "{\"record\":" RECORD("r9", "", "A", "300", "x") "}");
    begin(&f, (const char *[]){RECORDS(""), made, RECORDS(""), made,
                               RECORDS(RECORD("r1", "www", "A", "300", "198.18.0.8")), NO_CONTENT, NULL});
    assert_fine(flip(&f, "example.com", "A", NULL, "198.18.0.9", 300));
    assert_fine(flip(&f, "txt.example.com", "TXT", NULL, "say \"hi\"", 300));
    assert_fine(flip(&f, "www.example.com", "A", "198.18.0.8", NULL, 0));
    assert_asked(&f, 1, "POST /domains/example.com/records",
                 "{\"data\":\"198.18.0.9\",\"ttl\":300,\"name\":\"\",\"type\":\"A\"}");
    assert_asked(&f, 3, "POST /domains/example.com/records", "\"data\":\"\\\"say \\\\\\\"hi\\\\\\\"\\\"\"");
    assert_asked(&f, 5, "DELETE /domains/example.com/records/r1", NULL);
    end(&f);
}

static void record_that_is_not_as_expected_is_not_written(void **state)
{
    (void)state;
    struct fixture f;
    const char *now = RECORDS(RECORD("r1", "www", "A", "300", "198.18.0.8"));
    begin(&f, (const char *[]){now, now, ERROR("423 Locked", "busy"), now,
                               ANSWER("502 Bad Gateway", "<html>"), NULL});
    CLEANUP_ERR struct err *changed = flip(&f, "www.example.com", "A", "198.18.0.1", "198.18.0.9", 300);
    assert_kind(changed, ERR_CONFLICT);
    CLEANUP_ERR struct err *busy = flip(&f, "www.example.com", "A", "198.18.0.8", "198.18.0.9", 300);
    assert_kind(busy, ERR_TRANSIENT); /* which is not the same */
    CLEANUP_ERR struct err *unknown = flip(&f, "www.example.com", "A", "198.18.0.8", "198.18.0.9", 300);
    assert_kind(unknown, ERR_UNKNOWN_OUTCOME);
    assert_asked_times(&f, 5);
    end(&f);
}

static void authoritative_servers_are_the_zone_s_or_its_primary(void **state)
{
    (void)state;
    struct fixture f;
    const char **names = NULL;
    size_t count = 0;
    begin(&f, (const char *[]){ZONE_OF_ALL_SORTS, RECORDS(""),
                               OK("{\"dns_soa\":{\"nsprimary\":\"ns1.vultr.com\"}}"), NULL});
    assert_fine(dns_ops->authoritative_servers(&f.ctx, f.dns, f.arena, &zone, &names, &count));
    assert_int_equal(count, 2);
    assert_string_equal(names[1], "ns2.vultr.com");
    assert_fine(dns_ops->authoritative_servers(&f.ctx, f.dns, f.arena, &zone, &names, &count));
    assert_int_equal(count, 1);
    assert_string_equal(names[0], "ns1.vultr.com");
    assert_asked(&f, 2, "GET /domains/example.com/soa", NULL);
    end(&f);
}

int main(void)
{
    ops = provider_find("vultr");
    dns_ops = dns_find("vultr");
    if (!ops || !dns_ops || http_global_init())
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(create_sends_what_the_plan_says_in_vultr_s_words),
        cmocka_unit_test(list_of_images_is_asked_for_once_an_open_account),
        cmocka_unit_test(snapshot_is_an_image_that_needs_no_list),
        cmocka_unit_test(image_that_vultr_has_not_is_rejected_and_nothing_is_created),
        cmocka_unit_test(failed_create_is_told_apart_by_its_words),
        cmocka_unit_test(address_that_is_not_allow_listed_is_told_with_what_to_do),
        cmocka_unit_test(rate_limit_says_when_to_come_back),
        cmocka_unit_test(status_is_read_from_three_fields),
        cmocka_unit_test(addresses_are_read_in_their_usual_spelling),
        cmocka_unit_test(list_reads_to_the_empty_cursor_and_picks_by_the_exact_label),
        cmocka_unit_test(power_has_no_handle_and_shutdown_is_halt),
        cmocka_unit_test(delete_tells_busy_from_gone_from_unknown),
        cmocka_unit_test(look_that_fails_changes_nothing_and_is_transient),
        cmocka_unit_test(check_names_the_permissions_that_are_missing),
        cmocka_unit_test(catalogue_tells_what_is_in_stock_not_only_what_is_offered),
        cmocka_unit_test(key_is_found_by_its_material_whatever_it_is_called),
        cmocka_unit_test(firewall_is_made_equal_to_what_is_wanted),
        cmocka_unit_test(firewall_that_is_not_there_is_made_with_its_rules),
        cmocka_unit_test(source_that_is_no_network_is_never_sent),
        cmocka_unit_test(firewall_is_attached_once),
        cmocka_unit_test(reserved_ip_is_taken_from_whoever_has_it),
        cmocka_unit_test(snapshot_is_polled_until_it_is_complete),
        cmocka_unit_test(volume_is_found_by_name_and_region_or_made),
        cmocka_unit_test(volume_of_another_size_or_of_two_minds_is_left_alone),
        cmocka_unit_test(volume_comes_and_goes_without_a_restart_of_the_server),
        cmocka_unit_test(databases_are_postgresql_in_our_spelling),
        cmocka_unit_test(restore_forks_to_another_place_at_a_time_written_with_dashes),
        cmocka_unit_test(zone_is_the_longest_domain_that_holds_the_name),
        cmocka_unit_test(records_are_picked_from_the_whole_zone),
        cmocka_unit_test(flip_is_one_patch_of_the_record),
        cmocka_unit_test(absent_records_are_created_and_unwanted_ones_deleted),
        cmocka_unit_test(record_that_is_not_as_expected_is_not_written),
        cmocka_unit_test(authoritative_servers_are_the_zone_s_or_its_primary),
    };
    return cmocka_run_group_tests_name("vultr", tests, NULL, NULL);
}
