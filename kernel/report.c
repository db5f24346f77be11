/* Collects which CPUs run and which did not start. */
#include "kernel/report.h"

#include "kernel/cpu.h"
#include "kernel/percpu.h"
#include "lib/base/format.h"

#define FAILED_MAX 32U

static uint32_t failed[FAILED_MAX];
static uint32_t failed_count;

void report_failed_cpu(uint32_t apic_id)
{
	if (failed_count < FAILED_MAX)
		failed[failed_count] = apic_id;
	failed_count++;
}

uint32_t report_failed_count(void)
{
	return failed_count;
}

size_t report_cpus(char *out, size_t size_bytes)
{
	size_t used = format_text(out, size_bytes, "%u x %s\n", percpu_count, cpu_features.brand);

	for (uint32_t i = 0; i < percpu_count && used + 64 < size_bytes; i++)
		used += format_text(out + used, size_bytes - used, "cpu%u: APIC ID %u\n", i, percpus[i]->apic_id);
	for (uint32_t i = 0; i < failed_count && i < FAILED_MAX && used + 64 < size_bytes; i++)
		used += format_text(out + used, size_bytes - used, "APIC ID %u: did not start, left out\n", failed[i]);
	return used;
}
