#include "base/clock.h"
#include "base/decode.h"
#include "base/fs.h"
#include "base/hash.h"
#include "core/plan_private.h"
#include <stdlib.h>
#include <string.h>

#define PLAN_MAX_BYTES (8u << 20)

static void json_release(void *json)
{
    json_decref(json);
}

char *plan_text(struct arena *arena, const struct plan *plan)
{
    char *text = json_dumps(plan->json, JSON_COMPACT | JSON_SORT_KEYS);
    char *copy = arena_strdup(arena, text);
    free(text);
    return copy;
}

void plan_own(struct arena *arena, struct plan *plan)
{
    plan->digest[0] = '\0';
    arena_defer(arena, json_release, plan->json);
}

void plan_seal(struct arena *arena, struct plan *plan)
{
    plan_own(arena, plan);
    const char *text = plan_text(arena, plan);
    hash_sha256_hex(text, strlen(text), plan->digest);
}

static struct err *check_steps(const struct plan *plan, const char *what)
{
    const json_t *steps;
    TRY(decode_array(plan->json, "steps", &steps));
    size_t index;
    const json_t *step;
    json_array_foreach(steps, index, step)
    {
        const char *kind, *id;
        const json_t *input;
        TRY(decode_string(step, "kind", &kind));
        TRY(decode_string(step, "id", &id));
        TRY(decode_object(step, "input", &input));
        if (!step_find(kind))
            return err_with_hint(
                err_new(ERR_INPUT, "%s: step '%s' is of the unknown kind '%s'", what, id, kind),
                "it was made by another version of rehost: make a new plan");
    }
    return NULL;
}

struct err *plan_parse(struct arena *arena, const char *text, size_t length, struct plan *plan)
{
    TRY(decode_json(text, length, "the plan", &plan->json));
    if (!json_is_object(plan->json)) {
        json_decref(plan->json);
        return err_new(ERR_INPUT, "the plan is JSON, but no object");
    }
    plan_seal(arena, plan);
    const char *host;
    int64_t format;
    TRY(decode_int(plan->json, "format", &format));
    if (format != PLAN_FORMAT)
        return err_with_hint(err_new(ERR_INPUT, "the plan has format %lld", (long long)format),
                             "it was made by another version of rehost: make a new plan");
    TRY(decode_string(plan->json, "host", &host));
    return check_steps(plan, "the plan");
}

struct err *plan_load(struct arena *arena, const char *path, struct plan *plan)
{
    char *text;
    size_t length;
    TRY(fs_read_file(arena, path, PLAN_MAX_BYTES, &text, &length));
    CLEANUP_ERR struct err *e = plan_parse(arena, text, length, plan);
    if (!e)
        return NULL;
    return err_with_hint(err_with_kind(err_wrap(TAKE(e), "read the plan '%s'", path), ERR_INPUT),
                         "make a new one with: rehost plan HOST --out FILE");
}

struct err *plan_save(struct arena *arena, const struct plan *plan, const char *path)
{
    const char *text = plan_text(arena, plan);
    return fs_write_file(path, text, strlen(text), 0600);
}

struct err *plan_check_fresh(const struct plan *plan, const struct inventory *inventory)
{
    const char *digest;
    int64_t valid_until_ms;
    TRY(decode_string(plan->json, "inventory.digest", &digest));
    TRY(decode_int(plan->json, "valid_until_ms", &valid_until_ms));
    if (strcmp(digest, inventory->digest) != 0)
        return err_with_hint(
            err_new(ERR_STALE, "the plan was made from another state of '%s'", inventory->path),
            "make and approve a new one: rehost plan %s --out FILE", plan_host(plan));
    char until[CLOCK_TEXT_SIZE];
    if (clock_now_ms() > valid_until_ms)
        return err_with_hint(
            err_new(ERR_STALE, "the plan was valid until %s", clock_format_utc(valid_until_ms, until)),
            "make and approve a new one: rehost plan %s --out FILE", plan_host(plan));
    return NULL;
}

const char *plan_host(const struct plan *plan)
{
    return json_string_value(json_object_get(plan->json, "host"));
}

int64_t plan_estimate_ms(const struct plan *plan, const char *until_kind)
{
    int64_t sum = 0, until = 0;
    size_t index;
    const json_t *step;
    json_array_foreach(json_object_get(plan->json, "steps"), index, step)
    {
        sum += json_integer_value(json_object_get(step, "estimate_ms"));
        if (!until_kind || !strcmp(json_string_value(json_object_get(step, "kind")), until_kind))
            until = sum;
    }
    return until;
}
