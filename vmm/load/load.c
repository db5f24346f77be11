/* Recognises guest images and carries plans out. The formats themselves: linux.c, flat.c. */
#include "vmm/load/load.h"

#include "lib/base/format.h"
#include "lib/base/string.h"
#include "lib/elf/elf.h"
#include "vmm/load/formats.h"

#define BZIMAGE_MAGIC_OFFSET   0x202U
#define MULTIBOOT_SEARCH_BYTES 8192U
#define PVH_NOTE_NAME          "Xen"
#define PVH_NOTE_TYPE          18U /* XEN_ELFNOTE_PHYS32_ENTRY */

static bool has_bytes_at(const uint8_t *bytes, size_t size_bytes, size_t offset, const void *magic, size_t magic_bytes)
{
	return offset <= size_bytes && magic_bytes <= size_bytes - offset && memcmp(bytes + offset, magic, magic_bytes) == 0;
}

/* Multiboot Specification 0.6.96, "The layout of Multiboot header": magic, flags, checksum, 4-byte aligned; sum 0. */
static bool has_multiboot_header(const uint8_t *bytes, size_t size_bytes)
{
	const uint32_t magic = 0x1badb002;
	size_t end = size_bytes < MULTIBOOT_SEARCH_BYTES ? size_bytes : MULTIBOOT_SEARCH_BYTES;

	for (size_t at = 0; at + 12 <= end; at += 4) {
		uint32_t header[3];

		memcpy(header, bytes + at, sizeof(header));
		if (header[0] == magic && header[0] + header[1] + header[2] == 0)
			return true;
	}
	return false;
}

enum image_kind load_recognise(const void *kernel, size_t kernel_bytes)
{
	const void *descriptor;
	size_t descriptor_bytes;

	if (has_bytes_at(kernel, kernel_bytes, 0, "BULKFLAT", 8))
		return IMAGE_FLAT;
	if (has_bytes_at(kernel, kernel_bytes, BZIMAGE_MAGIC_OFFSET, "HdrS", 4))
		return IMAGE_BZIMAGE;
	if (has_multiboot_header(kernel, kernel_bytes))
		return IMAGE_MULTIBOOT;
	if (elf_find_note(kernel, kernel_bytes, PVH_NOTE_NAME, PVH_NOTE_TYPE, &descriptor, &descriptor_bytes) == OK)
		return IMAGE_ELF_PVH;
	if (has_bytes_at(kernel, kernel_bytes, 0, "\177ELF", 4))
		return IMAGE_ELF;
	return IMAGE_UNKNOWN;
}

enum status load_make_plan(const struct load_request *request, struct load_plan *plan, struct load_problem *problem)
{
	memset(plan, 0, sizeof(*plan));
	plan->kind = load_recognise(request->kernel, request->kernel_bytes);
	switch (plan->kind) {
	case IMAGE_BZIMAGE:
		return load_plan_linux(request, plan, problem);
	case IMAGE_FLAT:
		return load_plan_flat(request, plan, problem);
	case IMAGE_ELF_PVH:
		return load_refuse(problem, ERR_UNSUPPORTED, E216, "an ELF kernel with PVH entry");
	case IMAGE_MULTIBOOT:
		return load_refuse(problem, ERR_UNSUPPORTED, E216, "a Multiboot kernel");
	case IMAGE_ELF:
		return load_refuse(problem, ERR_UNSUPPORTED, E216, "an ELF file without PVH entry");
	case IMAGE_UNKNOWN:
	case IMAGE_KIND_COUNT:
		break;
	}
	return load_refuse(problem, ERR_BAD_FORMAT, E210, "neither a Linux bzImage nor a flat guest program");
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
	{E210, "E210", "correct kernel; Linux: the file that distributions call vmlinuz"},
	{E211, "E211", "the copy is not whole: copy the file again"},
	{E212, "E212", "take a 64-bit kernel of Linux 3.8 or later"},
	{E213, "E213", "raise the VM's memory"},
	{E214, "E214", "raise the VM's memory or make the initrd smaller"},
	{E215, "E215", "shorten cmdline"},
	{E216, "E216", "this version starts Linux bzImages and flat guest programs"},
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
