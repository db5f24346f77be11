/* The thread looks for an event from time to time, and in between lets the kernel look whether the VM still runs. */
#include "vmm/sleep.h"

#include "user/calls.h"
#include "user/clock.h"
#include "vmm/firmware.h"
#include "vmm/vcpu_thread.h"

#define LOOKS_EVERY_MS     10U
#define FACS_WAKING_VECTOR 12U
#define REAL_MODE_END      0x100000U
#define PARAGRAPH_BYTES    16U
#define ALL_GROUPS         (VCPU_GROUP_GENERAL | VCPU_GROUP_SYSTEM | VCPU_GROUP_SEGMENTS)

static bool is_asked_for(struct machine *machine)
{
	bool asked;

	lock_acquire(&machine->locks[LOCK_PM]);
	asked = acpi_pm_asks_for_s3(&machine->pm);
	lock_release(&machine->locks[LOCK_PM]);
	return asked;
}

static bool wakes(struct machine *machine)
{
	bool rtc_interrupt, woken;

	lock_acquire(&machine->locks[LOCK_RTC]);
	rtc_interrupt = machine->rtc.state.irq_level;
	lock_release(&machine->locks[LOCK_RTC]);
	lock_acquire(&machine->locks[LOCK_PM]);
	woken = acpi_pm_try_wake(&machine->pm, rtc_interrupt);
	lock_release(&machine->locks[LOCK_PM]);
	if (irq_relay_has_changes(&machine->relay))
		machine_drain_lines(machine);
	return woken;
}

static void wait_a_while(struct machine_vcpu *vcpu)
{
	uint64_t bits;

	if (vcpu->sleep_event == HANDLE_NONE &&
	    sys_event_create(vcpu->machine->spec->handles.pool, &vcpu->sleep_event) != OK)
		sys_thread_yield();
	else if (sys_event_wait(vcpu->sleep_event, clock_deadline_in_ms(LOOKS_EVERY_MS), &bits) != OK)
		return; /* as always: nobody signals it */
}

/* "CS:IP": the vector is a physical address below 1 MiB. */
static void go_on_at_the_vector(struct machine_vcpu *vcpu)
{
	struct vcpu_registers registers = firmware_registers;
	gpa_t place = gpa(vcpu->machine->facs_physical + FACS_WAKING_VECTOR);
	uint32_t vector = 0;

	if (gmem_read(&vcpu->machine->gmem, place, &vector, sizeof(vector)) != OK || vector == 0 || vector >= REAL_MODE_END) {
		vcpu->reply->action = VCPU_REPLY_STOP;
		vcpu->reply->value = VCPU_STOP_RESET;
		return;
	}
	registers.rip = vector % PARAGRAPH_BYTES;
	registers.cs.base = vector - vector % PARAGRAPH_BYTES;
	registers.cs.selector = (uint16_t)(vector / PARAGRAPH_BYTES);
	vcpu->reply->action = VCPU_REPLY_NONE;
	if (sys_vcpu_set_state(vcpu->handle, ALL_GROUPS, &registers) != OK)
		vcpu_answer_stop(vcpu, VCPU_STOP_VMM_FAULT, "the vCPU cannot be woken");
}

void sleep_answer(struct machine_vcpu *vcpu)
{
	struct machine *machine = vcpu->machine;

	if (machine->facs_physical == 0 || vcpu->reply->action != VCPU_REPLY_COMPLETE || !is_asked_for(machine))
		return;
	if (!wakes(machine)) {
		wait_a_while(vcpu);
		/* Once more: when the OUT comes again, a handler may have taken the interrupt that was to wake it. */
		if (!wakes(machine)) {
			vcpu->reply->action = VCPU_REPLY_NONE;
			return;
		}
	}
	go_on_at_the_vector(vcpu);
}
