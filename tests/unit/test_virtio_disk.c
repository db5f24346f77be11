/* A VM's disks on their way from the specification to block devices. */
#include "drivers/virt/virtio_blk.h"
#include "lib/base/format.h"
#include "tests/unit/unit.h"
#include "user/log.h"
#include "vmm/machine.h"
#include "vmm/virtio_devices.h"
#include "vmm/virtio_makers.h"

static struct machine machine;
static struct vmm_spec spec;
static struct virtio_slot slot;
static struct virtio_config config;
static char log_text[512];
static unsigned log_count;
static _Alignas(4096) uint8_t changes[0x8000];

void log_print(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	format_args(log_text, sizeof(log_text), format, args);
	va_end(args);
	log_count++;
}

enum status virtio_add(struct machine *vm, const struct virtio_config *wanted, handle_t event, struct virtio_slot **made)
{
	assert_ptr_equal(vm, &machine);
	assert_int_equal(event, HANDLE_NONE);
	config = *wanted;
	*made = &slot;
	return OK;
}

static int fill(void **state)
{
	(void)state;
	spec = (struct vmm_spec){
		.name = "web",
		.disk_count = 2,
		.disks = {{.size_bytes = 8192, .changes_address = (uintptr_t)changes, .changes_bytes = 0x8000, .serial = "s"},
			  {.size_bytes = 513}},
	};
	machine.spec = &spec;
	machine.vcpu_count = 3;
	log_count = 0;
	return 0;
}

static void test_virtio_disk_is_made(void **state)
{
	const struct virtio_blk *blk;

	(void)state;
	assert_int_equal(virtio_disk_count(&spec), 2);
	assert_int_equal(virtio_disk_make(&machine, 0), OK);
	blk = config.model;
	assert_ptr_equal(config.ops, &virtio_blk_ops);
	assert_int_equal(config.queue_count, 3);
	assert_ptr_equal(blk->transport, &slot.device);
	assert_int_equal(blk->disk->source.size_bytes, 8192);
	assert_true(disk_is_writable(blk->disk));
	assert_string_equal(blk->serial, "s");
	machine.vcpu_count = 64;
	assert_int_equal(virtio_disk_make(&machine, 0), OK);
	assert_int_equal(config.queue_count, VIRTIO_BLK_QUEUES_MAX);
}

static void test_virtio_disk_without_whole_sectors_is_refused(void **state)
{
	(void)state;
	assert_int_equal(virtio_disk_make(&machine, 1), ERR_INVALID);
}

static void test_virtio_disk_that_is_full_is_told_once(void **state)
{
	const struct virtio_blk *blk;

	(void)state;
	assert_int_equal(virtio_disk_make(&machine, 0), OK);
	blk = config.model;
	blk->wires.is_full(blk->wires.ctx);
	blk->wires.is_full(blk->wires.ctx);
	assert_int_equal(log_count, 1);
	assert_string_equal(log_text, "E241 web: disk 0: no memory is left for its changes, and writes fail; raise changes of that "
				      "disk in bulkhead.toml");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_virtio_disk_is_made, fill),
		cmocka_unit_test_setup(test_virtio_disk_without_whole_sectors_is_refused, fill),
		cmocka_unit_test_setup(test_virtio_disk_that_is_full_is_told_once, fill),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
