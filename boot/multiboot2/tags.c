/* Reads the Multiboot2 information structure. Owns its layout.
 * Source: Multiboot2 Specification, "Boot information format". */
#include "boot/multiboot2/tags.h"

#include "boot/common/framebuffer.h"
#include "boot/common/uefi_memory.h"
#include "lib/base/string.h"

enum tag_type {
	TAG_END = 0,
	TAG_COMMAND_LINE = 1,
	TAG_MODULE = 3,
	TAG_MEMORY_MAP = 6,
	TAG_FRAMEBUFFER = 8,
	TAG_UEFI_64_SYSTEM_TABLE = 12,
	TAG_ACPI_OLD = 14,
	TAG_ACPI_NEW = 15,
	TAG_UEFI_MEMORY_MAP = 17,
};

struct tag_header {
	uint32_t type;
	uint32_t size_bytes; /* with this header, without the padding to 8 bytes */
};

struct structure_header {
	uint32_t total_bytes;
	uint32_t reserved;
};

struct module_header {
	uint32_t start_physical;
	uint32_t end_physical;
};

struct memory_map_header {
	uint32_t entry_bytes;
	uint32_t entry_version;
};

struct memory_map_entry {
	uint64_t base;
	uint64_t length_bytes;
	uint32_t type;
	uint32_t reserved;
};

struct framebuffer_tag {
	uint64_t address;
	uint32_t pitch_bytes;
	uint32_t width_pixels;
	uint32_t height_pixels;
	uint8_t bits_per_pixel;
	uint8_t type;
	uint16_t reserved;
	uint8_t red_position, red_bits;
	uint8_t green_position, green_bits;
	uint8_t blue_position, blue_bits;
	uint8_t padding[2];
};

#define FRAMEBUFFER_RGB       1U
#define FRAMEBUFFER_TAG_BYTES 30U /* without our padding */

_Static_assert(offsetof(struct framebuffer_tag, padding) == FRAMEBUFFER_TAG_BYTES, "framebuffer tag layout");
_Static_assert(sizeof(struct memory_map_entry) == 24, "memory map entry layout");

/* One tag of the list, and the place of the next. */
struct tag {
	uint32_t type;
	struct multiboot2_span content;
};

/* Reads the tag at *offset and moves *offset behind it. */
static enum status next_tag(const uint8_t *tags, size_t tags_bytes, size_t *offset, struct tag *tag)
{
	struct tag_header header;
	size_t left = tags_bytes - *offset;
	size_t padded;

	if (left < sizeof(header))
		return ERR_TRUNCATED;
	memcpy(&header, tags + *offset, sizeof(header));
	if (header.size_bytes < sizeof(header) || header.size_bytes > left)
		return ERR_TRUNCATED;
	tag->type = header.type;
	tag->content.bytes = tags + *offset + sizeof(header);
	tag->content.length = header.size_bytes - sizeof(header);
	padded = ((size_t)header.size_bytes + 7) & ~(size_t)7;
	*offset += padded < left ? padded : left;
	return OK;
}

static void keep_first(struct multiboot2_span *span, const struct multiboot2_span *content)
{
	if (span->bytes == NULL)
		*span = *content;
}

static void note_tag(struct multiboot2_info *info, const struct tag *tag)
{
	switch ((enum tag_type)tag->type) {
	case TAG_COMMAND_LINE:
		keep_first(&info->command_line, &tag->content);
		break;
	case TAG_MODULE:
		info->module_count++;
		break;
	case TAG_MEMORY_MAP:
		keep_first(&info->memory_map, &tag->content);
		break;
	case TAG_FRAMEBUFFER:
		keep_first(&info->framebuffer, &tag->content);
		break;
	case TAG_UEFI_64_SYSTEM_TABLE:
		if (tag->content.length >= sizeof(info->uefi_system_table))
			memcpy(&info->uefi_system_table, tag->content.bytes, sizeof(info->uefi_system_table));
		break;
	case TAG_ACPI_OLD:
		keep_first(&info->acpi_old, &tag->content);
		break;
	case TAG_ACPI_NEW:
		keep_first(&info->acpi_new, &tag->content);
		break;
	case TAG_UEFI_MEMORY_MAP:
		keep_first(&info->uefi_memory_map, &tag->content);
		break;
	case TAG_END:
		break;
	}
}

enum status multiboot2_parse(const void *structure, size_t length_bytes, struct multiboot2_info *info)
{
	struct multiboot2_info found = {.module_count = 0};
	struct structure_header header;
	struct tag tag;
	size_t offset = 0;

	if (length_bytes < sizeof(header))
		return ERR_TRUNCATED;
	memcpy(&header, structure, sizeof(header));
	if (header.total_bytes < sizeof(header) || header.total_bytes > length_bytes)
		return ERR_TRUNCATED;
	found.tags = (const uint8_t *)structure + sizeof(header);
	found.tags_bytes = header.total_bytes - sizeof(header);
	do {
		enum status status = next_tag(found.tags, found.tags_bytes, &offset, &tag);

		if (status != OK)
			return status;
		note_tag(&found, &tag);
	} while (tag.type != TAG_END);
	if (found.memory_map.bytes == NULL && found.uefi_memory_map.bytes == NULL)
		return ERR_NOT_FOUND;
	*info = found;
	return OK;
}

enum status multiboot2_module(const struct multiboot2_info *info, uint32_t index, struct multiboot2_module *module)
{
	struct module_header header;
	struct tag tag;
	size_t offset = 0;

	do {
		if (next_tag(info->tags, info->tags_bytes, &offset, &tag) != OK || tag.type == TAG_END)
			return ERR_NOT_FOUND;
	} while (tag.type != TAG_MODULE || index-- > 0);
	if (tag.content.length < sizeof(header))
		return ERR_BAD_FORMAT;
	memcpy(&header, tag.content.bytes, sizeof(header));
	if (header.end_physical < header.start_physical)
		return ERR_BAD_FORMAT;
	module->start_physical = header.start_physical;
	module->end_physical = header.end_physical;
	module->name = (const char *)tag.content.bytes + sizeof(header);
	module->name_length = strnlen(module->name, tag.content.length - sizeof(header));
	return OK;
}

enum status multiboot2_module_path(const struct multiboot2_module *module, char path[BOOT_FILE_PATH_BYTES])
{
	static const char prefix[] = "/bulkhead/";
	size_t used = 0;

	for (size_t i = 0; i < module->name_length; i++) {
		char c = module->name[i];

		if (c == '"' || c == '\'')
			continue;
		if (c == '\\' && i + 1 < module->name_length)
			c = module->name[++i];
		if (used == BOOT_FILE_PATH_BYTES - 1) {
			path[used] = '\0';
			return ERR_OVERFLOW;
		}
		path[used++] = c;
		if (used >= sizeof(prefix) - 1 && memcmp(path + used - (sizeof(prefix) - 1), prefix, sizeof(prefix) - 1) == 0)
			used = 0;
	}
	path[used] = '\0';
	return OK;
}

static uint32_t type_from_e820(uint32_t type)
{
	enum { E820_USABLE = 1, E820_ACPI = 3, E820_NVS = 4, E820_BAD = 5 };

	if (type == E820_USABLE)
		return BOOT_MEMORY_USABLE;
	if (type == E820_ACPI)
		return BOOT_MEMORY_ACPI_RECLAIM;
	if (type == E820_NVS)
		return BOOT_MEMORY_ACPI_NVS;
	return type == E820_BAD ? BOOT_MEMORY_BAD : BOOT_MEMORY_RESERVED;
}

static enum status add_memory_map(const struct multiboot2_span *span, struct memory_map *raw)
{
	struct memory_map_header header;
	struct memory_map_entry entry;

	if (span->length < sizeof(header))
		return ERR_BAD_FORMAT;
	memcpy(&header, span->bytes, sizeof(header));
	if (header.entry_bytes < sizeof(entry))
		return ERR_BAD_FORMAT;
	for (size_t at = sizeof(header); span->length - at >= header.entry_bytes; at += header.entry_bytes) {
		enum status status;

		memcpy(&entry, span->bytes + at, sizeof(entry));
		status = memory_map_add(raw, entry.base, entry.length_bytes, type_from_e820(entry.type));
		if (status != OK)
			return status;
	}
	return OK;
}

enum status multiboot2_memory(const struct multiboot2_info *info, struct memory_map *raw)
{
	const struct multiboot2_span *uefi = &info->uefi_memory_map;
	uint32_t descriptor_bytes;

	if (uefi->bytes == NULL || uefi->length < 2 * sizeof(descriptor_bytes))
		return add_memory_map(&info->memory_map, raw);
	memcpy(&descriptor_bytes, uefi->bytes, sizeof(descriptor_bytes));
	/* GRUB's own memory is free: it has ended, and what it loaded for us is in the module tags. */
	return uefi_memory_add(raw, uefi->bytes + 8, uefi->length - 8, descriptor_bytes, BOOT_MEMORY_USABLE);
}

static uint32_t channel_mask(uint8_t position, uint8_t bits)
{
	return bits > 8 || position > 24 ? 0 : ((1U << bits) - 1) << position;
}

struct boot_framebuffer multiboot2_framebuffer(const struct multiboot2_info *info)
{
	static const struct boot_framebuffer none = {.base_physical = 0};
	struct framebuffer_tag tag = {.address = 0};
	struct boot_framebuffer found;
	struct channel_masks masks;

	if (info->framebuffer.bytes == NULL || info->framebuffer.length < FRAMEBUFFER_TAG_BYTES)
		return none;
	memcpy(&tag, info->framebuffer.bytes, FRAMEBUFFER_TAG_BYTES);
	if (tag.type != FRAMEBUFFER_RGB || tag.bits_per_pixel < 15)
		return none;
	found = (struct boot_framebuffer){
		.base_physical = tag.address,
		.width_pixels = tag.width_pixels,
		.height_pixels = tag.height_pixels,
		.pitch_bytes = tag.pitch_bytes,
		.bits_per_pixel = tag.bits_per_pixel,
	};
	masks = (struct channel_masks){
		.red = channel_mask(tag.red_position, tag.red_bits),
		.green = channel_mask(tag.green_position, tag.green_bits),
		.blue = channel_mask(tag.blue_position, tag.blue_bits),
	};
	return framebuffer_set_channels(&found, &masks) == OK ? found : none;
}
