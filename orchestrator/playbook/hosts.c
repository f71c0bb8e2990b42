#include "playbook/hosts.h"
#include "base/yaml.h"
#include "playbook/hosts_data.h"
#include "playbook/play.h"

static struct err *make_data(const struct ctx *ctx, struct arena *arena, struct hosts_data **made)
{
    struct hosts_data *data = ARENA_NEW(arena, struct hosts_data);
    *data = (struct hosts_data){.ctx = ctx,
                                .arena = arena,
                                .group_index = json_keep(arena, json_object()),
                                .node_index = json_keep(arena, json_object())};
    *made = data;
    struct hosts_group *all = hosts_group_add(data, "all");
    return hosts_child_add(data, all, hosts_group_add(data, "ungrouped"));
}

struct err *hosts_load(const struct ctx *ctx, struct arena *arena, const char *const *sources,
                       size_t source_count, const char *playbook_dir, const struct hosts **loaded)
{
    struct hosts *hosts = ARENA_NEW(arena, struct hosts);
    struct hosts_data *data;
    TRY(make_data(ctx, arena, &data));
    for (size_t i = 0; i < source_count; i++)
        TRY(hosts_read_source(data, sources[i]));
    TRY(hosts_data_settle(data));
    TRY(hosts_merge_vars(data, playbook_dir, hosts));
    hosts->data = data;
    hosts->warnings = (const char *const *)data->warnings.items;
    hosts->warning_count = data->warnings.count;
    data->ctx = NULL;
    *loaded = hosts;
    return NULL;
}

const char *hosts_nearest(const struct hosts *hosts, struct arena *arena, const char *name)
{
    const struct hosts_data *data = hosts->data;
    const char **names = arena_array(arena, data->groups.count + data->nodes.count, sizeof(*names));
    size_t count = 0;
    for (size_t i = 0; i < data->groups.count; i++)
        names[count++] = ((struct hosts_group *)data->groups.items[i])->name;
    for (size_t i = 0; i < data->nodes.count; i++)
        names[count++] = ((struct hosts_node *)data->nodes.items[i])->name;
    return yaml_nearest(name, names, count);
}
