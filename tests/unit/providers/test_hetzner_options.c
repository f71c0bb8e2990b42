/* What not every provider has, at Hetzner: firewalls, movable addresses, snapshots, volumes. Above all what a
 * repeated call does and what it leaves alone. The calls that go well are held to the document in
 * tests/contract/hetzner_document. */
#include "base/http.h"
#include "providers/compute/provider.h"
#include "tests/unit/providers/adapter_fixture.h"

#define ERROR(status, code) ANSWER(status, "{\"error\":{\"code\":\"" code "\",\"message\":\"m\"}}")
#define LIST(name, items)                                                                                    \
    ANSWER("200 OK", "{\"" name "\":[" items "],\"meta\":{\"pagination\":{\"next_page\":null}}}")
#define ACTION(id) ANSWER("201 Made", "{\"action\":{\"id\":" id "}}")
#define PRIMARY(id, type, server)                                                                            \
    "{\"id\":" id ",\"ip\":\"198.18.0." id "\",\"type\":\"" type "\",\"assignee_id\":" server                \
    ",\"location\":{\"name\":\"nbg1\"}}"
#define VOLUME(size, location, server)                                                                       \
    "{\"id\":7,\"name\":\"data\",\"size\":" size ",\"location\":{\"name\":\"" location                       \
    "\"},\"server\":" server ",\"linux_device\":\"/dev/disk/by-id/scsi-0HC_Volume_7\"}"
#define FIREWALL(applied_to) ANSWER("200 OK", "{\"firewall\":{\"id\":3,\"applied_to\":[" applied_to "]}}")

/* ---- firewalls ---- */

static struct err *ensure_firewall(struct fixture *f, const char **id)
{
    static const char *const sources[] = {"198.18.0.0/16", "::/0"};
    static const struct firewall_rule rules[] = {{"tcp", 22, 22, sources, 2}, {"icmp", 0, 0, sources, 1}};
    struct firewall_spec spec = {.name = "rehost-web", .rules = rules, .rule_count = 2};
    return ops->firewall->ensure(&f->ctx, f->provider, f->arena, &spec, id);
}

static void a_firewall_of_that_name_gets_the_rules_and_no_second_one_is_made(void **state)
{
    (void)state;
    struct fixture f;
    const char *id = NULL;
    const char *rules =
        "\"rules\":[{\"direction\":\"in\",\"protocol\":\"tcp\",\"source_ips\":[\"198.18.0.0/16\","
        "\"::/0\"],\"port\":\"22\"},{\"direction\":\"in\",\"protocol\":\"icmp\",\"source_ips\":"
        "[\"198.18.0.0/16\"]}]";
    begin(&f, (const char *[]){
                  LIST("firewalls", ""), ANSWER("201 Made", "{\"firewall\":{\"id\":3}}"),
                  LIST("firewalls", "{\"id\":2,\"name\":\"Rehost-Web\"},{\"id\":3,\"name\":\"rehost-web\"}"),
                  ANSWER("201 Made", "{\"actions\":[]}"), NULL});
    assert_fine(ensure_firewall(&f, &id));
    assert_string_equal(id, "3");
    assert_fine(ensure_firewall(&f, &id));
    assert_asked(&f, 0, "GET /firewalls?name=rehost-web&per_page=50", NULL);
    assert_asked(&f, 1, "POST /firewalls", rules);
    assert_asked(&f, 3, "POST /firewalls/3/actions/set_rules", rules);
    end(&f);
}

static void a_firewall_whose_answer_is_lost_is_an_unknown_outcome(void **state)
{
    (void)state;
    struct fixture f;
    const char *id = NULL;
    begin(&f, (const char *[]){LIST("firewalls", ""), ANSWER("201 Made", "{}"), LIST("firewalls", ""),
                               CANNED_HANG_UP, NULL});
    assert_err(ensure_firewall(&f, &id), ERR_UNKNOWN_OUTCOME, NULL, NULL);
    assert_err(ensure_firewall(&f, &id), ERR_UNKNOWN_OUTCOME, NULL, NULL);
    end(&f);
}

static void a_server_that_is_covered_already_is_left_alone(void **state)
{
    (void)state;
    struct fixture f;
    const char *op = NULL;
    const char *selector =
        FIREWALL("{\"type\":\"label_selector\",\"label_selector\":{\"selector\":\"a=b\"},"
                 "\"applied_to_resources\":[{\"type\":\"server\",\"server\":{\"id\":42}}]}");
    begin(&f, (const char *[]){FIREWALL("{\"type\":\"server\",\"server\":{\"id\":42}}"), selector,
                               FIREWALL("{\"type\":\"server\",\"server\":{\"id\":41}}"),
                               ANSWER("201 Made", "{\"actions\":[{\"id\":8},{\"id\":9}]}"), NULL});
    for (int i = 0; i < 2; i++) {
        assert_fine(ops->firewall->attach(&f.ctx, f.provider, f.arena, "3", "42", &op));
        assert_null(op);
    }
    assert_fine(ops->firewall->attach(&f.ctx, f.provider, f.arena, "3", "42", &op));
    assert_string_equal(op, "8,9");
    assert_err(ops->firewall->attach(&f.ctx, f.provider, f.arena, "3", "4x", &op), ERR_INPUT, "'4x'", NULL);
    assert_asked(&f, 3, "POST /firewalls/3/actions/apply_to_resources",
                 "{\"apply_to\":[{\"type\":\"server\",\"server\":{\"id\":42}}]}");
    assert_asked_times(&f, 4);
    end(&f);
}

/* ---- movable addresses ---- */

static const struct movable_ip floating = {.id = "5", .needs_configuration = true};
static const struct movable_ip primary = {.id = "1", .needs_servers_off = true};

static void every_address_tells_what_moving_it_takes(void **state)
{
    (void)state;
    struct fixture f;
    struct movable_ip *ips = NULL;
    size_t count = 0;
    begin(&f, (const char *[]){LIST("floating_ips", "{\"id\":5,\"ip\":\"2001:db8:1::/64\",\"server\":null}"),
                               LIST("primary_ips", PRIMARY("1", "ipv4", "42")), NULL});
    assert_fine(ops->ip->list(&f.ctx, f.provider, f.arena, &ips, &count));
    assert_int_equal(count, 2);
    assert_string_equal(ips[0].address, "2001:db8:1::1");
    assert_null(ips[0].server_id);
    assert_null(ips[0].region);
    assert_true(ips[0].needs_configuration && !ips[0].needs_servers_off);
    assert_string_equal(ips[1].server_id, "42");
    assert_string_equal(ips[1].region, "nbg1");
    assert_true(ips[1].needs_servers_off && !ips[1].needs_configuration);
    end(&f);
}

static void a_floating_ip_is_assigned_once(void **state)
{
    (void)state;
    struct fixture f;
    const char *op = NULL;
    begin(&f, (const char *[]){ANSWER("200 OK", "{\"floating_ip\":{\"id\":5,\"server\":41}}"), ACTION("9"),
                               ANSWER("200 OK", "{\"floating_ip\":{\"id\":5,\"server\":42}}"), NULL});
    assert_fine(ops->ip->move(&f.ctx, f.provider, f.arena, &floating, "42", &op));
    assert_string_equal(op, "9");
    assert_fine(ops->ip->move(&f.ctx, f.provider, f.arena, &floating, "42", &op));
    assert_null(op);
    assert_asked(&f, 1, "POST /floating_ips/5/actions/assign", "{\"server\":42}");
    end(&f);
}

static void a_primary_ip_takes_the_place_of_the_one_of_its_type(void **state)
{
    (void)state;
    struct fixture f;
    const char *op = NULL;
    begin(&f, (const char *[]){LIST("primary_ips", PRIMARY("1", "ipv4", "41") "," PRIMARY(
                                                       "2", "ipv6", "42") "," PRIMARY("3", "ipv4", "42")),
                               ACTION("7"), ACTION("8"), ACTION("9"), NULL});
    assert_fine(ops->ip->move(&f.ctx, f.provider, f.arena, &primary, "42", &op));
    assert_string_equal(op, "7,8,9");
    assert_asked(&f, 1, "POST /primary_ips/1/actions/unassign", NULL);
    assert_asked(&f, 2, "POST /primary_ips/3/actions/unassign", NULL);
    assert_asked(&f, 3, "POST /primary_ips/1/actions/assign",
                 "{\"assignee_type\":\"server\",\"assignee_id\":42}");
    end(&f);
}

static void a_move_that_stopped_on_its_way_goes_on_from_there(void **state)
{
    (void)state;
    struct fixture f;
    const char *op = NULL;
    begin(&f, (const char *[]){
                  LIST("primary_ips", PRIMARY("1", "ipv4", "41")), ACTION("7"), ERROR("423 Locked", "locked"),
                  LIST("primary_ips", PRIMARY("1", "ipv4", "null")), ACTION("9"),
                  LIST("primary_ips", PRIMARY("1", "ipv4", "42")), LIST("primary_ips", ""), NULL});
    assert_err(ops->ip->move(&f.ctx, f.provider, f.arena, &primary, "42", &op), ERR_CONFLICT, "locked", NULL);
    assert_fine(ops->ip->move(&f.ctx, f.provider, f.arena, &primary, "42", &op));
    assert_string_equal(op, "9");
    assert_fine(ops->ip->move(&f.ctx, f.provider, f.arena, &primary, "42", &op));
    assert_null(op);
    assert_err(ops->ip->move(&f.ctx, f.provider, f.arena, &primary, "42", &op), ERR_NOT_FOUND, "primary IP",
               NULL);
    assert_asked_times(&f, 7);
    end(&f);
}

/* ---- snapshots ---- */

static void a_snapshot_carries_its_name_as_label_too(void **state)
{
    (void)state;
    struct fixture f;
    const char *id = NULL;
    const char *op = NULL;
    begin(&f, (const char *[]){ANSWER("201 Made", "{\"image\":{\"id\":6},\"action\":{\"id\":9}}"),
                               ANSWER("201 Made", "{\"action\":{\"id\":9}}"), NULL});
    assert_fine(ops->snapshot->create(&f.ctx, f.provider, f.arena, "42", "before-r1", &id, &op));
    assert_string_equal(id, "6");
    assert_string_equal(op, "9");
    assert_err(ops->snapshot->create(&f.ctx, f.provider, f.arena, "42", "before-r1", &id, &op),
               ERR_UNKNOWN_OUTCOME, NULL, NULL);
    assert_err(ops->snapshot->create(&f.ctx, f.provider, f.arena, "42", "Not a label", &id, &op), ERR_INPUT,
               NULL, NULL);
    assert_asked(&f, 0, "POST /servers/42/actions/create_image",
                 "{\"type\":\"snapshot\",\"description\":\"before-r1\",\"labels\":"
                 "{\"rehost-snapshot\":\"before-r1\"}}");
    end(&f);
}

static void a_server_is_made_from_a_snapshot_by_its_number(void **state)
{
    (void)state;
    struct fixture f;
    struct server server = {0};
    const char *op = NULL;
    struct server_spec spec = {
        .name = "web-1", .region = "nbg1", .size = "cx23", .image = "snapshot:6", .user_data = "x"};
    begin(&f, (const char *[]){ERROR("422 No", "invalid_input"), NULL});
    assert_err(ops->server_create(&f.ctx, f.provider, f.arena, &spec, &server, &op), ERR_REJECTED, NULL,
               NULL);
    assert_asked(&f, 0, "POST /servers", "\"image\":\"6\"");
    end(&f);
}

/* ---- volumes ---- */

static struct err *ensure_volume(struct fixture *f, struct volume *volume, const char **op)
{
    struct volume_spec spec = {.name = "data", .region = "nbg1", .size_gib = 10};
    return ops->volume->ensure(&f->ctx, f->provider, f->arena, &spec, volume, op);
}

static void a_volume_is_found_by_name_and_never_resized_or_moved(void **state)
{
    (void)state;
    struct fixture f;
    struct volume volume = {0};
    const char *op = NULL;
    begin(&f, (const char *[]){
                  LIST("volumes", "{\"id\":6,\"name\":\"data-2\"}," VOLUME("10", "nbg1", "null")),
                  LIST("volumes", VOLUME("10", "nbg1", "42")), LIST("volumes", VOLUME("20", "nbg1", "null")),
                  LIST("volumes", VOLUME("10", "fsn1", "null")), NULL});
    assert_fine(ensure_volume(&f, &volume, &op));
    assert_null(volume.device);
    assert_null(op);
    assert_fine(ensure_volume(&f, &volume, &op));
    assert_string_equal(volume.device, "/dev/disk/by-id/scsi-0HC_Volume_7");
    assert_string_equal(volume.server_id, "42");
    assert_err(ensure_volume(&f, &volume, &op), ERR_CONFLICT, "20 GiB in 'nbg1'", NULL);
    assert_err(ensure_volume(&f, &volume, &op), ERR_CONFLICT, "10 GiB in 'fsn1'", NULL);
    end(&f);
}

static void a_volume_is_not_taken_from_another_server(void **state)
{
    (void)state;
    struct fixture f;
    const char *op = NULL;
    const char *there = ANSWER("200 OK", "{\"volume\":" VOLUME("10", "nbg1", "42") "}");
    const char *free_one = ANSWER("200 OK", "{\"volume\":" VOLUME("10", "nbg1", "null") "}");
    begin(&f, (const char *[]){there, there, free_one, ACTION("9"), free_one, NULL});
    assert_fine(ops->volume->attach(&f.ctx, f.provider, f.arena, "7", "42", &op));
    assert_null(op);
    assert_err(ops->volume->attach(&f.ctx, f.provider, f.arena, "7", "43", &op), ERR_CONFLICT, "'42'", NULL);
    assert_fine(ops->volume->attach(&f.ctx, f.provider, f.arena, "7", "43", &op));
    assert_string_equal(op, "9");
    assert_fine(ops->volume->detach(&f.ctx, f.provider, f.arena, "7", &op));
    assert_null(op);
    assert_asked(&f, 3, "POST /volumes/7/actions/attach", "{\"server\":43,\"automount\":false}");
    assert_asked_times(&f, 5);
    end(&f);
}

static int find_provider(void **state)
{
    (void)state;
    ops = provider_find("hetzner");
    return ops && !http_global_init() ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_firewall_of_that_name_gets_the_rules_and_no_second_one_is_made),
        cmocka_unit_test(a_firewall_whose_answer_is_lost_is_an_unknown_outcome),
        cmocka_unit_test(a_server_that_is_covered_already_is_left_alone),
        cmocka_unit_test(every_address_tells_what_moving_it_takes),
        cmocka_unit_test(a_floating_ip_is_assigned_once),
        cmocka_unit_test(a_primary_ip_takes_the_place_of_the_one_of_its_type),
        cmocka_unit_test(a_move_that_stopped_on_its_way_goes_on_from_there),
        cmocka_unit_test(a_snapshot_carries_its_name_as_label_too),
        cmocka_unit_test(a_server_is_made_from_a_snapshot_by_its_number),
        cmocka_unit_test(a_volume_is_found_by_name_and_never_resized_or_moved),
        cmocka_unit_test(a_volume_is_not_taken_from_another_server),
    };
    return cmocka_run_group_tests(tests, find_provider, NULL);
}
