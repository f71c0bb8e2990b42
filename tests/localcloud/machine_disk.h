// A machine's disk: an overlay over the image, its changes in a tmpfs of limited size (so that a full disk is
// a full disk, and so that it works where the file system below is itself an overlay). Lives in the local
// cloud's own mount namespace.
#pragma once

#include <stdbool.h>

#include "model.h"

// Makes DIR/root, from `archive` if that is not NULL, and writes into it what a provider's metadata service
// would answer.
bool machine_disk_make(const struct server *server, const char *dir, const char *archive, struct why *why);
// Its address may be another one since it was switched off.
bool machine_disk_readdress(const struct server *server, const char *dir, struct why *why);
// A copy of what differs from the image, as an archive: the file system that it lies on may not take the
// overlay's attributes. What changes meanwhile is as it happens to be.
bool machine_disk_save(const char *dir, const char *archive, struct why *why);
void machine_disk_remove(const char *dir);
