/* Any bytes as a bzImage, in a memory map that the first bytes choose; what is placed must lie in free memory, apart. */
#include <stdlib.h>
#include <string.h>

#include "lib/bzimage/bzimage.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool inside_one(const struct bzimage_range ranges[2], uint64_t base, uint64_t len)
{
	for (int i = 0; i < 2; i++) {
		if (base >= ranges[i].base && base - ranges[i].base <= ranges[i].length_bytes &&
		    len <= ranges[i].length_bytes - (base - ranges[i].base))
			return true;
	}
	return false;
}

static bool apart(uint64_t a, uint64_t a_len, uint64_t b, uint64_t b_len)
{
	return a + a_len <= b || b + b_len <= a;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t page[BZIMAGE_BOOT_PARAMS_BYTES];
	struct bzimage_range ranges[2] = {{0, 0xa0000}, {0x100000, 0}};
	struct bzimage image;
	struct bzimage_plan plan;
	struct bzimage_problem problem;
	uint64_t initrd_bytes;

	if (size < 8)
		return 0;
	ranges[1].length_bytes = (uint64_t)(data[0] | data[1] << 8) << 17;
	initrd_bytes = (uint64_t)(data[2] | data[3] << 8 | data[4] << 16) << 4;
	if (bzimage_parse(data + 8, size - 8, size - 8 + ((size_t)data[5] << 16), &image, &problem) != OK ||
	    bzimage_place(&image, ranges, 2, data[6] + 1U, initrd_bytes, &plan, &problem) != OK)
		return 0;
	if (!inside_one(ranges, plan.kernel, plan.kernel_bytes) || !inside_one(ranges, plan.boot_params, 9 * 4096) ||
	    (initrd_bytes != 0 && !inside_one(ranges, plan.initrd, initrd_bytes)) ||
	    !apart(plan.kernel, plan.kernel_bytes, plan.boot_params, 9 * 4096) ||
	    (initrd_bytes != 0 && !apart(plan.kernel, plan.kernel_bytes, plan.initrd, initrd_bytes)))
		abort();
	if (bzimage_fill_boot_params(&image, &plan, NULL, 0, 0, page) != OK)
		abort();
	return 0;
}
