// The life of a server: what a create, a power change and a delete do over time.
#include <stdlib.h>
#include <string.h>

#include "backend.h"

struct task {
    struct server *server;
    struct action *create, *action;
    enum power power;
    bool start;
};

static void task_later(struct server *server, int64_t delay_ms, void (*work)(void *), struct task task)
{
    struct task *copy = zalloc(sizeof *copy);

    *copy = task;
    jobs_add(server->cloud->ground->jobs, delay_ms, work, free, copy);
}

static void demolish(void *arg);

static void set_status(struct server *server, enum server_status status)
{
    if (status == SERVER_RUNNING && server->status != SERVER_RUNNING)
        server->running_ms = now_ms();
    else if (status != SERVER_RUNNING)
        server->running_ms = 0;
    server->status = status;
}

// The end of what happened to a server. One that vanished meanwhile loses its machine now.
static void settle(struct server *server, enum server_status status, struct action *action, const char *error)
{
    set_status(server, status);
    server->busy = false;
    if (server->removed)
        task_later(server, 0, demolish, (struct task){.server = server});
    if (action)
        action_finish(action, error);
    if (error)
        log_line("server %lld '%s': %s", (long long)server->id, server->name, error);
}

void server_unlock(struct server *server)
{
    settle(server, server->status, NULL, NULL);
}

static void boot(void *arg)
{
    struct task *task = arg;
    struct server *server = task->server;
    struct cloud *cloud = server->cloud;
    struct why why;
    bool ok = server->never_boots || cloud->ground->backend->power_on(server, &why);

    ground_lock(cloud->ground);
    settle(server, ok ? SERVER_RUNNING : SERVER_OFF, task->action, ok ? NULL : why.text);
    ground_unlock(cloud->ground);
    free(task);
}

static void build(void *arg)
{
    struct task *task = arg;
    struct server *server = task->server;
    struct cloud *cloud = server->cloud;
    struct why why;
    bool ok = cloud->ground->backend->create(server, &why);

    ground_lock(cloud->ground);
    action_finish(task->create, ok ? NULL : why.text);
    if (ok && task->start && !server->removed) {
        set_status(server, SERVER_STARTING);
        task_later(server, cloud->ground->backend->boot_delay_ms(cloud->ground), boot, *task);
    } else {
        settle(server, SERVER_OFF, task->action, ok ? NULL : why.text);
    }
    ground_unlock(cloud->ground);
    free(task);
}

// Off the books, as if it had never been.
static void strike_out(struct server *server)
{
    struct cloud *cloud = server->cloud;

    ips_release(server);
    volumes_release(server);
    array_remove(&cloud->servers, server);
    array_add(&cloud->removed_servers, server);
    server->removed = true;
}

static void vanish(void *arg)
{
    struct task *task = arg;
    struct server *server = task->server;
    struct ground *ground = server->cloud->ground;

    ground_lock(ground);
    if (!server->removed && server->status != SERVER_DELETING) {
        log_line("server %lld '%s' vanishes", (long long)server->id, server->name);
        strike_out(server);
        if (!server->busy)
            task_later(server, 0, demolish, *task);
    }
    ground_unlock(ground);
    free(task);
}

bool server_addresses_shown(const struct server *server)
{
    return server->address_delay_ms <= 0 ||
           (server->running_ms && now_ms() - server->running_ms >= server->address_delay_ms);
}

struct server *server_create(struct cloud *cloud, const struct server_spec *spec, struct action **create,
                             struct action **start)
{
    struct server *server = server_add(cloud, spec);

    if (json_array_size(server->public_keys) == 0)
        make_password(server->root_password, 21);
    server->busy = true;
    if (server->vanish_after_ms > 0)
        task_later(server, server->vanish_after_ms, vanish, (struct task){.server = server});
    *create = action_start(cloud, "create_server", "server", server->id);
    *start = spec->start ? action_start(cloud, "start_server", "server", server->id) : NULL;
    task_later(server, 0, build,
               (struct task){.server = server, .create = *create, .action = *start, .start = spec->start});
    return server;
}

static void change_power(void *arg)
{
    struct task *task = arg;
    struct server *server = task->server;
    struct cloud *cloud = server->cloud;
    const struct backend_ops *ops = cloud->ground->backend;
    struct why why;
    bool ok = true, machine = !server->never_boots;

    if (machine && (task->power == POWER_OFF || task->power == POWER_RESET))
        ok = ops->power_off(server, &why);
    if (machine && ok && (task->power == POWER_ON || task->power == POWER_RESET))
        ok = ops->power_on(server, &why);

    ground_lock(cloud->ground);
    settle(server, !ok || task->power == POWER_OFF ? SERVER_OFF : SERVER_RUNNING, task->action,
           ok ? NULL : why.text);
    ground_unlock(cloud->ground);
    free(task);
}

// A graceful stop only asks: the action succeeds when the button was pressed, and the status follows when the
// machine obeyed.
static void press_button(void *arg)
{
    struct task *task = arg;
    struct server *server = task->server;
    struct cloud *cloud = server->cloud;
    struct why why;
    bool ok = server->never_boots ||
              cloud->ground->backend->press_button(server, task->power == POWER_REBOOT, &why);

    ground_lock(cloud->ground);
    settle(server, server->status, task->action, ok ? NULL : why.text);
    ground_unlock(cloud->ground);
    free(task);
}

struct action *server_power(struct server *server, enum power power, const char *command)
{
    struct action *action = action_start(server->cloud, command, "server", server->id);
    struct task task = {.server = server, .action = action, .power = power};
    bool on = server->status == SERVER_RUNNING;

    if (power == POWER_ON ? on : !on && power != POWER_RESET) { // nothing to do
        action_finish(action, NULL);
        return action;
    }
    server->busy = true;
    if (power == POWER_SHUTDOWN || power == POWER_REBOOT) {
        task_later(server, 0, press_button, task);
    } else {
        set_status(server, power == POWER_OFF ? SERVER_STOPPING : SERVER_STARTING);
        task_later(server, 0, change_power, task);
    }
    return action;
}

static void demolish(void *arg)
{
    struct task *task = arg;
    struct server *server = task->server;
    struct cloud *cloud = server->cloud;

    cloud->ground->backend->destroy(server);
    ground_lock(cloud->ground);
    if (task->action)
        action_finish(task->action, NULL);
    if (!server->removed)
        strike_out(server);
    ground_unlock(cloud->ground);
    free(task);
}

struct action *server_delete(struct server *server, const char *command)
{
    struct action *action = action_start(server->cloud, command, "server", server->id);

    server->busy = true;
    set_status(server, SERVER_DELETING);
    task_later(server, 0, demolish, (struct task){.server = server, .action = action});
    return action;
}

void server_stopped(struct server *server)
{
    ground_lock(server->cloud->ground);
    if (server->status == SERVER_RUNNING || server->status == SERVER_STOPPING)
        set_status(server, SERVER_OFF);
    ground_unlock(server->cloud->ground);
}
