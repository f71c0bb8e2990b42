/* DNS at DigitalOcean: records, not sets; full names to ask by, relative ones in answers; names as values
 * with and without their dot. */
#include "base/http.h"
#include "providers/dns/dns.h"
#include "tests/unit/providers/adapter_fixture.h"

#define REFUSED(status, id) ANSWER(status, "{\"id\":\"" id "\",\"message\":\"m\"}")
#define LAST_PAGE ",\"links\":{},\"meta\":{\"total\":1}}"
#define RECORDS(records) OK("{\"domain_records\":[" records "]" LAST_PAGE)
#define RECORD(id, type, name, data, ttl)                                                                    \
    "{\"id\":" id ",\"type\":\"" type "\",\"name\":\"" name "\",\"data\":\"" data "\",\"ttl\":" ttl "}"
#define DONE OK("{\"domain_record\":{\"id\":9}}")
#define GONE ANSWER("204 No Content", "")

static const struct dns_zone zone = {.id = "example.com", .name = "example.com", .default_ttl_seconds = 1800};

/* One value each; NULL: the empty set. */
static struct err *set_if(struct fixture *f, const char *name, const char *type, const char *from,
                          const char *to, int64_t ttl_seconds)
{
    const char *op = "?";
    struct dns_record_set expected = {.name = name, .type = type, .values = &from, .count = from != NULL};
    struct dns_record_set wanted = {
        .name = name, .type = type, .ttl_seconds = ttl_seconds, .values = &to, .count = to != NULL};
    struct err *e = dns_ops->record_set_if(&f->ctx, f->dns, f->arena, &zone, &expected, &wanted, &op);
    assert_null(op); /* in force when answered */
    return e;
}

static void zone_is_the_longest_that_holds_the_name(void **state)
{
    (void)state;
    struct fixture f;
    struct dns_zone found = {0};
    const char *zones = OK("{\"domains\":[{\"name\":\"example.com\",\"ttl\":1800},"
                           "{\"name\":\"shop.example.com\",\"ttl\":null}]" LAST_PAGE);
    begin(&f, (const char *[]){zones, zones, NULL});
    assert_fine(dns_ops->zone_find(&f.ctx, f.dns, f.arena, "www.shop.example.com", &found));
    assert_string_equal(found.id, "shop.example.com");
    assert_int_equal(found.default_ttl_seconds, 1800);
    CLEANUP_ERR struct err *none = dns_ops->zone_find(&f.ctx, f.dns, f.arena, "example.org", &found);
    assert_kind(none, ERR_NOT_FOUND);
    end(&f);
}

static void records_are_asked_for_by_full_name_and_read_by_relative_one(void **state)
{
    (void)state;
    struct fixture f;
    struct dns_record_set set = {0};
    begin(&f, (const char *[]){RECORDS(RECORD("1", "A", "www", "198.18.0.9", "60") "," RECORD(
                                   "2", "A", "www.shop", "198.18.0.1", "60") "," RECORD("3", "A", "www",
                                                                                        "198.18.0.8", "30")),
                               RECORDS(RECORD("4", "A", "@", "198.18.0.7", "1800")), NULL});
    assert_fine(dns_ops->record_get(&f.ctx, f.dns, f.arena, &zone, "www.example.com", "A", &set));
    assert_int_equal(set.count, 2);
    assert_string_equal(set.values[0], "198.18.0.8");
    assert_string_equal(set.values[1], "198.18.0.9");
    assert_int_equal(set.ttl_seconds, 30);
    assert_fine(dns_ops->record_get(&f.ctx, f.dns, f.arena, &zone, "example.com", "A", &set));
    assert_int_equal(set.count, 1);
    assert_asked(&f, 0, "GET /v2/domains/example.com/records?type=A&name=www.example.com&per_page=200", NULL);
    assert_asked(&f, 1, "GET /v2/domains/example.com/records?type=A&name=example.com&per_page=200", NULL);
    end(&f);
}

static void flip_changes_the_record_that_is_there(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, (const char *[]){RECORDS(RECORD("9", "A", "www", "198.18.0.8", "1800")), DONE, NULL});
    assert_fine(set_if(&f, "www.example.com", "A", "198.18.0.8", "198.18.0.9", 5));
    assert_asked(&f, 1, "PATCH /v2/domains/example.com/records/9",
                 "{\"type\":\"A\",\"data\":\"198.18.0.9\",\"ttl\":30}");
    end(&f);
}

static void record_that_is_not_as_expected_is_not_written(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, (const char *[]){RECORDS(RECORD("9", "A", "www", "198.18.0.7", "60")), NULL});
    CLEANUP_ERR struct err *e = set_if(&f, "www.example.com", "A", "198.18.0.8", "198.18.0.9", 60);
    assert_kind(e, ERR_CONFLICT);
    assert_asked_times(&f, 1);
    end(&f);
}

static void new_record_says_where_it_goes_and_an_old_one_is_deleted(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, (const char *[]){RECORDS(""), ANSWER("201 Made", "{\"domain_record\":{\"id\":9}}"),
                               RECORDS(RECORD("9", "AAAA", "@", "2001:db8::9", "60")), GONE, NULL});
    assert_fine(set_if(&f, "example.com", "AAAA", NULL, "2001:db8::9", 60));
    assert_fine(set_if(&f, "example.com", "AAAA", "2001:db8::9", NULL, 0));
    assert_asked(&f, 1, "POST /v2/domains/example.com/records",
                 "{\"type\":\"AAAA\",\"data\":\"2001:db8::9\",\"ttl\":60,\"name\":\"@\"}");
    assert_asked(&f, 3, "DELETE /v2/domains/example.com/records/9", NULL);
    end(&f);
}

static void alias_goes_out_with_a_dot_and_comes_back_without(void **state)
{
    (void)state;
    struct fixture f;
    struct dns_record_set set = {0};
    begin(&f, (const char *[]){RECORDS(RECORD("9", "CNAME", "shop", "@", "60")), DONE,
                               RECORDS(RECORD("9", "CNAME", "shop", "www.example.net", "60")), NULL});
    assert_fine(set_if(&f, "shop.example.com", "CNAME", "example.com", "www.example.net", 60));
    assert_fine(dns_ops->record_get(&f.ctx, f.dns, f.arena, &zone, "shop.example.com", "CNAME", &set));
    assert_string_equal(set.values[0], "www.example.net");
    assert_asked(&f, 1, "PATCH /v2/domains/example.com/records/9", "\"data\":\"www.example.net.\"");
    end(&f);
}

static void failed_write_is_no_conflict(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        enum err_kind kind;
    } cases[] = {
        {REFUSED("404 Not Found", "not_found"), ERR_TRANSIENT}, /* deleted since: the next read tells */
        {REFUSED("409 Conflict", "conflict"), ERR_TRANSIENT},
        {REFUSED("403 Forbidden", "forbidden"), ERR_AUTH},
        {REFUSED("429 Too Many", "too_many_requests"), ERR_RATE_LIMIT},
        {"HTTP/1.1 502 Bad\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<html>",
         ERR_UNKNOWN_OUTCOME},
        {CANNED_HANG_UP, ERR_UNKNOWN_OUTCOME},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture f;
        begin(&f,
              (const char *[]){RECORDS(RECORD("9", "A", "www", "198.18.0.8", "60")), cases[i].answer, NULL});
        CLEANUP_ERR struct err *e = set_if(&f, "www.example.com", "A", "198.18.0.8", "198.18.0.9", 60);
        assert_kind(e, cases[i].kind);
        end(&f);
    }
}

static void authoritative_servers_are_those_of_the_zone_itself(void **state)
{
    (void)state;
    struct fixture f;
    const char **names = NULL;
    size_t count = 0;
    begin(&f, (const char *[]){RECORDS(RECORD("1", "NS", "@", "ns1.digitalocean.com",
                                              "1800") "," RECORD("2", "NS", "sub", "ns.example.net", "1800")),
                               NULL});
    assert_fine(dns_ops->authoritative_servers(&f.ctx, f.dns, f.arena, &zone, &names, &count));
    assert_int_equal(count, 1);
    assert_string_equal(names[0], "ns1.digitalocean.com");
    end(&f);
}

static int find_service(void **state)
{
    (void)state;
    dns_ops = dns_find("digitalocean");
    return dns_ops && !http_global_init() ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zone_is_the_longest_that_holds_the_name),
        cmocka_unit_test(records_are_asked_for_by_full_name_and_read_by_relative_one),
        cmocka_unit_test(flip_changes_the_record_that_is_there),
        cmocka_unit_test(record_that_is_not_as_expected_is_not_written),
        cmocka_unit_test(new_record_says_where_it_goes_and_an_old_one_is_deleted),
        cmocka_unit_test(alias_goes_out_with_a_dot_and_comes_back_without),
        cmocka_unit_test(failed_write_is_no_conflict),
        cmocka_unit_test(authoritative_servers_are_those_of_the_zone_itself),
    };
    return cmocka_run_group_tests(tests, find_service, NULL);
}
