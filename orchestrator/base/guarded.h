/* Memory for secrets: mappings of their own, left out of core dumps, locked against swapping when the system
 * allows it, and cleansed when freed. At least one page a block: not for many small things. Threads: safe
 * from any thread.
 */
#pragma once
#include "base/err.h"
#include <stddef.h>

void *guarded_alloc(size_t size); /* zeroed; NULL when there is no memory */
void guarded_free(void *block, size_t size);
