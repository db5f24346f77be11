/* Plans for kernels with a PVH entry. Layouts and numbers: Xen, "x86/HVM direct boot ABI", and its start_info.h. */
#include "tests/unit/guest_elf.h"
#include "tests/unit/unit.h"
#include "vmm/load/load.h"

#define MIB        0x100000ULL
#define FILE_BYTES 0x3000

static uint8_t file[FILE_BYTES];
static uint8_t initrd[5000], extra[4096];
static const struct load_module module = {extra, sizeof(extra), "b words"};
static _Alignas(4096) uint8_t memory[64 * MIB];
static const struct bzimage_e820 e820[] = {{0, 0xa0000, 1}, {0xc0000, 0x40000, 2}, {MIB, 63 * MIB, 1}, {1ULL << 32, MIB, 1}};
static struct load_request request;
static struct load_plan plan;
static struct load_problem problem;
static struct gmem gm;
static struct guest_elf elf;

static void build_elf(bool is_64_bit, uint64_t entry, unsigned entry_bytes)
{
	memset(file, 0, sizeof(file));
	elf = guest_elf_begin(file, is_64_bit, is_64_bit ? 62 : 3, 0x1234);
	guest_elf_add(&elf, 1, 0x1000, is_64_bit ? 0xffffffff81000000 : 0xc1000000, 16 * MIB, 0x2000, 0x3000);
	guest_elf_add(&elf, 4, 0x800, 0, 0, guest_elf_note(file + 0x800, entry, entry_bytes), 0);
	guest_elf_put(file, 0x1040, 0xfeedface, 4);
}

static int build(void **state)
{
	(void)state;
	memset(memory, 0x5a, sizeof(memory));
	memset(initrd, 0xc1, sizeof(initrd));
	memset(extra, 0xc2, sizeof(extra));
	gm = (struct gmem){0};
	assert_int_equal(gmem_add_slot(&gm, gpa(0), sizeof(memory), memory), OK);
	build_elf(true, 16 * MIB + 0x40, 8);
	request = (struct load_request){
		.kernel = file,
		.kernel_bytes = sizeof(file),
		.kernel_path = "linux/vmlinux",
		.command_line = "console=ttyS0",
		.e820 = e820,
		.e820_count = 4,
		.memory_bytes = sizeof(memory),
		.rsdp_address = 0xe0000,
	};
	return 0;
}

static uint64_t at(uint64_t address)
{
	uint64_t value;

	assert_true(address <= sizeof(memory) - 8);
	memcpy(&value, memory + address, 8);
	return value;
}

static void load(void)
{
	assert_int_equal(load_make_plan(&request, &plan, &problem), OK);
	assert_int_equal(plan.kind, IMAGE_ELF_PVH);
	assert_int_equal(load_apply(&plan, &gm), OK);
}

static void expect_refused(const char *line)
{
	char text[256];

	assert_int_not_equal(load_make_plan(&request, &plan, &problem), OK);
	load_describe(&problem, "web", "k", text, sizeof(text));
	assert_string_equal(text, line);
}

static void test_pvh_state_at_entry(void **state)
{
	const struct vcpu_registers *registers = &plan.registers;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		build_elf(i == 0, 16 * MIB + 0x40, i == 2 ? 8 : 4);
		load();
		assert_int_equal(registers->rip, 16 * MIB + 0x40);
		assert_int_equal(at(registers->rip), 0xfeedface);
		assert_int_equal(registers->cr0, 0x11);
		assert_int_equal(registers->cr4 | registers->efer | registers->gpr[GPR_RAX], 0);
		assert_int_equal(registers->rflags, 2);
		assert_int_equal(registers->cs.attributes, 0xc09b);
		assert_int_equal(registers->es.attributes, 0xc093);
		assert_int_equal(registers->tr.attributes, 0x8b);
		assert_int_equal(registers->tr.limit, 0x67);
		assert_int_equal(registers->tr.base, 0);
	}
}

static void test_pvh_start_info(void **state)
{
	uint64_t info, map;

	(void)state;
	load();
	info = plan.registers.gpr[GPR_RBX];
	assert_int_equal(at(info), 0x1336ec578);
	assert_int_equal(at(info + 8), 0);
	assert_int_equal(at(info + 16), 0);
	assert_string_equal((const char *)memory + at(info + 24), "console=ttyS0");
	assert_int_equal(at(info + 32), 0xe0000);
	map = at(info + 40);
	assert_int_equal(at(info + 48), 4);
	assert_int_equal(at(map + 24), 0xc0000);
	assert_int_equal(at(map + 24 + 8), 0x40000);
	assert_int_equal(at(map + 24 + 16), 2);
	assert_int_equal(at(map + 72), 1ULL << 32);
}

static void test_pvh_modules_end_with_low_memory(void **state)
{
	uint64_t info, list;

	(void)state;
	request.initrd = initrd;
	request.initrd_bytes = sizeof(initrd);
	request.initrd_path = "linux/initrd";
	request.modules = &module;
	request.module_count = 1;
	load();
	info = plan.registers.gpr[GPR_RBX];
	list = at(info + 16);
	assert_int_equal(at(info + 8) >> 32, 2);
	assert_int_equal(at(list), 64 * MIB - 0x2000);
	assert_int_equal(at(list + 8), 5000);
	assert_string_equal((const char *)memory + at(list + 16), "linux/initrd");
	assert_int_equal(at(list + 24), 0);
	assert_int_equal(at(list + 32), 64 * MIB - 0x3000);
	assert_int_equal(at(list + 40), 4096);
	assert_string_equal((const char *)memory + at(list + 48), "b words");
	assert_int_equal(memory[64 * MIB - 0x2000 + 4999], 0xc1);
	assert_int_equal(memory[64 * MIB - 0x3000], 0xc2);
}

static void test_pvh_says_what_is_wrong(void **state)
{
	static const struct load_module big = {"", 47 * MIB, "big"};

	(void)state;
	build_elf(true, 16 * MIB + 0x3000, 8);
	expect_refused("E217 web: k: the entry lies outside the program: address 16789504; build or copy the file again");
	build_elf(true, 16 * MIB + 0x40, 3);
	expect_refused("E216 web: k: an ELF file with neither Multiboot header nor PVH entry; docs/boot-formats.md says what this "
		       "version starts");
	build_elf(true, 16 * MIB + 0x40, 8);
	request.modules = &big;
	request.module_count = 1;
	assert_int_equal(load_make_plan(&request, &plan, &problem), OK);
	guest_elf_put(file, 0x40 + 40, 0x100001 + 0x2000, 8);
	expect_refused("E214 web: k: a module does not fit into memory: bytes needed 49283072; raise the VM's memory or make that "
		       "file smaller");
	guest_elf_put(file, 0x40 + 40, 49 * MIB, 8);
	expect_refused("E213 web: k: the program does not fit into memory: bytes needed 68157440; raise the VM's memory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_pvh_state_at_entry, build),
		cmocka_unit_test_setup(test_pvh_start_info, build),
		cmocka_unit_test_setup(test_pvh_modules_end_with_low_memory, build),
		cmocka_unit_test_setup(test_pvh_says_what_is_wrong, build),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
