/* The last thing ring 0 does. UEFI Specification, "Runtime Services: ResetSystem()"; firmware runs with an identity map. */
#include "kernel/power.h"

#include <stddef.h>

#include "abi/boot_info.h"
#include "abi/layout.h"
#include "abi/syscall.h"
#include "kernel/boot_state.h"
#include "kernel/cpu_insn.h"
#include "kernel/hypervisor.h"
#include "kernel/kernel_map.h"
#include "kernel/page_table.h"
#include "kernel/pool.h"

#define SYSTEM_TABLE_RUNTIME_SERVICES 88U
#define RUNTIME_SERVICES_RESET_SYSTEM 104U
#define CR0_TS (1ULL << 3)

enum efi_reset_type { EFI_RESET_COLD = 0, EFI_RESET_SHUTDOWN = 2 };

typedef void (*efi_reset_system)(uint32_t type, uint64_t status, uint64_t data_bytes, void *data) __attribute__((ms_abi));

/* Maps all runtime services memory where it physically is. Nothing of ours lies in the lower half of these tables. */
static enum status map_runtime_services(void)
{
	const struct boot_memory *map = (const struct boot_memory *)(uintptr_t)boot_info->memory_virtual;
	uint64_t *pml4 = direct_pointer(kernel_map_cr3());

	for (uint32_t i = 0; i < boot_info->memory_count; i++) {
		for (uint64_t at = 0; map[i].type == BOOT_MEMORY_UEFI_RUNTIME && at < map[i].length_bytes; at += PAGE_SIZE_BYTES) {
			uint64_t physical = map[i].base_physical + at;
			uint64_t *entry = page_table_entry(pml4, physical, 1, root_pool, PTE_PRESENT | PTE_WRITE);

			if (entry == NULL)
				return ERR_NO_MEMORY;
			*entry = physical | PTE_PRESENT | PTE_WRITE;
		}
	}
	write_cr3(kernel_map_cr3());
	return OK;
}

static enum status uefi_reset(enum efi_reset_type type)
{
	const uint8_t *table = (const uint8_t *)(uintptr_t)boot_info->uefi_system_table_physical;
	const uint8_t *services;
	efi_reset_system reset;
	uint64_t callers_cr3 = read_cr3();
	enum status status;

	if (table == NULL)
		return ERR_UNSUPPORTED;
	status = map_runtime_services();
	if (status != OK)
		return status;
	hypervisor_cpu_stop();
	write_cr0(read_cr0() & ~CR0_TS);
	services = *(const uint8_t *const *)(table + SYSTEM_TABLE_RUNTIME_SERVICES);
	reset = *(const efi_reset_system *)(services + RUNTIME_SERVICES_RESET_SYSTEM);
	reset(type, 0, 0, NULL);
	/* Firmware came back: the caller, on its own page tables again, may try another way. */
	interrupts_off();
	write_cr0(read_cr0() | CR0_TS);
	write_cr3(callers_cr3);
	return ERR_UNSUPPORTED;
}

/* Reset control register of Intel chipsets, then the keyboard controller, then a triple fault. */
static _Noreturn void plain_reset(void)
{
	struct descriptor_table_register none = {0};

	hypervisor_cpu_stop();
	out8(0xcf9, 0x02);
	out8(0xcf9, 0x06);
	out8(0x64, 0xfe);
	lidt(&none);
	undefined_instruction();
	for (;;)
		halt();
}

enum status power_do(uint64_t what)
{
	switch ((enum host_power)what) {
	case HOST_POWER_UEFI_OFF:
		return uefi_reset(EFI_RESET_SHUTDOWN);
	case HOST_POWER_UEFI_RESET:
		return uefi_reset(EFI_RESET_COLD);
	case HOST_POWER_RESET:
		plain_reset();
	}
	return ERR_INVALID;
}
