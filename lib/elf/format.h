/* File layouts of ELF64 and ELF32 as far as lib/elf reads them. Source: gABI, "ELF Header", "Program Header", "Dynamic Section". */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "abi/status.h"

#define ELF_MAGIC            0x464c457fU /* 7Fh 'E' 'L' 'F', little-endian */
#define ELF_CLASS_32         1
#define ELF_CLASS_64         2
#define ELF_DATA_LITTLE      1
#define ELF_VERSION_CURRENT  1
#define ELF_TYPE_EXECUTABLE  2
#define ELF_TYPE_DYNAMIC     3
#define ELF_MACHINE_386      3
#define ELF_MACHINE_X86_64   62

#define PT_LOAD              1
#define PT_DYNAMIC           2
#define PT_INTERP            3
#define PT_NOTE              4
#define PT_TLS               7

#define NOTE_ALIGN_USUAL     4U
#define NOTE_ALIGN_LARGE     8U /* where the segment's p_align says so */

#define PF_X                 1U
#define PF_W                 2U

#define DT_NULL              0
#define DT_NEEDED            1
#define DT_PLTRELSZ          2
#define DT_RELA              7
#define DT_RELASZ            8
#define DT_RELAENT           9
#define DT_REL               17
#define DT_RELRSZ            35
#define DT_RELR              36
#define DT_RELRENT           37

#define R_X86_64_NONE        0
#define R_X86_64_RELATIVE    8

struct elf64_header {
	uint32_t magic;
	uint8_t class;
	uint8_t data;
	uint8_t ident_version;
	uint8_t ident_rest[9];
	uint16_t type;
	uint16_t machine;
	uint32_t version;
	uint64_t entry;
	uint64_t program_header_offset;
	uint64_t section_header_offset;
	uint32_t flags;
	uint16_t header_bytes;
	uint16_t program_header_bytes;
	uint16_t program_header_count;
	uint16_t section_header_bytes;
	uint16_t section_header_count;
	uint16_t section_names_index;
};

struct elf64_program_header {
	uint32_t type;
	uint32_t flags;
	uint64_t offset;
	uint64_t virtual_address;
	uint64_t physical_address;
	uint64_t file_bytes;
	uint64_t memory_bytes;
	uint64_t align;
};

struct elf32_header {
	uint32_t magic;
	uint8_t class;
	uint8_t data;
	uint8_t ident_version;
	uint8_t ident_rest[9];
	uint16_t type;
	uint16_t machine;
	uint32_t version;
	uint32_t entry;
	uint32_t program_header_offset;
	uint32_t section_header_offset;
	uint32_t flags;
	uint16_t header_bytes;
	uint16_t program_header_bytes;
	uint16_t program_header_count;
	uint16_t section_header_bytes;
	uint16_t section_header_count;
	uint16_t section_names_index;
};

struct elf32_program_header {
	uint32_t type;
	uint32_t offset;
	uint32_t virtual_address;
	uint32_t physical_address;
	uint32_t file_bytes;
	uint32_t memory_bytes;
	uint32_t flags;
	uint32_t align;
};

struct elf64_note {
	uint32_t name_bytes;
	uint32_t descriptor_bytes;
	uint32_t type;
};

struct elf64_dynamic {
	uint64_t tag;
	uint64_t value;
};

struct elf64_rela {
	uint64_t offset;
	uint64_t info; /* low half: type, high half: symbol */
	uint64_t addend;
};

_Static_assert(sizeof(struct elf32_header) == 52, "ELF header layout");
_Static_assert(sizeof(struct elf32_program_header) == 32, "ELF program header layout");
_Static_assert(sizeof(struct elf64_header) == 64, "ELF header layout");
_Static_assert(sizeof(struct elf64_program_header) == 56, "ELF program header layout");
_Static_assert(sizeof(struct elf64_note) == 12, "ELF note layout");
_Static_assert(sizeof(struct elf64_rela) == 24, "ELF relocation layout");

/* Inside lib/elf: the first note of that name and type in a table of notes; align: NOTE_ALIGN_USUAL or NOTE_ALIGN_LARGE.
 * ERR_NOT_FOUND; ERR_TRUNCATED (a note ends outside the table). */
MUST_CHECK enum status elf_search_notes(const uint8_t *at, size_t left, unsigned align, const char *name, uint32_t type,
					const void **descriptor, size_t *descriptor_bytes);
