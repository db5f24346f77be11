/* System calls with types: one function per call of abi/syscall.h, in its order, then those that repeat a call that makes
 * progress until all is done. What each does, its units and errors: docs/kernel-interface.md.
 * Results by the last pointer, written only on OK. Calls that cannot fail for a right program return nothing. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/schedule.h"
#include "abi/status.h"
#include "abi/syscall.h"
#include "abi/vcpu.h"

#define DEADLINE_NEVER UINT64_MAX

void sys_log_write(const char *text, size_t len_bytes);
MUST_CHECK enum status sys_log_read(uint64_t *position, char *out, size_t size_bytes, size_t *read_bytes);

void sys_handle_close(handle_t handle);
MUST_CHECK enum status sys_handle_grant(handle_t space, handle_t handle, uint32_t rights, uint64_t badge, handle_t *there);

MUST_CHECK enum status sys_pool_create(handle_t parent, uint64_t guaranteed_bytes, uint64_t limit_bytes, handle_t *pool);
MUST_CHECK enum status sys_pool_info(handle_t pool, struct pool_info *info);

MUST_CHECK enum status sys_memory_create(handle_t pool, handle_t *memory);
MUST_CHECK enum status sys_memory_grow(handle_t memory, uint64_t target_bytes, uint64_t *reached_bytes);
MUST_CHECK enum status sys_memory_device(handle_t host, handle_t pool, uint64_t physical, uint64_t len_bytes, uint32_t flags,
					 handle_t *memory);

MUST_CHECK enum status sys_space_create(handle_t pool, handle_t vm, handle_t event, uint64_t bits,
					const uint64_t cpu_mask[PROGRAM_CPUS_MAX / 64], handle_t *space);
MUST_CHECK enum status sys_space_map(handle_t space, handle_t memory, uint64_t address, uint64_t offset, uint64_t len_bytes,
				     uint32_t rights, uint64_t *done_bytes);
MUST_CHECK enum status sys_space_unmap(handle_t space, uint64_t address, uint64_t *done_bytes);
void sys_space_kill(handle_t space);
MUST_CHECK enum status sys_space_status(handle_t space, struct space_status *space_status);

MUST_CHECK enum status sys_thread_create(handle_t space, handle_t pool, const struct thread_config *config);
_Noreturn void sys_thread_exit(uint64_t code, bool whole_program);
void sys_thread_yield(void);

MUST_CHECK enum status sys_event_create(handle_t pool, handle_t *event);
void sys_event_signal(handle_t event, uint64_t bits);
MUST_CHECK enum status sys_event_wait(handle_t event, uint64_t deadline_tsc, uint64_t *bits);

MUST_CHECK enum status sys_port_read(handle_t ports, uint16_t port, unsigned width_bytes, uint32_t *value);
MUST_CHECK enum status sys_port_write(handle_t ports, uint16_t port, unsigned width_bytes, uint32_t value);

MUST_CHECK enum status sys_irq_create(handle_t host, handle_t pool, uint32_t number, uint32_t flags, handle_t event,
				      uint64_t bits, handle_t *irq);
void sys_irq_ack(handle_t irq);

MUST_CHECK enum status sys_host_report(enum host_report report, char *out, size_t size_bytes, size_t *written_bytes);
MUST_CHECK enum status sys_host_power(handle_t host, enum host_power action); /* returns only on error */
MUST_CHECK enum status sys_console_take(handle_t host, bool take);

MUST_CHECK enum status sys_vm_create(handle_t host, handle_t pool, const struct vm_config *config, handle_t *vm);
MUST_CHECK enum status sys_vm_map(handle_t vm, uint64_t gpa, handle_t memory, uint64_t offset, uint64_t len_bytes,
				  uint32_t rights, uint64_t *done_bytes);
MUST_CHECK enum status sys_vm_unmap(handle_t vm, uint64_t gpa, uint64_t len_bytes, uint64_t *done_bytes);
MUST_CHECK enum status sys_vm_stop(handle_t vm, enum vcpu_stop_reason reason);
MUST_CHECK enum status sys_vm_msi(handle_t vm, uint64_t address, uint32_t data);
MUST_CHECK enum status sys_vm_eoi_exits(handle_t vm, const uint64_t bitmap[4]);
MUST_CHECK enum status sys_vm_status(handle_t vm, struct vm_status *vm_status);

MUST_CHECK enum status sys_vcpu_create(handle_t vm, const struct vcpu_config *config, handle_t *vcpu);
MUST_CHECK enum status sys_vcpu_run(handle_t vcpu, enum vcpu_exit_kind *kind);
/* Of the vCPU that this thread ran before: its kind of exit, or -enum status. */
MUST_CHECK int64_t sys_vcpu_run_again(void);
MUST_CHECK enum status sys_vcpu_get_state(handle_t vcpu, uint32_t groups, struct vcpu_registers *registers);
MUST_CHECK enum status sys_vcpu_set_state(handle_t vcpu, uint32_t groups, const struct vcpu_registers *registers);
/* The same calls with VCPU_GROUP_VECTORS. */
MUST_CHECK enum status sys_vcpu_get_vectors(handle_t vcpu, struct vcpu_vectors *vectors);
MUST_CHECK enum status sys_vcpu_set_vectors(handle_t vcpu, const struct vcpu_vectors *vectors);
MUST_CHECK enum status sys_vcpu_extint(handle_t vcpu, bool level);

MUST_CHECK enum status sys_schedule_cpu(handle_t host, uint32_t cpu, const struct schedule_cpu *rules);
MUST_CHECK enum status sys_schedule_space(handle_t host, handle_t space, const struct schedule_space *rules);
MUST_CHECK enum status sys_vcpu_status(handle_t vm, uint32_t index, struct vcpu_status *status);
MUST_CHECK enum status sys_vcpu_steal_record(handle_t vcpu, handle_t memory, uint64_t offset);
MUST_CHECK enum status sys_memory_discard(handle_t memory, uint64_t offset, uint64_t len_bytes, uint64_t *done_bytes);
/* event HANDLE_NONE: removes the one at first_port. */
MUST_CHECK enum status sys_vm_doorbell(handle_t vm, handle_t event, uint16_t first_port, unsigned port_count, unsigned first_bit);

/* A memory object of len_bytes, zeroed. Undone on error. */
MUST_CHECK enum status memory_create_filled(handle_t pool, uint64_t len_bytes, handle_t *memory);
/* Maps all of [offset, offset + len_bytes). What was mapped before an error stays. */
MUST_CHECK enum status space_map_all(handle_t space, handle_t memory, uint64_t address, uint64_t offset, uint64_t len_bytes,
				     uint32_t rights);
/* Unmaps the whole view that starts at address. */
MUST_CHECK enum status space_unmap_all(handle_t space, uint64_t address);
MUST_CHECK enum status vm_map_all(handle_t vm, uint64_t gpa, handle_t memory, uint64_t offset, uint64_t len_bytes,
				  uint32_t rights);
MUST_CHECK enum status vm_unmap_all(handle_t vm, uint64_t gpa, uint64_t len_bytes);
