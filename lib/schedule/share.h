/* Parts of a CPU as fixed-point numbers, so that sums of budgets over different periods are compared without rounding that matters:
 * a reservation is rounded down by less than 2^-55 of a CPU, so 4096 of them are wrong by less than one tick in ten minutes. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define SHARE_BITS       55
#define SHARE_WHOLE      (UINT64_C(1) << SHARE_BITS) /* a whole CPU; sums of up to 511 CPUs fit */
#define SHARE_TEXT_BYTES 16U

/* budget_ns of each period_ns, which are at most a second; budget_ns <= period_ns, period_ns > 0. Context: pure. */
uint64_t share_of(uint64_t budget_ns, uint64_t period_ns);

/* Percent of a CPU, "60" or "33.3334", with at most four decimals: rounded up for what is wanted, down for what is left, so that
 * a message never shows numbers that would fit where they do not. Returns out. */
const char *share_format_up(uint64_t share, char out[SHARE_TEXT_BYTES]);
const char *share_format_down(uint64_t share, char out[SHARE_TEXT_BYTES]);
