#include "base/guarded.h"

#include <openssl/crypto.h>
#include <sys/mman.h>

void *guarded_alloc(size_t size)
{
    void *block = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block == MAP_FAILED)
        return NULL;
    (void)madvise(block, size, MADV_DONTDUMP);
    (void)mlock(block, size); /* best effort: RLIMIT_MEMLOCK may be small */
    return block;
}

void guarded_free(void *block, size_t size)
{
    if (!block)
        return;
    OPENSSL_cleanse(block, size);
    (void)munmap(block, size);
}
