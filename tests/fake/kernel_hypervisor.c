/* A kernel without VMs: what spaces ask of virt/ and of the programs' common pages. */
#include <stddef.h>

#include "kernel/hypervisor.h"
#include "kernel/panic.h"
#include "kernel/program_pages.h"

struct object *hypervisor_vm_object(struct vm *vm)
{
	(void)vm;
	panic("a test has no VM");
}

uint64_t hypervisor_vm_slot(struct vm *vm)
{
	(void)vm;
	panic("a test has no VM");
}

enum status program_pages_map(struct space *space)
{
	return space != NULL ? OK : ERR_INVALID;
}
