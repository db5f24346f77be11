/* Numbers of 128 bits, without the compiler's run-time library. Pure. */
#pragma once
#include <stdint.h>

struct wide {
	uint64_t low, high;
};

struct wide wide_multiply(uint64_t a, uint64_t b);
struct wide wide_multiply_signed(uint64_t a, uint64_t b);
struct wide wide_negated(struct wide value);

/* Quotient in low, remainder in high. value.high < divisor: the quotient fits. */
struct wide wide_divide(struct wide value, uint64_t divisor);
