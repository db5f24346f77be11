/* Reads the CMOS clock's ports. What the bytes mean is boot/common/wall_clock.c.
 * Source: Intel 300/400 Series PCH datasheets, "RTC Indexed Registers". */
#include <stdbool.h>

#include "boot/common/cpu.h"
#include "boot/common/wall_clock.h"
#include "boot/multiboot2/multiboot2_loader.h"
#include "lib/base/string.h"

#define CMOS_INDEX            0x70U
#define CMOS_DATA             0x71U
#define CMOS_SECOND           0U
#define CMOS_MINUTE           2U
#define CMOS_HOUR             4U
#define CMOS_DAY              7U
#define CMOS_MONTH            8U
#define CMOS_YEAR             9U
#define CMOS_STATUS_A         10U
#define CMOS_STATUS_B         11U
#define CMOS_STATUS_A_UPDATE  0x80U
#define UPDATE_POLLS          100000U /* an update takes 2 ms at most; one port access about 1 us */
#define READ_TRIES            10U

static uint8_t cmos_read(uint8_t index)
{
	out8(CMOS_INDEX, index);
	return in8(CMOS_DATA);
}

static bool wait_for_update(void)
{
	for (unsigned i = 0; i < UPDATE_POLLS; i++) {
		if (!(cmos_read(CMOS_STATUS_A) & CMOS_STATUS_A_UPDATE))
			return true;
	}
	return false;
}

static struct cmos_time read_once(void)
{
	return (struct cmos_time){
		.second = cmos_read(CMOS_SECOND),
		.minute = cmos_read(CMOS_MINUTE),
		.hour = cmos_read(CMOS_HOUR),
		.day = cmos_read(CMOS_DAY),
		.month = cmos_read(CMOS_MONTH),
		.year = cmos_read(CMOS_YEAR),
		.status_b = cmos_read(CMOS_STATUS_B),
	};
}

/* Two equal readings, both begun outside an update: then none of them was torn by one. */
int64_t rtc_wall_clock(void)
{
	for (unsigned i = 0; i < READ_TRIES; i++) {
		struct cmos_time first, second;

		if (!wait_for_update())
			return WALL_CLOCK_UNKNOWN;
		first = read_once();
		if (!wait_for_update())
			return WALL_CLOCK_UNKNOWN;
		second = read_once();
		if (memcmp(&first, &second, sizeof(first)) == 0)
			return wall_clock_from_cmos(&first);
	}
	return WALL_CLOCK_UNKNOWN;
}
