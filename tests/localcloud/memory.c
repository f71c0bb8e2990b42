// The backend without machines, for contract and scale tests: a server runs a settable time after it was
// created, and nothing answers at its address.
#include "backend.h"

static bool memory_start(struct ground *ground, struct why *why)
{
    (void)ground, (void)why;
    return true;
}

static void memory_stop(struct ground *ground)
{
    (void)ground;
}

static int memory_boot_delay_ms(const struct ground *ground)
{
    return ground->settings.boot_delay_ms;
}

static bool memory_do(struct server *server, struct why *why)
{
    (void)server, (void)why;
    return true;
}

static bool memory_press_button(struct server *server, bool reboot, struct why *why)
{
    (void)why;
    if (!reboot)
        server_stopped(server);
    return true;
}

static void memory_destroy(struct server *server)
{
    (void)server;
}

static bool memory_snapshot(struct server *server, int64_t snapshot_id, struct why *why)
{
    (void)server, (void)snapshot_id, (void)why;
    return true;
}

static void memory_forget_snapshot(struct ground *ground, int64_t snapshot_id)
{
    (void)ground, (void)snapshot_id;
}

static bool memory_route_ip(struct ground *ground, const struct ip_route *route, struct why *why)
{
    (void)ground, (void)route, (void)why;
    return true;
}

const struct backend_ops backend_memory = {
    .name = "memory",
    .start = memory_start,
    .stop = memory_stop,
    .boot_delay_ms = memory_boot_delay_ms,
    .create = memory_do,
    .power_on = memory_do,
    .power_off = memory_do,
    .press_button = memory_press_button,
    .destroy = memory_destroy,
    .snapshot = memory_snapshot,
    .forget_snapshot = memory_forget_snapshot,
    .route_ip = memory_route_ip,
};
