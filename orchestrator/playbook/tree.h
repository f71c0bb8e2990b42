/* A folder as a tar archive for the host (ustar with GNU's long names, which every tar reads).
 *
 * Links to files and folders are followed, as Ansible's copy does; a link that leads nowhere stays a link.
 * Names are relative to the folder. Nothing is held in memory. Threads: no state.
 */
#pragma once
#include "base/err.h"
#include <stdint.h>

/* *fd is an unnamed file, at its beginning; the caller closes it. With `preserve` files keep their modes,
 * otherwise they get 0644. ERR_INPUT for what no archive can hold (a name with a line end, a device). */
struct err *tree_pack(const char *path, bool preserve, int *fd, uint64_t *size) REHOST_MUST_CHECK;
