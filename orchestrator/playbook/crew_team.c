#include "playbook/crew_team.h"
#include "base/decode.h"
#include <limits.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Lives in the arena of the run that came first. */
struct once {
    struct once *next;
    const char *key;
    size_t owner; /* index into the members */
    bool done;
    struct once_result result;
};

struct err *team_init(struct team *team, struct crew_memory *memory, const size_t *hosts, size_t count,
                      struct arena *arena)
{
    *team =
        (struct team){.memory = memory, .count = count, .max_fail_percentage = 100, .last_place = INT_MAX};
    team->members = arena_array(arena, count + 1, sizeof(struct member));
    for (size_t i = 0; i < count; i++)
        team->members[i] = (struct member){.team = team, .host = hosts[i], .here = true, .wake_fd = -1};
    for (size_t i = 0; i < count; i++) {
        struct member *member = &team->members[i];
        member->visits = json_object();
        member->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (member->wake_fd < 0)
            return err_new(ERR_IO, "no more file descriptors for %zu hosts; raise the limit (ulimit -n)",
                           count);
    }
    return NULL;
}

void team_free(struct team *team)
{
    for (size_t i = 0; i < team->count; i++) {
        json_decref(team->members[i].visits);
        if (team->members[i].wake_fd >= 0)
            close(team->members[i].wake_fd);
    }
    for (struct once *once = team->onces; once; once = once->next) {
        json_decref(once->result.registered);
        json_decref(once->result.facts);
    }
}

/* --- waiting; the lock is held --- */

static void wake_others(struct team *team)
{
    static const uint64_t one = 1;
    for (size_t i = 0; i < team->count; i++)
        if (team->members[i].waiting && write(team->members[i].wake_fd, &one, sizeof(one)) < 0)
            continue; /* full: it is awake already */
}

void team_start_work(struct crew_memory *memory)
{
    pthread_mutex_lock(&memory->lock);
    while (memory->crew->forks && memory->at_work >= memory->crew->forks)
        pthread_cond_wait(&memory->room, &memory->lock);
    memory->at_work++;
    pthread_mutex_unlock(&memory->lock);
}

void team_stop_work(struct crew_memory *memory)
{
    pthread_mutex_lock(&memory->lock);
    memory->at_work--;
    pthread_cond_signal(&memory->room);
    pthread_mutex_unlock(&memory->lock);
}

/* Until somebody wakes the team; the lock is given back meanwhile, and the fork to somebody who can work. */
static struct err *wait_unlocked(struct run *run)
{
    struct member *member = run->member;
    struct crew_memory *memory = member->team->memory;
    struct pollfd fd = {.fd = member->wake_fd, .events = POLLIN};
    uint64_t count;
    member->waiting = true;
    pthread_mutex_unlock(&memory->lock);
    team_stop_work(memory);
    struct err *e = ctx_wait(run->ctx, &fd, 1, -1, NULL);
    if (read(member->wake_fd, &count, sizeof(count)) < 0)
        count = 0; /* cancelled: nothing was written */
    team_start_work(memory);
    pthread_mutex_lock(&memory->lock);
    member->waiting = false;
    return e;
}

/* --- what others see --- */

void team_render_vars(json_t *all, const json_t *vars, const struct expr_scope *scope)
{
    const char *key;
    json_t *value;
    struct expr_env env = {.scope = scope};
    struct expr_place place = {.file = "hostvars"};
    json_object_foreach((json_t *)(uintptr_t)vars, key, value)
    {
        CLEANUP_ARENA struct arena *scratch = arena_new(0);
        json_t *rendered = NULL;
        if (!template_is_template_json(value))
            continue;
        CLEANUP_ERR struct err *e = template_render_json(scratch, &env, &place, value, &rendered);
        if (!e)
            json_object_set_new(all, key, rendered);
        else /* nobody takes the template itself for the value: it is undefined */
            json_object_del(all, key);
    }
}

/* Everything that this host knows now, as one object that is never changed. */
static json_t *snapshot(struct run *run)
{
    CLEANUP_ARENA struct arena *scratch = arena_new(0);
    json_t *all = json_object();
    const json_t *vars = run->options->host_vars, *const layers[] = {run->facts, run->included,
                                                                     run->registered};
    if (vars)
        json_object_update(all, (json_t *)(uintptr_t)vars);
    if (run->names_hostvars)
        team_render_vars(all, vars, run_scope(run, scratch, run->play->root));
    for (size_t i = 0; i < sizeof(layers) / sizeof(layers[0]); i++)
        json_object_update(all, (json_t *)(uintptr_t)layers[i]);
    json_t *facts = json_object_get(all, "ansible_facts");
    if (facts)
        json_object_set_new(all, "ansible_facts", json_copy(facts));
    static const char *const names[] = {"inventory_hostname", "inventory_hostname_short", "group_names"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        json_object_set(all, names[i], json_object_get(run->magic, names[i]));
    if (!json_object_get(all, "ansible_host"))
        json_object_set(all, "ansible_host", json_object_get(run->magic, "ansible_host"));
    return all;
}

/* Everything before this place is settled; the others may know it. */
static struct err *tell(struct run *run)
{
    struct member *member = run->member;
    struct crew_memory *memory = member->team->memory;
    TRY(run_settle_all(run));
    if (run->failed) /* it will be rescued, or leave: the others wait to see which */
        return NULL;
    json_t *now = snapshot(run);
    pthread_mutex_lock(&memory->lock);
    json_t *before = memory->told[member->host];
    memory->told[member->host] = now;
    member->told = member->place;
    wake_others(member->team);
    pthread_mutex_unlock(&memory->lock);
    json_decref(before);
    return NULL;
}

static bool all_came(const struct team *team, int place)
{
    for (size_t i = 0; i < team->count; i++)
        if (team->members[i].here && team->members[i].told < place)
            return false;
    return true;
}

static void see_others(struct run *run)
{
    struct crew_memory *memory = run->member->team->memory;
    json_t *hostvars = json_object();
    for (size_t i = 0; i < memory->crew->host_count; i++)
        json_object_set(hostvars, memory->crew->hosts[i].name, memory->told[i]);
    json_object_set_new(run->magic, "hostvars", hostvars);
}

struct err *team_meet(struct run *run)
{
    struct member *member = run->member;
    struct team *team = member->team;
    struct err *e = NULL;
    TRY(tell(run));
    if (run->failed)
        return NULL;
    pthread_mutex_lock(&team->memory->lock);
    team->asking++;
    wake_others(team);
    while (!e && member->place <= team->last_place && !all_came(team, member->place))
        e = wait_unlocked(run);
    team->asking--;
    see_others(run);
    pthread_mutex_unlock(&team->memory->lock);
    return e;
}

/* --- the walk --- */

static bool fatal(const struct entry *entry)
{
    const json_t *value = entry_inherited(entry, KW_ANY_ERRORS_FATAL, NULL);
    return entry->kind == ENTRY_TASK && value && expr_value_is_true(value);
}

struct err *team_pass(struct run *run, const struct entry *entry)
{
    struct member *member = run->member;
    struct team *team = member->team;
    pthread_mutex_lock(&team->memory->lock);
    if (entry->number > member->place)
        member->place = entry->number;
    bool asked = team->asking > 0;
    if (asked)
        wake_others(team);
    pthread_mutex_unlock(&team->memory->lock);
    bool together = entry->kind == ENTRY_TASK && team->max_fail_percentage < 100;
    if (together || fatal(entry) || member->fatal)
        TRY(team_meet(run));
    else if (asked)
        TRY(tell(run));
    member->fatal = run->failed ? member->fatal : fatal(entry);
    pthread_mutex_lock(&team->memory->lock);
    run->ended = run->ended || (member->place > team->last_place && !run->failed);
    pthread_mutex_unlock(&team->memory->lock);
    return NULL;
}

void team_leave(struct run *run, bool failed)
{
    struct member *member = run->member;
    struct team *team = member->team;
    json_t *now = run->play ? snapshot(run) : NULL; /* one that was never reached has nothing to add */
    pthread_mutex_lock(&team->memory->lock);
    json_t *before = now ? team->memory->told[member->host] : NULL;
    if (now)
        team->memory->told[member->host] = now;
    member->here = false;
    team->failed += failed;
    bool too_many = (double)team->failed * 100 > team->max_fail_percentage * (double)team->count;
    if (failed && (member->fatal || too_many) && member->told < team->last_place)
        team->last_place = member->told;
    wake_others(team);
    pthread_mutex_unlock(&team->memory->lock);
    json_decref(before);
}

/* --- run_once --- */

static const char *once_key(struct run *run, const struct entry *entry)
{
    struct member *member = run->member;
    const char *at = arena_printf(run->arena, "%s:%d:%d", entry->file, entry->line, entry->column);
    json_int_t visit = json_integer_value(json_object_get(member->visits, at)) + 1;
    json_object_set_new(member->visits, at, json_integer(visit));
    return arena_printf(run->arena, "%s#%lld", at, (long long)visit);
}

static struct once *find_once(const struct team *team, const char *key)
{
    struct once *once = team->onces;
    while (once && strcmp(once->key, key) != 0)
        once = once->next;
    return once;
}

/* A failure is everybody's, as in Ansible: each host goes to its own rescue, or leaves. */
static void take_over(struct run *run, const struct once_result *result)
{
    if (result->registered)
        json_object_set(run->registered, result->name, result->registered);
    if (result->facts)
        json_object_update(run->registered, result->facts);
    run->failed = result->failed;
    run->ended = result->ended;
    run->member->fatal = run->member->fatal || result->failed;
}

/* The first member that is not past this place: it is the one that Ansible would take. */
static size_t first_here(const struct team *team, int place)
{
    for (size_t i = 0; i < team->count; i++)
        if (team->members[i].here && team->members[i].place <= place)
            return i;
    return team->count;
}

/* The lock is held. */
static struct err *settle_owner(struct run *run, const char *key, bool *mine)
{
    struct member *member = run->member;
    struct team *team = member->team;
    size_t self = (size_t)(member - team->members);
    while (member->place <= team->last_place) {
        struct once *once = find_once(team, key);
        if (once && once->done) {
            take_over(run, &once->result);
            return NULL;
        }
        size_t owner = first_here(team, member->place);
        if (once && team->members[once->owner].here)
            owner = once->owner;
        if (owner == self) {
            if (!once) {
                once = ARENA_NEW(run->arena, struct once);
                *once = (struct once){.next = team->onces, .key = key};
                team->onces = once;
            }
            once->owner = self;
            *mine = true;
            return NULL;
        }
        TRY(wait_unlocked(run));
    }
    return NULL;
}

struct err *team_once(struct run *run, const struct entry *entry, bool *mine, const char **key)
{
    struct team *team = run->member->team;
    *mine = false;
    *key = once_key(run, entry);
    TRY(tell(run));
    if (run->failed)
        return NULL;
    pthread_mutex_lock(&team->memory->lock);
    team->asking++;
    wake_others(team);
    struct err *e = settle_owner(run, *key, mine);
    team->asking--;
    pthread_mutex_unlock(&team->memory->lock);
    return e;
}

void team_once_done(struct run *run, const char *key, const struct once_result *result)
{
    struct team *team = run->member->team;
    const char *name = result->name;
    pthread_mutex_lock(&team->memory->lock);
    struct once *once = find_once(team, key);
    if (once && !once->done) {
        once->done = true;
        once->result = *result;
        once->result.name = name ? arena_strdup(run->arena, name) : NULL;
        once->result.registered = name ? json_incref(result->registered) : NULL;
        json_incref(result->facts);
        run->member->fatal = run->member->fatal || result->failed;
    }
    wake_others(team);
    pthread_mutex_unlock(&team->memory->lock);
}

void team_end_play(struct run *run)
{
    struct team *team = run->member->team;
    pthread_mutex_lock(&team->memory->lock);
    team->play_ended = true;
    pthread_mutex_unlock(&team->memory->lock);
}
