/* The bytes that software still reads. 0Fh, the shutdown status, stays 0: a reset is a usual one. */
#include "vmm/cmos.h"

#include "vmm/memory_map.h"

#define KIB           1024ULL
#define MIB           (1024 * KIB)
#define UNIT_64K      (64 * KIB)
#define BASE_KIB      640U
#define EQUIPMENT_FPU 0x02U /* no floppy, no display adapter of its own */

enum cmos_byte {
	CMOS_EQUIPMENT = 0x14,
	CMOS_BASE_KIB = 0x15,           /* 16 bits */
	CMOS_EXTENDED_KIB = 0x17,       /* 16 bits: from 1 MiB on */
	CMOS_CHECKSUM = 0x2e,           /* 16 bits, the upper half first: sum of 10h to 2Dh */
	CMOS_EXTENDED_KIB_AGAIN = 0x30, /* as the power-on test found it */
	CMOS_ABOVE_16M = 0x34,          /* 16 bits, in 64 KiB */
	CMOS_ABOVE_4G = 0x5b,           /* 24 bits, in 64 KiB */
	CMOS_FURTHER_CPUS = 0x5f,
};
#define CHECKED_FIRST 0x10U
#define CHECKED_LAST  0x2dU

static void put(struct rtc_cmos *rtc, unsigned index, uint64_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		rtc_cmos_preset(rtc, (uint8_t)(index + i), (uint8_t)(value >> i * 8));
}

/* What lies in [from, to) in units; most where it is more. */
static uint64_t units_between(uint64_t from, uint64_t to, uint64_t unit, uint64_t most)
{
	uint64_t units = to > from ? (to - from) / unit : 0;

	return units < most ? units : most;
}

static void put_checksum(struct rtc_cmos *rtc)
{
	uint16_t sum = 0;

	for (unsigned index = CHECKED_FIRST; index <= CHECKED_LAST; index++)
		sum = (uint16_t)(sum + rtc->state.bytes[index]);
	rtc_cmos_preset(rtc, CMOS_CHECKSUM, (uint8_t)(sum >> 8));
	rtc_cmos_preset(rtc, CMOS_CHECKSUM + 1, (uint8_t)sum);
}

void cmos_fill(struct rtc_cmos *rtc, uint64_t memory_bytes, uint32_t vcpu_count)
{
	uint64_t low_end = memory_map_low_end(memory_bytes);
	uint64_t extended_kib = units_between(MIB, low_end, KIB, UINT16_MAX);

	put(rtc, CMOS_EQUIPMENT, EQUIPMENT_FPU, 1);
	put(rtc, CMOS_BASE_KIB, BASE_KIB, 2);
	put(rtc, CMOS_EXTENDED_KIB, extended_kib, 2);
	put(rtc, CMOS_EXTENDED_KIB_AGAIN, extended_kib, 2);
	put(rtc, CMOS_ABOVE_16M, units_between(16 * MIB, low_end, UNIT_64K, UINT16_MAX), 2);
	put(rtc, CMOS_ABOVE_4G, units_between(low_end, memory_bytes, UNIT_64K, 0xffffff), 3);
	put(rtc, CMOS_FURTHER_CPUS, vcpu_count - 1, 1);
	put_checksum(rtc);
}
