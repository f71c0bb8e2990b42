#include "faults.h"

#include <pthread.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

struct fault {
    json_t *description;
    char *provider, *method; // NULL = any
    regex_t path;
    struct effect effect;
    json_int_t left; // -1 = for ever
};

struct faults {
    pthread_mutex_t lock;
    struct array all;
};

struct faults *faults_new(void)
{
    struct faults *faults = zalloc(sizeof *faults);

    pthread_mutex_init(&faults->lock, NULL);
    return faults;
}

static void fault_free(struct fault *fault)
{
    json_decref(fault->description);
    regfree(&fault->path);
    free(fault->provider), free(fault->method);
    free(fault);
}

void faults_clear(struct faults *faults)
{
    pthread_mutex_lock(&faults->lock);
    for (size_t i = 0; i < faults->all.count; i++)
        fault_free(faults->all.items[i]);
    array_free(&faults->all);
    pthread_mutex_unlock(&faults->lock);
}

void faults_free(struct faults *faults)
{
    faults_clear(faults);
    pthread_mutex_destroy(&faults->lock);
    free(faults);
}

// One key of an effect; false if there is no such effect or the value does not fit it.
static bool effect_set(struct effect *effect, const char *key, const json_t *value)
{
    const struct {
        const char *key;
        int *number;
        bool *flag;
    } known[] = {
        {"delay_ms", &effect->delay_ms, NULL},
        {"status", &effect->status, NULL},
        {"list_lag_ms", &effect->list_lag_ms, NULL},
        {"late_create_ms", &effect->late_create_ms, NULL},
        {"retry_after", &effect->retry_after, NULL},
        {"address_delay_ms", &effect->address_delay_ms, NULL},
        {"vanish_after_ms", &effect->vanish_after_ms, NULL},
        {"after", NULL, &effect->after},
        {"drop_before", NULL, &effect->drop_before},
        {"drop_after", NULL, &effect->drop_after},
        {"out_of_stock", NULL, &effect->out_of_stock},
        {"never_boots", NULL, &effect->never_boots},
        {"html", NULL, &effect->html},
        {"truncated", NULL, &effect->truncated},
        {"endless", NULL, &effect->endless},
    };
    if (text_equal(key, "code") && json_is_string(value))
        return snprintf(effect->code, sizeof effect->code, "%s", json_string_value(value)) >= 0;
    if (text_equal(key, "message") && json_is_string(value))
        return snprintf(effect->message, sizeof effect->message, "%s", json_string_value(value)) >= 0;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (!text_equal(key, known[i].key))
            continue;
        if (known[i].number && json_is_integer(value))
            *known[i].number = (int)json_integer_value(value);
        else if (known[i].flag && json_is_boolean(value))
            *known[i].flag = json_is_true(value);
        else
            return false;
        return true;
    }
    return false;
}

static bool effect_parse(struct effect *effect, json_t *description, struct why *why)
{
    json_t *named = json_object_get(description, "effect"), *value = json_object_get(description, "value");
    const char *key;

    if (json_is_string(named))
        return effect_set(effect, json_string_value(named), value ? value : json_true()) ||
               fail(why, "the effect '%s' does not exist or has a wrong 'value'", json_string_value(named));
    if (json_object_size(named) == 0)
        return fail(why, "'effect' is missing");
    json_object_foreach(named, key, value) if (!effect_set(effect, key, value)) return fail(
        why, "the effect '%s' does not exist or has a wrong value", key);
    return true;
}

bool faults_add(struct faults *faults, json_t *description, struct why *why)
{
    json_t *match = json_object_get(description, "match"), *count = json_object_get(description, "count");
    const char *regex = json_string_value(json_object_get(match, "path_regex"));
    struct effect effect = {0};

    if (!effect_parse(&effect, description, why))
        return false;
    if (count && !json_is_integer(count))
        return fail(why, "'count' is not a number");
    struct fault *fault = zalloc(sizeof *fault);
    if (regcomp(&fault->path, regex ? regex : ".", REG_EXTENDED | REG_NOSUB) != 0) {
        free(fault);
        return fail(why, "'path_regex' is not a regular expression");
    }
    fault->description = json_deep_copy(description);
    fault->provider = text_copy(json_string_value(json_object_get(match, "provider")));
    fault->method = text_copy(json_string_value(json_object_get(match, "method")));
    fault->effect = effect;
    fault->left = count ? json_integer_value(count) : -1;
    pthread_mutex_lock(&faults->lock);
    array_add(&faults->all, fault);
    pthread_mutex_unlock(&faults->lock);
    return true;
}

json_t *faults_list(struct faults *faults)
{
    json_t *list = json_array();

    pthread_mutex_lock(&faults->lock);
    for (size_t i = 0; i < faults->all.count; i++) {
        const struct fault *fault = faults->all.items[i];
        json_t *entry = json_deep_copy(fault->description);
        json_object_set_new(entry, "left", json_integer(fault->left));
        json_array_append_new(list, entry);
    }
    pthread_mutex_unlock(&faults->lock);
    return list;
}

bool faults_take(struct faults *faults, const char *provider, const char *method, const char *path,
                 struct effect *ret)
{
    bool found = false;

    pthread_mutex_lock(&faults->lock);
    for (size_t i = 0; i < faults->all.count && !found; i++) {
        struct fault *fault = faults->all.items[i];
        if (fault->left == 0 || (fault->provider && !text_equal(fault->provider, provider)) ||
            (fault->method && strcasecmp(fault->method, method) != 0) ||
            regexec(&fault->path, path, 0, NULL, 0) != 0)
            continue;
        found = true;
        *ret = fault->effect;
        if (fault->left > 0)
            fault->left--;
    }
    pthread_mutex_unlock(&faults->lock);
    return found;
}
