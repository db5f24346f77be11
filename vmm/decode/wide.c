/* Products and quotients of 128 bits. */
#include "vmm/decode/wide.h"

#include <stdbool.h>

struct wide wide_multiply(uint64_t a, uint64_t b)
{
	uint64_t low = (uint32_t)a * (uint64_t)(uint32_t)b;
	uint64_t middle = (a >> 32) * (uint32_t)b + (low >> 32);
	uint64_t cross = (uint32_t)a * (b >> 32) + (uint32_t)middle;

	return (struct wide){.low = cross << 32 | (uint32_t)low, .high = (a >> 32) * (b >> 32) + (middle >> 32) + (cross >> 32)};
}

struct wide wide_multiply_signed(uint64_t a, uint64_t b)
{
	struct wide product = wide_multiply(a, b);

	product.high -= (a >> 63 != 0 ? b : 0) + (b >> 63 != 0 ? a : 0);
	return product;
}

struct wide wide_negated(struct wide value)
{
	return (struct wide){.low = 0 - value.low, .high = ~value.high + (value.low == 0 ? 1 : 0)};
}

/* One bit a step. */
struct wide wide_divide(struct wide value, uint64_t divisor)
{
	uint64_t low = value.low, high = value.high;

	for (unsigned i = 0; i < 64; i++) {
		bool carries = high >> 63 != 0;

		high = high << 1 | low >> 63;
		low <<= 1;
		if (carries || high >= divisor) {
			high -= divisor;
			low |= 1;
		}
	}
	return (struct wide){.low = low, .high = high};
}
