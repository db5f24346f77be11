/* Powers itself off by ACPI's S5. */
#include "guests/flat/flat.h"

void guest_main(const struct guest_flat_info *info)
{
	(void)info;
	print("power_off: now\n");
	flat_power_off();
}
