/* Plans for Multiboot kernels of all shapes. Layouts and numbers: Multiboot Specification 0.6.96. */
#include "tests/unit/guest_elf.h"
#include "tests/unit/unit.h"
#include "vmm/load/load.h"

#define MIB        0x100000ULL
#define FILE_BYTES 0x4000
#define HEADER_AT  0x1004

static uint8_t file[FILE_BYTES];
static uint8_t initrd[5000], first[1], second[4096];
static const struct load_module modules[] = {{first, sizeof(first), "env/a one two"}, {second, sizeof(second), "b"}};
static _Alignas(4096) uint8_t memory[64 * MIB];
static struct bzimage_e820 e820[] = {{0, 0xa0000, 1}, {0xc0000, 0x40000, 2}, {MIB, 63 * MIB, 1}};
static struct load_request request;
static struct load_plan plan;
static struct load_problem problem;
static struct gmem gm;
static struct guest_elf elf;

static void put_header(size_t offset, uint32_t flags)
{
	guest_elf_put(file, offset, 0x1badb002, 4);
	guest_elf_put(file, offset + 4, flags, 4);
	guest_elf_put(file, offset + 8, 0U - 0x1badb002U - flags, 4);
}

/* A kernel at 4 MiB, linked as test suites link theirs: header flags 0. */
static int build(void **state)
{
	(void)state;
	memset(file, 0, sizeof(file));
	memset(memory, 0x5a, sizeof(memory));
	memset(initrd, 0xc1, sizeof(initrd));
	memset(first, 0xc2, sizeof(first));
	memset(second, 0xc3, sizeof(second));
	gm = (struct gmem){0};
	assert_int_equal(gmem_add_slot(&gm, gpa(0), sizeof(memory), memory), OK);
	elf = guest_elf_begin(file, false, 3, 4 * MIB + 0x20);
	guest_elf_add(&elf, 1, 0x1000, 4 * MIB, 4 * MIB, 0x2000, 0x2345);
	put_header(HEADER_AT, 0);
	guest_elf_put(file, 0x1020, 0xfeedface, 4);
	e820[2] = (struct bzimage_e820){MIB, 63 * MIB, 1};
	request = (struct load_request){
		.kernel = file,
		.kernel_bytes = sizeof(file),
		.kernel_path = "tests/apic.flat",
		.command_line = "-v 3",
		.e820 = e820,
		.e820_count = 3,
		.memory_bytes = sizeof(memory),
		.rsdp_address = 0xe0000,
	};
	return 0;
}

static uint32_t at(uint64_t address)
{
	uint32_t value;

	assert_true(address <= sizeof(memory) - 4);
	memcpy(&value, memory + address, 4);
	return value;
}

static const char *text_at(uint64_t address)
{
	assert_true(address > 0xa0000 && address < MIB);
	return (const char *)memory + address;
}

static void load(void)
{
	enum status status = load_make_plan(&request, &plan, &problem);

	if (status != OK)
		print_message("%s\n", problem.what);
	assert_int_equal(status, OK);
	assert_int_equal(plan.kind, IMAGE_MULTIBOOT);
	assert_int_equal(load_apply(&plan, &gm), OK);
}

static void expect_refused(const char *line)
{
	char text[256];

	assert_int_not_equal(load_make_plan(&request, &plan, &problem), OK);
	load_describe(&problem, "web", "k", text, sizeof(text));
	assert_string_equal(text, line);
}

static void test_multiboot_state_at_entry(void **state)
{
	const struct vcpu_registers *registers = &plan.registers;

	(void)state;
	load();
	assert_int_equal(registers->rip, 4 * MIB + 0x20);
	assert_int_equal(at(registers->rip), 0xfeedface);
	assert_int_equal(registers->gpr[GPR_RAX], 0x2badb002);
	assert_int_equal(registers->cr0, 0x11);
	assert_int_equal(registers->cr4 | registers->cr3 | registers->efer, 0);
	assert_int_equal(registers->rflags, 2);
	assert_int_equal(registers->cs.attributes, 0xc09b);
	assert_int_equal(registers->cs.limit, UINT32_MAX);
	assert_int_equal(registers->ss.attributes, 0xc093);
	assert_int_equal(registers->gs.limit, UINT32_MAX);
	assert_int_equal(registers->gdtr.limit, 23);
	assert_int_equal(at(registers->gdtr.base + registers->cs.selector + 4), 0x00cf9b00);
	assert_int_equal(at(registers->gdtr.base + registers->ds.selector + 4), 0x00cf9300);
	assert_int_equal(registers->idtr.limit, 0);
}

static void test_multiboot_information(void **state)
{
	uint64_t info, map;

	(void)state;
	load();
	info = plan.registers.gpr[GPR_RBX];
	assert_int_equal(at(info), 0x24d);
	assert_int_equal(at(info + 4), 640);
	assert_int_equal(at(info + 8), 63 * 1024);
	assert_string_equal(text_at(at(info + 16)), "tests/apic.flat -v 3");
	assert_int_equal(at(info + 20), 0);
	assert_int_equal(at(info + 44), 3 * 24);
	map = at(info + 48);
	assert_int_equal(at(map), 20);
	assert_int_equal(at(map + 12), 0xa0000);
	assert_int_equal(at(map + 24 + 4), 0xc0000);
	assert_int_equal(at(map + 24 + 20), 2);
	assert_int_equal(at(map + 48 + 4), MIB);
	assert_int_equal(at(map + 48 + 20), 1);
	assert_string_equal(text_at(at(info + 64)), "Bulkhead");
	for (uint64_t i = 68; i < 120; i += 4)
		assert_int_equal(at(info + i), 0);
	request.command_line = "";
	load();
	assert_string_equal(text_at(at(info + 16)), "tests/apic.flat");
}

/* A program that wants to be there has precedence, wherever it begins in that area. */
static void test_multiboot_program_in_the_bios_data_area(void **state)
{
	(void)state;
	guest_elf_add(&elf, 1, 0x1000, 0x480, 0x480, 0x20, 0x20);
	guest_elf_put(file, 0x1000, 0x12345678, 4);
	load();
	assert_int_equal(at(0x480), 0x12345678);
	assert_int_equal(memory[0x400], 0x5a);
}

/* Only the BIOS data area, which firmware writes too, and reserved memory: the rest below 1 MiB is the guest's. */
static void test_multiboot_leaves_low_memory_alone(void **state)
{
	(void)state;
	request.modules = modules;
	request.module_count = 2;
	load();
	for (uint64_t i = 0; i < 0xa0000; i++) {
		if (i < 0x400 || i >= 0x500)
			assert_int_equal(memory[i], 0x5a);
	}
	assert_int_equal(at(0x400), 0x02f803f8);
	assert_int_equal(at(0x404), 0x02e803e8);
	assert_int_equal(at(0x410) & 0xffff, 0x802);
	assert_int_equal(at(0x40e) & 0xffff, 0);
	assert_int_equal(at(0x413) & 0xffff, 640);
	assert_int_equal(memory[4 * MIB - 1], 0x5a);
	assert_int_equal(at(4 * MIB + 0x2341), 0);
	assert_int_equal(memory[4 * MIB + 0x2345], 0x5a);
}

static void test_multiboot_modules_lie_behind_the_kernel(void **state)
{
	uint64_t info, list;

	(void)state;
	request.initrd = initrd;
	request.initrd_bytes = sizeof(initrd);
	request.initrd_path = "os/initrd";
	request.modules = modules;
	request.module_count = 2;
	load();
	info = plan.registers.gpr[GPR_RBX];
	list = at(info + 24);
	assert_int_equal(at(info + 20), 3);
	assert_int_equal(at(list), 4 * MIB + 0x3000);
	assert_int_equal(at(list + 4), 4 * MIB + 0x3000 + 5000);
	assert_string_equal(text_at(at(list + 8)), "os/initrd");
	assert_int_equal(at(list + 16), 4 * MIB + 0x5000);
	assert_int_equal(at(list + 20), 4 * MIB + 0x5001);
	assert_string_equal(text_at(at(list + 24)), "env/a one two");
	assert_int_equal(at(list + 32), 4 * MIB + 0x6000);
	assert_string_equal(text_at(at(list + 40)), "b");
	assert_int_equal(memory[4 * MIB + 0x3000 + 4999], 0xc1);
	assert_int_equal(memory[4 * MIB + 0x5000], 0xc2);
	assert_int_equal(memory[4 * MIB + 0x6fff], 0xc3);
}

static void test_multiboot_modules_need_room(void **state)
{
	static const struct load_module big = {"", 60 * MIB - 0x2fff, "big"};
	static const struct load_module empty = {NULL, 0, "empty"};
	static struct load_module many[VMM_MODULES_MAX + 1];
	static char text[LOAD_INFO_BYTES + 1];

	(void)state;
	request.modules = &big;
	request.module_count = 1;
	expect_refused("E214 web: k: a module does not fit into memory: bytes needed 62902273; raise the VM's memory or make that "
		       "file smaller");
	request.initrd = initrd;
	request.initrd_bytes = 64 * MIB;
	request.initrd_path = "i";
	expect_refused("E214 web: k: the initrd does not fit into memory: bytes needed 67108864; raise the VM's memory or make "
		       "that file smaller");
	request.initrd_bytes = 1;
	for (unsigned i = 0; i <= VMM_MODULES_MAX; i++)
		many[i] = empty;
	request.modules = many;
	request.module_count = VMM_MODULES_MAX;
	load();
	assert_int_equal(at(plan.registers.gpr[GPR_RBX] + 20), VMM_MODULES_MAX + 1);
	request.module_count++;
	expect_refused("E221 web: k: more modules than can be handed over: at most 16; remove that key from the VM");
	request.module_count = 1;
	memset(text, 'x', sizeof(text) - 1);
	many[0].text = text;
	expect_refused("E215 web: k: command line, texts of modules and memory map are too long: bytes in all 16384; "
		       "shorten cmdline");
}

static void test_multiboot_takes_every_elf(void **state)
{
	(void)state;
	guest_elf_put(file, 18, 62, 2);
	load();
	elf = guest_elf_begin(file, true, 62, 0xffffffff80400020);
	guest_elf_put(file, 0x40, 0, 8);
	guest_elf_add(&elf, 1, 0x1000, 0xffffffff80400000, 4 * MIB, 0x2000, 0x2345);
	guest_elf_add(&elf, 1, 0x3000, 0xffffffff80800000, 0x7000, 0x1000, 0x1000);
	load();
	assert_int_equal(plan.registers.rip, 4 * MIB + 0x20);
	assert_int_equal(at(0x7000), 0);
	guest_elf_put(file, 24, 0x7ffc, 8);
	load();
	assert_int_equal(plan.registers.rip, 0x7ffc);
	guest_elf_put(file, 24, 0x8000, 8);
	expect_refused("E217 web: k: the entry lies outside the program: address 32768; build or copy the file again");
}

static void test_multiboot_refuses_what_it_cannot_place(void **state)
{
	(void)state;
	guest_elf_add(&elf, 1, 0x1000, 0, 4 * MIB + 0x2344, 1, 1);
	expect_refused("E217 web: k: two parts of the program overlap: address 4203332; build or copy the file again");
	build(NULL);
	guest_elf_add(&elf, 1, 0x1000, 0, 0x9ffff, 1, 2);
	expect_refused("E217 web: k: a part of the program lies where a PC has no memory for it: address 655359; build or copy "
		       "the file again");
	build(NULL);
	guest_elf_add(&elf, 1, 0x1000, 0, LOAD_INFO_BASE, 1, 1);
	expect_refused("E217 web: k: a part of the program lies where a PC has no memory for it: address 851968; build or copy "
		       "the file again");
	build(NULL);
	guest_elf_add(&elf, 1, 0x1000, 0, 64 * MIB - 1, 0, 2);
	expect_refused("E213 web: k: the program does not fit into memory: bytes needed 67108865; raise the VM's memory");
	build(NULL);
	elf = guest_elf_begin(file, true, 62, 4 * MIB);
	guest_elf_put(file, 0x40, 0, 8);
	guest_elf_add(&elf, 1, 0x1000, 0, 0xffffffff, 0, 2);
	expect_refused("E217 web: k: a part of the program lies above 4 GiB: address 4294967295; build or copy the file again");
	build(NULL);
	request.kernel_bytes = 0x2fff;
	expect_refused("E211 web: k: segment lies past the end of the file 4096; the copy is not whole: copy the file again");
}

static void test_multiboot_header_flags(void **state)
{
	(void)state;
	put_header(HEADER_AT, 0xfffe0007);
	load();
	assert_int_equal(at(plan.registers.gpr[GPR_RBX]) & 0x1800, 0);
	put_header(HEADER_AT, 0x8008);
	expect_refused("E216 web: k: a Multiboot kernel that demands what no loader of this version gives: flags 32776; "
		       "docs/boot-formats.md says what this version starts");
	put_header(HEADER_AT, 0);
	memcpy(file, "no ELF", 6);
	expect_refused("E217 web: k: not an ELF file 1159753582; build or copy the file again");
}

static void put_addresses(uint32_t header, uint32_t load_address, uint32_t load_end, uint32_t bss_end, uint32_t entry)
{
	const uint32_t fields[] = {header, load_address, load_end, bss_end, entry};

	memset(file, 0xee, sizeof(file));
	put_header(0x20, 0x10000);
	memcpy(file + 0x2c, fields, sizeof(fields));
}

static void test_multiboot_address_fields(void **state)
{
	(void)state;
	put_addresses(0x200010, 0x200000, 0x201000, 0x201800, 0x200030);
	file[0x10] = 0xaa;
	load();
	assert_int_equal(plan.registers.rip, 0x200030);
	assert_int_equal(memory[0x200000], 0xaa);
	assert_int_equal(at(0x200010), 0x1badb002);
	assert_int_equal(memory[0x200fff], 0xee);
	assert_int_equal(at(0x201000), 0);
	assert_int_equal(at(0x2017fc), 0);
	assert_int_equal(memory[0x201800], 0x5a);
	put_addresses(0x200010, 0x200000, 0, 0, 0x200000 + FILE_BYTES - 0x11);
	load();
	assert_int_equal(memory[0x200000 + FILE_BYTES - 0x11], 0xee);
	assert_int_equal(memory[0x200000 + FILE_BYTES - 0x10], 0x5a);
	put_addresses(0x200010, 0x200000, 0, 0, 0x200000 + FILE_BYTES - 0x10);
	expect_refused("E217 web: k: the entry lies outside the program: address 2113520; build or copy the file again");
}

static void test_multiboot_refuses_bad_address_fields(void **state)
{
	(void)state;
	put_addresses(0x200021, 0x200000, 0x201000, 0, 0x200030);
	expect_refused("E217 web: k: Multiboot header: its load address precedes the file: 2097152; build or copy the "
		       "file again");
	put_addresses(0x200010, 0x200011, 0x201000, 0, 0x200030);
	expect_refused("E217 web: k: Multiboot header: its load address precedes the file: 2097169; build or copy the "
		       "file again");
	put_addresses(0x200010, 0x200000, 0x200010, 0, 0x200030);
	expect_refused("E217 web: k: Multiboot header: its load end address makes no sense: 2097168; build or copy the "
		       "file again");
	put_addresses(0x200010, 0x200000, 0x200000 + FILE_BYTES - 0xf, 0, 0x200030);
	expect_refused("E211 web: k: file is shorter than its header says: bytes needed 16385; the copy is not whole: copy the "
		       "file again");
	put_addresses(0x200010, 0x200000, 0x201000, 0x200fff, 0x200030);
	expect_refused("E217 web: k: Multiboot header: its bss end address makes no sense: 2101247; build or copy the "
		       "file again");
	put_addresses(0x200010, 0x200000, 0x201000, 0x1000, 0x200030);
	expect_refused("E217 web: k: Multiboot header: its bss end address makes no sense: 4096; build or copy the file again");
	request.kernel_bytes = 0x20 + 31;
	put_addresses(0x200010, 0x200000, 0, 0, 0x200030);
	expect_refused("E211 web: k: file ends in its Multiboot header: bytes 63; the copy is not whole: copy the file again");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_multiboot_state_at_entry, build),
		cmocka_unit_test_setup(test_multiboot_information, build),
		cmocka_unit_test_setup(test_multiboot_leaves_low_memory_alone, build),
		cmocka_unit_test_setup(test_multiboot_program_in_the_bios_data_area, build),
		cmocka_unit_test_setup(test_multiboot_modules_lie_behind_the_kernel, build),
		cmocka_unit_test_setup(test_multiboot_modules_need_room, build),
		cmocka_unit_test_setup(test_multiboot_takes_every_elf, build),
		cmocka_unit_test_setup(test_multiboot_refuses_what_it_cannot_place, build),
		cmocka_unit_test_setup(test_multiboot_header_flags, build),
		cmocka_unit_test_setup(test_multiboot_address_fields, build),
		cmocka_unit_test_setup(test_multiboot_refuses_bad_address_fields, build),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
