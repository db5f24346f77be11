/* What ring 0 keeps of struct boot_info after boot. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct boot_info;

extern const struct boot_info *boot_info; /* constant after kernel_main() took it over; lies in the boot heap */

/* True when no byte of the span is RAM that ring 0 or programs may own: device registers, firmware tables. */
bool boot_state_is_device(uint64_t physical, uint64_t len_bytes);
