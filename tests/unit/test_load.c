/* Plans for guests of two memory sizes; images built by hand. */
#include "vmm/load/load.h"
#include "tests/unit/unit.h"

#define MIB        0x100000ULL
#define FILE_BYTES 0x6000

static _Alignas(8) uint8_t file[FILE_BYTES];
static uint8_t initrd[3 * MIB];
static _Alignas(4096) uint8_t memory[64 * MIB];
static struct bzimage_e820 e820[] = {{0, 0xa0000, 1}, {0xe0000, 0x20000, 2}, {MIB, 63 * MIB, 1}};
static const struct load_module module = {.bytes = "x", .size_bytes = 1, .text = "m"};
static struct load_request request;
static struct load_plan plan;
static struct load_problem problem;
static struct gmem gm;

static void put(size_t offset, uint64_t value, unsigned width)
{
	memcpy(file + offset, &value, width);
}

static int build_request(void **state)
{
	(void)state;
	memset(file, 0, sizeof(file));
	memset(memory, 0x5a, sizeof(memory));
	gm = (struct gmem){0};
	assert_int_equal(gmem_add_slot(&gm, gpa(0), sizeof(memory), memory), OK);
	e820[2] = (struct bzimage_e820){MIB, 63 * MIB, 1};
	request = (struct load_request){
		.kernel = file,
		.kernel_bytes = sizeof(file),
		.kernel_path = "os/kernel",
		.command_line = "console=ttyS0",
		.e820 = e820,
		.e820_count = 3,
		.memory_bytes = sizeof(memory),
		.rsdp_address = 0xe0000,
	};
	return 0;
}

static int build_linux(void **state)
{
	build_request(state);
	put(0x1f1, 3, 1);
	put(0x1f4, (FILE_BYTES - 0x800) / 16, 4);
	put(0x1fe, 0xaa55, 2);
	put(0x200, 0x6aeb, 2);
	put(0x202, 0x53726448, 4);
	put(0x206, 0x020f, 2);
	put(0x211, 1, 1);
	put(0x22c, 0x7fffffff, 4);
	put(0x230, 0x200000, 4);
	put(0x234, 1, 1);
	put(0x236, 0x7f, 2);
	put(0x238, 2047, 4);
	put(0x258, 16 * MIB, 8);
	put(0x260, 0x2000000, 4);
	put(0xa00, 0xfeedfacecafebeef, 8); /* the 64-bit entry */
	return 0;
}

static int build_flat(void **state)
{
	build_request(state);
	memcpy(file, "BULKFLAT", 8);
	put(8, 1, 4);
	put(12, FILE_BYTES + 0x1000, 4);
	put(16, 0xfeedfacecafebeef, 8);
	return 0;
}

static uint64_t memory_at(uint64_t address)
{
	uint64_t value;

	memcpy(&value, memory + address, 8);
	return value;
}

/* line: the whole message of a VM "web" whose kernel is the file k. */
static void expect_refused(const char *line)
{
	char text[200];

	assert_int_not_equal(load_make_plan(&request, &plan, &problem), OK);
	load_describe(&problem, "web", "k", text, sizeof(text));
	assert_string_equal(text, line);
}

static void test_load_linux_starts_at_its_entry(void **state)
{
	const struct vcpu_registers *registers = &plan.registers;

	(void)state;
	assert_int_equal(load_make_plan(&request, &plan, &problem), OK);
	assert_int_equal(plan.kind, IMAGE_BZIMAGE);
	assert_int_equal(load_apply(&plan, &gm), OK);
	assert_int_equal(registers->rip, 16 * MIB + 0x200);
	assert_int_equal(memory_at(registers->rip), 0xfeedfacecafebeef);
	assert_int_equal(memory_at(registers->gpr[GPR_RSI] + 0x70), 0xe0000);
	assert_int_equal(memory[registers->gpr[GPR_RSI] + 0x1e8], 3);
	assert_int_equal(memory_at(registers->cr3) & ~0xfffULL, registers->cr3 + 4096);
	assert_int_equal(memory_at(registers->gdtr.base + 0x10), 0x00af9b000000ffff);
	assert_int_equal(registers->gdtr.limit, 31);
	assert_int_equal(registers->cs.attributes, 0xa09b);
	assert_int_equal(registers->rflags, 2);
}

static void test_load_linux_enters_32_bit_kernels_in_protected_mode(void **state)
{
	const struct vcpu_registers *registers = &plan.registers;

	(void)state;
	put(0x236, 4, 2);
	put(0x800, 0xfeedfacecafebeef, 8); /* the 32-bit entry */
	assert_int_equal(load_make_plan(&request, &plan, &problem), OK);
	assert_int_equal(load_apply(&plan, &gm), OK);
	assert_int_equal(registers->rip, 16 * MIB);
	assert_int_equal(memory_at(registers->rip), 0xfeedfacecafebeef);
	assert_int_equal(memory_at(registers->gpr[GPR_RSI] + 0x70), 0xe0000);
	assert_int_equal(registers->gpr[GPR_RBP] | registers->gpr[GPR_RDI] | registers->gpr[GPR_RBX], 0);
	assert_int_equal(registers->cr0, 0x11);
	assert_int_equal(registers->cr4 | registers->cr3 | registers->efer, 0);
	assert_int_equal(registers->cs.selector, 0x10);
	assert_int_equal(registers->ss.selector, 0x18);
	assert_int_equal(memory_at(registers->gdtr.base + 0x10), 0x00cf9b000000ffff);
	assert_int_equal(memory_at(registers->gdtr.base + 0x18), 0x00cf93000000ffff);
	put(0x211, 0, 1);
	expect_refused("E212 web: k: a zImage, which starts in 16-bit mode below 1 MiB; take a bzImage of Linux 2.6.31 or later");
}

static void test_load_linux_copies_command_line_and_initrd(void **state)
{
	uint32_t address, size;

	(void)state;
	memset(initrd, 0xc3, sizeof(initrd));
	request.initrd = initrd;
	request.initrd_bytes = sizeof(initrd) - 1;
	assert_int_equal(load_make_plan(&request, &plan, &problem), OK);
	assert_int_equal(load_apply(&plan, &gm), OK);
	memcpy(&address, memory + plan.registers.gpr[GPR_RSI] + 0x228, 4);
	assert_string_equal((const char *)memory + address, "console=ttyS0");
	memcpy(&address, memory + plan.registers.gpr[GPR_RSI] + 0x218, 4);
	memcpy(&size, memory + plan.registers.gpr[GPR_RSI] + 0x21c, 4);
	assert_int_equal(size, sizeof(initrd) - 1);
	assert_int_equal(address, 61 * MIB);
	assert_int_equal(memory[address + size - 1], 0xc3);
	assert_int_equal(memory[address + size], 0x5a);
}

static void test_load_linux_says_what_is_wrong(void **state)
{
	static char long_line[2049];

	(void)state;
	request.modules = &module;
	request.module_count = 1;
	expect_refused("E221 web: k: a Linux bzImage takes no modules, but one initrd; remove that key from the VM");
	request.module_count = 0;
	request.kernel_bytes = FILE_BYTES - 16;
	expect_refused("E211 web: k: file is shorter than its header says: bytes needed 24576; the copy is not whole: copy the "
		       "file again");
	build_linux(NULL);
	put(0x206, 0x0208, 2);
	expect_refused("E212 web: k: Linux kernel too old: boot protocol below 2.10; take a bzImage of Linux 2.6.31 or later");
	build_linux(NULL);
	put(0x230, 0, 4);
	expect_refused("E217 web: k: kernel alignment is no power of two 0; build or copy the file again");
	build_linux(NULL);
	e820[2].length_bytes = 46 * MIB;
	expect_refused("E213 web: k: the kernel does not fit into memory: bytes of memory needed 50331648; raise the VM's memory");
	assert_int_equal(problem.number, 48 * MIB);
	e820[2] = (struct bzimage_e820){15 * MIB, 34 * MIB, 1};
	request.initrd = initrd;
	request.initrd_bytes = sizeof(initrd);
	expect_refused("E214 web: k: the initrd does not fit into memory: bytes needed 3145728; raise the VM's memory or make "
		       "that file smaller");
	request.initrd = NULL;
	memset(long_line, 'x', 2048);
	request.command_line = long_line;
	expect_refused("E215 web: k: command line too long for this kernel: characters allowed 2047; shorten cmdline");
}

static void test_load_recognises_by_content(void **state)
{
	static const uint8_t multiboot[] = {0x02, 0xb0, 0xad, 0x1b, 0, 0, 0, 0, 0xfe, 0x4f, 0x52, 0xe4};

	(void)state;
	assert_int_equal(load_recognise(file, 0), IMAGE_UNKNOWN);
	for (size_t i = 0; i < sizeof(file); i++)
		file[i] = (uint8_t)(i * i >> 3);
	assert_int_equal(load_recognise(file, sizeof(file)), IMAGE_UNKNOWN);
	expect_refused("E210 web: k: no kernel of a known format; correct kernel (docs/boot-formats.md); Linux: the file "
		       "that distributions call vmlinuz");
	memcpy(file, "\177ELF", 4);
	assert_int_equal(load_recognise(file, sizeof(file)), IMAGE_ELF);
	expect_refused("E216 web: k: an ELF file with neither Multiboot header nor PVH entry; docs/boot-formats.md says what "
		       "this version starts");
	memcpy(file + 8192 - 12, multiboot, 12);
	assert_int_equal(load_recognise(file, sizeof(file)), IMAGE_MULTIBOOT);
	file[8191] ^= 1;
	assert_int_equal(load_recognise(file, sizeof(file)), IMAGE_ELF);
}

static void test_load_flat_follows_its_document(void **state)
{
	struct guest_flat_info info;

	(void)state;
	assert_int_equal(load_make_plan(&request, &plan, &problem), OK);
	assert_int_equal(load_apply(&plan, &gm), OK);
	assert_int_equal(plan.registers.rip, 0x100010);
	assert_int_equal(plan.registers.gpr[GPR_RSP], 0xa0000);
	assert_int_equal(plan.registers.gpr[GPR_RDI], 0x8000);
	assert_int_equal(plan.registers.cr3, 0x1000);
	assert_int_equal(memory_at(0x100010), 0xfeedfacecafebeef);
	assert_int_equal(memory_at(0x100000 + FILE_BYTES), 0);
	assert_int_equal(memory_at(0x100000 + FILE_BYTES + 0xff8), 0);
	assert_int_equal(memory[0x100000 + FILE_BYTES + 0x1000], 0x5a);
	memcpy(&info, memory + 0x8000, sizeof(info));
	assert_int_equal(info.magic, GUEST_FLAT_MAGIC);
	assert_int_equal(info.memory_bytes, sizeof(memory));
	assert_int_equal(info.rsdp_address, 0xe0000);
	assert_string_equal((const char *)memory + info.command_line_address, "console=ttyS0");
}

static void test_load_flat_refuses_bad_headers(void **state)
{
	(void)state;
	put(8, 2, 4);
	expect_refused("E217 web: k: flat program of unknown version 2; build or copy the file again");
	put(8, 1, 4);
	put(12, FILE_BYTES - 1, 4);
	expect_refused("E217 web: k: flat program is larger than the memory that its header asks for: bytes 24575; build or "
		       "copy the file again");
	put(12, 0xffffffff, 4);
	expect_refused("E213 web: k: the program does not fit into memory: bytes needed 4296015871; raise the VM's memory");
	put(12, 63 * MIB, 4);
	assert_int_equal(load_make_plan(&request, &plan, &problem), OK);
	put(12, 63 * MIB + 1, 4);
	expect_refused("E213 web: k: the program does not fit into memory: bytes needed 67108865; raise the VM's memory");
	request.kernel_bytes = 16;
	expect_refused("E211 web: k: flat program ends in its header: bytes 16; the copy is not whole: copy the file again");
	request.kernel_bytes = FILE_BYTES;
	put(12, FILE_BYTES, 4);
	request.initrd = initrd;
	expect_refused("E221 web: k: a flat program takes no initrd; remove that key from the VM");
	request.initrd = NULL;
	request.modules = &module;
	request.module_count = 1;
	expect_refused("E221 web: k: a flat program takes no modules; remove that key from the VM");
}

static void test_load_apply_needs_the_memory_of_the_map(void **state)
{
	(void)state;
	gm.slots[0].length_bytes = 17 * MIB;
	e820[2].length_bytes = 255 * MIB;
	request.initrd = initrd;
	request.initrd_bytes = 1;
	assert_int_equal(load_make_plan(&request, &plan, &problem), OK);
	assert_int_equal(load_apply(&plan, &gm), ERR_OUT_OF_RANGE);
}

static void test_load_describe_names_place_reason_remedy(void **state)
{
	char text[200];

	(void)state;
	request.kernel_bytes = FILE_BYTES - 16;
	assert_int_not_equal(load_make_plan(&request, &plan, &problem), OK);
	load_describe(&problem, "web", "linux/vmlinuz", text, sizeof(text));
	assert_string_equal(text, "E211 web: linux/vmlinuz: file is shorter than its header says: bytes needed 24576; "
				  "the copy is not whole: copy the file again");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_load_linux_starts_at_its_entry, build_linux),
		cmocka_unit_test_setup(test_load_linux_enters_32_bit_kernels_in_protected_mode, build_linux),
		cmocka_unit_test_setup(test_load_linux_copies_command_line_and_initrd, build_linux),
		cmocka_unit_test_setup(test_load_linux_says_what_is_wrong, build_linux),
		cmocka_unit_test_setup(test_load_recognises_by_content, build_request),
		cmocka_unit_test_setup(test_load_flat_follows_its_document, build_flat),
		cmocka_unit_test_setup(test_load_flat_refuses_bad_headers, build_flat),
		cmocka_unit_test_setup(test_load_apply_needs_the_memory_of_the_map, build_linux),
		cmocka_unit_test_setup(test_load_describe_names_place_reason_remedy, build_linux),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
