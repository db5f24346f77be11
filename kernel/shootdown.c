/* TLB shootdown by generation: a request is a number; each CPU notes the newest it has answered. */
#include "kernel/shootdown.h"

#include <stdatomic.h>

#include "kernel/cpu_insn.h"
#include "kernel/hypervisor.h"
#include "kernel/interrupt.h"
#include "kernel/percpu.h"

static _Atomic uint64_t newest_request;

void shootdown_poll(void)
{
	struct percpu *cpu = percpu_self();
	uint64_t request = atomic_load_explicit(&newest_request, memory_order_acquire);
	uint64_t cr4;

	if (atomic_load_explicit(&cpu->shootdown_done, memory_order_relaxed) == request)
		return;
	/* Global pages too. SDM Vol. 3A, "Operations that Invalidate TLBs and Paging-Structure Caches". */
	cr4 = read_cr4();
	write_cr4(cr4 ^ (1ULL << 7));
	write_cr4(cr4);
	hypervisor_flush();
	atomic_store_explicit(&cpu->shootdown_done, request, memory_order_release);
}

void shootdown_all(void)
{
	uint64_t request = atomic_fetch_add(&newest_request, 1) + 1;
	struct percpu *self = percpu_self();

	for (uint32_t i = 0; i < percpu_count; i++) {
		if (percpus[i] != self && percpus[i]->online)
			interrupt_send(percpus[i]->apic_id, VECTOR_SHOOTDOWN);
	}
	shootdown_poll();
	for (uint32_t i = 0; i < percpu_count; i++) {
		while (percpus[i]->online && atomic_load_explicit(&percpus[i]->shootdown_done, memory_order_acquire) < request) {
			shootdown_poll();
			pause();
		}
	}
}
