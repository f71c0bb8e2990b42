/* Placement: which rungs a host gets, from catalogues kept on disk, so that nobody is asked. */
#include "base/clock.h"
#include "base/decode.h"
#include "base/fs.h"
#include "core/market.h"
#include "core/placement.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define RECOVERY "age1ggh483jz6hg9tcp6fg3ezn4qp3hd7jercf5k4dspadqu9gektscsa92g7f"
#define HEAD                                                                                                 \
    "version: 1\nproject: shop\nstate_dir: state\n"                                                          \
    "providers:\n"                                                                                           \
    "  alpha: {type: hetzner, endpoint: \"http://127.0.0.1:1\", token: {file: token}}\n"                     \
    "  beta: {type: hetzner, endpoint: \"http://127.0.0.1:1\", token: {file: token}}\n"                      \
    "  gamma: {type: vultr, endpoint: \"http://127.0.0.1:1\", token: {file: token}}\n"                       \
    "  zone: {type: cloudflare, token: {file: token}}\n"                                                     \
    "keys:\n  ssh: {file: ssh}\n  backup: {file: backup}\n  recovery: " RECOVERY "\n"                        \
    "  signing: {file: sign}\n"                                                                              \
    "storage: {endpoint: \"http://127.0.0.1:1\", bucket: b, access_key: {file: a}, secret_key: {file: s}}\n" \
    "hosts:\n  web-1:\n    current: {provider: alpha, server: web-1}\n"

struct fixture {
    struct arena *arena;
    struct ctx ctx;
    struct project *project;
    const struct host *host;
    char dir[64];
};

/* One account's catalogue: `sizes` is JSON text. */
static void keep_catalog(struct fixture *f, const char *account, const char *currency, const char *sizes)
{
    const char *text = arena_printf(
        f->arena,
        "{\"format\":1,\"endpoint\":\"%s "
        "http://127.0.0.1:1\",\"read_ms\":%lld,\"currency\":\"%s\",\"sizes\":%s,"
        "\"regions\":[[\"nbg\",\"de\"],[\"hel\",\"fi\"],[\"nyc\",\"us\"],[\"zrh\",\"ch\"],[\"moon\",null]],"
        "\"images\":[\"ubuntu-24.04\"]}",
        strcmp(account, "gamma") == 0 ? "vultr" : "hetzner", (long long)clock_now_ms(), currency, sizes);
    const char *path = arena_printf(f->arena, "%s/state/catalog-%s.json", f->dir, account);
    assert_null(fs_write_file(path, text, strlen(text), 0600));
}

#define SIZE(name, cores, memory, offers)                                                                    \
    "{\"name\":\"" name "\",\"architecture\":\"x86\",\"cores\":" cores ",\"memory\":" memory                 \
    ",\"disk\":40,\"retired_at\":null,\"offers\":[" offers "]}"

static void begin(struct fixture *f, const char *host)
{
    *f = (struct fixture){.arena = arena_new(0), .ctx = ctx_background()};
    snprintf(f->dir, sizeof(f->dir), "/tmp/rehost-test-placement-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    const char *path = arena_printf(f->arena, "%s/inventory.yaml", f->dir);
    const char *text = arena_printf(f->arena, HEAD "%s", host);
    assert_null(fs_write_file(path, text, strlen(text), 0600));
    assert_null(fs_make_dirs(arena_printf(f->arena, "%s/state", f->dir), 0700));
    keep_catalog(
        f, "alpha", "EUR",
        "[" SIZE("a-small", "2", "4", "[\"nbg\",true,0.006,4],[\"hel\",true,0.005,3]") "," SIZE(
            "a-big", "8", "16",
            "[\"nbg\",true,0.030,20],[\"nyc\",true,0.028,19]") "," SIZE("a-gone", "2", "4",
                                                                        "[\"nbg\",false,0.004,3]") "]");
    keep_catalog(f, "beta", "USD",
                 "[" SIZE("b-small", "2", "4", "[\"nyc\",true,0.007,5],[\"moon\",true,0.001,1]") "," SIZE(
                     "b-mid", "4", "8", "[\"nbg\",true,0.020,14]") "]");
    keep_catalog(f, "gamma", "USD", "[" SIZE("g-small", "2", "3.9", "[\"zrh\",true,0.009,6]") "]");
    struct err *e = project_open(&f->ctx, path, &f->project);
    if (e)
        fail_msg("%s", err_text(e));
    f->host = f->project->inventory->hosts.items;
}

static void end(struct fixture *f)
{
    project_close(f->project);
    const char *const names[] = {"state/catalog-alpha.json", "state/catalog-beta.json",
                                 "state/catalog-gamma.json", "inventory.yaml"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        unlink(arena_printf(f->arena, "%s/%s", f->dir, names[i]));
    rmdir(arena_printf(f->arena, "%s/state", f->dir));
    rmdir(f->dir);
    arena_free(f->arena);
}

/* "alpha/hel a-small, beta/nyc b-small | struck: ..." */
static const char *ladder(struct fixture *f, const char *to, const char *without)
{
    json_t *rungs, *struck;
    const char *names[] = {without};
    const struct placement_options options = {
        .to = to, .market = {.without = {.items = names, .count = without ? 1 : 0}, .kept_will_do = true}};
    CLEANUP_ERR struct err *e = placement_rank(f->project, f->host, &options, &rungs, &struck);
    if (e)
        return arena_printf(f->arena, "%s: %s", err_kind_name(err_kind(e)), err_text(e));
    const char *text = "";
    for (size_t i = 0; i < json_array_size(rungs); i++) {
        const json_t *rung = json_array_get(rungs, i);
        text = arena_printf(f->arena, "%s%s%s/%s %s", text, i ? ", " : "",
                            json_string_value(json_object_get(rung, "provider")),
                            json_string_value(json_object_get(rung, "region")),
                            json_string_value(json_object_get(rung, "size")));
    }
    for (size_t i = 0; i < json_array_size(struck); i++)
        text = arena_printf(f->arena, "%s | %s", text, json_string_value(json_array_get(struck, i)));
    json_decref(rungs);
    json_decref(struck);
    return text;
}

static void check_ladder(const char *host, const char *to, const char *without, const char *wanted)
{
    struct fixture f;
    begin(&f, host);
    assert_string_equal(ladder(&f, to, without), wanted);
    end(&f);
}

static void listed_places_keep_their_order_and_sold_out_ones_come_last(void **state)
{
    (void)state;
    check_ladder("    places:\n      - {provider: alpha, region: nbg, size: a-gone}\n"
                 "      - {provider: beta, region: nyc, size: b-small}\n"
                 "      - {provider: alpha, region: hel, size: a-small}\n",
                 NULL, NULL, "beta/nyc b-small, alpha/hel a-small, alpha/nbg a-gone");
}

static void a_place_that_does_not_exist_is_struck_out_with_the_reason(void **state)
{
    (void)state;
    check_ladder(
        "    places:\n      - {provider: alpha, region: zrh, size: a-small}\n"
        "      - {provider: alpha, region: nbg, size: a-mall}\n"
        "      - {provider: beta, region: nyc, size: b-small}\n",
        NULL, NULL,
        "beta/nyc b-small | alpha/zrh a-small: size not offered there | alpha/nbg a-mall: no such size");
}

static void a_place_without_a_size_is_the_cheapest_that_fits_the_needs(void **state)
{
    (void)state;
    check_ladder("    needs: {cores: 4, memory_gib: 8}\n"
                 "    places:\n      - {provider: alpha, region: nbg}\n      - {provider: alpha}\n"
                 "      - {provider: gamma}\n",
                 NULL, NULL,
                 "alpha/nbg a-big, alpha/nyc a-big | "
                 "gamma: nothing on sale that fits 4 vCPU, 8 GiB memory, 0 GiB disk, x86");
}

static void a_ladder_of_our_own_is_by_price_with_another_provider_before_the_third_try(void **state)
{
    (void)state;
    check_ladder("    needs: {cores: 2, memory_gib: 4}\n", NULL, NULL,
                 "beta/moon b-small, gamma/zrh g-small, alpha/hel a-small, alpha/nbg a-small, beta/nyc "
                 "b-small, beta/nbg b-mid, alpha/nyc a-big");
}

static void the_second_rung_is_another_account_even_when_it_costs_more(void **state)
{
    (void)state;
    check_ladder("    needs: {cores: 2, memory_gib: 4, areas: [de, fi, ch]}\n", NULL, NULL,
                 "alpha/hel a-small, gamma/zrh g-small, alpha/nbg a-small, beta/nbg b-mid"
                 " | alpha: 1 of its regions (the host must stay in de or fi or ch, this is in us)"
                 " | beta: 2 of its regions (the host must stay in de or fi or ch, this is in us)");
}

static void data_that_must_stay_in_an_area_strikes_out_what_lies_outside(void **state)
{
    (void)state;
    check_ladder("    datasets:\n      customers: {kind: files, path: /srv/c, areas: [eu]}\n"
                 "    places:\n      - {provider: beta, region: nyc, size: b-small}\n"
                 "      - {provider: gamma, region: zrh, size: g-small}\n"
                 "      - {provider: beta, region: moon, size: b-small}\n"
                 "      - {provider: alpha, region: hel, size: a-small}\n",
                 NULL, NULL,
                 "alpha/hel a-small"
                 " | beta/nyc b-small: dataset 'customers' must stay in eu, this is in us"
                 " | gamma/zrh g-small: dataset 'customers' must stay in eu, this is in ch"
                 " | beta/moon b-small: dataset 'customers' must stay in eu, this is in a country that the "
                 "provider does not tell");
}

#define TWO_PLACES                                                                                           \
    "    places:\n      - {provider: alpha, region: nbg, size: a-small}\n"                                   \
    "      - {provider: alpha, region: hel, size: a-small}\n"

static void to_an_account_takes_what_is_as_large_as_the_listed_size(void **state)
{
    (void)state;
    check_ladder(TWO_PLACES, "beta", NULL, "beta/moon b-small");
    check_ladder(TWO_PLACES, "beta/nbg", NULL, "beta/nbg b-mid");
    check_ladder(TWO_PLACES, "alpha/hel", NULL, "alpha/hel a-small");
    check_ladder(TWO_PLACES, "gamma/zrh/g-small", NULL, "gamma/zrh g-small");
    check_ladder(TWO_PLACES, "delta", NULL, "input: --to: no account 'delta' with servers in the inventory");
}

static void without_the_only_listed_account_a_ladder_is_made_elsewhere(void **state)
{
    (void)state;
    check_ladder(TWO_PLACES, NULL, "alpha",
                 "beta/moon b-small, gamma/zrh g-small, beta/nyc b-small, beta/nbg b-mid"
                 " | alpha/nbg a-small: left out by --without | alpha/hel a-small: left out by --without"
                 " | alpha: left out by --without");
    check_ladder(TWO_PLACES, NULL, "alfa",
                 "input: --without: no account 'alfa' with servers in the inventory");
}

static void an_account_of_dns_alone_can_be_lost_but_not_built_at(void **state)
{
    (void)state;
    check_ladder(TWO_PLACES, NULL, "zone", "alpha/nbg a-small, alpha/hel a-small");
    check_ladder(TWO_PLACES, "zone", NULL, "input: --to: no account 'zone' with servers in the inventory");
}

static void an_account_that_cannot_be_read_is_struck_out_not_fatal(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, "    places:\n      - {provider: gamma, region: zrh, size: g-small}\n"
              "      - {provider: alpha, region: hel, size: a-small}\n");
    unlink(arena_printf(f.arena, "%s/state/catalog-gamma.json", f.dir)); /* and its token does not exist */
    const char *text = ladder(&f, NULL, NULL);
    if (strncmp(text, "alpha/hel a-small | gamma/zrh g-small: ", 39) != 0 || !strstr(text, "token"))
        fail_msg("%s", text);
    end(&f);
}

static void what_takes_the_place_of_a_listed_size_has_no_less_of_anything(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, "    places:\n      - {provider: gamma, region: zrh, size: g-small}\n");
    keep_catalog(&f, "alpha", "EUR", "[" SIZE("a-small", "2", "4", "[\"hel\",true,0.005,3]") "]");
    keep_catalog(&f, "beta", "USD", "[" SIZE("b-less", "2", "3", "[\"nyc\",true,0.001,1]") "]");
    assert_string_equal(ladder(&f, NULL, "gamma"),
                        "alpha/hel a-small | gamma/zrh g-small: left out by --without"
                        " | gamma: left out by --without");
    end(&f);
}

static void a_price_that_is_not_told_is_not_the_lowest(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f, "    places:\n      - {provider: beta, size: b-small}\n");
    keep_catalog(&f, "beta", "USD",
                 "[" SIZE("b-small", "2", "4", "[\"nyc\",true,0,0],[\"nbg\",true,0.007,5]") "]");
    assert_string_equal(ladder(&f, NULL, NULL), "beta/nbg b-small");
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(listed_places_keep_their_order_and_sold_out_ones_come_last),
        cmocka_unit_test(a_place_that_does_not_exist_is_struck_out_with_the_reason),
        cmocka_unit_test(a_place_without_a_size_is_the_cheapest_that_fits_the_needs),
        cmocka_unit_test(a_ladder_of_our_own_is_by_price_with_another_provider_before_the_third_try),
        cmocka_unit_test(the_second_rung_is_another_account_even_when_it_costs_more),
        cmocka_unit_test(data_that_must_stay_in_an_area_strikes_out_what_lies_outside),
        cmocka_unit_test(to_an_account_takes_what_is_as_large_as_the_listed_size),
        cmocka_unit_test(without_the_only_listed_account_a_ladder_is_made_elsewhere),
        cmocka_unit_test(an_account_of_dns_alone_can_be_lost_but_not_built_at),
        cmocka_unit_test(an_account_that_cannot_be_read_is_struck_out_not_fatal),
        cmocka_unit_test(what_takes_the_place_of_a_listed_size_has_no_less_of_anything),
        cmocka_unit_test(a_price_that_is_not_told_is_not_the_lowest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
