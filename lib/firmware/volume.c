/* Looks at the header only: what is behind it is the firmware's own. */
#include "lib/firmware/volume.h"

#include <stdint.h>

#include "lib/base/string.h"

#define GUID_OFFSET      16U
#define SIGNATURE_OFFSET 40U
#define HEADER_BYTES     56U
#define GUID_BYTES       16U

/* FFF12B8D-7696-4C8B-A985-2747075B4F50 as it lies in memory. */
static const uint8_t variables_guid[GUID_BYTES] = {0x8d, 0x2b, 0xf1, 0xff, 0x96, 0x76, 0x8b, 0x4c,
						   0xa9, 0x85, 0x27, 0x47, 0x07, 0x5b, 0x4f, 0x50};

bool firmware_volume_keeps_variables(const void *image, size_t size_bytes)
{
	const uint8_t *header = image;

	return size_bytes >= HEADER_BYTES && memcmp(header + SIGNATURE_OFFSET, "_FVH", 4) == 0 &&
	       memcmp(header + GUID_OFFSET, variables_guid, GUID_BYTES) == 0;
}
