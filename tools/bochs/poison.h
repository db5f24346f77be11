/* What a CPU leaves undefined and Bochs defines: made garbage. */
#pragma once
#include <stdbool.h>

/* True: from now on the guest's hypervisor reads garbage where the manual defines no VM-exit instruction length. False: the
 * environment says BULKHEAD_POISON=0, or this Bochs looks different and was not changed. */
bool poison_install(void);
