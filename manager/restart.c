/* Whether and when a VM that ended starts again. */
#include "manager/restart.h"

bool stop_was_wished(enum vcpu_stop_reason reason)
{
	return reason == VCPU_STOP_POWER_OFF || reason == VCPU_STOP_RESET || reason == VCPU_STOP_STOPPED ||
	       reason == VCPU_STOP_EXIT_CODE;
}

static bool policy_allows(enum manifest_restart policy, enum vcpu_stop_reason reason)
{
	if (reason == VCPU_STOP_STOPPED)
		return false;
	switch (policy) {
	case MANIFEST_RESTART_NEVER:
		return false;
	case MANIFEST_RESTART_ON_FAILURE:
		return reason != VCPU_STOP_POWER_OFF && reason != VCPU_STOP_EXIT_CODE;
	case MANIFEST_RESTART_ALWAYS:
		return true;
	}
	return false;
}

static uint64_t delay_after(uint32_t failures)
{
	uint64_t delay_ms = RESTART_FIRST_DELAY_MS;

	for (uint32_t i = 1; i < failures && delay_ms < RESTART_MAX_DELAY_MS; i++)
		delay_ms *= 2;
	return delay_ms < RESTART_MAX_DELAY_MS ? delay_ms : RESTART_MAX_DELAY_MS;
}

struct restart_decision restart_decide(enum manifest_restart policy, enum vcpu_stop_reason reason, uint64_t ran_ms,
				       uint32_t failures_in_row)
{
	uint32_t failures = ran_ms >= RESTART_STEADY_MS ? 0 : failures_in_row;
	bool first_wish = stop_was_wished(reason) && failures == 0;

	if (!policy_allows(policy, reason))
		return (struct restart_decision){.again = false};
	return (struct restart_decision){
		.again = true,
		.delay_ms = first_wish ? 0 : delay_after(failures + 1),
		.failures_in_row = failures + 1,
	};
}
