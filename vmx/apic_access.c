/* The APIC-access page. SDM Vol. 3C, "Virtualizing APIC Accesses". */
#include "vmx/apic_access.h"

#include <stddef.h>

#include "abi/layout.h"
#include "kernel/pool.h"
#include "virt/local_apic.h"
#include "virt/vm.h"
#include "vmx/apicv.h"
#include "vmx/vmx_controls.h"
#include "vmx/vmx_cpu.h"
#include "vmx/vmx_vcpu.h"

static void *page; /* constant after apic_access_page_create(); NULL: not to be had */

enum status apic_access_page_create(void)
{
	if ((vmx_capabilities.controls[VMX_SECONDARY].may_be_1 & SECONDARY_PROC_APIC_ACCESSES) == 0)
		return OK;
	page = pool_page_alloc(root_pool);
	return page != NULL ? OK : ERR_NO_MEMORY;
}

bool apic_access_in_use(const struct vm *vm)
{
	return page != NULL && !vm_feature_disabled(vm, FEATURE_APIC_ACCESS) && !apicv_in_use(vm);
}

uint64_t apic_access_page_physical(void)
{
	return direct_physical(page);
}

/* Nothing executes there: a fetch stays an EPT violation. */
enum status apic_access_map(const struct vm *vm)
{
	struct vmx_vm *vmx = vm->backend;
	uint64_t done;

	return ept_map(&vmx->ept, APIC_BASE_DEFAULT, apic_access_page_physical(), PAGE_SIZE_BYTES, EPT_READ | EPT_WRITE, 1, &done);
}
