/* Checks all that a Multiboot loader says and does. Started with 16 MiB, a command line and two modules (tests/system).
 * Multiboot Specification 0.6.96, "Machine state" and "Boot information format". */
#include "guests/boot/boot.h"

#define LOADER_MAGIC 0x2badb002U
#define INFO_WANTED  0x24dU /* memory, command line, modules, memory map, loader name; nothing of video */
#define ONE_MIB      0x100000U
#define MEMORY_BYTES (16U * ONE_MIB)

struct multiboot_info {
	uint32_t flags, memory_lower_kib, memory_upper_kib, boot_device, command_line, module_count, modules, symbols[4],
	    memory_map_bytes, memory_map, drives[2], config_table, loader_name;
};

struct module {
	uint32_t start, end, text, reserved;
};

struct memory {
	uint32_t size_bytes;
	uint64_t base, length_bytes;
	uint32_t type;
} __attribute__((packed));

static const char *text_at(uint32_t address)
{
	return (const char *)address;
}

static void check_memory_map(const struct multiboot_info *info)
{
	uint32_t at = info->memory_map, end = at + info->memory_map_bytes;
	bool low = false, high = false, ordered = true;
	uint64_t last = 0;

	while (at < end) {
		const struct memory *entry = (const struct memory *)at;

		low |= entry->type == 1 && entry->base == 0 && entry->length_bytes == 0xa0000;
		high |= entry->type == 1 && entry->base == ONE_MIB && entry->length_bytes == MEMORY_BYTES - ONE_MIB;
		ordered &= entry->base >= last && entry->size_bytes >= 20;
		last = entry->base + entry->length_bytes;
		at += entry->size_bytes + sizeof(entry->size_bytes);
	}
	expect("memory map: ends with its last entry", at == end);
	expect("memory map: ascending", ordered);
	expect("memory map: memory below 640 KiB", low);
	expect("memory map: memory from 1 MiB on", high);
}

static void check_modules(const struct multiboot_info *info)
{
	const struct module *modules = (const struct module *)info->modules;

	expect_number("two modules", info->module_count, 2);
	if (info->module_count != 2)
		return;
	expect("modules on pages", ((modules[0].start | modules[1].start) & 0xfff) == 0);
	expect("modules behind the kernel", modules[0].start >= (uint32_t)boot_end && modules[1].start >= modules[0].end);
	expect_number("first module: bytes", modules[0].end - modules[0].start, 13);
	expect("first module: contents", same_bytes(text_at(modules[0].start), "first module\n", 13));
	expect("first module: text", same_text(text_at(modules[0].text), "boot/first one  two=2"));
	expect_number("second module: bytes", modules[1].end - modules[1].start, 5000);
	expect("second module: contents", same_bytes(text_at(modules[1].end - 4), "end\n", 4));
	expect("second module: text", same_text(text_at(modules[1].text), "boot/second"));
}

void boot_main(void)
{
	const struct multiboot_info *info = (const struct multiboot_info *)boot_state.ebx;

	expect_number("EAX", boot_state.eax, LOADER_MAGIC);
	check_state();
	expect_number("flags", info->flags, INFO_WANTED);
	check_firmware_area();
	use_low_memory();
	expect_number("mem_lower", info->memory_lower_kib, 640);
	expect_number("mem_upper", info->memory_upper_kib, (MEMORY_BYTES - ONE_MIB) >> 10);
	expect("command line", same_text(text_at(info->command_line), "boot/multiboot.elf -v  args=\"a b\""));
	expect("loader name", same_text(text_at(info->loader_name), "Bulkhead"));
	check_memory_map(info);
	check_modules(info);
	print("multiboot: done\r\n");
}
