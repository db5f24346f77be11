/* Who runs where: from the manifest and the PC's CPUs to a plan, which also refuses VMs that cannot get what they ask for. The
 * rules are in docs/scheduling.md. What ring 0 is told of it is lib/schedule/orders.h. Not here: mistakes that are there whatever
 * the PC has (lib/manifest). The plan is large: make it static. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/manifest/manifest.h"
#include "lib/schedule/pack.h"

/* Programs of the host get so much of each CPU that they may run on, before any VM. What is left is for reservations. */
#define SCHEDULE_HOST_BUDGET_NS UINT64_C(500000)
#define SCHEDULE_HOST_PERIOD_NS UINT64_C(10000000)

#define SCHEDULE_PLACE_ANY  UINT16_MAX
#define SCHEDULE_LINE_BYTES 256U

/* The CPUs of the PC: 0 is the boot CPU, where the manager runs. */
struct schedule_pc {
	uint32_t cpu_count;
	const uint32_t *cores; /* by CPU: threads of one core have the same number; NULL: no CPU shares its core */
};

struct schedule_plan_vm {
	uint64_t cpus[MANIFEST_CPUS_MAX / 64]; /* where its program runs, except vCPUs that have a place of their own */
	uint16_t places[MANIFEST_VCPUS_MAX];   /* the CPU of each vCPU, or SCHEDULE_PLACE_ANY */
};

struct schedule_plan {
	const struct manifest *manifest;
	uint32_t cpu_count;
	uint64_t dedicated_cpus[MANIFEST_CPUS_MAX / 64];
	uint64_t window_cpus[MANIFEST_CPUS_MAX / 64]; /* with windows of VMs that are started */
	uint64_t host_cpus[MANIFEST_CPUS_MAX / 64];   /* where programs of the host run */
	uint64_t unused_cpus[MANIFEST_CPUS_MAX / 64]; /* threads of a core that another thread of it has to itself */
	uint64_t whole_core_cpus[MANIFEST_CPUS_MAX / 64]; /* of cores with several threads: one VM uses all, nobody else any */
	uint64_t left[MANIFEST_CPUS_MAX];             /* what reservations have left of each CPU (lib/schedule/share.h) */
	struct schedule_plan_vm vms[MANIFEST_VMS_MAX];
	struct pack_group groups[MANIFEST_VMS_MAX]; /* while it is made */
};

/* Fills *plan for all VMs of *manifest that are not refused, which stays and is borrowed; refuses those for which there is no CPU
 * (E208, E209) or not enough time (E207), with messages. VMs further up go first. Call after manifest_check_host(). */
void schedule_plan_make(struct schedule_plan *plan, struct manifest *manifest, const struct schedule_pc *pc);

/* Whether programs of the host get time on that CPU before VMs. */
bool schedule_plan_has_host(const struct schedule_plan *plan, uint32_t cpu);

/* "CPU 2: dedicated to motor, vCPU 0", for a CPU that has windows, reservations or is dedicated; 0: nothing to say. Returns the
 * length, without newline. */
size_t schedule_plan_cpu_words(const struct schedule_plan *plan, uint32_t cpu, char out[SCHEDULE_LINE_BYTES]);

/* "host reserve: 5 % ...", where any CPU has words; else 0. */
size_t schedule_plan_host_words(const struct schedule_plan *plan, char out[SCHEDULE_LINE_BYTES]);

/* "all threads ...: CPU 2 3", where one VM uses cores with several threads; else 0. */
size_t schedule_plan_whole_core_words(const struct schedule_plan *plan, char out[SCHEDULE_LINE_BYTES]);

/* "unused, ...: CPU 1 3", where there are such; else 0. */
size_t schedule_plan_unused_words(const struct schedule_plan *plan, char out[SCHEDULE_LINE_BYTES]);
