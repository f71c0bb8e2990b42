/* What the DNS drivers share: names, sets, the comparison before a change, and get and set on services whose
 * unit is the single record. The service here is a list in memory that can stop after a number of writes. */
#include "providers/dns/records.h"
#include "tests/unit/providers/assert_err.h"
#include <stdlib.h>
#include <string.h>

#define MAX_RECORDS 8

struct dns { /* the service */
    struct dns_record records[MAX_RECORDS];
    size_t count;
    int next_id;
    int writes;
    int stop_after; /* writes; -1: never */
    bool stale;     /* its list shows records that are gone */
};

static struct arena *arena;
static const struct dns_zone zone = {.id = "1", .name = "example.com", .default_ttl_seconds = 3600};
static const struct ctx *const no_ctx = NULL;

static int begin(void **state)
{
    (void)state;
    arena = arena_new(0);
    return 0;
}

static int end(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

/* "198.18.0.1 198.18.0.2"; "" is the empty set */
static struct dns_record_set set_of(const char *type, const char *values, int64_t ttl_seconds)
{
    struct dns_record_set set = {.name = "www.example.com", .type = type, .ttl_seconds = ttl_seconds};
    char *save = NULL;
    set.values = arena_array(arena, MAX_RECORDS, sizeof(*set.values));
    for (char *v = strtok_r(arena_strdup(arena, values), " ", &save); v; v = strtok_r(NULL, " ", &save))
        set.values[set.count++] = v;
    return set;
}

static bool equal(const char *type, const char *a, const char *b)
{
    struct dns_record_set x = set_of(type, a, 60), y = set_of(type, b, 300);
    return dns_record_set_equal(&x, &y);
}

/* ---- names ---- */

static void a_name_lies_within_its_zone_and_no_other(void **state)
{
    (void)state;
    assert_true(dns_name_within("www.example.com", "example.com"));
    assert_true(dns_name_within("WWW.Example.com.", "example.COM"));
    assert_true(dns_name_within("example.com", "example.com."));
    assert_false(dns_name_within("wwwexample.com", "example.com"));
    assert_false(dns_name_within("com", "example.com"));
    assert_false(dns_name_within("www.example.com", "example.org"));
}

static void names_are_made_relative_and_absolute_again(void **state)
{
    (void)state;
    const char *relative = NULL;
    assert_fine(dns_relative_name(arena, "example.com", "WWW.shop.Example.com.", "@", &relative));
    assert_string_equal(relative, "www.shop");
    assert_string_equal(dns_absolute_name(arena, "example.com", relative), "www.shop.example.com");
    assert_fine(dns_relative_name(arena, "example.com", "example.com", "@", &relative));
    assert_string_equal(relative, "@");
    assert_string_equal(dns_absolute_name(arena, "example.com.", relative), "example.com");
    assert_fine(dns_relative_name(arena, "example.com.", "example.com", "", &relative));
    assert_string_equal(relative, "");
    assert_string_equal(dns_absolute_name(arena, "example.com", relative), "example.com");
    assert_string_equal(dns_absolute_name(arena, "example.com", "www.other.org."), "www.other.org");
    assert_err(dns_relative_name(arena, "example.com", "www.example.org", "@", &relative), ERR_INPUT, NULL,
               NULL);
}

/* ---- sets ---- */

static void sets_are_equal_whatever_the_order_and_spelling(void **state)
{
    (void)state;
    assert_true(equal("A", "192.0.2.1 192.0.2.2", "192.0.2.2 192.0.2.1"));
    assert_false(equal("A", "192.0.2.1", "192.0.2.1 192.0.2.2"));
    assert_true(equal("AAAA", "2001:DB8:0::1", "2001:db8::1"));
    assert_true(equal("CNAME", "WWW.example.com.", "www.example.com"));
    assert_false(equal("CNAME", "www.example.com", "ww.example.com"));
    assert_false(equal("TXT", "Text", "text"));
    assert_true(equal("A", "", ""));
    assert_false(equal("A", "", "192.0.2.1"));
    assert_false(equal("A", "192.0.2.1 192.0.2.1", "192.0.2.1 192.0.2.2")); /* some services keep doubles */
    assert_false(equal("A", "192.0.2.1 192.0.2.2", "192.0.2.2 192.0.2.2"));
}

static void sets_of_other_names_or_types_are_never_equal(void **state)
{
    (void)state;
    struct dns_record_set a = set_of("A", "192.0.2.1", 60), b = a, c = a;
    b.name = "ftp.example.com";
    c.type = "TXT";
    assert_false(dns_record_set_equal(&a, &b));
    assert_false(dns_record_set_equal(&a, &c));
}

static bool between(const char *found, const char *expected, const char *wanted)
{
    struct dns_record_set f = set_of("A", found, 60), e = set_of("A", expected, 60),
                          w = set_of("A", wanted, 60);
    return dns_record_set_between(&f, &e, &w);
}

static void half_a_change_is_told_from_somebody_elses(void **state)
{
    (void)state;
    assert_true(between("192.0.2.1 192.0.2.9", "192.0.2.1", "192.0.2.9"));
    assert_true(between("192.0.2.8 192.0.2.2", "192.0.2.1 192.0.2.2", "192.0.2.8 192.0.2.9"));
    assert_false(between("192.0.2.2", "192.0.2.1 192.0.2.2", "192.0.2.9"));
    assert_false(between("192.0.2.9 192.0.2.66", "192.0.2.1", "192.0.2.9"));
    assert_false(between("", "192.0.2.1", "192.0.2.9"));
    /* where values only go, nothing new shows that it began */
    assert_true(between("192.0.2.2", "192.0.2.1 192.0.2.2", ""));
    assert_true(between("192.0.2.1 192.0.2.3", "192.0.2.1 192.0.2.2 192.0.2.3", "192.0.2.3"));
    assert_false(between("192.0.2.1", "192.0.2.1 192.0.2.2 192.0.2.3", "192.0.2.3"));
    assert_false(between("192.0.2.2 192.0.2.66", "192.0.2.1 192.0.2.2", ""));
}

static void a_conflict_tells_both_sets(void **state)
{
    (void)state;
    struct dns_record_set found = set_of("A", "192.0.2.66", 60), expected = set_of("A", "192.0.2.1", 60),
                          wanted = set_of("A", "192.0.2.9", 60),
                          half = set_of("A", "192.0.2.1 192.0.2.9", 60), nothing = set_of("A", "", 60);
    struct err *e = dns_check_expected(arena, &found, &expected, &wanted);
    assert_non_null(e);
    assert_non_null(strstr(err_text(e), "expected '192.0.2.1', found '192.0.2.66'"));
    assert_err(e, ERR_CONFLICT, NULL, NULL);
    assert_err(dns_check_expected(arena, &nothing, &expected, &wanted), ERR_CONFLICT, NULL, NULL);
    assert_fine(dns_check_expected(arena, &expected, &expected, &wanted));
    assert_fine(dns_check_expected(arena, &wanted, &expected, &wanted));
    assert_fine(dns_check_expected(arena, &half, &expected, &wanted));
    assert_err(dns_check_expected_whole(arena, &half, &expected, &wanted), ERR_CONFLICT, NULL, NULL);
    assert_fine(dns_check_expected_whole(arena, &wanted, &expected, &wanted));
}

/* ---- a service of records ---- */

static struct err *list(const struct ctx *ctx, struct dns *dns, struct arena *a, const struct dns_zone *z,
                        const char *name, const char *type, struct dns_record **records, size_t *count)
{
    (void)ctx, (void)z, (void)name, (void)type;
    *records = arena_memdup(a, dns->records, sizeof(dns->records));
    *count = dns->count;
    return NULL;
}

static struct dns_record *find(struct dns *dns, const char *id)
{
    for (size_t i = 0; i < dns->count; i++)
        if (strcmp(dns->records[i].id, id) == 0)
            return &dns->records[i];
    fail_msg("no record '%s'", id);
    return NULL;
}

static struct err *write_record(const struct ctx *ctx, struct dns *dns, struct arena *a,
                                const struct dns_zone *z, const char *name, const char *type,
                                const struct dns_record *record)
{
    (void)ctx, (void)z, (void)name, (void)type;
    if (dns->writes == dns->stop_after)
        return err_new(ERR_UNKNOWN_OUTCOME, "cut");
    if (dns->stale)
        return err_new(ERR_NOT_FOUND, "no record '%s'", record->id);
    dns->writes++;
    if (!record->id) {
        dns->records[dns->count] = *record;
        dns->records[dns->count++].id = arena_printf(a, "%d", ++dns->next_id);
        return NULL;
    }
    struct dns_record *mine = find(dns, record->id);
    if (!record->value)
        *mine = dns->records[--dns->count];
    else
        mine->value = record->value, mine->ttl_seconds = record->ttl_seconds;
    return NULL;
}

static int64_t at_least_a_minute(int64_t wanted_seconds)
{
    return wanted_seconds < 60 ? 60 : wanted_seconds;
}

static const struct dns_record_service service = {list, write_record, at_least_a_minute};

static struct dns service_with(const char *values)
{
    struct dns dns = {.stop_after = -1};
    struct dns_record_set set = set_of("A", values, 300);
    for (size_t i = 0; i < set.count; i++)
        dns.records[dns.count++] = (struct dns_record){
            .id = arena_printf(arena, "%d", ++dns.next_id), .value = set.values[i], .ttl_seconds = 300};
    return dns;
}

static struct err *flip(struct dns *dns, const char *from, const char *to, int64_t ttl_seconds)
{
    struct dns_record_set expected = set_of("A", from, 300), wanted = set_of("A", to, ttl_seconds);
    return dns_records_set_if(&service, no_ctx, dns, arena, &zone, &expected, &wanted);
}

static void assert_holds(struct dns *dns, const char *values, int64_t ttl_seconds)
{
    struct dns_record_set set, wanted = set_of("A", values, ttl_seconds);
    assert_fine(dns_records_get(&service, no_ctx, dns, arena, &zone, "www.example.com.", "A", &set));
    assert_true(dns_record_set_equal(&set, &wanted));
    assert_int_equal(set.ttl_seconds, ttl_seconds);
}

static void one_address_in_place_of_another_is_one_update(void **state)
{
    (void)state;
    struct dns dns = service_with("192.0.2.1");
    assert_fine(flip(&dns, "192.0.2.1", "192.0.2.9", 60));
    assert_int_equal(dns.writes, 1);
    assert_string_equal(dns.records[0].id, "1");
    assert_holds(&dns, "192.0.2.9", 60);
}

static void values_that_stay_are_not_touched(void **state)
{
    (void)state;
    struct dns dns = service_with("192.0.2.1 192.0.2.2");
    assert_fine(flip(&dns, "192.0.2.2 192.0.2.1", "192.0.2.2 192.0.2.9", 300));
    assert_int_equal(dns.writes, 1);
    assert_string_equal(find(&dns, "2")->value, "192.0.2.2");
    assert_holds(&dns, "192.0.2.2 192.0.2.9", 300);
}

static void sets_grow_shrink_appear_and_vanish(void **state)
{
    (void)state;
    struct dns dns = service_with("");
    assert_holds(&dns, "", 3600);
    assert_fine(flip(&dns, "", "192.0.2.1", 30));
    assert_holds(&dns, "192.0.2.1", 60);
    assert_fine(flip(&dns, "192.0.2.1", "192.0.2.1 192.0.2.2 192.0.2.3", 60));
    assert_holds(&dns, "192.0.2.1 192.0.2.2 192.0.2.3", 60);
    assert_fine(flip(&dns, "192.0.2.1 192.0.2.2 192.0.2.3", "192.0.2.2", 60));
    assert_holds(&dns, "192.0.2.2", 60);
    assert_fine(flip(&dns, "192.0.2.2", "", 0));
    assert_holds(&dns, "", 3600);
}

static void a_flip_without_ttl_keeps_the_old_one(void **state)
{
    (void)state;
    struct dns dns = service_with("192.0.2.1");
    assert_fine(flip(&dns, "192.0.2.1", "192.0.2.9", 0));
    assert_holds(&dns, "192.0.2.9", 300);
    assert_fine(flip(&dns, "192.0.2.9", "192.0.2.9", 120));
    assert_holds(&dns, "192.0.2.9", 120);
}

static void a_set_that_is_as_wanted_is_not_written(void **state)
{
    (void)state;
    struct dns dns = service_with("192.0.2.9");
    assert_fine(flip(&dns, "192.0.2.1", "192.0.2.9", 300));
    assert_int_equal(dns.writes, 0);
}

static void somebody_elses_change_stops_everything(void **state)
{
    (void)state;
    struct dns dns = service_with("192.0.2.66");
    assert_err(flip(&dns, "192.0.2.1", "192.0.2.9", 300), ERR_CONFLICT, NULL, NULL);
    assert_err(flip(&dns, "", "192.0.2.9", 300), ERR_CONFLICT, NULL, NULL);
    assert_err(flip(&dns, "192.0.2.1", "", 300), ERR_CONFLICT, NULL, NULL);
    assert_int_equal(dns.writes, 0);
    assert_holds(&dns, "192.0.2.66", 300);
}

static const char *const cuts[][2] = {
    {"192.0.2.1 192.0.2.2", "192.0.2.8 192.0.2.9"}, {"192.0.2.1", "192.0.2.7 192.0.2.8 192.0.2.9"},
    {"192.0.2.1 192.0.2.2 192.0.2.3", "192.0.2.9"}, {"", "192.0.2.8 192.0.2.9"},
    {"192.0.2.1 192.0.2.2 192.0.2.3", ""},          {"192.0.2.1 192.0.2.2 192.0.2.3", "192.0.2.2"},
};

static void a_change_that_was_cut_short_is_repeated_from_any_place(void **state)
{
    (void)state;
    for (size_t c = 0; c < sizeof(cuts) / sizeof(cuts[0]); c++)
        for (int after = 0; after < 3; after++) {
            struct dns dns = service_with(cuts[c][0]);
            dns.stop_after = after;
            struct err *e = flip(&dns, cuts[c][0], cuts[c][1], 60);
            err_free(e); /* the longer ones fail, the shorter ones are through */
            dns.stop_after = -1;
            assert_fine(flip(&dns, cuts[c][0], cuts[c][1], 60));
            assert_holds(&dns, cuts[c][1], cuts[c][1][0] ? 60 : zone.default_ttl_seconds);
        }
}

static void a_record_that_is_gone_since_the_read_is_worth_another_one(void **state)
{
    (void)state;
    struct dns dns = service_with("192.0.2.1");
    dns.stale = true;
    assert_err(flip(&dns, "192.0.2.1", "192.0.2.9", 60), ERR_TRANSIENT, NULL, NULL);
}

/* ---- texts ---- */

static void texts_come_back_from_a_zone_as_they_went(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "plain", "a \"b\" \\ c", "v=spf1 -all", "z\303\274rich"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_string_equal(dns_text_from_zone(arena, dns_text_to_zone(arena, texts[i])), texts[i]);
    assert_string_equal(dns_text_from_zone(arena, "\"one \" \"two\""), "one two");
    assert_string_equal(dns_text_from_zone(arena, "\"z\\195\\188rich\""),
                        "z\303\274rich"); /* RFC 1035, 5.1 */
}

/* A request is UTF-8, so no string of a long text may end within a character. */
static void a_long_text_is_cut_between_characters(void **state)
{
    (void)state;
    for (size_t before = 240; before < 260; before++) {
        char text[400] = "";
        memset(text, 'x', before);
        (void)memcpy(text + before, "\342\202\254 and on", 11);
        const char *quoted = dns_text_to_zone(arena, text);
        assert_string_equal(dns_text_from_zone(arena, quoted), text);
        assert_non_null(strstr(quoted, "\342\202\254"));
        for (const char *part = quoted; part;
             part = strstr(part + 1, "\" \"") ? strstr(part + 1, "\" \"") + 2 : NULL)
            assert_true(strcspn(part + 1, "\"") <= 255);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_that_is_gone_since_the_read_is_worth_another_one),
        cmocka_unit_test(texts_come_back_from_a_zone_as_they_went),
        cmocka_unit_test(a_long_text_is_cut_between_characters),
        cmocka_unit_test(a_name_lies_within_its_zone_and_no_other),
        cmocka_unit_test(names_are_made_relative_and_absolute_again),
        cmocka_unit_test(sets_are_equal_whatever_the_order_and_spelling),
        cmocka_unit_test(sets_of_other_names_or_types_are_never_equal),
        cmocka_unit_test(half_a_change_is_told_from_somebody_elses),
        cmocka_unit_test(a_conflict_tells_both_sets),
        cmocka_unit_test(one_address_in_place_of_another_is_one_update),
        cmocka_unit_test(values_that_stay_are_not_touched),
        cmocka_unit_test(sets_grow_shrink_appear_and_vanish),
        cmocka_unit_test(a_flip_without_ttl_keeps_the_old_one),
        cmocka_unit_test(a_set_that_is_as_wanted_is_not_written),
        cmocka_unit_test(somebody_elses_change_stops_everything),
        cmocka_unit_test(a_change_that_was_cut_short_is_repeated_from_any_place),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
