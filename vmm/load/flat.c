/* Plans the start of a flat guest program. Its format and the state at entry: docs/guest-flat.md. */
#include "lib/base/string.h"
#include "vmm/load/formats.h"

#define PAGE_TABLES_ADDRESS  0x1000ULL
#define GDT_ADDRESS          0x7000ULL
#define INFO_ADDRESS         0x8000ULL
#define COMMAND_LINE_ADDRESS 0x9000ULL
#define COMMAND_LINE_END     0xa000ULL
#define STACK_LEAST_BYTES    0x1000ULL
#define LOW_MEMORY_END       0xa0000ULL

/* Is [base, end) inside one free range? */
static bool is_free(const struct load_request *request, uint64_t base, uint64_t end)
{
	struct bzimage_range ranges[LOAD_RANGES_MAX];
	size_t count = load_free_ranges(request, ranges);

	for (size_t i = 0; i < count; i++) {
		if (base >= ranges[i].base && end >= base && end - ranges[i].base <= ranges[i].length_bytes)
			return true;
	}
	return false;
}

/* The end of the usable memory that begins at 0, 640 KiB at most, cut to a multiple of 16. */
static uint64_t low_memory_end(const struct load_request *request)
{
	for (size_t i = 0; i < request->e820_count; i++) {
		const struct bzimage_e820 *entry = &request->e820[i];

		if (entry->type == LOAD_E820_USABLE && entry->base == 0)
			return (entry->length_bytes < LOW_MEMORY_END ? entry->length_bytes : LOW_MEMORY_END) & ~0xfULL;
	}
	return 0;
}

static enum status check_header(const struct load_request *request, struct guest_flat_header *header,
				struct load_problem *problem)
{
	if (request->kernel_bytes <= sizeof(*header))
		return load_refuse_number(problem, ERR_TRUNCATED, E211, "flat program ends in its header: bytes",
					  request->kernel_bytes);
	memcpy(header, request->kernel, sizeof(*header));
	if (header->version != GUEST_FLAT_VERSION)
		return load_refuse_number(problem, ERR_UNSUPPORTED, E217, "flat program of unknown version",
					  header->version);
	if (header->memory_bytes < request->kernel_bytes)
		return load_refuse_number(problem, ERR_INVALID, E217,
					  "flat program is larger than the memory that its header asks for: bytes",
					  header->memory_bytes);
	return OK;
}

enum status load_plan_flat(const struct load_request *request, struct load_plan *plan, struct load_problem *problem)
{
	size_t command_line_bytes = strlen(request->command_line) + 1;
	struct load_generated *made = &plan->generated;
	uint64_t stack_top = low_memory_end(request);
	struct guest_flat_header header;
	enum status status = check_header(request, &header, problem);

	if (status != OK)
		return status;
	if (command_line_bytes > COMMAND_LINE_END - COMMAND_LINE_ADDRESS)
		return load_refuse_number(problem, ERR_OVERFLOW, E215, "command line too long: characters allowed",
					  COMMAND_LINE_END - COMMAND_LINE_ADDRESS - 1);
	if (request->initrd != NULL)
		return load_refuse(problem, ERR_UNSUPPORTED, E221, "a flat program takes no initrd");
	if (request->module_count != 0)
		return load_refuse(problem, ERR_UNSUPPORTED, E221, "a flat program takes no modules");
	if (stack_top < COMMAND_LINE_END + STACK_LEAST_BYTES ||
	    !is_free(request, GUEST_FLAT_BASE, GUEST_FLAT_BASE + header.memory_bytes))
		return load_refuse_number(problem, ERR_NO_MEMORY, E213,
					  "the program does not fit into memory: bytes needed",
					  GUEST_FLAT_BASE + header.memory_bytes);
	bzimage_fill_page_tables(PAGE_TABLES_ADDRESS, made->page_tables);
	bzimage_fill_gdt(true, made->gdt);
	made->flat_info = (struct guest_flat_info){
		.magic = GUEST_FLAT_MAGIC,
		.version = GUEST_FLAT_VERSION,
		.size_bytes = sizeof(made->flat_info),
		.memory_bytes = request->memory_bytes,
		.command_line_address = COMMAND_LINE_ADDRESS,
		.rsdp_address = request->rsdp_address,
	};
	load_add_piece(plan, GUEST_FLAT_BASE, request->kernel, request->kernel_bytes,
		       header.memory_bytes - request->kernel_bytes);
	load_add_piece(plan, PAGE_TABLES_ADDRESS, made->page_tables, sizeof(made->page_tables), 0);
	load_add_piece(plan, GDT_ADDRESS, made->gdt, sizeof(made->gdt), 0);
	load_add_piece(plan, INFO_ADDRESS, &made->flat_info, sizeof(made->flat_info), 0);
	load_add_piece(plan, COMMAND_LINE_ADDRESS, request->command_line, command_line_bytes, 0);
	load_set_long_mode(&plan->registers, GUEST_FLAT_ENTRY, stack_top, PAGE_TABLES_ADDRESS, GDT_ADDRESS);
	plan->registers.gpr[GPR_RDI] = INFO_ADDRESS;
	return OK;
}
