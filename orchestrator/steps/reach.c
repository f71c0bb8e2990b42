/* First contact: the injected host key is compared raw, then replaced over the session that it protected,
 * because user-data stays readable on the machine. Output: {address, host_key, next_host_key}.
 */
#include "base/decode.h"
#include "steps/step.h"
#include <string.h>

#define RETRY_MS 1000

/* Not there yet, or cloud-init has not put our keys in place yet: sshd may start first. */
static bool may_still_come(const struct err *e)
{
    switch (err_kind(e)) {
    case ERR_TRANSIENT:
    case ERR_TIMEOUT:
    case ERR_UNKNOWN_OUTCOME:
    case ERR_TRUST:
    case ERR_AUTH:
        return true;
    default:
        return false;
    }
}

static struct err *connect_until(struct step_run *step, const struct ctx *limited, const char *address,
                                 const char *host_key)
{
    struct ssh_target target = {.host = address, .user = "root", .host_key = host_key};
    const char *public_key;
    TRY(step->services->ssh_key(step->services->core, &target.private_key, &public_key));
    step_drop_link(step);
    for (;;) {
        CLEANUP_ERR struct err *e = ssh_connect(limited, &target, step->link);
        if (!e)
            return NULL;
        if (!may_still_come(e) || ctx_remaining_ms(limited) <= RETRY_MS) {
            TRY(ctx_check(step->ctx));
            return err_with_hint(
                err_wrap(TAKE(e), "reach the new server at %s before its boot deadline", address),
                "look at its console at the provider; then: rehost resume %s", step->run);
        }
        step_live(step, "waiting for SSH at %s: %s", address, err_message(e));
        TRY(ctx_sleep(limited, RETRY_MS));
    }
}

/* Ends when cloud-init is through; a machine without it is fine. */
static const char wait_for_boot[] =
    "if command -v cloud-init >/dev/null; then cloud-init status --wait >/dev/null; else :; fi";

static const char make_key[] =
    "set -eu; d=/etc/ssh; n=$d/ssh_host_ed25519_key.next; umask 077\n"
    "[ -s $n.pub ] || { rm -f $n $n.pub; ssh-keygen -q -t ed25519 -N '' -C '' -f $n; }\n"
    "cat $n.pub";

static const char install_key[] =
    "set -eu; d=/etc/ssh; n=$d/ssh_host_ed25519_key.next; k=$d/ssh_host_ed25519_key\n"
    "if [ -s $n ]; then mv $n.pub $k.pub; chmod 644 $k.pub; mv $n $k; fi\n"
    "for f in $d/ssh_host_*_key; do case $f in *_ed25519_key) ;; *) rm -f $f $f.pub ;; esac; done\n"
    "systemctl try-restart ssh.service || systemctl try-restart sshd.service";

static struct err *run(struct step_run *step, const struct ctx *limited, const char *script,
                       struct ssh_result *result)
{
    struct ssh_result unused;
    return ssh_run(limited, *step->link, step->arena, "sh", script, strlen(script),
                   result ? result : &unused);
}

static const char *known_key(struct step_run *step, const char *name)
{
    return json_string_value(json_object_get(step->output, name));
}

static struct err *set_key(struct step_run *step, const char *name, const char *value)
{
    json_object_set_new(step->output, name, json_string(value));
    return step->services->save(step);
}

/* Makes the new key on the host, remembers it durably, and only then puts it in place: a crash in between
 * finds it by trying both. */
static struct err *rotate_host_key(struct step_run *step, const struct ctx *limited, const char *address)
{
    struct ssh_result result;
    TRY(run(step, limited, make_key, &result));
    size_t length = strcspn(result.out, "\n");
    while (length && result.out[length - 1] == ' ') /* ssh-keygen leaves one before an empty comment */
        length--;
    result.out[length] = '\0';
    if (strncmp(result.out, "ssh-ed25519 ", 12) != 0)
        return err_new(ERR_REMOTE, "the new host key reads '%.40s', not an ed25519 key", result.out);
    TRY(set_key(step, "next_host_key", result.out));
    TRY(run(step, limited, install_key, NULL));
    TRY(connect_until(step, limited, address, known_key(step, "next_host_key")));
    return set_key(step, "host_key", known_key(step, "next_host_key"));
}

static struct err *first_contact(struct step_run *step, const struct ctx *limited, const char *address,
                                 const char *injected)
{
    if (known_key(step, "next_host_key")) { /* resumed: the rotation may or may not have happened */
        const struct ctx soon = ctx_with_timeout(limited, 10000);
        CLEANUP_ERR struct err *e = connect_until(step, &soon, address, known_key(step, "next_host_key"));
        if (!e)
            return set_key(step, "host_key", known_key(step, "next_host_key"));
        TRY(ctx_check(step->ctx));
    }
    TRY(connect_until(step, limited, address, injected));
    step_live(step, "connected; waiting for cloud-init");
    TRY(run(step, limited, wait_for_boot, NULL));
    return rotate_host_key(step, limited, address);
}

static struct err *reach_apply(struct step_run *step)
{
    const char *address, *injected;
    int64_t boot_deadline_ms;
    TRY(step_fact(step, "create.address", &address));
    TRY(step_fact(step, "create.host_key", &injected));
    TRY(decode_int(step->input, "boot_deadline_ms", &boot_deadline_ms));
    json_object_set_new(step->output, "address", json_string(address));
    const struct ctx limited = ctx_with_timeout(step->ctx, boot_deadline_ms);
    if (known_key(step, "host_key"))
        TRY(connect_until(step, &limited, address, known_key(step, "host_key")));
    else
        TRY(first_contact(step, &limited, address, injected));
    const struct machine machine = {
        .address = address, .host_key = known_key(step, "host_key"), .state = "live"};
    struct machine named = machine;
    TRY(step_fact(step, "create.account", &named.account));
    TRY(step_fact(step, "create.server_id", &named.server_id));
    TRY(step->services->machine_put(step, &named));
    step_note(step, "reached %s with the pinned key; the host key was replaced and pinned anew", address);
    return NULL;
}

const struct step_ops step_reach = {
    .kind = "reach",
    .touches = "replaces the new server's SSH host key",
    .danger = DANGER_MILD,
    .estimate_ms = 30000,
    .apply = reach_apply,
};
