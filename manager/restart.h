/* Whether and when a VM that ended starts again: the manifest's `restart`, with a pause that grows while it keeps failing. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "abi/vcpu.h"
#include "lib/manifest/manifest.h"

#define RESTART_FIRST_DELAY_MS 1000U
#define RESTART_MAX_DELAY_MS   60000U
#define RESTART_STEADY_MS      60000U /* a VM that ran so long has not failed in a row */

struct restart_decision {
	bool again;
	uint64_t delay_ms;
	uint32_t failures_in_row; /* for the next decision */
};

/* ran_ms: how long it ran. failures_in_row: what the last decision for this VM said, 0 at first. A guest that asks for a
 * reset gets it at once, unless the policy is "never" or it does so in a row. Context: pure. */
struct restart_decision restart_decide(enum manifest_restart policy, enum vcpu_stop_reason reason, uint64_t ran_ms,
				       uint32_t failures_in_row);

/* True for the reasons that are no failure: the guest's or the user's own wish. */
bool stop_was_wished(enum vcpu_stop_reason reason);
