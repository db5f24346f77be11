/* What a PC's firmware leaves in the CMOS RAM: memory sizes, equipment, the number of CPUs, the checksum, at the places that
 * the AT and its successors made usual. Boot loaders, memory testers and SeaBIOS read them there. Pure.
 * Source: Phoenix, "System BIOS for IBM PCs, Compatibles, and EISA Computers", "CMOS RAM Data"; SeaBIOS, "Memory Map" and
 * its register names for the bytes from 30h on. */
#pragma once
#include <stdint.h>

#include "drivers/virt/rtc_cmos.h"

/* memory_bytes: as memory_map_make() takes it. vcpu_count: from 1. */
void cmos_fill(struct rtc_cmos *rtc, uint64_t memory_bytes, uint32_t vcpu_count);
