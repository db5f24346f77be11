/* ELF images of guests' kernels: 32-bit and 64-bit, for x86 and x86-64, linked for any address. What a boot loader needs:
 * the segments by their physical addresses, the entry, notes. Nothing is relocated.
 * Not here: where segments may lie and overlap (vmm/load), this project's own programs (elf.h), symbols, sections.
 * Source: System V ABI (gABI), chapters "ELF Header", "Program Header", "Note Section". */
#pragma once
#include "lib/elf/elf.h"

#define ELF_GUEST_SEGMENT_MAX 24U

/* One PT_LOAD with memory_bytes > 0. file_bytes <= memory_bytes, and [file_offset, + file_bytes) lies in the file. */
struct elf_guest_segment {
	uint64_t virtual_address;
	uint64_t physical_address;
	uint64_t file_offset;
	uint64_t file_bytes;
	uint64_t memory_bytes;
};

/* The checked header: where the program headers are. */
struct elf_guest {
	const uint8_t *bytes; /* the caller's */
	size_t size_bytes;
	bool is_64_bit;       /* of the file's layout; says nothing about the code */
	uint64_t entry;       /* as in the file */
	uint64_t program_header_offset;
	unsigned program_header_count; /* 1 .. ELF_PROGRAM_HEADER_MAX; they lie in the file */
	unsigned segment_count;        /* by elf_guest_segments() */
	struct elf_guest_segment segments[ELF_GUEST_SEGMENT_MAX];
};

/* Checks the header of an executable or position-independent image. image need not be aligned.
 * Errors, with *problem: ERR_BAD_FORMAT (no such ELF file), ERR_TRUNCATED. *out is written only on OK. Context: any; pure. */
MUST_CHECK enum status elf_guest_parse(const void *image, size_t size_bytes, struct elf_guest *out,
				       struct elf_problem *problem);

/* Lists the segments. Errors, with *problem: ERR_TRUNCATED (a segment lies past the end of the file), ERR_BAD_FORMAT (larger
 * in the file than in memory, wraps around, or none at all), ERR_NO_SPACE (too many). Context: any; pure. */
MUST_CHECK enum status elf_guest_segments(struct elf_guest *image, struct elf_problem *problem);

/* The physical address of a virtual one, by the first segment that holds it; one that is in no segment stays what it is.
 * (Kernels write either into e_entry.) Context: any; pure. */
uint64_t elf_guest_physical(const struct elf_guest *image, uint64_t address);

/* Finds the entry of a kernel that starts by Xen's "x86/HVM direct boot ABI" (PVH): the number, 4 or 8 bytes wide, of a note
 * "Xen" of type XEN_ELFNOTE_PHYS32_ENTRY. ERR_NOT_FOUND. Context: any; pure. */
MUST_CHECK enum status elf_guest_pvh_entry(const struct elf_guest *image, uint64_t *entry);

/* Is it an ELF image with such an entry? Any bytes. Context: any; pure. */
bool elf_guest_has_pvh_entry(const uint8_t *bytes, size_t size_bytes);

/* Finds the first note with this name and type. A table of notes that is damaged is passed over.
 * The descriptor lies inside the image, possibly unaligned. ERR_NOT_FOUND. Context: any; pure. */
MUST_CHECK enum status elf_guest_find_note(const struct elf_guest *image, const char *name, uint32_t type,
					   const void **descriptor, size_t *descriptor_bytes);
