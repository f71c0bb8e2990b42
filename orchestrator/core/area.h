/* Legal areas: where a host or its data may be.
 *
 * An area is a country (ISO 3166-1 alpha-2, lower case) or the name of a group of countries: "eu" (the
 * Union's members) and "eea" (those, and Iceland, Liechtenstein, Norway: where the GDPR holds). Threads: pure
 * functions.
 */
#pragma once
#include <stdbool.h>

bool area_exists(const char *area); /* a known group, or two letters */
/* `country` NULL: nobody knows, so nothing holds it. */
bool area_holds(const char *area, const char *country);
const char *area_groups(void); /* "eu, eea" */
