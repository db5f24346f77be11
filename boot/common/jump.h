/* boot/common/jump.asm */
#pragma once
#include <stdint.h>

/* Turns interrupts off, gives CR0, CR4, EFER and CR3 the state that abi/boot_info.h promises and enters the kernel.
 * The code lies in [jump_to_kernel, jump_to_kernel_end), which must be mapped identically in both page tables. */
_Noreturn void jump_to_kernel(uint64_t entry_virtual, uint64_t root_physical, uint64_t stack_top_virtual,
			      uint64_t info_virtual);
extern const uint8_t jump_to_kernel_end[];
