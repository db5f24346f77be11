/* The PC's ports. Owns nothing: a test of a device's code links its own in this place.
 * Source: SDM Vol. 1, "Input/Output". */
#include "boot/common/ports.h"

#include "boot/common/cpu.h"

uint8_t port_in8(uint16_t port)
{
	return in8(port);
}

void port_out8(uint16_t port, uint8_t value)
{
	out8(port, value);
}
