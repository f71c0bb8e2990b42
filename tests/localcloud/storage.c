// Volumes and snapshots. Volumes are records only: no machine sees them. Snapshots are copies of disks.
#include <stdlib.h>

#include "backend.h"

struct copy {
    struct server *server;
    struct snapshot *snapshot;
    struct action *action;
};

struct ordered { // what becomes ready settings.object_delay_ms after it was ordered
    struct ground *ground;
    struct action *action;
    bool *ready; // may be NULL
};

static void get_ready(void *arg)
{
    struct ordered *ordered = arg;

    ground_lock(ordered->ground);
    action_finish(ordered->action, NULL);
    if (ordered->ready)
        *ordered->ready = true;
    ground_unlock(ordered->ground);
    free(ordered);
}

static struct action *order(struct cloud *cloud, const char *command, const char *type, int64_t id,
                            bool *ready)
{
    struct ordered *ordered = zalloc(sizeof *ordered);

    *ordered = (struct ordered){
        .ground = cloud->ground, .action = action_start(cloud, command, type, id), .ready = ready};
    jobs_add(cloud->ground->jobs, cloud->ground->settings.object_delay_ms, get_ready, free, ordered);
    return ordered->action;
}

struct volume *volume_find(struct cloud *cloud, int64_t id)
{
    for (size_t i = 0; i < cloud->volumes.count; i++) {
        struct volume *volume = cloud->volumes.items[i];
        if (volume->id == id)
            return volume;
    }
    return NULL;
}

struct volume *volume_create(struct cloud *cloud, const char *name, const char *region, int size_gb,
                             json_t *labels, struct action **action)
{
    struct volume *volume = zalloc(sizeof *volume);

    *volume = (struct volume){.id = cloud->ground->next_id++,
                              .name = text_copy(name),
                              .region = text_copy(region),
                              .size_gb = size_gb,
                              .labels = labels ? json_deep_copy(labels) : json_object(),
                              .extra = json_object(),
                              .created = time(NULL)};
    array_add(&cloud->volumes, volume);
    *action = order(cloud, "create_volume", "volume", volume->id, &volume->ready);
    return volume;
}

struct action *volume_attach(struct cloud *cloud, struct volume *volume, struct server *server,
                             const char *command)
{
    volume->server_id = server ? server->id : 0;
    return order(cloud, command, "volume", volume->id, NULL);
}

void volume_delete(struct cloud *cloud, struct volume *volume)
{
    array_remove(&cloud->volumes, volume);
    array_add(&cloud->removed, volume);
}

void volumes_release(struct server *server)
{
    for (size_t i = 0; i < server->cloud->volumes.count; i++) {
        struct volume *volume = server->cloud->volumes.items[i];
        if (volume->server_id == server->id)
            volume->server_id = 0;
    }
}

struct snapshot *snapshot_find(struct cloud *cloud, int64_t id)
{
    for (size_t i = 0; i < cloud->snapshots.count; i++) {
        struct snapshot *snapshot = cloud->snapshots.items[i];
        if (snapshot->id == id)
            return snapshot;
    }
    return NULL;
}

static void copy_disk(void *arg)
{
    struct copy *copy = arg;
    struct server *server = copy->server;
    struct ground *ground = server->cloud->ground;
    struct why why;
    bool ok = server->never_boots || ground->backend->snapshot(server, copy->snapshot->id, &why);

    ground_lock(ground);
    copy->snapshot->ready = ok;
    action_finish(copy->action, ok ? NULL : why.text);
    if (copy->snapshot->locks_server)
        server_unlock(server);
    ground_unlock(ground);
    if (!ok)
        log_line("snapshot %lld: %s", (long long)copy->snapshot->id, why.text);
    free(copy);
}

struct snapshot *snapshot_create(struct server *server, const char *name, json_t *labels, const char *command,
                                 struct action **action)
{
    enum { SIZE_GB = 2 }; // what a fresh system takes
    struct cloud *cloud = server->cloud;
    struct snapshot *snapshot = zalloc(sizeof *snapshot);

    *snapshot = (struct snapshot){.id = cloud->ground->next_id++,
                                  .name = text_copy(name),
                                  .region = text_copy(server->location),
                                  .server_id = server->id,
                                  .size_gb = SIZE_GB,
                                  .labels = labels ? json_deep_copy(labels) : json_object(),
                                  .extra = json_object(),
                                  .created = time(NULL)};
    array_add(&cloud->snapshots, snapshot);
    *action = action_start(cloud, command, "server", server->id);
    struct copy *copy = zalloc(sizeof *copy);
    *copy = (struct copy){.server = server, .snapshot = snapshot, .action = *action};
    jobs_add(cloud->ground->jobs, cloud->ground->settings.object_delay_ms, copy_disk, free, copy);
    return snapshot;
}

struct forgotten {
    struct ground *ground;
    int64_t id;
};

static void forget(void *arg)
{
    struct forgotten *forgotten = arg;

    forgotten->ground->backend->forget_snapshot(forgotten->ground, forgotten->id);
    free(forgotten);
}

void snapshot_delete(struct cloud *cloud, struct snapshot *snapshot)
{
    struct forgotten *forgotten = zalloc(sizeof *forgotten);

    *forgotten = (struct forgotten){.ground = cloud->ground, .id = snapshot->id};
    jobs_add(cloud->ground->jobs, 0, forget, free, forgotten);
    array_remove(&cloud->snapshots, snapshot);
    array_add(&cloud->removed, snapshot);
}
