/* Any bytes as a kernel file of a 64 MiB guest, also with the magic of each format set: what is planned can be written, lies
 * in the guest's memory, and no piece over another. */
#include <stdlib.h>
#include <string.h>

#include "vmm/load/load.h"

#define FILE_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t file[FILE_MAX];
static _Alignas(4096) uint8_t memory[64 << 20];
static struct load_plan plan;

/* Memory of the map for the program; the area for what it is told is no memory of the map. */
static bool is_in_memory(uint64_t base, uint64_t end)
{
	return end <= 0x9fc00 || (base >= LOAD_INFO_BASE && end <= LOAD_INFO_BASE + LOAD_INFO_BYTES) ||
	       (base >= 0x100000 && end <= 64 << 20);
}

static void check_places(void)
{
	for (unsigned i = 0; i < plan.piece_count; i++) {
		uint64_t base = plan.pieces[i].gpa.raw;
		uint64_t end = base + plan.pieces[i].source_bytes + plan.pieces[i].zero_bytes;

		if (end < base || !is_in_memory(base, end))
			abort();
		for (unsigned j = 0; j < i; j++) {
			uint64_t other = plan.pieces[j].gpa.raw;

			if (base < other + plan.pieces[j].source_bytes + plan.pieces[j].zero_bytes && other < end)
				abort();
		}
	}
}

static void try_file(size_t size, const struct gmem *gm)
{
	static const struct bzimage_e820 e820[] = {{0, 0x9fc00, 1}, {0xe0000, 0x20000, 2}, {0x100000, 63 << 20, 1}};
	const struct load_module modules[] = {{file, size / 2, "a b"}, {file, 0, ""}};
	const struct load_request request = {
		.kernel = file,
		.kernel_bytes = size,
		.kernel_path = "file",
		.modules = modules,
		.module_count = size % 3,
		.initrd = size % 2 == 0 ? file : NULL,
		.initrd_bytes = size,
		.initrd_path = "initrd",
		.command_line = "quiet",
		.e820 = e820,
		.e820_count = 3,
		.memory_bytes = sizeof(memory),
	};
	struct load_problem problem = {0};
	char text[256];

	if (load_make_plan(&request, &plan, &problem) != OK) {
		load_describe(&problem, "vm", "file", text, sizeof(text));
		return;
	}
	if (plan.piece_count > LOAD_PIECES_MAX || load_apply(&plan, gm) != OK)
		abort();
	check_places();
}

/* An ELF image of few program headers whose numbers are small, so that some fit; as Multiboot and as PVH kernel. */
static void try_elf(size_t size, const struct gmem *gm, bool is_64_bit)
{
	const size_t entry_bytes = is_64_bit ? 56 : 32, count = 1 + file[0x3f] % 4;
	const uint16_t machine = 62, type = 2;

	memcpy(file, is_64_bit ? "\177ELF\2\1\1" : "\177ELF\1\1\1", 7);
	memcpy(file + 16, &type, 2);
	memcpy(file + 18, &machine, 2);
	memset(file + 28, 0, 12);
	file[is_64_bit ? 32 : 28] = 64;
	memset(file + 42, 0, 18);
	file[is_64_bit ? 54 : 42] = (uint8_t)entry_bytes;
	file[is_64_bit ? 56 : 44] = (uint8_t)count;
	for (size_t i = 0; i < count; i++) {
		uint8_t *header = file + 64 + i * entry_bytes;

		header[0] = i == 0 ? 4 : 1;
		memset(header + 1, 0, 3);
		for (size_t at = is_64_bit ? 8 : 4; at < entry_bytes; at += is_64_bit ? 8 : 4)
			memset(header + at + 2 + (header[at] & 1), 0, (is_64_bit ? 6U : 2U) - (header[at] & 1));
		memset(header + (is_64_bit ? 9 : 5), 0, 2);
		memset(header + (is_64_bit ? 34 : 18), 0, 1);
		header[is_64_bit ? 33 : 17] &= 3;
		header[is_64_bit ? 41 : 21] |= 0x10; /* more than in the file */
		if ((header[is_64_bit ? 24 : 12] & 2) == 0)
			header[is_64_bit ? 26 : 14] = (uint8_t)(0x10 + i);
	}
	/* The last segment's virtual address, or its physical one, is the entry in the header and in the note. */
	memcpy(file + 24, file + 64 + (count - 1) * entry_bytes + (is_64_bit ? 16 : 8), 4);
	memcpy(file + 64 + (is_64_bit ? 8 : 4), "\x80\2\0\0", 4);
	memcpy(file + 64 + (is_64_bit ? 32 : 16), "\x18\0\0\0", 4);
	memcpy(file + 0x280, "\4\0\0\0\4\0\0\0\x12\0\0\0Xen", 16);
	memcpy(file + 0x290, file + 64 + (count - 1) * entry_bytes + (is_64_bit ? 24 : 12), 4);
	try_file(size, gm);
	memcpy(file + 0x200, "\x02\xb0\xad\x1b\0\0\0\0\xfe\x4f\x52\xe4", 12);
	try_file(size, gm);
}

/* Address fields that say small distances, so that some make sense. */
static void try_address_fields(size_t size, const struct gmem *gm)
{
	memcpy(file + 0x200, "\x02\xb0\xad\x1b\0\0\1\0\xfe\x4f\x51\xe4", 12);
	for (size_t at = 0x20c; at < 0x220; at += 4)
		memcpy(file + at + 2, "\x10\0", 2);
	try_file(size, gm);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gmem gm = {0};

	if (size > sizeof(file))
		size = sizeof(file);
	if (gmem_add_slot(&gm, gpa(0), sizeof(memory), memory) != OK)
		abort();
	memcpy(file, data, size);
	try_file(size, &gm);
	if (size >= 0x290) {
		memcpy(file + 0x1fe, "\x55\xaa", 2);
		memcpy(file + 0x202, "HdrS", 4);
		file[0x207] = 2;
		file[0x206] |= 0xc;
		file[0x211] |= 1;
		file[0x236] |= 1;
		file[0x201] |= 0x62;
		memcpy(file + 0x230, "\0\0\x20\0", 4);
		memset(file + 0x258, 0, 8);
		try_file(size, &gm);
	}
	if (size >= 0x300) {
		memcpy(file, data, 0x300);
		try_elf(size, &gm, true);
		memcpy(file, data, 0x300);
		try_elf(size, &gm, false);
		try_address_fields(size, &gm);
	}
	if (size >= 16) {
		memcpy(file, "BULKFLAT\1\0\0\0", 12);
		try_file(size, &gm);
	}
	return 0;
}
