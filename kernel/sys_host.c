/* System calls on the PC itself: ports, interrupts, reports, power. */
#include <stddef.h>

#include "abi/syscall.h"
#include "kernel/cpu_insn.h"
#include "kernel/event.h"
#include "kernel/hypervisor.h"
#include "kernel/irq.h"
#include "kernel/log.h"
#include "kernel/percpu.h"
#include "kernel/pool.h"
#include "kernel/power.h"
#include "kernel/space_internal.h"
#include "kernel/syscall_table.h"
#include "kernel/thread.h"
#include "kernel/user_copy.h"

#define REPORT_BYTES 2048U
#define CPUID_TOPOLOGY     0xbU
#define TOPOLOGY_LEVEL_SMT 1U

/* The 8259 pair is ring 0's: an unmasked line would raise vectors it has given to nobody. */
static bool port_is_ours(uint64_t port)
{
	return (port & ~0x81ULL) == 0x20;
}

static enum status check_port(const struct syscall_arguments *a)
{
	if (a->value[2] != 1 && a->value[2] != 2 && a->value[2] != 4)
		return ERR_INVALID;
	if (a->value[1] > 0x10000 - a->value[2])
		return ERR_OUT_OF_RANGE;
	if (a->badge != BADGE_ALL && (a->value[1] < (a->badge & 0xffff) || a->value[1] + a->value[2] - 1 > a->badge >> 16))
		return ERR_DENIED;
	for (uint64_t i = 0; i < a->value[2]; i++) {
		if (port_is_ours(a->value[1] + i))
			return ERR_DENIED;
	}
	return OK;
}

int64_t sys_port_read(const struct syscall_arguments *a)
{
	uint16_t port = (uint16_t)a->value[1];
	enum status status = check_port(a);

	if (status != OK)
		return syscall_error(status);
	return a->value[2] == 1 ? in8(port) : a->value[2] == 2 ? in16(port) : (int64_t)in32(port);
}

int64_t sys_port_write(const struct syscall_arguments *a)
{
	uint16_t port = (uint16_t)a->value[1];
	enum status status = check_port(a);

	if (status != OK)
		return syscall_error(status);
	if (a->value[2] == 1)
		out8(port, (uint8_t)a->value[3]);
	else if (a->value[2] == 2)
		out16(port, (uint16_t)a->value[3]);
	else
		out32(port, (uint32_t)a->value[3]);
	return 0;
}

int64_t sys_irq_create(const struct syscall_arguments *a)
{
	struct object *irq;
	enum status status = irq_create(pool_from_object(a->object[1]), (uint32_t)a->value[2], (uint32_t)a->value[3],
					event_from_object(a->object[2]), event_bits(a->value[5], a->badge), &irq);

	return status == OK ? syscall_new_handle(irq, RIGHT_ALL) : syscall_error(status);
}

int64_t sys_irq_ack(const struct syscall_arguments *a)
{
	irq_acknowledge(a->object[0]);
	return 0;
}

/* The x2APIC ID without its thread bits. SDM, "CPUID: Extended Topology Enumeration Leaf (Initial EAX Value = 0BH)". */
static size_t report_cores(uint32_t *cores)
{
	bool is_known = cpuid(0, 0).eax >= CPUID_TOPOLOGY && (cpuid(CPUID_TOPOLOGY, 0).ecx >> 8 & 0xff) == TOPOLOGY_LEVEL_SMT;
	bool has_threads = is_known && (cpuid(CPUID_TOPOLOGY, 0).ebx & 0xffff) > 1;
	uint32_t thread_bits = has_threads ? cpuid(CPUID_TOPOLOGY, 0).eax & 0x1f : 0;

	for (uint32_t i = 0; i < percpu_count; i++)
		cores[i] = percpus[i]->apic_id >> thread_bits;
	return percpu_count * sizeof(cores[0]);
}

static size_t report_wakes(uint64_t *wakes)
{
	for (uint32_t i = 0; i < percpu_count; i++)
		wakes[i] = *(const volatile uint64_t *)&percpus[i]->wake_count;
	return percpu_count * sizeof(wakes[0]);
}

int64_t sys_host_report(const struct syscall_arguments *a)
{
	union {
		char text[REPORT_BYTES];
		uint32_t cores[CPUS_MAX];
		uint64_t wakes[CPUS_MAX];
	} report;
	enum status status;
	size_t count;

	switch (a->value[0]) {
	case HOST_REPORT_VMX: count = hypervisor_report(report.text, sizeof(report.text)); break;
	case HOST_REPORT_CORES: count = report_cores(report.cores); break;
	case HOST_REPORT_WAKES: count = report_wakes(report.wakes); break;
	default: return syscall_error(ERR_INVALID);
	}
	count = count < a->value[2] ? count : a->value[2];
	status = copy_to_user(a->value[1], &report, count);
	return status == OK ? (int64_t)count : syscall_error(status);
}

int64_t sys_host_power(const struct syscall_arguments *a)
{
	thread_show_log();
	return syscall_error(power_do(a->value[1]));
}

int64_t sys_console_take(const struct syscall_arguments *a)
{
	thread_show_log();
	log_echo(a->value[1] == 0);
	return 0;
}
