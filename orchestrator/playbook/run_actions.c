/* Tasks that are done wholly on the control side: debug, set_fact and the like. */
#include "base/decode.h"
#include "base/fs.h"
#include "playbook/data_text.h"
#include "playbook/run.h"
#include "playbook/words.h"
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PAUSE_S (24 * 60 * 60)

static const char *text_arg(struct job *job, const json_t *args, const char *name)
{
    const json_t *value = json_object_get(args, name);
    return !value || json_is_null(value) ? NULL : expr_value_text(job->arena, value);
}

static void answer(struct step *step, enum frame_status status, json_t *values)
{
    step->local = true;
    step->frame = (struct frame){.status = status, .values = values};
}

static struct err *do_debug(struct job *job, struct step *step, const struct expr_env *env,
                            const struct expr_place *place, const json_t *args)
{
    const char *var = text_arg(job, args, "var");
    const json_t *verbosity = json_object_get(args, "verbosity");
    if (verbosity && strcmp(expr_value_text(job->arena, verbosity), "0") != 0) {
        answer(step, FRAME_SKIPPED, json_pack("{s:b, s:b}", "changed", 0, "skipped", 1));
        return NULL;
    }
    if (!var) {
        json_t *msg = json_object_get(args, "msg");
        answer(step, FRAME_OK,
               json_pack("{s:b, s:O}", "changed", 0, "msg", msg ? msg : json_string("Hello world!")));
        if (!msg)
            json_decref(json_object_get(step->frame.values, "msg"));
        return NULL;
    }
    CLEANUP_JSON json_t *value = NULL;
    struct err *e = expr_evaluate(job->arena, env, place, var, &value);
    if (e) {
        err_free(e);
        value = json_string("VARIABLE IS NOT DEFINED!");
    }
    char *text = json_is_string(value) ? NULL : json_dumps(value, JSON_INDENT(4) | JSON_ENCODE_ANY);
    step->shown = arena_printf(job->arena, "%s: %s", var, text ? text : json_string_value(value));
    answer(step, FRAME_OK, json_pack("{s:b, s:O}", "changed", 0, var, value));
    free(text);
    return NULL;
}

static struct err *do_assert(struct job *job, struct step *step, const struct expr_env *env,
                             const struct expr_place *place, const json_t *args)
{
    const json_t *that = json_object_get(job->entry->args, "that"); /* expressions: not rendered beforehand */
    CLEANUP_JSON json_t *one = json_is_array(that) ? NULL : json_pack("[O]", that);
    const json_t *list = one ? one : that;
    size_t i;
    const json_t *condition;
    json_array_foreach(list, i, condition)
    {
        bool hold = expr_value_is_true(condition);
        if (json_is_string(condition))
            TRY(expr_is_true(job->arena, env, place, json_string_value(condition), &hold));
        if (hold)
            continue;
        const char *msg = text_arg(job, args, "fail_msg");
        answer(step, FRAME_FAILED,
               json_pack("{s:b, s:s, s:O, s:b}", "changed", 0, "msg", msg ? msg : "Assertion failed",
                         "assertion", condition, "evaluated_to", 0));
        return NULL;
    }
    const char *msg = text_arg(job, args, "success_msg");
    answer(step, FRAME_OK, json_pack("{s:b, s:s}", "changed", 0, "msg", msg ? msg : "All assertions passed"));
    return NULL;
}

/* As Ansible: words for yes and no become booleans. */
static json_t *fact_value(json_t *value)
{
    static const char *const words[] = {"yes", "no", "true", "false", "True", "False"};
    bool flag;
    for (size_t i = 0; json_is_string(value) && i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(json_string_value(value), words[i]) == 0 && value_as_flag(value, &flag))
            return json_boolean(flag);
    return json_incref(value);
}

static bool is_name(const char *name)
{
    if (!isalpha((unsigned char)*name) && *name != '_')
        return false;
    for (; *name; name++)
        if (!isalnum((unsigned char)*name) && *name != '_')
            return false;
    return true;
}

static struct err *do_set_fact(struct run *run, struct job *job, struct step *step,
                               const struct expr_env *env, const struct expr_place *place, const json_t *args)
{
    const char *key;
    json_t *value;
    CLEANUP_JSON json_t *facts = json_object();
    json_object_foreach((json_t *)(uintptr_t)args, key, value)
    {
        if (strcmp(key, "cacheable") == 0)
            continue;
        CLEANUP_JSON json_t *rendered = NULL;
        if (template_is_template(key))
            TRY(template_render(job->arena, env, place, key, &rendered));
        const char *name = rendered ? expr_value_text(job->arena, rendered) : key;
        if (!is_name(name))
            return entry_error(job->entry, "'%s' cannot be the name of a variable", name);
        json_object_set_new(facts, name, fact_value(value));
    }
    if (!json_object_size(facts))
        return entry_error(job->entry, "'set_fact' needs a variable");
    json_object_update(run->registered, facts);
    answer(step, FRAME_OK, json_pack("{s:b, s:O}", "changed", 0, "ansible_facts", facts));
    return NULL;
}

/* Adds the time that one argument of `pause` asks for; nothing when it is not given. */
static struct err *add_wait(const struct job *job, const char *name, const char *text, int unit_s,
                            int64_t *wait_s)
{
    if (!text)
        return NULL;
    char *end;
    long long number = strtoll(text, &end, 10);
    if (end == text || *end || number > MAX_PAUSE_S / unit_s)
        return entry_error(job->entry, "'%s' of 'pause' is '%.40s', which is not a whole number up to %d",
                           name, text, MAX_PAUSE_S / unit_s);
    *wait_s += number > 0 ? number * unit_s : 0;
    return NULL;
}

static struct err *do_pause(struct run *run, struct job *job, struct step *step, const json_t *args)
{
    const char *seconds = text_arg(job, args, "seconds"), *minutes = text_arg(job, args, "minutes");
    if (!seconds && !minutes)
        return entry_error(job->entry, "'pause' needs 'seconds' or 'minutes': nobody is asked during a run");
    int64_t wait_s = 0;
    TRY(add_wait(job, "seconds", seconds, 1, &wait_s));
    TRY(add_wait(job, "minutes", minutes, 60, &wait_s));
    if (!run->options->check && wait_s > 0)
        TRY(ctx_sleep(run->ctx, wait_s * 1000));
    answer(step, FRAME_OK, json_pack("{s:b}", "changed", 0));
    return NULL;
}

struct err *action_local(struct run *run, struct job *job, struct step *step, const struct expr_scope *scope)
{
    struct expr_env env = run_env(run, job, scope);
    struct expr_place place = {.file = job->entry->file, .line = job->entry->line};
    CLEANUP_JSON json_t *args = NULL;
    if (job->entry->module->action ==
        ACTION_ASSERT) { /* its conditions are expressions, its messages may name what is undefined */
        CLEANUP_JSON json_t *messages = json_copy(job->entry->args);
        json_object_del(messages, "that");
        struct err *e = template_render_json(job->arena, &env, &place, messages, &args);
        if (e) {
            err_free(e);
            args = json_object();
        }
        return do_assert(job, step, &env, &place, args);
    }
    TRY(template_render_json(job->arena, &env, &place, job->entry->args, &args));
    const char *msg;
    json_t *values;
    switch (job->entry->module->action) {
    case ACTION_DEBUG:
        return do_debug(job, step, &env, &place, args);
    case ACTION_FAIL:
        msg = text_arg(job, args, "msg");
        answer(step, FRAME_FAILED,
               json_pack("{s:b, s:s}", "changed", 0, "msg", msg ? msg : "Failed as requested from task"));
        return NULL;
    case ACTION_SET_FACT:
        return do_set_fact(run, job, step, &env, &place, args);
    case ACTION_INCLUDE_VARS:
        TRY(action_include_vars(run, job, args, &values));
        answer(step, FRAME_OK, values);
        return NULL;
    case ACTION_PAUSE:
        return do_pause(run, job, step, args);
    case ACTION_FOREIGN:
        return entry_error(job->entry,
                           "'%s', as it is written here, is for another system than Debian or Ubuntu",
                           job->entry->written);
    default:
        return err_new(ERR_INTERNAL, "module '%s' has no place to run", job->entry->module->name);
    }
}
