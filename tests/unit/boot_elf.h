/* A small kernel and a small program as ELF files, for tests of the loaders. */
#pragma once
#include <elf.h>
#include <stdint.h>
#include <string.h>

#include "abi/boot_info.h"

#define TEXT_OFFSET   0x1000U
#define DATA_OFFSET   0x2000U
#define FILE_BYTES    0x2100U
#define NOTE_ADDRESS  0x100U
#define RELA_ADDRESS  0x140U
#define DATA_ADDRESS  0x1000U
#define DATA_MEMORY   0x1800U
#define POINTED_TO    0x10U

/* text [0, 1000h) with note and relocation table; data [1000h, 2800h): a pointer, the dynamic table, then zeroes. */
static inline void make_kernel(uint8_t file[FILE_BYTES], uint32_t version)
{
	const Elf64_Ehdr header = {
		.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
		.e_type = ET_DYN,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_entry = 0x20,
		.e_phoff = sizeof(Elf64_Ehdr),
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 4,
	};
	const Elf64_Phdr segments[4] = {
		{PT_LOAD, PF_R | PF_X, TEXT_OFFSET, 0, 0, 0x1000, 0x1000, 0x1000},
		{PT_LOAD, PF_R | PF_W, DATA_OFFSET, DATA_ADDRESS, DATA_ADDRESS, 0x100, DATA_MEMORY, 0x1000},
		{PT_DYNAMIC, PF_R | PF_W, DATA_OFFSET + 0x10, DATA_ADDRESS + 0x10, DATA_ADDRESS + 0x10, 4 * sizeof(Elf64_Dyn),
		 4 * sizeof(Elf64_Dyn), 8},
		{PT_NOTE, PF_R, TEXT_OFFSET + NOTE_ADDRESS, NOTE_ADDRESS, NOTE_ADDRESS, 28, 28, 4},
	};
	const Elf64_Dyn dynamic[4] = {
		{DT_RELA, {RELA_ADDRESS}},
		{DT_RELASZ, {sizeof(Elf64_Rela)}},
		{DT_RELAENT, {sizeof(Elf64_Rela)}},
		{DT_NULL, {0}},
	};
	const Elf64_Rela relocation = {DATA_ADDRESS, ELF64_R_INFO(0, R_X86_64_RELATIVE), POINTED_TO};
	const uint32_t note[3] = {sizeof(BOOT_NOTE_NAME), sizeof(version), BOOT_NOTE_TYPE};

	memset(file, 0, FILE_BYTES);
	memcpy(file, &header, sizeof(header));
	memcpy(file + sizeof(header), segments, sizeof(segments));
	memcpy(file + TEXT_OFFSET + NOTE_ADDRESS, note, sizeof(note));
	memcpy(file + TEXT_OFFSET + NOTE_ADDRESS + 12, BOOT_NOTE_NAME, sizeof(BOOT_NOTE_NAME));
	memcpy(file + TEXT_OFFSET + NOTE_ADDRESS + 24, &version, sizeof(version));
	memcpy(file + TEXT_OFFSET + RELA_ADDRESS, &relocation, sizeof(relocation));
	memcpy(file + DATA_OFFSET + 0x10, dynamic, sizeof(dynamic));
}

/* text [400000h, 400005h), data [402000h, 403800h) of which 100h bytes are in the file; then stack. */
static inline void make_program(uint8_t file[FILE_BYTES])
{
	Elf64_Ehdr header;
	const Elf64_Phdr segments[2] = {
		{PT_LOAD, PF_R | PF_X, TEXT_OFFSET, 0x400000, 0x400000, 5, 5, 0x1000},
		{PT_LOAD, PF_R | PF_W, DATA_OFFSET, 0x402000, 0x402000, 0x100, DATA_MEMORY, 0x1000},
	};

	make_kernel(file, BOOT_INFO_VERSION);
	memcpy(&header, file, sizeof(header));
	header.e_type = ET_EXEC;
	header.e_entry = 0x400004;
	header.e_phnum = 2;
	memcpy(file, &header, sizeof(header));
	memcpy(file + sizeof(header), segments, sizeof(segments));
	memset(file + TEXT_OFFSET, 0x90, 5);
	memset(file + DATA_OFFSET, 0x55, 0x100);
}
