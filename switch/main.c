/* The switch program: turns of switch.c, and the system calls that they need. */
#include "switch/switch.h"

#include "abi/syscall.h"
#include "lib/base/error_codes.h"
#include "user/calls.h"
#include "user/clock.h"
#include "user/log.h"
#include "user/program.h"

/* The program is its state; large, so not on the stack. */
static struct switch_state state;
static uint64_t told_closed;

static void wake_peers(const struct switch_spec *spec)
{
	for (uint32_t i = 0; i < spec->port_count; i++) {
		if (switch_take_wake(&state, i))
			sys_event_signal(spec->ports[i].peer_event, spec->ports[i].peer_bits);
	}
}

static void log_closed(const struct switch_spec *spec, uint32_t port)
{
	char line[SWITCH_LINE_BYTES];

	switch_closed_line(spec, port, line, sizeof(line));
	log_print("%s", line);
}

static void tell_closed(const struct switch_spec *spec)
{
	uint64_t closed = state.report->closed_ports;

	for (uint32_t i = 0; closed != told_closed && i < spec->port_count; i++) {
		if (((closed & ~told_closed) >> i & 1) != 0)
			log_closed(spec, i);
	}
	told_closed = closed;
}

static uint64_t deadline_ticks(void)
{
	return state.deadline_ns == SWITCH_NO_DEADLINE ? DEADLINE_NEVER
						       : time_ticks(state.deadline_ns, program_info()->tsc_hz);
}

static void serve(const struct switch_spec *spec)
{
	for (;;) {
		uint64_t bits;
		bool has_more = switch_turn(&state, clock_now_ns());

		wake_peers(spec);
		tell_closed(spec);
		/* The bits say who signalled; a turn looks at all. */
		if (!has_more && sys_event_wait(spec->own_event, deadline_ticks(), &bits) == ERR_BAD_HANDLE)
			return;
	}
}

int program_main(uint64_t argument)
{
	const struct switch_spec *spec = (const struct switch_spec *)(uintptr_t)argument;

	if (switch_init(&state, spec, (struct switch_report *)(uintptr_t)spec->report_address, clock_now_ns()) != OK) {
		log_print("E640 switch: manager and switch are of different releases; copy both from the same one");
		return 1;
	}
	/* Ports that an earlier instance closed are open again: what is in their channels is looked at anew. */
	state.report->closed_ports = 0;
	if (state.report->starts++ > 0)
		switch_begin_anew(&state);
	serve(spec);
	return 1;
}
