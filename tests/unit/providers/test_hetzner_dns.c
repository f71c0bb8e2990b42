/* The Hetzner DNS adapter: the flip of a record is a compare-and-swap, and every way in which it must not
 * write is tested. */
#include "base/http.h"
#include "providers/dns/dns.h"
#include "tests/unit/providers/adapter_fixture.h"

#define ERROR(status, code) ANSWER(status, "{\"error\":{\"code\":\"" code "\",\"message\":\"m\"}}")
#define LAST_PAGE ",\"meta\":{\"pagination\":{\"next_page\":null}}"
#define ZONE(id, name) "{\"id\":" id ",\"name\":\"" name "\",\"ttl\":3600,\"mode\":\"primary\"}"
#define SETS(sets) ANSWER("200 OK", "{\"rrsets\":[" sets "]" LAST_PAGE "}")
#define SET(name, type, ttl, value)                                                                          \
    "{\"name\":\"" name "\",\"type\":\"" type "\",\"ttl\":" ttl ",\"records\":[{\"value\":\"" value "\"}]}"
#define ACTION(id) ANSWER("201 Made", "{\"action\":{\"id\":" id "}}")

static const struct dns_zone zone = {.id = "5", .name = "example.com", .default_ttl_seconds = 3600};

/* A set of one value; NULL: the empty set. */
static struct dns_record_set set_of(const char *type, int64_t ttl, const char **value)
{
    return (struct dns_record_set){.name = "www.example.com",
                                   .type = type,
                                   .ttl_seconds = ttl,
                                   .values = value,
                                   .count = *value ? 1 : 0};
}

static struct err *flip(struct fixture *f, const char *type, const char *from, const char *to, int64_t ttl,
                        const char **op)
{
    struct dns_record_set expected = set_of(type, 300, &from);
    struct dns_record_set wanted = set_of(type, ttl, &to);
    return dns_ops->record_set_if(&f->ctx, f->dns, f->arena, &zone, &expected, &wanted, op);
}

static void zone_is_the_longest_that_holds_the_name(void **state)
{
    (void)state;
    struct fixture f;
    struct dns_zone found = {0};
    const char *zones =
        ANSWER("200 OK", "{\"zones\":[" ZONE("1", "com") "," ZONE("2", "shop.example.com") "," ZONE(
                             "3", "example.com") "," ZONE("4", "ple.com") "]" LAST_PAGE "}");
    begin(&f, (const char *[]){zones, zones, zones, NULL});
    assert_fine(dns_ops->zone_find(&f.ctx, f.dns, f.arena, "www.Shop.example.com.", &found));
    assert_string_equal(found.id, "2");
    assert_fine(dns_ops->zone_find(&f.ctx, f.dns, f.arena, "example.com", &found));
    assert_string_equal(found.id, "3");
    assert_true(found.default_ttl_seconds == 3600);
    CLEANUP_ERR struct err *e = dns_ops->zone_find(&f.ctx, f.dns, f.arena, "example.org", &found);
    assert_kind(e, ERR_NOT_FOUND);
    end(&f);
}

static void record_is_read_with_sorted_values_and_its_ttl(void **state)
{
    (void)state;
    struct fixture f;
    struct dns_record_set set = {0};
    begin(&f, (const char *[]){SETS("{\"name\":\"www\",\"type\":\"A\",\"ttl\":null,\"records\":[{\"value\":"
                                    "\"198.18.0.9\"},{\"value\":\"198.18.0.8\"}]}"),
                               SETS(""), SETS(SET("@", "A", "60", "198.18.0.8")), NULL});
    assert_fine(dns_ops->record_get(&f.ctx, f.dns, f.arena, &zone, "www.example.com", "A", &set));
    assert_int_equal(set.count, 2);
    assert_string_equal(set.values[0], "198.18.0.8");
    assert_true(set.ttl_seconds == 3600); /* the zone's, as the set has none */
    assert_fine(dns_ops->record_get(&f.ctx, f.dns, f.arena, &zone, "www.example.com", "AAAA", &set));
    assert_int_equal(set.count, 0);
    assert_fine(dns_ops->record_get(&f.ctx, f.dns, f.arena, &zone, "example.com", "A", &set));
    assert_int_equal(set.count, 1);
    assert_true(set.ttl_seconds == 60);
    assert_asked(&f, 0, "GET /zones/5/rrsets?name=www&type=A&per_page=50", NULL);
    assert_asked(&f, 2, "GET /zones/5/rrsets?name=%40&type=A&per_page=50", NULL);
    end(&f);
}

static void name_outside_the_zone_is_refused(void **state)
{
    (void)state;
    struct fixture f;
    struct dns_record_set set = {0};
    begin(&f, (const char *[]){NULL});
    CLEANUP_ERR struct err *e =
        dns_ops->record_get(&f.ctx, f.dns, f.arena, &zone, "www.notexample.com", "A", &set);
    assert_kind(e, ERR_INPUT);
    end(&f);
}

static void flip_replaces_the_expected_value(void **state)
{
    (void)state;
    struct fixture f;
    const char *op = NULL;
    begin(&f, (const char *[]){SETS(SET("www", "A", "300", "198.18.0.8")), ACTION("11"), NULL});
    assert_fine(flip(&f, "A", "198.18.0.8", "198.18.0.9", 300, &op));
    assert_string_equal(op, "11");
    assert_asked_times(&f, 2);
    assert_asked(&f, 1, "POST /zones/5/rrsets/www/A/actions/set_records",
                 "{\"records\":[{\"value\":\"198.18.0.9\"}]}");
    end(&f);
}

static void flip_changes_the_ttl_as_well_when_it_differs(void **state)
{
    (void)state;
    struct fixture f;
    const char *op = NULL;
    begin(&f,
          (const char *[]){SETS(SET("www", "A", "3600", "198.18.0.8")), ACTION("11"), ACTION("12"), NULL});
    assert_fine(flip(&f, "A", "198.18.0.8", "198.18.0.9", 300, &op));
    assert_string_equal(op, "11,12");
    assert_asked(&f, 2, "POST /zones/5/rrsets/www/A/actions/change_ttl", "{\"ttl\":300}");
    end(&f);
}

static void flip_that_is_done_already_writes_nothing(void **state)
{
    (void)state;
    struct fixture f;
    const char *op = "unset";
    begin(&f, (const char *[]){SETS(SET("www", "AAAA", "300", "2001:DB8:0::9")), NULL});
    assert_fine(flip(&f, "AAAA", "2001:db8::8", "2001:db8::9", 300, &op));
    assert_null(op);
    assert_asked_times(&f, 1);
    end(&f);
}

static void record_changed_by_somebody_else_is_not_flipped(void **state)
{
    (void)state;
    struct fixture f;
    const char *op = NULL;
    begin(&f, (const char *[]){SETS(SET("www", "A", "300", "203.0.113.66")), SETS(""),
                               SETS(SET("www", "A", "300", "198.18.0.8\"},{\"value\":\"198.18.0.9")), NULL});
    CLEANUP_ERR struct err *changed = flip(&f, "A", "198.18.0.8", "198.18.0.9", 300, &op);
    assert_kind(changed, ERR_CONFLICT);
    assert_non_null(strstr(err_text(changed), "expected '198.18.0.8', found '203.0.113.66'"));
    CLEANUP_ERR struct err *removed = flip(&f, "A", "198.18.0.8", "198.18.0.9", 300, &op);
    assert_kind(removed, ERR_CONFLICT);
    assert_non_null(strstr(err_text(removed), "found 'nothing'"));
    /* A set is replaced as a whole: what looks like half of our change is somebody else's. */
    CLEANUP_ERR struct err *added = flip(&f, "A", "198.18.0.8", "198.18.0.9", 300, &op);
    assert_kind(added, ERR_CONFLICT);
    assert_asked_times(&f, 3); /* three reads, no write */
    end(&f);
}

static void absent_record_is_created_and_an_unwanted_one_deleted(void **state)
{
    (void)state;
    struct fixture f;
    const char *op = NULL;
    begin(&f, (const char *[]){SETS(""), ANSWER("201 Made", "{\"rrset\":{},\"action\":{\"id\":13}}"),
                               SETS(SET("www", "AAAA", "300", "2001:db8::8")), ACTION("14"), SETS(""), NULL});
    assert_fine(flip(&f, "A", NULL, "198.18.0.9", 120, &op));
    assert_string_equal(op, "13");
    assert_fine(flip(&f, "AAAA", "2001:db8::8", NULL, 0, &op));
    assert_string_equal(op, "14");
    assert_fine(flip(&f, "AAAA", "2001:db8::8", NULL, 0, &op));
    assert_null(op);
    assert_asked(&f, 1, "POST /zones/5/rrsets",
                 "{\"name\":\"www\",\"type\":\"A\",\"records\":[{\"value\":\"198.18.0.9\"}],\"ttl\":120}");
    assert_asked(&f, 3, "DELETE /zones/5/rrsets/www/AAAA", NULL);
    end(&f);
}

static void alias_is_written_with_a_dot_and_read_without(void **state)
{
    (void)state;
    struct fixture f;
    const char *op = NULL;
    begin(&f, (const char *[]){SETS(SET("www", "CNAME", "300", "old")), ACTION("15"), NULL});
    assert_fine(flip(&f, "CNAME", "old.example.com", "new.example.net", 300, &op));
    assert_asked(&f, 1, "POST /zones/5/rrsets/www/CNAME/actions/set_records",
                 "{\"records\":[{\"value\":\"new.example.net.\"}]}");
    end(&f);
}

static void busy_zone_is_not_mistaken_for_a_changed_record(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        enum err_kind kind;
    } cases[] = {
        {ERROR("423 Locked", "locked"), ERR_TRANSIENT},
        {ERROR("409 Conflict", "conflict"), ERR_TRANSIENT},
        {ERROR("404 Not Found", "not_found"), ERR_TRANSIENT}, /* deleted since: the next read tells */
        {ERROR("423 Locked", "protected"), ERR_REJECTED},
        {ERROR("422 Unprocessable", "incorrect_zone_mode"), ERR_REJECTED},
        {ERROR("401 Unauthorized", "token_readonly"), ERR_AUTH},
        {ERROR("503 Later", "unavailable"), ERR_UNKNOWN_OUTCOME},
        {CANNED_HANG_UP, ERR_UNKNOWN_OUTCOME},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fixture f;
        const char *op = NULL;
        begin(&f, (const char *[]){SETS(SET("www", "A", "300", "198.18.0.8")), cases[i].answer, NULL});
        CLEANUP_ERR struct err *e = flip(&f, "A", "198.18.0.8", "198.18.0.9", 300, &op);
        assert_kind(e, cases[i].kind);
        end(&f);
    }
}

/* Dropped without a word, the others of the set would be written without it. */
static void value_that_cannot_be_sent_stops_the_change(void **state)
{
    (void)state;
    struct fixture f;
    const char *op = NULL;
    begin(&f, (const char *[]){SETS(SET("www", "TXT", "300", "\\\"old\\\"")), SETS(""), NULL});
    CLEANUP_ERR struct err *replaced = flip(&f, "TXT", "old", "\xff", 300, &op);
    assert_kind(replaced, ERR_INPUT);
    CLEANUP_ERR struct err *created = flip(&f, "TXT", NULL, "\xff", 300, &op);
    assert_kind(created, ERR_INPUT);
    assert_asked_times(&f, 2); /* no write */
    end(&f);
}

static void ttl_below_the_minimum_becomes_the_minimum(void **state)
{
    (void)state;
    struct fixture f;
    const char *op = NULL;
    begin(&f, (const char *[]){SETS(SET("www", "A", "300", "198.18.0.8")), ACTION("11"), ACTION("12"),
                               SETS(SET("www", "A", "60", "198.18.0.9")), NULL});
    assert_fine(flip(&f, "A", "198.18.0.8", "198.18.0.9", 30, &op));
    assert_fine(flip(&f, "A", "198.18.0.8", "198.18.0.9", 30, &op));
    assert_null(op);
    assert_asked(&f, 2, "POST /zones/5/rrsets/www/A/actions/change_ttl", "{\"ttl\":60}");
    end(&f);
}

static void authoritative_servers_are_those_assigned_to_the_zone(void **state)
{
    (void)state;
    struct fixture f;
    const char **names = NULL;
    size_t count = 0;
    begin(&f, (const char *[]){ANSWER("200 OK", "{\"zone\":{\"authoritative_nameservers\":{\"assigned\":"
                                                "[\"hydrogen.ns.hetzner.com.\",\"helium.ns.hetzner.de.\"],"
                                                "\"delegated\":[\"elsewhere.example.net.\"]}}}"),
                               NULL});
    assert_fine(dns_ops->authoritative_servers(&f.ctx, f.dns, f.arena, &zone, &names, &count));
    assert_int_equal(count, 2);
    assert_string_equal(names[0], "hydrogen.ns.hetzner.com");
    end(&f);
}

static void sets_are_compared_by_meaning_not_spelling(void **state)
{
    (void)state;
    const char *a[] = {"198.18.0.8", "198.18.0.9"};
    const char *b[] = {"198.18.0.9", "198.18.0.8"};
    const char *c[] = {"198.18.0.9", "198.18.0.7"};
    struct dns_record_set x = {
        .name = "www.example.com", .type = "A", .ttl_seconds = 60, .values = a, .count = 2};
    struct dns_record_set y = {
        .name = "WWW.example.com.", .type = "A", .ttl_seconds = 90, .values = b, .count = 2};
    struct dns_record_set z = {
        .name = "www.example.com", .type = "A", .ttl_seconds = 60, .values = c, .count = 2};
    assert_true(dns_record_set_equal(&x, &y));
    assert_false(dns_record_set_equal(&x, &z));
    z.count = 0;
    assert_false(dns_record_set_equal(&x, &z));
}

static int find_service(void **state)
{
    (void)state;
    dns_ops = dns_find("hetzner");
    return dns_ops && !http_global_init() ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zone_is_the_longest_that_holds_the_name),
        cmocka_unit_test(record_is_read_with_sorted_values_and_its_ttl),
        cmocka_unit_test(name_outside_the_zone_is_refused),
        cmocka_unit_test(flip_replaces_the_expected_value),
        cmocka_unit_test(flip_changes_the_ttl_as_well_when_it_differs),
        cmocka_unit_test(flip_that_is_done_already_writes_nothing),
        cmocka_unit_test(record_changed_by_somebody_else_is_not_flipped),
        cmocka_unit_test(absent_record_is_created_and_an_unwanted_one_deleted),
        cmocka_unit_test(alias_is_written_with_a_dot_and_read_without),
        cmocka_unit_test(busy_zone_is_not_mistaken_for_a_changed_record),
        cmocka_unit_test(value_that_cannot_be_sent_stops_the_change),
        cmocka_unit_test(ttl_below_the_minimum_becomes_the_minimum),
        cmocka_unit_test(authoritative_servers_are_those_assigned_to_the_zone),
        cmocka_unit_test(sets_are_compared_by_meaning_not_spelling),
    };
    return cmocka_run_group_tests(tests, find_service, NULL);
}
