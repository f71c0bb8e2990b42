/* The lease object as text, and who may take it. */
#include "base/clock.h"
#include "base/decode.h"
#include "core/owner.h"
#include "core/shared_lease.h"
#include <string.h>

char *shared_lease_key(struct arena *arena, const char *prefix, const char *name)
{
    size_t length = prefix ? strlen(prefix) : 0;
    while (length && prefix[length - 1] == '/')
        length--;
    return arena_printf(arena, "%.*s%sleases/%s", (int)length, prefix ? prefix : "", length ? "/" : "", name);
}

static struct err *read_state(struct arena *arena, const json_t *json, struct shared_lease_state *state)
{
    const char *host, *run, *owner, *place, *recovered_by;
    TRY(decode_string(json, "host", &host));
    TRY(decode_optional_string(json, "run", NULL, &run));
    TRY(decode_string(json, "owner", &owner));
    TRY(decode_string(json, "place", &place));
    TRY(decode_optional_string(json, "recovered_by", NULL, &recovered_by));
    TRY(decode_int(json, "pid", &state->pid));
    TRY(decode_int(json, "epoch", &state->epoch));
    TRY(decode_int(json, "expires_ms", &state->expires_ms));
    state->host = arena_strdup(arena, host);
    state->run = arena_strdup(arena, run);
    state->owner = arena_strdup(arena, owner);
    state->place = arena_strdup(arena, place);
    state->recovered_by = arena_strdup(arena, recovered_by);
    return NULL;
}

struct err *shared_lease_parse(struct arena *arena, const char *text, size_t length, const char *host,
                               struct shared_lease_state *state)
{
    CLEANUP_JSON json_t *json = NULL;
    *state = (struct shared_lease_state){0};
    struct err *e = decode_json(text, length, "the shared lease", &json);
    if (!e)
        e = read_state(arena, json, state);
    if (!e && strcmp(state->host, host) != 0)
        e = err_new(ERR_INPUT, "it is of host '%s'", state->host);
    if (!e && state->epoch < 0)
        e = err_new(ERR_INPUT, "its epoch is negative");
    return e ? err_with_kind(err_wrap(e, "the shared lease of host '%s' cannot be read", host), ERR_INPUT)
             : NULL;
}

char *shared_lease_format(struct arena *arena, const struct shared_lease_state *state)
{
    CLEANUP_JSON json_t *json =
        json_pack("{s:s, s:s?, s:s, s:s, s:s?, s:I, s:I, s:I}", "host", state->host, "run", state->run,
                  "owner", state->owner, "place", state->place, "recovered_by", state->recovered_by, "pid",
                  (json_int_t)state->pid, "epoch", (json_int_t)state->epoch, "expires_ms",
                  (json_int_t)state->expires_ms);
    return decode_dump(arena, json);
}

bool shared_lease_is_free(const struct shared_lease_state *state, int64_t store_now_ms)
{
    return !state->run || state->expires_ms <= store_now_ms || owner_is_me(state->place, state->pid) ||
           owner_is_gone(state->place, state->pid);
}
