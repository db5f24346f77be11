/* The APIC-access page. SDM Vol. 3C, "Virtualizing APIC Accesses". */
#include "vmx/apic_access.h"

#include <stddef.h>

#include "abi/layout.h"
#include "kernel/pool.h"
#include "lib/base/string.h"
#include "virt/local_apic.h"
#include "virt/vm.h"
#include "vmx/apicv.h"
#include "vmx/vmx_controls.h"
#include "vmx/vmx_cpu.h"
#include "vmx/vmx_vcpu.h"

static void *shared_page; /* constant after apic_access_page_create(); NULL: not to be had */

enum status apic_access_page_create(void)
{
	if ((vmx_capabilities.controls[VMX_SECONDARY].may_be_1 & SECONDARY_PROC_APIC_ACCESSES) == 0)
		return OK;
	shared_page = pool_page_alloc(root_pool);
	return shared_page != NULL ? OK : ERR_NO_MEMORY;
}

bool apic_access_in_use(const struct vm *vm)
{
	return shared_page != NULL && !vm_feature_disabled(vm, FEATURE_APIC_ACCESS);
}

uint64_t apic_access_page_physical(const struct vm *vm)
{
	const struct vmx_vm *vmx = vm->backend;

	return direct_physical(vmx->apic_access_page != NULL ? vmx->apic_access_page : shared_page);
}

/* Nothing executes there: a fetch stays an EPT violation. */
enum status apic_access_map(const struct vm *vm)
{
	struct vmx_vm *vmx = vm->backend;
	uint64_t done;

	if (apicv_in_use(vm)) {
		vmx->apic_access_page = pool_page_alloc(vm->pool);
		if (vmx->apic_access_page == NULL)
			return ERR_NO_MEMORY;
		memset(vmx->apic_access_page, 0xff, PAGE_SIZE_BYTES);
	}
	return ept_map(&vmx->ept, APIC_BASE_DEFAULT, apic_access_page_physical(vm), PAGE_SIZE_BYTES, EPT_READ | EPT_WRITE, 1,
		       &done);
}

void apic_access_free(const struct vm *vm)
{
	struct vmx_vm *vmx = vm->backend;

	if (vmx->apic_access_page != NULL)
		pool_page_free(vm->pool, vmx->apic_access_page);
}
