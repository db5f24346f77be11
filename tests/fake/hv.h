/* A backend without hardware: registers in memory, events in a list. For tests of virt/. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "virt/hv.h"

struct fake_hv {
	uint64_t efer;
	bool paging;
	uint64_t tsc_offset;
	bool event_pending, interrupt_open, nmi_open;
	int injected_vector; /* -1: none */
	bool injected_nmi;
	enum hv_leave (*run)(struct vcpu *vcpu);
	unsigned flushes, linear_flushes, takes; /* of translations; of a CPU by a vCPU */
	bool interrupt_window, nmi_window;
	bool lends;          /* the hardware has the local APIC's interrupts */
	bool lent_pending;   /* ... of which one can be delivered */
	unsigned register_loads, register_loads_at_exception; /* set_registers(); before inject_exception() */
	unsigned exception;  /* of inject_exception() */
	unsigned apic_takes; /* ... and gave them back */
	uint32_t switched_msr; /* the last one written that the hardware switches */
	uint64_t switched_value;
	unsigned switched_resets;
	uint64_t cr0;
};

extern struct fake_hv fake_hv;
void fake_hv_reset(void);
