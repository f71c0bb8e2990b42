/* An inventory while it is being read. Internal to hosts*.c.
 *
 * The readers (INI, YAML, programs) only say what stands in their source, in its order: add a group, add a
 * host, set a variable, make a child. hosts_data_settle() then draws the conclusions: what is ungrouped, who
 * inherits from whom, how deep a group is.
 */
#pragma once
#include "base/ctx.h"
#include "base/yaml.h"
#include "playbook/hosts.h"

#define HOSTS_MAX_COUNT 20000
#define HOSTS_MAX_GROUPS 5000

struct hosts_list {
    void **items;
    size_t count, capacity;
};
void hosts_list_add(struct arena *arena, struct hosts_list *list, void *item);
bool hosts_list_has(const struct hosts_list *list, const void *item);
/* The names in a folder, sorted. */
struct err *hosts_list_dir(struct arena *arena, const char *path, struct hosts_list *names) REHOST_MUST_CHECK;

struct hosts_group {
    const char *name;
    json_t *vars;
    struct hosts_list children, parents; /* of struct hosts_group */
    struct hosts_list hosts;             /* of struct hosts_node: direct members */
    int priority;                        /* ansible_group_priority; 1 */
    int depth;                           /* longest way from `all`; -1: not known yet */
    struct hosts_list members;           /* of struct hosts_node: with those of its children */
    bool seen;                           /* by the walk under way */
};

struct hosts_node {
    const char *name;
    size_t index;
    json_t *vars;             /* of the sources */
    struct hosts_list groups; /* of struct hosts_group: direct */
};

struct hosts_data {
    const struct ctx *ctx;
    struct arena *arena;
    struct hosts_list groups, nodes;
    json_t *group_index, *node_index; /* name -> place in the lists */
    const char *source;               /* being read */
    struct hosts_list dirs;           /* folders of the sources, for group_vars and host_vars */
    struct hosts_list warnings;       /* texts */
};

struct hosts_group *hosts_group_find(const struct hosts_data *data, const char *name);
struct hosts_node *hosts_node_find(const struct hosts_data *data, const char *name);
struct hosts_group *hosts_group_add(struct hosts_data *data,
                                    const char *name); /* or finds it; NULL: too many */
/* `group` may be NULL. A port (0: none) counts only for a new host. ERR_INPUT past HOSTS_MAX_COUNT. */
struct err *hosts_node_add(struct hosts_data *data, const char *name, struct hosts_group *group,
                           int port) REHOST_MUST_CHECK;
/* ERR_INPUT for a child that is its own ancestor. */
struct err *hosts_child_add(struct hosts_data *data, struct hosts_group *group,
                            struct hosts_group *child) REHOST_MUST_CHECK;
/* Takes the value. As in Ansible, a group that has a host's name gets the host's variables. */
struct err *hosts_group_set(struct hosts_group *group, const char *key, json_t *value) REHOST_MUST_CHECK;
struct err *hosts_node_set(struct hosts_data *data, const char *name, const char *key,
                           json_t *value) REHOST_MUST_CHECK;
void hosts_warn(struct hosts_data *data, const char *fmt, ...) REHOST_PRINTF(2, 3);
/* Everything above the host's groups and the groups themselves, each once; `all` among them. */
void hosts_node_groups(struct arena *arena, const struct hosts_node *node, struct hosts_list *groups);
struct err *hosts_data_settle(struct hosts_data *data) REHOST_MUST_CHECK;

/* --- hosts_name.c: names with ranges --- */
/* "web[01:50].example.org:2222" -> names and port (0: none). */
struct err *hosts_expand(struct arena *arena, const char *text, char ***names, size_t *count,
                         int *port) REHOST_MUST_CHECK;
/* Whether the text is one host's name or address, with ranges or a port: then its colons do not separate. */
bool hosts_is_address(struct arena *arena, const char *text);
/* The same without ranges; *name is the text without its port. */
bool hosts_split_port(struct arena *arena, const char *text, const char **name, int *port);

/* --- the readers --- */
struct err *hosts_read_ini(struct hosts_data *data, const char *file, const char *text,
                           size_t length) REHOST_MUST_CHECK;
struct err *hosts_read_yaml(struct hosts_data *data, const struct yaml_node *root) REHOST_MUST_CHECK;
struct err *hosts_read_program(struct hosts_data *data, const char *path) REHOST_MUST_CHECK;
/* A Python literal as JSON (new reference); the text itself when it is none. */
json_t *hosts_literal(const char *text);

/* --- hosts_source.c --- */
struct err *hosts_read_source(struct hosts_data *data, const char *source) REHOST_MUST_CHECK;

/* --- hosts_vars.c --- */
/* Makes hosts->items with merged variables. */
struct err *hosts_merge_vars(struct hosts_data *data, const char *playbook_dir,
                             struct hosts *hosts) REHOST_MUST_CHECK;
/* The files of `name` in `dir`/`kind` (group_vars or host_vars), later ones winning, put into `vars`. */
struct err *hosts_vars_files(struct hosts_data *data, const char *dir, const char *kind, const char *name,
                             json_t *vars) REHOST_MUST_CHECK;
bool hosts_is_local_name(const char *name);
