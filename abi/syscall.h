/* System calls: numbers, flags and structures that cross the ring boundary. docs/kernel-interface.md explains each call.
 *
 * A program calls through the stub page that the kernel maps at STUB_PAGE: number in RAX, arguments in RDI, RSI, R10, R11,
 * R8, R9; the answer comes in RAX: >= 0 a value (a handle, a count), < 0 the negative of an enum status. RCX, RDX, R10, R11 and
 * flags are lost. Every call is bounded; calls that say "progress" return the bytes done and are called again for the rest. */
#pragma once
#include <stdint.h>

#include "abi/status.h"

/* Arguments as (value[0], value[1], ...) -> answer. Handles of spaces, pools, VMs need RIGHT_MANAGE unless said otherwise. */
#define SYSTEM_CALLS(X)                                                                                             \
	X(LOG_WRITE)      /* (text, len_bytes) -> 0; at most 4096 bytes */                                          \
	X(LOG_READ)       /* (uint64_t *position, out, size_bytes) -> bytes */                                      \
	X(HANDLE_CLOSE)   /* (handle) -> 0 */                                                                       \
	X(HANDLE_GRANT)   /* (space, handle, rights, badge) -> handle in that space; rights: no more than one's own */ \
	X(POOL_CREATE)    /* (parent pool, guaranteed_bytes, limit_bytes: multiples of 2 MiB) -> pool */            \
	X(POOL_INFO)      /* (pool, struct pool_info *) -> 0 */                                                     \
	X(MEMORY_CREATE)  /* (pool) -> memory object of size 0 */                                                   \
	X(MEMORY_GROW)    /* (memory, target_bytes) -> size reached; progress: call until it is target_bytes */     \
	X(MEMORY_DEVICE)  /* (host, pool, physical, len_bytes, flags) -> memory object over device registers */     \
	X(SPACE_CREATE)   /* (pool, vm or 0, event or 0, bits, CPU mask or 0) -> space; event: when the program ends */ \
	X(SPACE_MAP)      /* (space, memory, address, offset, len_bytes, rights) -> bytes done: progress */         \
	X(SPACE_UNMAP)    /* (space, address of a view) -> bytes done: call until 0 or ERR_NOT_FOUND */             \
	X(SPACE_KILL)     /* (space) -> 0 */                                                                        \
	X(SPACE_STATUS)   /* (space, struct space_status *) -> 0 */                                                 \
	X(THREAD_CREATE)  /* (space, pool, struct thread_config *) -> 0; runs at once */                            \
	X(THREAD_EXIT)    /* (code, 1: ends the whole program, 0: this thread) -> never */                          \
	X(THREAD_YIELD)   /* () -> 0 */                                                                             \
	X(EVENT_CREATE)   /* (pool) -> event */                                                                     \
	X(EVENT_SIGNAL)   /* (event, bits 0 - 62) -> 0; bits outside the handle's badge are dropped */              \
	X(EVENT_WAIT)     /* (event, deadline_tsc) -> the bits, cleared; ERR_TIMED_OUT */                           \
	X(PORT_READ)      /* (ports, port, width 1, 2, 4) -> value */                                               \
	X(PORT_WRITE)     /* (ports, port, width, value) -> 0 */                                                    \
	X(IRQ_CREATE)     /* (host, pool, number, IRQ_ flags, event, bits) -> irq; masked after each signal */      \
	X(IRQ_ACK)        /* (irq) -> 0; unmasks */                                                                 \
	X(HOST_REPORT)    /* (enum host_report, out, size_bytes) -> bytes */                                        \
	X(HOST_POWER)     /* (host, enum host_power) -> only errors return */                                       \
	X(CONSOLE_TAKE)   /* (host, 1: take, 0: give back) -> 0; ring 0 leaves serial port and screen to the caller */ \
	X(VM_CREATE)      /* (host, pool, struct vm_config *) -> vm */                                              \
	X(VM_MAP)         /* (vm, gpa, memory, offset, len_bytes, rights) -> bytes done: progress */                \
	X(VM_UNMAP)       /* (vm, gpa, len_bytes) -> bytes done: progress */                                        \
	X(VM_STOP)        /* (vm, enum vcpu_stop_reason) -> 0 */                                                    \
	X(VM_MSI)         /* (vm, address, data) -> vCPUs it went to */                                             \
	X(VM_EOI_EXITS)   /* (vm, uint64_t bitmap[4]) -> 0 */                                                       \
	X(VM_STATUS)      /* (vm, struct vm_status *) -> 0 */                                                       \
	X(VCPU_CREATE)    /* (vm, struct vcpu_config *) -> vcpu; the calling program must belong to the VM */       \
	X(VCPU_RUN)       /* (vcpu, HANDLE_NONE: this thread's) -> enum vcpu_exit_kind; a vCPU keeps the first thread */   \
	X(VCPU_GET_STATE) /* (vcpu, VCPU_GROUP_ bits, struct vcpu_registers *) -> 0 */                              \
	X(VCPU_SET_STATE) /* (vcpu, VCPU_GROUP_ bits, const struct vcpu_registers *) -> 0 */                        \
	X(VCPU_EXTINT)    /* (vcpu, level) -> 0 */                                                                  \
	X(SCHEDULE_CPU)   /* (host, CPU number, const struct schedule_cpu *) -> 0; from its next switch on */        \
	X(SCHEDULE_SPACE) /* (host, space, const struct schedule_space *) -> 0 */                                   \
	X(VCPU_STATUS)    /* (vm, vCPU index, struct vcpu_status *) -> 0; ERR_NOT_FOUND: no such vCPU */             \
	X(VCPU_STEAL_RECORD) /* (vcpu, memory, offset: multiple of 64) -> 0; HANDLE_NONE: no record */             \
	X(MEMORY_DISCARD) /* (memory, offset, len_bytes: multiples of 2 MiB) -> bytes done: progress; read as zeros then */ \
	X(VM_DOORBELL)    /* (vm, event, first port, count, first bit) -> 0; HANDLE_NONE: removes the one at that port */

enum system_call {
#define SYSTEM_CALL_ENUM(name) SYS_##name,
	SYSTEM_CALLS(SYSTEM_CALL_ENUM)
#undef SYSTEM_CALL_ENUM
	SYSTEM_CALL_COUNT
};

typedef uint32_t handle_t;
#define HANDLE_NONE 0U

/* Handles that the kernel puts into the manager's table before its first instruction. */
enum manager_handle {
	MANAGER_HANDLE_SPACE = 1,      /* its own address space */
	MANAGER_HANDLE_POOL = 2,       /* the root pool: all memory */
	MANAGER_HANDLE_HOST = 3,       /* the PC: power, device memory, interrupts, VMs */
	MANAGER_HANDLE_PORTS = 4,      /* all I/O ports that ring 0 does not use itself */
	MANAGER_HANDLE_FIRST_FILE = 16 /* memory objects of the boot files, in the order of host_info.files */
};

#define RIGHT_READ    0x01U
#define RIGHT_WRITE   0x02U
#define RIGHT_EXECUTE 0x04U
#define RIGHT_WAIT    0x08U /* events */
#define RIGHT_SIGNAL  0x10U /* events */
#define RIGHT_MANAGE  0x20U /* create from it, kill it, grant from it */
#define RIGHT_ALL     0x3fU

/* Where the kernel maps two read-only pages into every program. */
#define STUB_PAGE        0x00007fffffff0000ULL /* executable: the system call stub at its first byte */
#define PROGRAM_INFO     0x00007fffffff1000ULL /* struct program_info */
#define HOST_INFO_FIXED  0x00007ffffff00000ULL /* manager only: struct host_info */

#define HOST_INFO_MAGIC   0x4f464e4954534f48ULL /* "HOSTINFO" */
#define HOST_INFO_VERSION 3U
#define PROGRAM_CPUS_MAX 1024U

struct program_info {
	uint64_t tsc_hz;          /* ticks of the TSC, the only clock, a second */
	int64_t wall_clock_seconds; /* seconds since 1970 at TSC value wall_clock_tsc, or -1 */
	uint64_t wall_clock_tsc;
	uint32_t cpu_count;       /* CPUs that run programs */
	uint32_t reserved;
};

/* The manager's view of the PC; file array and command line follow at the offsets named. The loader makes it; what only the kernel
 * knows (memory, CPUs, VT-x) is 0 until the manager starts. */
struct host_info {
	uint64_t magic;
	uint32_t version;
	uint32_t size_bytes;
	uint64_t memory_bytes;       /* RAM the firmware reported as usable */
	uint64_t rsdp_physical;
	uint32_t cpu_count;
	uint32_t cpu_failed_count;   /* CPUs that firmware lists and that did not start */
	uint32_t file_count;
	uint32_t files_offset;       /* struct boot_file[file_count] from abi/boot_info.h */
	uint32_t command_line_offset;
	uint32_t framebuffer_offset; /* struct boot_framebuffer */
	uint32_t vmx_usable;         /* 1: VMs can run; 0: HOST_REPORT_VMX says why not */
	uint32_t loader;             /* enum boot_loader_kind */
	uint32_t acpi_warnings;      /* what is odd about the firmware's tables: ACPI_WARN_ bits of lib/acpi/table.h */
	uint32_t reserved;
	char cpu_name[56];           /* the processor's brand string, NUL-terminated */
};

/* THREAD_CREATE */
struct thread_config {
	uint64_t entry;
	uint64_t stack_top;   /* RSP at entry, 16-byte aligned; the program maps its stack itself */
	uint64_t argument;    /* RDI at entry */
	uint64_t cpu_mask[PROGRAM_CPUS_MAX / 64]; /* all zero: any CPU */
	char name[16];
};

struct pool_info {
	uint64_t guaranteed_bytes;
	uint64_t limit_bytes;
	uint64_t used_bytes;
	uint64_t free_bytes; /* what this pool could still get now */
};

/* SPACE_STATUS: how a program fares. */
enum space_state { SPACE_RUNNING, SPACE_EXITED, SPACE_FAULTED, SPACE_KILLED };
struct space_status {
	uint32_t state;        /* enum space_state */
	uint32_t exception;    /* vector, when faulted */
	uint64_t exit_code;
	uint64_t rip, fault_address, error_code;
};

/* MEMORY_DEVICE flags */
#define MEMORY_WRITE_COMBINING 0x1U
#define MEMORY_CACHED          0x2U /* firmware tables */

/* HOST_REPORT */
enum host_report {
	HOST_REPORT_VMX,   /* text about VT-x, a line each */
	HOST_REPORT_CORES, /* uint32_t for each CPU: threads of one core have the same number */
	HOST_REPORT_WAKES, /* uint64_t for each CPU: how often an interrupt ended its idle HLT since the boot */
};

/* HOST_POWER */
enum host_power { HOST_POWER_UEFI_OFF, HOST_POWER_UEFI_RESET, HOST_POWER_RESET };

/* The badge of a ports handle: the ports it reaches, first and last included; BADGE_ALL: every port. */
#define BADGE_ALL UINT64_MAX
#define BADGE_PORTS(first, last) ((uint64_t)(uint16_t)(last) << 16 | (uint16_t)(first))

/* IRQ_CREATE flags */
#define IRQ_ISA 0x1U /* the number is an ISA interrupt; else a global system interrupt, level-triggered, active low */

_Static_assert(sizeof(struct host_info) == 128, "host_info layout");
