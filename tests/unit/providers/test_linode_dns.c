/* The Linode DNS adapter: what is peculiar to its records, and that a flip writes no more than it should. */
#include "base/http.h"
#include "providers/dns/dns.h"
#include "tests/unit/providers/adapter_fixture.h"

#define REASON(status, reason) ANSWER(status, "{\"errors\":[{\"reason\":\"" reason "\"}]}")
#define LIST(items) OK("{\"data\":[" items "],\"page\":1,\"pages\":1,\"results\":1}")
#define DOMAIN(id, name, ttl, more) "{\"id\":" id ",\"domain\":\"" name "\",\"ttl_sec\":" ttl more "}"
#define RECORD(id, type, name, target, ttl)                                                                  \
    "{\"id\":" id ",\"type\":\"" type "\",\"name\":\"" name "\",\"target\":\"" target "\",\"ttl_sec\":" ttl  \
    "}"
#define WWW(target, ttl) RECORD("8", "A", "www", target, ttl)

static const struct dns_zone zone = {.id = "5", .name = "example.com", .default_ttl_seconds = 86400};

struct flip { /* of one value; NULL: the set is absent */
    const char *name;
    const char *type;
    const char *from;
    const char *to;
    int64_t ttl_seconds;
};

static struct err *flip(struct fixture *f, struct flip flip)
{
    const char *op = "unset";
    struct dns_record_set expected = {
        .name = flip.name, .type = flip.type, .values = &flip.from, .count = flip.from != NULL};
    struct dns_record_set wanted = {.name = flip.name,
                                    .type = flip.type,
                                    .ttl_seconds = flip.ttl_seconds,
                                    .values = &flip.to,
                                    .count = flip.to != NULL};
    struct err *e = dns_ops->record_set_if(&f->ctx, f->dns, f->arena, &zone, &expected, &wanted, &op);
    assert_null(op);
    return e;
}

/* ---- zones ---- */

static void zone_is_looked_up_with_all_parents_and_the_longest_is_taken(void **state)
{
    (void)state;
    struct fixture f;
    struct dns_zone found = {0};
    begin(&f, (const char *[]){
                  LIST(DOMAIN("5", "example.com", "0", "") "," DOMAIN(
                      "6", "shop.example.com", "3600", "") "," DOMAIN("7", "hop.example.com", "0", "")),
                  NULL});
    assert_fine(dns_ops->zone_find(&f.ctx, f.dns, f.arena, "www.shop.example.com.", &found));
    assert_string_equal(found.id, "6");
    assert_string_equal(found.name, "shop.example.com");
    assert_true(found.default_ttl_seconds == 3600);
    assert_asked(
        &f, 0, "GET /domains?page_size=500",
        "X-Filter: {\"+or\":[{\"domain\":\"www.shop.example.com\"},{\"domain\":\"shop.example.com\"},"
        "{\"domain\":\"example.com\"}]}");
    end(&f);
}

static void zone_without_a_ttl_of_its_own_keeps_records_for_a_day(void **state)
{
    (void)state;
    struct fixture f;
    struct dns_zone found = {0};
    struct dns_record_set set = {0};
    begin(&f,
          (const char *[]){LIST(DOMAIN("5", "example.com", "0", "")), LIST(WWW("198.18.0.1", "0")), NULL});
    assert_fine(dns_ops->zone_find(&f.ctx, f.dns, f.arena, "example.com", &found));
    assert_true(found.default_ttl_seconds == 86400);
    assert_fine(dns_ops->record_get(&f.ctx, f.dns, f.arena, &found, "www.example.com", "A", &set));
    assert_true(set.ttl_seconds == 86400);
    end(&f);
}

static void zone_that_is_absent_not_served_or_a_copy_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        enum err_kind kind;
    } cases[] = {
        {LIST(""), ERR_NOT_FOUND},
        {LIST(DOMAIN("5", "ample.com", "0", "")), ERR_NOT_FOUND},
        {LIST(DOMAIN("5", "example.com", "0", ",\"status\":\"disabled\"")), ERR_REJECTED},
        {LIST(DOMAIN("5", "example.com", "0", ",\"type\":\"slave\"")), ERR_REJECTED},
        {REASON("401 Unauthorized", "Invalid Token"), ERR_AUTH},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture f;
        struct dns_zone found = {0};
        begin(&f, (const char *[]){cases[i].answer, NULL});
        CLEANUP_ERR struct err *e = dns_ops->zone_find(&f.ctx, f.dns, f.arena, "example.com", &found);
        assert_kind(e, cases[i].kind);
        assert_non_null(err_hint(e));
        end(&f);
    }
}

/* ---- records ---- */

static void records_are_found_whatever_the_form_of_their_name(void **state)
{
    (void)state;
    struct fixture f;
    struct dns_record_set set = {0};
    begin(&f, (const char *[]){LIST(WWW("198.18.0.2", "300") "," RECORD(
                                   "9", "A", "www.example.com", "198.18.0.1",
                                   "3600") "," RECORD("10", "A", "", "198.18.0.3", "300")),
                               NULL});
    assert_fine(dns_ops->record_get(&f.ctx, f.dns, f.arena, &zone, "WWW.example.com", "A", &set));
    assert_int_equal(set.count, 2);
    assert_string_equal(set.values[0], "198.18.0.1");
    assert_true(set.ttl_seconds == 300);
    assert_asked(&f, 0, "GET /domains/5/records?page_size=500", "X-Filter: {\"type\":\"A\"}");
    end(&f);
}

static void flip_is_one_update_that_leaves_the_name_alone(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, (const char *[]){LIST(WWW("198.18.0.1", "300")), OK(WWW("198.18.0.2", "300")), NULL});
    assert_fine(flip(&f, (struct flip){"www.example.com", "A", "198.18.0.1", "198.18.0.2", 300}));
    assert_asked_times(&f, 2);
    assert_asked(&f, 1, "PUT /domains/5/records/8", "{\"target\":\"198.18.0.2\",\"ttl_sec\":300}");
    end(&f);
}

static void apex_is_created_without_a_name(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, (const char *[]){LIST(""), OK(RECORD("9", "A", "", "198.18.0.2", "300")), LIST(""),
                               OK(WWW("198.18.0.2", "300")), NULL});
    assert_fine(flip(&f, (struct flip){"example.com", "A", NULL, "198.18.0.2", 300}));
    assert_fine(flip(&f, (struct flip){"www.example.com", "A", NULL, "198.18.0.2", 300}));
    assert_asked(&f, 1, "POST /domains/5/records",
                 "{\"type\":\"A\",\"target\":\"198.18.0.2\",\"ttl_sec\":300}");
    assert_asked(&f, 3, "POST /domains/5/records",
                 "{\"type\":\"A\",\"target\":\"198.18.0.2\",\"ttl_sec\":300,\"name\":\"www\"}");
    end(&f);
}

static void ttl_is_the_nearest_that_the_service_has(void **state)
{
    (void)state;
    static const struct {
        int64_t wanted;
        const char *sent;
    } cases[] = {{60, "\"ttl_sec\":300}"},         {300, "\"ttl_sec\":300}"},   {1950, "\"ttl_sec\":300}"},
                 {1951, "\"ttl_sec\":3600}"},      {5000, "\"ttl_sec\":3600}"}, {86400, "\"ttl_sec\":86400}"},
                 {9000000, "\"ttl_sec\":2419200}"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture f;
        begin(&f, (const char *[]){LIST(WWW("198.18.0.1", "7200")), OK("{}"), NULL});
        assert_fine(
            flip(&f, (struct flip){"www.example.com", "A", "198.18.0.1", "198.18.0.2", cases[i].wanted}));
        assert_asked(&f, 1, "PUT /domains/5/records/8", cases[i].sent);
        end(&f);
    }
}

static void ttl_that_is_already_the_nearest_is_not_written_again(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, (const char *[]){LIST(WWW("198.18.0.2", "300")), NULL});
    assert_fine(flip(&f, (struct flip){"www.example.com", "A", "198.18.0.1", "198.18.0.2", 60}));
    assert_asked_times(&f, 1);
    end(&f);
}

static void alias_is_written_and_read_without_the_last_dot(void **state)
{
    (void)state;
    struct fixture f;
    struct dns_record_set set = {0};
    begin(&f, (const char *[]){LIST(RECORD("8", "CNAME", "shop", "old.example.net.", "300")), OK("{}"),
                               LIST(RECORD("8", "CNAME", "shop", "new.example.net", "300")), NULL});
    assert_fine(
        flip(&f, (struct flip){"shop.example.com", "CNAME", "old.example.net", "new.example.net", 0}));
    assert_fine(dns_ops->record_get(&f.ctx, f.dns, f.arena, &zone, "shop.example.com", "CNAME", &set));
    assert_string_equal(set.values[0], "new.example.net"); /* a target is absolute: not below the zone */
    assert_asked(&f, 1, "PUT /domains/5/records/8", "\"target\":\"new.example.net\"");
    end(&f);
}

static void changed_record_is_a_conflict_and_nothing_is_written(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, (const char *[]){LIST(WWW("198.18.0.77", "300")), NULL});
    CLEANUP_ERR struct err *e =
        flip(&f, (struct flip){"www.example.com", "A", "198.18.0.1", "198.18.0.2", 300});
    assert_kind(e, ERR_CONFLICT);
    assert_asked_times(&f, 1);
    end(&f);
}

static void set_is_deleted_record_by_record(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, (const char *[]){LIST(WWW("198.18.0.1", "300")), OK("{}"), NULL});
    assert_fine(flip(&f, (struct flip){"www.example.com", "A", "198.18.0.1", NULL, 0}));
    assert_asked(&f, 1, "DELETE /domains/5/records/8", NULL);
    end(&f);
}

static void failed_write_is_no_conflict(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        enum err_kind kind;
    } cases[] = {
        {CANNED_HANG_UP, ERR_UNKNOWN_OUTCOME},
        {REASON("500 Oops", "m"), ERR_UNKNOWN_OUTCOME},
        {REASON("408 Request Timeout", "Please try again"), ERR_UNKNOWN_OUTCOME},
        {REASON("404 Not Found", "Not found"), ERR_TRANSIENT}, /* removed since it was read */
        {REASON("409 Conflict", "m"), ERR_TRANSIENT},
        {REASON("400 Bad Request", "Domain is busy"), ERR_TRANSIENT},
        {REASON("400 Bad Request", "Target is not valid"), ERR_REJECTED},
        {REASON("403 Forbidden", "Unauthorized"), ERR_AUTH},
        {REASON("429 Too Many Requests", "Too many requests"), ERR_RATE_LIMIT},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture f;
        begin(&f, (const char *[]){LIST(WWW("198.18.0.1", "300")), cases[i].answer, NULL});
        CLEANUP_ERR struct err *e =
            flip(&f, (struct flip){"www.example.com", "A", "198.18.0.1", "198.18.0.2", 300});
        assert_kind(e, cases[i].kind);
        end(&f);
    }
}

static void record_whose_value_has_fields_of_its_own_is_not_written(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, (const char *[]){LIST(""), NULL});
    CLEANUP_ERR struct err *e = flip(&f, (struct flip){"example.com", "MX", NULL, "10 mail.example.com", 0});
    assert_kind(e, ERR_INPUT);
    assert_asked_times(&f, 1);
    end(&f);
}

static void authoritative_servers_stand_in_the_zone_file(void **state)
{
    (void)state;
    struct fixture f;
    const char **names = NULL;
    size_t count = 0;
    begin(&f,
          (const char *[]){OK("{\"zone_file\":[\"; example.com [123]\",\"$TTL 864000\","
                              "\"@  IN  SOA  ns1.linode.com. user.example.com. 1 14400 14400 1209600 "
                              "86400\",\"@    NS  ns1.linode.com.\",\"@\\t300 IN\\tNS\\tns2.linode.com.\","
                              "\"sub  NS  ns.elsewhere.example.\",\"www 300 A 198.18.0.1\",\"\"]}"),
                           NULL});
    assert_fine(dns_ops->authoritative_servers(&f.ctx, f.dns, f.arena, &zone, &names, &count));
    assert_int_equal(count, 2); /* not those of a part that is delegated */
    assert_string_equal(names[0], "ns1.linode.com");
    assert_string_equal(names[1], "ns2.linode.com");
    assert_asked(&f, 0, "GET /domains/5/zone-file", NULL);
    end(&f);
}

static void zone_that_is_not_rendered_yet_has_the_usual_servers(void **state)
{
    (void)state;
    struct fixture f;
    const char **names = NULL;
    size_t count = 0;
    begin(&f, (const char *[]){OK("{\"zone_file\":[]}"), NULL});
    assert_fine(dns_ops->authoritative_servers(&f.ctx, f.dns, f.arena, &zone, &names, &count));
    assert_int_equal(count, 5);
    assert_string_equal(names[0], "ns1.linode.com");
    assert_string_equal(names[4], "ns5.linode.com");
    end(&f);
}

static int find_service(void **state)
{
    (void)state;
    dns_ops = dns_find("linode");
    return dns_ops && !http_global_init() ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zone_is_looked_up_with_all_parents_and_the_longest_is_taken),
        cmocka_unit_test(zone_without_a_ttl_of_its_own_keeps_records_for_a_day),
        cmocka_unit_test(zone_that_is_absent_not_served_or_a_copy_is_refused),
        cmocka_unit_test(records_are_found_whatever_the_form_of_their_name),
        cmocka_unit_test(flip_is_one_update_that_leaves_the_name_alone),
        cmocka_unit_test(apex_is_created_without_a_name),
        cmocka_unit_test(ttl_is_the_nearest_that_the_service_has),
        cmocka_unit_test(ttl_that_is_already_the_nearest_is_not_written_again),
        cmocka_unit_test(alias_is_written_and_read_without_the_last_dot),
        cmocka_unit_test(changed_record_is_a_conflict_and_nothing_is_written),
        cmocka_unit_test(set_is_deleted_record_by_record),
        cmocka_unit_test(failed_write_is_no_conflict),
        cmocka_unit_test(record_whose_value_has_fields_of_its_own_is_not_written),
        cmocka_unit_test(authoritative_servers_stand_in_the_zone_file),
        cmocka_unit_test(zone_that_is_not_rendered_yet_has_the_usual_servers),
    };
    return cmocka_run_group_tests(tests, find_service, NULL);
}
