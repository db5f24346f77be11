/* Places vCPUs with reservations on CPUs, each on one, so that no CPU is promised more than it has. */
#pragma once
#include <stdint.h>

#include "lib/manifest/manifest.h"

/* A search looks at so many pairs of vCPU and CPU, then gives up: some milliseconds. */
#define PACK_STEPS_MAX 100000U

/* The vCPUs of one VM. */
struct pack_group {
	uint64_t share; /* each of them takes so much of a CPU (lib/schedule/share.h) */
	uint64_t cpus[MANIFEST_CPUS_MAX / 64]; /* where they may be placed */
	uint32_t count; /* 1 .. MANIFEST_VCPUS_MAX */
	uint32_t owner; /* the caller's: it is not looked at */
	uint16_t places[MANIFEST_VCPUS_MAX]; /* filled: the CPU of each */
};

enum pack_result {
	PACK_PLACED,
	PACK_IMPOSSIBLE, /* no placing exists */
	PACK_GAVE_UP,    /* none was found in PACK_STEPS_MAX */
};

/* Places all groups, which it sorts by decreasing share, and takes their shares from left[CPU]; where it does not succeed,
 * left[] stays as it was. Tried in this order: first fit with the vCPUs of a VM on different CPUs, first fit, a search of all
 * placings. CPUs beyond MANIFEST_CPUS_MAX do not exist; one with left 0 takes nothing. Context: pure. */
enum pack_result pack_place(struct pack_group *groups, uint32_t count, uint64_t left[MANIFEST_CPUS_MAX]);
