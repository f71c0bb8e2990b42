#include "base/yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct err *parse(struct arena *arena, const char *text, const struct yaml_node **root)
{
    return yaml_parse(arena, "f.yml", text, strlen(text), root);
}

static void expect_json(const char *text, const char *wanted)
{
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    const struct yaml_node *root;
    CLEANUP_ERR struct err *e = parse(arena, text, &root);
    if (e)
        fail_msg("%s: %s", text, err_text(e));
    json_auto_t *value = yaml_to_json(root);
    char *dump = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    assert_string_equal(dump, wanted);
    free(dump);
}

static void expect_refusal_of(const char *text, size_t length, const char *message)
{
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    const struct yaml_node *root;
    CLEANUP_ERR struct err *e = yaml_parse(arena, "f.yml", text, length, &root);
    if (!e)
        fail_msg("accepted, but wanted: %s", message);
    assert_int_equal(err_kind(e), ERR_INPUT);
    if (!strstr(err_text(e), message))
        fail_msg("'%s' does not hold '%s'", err_text(e), message);
}

static void expect_refusal(const char *text, const char *message)
{
    expect_refusal_of(text, strlen(text), message);
}

static char *repeat(const char *unit, size_t count, const char *after)
{
    size_t size = strlen(unit);
    char *text = malloc(size * count + strlen(after) + 1);
    for (size_t i = 0; i < count; i++)
        memcpy(text + i * size, unit, size);
    memcpy(text + size * count, after, strlen(after) + 1);
    return text;
}

/* The values that `ansible -m debug` shows for the same file. */
static void plain_scalars_mean_what_ansible_reads(void **state)
{
    (void)state;
    expect_json("[yes, No, ON, off, true, False, y, tRUE]",
                "[true,false,true,false,true,false,\"y\",\"tRUE\"]");
    expect_json("[~, null, NULL, nUll, '', ]", "[null,null,null,\"nUll\",\"\"]");
    expect_json("[0, 12, -3, +4, 1_000, 0644, 0x1F, 0b101, 089, 1:30, 1:90]",
                "[0,12,-3,4,1000,420,31,5,\"089\",90,\"1:90\"]");
    expect_json("[99999999999999999999]", "[\"99999999999999999999\"]");
    expect_json("[1.5, -2., .5, 1e3, 1.0e+3, 1.2.3, -.5]", "[1.5,-2.0,0.5,\"1e3\",1000.0,\"1.2.3\",\"-.5\"]");
    expect_json("[2020-01-01, 12:34:56:xx, 192.0.2.1, '12', \"yes\"]",
                "[\"2020-01-01\",\"12:34:56:xx\",\"192.0.2.1\",\"12\",\"yes\"]");
}

static void tags_of_the_core_schema_are_honoured_and_others_refused(void **state)
{
    (void)state;
    expect_json("[!!str 12, !!int '12', !!float 3, !!bool 'yes', ! 4]", "[\"12\",12,3.0,true,\"4\"]");
    expect_refusal("a: !!int x", "f.yml:1:4: 'x' is not a whole number");
    expect_refusal("a: !vault x", "f.yml:1:4: the tag '!vault' is not supported");
    expect_refusal("a: !python [x]", "f.yml:1:4: the tag '!python' is not supported");
}

static void maps_keep_the_order_of_the_file(void **state)
{
    (void)state;
    expect_json("z: 1\na: 2\nm: {y: 1, b: 2}\n", "{\"z\":1,\"a\":2,\"m\":{\"y\":1,\"b\":2}}");
}

static void merge_keys_give_way_to_the_maps_own_entries(void **state)
{
    (void)state;
    expect_json("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3, z: 4}",
                "{\"a\":{\"x\":1,\"y\":2},\"b\":{\"x\":1,\"y\":3,\"z\":4}}");
    expect_json("- &a {x: 1}\n- &b {x: 2, y: 2}\n- {<<: [*a, *b]}",
                "[{\"x\":1},{\"x\":2,\"y\":2},{\"x\":1,\"y\":2}]");
    expect_refusal("a: {<<: 3}", "f.yml:1:9: '<<' merges maps, but this is a whole number");
}

static void nodes_know_their_place_and_their_text(void **state)
{
    (void)state;
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    const struct yaml_node *root;
    assert_null(parse(arena, "# top\nname: 'x'\ntasks:\n  - one: 0644\n", &root));
    const struct yaml_node *one = yaml_get(yaml_get(root, "tasks")->items[0], "one");
    assert_string_equal(one->text, "0644");
    assert_int_equal(one->line, 4);
    assert_int_equal(one->column, 10);
    assert_false(one->quoted);
    assert_true(yaml_get(root, "name")->quoted);
    assert_null(yaml_get(root, "absent"));
    assert_null(yaml_get(one, "x"));
    CLEANUP_ERR struct err *e = yaml_error(one, "'%s' is odd", one->text);
    assert_string_equal(err_message(e), "f.yml:4:10: '0644' is odd");
}

static void an_empty_file_is_nothing_and_two_documents_are_refused(void **state)
{
    (void)state;
    expect_json("", "null");
    expect_json("---\n# only this\n", "null");
    expect_json("---\na: 1\n...\n", "{\"a\":1}");
    expect_json("\xef\xbb\xbf"
                "a: 1",
                "{\"a\":1}");
    expect_refusal("a: 1\n---\nb: 2\n", "f.yml:2:1: a second document starts here");
}

static void duplicate_keys_are_refused_with_both_lines(void **state)
{
    (void)state;
    expect_refusal("a: 1\nb: 2\na: 3\n", "f.yml:3:1: the key 'a' stands twice in this map (first in line 1)");
    expect_refusal("[x]: 1\n", "f.yml:1:1: a map's key must be a single value");
}

static void broken_text_is_refused_with_its_place(void **state)
{
    (void)state;
    expect_refusal("a:\n\t- b\n", "f.yml:2:1: found character that cannot start any token");
    expect_refusal("a: b: c\n", "f.yml:1:5: mapping values are not allowed");
    expect_refusal("a: [1, 2\n", "f.yml:2:1: ");
    expect_refusal("a: \"x\n", "f.yml:");
    expect_refusal("ab: \xff\n", "f.yml:1:5: not valid UTF-8");
    expect_refusal("a: 1\nb: \xed\xa0\x80\n", "f.yml:2:4: not valid UTF-8");
    expect_refusal_of("a: x\0y\n", 7, "f.yml:1:5: a NUL byte");
    expect_refusal("a: \"x\\0y\"\n", "f.yml:1:4: text with a NUL character");
    expect_refusal_of("\xff\xfe"
                      "a\0",
                      4, "the file is UTF-16");
    expect_refusal("a: \x01\n", "control characters are not allowed");
}

static void nesting_beyond_64_is_refused_quickly(void **state)
{
    (void)state;
    char *deep = repeat("[", 64, "x");
    char *closed = malloc(200);
    snprintf(closed, 200, "%s%.*s", deep, 64,
             "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]");
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    const struct yaml_node *root;
    assert_null(parse(arena, closed, &root));
    free(deep);
    free(closed);
    deep = repeat("[", 200000, "");
    expect_refusal(deep, "f.yml:1:65: nested more than 64 deep");
    free(deep);
    deep = repeat("{a: ", 50000, "");
    expect_refusal(deep, "nested more than 64 deep");
    free(deep);
}

static void aliases_cannot_blow_up_or_loop(void **state)
{
    (void)state;
    expect_json("[&a x, *a, &a y, *a]", "[\"x\",\"x\",\"y\",\"y\"]");
    expect_refusal("a: *b\n", "f.yml:1:4: the alias '*b' has no anchor before it");
    expect_refusal("a: &a [1, *a]\n", "f.yml:1:11: the alias '*a' contains itself");
    expect_refusal(
        "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
        "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\n",
        "more than 50000 values");
    char *many = repeat("- *a\n", 101, "");
    char *text = malloc(strlen(many) + 20);
    sprintf(text, "- &a 1\n%s", many);
    expect_refusal(text, "more than 100 aliases");
    free(text);
    free(many);
}

static void a_long_text_behind_many_aliases_is_refused(void **state)
{
    (void)state;
    char *text = repeat("x", 900000,
                        "\n- *a\n- *a\n- *a\n- *a\n- *a\n- *a\n- *a\n- *a\n- *a\n- *a\n- *a\n- *a\n- *a\n"
                        "- *a\n- *a\n- *a\n- *a\n- *a\n- *a\n- *a\n");
    memcpy(text, "- &a ", 5);
    expect_refusal(text, "more than 16 MiB of text");
    free(text);
}

static void files_over_one_mebibyte_are_refused(void **state)
{
    (void)state;
    char *text = repeat("# comment line\n", 80000, "");
    expect_refusal(text, "more than 1 MiB");
    free(text);
}

static void a_file_is_read_from_disk(void **state)
{
    (void)state;
    char path[] = "/tmp/rehost-yaml-XXXXXX";
    int fd = mkstemp(path);
    assert_int_equal(write(fd, "a: {b: [1]}\n", 12), 12);
    close(fd);
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    const struct yaml_node *root;
    assert_null(yaml_parse_file(arena, path, &root));
    assert_int_equal(yaml_get(yaml_get(root, "a"), "b")->count, 1);
    unlink(path);
    CLEANUP_ERR struct err *e = yaml_parse_file(arena, path, &root);
    assert_int_equal(err_kind(e), ERR_NOT_FOUND);
}

static void the_nearest_word_is_at_most_two_edits_away(void **state)
{
    (void)state;
    static const char *const words[] = {"hosts", "tasks", "handlers", "become", "vars"};
    assert_string_equal(yaml_nearest("taks", words, 5), "tasks");
    assert_string_equal(yaml_nearest("becmoe", words, 5), "become");
    assert_string_equal(yaml_nearest("handler", words, 5), "handlers");
    assert_null(yaml_nearest("gather_facts", words, 5));
    assert_null(yaml_nearest("xy", words, 5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_scalars_mean_what_ansible_reads),
        cmocka_unit_test(tags_of_the_core_schema_are_honoured_and_others_refused),
        cmocka_unit_test(maps_keep_the_order_of_the_file),
        cmocka_unit_test(merge_keys_give_way_to_the_maps_own_entries),
        cmocka_unit_test(nodes_know_their_place_and_their_text),
        cmocka_unit_test(an_empty_file_is_nothing_and_two_documents_are_refused),
        cmocka_unit_test(duplicate_keys_are_refused_with_both_lines),
        cmocka_unit_test(broken_text_is_refused_with_its_place),
        cmocka_unit_test(nesting_beyond_64_is_refused_quickly),
        cmocka_unit_test(aliases_cannot_blow_up_or_loop),
        cmocka_unit_test(a_long_text_behind_many_aliases_is_refused),
        cmocka_unit_test(files_over_one_mebibyte_are_refused),
        cmocka_unit_test(a_file_is_read_from_disk),
        cmocka_unit_test(the_nearest_word_is_at_most_two_edits_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
