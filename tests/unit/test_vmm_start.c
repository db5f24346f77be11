/* vmm/start.c: a VM that cannot be set up is refused with the step that failed. */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "abi/guest_flat.h"
#include "lib/base/format.h"
#include "tests/fake/program.h"
#include "user/calls.h"
#include "vmm/machine.h"
#include "vmm/memory_map.h"
#include "vmm/report.h"
#include "vmm/start.h"
#include "vmm/vcpu_thread.h"

#define MEMORY_BYTES (16U << 20)

static struct machine machine;
static struct vmm_spec spec;
static uint8_t *memory;
static char refusal[256];
static jmp_buf refused;
static enum status map_status, build_status, vcpu_status, devices_status, threads_status;
static struct {
	struct guest_flat_header header;
	uint8_t code[64];
} program;

void report_refused(struct machine *unused, const char *format, ...)
{
	va_list args;

	(void)unused;
	va_start(args, format);
	format_args(refusal, sizeof(refusal), format, args);
	va_end(args);
	longjmp(refused, 1);
}

void report_running(struct machine *unused)
{
	(void)unused;
}

void terminal_init(struct terminal *terminal, const struct vmm_spec *unused)
{
	(void)terminal;
	(void)unused;
}

enum status virtio_devices_make(struct machine *unused, const char **what, unsigned *index)
{
	(void)unused;
	*what = "disk";
	*index = 2;
	return devices_status;
}

enum status virtio_devices_start(struct machine *unused)
{
	(void)unused;
	return threads_status;
}

enum status machine_build(struct machine *unused, int64_t wall_clock_seconds)
{
	(void)unused;
	(void)wall_clock_seconds;
	return build_status;
}

void sys_thread_yield(void)
{
}

enum status vm_unmap_all(handle_t vm, uint64_t gpa, uint64_t len_bytes)
{
	(void)vm;
	(void)gpa;
	(void)len_bytes;
	return OK;
}

enum status vm_map_all(handle_t vm, uint64_t gpa, handle_t object, uint64_t offset, uint64_t len_bytes, uint32_t rights)
{
	(void)vm;
	(void)gpa;
	(void)object;
	(void)offset;
	(void)len_bytes;
	(void)rights;
	return map_status;
}

enum status sys_vcpu_create(handle_t vm, const struct vcpu_config *config, handle_t *vcpu)
{
	(void)vm;
	(void)config;
	*vcpu = 1;
	return vcpu_status;
}

enum status sys_vcpu_set_state(handle_t vcpu, uint32_t groups, const struct vcpu_registers *registers)
{
	(void)vcpu;
	(void)groups;
	(void)registers;
	return OK;
}

enum status thread_create(struct thread_maker *maker, const char *name, thread_function *function, void *argument,
			  const uint64_t cpu_mask[PROGRAM_CPUS_MAX / 64])
{
	(void)maker;
	(void)name;
	(void)function;
	(void)argument;
	(void)cpu_mask;
	return ERR_NO_MEMORY;
}

enum status regions_make(struct machine *unused)
{
	(void)unused;
	return OK;
}

enum status regions_start(struct machine *unused)
{
	(void)unused;
	return OK;
}

void vcpu_thread(void *argument)
{
	(void)argument;
}

static int start(void **state)
{
	(void)state;
	fake_program_start();
	memory = aligned_alloc(4096, MEMORY_BYTES);
	assert_non_null(memory);
	map_status = build_status = vcpu_status = OK;
	program.header = (struct guest_flat_header){
		.magic = GUEST_FLAT_MAGIC, .version = GUEST_FLAT_VERSION, .memory_bytes = sizeof(program)};
	machine = (struct machine){.vcpu_count = 0};
	spec = (struct vmm_spec){
		.name = "web",
		.vcpu_count = 1,
		.memory_bytes = MEMORY_BYTES,
		.guest_memory_address = (uintptr_t)memory,
		.kernel = {.path = "k", .address = (uintptr_t)&program, .size_bytes = sizeof(program)},
	};
	return 0;
}

static int end(void **state)
{
	(void)state;
	free(memory);
	return 0;
}

static void expect_refused(const char *words)
{
	refusal[0] = '\0';
	machine = (struct machine){.vcpu_count = 0};
	if (setjmp(refused) == 0) {
		start_machine(&machine, &spec);
		start_vcpus(&machine);
	}
	assert_string_equal(refusal, words);
}

static void test_start_names_the_step_that_failed(void **state)
{
	(void)state;
	build_status = ERR_EXISTS;
	expect_refused("E218 web: its devices overlap (status 4); a defect of Bulkhead: report it with the log");
	build_status = OK;
	map_status = ERR_NO_MEMORY;
	expect_refused("E218 web: its memory cannot be mapped (status 6); lower the memory of VMs in bulkhead.toml");
	map_status = OK;
	vcpu_status = ERR_NO_MEMORY;
	expect_refused("E218 web: a vCPU cannot be created (status 6); lower the memory of VMs in bulkhead.toml");
	vcpu_status = OK;
	threads_status = ERR_NO_MEMORY;
	expect_refused("E218 web: a device's thread cannot be started (status 6); lower the memory of VMs in bulkhead.toml");
	threads_status = OK;
	expect_refused("E218 web: a vCPU's thread cannot be started (status 6); lower the memory of VMs in bulkhead.toml");
}

static void test_start_names_the_device_that_cannot_be_made(void **state)
{
	(void)state;
	devices_status = ERR_NO_SPACE;
	expect_refused("E240 web: disk 3 cannot be made (status 7); the VM has more devices than its PCI bus has room for: take "
		       "some away");
	devices_status = ERR_NO_MEMORY;
	expect_refused("E240 web: disk 3 cannot be made (status 6); lower the memory of VMs in bulkhead.toml");
	devices_status = ERR_INVALID;
	expect_refused("E240 web: disk 3 cannot be made (status 1); a defect of Bulkhead: report it with the log");
	devices_status = OK;
}

enum status memory_create_filled(handle_t pool, uint64_t len_bytes, handle_t *object)
{
	(void)pool;
	(void)len_bytes;
	(void)object;
	return ERR_NO_MEMORY;
}

enum status space_map_all(handle_t space, handle_t object, uint64_t address, uint64_t offset, uint64_t len_bytes, uint32_t rights)
{
	(void)space;
	(void)object;
	(void)address;
	(void)offset;
	(void)len_bytes;
	(void)rights;
	return OK;
}

enum status sys_vm_unmap(handle_t vm, uint64_t gpa, uint64_t len_bytes, uint64_t *done_bytes)
{
	(void)vm;
	(void)gpa;
	*done_bytes = len_bytes;
	return OK;
}

enum status machine_attach_firmware(struct machine *unused, uint64_t rom_base)
{
	(void)unused;
	(void)rom_base;
	return OK;
}

static void test_start_refuses_what_is_no_firmware(void **state)
{
	static uint8_t rom[0x10000];

	(void)state;
	spec.firmware = (struct vmm_file){.path = "bios.bin", .address = (uintptr_t)rom, .size_bytes = sizeof(rom)};
	expect_refused("E231 web: bios.bin is not a PC's firmware: its size is no multiple of 64 KiB up to 16 MiB, or there is no "
		       "jump at its reset vector; correct firmware");
	rom[sizeof(rom) - 16] = 0xea;
	expect_refused("E218 web: its firmware cannot be mapped (status 6); lower the memory of VMs in bulkhead.toml");
}

static void test_start_refuses_too_little_memory_and_what_is_no_kernel(void **state)
{
	(void)state;
	spec.memory_bytes = 1 << 20;
	expect_refused("E213 web: memory of 1048576 bytes is too little for a PC; raise the VM's memory to 2M or more");
	spec.memory_bytes = MEMORY_BYTES;
	program.header.magic++;
	expect_refused("E210 web: k: no kernel of a known format; correct kernel (docs/boot-formats.md); Linux: the file that "
		       "distributions call vmlinuz");
}

static void test_start_puts_a_reset_where_firmware_begins(void **state)
{
	static const uint8_t code[] = {0xba, 0xf9, 0x0c, 0xb0, 0x06, 0xee, 0xf4, 0xeb, 0xfd}; /* OUT CF9h, 6 */

	(void)state;
	expect_refused("E218 web: a vCPU's thread cannot be started (status 6); lower the memory of VMs in bulkhead.toml");
	assert_memory_equal(memory + 0xffff0, code, sizeof(code));
}

static void test_start_gives_real_mode_handlers_that_do_nothing(void **state)
{
	static const uint8_t vector[] = {0x53, 0xff, 0x00, 0xf0}; /* F000:FF53 */

	(void)state;
	expect_refused("E218 web: a vCPU's thread cannot be started (status 6); lower the memory of VMs in bulkhead.toml");
	for (unsigned i = 0; i < 256; i++)
		assert_memory_equal(memory + 4 * i, vector, sizeof(vector));
	assert_int_equal(memory[0xfff53], 0xcf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_start_names_the_step_that_failed, start, end),
		cmocka_unit_test_setup_teardown(test_start_names_the_device_that_cannot_be_made, start, end),
		cmocka_unit_test_setup_teardown(test_start_refuses_what_is_no_firmware, start, end),
		cmocka_unit_test_setup_teardown(test_start_puts_a_reset_where_firmware_begins, start, end),
		cmocka_unit_test_setup_teardown(test_start_gives_real_mode_handlers_that_do_nothing, start, end),
		cmocka_unit_test_setup_teardown(test_start_refuses_too_little_memory_and_what_is_no_kernel, start, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
