/* Disks of a VM: which memory is made once, and what the VMM is given at each start. */
#include "lib/disk/disk.h"
#include "manager/layout.h"
#include "manager/vm_disks.h"
#include "manager/vm_start.h"
#include "tests/unit/unit.h"
#include "user/calls.h"

static uint64_t made_bytes[MANIFEST_DISKS_MAX];
static unsigned made_count;
static uint64_t mapped_address, mapped_bytes;
static handle_t mapped_memory;
static struct manifest_vm wanted;
static struct vm_entry entry;
static struct vmm_spec spec;

enum status memory_create_filled(handle_t pool, uint64_t len_bytes, handle_t *memory)
{
	assert_int_equal(pool, MANAGER_HANDLE_POOL);
	made_bytes[made_count++] = len_bytes;
	*memory = 100 + made_count;
	return OK;
}

enum status space_map_all(handle_t space, handle_t memory, uint64_t address, uint64_t offset, uint64_t len_bytes, uint32_t rights)
{
	assert_int_equal(space, 7);
	assert_int_equal(offset, 0);
	assert_int_equal(rights, RIGHT_READ | RIGHT_WRITE);
	mapped_address = address;
	mapped_bytes = len_bytes;
	mapped_memory = memory;
	return OK;
}

enum status vm_give_file(const struct vm_entry *vm, const struct host *host, const char *path, uint64_t address,
			 struct vmm_file *file)
{
	(void)vm;
	(void)host;
	if (path[0] == '\0')
		return OK;
	file->address = address;
	file->size_bytes = 5000;
	return OK;
}

static int fill(void **state)
{
	(void)state;
	made_count = 0;
	wanted = (struct manifest_vm){
		.disk_count = 3,
		.disks = {{.file = "a.img", .size_bytes = 5120, .changes_bytes = disk_changes_bytes(5120)},
			  {.file = "b.img", .size_bytes = 5120, .mode = MANIFEST_DISK_READ_ONLY, .serial = "twenty-letters-serial"},
			  {.size_bytes = 8192, .changes_bytes = 20000}},
	};
	entry = (struct vm_entry){.wanted = &wanted, .space = 7};
	spec = (struct vmm_spec){0};
	return 0;
}

static void test_vm_disks_memory_is_for_changes_only(void **state)
{
	(void)state;
	assert_int_equal(vm_disks_make(&entry), OK);
	assert_int_equal(made_count, 2);
	assert_int_equal(made_bytes[0], disk_changes_bytes(5120));
	assert_int_equal(made_bytes[1], 20480);
	assert_int_equal(entry.disk_changes[1], HANDLE_NONE);
}

static void test_vm_disks_are_described(void **state)
{
	(void)state;
	assert_int_equal(vm_disks_make(&entry), OK);
	assert_int_equal(vm_disks_give(&entry, NULL, &spec), OK);
	assert_int_equal(spec.disk_count, 3);
	assert_int_equal(spec.disks[0].file.address, VMM_WINDOW_DISKS);
	assert_int_equal(spec.disks[0].changes_address, VMM_WINDOW_DISKS + VMM_DISK_HALF_BYTES);
	assert_memory_equal(spec.disks[0].serial, "disk0\0", 6);
	assert_int_equal(spec.disks[1].changes_address, 0);
	assert_int_equal(spec.disks[1].file.size_bytes, 5000);
	assert_memory_equal(spec.disks[1].serial, "twenty-letters-seria", VMM_DISK_SERIAL_BYTES);
	assert_int_equal(spec.disks[2].file.address, 0);
	assert_int_equal(spec.disks[2].size_bytes, 8192);
	assert_int_equal(mapped_address, VMM_WINDOW_DISKS + 2 * VMM_DISK_WINDOW_BYTES + VMM_DISK_HALF_BYTES);
	assert_int_equal(mapped_bytes, 20480);
	assert_int_equal(mapped_memory, entry.disk_changes[2]);
}

static void test_vm_disks_words(void **state)
{
	char text[VM_DISKS_WORDS_BYTES], line[VM_DISKS_WORDS_BYTES + 18];

	(void)state;
	(void)vm_disks_words(&wanted, text, sizeof(text));
	assert_string_equal(text, "3 disks, whose changes are lost at power-off");
	(void)vm_list_disks(&wanted, line, sizeof(line));
	assert_string_equal(line, "                 3 disks, whose changes are lost at power-off\n");
	wanted.disks[0] = wanted.disks[1];
	wanted.disk_count = 1;
	(void)vm_disks_words(&wanted, text, sizeof(text));
	assert_string_equal(text, "1 disk, read-only");
	wanted.disk_count = 0;
	assert_int_equal(vm_disks_words(&wanted, text, sizeof(text)), 0);
	assert_string_equal(text, "");
	assert_int_equal(vm_list_disks(&wanted, line, sizeof(line)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_vm_disks_memory_is_for_changes_only, fill),
		cmocka_unit_test_setup(test_vm_disks_are_described, fill),
		cmocka_unit_test_setup(test_vm_disks_words, fill),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
