// Managed PostgreSQL clusters. Records only: nothing answers at their addresses.
#include <stdlib.h>

#include "model.h"

struct ordered {
    struct ground *ground;
    struct database *database;
};

static void get_ready(void *arg)
{
    struct ordered *ordered = arg;

    ground_lock(ordered->ground);
    ordered->database->ready = true;
    ground_unlock(ordered->ground);
    free(ordered);
}

// What it can be restored to moves on with the clock, from the moment that it became ready.
struct database *database_find(struct cloud *cloud, int64_t id)
{
    for (size_t i = 0; i < cloud->databases.count; i++) {
        struct database *database = cloud->databases.items[i];
        if (database->id != id)
            continue;
        if (database->ready)
            database->newest = time(NULL);
        return database;
    }
    return NULL;
}

struct database *database_create(struct cloud *cloud, const char *name, const char *engine,
                                 const char *version, const char *region, const char *size, int64_t source,
                                 time_t at)
{
    struct database *database = zalloc(sizeof *database);
    struct ordered *ordered = zalloc(sizeof *ordered);
    time_t now = time(NULL);

    *database = (struct database){.id = cloud->ground->next_id++,
                                  .name = text_copy(name),
                                  .engine = text_copy(engine),
                                  .version = text_copy(version),
                                  .region = text_copy(region),
                                  .size = text_copy(size),
                                  .nodes = 1,
                                  .created = now,
                                  .oldest = now,
                                  .newest = now,
                                  .restored_from = source,
                                  .restored_to = at,
                                  .extra = json_object()};
    make_password(database->password, 21);
    array_add(&cloud->databases, database);
    *ordered = (struct ordered){.ground = cloud->ground, .database = database};
    jobs_add(cloud->ground->jobs, cloud->ground->settings.object_delay_ms, get_ready, free, ordered);
    return database;
}

void database_delete(struct cloud *cloud, struct database *database)
{
    array_remove(&cloud->databases, database);
    array_add(&cloud->removed, database);
}
