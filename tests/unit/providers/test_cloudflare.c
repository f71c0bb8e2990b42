/* The Cloudflare adapter against canned answers: what it asks, what it writes and in how many calls, what it
 * leaves alone. */
#include "base/http.h"
#include "providers/dns/dns.h"
#include "tests/unit/providers/adapter_fixture.h"

#define ERROR(status, code, words)                                                                           \
    ANSWER(status, "{\"success\":false,\"errors\":[{\"code\":" code ",\"message\":\"" words                  \
                   "\"}],\"messages\":[],\"result\":null}")
#define LIST_PAGE(items, pages)                                                                              \
    ANSWER("200 OK", "{\"success\":true,\"errors\":[],\"messages\":[],\"result\":[" items                    \
                     "],\"result_info\":{\"page\":1,\"per_page\":50,\"total_pages\":" pages "}}")
#define LIST(items) LIST_PAGE(items, "1")
#define DONE ANSWER("200 OK", "{\"success\":true,\"errors\":[],\"messages\":[],\"result\":{\"id\":\"x\"}}")
#define RECORD(id, type, content, ttl, proxied)                                                              \
    "{\"id\":\"" id "\",\"name\":\"www.example.com\",\"type\":\"" type "\",\"content\":\"" content           \
    "\",\"ttl\":" ttl ",\"proxied\":" proxied "}"
#define A(id, content) RECORD(id, "A", content, "300", "false")

static const struct dns_zone zone = {.id = "z1", .name = "example.com", .default_ttl_seconds = 300};

/* "198.18.0.1|198.18.0.2"; "" is the empty set */
static struct dns_record_set set_of(struct fixture *f, const char *type, const char *values, int64_t ttl)
{
    struct dns_record_set set = {.name = "www.example.com", .type = type, .ttl_seconds = ttl};
    char *save = NULL;
    set.values = arena_array(f->arena, 8, sizeof(*set.values));
    for (char *v = strtok_r(arena_strdup(f->arena, values), "|", &save); v; v = strtok_r(NULL, "|", &save))
        set.values[set.count++] = v;
    return set;
}

static struct err *flip(struct fixture *f, const char *type, const char *from, const char *to, int64_t ttl)
{
    struct dns_record_set expected = set_of(f, type, from, 300), wanted = set_of(f, type, to, ttl);
    const char *op = NULL;
    struct err *e = dns_ops->record_set_if(&f->ctx, f->dns, f->arena, &zone, &expected, &wanted, &op);
    assert_null(op);
    return e;
}

static struct err *look(struct fixture *f, const char *type, struct dns_record_set *set)
{
    return dns_ops->record_get(&f->ctx, f->dns, f->arena, &zone, "www.example.com.", type, set);
}

static const char *const list_line = "GET /zones/z1/dns_records?name=www.example.com&type=A&per_page=50";

/* ---- reading ---- */

static void a_zone_is_asked_for_by_name_the_longest_first(void **state)
{
    (void)state;
    struct fixture f;
    struct dns_zone found = {0};
    begin(&f, (const char *[]){LIST(""), LIST("{\"id\":\"z1\",\"name\":\"example.com\"}"), LIST(""), LIST(""),
                               LIST(""), NULL});
    assert_fine(dns_ops->zone_find(&f.ctx, f.dns, f.arena, "www.example.com.", &found));
    assert_string_equal(found.id, "z1");
    assert_string_equal(found.name, "example.com");
    assert_int_equal(found.default_ttl_seconds, 300);
    assert_err(dns_ops->zone_find(&f.ctx, f.dns, f.arena, "a.www.example.org", &found), ERR_NOT_FOUND,
               "no zone of this account", "Zone:Read and DNS:Edit");
    assert_asked(&f, 0, "GET /zones?name=www.example.com&per_page=50", "Authorization: Bearer sesame-4711");
    assert_asked(&f, 1, "GET /zones?name=example.com&per_page=50", NULL);
    assert_asked_times(&f, 5); /* "org" alone is no zone */
    end(&f);
}

static void a_set_is_gathered_from_all_pages_and_of_its_name_alone(void **state)
{
    (void)state;
    struct fixture f;
    struct dns_record_set set = {0};
    begin(&f, (const char *[]){
                  LIST_PAGE(A("r1", "198.18.0.2"), "2"),
                  LIST_PAGE("{\"id\":\"r9\",\"name\":\"ww.example.com\",\"type\":\"A\","
                            "\"content\":\"198.18.0.9\",\"ttl\":60,\"proxied\":false}," A("r2", "198.18.0.1"),
                            "2"),
                  NULL});
    assert_fine(look(&f, "A", &set));
    assert_int_equal(set.count, 2);
    assert_string_equal(set.values[0], "198.18.0.1");
    assert_int_equal(set.ttl_seconds, 300);
    assert_false(set.proxied);
    assert_asked(&f, 0, list_line, NULL);
    assert_asked_times(&f, 2);
    end(&f);
}

static void ttl_one_is_five_minutes_and_a_proxied_record_has_none(void **state)
{
    (void)state;
    struct fixture f;
    struct dns_record_set set = {0};
    begin(&f, (const char *[]){LIST(RECORD("r1", "A", "198.18.0.1", "1", "false")),
                               LIST(RECORD("r1", "A", "198.18.0.1", "1", "true")), LIST(""), NULL});
    assert_fine(look(&f, "A", &set));
    assert_int_equal(set.ttl_seconds, 300);
    assert_false(set.proxied);
    assert_fine(look(&f, "A", &set));
    assert_int_equal(set.ttl_seconds, 0);
    assert_true(set.proxied);
    assert_fine(look(&f, "A", &set));
    assert_int_equal(set.count, 0);
    end(&f);
}

static void texts_lose_their_quotes_and_names_their_dot(void **state)
{
    (void)state;
    struct fixture f;
    struct dns_record_set set = {0};
    begin(&f, (const char *[]){LIST(RECORD("r1", "TXT", "\\\"say \\\\\\\"hi\\\\\\\" \\\" \\\"and more\\\"",
                                           "60", "false")),
                               LIST(RECORD("r1", "TXT", "v=spf1 -all", "60", "false")),
                               LIST(RECORD("r1", "CNAME", "shop.example.com.", "60", "false")), NULL});
    assert_fine(look(&f, "TXT", &set));
    assert_string_equal(set.values[0], "say \"hi\" and more");
    assert_fine(look(&f, "TXT", &set));
    assert_string_equal(set.values[0], "v=spf1 -all");
    assert_fine(look(&f, "CNAME", &set));
    assert_string_equal(set.values[0], "shop.example.com");
    end(&f);
}

static void servers_of_the_zone_are_named(void **state)
{
    (void)state;
    struct fixture f;
    const char **names = NULL;
    size_t count = 0;
    begin(&f, (const char *[]){ANSWER("200 OK", "{\"success\":true,\"result\":{\"name_servers\":"
                                                "[\"amy.ns.cloudflare.com\",\"bob.ns.cloudflare.com.\"]}}"),
                               NULL});
    assert_fine(dns_ops->authoritative_servers(&f.ctx, f.dns, f.arena, &zone, &names, &count));
    assert_int_equal(count, 2);
    assert_string_equal(names[1], "bob.ns.cloudflare.com");
    end(&f);
}

/* ---- writing ---- */

static void one_address_for_another_is_one_patch_that_leaves_the_rest(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, (const char *[]){LIST(A("r1", "198.18.0.1")), DONE, NULL});
    assert_fine(flip(&f, "A", "198.18.0.1", "198.18.0.9", 60));
    assert_asked(&f, 1, "PATCH /zones/z1/dns_records/r1",
                 "{\"type\":\"A\",\"name\":\"www.example.com\",\"content\":\"198.18.0.9\","
                 "\"ttl\":60}");
    end(&f);
}

static void a_proxied_record_stays_proxied_and_keeps_auto(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, (const char *[]){LIST(RECORD("r1", "A", "198.18.0.1", "1", "true")), DONE,
                               LIST(RECORD("r1", "A", "198.18.0.9", "1", "true")),
                               LIST(RECORD("r1", "A", "198.18.0.9", "1", "true")), DONE, NULL});
    assert_fine(flip(&f, "A", "198.18.0.1", "198.18.0.9", 60));
    assert_fine(flip(&f, "A", "198.18.0.1", "198.18.0.9", 60)); /* done; no TTL to change */
    assert_fine(flip(&f, "A", "198.18.0.9", "198.18.0.9|198.18.0.8", 60));
    assert_asked(&f, 1, "PATCH /zones/z1/dns_records/r1", "\"content\":\"198.18.0.9\",\"ttl\":1}");
    assert_asked(&f, 4, "POST /zones/z1/dns_records",
                 "\"content\":\"198.18.0.8\",\"ttl\":1,\"proxied\":true}");
    assert_asked_times(&f, 5);
    end(&f);
}

static void more_than_one_change_is_one_batch(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f,
          (const char *[]){LIST(A("r1", "198.18.0.1") "," A("r2", "198.18.0.2") "," A("r3", "198.18.0.3")),
                           DONE, LIST(A("r1", "198.18.0.1")), DONE, NULL});
    assert_fine(flip(&f, "A", "198.18.0.1|198.18.0.2|198.18.0.3", "198.18.0.2|198.18.0.9", 300));
    assert_fine(flip(&f, "A", "198.18.0.1", "198.18.0.7|198.18.0.8", 300));
    assert_asked(
        &f, 1, "POST /zones/z1/dns_records/batch",
        "{\"patches\":[{\"type\":\"A\",\"name\":\"www.example.com\",\"content\":\"198.18.0.9\",\"ttl\":300,"
        "\"id\":\"r1\"}],\"deletes\":[{\"id\":\"r3\"}]}");
    assert_asked(&f, 3, "POST /zones/z1/dns_records/batch",
                 "\"posts\":[{\"type\":\"A\",\"name\":\"www.example.com\","
                 "\"content\":\"198.18.0.8\",\"ttl\":300,\"proxied\":false}]");
    end(&f);
}

static void sets_are_made_and_deleted(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, (const char *[]){LIST(""), DONE, LIST(A("r1", "198.18.0.1")), DONE, NULL});
    assert_fine(flip(&f, "A", "", "198.18.0.1", 5));
    assert_fine(flip(&f, "A", "198.18.0.1", "", 0));
    assert_asked(&f, 1, "POST /zones/z1/dns_records", "\"ttl\":60,\"proxied\":false}");
    assert_asked(&f, 3, "DELETE /zones/z1/dns_records/r1", NULL);
    end(&f);
}

static void a_long_text_is_written_in_quoted_strings(void **state)
{
    (void)state;
    struct fixture f;
    char text[301] = {0};
    begin(&f, (const char *[]){LIST(""), DONE, NULL});
    memset(text, 'x', 300);
    text[0] = '"';
    assert_fine(flip(&f, "TXT", "", text, 60));
    char part[255] = {0};
    memset(part, 'x', 254);
    assert_asked(&f, 1, "POST /zones/z1/dns_records",
                 arena_printf(f.arena, "\"content\":\"\\\"\\\\\\\"%s\\\" \\\"%.45s\\\"\"", part, part));
    end(&f);
}

/* ---- what must not be written ---- */

static void what_the_plan_did_not_see_is_not_overwritten(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, (const char *[]){LIST(A("r1", "198.18.0.66")),
                               LIST(A("r1", "198.18.0.1") "," A("r2", "198.18.0.9")),
                               LIST(A("r1", "198.18.0.9")), NULL});
    assert_err(flip(&f, "A", "198.18.0.1", "198.18.0.9", 300), ERR_CONFLICT,
               "expected '198.18.0.1', found '198.18.0.66'", NULL);
    /* A batch is whole or nothing: half of it is somebody else's. */
    assert_err(flip(&f, "A", "198.18.0.1", "198.18.0.9", 300), ERR_CONFLICT, NULL, NULL);
    assert_fine(flip(&f, "A", "198.18.0.1", "198.18.0.9", 300));
    assert_asked_times(&f, 3);
    end(&f);
}

static void errors_have_their_kinds(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        enum err_kind kind;
        const char *hint;
    } cases[] = {
        {ERROR("403 No", "10000", "Authentication error"), ERR_AUTH, "DNS:Edit"},
        {ERROR("403 No", "9109", "Unauthorized to access requested resource"), ERR_AUTH, "DNS:Edit"},
        {ERROR("400 Bad", "6003", "Invalid request headers"), ERR_AUTH, "API token"},
        {HEAD("429 Slow") "Retry-After: 300\r\n\r\n{\"success\":false,\"errors\":[]}", ERR_RATE_LIMIT,
         "five minutes"},
        {ERROR("400 Bad", "971", "please wait and consider throttling"), ERR_RATE_LIMIT, "five minutes"},
        {ERROR("404 No", "81044", "Record does not exist."), ERR_TRANSIENT, NULL},
        {ERROR("400 Bad", "81058", "An identical record already exists."), ERR_TRANSIENT, NULL},
        {ERROR("400 Bad", "81053", "An A, AAAA, or CNAME record with that host already exists."),
         ERR_REJECTED, "in the way"},
        {ERROR("400 Bad", "81045", "The record quota has been exceeded."), ERR_QUOTA, "plan"},
        {ERROR("400 Bad", "9021", "Invalid TTL."), ERR_REJECTED, "86400"},
        {ERROR("400 Bad", "1004", "DNS Validation Error"), ERR_REJECTED, NULL},
        {ERROR("200 OK", "81053", "as a success"), ERR_REJECTED, NULL},
        {ERROR("200 OK", "4711", "as a success"), ERR_UNKNOWN_OUTCOME, NULL},
        {ANSWER("502 Bad", "<html>bad gateway</html>"), ERR_UNKNOWN_OUTCOME, NULL},
        {ANSWER("200 OK", "{\"succ"), ERR_UNKNOWN_OUTCOME, NULL},
        {CANNED_HANG_UP, ERR_UNKNOWN_OUTCOME, NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture f;
        begin(&f, (const char *[]){LIST(A("r1", "198.18.0.1")), cases[i].answer, NULL});
        assert_err(flip(&f, "A", "198.18.0.1", "198.18.0.9", 60), cases[i].kind, NULL, cases[i].hint);
        end(&f);
    }
}

static void a_name_outside_the_zone_is_refused_unasked(void **state)
{
    (void)state;
    struct fixture f;
    struct dns_record_set set = {0};
    begin(&f, (const char *[]){NULL});
    assert_err(dns_ops->record_get(&f.ctx, f.dns, f.arena, &zone, "www.example.org", "A", &set), ERR_INPUT,
               "does not lie in the zone", NULL);
    end(&f);
}

int main(void)
{
    assert_null(http_global_init());
    dns_ops = dns_find("cloudflare");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_zone_is_asked_for_by_name_the_longest_first),
        cmocka_unit_test(a_set_is_gathered_from_all_pages_and_of_its_name_alone),
        cmocka_unit_test(ttl_one_is_five_minutes_and_a_proxied_record_has_none),
        cmocka_unit_test(texts_lose_their_quotes_and_names_their_dot),
        cmocka_unit_test(servers_of_the_zone_are_named),
        cmocka_unit_test(one_address_for_another_is_one_patch_that_leaves_the_rest),
        cmocka_unit_test(a_proxied_record_stays_proxied_and_keeps_auto),
        cmocka_unit_test(more_than_one_change_is_one_batch),
        cmocka_unit_test(sets_are_made_and_deleted),
        cmocka_unit_test(a_long_text_is_written_in_quoted_strings),
        cmocka_unit_test(what_the_plan_did_not_see_is_not_overwritten),
        cmocka_unit_test(errors_have_their_kinds),
        cmocka_unit_test(a_name_outside_the_zone_is_refused_unasked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
