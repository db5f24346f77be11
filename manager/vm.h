/* The life of one VM: its pool, memory, VMM and terminal; how it ends and starts again. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "abi/syscall.h"
#include "abi/vmm_spec.h"
#include "lib/manifest/manifest.h"
#include "manager/console_link.h"
#include "manager/host.h"
#include "manager/regions.h"
#include "manager/schedule.h"
#include "manager/switches.h"
#include "manager/vm_report.h"

#define VM_WHY_BYTES 96U

enum vm_life {
	VM_NOT_STARTED, /* refused: why says which code; or not yet */
	VM_STARTING,    /* its VMM reads the images */
	VM_RUNNING,
	VM_ENDED,       /* why says how */
	VM_PAUSES,      /* ended, and starts again at restart_tsc */
};

/* Whoever runs VMs gives this to each of them. */
struct vm_surroundings {
	const struct host *host;
	struct console_link *console;
	const struct switches *switches;
	const struct regions *regions;
	const struct schedule *schedule; /* its plan's VMs are numbered as slots are */
	uint64_t disabled_features;
	handle_t manager_event;
	uint64_t state_bits; /* signalled to manager_event by the VMM */
	uint64_t end_bits;   /* and when the VMM ended */
};

struct vm_entry {
	/* constant after vm_init() */
	const struct manifest_vm *wanted;
	uint32_t slot;
	bool quiet; /* only failures are told */
	bool refused; /* by the manifest or for what the PC lacks: it is never started, and why says so */
	/* what stays over restarts; made at the first start */
	handle_t event;        /* the VMM waits on it */
	handle_t to_console, to_vm; /* memory objects of the terminal's channels */
	struct vm_port_channels {
		handle_t to_console, to_vm;
	} ports[MANIFEST_PORTS_MAX]; /* the same of further ports: manager/vm_ports.h */
	handle_t disk_changes[MANIFEST_DISKS_MAX]; /* memory objects; HANDLE_NONE: of a disk that is only read */
	handle_t pages;        /* memory object: a page of spec, a page of report */
	handle_t flash;        /* memory object of flash_bytes; HANDLE_NONE: its firmware wants none */
	uint64_t flash_bytes;
	struct vmm_spec *spec;
	struct vmm_report *report;
	bool has_terminal;
	/* while it runs */
	handle_t pool, vm, space, guest_memory;
	uint64_t started_tsc;
	bool stop_asked; /* by the user */
	/* always */
	enum vm_life life;
	uint32_t failures_in_row;
	uint64_t restart_tsc;
	char why[VM_WHY_BYTES];
};

void vm_init(struct vm_entry *entry, const struct manifest_vm *wanted, uint32_t slot, bool quiet);

/* Bytes of the VM's pool: guest memory, and what VMM and kernel need beside it. A multiple of 2 MiB. */
uint64_t vm_pool_bytes(const struct host *host, const struct manifest_vm *wanted);

/* Starts its VMM, or says in the log why not. Context: not alive. */
void vm_start(struct vm_entry *entry, const struct vm_surroundings *around);

/* Its VMM is there. */
bool vm_is_alive(const struct vm_entry *entry);

/* Looks whether it runs by now or ended; says so in the log. Of one that ended, frees what it had and decides about a
 * restart. True: something changed. */
bool vm_look(struct vm_entry *entry, const struct vm_surroundings *around);

/* Asks the guest to shut down; one that does not listen is stopped by its VMM. */
void vm_press_power_button(struct vm_entry *entry);

/* Asks a VM to stop; it ends soon. vm_kill: at once, and its VMM with it. */
void vm_stop(struct vm_entry *entry);
void vm_kill(struct vm_entry *entry);

/* Asks its guest to keep so many bytes, and to give the others up by its balloon. */
void vm_set_memory_target(struct vm_entry *entry, uint64_t bytes);

/* Gives the terminal of a VM that was ever started to a console that was started again. */
void vm_open_terminal(struct vm_entry *entry, const struct vm_surroundings *around);

/* One line of the command "list", with a newline; returns its length. */
size_t vm_list_line(const struct vm_entry *entry, char *out, size_t size_bytes);
#define VM_LIST_HEAD "name             state        memory  CPUs  exits       CPU time    \n"
