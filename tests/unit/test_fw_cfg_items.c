/* The items that a guest finds in fw_cfg, by number and by name. */
#include "tests/unit/unit.h"
#include "vmm/fw_cfg_items.h"

#define MEBIBYTE     0x100000ULL
#define KERNEL_BYTES 0x4000U
#define SETUP_BYTES  0xa00U /* 4 sectors and the first one */

static struct fw_cfg_contents contents;
static struct guest_acpi_config acpi;
static struct load_request request;
static struct fw_cfg_config config;
static uint8_t kernel[KERNEL_BYTES];

static void put(size_t at, uint64_t value, unsigned bytes)
{
	memcpy(kernel + at, &value, bytes);
}

/* A bzImage of protocol 2.15 with a 64-bit entry that wants 8 MiB at 16 MiB. Linux, "The Real-Mode Kernel Header". */
static void make_kernel(void)
{
	memset(kernel, 0x90, sizeof(kernel));
	memset(kernel + 0x1f1, 0, 0x7b);
	put(0x1f1, 4, 1);
	put(0x1f4, (KERNEL_BYTES - SETUP_BYTES) / 16, 4);
	put(0x1fe, 0xaa55, 2);
	put(0x200, 0x6aeb, 2);
	memcpy(kernel + 0x202, "HdrS", 4);
	put(0x206, 0x020f, 2);
	put(0x211, 1, 1);
	put(0x22c, 0x7fffffff, 4);
	put(0x230, 1 << 21, 4);
	put(0x234, 1, 1);
	put(0x235, 21, 1);
	put(0x236, 1, 2);
	put(0x238, 2047, 4);
	put(0x258, 16 * MEBIBYTE, 8);
	put(0x260, 8 * MEBIBYTE, 4);
}

static int set_up(void **state)
{
	(void)state;
	acpi = (struct guest_acpi_config){.vcpu_count = 2, .features = GUEST_ACPI_COMS};
	request = (struct load_request){.command_line = "a b", .memory_bytes = 64 * MEBIBYTE};
	config = (struct fw_cfg_config){.acpi = &acpi, .load = &request, .low_memory_end = 64 * MEBIBYTE};
	make_kernel();
	return 0;
}

static const struct fw_cfg_item *item_of(unsigned key)
{
	for (size_t i = 0; i < contents.item_count; i++) {
		if (contents.items[i].key == key)
			return &contents.items[i];
	}
	return NULL;
}

static uint64_t number_of(unsigned key)
{
	const struct fw_cfg_item *item = item_of(key);
	uint64_t value = 0;

	assert_non_null(item);
	assert_in_range(item->size_bytes, 1, 8);
	memcpy(&value, item->bytes, item->size_bytes);
	return value;
}

static uint32_t big(const uint8_t *at, unsigned bytes)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < bytes; i++)
		value = value << 8 | at[i];
	return value;
}

/* As a guest finds it: by the directory. */
static const struct fw_cfg_item *file_named(const char *name)
{
	const struct fw_cfg_item *directory = item_of(0x19);
	const uint8_t *entry;

	assert_non_null(directory);
	entry = directory->bytes;
	assert_int_equal(directory->size_bytes, 4 + 64 * big(entry, 4));
	for (uint32_t i = big(entry, 4); i > 0; i--) {
		const uint8_t *at = entry + 4 + 64 * (i - 1);
		const struct fw_cfg_item *item = item_of(big(at + 4, 2));

		assert_non_null(item);
		assert_int_equal(big(at, 4), item->size_bytes);
		if (strcmp((const char *)at + 8, name) == 0)
			return item;
	}
	return NULL;
}

static void test_fw_cfg_items_of_every_vm(void **state)
{
	(void)state;
	assert_int_equal(fw_cfg_make_items(&config, &contents), OK);
	assert_memory_equal(item_of(0)->bytes, "QEMU", 4);
	assert_int_equal(number_of(1), 3);
	assert_int_equal(number_of(3), 64 * MEBIBYTE);
	assert_int_equal(number_of(5), 2);
	assert_int_equal(number_of(0xf), 2);
	assert_int_equal(*(const uint16_t *)file_named("etc/boot-cpus")->bytes, 2);
	assert_memory_equal(file_named("etc/system-states")->bytes, "\x80\0\0\0\0\x87", 6);
	assert_int_equal(file_named("etc/acpi/rsdp")->size_bytes, 36);
	assert_int_equal(file_named("etc/table-loader")->size_bytes % 128, 0);
	assert_memory_equal(file_named("etc/acpi/rsdp")->bytes, "RSD PTR ", 8);
	assert_null(item_of(0x11));
	assert_null(item_of(0x15));
	assert_null(file_named("no such"));
}

static void test_fw_cfg_e820_is_the_ram(void **state)
{
	const struct fw_cfg_item *item;
	struct bzimage_e820 ram[2];

	(void)state;
	assert_int_equal(fw_cfg_make_items(&config, &contents), OK);
	assert_int_equal(file_named("etc/e820")->size_bytes, 20);
	request.memory_bytes = 5ULL << 30;
	config.low_memory_end = 2ULL << 30;
	assert_int_equal(fw_cfg_make_items(&config, &contents), OK);
	item = file_named("etc/e820");
	assert_int_equal(item->size_bytes, sizeof(ram));
	memcpy(ram, item->bytes, sizeof(ram));
	assert_int_equal(ram[0].base, 0);
	assert_int_equal(ram[0].length_bytes, 2ULL << 30);
	assert_int_equal(ram[1].base, 4ULL << 30);
	assert_int_equal(ram[1].length_bytes, 3ULL << 30);
	assert_int_equal(ram[1].type, 1);
}

static void test_fw_cfg_kernel_comes_in_two_parts(void **state)
{
	const uint8_t *setup;

	(void)state;
	request.kernel = kernel;
	request.kernel_bytes = sizeof(kernel);
	request.initrd = "initrd";
	request.initrd_bytes = 0x1801;
	assert_int_equal(fw_cfg_make_items(&config, &contents), OK);
	assert_int_equal(number_of(0x17), SETUP_BYTES);
	assert_int_equal(item_of(0x18)->size_bytes, SETUP_BYTES);
	assert_int_equal(number_of(0x08), KERNEL_BYTES - SETUP_BYTES);
	assert_ptr_equal(item_of(0x11)->bytes, kernel + SETUP_BYTES);
	assert_int_equal(number_of(0x07), MEBIBYTE);
	assert_int_equal(number_of(0x14), 4);
	assert_string_equal(item_of(0x15)->bytes, "a b");
	assert_int_equal(number_of(0x0b), 0x1801);
	assert_ptr_equal(item_of(0x12)->bytes, request.initrd);
	/* 63 MiB less 1801h, cut to a page. */
	assert_int_equal(number_of(0x0a), 0x3efe000);
	setup = item_of(0x18)->bytes;
	assert_int_equal(setup[0x210], 0xff);
	assert_int_equal(setup[0x211], 0x81);
	assert_int_equal(big(setup + 0x218, 4), 0x00e0ef03);
	assert_int_equal(big(setup + 0x21c, 4), 0x01180000);
	assert_int_equal(big(setup + 0x228, 4), 0x00000200);
	/* The file itself is not changed. */
	assert_int_equal(kernel[0x211], 1);
}

static void test_fw_cfg_initrd_stays_below_the_kernels_limit(void **state)
{
	(void)state;
	put(0x22c, 0x2ffffff, 4);
	request.kernel = kernel;
	request.kernel_bytes = sizeof(kernel);
	request.initrd = "initrd";
	request.initrd_bytes = 0x1000;
	assert_int_equal(fw_cfg_make_items(&config, &contents), OK);
	assert_int_equal(number_of(0x0a), 0x2fff000);
	request.initrd_bytes = 64 * MEBIBYTE;
	assert_int_equal(fw_cfg_make_items(&config, &contents), OK);
	assert_int_equal(number_of(0x0a), 0);
}

static void test_fw_cfg_initrd_stays_below_what_firmware_takes(void **state)
{
	(void)state;
	put(0x22c, 0xffffffff, 4);
	request.kernel = kernel;
	request.kernel_bytes = sizeof(kernel);
	request.initrd = "initrd";
	request.initrd_bytes = 0x1000;
	request.memory_bytes = 5ULL << 30;
	config.low_memory_end = 2ULL << 30;
	assert_int_equal(fw_cfg_make_items(&config, &contents), OK);
	assert_int_equal(number_of(0x0a), 0x7feff000);
}

static void test_fw_cfg_other_kernels_come_whole(void **state)
{
	(void)state;
	memset(kernel, 0, sizeof(kernel));
	request.kernel = kernel;
	request.kernel_bytes = sizeof(kernel);
	assert_int_equal(fw_cfg_make_items(&config, &contents), OK);
	assert_null(item_of(0x18));
	assert_int_equal(number_of(0x08), KERNEL_BYTES);
	assert_int_equal(item_of(0x11)->size_bytes, KERNEL_BYTES);
	assert_null(item_of(0x12));
}

static void test_fw_cfg_modules_are_option_roms_of_firmware(void **state)
{
	const struct load_module modules[2] = {{"rom", 3, "qemu/boot/linuxboot_dma.bin with words/x"}, {"more", 4, "plain"}};

	(void)state;
	request.modules = modules;
	request.module_count = 2;
	assert_int_equal(fw_cfg_make_items(&config, &contents), OK);
	assert_null(file_named("genroms/plain"));
	config.has_firmware = true;
	assert_int_equal(fw_cfg_make_items(&config, &contents), OK);
	assert_memory_equal(file_named("genroms/linuxboot_dma.bin")->bytes, "rom", 3);
	assert_int_equal(file_named("genroms/plain")->size_bytes, 4);
}

static void test_fw_cfg_too_many_items_are_an_error(void **state)
{
	struct load_module modules[FW_CFG_FILES_MAX];

	(void)state;
	for (unsigned i = 0; i < FW_CFG_FILES_MAX; i++)
		modules[i] = (struct load_module){"rom", 3, "a"};
	request.modules = modules;
	request.module_count = FW_CFG_FILES_MAX;
	config.has_firmware = true;
	assert_int_equal(fw_cfg_make_items(&config, &contents), ERR_NO_SPACE);
	acpi.vcpu_count = 0;
	assert_int_equal(fw_cfg_make_items(&config, &contents), ERR_INVALID);
}

static void test_fw_cfg_tables_of_the_largest_vm_fit(void **state)
{
	(void)state;
	acpi.vcpu_count = 64;
	acpi.features = UINT32_MAX;
	assert_int_equal(fw_cfg_make_items(&config, &contents), OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_fw_cfg_items_of_every_vm, set_up),
		cmocka_unit_test_setup(test_fw_cfg_e820_is_the_ram, set_up),
		cmocka_unit_test_setup(test_fw_cfg_kernel_comes_in_two_parts, set_up),
		cmocka_unit_test_setup(test_fw_cfg_initrd_stays_below_the_kernels_limit, set_up),
		cmocka_unit_test_setup(test_fw_cfg_initrd_stays_below_what_firmware_takes, set_up),
		cmocka_unit_test_setup(test_fw_cfg_other_kernels_come_whole, set_up),
		cmocka_unit_test_setup(test_fw_cfg_modules_are_option_roms_of_firmware, set_up),
		cmocka_unit_test_setup(test_fw_cfg_too_many_items_are_an_error, set_up),
		cmocka_unit_test_setup(test_fw_cfg_tables_of_the_largest_vm_fit, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
