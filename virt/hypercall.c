/* Hypercalls. Pure. */
#include "virt/hypercall.h"

int64_t hypercall(uint64_t number, unsigned cpl)
{
	if (cpl != 0)
		return HYPERCALL_EPERM;
	return number == HYPERCALL_VERSION ? 1 : HYPERCALL_ENOSYS;
}
