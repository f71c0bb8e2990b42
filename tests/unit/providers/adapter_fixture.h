/* What the unit tests of all adapters that speak HTTP have in common: an account that is open at a canned
 * server, and a look at what that server was asked. A test names the adapters under test in `ops`, `dns_ops`
 * or both before the first begin(); what it does not name is not opened. The shapes of a provider's answers,
 * and what it has to be sent, stay in its own test.
 */
#pragma once
#include "base/arena.h"
#include "base/ctx.h"
#include "base/secret.h"
#include "providers/compute/provider.h"
#include "providers/dns/dns.h"
#include "tests/unit/providers/assert_err.h"
#include "tests/unit/providers/canned_server.h"

struct fixture {
    struct canned_server server;
    struct arena *arena;
    struct secret *token;
    struct provider *provider; /* NULL without `ops` */
    struct dns *dns;           /* NULL without `dns_ops` */
    struct ctx ctx;
};

static const struct provider_ops *ops;
static const struct dns_ops *dns_ops;

/* Opens the account at a server that gives these answers, which are NULL-terminated and outlive end(). */
static inline void begin(struct fixture *f, const char *const *answers)
{
    *f = (struct fixture){.arena = arena_new(0), .ctx = ctx_background()};
    canned_start(&f->server, answers);
    assert_null(secret_new("sesame-4711", 11, &f->token));
    struct account_options account = {.name = "prod", .endpoint = f->server.endpoint, .token = f->token};
    assert_true(ops || dns_ops);
    if (ops)
        assert_null(ops->open(&account, &f->provider));
    if (dns_ops)
        assert_null(dns_ops->open(&account, &f->dns));
}

static inline void end(struct fixture *f)
{
    canned_stop(&f->server);
    canned_free(&f->server);
    if (ops)
        ops->close(f->provider);
    if (dns_ops)
        dns_ops->close(f->dns);
    secret_free(f->token);
    arena_free(f->arena);
}

/* Request number `i` was "METHOD path", with `part` in it (may be NULL). Stops the server. */
static inline void assert_asked(struct fixture *f, int i, const char *line, const char *part)
{
    canned_stop(&f->server);
    assert_true(canned_was_asked(&f->server, i, line, part));
}

/* Stops the server. */
static inline void assert_asked_times(struct fixture *f, int count)
{
    canned_stop(&f->server);
    assert_int_equal(f->server.count, count);
}
