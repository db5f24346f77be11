/* Any bytes as a kernel file of a 64 MiB guest, also with the magic of each format set: what is planned can be written. */
#include <stdlib.h>
#include <string.h>

#include "vmm/load/load.h"

#define FILE_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t file[FILE_MAX];
static _Alignas(4096) uint8_t memory[64 << 20];
static struct load_plan plan;

static void try_file(size_t size, const struct gmem *gm)
{
	static const struct bzimage_e820 e820[] = {{0, 0x9fc00, 1}, {0xe0000, 0x20000, 2}, {0x100000, 63 << 20, 1}};
	const struct load_request request = {
		.kernel = file,
		.kernel_bytes = size,
		.initrd = size % 2 == 0 ? file : NULL,
		.initrd_bytes = size,
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
	if (size >= 16) {
		memcpy(file, "BULKFLAT\1\0\0\0", 12);
		try_file(size, &gm);
	}
	return 0;
}
