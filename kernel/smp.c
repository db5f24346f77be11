/* INIT, STARTUP, STARTUP to one CPU at a time, through a page below 1 MiB. */
#include "kernel/smp.h"

#include <stddef.h>

#include "abi/boot_info.h"
#include "kernel/apic.h"
#include "kernel/cpu.h"
#include "kernel/cpu_insn.h"
#include "kernel/hypervisor.h"
#include "kernel/kernel_map.h"
#include "kernel/log.h"
#include "kernel/panic.h"
#include "kernel/percpu.h"
#include "kernel/pool.h"
#include "kernel/scheduler.h"
#include "kernel/smp_trampoline.h"
#include "kernel/thread_internal.h"
#include "kernel/timer.h"
#include "lib/base/string.h"

#define ONLINE_WAIT_US    200000U
#define TSC_ROUNDS        64U

extern const uint8_t smp_trampoline_start[], smp_trampoline_long[], smp_trampoline_end[];

struct percpu *percpus[CPUS_MAX];
uint32_t percpu_count;
uint32_t smp_failed_count;

_Noreturn void ap_entry(void);

/* Not moved by the processor to before what stands before it, nor behind what stands behind. SDM Vol. 2B, "RDTSC". */
static uint64_t ordered_rdtsc(void)
{
	uint64_t now;

	load_fence();
	now = rdtsc();
	load_fence();
	return now;
}

static void answer_tsc(struct percpu *cpu)
{
	uint32_t asked = atomic_load(&cpu->tsc_asked);

	if (asked != atomic_load(&cpu->tsc_answered)) {
		atomic_store(&cpu->tsc_answer, ordered_rdtsc());
		atomic_store(&cpu->tsc_answered, asked);
	}
	pause();
}

static _Noreturn void stay_out(struct percpu *cpu)
{
	atomic_store(&cpu->online, true);
	for (;;)
		halt();
}

void ap_entry(void)
{
	struct percpu *cpu = percpu_self();

	write_cr3(kernel_map_cr3());
	cpu_load_tables(cpu);
	cpu->lacks = cpu_features_lacking();
	if (cpu->lacks != NULL)
		stay_out(cpu);
	cpu_load_registers(cpu);
	apic_cpu_start();
	/* A CPU that was given up wakes late and takes the next one's ticket: then it is not the one this stack is for. */
	while (apic_id() != cpu->apic_id)
		halt();
	hypervisor_cpu_start(cpu);
	atomic_store(&cpu->online, true);
	while (atomic_load(&cpu->admission) == CPU_WAITS)
		answer_tsc(cpu);
	while (atomic_load(&cpu->admission) == CPU_REFUSED)
		halt();
	thread_after_switch();
	scheduler_idle();
}

/* Copies the trampoline and a page-map table that 32-bit CR3 can reach. Returns the page's parameters. */
static volatile struct trampoline_parameters *prepare_page(uint64_t page)
{
	uint8_t *code = kernel_map_device(page, 2 * PAGE_SIZE_BYTES, DEVICE_WRITE_BACK, true);
	struct trampoline_parameters *p = (struct trampoline_parameters *)(uintptr_t)(code + TRAMPOLINE_PARAMETERS);
	uint64_t gdt_physical = page + TRAMPOLINE_PARAMETERS + offsetof(struct trampoline_parameters, gdt);

	ASSERT(code != NULL && (size_t)(smp_trampoline_end - smp_trampoline_start) < TRAMPOLINE_PARAMETERS);
	kernel_map_low_page(page);
	memcpy(code, smp_trampoline_start, (size_t)(smp_trampoline_end - smp_trampoline_start));
	memcpy(code + PAGE_SIZE_BYTES, direct_pointer(kernel_map_cr3()), PAGE_SIZE_BYTES);
	*p = (struct trampoline_parameters){
		.cr3 = (uint32_t)(page + PAGE_SIZE_BYTES),
		.gdt_limit = sizeof(p->gdt) - 1,
		.gdt_base_low = (uint16_t)gdt_physical,
		.gdt_base_high = (uint16_t)(gdt_physical >> 16),
		.jump_offset = (uint32_t)(page + (uint64_t)(smp_trampoline_long - smp_trampoline_start)),
		.jump_selector = SELECTOR_KERNEL_CODE,
		.entry = (uintptr_t)ap_entry,
		.gdt = {0, 0x00af9b000000ffffULL, 0x00cf93000000ffffULL},
	};
	return p;
}

static struct percpu *create_cpu(uint32_t index, uint32_t apic_id_)
{
	struct percpu *cpu = pool_alloc(root_pool, sizeof(*cpu));
	struct thread *idle;

	if (cpu == NULL || cpu_tables_create(cpu) != OK)
		return NULL;
	cpu->index = index;
	cpu->apic_id = apic_id_;
	cpu->inbox_lock = SPINLOCK(RANK_INBOX);
	kernel_map_cpu_windows(cpu);
	if (thread_create(root_pool, NULL, NULL, cpu, &idle) != OK || scheduler_cpu_start(cpu, idle) != OK)
		return NULL;
	cpu_set_entry_stack(cpu, idle->stack_top);
	return cpu;
}

static bool wait_online(const struct percpu *cpu, uint64_t us)
{
	uint64_t start = rdtsc();

	while (!atomic_load(&cpu->online)) {
		if (rdtsc() - start > tsc_from_us(us))
			return false;
		pause();
	}
	return true;
}

static bool start_cpu(struct percpu *cpu, volatile struct trampoline_parameters *p, uint64_t page)
{
	p->stack = cpu->idle->stack_top;
	__atomic_store_n(&p->ticket, 1, __ATOMIC_SEQ_CST);
	apic_send_init(cpu->apic_id);
	timer_wait_us(10000);
	for (unsigned attempt = 0; attempt < 2; attempt++) {
		apic_send_startup(cpu->apic_id, (uint8_t)(page >> PAGE_SHIFT));
		if (wait_online(cpu, attempt == 0 ? 1000 : ONLINE_WAIT_US))
			return true;
	}
	/* Closes the door. A CPU that has passed it already gets its time. */
	if (__atomic_exchange_n(&p->ticket, 0, __ATOMIC_SEQ_CST) == 0)
		return wait_online(cpu, ONLINE_WAIT_US);
	return false;
}

/* The TSC is the only clock, so a CPU whose TSC does not lie between two readings of the boot CPU's, as close to each other as
 * question and answer allow, cannot be used. Once would not do: an interrupt to the firmware may lie between. */
static bool tsc_agrees(struct percpu *cpu)
{
	for (uint32_t round = 1; round <= TSC_ROUNDS; round++) {
		uint64_t before = ordered_rdtsc(), theirs;

		atomic_store(&cpu->tsc_asked, round);
		while (atomic_load(&cpu->tsc_answered) != round) {
			if (rdtsc() - before > tsc_from_us(ONLINE_WAIT_US))
				return false;
			pause();
		}
		theirs = atomic_load(&cpu->tsc_answer);
		if (theirs < before || theirs > ordered_rdtsc())
			return false;
	}
	return true;
}

/* False, with a message: it takes no part. */
static bool is_equal(struct percpu *cpu)
{
	if (cpu->lacks != NULL) {
		log_warn("E604 CPU with APIC ID %u is left out: it lacks %s, which the boot CPU has", cpu->apic_id, cpu->lacks);
		return false;
	}
	if (tsc_agrees(cpu))
		return true;
	log_warn("E605 CPU with APIC ID %u is left out: its time stamp counter differs from the boot CPU's", cpu->apic_id);
	return false;
}

/* Starts one CPU and decides whether it takes part; says why not. */
static bool admit_cpu(struct percpu *cpu, volatile struct trampoline_parameters *p, uint64_t page)
{
	if (!start_cpu(cpu, p, page)) {
		log_warn("E604 CPU with APIC ID %u did not start and is left out", cpu->apic_id);
		return false;
	}
	if (is_equal(cpu))
		return true;
	atomic_store(&cpu->online, false);
	atomic_store(&cpu->admission, CPU_REFUSED);
	return false;
}

void smp_start(const struct boot_info *boot)
{
	const uint32_t *apic_ids = (const uint32_t *)(uintptr_t)boot->pc.cpus_virtual;
	uint64_t page = boot->start_pages_physical;
	volatile struct trampoline_parameters *p = page != 0 ? prepare_page(page) : NULL;

	for (uint32_t i = 0; i < boot->pc.cpu_count; i++) {
		bool usable = p != NULL && percpu_count < CPUS_MAX && (apic_ids[i] <= 254 || apic_is_x2apic());
		struct percpu *cpu;

		if (apic_ids[i] == percpus[0]->apic_id)
			continue;
		cpu = usable ? create_cpu(percpu_count, apic_ids[i]) : NULL;
		if (cpu == NULL)
			log_warn("E604 CPU with APIC ID %u cannot be started and is left out", apic_ids[i]);
		if (cpu == NULL || !admit_cpu(cpu, p, page)) {
			smp_failed_count++;
			continue;
		}
		percpus[percpu_count] = cpu;
		percpu_count++;
		atomic_store(&cpu->admission, CPU_ADMITTED);
	}
	if (p != NULL)
		kernel_unmap_low();
}
