/* For tests of guests' ELF kernels: a file built by hand. A file with program headers at 40h, of either layout. Offsets: gABI,
 * "ELF Header", "Program Header". */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define GUEST_ELF_HEADERS_AT 0x40U

struct guest_elf {
	uint8_t *file;
	bool is_64_bit;
	unsigned count;
};

static inline void guest_elf_put(uint8_t *file, size_t offset, uint64_t value, unsigned width)
{
	memcpy(file + offset, &value, width);
}

static inline struct guest_elf guest_elf_begin(uint8_t *file, bool is_64_bit, uint16_t machine, uint64_t entry)
{
	memcpy(file, is_64_bit ? "\177ELF\2\1\1" : "\177ELF\1\1\1", 7);
	guest_elf_put(file, 16, 2, 2);
	guest_elf_put(file, 18, machine, 2);
	guest_elf_put(file, 20, 1, 4);
	guest_elf_put(file, 24, entry, is_64_bit ? 8 : 4);
	guest_elf_put(file, is_64_bit ? 32 : 28, GUEST_ELF_HEADERS_AT, 4);
	guest_elf_put(file, is_64_bit ? 54 : 42, is_64_bit ? 56 : 32, 2);
	return (struct guest_elf){.file = file, .is_64_bit = is_64_bit};
}

/* type: 1 PT_LOAD, 4 PT_NOTE. */
static inline void guest_elf_add(struct guest_elf *elf, uint32_t type, uint64_t offset, uint64_t virtual_address,
				 uint64_t physical_address, uint64_t file_bytes, uint64_t memory_bytes)
{
	unsigned word = elf->is_64_bit ? 8 : 4;
	uint8_t *at = elf->file + GUEST_ELF_HEADERS_AT + elf->count * (elf->is_64_bit ? 56U : 32U);
	const uint64_t values[] = {offset, virtual_address, physical_address, file_bytes, memory_bytes};

	guest_elf_put(at, 0, type, 4);
	for (unsigned i = 0; i < 5; i++)
		guest_elf_put(at, word + i * word, values[i], word);
	guest_elf_put(at, elf->is_64_bit ? 48 : 28, 4, 4);
	elf->count++;
	guest_elf_put(elf->file, elf->is_64_bit ? 56 : 44, elf->count, 2);
}

/* A note as PVH kernels have it: "Xen", type 18, the entry in 4 or 8 bytes; its size. */
static inline unsigned guest_elf_note(uint8_t *at, uint64_t entry, unsigned entry_bytes)
{
	guest_elf_put(at, 0, 4, 4);
	guest_elf_put(at, 4, entry_bytes, 4);
	guest_elf_put(at, 8, 18, 4);
	memcpy(at + 12, "Xen", 4);
	guest_elf_put(at, 16, entry, entry_bytes);
	return 16 + entry_bytes;
}
