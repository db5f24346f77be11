/* Which VMs get a flash, once, and what their VMM hears of it. */
#include "manager/layout.h"
#include "manager/vm_flash.h"
#include "tests/unit/unit.h"
#include "user/calls.h"

static const struct manifest_vm with_firmware = {.name = "web", .firmware = "fw/OVMF.fd"};
static const struct manifest_vm plain = {.name = "db"};
static const struct boot_file files[] = {{.size_bytes = 0}, {.size_bytes = 0x20000}};
static const struct host host = {.files = files};
static uint8_t image[0x20000];
static uint32_t file_index;
static unsigned created, opened;
static uint64_t created_bytes;

enum status host_find_file(const struct host *unused, const char *path, uint32_t *index)
{
	(void)unused;
	assert_string_equal(path, with_firmware.firmware);
	*index = file_index;
	return OK;
}

uint64_t host_file_span_bytes(const struct host *unused, uint32_t index)
{
	(void)unused;
	return files[index].size_bytes;
}

enum status host_show_file(const struct host *unused, uint32_t index, const uint8_t **bytes, size_t *size_bytes)
{
	(void)unused;
	*bytes = image;
	*size_bytes = files[index].size_bytes;
	opened++;
	return OK;
}

void host_close_file(void)
{
	opened--;
}

enum status memory_create_filled(handle_t pool, uint64_t len_bytes, handle_t *memory)
{
	assert_int_equal(pool, MANAGER_HANDLE_POOL);
	created++;
	created_bytes = len_bytes;
	*memory = 40;
	return OK;
}

enum status space_map_all(handle_t space, handle_t memory, uint64_t address, uint64_t offset, uint64_t len_bytes, uint32_t rights)
{
	assert_int_equal(space, 77);
	assert_int_equal(memory, 40);
	assert_int_equal(address, VMM_WINDOW_FLASH);
	assert_int_equal(offset, 0);
	assert_int_equal(len_bytes, sizeof(image));
	assert_int_equal(rights, RIGHT_READ | RIGHT_WRITE);
	return OK;
}

enum status sys_handle_grant(handle_t space, handle_t handle, uint32_t rights, uint64_t badge, handle_t *granted)
{
	(void)badge;
	assert_int_equal(space, 77);
	assert_int_equal(handle, 40);
	assert_int_equal(rights, RIGHT_READ | RIGHT_EXECUTE); /* the guest writes by commands only */
	*granted = 5;
	return OK;
}

static int set_up(void **state)
{
	static const uint8_t guid[] = {0x8d, 0x2b, 0xf1, 0xff, 0x96, 0x76, 0x8b, 0x4c,
				       0xa9, 0x85, 0x27, 0x47, 0x07, 0x5b, 0x4f, 0x50};

	(void)state;
	memcpy(image + 16, guid, sizeof(guid));
	memcpy(image + 40, "_FVH", 4);
	file_index = 1;
	created = opened = 0;
	return 0;
}

static void test_vm_flash_is_as_large_as_firmware_that_keeps_variables(void **state)
{
	struct vm_entry entry = {.wanted = &with_firmware, .space = 77};
	struct vmm_spec spec = {.vcpu_count = 1};

	(void)state;
	assert_int_equal(vm_flash_make(&entry, &host), OK);
	assert_int_equal(created, 1);
	assert_int_equal(created_bytes, sizeof(image));
	assert_int_equal(opened, 0);
	assert_int_equal(vm_flash_give(&entry, &spec), OK);
	assert_int_equal(spec.flash.address, VMM_WINDOW_FLASH);
	assert_int_equal(spec.flash.size_bytes, sizeof(image));
	assert_int_equal(spec.flash.memory, 5);
}

static void test_vm_flash_is_for_nobody_else(void **state)
{
	struct vm_entry entry = {.wanted = &with_firmware};
	struct vmm_spec spec = {.vcpu_count = 1};

	(void)state;
	image[40] = 0;
	assert_int_equal(vm_flash_make(&entry, &host), OK);
	file_index = 0; /* an empty file: the VMM says what is wrong with it */
	assert_int_equal(vm_flash_make(&entry, &host), OK);
	entry.wanted = &plain;
	assert_int_equal(vm_flash_make(&entry, &host), OK);
	assert_int_equal(created, 0);
	assert_int_equal(opened, 0);
	assert_int_equal(vm_flash_give(&entry, &spec), OK);
	assert_int_equal(spec.flash.address, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_vm_flash_is_as_large_as_firmware_that_keeps_variables, set_up),
		cmocka_unit_test_setup(test_vm_flash_is_for_nobody_else, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
