/* How CPU time is shared out: what the manager tells ring 0 of CPUs (SCHEDULE_CPU) and of programs (SCHEDULE_SPACE), and what ring
 * 0 accounts for each vCPU (VCPU_STATUS). docs/scheduling.md explains the rules. All times are ticks of the TSC. */
#pragma once
#include <stdint.h>

#define SCHEDULE_WINDOWS_MAX  64U
#define SCHEDULE_VCPUS_MAX    64U
#define SCHEDULE_CPU_ANY      UINT32_MAX
#define SCHEDULE_WEIGHT_MAX   10000U
#define SCHEDULE_WEIGHT_USUAL 100U
#define SCHEDULE_CAP_MAX      25600U /* percent of one CPU */
#define SCHEDULE_PERIOD_MAX_TICKS (UINT64_C(1) << 40) /* of frames and reservations: minutes */

enum schedule_mode {
	SCHEDULE_FAIR,      /* reservations first, shares by weight in the rest */
	SCHEDULE_WINDOWS,   /* a frame of windows, each for some VMs */
	SCHEDULE_DEDICATED, /* one vCPU and nothing else */
	SCHEDULE_MODE_COUNT
};

/* A part of the frame. */
struct schedule_window {
	uint64_t start_ticks, end_ticks; /* from the start of the frame; start < end <= frame */
	uint32_t index;                  /* 0 .. 63: the bit of schedule_space.windows */
	uint32_t reserved;
};

/* SCHEDULE_CPU */
struct schedule_cpu {
	uint32_t mode;                  /* enum schedule_mode */
	uint32_t window_count;          /* SCHEDULE_WINDOWS: windows[0 .. window_count), by start, without overlap */
	uint32_t slack;                 /* 1: time that the VMs of a window leave goes to VMs that are in no window */
	uint32_t reserved;
	uint64_t frame_ticks, epoch_tsc; /* frames begin at epoch_tsc + n * frame_ticks, alike on all CPUs */
	uint64_t host_budget_ticks;     /* of each host_period_ticks for programs of the host, as a reservation; 0: nothing */
	uint64_t host_period_ticks;
	struct schedule_window windows[SCHEDULE_WINDOWS_MAX];
};

/* Where a vCPU runs, and what it is guaranteed there. */
struct schedule_place {
	uint32_t cpu;          /* it stays there; SCHEDULE_CPU_ANY: where there is time, among the program's CPUs */
	uint32_t reserved;
	uint64_t budget_ticks; /* of each period; 0: no reservation */
	uint64_t period_ticks;
};

/* SCHEDULE_SPACE: before the program's first thread. A program that was told nothing has weight 100. */
struct schedule_space {
	uint32_t weight;      /* 1 .. 10000: divided among its threads that want to run */
	uint32_t cap_percent; /* of one CPU: 200 is two; 0: no cap */
	uint64_t windows;     /* bit n: it may run in the windows of index n; 0: it is in no window */
	struct schedule_place vcpus[SCHEDULE_VCPUS_MAX]; /* by vCPU index: taken up when a thread first runs the vCPU */
};

/* VCPU_STATUS: what became of a vCPU's time since it was made. */
struct vcpu_status {
	uint64_t run_ticks;    /* it had a CPU, in the guest, in ring 0 or in its VMM */
	uint64_t wait_ticks;   /* ready, but its cap or its windows kept it from running */
	uint64_t steal_ticks;  /* ready, and others had the CPU */
	uint64_t halted_ticks; /* in HLT, or waiting for INIT-SIPI */
	uint64_t switches;     /* how often it was given a CPU */
	uint64_t migrations;   /* how often it went to another CPU */
	uint32_t cpu;          /* where it is at home */
	uint32_t state;        /* enum vcpu_run_state */
};
enum vcpu_run_state { VCPU_STATE_READY, VCPU_STATE_RUNNING, VCPU_STATE_HALTED, VCPU_STATE_WAITS_FOR_SIPI, VCPU_STATE_OFF };

_Static_assert(sizeof(struct schedule_window) == 24, "schedule_window layout");
_Static_assert(sizeof(struct schedule_cpu) <= 2048, "copied to a kernel stack");
_Static_assert(sizeof(struct schedule_space) <= 2048, "copied to a kernel stack");
