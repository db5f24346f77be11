/* What ring 0 needs from virt/, chosen at link time: kernel/ knows no VM. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "abi/syscall.h"
#include "kernel/syscall.h"

struct object;
struct percpu;
struct pool;
struct thread;
struct vm;

/* On each CPU, as its last step of starting, then once on the boot CPU when all CPUs have started. */
void hypervisor_cpu_start(struct percpu *cpu);
void hypervisor_ready(void);
/* Before the CPU is given to firmware (reset, power-off) or stopped for good: leaves VMX operation. Context: any. */
void hypervisor_cpu_stop(void);

/* 1 when VMs can run. Text for HOST_REPORT_VMX: why not, or what there is; returns the bytes written. */
uint32_t hypervisor_usable(void);
size_t hypervisor_report(char *out, size_t size_bytes);

/* The CPU is about to run `next` instead of `previous`, page tables are still those of previous: saves guest state that must not
 * stay loaded (FPU, debug registers), if next belongs to another VM or program. A vCPU loads its own where it goes on. */
void hypervisor_switch_out(struct thread *previous, struct thread *next);
/* The thread moves to another CPU: this one lets go of its VMCS. Context: its home CPU, thread not running. */
void hypervisor_leave_cpu(struct thread *thread);
/* The thread is being destroyed; same context. */
void hypervisor_thread_gone(struct thread *thread);

/* The VM a new address space belongs to: object of kind OBJECT_VM. */
struct vm *hypervisor_vm(struct object *object);
/* The VM's slot: the physical address of its PDPT, to be put into that space's PML4. */
uint64_t hypervisor_vm_slot(struct vm *vm);
/* Taken from the VM for each space, so that it outlives them. */
struct object *hypervisor_vm_object(struct vm *vm);

/* VCPU_RUN of the vCPU that the current thread ran last. */
int64_t hypervisor_run(void);
int64_t sys_memory_discard(const struct syscall_arguments *a);
int64_t sys_vm_create(const struct syscall_arguments *a);
int64_t sys_vm_map(const struct syscall_arguments *a);
int64_t sys_vm_unmap(const struct syscall_arguments *a);
int64_t sys_vm_stop(const struct syscall_arguments *a);
int64_t sys_vm_msi(const struct syscall_arguments *a);
int64_t sys_vm_eoi_exits(const struct syscall_arguments *a);
int64_t sys_vm_status(const struct syscall_arguments *a);
int64_t sys_vcpu_status(const struct syscall_arguments *a);
int64_t sys_vcpu_create(const struct syscall_arguments *a);
int64_t sys_vcpu_run(const struct syscall_arguments *a);
int64_t sys_vcpu_get_state(const struct syscall_arguments *a);
int64_t sys_vcpu_set_state(const struct syscall_arguments *a);
int64_t sys_vcpu_extint(const struct syscall_arguments *a);
int64_t sys_vcpu_steal_record(const struct syscall_arguments *a);
int64_t sys_vm_doorbell(const struct syscall_arguments *a);
