/* One DNS message to one server, and the message that answers it (ldns packs and unpacks). What the messages
 * mean is left to the callers. Blocks only beneath the context; every exchange ends after DNSWIRE_PATIENCE_MS
 * at the latest. Threads: safe from any thread.
 */
#pragma once
#include "base/ctx.h"
#include "base/err.h"

#include <ldns/ldns.h>
#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>

#define DNSWIRE_UDP_BYTES 1232 /* dnsflagday.net/2020: what passes without fragments */
#define DNSWIRE_MAX_BYTES 65535
#define DNSWIRE_PATIENCE_MS 7000

struct dnswire_server {
    const char *text; /* as given, for messages; borrowed */
    char host[INET6_ADDRSTRLEN];
    int port;
    struct sockaddr_storage address;
    socklen_t size;
};

/* "1.2.3.4", "1.2.3.4:53", "2001:db8::1", "[2001:db8::1]:53". ERR_INPUT when it is anything else. */
struct err *dnswire_parse_server(const char *text, struct dnswire_server *server) REHOST_MUST_CHECK;

struct dnswire_question {
    const struct dnswire_server *server;
    const ldns_pkt *packet;
    const uint8_t *wire; /* the packet, encoded */
    size_t length;
};

struct dnswire_answer {
    ldns_pkt *packet; /* NULL: none came */
    uint8_t *wire;    /* as it came: signatures are over these bytes */
    size_t length;
};

void dnswire_answer_clear(struct dnswire_answer *answer);
#define CLEANUP_DNSWIRE_ANSWER __attribute__((cleanup(dnswire_answer_clear)))

/* By UDP with three attempts in DNSWIRE_PATIENCE_MS, then by TCP when the answer was cut short. Only answers
 * to the very question count (sender, id, question), whatever else comes. ERR_TRANSIENT: no answer.
 * ERR_TIMEOUT, ERR_CANCELLED: the context's own. */
struct err *dnswire_ask(const struct ctx *ctx, const struct dnswire_question *question,
                        struct dnswire_answer *answer) REHOST_MUST_CHECK;
/* By TCP, sent once: for messages that change something. ERR_TRANSIENT, ERR_TIMEOUT, ERR_CANCELLED: nothing
 * was sent. ERR_UNKNOWN_OUTCOME: it was, at least in part, and no answer to it came, for whatever reason. */
struct err *dnswire_tell(const struct ctx *ctx, const struct dnswire_question *question,
                         struct dnswire_answer *answer) REHOST_MUST_CHECK;
