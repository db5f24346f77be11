/* boot/multiboot2/tags.c: the information structure of GRUB, sound and broken. Layouts: Multiboot2 Specification,
 * "Boot information format". */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "boot/multiboot2/tags.h"

#define STRUCTURE_BYTES 1024U

struct structure {
	uint8_t bytes[STRUCTURE_BYTES] __attribute__((aligned(8)));
	uint32_t used;
};

static void put32(struct structure *s, uint32_t at, uint32_t value)
{
	memcpy(s->bytes + at, &value, sizeof(value));
}

static void start(struct structure *s)
{
	memset(s, 0, sizeof(*s));
	s->used = 8;
}

static void add_tag(struct structure *s, uint32_t type, const void *content, uint32_t length)
{
	put32(s, s->used, type);
	put32(s, s->used + 4, 8 + length);
	memcpy(s->bytes + s->used + 8, content, length);
	s->used += (8 + length + 7) & ~7U;
	put32(s, 0, s->used);
}

static void add_memory_map(struct structure *s)
{
	static const uint64_t entries[] = {
		24, /* entry size, version 0 */
		0x0,        0x9fc00,    1,
		0x100000,   0x7f00000,  1,
		0x8000000,  0x10000,    3,
		0x8010000,  0x10000,    4,
		0x8020000,  0x10000,    5,
		0xfffc0000, 0x40000,    2,
		0x9000000,  0x1000,     99,
	};

	add_tag(s, 6, entries, sizeof(entries));
}

static void add_module(struct structure *s, uint32_t from, uint32_t to, const char *name)
{
	uint8_t content[256];

	memcpy(content, &from, 4);
	memcpy(content + 4, &to, 4);
	memcpy(content + 8, name, strlen(name) + 1);
	add_tag(s, 3, content, (uint32_t)(9 + strlen(name)));
}

static enum status parse(struct structure *s, struct multiboot2_info *info)
{
	add_tag(s, 0, "", 0);
	return multiboot2_parse(s->bytes, s->used, info);
}

static void test_multiboot2_parse_reads_memory(void **state)
{
	static const uint32_t types[] = {1, 1, BOOT_MEMORY_ACPI_RECLAIM, BOOT_MEMORY_ACPI_NVS, BOOT_MEMORY_BAD,
					 BOOT_MEMORY_RESERVED, BOOT_MEMORY_RESERVED};
	struct boot_memory entries[16];
	struct memory_map raw = {.entries = entries, .capacity = 16};
	struct multiboot2_info info;
	struct structure s;

	(void)state;
	start(&s);
	add_memory_map(&s);
	assert_int_equal(parse(&s, &info), OK);
	assert_int_equal(multiboot2_memory(&info, &raw), OK);
	assert_int_equal(raw.count, 7);
	for (unsigned i = 0; i < 7; i++)
		assert_int_equal(entries[i].type, types[i]);
	assert_int_equal(entries[1].length_bytes, 0x7f00000);
}

static void test_multiboot2_parse_prefers_uefi_memory(void **state)
{
	static const uint64_t uefi[] = {40, /* descriptor size, version 0 */ 7, 0x200000, 0, 16, 0xf};
	struct boot_memory entries[16];
	struct memory_map raw = {.entries = entries, .capacity = 16};
	struct multiboot2_info info;
	struct structure s;

	(void)state;
	start(&s);
	add_memory_map(&s);
	add_tag(&s, 17, uefi, sizeof(uefi));
	assert_int_equal(parse(&s, &info), OK);
	assert_int_equal(multiboot2_memory(&info, &raw), OK);
	assert_int_equal(raw.count, 1);
	assert_int_equal(entries[0].base_physical, 0x200000);
	assert_int_equal(entries[0].length_bytes, 0x10000);
}

static void test_multiboot2_modules_in_order(void **state)
{
	struct multiboot2_module module;
	struct multiboot2_info info;
	struct structure s;

	(void)state;
	start(&s);
	add_module(&s, 0x1000, 0x2001, "first");
	add_memory_map(&s);
	add_module(&s, 0x3000, 0x3000, "");
	add_module(&s, 0x3000, 0x2fff, "end before start");
	assert_int_equal(parse(&s, &info), OK);
	assert_int_equal(info.module_count, 3);
	assert_int_equal(multiboot2_module(&info, 0, &module), OK);
	assert_int_equal(module.end_physical, 0x2001);
	assert_int_equal(module.name_length, 5);
	assert_int_equal(multiboot2_module(&info, 1, &module), OK);
	assert_int_equal(module.name_length, 0);
	assert_int_equal(multiboot2_module(&info, 2, &module), ERR_BAD_FORMAT);
	assert_int_equal(multiboot2_module(&info, 3, &module), ERR_NOT_FOUND);
}

static void expect_path(const char *name, const char *expected)
{
	const struct multiboot2_module module = {.name = name, .name_length = strlen(name)};
	char path[BOOT_FILE_PATH_BYTES];

	assert_int_equal(multiboot2_module_path(&module, path), OK);
	assert_string_equal(path, expected);
}

static void test_multiboot2_module_paths(void **state)
{
	char name[BOOT_FILE_PATH_BYTES];
	const struct multiboot2_module longest = {.name = name, .name_length = BOOT_FILE_PATH_BYTES - 1};
	const struct multiboot2_module too_long = {.name = name, .name_length = BOOT_FILE_PATH_BYTES};
	char path[BOOT_FILE_PATH_BYTES];

	(void)state;
	expect_path("linux/vmlinuz", "linux/vmlinuz");
	expect_path("/bulkhead/linux/vmlinuz", "linux/vmlinuz");
	expect_path("(hd0,msdos1)/bulkhead/a", "a");
	expect_path("\"with space.bin\"", "with space.bin");
	expect_path("it\\'s \\\\ here", "it's \\ here");
	expect_path("bulkhead/a", "bulkhead/a");
	expect_path("trailing\\", "trailing\\");
	expect_path("", "");
	memset(name, 'x', sizeof(name));
	assert_int_equal(multiboot2_module_path(&longest, path), OK);
	assert_int_equal(strlen(path), BOOT_FILE_PATH_BYTES - 1);
	assert_int_equal(multiboot2_module_path(&too_long, path), ERR_OVERFLOW);
}

static void test_multiboot2_framebuffer_kinds(void **state)
{
	uint8_t tag[30] = {0x00, 0x00, 0x00, 0xe0, 0, 0, 0, 0, 0x00, 0x10, 0, 0, 0x00, 0x04, 0, 0, 0x00, 0x03, 0, 0,
			   32, 1, 0, 0, 16, 8, 8, 8, 0, 8};
	struct boot_framebuffer framebuffer;
	struct multiboot2_info info;
	struct structure s;

	(void)state;
	start(&s);
	add_memory_map(&s);
	add_tag(&s, 8, tag, sizeof(tag));
	assert_int_equal(parse(&s, &info), OK);
	framebuffer = multiboot2_framebuffer(&info);
	assert_int_equal(framebuffer.base_physical, 0xe0000000);
	assert_int_equal(framebuffer.width_pixels, 1024);
	assert_int_equal(framebuffer.height_pixels, 768);
	assert_int_equal(framebuffer.pitch_bytes, 4096);
	assert_int_equal(framebuffer.red_shift, 16);
	s.bytes[info.framebuffer.bytes - s.bytes + 21] = 2; /* EGA text */
	assert_int_equal(multiboot2_framebuffer(&info).base_physical, 0);
	s.bytes[info.framebuffer.bytes - s.bytes + 21] = 1;
	s.bytes[info.framebuffer.bytes - s.bytes + 24] = 200; /* a shift past the pixel */
	assert_int_equal(multiboot2_framebuffer(&info).base_physical, 0);
}

static void test_multiboot2_parse_refuses_broken_structures(void **state)
{
	struct multiboot2_info info = {.module_count = 7};
	struct structure s;

	(void)state;
	start(&s);
	assert_int_equal(parse(&s, &info), ERR_NOT_FOUND);
	start(&s);
	add_memory_map(&s);
	add_tag(&s, 0, "", 0);
	for (uint32_t length = 0; length < s.used; length++) {
		uint8_t *copy = malloc(length + 1); /* exact, so that ASan sees a read past the end */

		assert_non_null(copy);
		memcpy(copy, s.bytes, length);
		if (length >= 4)
			memcpy(copy, &length, 4);
		assert_int_equal(multiboot2_parse(copy, length, &info), ERR_TRUNCATED);
		free(copy);
	}
	put32(&s, 12, 7); /* a tag smaller than its header */
	assert_int_equal(multiboot2_parse(s.bytes, s.used, &info), ERR_TRUNCATED);
	put32(&s, 12, 0xffffffff);
	assert_int_equal(multiboot2_parse(s.bytes, s.used, &info), ERR_TRUNCATED);
	assert_int_equal(info.module_count, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_multiboot2_parse_reads_memory),
		cmocka_unit_test(test_multiboot2_parse_prefers_uefi_memory),
		cmocka_unit_test(test_multiboot2_modules_in_order),
		cmocka_unit_test(test_multiboot2_module_paths),
		cmocka_unit_test(test_multiboot2_framebuffer_kinds),
		cmocka_unit_test(test_multiboot2_parse_refuses_broken_structures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
