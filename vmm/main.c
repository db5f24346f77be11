/* The VMM: one VM's machine in a program of its own. It knows its VM only: memory, console channels and handles that the
 * manager gave it (abi/vmm_spec.h). */
#include "abi/vmm_spec.h"
#include "user/log.h"
#include "user/program.h"
#include "vmm/machine.h"
#include "vmm/start.h"
#include "vmm/timers.h"

/* The program is its machine; large, so not on the stack. */
static struct machine machine;

int program_main(uint64_t argument)
{
	const struct vmm_spec *spec = (const struct vmm_spec *)(uintptr_t)argument;

	if (spec->magic != VMM_SPEC_MAGIC || spec->version != VMM_SPEC_VERSION || spec->size_bytes != sizeof(*spec)) {
		log_print("E219 vmm: it and the manager are of different releases; copy the folder system from the release again");
		return 1;
	}
	start_machine(&machine, spec);
	start_vcpus(&machine);
	timers_serve(&machine);
}
