/* From the boot volume to a checked manifest: bulkhead.toml where there is one, else every kernel that is found. */
#pragma once
#include "lib/manifest/manifest.h"
#include "lib/schedule/plan.h"
#include "manager/host.h"

/* Fills *manifest, checks it against the PC, plans who runs on which CPU and logs all messages. */
void manifest_load(struct manifest *manifest, struct schedule_plan *plan, const struct host *host);
