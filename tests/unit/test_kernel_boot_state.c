/* kernel/boot_state.c: what counts as a device. */
#include "tests/unit/unit.h"

#include "abi/boot_info.h"
#include "kernel/boot_state.h"
#include "kernel/cpu.h"

struct cpu_features cpu_features;

static const struct boot_memory map[] = {
	{0x1000, 0x9e000, BOOT_MEMORY_USABLE, 0},
	{0x9f000, 0x1000, BOOT_MEMORY_RESERVED, 0},
	{0x100000, 0x100000, BOOT_MEMORY_KERNEL, 0},
	{0x200000, 0x400000, BOOT_MEMORY_HEAP, 0},
	{0x600000, 0x1000, BOOT_MEMORY_FILES, 0},
	{0x601000, 0x1000, BOOT_MEMORY_ACPI_RECLAIM, 0},
	{0x602000, 0x1000, BOOT_MEMORY_UEFI_RUNTIME, 0},
	{0x603000, 0x1000, BOOT_MEMORY_ACPI_NVS, 0},
	{0x100000000, 0x100000000, BOOT_MEMORY_USABLE, 0},
};

static void boot(void)
{
	static struct boot_info info;

	info = (struct boot_info){
		.memory_virtual = (uintptr_t)map,
		.memory_count = sizeof(map) / sizeof(map[0]),
	};
	boot_info = &info;
	cpu_features.physical_address_bits = 39;
}

static void test_boot_state_devices(void **state)
{
	static const struct {
		uint64_t base, len_bytes;
		bool device;
	} cases[] = {
		{0xfed00000, 0x1000, true},
		{0, 0x1000, true},
		{0, 0x1001, false},
		{0x9f000, 0x61000, true},
		{0x9e000, 0x2000, false},
		{0x9f000, 0x62000, false},
		{0x100000, 0x1000, false},
		{0x5ff000, 0x1000, false},
		{0x600000, 0x1000, false},
		{0x601000, 0x1000, true},
		{0x602000, 0x1000, false},
		{0x601000, 0x2000, false},
		{0x603000, 0xff9fd000, true},
		{0x603000, 0xff9fd001, false},
		{0x1ffffffff, 1, false},
		{0x200000000, 0x1000, true},
		{0, UINT64_MAX, false},
		{1ULL << 39, 1, false},
		{(1ULL << 39) - 0x1000, 0x1000, true},
		{(1ULL << 39) - 0x1000, 0x1001, false},
		{UINT64_MAX - 0xfff, 0x1000, false},
		{UINT64_MAX - 0xfff, 0x2000, false},
		{0xfed00000, 0, false},
		{0xfed00000, UINT64_MAX, false},
	};

	(void)state;
	boot();
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_true(boot_state_is_device(cases[i].base, cases[i].len_bytes) == cases[i].device);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_boot_state_devices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
