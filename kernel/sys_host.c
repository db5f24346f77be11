/* System calls on the PC itself: ports, interrupts, reports, power. */
#include <stddef.h>

#include "abi/syscall.h"
#include "kernel/cpu_insn.h"
#include "kernel/event.h"
#include "kernel/hypervisor.h"
#include "kernel/irq.h"
#include "kernel/log.h"
#include "kernel/pool.h"
#include "kernel/power.h"
#include "kernel/report.h"
#include "kernel/space_internal.h"
#include "kernel/syscall_table.h"
#include "kernel/thread.h"
#include "kernel/user_copy.h"

#define REPORT_BYTES 2048U

static struct space *self(void)
{
	return thread_current()->space;
}

/* The 8259 pair is ring 0's: an unmasked line would raise vectors it has given to nobody. */
static bool port_is_ours(uint64_t port)
{
	return (port & ~0x81ULL) == 0x20;
}

static enum status check_port(const struct syscall_arguments *a)
{
	struct object *ports;
	uint64_t badge;
	enum status status = handle_find_badge(self(), a->value[0], OBJECT_PORTS, RIGHT_WRITE, &ports, &badge);

	if (status != OK)
		return status;
	object_put(ports);
	if (a->value[2] != 1 && a->value[2] != 2 && a->value[2] != 4)
		return ERR_INVALID;
	if (a->value[1] > 0x10000 - a->value[2])
		return ERR_OUT_OF_RANGE;
	if (badge != BADGE_ALL && (a->value[1] < (badge & 0xffff) || a->value[1] + a->value[2] - 1 > badge >> 16))
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

static enum status check_host(uint64_t handle)
{
	struct object *host;
	enum status status = handle_find(self(), handle, OBJECT_HOST, RIGHT_MANAGE, &host);

	if (status == OK)
		object_put(host);
	return status;
}

int64_t sys_irq_create(const struct syscall_arguments *a)
{
	struct object *pool, *event, *irq;
	handle_t handle;
	uint64_t badge;
	enum status status = check_host(a->value[0]);

	if (status == OK)
		status = handle_find_badge(self(), a->value[4], OBJECT_EVENT, RIGHT_SIGNAL, &event, &badge);
	if (status != OK)
		return syscall_error(status);
	status = handle_find(self(), a->value[1], OBJECT_POOL, RIGHT_MANAGE, &pool);
	if (status == OK) {
		status = irq_create(pool_from_object(pool), (uint32_t)a->value[2], (uint32_t)a->value[3], event_from_object(event),
				    event_bits(a->value[5], badge), &irq);
		object_put(pool);
	}
	if (status != OK) {
		object_put(event);
		return syscall_error(status);
	}
	status = handle_add(self(), irq, RIGHT_ALL, UINT64_MAX, &handle);
	if (status != OK)
		object_put(irq);
	return status == OK ? (int64_t)handle : syscall_error(status);
}

int64_t sys_irq_ack(const struct syscall_arguments *a)
{
	struct object *irq;
	enum status status = handle_find(self(), a->value[0], OBJECT_IRQ, RIGHT_WRITE, &irq);

	if (status != OK)
		return syscall_error(status);
	irq_acknowledge(irq);
	object_put(irq);
	return 0;
}

int64_t sys_host_report(const struct syscall_arguments *a)
{
	char text[REPORT_BYTES];
	size_t count = 0;
	enum status status;

	if (a->value[0] == HOST_REPORT_VMX)
		count = hypervisor_report(text, sizeof(text));
	else if (a->value[0] == HOST_REPORT_CPUS)
		count = report_cpus(text, sizeof(text));
	else
		return syscall_error(ERR_INVALID);
	count = count < a->value[2] ? count : a->value[2];
	status = copy_to_user(a->value[1], text, count);
	return status == OK ? (int64_t)count : syscall_error(status);
}

int64_t sys_host_power(const struct syscall_arguments *a)
{
	enum status status = check_host(a->value[0]);

	if (status != OK)
		return syscall_error(status);
	thread_show_log();
	return syscall_error(power_do(a->value[1]));
}

int64_t sys_console_take(const struct syscall_arguments *a)
{
	enum status status = check_host(a->value[0]);

	if (status != OK)
		return syscall_error(status);
	thread_show_log();
	log_echo(a->value[1] == 0);
	return syscall_error(status);
}
