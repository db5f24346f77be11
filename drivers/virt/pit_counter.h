/* One counter of the Intel 82C54, as a function of its clock: the count and the output at a tick are computed from the
 * tick at which the count was loaded, so that nothing runs between accesses. All functions are pure but for *counter.
 *
 * Every call passes the present tick, never going back; pit_counter_sync() comes first.
 *
 * Ticks begin at PIT_FIRST_TICK or later, so that what is computed backwards from one is not before 0.
 *
 * Source: Intel, "82C54 CHMOS Programmable Interval Timer", "Mode Definitions" and "Read Operations". */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define PIT_NO_TICK    UINT64_MAX
#define PIT_FIRST_TICK 65536U

struct pit_counter {
	uint64_t start_tick;  /* while running: the count in force was loaded here */
	uint64_t held_ticks;  /* while not: how far it had come */
	uint64_t switch_tick; /* modes 2 and 3: reload comes into force here; PIT_NO_TICK: with the gate's rise; 0: it is */
	uint32_t period;      /* the count in force, 1 to 65536 */
	uint32_t reload;      /* as last written; 0: none since the control word */
	uint8_t mode;         /* 0 to 5 */
	uint8_t access;       /* PIT_ACCESS_ */
	bool bcd;
	bool gate;
	bool loaded; /* a count was loaded, or in modes 1 and 5 triggered */
	bool running;
	bool write_high_next;
	bool read_high_next;
	bool count_latched;
	bool status_latched;
	uint8_t written_low;
	uint8_t latched_status;
	uint16_t latched_count;
};

#define PIT_ACCESS_LOW  1
#define PIT_ACCESS_HIGH 2
#define PIT_ACCESS_BOTH 3

/* Brings a count that waits for the end of its period into force. */
void pit_counter_sync(struct pit_counter *counter, uint64_t tick);

/* A control word: mode, access, BCD as in its lower six bits (access is not 0: that is the latch command). */
void pit_counter_control(struct pit_counter *counter, uint8_t word);

/* One byte of a count, in the order that the access mode says. */
void pit_counter_write(struct pit_counter *counter, uint8_t byte, uint64_t tick);

/* The next byte: of a latched status, else of a latched count, else of the present count. */
uint8_t pit_counter_read(struct pit_counter *counter, uint64_t tick);

/* The latch commands; repeated ones are ignored until what was latched is read. */
void pit_counter_latch_count(struct pit_counter *counter, uint64_t tick);
void pit_counter_latch_status(struct pit_counter *counter, uint64_t tick);

void pit_counter_set_gate(struct pit_counter *counter, bool gate, uint64_t tick);

/* Level of OUT. */
bool pit_counter_output(const struct pit_counter *counter, uint64_t tick);

/* The first tick after `tick` at which OUT rises by counting alone; PIT_NO_TICK for never. */
uint64_t pit_counter_next_rise(const struct pit_counter *counter, uint64_t tick);
