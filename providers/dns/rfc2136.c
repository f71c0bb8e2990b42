/* DNS servers that take updates by RFC 2136, signed with TSIG (RFC 8945): BIND, Knot, PowerDNS and others.
 *
 * - A change is one message whose prerequisites are the old values, so the comparison and the write are one
 * act of the server: nobody's change in between can be lost. The set changes as a whole or not at all.
 * - Each change also counts up the zone's epoch record, `_rehost.ZONE TXT "epoch=41"`, and is refused unless
 * the epoch is what was read: a message that arrives late, after the values went there and back, does
 * nothing.
 * - Questions are signed like updates, and their answers verified: a wrong key or clock shows at the first
 * look.
 * - Updates go by TCP: sent once, never repeated by the transport.
 * - ldns finds "bogus" every error that a server signs otherwise or not at all, so result codes are read from
 *   the raw answer. An unsigned error is believed, an unsigned success is not.
 */
#include "base/dnswire.h"
#include "base/strbuf.h"
#include "providers/dns/records.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define FUDGE_SECONDS 300 /* RFC 8945, section 10 */
#define EPOCH_TTL_SECONDS 60
#define MAX_LABELS 127

struct algorithm {
    const char *name;
    const char *wire_name;
};

/* hmac-md5 is left out on purpose (RFC 8945, section 6), hmac-sha384 because ldns 1.8.3 cannot sign with it
 * (it has it as "hmac-shac384."). */
static const struct algorithm algorithms[] = {
    {"hmac-sha256", "hmac-sha256."},
    {"hmac-sha512", "hmac-sha512."},
    {"hmac-sha1", "hmac-sha1."},
};

struct dns {
    char *name;                   /* of the account */
    char *server_text;            /* what server.text borrows */
    struct dnswire_server server; /* the zone's primary */
    const struct algorithm *algorithm;
    char *key_name;
    struct secret *key; /* base64 */
};

/* ---- opening ---- */

static const struct algorithm *find_algorithm(const char *name, size_t length)
{
    for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++)
        if (strlen(algorithms[i].name) == length && strncasecmp(algorithms[i].name, name, length) == 0)
            return &algorithms[i];
    return NULL;
}

static bool is_base64(const char *text)
{
    ldns_rdf *bytes = NULL;
    if (!text[0] || ldns_str2rdf_b64(&bytes, text) != LDNS_STATUS_OK)
        return false;
    size_t length = ldns_rdf_size(bytes);
    explicit_bzero(ldns_rdf_data(bytes), length);
    ldns_rdf_deep_free(bytes);
    return length > 0;
}

static bool is_name(const char *text)
{
    ldns_rdf *name = NULL;
    bool fine = text[0] && ldns_str2rdf_dname(&name, text) == LDNS_STATUS_OK;
    ldns_rdf_deep_free(name);
    return fine;
}

/* "hmac-sha512:rehost.key:c2VjcmV0" or "rehost.key:c2VjcmV0". No message may tell any of it but the
 * algorithm. */
static struct err *parse_key(struct dns *dns, const char *text)
{
    const char *colon = strchr(text, ':');
    const char *second = colon ? strchr(colon + 1, ':') : NULL;
    dns->algorithm = &algorithms[0];
    if (second) {
        dns->algorithm = find_algorithm(text, (size_t)(colon - text));
        text = colon + 1;
        colon = second;
    }
    if (!dns->algorithm)
        return err_with_hint(
            err_new(ERR_INPUT, "account '%s': the TSIG key has an algorithm that is not used", dns->name),
            "make a key for hmac-sha256 or hmac-sha512 (tsig-keygen, keymgr -t)");
    dns->key_name = colon ? strndup(text, (size_t)(colon - text)) : NULL;
    if (!dns->key_name || !is_name(dns->key_name) || !is_base64(colon + 1))
        return err_with_hint(
            err_new(ERR_INPUT, "account '%s': the token is not a TSIG key", dns->name),
            "write it like dig's option -y: 'hmac-sha256:NAME:BASE64', with the name that the server knows");
    return secret_new(colon + 1, strlen(colon + 1), &dns->key);
}

static void rfc2136_close(struct dns *dns)
{
    if (!dns)
        return;
    secret_free(dns->key);
    free(dns->key_name);
    free(dns->server_text);
    free(dns->name);
    free(dns);
}

static struct err *fill(struct dns *dns, const struct account_options *options)
{
    dns->name = strdup(options->name);
    if (!dns->name)
        return err_new(ERR_INTERNAL, "out of memory");
    if (!options->endpoint || !options->token)
        return err_with_hint(
            err_new(ERR_INPUT, "account '%s' needs the server's address and a TSIG key", dns->name),
            "'endpoint: 192.0.2.53' or 'endpoint: 192.0.2.53:5353', and 'token' for the key");
    dns->server_text = strdup(options->endpoint);
    if (!dns->server_text)
        return err_new(ERR_INTERNAL, "out of memory");
    TRY(err_wrap(dnswire_parse_server(dns->server_text, &dns->server), "account '%s'", dns->name));
    return parse_key(dns, secret_text(options->token));
}

static struct err *rfc2136_open(const struct account_options *options, struct dns **dns)
{
    struct dns *opened = calloc(1, sizeof(*opened));
    if (!opened)
        return err_new(ERR_INTERNAL, "out of memory");
    struct err *e = fill(opened, options);
    if (e)
        rfc2136_close(opened);
    else
        *dns = opened;
    return e;
}

/* ---- signed messages ---- */

struct message {
    ldns_pkt *packet;
    uint8_t *wire;
    size_t length;
};

static void message_clear(struct message *message)
{
    ldns_pkt_free(message->packet);
    LDNS_FREE(message->wire);
}
#define CLEANUP_MESSAGE __attribute__((cleanup(message_clear)))

static void rr_list_freep(ldns_rr_list **list)
{
    ldns_rr_list_deep_free(*list);
}
#define CLEANUP_RR_LIST __attribute__((cleanup(rr_list_freep)))

static struct err *library_failed(const char *what, ldns_status status)
{
    return err_new(ERR_INTERNAL, "cannot %s: %s", what, ldns_get_errorstr_by_id(status));
}

static struct err *sign(const struct dns *dns, struct message *message)
{
    ldns_pkt_set_random_id(message->packet);
    ldns_status status = ldns_pkt_tsig_sign(message->packet, dns->key_name, secret_text(dns->key),
                                            FUDGE_SECONDS, dns->algorithm->wire_name, NULL);
    if (status != LDNS_STATUS_OK)
        return library_failed("sign a DNS message", status);
    status = ldns_pkt2wire(&message->wire, message->packet, &message->length);
    return status == LDNS_STATUS_OK ? NULL : library_failed("encode a DNS message", status);
}

enum { TSIG_ALGORITHM_FIELD = 0, TSIG_MAC_FIELD = 3, TSIG_ERROR_FIELD = 5, TSIG_FIELDS = 7 };

static int tsig_error(const ldns_pkt *packet)
{
    const ldns_rr *tsig = ldns_pkt_tsig(packet);
    const ldns_rdf *field = tsig ? ldns_rr_rdf(tsig, TSIG_ERROR_FIELD) : NULL;
    return field && ldns_rdf_size(field) == 2 ? ldns_rdf2native_int16(field) : 0;
}

static bool is_verified(const struct dns *dns, const struct message *message,
                        const struct dnswire_answer *answer)
{
    const ldns_rr *ours = ldns_pkt_tsig(message->packet);
    const ldns_rr *theirs = ldns_pkt_tsig(answer->packet);
    return theirs && ldns_rr_rd_count(theirs) == TSIG_FIELDS && /* ldns counts on it */
           ldns_dname_compare(ldns_rr_rdf(theirs, TSIG_ALGORITHM_FIELD),
                              ldns_rr_rdf(ours, TSIG_ALGORITHM_FIELD)) == 0 &&
           ldns_pkt_tsig_verify(answer->packet, answer->wire, answer->length, dns->key_name,
                                secret_text(dns->key), ldns_rr_rdf(ours, TSIG_MAC_FIELD));
}

/* What a result code means; data, so that it reads like the RFCs. */
static const struct {
    int tsig_error; /* 0: none */
    ldns_pkt_rcode rcode;
    enum err_kind kind;
    const char *name;
    const char *hint; /* NULL: none */
} meanings[] = {
    {16, LDNS_RCODE_NOTAUTH, ERR_AUTH, "BADSIG",
     "the server has another secret under this name: compare the key, and its algorithm"},
    {17, LDNS_RCODE_NOTAUTH, ERR_AUTH, "BADKEY",
     "the server has no key of this name and algorithm, or it may not do this (Knot: acl): compare with its "
     "configuration"},
    {18, LDNS_RCODE_NOTAUTH, ERR_AUTH, "BADTIME",
     "the clocks of this machine and the server differ by more than five minutes: set the wrong one"},
    {22, LDNS_RCODE_NOTAUTH, ERR_AUTH, "BADTRUNC",
     "the server wants longer signatures: use another algorithm"},
    {0, LDNS_RCODE_NOTAUTH, ERR_AUTH, "NOTAUTH",
     "'endpoint' has to be the zone's primary server; also compare the clocks, the key's name, secret and "
     "algorithm"},
    {0, LDNS_RCODE_REFUSED, ERR_AUTH, "REFUSED",
     "let this key change the listed names and TXT of '_rehost' in the zone (BIND: allow-update or "
     "update-policy, Knot: acl); also compare the clocks, the key's name and algorithm"},
    {0, LDNS_RCODE_SERVFAIL, ERR_TRANSIENT, "SERVFAIL", "the server's log tells why"},
    {0, LDNS_RCODE_NOTIMPL, ERR_REJECTED, "NOTIMP", "is this the zone's primary, and does it take updates?"},
    {0, LDNS_RCODE_NOTZONE, ERR_REJECTED, "NOTZONE", NULL},
    {0, LDNS_RCODE_FORMERR, ERR_REJECTED, "FORMERR", NULL},
};

static struct err *answered_error(const struct dns *dns, const char *what, const ldns_pkt *packet)
{
    int key_error = tsig_error(packet);
    ldns_pkt_rcode rcode = ldns_pkt_get_rcode(packet);
    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
        if (meanings[i].rcode != rcode || meanings[i].tsig_error != key_error)
            continue;
        struct err *e =
            err_new(meanings[i].kind, "%s: the DNS server '%s' answered %s to account '%s' (key '%s', %s)",
                    what, dns->server.text, meanings[i].name, dns->name, dns->key_name, dns->algorithm->name);
        return meanings[i].hint ? err_with_hint(e, "%s", meanings[i].hint) : e;
    }
    return err_new(key_error ? ERR_AUTH : ERR_REJECTED, "%s: the DNS server '%s' answered code %d (TSIG %d)",
                   what, dns->server.text, (int)rcode, key_error);
}

/* The codes that say something about names; all others are errors whoever sent them. */
static bool is_statement(ldns_pkt_rcode rcode)
{
    return rcode == LDNS_RCODE_NOERROR || rcode == LDNS_RCODE_NXDOMAIN || rcode == LDNS_RCODE_NXRRSET ||
           rcode == LDNS_RCODE_YXRRSET || rcode == LDNS_RCODE_YXDOMAIN;
}

static struct err *check_answer(const struct dns *dns, const char *what, const struct message *message,
                                const struct dnswire_answer *answer)
{
    if (!is_statement(ldns_pkt_get_rcode(answer->packet)) || tsig_error(answer->packet))
        return answered_error(dns, what, answer->packet);
    if (is_verified(dns, message, answer))
        return NULL;
    return err_with_hint(err_new(ERR_TRUST,
                                 "%s: the answer of the DNS server '%s' is not signed with key '%s'", what,
                                 dns->server.text, dns->key_name),
                         "is 'endpoint' the server itself, and nothing between that answers in its place?");
}

/* ---- questions ---- */

static struct err *parse_name(const char *text, ldns_rdf **name)
{
    ldns_status status = ldns_str2rdf_dname(name, text);
    if (status == LDNS_STATUS_OK)
        return NULL;
    return err_new(ERR_INPUT, "'%s' is not a DNS name: %s", text, ldns_get_errorstr_by_id(status));
}

/* One signed question without recursion; every answer with a result code that says something about names. */
static struct err *ask(const struct ctx *ctx, const struct dns *dns, const char *name, ldns_rr_type type,
                       struct dnswire_answer *answer)
{
    CLEANUP_MESSAGE struct message message = {0};
    ldns_rdf *owner = NULL;
    TRY(parse_name(name, &owner));
    message.packet = ldns_pkt_query_new(owner, type, LDNS_RR_CLASS_IN, 0);
    if (!message.packet) {
        ldns_rdf_deep_free(owner);
        return err_new(ERR_INTERNAL, "out of memory");
    }
    ldns_pkt_set_edns_udp_size(message.packet, DNSWIRE_UDP_BYTES);
    TRY(sign(dns, &message));
    struct dnswire_question question = {&dns->server, message.packet, message.wire, message.length};
    TRY(dnswire_ask(ctx, &question, answer));
    return check_answer(dns, "a question", &message, answer);
}

/* The records of `name` and `type` themselves, as the server has them. */
struct rrset {
    ldns_rr_list *records;
    bool aliased; /* the name is a CNAME, and that was not asked for */
};

static void rrset_clear(struct rrset *rrset)
{
    ldns_rr_list_deep_free(rrset->records);
}
#define CLEANUP_RRSET __attribute__((cleanup(rrset_clear)))

static struct err *take_records(const char *name, ldns_rr_type type, const ldns_pkt *packet,
                                struct rrset *rrset)
{
    const ldns_rr_list *list = ldns_pkt_answer(packet);
    ldns_rdf *owner = NULL;
    TRY(parse_name(name, &owner));
    rrset->records = ldns_rr_list_new();
    for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
        const ldns_rr *rr = ldns_rr_list_rr(list, i);
        if (ldns_dname_compare(ldns_rr_owner(rr), owner) != 0)
            continue;
        if (ldns_rr_get_type(rr) == type)
            (void)ldns_rr_list_push_rr(rrset->records, ldns_rr_clone(rr));
        else if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_CNAME)
            rrset->aliased = true;
    }
    ldns_rdf_deep_free(owner);
    return NULL;
}

static size_t rrset_count(const struct rrset *rrset)
{
    return ldns_rr_list_rr_count(rrset->records);
}

static struct err *read_rrset(const struct ctx *ctx, const struct dns *dns, const char *name,
                              ldns_rr_type type, struct rrset *rrset)
{
    CLEANUP_DNSWIRE_ANSWER struct dnswire_answer answer = {0};
    TRY(ask(ctx, dns, name, type, &answer));
    if (!ldns_pkt_aa(answer.packet))
        return err_with_hint(err_new(ERR_REJECTED, "the DNS server '%s' is not authoritative for '%s'",
                                     dns->server.text, name),
                             "'endpoint' has to be the primary server of the zone");
    return take_records(name, type, answer.packet, rrset);
}

/* ---- zones ---- */

static bool is_delegated(const ldns_pkt *packet)
{
    const ldns_rr_list *list = ldns_pkt_authority(packet);
    return !ldns_pkt_aa(packet) && ldns_rr_list_rr_count(list) &&
           ldns_rr_get_type(ldns_rr_list_rr(list, 0)) == LDNS_RR_TYPE_NS;
}

/* Whether `name` is a zone of this server: one look. REFUSED is how servers say "none of mine". */
static struct err *look_for_zone(const struct ctx *ctx, const struct dns *dns, struct arena *arena,
                                 const char *name, struct dns_zone *zone)
{
    CLEANUP_DNSWIRE_ANSWER struct dnswire_answer answer = {0};
    CLEANUP_RRSET struct rrset soa = {0};
    struct err *e = ask(ctx, dns, name, LDNS_RR_TYPE_SOA, &answer);
    if (e && answer.packet && ldns_pkt_get_rcode(answer.packet) == LDNS_RCODE_REFUSED) {
        err_free(e);
        return NULL;
    }
    TRY(e);
    if (is_delegated(answer.packet))
        return err_with_hint(
            err_new(ERR_NOT_FOUND, "the DNS server '%s' delegates '%s' to others", dns->server.text, name),
            "the zone that holds it has a primary server of its own");
    TRY(take_records(name, LDNS_RR_TYPE_SOA, answer.packet, &soa));
    if (!ldns_pkt_aa(answer.packet) || !rrset_count(&soa))
        return NULL;
    zone->name = zone->id = arena_strdup(arena, name);
    zone->default_ttl_seconds = ldns_rr_ttl(ldns_rr_list_rr(soa.records, 0));
    return NULL;
}

static struct err *rfc2136_zone_find(const struct ctx *ctx, struct dns *dns, struct arena *arena,
                                     const char *name, struct dns_zone *zone)
{
    const char *candidate = dns_without_dot(arena, name);
    *zone = (struct dns_zone){0};
    for (int i = 0; i < MAX_LABELS && candidate[0] && !zone->name; i++) {
        TRY(look_for_zone(ctx, dns, arena, candidate, zone));
        const char *dot = strchr(candidate, '.');
        candidate = dot ? dot + 1 : "";
    }
    if (zone->name)
        return NULL;
    return err_with_hint(
        err_new(ERR_NOT_FOUND, "the DNS server '%s' has no zone that holds '%s'", dns->server.text, name),
        "'endpoint' has to be the zone's primary server, and has to let the key '%s' ask", dns->key_name);
}

/* ---- values ---- */

static const struct record_type {
    const char *name;
    ldns_rr_type type;
    ldns_rdf_type field;
} types[] = {
    {"A", LDNS_RR_TYPE_A, LDNS_RDF_TYPE_A},
    {"AAAA", LDNS_RR_TYPE_AAAA, LDNS_RDF_TYPE_AAAA},
    {"CNAME", LDNS_RR_TYPE_CNAME, LDNS_RDF_TYPE_DNAME},
    {"TXT", LDNS_RR_TYPE_TXT, LDNS_RDF_TYPE_STR},
};

static struct err *find_type(const char *name, const struct record_type **type)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (strcmp(types[i].name, name) == 0) {
            *type = &types[i];
            return NULL;
        }
    return err_new(ERR_INPUT, "records of type '%s' are not changed: only A, AAAA, CNAME and TXT", name);
}

/* The strings of a TXT record joined; of anything else its only field. */
static const char *value_of(struct arena *arena, const ldns_rr *rr)
{
    CLEANUP_STRBUF struct strbuf text;
    strbuf_init(&text, DNSWIRE_MAX_BYTES);
    if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_TXT) {
        char *field = ldns_rdf2str(ldns_rr_rdf(rr, 0));
        strbuf_adds(&text, field ? field : "");
        LDNS_FREE(field);
        return dns_without_dot(arena, text.data);
    }
    for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) { /* a byte of length, then the string */
        const ldns_rdf *part = ldns_rr_rdf(rr, i);
        if (ldns_rdf_size(part) > 1)
            strbuf_add(&text, (const char *)ldns_rdf_data(part) + 1, ldns_rdf_size(part) - 1);
    }
    return strbuf_to_arena(&text, arena);
}

/* A string of a record holds 255 bytes at most; longer texts are several. */
static bool push_text(ldns_rr *rr, const char *value)
{
    size_t left = strlen(value);
    do {
        uint8_t part[256];
        size_t length = left < 255 ? left : 255;
        part[0] = (uint8_t)length;
        memcpy(part + 1, value, length);
        ldns_rdf *field = ldns_rdf_new_frm_data(LDNS_RDF_TYPE_STR, length + 1, part);
        if (!field || !ldns_rr_push_rdf(rr, field))
            return false;
        value += length;
        left -= length;
    } while (left);
    return true;
}

static bool push_value(ldns_rr *rr, const struct record_type *type, const char *value)
{
    if (type->field == LDNS_RDF_TYPE_STR)
        return push_text(rr, value);
    ldns_rdf *field = ldns_rdf_new_frm_str(type->field, value);
    return field && ldns_rr_push_rdf(rr, field);
}

/* A record without value says "all of them" or "none", by its class (RFC 2136, sections 2.4 and 2.5). */
static struct err *push_record(ldns_rr_list *list, const char *owner, ldns_rr_class class, ldns_rr_type type,
                               ldns_rr **ret_rr)
{
    ldns_rdf *name = NULL;
    TRY(parse_name(owner, &name));
    ldns_rr *rr = ldns_rr_new();
    if (!rr) {
        ldns_rdf_deep_free(name);
        return err_new(ERR_INTERNAL, "out of memory");
    }
    ldns_rr_set_owner(rr, name);
    ldns_rr_set_class(rr, class);
    ldns_rr_set_type(rr, type);
    ldns_rr_set_ttl(rr, 0);
    (void)ldns_rr_list_push_rr(list, rr);
    if (ret_rr)
        *ret_rr = rr;
    return NULL;
}

static struct err *push_addition(ldns_rr_list *list, const char *owner, const struct record_type *type,
                                 int64_t ttl_seconds, const char *value)
{
    ldns_rr *rr = NULL;
    TRY(push_record(list, owner, LDNS_RR_CLASS_IN, type->type, &rr));
    ldns_rr_set_ttl(rr, (uint32_t)ttl_seconds);
    if (push_value(rr, type, value))
        return NULL;
    return err_new(ERR_INPUT, "'%s' is not a value for %s of '%s'", value, type->name, owner);
}

static struct dns_record_set set_of(struct arena *arena, const struct dns_zone *zone, const char *name,
                                    const char *type, const struct rrset *rrset)
{
    struct dns_record_set set = {.name = dns_without_dot(arena, name),
                                 .type = arena_strdup(arena, type),
                                 .ttl_seconds = zone->default_ttl_seconds,
                                 .count = rrset_count(rrset)};
    set.values = arena_array(arena, set.count + 1, sizeof(*set.values));
    for (size_t i = 0; i < set.count; i++)
        set.values[i] = value_of(arena, ldns_rr_list_rr(rrset->records, i));
    if (set.count)
        set.ttl_seconds = ldns_rr_ttl(ldns_rr_list_rr(rrset->records, 0));
    dns_sort_values(&set);
    return set;
}

static struct err *rfc2136_record_get(const struct ctx *ctx, struct dns *dns, struct arena *arena,
                                      const struct dns_zone *zone, const char *name, const char *type,
                                      struct dns_record_set *set)
{
    const struct record_type *known = NULL;
    CLEANUP_RRSET struct rrset rrset = {0};
    TRY(find_type(type, &known));
    TRY(read_rrset(ctx, dns, name, known->type, &rrset));
    *set = set_of(arena, zone, name, type, &rrset);
    return NULL;
}

/* ---- the epoch record ---- */

struct epoch {
    const char *owner; /* "_rehost.example.com" */
    struct rrset rrset;
    long long number; /* 0: there is no record yet */
};

static void epoch_clear(struct epoch *epoch)
{
    rrset_clear(&epoch->rrset);
}
#define CLEANUP_EPOCH __attribute__((cleanup(epoch_clear)))

static struct err *read_epoch(const struct ctx *ctx, const struct dns *dns, struct arena *arena,
                              const struct dns_zone *zone, struct epoch *epoch)
{
    static const char prefix[] = "epoch=";
    epoch->owner = arena_printf(arena, "_rehost.%s", zone->name);
    TRY(read_rrset(ctx, dns, epoch->owner, LDNS_RR_TYPE_TXT, &epoch->rrset));
    if (!rrset_count(&epoch->rrset) && !epoch->rrset.aliased)
        return NULL;
    const char *text =
        rrset_count(&epoch->rrset) == 1 ? value_of(arena, ldns_rr_list_rr(epoch->rrset.records, 0)) : "";
    char *end = NULL;
    if (strncmp(text, prefix, strlen(prefix)) == 0)
        epoch->number = strtoll(text + strlen(prefix), &end, 10);
    if (end && !*end && epoch->number > 0 && epoch->number < INT64_MAX)
        return NULL;
    return err_with_hint(
        err_new(ERR_REJECTED, "'%s' TXT is not the count of changes that is kept there", epoch->owner),
        "remove what stands there, if nobody else needs it");
}

/* ---- changes ---- */

struct change {
    const struct dns_zone *zone;
    const struct record_type *type;
    const struct rrset *found;
    const struct dns_record_set *wanted;
    int64_t ttl_seconds;
    const struct epoch *epoch;
};

/* "exists with exactly these values" or "does not exist" */
static struct err *push_state(ldns_rr_list *list, const char *owner, ldns_rr_type type,
                              const struct rrset *rrset)
{
    for (size_t i = 0; i < rrset_count(rrset); i++) {
        ldns_rr *rr = ldns_rr_clone(ldns_rr_list_rr(rrset->records, i));
        ldns_rr_set_ttl(rr, 0);
        (void)ldns_rr_list_push_rr(list, rr);
    }
    return rrset_count(rrset) ? NULL : push_record(list, owner, LDNS_RR_CLASS_NONE, type, NULL);
}

/* A server passes over a CNAME beside other records, and other records beside a CNAME, without a word (RFC
 * 2136, section 3.4.2.2): so that is ruled out beforehand. */
static struct err *push_prerequisites(ldns_rr_list *list, const struct change *change)
{
    const char *owner = change->wanted->name;
    bool is_alias = change->type->type == LDNS_RR_TYPE_CNAME;
    if (is_alias && !rrset_count(change->found))
        TRY(push_record(list, owner, LDNS_RR_CLASS_NONE, LDNS_RR_TYPE_ANY, NULL));
    else
        TRY(push_state(list, owner, change->type->type, change->found));
    if (!is_alias && change->wanted->count)
        TRY(push_record(list, owner, LDNS_RR_CLASS_NONE, LDNS_RR_TYPE_CNAME, NULL));
    return push_state(list, change->epoch->owner, LDNS_RR_TYPE_TXT, &change->epoch->rrset);
}

static struct err *push_updates(struct arena *arena, ldns_rr_list *list, const struct change *change)
{
    const struct dns_record_set *wanted = change->wanted;
    const struct record_type *text = NULL;
    TRY(find_type("TXT", &text));
    TRY(push_record(list, wanted->name, LDNS_RR_CLASS_ANY, change->type->type, NULL));
    for (size_t i = 0; i < wanted->count; i++)
        TRY(push_addition(list, wanted->name, change->type, change->ttl_seconds, wanted->values[i]));
    TRY(push_record(list, change->epoch->owner, LDNS_RR_CLASS_ANY, LDNS_RR_TYPE_TXT, NULL));
    return push_addition(list, change->epoch->owner, text, EPOCH_TTL_SECONDS,
                         arena_printf(arena, "epoch=%lld", change->epoch->number + 1));
}

static struct err *make_update(const struct dns *dns, struct arena *arena, const struct change *change,
                               struct message *message)
{
    CLEANUP_RR_LIST ldns_rr_list *prerequisites = ldns_rr_list_new();
    CLEANUP_RR_LIST ldns_rr_list *updates = ldns_rr_list_new();
    ldns_rdf *zone = NULL;
    TRY(push_prerequisites(prerequisites, change));
    TRY(push_updates(arena, updates, change));
    TRY(parse_name(change->zone->name, &zone));
    message->packet = ldns_update_pkt_new(zone, LDNS_RR_CLASS_IN, prerequisites, updates, NULL);
    if (!message->packet) {
        ldns_rdf_deep_free(zone);
        return err_new(ERR_INTERNAL, "out of memory");
    }
    ldns_pkt_set_rd(message->packet, false);
    return sign(dns, message);
}

/* Sends the update. *refused: a prerequisite did not hold, and nothing was written. */
static struct err *send_update(const struct ctx *ctx, const struct dns *dns, struct arena *arena,
                               const struct change *change, bool *refused)
{
    CLEANUP_MESSAGE struct message message = {0};
    CLEANUP_DNSWIRE_ANSWER struct dnswire_answer answer = {0};
    const char *what = arena_printf(arena, "change of '%s' %s", change->wanted->name, change->wanted->type);
    TRY(make_update(dns, arena, change, &message));
    struct dnswire_question question = {&dns->server, message.packet, message.wire, message.length};
    TRY(err_wrap(dnswire_tell(ctx, &question, &answer), "%s", what));
    struct err *e = check_answer(dns, what, &message, &answer);
    if (e && err_kind(e) == ERR_TRUST) /* whoever wrote that answer, the server may have done it */
        return err_with_kind(e, ERR_UNKNOWN_OUTCOME);
    TRY(e);
    *refused = ldns_pkt_get_rcode(answer.packet) != LDNS_RCODE_NOERROR;
    return NULL;
}

static struct err *alias_in_the_way(const struct dns_record_set *wanted)
{
    bool is_alias = strcmp(wanted->type, "CNAME") == 0;
    return err_with_hint(err_new(ERR_REJECTED, "'%s' has %s: %s cannot stand beside it", wanted->name,
                                 is_alias ? "other records" : "a CNAME", wanted->type),
                         "list the record that is there, or remove it");
}

static bool is_as_wanted(const struct dns_record_set *found, const struct change *change)
{
    const struct dns_record_set *wanted = change->wanted;
    return dns_record_set_equal(found, wanted) &&
           (!wanted->count || found->ttl_seconds == change->ttl_seconds);
}

/* Why a prerequisite did not hold, told by a second look. */
static struct err *explain_refusal(const struct ctx *ctx, const struct dns *dns, struct arena *arena,
                                   const struct change *change, const struct dns_record_set *expected)
{
    CLEANUP_RRSET struct rrset rrset = {0};
    CLEANUP_EPOCH struct epoch epoch = {0};
    const struct dns_record_set *wanted = change->wanted;
    TRY(read_rrset(ctx, dns, wanted->name, change->type->type, &rrset));
    struct dns_record_set found = set_of(arena, change->zone, wanted->name, wanted->type, &rrset);
    if (is_as_wanted(&found, change))
        return NULL;
    TRY(dns_check_expected_whole(arena, &found, expected, wanted));
    TRY(read_epoch(ctx, dns, arena, change->zone, &epoch));
    if (epoch.number != change->epoch->number)
        return err_new(ERR_TRANSIENT, "another change to the zone '%s' came first; nothing was written",
                       change->zone->name);
    if (!found.count)
        return alias_in_the_way(wanted);
    return err_with_hint(err_new(ERR_REJECTED, "'%s' %s is answered but does not exist; nothing was written",
                                 wanted->name, wanted->type),
                         "a wildcard seems to answer: give the name a record of its own");
}

static int64_t ttl_for(const struct dns_record_set *wanted, const struct dns_record_set *found)
{
    int64_t seconds = wanted->ttl_seconds > 0 ? wanted->ttl_seconds : found->ttl_seconds;
    return seconds < INT32_MAX ? seconds : INT32_MAX; /* RFC 2181, section 8 */
}

static struct err *rfc2136_record_set_if(const struct ctx *ctx, struct dns *dns, struct arena *arena,
                                         const struct dns_zone *zone, const struct dns_record_set *expected,
                                         const struct dns_record_set *wanted, const char **op)
{
    CLEANUP_RRSET struct rrset rrset = {0};
    CLEANUP_EPOCH struct epoch epoch = {0};
    struct change change = {.zone = zone, .found = &rrset, .wanted = wanted, .epoch = &epoch};
    const char *relative = NULL;
    bool refused = false;
    *op = NULL;
    TRY(dns_relative_name(arena, zone->name, wanted->name, "@", &relative));
    TRY(find_type(wanted->type, &change.type));
    TRY(read_rrset(ctx, dns, wanted->name, change.type->type, &rrset));
    struct dns_record_set found = set_of(arena, zone, wanted->name, wanted->type, &rrset);
    TRY(dns_check_expected_whole(arena, &found, expected, wanted));
    if (rrset.aliased && wanted->count)
        return alias_in_the_way(wanted);
    change.ttl_seconds = ttl_for(wanted, &found);
    if (is_as_wanted(&found, &change))
        return NULL;
    TRY(read_epoch(ctx, dns, arena, zone, &epoch));
    TRY(send_update(ctx, dns, arena, &change, &refused));
    return refused ? explain_refusal(ctx, dns, arena, &change, expected) : NULL;
}

static struct err *rfc2136_authoritative_servers(const struct ctx *ctx, struct dns *dns, struct arena *arena,
                                                 const struct dns_zone *zone, const char ***names,
                                                 size_t *count)
{
    CLEANUP_RRSET struct rrset rrset = {0};
    TRY(read_rrset(ctx, dns, zone->name, LDNS_RR_TYPE_NS, &rrset));
    struct dns_record_set set = set_of(arena, zone, zone->name, "NS", &rrset);
    *names = set.values;
    *count = set.count;
    return NULL;
}

const struct dns_ops dns_rfc2136 = {
    .type = "rfc2136",
    .ttl_min_seconds = 1,
    .open = rfc2136_open,
    .close = rfc2136_close,
    .zone_find = rfc2136_zone_find,
    .record_get = rfc2136_record_get,
    .record_set_if = rfc2136_record_set_if,
    .authoritative_servers = rfc2136_authoritative_servers,
};
