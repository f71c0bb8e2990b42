/* DNS questions to a server of our choice (ldns), without recursion caches in between.
 * Errors: ERR_NOT_FOUND (NXDOMAIN or no such data), ERR_TRANSIENT (no answer, SERVFAIL, REFUSED), ERR_TIMEOUT, ERR_CANCELLED, ERR_INPUT.
 */
#pragma once
#include "base/arena.h"
#include "base/ctx.h"
#include "base/err.h"

struct dns_answer {
    const char **values; /* addresses or text, sorted */
    size_t count;
    int64_t ttl_seconds;
    bool authoritative;
};

/* Asks `server` ("198.18.0.53" or "198.18.0.53:5353"; NULL: the system's resolver) for name/type ("A", "AAAA", "NS", "SOA", "TXT", "CNAME"). */
struct err *dnsquery_ask(const struct ctx *ctx, struct arena *arena, const char *server, const char *name, const char *type,
                         bool recurse, struct dns_answer *answer) REHOST_MUST_CHECK;
