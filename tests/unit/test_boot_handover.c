/* boot/common/kernel_image.c, program_image.c and handover.c: from files to the boot heap, on small ELF images made here. */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "abi/layout.h"
#include "abi/syscall.h"
#include "boot/common/handover.h"
#include "boot/common/program_image.h"
#include "tests/unit/boot_elf.h"

#define MAP_PIECES    32U
#define COMMAND_LINE  "apic=x apic=xapic selftest=page -- selftest=no"

static void open_kernel(const uint8_t *file, struct kernel_image *image)
{
	struct kernel_refusal refusal = {.what = NULL};

	assert_int_equal(kernel_image_open(file, FILE_BYTES, image, &refusal), OK);
}

static void test_kernel_image_open_accepts_ours(void **state)
{
	static uint8_t file[FILE_BYTES];
	struct kernel_image image;

	(void)state;
	make_kernel(file, BOOT_INFO_VERSION);
	open_kernel(file, &image);
	assert_int_equal(image.length_bytes, 0x3000);
}

static void test_kernel_image_open_names_another_version(void **state)
{
	static uint8_t file[FILE_BYTES];
	struct kernel_image image;
	struct kernel_refusal refusal;

	(void)state;
	make_kernel(file, BOOT_INFO_VERSION + 1);
	assert_int_equal(kernel_image_open(file, FILE_BYTES, &image, &refusal), ERR_UNSUPPORTED);
	assert_int_equal(refusal.code, E503);
	assert_int_equal(refusal.number, BOOT_INFO_VERSION + 1);
}

static void test_kernel_image_open_refuses_what_is_no_kernel(void **state)
{
	static uint8_t file[FILE_BYTES];
	struct kernel_image image;
	struct kernel_refusal refusal = {.code = E501};

	(void)state;
	make_kernel(file, BOOT_INFO_VERSION);
	file[TEXT_OFFSET + NOTE_ADDRESS + 12] = 'b';
	assert_int_equal(kernel_image_open(file, FILE_BYTES, &image, &refusal), ERR_BAD_FORMAT);
	assert_int_equal(refusal.code, E502);
	make_kernel(file, BOOT_INFO_VERSION);
	for (size_t length = 0; length < FILE_BYTES; length += 61)
		assert_int_not_equal(kernel_image_open(file, length, &image, &refusal), OK);
	memset(file, 0, sizeof(file));
	assert_int_equal(kernel_image_open(file, FILE_BYTES, &image, &refusal), ERR_BAD_FORMAT);
}

static void test_kernel_image_load_relocates_and_zeroes(void **state)
{
	static uint8_t file[FILE_BYTES];
	static uint8_t memory[0x3000];
	struct kernel_image image;
	struct kernel_refusal refusal;
	uint64_t pointer;

	(void)state;
	make_kernel(file, BOOT_INFO_VERSION);
	open_kernel(file, &image);
	memset(memory, 0xa5, sizeof(memory));
	assert_int_equal(kernel_image_load(&image, memory, 0xffffffff81200000, &refusal), OK);
	memcpy(&pointer, memory + DATA_ADDRESS, sizeof(pointer));
	assert_int_equal(pointer, 0xffffffff81200000 + POINTED_TO);
	for (size_t i = DATA_ADDRESS + 0x100; i < sizeof(memory); i++)
		assert_int_equal(memory[i], 0);
}

static void test_program_image_lays_out_segments_and_stack(void **state)
{
	static uint8_t file[FILE_BYTES];
	static uint8_t memory[0x20000];
	struct boot_program program;
	struct elf_problem problem;
	struct elf_image image;

	(void)state;
	make_program(file);
	assert_int_equal(program_image_open(file, FILE_BYTES, &image, &program, &problem), OK);
	assert_int_equal(program.entry, 0x400004);
	assert_int_equal(program.region_count, 3);
	assert_int_equal(program.regions[0].virtual_address, 0x400000);
	assert_int_equal(program.regions[0].length_bytes, 0x1000);
	assert_int_equal(program.regions[0].rights, RIGHT_READ | RIGHT_EXECUTE);
	assert_int_equal(program.regions[1].virtual_address, 0x402000);
	assert_int_equal(program.regions[1].length_bytes, 0x2000);
	assert_int_equal(program.regions[1].rights, RIGHT_READ | RIGHT_WRITE);
	assert_int_equal(program.regions[2].virtual_address + program.regions[2].length_bytes, program.stack_top);
	assert_int_equal(program.regions[2].rights, RIGHT_READ | RIGHT_WRITE);
	assert_int_equal(program.length_bytes, 0x3000 + program.regions[2].length_bytes);
	memset(memory, 0xa5, sizeof(memory));
	program_image_load(&image, &program, memory);
	assert_int_equal(memory[4], 0x90);
	assert_int_equal(memory[5], 0);
	assert_int_equal(memory[0x1000], 0x55);
	assert_int_equal(memory[0x10ff], 0x55);
	for (size_t i = 0x1100; i < program.length_bytes; i++)
		assert_int_equal(memory[i], 0);
	assert_int_equal(memory[program.length_bytes], 0xa5);
}

static void test_program_image_refuses_what_cannot_run(void **state)
{
	static uint8_t file[FILE_BYTES];
	Elf64_Phdr segments[BOOT_REGIONS_MAX];
	Elf64_Ehdr header;
	struct boot_program program;
	struct elf_problem problem = {.what = NULL};
	struct elf_image image;

	(void)state;
	make_kernel(file, BOOT_INFO_VERSION);
	assert_int_equal(program_image_open(file, FILE_BYTES, &image, &program, &problem), ERR_UNSUPPORTED);
	assert_string_equal(problem.what, "wants to be relocated: bytes");
	make_program(file);
	memcpy(&header, file, sizeof(header));
	header.e_phnum = BOOT_REGIONS_MAX;
	memcpy(file, &header, sizeof(header));
	for (unsigned i = 0; i < BOOT_REGIONS_MAX; i++)
		segments[i] = (Elf64_Phdr){PT_LOAD, PF_R | PF_X, TEXT_OFFSET, 0x400000 + i * 0x1000, 0, 5, 5, 0x1000};
	memcpy(file + sizeof(header), segments, sizeof(segments));
	assert_int_equal(program_image_open(file, FILE_BYTES, &image, &program, &problem), ERR_NO_SPACE);
	assert_string_equal(problem.what, "too many segments");
	for (size_t length = 0; length < DATA_OFFSET; length += 61)
		assert_int_not_equal(program_image_open(file, length, &image, &program, &problem), OK);
}

static struct pc pc = {.pc = {.cpu_count = 3, .has_8259 = true}, .apic_ids = {0, 2, 4}, .warnings = 5};

struct setup {
	struct boot_file file_entries[2];
	struct boot_files files;
	struct handover found;
	struct kernel_image image;
	struct placement placement;
	struct launch launch;
	uint8_t *heap;
};

static void set_up(struct setup *setup)
{
	static uint8_t file[FILE_BYTES];

	memset(setup, 0, sizeof(*setup));
	make_kernel(file, BOOT_INFO_VERSION);
	open_kernel(file, &setup->image);
	setup->file_entries[0] = (struct boot_file){"a", 0x700000, 5000, BOOT_FILE_LOADED, 0};
	setup->file_entries[1] = (struct boot_file){"b", 0, 1ULL << 40, BOOT_FILE_SKIPPED_NO_MEMORY, 0};
	setup->files = (struct boot_files){.files = setup->file_entries, .count = 2, .capacity = 2};
	setup->found = (struct handover){
		.loader = BOOT_LOADER_UEFI,
		.files = &setup->files,
		.command_line = COMMAND_LINE,
		.rsdp_physical = 0xe0010,
		.pc = &pc,
	};
	setup->placement = (struct placement){
		.kernel_physical = 0x800000,
		.kernel_virtual = 0xffffffff90000000,
		.kernel_length_bytes = setup->image.length_bytes,
		.heap_physical = 0x4000000000, /* 256 GiB */
		.heap_length_bytes = handover_heap_bytes(&setup->found, &setup->image, MAP_PIECES),
		.program = {.physical = 0x900000, .length_bytes = 0x13000},
	};
	setup->heap = malloc(setup->placement.heap_length_bytes);
	assert_non_null(setup->heap);
	assert_int_equal(handover_prepare(&setup->launch, &setup->found, &setup->image, &setup->placement, MAP_PIECES,
					  setup->heap, 0x3ffff0, 0x20), OK);
}

static const void *heap_at(const struct setup *setup, uint64_t virtual)
{
	uint64_t offset = virtual - DIRECT_MAP_BASE - setup->placement.heap_physical;

	assert_true(offset < setup->launch.heap.used_bytes);
	return setup->heap + offset;
}

static void test_handover_fills_boot_info(void **state)
{
	struct setup setup;
	const struct boot_info *info;

	(void)state;
	set_up(&setup);
	info = heap_at(&setup, setup.launch.info_virtual);
	assert_int_equal(info->magic, BOOT_INFO_MAGIC);
	assert_int_equal(info->version, BOOT_INFO_VERSION);
	assert_int_equal(info->size_bytes, sizeof(*info));
	assert_int_equal(info->file_count, 2);
	assert_memory_equal(heap_at(&setup, info->files_virtual), setup.file_entries, sizeof(setup.file_entries));
	assert_int_equal(info->forbid_x2apic, 1);
	assert_string_equal(info->selftest, "page");
	assert_int_equal(info->program.physical, 0x900000);
	assert_int_equal(info->pc.cpu_count, 3);
	assert_memory_equal(heap_at(&setup, info->pc.cpus_virtual), pc.apic_ids, 3 * sizeof(uint32_t));
	assert_int_equal(setup.launch.entry_virtual, 0xffffffff90000020);
	assert_int_equal(setup.launch.stack_top_virtual % 16, 0);
	assert_true(setup.placement.heap_length_bytes - setup.launch.heap.used_bytes >= PAGE_2M_BYTES);
	free(setup.heap);
}

static void test_handover_fills_host_info(void **state)
{
	struct setup setup;
	const struct boot_info *info;
	const struct host_info *host;

	(void)state;
	set_up(&setup);
	info = heap_at(&setup, setup.launch.info_virtual);
	host = heap_at(&setup, info->host_info_virtual);
	assert_int_equal(info->host_info_virtual % PAGE_SIZE_BYTES, 0);
	assert_int_equal(host->magic, HOST_INFO_MAGIC);
	assert_int_equal(host->version, HOST_INFO_VERSION);
	assert_int_equal(host->rsdp_physical, 0xe0010);
	assert_int_equal(host->loader, BOOT_LOADER_UEFI);
	assert_int_equal(host->file_count, 2);
	assert_int_equal(host->acpi_warnings, 5);
	assert_int_equal(info->host_info_virtual + host->files_offset, info->files_virtual);
	assert_string_equal((const char *)host + host->command_line_offset, COMMAND_LINE);
	assert_int_equal(host->size_bytes, host->command_line_offset + sizeof(COMMAND_LINE));
	assert_memory_equal((const uint8_t *)host + host->framebuffer_offset, &setup.found.framebuffer,
			    sizeof(setup.found.framebuffer));
	/* Nothing else lies on these pages: ring 3 sees them whole. */
	assert_true(info->memory_virtual < info->host_info_virtual ||
		    info->memory_virtual >= info->host_info_virtual + PAGE_SIZE_BYTES);
	free(setup.heap);
}

static void test_handover_memory_map_has_all_that_was_placed(void **state)
{
	struct boot_memory raw_entries[MAP_PIECES];
	struct memory_map raw = {.entries = raw_entries, .capacity = MAP_PIECES};
	struct setup setup;
	const struct boot_info *info;
	const struct boot_memory *map;

	(void)state;
	set_up(&setup);
	assert_int_equal(memory_map_add(&raw, 0x100000, 0x3ff00000, BOOT_MEMORY_USABLE), OK);
	assert_int_equal(memory_map_add(&raw, 0x80000, 0x10000, BOOT_MEMORY_USABLE), OK);
	assert_int_equal(memory_map_add(&raw, 0x9f000, 0x1000, BOOT_MEMORY_USABLE), OK);
	assert_int_equal(memory_map_add(&raw, 0x4000000000, 0x40000000, BOOT_MEMORY_USABLE), OK);
	assert_int_equal(handover_finish(&setup.launch, &setup.files, &raw), OK);
	info = heap_at(&setup, setup.launch.info_virtual);
	map = heap_at(&setup, info->memory_virtual);
	assert_int_equal(info->memory_count, 11);
	assert_int_equal(map[3].type, BOOT_MEMORY_FILES);
	assert_int_equal(map[3].base_physical, 0x700000);
	assert_int_equal(map[3].length_bytes, 0x2000);
	assert_int_equal(map[5].type, BOOT_MEMORY_KERNEL);
	assert_int_equal(map[5].base_physical, 0x800000);
	assert_int_equal(map[5].length_bytes, 0x3000);
	assert_int_equal(map[7].type, BOOT_MEMORY_FILES);
	assert_int_equal(map[7].base_physical, 0x900000);
	assert_int_equal(map[7].length_bytes, 0x13000);
	assert_int_equal(map[9].type, BOOT_MEMORY_HEAP);
	assert_int_equal(map[9].base_physical, 0x4000000000);
	assert_int_equal(map[10].type, BOOT_MEMORY_USABLE);
	assert_int_equal(info->heap_used_bytes, setup.launch.heap.used_bytes);
	assert_int_equal(info->start_pages_physical, 0x80000);
	assert_int_equal(info->ram_end_physical, 0x4040000000);
	free(setup.heap);
}

static void test_handover_says_when_the_heap_is_small(void **state)
{
	struct setup setup;
	static uint8_t small[0x10000];

	(void)state;
	set_up(&setup);
	free(setup.heap);
	setup.placement.heap_length_bytes = sizeof(small);
	assert_int_not_equal(handover_prepare(&setup.launch, &setup.found, &setup.image, &setup.placement, MAP_PIECES, small,
					      0x3ffff0, 0x20), OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kernel_image_open_accepts_ours),
		cmocka_unit_test(test_kernel_image_open_names_another_version),
		cmocka_unit_test(test_kernel_image_open_refuses_what_is_no_kernel),
		cmocka_unit_test(test_kernel_image_load_relocates_and_zeroes),
		cmocka_unit_test(test_program_image_lays_out_segments_and_stack),
		cmocka_unit_test(test_program_image_refuses_what_cannot_run),
		cmocka_unit_test(test_handover_fills_boot_info),
		cmocka_unit_test(test_handover_fills_host_info),
		cmocka_unit_test(test_handover_memory_map_has_all_that_was_placed),
		cmocka_unit_test(test_handover_says_when_the_heap_is_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
