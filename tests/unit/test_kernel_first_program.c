/* kernel/first_program.c: what the loader hands over is mapped, and refused where it is not sound. */
#include "tests/unit/unit.h"

#include "abi/layout.h"
#include "kernel/chunks.h"
#include "kernel/first_program.h"
#include "kernel/hypervisor.h"
#include "kernel/page_table.h"
#include "kernel/percpu.h"
#include "kernel/pool.h"
#include "kernel/smp.h"
#include "kernel/space_internal.h"
#include "kernel/space_struct.h"
#include "kernel/thread_internal.h"
#include "tests/fake/kernel_pc.h"

#define PROGRAM_PHYSICAL 0xf000000ULL /* outside the fake PC's RAM: never looked at */
#define TEXT             0x400000ULL
#define STACK            0x7fff0000ULL

struct percpu *percpus[CPUS_MAX];
uint32_t percpu_count = 3, smp_failed_count = 2;

static struct space *started;
static uint64_t started_at;

enum status thread_create(struct pool *pool, struct space *space, const struct thread_config *config, struct percpu *cpu,
			  struct thread **out)
{
	static struct percpu home;
	static struct thread thread = {.home = &home, .object = {.references = 1}};

	(void)pool, (void)cpu;
	started = space;
	started_at = config->entry;
	*out = &thread;
	return OK;
}

uint32_t hypervisor_usable(void)
{
	return 1;
}

/* A sound hand-over: code, stack, two files. */
static struct boot_info *boot(void)
{
	static struct boot_info info;
	static struct boot_file files[] = {
		{"system/manager", 0xe000000, 0x3001, BOOT_FILE_LOADED, 0},
		{"large", 0, 1ULL << 40, BOOT_FILE_SKIPPED_NO_MEMORY, 0},
	};
	struct host_info *host;

	fake_pc_boot_simple(64 * FAKE_MIB);
	host = pool_page_alloc(root_pool);
	*host = (struct host_info){.size_bytes = 100};
	info = (struct boot_info){
		.host_info_virtual = (uintptr_t)host,
		.files_virtual = (uintptr_t)files,
		.file_count = 2,
		.program = {
			.physical = PROGRAM_PHYSICAL,
			.length_bytes = 0x4000,
			.entry = TEXT + 4,
			.stack_top = STACK + 0x1000,
			.region_count = 2,
			.regions = {{TEXT, 0x3000, RIGHT_READ | RIGHT_EXECUTE, 0}, {STACK, 0x1000, RIGHT_READ | RIGHT_WRITE, 0}},
		},
	};
	return &info;
}

static uint64_t entry_at(uint64_t address)
{
	const uint64_t *entry = page_table_entry(started->pml4, address, 1, NULL, 0);

	return entry != NULL ? *entry : 0;
}

static void maps_all(void)
{
	struct boot_info *info = boot();
	const struct host_info *host = (const struct host_info *)(uintptr_t)info->host_info_virtual;
	struct object *file;
	uint64_t badge;

	assert_int_equal(first_program_start(info), OK);
	assert_int_equal(started_at, TEXT + 4);
	assert_int_equal(entry_at(TEXT + 0x2000), (PROGRAM_PHYSICAL + 0x2000) | PTE_PRESENT | PTE_USER);
	assert_int_equal(entry_at(TEXT + 0x3000), 0);
	assert_int_equal(entry_at(STACK), (PROGRAM_PHYSICAL + 0x3000) | PTE_PRESENT | PTE_USER | PTE_WRITE | PTE_NX);
	assert_int_equal(entry_at(STACK - 0x1000), 0);
	assert_int_equal(entry_at(HOST_INFO_FIXED), direct_physical(host) | PTE_PRESENT | PTE_USER | PTE_NX);
	assert_int_equal(host->memory_bytes, chunks_total_bytes());
	assert_int_equal(host->cpu_count, 3);
	assert_int_equal(host->cpu_failed_count, 2);
	assert_int_equal(host->vmx_usable, 1);
	assert_int_equal(handle_find(started, MANAGER_HANDLE_FIRST_FILE, OBJECT_MEMORY, RIGHT_READ, &file, &badge), OK);
	assert_int_not_equal(handle_find(started, MANAGER_HANDLE_FIRST_FILE, OBJECT_MEMORY, RIGHT_WRITE, &file, &badge), OK);
	assert_int_not_equal(handle_find(started, MANAGER_HANDLE_FIRST_FILE + 1, OBJECT_MEMORY, RIGHT_READ, &file, &badge), OK);
}

static void test_first_program_maps_what_the_loader_loaded(void **state)
{
	(void)state;
	fake_pc_run(maps_all);
}

static void refuses_writable_code(void)
{
	struct boot_info *info = boot();

	info->program.regions[0].rights |= RIGHT_WRITE;
	assert_int_not_equal(first_program_start(info), OK);
}

static void refuses_overlap(void)
{
	struct boot_info *info = boot();

	info->program.regions[1].virtual_address = TEXT + 0x2000;
	assert_int_not_equal(first_program_start(info), OK);
}

static void refuses_upper_half(void)
{
	struct boot_info *info = boot();

	info->program.regions[1].virtual_address = DIRECT_MAP_BASE;
	assert_int_not_equal(first_program_start(info), OK);
}

static void refuses_misaligned(void)
{
	struct boot_info *info = boot();

	info->program.regions[1].virtual_address += 8;
	assert_int_not_equal(first_program_start(info), OK);
}

static void refuses_misaligned_memory(void)
{
	struct boot_info *info = boot();

	info->program.physical += 8;
	assert_int_not_equal(first_program_start(info), OK);
}

static void refuses_more_than_its_memory(void)
{
	struct boot_info *info = boot();

	info->program.regions[1].length_bytes = 0x2000;
	assert_int_not_equal(first_program_start(info), OK);
}

static void refuses_more_regions_than_there_are(void)
{
	struct boot_info *info = boot();

	info->program.region_count = BOOT_REGIONS_MAX + 1;
	assert_int_not_equal(first_program_start(info), OK);
}

static void test_first_program_refuses_an_unsound_layout(void **state)
{
	(void)state;
	fake_pc_run(refuses_writable_code);
	fake_pc_run(refuses_overlap);
	fake_pc_run(refuses_upper_half);
	fake_pc_run(refuses_misaligned);
	fake_pc_run(refuses_misaligned_memory);
	fake_pc_run(refuses_more_than_its_memory);
	fake_pc_run(refuses_more_regions_than_there_are);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_program_maps_what_the_loader_loaded),
		cmocka_unit_test(test_first_program_refuses_an_unsound_layout),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
