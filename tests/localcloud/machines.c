// The backend with machines: each server is a Debian host with systemd, booted by systemd-nspawn on its own
// disk and with its own address on the bridge. Works without systemd outside.
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backend.h"
#include "cgroups.h"
#include "host_network.h"
#include "machine_disk.h"

struct machine {
    pthread_mutex_t lock;
    pthread_t watcher;
    bool has_watcher;
    char *dir, *group;
    bool on;          // from power_on until the watcher is done; a reboot does not change it
    bool stop;        // no further boot, please
    pid_t supervisor; // systemd-nspawn; 0 = none that may be signalled
};

static char *group_pattern(const struct ground *ground, const char *id)
{
    return text_format("localcloud.%s.%s", ground->network.bridge, id);
}

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

// Leftovers of a killed run with the same state directory and bridge: recorded by us, so known to be ours.
static void clean_leftovers(struct ground *ground)
{
    char *pattern = text_format("%s/machines/*/pid", ground->settings.state_dir);
    char *groups = group_pattern(ground, "*"),
         *machines = text_format("%s/machines", ground->settings.state_dir),
         *snapshots = text_format("%s/snapshots", ground->settings.state_dir);
    struct why why;
    glob_t found;

    if (glob(pattern, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++)
            process_kill_recorded(found.gl_pathv[i], "systemd-nspawn");
        globfree(&found);
    }
    cgroups_kill(groups);
    if (!dir_remove(machines, &why) || !dir_remove(snapshots, &why))
        log_line("%s", why.text);
    free(pattern), free(groups), free(machines), free(snapshots);
}

// Mounts of our own, so that none survives us, however we end.
static bool own_mounts(struct why *why)
{
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        return fail(why, "cannot get a mount namespace (root is needed): %s", strerror(errno));
    return true;
}

// image.sh removes old images, but not one that is locked. The lock lasts as long as this process.
static bool hold_image(const char *image_dir, struct why *why)
{
    char *path = text_format("%s/.complete", image_dir ? image_dir : "");
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool ok = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) == 0;

    free(path);
    return ok || fail(why, "'%s' is not a machine image; make one with image.sh and name it with --image",
                      image_dir ? image_dir : "");
}

// Each booted host takes about a dozen inotify instances, and root's 128 are shared by all of them: from the
// tenth on, systemd inside would hang half-way. Stays raised, for other clouds may need it by the time that
// this one ends.
static void raise_limits(void)
{
    static const char path[] = "/proc/sys/fs/inotify/max_user_instances";
    char *limit = file_read(path, 31);
    struct why why;

    if (limit && atoi(limit) < 4096 && !file_write(path, 0644, "4096\n", &why))
        log_line("%s", why.text);
    free(limit);
}

static bool machines_start(struct ground *ground, struct why *why)
{
    if (!hold_image(ground->settings.image_dir, why) || !own_mounts(why) ||
        !host_network_start(&ground->network, why))
        return false;
    raise_limits();
    clean_leftovers(ground);
    return true;
}

static int machines_boot_delay_ms(const struct ground *ground)
{
    (void)ground;
    return 0;
}

static char *machine_dir(const struct server *server)
{
    return text_format("%s/machines/%lld", server->cloud->ground->settings.state_dir, (long long)server->id);
}

static char *snapshot_path(const struct ground *ground, int64_t id)
{
    return text_format("%s/snapshots/%lld.tar", ground->settings.state_dir, (long long)id);
}

// A server may be on its way out meanwhile: nothing of its machine is touched.
static bool machines_snapshot(struct server *server, int64_t snapshot_id, struct why *why)
{
    const struct ground *ground = server->cloud->ground;
    char *dir = machine_dir(server), *snapshots = text_format("%s/snapshots", ground->settings.state_dir);
    char *path = snapshot_path(ground, snapshot_id);
    bool ok = dir_make(snapshots, why) && machine_disk_save(dir, path, why);

    free(dir), free(snapshots), free(path);
    return ok;
}

static void machines_forget_snapshot(struct ground *ground, int64_t snapshot_id)
{
    char *path = snapshot_path(ground, snapshot_id);

    unlink(path);
    free(path);
}

static bool machines_create(struct server *server, struct why *why)
{
    struct machine *machine = zalloc(sizeof *machine);
    char *id = text_format("%lld", (long long)server->id);

    pthread_mutex_init(&machine->lock, NULL);
    machine->dir = machine_dir(server);
    machine->group = group_pattern(server->cloud->ground, id);
    server->machine = machine;
    free(id);
    char *archive = server->snapshot_id ? snapshot_path(server->cloud->ground, server->snapshot_id) : NULL;
    bool ok = dir_make(machine->dir, why) && machine_disk_make(server, machine->dir, archive, why);
    free(archive);
    return ok;
}

// In the child after fork: only async-signal-safe calls.
static void become_supervisor(const char *const argv[], const struct cgroups *groups, int console)
{
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setsid();
    prctl(PR_SET_PDEATHSIG, SIGKILL); // of the watcher thread, which lives as long as the machine
    cgroups_join(groups);
    int null = open("/dev/null", O_RDWR);
    dup2(null, 0), dup2(console, 1), dup2(console, 2);
    close_range(3, UINT_MAX, CLOSE_RANGE_CLOEXEC);
    execvp(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
}

static pid_t fork_supervisor(const struct server *server, struct machine *machine)
{
    // The name becomes an interface's (vb-NAME, 15 characters at most) and must differ from other clouds'
    // machines.
    char *name = text_format("lc%08x", server->address), *log = text_format("%s/console.log", machine->dir);
    char *hostname = text_format("--hostname=%s", server->name), *root = text_format("%s/root", machine->dir);
    char *bridge = text_format("--network-bridge=%s", server->cloud->ground->network.bridge);
    const char *const argv[] = {"systemd-nspawn",
                                "--quiet",
                                "--directory",
                                root,
                                "--boot",
                                "--register=no",
                                "--keep-unit",
                                bridge,
                                "--machine",
                                name,
                                hostname,
                                "--resolv-conf=off",
                                "--timezone=off",
                                "--link-journal=no",
                                "--settings=no",
                                "--console=pipe",
                                NULL};
    struct cgroups groups;
    int console = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

    cgroups_make(&groups, machine->group);
    pid_t pid = fork();
    if (pid == 0)
        become_supervisor(argv, &groups, console);
    close(console);
    free(name), free(log), free(hostname), free(root), free(bridge);
    return pid;
}

static void record_supervisor(const struct machine *machine, pid_t pid)
{
    char *path = text_format("%s/pid", machine->dir),
         *text = text_format("%d %lu\n", pid, process_start_time(pid));
    struct why why;

    if (!file_write(path, 0644, text, &why))
        log_line("%s", why.text);
    free(path), free(text);
}

static pid_t start_supervisor(const struct server *server, struct machine *machine)
{
    pthread_mutex_lock(&machine->lock);
    pid_t pid = machine->stop ? 0 : fork_supervisor(server, machine);
    machine->supervisor = pid > 0 ? pid : 0;
    pthread_mutex_unlock(&machine->lock);
    if (pid > 0)
        record_supervisor(machine, pid);
    return pid;
}

// Waits for the end without reaping first, so that nobody signals a pid that belongs to someone else by then.
static int reap_supervisor(struct machine *machine, pid_t pid)
{
    siginfo_t info;
    int status = 0;

    while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) < 0 && errno == EINTR)
        ;
    pthread_mutex_lock(&machine->lock);
    machine->supervisor = 0;
    pthread_mutex_unlock(&machine->lock);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

// One boot, until the machine is off. True if it asked for a reboot, which nspawn with --keep-unit leaves to
// its caller.
static bool run_once(const struct server *server, struct machine *machine)
{
    enum { EXIT_REBOOT = 133 };
    pid_t pid = start_supervisor(server, machine);

    if (pid <= 0)
        return false;
    int status = reap_supervisor(machine, pid);
    cgroups_kill(machine->group);
    return status == EXIT_REBOOT;
}

static void *watch(void *arg)
{
    struct server *server = arg;
    struct machine *machine = server->machine;

    while (run_once(server, machine))
        ;
    pthread_mutex_lock(&machine->lock);
    machine->on = false;
    pthread_mutex_unlock(&machine->lock);
    server_stopped(server);
    return NULL;
}

// The host's init is the supervisor's child that lives in another pid namespace. 0 = not there (yet).
static pid_t find_init(pid_t supervisor)
{
    char path[64], ours[64] = "", theirs[64];
    pid_t found = 0;

    snprintf(path, sizeof path, "/proc/%d/task/%d/children", supervisor, supervisor);
    char *children = file_read(path, 1023), *save = NULL;
    if (readlink("/proc/self/ns/pid", ours, sizeof ours - 1) < 0)
        ours[0] = '\0';
    for (char *pid = children ? strtok_r(children, " \n", &save) : NULL; pid && !found;
         pid = strtok_r(NULL, " \n", &save)) {
        snprintf(path, sizeof path, "/proc/%d/ns/pid", atoi(pid));
        ssize_t n = readlink(path, theirs, sizeof theirs - 1);
        theirs[n > 0 ? n : 0] = '\0';
        if (n > 0 && !text_equal(ours, theirs))
            found = atoi(pid);
    }
    free(children);
    return found;
}

static bool is_off(struct machine *machine)
{
    pthread_mutex_lock(&machine->lock);
    bool off = !machine->on;
    pthread_mutex_unlock(&machine->lock);
    return off;
}

static void join_watcher(struct machine *machine)
{
    if (machine->has_watcher)
        pthread_join(machine->watcher, NULL);
    machine->has_watcher = false;
}

static bool fail_to_start(const struct machine *machine, struct why *why)
{
    char *path = text_format("%s/console.log", machine->dir), *text = file_read(path, 65536);
    size_t size = text ? strlen(text) : 0;

    while (size > 0 && text[size - 1] == '\n')
        text[--size] = '\0';
    const char *last = text ? strrchr(text, '\n') : NULL;
    fail(why, "the machine did not start: %s", last ? last + 1 : text ? text : "no console");
    free(path), free(text);
    return false;
}

// 0 while there is none.
static pid_t lock_and_find_init(struct machine *machine)
{
    pthread_mutex_lock(&machine->lock);
    return machine->supervisor ? find_init(machine->supervisor) : 0;
}

static bool has_booted(struct machine *machine)
{
    bool booted = lock_and_find_init(machine) != 0;

    pthread_mutex_unlock(&machine->lock);
    return booted;
}

static bool machines_power_on(struct server *server, struct why *why)
{
    struct machine *machine = server->machine;

    if (!is_off(machine))
        return true;
    join_watcher(machine);
    if (!machine_disk_readdress(server, machine->dir, why))
        return false;
    machine->on = true; // no other thread looks at it now
    machine->stop = false;
    if (pthread_create(&machine->watcher, NULL, watch, server) != 0) {
        machine->on = false;
        return fail(why, "cannot start a thread");
    }
    machine->has_watcher = true;
    for (int i = 0; i < 1000 && !is_off(machine); i++, pause_ms(10)) // 10 s
        if (has_booted(machine))
            return true;
    return fail_to_start(machine, why);
}

static bool wait_off(struct machine *machine, int tries)
{
    while (tries-- > 0 && !is_off(machine))
        pause_ms(10);
    return is_off(machine);
}

static bool machines_power_off(struct server *server, struct why *why)
{
    struct machine *machine = server->machine;

    if (!machine || is_off(machine))
        return true;
    pid_t init = lock_and_find_init(machine);
    machine->stop = true;
    if (init)
        kill(init, SIGKILL);
    else if (machine->supervisor)
        kill(machine->supervisor, SIGKILL);
    pthread_mutex_unlock(&machine->lock);
    if (wait_off(machine, 500))
        return true;
    pthread_mutex_lock(&machine->lock);
    if (machine->supervisor)
        kill(machine->supervisor, SIGKILL);
    pthread_mutex_unlock(&machine->lock);
    return wait_off(machine, 500) || fail(why, "the machine does not stop");
}

static bool machines_press_button(struct server *server, bool reboot, struct why *why)
{
    struct machine *machine = server->machine;
    pid_t init = lock_and_find_init(machine);
    bool ok = init && kill(init, SIGRTMIN + (reboot ? 5 : 4)) ==
                          0; // systemd(1), "Signals": reboot and poweroff targets

    pthread_mutex_unlock(&machine->lock);
    return ok || fail(why, "the machine is not running");
}

static void machines_destroy(struct server *server)
{
    struct machine *machine = server->machine;
    struct why why;

    if (!machine)
        return;
    if (!machines_power_off(server, &why))
        log_line("server %lld: %s", (long long)server->id, why.text);
    join_watcher(machine);
    machine_disk_remove(machine->dir);
    server->machine = NULL;
    pthread_mutex_destroy(&machine->lock);
    free(machine->dir), free(machine->group), free(machine);
}

static void *destroy_thread(void *server)
{
    machines_destroy(server);
    return NULL;
}

static void machines_stop(struct ground *ground)
{
    struct array all = {0};

    for (size_t c = 0; c < ground->clouds.count; c++) {
        const struct cloud *cloud = ground->clouds.items[c];
        for (size_t i = 0; i < cloud->servers.count; i++)
            array_add(&all, cloud->servers.items[i]);
        for (size_t i = 0; i < cloud->removed_servers.count; i++) // vanished ones may still have a machine
            array_add(&all, cloud->removed_servers.items[i]);
    }
    pthread_t *threads = zalloc((all.count + 1) * sizeof *threads);
    for (size_t i = 0; i < all.count; i++)
        if (pthread_create(&threads[i], NULL, destroy_thread, all.items[i]) != 0)
            abort();
    for (size_t i = 0; i < all.count; i++)
        pthread_join(threads[i], NULL);
    free(threads);
    array_free(&all);
    clean_leftovers(ground);
    host_network_stop(&ground->network);
}

static bool machines_route_ip(struct ground *ground, const struct ip_route *route, struct why *why)
{
    const struct network *network = &ground->network;

    if (strchr(route->address, ':'))
        return host_network_lead_ipv6(network, route->address, route->own_v6, why);
    if (route->nat)
        return host_network_translate(network, route->address, route->own, why);
    return host_network_lead(network, route->address, route->machine, route->gone, why);
}

const struct backend_ops backend_machines = {
    .name = "machines",
    .start = machines_start,
    .stop = machines_stop,
    .boot_delay_ms = machines_boot_delay_ms,
    .create = machines_create,
    .power_on = machines_power_on,
    .power_off = machines_power_off,
    .press_button = machines_press_button,
    .destroy = machines_destroy,
    .snapshot = machines_snapshot,
    .forget_snapshot = machines_forget_snapshot,
    .route_ip = machines_route_ip,
};
