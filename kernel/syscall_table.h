/* The functions behind system calls that kernel/ itself serves; those of VMs are in kernel/hypervisor.h. */
#pragma once
#include "kernel/syscall.h"

int64_t sys_log_write(const struct syscall_arguments *a);
int64_t sys_log_read(const struct syscall_arguments *a);
int64_t sys_handle_close(const struct syscall_arguments *a);
int64_t sys_handle_grant(const struct syscall_arguments *a);
int64_t sys_pool_create(const struct syscall_arguments *a);
int64_t sys_pool_info(const struct syscall_arguments *a);
int64_t sys_memory_create(const struct syscall_arguments *a);
int64_t sys_memory_grow(const struct syscall_arguments *a);
int64_t sys_memory_device(const struct syscall_arguments *a);
int64_t sys_space_create(const struct syscall_arguments *a);
int64_t sys_space_map(const struct syscall_arguments *a);
int64_t sys_space_unmap(const struct syscall_arguments *a);
int64_t sys_space_kill(const struct syscall_arguments *a);
int64_t sys_space_status(const struct syscall_arguments *a);
int64_t sys_thread_create(const struct syscall_arguments *a);
int64_t sys_thread_exit(const struct syscall_arguments *a);
int64_t sys_thread_yield(const struct syscall_arguments *a);
int64_t sys_event_create(const struct syscall_arguments *a);
int64_t sys_event_signal(const struct syscall_arguments *a);
int64_t sys_event_wait(const struct syscall_arguments *a);
int64_t sys_port_read(const struct syscall_arguments *a);
int64_t sys_port_write(const struct syscall_arguments *a);
int64_t sys_irq_create(const struct syscall_arguments *a);
int64_t sys_irq_ack(const struct syscall_arguments *a);
int64_t sys_host_report(const struct syscall_arguments *a);
int64_t sys_host_power(const struct syscall_arguments *a);
int64_t sys_console_take(const struct syscall_arguments *a);
int64_t sys_schedule_cpu(const struct syscall_arguments *a);
int64_t sys_schedule_space(const struct syscall_arguments *a);
