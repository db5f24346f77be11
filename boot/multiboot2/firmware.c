/* The memory services of boot/common/firmware.h where no firmware can be asked any more: GRUB's map and a list of claims. */
#include "abi/layout.h"
#include "boot/common/firmware.h"
#include "boot/multiboot2/multiboot2_loader.h"

#define CLAIMS_MAX 16U

struct claim {
	uint64_t base_physical;
	uint64_t length_bytes;
};

/* Set by firmware_init(); the claims by firmware_claim(). One CPU, no interrupts. */
static struct {
	const struct multiboot2_info *info;
	uint64_t reach;
	uint64_t kept_page; /* 0: none */
	struct claim claims[CLAIMS_MAX];
	unsigned claim_count;
} firmware;

void firmware_init(const struct multiboot2_info *info, uint64_t reach)
{
	firmware.info = info;
	firmware.reach = reach;
}

void firmware_keep_page(uint64_t physical)
{
	firmware.kept_page = physical;
}

enum status firmware_memory(struct memory_map *raw)
{
	uint64_t image_bytes = (uint64_t)(image_end - image_start);
	enum status status = firmware_leave(raw);

	if (status == OK)
		status = memory_map_add(raw, (uint64_t)(uintptr_t)image_start, image_bytes, MEMORY_LOADER);
	for (unsigned i = 0; i < firmware.claim_count && status == OK; i++)
		status = memory_map_add(raw, firmware.claims[i].base_physical, firmware.claims[i].length_bytes, MEMORY_LOADER);
	return status;
}

enum status firmware_claim(uint64_t base_physical, uint64_t length_bytes)
{
	if (firmware.claim_count == CLAIMS_MAX)
		return ERR_NO_MEMORY;
	firmware.claims[firmware.claim_count++] = (struct claim){base_physical, length_bytes};
	return OK;
}

uint64_t firmware_reach(void)
{
	return firmware.reach;
}

bool firmware_can_read(uint64_t physical, uint64_t length_bytes)
{
	return physical < firmware.reach && length_bytes <= firmware.reach - physical;
}

enum status firmware_leave(struct memory_map *raw)
{
	enum status status;

	raw->count = 0;
	status = multiboot2_memory(firmware.info, raw);
	if (status == OK && firmware.kept_page != 0)
		status = memory_map_add(raw, firmware.kept_page, PAGE_SIZE_BYTES, BOOT_MEMORY_ACPI_RECLAIM);
	return status;
}
