/* The modules that change files, on this machine, in a folder of their own: what they make, and that a second
 * time changes nothing. */
#include "play_fixture.h"

static struct fixture *f;

static int setup(void **state)
{
    (void)state;
    f = fixture_new();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fixture_free(f);
    return 0;
}

#define PLAY "- hosts: all\n  gather_facts: false\n  tasks:\n"

/* Applies one task twice: it changes something, then nothing. */
static void changes_once(const char *task)
{
    put_file(f, "play.yml", arena_printf(f->arena, PLAY "    - %s\n", task));
    apply_well(f);
    if (f->result.counts[TASK_CHANGED] != 1)
        fail_msg("changed nothing: %s", task);
    apply_well(f);
    if (f->result.counts[TASK_CHANGED] != 0)
        fail_msg("changes again: %s", task);
}

static unsigned mode_of(const char *name)
{
    struct stat info;
    assert_return_code(lstat(arena_printf(f->arena, "%s/%s", f->dir, name), &info), 0);
    return info.st_mode & 07777;
}

static void lineinfile_replaces_inserts_and_removes(void **state)
{
    (void)state;
    put_file(f, "c", "one\n#two = 2\ntwo = 3\n  three\nend");
    changes_once("lineinfile: {path: '@DIR@/c', regexp: '^#?two\\s*=', line: 'two = 4'}");
    assert_string_equal(get_file(f, "c"), "one\n#two = 2\ntwo = 4\n  three\nend");
    changes_once("lineinfile: {path: '@DIR@/c', line: last}");
    changes_once("lineinfile: {path: '@DIR@/c', line: after, insertafter: '^one'}");
    changes_once("lineinfile: {path: '@DIR@/c', line: first, insertbefore: BOF}");
    changes_once("lineinfile: {path: '@DIR@/c', regexp: '^#', state: absent}");
    assert_string_equal(get_file(f, "c"), "first\none\nafter\ntwo = 4\n  three\nend\nlast\n");
    changes_once(
        "lineinfile: {path: '@DIR@/c', regexp: '^two = (?P<n>\\d)$', line: 'two=\\g<n>', backrefs: true}");
    assert_holds(get_file(f, "c"), "\ntwo=4\n");
    changes_once("lineinfile: {path: '@DIR@/new', line: \"it's $HOME\", create: true, mode: '0600'}");
    assert_string_equal(get_file(f, "new"), "it's $HOME\n");
    assert_int_equal(mode_of("new"), 0600);
}

static void blockinfile_keeps_one_block(void **state)
{
    (void)state;
    put_file(f, "c", "a\nb");
    changes_once("blockinfile: {path: '@DIR@/c', marker: '# {mark} x', block: \"one\\ntwo\"}");
    assert_string_equal(get_file(f, "c"), "a\nb\n# BEGIN x\none\ntwo\n# END x\n");
    changes_once("blockinfile: {path: '@DIR@/c', marker: '# {mark} x', block: three}");
    changes_once("blockinfile: {path: '@DIR@/c', marker: '# {mark} y', block: y, insertafter: '^a'}");
    assert_string_equal(get_file(f, "c"), "a\n# BEGIN y\ny\n# END y\nb\n# BEGIN x\nthree\n# END x\n");
    changes_once("blockinfile: {path: '@DIR@/c', marker: '# {mark} x', state: absent}");
    assert_string_equal(get_file(f, "c"), "a\n# BEGIN y\ny\n# END y\nb\n");
}

static void replace_works_on_the_whole_file_or_between_two_marks(void **state)
{
    (void)state;
    put_file(f, "c", "a=1\n[x]\na=2\n[y]\na=3\n");
    changes_once("replace: {path: '@DIR@/c', regexp: '^a=(\\d)$', replace: 'b=\\1\\1', after: '\\[x\\]', "
                 "before: '\\[y\\]'}");
    assert_string_equal(get_file(f, "c"), "a=1\n[x]\nb=22\n[y]\na=3\n");
    changes_once("replace: {path: '@DIR@/c', regexp: '^\\[.*\\]\\n'}");
    assert_string_equal(get_file(f, "c"), "a=1\nb=22\na=3\n");
}

static void copy_validates_keeps_modes_and_makes_backups(void **state)
{
    (void)state;
    changes_once("copy: {dest: '@DIR@/c', content: \"one\\n\", mode: 'u=rw,g=r'}");
    assert_int_equal(mode_of("c"), 0644);
    changes_once("copy: {dest: '@DIR@/c', content: \"one\\n\", mode: '0640'}");
    changes_once("copy: {dest: '@DIR@/c', content: \"good\\n\", validate: 'grep -q good %s', backup: true}");
    assert_int_equal(mode_of("c"), 0640);
    put_file(f, "play.yml", PLAY "    - copy: {dest: '@DIR@/c', content: bad, validate: grep good %s}\n");
    CLEANUP_ERR struct err *e = apply(f);
    assert_non_null(e);
    assert_holds(err_text(e), "failed to validate");
    assert_string_equal(get_file(f, "c"), "good\n");
    put_file(f, "play.yml",
             PLAY "    - copy: {dest: '@DIR@/c', content: other, force: false}\n    - find: {paths: '@DIR@', "
                  "patterns: 'c.*~'}\n"
                  "      register: r\n    - slurp: {src: \"{{ r.files[0].path }}\"}\n      register: s\n"
                  "    - debug: {msg: \"{{ r.matched }} {{ s.content | b64decode }}\"}\n");
    apply_well(f);
    assert_holds(f->events.data, "ok debug: 1 one\n");
    assert_string_equal(get_file(f, "c"), "good\n");
}

static void file_makes_every_kind(void **state)
{
    (void)state;
    put_file(f, "target", "t");
    changes_once("file: {path: '@DIR@/a/b/c', state: directory, mode: '0750'}");
    assert_int_equal(mode_of("a/b"), 0750);
    changes_once("file: {path: '@DIR@/l', src: target, state: link}");
    changes_once("file: {path: '@DIR@/l', src: a, state: link}");
    changes_once("file: {path: '@DIR@/h', src: '@DIR@/target', state: hard}");
    changes_once("file: {path: '@DIR@/a', state: directory, recurse: true, mode: g+w}");
    assert_int_equal(mode_of("a/b/c"), 0770);
    changes_once("file: {path: '@DIR@/a', state: absent}");
    put_file(f, "play.yml", PLAY "    - file: {path: '@DIR@/target', state: directory}\n");
    CLEANUP_ERR struct err *e = apply(f);
    assert_non_null(e);
    assert_holds(err_text(e), "already exists as a hard");
}

static void commands_are_skipped_when_creates_or_removes_says_so(void **state)
{
    (void)state;
    changes_once("command: touch @DIR@/made creates=@DIR@/mad*");
    changes_once("shell: rm made\n      args: {chdir: '@DIR@', removes: '@DIR@/made'}");
    put_file(f, "play.yml", PLAY "    - command: /no/such/program\n");
    CLEANUP_ERR struct err *e = apply(f);
    assert_non_null(e);
    assert_holds(err_text(e), "No such file or directory");
}

static void modules_name_what_is_wrong_with_their_values(void **state)
{
    (void)state;
    static const struct {
        const char *task, *message;
    } cases[] = {
        {"file: {path: /x, mode: \"{{ 'rw' ~ 'z' }}\"}", "'mode' of 'file' must be a file mode"},
        {"file: {path: /x, state: \"{{ 'gone' }}\"}", "'state' of 'file' cannot be 'gone'"},
        {"copy: {dest: /x, content: y, backup: \"{{ 'maybe' }}\"}", "'backup' of 'copy' must be yes or no"},
        {"group: {name: x, gid: \"{{ 'ten' }}\"}", "'gid' of 'group' must be a whole number"},
        {"command: id\n      environment: {IFS: x}", "'IFS' cannot be a name in 'environment'"},
        {"command: id\n      become: true\n      become_user: \"{{ '-x' }}\"",
         "'-x' cannot be the name of a user"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        put_file(f, "play.yml", arena_printf(f->arena, PLAY "    - %s\n", cases[i].task));
        CLEANUP_ERR struct err *e = apply(f);
        assert_non_null(e);
        assert_holds(err_text(e), cases[i].message);
    }
}

static void a_module_beside_the_playbook_is_taken_first(void **state)
{
    (void)state;
    put_file(f, "modules/greet.sh",
             "# greet (local): says hello.\n#\n# arg to text, required, or name\n# arg tone text, one of "
             "loud calm\n"
             "# returns greeting\nmodule_greet() { changed; put greeting \"hello $a_to\"; }\n");
    put_file(f, "play.yml",
             PLAY "    - greet: {name: \"it's you\"}\n      register: g\n"
                  "    - assert: {that: \"g.greeting | length == 14 and g.changed\"}\n");
    apply_well(f);
    put_file(f, "play.yml", PLAY "    - greet: {tone: shrill, to: me}\n");
    CLEANUP_ERR struct err *e = apply(f);
    assert_non_null(e);
    assert_holds(err_text(e), "'tone' of 'greet' cannot be 'shrill'");
}

static void a_module_whose_head_cannot_be_read_is_refused(void **state)
{
    (void)state;
    static const char *const heads[] = {"# arg x colour\n", "# arg x\n", "# arg x text, maybe\n",
                                        "# takes x\n"};
    put_file(f, "play.yml", PLAY "    - ping:\n");
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        put_file(f, "modules/greet.sh", arena_printf(f->arena, "# greet (local): hi.\n#\n%s", heads[i]));
        CLEANUP_ERR struct err *e = apply(f);
        assert_non_null(e);
        assert_holds(err_text(e), "modules/greet.sh:3: ");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lineinfile_replaces_inserts_and_removes, setup, teardown),
        cmocka_unit_test_setup_teardown(blockinfile_keeps_one_block, setup, teardown),
        cmocka_unit_test_setup_teardown(replace_works_on_the_whole_file_or_between_two_marks, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(copy_validates_keeps_modes_and_makes_backups, setup, teardown),
        cmocka_unit_test_setup_teardown(file_makes_every_kind, setup, teardown),
        cmocka_unit_test_setup_teardown(commands_are_skipped_when_creates_or_removes_says_so, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(modules_name_what_is_wrong_with_their_values, setup, teardown),
        cmocka_unit_test_setup_teardown(a_module_beside_the_playbook_is_taken_first, setup, teardown),
        cmocka_unit_test_setup_teardown(a_module_whose_head_cannot_be_read_is_refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
