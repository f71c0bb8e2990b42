/* Inventories are read as Ansible reads them. What is expected here was seen from ansible-inventory 2.14;
 * where it is installed, the inventories of tests/unit/playbook/hosts are also given to both. */
#include "base/decode.h"
#include "base/fs.h"
#include "base/proc.h"
#include "playbook/hosts.h"
#include "playbook/hosts_data.h"
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct arena *arena;
static char dir[64];

static int setup(void **state)
{
    (void)state;
    arena = arena_new(0);
    (void)snprintf(dir, sizeof(dir), "/tmp/rehost-hosts-XXXXXX");
    assert_non_null(mkdtemp(dir));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    struct ctx ctx = ctx_background();
    const char *const argv[] = {"rm", "-rf", dir, NULL};
    assert_null(proc_run(&ctx, argv, NULL, 0, NULL, NULL, &(struct proc_result){0}));
    arena_free(arena);
    return 0;
}

static const char *write_file(const char *name, const char *text)
{
    const char *path = arena_printf(arena, "%s/%s", dir, name);
    assert_null(fs_make_dirs(fs_dirname(arena, path), 0755));
    assert_null(fs_write_file(path, text, strlen(text), 0644));
    return path;
}

static const struct hosts *load_all(const char *const *sources, size_t count, const char *playbook_dir)
{
    struct ctx ctx = ctx_background();
    const struct hosts *hosts = NULL;
    struct err *e = hosts_load(&ctx, arena, sources, count, playbook_dir, &hosts);
    if (e)
        fail_msg("%s", err_text(e));
    return hosts;
}

static const struct hosts *load(const char *source)
{
    return load_all(&source, 1, NULL);
}

static const struct hosts *load_ini(const char *text)
{
    return load(write_file("hosts.ini", text));
}

/* The message of the refusal. */
static const char *refused(const char *name, const char *text)
{
    struct ctx ctx = ctx_background();
    const struct hosts *hosts;
    const char *source = write_file(name, text);
    struct err *e = hosts_load(&ctx, arena, &source, 1, NULL, &hosts);
    assert_non_null(e);
    const char *message = err_hint(e) ? arena_printf(arena, "%s (%s)", err_text(e), err_hint(e))
                                      : arena_strdup(arena, err_text(e));
    err_free(e);
    return message;
}

static const struct hosts_host *host(const struct hosts *hosts, const char *name)
{
    for (size_t i = 0; i < hosts->count + hosts->has_implicit; i++)
        if (!strcmp(hosts->items[i].name, name))
            return &hosts->items[i];
    fail_msg("there is no host '%s'", name);
    return NULL;
}

static const char *dump(const json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY | JSON_SORT_KEYS);
    const char *kept = arena_strdup(arena, text);
    free(text);
    return kept;
}

static const char *var(const struct hosts *hosts, const char *name, const char *key)
{
    const json_t *value = json_object_get(host(hosts, name)->vars, key);
    return value ? dump(value) : "undefined";
}

static const char *group(const struct hosts *hosts, const char *name)
{
    const json_t *names = json_object_get(hosts->groups, name);
    return names ? dump(names) : "undefined";
}

#define SAME(got, expected) assert_string_equal(got, expected)

/* --- INI --- */

static void values_on_a_line_of_a_host_are_python_literals(void **state)
{
    (void)state;
    const struct hosts *h = load_ini(
        "h a=1 b=True c=yes d=\"x y\" e=\"'q'\" f=0644 g=1_000 h=0x1f i=[1,2] j='{\"a\": 1, 2: None}'"
        " k=None l=1e3 m=(1,2) n=-5 o=1.50 p=t... q='\"a\" \"b\"' r='\"\\x41\\n\"' s=--1 t=(1)"
        " u='True # c' v='- 1' w=1.2.3.4 x=false y=' 7' z=\n");
    const char *const expected[] = {"1",        "true",   "\"yes\"",     "\"x y\"",   "\"q\"",
                                    "\"0644\"", "1000",   "31",          "[1,2]",     "{\"2\":null,\"a\":1}",
                                    "null",     "1000.0", "[1,2]",       "-5",        "1.5",
                                    "\"t...\"", "\"ab\"", "\"A\\n\"",    "\"--1\"",   "1",
                                    "true",     "-1",     "\"1.2.3.4\"", "\"false\"", "7",
                                    "\"\""};
    for (int i = 0; i < 26; i++) {
        const char name[2] = {(char)('a' + i), 0};
        SAME(var(h, "h", name), expected[i]);
    }
}

static void a_comment_ends_a_line_of_a_host_but_not_a_variable(void **state)
{
    (void)state;
    const struct hosts *h =
        load_ini("# one\n; two\nh a=x#y b=1 # c=2\n[g]\nh\n[g:vars]\nd = foo # bar\ne=1 # bar\nf=[1, 2\n"
                 "g=\nh='x y'\n");
    SAME(var(h, "h", "a"), "\"x\"");
    SAME(var(h, "h", "b"), "undefined");
    SAME(var(h, "h", "d"), "\"foo # bar\"");
    SAME(var(h, "h", "e"), "1");
    SAME(var(h, "h", "f"), "\"[1, 2\"");
    SAME(var(h, "h", "g"), "\"\"");
    SAME(var(h, "h", "h"), "\"x y\"");
}

static void values_apart_by_commas_are_a_list(void **state)
{
    (void)state;
    const struct hosts *h = load_ini("h a=80,443 b=1, c=a,b d='\"x\", None' e=,1 f=1,,2\n");
    SAME(var(h, "h", "a"), "[80,443]");
    SAME(var(h, "h", "b"), "[1]");
    SAME(var(h, "h", "c"), "\"a,b\"");
    SAME(var(h, "h", "d"), "[\"x\",null]");
    SAME(var(h, "h", "e"), "\",1\"");
    SAME(var(h, "h", "f"), "\"1,,2\"");
}

static void ranges_make_hosts(void **state)
{
    (void)state;
    const struct hosts *h =
        load_ini("[n]\nw[08:10].x\n[s]\nw[1:9:4]\n[l]\nd-[a:c]\n[ls]\ne[a:f:2]\n[two]\nr[1:2]n[a:b]\n"
                 "[open]\no[:2]\n[case]\nq[z:B]\n");
    SAME(group(h, "n"), "[\"w08.x\",\"w09.x\",\"w10.x\"]");
    SAME(group(h, "s"), "[\"w1\",\"w5\",\"w9\"]");
    SAME(group(h, "l"), "[\"d-a\",\"d-b\",\"d-c\"]");
    SAME(group(h, "ls"), "[\"ea\",\"ec\",\"ee\"]");
    SAME(group(h, "two"), "[\"r1na\",\"r1nb\",\"r2na\",\"r2nb\"]");
    SAME(group(h, "open"), "[\"o0\",\"o1\",\"o2\"]");
    SAME(group(h, "case"), "[\"qz\",\"qA\",\"qB\"]");
}

static void a_port_is_cut_off_the_name(void **state)
{
    (void)state;
    const struct hosts *h = load_ini("web:2222\n[2001:db8::1]:23\n2001:db8::2\n192.0.2.[1:2]:24\nweb:99\n");
    SAME(var(h, "web", "ansible_port"), "2222"); /* the first word counts */
    SAME(var(h, "2001:db8::1", "ansible_port"), "23");
    SAME(var(h, "2001:db8::2", "ansible_port"), "undefined");
    SAME(var(h, "192.0.2.2", "ansible_port"), "24");
    assert_int_equal(h->count, 5);
}

static void groups_may_be_named_before_they_are_made(void **state)
{
    (void)state;
    const struct hosts *h =
        load_ini("one\n[all:vars]\nx=1\n[top:children]\nlow\nmid\n[low:vars]\ny=2\n[low]\ntwo\n"
                 "[mid:children]\nlow\n[mid]\nthree\n");
    SAME(group(h, "all"), "[\"one\",\"two\",\"three\"]");
    SAME(group(h, "ungrouped"), "[\"one\"]");
    SAME(group(h, "top"), "[\"two\",\"three\"]");
    SAME(group(h, "mid"), "[\"three\",\"two\"]");
    SAME(dump(host(h, "two")->group_names), "[\"low\",\"mid\",\"top\"]");
    SAME(dump(host(h, "one")->group_names), "[\"ungrouped\"]");
    SAME(var(h, "one", "x"), "1");
    SAME(var(h, "two", "y"), "2");
    SAME(var(h, "three", "y"), "undefined");
}

static void a_host_of_a_group_is_not_ungrouped(void **state)
{
    (void)state;
    const struct hosts *h = load_ini("one a=1\ntwo\n[g]\none b=2\n");
    SAME(group(h, "ungrouped"), "[\"two\"]");
    SAME(group(h, "g"), "[\"one\"]");
    SAME(var(h, "one", "a"), "1");
    SAME(var(h, "one", "b"), "2");
}

static void wrong_lines_are_refused_with_their_place(void **state)
{
    (void)state;
    const struct {
        const char *text, *message;
    } cases[] = {
        {"h\n  h2 a b=1\n", "hosts.ini:2:3: after a host's name come variables NAME=VALUE, not 'a'"},
        {"[g]\nh 'a=1\n", "hosts.ini:2:1: a quote (') is not closed"},
        {"[g:var]\n", "hosts.ini:1:1: a section of the kind 'var' is not known (did you mean [g:vars]?)"},
        {"[g h]\n", "hosts.ini:1:1: '[g h]' is not a section"},
        {"[g:vars]\na=1\n", "hosts.ini:1:1: there is no group 'g'"},
        {"[web]\nh\n[all:children]\nwebs\n", "hosts.ini:4:1: there is no group 'webs' (did you mean 'web'?)"},
        {"[a:children]\nb\n[b:children]\na\n", "hosts.ini:4:1: group 'a' cannot be a child of 'b'"},
        {"[g]\n[g:vars]\nnonsense\n", "hosts.ini:3:1: 'nonsense' is not NAME=VALUE"},
        {"h[1:]\n", "hosts.ini:1:1: 'h[1:]': the range has no end"},
        {"h[01:100]\n", "begin and end of a range are equally long"},
        {"h[5:1]\n", "the range begins after its end"},
        {"h[0:999999]\n", "makes more than 20000 hosts"},
        {"all:\n  hosts:\n", "hosts.ini:1:1: 'all:' is not a host's name"},
        {"h\xff\n", "hosts.ini:1:1: not valid UTF-8"},
        {"[g]\n[g:vars]\nansible_group_priority=x\n", "priority of group 'g' is not a whole number"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        if (!strstr(refused("hosts.ini", cases[i].text), cases[i].message))
            fail_msg("'%s' gave: %s", cases[i].text, refused("hosts.ini", cases[i].text));
}

/* --- YAML --- */

static void yaml_groups_nest(void **state)
{
    (void)state;
    const struct hosts *h =
        load(write_file("h.yml", "all:\n  hosts:\n    solo:\n    w[1:2]: {port: 80}\n  vars: {v: yes}\n"
                                 "  children:\n    web:\n      hosts: {w1: {x: 1}, a:22: }\n"
                                 "      children:\n        sub: {hosts: deep, vars: {x: 2}}\n    none:\n"));
    SAME(group(h, "web"), "[\"w1\",\"a\",\"deep\"]");
    SAME(group(h, "ungrouped"), "[\"solo\",\"w2\"]");
    SAME(group(h, "none"), "[]");
    SAME(var(h, "w1", "port"), "80");
    SAME(var(h, "w1", "x"), "1");
    SAME(var(h, "deep", "x"), "2");
    SAME(var(h, "deep", "v"), "true");
    SAME(var(h, "a", "ansible_port"), "22");
    SAME(dump(host(h, "deep")->group_names), "[\"sub\",\"web\"]");
}

static void an_unknown_part_of_a_group_is_a_warning(void **state)
{
    (void)state;
    const struct hosts *h = load(write_file("h.yml", "web:\n  host: {a: }\n  hosts: {b: }\n"));
    assert_int_equal(h->warning_count, 1);
    assert_non_null(strstr(h->warnings[0], "h.yml:2:3: 'host' of group 'web' is ignored"));
    assert_non_null(strstr(h->warnings[0], "did you mean hosts?"));
    assert_int_equal(h->count, 1);
}

static void what_is_no_inventory_is_refused(void **state)
{
    (void)state;
    assert_non_null(strstr(refused("a.yml", "plugin: aws_ec2\n"), "inventory plugins are not supported"));
    assert_non_null(strstr(refused("b.yml", "version: 1\nhosts: {}\n"), "--as HOST"));
    assert_non_null(strstr(refused("c.yml", "- a\n"), "an inventory is a map of groups, not a list"));
    assert_non_null(strstr(refused("d.toml", "[web]\n"), "TOML"));
    assert_non_null(strstr(refused("e", "$ANSIBLE_VAULT;1.1;AES256\n00\n"), "Ansible Vault"));
    assert_non_null(strstr(refused("f", "#!/bin/sh\n"), "may not be executed"));
}

static void the_text_tells_what_a_name_does_not(void **state)
{
    (void)state;
    assert_int_equal(load(write_file("one", "[g]\nh\n"))->count, 1);
    assert_int_equal(load(write_file("two", "all: {hosts: {h: }}\n"))->count, 1);
    assert_int_equal(load(write_file("three", "h\n"))->count, 1);
    assert_int_equal(load(write_file("four", "# nobody\n"))->count, 0);
}

/* --- other sources --- */

static void a_list_with_a_comma_is_an_inventory(void **state)
{
    (void)state;
    const struct hosts *h = load("one, two:22,,[2001:db8::1]:2");
    SAME(group(h, "ungrouped"), "[\"one\",\"two\",\"2001:db8::1\"]");
    SAME(var(h, "two", "ansible_port"), "22");
}

static void a_program_is_asked(void **state)
{
    (void)state;
    const char *path = write_file(
        "inv", "#!/bin/sh\nif [ \"$1\" = --host ]; then echo \"{\\\"me\\\": \\\"$2\\\"}\"; else cat <<'J'\n"
               "{\"web\": {\"hosts\": [\"a\", \"b\"], \"vars\": {\"x\": 1}, \"children\": [\"sub\"]}, "
               "\"sub\": [\"c\"], \"d\": {\"y\": 2}}\nJ\nfi\n");
    assert_int_equal(chmod(path, 0755), 0);
    const struct hosts *h = load(path);
    SAME(group(h, "web"), "[\"a\",\"b\",\"c\"]");
    SAME(var(h, "c", "x"), "1");
    SAME(var(h, "b", "me"), "\"b\"");
    SAME(var(h, "d", "y"), "2");
}

static void variables_of_a_program_come_with_its_list(void **state)
{
    (void)state;
    const char *path = write_file(
        "inv", "#!/bin/sh\n[ \"$1\" = --list ] || exit 9\n"
               "echo '{\"_meta\": {\"hostvars\": {\"a\": {\"k\": [1]}}}, \"g\": {\"hosts\": [\"a\"]}}'\n");
    assert_int_equal(chmod(path, 0755), 0);
    SAME(var(load(path), "a", "k"), "[1]");
}

static void a_program_that_fails_says_why(void **state)
{
    (void)state;
    struct ctx ctx = ctx_background();
    const struct hosts *hosts;
    const char *path = write_file("inv", "#!/bin/sh\necho no token >&2\nexit 3\n");
    assert_int_equal(chmod(path, 0755), 0);
    CLEANUP_ERR struct err *e = hosts_load(&ctx, arena, &path, 1, NULL, &hosts);
    assert_int_equal(err_kind(e), ERR_REMOTE);
    assert_non_null(strstr(err_text(e), "failed (3): no token"));
}

static void a_folder_is_read_in_the_order_of_names(void **state)
{
    (void)state;
    write_file("inv/10-a", "[g]\none x=1\n");
    write_file("inv/20-b.yml", "g: {hosts: {two: , one: {x: 2}}}\n");
    write_file("inv/.hidden", "three\n");
    write_file("inv/README.md", "# not an inventory: at all\n");
    write_file("inv/old.ini", "four\n"); /* Ansible leaves .ini out of folders */
    write_file("inv/group_vars/g.yml", "y: 3\n");
    const struct hosts *h = load(arena_printf(arena, "%s/inv", dir));
    SAME(group(h, "all"), "[\"one\",\"two\"]");
    SAME(var(h, "one", "x"), "2");
    SAME(var(h, "two", "y"), "3");
}

/* --- whose variable wins --- */

static void closer_variables_win(void **state)
{
    (void)state;
    write_file("inv/hosts", "h a=host b=host\n[low]\nh\n[high:children]\nlow\n"
                            "[all:vars]\na=all\nb=all\nc=all\nd=all\ne=all\nf=all\ng=all\ni=all\n"
                            "[high:vars]\nc=high\nd=high\n[low:vars]\nd=low\ne=low\n");
    write_file("inv/group_vars/all.yml", "e: all-file\nf: all-file\ng: all-file\n");
    write_file("inv/group_vars/low/a.yml", "f: low-file\n");
    write_file("inv/group_vars/low/b.json", "{\"i\": \"second\"}");
    write_file("inv/group_vars/low/a0.txt", "f: not read\n");
    write_file("inv/host_vars/h.yaml", "b: host-file\n");
    write_file("play/group_vars/all", "g: play-file\nf: play-all\n");
    write_file("play/host_vars/h", "b: play-host\n");
    const char *source = arena_printf(arena, "%s/inv/hosts", dir);
    const struct hosts *h = load_all(&source, 1, arena_printf(arena, "%s/play", dir));
    SAME(var(h, "h", "a"), "\"host\"");
    SAME(var(h, "h", "b"), "\"play-host\"");
    SAME(var(h, "h", "c"), "\"high\"");
    SAME(var(h, "h", "d"), "\"low\"");
    SAME(var(h, "h", "e"), "\"all-file\""); /* files of `all` come after what the source says of any group */
    SAME(var(h, "h", "f"), "\"low-file\"");
    SAME(var(h, "h", "g"), "\"play-file\"");
    SAME(var(h, "h", "i"), "\"second\"");
    SAME(var(h, "localhost", "g"), "\"play-file\"");
    SAME(var(h, "localhost", "ansible_connection"), "\"local\"");
}

static void priority_and_then_the_name_decide_between_equals(void **state)
{
    (void)state;
    const struct hosts *h = load_ini(
        "[a]\nh\n[b]\nh\n[c]\nh\n[a:vars]\nx=a\ny=a\nansible_group_priority=10\n[b:vars]\nx=b\ny=b\nz=b\n"
        "[c:vars]\nz=c\n");
    SAME(var(h, "h", "x"), "\"a\"");
    SAME(var(h, "h", "z"), "\"c\"");
    SAME(var(h, "h", "ansible_group_priority"), "undefined");
}

static void hosts_of_a_group_share_its_values(void **state)
{
    (void)state;
    const struct hosts *h = load_ini("[g]\nh[001:100]\n[g:vars]\nbig={'a': [1, 2, 3]}\n");
    assert_ptr_equal(json_object_get(host(h, "h001")->vars, "big"),
                     json_object_get(host(h, "h100")->vars, "big"));
}

static void a_host_knows_where_it_stands(void **state)
{
    (void)state;
    const struct hosts *h = load_ini("h\n");
    SAME(var(h, "h", "inventory_dir"), arena_printf(arena, "\"%s\"", dir));
    SAME(var(h, "h", "inventory_file"), arena_printf(arena, "\"%s/hosts.ini\"", dir));
}

/* --- patterns --- */

static const struct hosts *farm(void)
{
    return load_ini("lone\n[web]\nweb[1:4]\n[db]\ndb1\nweb4\n[prod:children]\nweb\ndb\n[old]\nweb2\n");
}

static const char *names(const struct hosts *h, const size_t *indices, size_t count)
{
    char *text = arena_strdup(arena, "");
    for (size_t i = 0; i < count; i++)
        text = arena_printf(arena, "%s%s%s", text, i ? " " : "", h->items[indices[i]].name);
    return text;
}

static const char *match(const struct hosts *h, const char *pattern)
{
    size_t *indices, count;
    const char *unknown;
    json_auto_t *json =
        *pattern == '[' && pattern[1] == '"' ? json_loads(pattern, 0, NULL) : json_string(pattern);
    struct err *e = hosts_match(h, arena, json, &indices, &count, &unknown);
    if (e) {
        const char *text = arena_strdup(arena, err_text(e));
        err_free(e);
        return text;
    }
    const char *found = names(h, indices, count);
    return unknown ? arena_printf(arena, "%s?%s", found, unknown) : found;
}

static void patterns_pick_as_ansible_picks(void **state)
{
    (void)state;
    const struct hosts *h = farm();
    const char *const cases[][2] = {
        {"all", "lone web2 web1 web3 web4 db1"},
        {"*", "lone web2 web1 web3 web4 db1"},
        {"web", "web1 web2 web3 web4"},
        {"web:db", "web1 web2 web3 web4 db1"},
        {"db,web", "db1 web4 web1 web2 web3"},
        {"prod:!old", "web1 web3 web4 db1"},
        {"!old:prod", "web1 web3 web4 db1"},
        {"web:&db", "web4"},
        {"&db:web:!web4", ""},
        {"!web", "lone db1"},
        {"web[0]", "web1"},
        {"web[-1]", "web4"},
        {"web[1:2]", "web2 web3"},
        {"web[2:]", "web3 web4"},
        {"web[1:2]:db[0]", "web2 web3 db1"},
        {"web[9]", "no host matches 'web[9]': there are 4"},
        {"web[2:9]", "web3 web4"},
        {"web?", "web1 web2 web3 web4"},
        {"web[13]", "no host matches 'web[13]': there are 4"},
        {"*b1", "web1 db1"},
        {"~(web|db)1", "web1 db1"},
        {"~eb", "?~eb"},
        {"[\"web1\", \"db:lone\"]", "web1 db1 web4 lone"},
        {"nobody", "?nobody"},
        {"web1:nobody", "web1?nobody"},
        {"localhost", "localhost"},
        {"127.0.0.1", "localhost"},
        {"all:localhost", "lone web2 web1 web3 web4 db1 localhost"},
        {"ungrouped", "lone"},
        {" web1 , db1 ", "web1 db1"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        if (strcmp(match(h, cases[i][0]), cases[i][1]) != 0)
            fail_msg("'%s' gave '%s', not '%s'", cases[i][0], match(h, cases[i][0]), cases[i][1]);
}

static void a_limit_refuses_what_it_does_not_know(void **state)
{
    (void)state;
    const struct hosts *h = farm();
    size_t *indices, count;
    CLEANUP_ERR struct err *e = hosts_limit(h, arena, "web1,dbb1", &indices, &count);
    assert_non_null(e);
    SAME(err_text(e), "--limit: no host or group is named 'dbb1'");
    assert_non_null(strstr(err_hint(e), "'db1'"));
    CLEANUP_ERR struct err *excluded = hosts_limit(h, arena, "all:!wbe2", &indices, &count);
    assert_non_null(excluded);
}

static void a_limit_may_stand_in_a_file(void **state)
{
    (void)state;
    const struct hosts *h = farm();
    size_t *indices, count;
    const char *path = write_file("retry", "web3\n\n db1 \n");
    assert_null(hosts_limit(h, arena, arena_printf(arena, "@%s,lone", path), &indices, &count));
    SAME(names(h, indices, count), "web3 db1 lone");
}

/* --- how to reach a host --- */

static struct hosts_login login_of(const char *line, const char *extra)
{
    const struct hosts *h = load_ini(arena_printf(arena, "web.example.org %s\n", line));
    json_auto_t *vars = extra ? json_loads(extra, 0, NULL) : NULL;
    struct hosts_login login = {.user = "default", .key_file = "default.key"};
    struct err *e = hosts_read_login(arena, &h->items[0], vars, &login);
    if (e) {
        login = (struct hosts_login){.address = arena_strdup(arena, err_text(e))};
        err_free(e);
    }
    return login;
}

static void variables_say_how_to_reach_a_host(void **state)
{
    (void)state;
    struct hosts_login l = login_of("", NULL);
    SAME(l.address, "web.example.org");
    SAME(l.user, "default");
    SAME(l.key_file, "default.key");
    assert_false(l.local || l.become || l.port);
    l = login_of(
        "ansible_host=192.0.2.1 ansible_port=2222 ansible_user=deploy ansible_ssh_private_key_file=/k "
        "ansible_become=yes ansible_become_user=app ansible_become_pass=s3cret",
        NULL);
    SAME(l.address, "192.0.2.1");
    assert_int_equal(l.port, 2222);
    SAME(l.user, "deploy");
    SAME(l.key_file, "/k");
    assert_true(l.become);
    SAME(l.become_user, "app");
    SAME(secret_text(l.become_password), "s3cret");
    assert_true(login_of("ansible_connection=local", NULL).local);
    SAME(login_of("ansible_user=deploy", "{\"ansible_user\": \"root\"}").user, "root");
}

static void connection_variables_may_be_templates(void **state)
{
    (void)state;
    SAME(login_of("ansible_host='{{ inventory_hostname_short }}.{{ zone }}' zone=lan", NULL).address,
         "web.lan");
}

static void arguments_for_ssh_are_understood(void **state)
{
    (void)state;
    struct hosts_login l = login_of("ansible_ssh_common_args='-o StrictHostKeyChecking=no -o "
                                    "UserKnownHostsFile=/dev/null -i /k -p 23 -C -o ControlMaster=auto'",
                                    NULL);
    assert_true(l.trust_unknown);
    SAME(l.known_hosts, "/dev/null");
    SAME(l.key_file, "/k");
    assert_int_equal(l.port, 23);
    l = login_of("ansible_ssh_extra_args='-oStrictHostKeyChecking=accept-new -o \"User deploy\"'", NULL);
    assert_true(l.trust_unknown);
    SAME(l.user, "deploy");
}

static void what_cannot_be_done_is_refused(void **state)
{
    (void)state;
    const char *const cases[][2] = {
        {"ansible_connection=docker", "ansible_connection: not supported: 'docker'"},
        {"ansible_become_method=su", "ansible_become_method: not supported: 'su'"},
        {"ansible_ssh_common_args='-J bastion'", "a way over another host is not supported"},
        {"ansible_ssh_common_args='-o ProxyCommand=\"ssh -W %h:%p b\"'", "a way over another host"},
        {"ansible_ssh_extra_args='-o StrictHostkeyCheking=no'", "does not know the option of ssh"},
        {"ansible_ssh_extra_args='-Z'", "does not know the argument of ssh '-Z'"},
        {"ansible_port=many", "a port is a number from 1 to 65535, not 'many'"},
        {"ansible_become=perhaps", "it is yes or no, not 'perhaps'"},
        {"ansible_password=x", "logging in with a password is not supported"},
        {"ansible_host='{{ nope }}'", "'nope' is undefined"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        if (!strstr(login_of(cases[i][0], NULL).address, cases[i][1]))
            fail_msg("'%s' gave: %s", cases[i][0], login_of(cases[i][0], NULL).address);
}

static void ansible_cfg_is_read_for_what_matters(void **state)
{
    (void)state;
    struct hosts_config c;
    write_file("ansible.cfg",
               "# c\n[defaults]\nInventory = a.ini, /b\nremote_user: deploy ; note\nroles_path = r1:~/r2\n"
               "host_key_checking = False\nforks=20\nnocows = 1\n[privilege_escalation]\nbecome=True\n"
               "[ssh_connection]\npipelining=True\n");
    assert_null(hosts_read_config(arena, dir, &c));
    assert_int_equal(c.inventory_count, 2);
    SAME(c.inventory[0], arena_printf(arena, "%s/a.ini", dir));
    SAME(c.inventory[1], "/b");
    SAME(c.remote_user, "deploy");
    assert_int_equal(c.roles_path_count, 2);
    assert_int_equal(c.forks, 20);
    assert_true(c.become && !c.host_key_checking);
    write_file("ansible.cfg", "[defaults]\nforks = many\n");
    CLEANUP_ERR struct err *e = hosts_read_config(arena, dir, &c);
    assert_non_null(strstr(err_text(e), "ansible.cfg:2:1: 'many' is not a whole number"));
}

static void a_config_that_anybody_could_have_put_there_is_refused(void **state)
{
    (void)state;
    struct hosts_config c;
    write_file("ansible.cfg", "[defaults]\ninventory = evil\n");
    assert_int_equal(chmod(dir, 01777), 0);
    CLEANUP_ERR struct err *e = hosts_read_config(arena, dir, &c);
    assert_non_null(e);
    assert_int_equal(err_kind(e), ERR_TRUST);
}

static void json_of_variables_may_have_tabs(void **state)
{
    (void)state;
    write_file("inv/hosts", "h\n");
    write_file("inv/host_vars/h.json", "{\n\t\"a\": [1,\n\t\t2]\n}\n");
    SAME(var(load(arena_printf(arena, "%s/inv/hosts", dir)), "h", "a"), "[1,2]");
}

static void hosts_that_are_alike_share_one_map(void **state)
{
    (void)state;
    const struct hosts *h = load_ini("[g]\nh[1:3]\nother x=1\n[g:vars]\na=1\n");
    assert_ptr_equal(host(h, "h1")->vars, host(h, "h3")->vars);
    assert_ptr_not_equal(host(h, "h1")->vars, host(h, "other")->vars);
}

/* --- side by side --- */

/* inventory_file and inventory_dir are not in Ansible's list. */
static json_t *visible(json_t *vars)
{
    json_t *copy = json_copy(vars);
    json_object_del(copy, "inventory_file");
    json_object_del(copy, "inventory_dir");
    return copy;
}

static void compare_with(const char *text)
{
    struct ctx ctx = ctx_background();
    const char *path = write_file("inv/hosts", text);
    const char *const argv[] = {"ansible-inventory", "-i", path, "--list", NULL};
    CLEANUP_STRBUF struct strbuf out;
    strbuf_init(&out, 0);
    struct proc_result result;
    assert_null(proc_run(&ctx, argv, NULL, 0, &out, NULL, &result));
    assert_int_equal(result.exit_status, 0);
    json_auto_t *theirs = json_loads(out.data, 0, NULL);
    const struct hosts *mine = load(path);
    for (size_t i = 0; i < mine->count; i++) {
        json_auto_t *vars = visible(mine->items[i].vars);
        const json_t *their_vars = json_object_get(
            json_object_get(json_object_get(theirs, "_meta"), "hostvars"), mine->items[i].name);
        SAME(dump(vars), their_vars ? dump(their_vars) : "{}");
    }
    const char *name;
    const json_t *described;
    json_object_foreach(theirs, name, described)
    {
        if (!strcmp(name, "_meta"))
            continue;
        const json_t *hosts = json_object_get(described, "hosts"), *one;
        size_t k;
        json_array_foreach(hosts, k, one)
            assert_non_null(strstr(group(mine, name), arena_printf(arena, "\"%s\"", json_string_value(one))));
    }
}

static void ansible_inventory_sees_the_same(void **state)
{
    (void)state;
    if (system("command -v ansible-inventory >/dev/null") != 0) {
        print_message("skipped: ansible-inventory is not installed\n");
        skip();
    }
    write_file("inv/group_vars/all.yml", "from: all\nflag: yes\n");
    write_file("inv/group_vars/web/x.yml", "from: web\n");
    write_file("inv/host_vars/web2.json", "{\"own\": [1, {\"a\": null}]}");
    compare_with(
        "lone a=1 b='[1, \"x\"]'\n[web]\nweb[1:3] port=80 t=True o=0644 f=1.0 s=\"a b\" e='' n=None\n"
        "[db]\nd1:2200 p=1_0 x=0b11 y=-1 q=\"'1'\"\n[prod:children]\nweb\ndb\n[prod:vars]\nlevel=3\nname='it "
        "is'\n"
        "raw=yes # really\nports=80,443\nmap={'k': (1, 2)}\n[web:vars]\nlevel=4\nansible_group_priority=5\n");
    compare_with(
        "all:\n  children:\n    web:\n      hosts:\n        web[01:03]: {octal: 0644, t: 12:30, s: '1'}\n"
        "        x.example.org:2222:\n      vars: {a: on, b: [1, 2.5, null]}\n    db: {hosts: {web02: {c: "
        "~}}}\n");
    compare_with("[a]\nh1 "
                 "x=1\n[b]\nh1\n[c:children]\na\n[d:children]\nc\nb\n[a:vars]\nv=a\nw=a\n[b:vars]\nv=b\n[c:"
                 "vars]\nw=c\n"
                 "[d:vars]\nv=d\nw=d\nz={}\n");
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(values_on_a_line_of_a_host_are_python_literals),
        TEST(a_comment_ends_a_line_of_a_host_but_not_a_variable),
        TEST(values_apart_by_commas_are_a_list),
        TEST(ranges_make_hosts),
        TEST(a_port_is_cut_off_the_name),
        TEST(groups_may_be_named_before_they_are_made),
        TEST(a_host_of_a_group_is_not_ungrouped),
        TEST(wrong_lines_are_refused_with_their_place),
        TEST(yaml_groups_nest),
        TEST(an_unknown_part_of_a_group_is_a_warning),
        TEST(what_is_no_inventory_is_refused),
        TEST(the_text_tells_what_a_name_does_not),
        TEST(a_list_with_a_comma_is_an_inventory),
        TEST(a_program_is_asked),
        TEST(variables_of_a_program_come_with_its_list),
        TEST(a_program_that_fails_says_why),
        TEST(a_folder_is_read_in_the_order_of_names),
        TEST(closer_variables_win),
        TEST(priority_and_then_the_name_decide_between_equals),
        TEST(hosts_of_a_group_share_its_values),
        TEST(a_host_knows_where_it_stands),
        TEST(patterns_pick_as_ansible_picks),
        TEST(a_limit_refuses_what_it_does_not_know),
        TEST(a_limit_may_stand_in_a_file),
        TEST(variables_say_how_to_reach_a_host),
        TEST(connection_variables_may_be_templates),
        TEST(arguments_for_ssh_are_understood),
        TEST(what_cannot_be_done_is_refused),
        TEST(ansible_cfg_is_read_for_what_matters),
        TEST(a_config_that_anybody_could_have_put_there_is_refused),
        TEST(json_of_variables_may_have_tabs),
        TEST(hosts_that_are_alike_share_one_map),
        TEST(ansible_inventory_sees_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
