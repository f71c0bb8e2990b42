// Volumes and snapshots. Records only: no machine sees a volume, and a server made from a snapshot starts
// from the image like every other.
#include <stdlib.h>

#include "model.h"

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
    *action = order(cloud, command, "server", server->id, &snapshot->ready);
    return snapshot;
}

void snapshot_delete(struct cloud *cloud, struct snapshot *snapshot)
{
    array_remove(&cloud->snapshots, snapshot);
    array_add(&cloud->removed, snapshot);
}
