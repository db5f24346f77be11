/* Which image wants a flash. */
#include "lib/firmware/volume.h"
#include "tests/unit/unit.h"

static const uint8_t guid[] = {0x8d, 0x2b, 0xf1, 0xff, 0x96, 0x76, 0x8b, 0x4c, 0xa9, 0x85, 0x27, 0x47, 0x07, 0x5b, 0x4f, 0x50};

static void test_firmware_volume_for_variables_is_told_by_signature_and_guid(void **state)
{
	uint8_t image[57] = {0};

	(void)state;
	memcpy(image + 16, guid, sizeof(guid));
	assert_false(firmware_volume_keeps_variables(image, sizeof(image)));
	memcpy(image + 40, "_FVH", 4);
	assert_true(firmware_volume_keeps_variables(image, sizeof(image)));
	assert_true(firmware_volume_keeps_variables(image, 56));
	assert_false(firmware_volume_keeps_variables(image, 55));
	assert_false(firmware_volume_keeps_variables(NULL, 0));
	image[31] ^= 1; /* volumes with programs */
	assert_false(firmware_volume_keeps_variables(image, sizeof(image)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_firmware_volume_for_variables_is_told_by_signature_and_guid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
