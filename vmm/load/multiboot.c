/* Plans the start of a Multiboot 1 kernel: an ELF image of either class, or any file whose header has address fields.
 * Source: Multiboot Specification 0.6.96, "OS image format", "Machine state", "Boot information format". */
#include "lib/multiboot/multiboot.h"
#include "vmm/load/formats.h"

#define LOADER_MAGIC     0x2badb002U
#define LOADER_NAME      "Bulkhead"
#define INFO_MEMORY      0x001U
#define INFO_COMMAND_LINE 0x004U
#define INFO_MODULES     0x008U
#define INFO_MEMORY_MAP  0x040U
#define INFO_LOADER_NAME 0x200U
#define ONE_MIB          0x100000ULL

struct multiboot_info {
	uint32_t flags;
	uint32_t memory_lower_kib;
	uint32_t memory_upper_kib;
	uint32_t boot_device;
	uint32_t command_line;
	uint32_t module_count;
	uint32_t modules;
	uint32_t symbols[4];
	uint32_t memory_map_bytes;
	uint32_t memory_map;
	uint32_t drives_bytes;
	uint32_t drives;
	uint32_t config_table;
	uint32_t loader_name;
	uint32_t apm_table;
	uint32_t video[12]; /* VBE and framebuffer */
};

struct multiboot_module {
	uint32_t start;
	uint32_t end;
	uint32_t text;
	uint32_t reserved;
};

struct multiboot_memory {
	uint32_t size_bytes; /* of what follows */
	uint64_t base;
	uint64_t length_bytes;
	uint32_t type;
} __attribute__((packed));

_Static_assert(sizeof(struct multiboot_info) == 120, "Multiboot information layout");
_Static_assert(sizeof(struct multiboot_memory) == 24, "Multiboot memory map layout");

/* The image as the header's address fields say: [load, load_end) from the file, zeroes up to bss_end. Fields that are 0: the
 * whole rest of the file, no zeroes. */
static enum status add_by_addresses(const struct load_request *request, const struct multiboot_header *header, size_t offset,
				    struct load_plan *plan, struct load_problem *problem)
{
	uint32_t before = header->header_address - header->load_address;
	size_t start = offset - before, left = request->kernel_bytes - start, zero_bytes = 0;
	struct load_piece piece = {.gpa = gpa(header->load_address)};

	if (request->kernel_bytes - offset < MULTIBOOT_ADDRESSES_END)
		return load_refuse_number(problem, ERR_TRUNCATED, E211, "file ends in its Multiboot header: bytes",
					  request->kernel_bytes);
	if (header->header_address < header->load_address || before > offset)
		return load_refuse_number(problem, ERR_INVALID, E217, "Multiboot header: its load address precedes the file:",
					  header->load_address);
	if (header->load_end_address != 0) {
		if (header->load_end_address <= header->header_address)
			return load_refuse_number(problem, ERR_INVALID, E217,
						  "Multiboot header: its load end address makes no sense:",
						  header->load_end_address);
		if (header->load_end_address - header->load_address > left)
			return load_refuse_number(problem, ERR_TRUNCATED, E211,
						  "file is shorter than its header says: bytes needed",
						  start + (header->load_end_address - header->load_address));
		left = header->load_end_address - header->load_address;
	}
	if (header->bss_end_address != 0) {
		if (header->bss_end_address < header->load_address || header->bss_end_address - header->load_address < left)
			return load_refuse_number(problem, ERR_INVALID, E217,
						  "Multiboot header: its bss end address makes no sense:",
						  header->bss_end_address);
		zero_bytes = header->bss_end_address - header->load_address - left;
	}
	piece.source = (const uint8_t *)request->kernel + start;
	piece.source_bytes = left;
	piece.zero_bytes = zero_bytes;
	return load_add_program(request, plan, &piece, problem);
}

static enum status add_image(const struct load_request *request, const struct multiboot_header *header, size_t offset,
			     struct load_plan *plan, uint64_t *entry, struct load_problem *problem)
{
	struct elf_problem found;
	struct elf_guest image;
	enum status status;

	if ((header->flags & MULTIBOOT_FLAG_ADDRESSES) != 0) {
		*entry = header->entry_address;
		return add_by_addresses(request, header, offset, plan, problem);
	}
	status = elf_guest_parse(request->kernel, request->kernel_bytes, &image, &found);
	if (status != OK)
		return load_refuse_elf(problem, status, &found);
	status = load_add_segments(request, plan, &image, problem);
	*entry = elf_guest_physical(&image, image.entry);
	return status;
}

/* Of the entry that begins at base; memory_lower is at most 640 KiB, memory_upper ends with the first hole. */
static uint32_t usable_kib(const struct load_request *request, uint64_t base)
{
	for (size_t i = 0; i < request->e820_count; i++) {
		const struct bzimage_e820 *entry = &request->e820[i];

		if (entry->type == LOAD_E820_USABLE && entry->base == base)
			return (uint32_t)(entry->length_bytes >> 10);
	}
	return 0;
}

static bool write_memory_map(const struct load_request *request, struct load_plan *plan, struct multiboot_info *info)
{
	uint64_t address = 0;
	size_t bytes = request->e820_count * sizeof(struct multiboot_memory);
	struct multiboot_memory *map = load_info_take(plan, bytes, &address);

	if (map == NULL)
		return false;
	for (size_t i = 0; i < request->e820_count; i++)
		map[i] = (struct multiboot_memory){
			.size_bytes = sizeof(*map) - sizeof(map->size_bytes),
			.base = request->e820[i].base,
			.length_bytes = request->e820[i].length_bytes,
			.type = request->e820[i].type,
		};
	info->memory_map = (uint32_t)address;
	info->memory_map_bytes = (uint32_t)bytes;
	return true;
}

static bool write_modules(const struct load_placed *placed, size_t count, struct load_plan *plan, struct multiboot_info *info)
{
	uint64_t address = 0;
	struct multiboot_module *modules = load_info_take(plan, count * sizeof(*modules), &address);

	if (modules == NULL)
		return false;
	info->modules = (uint32_t)address;
	info->module_count = (uint32_t)count;
	for (size_t i = 0; i < count; i++) {
		uint64_t text = load_info_text(plan, placed[i].text, NULL);

		if (text == 0)
			return false;
		modules[i] = (struct multiboot_module){
			.start = (uint32_t)placed[i].address,
			.end = (uint32_t)(placed[i].address + placed[i].size_bytes),
			.text = (uint32_t)text,
		};
	}
	return true;
}

/* The block lies first in its area. */
static enum status write_info(const struct load_request *request, const struct load_placed *placed, size_t count,
			      struct load_plan *plan, struct load_problem *problem)
{
	uint64_t address = 0;
	struct multiboot_info *info = load_info_take(plan, sizeof(*info), &address);
	bool fits = info != NULL && write_memory_map(request, plan, info) && write_modules(placed, count, plan, info);

	if (fits) {
		info->flags = INFO_MEMORY | INFO_COMMAND_LINE | INFO_MODULES | INFO_MEMORY_MAP | INFO_LOADER_NAME;
		info->memory_lower_kib = usable_kib(request, 0);
		info->memory_upper_kib = usable_kib(request, ONE_MIB);
		info->loader_name = (uint32_t)load_info_text(plan, LOADER_NAME, NULL);
		info->command_line = (uint32_t)load_info_text(plan, request->kernel_path, request->command_line);
		fits = info->loader_name != 0 && info->command_line != 0;
	}
	return fits ? OK
		    : load_refuse_number(problem, ERR_OVERFLOW, E215,
					 "command line, texts of modules and memory map are too long: bytes in all",
					 LOAD_INFO_BYTES);
}

enum status load_plan_multiboot(const struct load_request *request, struct load_plan *plan, struct load_problem *problem)
{
	/* A video mode is a wish: the information block says that there is no video. */
	const uint32_t known = MULTIBOOT_FLAG_PAGE_ALIGN | MULTIBOOT_FLAG_MEMORY_INFO | MULTIBOOT_FLAG_VIDEO_MODE;
	struct load_placed placed[LOAD_MODULES_MAX];
	struct multiboot_header header;
	uint64_t entry = 0, gdt;
	size_t offset = 0, count = 0;
	enum status status;

	if (!multiboot_find_header(request->kernel, request->kernel_bytes, &header, &offset))
		return load_refuse(problem, ERR_BAD_FORMAT, E210, "no Multiboot header");
	if ((header.flags & MULTIBOOT_FLAGS_REQUIRED & ~known) != 0)
		return load_refuse_number(problem, ERR_UNSUPPORTED, E216,
					  "a Multiboot kernel that demands what no loader of this version gives: flags",
					  header.flags & MULTIBOOT_FLAGS_REQUIRED & ~known);
	status = add_image(request, &header, offset, plan, &entry, problem);
	if (status != OK)
		return status;
	if (!load_covers(plan, entry))
		return load_refuse_number(problem, ERR_INVALID, E217, "the entry lies outside the program: address", entry);
	status = load_place_modules(request, plan, false, placed, &count, problem);
	if (status == OK)
		status = write_info(request, placed, count, plan, problem);
	if (status != OK)
		return status;
	gdt = load_info_gdt(plan);
	if (gdt == 0)
		return load_refuse_number(problem, ERR_OVERFLOW, E215, "texts are too long: bytes in all", LOAD_INFO_BYTES);
	load_info_add(plan);
	load_set_protected_mode(&plan->registers, entry, gdt, LOAD_GDT_BYTES, LOAD_GDT_CODE, LOAD_GDT_DATA);
	plan->registers.gpr[GPR_RAX] = LOADER_MAGIC;
	plan->registers.gpr[GPR_RBX] = LOAD_INFO_BASE;
	return OK;
}
