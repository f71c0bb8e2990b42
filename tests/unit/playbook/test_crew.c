/* Many hosts, all of them this machine: who waits for whom, who takes part, and what they know of each other.
 */
#include "play_fixture.h"
#include "playbook/crew.h"

#ifdef __has_feature
#if __has_feature(thread_sanitizer)
/* jansson looks at a counter before it counts atomically: it asks whether the value is one of its constants.
 */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
    return "race:json_incref\nrace:json_decref\n";
}
#endif
#endif

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

/* web-1 web-2 web-3 db-1; "web" and "db" are their groups, "lost" cannot be reached. */
static const struct crew_host *hosts;
static struct crew_result results[8];
static size_t forks;

static struct err *match(void *arg, struct arena *arena, const json_t *wanted, size_t **indexes,
                         size_t *count)
{
    const struct crew *crew = arg;
    const char *pattern = json_string_value(wanted);
    *indexes = arena_array(arena, crew->host_count, sizeof(size_t));
    *count = 0;
    for (size_t i = 0; i < crew->host_count; i++)
        if (strcmp(pattern, "all") == 0 || strncmp(crew->hosts[i].name, pattern, strlen(pattern)) == 0)
            (*indexes)[(*count)++] = i;
    return NULL;
}

static struct err *open_host(const struct ctx *ctx, void *arg, size_t host, struct ssh **ssh)
{
    (void)ctx;
    const struct crew *crew = arg;
    *ssh = NULL;
    return strcmp(crew->hosts[host].name, "lost") == 0 ? err_new(ERR_TRANSIENT, "nobody answers") : NULL;
}

static void note_host_event(const struct task_event *event, void *arg)
{
    static const char *const words[] = {"ok", "changed", "skipped", "failed", "ignored"};
    struct fixture *fixture = arg;
    strbuf_addf(&fixture->events, "%s: %s %s%s%s\n", event->host, words[event->status], event->task,
                *event->message ? ": " : "", event->message);
}

static struct err *apply_to(const char *const *names)
{
    const struct playbook *playbook;
    TRY(load(f, &playbook));
    struct crew_host list[8] = {0};
    struct crew crew = {.hosts = list, .forks = forks, .match = match, .open = open_host};
    crew.arg = &crew;
    for (; names[crew.host_count]; crew.host_count++) {
        const char *name = names[crew.host_count];
        json_t *vars = json_pack("{s:s, s:i, s:s}", "colour", name, "index", (int)crew.host_count, "motto",
                                 "{{ colour }} rules");
        json_object_set_new(vars, "looked_up", json_string("{{ lookup('pipe', 'echo') }}"));
        list[crew.host_count] = (struct crew_host){.name = name, .vars = json_keep(f->arena, vars)};
    }
    hosts = list;
    signal(SIGPIPE, SIG_IGN);
    struct ctx background = ctx_background();
    struct ctx ctx = ctx_with_timeout(&background, 60000);
    strbuf_reset(&f->events);
    f->options.on_event = note_host_event;
    f->options.arg = f;
    return crew_apply(&ctx, playbook, &crew, f->arena, &f->options, results);
}

static const char *const four[] = {"web-1", "web-2", "web-3", "db-1", NULL};

static void apply_to_four(void)
{
    CLEANUP_ERR struct err *e = apply_to(four);
    if (e)
        fail_msg("%s\n%s", err_text(e), f->events.data);
}

static size_t times(const char *part)
{
    size_t count = 0;
    for (const char *at = f->events.data; (at = strstr(at, part)) != NULL; at++)
        count++;
    return count;
}

static void each_play_takes_the_hosts_that_its_pattern_names(void **state)
{
    (void)state;
    put_file(
        f, "play.yml",
        "- hosts: web\n  gather_facts: no\n  tasks:\n    - copy: {content: \"{{ colour }}\", dest: "
        "'@DIR@/{{ inventory_hostname }}'}\n"
        "- hosts: \"{{ where | default('db') }}\"\n  gather_facts: no\n  tasks:\n    - command: echo hi\n");
    apply_to_four();
    assert_string_equal(get_file(f, "web-2"), "web-2");
    assert_null(get_file(f, "db-1"));
    assert_int_equal(times(": changed command"), 1);
    assert_holds(f->events.data, "db-1: changed command");
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(results[i].end, CREW_DONE);
}

/* Arguments without a template in them are the playbook's own. */
static void every_host_is_given_the_same_arguments(void **state)
{
    (void)state;
    put_file(f, "hello.j2", "hello\n");
    put_file(f, "hello.sh", "echo \"$1\"\n");
    put_file(f, "play.yml",
             "- hosts: all\n  gather_facts: no\n  tasks:\n"
             "    - template: {src: hello.j2, dest: '@DIR@/one'}\n"
             "    - copy: {src: hello.j2, dest: '@DIR@/two', remote_src: no}\n"
             "    - copy: {content: three, dest: '@DIR@/three'}\n"
             "    - script: hello.sh one\n"
             "    - command: {argv: [echo, two]}\n");
    for (forks = 1; forks <= 4; forks += 3) {
        apply_to_four();
        assert_int_equal(times("failed"), 0);
        assert_int_equal(times("changed script"), 4);
        assert_int_equal(times("changed command"), 4);
        for (size_t i = 0; i < 4; i++)
            assert_int_equal(results[i].end, CREW_DONE);
    }
    forks = 0;
}

static void a_host_that_fails_or_is_lost_leaves_the_others_alone(void **state)
{
    (void)state;
    static const char *const names[] = {"web-1", "lost", "web-2", NULL};
    put_file(
        f, "play.yml",
        "- hosts: all\n  gather_facts: no\n  tasks:\n    - fail: {msg: no}\n      when: index == 0\n"
        "    - command: echo one\n- hosts: all\n  gather_facts: no\n  tasks:\n    - command: echo two\n");
    CLEANUP_ERR struct err *e = apply_to(names);
    assert_non_null(e);
    assert_holds(err_text(e), "1 of 3 hosts failed, 1 could not be reached or were lost");
    assert_int_equal(results[0].end, CREW_FAILED);
    assert_int_equal(results[1].end, CREW_UNREACHABLE);
    assert_string_equal(results[1].message, "nobody answers");
    assert_int_equal(results[2].end, CREW_DONE);
    assert_int_equal(times("changed command"), 2);
    assert_int_equal(times("web-1: changed"), 0);
}

static void hostvars_hold_what_others_have_learned_before_the_same_task(void **state)
{
    (void)state;
    put_file(f, "play.yml",
             "- hosts: web\n  gather_facts: no\n  tasks:\n"
             "    - shell: \"sleep 0.{{ index }}; echo {{ colour }}-said\"\n      register: said\n"
             "    - set_fact: {mine: \"{{ index }}\"}\n"
             "    - debug: {msg: \"{% for h in ansible_play_hosts %}{{ hostvars[h].said.stdout }}/{{ "
             "hostvars[h]['mine'] }} "
             "{% endfor %}{{ hostvars['db-1'].motto }} {{ hostvars['web-3'].motto }}\"}\n");
    apply_to_four();
    assert_int_equal(times("ok debug: web-1-said/0 web-2-said/1 web-3-said/2 db-1 rules web-3 rules"), 3);
}

static void what_a_host_learned_hides_its_inventory_from_others_too(void **state)
{
    (void)state;
    put_file(f, "play.yml",
             "- hosts: web\n  gather_facts: no\n  tasks:\n    - set_fact: {motto: learned}\n      when: "
             "index == 1\n"
             "    - debug: {msg: \"{{ hostvars['web-2'].motto }}, {{ hostvars['web-3'].motto }}, {{ "
             "hostvars['web-1'].looked_up | default('none') }}\"}\n");
    apply_to_four();
    assert_int_equal(times("ok debug: learned, web-3 rules, none"), 3);
}

static void run_once_is_done_by_the_first_host_for_all(void **state)
{
    (void)state;
    put_file(f, "play.yml",
             "- hosts: all\n  gather_facts: no\n  tasks:\n"
             "    - shell: \"sleep 0.$((4 - {{ index }}))\"\n"
             "    - shell: \"echo {{ colour }} >>@DIR@/log; echo {{ colour }}\"\n      register: who\n      "
             "run_once: true\n"
             "    - set_fact: {chosen: \"{{ colour }}\"}\n      run_once: true\n"
             "    - debug: {msg: \"{{ who.stdout }} {{ chosen }}\"}\n");
    apply_to_four();
    assert_string_equal(get_file(f, "log"), "web-1\n");
    assert_int_equal(times("ok debug: web-1 web-1"), 4);
}

static void run_once_that_fails_stops_all(void **state)
{
    (void)state;
    put_file(
        f, "play.yml",
        "- hosts: all\n  gather_facts: no\n  tasks:\n    - command: 'false'\n      run_once: true\n"
        "    - command: echo after\n- hosts: all\n  gather_facts: no\n  tasks:\n    - command: echo later\n");
    CLEANUP_ERR struct err *e = apply_to(four);
    assert_non_null(e);
    assert_int_equal(times("changed command"), 0);
}

static void a_host_that_nobody_reached_is_known_from_the_inventory(void **state)
{
    (void)state;
    static const char *const names[] = {"web-1", "lost", NULL};
    put_file(
        f, "play.yml",
        "- hosts: all\n  gather_facts: no\n  tasks:\n    - debug: {msg: \"{{ hostvars.lost.motto }} of {{ "
        "hostvars.lost.inventory_hostname }}\"}\n"
        "- hosts: all\n  gather_facts: no\n  tasks:\n    - debug: {msg: \"again {{ hostvars.lost.motto }} of "
        "{{ hostvars.lost.inventory_hostname }}\"}\n");
    CLEANUP_ERR struct err *e = apply_to(names);
    assert_non_null(e);
    assert_int_equal(results[1].end, CREW_UNREACHABLE);
    assert_int_equal(times("web-1: ok debug: lost rules of lost"), 1);
    assert_int_equal(times("web-1: ok debug: again lost rules of lost"), 1);
}

static void run_once_that_fails_is_rescued_on_all_hosts(void **state)
{
    (void)state;
    put_file(
        f, "play.yml",
        "- hosts: all\n  gather_facts: no\n  tasks:\n    - block:\n        - command: 'false'\n          "
        "run_once: true\n        - debug: {msg: within}\n      rescue:\n        - debug: {msg: rescue}\n"
        "      always:\n        - debug: {msg: always}\n    - debug: {msg: after}\n"
        "- hosts: all\n  gather_facts: no\n  tasks:\n    - debug: {msg: later}\n");
    apply_to_four();
    assert_int_equal(times("failed command"), 1);
    assert_int_equal(times("within"), 0);
    assert_int_equal(times("debug: rescue"), 4);
    assert_int_equal(times("debug: always"), 4);
    assert_int_equal(times("debug: after"), 4);
    assert_int_equal(times("debug: later"), 4);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(results[i].end, CREW_DONE);
        assert_int_equal(results[i].result.counts[TASK_FAILED], 0);
        assert_int_equal(results[i].result.counts[TASK_IGNORED], i == 0);
    }
}

static void the_first_host_decides_whether_the_play_or_the_batch_ends(void **state)
{
    (void)state;
#define ENDS(action, who)                                                                                    \
    "- hosts: all\n  gather_facts: no\n  serial: 2\n  tasks:\n    - meta: " action                           \
    "\n      when: index == " who                                                                            \
    "\n    - debug: {msg: after}\n- hosts: all\n  gather_facts: no\n  tasks:\n    - debug: {msg: later}\n"
    static const struct {
        const char *play;
        size_t after;
    } cases[] = {{ENDS("end_play", "0"), 0},  {ENDS("end_play", "1"), 4},  {ENDS("end_play", "2"), 2},
                 {ENDS("end_batch", "0"), 2}, {ENDS("end_batch", "1"), 4}, {ENDS("end_host", "1"), 3}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        put_file(f, "play.yml", cases[i].play);
        apply_to_four();
        assert_int_equal(times("debug: after"), cases[i].after);
        assert_int_equal(times("debug: later"), 4);
    }
}

static void any_errors_fatal_stops_all_after_the_task(void **state)
{
    (void)state;
    put_file(f, "play.yml",
             "- hosts: all\n  gather_facts: no\n  any_errors_fatal: true\n  tasks:\n"
             "    - command: \"{{ (index == 2) | ternary('false', 'true') }}\"\n    - command: echo after\n"
             "- hosts: all\n  gather_facts: no\n  tasks:\n    - command: echo later\n");
    CLEANUP_ERR struct err *e = apply_to(four);
    assert_non_null(e);
    assert_int_equal(times("changed command"), 3);
    assert_int_equal(times("failed command"), 1);
}

static void serial_takes_batches_and_stops_when_one_failed_whole(void **state)
{
    (void)state;
    put_file(f, "play.yml",
             "- hosts: all\n  gather_facts: no\n  serial: [1, \"50%\"]\n  tasks:\n"
             "    - shell: \"echo {{ ansible_play_batch | length }} >>@DIR@/log\"\n");
    apply_to_four();
    assert_string_equal(get_file(f, "log"), "1\n2\n2\n1\n");
    put_file(f, "play.yml",
             "- hosts: all\n  gather_facts: no\n  serial: 2\n  tasks:\n    - command: 'false'\n      when: "
             "index < 2\n"
             "    - command: echo on\n");
    CLEANUP_ERR struct err *e = apply_to(four);
    assert_non_null(e);
    assert_int_equal(times("changed command"), 0);
    assert_int_equal(results[3].end, CREW_NOT_USED);
}

static void max_fail_percentage_stops_when_it_is_passed(void **state)
{
    (void)state;
#define AT_MOST(percentage)                                                                                  \
    "- hosts: all\n  gather_facts: no\n  max_fail_percentage: " percentage                                   \
    "\n  tasks:\n    - command: 'false'\n      when: index == 1\n    - command: echo on\n"
    put_file(f, "play.yml", AT_MOST("20"));
    CLEANUP_ERR struct err *stopped = apply_to(four);
    assert_non_null(stopped);
    assert_int_equal(times("changed command"), 0);
    put_file(f, "play.yml", AT_MOST("30"));
    CLEANUP_ERR struct err *went_on = apply_to(four);
    assert_non_null(went_on);
    assert_int_equal(times("changed command"), 3);
    put_file(f, "play.yml",
             AT_MOST("\"{{ most }}%\"\n  serial: \"{{ batch }}\"\n  vars: {most: 30, batch: 4}"));
    CLEANUP_ERR struct err *named = apply_to(four);
    assert_non_null(named);
    assert_int_equal(times("changed command"), 3);
    put_file(f, "play.yml", AT_MOST("few"));
    CLEANUP_ERR struct err *refused = apply_to(four);
    assert_int_equal(err_kind(refused), ERR_INPUT);
    assert_holds(err_text(refused), "play.yml:1:3: 'max_fail_percentage' is a number");
}

static void few_forks_never_lock_each_other_out(void **state)
{
    (void)state;
    forks = 1;
    hostvars_hold_what_others_have_learned_before_the_same_task(state);
    run_once_is_done_by_the_first_host_for_all(state);
    any_errors_fatal_stops_all_after_the_task(state);
    forks = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_play_takes_the_hosts_that_its_pattern_names, setup, teardown),
        cmocka_unit_test_setup_teardown(every_host_is_given_the_same_arguments, setup, teardown),
        cmocka_unit_test_setup_teardown(a_host_that_fails_or_is_lost_leaves_the_others_alone, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(hostvars_hold_what_others_have_learned_before_the_same_task, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_a_host_learned_hides_its_inventory_from_others_too, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(run_once_is_done_by_the_first_host_for_all, setup, teardown),
        cmocka_unit_test_setup_teardown(run_once_that_fails_stops_all, setup, teardown),
        cmocka_unit_test_setup_teardown(a_host_that_nobody_reached_is_known_from_the_inventory, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(run_once_that_fails_is_rescued_on_all_hosts, setup, teardown),
        cmocka_unit_test_setup_teardown(the_first_host_decides_whether_the_play_or_the_batch_ends, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(any_errors_fatal_stops_all_after_the_task, setup, teardown),
        cmocka_unit_test_setup_teardown(serial_takes_batches_and_stops_when_one_failed_whole, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(max_fail_percentage_stops_when_it_is_passed, setup, teardown),
        cmocka_unit_test_setup_teardown(few_forks_never_lock_each_other_out, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
