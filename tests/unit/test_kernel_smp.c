/* kernel/smp.c: CPUs that do not start, that lack something and whose time differs are named and left out; the others take part.
 * Each CPU that starts is a thread. */
#include "tests/unit/unit.h"

#include <pthread.h>
#include <stdlib.h>

#include "abi/boot_info.h"
#include "kernel/apic.h"
#include "kernel/cpu.h"
#include "kernel/cpu_insn.h"
#include "kernel/hypervisor.h"
#include "kernel/kernel_map.h"
#include "kernel/log.h"
#include "kernel/percpu.h"
#include "kernel/pool.h"
#include "kernel/scheduler.h"
#include "kernel/smp.h"
#include "kernel/thread_internal.h"
#include "kernel/timer.h"
#include "lib/base/format.h"

enum { BOOT_CPU = 0, GOOD = 2, DEAD = 4, OFF_BEAT = 6, POOR = 8 }; /* APIC IDs */

/* An empty trampoline: all in one object, for their distances. */
const uint8_t smp_trampoline_start[16];
extern const uint8_t smp_trampoline_long[16] __attribute__((alias("smp_trampoline_start")));
extern const uint8_t smp_trampoline_end[16] __attribute__((alias("smp_trampoline_start")));
static uint8_t low_pages[2 * 4096] __attribute__((aligned(4096)));
static uint8_t tables[4096];
static struct percpu boot_cpu = {.apic_id = BOOT_CPU};
static struct thread idle;
static struct percpu *made[8];
static unsigned made_count;
static pthread_t threads[8];
static unsigned thread_count;
static uint32_t last_started;
struct pool *const root_pool = NULL;
static char logged[1024];

/* --- The PC */

void log_line(enum log_level level, const char *format, ...)
{
	size_t used = strlen(logged);
	va_list args;

	(void)level;
	va_start(args, format);
	format_args(logged + used, sizeof(logged) - used - 1, format, args);
	va_end(args);
	strcat(logged, "\n");
}

/* As ap_entry(), which has instructions of ring 0. */
static void *run_cpu(void *argument)
{
	struct percpu *cpu = argument;

	cpu->lacks = cpu->apic_id == POOR ? "SMAP" : NULL;
	atomic_store(&cpu->online, true);
	while (atomic_load(&cpu->admission) == CPU_WAITS) {
		uint32_t asked = atomic_load(&cpu->tsc_asked);

		if (asked == atomic_load(&cpu->tsc_answered))
			continue;
		__builtin_ia32_lfence(); /* else RDTSC may be carried out before the question is seen */
		/* One answer of many is behind. */
		atomic_store(&cpu->tsc_answer, cpu->apic_id == OFF_BEAT && asked == 20 ? rdtsc() - (1 << 30) : rdtsc());
		atomic_store(&cpu->tsc_answered, asked);
	}
	return NULL;
}

/* The CPU comes online as the trampoline's code would. */
void apic_send_startup(uint32_t apic_id_, uint8_t page)
{
	assert_int_equal(page, 1);
	if (apic_id_ != DEAD && last_started != apic_id_) {
		last_started = apic_id_;
		assert_int_equal(pthread_create(&threads[thread_count++], NULL, run_cpu, made[made_count - 1]), 0);
	}
}

void apic_send_init(uint32_t apic_id_)
{
	assert_int_equal(apic_id_, made[made_count - 1]->apic_id);
}

bool apic_is_x2apic(void)
{
	return false;
}

void timer_wait_us(uint64_t us)
{
	(void)us;
}

/* No patience with the one that never answers, any with the others: a busy PC runs the threads late. */
uint64_t tsc_from_us(uint64_t us)
{
	return made[made_count - 1]->apic_id == DEAD ? 0 : us * 10000000;
}

void *kernel_map_device(uint64_t physical, uint64_t len_bytes, enum device_cache cache, bool writable)
{
	assert_int_equal(physical, 0x1000);
	assert_int_equal(len_bytes, sizeof(low_pages));
	assert_int_equal(cache, DEVICE_WRITE_BACK);
	assert_true(writable);
	return low_pages;
}

void *pool_alloc(struct pool *pool, size_t size_bytes)
{
	(void)pool;
	made[made_count++] = calloc(1, size_bytes);
	return made[made_count - 1];
}

enum status thread_create(struct pool *pool, struct space *space, const struct thread_config *config, struct percpu *home,
			  struct thread **out)
{
	(void)pool;
	(void)space;
	(void)config;
	(void)home;
	*out = &idle;
	return OK;
}

enum status scheduler_cpu_start(struct percpu *cpu, struct thread *thread)
{
	cpu->idle = thread;
	return OK;
}

enum status cpu_tables_create(struct percpu *cpu)
{
	(void)cpu;
	return OK;
}

void *direct_pointer(uint64_t physical)
{
	(void)physical;
	return tables;
}

uint64_t kernel_map_cr3(void)
{
	return 0;
}

void kernel_map_low_page(uint64_t physical)
{
	(void)physical;
}

void kernel_unmap_low(void)
{
}

void kernel_map_cpu_windows(struct percpu *cpu)
{
	(void)cpu;
}

void cpu_set_entry_stack(struct percpu *cpu, uint64_t stack_top)
{
	(void)cpu;
	(void)stack_top;
}

/* --- What only the other CPUs call, and here none does */

uint32_t apic_id(void)
{
	return 0;
}

void apic_cpu_start(void)
{
}

void cpu_load_tables(struct percpu *cpu)
{
	(void)cpu;
}

void cpu_load_registers(struct percpu *cpu)
{
	(void)cpu;
}

const char *cpu_features_lacking(void)
{
	return NULL;
}

void hypervisor_cpu_start(struct percpu *cpu)
{
	(void)cpu;
}

void thread_after_switch(void)
{
}

void scheduler_idle(void)
{
	abort();
}

static void test_smp_names_the_cpus_it_leaves_out(void **state)
{
	static const uint32_t ids[] = {BOOT_CPU, DEAD, OFF_BEAT, POOR, GOOD};
	struct boot_info boot = {.start_pages_physical = 0};

	(void)state;
	boot.pc.cpus_virtual = (uintptr_t)ids;
	boot.start_pages_physical = 0x1000;
	boot.pc.cpu_count = 5;
	percpus[0] = &boot_cpu;
	percpu_count = 1;
	smp_start(&boot);
	assert_string_equal(logged, "E604 CPU with APIC ID 4 did not start and is left out\n"
				    "E605 CPU with APIC ID 6 is left out: its time stamp counter differs from the boot CPU's\n"
				    "E604 CPU with APIC ID 8 is left out: it lacks SMAP, which the boot CPU has\n");
	assert_int_equal(percpu_count, 2);
	assert_int_equal(percpus[1]->apic_id, GOOD);
	assert_int_equal(percpus[1]->index, 1);
	assert_int_equal(percpus[1]->admission, CPU_ADMITTED);
	assert_int_equal(made[1]->admission, CPU_REFUSED);
	while (thread_count > 0)
		pthread_join(threads[--thread_count], NULL);
	while (made_count > 0)
		free(made[--made_count]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_smp_names_the_cpus_it_leaves_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
