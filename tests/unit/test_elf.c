/* ELF images built by hand: a text and a data segment, a dynamic table, relocations and a note. */
#include "lib/elf/elf.h"
#include "lib/elf/format.h"
#include "tests/unit/unit.h"

#define HEADERS      5
#define TEXT_OFFSET  0x1000
#define DATA_OFFSET  0x2000
#define FILE_BYTES   0x3000
#define DYNAMIC_AT   0x100 /* offsets in the data segment */
#define RELA_AT      0x200
#define RELR_AT      0x300
#define NOTE_AT      0x400

struct test_file {
	struct elf64_header header;
	struct elf64_program_header program_headers[HEADERS];
	uint8_t padding[TEXT_OFFSET - sizeof(struct elf64_header) - HEADERS * sizeof(struct elf64_program_header)];
	uint8_t text[0x1000];
	uint8_t data[0x1000];
};

static struct test_file file;
static struct elf_image image;
static struct elf_problem problem;
static uint8_t memory[0x4000];

static void put(size_t data_offset, const void *bytes, size_t len_bytes)
{
	memcpy(file.data + data_offset, bytes, len_bytes);
}

static int build_file(void **state)
{
	static const struct elf64_dynamic dynamic[] = {
		{DT_RELA, 0x2000 + RELA_AT}, {DT_RELASZ, 2 * 24}, {DT_RELAENT, 24},
		{DT_RELR, 0x2000 + RELR_AT}, {DT_RELRSZ, 2 * 8},  {DT_RELRENT, 8}, {DT_NULL, 0},
	};
	static const struct elf64_rela rela[] = {{0x2000, R_X86_64_RELATIVE, 0x1234}, {0, R_X86_64_NONE, 0}};
	static const uint64_t relr[] = {0x2010, 1 | 1 << 1 | 1 << 3}; /* 2010h, 2018h, 2028h */
	static const struct elf64_note note = {9, 4, 0x42480001};
	static const uint32_t version = 7;

	(void)state;
	file = (struct test_file){
		.header = {.magic = ELF_MAGIC, .class = 2, .data = 1, .ident_version = 1, .type = ELF_TYPE_DYNAMIC,
			   .machine = 62, .version = 1, .entry = 0x10, .program_header_offset = 64,
			   .program_header_bytes = 56, .program_header_count = HEADERS},
		.program_headers = {
			{.type = PT_LOAD, .flags = PF_X, .offset = TEXT_OFFSET, .file_bytes = 0x800, .memory_bytes = 0x800},
			{.type = PT_LOAD, .flags = PF_W, .offset = DATA_OFFSET, .virtual_address = 0x2000,
			 .file_bytes = 0x1000, .memory_bytes = 0x1800},
			{.type = PT_DYNAMIC, .offset = DATA_OFFSET + DYNAMIC_AT, .file_bytes = sizeof(dynamic)},
			{.type = PT_NOTE, .offset = DATA_OFFSET + NOTE_AT, .file_bytes = 12 + 12 + 4},
			{.type = 0x6474e551},
		},
	};
	memset(file.text, 0xcc, sizeof(file.text));
	put(DYNAMIC_AT, dynamic, sizeof(dynamic));
	put(RELA_AT, rela, sizeof(rela));
	put(RELR_AT, relr, sizeof(relr));
	put(NOTE_AT, &note, sizeof(note));
	put(NOTE_AT + 12, "Bulkhead", 9);
	put(NOTE_AT + 24, &version, sizeof(version));
	return 0;
}

static void expect_refused(enum status status, const char *what)
{
	assert_int_equal(elf_parse(&file, sizeof(file), &image, &problem), status);
	assert_string_equal(problem.what, what);
}

static void test_elf_parse_lists_segments(void **state)
{
	(void)state;
	assert_int_equal(elf_parse(&file, sizeof(file), &image, &problem), OK);
	assert_int_equal(image.segment_count, 2);
	assert_true(image.position_independent);
	assert_int_equal(image.entry, 0x10);
	assert_int_equal(image.lowest_address, 0);
	assert_int_equal(image.span_bytes, 0x4000);
	assert_true(image.segments[0].executable && !image.segments[0].writable);
	assert_true(image.segments[1].writable && !image.segments[1].executable);
	assert_int_equal(image.segments[1].memory_bytes, 0x1800);
}

static void test_elf_parse_refuses_every_truncation(void **state)
{
	(void)state;
	for (size_t size = 0; size < sizeof(file); size += size < 512 ? 1 : 64)
		assert_int_equal(elf_parse(&file, size, &image, &problem), ERR_TRUNCATED);
	assert_int_equal(elf_parse(&file, sizeof(file) - 1, &image, &problem), ERR_TRUNCATED);
}

static void test_elf_parse_refuses_bad_headers(void **state)
{
	(void)state;
	file.header.magic++;
	expect_refused(ERR_BAD_FORMAT, "not an ELF file");
	build_file(NULL);
	file.header.class = 1;
	expect_refused(ERR_BAD_FORMAT, "not a 64-bit x86-64 ELF file");
	build_file(NULL);
	file.header.type = 1;
	expect_refused(ERR_BAD_FORMAT, "neither executable nor position-independent: type");
	build_file(NULL);
	file.header.program_header_count = 65;
	expect_refused(ERR_BAD_FORMAT, "number of program headers");
	build_file(NULL);
	file.header.program_header_offset = UINT64_MAX - 8;
	expect_refused(ERR_TRUNCATED, "program headers lie past the end of the file");
}

static void test_elf_parse_refuses_bad_segments(void **state)
{
	(void)state;
	file.program_headers[1].flags = PF_W | PF_X;
	expect_refused(ERR_BAD_FORMAT, "segment is both writable and executable");
	build_file(NULL);
	file.program_headers[0].memory_bytes = 0x2001;
	expect_refused(ERR_BAD_FORMAT, "segments overlap, share a page or are out of order");
	build_file(NULL);
	file.program_headers[1].virtual_address = 0x2008;
	expect_refused(ERR_BAD_FORMAT, "segment does not start on a page");
	build_file(NULL);
	file.program_headers[1].memory_bytes = UINT64_MAX;
	expect_refused(ERR_BAD_FORMAT, "segment ends outside the lower half");
	build_file(NULL);
	file.program_headers[1].offset = UINT64_MAX;
	expect_refused(ERR_TRUNCATED, "segment lies past the end of the file");
	build_file(NULL);
	file.program_headers[4].type = PT_INTERP;
	expect_refused(ERR_UNSUPPORTED, "dynamically linked: it names an interpreter");
}

static void test_elf_parse_refuses_entry_outside_code(void **state)
{
	(void)state;
	file.header.entry = 0x800;
	expect_refused(ERR_BAD_FORMAT, "entry lies outside every executable segment");
	file.header.entry = 0x2000;
	expect_refused(ERR_BAD_FORMAT, "entry lies outside every executable segment");
}

static void test_elf_find_note_compares_name_and_type(void **state)
{
	const void *descriptor = NULL;
	size_t len = 0;

	(void)state;
	assert_int_equal(elf_find_note(&file, sizeof(file), "Bulkhead", 0x42480001, &descriptor, &len), OK);
	assert_int_equal(len, 4);
	assert_ptr_equal(descriptor, file.data + NOTE_AT + 24);
	assert_int_equal(elf_find_note(&file, sizeof(file), "Bulkhead", 1, &descriptor, &len), ERR_NOT_FOUND);
	assert_int_equal(elf_find_note(&file, sizeof(file), "Xen", 0x42480001, &descriptor, &len), ERR_NOT_FOUND);
	file.program_headers[3].file_bytes = 20;
	assert_int_equal(elf_find_note(&file, sizeof(file), "Bulkhead", 0x42480001, &descriptor, &len), ERR_TRUNCATED);
}

static uint64_t word_at(size_t offset)
{
	uint64_t word;

	memcpy(&word, memory + offset, sizeof(word));
	return word;
}

static enum status load(uint64_t bias)
{
	assert_int_equal(elf_parse(&file, sizeof(file), &image, &problem), OK);
	memset(memory, 0xee, sizeof(memory));
	assert_int_equal(elf_copy(&image, memory, sizeof(memory)), OK);
	return elf_relocate(&image, memory, sizeof(memory), bias, &problem);
}

static void test_elf_copy_zeroes_what_the_file_lacks(void **state)
{
	(void)state;
	assert_int_equal(load(0), OK);
	assert_int_equal(memory[0x7ff], 0xcc);
	assert_int_equal(memory[0x800], 0);
	assert_int_equal(memory[0x3000], 0);
	assert_int_equal(elf_copy(&image, memory, sizeof(memory) - 1), ERR_OUT_OF_RANGE);
}

static void test_elf_relocate_adds_the_bias(void **state)
{
	const uint64_t bias = 0xffffffff90000000;

	(void)state;
	put(0x18, &(uint64_t){5}, 8);
	assert_int_equal(load(bias), OK);
	assert_int_equal(word_at(0x2000), bias + 0x1234);
	assert_int_equal(word_at(0x2008), 0);
	assert_int_equal(word_at(0x2010), bias);
	assert_int_equal(word_at(0x2018), bias + 5);
	assert_int_equal(word_at(0x2020), 0);
	assert_int_equal(word_at(0x2028), bias);
}

static void test_elf_relocate_refuses_hostile_tables(void **state)
{
	(void)state;
	put(RELA_AT + 8, &(uint64_t){6}, 8); /* R_X86_64_GLOB_DAT */
	assert_int_equal(load(0), ERR_UNSUPPORTED);
	assert_int_equal(problem.number, 6);
	build_file(NULL);
	put(RELA_AT, &(uint64_t){0x3ff9}, 8);
	assert_int_equal(load(0), ERR_OUT_OF_RANGE);
	put(RELA_AT, &(uint64_t){UINT64_MAX}, 8);
	assert_int_equal(load(0), ERR_OUT_OF_RANGE);
	put(RELA_AT, &(uint64_t){0x3ff8}, 8);
	assert_int_equal(load(0), OK);
	put(RELR_AT, &(uint64_t){0x4000}, 8);
	assert_int_equal(load(0), ERR_OUT_OF_RANGE);
	build_file(NULL);
	put(DYNAMIC_AT + 24, &(uint64_t){0x10000}, 8);
	assert_int_equal(load(0), ERR_OUT_OF_RANGE);
	build_file(NULL);
	put(DYNAMIC_AT, &(uint64_t){DT_NEEDED}, 8);
	assert_int_equal(load(0), ERR_UNSUPPORTED);
}

static void test_elf_relocate_refuses_bias_of_fixed_image(void **state)
{
	(void)state;
	file.header.type = ELF_TYPE_EXECUTABLE;
	assert_int_equal(load(0x1000), ERR_BAD_FORMAT);
	assert_int_equal(load(0), OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_elf_parse_lists_segments, build_file),
		cmocka_unit_test_setup(test_elf_parse_refuses_every_truncation, build_file),
		cmocka_unit_test_setup(test_elf_parse_refuses_bad_headers, build_file),
		cmocka_unit_test_setup(test_elf_parse_refuses_bad_segments, build_file),
		cmocka_unit_test_setup(test_elf_parse_refuses_entry_outside_code, build_file),
		cmocka_unit_test_setup(test_elf_find_note_compares_name_and_type, build_file),
		cmocka_unit_test_setup(test_elf_copy_zeroes_what_the_file_lacks, build_file),
		cmocka_unit_test_setup(test_elf_relocate_adds_the_bias, build_file),
		cmocka_unit_test_setup(test_elf_relocate_refuses_hostile_tables, build_file),
		cmocka_unit_test_setup(test_elf_relocate_refuses_bias_of_fixed_image, build_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
