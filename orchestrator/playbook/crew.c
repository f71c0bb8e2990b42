#include "playbook/crew.h"
#include "base/decode.h"
#include "playbook/crew_team.h"
#include "playbook/link.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* One host through all plays. */
struct crew_run {
    struct run run;
    struct arena *arena;
    struct playbook_options options;
    struct crew_result *result;
    struct ssh *ssh; /* NULL: this machine */
    struct session_link link;
    bool opened;
    bool gone;    /* failed or lost: takes no part any more */
    bool refused; /* there is no thread for it */
    struct crew_state *state;
    pthread_t thread;
    bool started;
    const struct play *play;
};

struct crew_state {
    const struct ctx *ctx;
    const struct playbook *playbook;
    const struct crew *crew;
    const struct playbook_options *options;
    struct arena *arena; /* of the caller: used by its thread only */
    struct crew_memory memory;
    struct crew_run *runs;
    pthread_mutex_t screen; /* events come one at a time */
};

/* --- events --- */

static void on_start(const char *task, void *arg)
{
    struct crew_run *one = arg;
    pthread_mutex_lock(&one->state->screen);
    one->state->options->on_start(task, one->state->options->arg);
    pthread_mutex_unlock(&one->state->screen);
}

static void on_event(const struct task_event *event, void *arg)
{
    struct crew_run *one = arg;
    pthread_mutex_lock(&one->state->screen);
    one->state->options->on_event(event, one->state->options->arg);
    pthread_mutex_unlock(&one->state->screen);
}

/* --- one host --- */

static struct err *reopen(const struct ctx *ctx, void *arg, struct ssh **ssh)
{
    struct crew_run *one = arg;
    ssh_close(one->ssh);
    one->ssh = NULL;
    TRY(one->state->crew->open(ctx, one->state->crew->arg, one->run.host, &one->ssh));
    *ssh = one->ssh;
    return NULL;
}

static void prepare(struct crew_state *state, size_t host, struct crew_result *result)
{
    const struct crew_host *spec = &state->crew->hosts[host];
    struct crew_run *one = &state->runs[host];
    one->state = state;
    one->result = result;
    one->options = *state->options;
    one->options.host_name = spec->name;
    one->options.host_vars = spec->vars;
    one->options.become = state->options->become || spec->become;
    if (spec->become_user)
        one->options.become_user = spec->become_user;
    if (spec->become_password)
        one->options.become_password = spec->become_password;
    one->options.on_start = state->options->on_start ? on_start : NULL;
    one->options.on_event = state->options->on_event ? on_event : NULL;
    one->options.arg = one;
    one->options.reopen = reopen;
    one->options.reopen_arg = one;
}

static struct err *open_host(struct crew_run *one)
{
    struct crew_state *state = one->state;
    one->run.ctx = state->ctx;
    one->run.arena = one->arena;
    one->run.playbook = state->playbook;
    one->run.options = &one->options;
    one->run.result = &one->result->result;
    one->run.crew = state->crew;
    TRY(state->crew->open(state->ctx, state->crew->arg, one->run.host, &one->ssh));
    TRY(run_open_link(state->ctx, state->playbook, &one->options, one->ssh, &one->link));
    one->opened = true;
    return run_open(&one->run, &one->link);
}

/* What became of a host. The texts are in its arena, until sum_up() takes them over. */
static void note_end(struct crew_run *one, struct err *e)
{
    struct crew_result *result = one->result;
    bool lost = e != NULL;
    if (!e && one->run.failed && result->result.failed.task) /* else it shares another host's run_once */
        e = run_failure(&one->run);
    one->gone = e != NULL || one->run.failed;
    result->end = !e ? CREW_DONE : lost && err_kind(e) != ERR_INPUT ? CREW_UNREACHABLE : CREW_FAILED;
    if (e) {
        const char *hint = err_hint(e);
        result->kind = err_kind(e);
        result->message = arena_strdup(one->arena, err_text(e));
        result->hint = hint ? arena_strdup(one->arena, hint) : NULL;
        err_free(e);
    }
}

static void *play_on_host(void *arg)
{
    struct crew_run *one = arg;
    struct crew_memory *memory = &one->state->memory;
    team_start_work(memory);
    if (!one->arena)
        one->arena = arena_new(0);
    struct err *e = one->refused  ? err_new(ERR_IO, "the system gives no thread for this host")
                    : one->opened ? NULL
                                  : open_host(one);
    if (!e)
        e = run_play(&one->run, one->play);
    if (e && one->opened)
        e = doubt_explain(&one->run, e);
    note_end(one, e);
    team_leave(&one->run, one->gone);
    team_stop_work(memory);
    return NULL;
}

static void *close_host(void *arg)
{
    struct crew_run *one = arg;
    bool well = one->opened && one->result->end != CREW_UNREACHABLE;
    if (well) {
        CLEANUP_ERR struct err *e = session_end(&one->run.session);
        well = e == NULL;
    }
    if (one->opened)
        run_free(&one->run);
    link_close(&one->link, well);
    ssh_close(one->ssh);
    if (one->arena)
        arena_free(one->arena);
    return NULL;
}

/* Hosts may wait for each other, so one that got no thread cannot take its turn later: it gives up at once.
 */
static void on_each(struct crew_run *const *runs, size_t count, void *(*work)(void *))
{
    for (size_t i = 0; i < count; i++) {
        runs[i]->started = pthread_create(&runs[i]->thread, NULL, work, runs[i]) == 0;
        if (!runs[i]->started) {
            runs[i]->refused = true;
            work(runs[i]);
        }
    }
    for (size_t i = 0; i < count; i++)
        if (runs[i]->started)
            pthread_join(runs[i]->thread, NULL);
}

/* --- plays and batches --- */

/* A keyword that shapes the play itself: it may name what is known before any host is (new reference). */
static struct err *play_value(const struct crew_state *state, const struct play *play, enum keyword keyword,
                              struct arena *arena, json_t **value)
{
    const json_t *written = play->root->keywords[keyword];
    const struct expr_scope vars = {.vars = play->vars};
    const struct expr_scope scope = {.vars = state->options->extra_vars,
                                     .outer = keyword == KW_HOSTS ? NULL : &vars}; /* as Ansible */
    const struct expr_env env = {.scope = &scope};
    const struct expr_place place = entry_place(play->root, keyword);
    *value = NULL;
    return written ? template_render_json(arena, &env, &place, written, value) : NULL;
}

static struct err *most_failures(const struct play *play, const json_t *value, double *percentage)
{
    const char *text = json_string_value(value);
    char *end = NULL;
    *percentage = !value ? 100 : text ? strtod(text, &end) : json_number_value(value);
    if (value && !json_is_number(value) && (!text || end == text || (*end && strcmp(end, "%") != 0)))
        return entry_error(play->root, "'max_fail_percentage' is a number");
    return NULL;
}

static struct err *number_of_batch(const struct play *play, const json_t *value, size_t hosts, size_t *size)
{
    const char *text = json_string_value(value);
    char *end = NULL;
    double number = json_is_number(value) ? json_number_value(value) : text ? strtod(text, &end) : -1;
    if (text && strcmp(end, "%") == 0)
        number = number / 100 * (double)hosts;
    else if (text && *end)
        number = -1;
    if (number < 0 || number > 1e6)
        return entry_error(play->root, "'serial' is a number, a percentage, or a list of them");
    *size = number < 1 ? 1 : (size_t)number;
    if (json_is_number(value) && number < 1)
        *size = hosts; /* 0: all at once */
    return NULL;
}

/* The sizes of the batches; the last one of a list is used again and again. */
static struct err *batch_size(const struct play *play, const json_t *serial, size_t batch, size_t hosts,
                              size_t *size)
{
    *size = hosts;
    if (!serial)
        return NULL;
    size_t count = json_is_array(serial) ? json_array_size(serial) : 1;
    if (!count)
        return NULL;
    const json_t *value =
        json_is_array(serial) ? json_array_get(serial, batch < count ? batch : count - 1) : serial;
    return number_of_batch(play, value, hosts, size);
}

static struct err *play_batch(struct crew_state *state, const struct play *play, const size_t *hosts,
                              size_t count, json_t *names, bool *stopped, bool *ended)
{
    struct team team;
    double most;
    CLEANUP_ARENA struct arena *scratch = arena_new(0);
    CLEANUP_JSON json_t *written = NULL;
    TRY(play_value(state, play, KW_MAX_FAIL_PERCENTAGE, scratch, &written));
    TRY(most_failures(play, written, &most));
    struct err *e = team_init(&team, &state->memory, hosts, count, scratch);
    struct crew_run **runs = arena_array(scratch, count + 1, sizeof(*runs));
    team.max_fail_percentage = most;
    team.play_hosts = names;
    for (size_t i = 0; i < count; i++) {
        runs[i] = &state->runs[hosts[i]];
        runs[i]->run.member = &team.members[i];
        runs[i]->play = play;
    }
    if (!e)
        on_each(runs, count, play_on_host);
    *stopped = team.last_place < INT_MAX || team.failed == count;
    *ended = *stopped || team.play_ended;
    for (size_t i = 0; i < count; i++)
        runs[i]->run.member = NULL;
    team_free(&team);
    return e ? e : ctx_check(state->ctx);
}

/* The hosts that the play is for and that are still with us. */
static struct err *hosts_of(struct crew_state *state, const struct play *play, struct arena *arena,
                            size_t **hosts, size_t *count)
{
    CLEANUP_JSON json_t *pattern = NULL;
    size_t all;
    TRY(play_value(state, play, KW_HOSTS, arena, &pattern));
    TRY(state->crew->match(state->crew->arg, arena, pattern, hosts, &all));
    *count = 0;
    for (size_t i = 0; i < all; i++)
        if (!state->runs[(*hosts)[i]].gone)
            (*hosts)[(*count)++] = (*hosts)[i];
    return NULL;
}

/* *stopped: the plays to come are not begun either. */
static struct err *play_all(struct crew_state *state, const struct play *play, bool *stopped)
{
    CLEANUP_ARENA struct arena *scratch = arena_new(0);
    size_t *hosts, count;
    TRY(hosts_of(state, play, scratch, &hosts, &count));
    CLEANUP_JSON json_t *names = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(names, json_string(state->crew->hosts[hosts[i]].name));
    CLEANUP_JSON json_t *serial = NULL;
    TRY(play_value(state, play, KW_SERIAL, scratch, &serial));
    size_t batch = 0, size;
    bool ended = false;
    for (size_t at = 0; at < count && !ended; at += size, batch++) {
        TRY(batch_size(play, serial, batch, count, &size));
        if (size > count - at)
            size = count - at;
        TRY(play_batch(state, play, hosts + at, size, names, stopped, &ended));
    }
    return NULL;
}

static struct err *play_playbook(struct crew_state *state)
{
    bool stopped = false;
    for (size_t i = 0; i < state->playbook->play_count && !stopped; i++)
        TRY(play_all(state, state->playbook->plays[i], &stopped));
    return NULL;
}

/* --- all of it --- */

static bool names_hostvars(const json_t *value)
{
    size_t i;
    const char *key, *text = json_string_value(value);
    json_t *child;
    if (text)
        return strstr(text, "hostvars");
    json_array_foreach(value, i, child) if (names_hostvars(child)) return true;
    json_object_foreach((json_t *)(uintptr_t)value, key, child) if (names_hostvars(child)) return true;
    return false;
}

/* What is known of a host before anybody has been there. */
static json_t *first_told(const struct crew_host *host)
{
    json_t *told = host->vars ? json_copy((json_t *)(uintptr_t)host->vars) : json_object();
    json_object_set_new(told, "inventory_hostname", json_string(host->name));
    json_object_set_new(told, "inventory_hostname_short", json_stringn(host->name, strcspn(host->name, ".")));
    if (host->group_names)
        json_object_set(told, "group_names", (json_t *)(uintptr_t)host->group_names);
    CLEANUP_JSON json_t *own = json_copy(told);
    const struct expr_scope scope = {.vars = own};
    team_render_vars(told, host->vars, &scope);
    return told;
}

static void set_up(struct crew_state *state, struct crew_result *results)
{
    size_t count = state->crew->host_count;
    bool asks = state->playbook->names_hostvars;
    state->runs = arena_array(state->arena, count + 1, sizeof(*state->runs));
    state->memory.told = arena_array(state->arena, count + 1, sizeof(json_t *));
    pthread_mutex_init(&state->memory.lock, NULL);
    pthread_cond_init(&state->memory.room, NULL);
    pthread_mutex_init(&state->screen, NULL);
    for (size_t i = 0; i < count; i++)
        asks = asks || names_hostvars(state->crew->hosts[i].vars);
    for (size_t i = 0; i < count; i++) {
        results[i] = (struct crew_result){0};
        prepare(state, i, &results[i]);
        state->runs[i].run.host = i;
        state->runs[i].run.names_hostvars = asks;
        state->memory.told[i] = first_told(&state->crew->hosts[i]);
    }
}

static void tear_down(struct crew_state *state)
{
    CLEANUP_ARENA struct arena *scratch = arena_new(0);
    struct crew_run **used = arena_array(scratch, state->crew->host_count + 1, sizeof(*used));
    size_t count = 0;
    for (size_t i = 0; i < state->crew->host_count; i++)
        if (state->runs[i].arena)
            used[count++] = &state->runs[i];
    on_each(used, count, close_host);
    for (size_t i = 0; i < state->crew->host_count; i++)
        json_decref(state->memory.told[i]);
    pthread_mutex_destroy(&state->screen);
    pthread_cond_destroy(&state->memory.room);
    pthread_mutex_destroy(&state->memory.lock);
}

static void keep(struct arena *arena, const char **text)
{
    *text = *text ? arena_strdup(arena, *text) : NULL;
}

static void keep_event(struct arena *arena, struct task_event *event)
{
    const char **const texts[] = {&event->task,    &event->role, &event->item,
                                  &event->message, &event->diff, &event->file};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        keep(arena, texts[i]);
    event->host = NULL;
}

static struct err *sum_up(struct crew_state *state, struct crew_result *results)
{
    size_t failed = 0, lost = 0, used = 0;
    const char *first = NULL;
    enum err_kind kind = ERR_REMOTE;
    for (size_t i = 0; i < state->crew->host_count; i++) {
        struct crew_result *result = &results[i];
        keep(state->arena, &result->message);
        keep(state->arena, &result->hint);
        keep_event(state->arena, &result->result.failed);
        keep_event(state->arena, &result->result.doubted);
        used += result->end != CREW_NOT_USED;
        failed += result->end == CREW_FAILED;
        if (result->end == CREW_UNREACHABLE && lost++ == 0)
            kind = result->kind;
        if (!first && (result->end == CREW_FAILED || result->end == CREW_UNREACHABLE))
            first = state->crew->hosts[i].name;
    }
    if (!failed && !lost)
        return NULL;
    if (used == 1) {
        const struct crew_result *only = results;
        while (only->end == CREW_NOT_USED)
            only++;
        struct err *e = err_new(lost ? kind : ERR_REMOTE, "%s: %s", first, only->message);
        return only->hint ? err_with_hint(e, "%s", only->hint) : e;
    }
    return err_new(failed ? ERR_REMOTE : kind,
                   "%zu of %zu hosts failed, %zu could not be reached or were lost (first: %s)", failed, used,
                   lost, first);
}

struct err *crew_apply(const struct ctx *ctx, const struct playbook *playbook, const struct crew *crew,
                       struct arena *arena, const struct playbook_options *options,
                       struct crew_result *results)
{
    struct crew_state state = {
        .ctx = ctx, .playbook = playbook, .crew = crew, .options = options, .arena = arena};
    state.memory.crew = crew;
    set_up(&state, results);
    struct err *e = play_playbook(&state);
    struct err *ends = sum_up(&state, results);
    tear_down(&state);
    if (!e)
        return ends;
    err_free(ends);
    return e;
}
