/* Parts of a CPU as fixed-point numbers. */
#include "lib/schedule/share.h"

#include "lib/base/format.h"

/* The quotient's bits come in two steps: budget_ns < 2^30, so no step exceeds 64 bits. */
#define FIRST_BITS  28
#define SECOND_BITS 27

#define PERCENT_UNITS 1000000U /* of a CPU: a ten-thousandth of a percent */
#define UNITS_PERCENT 10000U

_Static_assert(SHARE_BITS == FIRST_BITS + SECOND_BITS, "all bits of the quotient");

uint64_t share_of(uint64_t budget_ns, uint64_t period_ns)
{
	uint64_t first = (budget_ns << FIRST_BITS) / period_ns;
	uint64_t rest = (budget_ns << FIRST_BITS) % period_ns;

	return first << SECOND_BITS | (rest << SECOND_BITS) / period_ns;
}

static const char *format_units(uint64_t units, char out[SHARE_TEXT_BYTES])
{
	uint64_t decimals = units % UNITS_PERCENT;
	size_t len = format_text(out, SHARE_TEXT_BYTES, "%llu", (unsigned long long)(units / UNITS_PERCENT));

	if (decimals == 0)
		return out;
	len += format_text(out + len, SHARE_TEXT_BYTES - len, ".%04u", (unsigned)decimals);
	while (out[len - 1] == '0')
		out[--len] = '\0';
	return out;
}

const char *share_format_up(uint64_t share, char out[SHARE_TEXT_BYTES])
{
	return format_units((uint64_t)(((unsigned __int128)share * PERCENT_UNITS + SHARE_WHOLE - 1) >> SHARE_BITS), out);
}

const char *share_format_down(uint64_t share, char out[SHARE_TEXT_BYTES])
{
	return format_units((uint64_t)((unsigned __int128)share * PERCENT_UNITS >> SHARE_BITS), out);
}
