/* Placement: the ladder of rungs at which a host may be rebuilt, best first, from what the providers sell
 * now.
 *
 * The rungs are the inventory's places in their order, a place without a size being the cheapest that fits
 * the host's needs; or, where the inventory lists none (or all listed ones are left out), rehost's own
 * choice: the cheapest that fits in each region, by price, with another provider before the third try (where
 * there is none, another account). Prices of different currencies are compared by their numbers.
 *
 * Stock flags can be stale, so a rung that is sold out is put last, not struck out. One that does not exist,
 * or lies outside the areas where the host or one of its datasets may be, is struck out with the reason.
 */
#pragma once
#include "core/market.h"

struct placement_options {
    const char *to;               /* "ACCOUNT[/REGION[/SIZE]]": only there; NULL: anywhere */
    struct market_options market; /* `without`: accounts that are lost */
};

/* *rungs: list of {provider, region, size, cores, memory_gib, disk_gib, country, price_hourly, price_monthly,
 * currency, available}; *struck: list of text. ERR_CAPACITY when no rung is left, ERR_INPUT when an option
 * names what does not exist. New references. */
struct err *placement_rank(struct project *project, const struct host *host,
                           const struct placement_options *options, json_t **rungs,
                           json_t **struck) REHOST_MUST_CHECK;
/* Whether the host may be rebuilt there: large enough, in stock or not, where it and its data may be. */
bool placement_fits(struct project *project, const struct host *host, const struct offer *offer);
