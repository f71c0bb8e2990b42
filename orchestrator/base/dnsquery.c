#include "base/dnsquery.h"

#include "base/dnswire.h"
#include "base/strbuf.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAX_CHAIN 8
#define MAX_VALUES 256

struct question {
    ldns_pkt *packet;
    uint8_t *wire;
    size_t length;
    ldns_rr_type type;
    const char *server; /* as asked for, for messages */
    const char *name;
    const char *type_name;
};

static void question_clear(struct question *question)
{
    ldns_pkt_free(question->packet);
    LDNS_FREE(question->wire);
}

/* --- the question --- */

static struct err *parse_type(const char *text, ldns_rr_type *type)
{
    static const struct {
        const char *name;
        ldns_rr_type type;
    } types[] = {{"A", LDNS_RR_TYPE_A},     {"AAAA", LDNS_RR_TYPE_AAAA}, {"NS", LDNS_RR_TYPE_NS},
                 {"SOA", LDNS_RR_TYPE_SOA}, {"TXT", LDNS_RR_TYPE_TXT},   {"CNAME", LDNS_RR_TYPE_CNAME}};
    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
        if (strcasecmp(text, types[i].name) == 0) {
            *type = types[i].type;
            return NULL;
        }
    return err_new(ERR_INPUT, "'%s' is not a DNS type that can be asked for", text);
}

/* ldns frees what it takes; `name` has been parsed by it. */
static struct err *make_question(struct question *question, bool recurse)
{
    TRY(parse_type(question->type_name, &question->type));
    ldns_rdf *name = NULL;
    ldns_status status = ldns_str2rdf_dname(&name, question->name);
    if (status != LDNS_STATUS_OK)
        return err_new(ERR_INPUT, "'%s' is not a DNS name: %s", question->name,
                       ldns_get_errorstr_by_id(status));
    question->packet = ldns_pkt_query_new(name, question->type, LDNS_RR_CLASS_IN, recurse ? LDNS_RD : 0);
    if (!question->packet) {
        ldns_rdf_deep_free(name);
        return err_new(ERR_INTERNAL, "out of memory");
    }
    ldns_pkt_set_random_id(question->packet);
    ldns_pkt_set_edns_udp_size(question->packet, DNSWIRE_UDP_BYTES);
    if (ldns_pkt2wire(&question->wire, question->packet, &question->length) != LDNS_STATUS_OK)
        return err_new(ERR_INTERNAL, "cannot encode a DNS question");
    return NULL;
}

/* --- the server --- */

/* The first name server of /etc/resolv.conf. */
static struct err *system_server(struct arena *arena, const char **server)
{
    ldns_resolver *resolver = NULL;
    if (ldns_resolver_new_frm_file(&resolver, NULL) != LDNS_STATUS_OK ||
        !ldns_resolver_nameserver_count(resolver)) {
        ldns_resolver_deep_free(resolver);
        return err_new(ERR_TRANSIENT, "the system has no DNS resolver in '/etc/resolv.conf'");
    }
    char *text = ldns_rdf2str(ldns_resolver_nameservers(resolver)[0]);
    *server = arena_strdup(arena, text);
    LDNS_FREE(text);
    ldns_resolver_deep_free(resolver);
    return NULL;
}

/* --- the answer --- */

static struct err *check_rcode(const struct question *question, const ldns_pkt *answer)
{
    ldns_pkt_rcode rcode = ldns_pkt_get_rcode(answer);
    if (rcode == LDNS_RCODE_NOERROR)
        return NULL;
    if (rcode == LDNS_RCODE_NXDOMAIN)
        return err_new(ERR_NOT_FOUND, "the DNS server '%s' knows no name '%s'", question->server,
                       question->name);
    char *text = ldns_pkt_rcode2str(rcode);
    struct err *e =
        err_new(ERR_TRANSIENT, "the DNS server '%s' answered %s when asked for '%s' %s", question->server,
                text ? text : "with an error", question->name, question->type_name);
    LDNS_FREE(text);
    return e;
}

/* The strings of a TXT record joined, as SPF and others read them (RFC 7208, section 3.3). */
static char *txt_value(struct arena *arena, const ldns_rr *rr)
{
    CLEANUP_STRBUF struct strbuf text;
    strbuf_init(&text, DNSWIRE_MAX_BYTES);
    for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
        const ldns_rdf *part = ldns_rr_rdf(rr, i);
        if (ldns_rdf_size(part) > 1) /* a byte of length, then the string */
            strbuf_add(&text, (const char *)ldns_rdf_data(part) + 1, ldns_rdf_size(part) - 1);
    }
    return strbuf_to_arena(&text, arena);
}

/* Everything else: the fields with a space in between, names in lower case and without their last dot. */
static char *plain_value(struct arena *arena, const ldns_rr *rr)
{
    CLEANUP_STRBUF struct strbuf text;
    strbuf_init(&text, DNSWIRE_MAX_BYTES);
    for (size_t i = 0; i < ldns_rr_rd_count(rr); i++) {
        char *field = ldns_rdf2str(ldns_rr_rdf(rr, i));
        size_t length = field ? strlen(field) : 0;
        if (length > 1 && ldns_rdf_get_type(ldns_rr_rdf(rr, i)) == LDNS_RDF_TYPE_DNAME &&
            field[length - 1] == '.')
            length--;
        if (i)
            strbuf_addc(&text, ' ');
        for (size_t j = 0; j < length; j++)
            strbuf_addc(&text, (char)tolower((unsigned char)field[j]));
        LDNS_FREE(field);
    }
    return strbuf_to_arena(&text, arena);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_value(struct arena *arena, const ldns_rr *rr, struct dns_answer *answer)
{
    int64_t ttl = ldns_rr_ttl(rr);
    if (answer->count == MAX_VALUES)
        return;
    if (!answer->count || ttl < answer->ttl_seconds)
        answer->ttl_seconds = ttl;
    answer->values[answer->count++] =
        ldns_rr_get_type(rr) == LDNS_RR_TYPE_TXT ? txt_value(arena, rr) : plain_value(arena, rr);
}

/* Adds the records of `type` that `name` owns; returns where a CNAME of it leads, or NULL. */
static const ldns_rdf *take_records(struct arena *arena, const ldns_rr_list *list, const ldns_rdf *name,
                                    ldns_rr_type type, struct dns_answer *answer)
{
    const ldns_rdf *alias = NULL;
    for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
        const ldns_rr *rr = ldns_rr_list_rr(list, i);
        if (ldns_dname_compare(ldns_rr_owner(rr), name) != 0)
            continue;
        if (ldns_rr_get_type(rr) == type)
            add_value(arena, rr, answer);
        else if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_CNAME)
            alias = ldns_rr_rdf(rr, 0);
    }
    return alias;
}

static void collect(struct arena *arena, const struct question *question, const ldns_pkt *packet,
                    struct dns_answer *answer)
{
    const ldns_rdf *name = ldns_rr_owner(ldns_rr_list_rr(ldns_pkt_question(packet), 0));
    const ldns_rdf *next = name;
    for (int step = 0; step < MAX_CHAIN && next && !answer->count; step++)
        next = take_records(arena, ldns_pkt_answer(packet), next, question->type, answer);
    if (!answer->count &&
        question->type == LDNS_RR_TYPE_NS) /* a parent tells of a delegation in another section */
        (void)take_records(arena, ldns_pkt_authority(packet), name, question->type, answer);
    qsort(answer->values, answer->count, sizeof(*answer->values), by_text);
}

static struct err *ask(const struct ctx *ctx, struct arena *arena, struct question *question, bool recurse,
                       struct dns_answer *answer)
{
    struct dnswire_server server;
    CLEANUP_DNSWIRE_ANSWER struct dnswire_answer raw = {0};
    TRY(make_question(question, recurse));
    TRY(dnswire_parse_server(question->server, &server));
    struct dnswire_question sent = {&server, question->packet, question->wire, question->length};
    TRY(dnswire_ask(ctx, &sent, &raw));
    TRY(check_rcode(question, raw.packet));
    answer->authoritative = ldns_pkt_aa(raw.packet);
    collect(arena, question, raw.packet, answer);
    if (!answer->count)
        return err_new(ERR_NOT_FOUND, "the DNS server '%s' has no %s for '%s'", question->server,
                       question->type_name, question->name);
    return NULL;
}

struct err *dnsquery_ask(const struct ctx *ctx, struct arena *arena, const char *server, const char *name,
                         const char *type, bool recurse, struct dns_answer *answer)
{
    *answer = (struct dns_answer){.values = arena_array(arena, MAX_VALUES, sizeof(*answer->values))};
    if (!server)
        TRY(system_server(arena, &server));
    struct question question
        __attribute__((cleanup(question_clear))) = {.server = server, .name = name, .type_name = type};
    return ask(ctx, arena, &question, recurse, answer);
}
