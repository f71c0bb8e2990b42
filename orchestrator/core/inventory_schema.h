/* The table of all inventory keys: validation, binding and docs/inventory.md come from it. */
#pragma once
#include "core/schema.h"

extern const struct schema inventory_schema;
