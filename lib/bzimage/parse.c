/* Reads and checks the setup header of a bzImage. */
#include "lib/base/string.h"
#include "lib/bzimage/bzimage.h"
#include "lib/bzimage/format.h"

#define SECTOR_BYTES          512U
#define SETUP_SECTS_WHEN_ZERO 4U

static enum status refuse(struct bzimage_problem *problem, enum status status, const char *what, uint64_t number)
{
	*problem = (struct bzimage_problem){.what = what, .number = number};
	return status;
}

static uint64_t read_le(const uint8_t *bytes, size_t offset, unsigned width)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < width; i++)
		value |= (uint64_t)bytes[offset + i] << (8 * i);
	return value;
}

/* Is it a bzImage of a version whose fields can be read? */
static enum status check_kind(const uint8_t *bytes, size_t readable_bytes, size_t whole_bytes,
			      struct bzimage_problem *problem)
{
	uint64_t version;

	if (readable_bytes < SETUP_VERSION + 2 || read_le(bytes, SETUP_BOOT_FLAG, 2) != SETUP_BOOT_FLAG_VALUE ||
	    read_le(bytes, SETUP_MAGIC, 4) != SETUP_MAGIC_VALUE)
		return refuse(problem, ERR_BAD_FORMAT, "not a Linux bzImage", whole_bytes);
	version = read_le(bytes, SETUP_VERSION, 2);
	if (version < SETUP_VERSION_NEEDED)
		return refuse(problem, ERR_UNSUPPORTED, "Linux kernel too old: boot protocol below 2.10", version);
	if (readable_bytes < SETUP_NEEDED_END)
		return refuse(problem, ERR_TRUNCATED, "file ends inside the setup header", whole_bytes);
	if ((read_le(bytes, SETUP_LOADFLAGS, 1) & LOADFLAGS_LOADED_HIGH) == 0)
		return refuse(problem, ERR_UNSUPPORTED, "a zImage, which starts in 16-bit mode below 1 MiB",
			      read_le(bytes, SETUP_LOADFLAGS, 1));
	return OK;
}

/* xloadflags came with version 2.12; before, that field is padding. */
static uint16_t load_flags(const uint8_t *bytes)
{
	return read_le(bytes, SETUP_VERSION, 2) < SETUP_VERSION_XLOADFLAGS ? 0 : (uint16_t)read_le(bytes, SETUP_XLOADFLAGS, 2);
}

/* Finds header and code in the file. A code part up to 15 bytes shorter than its header's 16-byte units is whole. */
static enum status find_parts(struct bzimage *image, size_t readable_bytes, size_t whole_bytes,
			      struct bzimage_problem *problem)
{
	uint64_t sectors = read_le(image->bytes, SETUP_SECTS, 1);
	uint64_t claimed_bytes = read_le(image->bytes, SETUP_SYSSIZE, 4) * 16;
	size_t header_end = SETUP_JUMP_END + image->bytes[SETUP_JUMP_LENGTH];

	if (header_end < SETUP_NEEDED_END)
		return refuse(problem, ERR_INVALID, "setup header too short: ends at", header_end);
	if (header_end > SETUP_HEADER_LIMIT)
		header_end = SETUP_HEADER_LIMIT;
	image->header_bytes = header_end - SETUP_HEADER_START;
	image->code_offset = ((sectors == 0 ? SETUP_SECTS_WHEN_ZERO : sectors) + 1) * SECTOR_BYTES;
	if (header_end > readable_bytes || image->code_offset >= whole_bytes)
		return refuse(problem, ERR_TRUNCATED, "file ends inside its setup part", whole_bytes);
	image->code_bytes = whole_bytes - image->code_offset;
	if (image->code_bytes + 15 < claimed_bytes)
		return refuse(problem, ERR_TRUNCATED, "file is shorter than its header says: bytes needed",
			      image->code_offset + claimed_bytes);
	image->has_64_bit_entry = (load_flags(image->bytes) & XLF_KERNEL_64) != 0;
	if (image->has_64_bit_entry && image->code_bytes <= ENTRY_64_OFFSET)
		return refuse(problem, ERR_TRUNCATED, "file ends before its 64-bit entry", whole_bytes);
	return OK;
}

enum status bzimage_parse(const void *image, size_t readable_bytes, size_t whole_bytes, struct bzimage *out,
			  struct bzimage_problem *problem)
{
	struct bzimage found = {.bytes = image};
	enum status status = check_kind(found.bytes, readable_bytes, whole_bytes, problem);

	if (status == OK)
		status = find_parts(&found, readable_bytes, whole_bytes, problem);
	if (status != OK)
		return status;
	found.version = (uint16_t)read_le(found.bytes, SETUP_VERSION, 2);
	found.relocatable = found.bytes[SETUP_RELOCATABLE] != 0;
	found.above_4g = (load_flags(found.bytes) & XLF_CAN_BE_LOADED_ABOVE_4G) != 0;
	found.preferred_address = read_le(found.bytes, SETUP_PREF_ADDRESS, 8);
	found.alignment = read_le(found.bytes, SETUP_KERNEL_ALIGNMENT, 4);
	found.init_bytes = read_le(found.bytes, SETUP_INIT_SIZE, 4);
	found.initrd_last = read_le(found.bytes, SETUP_INITRD_ADDR_MAX, 4);
	found.command_line_max = read_le(found.bytes, SETUP_CMDLINE_SIZE, 4);
	if (found.alignment == 0 || (found.alignment & (found.alignment - 1)) != 0)
		return refuse(problem, ERR_INVALID, "kernel alignment is no power of two", found.alignment);
	if (found.preferred_address % found.alignment != 0)
		return refuse(problem, ERR_INVALID, "preferred address is not aligned", found.preferred_address);
	*out = found;
	return OK;
}
