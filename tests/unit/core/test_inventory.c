/* The inventory: what is wrong is said with its place, its key and what was probably meant; the example in
 * the repository is valid and shows every key. */
#include "base/fs.h"
#include "core/inventory_schema.h"
#include "core/model.h"
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
#define HEAD "version: 1\nproject: shop\n"
#define ACCOUNTS "providers:\n  main: {type: hetzner, token: {file: token}}\n"
#define KEYS                                                                                                 \
    "keys:\n  ssh: {file: ssh}\n  backup: {file: backup}\n  recovery: " RECOVERY "\n  signing: {file: "      \
    "sign}\n"
#define HOST                                                                                                 \
    "hosts:\n  web-1:\n    current: {provider: main, server: web-1}\n    places:\n"                          \
    "      - {provider: main, region: hel1, size: cx23}\n"

static char dir[] = "/tmp/rehost-test-inventory-XXXXXX";

static const char *write_file(struct arena *arena, const char *text)
{
    const char *path = arena_printf(arena, "%s/inventory.yaml", dir);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
    return path;
}

static void expect_valid(const char *text)
{
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    const struct inventory *inventory;
    CLEANUP_ERR struct err *e = inventory_load(arena, write_file(arena, text), &inventory);
    assert_string_equal(e ? err_text(e) : "", "");
}

/* `where`: "LINE:COLUMN: key path", as the message shows it behind the file's name. `hint` may be NULL. */
static void expect_error(const char *text, const char *where, const char *words, const char *hint)
{
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    const struct inventory *inventory;
    const char *path = write_file(arena, text);
    CLEANUP_ERR struct err *e = inventory_load(arena, path, &inventory);
    assert_non_null(e);
    assert_int_equal(err_kind(e), ERR_INPUT);
    const char *place = arena_printf(arena, "%s:%s", path, where);
    if (strncmp(err_text(e), place, strlen(place)) != 0 || !strstr(err_text(e), words))
        fail_msg("'%s' ... '%s' is not: %s", place, words, err_text(e));
    if (hint && (!err_hint(e) || !strstr(err_hint(e), hint)))
        fail_msg("'%s' is not in the hint: %s", hint, err_hint(e) ? err_hint(e) : "(none)");
}

static void a_small_inventory_is_valid(void **state)
{
    (void)state;
    expect_valid(HEAD ACCOUNTS KEYS HOST);
}

static void what_is_not_said_has_its_default(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    const struct inventory *inventory;
    CLEANUP_ERR struct err *e = inventory_load(arena, write_file(arena, HEAD ACCOUNTS KEYS HOST), &inventory);
    assert_null(e);
    const struct account *account = inventory_account(inventory, "main");
    assert_int_equal(account->settle_ms, 120000);
    assert_int_equal(account->poll_ms, 2000);
    assert_int_equal(account->max_creates, 3);
    const struct host *host = inventory->hosts.items;
    assert_string_equal(host->image, "ubuntu-24.04");
    assert_int_equal(host->boot_deadline_ms, 300000);
    assert_int_equal(host->objectives.rto_ms, 3600000);
    assert_int_equal(host->objectives.rpo_ms, 86400000);
    assert_null(inventory->storage.endpoint);
}

static void paths_are_seen_from_the_folder_of_the_file(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    const struct inventory *inventory;
    CLEANUP_ERR struct err *e =
        inventory_load(arena, write_file(arena, HEAD "state_dir: state\n" ACCOUNTS KEYS HOST), &inventory);
    assert_null(e);
    assert_string_equal(inventory->state_dir, arena_printf(arena, "%s/state", dir));
    assert_string_equal(inventory->keys.ssh.file, arena_printf(arena, "%s/ssh", dir));
}

static void a_relative_inventory_gives_absolute_paths(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    const struct inventory *inventory;
    write_file(arena, HEAD ACCOUNTS KEYS HOST);
    char *before = getcwd(NULL, 0);
    assert_int_equal(chdir("/tmp"), 0);
    CLEANUP_ERR struct err *e =
        inventory_load(arena, arena_printf(arena, "%s/inventory.yaml", dir + strlen("/tmp/")), &inventory);
    assert_int_equal(chdir(before), 0);
    free(before);
    assert_string_equal(e ? err_text(e) : "", "");
    assert_string_equal(inventory->dir, dir);
    assert_string_equal(inventory->keys.ssh.file, arena_printf(arena, "%s/ssh", dir));
}

static void a_missing_file_says_how_to_make_one(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    const struct inventory *inventory;
    CLEANUP_ERR struct err *e = inventory_load(arena, "/nonexistent/inventory.yaml", &inventory);
    assert_int_equal(err_kind(e), ERR_NOT_FOUND);
    assert_non_null(strstr(err_hint(e), "rehost init"));
}

static void an_unknown_key_is_an_error_with_the_one_that_was_meant(void **state)
{
    (void)state;
    expect_error(HEAD "resolvr: 1.1.1.1\n" ACCOUNTS KEYS HOST, "3:1: top level", "unknown key 'resolvr'",
                 "did you mean 'resolver'?");
    expect_error(HEAD ACCOUNTS KEYS HOST "    imagee: debian-12\n", "15:5: hosts.web-1", "'imagee'",
                 "did you mean 'image'?");
}

static void an_unknown_key_like_no_other_lists_the_known_ones(void **state)
{
    (void)state;
    expect_error(HEAD "providers: {main: {type: hetzner, token: {file: t}, colour: red}}\n" KEYS HOST,
                 "3:53: providers.main", "unknown key 'colour'", "max_creates");
}

static void a_missing_key_is_named_with_its_meaning(void **state)
{
    (void)state;
    expect_error("version: 1\n" ACCOUNTS KEYS HOST, "1:1: top level", "'project' is missing", NULL);
    expect_error(HEAD ACCOUNTS KEYS
                 "hosts:\n  web-1:\n    current: {provider: main, server: a}\n    places:\n"
                 "      - {region: hel1, size: cx23}\n",
                 "14:9: hosts.web-1.places[0]", "'provider' is missing", NULL);
}

static void a_wrong_type_is_told_with_both_types(void **state)
{
    (void)state;
    expect_error("version: one\nproject: shop\n" ACCOUNTS KEYS HOST, "1:10: version",
                 "expected a whole number, found text", NULL);
    expect_error(HEAD ACCOUNTS KEYS HOST "    secrets: db\n", "15:14: hosts.web-1.secrets", "expected a list",
                 NULL);
    expect_error(HEAD ACCOUNTS KEYS "hosts: []\n", "10:8: hosts", "expected a map of names", NULL);
}

static void a_number_out_of_range_names_the_range(void **state)
{
    (void)state;
    expect_error("version: 2\nproject: shop\n" ACCOUNTS KEYS HOST, "1:10: version", "outside 1 to 1", NULL);
    expect_error(HEAD ACCOUNTS KEYS HOST "    names: [{name: a.example, provider: main, ttl: 5}]\n",
                 "15:52: hosts.web-1.names[0].ttl", "5 is outside 30 to 86400", NULL);
}

static void a_length_of_time_that_is_none_shows_how_to_write_one(void **state)
{
    (void)state;
    expect_error(HEAD ACCOUNTS KEYS HOST "    boot_deadline: soon\n", "15:20: hosts.web-1.boot_deadline",
                 "'soon'", "'15m'");
}

static void a_value_outside_of_a_choice_names_the_nearest(void **state)
{
    (void)state;
    expect_error(HEAD ACCOUNTS KEYS HOST "    checks: [{kind: http, url: https://a.example}]\n",
                 "15:21: hosts.web-1.checks[0].kind", "'http'", "did you mean 'https'?");
}

#define DNS_ACCOUNT "  zone: {type: cloudflare, token: {file: t}}\n"

static void an_account_is_only_used_for_what_it_has(void **state)
{
    (void)state;
    expect_error(HEAD ACCOUNTS DNS_ACCOUNT KEYS "hosts:\n  web-1:\n    current: {provider: zone, server: w}\n"
                                                "    places: [{provider: main, region: hel1, size: cx23}]\n",
                 "13:25: hosts.web-1.current.provider", "account 'zone' has no servers", NULL);
    expect_error(HEAD ACCOUNTS DNS_ACCOUNT KEYS HOST "      - {provider: zone, region: hel1, size: cx23}\n",
                 "16:20: hosts.web-1.places[1].provider", "account 'zone' has no servers", NULL);
    expect_valid(HEAD ACCOUNTS DNS_ACCOUNT KEYS HOST
                 "    names: [{name: www.example.org, provider: zone}]\n");
}

static void an_unknown_area_is_an_error(void **state)
{
    (void)state;
    expect_valid(HEAD ACCOUNTS KEYS HOST "    needs: {areas: [eu, ch]}\n");
    expect_error(HEAD ACCOUNTS KEYS HOST "    needs: {areas: [europe]}\n", "15:21: hosts.web-1.needs.areas",
                 "no area 'europe'", "eu, eea");
}

static void an_unknown_account_is_an_error_wherever_it_is_named(void **state)
{
    (void)state;
    expect_error(HEAD ACCOUNTS KEYS "hosts:\n  web-1:\n    current: {provider: mian, server: web-1}\n"
                                    "    places: [{provider: main, region: hel1, size: cx23}]\n",
                 "12:25: hosts.web-1.current.provider", "no account 'mian'", "did you mean 'main'?");
    expect_error(HEAD ACCOUNTS KEYS HOST "      - {provider: spare, region: hel1, size: cx23}\n",
                 "15:20: hosts.web-1.places[1].provider", "no account 'spare'", NULL);
    expect_error(HEAD ACCOUNTS KEYS HOST "    names: [{name: a.example, provider: dns}]\n",
                 "15:41: hosts.web-1.names[0].provider", "no account 'dns'", NULL);
}

static void an_unknown_type_of_provider_is_an_error(void **state)
{
    (void)state;
    expect_error(HEAD "providers:\n  main: {type: hetzer, token: {file: t}}\n" KEYS HOST,
                 "4:16: providers.main.type", "no provider 'hetzer'", "did you mean 'hetzner'?");
}

static void an_unknown_secret_is_an_error(void **state)
{
    (void)state;
    expect_error(HEAD ACCOUNTS KEYS "secrets:\n  db: {file: db}\n" HOST "    secrets: [db, mail]\n",
                 "17:19: hosts.web-1.secrets[1]", "no secret 'mail'", NULL);
}

static void an_unknown_dataset_of_a_check_is_an_error(void **state)
{
    (void)state;
    expect_error(HEAD ACCOUNTS KEYS
                 "secrets: {db: {file: db}}\n" HOST
                 "    checks: [{kind: sql, dataset: shop, user: u, password: db, query: q}]\n",
                 "16:14: check of host 'web-1'", "no postgres dataset 'shop'", NULL);
}

static void an_unknown_password_of_a_check_is_an_error(void **state)
{
    (void)state;
    expect_error(
        HEAD ACCOUNTS KEYS
        "storage: {endpoint: http://s3, bucket: b, access_key: {file: a}, secret_key: {file: s}}\n" HOST
        "    datasets: {shop: {kind: postgres, database: shop}}\n"
        "    checks: [{kind: sql, dataset: shop, user: u, password: db, query: q}]\n",
        "17:60: password of a check", "no secret 'db'", NULL);
}

static void a_secret_comes_from_exactly_one_source(void **state)
{
    (void)state;
    expect_error(HEAD "providers:\n  main: {type: hetzner, token: {file: t, env: TOKEN}}\n" KEYS HOST,
                 "4:32: providers.main.token", "exactly one of 'file', 'env' and 'command'", NULL);
    expect_error(HEAD ACCOUNTS KEYS "secrets:\n  db: {}\n" HOST, "11:7: secrets.db", "exactly one", NULL);
}

static void datasets_need_storage(void **state)
{
    (void)state;
    expect_error(HEAD ACCOUNTS KEYS HOST "    datasets: {up: {kind: files, path: /srv/up}}\n",
                 "15:20: hosts.web-1", "no 'storage'", NULL);
}

static void a_dataset_with_options_of_another_kind_is_an_error(void **state)
{
    (void)state;
    expect_error(
        HEAD ACCOUNTS KEYS
        "storage: {endpoint: http://s3, bucket: b, access_key: {file: a}, secret_key: {file: s}}\n" HOST
        "    datasets: {up: {kind: files, database: shop}}\n",
        "16:20: hosts.web-1.datasets.up", "", NULL);
}

static void a_host_name_must_fit_into_a_label(void **state)
{
    (void)state;
    expect_error(HEAD ACCOUNTS KEYS "hosts:\n  Web_1:\n    current: {provider: main, server: w}\n"
                                    "    places: [{provider: main, region: hel1, size: cx23}]\n",
                 "12:5: host name 'Web_1'", "cannot be used", "a-z, 0-9");
}

static void a_host_needs_a_place(void **state)
{
    (void)state;
    expect_error(HEAD ACCOUNTS KEYS
                 "hosts:\n  web-1:\n    current: {provider: main, server: w}\n    places: []\n",
                 "12:5: hosts.web-1", "neither 'places' nor 'needs'", "needs:");
}

static void a_recovery_key_that_is_none_is_an_error(void **state)
{
    (void)state;
    expect_error(HEAD ACCOUNTS "keys:\n  ssh: {file: a}\n  backup: {file: b}\n  recovery: age1nonsense\n"
                               "  signing: {file: c}\n" HOST,
                 "8:13: keys.recovery", "", NULL);
}

static void a_host_is_found_by_name_or_the_nearest_is_suggested(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    const struct inventory *inventory;
    CLEANUP_ERR struct err *bad =
        inventory_load(arena, write_file(arena, HEAD ACCOUNTS KEYS HOST), &inventory);
    assert_null(bad);
    const struct host *host = NULL;
    CLEANUP_ERR struct err *none = inventory_host(inventory, "web-1", &host);
    assert_null(none);
    assert_string_equal(host->name, "web-1");
    CLEANUP_ERR struct err *e = inventory_host(inventory, "wbe-1", &host);
    assert_int_equal(err_kind(e), ERR_NOT_FOUND);
    assert_string_equal(err_hint(e), "did you mean 'web-1'?");
}

/* --- the example --- */

struct used {
    const struct schema_key *keys[256];
    size_t count;
};

static bool is_used(const struct used *used, const struct schema_key *key)
{
    for (size_t i = 0; i < used->count; i++)
        if (used->keys[i] == key)
            return true;
    return false;
}

static void collect(struct used *used, const struct schema *schema, const struct yaml_node *map);

static void collect_below(struct used *used, const struct schema_key *key, const struct yaml_node *value)
{
    if (key->type == SCHEMA_MAP)
        collect(used, key->sub, value);
    else
        for (size_t i = 0; i < value->count; i++)
            collect(used, key->sub, value->items[i]);
}

static void collect(struct used *used, const struct schema *schema, const struct yaml_node *map)
{
    for (size_t i = 0; i < schema->key_count; i++) {
        const struct schema_key *key = &schema->keys[i];
        const struct yaml_node *value = yaml_get(map, key->name);
        if (!value)
            continue;
        if (!is_used(used, key))
            used->keys[used->count++] = key;
        assert_true(used->count < 256);
        if (key->sub)
            collect_below(used, key, value);
    }
}

static void expect_all_used(const struct used *used, const struct schema *schema)
{
    for (size_t i = 0; i < schema->key_count; i++) {
        if (!is_used(used, &schema->keys[i]))
            fail_msg("inventory.example.yaml does not show '%s' of '%s'", schema->keys[i].name,
                     schema->title);
        if (schema->keys[i].sub)
            expect_all_used(used, schema->keys[i].sub);
    }
}

static void the_example_is_valid_and_shows_every_key(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    const struct inventory *inventory;
    const struct yaml_node *root;
    const char *path = SOURCE_DIR "/inventory.example.yaml";
    CLEANUP_ERR struct err *e = inventory_load(arena, path, &inventory);
    assert_string_equal(e ? err_text(e) : "", "");
    CLEANUP_ERR struct err *bad = yaml_parse_file(arena, path, &root);
    assert_null(bad);
    struct used used = {.count = 0};
    collect(&used, &inventory_schema, root);
    expect_all_used(&used, &inventory_schema);
}

static void the_reference_names_every_key_of_the_schema(void **state)
{
    (void)state;
    CLEANUP_STRBUF struct strbuf text;
    strbuf_init(&text, 1 << 20);
    inventory_describe(&text);
    static const char *const some[] = {"| `max_creates` | number | 3 |", "| `rto` | duration | 1h |",
                                       "`hosts.NAME.places[]`", "| `recovery` | text | required |"};
    for (size_t i = 0; i < sizeof(some) / sizeof(*some); i++)
        if (!strstr(text.data, some[i]))
            fail_msg("'%s' is not in the reference", some[i]);
}

static int make_dir(void **state)
{
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    unlink(arena_printf(arena, "%s/inventory.yaml", dir));
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_inventory_is_valid),
        cmocka_unit_test(what_is_not_said_has_its_default),
        cmocka_unit_test(paths_are_seen_from_the_folder_of_the_file),
        cmocka_unit_test(a_relative_inventory_gives_absolute_paths),
        cmocka_unit_test(a_missing_file_says_how_to_make_one),
        cmocka_unit_test(an_unknown_key_is_an_error_with_the_one_that_was_meant),
        cmocka_unit_test(an_unknown_key_like_no_other_lists_the_known_ones),
        cmocka_unit_test(a_missing_key_is_named_with_its_meaning),
        cmocka_unit_test(a_wrong_type_is_told_with_both_types),
        cmocka_unit_test(a_number_out_of_range_names_the_range),
        cmocka_unit_test(a_length_of_time_that_is_none_shows_how_to_write_one),
        cmocka_unit_test(a_value_outside_of_a_choice_names_the_nearest),
        cmocka_unit_test(an_unknown_account_is_an_error_wherever_it_is_named),
        cmocka_unit_test(an_account_is_only_used_for_what_it_has),
        cmocka_unit_test(an_unknown_area_is_an_error),
        cmocka_unit_test(an_unknown_type_of_provider_is_an_error),
        cmocka_unit_test(an_unknown_secret_is_an_error),
        cmocka_unit_test(an_unknown_dataset_of_a_check_is_an_error),
        cmocka_unit_test(an_unknown_password_of_a_check_is_an_error),
        cmocka_unit_test(a_secret_comes_from_exactly_one_source),
        cmocka_unit_test(datasets_need_storage),
        cmocka_unit_test(a_dataset_with_options_of_another_kind_is_an_error),
        cmocka_unit_test(a_host_name_must_fit_into_a_label),
        cmocka_unit_test(a_host_needs_a_place),
        cmocka_unit_test(a_recovery_key_that_is_none_is_an_error),
        cmocka_unit_test(a_host_is_found_by_name_or_the_nearest_is_suggested),
        cmocka_unit_test(the_example_is_valid_and_shows_every_key),
        cmocka_unit_test(the_reference_names_every_key_of_the_schema),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
