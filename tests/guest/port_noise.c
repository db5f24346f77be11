/* Does anything break when every port is read and written in every width? Ports that end or reset the VM are left out, and those of
 * COM1, which tells the answer. */
#include "tests/guest/lib/question.h"

#define PORTS  0x10000U
#define NOBODY 0x300U

static const struct {
	uint32_t first, last;
} left_out[] = {
	{0x60, 0x64}, {0x92, 0x92}, {0xcf9, 0xcf9}, {0xf4, 0xf4}, {0x3f8, 0x3ff}, {0x600, 0x60f}, {0xb2, 0xb3},
};

static uint32_t noise = 1;

static uint32_t next_noise(void)
{
	noise ^= noise << 13;
	noise ^= noise >> 17;
	noise ^= noise << 5;
	return noise;
}

/* A wide access reaches the ports behind, too. */
static bool is_left_out(uint32_t port)
{
	for (unsigned i = 0; i < sizeof(left_out) / sizeof(left_out[0]); i++) {
		if (port + 3 >= left_out[i].first && port <= left_out[i].last)
			return true;
	}
	return false;
}

static uint32_t read(uint16_t port, unsigned width)
{
	uint32_t value = 0;

	if (width == 1)
		__asm__ volatile("inb %1, %b0" : "+a"(value) : "d"(port));
	else if (width == 2)
		__asm__ volatile("inw %1, %w0" : "+a"(value) : "d"(port));
	else
		__asm__ volatile("inl %1, %0" : "+a"(value) : "d"(port));
	return value;
}

static void write(uint16_t port, unsigned width, uint32_t value)
{
	if (width == 1)
		__asm__ volatile("outb %b0, %1" : : "a"(value), "d"(port));
	else if (width == 2)
		__asm__ volatile("outw %w0, %1" : : "a"(value), "d"(port));
	else
		__asm__ volatile("outl %0, %1" : : "a"(value), "d"(port));
}

void question(const struct guest_flat_info *info)
{
	uint32_t seen = 0;

	(void)info;
	expect("a port of nobody, 8 bits", read(NOBODY, 1), 0xff);
	expect("a port of nobody, 16 bits", read(NOBODY + 1, 2), 0xffff);
	expect("a port of nobody, 32 bits", read(NOBODY + 3, 4), UINT32_MAX);
	for (uint32_t port = 0; port < PORTS; port++)
		for (unsigned width = 1; width <= 4; width *= 2)
			seen += read((uint16_t)port, width);
	expect("every port was read", seen != 0, true);
	for (uint32_t port = 0; port < PORTS; port++)
		for (unsigned width = 1; width <= 4 && !is_left_out(port); width *= 2)
			write((uint16_t)port, width, next_noise());
	for (uint32_t i = 0; i < PORTS; i++) {
		uint32_t port = next_noise() % 0x800;

		if (!is_left_out(port))
			write((uint16_t)port, 1U << next_noise() % 3, next_noise());
	}
	expect("the last port, 32 bits", read(0xffff, 4) != 0x12345678, true);
	expect("still here", true, true);
}
