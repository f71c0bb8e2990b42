/* Filters that convert: defaults, numbers, JSON, YAML, digests, encodings. */
#include "base/hash.h"
#include "base/yaml.h"
#include "base/yaml_scalar.h"
#include "playbook/data_text.h"
#include "playbook/filter.h"
#include <crypt.h>
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* default(default_value='', boolean=false) */
static struct err *apply_default(struct eval *ev, const struct call *call, json_t **out)
{
    bool undefined = eval_is_undefined(ev, call->input);
    if (call->arg[1])
        TRY(eval_require(ev, call->arg[1]));
    if (!undefined && !(call_truth(call->arg[1], false) && !value_true(call->input))) {
        *out = call->input;
        return NULL;
    }
    *out = call->arg[0];
    return *out ? NULL : pool_text(ev->pool, "", 0, out);
}

static struct err *apply_mandatory(struct eval *ev, const struct call *call, json_t **out)
{
    *out = call->input;
    if (!eval_is_undefined(ev, call->input))
        return NULL;
    if (call->arg[0])
        return err_new(ERR_INPUT, "%s", call_text(ev, call->arg[0], ""));
    return err_wrap(eval_require(ev, call->input), "a mandatory variable is not defined");
}

static struct err *apply_bool(struct eval *ev, const struct call *call, json_t **out)
{
    (void)ev;
    *out = call->input;
    if (json_is_null(call->input) || json_is_boolean(call->input))
        return NULL;
    static const char *const words[] = {"yes", "on", "1", "true"};
    bool truth = value_is_number(call->input) && value_number(call->input) == 1;
    for (size_t i = 0; json_is_string(call->input) && i < 4; i++)
        truth = truth || strcasecmp(json_string_value(call->input), words[i]) == 0;
    *out = pool_bool(truth);
    return NULL;
}

/* ternary(true_val, false_val, none_val=None) */
static struct err *apply_ternary(struct eval *ev, const struct call *call, json_t **out)
{
    TRY(eval_require(ev, call->input)); /* what is not chosen may be undefined */
    bool none = json_is_null(call->input) && call->arg[2] && !json_is_null(call->arg[2]);
    *out = none ? call->arg[2] : value_true(call->input) ? call->arg[0] : call->arg[1];
    return NULL;
}

/* Digits of text without '_' and outer blanks; false when other characters are in it. */
static bool parse_integer(const char *text, int base, json_int_t *number)
{
    char clean[80], *end;
    size_t n = 0;
    text += strspn(text, " \t\r\n");
    for (; *text && n < sizeof(clean) - 1; text++)
        if (*text != '_')
            clean[n++] = *text;
    while (n && isspace((unsigned char)clean[n - 1]))
        n--;
    clean[n] = 0;
    const char *digits = clean + (*clean == '-' || *clean == '+');
    bool prefixed = digits[0] == '0' &&
                    ((base == 2 && tolower(digits[1]) == 'b') || (base == 8 && tolower(digits[1]) == 'o'));
    if (!isalnum((unsigned char)*digits) || base < 2 || base > 36)
        return false;
    errno = 0;
    *number = strtoll(prefixed ? digits + 2 : digits, &end, base);
    if (*clean == '-')
        *number = -*number;
    return errno == 0 && *end == 0 && end > digits;
}

/* int(default=0, base=10) */
static struct err *apply_int(struct eval *ev, const struct call *call, json_t **out)
{
    json_int_t base, number;
    TRY(call_int(call, 1, 10, &base));
    const json_t *input = call->input;
    if (value_is_int(input))
        return pool_integer(ev->pool, value_integer(input), out);
    double real = json_is_real(input) ? json_real_value(input) : NAN;
    if (json_is_string(input)) {
        char *end;
        if (parse_integer(json_string_value(input), (int)base, &number))
            return pool_integer(ev->pool, number, out);
        real = strtod(json_string_value(input), &end);
        if (end == json_string_value(input) || end[strspn(end, " \t\r\n")] ||
            strpbrk(json_string_value(input), "xXnN"))
            real = NAN;
    }
    if (fabs(real) >= 9.2e18)
        return err_new(ERR_INPUT, "the number does not fit in 64 bits");
    if (!isnan(real))
        return pool_integer(ev->pool, (json_int_t)real, out);
    *out = call->arg[0];
    return *out ? NULL : pool_integer(ev->pool, 0, out);
}

/* float(default=0.0) */
static struct err *apply_float(struct eval *ev, const struct call *call, json_t **out)
{
    if (value_is_number(call->input))
        return pool_real(ev->pool, value_number(call->input), out);
    if (json_is_string(call->input)) {
        char *end;
        const char *text = json_string_value(call->input);
        double real = strtod(text, &end);
        bool whole = end > text && !end[strspn(end, " \t\r\n")] && !strpbrk(text, "xX");
        if (whole && !isfinite(real))
            return err_new(ERR_INPUT, "'float': '%.40s' is not a finite number", text);
        if (whole)
            return pool_real(ev->pool, real, out);
    }
    *out = call->arg[0];
    return *out ? NULL : pool_real(ev->pool, 0, out);
}

static struct err *apply_abs(struct eval *ev, const struct call *call, json_t **out)
{
    if (!value_is_number(call->input))
        return call_wrong(call, "a number");
    if (json_is_real(call->input))
        return pool_real(ev->pool, fabs(json_real_value(call->input)), out);
    json_int_t number = value_integer(call->input);
    return pool_integer(ev->pool, number < 0 && number != INT64_MIN ? -number : number, out);
}

/* round(precision=0, method='common') */
static struct err *apply_round(struct eval *ev, const struct call *call, json_t **out)
{
    json_int_t precision;
    TRY(call_int(call, 0, 0, &precision));
    if (!value_is_number(call->input))
        return call_wrong(call, "a number");
    const char *method = call_text(ev, call->arg[1], "common");
    double number = value_number(call->input), scale = pow(10, (double)precision);
    if (precision < -300 || precision > 300)
        return err_new(ERR_INPUT, "'round' to %lld digits is not possible", (long long)precision);
    if (strcmp(method, "ceil") == 0)
        return pool_real(ev->pool, ceil(number * scale) / scale, out);
    if (strcmp(method, "floor") == 0)
        return pool_real(ev->pool, floor(number * scale) / scale, out);
    if (strcmp(method, "common") != 0)
        return err_new(ERR_INPUT, "'round' knows the methods common, ceil and floor, not '%s'", method);
    if (value_is_int(call->input) && precision >= 0)
        return pool_integer(ev->pool, value_integer(call->input), out);
    if (precision < 0)
        return pool_real(ev->pool, rint(number * scale) / scale, out);
    char text[700];
    /* Rounds the exact value, as Python does. It fits: at most 309 digits before the point and 300 behind it.
     */
    (void)snprintf(text, sizeof(text), "%.*f", (int)precision, number);
    return pool_real(ev->pool, strtod(text, NULL), out);
}

static struct err *apply_log(struct eval *ev, const struct call *call, json_t **out)
{
    if (!value_is_number(call->input) || (call->arg[0] && !value_is_number(call->arg[0])))
        return call_wrong(call, "a number");
    double number = value_number(call->input);
    if (!call->arg[0])
        return pool_real(ev->pool, log(number), out);
    double base = value_number(call->arg[0]);
    return pool_real(ev->pool, base == 10 ? log10(number) : log(number) / log(base), out);
}

static struct err *apply_pow(struct eval *ev, const struct call *call, json_t **out)
{
    if (!value_is_number(call->input) || !value_is_number(call->arg[0]))
        return call_wrong(call, "a number");
    return pool_real(ev->pool, pow(value_number(call->input), value_number(call->arg[0])), out);
}

static struct err *apply_type_debug(struct eval *ev, const struct call *call, json_t **out)
{
    const char *type =
        eval_is_undefined(ev, call->input) ? "AnsibleUndefined" : value_python_type(call->input);
    return pool_text(ev->pool, type, strlen(type), out);
}

static struct err *write_json(struct eval *ev, const struct call *call, struct json_style style, json_t **out)
{
    CLEANUP_STRBUF struct strbuf sb;
    strbuf_init(&sb, VALUE_MAX_TEXT);
    json_int_t indent;
    TRY(eval_require_deep(ev, call->input));
    TRY(call_int(call, 0, style.indent, &indent));
    style.indent = indent < 0 ? 0 : indent > 16 ? 16 : (int)indent;
    style.sort_keys = call_truth(call->arg[1], style.sort_keys);
    style.keep_unicode = !call_truth(call->arg[2], true);
    const json_t *separators = call->arg[3];
    if (separators && (json_array_size(separators) != 2 || !json_is_string(json_array_get(separators, 0)) ||
                       !json_is_string(json_array_get(separators, 1))))
        return err_new(ERR_INPUT, "'separators' is a pair of texts");
    if (separators) {
        style.between = json_string_value(json_array_get(separators, 0));
        style.after_key = json_string_value(json_array_get(separators, 1));
    }
    data_add_json(&sb, call->input, &style);
    return pool_buffer(ev->pool, &sb, out);
}

static struct err *apply_to_json(struct eval *ev, const struct call *call, json_t **out)
{
    return write_json(ev, call, (struct json_style){0}, out);
}

static struct err *apply_to_nice_json(struct eval *ev, const struct call *call, json_t **out)
{
    return write_json(ev, call, (struct json_style){.indent = 4, .sort_keys = true}, out);
}

static struct err *apply_tojson(struct eval *ev, const struct call *call, json_t **out)
{
    return write_json(ev, call, (struct json_style){.sort_keys = true, .escape_html = true}, out);
}

static struct err *apply_from_json(struct eval *ev, const struct call *call, json_t **out)
{
    json_error_t error;
    if (!json_is_string(call->input))
        return call_wrong(call, "text");
    json_t *value =
        json_loadb(json_string_value(call->input), json_string_length(call->input), JSON_DECODE_ANY, &error);
    if (!value)
        return err_new(ERR_INPUT, "'from_json': line %d, column %d: %s", error.line, error.column,
                       error.text);
    TRY(pool_spend(ev->pool, 4 * json_string_length(call->input)));
    return pool_keep(ev->pool, value, out);
}

static struct err *write_yaml(struct eval *ev, const struct call *call, struct yaml_style style, json_t **out)
{
    CLEANUP_STRBUF struct strbuf sb;
    strbuf_init(&sb, VALUE_MAX_TEXT);
    json_int_t indent, width;
    TRY(eval_require_deep(ev, call->input));
    TRY(call_int(call, 0, style.indent, &indent));
    TRY(call_int(call, 2, 0, &width));
    style.indent = indent < 2 || indent > 9 ? 0 : (int)indent;
    style.width = width < 0 || width > 1 << 20 ? 1 << 20 : (int)width;
    style.sort_keys = call_truth(call->arg[1], true);
    style.block = call->arg[3] ? !value_true(call->arg[3]) : style.block;
    TRY(data_add_yaml(&sb, call->input, &style));
    return pool_buffer(ev->pool, &sb, out);
}

static struct err *apply_to_yaml(struct eval *ev, const struct call *call, json_t **out)
{
    return write_yaml(ev, call, (struct yaml_style){0}, out);
}

static struct err *apply_to_nice_yaml(struct eval *ev, const struct call *call, json_t **out)
{
    return write_yaml(ev, call, (struct yaml_style){.indent = 4, .block = true}, out);
}

static struct err *apply_from_yaml(struct eval *ev, const struct call *call, json_t **out)
{
    const struct yaml_node *root;
    CLEANUP_ARENA struct arena *scratch = arena_new(0);
    *out = call->input;
    if (!json_is_string(call->input))
        return NULL;
    TRY(yaml_parse(scratch, "from_yaml", json_string_value(call->input), json_string_length(call->input),
                   &root));
    TRY(pool_spend(ev->pool, 4 * json_string_length(call->input)));
    return pool_keep(ev->pool, yaml_to_json(root), out);
}

static struct err *apply_b64encode(struct eval *ev, const struct call *call, json_t **out)
{
    CLEANUP_ARENA struct arena *scratch = arena_new(0);
    const char *text = call_text(ev, call->input, "");
    const char *encoded = hash_base64(scratch, text, strlen(text));
    return pool_text(ev->pool, encoded, strlen(encoded), out);
}

static struct err *apply_b64decode(struct eval *ev, const struct call *call, json_t **out)
{
    CLEANUP_ARENA struct arena *scratch = arena_new(0);
    CLEANUP_STRBUF struct strbuf sb;
    strbuf_init(&sb, VALUE_MAX_TEXT);
    for (const char *p = call_text(ev, call->input, ""); *p; p++)
        if (!isspace((unsigned char)*p)) /* as wrapped by base64(1) */
            strbuf_addc(&sb, *p);
    TRY(strbuf_check(&sb, "base64 text"));
    uint8_t *data;
    size_t length;
    TRY(hash_base64_decode(scratch, sb.data, &data, &length));
    if (memchr(data, 0, length))
        return err_new(ERR_INPUT, "'b64decode' gives binary data, not text");
    return pool_text(ev->pool, (const char *)data, length, out);
}

static struct err *digest(struct eval *ev, const char *name, const char *text, json_t **out)
{
    unsigned char md[EVP_MAX_MD_SIZE];
    unsigned size;
    const EVP_MD *type = EVP_get_digestbyname(name);
    CLEANUP_ARENA struct arena *scratch = arena_new(0);
    if (!type || !EVP_Digest(text, strlen(text), md, &size, type, NULL))
        return err_with_hint(err_new(ERR_INPUT, "unknown digest '%s'", name),
                             "use sha1, sha256, sha512 or md5");
    const char *hex = hash_hex(scratch, md, size);
    return pool_text(ev->pool, hex, strlen(hex), out);
}

/* hash(hashtype='sha1') */
static struct err *apply_hash(struct eval *ev, const struct call *call, json_t **out)
{
    return digest(ev, call_text(ev, call->arg[0], "sha1"), call_text(ev, call->input, ""), out);
}

static struct err *apply_checksum(struct eval *ev, const struct call *call, json_t **out)
{
    return digest(ev, "sha1", call_text(ev, call->input, ""), out);
}

static struct err *apply_md5(struct eval *ev, const struct call *call, json_t **out)
{
    return digest(ev, "md5", call_text(ev, call->input, ""), out);
}

/* password_hash(hashtype='sha512', salt=random, salt_size=16, rounds=default) for /etc/shadow, by crypt(3) */
static struct err *apply_password_hash(struct eval *ev, const struct call *call, json_t **out)
{
    static const struct {
        const char *name, *prefix;
        size_t salt_size;
    } kinds[] = {{"sha512", "$6$", 16},       {"sha512_crypt", "$6$", 16}, {"sha256", "$5$", 16},
                 {"sha256_crypt", "$5$", 16}, {"md5", "$1$", 8},           {"bcrypt", "$2b$", 22},
                 {"blowfish", "$2b$", 22}};
    const char *name = call_text(ev, call->arg[0], "sha512");
    size_t kind = 0;
    while (kind < 7 && strcmp(kinds[kind].name, name) != 0)
        kind++;
    if (kind == 7)
        return err_new(ERR_INPUT, "'password_hash' knows sha512, sha256, md5 and bcrypt, not '%s'", name);
    bool bcrypt = kind > 4;
    json_int_t rounds;
    TRY(call_int(call, 3, 0, &rounds));
    bool random = !call->arg[1] || json_is_null(call->arg[1]);
    const char *salt =
        random ? hash_random_id(ev->pool->arena, kinds[kind].salt_size) : call_text(ev, call->arg[1], "");
    if (salt[strspn(salt, "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")] ||
        strlen(salt) > kinds[kind].salt_size || (bcrypt && strlen(salt) != 22))
        return err_new(ERR_INPUT, "'password_hash' takes a salt of at most %zu letters, digits, '.' and '/'",
                       kinds[kind].salt_size);
    if (bcrypt && rounds && (rounds < 4 || rounds > 20))
        return err_new(ERR_INPUT, "'password_hash' takes 4 to 20 rounds for bcrypt");
    if (!bcrypt && rounds && (rounds < 1000 || rounds > 5000000 || kind == 4))
        return err_new(ERR_INPUT, "'password_hash' takes 1000 to 5000000 rounds");
    char setting[80]; /* holds the longest prefix, rounds and salt */
    if (bcrypt)
        (void)snprintf(setting, sizeof(setting), "%s%02lld$%s", kinds[kind].prefix,
                       rounds ? (long long)rounds : 12, salt);
    else if (rounds)
        (void)snprintf(setting, sizeof(setting), "%srounds=%lld$%s", kinds[kind].prefix, (long long)rounds,
                       salt);
    else
        (void)snprintf(setting, sizeof(setting), "%s%s", kinds[kind].prefix, salt);
    struct crypt_data *data = arena_alloc(ev->pool->arena, sizeof(*data));
    const char *hash = crypt_r(call_text(ev, call->input, ""), setting, data);
    struct err *e = !hash || *hash == '*'
                        ? err_errno(ERR_INTERNAL, errno, "cannot hash a password as '%s'", name)
                        : pool_text(ev->pool, hash, strlen(hash), out);
    explicit_bzero(data, sizeof(*data));
    return e;
}

/* 1048576 | human_readable: '1.00 MB' */
static struct err *apply_human_readable(struct eval *ev, const struct call *call, json_t **out)
{
    static const char units[] = " KMGTPEZY";
    if (!value_is_number(call->input))
        return call_wrong(call, "a number of bytes");
    double size = value_number(call->input);
    const char *wanted = call_text(ev, call->arg[1] && !json_is_null(call->arg[1]) ? call->arg[1] : NULL, "");
    if (*wanted && (!strchr(units + 1, toupper((unsigned char)*wanted)) || wanted[1]))
        return err_new(ERR_INPUT, "'human_readable' knows no unit '%s'", wanted);
    bool bits = call_truth(call->arg[0], false);
    size_t unit = 0;
    while (*wanted ? units[unit] != toupper((unsigned char)*wanted) : size >= 1024 && unit < 8) {
        size /= 1024;
        unit++;
    }
    char text[64];
    const char *name = unit ? (bits ? "b" : "B") : bits ? "bits" : "Bytes";
    int length = snprintf(text, sizeof(text), "%.2f %.*s%s", size, unit ? 1 : 0, units + unit, name);
    return pool_text(ev->pool, text, (size_t)length, out);
}

/* '10 MB' | human_to_bytes */
static struct err *apply_human_to_bytes(struct eval *ev, const struct call *call, json_t **out)
{
    static const char units[] = "BKMGTPEZY";
    const char *text = call_text(ev, call->input, "");
    char *end;
    double number = strtod(text, &end);
    while (isspace((unsigned char)*end))
        end++;
    bool bits = call_truth(call->arg[1], false);
    const char *name = *end ? end : json_is_string(call->arg[0]) ? json_string_value(call->arg[0]) : "B";
    bool whole = strcasestr(name, bits ? "bit" : "byte") != NULL;
    if (strlen(name) > 1 && !whole && (bits ? name[1] != 'b' : name[1] != 'B'))
        return err_new(ERR_INPUT, "'human_to_bytes': the unit of '%s' is none of %s", text,
                       bits ? "Kb, Mb, Gb" : "KB, MB, GB");
    const char *unit = *end           ? strchr(units, toupper(*end))
                       : call->arg[0] ? strchr(units, toupper(*call_text(ev, call->arg[0], "B")))
                                      : units;
    if (end == text || !unit || !*unit)
        return err_new(ERR_INPUT, "'human_to_bytes' cannot read the size '%s'", text);
    number *= pow(1024, (double)(unit - units));
    if (!(fabs(number) < 9.2e18))
        return err_new(ERR_INPUT, "the size '%s' is too large", text);
    return pool_integer(ev->pool, llrint(number), out);
}

static const struct filter rows[] = {
    {"default", apply_default, 0, FILTER_UNDEFINED, {"default_value", "boolean"}},
    {"d", apply_default, 0, FILTER_UNDEFINED, {"default_value", "boolean"}},
    {"mandatory", apply_mandatory, 0, FILTER_UNDEFINED, {"msg"}},
    {"bool", apply_bool, 0, 0, {0}},
    {"ternary", apply_ternary, 2, FILTER_UNDEFINED, {"true_val", "false_val", "none_val"}},
    {"int", apply_int, 0, 0, {"default", "base"}},
    {"float", apply_float, 0, 0, {"default"}},
    {"abs", apply_abs, 0, 0, {0}},
    {"round", apply_round, 0, 0, {"precision", "method"}},
    {"log", apply_log, 0, 0, {"base"}},
    {"pow", apply_pow, 1, 0, {"power"}},
    {"type_debug", apply_type_debug, 0, FILTER_UNDEFINED, {0}},
    {"to_json", apply_to_json, 0, FILTER_TEXT, {"indent", "sort_keys", "ensure_ascii", "separators"}},
    {"to_nice_json", apply_to_nice_json, 0, FILTER_TEXT, {"indent", "sort_keys", "ensure_ascii"}},
    {"tojson", apply_tojson, 0, 0, {"indent", "sort_keys"}},
    {"from_json", apply_from_json, 0, 0, {0}},
    {"to_yaml", apply_to_yaml, 0, FILTER_TEXT, {"indent", "sort_keys", "width", "default_flow_style"}},
    {"to_nice_yaml",
     apply_to_nice_yaml,
     0,
     FILTER_TEXT,
     {"indent", "sort_keys", "width", "default_flow_style"}},
    {"from_yaml", apply_from_yaml, 0, 0, {0}},
    {"b64encode", apply_b64encode, 0, 0, {0}},
    {"b64decode", apply_b64decode, 0, 0, {0}},
    {"hash", apply_hash, 0, 0, {"hashtype"}},
    {"checksum", apply_checksum, 0, 0, {0}},
    {"sha1", apply_checksum, 0, 0, {0}},
    {"md5", apply_md5, 0, 0, {0}},
    {"password_hash", apply_password_hash, 0, 0, {"hashtype", "salt", "salt_size", "rounds"}},
    {"human_readable", apply_human_readable, 0, 0, {"isbits", "unit"}},
    {"human_to_bytes", apply_human_to_bytes, 0, 0, {"default_unit", "isbits"}},
};
const struct filter_table filters_data = {rows, sizeof(rows) / sizeof(*rows)};
