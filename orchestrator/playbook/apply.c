/* A playbook over SSH or on this machine: one shell. */
#include "playbook/run.h"

/* Whether any task may have to be root. What is included under a name that is only known later does not
 * count. */
static bool list_becomes(const struct entry_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct entry *entry = list->items[i];
        const json_t *become = entry->keywords[KW_BECOME];
        bool flag;
        if (become && (!value_as_flag(become, &flag) || flag))
            return true;
        if (list_becomes(&entry->block) || list_becomes(&entry->rescue) || list_becomes(&entry->always))
            return true;
    }
    return false;
}

static bool play_becomes(const struct play *play)
{
    struct entry *root = play->root;
    const struct entry_list lists[] = {
        {.items = &root, .count = 1}, play->pre_tasks, play->tasks, play->post_tasks, play->handlers};
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
        if (list_becomes(&lists[i]))
            return true;
    for (size_t i = 0; i < play->role_count; i++)
        if (list_becomes(&play->roles[i]->handlers))
            return true;
    return false;
}

struct err *run_open_link(const struct ctx *ctx, const struct playbook *playbook,
                          const struct playbook_options *options, struct ssh *ssh, struct session_link *link)
{
    bool becomes = options->become;
    for (size_t i = 0; i < playbook->play_count && !becomes; i++)
        becomes = play_becomes(playbook->plays[i]);
    TRY(link_open(ctx, ssh, becomes ? SESSION_COMMAND_BECOME : SESSION_COMMAND, link));
    link->becomes = becomes;
    return NULL;
}

struct err *playbook_apply(const struct ctx *ctx, const struct playbook *playbook, struct ssh *ssh,
                           struct arena *arena, const struct playbook_options *options,
                           struct playbook_result *result)
{
    struct session_link link;
    *result = (struct playbook_result){0};
    TRY(run_open_link(ctx, playbook, options, ssh, &link));
    struct err *e = playbook_run(ctx, playbook, &link, arena, options, result);
    link_close(&link, !e || err_kind(e) == ERR_REMOTE);
    return e;
}
