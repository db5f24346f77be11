/* Plans the start of a Linux kernel by the 64-bit boot protocol, or by the 32-bit one where it has no 64-bit entry.
 * lib/bzimage knows the format, this file the guest. */
#include "lib/base/string.h"
#include "vmm/load/formats.h"

/* The code that a refusal by lib/bzimage gets, and whether its number says something to a user. */
static const struct refusal {
	enum status status;
	enum error_code code;
	bool has_number;
} refusals[] = {
	{ERR_BAD_FORMAT, E210, true}, /* also for any status not listed */
	{ERR_TRUNCATED, E211, true},
	{ERR_UNSUPPORTED, E212, false},
	{ERR_NO_MEMORY, E213, true},
	{ERR_NO_SPACE, E214, true},
	{ERR_OVERFLOW, E215, true},
	{ERR_INVALID, E217, true},
};

static enum status explain(enum status status, const struct bzimage_problem *found, struct load_problem *problem)
{
	const struct refusal *refusal = &refusals[0];

	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		if (refusals[i].status == status)
			refusal = &refusals[i];
	}
	*problem = (struct load_problem){
		.code = refusal->code, .what = found->what, .number = found->number, .has_number = refusal->has_number};
	return status;
}

static void add_pieces(const struct load_request *request, const struct bzimage *image, const struct bzimage_plan *places,
		       struct load_plan *plan)
{
	struct load_generated *made = &plan->generated;

	load_add_piece(plan, places->kernel, image->bytes + image->code_offset, image->code_bytes, 0);
	load_add_piece(plan, places->boot_params, made->boot_params, sizeof(made->boot_params), 0);
	load_add_piece(plan, places->page_tables, made->page_tables, sizeof(made->page_tables), 0);
	load_add_piece(plan, places->gdt, made->gdt, sizeof(made->gdt), 0);
	load_add_piece(plan, places->command_line, request->command_line, places->command_line_bytes, 0);
	if (places->initrd_bytes != 0)
		load_add_piece(plan, places->initrd, request->initrd, places->initrd_bytes, 0);
}

enum status load_plan_linux(const struct load_request *request, struct load_plan *plan, struct load_problem *problem)
{
	struct bzimage_range ranges[LOAD_RANGES_MAX];
	size_t range_count = load_free_ranges(request, ranges);
	struct load_generated *made = &plan->generated;
	struct bzimage image;
	struct bzimage_plan places;
	struct bzimage_problem found;
	enum status status;

	if (request->module_count != 0)
		return load_refuse(problem, ERR_UNSUPPORTED, E221, "a Linux bzImage takes no modules, but one initrd");
	status = bzimage_parse(request->kernel, request->kernel_bytes, request->kernel_bytes, &image, &found);

	if (status == OK)
		status = bzimage_place(&image, ranges, range_count, strlen(request->command_line) + 1,
				       request->initrd == NULL ? 0 : request->initrd_bytes, &places, &found);
	if (status != OK)
		return explain(status, &found, problem);
	status = bzimage_fill_boot_params(&image, &places, request->e820, request->e820_count, request->rsdp_address,
					  made->boot_params);
	if (status != OK)
		return load_refuse_number(problem, status, E213, "the memory map has too many entries:", request->e820_count);
	bzimage_fill_page_tables(places.page_tables, made->page_tables);
	bzimage_fill_gdt(image.has_64_bit_entry, made->gdt);
	add_pieces(request, &image, &places, plan);
	if (image.has_64_bit_entry)
		load_set_long_mode(&plan->registers, places.entry, places.stack_top, places.page_tables, places.gdt);
	else
		load_set_protected_mode(&plan->registers, places.entry, places.gdt, BZIMAGE_GDT_BYTES, BZIMAGE_BOOT_CS,
					BZIMAGE_BOOT_DS);
	plan->registers.gpr[GPR_RSI] = places.boot_params;
	return OK;
}
