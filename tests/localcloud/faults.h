// Faults on demand: what an outage looks like to a client. Set through the admin endpoint, taken by matching
// requests. Thread-safe.
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "util.h"

struct effect {
    int delay_ms; // wait before anything else
    int status;   // answer this status; before the effect, or after it if `after`
    char code[64], message[256];
    bool after;
    bool drop_before;     // close the connection; nothing happens
    bool drop_after;      // it happens, but there is no answer
    bool out_of_stock;    // a create is refused for lack of capacity
    bool never_boots;     // a created server looks fine, but nothing ever answers at its address
    int list_lag_ms;      // lists leave out what is younger than this
    int late_create_ms;   // no answer (or `status`), and it happens this much later
    int retry_after;      // with a status: seconds in the header Retry-After; 0 = no such header
    bool html;            // the answer is a page of a proxy in front, not JSON
    bool truncated;       // the answer ends in the middle of its body
    bool endless;         // the answer's body never ends
    int address_delay_ms; // a created server runs this long before its addresses show
    int vanish_after_ms;  // a create is accepted, and this much later the server is gone without a trace
};

struct faults;

struct faults *faults_new(void);
void faults_free(struct faults *faults);
// {"match": {"provider", "method", "path_regex"}, "effect": {"delay_ms": 500, ...}, "count": N}; or "effect":
// "NAME" with "value". Without count it stays until cleared.
bool faults_add(struct faults *faults, json_t *description, struct why *why);
void faults_clear(struct faults *faults);
json_t *faults_list(struct faults *faults);
bool faults_take(struct faults *faults, const char *provider, const char *method, const char *path,
                 struct effect *ret); // false = none matches
