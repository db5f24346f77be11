/* The kernel's file. Owns the loader's demands on it beyond those of lib/elf. */
#include "boot/common/kernel_image.h"

#include "abi/boot_info.h"
#include "abi/layout.h"
#include "lib/base/string.h"

static enum status refuse(struct kernel_refusal *refusal, enum status status, enum error_code code, const char *what,
			  uint64_t number)
{
	*refusal = (struct kernel_refusal){.code = code, .what = what, .number = number};
	return status;
}

static enum status check_version(const void *file, size_t size_bytes, struct kernel_refusal *refusal)
{
	const void *descriptor;
	size_t descriptor_bytes;
	uint32_t version;
	enum status status =
		elf_find_note(file, size_bytes, BOOT_NOTE_NAME, BOOT_NOTE_TYPE, &descriptor, &descriptor_bytes);

	if (status == ERR_NOT_FOUND)
		return refuse(refusal, ERR_BAD_FORMAT, E502, "no note of a Bulkhead kernel in a file of bytes", size_bytes);
	if (status != OK)
		return refuse(refusal, ERR_BAD_FORMAT, E502, "no sound ELF headers in a file of bytes", size_bytes);
	if (descriptor_bytes != sizeof(version))
		return refuse(refusal, ERR_BAD_FORMAT, E502, "version note has bytes", descriptor_bytes);
	memcpy(&version, descriptor, sizeof(version));
	if (version != BOOT_INFO_VERSION)
		return refuse(refusal, ERR_UNSUPPORTED, E503, "version", version);
	return OK;
}

enum status kernel_image_open(const void *file, size_t size_bytes, struct kernel_image *image,
			      struct kernel_refusal *refusal)
{
	struct elf_image elf;
	struct elf_problem problem;
	enum status status = check_version(file, size_bytes, refusal);

	if (status != OK)
		return status;
	if (elf_parse(file, size_bytes, &elf, &problem) != OK)
		return refuse(refusal, ERR_BAD_FORMAT, E502, problem.what, problem.number);
	if (!elf.position_independent)
		return refuse(refusal, ERR_BAD_FORMAT, E502, "not position-independent: entry", elf.entry);
	if (elf.lowest_address > KERNEL_BYTES_MAX || elf.span_bytes > KERNEL_BYTES_MAX - elf.lowest_address)
		return refuse(refusal, ERR_BAD_FORMAT, E502, "too large in memory: bytes", elf.span_bytes);
	*image = (struct kernel_image){.elf = elf, .length_bytes = elf.lowest_address + elf.span_bytes};
	return OK;
}

enum status kernel_image_load(const struct kernel_image *image, void *memory, uint64_t base_virtual,
			      struct kernel_refusal *refusal)
{
	const struct elf_image *elf = &image->elf;
	uint8_t *lowest = (uint8_t *)memory + elf->lowest_address;
	struct elf_problem problem;

	memset(memory, 0, elf->lowest_address);
	if (elf_copy(elf, lowest, elf->span_bytes) != OK)
		return refuse(refusal, ERR_BAD_FORMAT, E502, "does not fit the memory it asked for: bytes", elf->span_bytes);
	if (elf_relocate(elf, lowest, elf->span_bytes, base_virtual, &problem) != OK)
		return refuse(refusal, ERR_BAD_FORMAT, E502, problem.what, problem.number);
	return OK;
}

enum status kernel_image_map(const struct kernel_image *image, const struct placement *placement, struct page_tables *tables)
{
	for (unsigned i = 0; i < image->elf.segment_count; i++) {
		const struct elf_segment *segment = &image->elf.segments[i];
		uint64_t length_bytes = (segment->memory_bytes + PAGE_SIZE_BYTES - 1) & ~(PAGE_SIZE_BYTES - 1);
		uint64_t rights = (segment->writable ? PTE_WRITABLE : 0) | (segment->executable ? 0 : PTE_NO_EXECUTE);
		enum status status = page_tables_map(tables, placement->kernel_virtual + segment->virtual_address,
						     placement->kernel_physical + segment->virtual_address, length_bytes,
						     PAGE_SIZE_BYTES, rights);

		if (status != OK)
			return status;
	}
	return OK;
}
