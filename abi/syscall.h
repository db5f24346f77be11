/* System calls: numbers, flags and structures that cross the ring boundary. docs/kernel-interface.md explains each call.
 *
 * A program calls through the stub page that the kernel maps at STUB_PAGE: number in RAX, arguments in RDI, RSI, R10, R11,
 * R8, R9; the answer comes in RAX: >= 0 a value (a handle, a count), < 0 the negative of an enum status. RCX, RDX, R10, R11 and
 * flags are lost. Every call is bounded; calls that say "progress" return the bytes done and are called again for the rest. */
#pragma once
#include <stdint.h>

#include "abi/status.h"

#define SYSTEM_CALLS(X)     \
	X(LOG_WRITE)        \
	X(LOG_READ)         \
	X(HANDLE_CLOSE)     \
	X(HANDLE_GRANT)     \
	X(POOL_CREATE)      \
	X(POOL_INFO)        \
	X(MEMORY_CREATE)    \
	X(MEMORY_GROW)      \
	X(MEMORY_DEVICE)    \
	X(SPACE_CREATE)     \
	X(SPACE_MAP)        \
	X(SPACE_UNMAP)      \
	X(SPACE_KILL)       \
	X(SPACE_STATUS)     \
	X(THREAD_CREATE)    \
	X(THREAD_EXIT)      \
	X(THREAD_YIELD)     \
	X(EVENT_CREATE)     \
	X(EVENT_SIGNAL)     \
	X(EVENT_WAIT)       \
	X(PORT_READ)        \
	X(PORT_WRITE)       \
	X(IRQ_CREATE)       \
	X(IRQ_ACK)          \
	X(HOST_REPORT)      \
	X(HOST_POWER)       \
	X(CONSOLE_TAKE)     \
	X(VM_CREATE)        \
	X(VM_MAP)           \
	X(VM_UNMAP)         \
	X(VM_STOP)          \
	X(VM_MSI)           \
	X(VM_EOI_EXITS)     \
	X(VM_STATUS)        \
	X(VCPU_CREATE)      \
	X(VCPU_RUN)         \
	X(VCPU_GET_STATE)   \
	X(VCPU_SET_STATE)   \
	X(VCPU_EXTINT)

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
	MANAGER_HANDLE_HOST_INFO = 5,  /* memory object: struct host_info and what follows it, read-only */
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

#define HOST_INFO_MAGIC 0x4f464e4954534f48ULL /* "HOSTINFO" */
#define PROGRAM_CPUS_MAX 1024U

struct program_info {
	uint64_t tsc_hz;          /* ticks of the TSC, the only clock, a second */
	int64_t wall_clock_seconds; /* seconds since 1970 at TSC value wall_clock_tsc, or -1 */
	uint64_t wall_clock_tsc;
	uint32_t cpu_count;       /* CPUs that run programs */
	uint32_t reserved;
};

/* The manager's view of the PC; file array and command line follow at the offsets named. */
struct host_info {
	uint64_t magic;
	uint32_t version;
	uint32_t size_bytes;
	uint64_t memory_bytes;       /* RAM the firmware reported as usable */
	uint64_t rsdp_physical;
	uint32_t cpu_count;
	uint32_t cpu_failed_count;   /* CPUs that firmware lists and that did not start */
	uint32_t file_count;
	uint32_t files_offset;       /* struct boot_file[file_count] from abi/boot_info.h; base_physical is 0 */
	uint32_t command_line_offset;
	uint32_t framebuffer_offset; /* struct boot_framebuffer */
	uint32_t vmx_usable;         /* 1: VMs can run; 0: HOST_REPORT_VMX says why not */
	uint32_t loader;             /* enum boot_loader_kind */
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

/* MEMORY_CREATE flags */
#define MEMORY_RAM 0U

/* HOST_REPORT: text about the PC, a line each. */
enum host_report { HOST_REPORT_VMX, HOST_REPORT_CPUS };

/* HOST_POWER */
enum host_power { HOST_POWER_UEFI_OFF, HOST_POWER_UEFI_RESET, HOST_POWER_RESET };

/* IRQ_CREATE flags */
#define IRQ_ISA 0x1U /* the number is an ISA interrupt; else a global system interrupt, level-triggered, active low */

_Static_assert(sizeof(struct host_info) == 64, "host_info layout");
