/* The market: what all accounts of an inventory sell right now.
 *
 * Catalogues are read once a project, all accounts at the same time, and kept beside the
 * journal (when that folder exists: looking makes no folder). An account that cannot be read is not an error
 * here: it has an `error`, and the catalogue of another day if there is one, so that a lost account can still
 * be described.
 *
 * Threads: one market belongs to one thread; it starts and ends threads of its own while it reads.
 */
#pragma once
#include "core/project.h"

#define MARKET_FRESH_MS (5 * 60 * 1000)

struct market_stand {
    const char *account;
    struct catalog catalog; /* of read_ms; empty when read_ms is 0 */
    int64_t read_ms;
    const char *error; /* why it could not be read just now; NULL: it was, or the kept one is fresh */
};

struct market {
    struct market_stand *stands;
    size_t count;
};

struct market_options {
    struct schema_texts without; /* accounts that are not asked (what was kept of them is still shown) */
    bool kept_will_do;           /* a catalogue of the last MARKET_FRESH_MS serves as well as a new one */
};

/* ERR_CANCELLED; never that a provider is down. */
struct err *market_open(struct project *project, const struct market_options *options,
                        const struct market **market) REHOST_MUST_CHECK;
const struct market_stand *market_stand(const struct market *market, const char *account); /* or NULL */

/* One thing on sale. */
struct offer {
    const struct market_stand *stand;
    const struct server_size *size;
    const struct size_offer *terms;
    const char *country; /* NULL: not told */
};

const struct server_size *market_size(const struct market_stand *stand, const char *name); /* or NULL */
/* False when the size is not sold there. */
bool market_offer(const struct market_stand *stand, const char *size, const char *region,
                  struct offer *offer);
/* The cheapest on sale in the region that has all of `needs` (whose areas are the caller's business); false
 * when there is none. */
bool market_cheapest(const struct market_stand *stand, const char *region, const struct needs *needs,
                     struct offer *offer);
/* Large enough, of the architecture, and still made. */
bool market_fits(const struct server_size *size, const struct needs *needs);
const char *market_country(const struct market_stand *stand, const char *region); /* NULL: not told */
/* Kept catalogues, for market.c alone: {format, endpoint, read_ms, currency, sizes, regions, images}. */
struct err *market_load(struct arena *arena, const char *path, const char *endpoint,
                        struct market_stand *stand) REHOST_MUST_CHECK;
struct err *market_save(const char *path, const char *endpoint,
                        const struct market_stand *stand) REHOST_MUST_CHECK;

bool market_has_image(const struct market_stand *stand, const char *image);
