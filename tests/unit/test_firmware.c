/* What is a ROM, where it goes, and when it becomes RAM. */
#include <sys/mman.h>

#include "tests/fake/program.h"
#include "tests/unit/unit.h"
#include "user/calls.h"
#include "vmm/firmware.h"
#include "vmm/load/load.h"
#include "vmm/machine.h"

#define ROM_BYTES  0x30000U
#define MEBIBYTE   0x100000ULL
#define GIBIBYTE   (1024 * MEBIBYTE)

static uint8_t image[ROM_BYTES];
static struct machine machine;
static const struct vmm_spec spec;
static struct machine_vcpu vcpu;
static struct vcpu_state state_page;
static struct vcpu_reply reply;
static uint32_t rom_rights;
static uint64_t unmapped_bytes;
static unsigned map_count;
static enum status memory_status;
static void *window;
static _Alignas(4096) uint8_t low[0x40000]; /* from 768 KiB on */

enum status vm_map_all(handle_t vm, uint64_t gpa, handle_t memory, uint64_t offset, uint64_t len_bytes, uint32_t rights)
{
	(void)vm;
	(void)memory;
	assert_int_equal(gpa, 4 * GIBIBYTE - ROM_BYTES);
	assert_int_equal(offset, 0);
	assert_int_equal(len_bytes, ROM_BYTES);
	rom_rights = rights;
	map_count++;
	return OK;
}

enum status memory_create_filled(handle_t pool, uint64_t len_bytes, handle_t *memory)
{
	(void)pool;
	assert_int_equal(len_bytes, ROM_BYTES);
	*memory = 7;
	return memory_status;
}

enum status space_map_all(handle_t space, handle_t memory, uint64_t address, uint64_t offset, uint64_t len_bytes, uint32_t rights)
{
	(void)space;
	(void)offset;
	(void)rights;
	assert_int_equal(memory, 7);
	window = mmap((void *)(uintptr_t)address, len_bytes, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	return window == MAP_FAILED ? ERR_NO_MEMORY : OK;
}

enum status vm_unmap_all(handle_t vm, uint64_t gpa, uint64_t len_bytes)
{
	(void)vm;
	assert_int_equal(gpa, 4 * GIBIBYTE - ROM_BYTES);
	assert_int_equal(len_bytes, ROM_BYTES);
	rom_rights = 0;
	unmapped_bytes += len_bytes;
	return OK;
}

void sys_thread_yield(void)
{
}

enum status machine_attach_firmware(struct machine *unused, uint64_t rom_base)
{
	(void)unused;
	assert_int_equal(rom_base, 4 * GIBIBYTE - ROM_BYTES);
	return OK;
}

static int set_up(void **state)
{
	(void)state;
	memset(image, 0xff, sizeof(image));
	image[ROM_BYTES - 16] = 0xea;
	machine = (struct machine){.spec = &spec, .rom = {.bytes = image, .size_bytes = ROM_BYTES}};
	state_page = (struct vcpu_state){.exit = {.kind = VCPU_EXIT_MEMORY}};
	reply = (struct vcpu_reply){.action = VCPU_REPLY_STOP};
	vcpu = (struct machine_vcpu){.machine = &machine, .state = &state_page, .reply = &reply};
	unmapped_bytes = map_count = rom_rights = 0;
	memory_status = OK;
	return 0;
}

static void test_firmware_is_a_rom_by_size_and_reset_vector(void **state)
{
	(void)state;
	assert_true(firmware_is_rom(image, ROM_BYTES));
	assert_true(firmware_is_rom(image + ROM_BYTES - 0x10000, 0x10000));
	assert_false(firmware_is_rom(image, ROM_BYTES - 0x10000));
	assert_false(firmware_is_rom(image, 0));
	assert_false(firmware_is_rom(image + 1, ROM_BYTES - 1));
	assert_false(firmware_is_rom(image, FIRMWARE_MAX_BYTES + 0x10000));
	memcpy(image + ROM_BYTES - 16, "\x90\x90\xe9", 3);
	assert_true(firmware_is_rom(image, ROM_BYTES));
	image[ROM_BYTES - 14] = 0xeb;
	assert_true(firmware_is_rom(image, ROM_BYTES));
	memset(image + ROM_BYTES - 16, 0x90, 16);
	assert_false(firmware_is_rom(image, ROM_BYTES));
}

static void test_firmware_is_what_the_manifest_names_or_a_kernel_that_is_a_rom(void **state)
{
	struct vmm_spec wanted = {.kernel = {.address = (uintptr_t)image, .size_bytes = ROM_BYTES}};

	(void)state;
	assert_ptr_equal(firmware_of(&wanted), &wanted.kernel);
	memcpy(image, "BULKFLAT", 8); /* a kernel that happens to end as a ROM does */
	assert_null(firmware_of(&wanted));
	wanted.firmware = (struct vmm_file){.address = 1, .size_bytes = 2};
	assert_ptr_equal(firmware_of(&wanted), &wanted.firmware);
	wanted = (struct vmm_spec){.vcpu_count = 1};
	assert_null(firmware_of(&wanted));
}

static void test_firmware_that_is_none_is_invalid(void **state)
{
	const struct vmm_file file = {.address = (uintptr_t)image, .size_bytes = ROM_BYTES};

	(void)state;
	memory_status = ERR_NO_MEMORY;
	assert_int_equal(firmware_place(&machine, &file), ERR_NO_MEMORY);
	image[ROM_BYTES - 16] = 0xff;
	assert_int_equal(firmware_place(&machine, &file), ERR_INVALID);
	assert_int_equal(map_count, 0);
}

static void test_firmware_leaves_the_test_device_its_place(void **state)
{
	static uint8_t large[FIRMWARE_MAX_BYTES];
	static const struct vmm_spec with_testdev = {.options = VMM_OPTION_TESTDEV};
	const struct vmm_file file = {.address = (uintptr_t)large, .size_bytes = sizeof(large)};

	(void)state;
	large[sizeof(large) - 16] = 0xea;
	assert_true(firmware_is_rom(large, sizeof(large)));
	machine.spec = &with_testdev;
	assert_int_equal(firmware_place(&machine, &file), ERR_INVALID);
}

static void test_firmware_is_a_rom_above_and_ram_below(void **state)
{
	const struct vmm_file file = {.address = (uintptr_t)image, .size_bytes = ROM_BYTES};
	uint32_t word = 0;

	(void)state;
	memset(low, 0, sizeof(low));
	image[0x10000] = 0x5a;
	assert_int_equal(gmem_add_slot(&machine.gmem, gpa(0xc0000), sizeof(low), low), OK);
	assert_int_equal(firmware_place(&machine, &file), OK);
	assert_int_equal(map_count, 1);
	assert_int_equal(rom_rights, RIGHT_READ | RIGHT_EXECUTE);
	assert_memory_equal(machine.rom.bytes, image, ROM_BYTES);
	assert_int_equal(gmem_read_u32(&machine.gmem, gpa(4 * GIBIBYTE - 16), &word), OK);
	assert_int_equal(word, 0xffffffea);
	assert_int_equal(gmem_write_u32(&machine.gmem, gpa(4 * GIBIBYTE - 16), 0), ERR_OUT_OF_RANGE);
	/* The last 128 KiB. */
	assert_int_equal(low[0x1ffff], 0);
	assert_int_equal(low[0x20000], 0x5a);
	assert_int_equal(low[0x3fff0], 0xea);
	assert_int_equal(gmem_write_u32(&machine.gmem, gpa(0xffff0), 0), OK);
	munmap(window, ROM_BYTES);
}

static bool settles(uint64_t gpa, unsigned access)
{
	state_page.exit.gpa = gpa;
	state_page.exit.access = (uint8_t)access;
	return firmware_settles(&vcpu);
}

static void test_firmware_that_the_processor_writes_to_becomes_ram(void **state)
{
	const uint64_t first = 4 * GIBIBYTE - ROM_BYTES;

	(void)state;
	assert_false(settles(first - 1, VCPU_ACCESS_WRITE));
	assert_false(settles(4 * GIBIBYTE, VCPU_ACCESS_WRITE));
	assert_false(settles(first, VCPU_ACCESS_READ));
	assert_int_equal(map_count, 0);
	assert_true(settles(4 * GIBIBYTE - 1, VCPU_ACCESS_WRITE | VCPU_ACCESS_TABLE));
	assert_int_equal(reply.action, VCPU_REPLY_NONE);
	assert_int_equal(unmapped_bytes, ROM_BYTES);
	assert_int_equal(rom_rights, RIGHT_READ | RIGHT_WRITE | RIGHT_EXECUTE);
	/* Another vCPU that met the gap. */
	assert_true(settles(first, VCPU_ACCESS_EXECUTE));
	assert_true(settles(first, VCPU_ACCESS_WRITE));
	assert_int_equal(map_count, 1);
}

/* What the flash shows, by mapping; the file is only its first content. */
static void test_firmware_flash_is_mapped_while_it_shows_its_contents(void **state)
{
	static _Alignas(4096) uint8_t memory[ROM_BYTES];
	const struct vmm_spec with_flash = {.flash = {.address = (uintptr_t)memory, .size_bytes = ROM_BYTES, .memory = 9}};
	const struct vmm_file file = {.address = (uintptr_t)image, .size_bytes = ROM_BYTES};
	const uint64_t first = 4 * GIBIBYTE - ROM_BYTES;
	uint8_t byte = 0;

	(void)state;
	memset(memory, 0, sizeof(memory));
	machine = (struct machine){.spec = &with_flash};
	assert_int_equal(gmem_add_slot(&machine.gmem, gpa(0xc0000), sizeof(low), low), OK);
	assert_int_equal(firmware_place(&machine, &file), OK);
	assert_int_equal(machine.rom_memory, 9);
	assert_memory_equal(memory, image, ROM_BYTES);
	assert_int_equal(rom_rights, RIGHT_READ | RIGHT_EXECUTE);
	flash_ops.write(&machine.flash, 5, 1, 0x10, 0);
	flash_ops.write(&machine.flash, 5, 1, 0x77, 0);
	assert_int_equal(rom_rights, 0);
	assert_false(settles(first, VCPU_ACCESS_EXECUTE));
	assert_int_equal(gmem_read(&machine.gmem, gpa(first + 5), &byte, 1), ERR_OUT_OF_RANGE);
	flash_ops.write(&machine.flash, 5, 1, 0xff, 0);
	assert_int_equal(rom_rights, RIGHT_READ | RIGHT_EXECUTE);
	assert_true(settles(first, VCPU_ACCESS_EXECUTE));
	assert_false(settles(first, VCPU_ACCESS_WRITE | VCPU_ACCESS_TABLE));
	assert_int_equal(gmem_read(&machine.gmem, gpa(first + 5), &byte, 1), OK);
	assert_int_equal(byte, 0x77);
	/* The next start of the VM. */
	machine = (struct machine){.spec = &with_flash};
	assert_int_equal(gmem_add_slot(&machine.gmem, gpa(0xc0000), sizeof(low), low), OK);
	assert_int_equal(firmware_place(&machine, &file), OK);
	assert_int_equal(memory[5], 0x77);
}

static void test_firmware_machine_without_one_has_nothing_to_settle(void **state)
{
	(void)state;
	machine.rom.size_bytes = 0;
	assert_false(settles(4 * GIBIBYTE - 1, VCPU_ACCESS_WRITE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_firmware_is_a_rom_by_size_and_reset_vector, set_up),
		cmocka_unit_test_setup(test_firmware_is_what_the_manifest_names_or_a_kernel_that_is_a_rom, set_up),
		cmocka_unit_test_setup(test_firmware_that_is_none_is_invalid, set_up),
		cmocka_unit_test_setup(test_firmware_leaves_the_test_device_its_place, set_up),
		cmocka_unit_test_setup(test_firmware_is_a_rom_above_and_ram_below, set_up),
		cmocka_unit_test_setup(test_firmware_that_the_processor_writes_to_becomes_ram, set_up),
		cmocka_unit_test_setup(test_firmware_flash_is_mapped_while_it_shows_its_contents, set_up),
		cmocka_unit_test_setup(test_firmware_machine_without_one_has_nothing_to_settle, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
