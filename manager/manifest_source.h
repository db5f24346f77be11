/* From the boot volume to a checked manifest: bulkhead.toml where there is one, else every kernel that is found. */
#pragma once
#include "lib/manifest/manifest.h"
#include "manager/host.h"

/* Fills *manifest, checks it against the PC and logs all its messages. */
void manifest_load(struct manifest *manifest, const struct host *host);
