/* ELF64 x86-64 images in memory: the kernel's and the programs' own files, static and static-pie.
 * Everything is checked once by elf_parse(); what it yields can be used without further checks.
 * Not here: 32-bit images, symbols, dynamic linking, section headers, guest kernels (vmm/load).
 * Source: System V ABI (gABI), chapters "ELF Header", "Program Header", "Note Section", "Dynamic Section";
 * System V ABI, AMD64 Architecture Processor Supplement, "Relocation Types". */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/status.h"

#define ELF_SEGMENT_MAX        16U
#define ELF_PROGRAM_HEADER_MAX 64U
#define ELF_ADDRESS_END        0x0000800000000000ULL /* segments end at or below this */

/* One PT_LOAD. virtual_address is a multiple of 4096; memory_bytes > 0, not rounded, and >= file_bytes; the rest is zero.
 * Never both writable and executable; no two segments share a 4 KiB page; ascending order. */
struct elf_segment {
	uint64_t virtual_address;
	uint64_t file_offset;
	uint64_t file_bytes;
	uint64_t memory_bytes;
	bool writable;
	bool executable;
};

struct elf_image {
	const uint8_t *bytes; /* the caller's; must outlive this struct */
	size_t size_bytes;
	uint64_t entry;          /* inside an executable segment */
	uint64_t lowest_address; /* of the first segment */
	uint64_t span_bytes;     /* from lowest_address to the end of the last segment, rounded up to 4096 */
	uint64_t dynamic_offset; /* PT_DYNAMIC in the file */
	uint64_t dynamic_bytes;  /* 0: none */
	bool position_independent;
	unsigned segment_count;
	struct elf_segment segments[ELF_SEGMENT_MAX];
};

/* Why an image was refused. what is a constant string without a full stop, number the offending value (type, index, size). */
struct elf_problem {
	const char *what;
	uint64_t number;
};

/* Checks an ELF64 image and lists its segments. image need not be aligned.
 * Errors, each with *problem written: ERR_BAD_FORMAT (not ELF64 x86-64, or against a rule above), ERR_TRUNCATED (a part
 * lies past the end of the file), ERR_UNSUPPORTED (interpreter, thread-local storage), ERR_NO_SPACE (too many segments).
 * *out is written only on OK. Context: any; pure. */
MUST_CHECK enum status elf_parse(const void *image, size_t size_bytes, struct elf_image *out, struct elf_problem *problem);

/* Finds the first note with this name (NUL-terminated string) and type in any PT_NOTE. Needs only a sound ELF64 header,
 * not all that elf_parse() demands. The descriptor lies inside image, possibly unaligned.
 * Errors: ERR_NOT_FOUND; ERR_BAD_FORMAT, ERR_TRUNCATED (header or note table unsound). Context: any; pure. */
MUST_CHECK enum status elf_find_note(const void *image, size_t size_bytes, const char *name, uint32_t type,
				     const void **descriptor, size_t *descriptor_bytes);

/* Copies all segments to memory (which stands for lowest_address) and zeroes all between and behind them.
 * Errors: ERR_OUT_OF_RANGE if memory_bytes < span_bytes. Context: any. */
MUST_CHECK enum status elf_copy(const struct elf_image *image, void *memory, size_t memory_bytes);

/* Applies the image's relocations to a copy made by elf_copy(): adds load_bias (address where lowest_address will run,
 * minus lowest_address). Without PT_DYNAMIC there is nothing to do.
 * Errors, with *problem: ERR_UNSUPPORTED (a relocation other than R_X86_64_RELATIVE or _NONE: number is its type; shared
 * libraries), ERR_OUT_OF_RANGE (table or target outside the segments), ERR_BAD_FORMAT (entry sizes; a bias without
 * position independence). memory is undefined after an error. Context: any. */
MUST_CHECK enum status elf_relocate(const struct elf_image *image, void *memory, size_t memory_bytes, uint64_t load_bias,
				    struct elf_problem *problem);
