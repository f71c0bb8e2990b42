/* DNS questions to a server of our choice (ldns), without recursion caches in between.
 * UDP with three attempts in 7 s, then TCP when the answer was cut short. Ids and ports are random, and only answers to the very
 * question count. Blocks only beneath the context.
 * Errors: ERR_NOT_FOUND (NXDOMAIN or no such data), ERR_TRANSIENT (no answer, SERVFAIL, REFUSED), ERR_TIMEOUT, ERR_CANCELLED, ERR_INPUT
 * (not a name, a type or an address). Threads: safe from any thread.
 */
#pragma once
#include "base/arena.h"
#include "base/ctx.h"
#include "base/err.h"

struct dns_answer {
    /* Sorted; at most 256. A, AAAA: addresses. NS, CNAME: names in lower case without the last dot. TXT: the strings joined, without
     * quotes. SOA: "mname rname serial refresh retry expire minimum". */
    const char **values;
    size_t count;
    int64_t ttl_seconds; /* the least of theirs */
    bool authoritative;
};

/* Follows CNAMEs within the answer; NS also takes a delegation that a parent tells of (then it is not authoritative).
 * Asks `server` ("198.18.0.53" or "198.18.0.53:5353"; NULL: the system's resolver) for name/type ("A", "AAAA", "NS", "SOA", "TXT", "CNAME"). */
struct err *dnsquery_ask(const struct ctx *ctx, struct arena *arena, const char *server, const char *name, const char *type,
                         bool recurse, struct dns_answer *answer) REHOST_MUST_CHECK;
