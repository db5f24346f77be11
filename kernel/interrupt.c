/* The one interrupt dispatcher. */
#include "kernel/interrupt.h"

#include "kernel/apic.h"
#include "kernel/cpu_insn.h"
#include "kernel/irq.h"
#include "kernel/log.h"
#include "kernel/panic_internal.h"
#include "kernel/percpu.h"
#include "kernel/scheduler.h"
#include "kernel/shootdown.h"
#include "kernel/timer_internal.h"
#include "kernel/trap.h"

void interrupt_from_stub(struct trap_frame *frame);

static void deal_with(uint32_t vector)
{
	if (vector >= VECTOR_DEVICE_FIRST && vector <= VECTOR_DEVICE_LAST) {
		irq_dispatch(vector);
		apic_eoi();
		return;
	}
	if (vector < VECTOR_RESCHEDULE || vector == VECTOR_APIC_SPURIOUS) {
		/* One that firmware had set up, perhaps. Spurious ones are not in service and want no EOI. */
		apic_eoi_if_in_service(vector);
		return;
	}
	apic_eoi();
	switch (vector) {
	case VECTOR_TIMER: timer_interrupt(); break;
	case VECTOR_RESCHEDULE: scheduler_take_inbox(); break;
	case VECTOR_SHOOTDOWN: shootdown_poll(); break;
	case VECTOR_APIC_ERROR: log_debug("cpu%u: local APIC error interrupt", percpu_self()->index); break;
	default: break; /* VECTOR_KICK, VECTOR_POSTED: to be in ring 0 was all */
	}
}

void interrupt_dispatch(uint32_t vector)
{
	scheduler_before_interrupt();
	deal_with(vector);
	scheduler_after_interrupt();
}

void interrupt_from_stub(struct trap_frame *frame)
{
	interrupt_dispatch((uint32_t)frame->vector & 0xff);
	if (trap_from_user(frame))
		scheduler_before_resume();
}

void kernel_nmi(void)
{
	if (panic_in_progress())
		panic_stop_this_cpu();
	/* Takes no lock: it may have come while this CPU holds any of them. */
	atomic_fetch_add_explicit(&percpu_self()->nmi_count, 1, memory_order_relaxed);
}
