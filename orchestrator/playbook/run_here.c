/* Tasks for this machine in a play for another one: delegate_to localhost, connection local.
 *
 * They go through a shell of their own, opened when the first one comes. What was sent to the host before is
 * settled first, and the host gets nothing more until such a task is done: so they keep their order. */
#include "base/decode.h"
#include "playbook/run.h"
#include <string.h>

struct here {
    struct session_link link;
    struct session session;
    bool open;
};

static bool names_this_machine(const char *name)
{
    return strcmp(name, "localhost") == 0 || strcmp(name, "127.0.0.1") == 0 || strcmp(name, "::1") == 0;
}

static struct err *inherited_text(struct run *run, struct job *job, const struct expr_scope *scope,
                                  enum keyword keyword, const char **text, const struct entry **giver)
{
    const json_t *written = entry_inherited(job->entry, keyword, giver);
    *text = NULL;
    if (!written || json_is_null(written))
        return NULL;
    struct expr_env env = run_env(run, job, scope);
    struct expr_place place = entry_place(*giver, keyword);
    CLEANUP_JSON json_t *value = NULL;
    TRY(template_render_json(job->arena, &env, &place, written, &value));
    *text = arena_strdup(job->arena, expr_value_text(job->arena, value));
    return NULL;
}

struct err *step_is_here(struct run *run, struct job *job, const struct expr_scope *scope, bool *here)
{
    const struct entry *giver = NULL;
    const char *to, *connection;
    *here = false;
    TRY(inherited_text(run, job, scope, KW_DELEGATE_TO, &to, &giver));
    if (to && *to && !names_this_machine(to)) {
        const char *address = json_string_value(json_object_get(run->options->host_vars, "ansible_host"));
        if (strcmp(to, run->options->host_name) == 0 || (address && strcmp(to, address) == 0))
            return NULL;
        return err_with_hint(entry_error(giver, "'delegate_to' another machine ('%s') is not possible", to),
                             "a task runs on the play's host or on localhost");
    }
    TRY(inherited_text(run, job, scope, KW_CONNECTION, &connection, &giver));
    *here = (to && *to) || (connection && strcmp(connection, "local") == 0);
    *here = *here && !run->session.link->local;
    return NULL;
}

void run_enter_folder(struct run *run, struct session *session)
{
    CLEANUP_STRBUF struct strbuf text;
    strbuf_init(&text, 0);
    strbuf_adds(&text, "cd ");
    strbuf_add_shell_quoted(&text, run->playbook->dir);
    strbuf_addc(&text, '\n');
    session_send(session, text.data, text.length);
}

static struct err *open_here(struct run *run, bool become, struct here *here)
{
    CLEANUP_ARENA struct arena *scratch = arena_new(0);
    CLEANUP_STRBUF struct strbuf library;
    strbuf_init(&library, 0);
    TRY(compile_library(scratch, run->playbook, &library));
    strbuf_adds(&library, run->learned ? run->learned : "");
    TRY(link_open(run->ctx, NULL, become ? SESSION_COMMAND_BECOME : SESSION_COMMAND, &here->link));
    session_init(&here->session, run->ctx, &here->link);
    here->open = true;
    if (become)
        TRY(session_become(&here->session, run->options->become_password));
    session_start(&here->session, library.data);
    run_enter_folder(run, &here->session);
    return NULL;
}

struct err *run_here(struct run *run, bool become, struct session **session)
{
    struct here **slot = &run->here[become];
    *session = NULL;
    TRY(run_settle_all(run));
    if (run->failed)
        return NULL;
    if (!*slot)
        *slot = ARENA_NEW(run->arena, struct here);
    if (!(*slot)->open)
        TRY(err_wrap(open_here(run, become, *slot), "a shell on this machine"));
    *session = &(*slot)->session;
    return NULL;
}

void run_learn(struct run *run, const char *library)
{
    CLEANUP_STRBUF struct strbuf line;
    strbuf_init(&line, 0);
    strbuf_adds(&line, "rh_learn ");
    strbuf_add_shell_quoted(&line, library);
    strbuf_addc(&line, '\n');
    session_send(&run->session, line.data, line.length);
    for (int i = 0; i < 2; i++)
        if (run->here[i] && run->here[i]->open)
            session_send(&run->here[i]->session, line.data, line.length);
    run->learned = arena_printf(run->arena, "%s\n%s", run->learned ? run->learned : "", library);
}

void run_close_here(struct run *run)
{
    for (int i = 0; i < 2; i++) {
        struct here *here = run->here[i];
        if (!here || !here->open)
            continue;
        CLEANUP_ERR struct err *e = session_end(&here->session);
        session_free(&here->session);
        link_close(&here->link, e == NULL);
        here->open = false;
    }
}
