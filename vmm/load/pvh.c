/* Plans the start of an ELF kernel by its PVH entry.
 * Source: Xen, "x86/HVM direct boot ABI" (docs/misc/pvh), and its public header arch-x86/hvm/start_info.h. */
#include "vmm/load/formats.h"

#define START_MAGIC   0x336ec578U
#define START_VERSION 1U /* with the memory map */

struct start_info {
	uint32_t magic;
	uint32_t version;
	uint32_t flags;
	uint32_t module_count;
	uint64_t modules;
	uint64_t command_line;
	uint64_t rsdp;
	uint64_t memory_map;
	uint32_t memory_map_count;
	uint32_t reserved;
};

struct start_module {
	uint64_t address;
	uint64_t size_bytes;
	uint64_t text;
	uint64_t reserved;
};

struct start_memory {
	uint64_t base;
	uint64_t length_bytes;
	uint32_t type; /* as in e820 */
	uint32_t reserved;
};

_Static_assert(sizeof(struct start_info) == 56, "hvm_start_info layout");
_Static_assert(sizeof(struct start_module) == 32, "hvm_modlist_entry layout");
_Static_assert(sizeof(struct start_memory) == 24, "hvm_memmap_table_entry layout");

static bool write_memory_map(const struct load_request *request, struct load_plan *plan, struct start_info *info)
{
	struct start_memory *map = load_info_take(plan, request->e820_count * sizeof(*map), &info->memory_map);

	if (map == NULL)
		return false;
	for (size_t i = 0; i < request->e820_count; i++)
		map[i] = (struct start_memory){
			.base = request->e820[i].base,
			.length_bytes = request->e820[i].length_bytes,
			.type = request->e820[i].type,
		};
	info->memory_map_count = (uint32_t)request->e820_count;
	return true;
}

static bool write_modules(const struct load_placed *placed, size_t count, struct load_plan *plan, struct start_info *info)
{
	struct start_module *modules;

	if (count == 0)
		return true;
	modules = load_info_take(plan, count * sizeof(*modules), &info->modules);
	if (modules == NULL)
		return false;
	info->module_count = (uint32_t)count;
	for (size_t i = 0; i < count; i++) {
		modules[i] = (struct start_module){
			.address = placed[i].address,
			.size_bytes = placed[i].size_bytes,
			.text = load_info_text(plan, placed[i].text, NULL),
		};
		if (modules[i].text == 0)
			return false;
	}
	return true;
}

/* The block lies first in its area. False: there is no room. */
static bool write_info(const struct load_request *request, const struct load_placed *placed, size_t count,
		       struct load_plan *plan)
{
	uint64_t address = 0;
	struct start_info *info = load_info_take(plan, sizeof(*info), &address);

	if (info == NULL)
		return false;
	info->magic = START_MAGIC;
	info->version = START_VERSION;
	info->rsdp = request->rsdp_address;
	info->command_line = load_info_text(plan, request->command_line, NULL);
	return info->command_line != 0 && write_memory_map(request, plan, info) && write_modules(placed, count, plan, info);
}

enum status load_plan_pvh(const struct load_request *request, struct load_plan *plan, struct load_problem *problem)
{
	struct load_placed placed[LOAD_MODULES_MAX];
	struct elf_problem found;
	struct elf_guest image;
	uint64_t entry = 0, gdt;
	size_t count = 0;
	enum status status = elf_guest_parse(request->kernel, request->kernel_bytes, &image, &found);

	if (status != OK)
		return load_refuse_elf(problem, status, &found);
	if (elf_guest_pvh_entry(&image, &entry) != OK)
		return load_refuse(problem, ERR_BAD_FORMAT, E210, "an ELF file without PVH entry");
	status = load_add_segments(request, plan, &image, problem);
	if (status != OK)
		return status;
	if (!load_covers(plan, entry))
		return load_refuse_number(problem, ERR_INVALID, E217, "the entry lies outside the program: address", entry);
	status = load_place_modules(request, plan, true, placed, &count, problem);
	if (status != OK)
		return status;
	gdt = write_info(request, placed, count, plan) ? load_info_gdt(plan) : 0;
	if (gdt == 0)
		return load_refuse_number(problem, ERR_OVERFLOW, E215,
					  "command line, texts of modules and memory map are too long: bytes in all",
					  LOAD_INFO_BYTES);
	load_info_add(plan);
	load_set_protected_mode(&plan->registers, entry, gdt, LOAD_GDT_BYTES, LOAD_GDT_CODE, LOAD_GDT_DATA);
	plan->registers.gpr[GPR_RBX] = LOAD_INFO_BASE;
	return OK;
}
