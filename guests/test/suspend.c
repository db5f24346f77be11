/* Sleeps in S3 until the clock's alarm of the next second, and ends with a code that tells how it woke: 16-bit code at A003h
 * reads PM1 status from bit 10 on, where 1 is the alarm and 20h "slept", adds its CS, and writes the sum to port F4h. */
#include "guests/flat/cpu.h"
#include "guests/flat/flat.h"

#define RSDP        0xe0000UL
#define PM1_ENABLE  0x602U
#define PM1_CONTROL 0x604U
#define RTC_EN      0x400U
#define SLEEP       0x2400U /* SLP_EN, type 1 */
#define WAKE_AT     0xa003UL
#define WORD(place) (*(volatile uint32_t *)(place))

static const uint8_t wake_code[] = {
	0xba, 0x00, 0x06, /* mov dx, 600h */
	0xed,             /* in ax, dx */
	0xc1, 0xe8, 0x0a, /* shr ax, 10 */
	0x8c, 0xcb,       /* mov bx, cs */
	0x01, 0xd8,       /* add ax, bx */
	0xba, 0xf4, 0x00, /* mov dx, 0f4h */
	0xef,             /* out dx, ax */
	0xf4,             /* hlt */
};

static uint64_t facs(void)
{
	uint64_t rsdt = WORD(RSDP + 16);

	for (uint64_t entry = rsdt + 36; entry < rsdt + WORD(rsdt + 4); entry += 4) {
		if (WORD((uint64_t)WORD(entry)) == 0x50434146) /* "FACP" */
			return WORD((uint64_t)WORD(entry) + 36);
	}
	return 0;
}

static void cmos_write(uint8_t index, uint8_t value)
{
	out8(0x70, index);
	out8(0x71, value);
}

static void set_alarm_every_second(void)
{
	for (uint8_t index = 1; index <= 5; index += 2)
		cmos_write(index, 0xc0);
	out8(0x70, 0x0b);
	cmos_write(0x0b, (uint8_t)(in8(0x71) | 0x20));
	out8(0x70, 0x0c);
	(void)in8(0x71);
}

void guest_main(const struct guest_flat_info *info)
{
	(void)info;
	for (unsigned i = 0; i < sizeof(wake_code); i++)
		((volatile uint8_t *)WAKE_AT)[i] = wake_code[i];
	WORD(facs() + 12) = WAKE_AT;
	out16(PM1_ENABLE, RTC_EN);
	set_alarm_every_second();
	out16(PM1_CONTROL, SLEEP);
	print("TEST-FAIL goes on behind its sleep\n");
}
