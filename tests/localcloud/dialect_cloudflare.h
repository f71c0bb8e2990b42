// What the parts of the Cloudflare dialect share. Facts are those that developers.cloudflare.com/api tells of
// zones and DNS records, and error codes as clients have reported them (named in place).
#pragma once

#include "http.h"

// The envelope around every answer.
void cf_ok(struct response *response, json_t *result);
// `chain` may be NULL: what stands behind the error, {code, message}.
void cf_error(struct response *response, int status, int code, const char *message, json_t *chain);
// A page of `items`, which it takes.
void cf_list(const struct request *request, struct response *response, json_t *items);
// 32 hexadecimal digits.
json_t *cf_id(int64_t id);
json_t *cf_time(time_t when);
const char *cf_member(const json_t *object, const char *key); // "" when it is not a string
struct zone *cf_zone(const struct request *request, struct response *response, const char *id);

extern const struct route cf_zone_routes[], cf_record_routes[];
