// The life of a server: what a create, a power change and a delete do over time.
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

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
    jobs_add(server->cloud->jobs, delay_ms, work, free, copy);
}

static void settle(struct server *server, enum server_status status, struct action *action, const char *error)
{
    server->status = status;
    server->busy = false;
    if (action)
        action_finish(action, error);
    if (error)
        log_line("server %lld '%s': %s", (long long)server->id, server->name, error);
}

static void boot(void *arg)
{
    struct task *task = arg;
    struct server *server = task->server;
    struct cloud *cloud = server->cloud;
    struct why why;
    bool ok = server->never_boots || cloud->backend->power_on(server, &why);

    cloud_lock(cloud);
    settle(server, ok ? SERVER_RUNNING : SERVER_OFF, task->action, ok ? NULL : why.text);
    cloud_unlock(cloud);
    free(task);
}

static void build(void *arg)
{
    struct task *task = arg;
    struct server *server = task->server;
    struct cloud *cloud = server->cloud;
    struct why why;
    bool ok = cloud->backend->create(server, &why);

    cloud_lock(cloud);
    action_finish(task->create, ok ? NULL : why.text);
    if (ok && task->start) {
        server->status = SERVER_STARTING;
        task_later(server, cloud->backend->boot_delay_ms(cloud), boot, *task);
    } else {
        settle(server, SERVER_OFF, task->action, ok ? NULL : why.text);
    }
    cloud_unlock(cloud);
    free(task);
}

static void make_password(char *out, size_t size)
{
    static const char letters[] = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    unsigned char random[64];

    if (getrandom(random, sizeof random, 0) != sizeof random)
        abort();
    for (size_t i = 0; i + 1 < size; i++)
        out[i] = letters[random[i] % (sizeof letters - 1)];
    out[size - 1] = '\0';
}

struct server *server_create(struct cloud *cloud, const struct server_spec *spec, struct action **create,
                             struct action **start)
{
    struct server *server = server_add(cloud, spec);

    if (json_array_size(server->public_keys) == 0)
        make_password(server->root_password, 21);
    server->busy = true;
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
    const struct backend_ops *ops = cloud->backend;
    struct why why;
    bool ok = true, machine = !server->never_boots;

    if (machine && (task->power == POWER_OFF || task->power == POWER_RESET))
        ok = ops->power_off(server, &why);
    if (machine && ok && (task->power == POWER_ON || task->power == POWER_RESET))
        ok = ops->power_on(server, &why);

    cloud_lock(cloud);
    settle(server, !ok || task->power == POWER_OFF ? SERVER_OFF : SERVER_RUNNING, task->action,
           ok ? NULL : why.text);
    cloud_unlock(cloud);
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
    bool ok = server->never_boots || cloud->backend->press_button(server, task->power == POWER_REBOOT, &why);

    cloud_lock(cloud);
    settle(server, server->status, task->action, ok ? NULL : why.text);
    cloud_unlock(cloud);
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
        server->status = power == POWER_OFF ? SERVER_STOPPING : SERVER_STARTING;
        task_later(server, 0, change_power, task);
    }
    return action;
}

static void demolish(void *arg)
{
    struct task *task = arg;
    struct server *server = task->server;
    struct cloud *cloud = server->cloud;

    cloud->backend->destroy(server);
    cloud_lock(cloud);
    action_finish(task->action, NULL);
    array_remove(&cloud->servers, server);
    array_add(&cloud->removed_servers, server);
    server->removed = true;
    cloud_unlock(cloud);
    free(task);
}

struct action *server_delete(struct server *server, const char *command)
{
    struct action *action = action_start(server->cloud, command, "server", server->id);

    server->busy = true;
    server->status = SERVER_DELETING;
    task_later(server, 0, demolish, (struct task){.server = server, .action = action});
    return action;
}

void server_stopped(struct server *server)
{
    cloud_lock(server->cloud);
    if (server->status == SERVER_RUNNING || server->status == SERVER_STOPPING)
        server->status = SERVER_OFF;
    cloud_unlock(server->cloud);
}
