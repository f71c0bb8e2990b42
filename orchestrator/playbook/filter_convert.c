/* Filters that convert: roots, sizes for people, UUIDs. */
#include "playbook/filter.h"
#include <math.h>
#include <openssl/evp.h>
#include <string.h>

/* root(base=2) */
static struct err *apply_root(struct eval *ev, const struct call *call, json_t **out)
{
    if (!value_is_number(call->input) || (call->arg[0] && !value_is_number(call->arg[0])))
        return call_wrong(call, "a number");
    double base = call->arg[0] ? value_number(call->arg[0]) : 2, number = value_number(call->input);
    if (base == 0)
        return err_new(ERR_INPUT, "division by zero");
    return pool_real(ev->pool, base == 2 ? sqrt(number) : pow(number, 1 / base), out);
}

/* filesizeformat(binary=false): 13000000 is '13.0 MB', or '12.4 MiB' */
static struct err *apply_filesizeformat(struct eval *ev, const struct call *call, json_t **out)
{
    static const char units[] = "kMGTPEZY";
    bool binary = call_truth(call->arg[0], false);
    if (!value_is_number(call->input))
        return call_wrong(call, "a number of bytes");
    double bytes = value_number(call->input), base = binary ? 1024 : 1000, unit = base * base;
    const char *text;
    size_t i = 0;
    if (bytes == 1) {
        text = "1 Byte";
    } else if (bytes < base) {
        text = arena_printf(ev->pool->arena, "%lld Bytes", (long long)fmax(bytes, -9e18));
    } else {
        while (units[i + 1] && bytes >= unit) {
            unit *= base;
            i++;
        }
        char letter = binary && units[i] == 'k' ? 'K' : units[i];
        text = arena_printf(ev->pool->arena, "%.1f %c%sB", base * bytes / unit, letter, binary ? "i" : "");
    }
    return pool_text(ev->pool, text, strlen(text), out);
}

static bool read_uuid(const char *text, unsigned char bytes[16])
{
    size_t n = 0;
    for (; *text; text++) {
        static const char digits[] = "0123456789abcdef";
        const char *digit = strchr(digits, *text | 0x20);
        if (*text == '-')
            continue;
        if (!digit || n == 32)
            return false;
        unsigned value = (unsigned)(digit - digits);
        bytes[n / 2] = (unsigned char)(n % 2 ? bytes[n / 2] | value : value << 4);
        n++;
    }
    return n == 32;
}

/* to_uuid(namespace=Ansible's): version 5 of RFC 4122 */
static struct err *apply_to_uuid(struct eval *ev, const struct call *call, json_t **out)
{
    const char *space = call_text(ev, call->arg[0], "361E6D51-FAEC-444A-9079-341386DA8E2E");
    const char *name = call_text(ev, call->input, "");
    CLEANUP_STRBUF struct strbuf sb;
    strbuf_init(&sb, VALUE_MAX_TEXT);
    unsigned char id[16], md[EVP_MAX_MD_SIZE];
    if (!read_uuid(space, id))
        return err_new(ERR_INPUT, "'to_uuid': the namespace '%.100s' is no UUID", space);
    strbuf_add(&sb, id, sizeof(id));
    strbuf_adds(&sb, name);
    TRY(strbuf_check(&sb, "the text"));
    if (!EVP_Digest(sb.data, sb.length, md, NULL, EVP_sha1(), NULL))
        return err_new(ERR_INTERNAL, "SHA-1 failed");
    md[6] = (md[6] & 0x0f) | 0x50;
    md[8] = (md[8] & 0x3f) | 0x80;
    strbuf_reset(&sb);
    for (size_t i = 0; i < 16; i++)
        strbuf_addf(&sb, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", md[i]);
    return pool_buffer(ev->pool, &sb, out);
}

static const struct filter rows[] = {
    {"root", apply_root, 0, 0, {"base"}},
    {"filesizeformat", apply_filesizeformat, 0, 0, {"binary"}},
    {"to_uuid", apply_to_uuid, 0, 0, {"namespace"}},
};
const struct filter_table filters_convert = {rows, sizeof(rows) / sizeof(*rows)};
