/* Relocates the loader to where GRUB put it. Runs before any pointer in initialised data is used, so it uses none.
 * Source: System V ABI, AMD64 Architecture Processor Supplement, "Relocation Types". */
#include <stdint.h>

#include "boot/multiboot2/multiboot2_loader.h"

#define LINK_ADDRESS       0x200000ULL /* multiboot2.ld */
#define R_X86_64_RELATIVE  8U

struct rela {
	uint64_t offset;
	uint64_t info;
	uint64_t addend;
};

extern const struct rela rela_start[], rela_end[];

/* The link allows no other type of relocation: there is no symbol that could be missing. */
void multiboot2_relocate(void)
{
	uint64_t moved_by = (uint64_t)(uintptr_t)image_start - LINK_ADDRESS;

	for (const struct rela *rela = rela_start; rela < rela_end; rela++) {
		if ((uint32_t)rela->info == R_X86_64_RELATIVE)
			*(uint64_t *)(uintptr_t)(rela->offset + moved_by) = rela->addend + moved_by;
	}
}
