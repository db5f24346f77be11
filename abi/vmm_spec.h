/* What the manager hands to a VMM, the program that runs one VM, and what the VMM tells back.
 *
 * The argument of a VMM's first thread is the address of its struct vmm_spec. Before that thread starts, the manager has
 * mapped everything named there into the VMM's space and has granted the handles: nothing is missing, nothing comes
 * later, and the VMM never waits on the manager. Handles that are HANDLE_NONE, addresses and sizes that are 0: there is
 * no such thing (a VM without initrd).
 * The VMM maps guest memory into its VM, creates the vCPUs and their threads, and pays for all by its own pool.
 * It ends with sys_thread_exit(code, true) once its report says why; the manager hears of that by the end of the space.
 */
#pragma once
#include <stdint.h>

#include "abi/boot_info.h"
#include "abi/syscall.h"

#define VMM_SPEC_MAGIC    0x434550534d4d5642ULL /* "BVMMSPEC" */
#define VMM_SPEC_VERSION  2U
#define VMM_NAME_BYTES    32U
#define VMM_CMDLINE_BYTES 2048U
#define VMM_TEXT_BYTES    256U
#define VMM_MODULES_MAX   16U
#define VMM_MODULE_TEXT_BYTES 256U
#define VMM_DISKS_MAX    8U
#define VMM_LINKS_MAX    8U
#define VMM_NETS_MAX     4U /* of these, network cards */
#define VMM_REGIONS_MAX  4U
#define VMM_PORTS_MAX    4U
#define VMM_REGION_PEERS_MAX 16U
#define VMM_DISK_SERIAL_BYTES 20U /* virtio's, without a NUL where it is full */
#define VMM_SPEC_ROOM_BYTES 0x4000U /* what the spec may grow to: whole pages */
#define VMM_MEMORY_LEAST_BYTES 0x200000ULL /* the first MiB of a guest is not enough to put a kernel above it */

/* Bits of the VMM's event that the manager and the console signal. Bits 0 - 15 are theirs, 16 - 62 the VMM's own. */
#define VMM_EVENT_CONSOLE      0x1ULL /* input in from_console, or room in to_console */
#define VMM_EVENT_BALLOON      0x4ULL /* spec->memory_target_bytes has changed */
#define VMM_EVENT_POWER_BUTTON 0x2ULL /* the guest shall shut down; one that does not listen is stopped: STOPPED */

/* Bits of vmm_spec.options: what the machine has besides. */
#define VMM_OPTION_TESTDEV 0x1U /* QEMU's test device (docs/qemu-devices.md); port E9h is then its */
#define VMM_OPTION_HPET    0x2U
#define VMM_OPTION_RNG     0x4U /* virtio entropy device */
#define VMM_OPTION_BALLOON 0x8U /* virtio memory balloon */

/* A file of the boot volume, read-only, shared with other programs; whole pages, the rest of the last one is zero. */
struct vmm_file {
	char path[BOOT_FILE_PATH_BYTES]; /* for messages */
	uint64_t address;                /* 0: none */
	uint64_t size_bytes;
};

/* A file handed to the guest beside its kernel, mapped as vmm_file is. */
struct vmm_module {
	uint64_t address; /* nothing is mapped there where size_bytes is 0 */
	uint64_t size_bytes;
	char text[VMM_MODULE_TEXT_BYTES]; /* as in the manifest: path, then whatever words follow it */
};

/* The guest's serial port: two channels (abi/channel.h), sizes with the header page. */
struct vmm_console {
	uint64_t to_console_address;   /* what the guest prints: the VMM is the writer */
	uint64_t to_console_bytes;
	uint64_t from_console_address; /* what the user types: the VMM is the reader */
	uint64_t from_console_bytes;
	uint64_t event_bits;           /* to be signalled to console_event after each write or read */
};

/* A virtio disk. What it holds at first is the file, then zeros up to size_bytes. */
struct vmm_disk {
	struct vmm_file file;     /* address 0: only zeros */
	uint64_t size_bytes;      /* multiple of 512; not 0 */
	uint64_t changes_address; /* copy-on-write: memory that outlives this VMM, zeroed when the PC starts; 0: read-only */
	uint64_t changes_bytes;
	char serial[VMM_DISK_SERIAL_BYTES];
	uint32_t reserved;
};

enum vmm_link_kind { VMM_LINK_NET, VMM_LINK_VSOCK };

/* A port of a switch: two channels (abi/channel.h) whose messages are abi/switch.h's. */
struct vmm_link {
	uint32_t kind;        /* enum vmm_link_kind */
	uint32_t queue_pairs; /* NET: 1 or more */
	uint64_t to_switch_address, to_switch_bytes;
	uint64_t from_switch_address, from_switch_bytes;
	uint64_t switch_bits;  /* to be signalled to switch_event after each write; of VSOCK also after each read */
	handle_t switch_event; /* signal only */
	handle_t event;        /* the device's own, wait and signal: bit VMM_LINK_EVENT_SWITCH comes from the switch */
	uint8_t mac[6];        /* NET */
	uint16_t reserved;
	uint64_t cid;          /* VSOCK */
};
#define VMM_LINK_EVENT_SWITCH 62U

/* Memory that several VMs see, each at a BAR of an ivshmem device. */
struct vmm_region {
	uint64_t size_bytes;    /* a power of two, at least 4096 */
	handle_t memory;        /* may be mapped into the VM only, with rights */
	uint32_t rights;        /* RIGHT_READ, perhaps RIGHT_WRITE */
	uint32_t own_id;        /* of this VM among the region's peers */
	uint32_t vector_count;  /* of each peer */
	handle_t event;         /* its doorbell: bit n is vector n */
	uint32_t peer_count;
	handle_t peers[VMM_REGION_PEERS_MAX]; /* by id: their doorbells, signal only; HANDLE_NONE: no such peer */
};

/* A port of the virtio console device, with two channels to a terminal of the console program. */
struct vmm_port {
	char name[VMM_NAME_BYTES]; /* that the guest sees; "": the first port, which shares the VM's terminal with COM1 */
	struct vmm_console channels;
};

/* The flash of a VM whose firmware keeps variables in it. */
struct vmm_flash {
	uint64_t address; /* writable memory that outlives this VMM, zeroed when the PC starts; 0: there is none */
	uint64_t size_bytes;
	handle_t memory;
	uint32_t reserved;
};

/* Handles in the VMM's table. */
struct vmm_handles {
	handle_t space;         /* its own address space */
	handle_t pool;          /* pays for all that it creates */
	handle_t vm;
	handle_t guest_memory;  /* memory object of memory_bytes, also mapped at guest_memory_address */
	handle_t event;         /* its own: wait and signal */
	handle_t console_event; /* signal only */
	handle_t manager_event; /* signal only: after each change of report->state */
	uint32_t reserved;
};

/* Read-only for the VMM. */
struct vmm_spec {
	uint64_t magic;
	uint32_t version;
	uint32_t size_bytes; /* sizeof(struct vmm_spec) as the manager was built */
	char name[VMM_NAME_BYTES];
	char command_line[VMM_CMDLINE_BYTES];
	struct vmm_file firmware; /* the VM begins with it, and has the kernel only by fw_cfg */
	struct vmm_file kernel;
	struct vmm_file initrd;
	uint64_t memory_bytes;         /* multiple of 4096 */
	uint64_t guest_memory_address; /* 1 GiB-aligned: offset n of the memory object is at + n, readable and writable */
	uint64_t disabled_features;    /* FEATURE_BIT(); ring 0 has them too, from VM_CREATE */
	uint64_t cpu_mask[PROGRAM_CPUS_MAX / 64]; /* for THREAD_CREATE of each vCPU; all zero: any CPU */
	uint32_t vcpu_count;
	uint32_t module_count;
	uint32_t options;              /* VMM_OPTION_* */
	uint32_t disk_count;
	uint32_t link_count;
	uint32_t region_count;
	uint32_t port_count;
	uint32_t reserved;
	uint64_t memory_target_bytes;  /* what the guest shall keep, by its balloon; 0: all. The manager changes it at any time */
	uint64_t report_address;       /* struct vmm_report, writable */
	struct vmm_console console;
	struct vmm_handles handles;
	struct vmm_module modules[VMM_MODULES_MAX];
	struct vmm_flash flash;
	struct vmm_disk disks[VMM_DISKS_MAX];
	struct vmm_link links[VMM_LINKS_MAX];
	struct vmm_region regions[VMM_REGIONS_MAX];
	struct vmm_port ports[VMM_PORTS_MAX];
};

enum vmm_state {
	VMM_STARTING,
	VMM_RUNNING, /* the first vCPU runs */
	VMM_STOPPED, /* the VM ended: stop_reason, detail, rip; text may say more */
	VMM_REFUSED, /* the VM cannot be started: text is the whole message, "E211 web: ..." */
	VMM_STATE_COUNT
};

/* One page, zeroed; the VMM writes, the manager copies it once and checks the copy. state is written last. */
struct vmm_report {
	uint32_t state;       /* enum vmm_state */
	uint32_t stop_reason; /* enum vcpu_stop_reason */
	uint64_t detail[4];   /* as in struct vcpu_exit */
	uint64_t rip;
	uint64_t exit_code;   /* stop_reason VCPU_STOP_EXIT_CODE: (v << 1) | 1 of the v that the guest wrote to port F4h */
	uint64_t memory_given_bytes; /* that the guest has given up by its balloon; while it runs, like the next */
	uint64_t memory_free_bytes;  /* of the guest, as it says; UINT64_MAX: it does not */
	char text[VMM_TEXT_BYTES]; /* printable ASCII, NUL-terminated, no newline */
};

_Static_assert(sizeof(struct vmm_file) == 144, "vmm_file layout");
_Static_assert(sizeof(struct vmm_handles) == 32, "vmm_handles layout");
_Static_assert(sizeof(struct vmm_disk) == 192, "vmm_disk layout");
_Static_assert(sizeof(struct vmm_link) == 72, "vmm_link layout");
_Static_assert(sizeof(struct vmm_region) == 96, "vmm_region layout");
_Static_assert(sizeof(struct vmm_port) == 72, "vmm_port layout");
_Static_assert(sizeof(struct vmm_flash) == 24, "vmm_flash layout");
_Static_assert(sizeof(struct vmm_spec) == 2800 + VMM_MODULES_MAX * 272 + 24 + VMM_DISKS_MAX * 192 + VMM_LINKS_MAX * 72 +
						  VMM_REGIONS_MAX * 96 + VMM_PORTS_MAX * 72,
	       "vmm_spec layout");
_Static_assert(sizeof(struct vmm_spec) <= VMM_SPEC_ROOM_BYTES, "the spec has room");
_Static_assert(sizeof(struct vmm_report) <= 4096, "the report is one page");
