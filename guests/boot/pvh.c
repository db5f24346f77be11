/* Checks all that a PVH loader says and does. Started with 16 MiB, a command line, an initrd and a module (tests/system).
 * Xen, "x86/HVM direct boot ABI", and its public header arch-x86/hvm/start_info.h. */
#include "guests/boot/boot.h"

#define START_MAGIC  0x336ec578U
#define ONE_MIB      0x100000U
#define MEMORY_BYTES (16U * ONE_MIB)

struct start_info {
	uint32_t magic, version, flags, module_count;
	uint64_t modules, command_line, rsdp, memory_map;
	uint32_t memory_map_count, reserved;
};

struct module {
	uint64_t address, size_bytes, text, reserved;
};

struct memory {
	uint64_t base, length_bytes;
	uint32_t type, reserved;
};

static const char *text_at(uint64_t address)
{
	return (const char *)(uint32_t)address;
}

static void check_memory_map(const struct start_info *info)
{
	const struct memory *map = (const struct memory *)(uint32_t)info->memory_map;
	bool low = false, high = false;

	for (uint32_t i = 0; i < info->memory_map_count; i++) {
		low |= map[i].type == 1 && map[i].base == 0 && map[i].length_bytes == 0xa0000;
		high |= map[i].type == 1 && map[i].base == ONE_MIB && map[i].length_bytes == MEMORY_BYTES - ONE_MIB;
	}
	expect("memory map: memory below 640 KiB", low);
	expect("memory map: memory from 1 MiB on", high);
}

static void check_modules(const struct start_info *info)
{
	const struct module *modules = (const struct module *)(uint32_t)info->modules;

	expect_number("two modules", info->module_count, 2);
	if (info->module_count != 2)
		return;
	expect("modules in memory", modules[0].address + modules[0].size_bytes <= MEMORY_BYTES && modules[1].address >= ONE_MIB);
	expect_number("initrd: bytes", (uint32_t)modules[0].size_bytes, 13);
	expect("initrd: contents", same_bytes(text_at(modules[0].address), "first module\n", 13));
	expect("module: contents", same_bytes(text_at(modules[1].address + modules[1].size_bytes - 4), "end\n", 4));
	expect("module: text", same_text(text_at(modules[1].text), "boot/second words"));
}

void boot_main(void)
{
	const struct start_info *info = (const struct start_info *)boot_state.ebx;
	uint32_t rsdp;

	check_state();
	expect_number("CR0", boot_state.cr0 & ~0x30U, 1); /* ET and NE may be fixed */
	expect_number("magic", info->magic, START_MAGIC);
	expect_number("version", info->version, 1);
	expect_number("flags", info->flags, 0);
	rsdp = check_firmware_area();
	use_low_memory();
	expect_number("RSDP", (uint32_t)info->rsdp, rsdp);
	expect("command line", same_text(text_at(info->command_line), "-v  args=\"a b\""));
	check_memory_map(info);
	check_modules(info);
	print("pvh: done\r\n");
}
