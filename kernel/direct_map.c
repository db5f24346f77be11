/* Address arithmetic of the direct map; host tests bring their own. */
#include "abi/layout.h"
#include "kernel/pool.h"

void *direct_pointer(uint64_t physical)
{
	return (void *)(uintptr_t)(DIRECT_MAP_BASE + physical);
}

uint64_t direct_physical(const void *pointer)
{
	return (uintptr_t)pointer - DIRECT_MAP_BASE;
}
