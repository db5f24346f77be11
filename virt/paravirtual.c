/* What is offered to whom. Pure. */
#include "virt/paravirtual.h"

#include <stdbool.h>

#include "abi/features.h"

static bool is_on(uint64_t disabled_features, enum feature feature)
{
	return (disabled_features & FEATURE_BIT(feature)) == 0;
}

/* Messages and flushes are between vCPUs: one alone would only be told to take a longer way. The wish to flush lies in the
 * steal-time record; MWAIT, the other condition of stock kernels, no guest has. */
uint32_t paravirtual_offered(uint64_t disabled_features, uint32_t vcpu_count)
{
	bool several = vcpu_count > 1, steal_time = is_on(disabled_features, FEATURE_STEAL_TIME);
	uint32_t bits = 0;

	bits |= steal_time ? PARAVIRTUAL_STEAL_TIME : 0;
	bits |= is_on(disabled_features, FEATURE_PV_UNHALT) ? PARAVIRTUAL_UNHALT : 0;
	bits |= several && is_on(disabled_features, FEATURE_PV_IPI) ? PARAVIRTUAL_IPI : 0;
	bits |= several && steal_time && is_on(disabled_features, FEATURE_PV_TLB_FLUSH) ? PARAVIRTUAL_TLB_FLUSH : 0;
	return bits;
}
