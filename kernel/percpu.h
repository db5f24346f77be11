/* What belongs to one CPU. Private fields are touched by that CPU only; the shared part says what others may. */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "kernel/config.h"
#include "kernel/reaper.h"
#include "kernel/schedule/schedule.h"
#include "kernel/spinlock.h"
#include "kernel/timer.h"

struct thread;
struct vcpu;

/* Hardware layout: SDM Vol. 3A, "64-Bit Task State Segment". */
struct tss64 {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7];
	uint64_t reserved2;
	uint16_t reserved3;
	uint16_t io_map_base;
} __attribute__((packed));

/* At the top of every kernel stack (thread, IST): tells entry code where it is. Stacks are aligned to KERNEL_STACK_BYTES. */
struct stack_head {
	struct percpu *cpu;
	struct thread *thread;
	uint64_t reserved[2];
};

enum cpu_admission { CPU_WAITS, CPU_ADMITTED, CPU_REFUSED };

enum host_selector {
	SELECTOR_KERNEL_CODE = 0x08,
	SELECTOR_KERNEL_DATA = 0x10,
	SELECTOR_USER_CODE = 0x1b + 0x10, /* SYSEXIT: kernel code + 32, RPL 3 */
	SELECTOR_USER_DATA = 0x33,        /* kernel code + 40, RPL 3 */
	SELECTOR_TSS = 0x38,
};

struct percpu {
	/* constant after the CPU started */
	uint32_t index;   /* 0: the boot CPU, then enabled CPUs in MADT order */
	uint32_t apic_id;
	struct tss64 *tss;
	uint64_t *gdt;       /* in the direct map */
	uint64_t gdtr_base;  /* the same page where GDTR points: kernel/gdt.h */
	uint64_t *entry_stack_word; /* IA32_SYSENTER_ESP points here: the current thread's stack top */
	void *hypervisor; /* virt/'s and its backend's per-CPU state */
	struct thread *_Atomic current; /* its own; others look (thread_runs_on) */
	/* this CPU only */
	struct thread *idle;
	struct schedule *schedule; /* who waits for this CPU, and the rules */
	struct thread *departing;  /* the one that is leaving goes to another CPU: */
	struct percpu *departs_to;
	uint64_t balance_due_tsc;
	struct thread *dead; /* ended just now; freed by the next thread */
	struct reaper reaper;
	bool reschedule;     /* look for another thread before leaving ring 0 */
	bool in_interrupt;   /* what runs is on behalf of an interrupt */
	bool somebody_woke;  /* by it, while another thread runs */
	struct timer *timers; /* pairing heap */
	uint64_t guest_deadline_tsc, slice_deadline_tsc; /* UINT64_MAX: none */
	uint64_t armed_deadline_tsc;
	uint64_t window_base; /* virtual address of this CPU's windows */
	uint64_t *window_4k, *window_2m; /* their page-table entries */
	uint32_t lock_ranks; /* a bit for each rank held */
	uint64_t wake_count; /* interrupts that ended its idle HLT; others only read it */
	/* shared */
	struct spinlock inbox_lock;
	_Atomic(struct thread *) inbox; /* woken by other CPUs; inbox_lock, but for a look whether it is empty */
	_Atomic uint32_t thread_count; /* threads at home here */
	_Atomic uint64_t load; /* schedule_load() at its last switch */
	_Atomic uint32_t mode; /* enum schedule_mode */
	_Atomic(struct schedule_cpu *) new_rules; /* from the root pool; the CPU takes them over and frees them */
	_Atomic bool online;
	const char *lacks;           /* set before online: what the boot CPU has and this one has not, or NULL */
	_Atomic uint32_t tsc_asked, tsc_answered; /* numbers of the boot CPU's questions for its TSC */
	_Atomic uint64_t tsc_answer;
	_Atomic uint32_t admission;  /* enum cpu_admission: the boot CPU's verdict, for which it waits */
	_Atomic uint64_t cr3_loading, cr3_loaded; /* equal but during a switch of page tables */
	_Atomic uint32_t shootdown_what;          /* see shootdown.c */
	_Atomic uint64_t shootdown_request, shootdown_done;
	_Atomic uint32_t nmi_count;
};

extern struct percpu *percpus[CPUS_MAX];
extern uint32_t percpu_count; /* constant once all CPUs were started */

/* The CPU that runs this code, from the head of the stack it is on: no register of a program or guest is trusted. */
static inline struct stack_head *stack_head(void)
{
	uint64_t rsp;

	__asm__("mov %%rsp, %0" : "=r"(rsp));
	return (struct stack_head *)((rsp | (KERNEL_STACK_BYTES - 1)) + 1) - 1;
}

static inline struct percpu *percpu_self(void)
{
	return stack_head()->cpu;
}
