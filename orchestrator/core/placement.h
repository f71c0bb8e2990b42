/* Placement: which places a host may be rebuilt at, best first, with what the providers say of them now.
 * Stock flags can be stale, so a place that is sold out is put last, not struck out; one that does not exist
 * is struck out.
 */
#pragma once
#include "core/project.h"

/* *places: list of {provider, region, size, cores, memory_gib, disk_gib, price_hourly, currency, available};
 * *struck: list of text. ERR_CAPACITY when no place is left. New references. */
struct err *placement_rank(struct project *project, const struct host *host, json_t **places,
                           json_t **struck) REHOST_MUST_CHECK;
