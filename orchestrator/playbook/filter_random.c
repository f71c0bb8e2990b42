/* random and shuffle. With a seed they give what Python's random module gives: playbooks rely on it for
 * values that differ between hosts and stay the same on one. Source: "random" of the Python 3.11 library
 * reference; the generator is Matsumoto and Nishimura's MT19937 (2002). */
#include "playbook/filter.h"
#include <openssl/evp.h>
#include <string.h>
#include <sys/random.h>

#define MT_SIZE 624
#define MT_SHIFT 397
#define MAX_SEED 4096

struct generator {
    bool seeded;
    uint32_t state[MT_SIZE];
    int at;
};

static void mt_start(struct generator *g, uint32_t seed)
{
    g->state[0] = seed;
    for (uint32_t i = 1; i < MT_SIZE; i++)
        g->state[i] = 1812433253u * (g->state[i - 1] ^ (g->state[i - 1] >> 30)) + i;
    g->at = MT_SIZE;
}

static void mt_start_with(struct generator *g, const uint32_t *key, size_t count)
{
    uint32_t i = 1, *s = g->state;
    size_t k = 0;
    mt_start(g, 19650218u);
    for (size_t left = count > MT_SIZE ? count : MT_SIZE; left > 0; left--) {
        s[i] = (s[i] ^ ((s[i - 1] ^ (s[i - 1] >> 30)) * 1664525u)) + key[k] + (uint32_t)k;
        if (++i == MT_SIZE) {
            s[0] = s[MT_SIZE - 1];
            i = 1;
        }
        k = k + 1 == count ? 0 : k + 1;
    }
    for (int left = MT_SIZE - 1; left > 0; left--) {
        s[i] = (s[i] ^ ((s[i - 1] ^ (s[i - 1] >> 30)) * 1566083941u)) - i;
        if (++i == MT_SIZE) {
            s[0] = s[MT_SIZE - 1];
            i = 1;
        }
    }
    s[0] = 0x80000000u;
}

static uint32_t mt_next(struct generator *g)
{
    uint32_t *s = g->state;
    if (g->at == MT_SIZE) {
        for (int i = 0; i < MT_SIZE; i++) {
            uint32_t y = (s[i] & 0x80000000u) | (s[(i + 1) % MT_SIZE] & 0x7fffffffu);
            s[i] = s[(i + MT_SHIFT) % MT_SIZE] ^ (y >> 1) ^ (y & 1 ? 0x9908b0dfu : 0);
        }
        g->at = 0;
    }
    uint32_t y = s[g->at++];
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680u;
    y ^= (y << 15) & 0xefc60000u;
    return y ^ (y >> 18);
}

/* Text counts as the number that its bytes and their SHA-512 are. */
static struct err *seed_with_text(struct generator *g, const json_t *seed)
{
    unsigned char bytes[MAX_SEED + 64 + 4] = {0};
    uint32_t key[sizeof(bytes) / 4] = {0};
    size_t length = json_string_length(seed), total = length + 64;
    if (length > MAX_SEED)
        return err_new(ERR_INPUT, "a seed of more than %d bytes", MAX_SEED);
    memcpy(bytes, json_string_value(seed), length);
    if (!EVP_Digest(json_string_value(seed), length, bytes + length, NULL, EVP_sha512(), NULL))
        return err_new(ERR_INTERNAL, "SHA-512 failed");
    size_t first = 0;
    while (first < total - 1 && bytes[first] == 0)
        first++;
    for (size_t i = 0; i < total - first; i++)
        key[i / 4] |= (uint32_t)bytes[total - 1 - i] << (8 * (i % 4));
    mt_start_with(g, key, (total - first + 3) / 4);
    return NULL;
}

static struct err *generator_init(struct generator *g, const json_t *seed)
{
    g->seeded = seed != NULL;
    if (!seed)
        return NULL;
    if (json_is_string(seed))
        return seed_with_text(g, seed);
    if (!value_is_int(seed))
        return err_with_hint(err_new(ERR_INPUT, "a seed cannot be %s", value_type_name(seed)),
                             "use text or a whole number");
    json_int_t number = value_integer(seed);
    uint64_t size = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    uint32_t key[2] = {(uint32_t)size, (uint32_t)(size >> 32)};
    mt_start_with(g, key, key[1] ? 2 : 1);
    return NULL;
}

static struct err *next_word(struct generator *g, uint32_t *word)
{
    if (g->seeded)
        *word = mt_next(g);
    else if (getrandom(word, sizeof(*word), 0) != sizeof(*word))
        return err_new(ERR_INTERNAL, "the system gives no random numbers");
    return NULL;
}

/* 0 .. limit - 1, limit > 0: takes as many bits as `limit` has, until they are below it. */
static struct err *number_below(struct generator *g, uint64_t limit, uint64_t *number)
{
    int bits = 64 - __builtin_clzll(limit);
    do {
        uint32_t low, high = 0;
        TRY(next_word(g, &low));
        if (bits <= 32) {
            low >>= 32 - bits;
        } else {
            TRY(next_word(g, &high));
            high >>= 64 - bits;
        }
        *number = (uint64_t)high << 32 | low;
    } while (*number >= limit);
    return NULL;
}

struct err *random_text(struct arena *arena, const json_t *seed, const char *set, size_t set_size,
                        size_t length, char **text)
{
    struct generator g;
    TRY(generator_init(&g, seed && !json_is_null(seed) ? seed : NULL));
    *text = arena_alloc(arena, length + 1);
    for (size_t i = 0; i < length; i++) {
        uint64_t at;
        TRY(number_below(&g, set_size, &at));
        (*text)[i] = set[at];
    }
    (*text)[length] = 0;
    return NULL;
}

static struct err *random_number(struct eval *ev, const struct call *call, struct generator *g, json_t **out)
{
    json_int_t start, step, width;
    uint64_t number;
    TRY(call_int(call, 0, 0, &start));
    TRY(call_int(call, 1, 1, &step));
    step = step ? step : 1;
    if (__builtin_sub_overflow(value_integer(call->input), start, &width) || width == INT64_MIN ||
        step == INT64_MIN)
        return err_new(ERR_INPUT, "'random' over too wide a range");
    uint64_t size = width < 0 ? 0 - (uint64_t)width : (uint64_t)width,
             stride = (uint64_t)(step < 0 ? -step : step);
    if (width == 0 || (width < 0) != (step < 0))
        return err_new(ERR_INPUT, "'random' has nothing to choose from");
    TRY(number_below(g, (size - 1) / stride + 1, &number));
    return pool_integer(ev->pool, start + (json_int_t)number * step, out);
}

/* random(start=0, step=1, seed=none) of a number; random(seed=none) of a list or text */
static struct err *apply_random(struct eval *ev, const struct call *call, json_t **out)
{
    struct generator g;
    json_t *list;
    uint64_t index;
    TRY(generator_init(&g, call->arg[2] && !json_is_null(call->arg[2]) ? call->arg[2] : NULL));
    if (value_is_int(call->input))
        return random_number(ev, call, &g, out);
    if (!json_is_array(call->input) && !json_is_string(call->input))
        return call_wrong(call, "a whole number, a list or text");
    if (call_truth(call->arg[0], false) || call_truth(call->arg[1], false))
        return err_new(ERR_INPUT, "'random' takes 'start' and 'step' only with a number");
    TRY(call_elements(ev, call, call->input, &list));
    if (json_array_size(list) == 0)
        return err_new(ERR_INPUT, "'random' has nothing to choose from");
    TRY(number_below(&g, json_array_size(list), &index));
    *out = json_array_get(list, (size_t)index);
    return NULL;
}

/* shuffle(seed=none) */
static struct err *apply_shuffle(struct eval *ev, const struct call *call, json_t **out)
{
    struct generator g;
    json_t *list;
    const json_t *seed = call->arg[0] && value_true(call->arg[0]) ? call->arg[0] : NULL;
    *out = call->input;
    if (!json_is_array(call->input) && !json_is_object(call->input) && !json_is_string(call->input))
        return NULL; /* Ansible's own answer */
    TRY(generator_init(&g, seed));
    TRY(call_elements(ev, call, call->input, &list));
    size_t count = json_array_size(list);
    json_auto_t *mixed = json_copy(list);
    for (size_t i = count; i-- > 1;) {
        uint64_t other;
        TRY(number_below(&g, i + 1, &other));
        json_t *item = json_incref(json_array_get(mixed, i));
        json_array_set(mixed, i, json_array_get(mixed, (size_t)other));
        json_array_set_new(mixed, (size_t)other, item);
    }
    return pool_keep(ev->pool, TAKE(mixed), out);
}

static const struct filter rows[] = {
    {"random", apply_random, 0, 0, {"start", "step", "seed"}},
    {"shuffle", apply_shuffle, 0, 0, {"seed"}},
};
const struct filter_table filters_random = {rows, sizeof(rows) / sizeof(*rows)};
