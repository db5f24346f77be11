/* Builds the contents of the boot heap. Owns the promises of abi/boot_info.h; knows no firmware and moves no CPU. */
#include "boot/common/handover.h"

#include "abi/layout.h"
#include "abi/syscall.h"
#include "boot/common/command_line.h"
#include "lib/base/string.h"

#define STACK_BYTES         0x10000ULL
#define STRUCTURE_ALIGNMENT 64ULL
/* Tables beside those of the kernel's pages: root, and three levels each for kernel, heap and jump (which may span two). */
#define OTHER_TABLES        16ULL
/* SDM Vol. 3A, "MP Initialization Protocol Algorithm for MP Systems": they start in real mode, on a page below 1 MiB. */
#define START_PAGES_END     0xa0000ULL
#define START_PAGES_BYTES   (2 * PAGE_SIZE_BYTES)

static uint64_t round_up(uint64_t value, uint64_t unit)
{
	return (value + unit - 1) & ~(unit - 1);
}

/* struct host_info, the framebuffer, the file list and the command line, one behind the other. */
static uint64_t host_info_bytes(const struct handover *found)
{
	return sizeof(struct host_info) + sizeof(struct boot_framebuffer) + found->files->count * sizeof(struct boot_file) +
	       strlen(found->command_line) + 1;
}

static uint64_t structures_bytes(const struct handover *found, uint32_t memory_capacity)
{
	return sizeof(struct boot_info) + host_info_bytes(found) + 2 * PAGE_SIZE_BYTES +
	       found->pc->pc.cpu_count * sizeof(uint32_t) + memory_capacity * sizeof(struct boot_memory) +
	       5 * STRUCTURE_ALIGNMENT;
}

uint64_t handover_heap_bytes(const struct handover *found, const struct kernel_image *image, uint32_t memory_capacity)
{
	uint64_t table_count = OTHER_TABLES + image->length_bytes / PAGE_2M_BYTES + 1;
	uint64_t needed = table_count * PAGE_SIZE_BYTES + STACK_BYTES + structures_bytes(found, memory_capacity);

	return round_up(needed, PAGE_2M_BYTES) + PAGE_2M_BYTES;
}

static uint64_t heap_virtual(const struct launch *launch, const void *piece)
{
	return DIRECT_MAP_BASE + arena_physical(&launch->heap, piece);
}

/* Identity pages for the code that switches page tables: executable, and writable by nobody. */
static enum status map_jump(struct launch *launch, uint64_t jump_physical, uint64_t jump_bytes)
{
	uint64_t first = jump_physical & ~(PAGE_2M_BYTES - 1);
	uint64_t end = round_up(jump_physical + jump_bytes, PAGE_2M_BYTES);

	return page_tables_map(&launch->tables, first, first, end - first, PAGE_2M_BYTES, 0);
}

static enum status build_tables(struct launch *launch, const struct kernel_image *image, const struct placement *placement,
				uint64_t jump_physical, uint64_t jump_bytes)
{
	enum status status = page_tables_init(&launch->tables, &launch->heap);

	if (status == OK)
		status = kernel_image_map(image, placement, &launch->tables);
	if (status == OK)
		status = page_tables_map(&launch->tables, DIRECT_MAP_BASE + placement->heap_physical,
					 placement->heap_physical, placement->heap_length_bytes, PAGE_2M_BYTES,
					 PTE_WRITABLE | PTE_NO_EXECUTE);
	if (status == OK)
		status = map_jump(launch, jump_physical, jump_bytes);
	return status;
}

/* The words of the command line that are the kernel's. */
static void read_options(const char *command_line, struct boot_info *info)
{
	char mode[sizeof("xapic")];

	info->forbid_x2apic = command_line_value(command_line, "apic", mode, sizeof(mode)) && strcmp(mode, "xapic") == 0;
	if (!command_line_value(command_line, "selftest", info->selftest, sizeof(info->selftest)))
		info->selftest[0] = '\0';
}

static void fill_info(struct launch *launch, const struct handover *found, const struct placement *placement)
{
	*launch->info = (struct boot_info){
		.magic = BOOT_INFO_MAGIC,
		.version = BOOT_INFO_VERSION,
		.size_bytes = sizeof(struct boot_info),
		.file_count = found->files->count,
		.uefi_system_table_physical = found->uefi_system_table_physical,
		.wall_clock_seconds = found->wall_clock_seconds,
		.wall_clock_tsc = found->wall_clock_tsc,
		.framebuffer = found->framebuffer,
		.kernel_physical = placement->kernel_physical,
		.kernel_virtual = placement->kernel_virtual,
		.kernel_length_bytes = placement->kernel_length_bytes,
		.heap_physical = placement->heap_physical,
		.heap_length_bytes = placement->heap_length_bytes,
		.program = placement->program,
		.pc = found->pc->pc,
		.tsc_hz = found->tsc_hz,
	};
	read_options(found->command_line, launch->info);
}

/* What the first program sees of it, on pages that nothing else is on. */
static enum status build_host_info(struct launch *launch, const struct handover *found)
{
	uint64_t files_bytes = found->files->count * sizeof(struct boot_file);
	uint64_t size_bytes = host_info_bytes(found);
	uint8_t *at = arena_alloc(&launch->heap, round_up(size_bytes, PAGE_SIZE_BYTES), PAGE_SIZE_BYTES);
	struct host_info info = {
		.magic = HOST_INFO_MAGIC,
		.version = HOST_INFO_VERSION,
		.size_bytes = (uint32_t)size_bytes,
		.rsdp_physical = found->rsdp_physical,
		.file_count = found->files->count,
		.framebuffer_offset = sizeof(info),
		.files_offset = sizeof(info) + sizeof(found->framebuffer),
		.command_line_offset = (uint32_t)(sizeof(info) + sizeof(found->framebuffer) + files_bytes),
		.loader = found->loader,
		.acpi_warnings = found->pc->warnings,
	};

	if (at == NULL)
		return ERR_NO_MEMORY;
	memcpy(info.cpu_name, found->cpu_name, sizeof(info.cpu_name));
	memcpy(at, &info, sizeof(info));
	memcpy(at + info.framebuffer_offset, &found->framebuffer, sizeof(found->framebuffer));
	memcpy(at + info.files_offset, found->files->files, files_bytes);
	memcpy(at + info.command_line_offset, found->command_line, strlen(found->command_line) + 1);
	launch->info->host_info_virtual = heap_virtual(launch, at);
	launch->info->files_virtual = heap_virtual(launch, at + info.files_offset);
	return OK;
}

static enum status build_structures(struct launch *launch, const struct handover *found, uint32_t memory_capacity)
{
	uint64_t cpus_bytes = found->pc->pc.cpu_count * sizeof(uint32_t);
	void *memory = arena_alloc(&launch->heap, memory_capacity * sizeof(struct boot_memory), STRUCTURE_ALIGNMENT);
	void *cpus = arena_alloc(&launch->heap, cpus_bytes, STRUCTURE_ALIGNMENT);

	if (memory == NULL || cpus == NULL)
		return ERR_NO_MEMORY;
	memcpy(cpus, found->pc->apic_ids, cpus_bytes);
	launch->info->pc.cpus_virtual = heap_virtual(launch, cpus);
	launch->memory = (struct memory_map){.entries = memory, .count = 0, .capacity = memory_capacity};
	launch->info->memory_virtual = heap_virtual(launch, memory);
	return build_host_info(launch, found);
}

enum status handover_prepare(struct launch *launch, const struct handover *found, const struct kernel_image *image,
			     const struct placement *placement, uint32_t memory_capacity, void *memory,
			     uint64_t jump_physical, uint64_t jump_bytes)
{
	uint8_t *stack;
	enum status status;

	*launch = (struct launch){
		.heap = {
			.memory = memory,
			.physical = placement->heap_physical,
			.length_bytes = placement->heap_length_bytes,
		},
		.entry_virtual = placement->kernel_virtual + image->elf.entry,
	};
	status = build_tables(launch, image, placement, jump_physical, jump_bytes);
	if (status != OK)
		return status;
	stack = arena_alloc(&launch->heap, STACK_BYTES, PAGE_SIZE_BYTES);
	launch->info = arena_alloc(&launch->heap, sizeof(struct boot_info), STRUCTURE_ALIGNMENT);
	if (stack == NULL || launch->info == NULL)
		return ERR_NO_MEMORY;
	launch->stack_top_virtual = heap_virtual(launch, stack) + STACK_BYTES;
	launch->info_virtual = heap_virtual(launch, launch->info);
	fill_info(launch, found, placement);
	return build_structures(launch, found, memory_capacity);
}

enum status handover_add_files(const struct boot_files *files, struct memory_map *raw)
{
	for (uint32_t i = 0; i < files->count; i++) {
		const struct boot_file *file = &files->files[i];
		enum status status;

		if (file->state != BOOT_FILE_LOADED)
			continue;
		/* An empty file has a page of its own, too. */
		status = memory_map_add(raw, file->base_physical, file->size_bytes > 0 ? file->size_bytes : 1,
					BOOT_MEMORY_FILES);
		if (status != OK)
			return status;
	}
	return OK;
}

/* What the kernel would have to search the map for. */
static void describe_memory(const struct memory_map *map, struct boot_info *info)
{
	for (uint32_t i = map->count; i-- > 0;) {
		const struct boot_memory *piece = &map->entries[i];
		uint64_t end = piece->base_physical + piece->length_bytes;

		if (piece->type != BOOT_MEMORY_USABLE && piece->type != BOOT_MEMORY_HEAP)
			continue;
		if (info->ram_end_physical == 0)
			info->ram_end_physical = end;
		if (piece->type == BOOT_MEMORY_USABLE && piece->length_bytes >= START_PAGES_BYTES &&
		    piece->base_physical <= START_PAGES_END - START_PAGES_BYTES)
			info->start_pages_physical = piece->base_physical;
	}
}

enum status handover_finish(struct launch *launch, const struct boot_files *files, struct memory_map *raw)
{
	struct boot_info *info = launch->info;
	enum status status = handover_add_files(files, raw);

	if (status == OK)
		status = memory_map_add(raw, info->kernel_physical, info->kernel_length_bytes, BOOT_MEMORY_KERNEL);
	if (status == OK)
		status = memory_map_add(raw, info->heap_physical, info->heap_length_bytes, BOOT_MEMORY_HEAP);
	if (status == OK)
		status = memory_map_add(raw, info->program.physical, info->program.length_bytes, BOOT_MEMORY_FILES);
	if (status == OK)
		status = memory_map_normalize(raw, true, &launch->memory);
	if (status != OK)
		return status;
	info->memory_count = launch->memory.count;
	describe_memory(&launch->memory, info);
	info->heap_used_bytes = launch->heap.used_bytes;
	return OK;
}
