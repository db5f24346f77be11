/* Recognises guest images and carries plans out. The formats themselves: linux.c, multiboot.c, pvh.c, flat.c. */
#include "vmm/load/load.h"

#include "lib/base/format.h"
#include "lib/base/string.h"
#include "lib/multiboot/multiboot.h"
#include "vmm/load/formats.h"

#define BZIMAGE_MAGIC_OFFSET 0x202U

static bool has_bytes_at(const uint8_t *bytes, size_t size_bytes, size_t offset, const void *magic, size_t magic_bytes)
{
	return offset <= size_bytes && magic_bytes <= size_bytes - offset && memcmp(bytes + offset, magic, magic_bytes) == 0;
}

enum image_kind load_recognise(const void *kernel, size_t kernel_bytes)
{
	if (has_bytes_at(kernel, kernel_bytes, 0, "BULKFLAT", 8))
		return IMAGE_FLAT;
	if (has_bytes_at(kernel, kernel_bytes, BZIMAGE_MAGIC_OFFSET, "HdrS", 4))
		return IMAGE_BZIMAGE;
	if (multiboot_has_header(kernel, kernel_bytes))
		return IMAGE_MULTIBOOT;
	if (elf_guest_has_pvh_entry(kernel, kernel_bytes))
		return IMAGE_ELF_PVH;
	if (has_bytes_at(kernel, kernel_bytes, 0, "\177ELF", 4))
		return IMAGE_ELF;
	return IMAGE_UNKNOWN;
}

static enum status plan_by_kind(const struct load_request *request, struct load_plan *plan, struct load_problem *problem)
{
	switch (plan->kind) {
	case IMAGE_BZIMAGE:
		return load_plan_linux(request, plan, problem);
	case IMAGE_FLAT:
		return load_plan_flat(request, plan, problem);
	case IMAGE_MULTIBOOT:
		return load_plan_multiboot(request, plan, problem);
	case IMAGE_ELF_PVH:
		return load_plan_pvh(request, plan, problem);
	case IMAGE_ELF:
		return load_refuse(problem, ERR_UNSUPPORTED, E216, "an ELF file with neither Multiboot header nor PVH entry");
	case IMAGE_UNKNOWN:
	case IMAGE_KIND_COUNT:
		break;
	}
	return load_refuse(problem, ERR_BAD_FORMAT, E210, "no kernel of a known format");
}

/* What firmware keeps at 40:00 and old code looks for: serial ports, equipment, kibibytes of memory below 640 KiB. There is
 * no extended BIOS data area (40:0E). A program that wants to be there itself has precedence. */
static void add_bios_data(const struct load_request *request, struct load_plan *plan)
{
	static const uint16_t com_ports[] = {0x3f8, 0x2f8, 0x3e8, 0x2e8};
	const uint16_t equipment = 0x802; /* four serial ports, a floating-point unit */
	uint8_t *data = plan->generated.bios_data;
	uint16_t low_kib = 0;

	for (size_t i = 0; i < request->e820_count; i++) {
		if (request->e820[i].type == LOAD_E820_USABLE && request->e820[i].base == 0)
			low_kib = (uint16_t)(request->e820[i].length_bytes >> 10);
	}
	memcpy(data, com_ports, sizeof(com_ports));
	memcpy(data + 0x10, &equipment, sizeof(equipment));
	memcpy(data + 0x13, &low_kib, sizeof(low_kib));
	if (low_kib > 1 && !load_overlaps(plan, LOAD_BIOS_DATA_BASE, LOAD_BIOS_DATA_BYTES))
		load_add_piece(plan, LOAD_BIOS_DATA_BASE, data, LOAD_BIOS_DATA_BYTES, 0);
}

enum status load_make_plan(const struct load_request *request, struct load_plan *plan, struct load_problem *problem)
{
	enum status status;

	memset(plan, 0, sizeof(*plan));
	plan->kind = load_recognise(request->kernel, request->kernel_bytes);
	status = plan_by_kind(request, plan, problem);
	if (status == OK)
		add_bios_data(request, plan);
	return status;
}

enum status load_apply(const struct load_plan *plan, const struct gmem *gm)
{
	for (unsigned i = 0; i < plan->piece_count; i++) {
		const struct load_piece *piece = &plan->pieces[i];
		enum status status = gmem_write(gm, piece->gpa, piece->source, piece->source_bytes);

		if (status == OK)
			status = gmem_zero(gm, gpa_add(piece->gpa, piece->source_bytes), piece->zero_bytes);
		if (status != OK)
			return status;
	}
	return OK;
}

struct remedy {
	enum error_code code;
	const char *name;
	const char *text;
};

static const struct remedy remedies[] = {
	{E210, "E210", "correct kernel (docs/boot-formats.md); Linux: the file that distributions call vmlinuz"},
	{E211, "E211", "the copy is not whole: copy the file again"},
	{E212, "E212", "take a bzImage of Linux 2.6.31 or later"},
	{E213, "E213", "raise the VM's memory"},
	{E214, "E214", "raise the VM's memory or make that file smaller"},
	{E215, "E215", "shorten cmdline"},
	{E216, "E216", "docs/boot-formats.md says what this version starts"},
	{E217, "E217", "build or copy the file again"},
	{E221, "E221", "remove that key from the VM"},
};

void load_describe(const struct load_problem *problem, const char *vm_name, const char *kernel_path, char *out,
		   size_t out_bytes)
{
	const struct remedy *remedy = &remedies[0];
	char number[24] = "";

	for (size_t i = 0; i < sizeof(remedies) / sizeof(remedies[0]); i++) {
		if (remedies[i].code == problem->code)
			remedy = &remedies[i];
	}
	if (problem->has_number)
		format_text(number, sizeof(number), " %llu", (unsigned long long)problem->number);
	format_text(out, out_bytes, "%s %s: %s: %s%s; %s", remedy->name, vm_name, kernel_path, problem->what, number,
		    remedy->text);
}
