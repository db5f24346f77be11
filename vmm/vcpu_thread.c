/* The loop around VCPU_RUN, its const table of handlers, and the exits that need a line or two. */
#include "vmm/vcpu_thread.h"

#include <stdarg.h>

#include "lib/base/format.h"
#include "user/calls.h"
#include "user/clock.h"
#include "vmm/machine.h"
#include "vmm/report.h"

#define POOL_EMPTY_TRIES 10000U
#define STOP_TEXT_BYTES  VMM_TEXT_BYTES
/* The MSR: bit 0 switches it on, bits 5:1 are 0, the rest is the address of so many bytes. */
#define STEAL_RECORD_BYTES 64ULL

void vcpu_answer_stop(struct machine_vcpu *vcpu, enum vcpu_stop_reason reason, const char *format, ...)
{
	char text[STOP_TEXT_BYTES];
	va_list args;

	va_start(args, format);
	(void)format_args(text, sizeof(text), format, args);
	va_end(args);
	report_explain(vcpu->machine, "%s", text);
	vcpu->reply->action = VCPU_REPLY_STOP;
	vcpu->reply->value = reason;
}

static void exit_none(struct machine_vcpu *vcpu)
{
	(void)vcpu;
}

static void exit_end_of_interrupt(struct machine_vcpu *vcpu)
{
	machine_end_of_interrupt(vcpu->machine, (uint8_t)vcpu->state->exit.value);
}

static void exit_extint(struct machine_vcpu *vcpu)
{
	vcpu->reply->action = VCPU_REPLY_EXTINT;
	vcpu->reply->vector = machine_acknowledge_pic(vcpu->machine);
}

/* Where there is no memory, there is no record: the guest then sees no time stolen. */
static void exit_steal_time(struct machine_vcpu *vcpu)
{
	const struct vmm_spec *spec = vcpu->machine->spec;
	gpa_t record = gpa(vcpu->state->exit.value & ~(STEAL_RECORD_BYTES - 1));
	uint64_t address;

	if (gmem_place(&vcpu->machine->gmem, record, STEAL_RECORD_BYTES, &address) != OK)
		return;
	if (sys_vcpu_steal_record(vcpu->handle, spec->handles.guest_memory, address - spec->guest_memory_address) != OK)
		vcpu_answer_stop(vcpu, VCPU_STOP_VMM_FAULT, "stolen time cannot be recorded at %llx",
				 (unsigned long long)record.raw);
}

/* Where it is one vCPU's doing, that one says where and why. */
static void exit_stopped(struct machine_vcpu *vcpu)
{
	if (vcpu->state->exit.value < vcpu->machine->vcpu_count && vcpu->state->exit.value != vcpu->index)
		sys_thread_exit(0, false);
	report_stopped(vcpu->machine, &vcpu->state->exit);
}

/* Memory may come back when another VM of the pool's parent ends; a VM that waits in vain is stopped. */
static void exit_pool_empty(struct machine_vcpu *vcpu)
{
	vcpu->pool_empty_count++;
	if (vcpu->pool_empty_count > POOL_EMPTY_TRIES)
		vcpu_answer_stop(vcpu, VCPU_STOP_OUT_OF_MEMORY, "no memory left for the VM's own page tables");
	else
		sys_thread_yield();
}

static void (*const handlers[VCPU_EXIT_KIND_COUNT])(struct machine_vcpu *) = {
	[VCPU_EXIT_NONE] = exit_none,
	[VCPU_EXIT_PORT] = exit_port,
	[VCPU_EXIT_PORT_STRING] = exit_port_string,
	[VCPU_EXIT_MEMORY] = exit_memory,
	[VCPU_EXIT_LOCAL_APIC] = exit_local_apic,
	[VCPU_EXIT_APIC_VALUE] = exit_apic_value,
	[VCPU_EXIT_EOI] = exit_end_of_interrupt,
	[VCPU_EXIT_EXTINT] = exit_extint,
	[VCPU_EXIT_STOPPED] = exit_stopped,
	[VCPU_EXIT_TASK_SWITCH] = exit_task_switch,
	[VCPU_EXIT_POOL_EMPTY] = exit_pool_empty,
	[VCPU_EXIT_STEAL_TIME] = exit_steal_time,
};

void vcpu_thread(void *argument)
{
	struct machine_vcpu *vcpu = argument;
	enum vcpu_exit_kind first = VCPU_EXIT_NONE;
	enum status status;
	int64_t answer;

	if (vcpu->index == 0)
		atomic_store(&vcpu->machine->entry_tsc, clock_now_ticks());
	status = sys_vcpu_run(vcpu->handle, &first);
	for (answer = status == OK ? (int64_t)first : -(int64_t)status; (uint64_t)answer < VCPU_EXIT_KIND_COUNT;
	     answer = sys_vcpu_run_again()) {
		if (answer != VCPU_EXIT_POOL_EMPTY)
			vcpu->pool_empty_count = 0;
		handlers[answer](vcpu);
	}
	report_explain(vcpu->machine, "vCPU %u cannot run: answer %lld", vcpu->index, (long long)answer);
	report_stopped(vcpu->machine, &(struct vcpu_exit){.stop_reason = VCPU_STOP_VMM_FAULT});
}
