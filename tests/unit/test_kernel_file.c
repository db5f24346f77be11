/* manager/kernel_file.c: what becomes a VM on a PC without bulkhead.toml. */
#include "manager/kernel_file.h"
#include "tests/unit/guest_elf.h"
#include "tests/unit/unit.h"

static uint8_t file[0x3000];

static int clear(void **state)
{
	(void)state;
	memset(file, 0, sizeof(file));
	return 0;
}

static bool is_kernel(void)
{
	return kernel_file_is_kernel(file, sizeof(file));
}

static void test_kernel_file_knows_flat_programs(void **state)
{
	(void)state;
	assert_false(is_kernel());
	memcpy(file, "BULKFLAT", 8);
	assert_true(is_kernel());
	assert_false(kernel_file_is_kernel(file, 15));
}

static void test_kernel_file_knows_multiboot_kernels(void **state)
{
	(void)state;
	memcpy(file + 0x1ff4, "\x02\xb0\xad\x1b\x03\0\0\0\xfb\x4f\x52\xe4", 12);
	assert_true(is_kernel());
	file[0x1ff8] = 2; /* the sum is wrong */
	assert_false(is_kernel());
	clear(NULL);
	memcpy(file + 0x1ff8, "\x02\xb0\xad\x1b\x03\0\0\0\xfb\x4f\x52\xe4", 12); /* ends behind the first 8 KiB */
	assert_false(is_kernel());
}

static void test_kernel_file_knows_elf_kernels_by_their_note(void **state)
{
	(void)state;
	for (unsigned is_64_bit = 0; is_64_bit < 2; is_64_bit++) {
		struct guest_elf elf = guest_elf_begin(file, is_64_bit, 62, 0);

		guest_elf_add(&elf, 4, 0x800, 0, 0, guest_elf_note(file + 0x800, 0x100020, 4), 0);
		assert_true(is_kernel());
		guest_elf_put(file, 0x808, 17, 4);
		assert_false(is_kernel());
		clear(NULL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_kernel_file_knows_flat_programs, clear),
		cmocka_unit_test_setup(test_kernel_file_knows_multiboot_kernels, clear),
		cmocka_unit_test_setup(test_kernel_file_knows_elf_kernels_by_their_note, clear),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
