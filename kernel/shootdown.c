/* TLB shootdown. Each CPU counts the requests made to it and those it has answered; what it is to forget is kept in bits, so that
 * one answer serves all who wait. */
#include "kernel/shootdown.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "kernel/cpu_insn.h"
#include "kernel/interrupt.h"
#include "kernel/percpu.h"
#include "kernel/tlb.h"

#define FORGET_USER 0x1U
#define FORGET_ALL  0x2U

static void forget(uint32_t what)
{
	if (what & FORGET_ALL)
		tlb_flush_all();
	else if (what & FORGET_USER)
		tlb_flush_user();
}

void shootdown_poll(void)
{
	struct percpu *self = percpu_self();
	uint64_t request = atomic_load(&self->shootdown_request);

	if (atomic_load_explicit(&self->shootdown_done, memory_order_relaxed) == request)
		return;
	/* Whoever counted a request had set its bits before. */
	forget(atomic_exchange(&self->shootdown_what, 0));
	atomic_store_explicit(&self->shootdown_done, request, memory_order_release);
}

static bool is_target(const struct percpu *cpu, uint64_t cr3, const uint64_t *cpu_mask)
{
	if (!cpu->online)
		return false;
	if (cpu_mask != NULL)
		return cpu_mask[cpu->index / 64] >> (cpu->index % 64) & 1;
	/* In this order: a CPU that moves on names the new tables in cr3_loaded last, when the old ones are forgotten. */
	return cr3 == 0 || atomic_load(&cpu->cr3_loaded) == cr3 || atomic_load(&cpu->cr3_loading) == cr3;
}

/* cr3 0: any; cpu_mask NULL: by cr3. */
static void shoot_down(uint32_t what, uint64_t cr3, const uint64_t *cpu_mask)
{
	struct percpu *self = percpu_self();
	uint64_t waiting[CPUS_MAX] = {0};

	/* The entries were cleared before any CPU is asked which tables it has. */
	atomic_thread_fence(memory_order_seq_cst);
	for (uint32_t i = 0; i < percpu_count; i++) {
		struct percpu *cpu = percpus[i];

		if (!is_target(cpu, cr3, cpu_mask))
			continue;
		if (cpu == self) {
			forget(what);
			continue;
		}
		atomic_fetch_or(&cpu->shootdown_what, what);
		waiting[i] = atomic_fetch_add(&cpu->shootdown_request, 1) + 1;
		interrupt_send(cpu->apic_id, VECTOR_SHOOTDOWN);
	}
	for (uint32_t i = 0; i < percpu_count; i++) {
		while (atomic_load_explicit(&percpus[i]->shootdown_done, memory_order_acquire) < waiting[i]) {
			shootdown_poll();
			pause();
		}
	}
}

void shootdown_all(void)
{
	shoot_down(FORGET_ALL, 0, NULL);
}

void shootdown_space(uint64_t cr3)
{
	shoot_down(FORGET_USER, cr3, NULL);
}

void shootdown_guests(const uint64_t cpu_mask[CPUS_MAX / 64])
{
	shoot_down(0, 0, cpu_mask);
}

void shootdown_load_cr3(struct percpu *self, uint64_t cr3)
{
	/* Either the CPU that clears an entry reads this, or, the load being serializing, this CPU reads the cleared entry. */
	atomic_store(&self->cr3_loading, cr3);
	tlb_load(cr3);
	atomic_store(&self->cr3_loaded, cr3);
}
