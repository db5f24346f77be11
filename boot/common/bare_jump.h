/* boot/common/bare_jump.asm */
#pragma once
#include <stdint.h>

/* Enters Linux at its 64-bit entry as "64-bit Boot Protocol" demands: own page tables and GDT, CS 10h, data 18h, IF = 0,
 * RSI = boot_params. The code must lie below 4 GiB: page_tables map no more. All five are physical addresses. */
_Noreturn void jump_to_linux(uint64_t entry, uint64_t page_tables, uint64_t stack_top, uint64_t boot_params, uint64_t gdt);
extern const uint8_t jump_to_linux_end[];
