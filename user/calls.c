/* System calls with types. Each is its number, its arguments and what becomes of the answer. */
#include "user/calls.h"

#include "user/clock.h"
#include "user/system_call.h"

#define PATIENCE_MS 2000U

/* Read by user/system_call.asm. */
extern const uint64_t system_call_stub;
const uint64_t system_call_stub = STUB_PAGE;

static uint64_t address(const void *pointer)
{
	return (uint64_t)(uintptr_t)pointer;
}

/* An answer without a value. */
static enum status done(int64_t answer)
{
	return answer < 0 ? (enum status)-answer : OK;
}

static enum status to_handle(int64_t answer, handle_t *handle)
{
	if (answer >= 0)
		*handle = (handle_t)answer;
	return done(answer);
}

static enum status to_value(int64_t answer, uint64_t *value)
{
	if (answer >= 0)
		*value = (uint64_t)answer;
	return done(answer);
}

/* What lacks memory is asked again, for a while, as long as ring 0 is still freeing what was destroyed. */
static int64_t patient_call(uint64_t number, uint64_t a, uint64_t b, uint64_t c)
{
	uint64_t deadline = clock_deadline_in_ms(PATIENCE_MS);
	int64_t answer = system_call(number, a, b, c, 0, 0, 0);

	while (answer == -(int64_t)ERR_AGAIN && clock_now_ticks() < deadline) {
		sys_thread_yield();
		answer = system_call(number, a, b, c, 0, 0, 0);
	}
	return answer == -(int64_t)ERR_AGAIN ? -(int64_t)ERR_NO_MEMORY : answer;
}

void sys_log_write(const char *text, size_t len_bytes)
{
	(void)system_call(SYS_LOG_WRITE, address(text), len_bytes, 0, 0, 0, 0);
}

enum status sys_log_read(uint64_t *position, char *out, size_t size_bytes, size_t *read_bytes)
{
	return to_value(system_call(SYS_LOG_READ, address(position), address(out), size_bytes, 0, 0, 0), read_bytes);
}

void sys_handle_close(handle_t handle)
{
	(void)system_call(SYS_HANDLE_CLOSE, handle, 0, 0, 0, 0, 0);
}

enum status sys_handle_grant(handle_t space, handle_t handle, uint32_t rights, uint64_t badge, handle_t *there)
{
	return to_handle(system_call(SYS_HANDLE_GRANT, space, handle, rights, badge, 0, 0), there);
}

enum status sys_pool_create(handle_t parent, uint64_t guaranteed_bytes, uint64_t limit_bytes, handle_t *pool)
{
	return to_handle(patient_call(SYS_POOL_CREATE, parent, guaranteed_bytes, limit_bytes), pool);
}

enum status sys_pool_info(handle_t pool, struct pool_info *info)
{
	return done(system_call(SYS_POOL_INFO, pool, address(info), 0, 0, 0, 0));
}

enum status sys_memory_create(handle_t pool, handle_t *memory)
{
	return to_handle(system_call(SYS_MEMORY_CREATE, pool, 0, 0, 0, 0, 0), memory);
}

enum status sys_memory_grow(handle_t memory, uint64_t target_bytes, uint64_t *reached_bytes)
{
	return to_value(patient_call(SYS_MEMORY_GROW, memory, target_bytes, 0), reached_bytes);
}

enum status sys_memory_device(handle_t host, handle_t pool, uint64_t physical, uint64_t len_bytes, uint32_t flags,
			      handle_t *memory)
{
	return to_handle(system_call(SYS_MEMORY_DEVICE, host, pool, physical, len_bytes, flags, 0), memory);
}

enum status sys_space_create(handle_t pool, handle_t vm, handle_t event, uint64_t bits,
			     const uint64_t cpu_mask[PROGRAM_CPUS_MAX / 64], handle_t *space)
{
	return to_handle(system_call(SYS_SPACE_CREATE, pool, vm, event, bits, address(cpu_mask), 0), space);
}

enum status sys_space_map(handle_t space, handle_t memory, uint64_t at, uint64_t offset, uint64_t len_bytes, uint32_t rights,
			  uint64_t *done_bytes)
{
	return to_value(system_call(SYS_SPACE_MAP, space, memory, at, offset, len_bytes, rights), done_bytes);
}

enum status sys_space_unmap(handle_t space, uint64_t at, uint64_t *done_bytes)
{
	return to_value(system_call(SYS_SPACE_UNMAP, space, at, 0, 0, 0, 0), done_bytes);
}

void sys_space_kill(handle_t space)
{
	(void)system_call(SYS_SPACE_KILL, space, 0, 0, 0, 0, 0);
}

enum status sys_space_status(handle_t space, struct space_status *space_status)
{
	return done(system_call(SYS_SPACE_STATUS, space, address(space_status), 0, 0, 0, 0));
}

enum status sys_thread_create(handle_t space, handle_t pool, const struct thread_config *config)
{
	return done(system_call(SYS_THREAD_CREATE, space, pool, address(config), 0, 0, 0));
}

_Noreturn void sys_thread_exit(uint64_t code, bool whole_program)
{
	for (;;)
		(void)system_call(SYS_THREAD_EXIT, code, whole_program, 0, 0, 0, 0);
}

void sys_thread_yield(void)
{
	(void)system_call(SYS_THREAD_YIELD, 0, 0, 0, 0, 0, 0);
}

enum status sys_event_create(handle_t pool, handle_t *event)
{
	return to_handle(system_call(SYS_EVENT_CREATE, pool, 0, 0, 0, 0, 0), event);
}

void sys_event_signal(handle_t event, uint64_t bits)
{
	(void)system_call(SYS_EVENT_SIGNAL, event, bits, 0, 0, 0, 0);
}

enum status sys_event_wait(handle_t event, uint64_t deadline_tsc, uint64_t *bits)
{
	return to_value(system_call(SYS_EVENT_WAIT, event, deadline_tsc, 0, 0, 0, 0), bits);
}

enum status sys_port_read(handle_t ports, uint16_t port, unsigned width_bytes, uint32_t *value)
{
	int64_t answer = system_call(SYS_PORT_READ, ports, port, width_bytes, 0, 0, 0);

	if (answer >= 0)
		*value = (uint32_t)answer;
	return done(answer);
}

enum status sys_port_write(handle_t ports, uint16_t port, unsigned width_bytes, uint32_t value)
{
	return done(system_call(SYS_PORT_WRITE, ports, port, width_bytes, value, 0, 0));
}

enum status sys_irq_create(handle_t host, handle_t pool, uint32_t number, uint32_t flags, handle_t event, uint64_t bits,
			   handle_t *irq)
{
	return to_handle(system_call(SYS_IRQ_CREATE, host, pool, number, flags, event, bits), irq);
}

void sys_irq_ack(handle_t irq)
{
	(void)system_call(SYS_IRQ_ACK, irq, 0, 0, 0, 0, 0);
}

enum status sys_host_report(enum host_report report, char *out, size_t size_bytes, size_t *written_bytes)
{
	return to_value(system_call(SYS_HOST_REPORT, report, address(out), size_bytes, 0, 0, 0), written_bytes);
}

enum status sys_host_power(handle_t host, enum host_power action)
{
	return done(system_call(SYS_HOST_POWER, host, action, 0, 0, 0, 0));
}

enum status sys_console_take(handle_t host, bool take)
{
	return done(system_call(SYS_CONSOLE_TAKE, host, take, 0, 0, 0, 0));
}

enum status sys_vm_create(handle_t host, handle_t pool, const struct vm_config *config, handle_t *vm)
{
	return to_handle(system_call(SYS_VM_CREATE, host, pool, address(config), 0, 0, 0), vm);
}

enum status sys_vm_map(handle_t vm, uint64_t gpa, handle_t memory, uint64_t offset, uint64_t len_bytes, uint32_t rights,
		       uint64_t *done_bytes)
{
	return to_value(system_call(SYS_VM_MAP, vm, gpa, memory, offset, len_bytes, rights), done_bytes);
}

enum status sys_vm_unmap(handle_t vm, uint64_t gpa, uint64_t len_bytes, uint64_t *done_bytes)
{
	return to_value(system_call(SYS_VM_UNMAP, vm, gpa, len_bytes, 0, 0, 0), done_bytes);
}

enum status sys_vm_stop(handle_t vm, enum vcpu_stop_reason reason)
{
	return done(system_call(SYS_VM_STOP, vm, reason, 0, 0, 0, 0));
}

enum status sys_vm_msi(handle_t vm, uint64_t at, uint32_t data)
{
	return done(system_call(SYS_VM_MSI, vm, at, data, 0, 0, 0));
}

enum status sys_vm_eoi_exits(handle_t vm, const uint64_t bitmap[4])
{
	return done(system_call(SYS_VM_EOI_EXITS, vm, address(bitmap), 0, 0, 0, 0));
}

enum status sys_vm_status(handle_t vm, struct vm_status *vm_status)
{
	return done(system_call(SYS_VM_STATUS, vm, address(vm_status), 0, 0, 0, 0));
}

enum status sys_vcpu_create(handle_t vm, const struct vcpu_config *config, handle_t *vcpu)
{
	return to_handle(system_call(SYS_VCPU_CREATE, vm, address(config), 0, 0, 0, 0), vcpu);
}

enum status sys_vcpu_run(handle_t vcpu, enum vcpu_exit_kind *kind)
{
	int64_t answer = system_call_short(SYS_VCPU_RUN, vcpu);

	if (answer >= 0)
		*kind = (enum vcpu_exit_kind)answer;
	return done(answer);
}

int64_t sys_vcpu_run_again(void)
{
	return system_call_short(SYS_VCPU_RUN, HANDLE_NONE);
}

enum status sys_vcpu_get_state(handle_t vcpu, uint32_t groups, struct vcpu_registers *registers)
{
	return done(system_call(SYS_VCPU_GET_STATE, vcpu, groups, address(registers), 0, 0, 0));
}

enum status sys_vcpu_set_state(handle_t vcpu, uint32_t groups, const struct vcpu_registers *registers)
{
	return done(system_call(SYS_VCPU_SET_STATE, vcpu, groups, address(registers), 0, 0, 0));
}

enum status sys_vcpu_get_vectors(handle_t vcpu, struct vcpu_vectors *vectors)
{
	return done(system_call(SYS_VCPU_GET_STATE, vcpu, VCPU_GROUP_VECTORS, address(vectors), 0, 0, 0));
}

enum status sys_vcpu_set_vectors(handle_t vcpu, const struct vcpu_vectors *vectors)
{
	return done(system_call(SYS_VCPU_SET_STATE, vcpu, VCPU_GROUP_VECTORS, address(vectors), 0, 0, 0));
}

enum status sys_vcpu_extint(handle_t vcpu, bool level)
{
	return done(system_call(SYS_VCPU_EXTINT, vcpu, level, 0, 0, 0, 0));
}

enum status sys_schedule_cpu(handle_t host, uint32_t cpu, const struct schedule_cpu *rules)
{
	return done(system_call(SYS_SCHEDULE_CPU, host, cpu, address(rules), 0, 0, 0));
}

enum status sys_schedule_space(handle_t host, handle_t space, const struct schedule_space *rules)
{
	return done(system_call(SYS_SCHEDULE_SPACE, host, space, address(rules), 0, 0, 0));
}

enum status sys_vcpu_status(handle_t vm, uint32_t index, struct vcpu_status *status)
{
	return done(system_call(SYS_VCPU_STATUS, vm, index, address(status), 0, 0, 0));
}

enum status sys_vcpu_steal_record(handle_t vcpu, handle_t memory, uint64_t offset)
{
	return done(system_call(SYS_VCPU_STEAL_RECORD, vcpu, memory, offset, 0, 0, 0));
}

enum status sys_memory_discard(handle_t memory, uint64_t offset, uint64_t len_bytes, uint64_t *done_bytes)
{
	return to_value(system_call(SYS_MEMORY_DISCARD, memory, offset, len_bytes, 0, 0, 0), done_bytes);
}

enum status sys_vm_doorbell(handle_t vm, handle_t event, uint16_t first_port, unsigned port_count, unsigned first_bit)
{
	return done(system_call(SYS_VM_DOORBELL, vm, event, first_port, port_count, first_bit, 0));
}
