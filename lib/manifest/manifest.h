/* The manifest, bulkhead.toml, as a plain struct: what the host does and which VMs there are.
 * The manager reads it at boot and the developer's tool reads it by the same code. An entry that is wrong refuses its
 * own VM, with messages that say where, what and the remedy; the others stay. Not here: syntax (lib/toml), files and
 * starting. Reference for users: docs/manifest.md. Both structs are large (see the assertion in manifest.c): make them
 * static. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/boot_info.h"
#include "abi/features.h"
#include "abi/schedule.h"
#include "abi/status.h"
#include "abi/switch.h"
#include "abi/vmm_spec.h"
#include "lib/base/error_codes.h"
#include "lib/toml/toml.h"

#define MANIFEST_FILE_NAME        "bulkhead.toml"
#define MANIFEST_VMS_MAX          64U
#define MANIFEST_VCPUS_MAX        64U
#define MANIFEST_CPUS_MAX         256U
#define MANIFEST_WINDOWS_MAX      SCHEDULE_WINDOWS_MAX
#define MANIFEST_CAP_MAX_PERCENT  (100U * MANIFEST_CPUS_MAX)
#define MANIFEST_BUDGET_MIN_NS    UINT64_C(50000)
#define MANIFEST_PERIOD_MIN_NS    UINT64_C(1000000)
#define MANIFEST_PERIOD_MAX_NS    UINT64_C(1000000000)
#define MANIFEST_WINDOW_MIN_NS    UINT64_C(50000)
#define MANIFEST_FRAME_MIN_NS     UINT64_C(1000000)
#define MANIFEST_FRAME_MAX_NS     UINT64_C(10000000000)
#define MANIFEST_NAME_BYTES       32U
#define MANIFEST_CMDLINE_BYTES    2048U
#define MANIFEST_PORTS_MAX        (VMM_PORTS_MAX - 1) /* besides the first */
#define MANIFEST_PORT_NAME_BYTES  16U
#define MANIFEST_CID_MIN          3U /* below are the host's and reserved ones */
#define MANIFEST_CID_MAX          (UINT32_MAX - 1)
#define MANIFEST_MODULES_MAX      VMM_MODULES_MAX
#define MANIFEST_MODULE_BYTES     VMM_MODULE_TEXT_BYTES
#define MANIFEST_DISKS_MAX        VMM_DISKS_MAX
#define MANIFEST_SERIAL_BYTES     (VMM_DISK_SERIAL_BYTES + 1U)
#define MANIFEST_SWITCHES_MAX     8U
#define MANIFEST_NETS_MAX         VMM_NETS_MAX /* network cards of a VM */
#define MANIFEST_QUEUES_MAX       8U  /* pairs of queues of a card */
#define MANIFEST_REGIONS_MAX      16U
#define MANIFEST_REGION_MAX_BYTES (UINT64_C(1) << 28) /* a quarter of the addresses that are left for devices below 4 GiB */
#define MANIFEST_VECTORS_MAX      32U
#define MANIFEST_RATE_MIN_BYTES   UINT64_C(0x10000)
#define MANIFEST_RATE_MAX_BYTES   (UINT64_C(1) << 36)
#define MANIFEST_MEMORY_MIN_BYTES VMM_MEMORY_LEAST_BYTES
#define MANIFEST_MEMORY_MAX_BYTES (UINT64_C(1) << 40)
#define MANIFEST_MESSAGES_MAX     192U
#define MANIFEST_MESSAGES_SHARED  128U /* beyond these only the first message of a VM is kept */
#define MANIFEST_MESSAGES_PER_VM  8U
#define MANIFEST_MESSAGE_BYTES    256U
#define MANIFEST_LINE_BYTES       320U /* holds any formatted message */

enum manifest_restart { MANIFEST_RESTART_NEVER, MANIFEST_RESTART_ON_FAILURE, MANIFEST_RESTART_ALWAYS };

/* Bits of manifest_host.console. */
enum manifest_console { MANIFEST_CONSOLE_SERIAL = 1, MANIFEST_CONSOLE_SCREEN = 2 };

/* Whether the threads of one core may run different VMs at once. */
enum manifest_smt { MANIFEST_SMT_SEPARATE, MANIFEST_SMT_SHARE };

struct manifest_host {
	uint64_t console;           /* set of enum manifest_console */
	uint64_t disabled_features; /* set of FEATURE_BIT() */
	uint32_t smt;               /* enum manifest_smt */
	bool quiet;
};

/* CPU time that each vCPU of a VM is guaranteed; budget_ns 0: none. */
struct manifest_reserve {
	uint64_t budget_ns, period_ns;
};

/* Where keys stand whose values are checked against others; 0: the key is not there. */
struct manifest_lines {
	uint32_t cpus, cap, reserve, dedicated, service_cpu;
};

struct manifest_window {
	uint64_t start_ns, length_ns;          /* from the start of the frame */
	uint64_t vms;                          /* bit n: manifest.vms[n] */
	uint64_t cpus[MANIFEST_CPUS_MAX / 64]; /* as manifest_vm.cpus; not all zero */
	uint32_t line;
};

/* The table [schedule]. One that is wrong has no windows, and the VMs that it names are refused. */
struct manifest_schedule {
	uint64_t frame_ns;
	bool slack;            /* window time that is left goes to VMs that are in no window */
	uint32_t line;         /* 0: there is none */
	uint32_t window_count;
	struct manifest_window windows[MANIFEST_WINDOWS_MAX];
};

enum manifest_disk_mode { MANIFEST_DISK_COW, MANIFEST_DISK_READ_ONLY };

struct manifest_disk {
	char file[BOOT_FILE_PATH_BYTES]; /* "": only zeros */
	char serial[MANIFEST_SERIAL_BYTES]; /* "": none was given */
	uint32_t mode;          /* enum manifest_disk_mode */
	uint64_t size_bytes;    /* 0: as large as the file; after manifest_check_host() a multiple of 512 */
	uint64_t changes_bytes; /* memory for what the guest changes; 0: all that can be needed, see manifest_check_host() */
	uint32_t line;
};

struct manifest_switch {
	char name[MANIFEST_NAME_BYTES];
	uint32_t line;
	uint32_t port_count; /* of all VMs' links */
};

/* A network card. */
struct manifest_net {
	char switch_name[MANIFEST_NAME_BYTES];
	uint32_t switch_index; /* of manifest.switches; once manifest_read() is through and the VM is not refused */
	uint32_t queue_pairs;
	uint64_t rate_bytes; /* a second; 0: no limit */
	uint8_t mac[6];
	bool mac_filter, isolated;
	uint32_t line;
};

/* Memory that VMs share: a power of two. */
struct manifest_region {
	char name[MANIFEST_NAME_BYTES];
	uint64_t size_bytes;
	uint32_t line;
	uint32_t peer_count; /* VMs that name it; each has a number, in the file's order */
	uint32_t peer_vectors[VMM_REGION_PEERS_MAX];
};

enum manifest_access { MANIFEST_ACCESS_READ_WRITE, MANIFEST_ACCESS_READ_ONLY };

/* What a VM sees of a region. */
struct manifest_shared {
	char region_name[MANIFEST_NAME_BYTES];
	uint32_t region_index, own_id; /* once manifest_read() is through and the VM is not refused */
	uint64_t size_bytes;           /* the same: the region's */
	uint32_t access;               /* enum manifest_access */
	uint32_t vector_count;         /* by which peers can ring */
	uint32_t line;
};

/* A socket device. */
struct manifest_vsock {
	char switch_name[MANIFEST_NAME_BYTES]; /* "": there is none */
	uint32_t switch_index; /* as manifest_net's */
	uint32_t cid;
	uint32_t line;
};

struct manifest_vm {
	char name[MANIFEST_NAME_BYTES];    /* "#3" for the third VM where its own name cannot be used; never empty */
	char kernel[BOOT_FILE_PATH_BYTES]; /* relative to bulkhead/ on the boot volume */
	char initrd[BOOT_FILE_PATH_BYTES]; /* "": none */
	char firmware[BOOT_FILE_PATH_BYTES]; /* "": none; then kernel may be "" */
	char cmdline[MANIFEST_CMDLINE_BYTES];
	uint32_t module_count;
	char modules[MANIFEST_MODULES_MAX][MANIFEST_MODULE_BYTES]; /* "path words": what the guest reads beside the file */
	uint64_t memory_bytes;                 /* multiple of 4096 */
	uint64_t cpus[MANIFEST_CPUS_MAX / 64]; /* bit n % 64 of word n / 64: may run on CPU n; all zero: on any */
	uint32_t vcpu_count;
	uint32_t weight;
	uint32_t cap_percent; /* of one CPU; 0: no cap */
	struct manifest_reserve reserve;
	bool dedicated;       /* cpus are its own, one for each vCPU */
	uint32_t service_cpu; /* where the other threads of a dedicated VM's VMM run */
	bool hpet;            /* the machine has a high precision event timer */
	bool rng;             /* it has a virtio entropy device */
	bool balloon;         /* it has a virtio memory balloon */
	bool hvc;             /* it has a virtio console; with ports in any case */
	uint32_t port_count;
	char ports[MANIFEST_PORTS_MAX][MANIFEST_PORT_NAME_BYTES]; /* the console's further ports, by their names */
	uint32_t disk_count;
	struct manifest_disk disks[MANIFEST_DISKS_MAX];
	uint32_t net_count;
	struct manifest_net nets[MANIFEST_NETS_MAX];
	uint32_t share_count;
	struct manifest_shared shares[VMM_REGIONS_MAX];
	struct manifest_vsock vsock;
	struct manifest_lines lines;
	uint32_t restart; /* enum manifest_restart */
	bool autostart;   /* false: it starts, and gets its memory, by the command "start" */
	bool testdev;
	uint32_t line;    /* of its [[vm]]; 0: not from a file */
	uint32_t message_count;
	bool refused; /* must not be started; its messages say why. The other fields may then be defaults. */
};

/* The path of a module: all before its first space. text comes from manifest_vm.modules. Context: any; pure. */
void manifest_module_path(const char *text, char path[BOOT_FILE_PATH_BYTES]);

static inline bool manifest_has_cpu(const uint64_t cpus[MANIFEST_CPUS_MAX / 64], uint32_t cpu)
{
	return (cpus[cpu / 64] >> (cpu % 64) & 1) != 0;
}

struct manifest_message {
	enum error_code code;
	uint32_t line;                     /* 0: none */
	uint32_t column;                   /* 0: none */
	int32_t vm_index;                  /* -1: of no VM */
	char text[MANIFEST_MESSAGE_BYTES]; /* printable ASCII */
};

struct manifest {
	const char *file_name; /* for messages; the caller's */
	struct manifest_host host;
	struct manifest_schedule schedule;
	uint32_t vm_count;
	uint32_t message_count;
	uint32_t messages_left_out;
	uint32_t error_count; /* all messages but notes, also those left out */
	uint32_t switch_count;
	struct manifest_switch switches[MANIFEST_SWITCHES_MAX];
	uint32_t region_count;
	struct manifest_region regions[MANIFEST_REGIONS_MAX];
	struct manifest_vm vms[MANIFEST_VMS_MAX];
	struct manifest_message messages[MANIFEST_MESSAGES_MAX];
};

/* Room for the parsed file while manifest_read() runs. */
struct manifest_workspace {
	struct toml_node nodes[4096];
	char text[160 * 1024];
};

/* Fills *manifest from text[0 .. len_bytes), whatever that holds: VMs in the file's order, messages for all that is
 * wrong. A file that is no TOML gives one message (E101, E102) and no VM. file_name must stay; text and workspace need
 * not. Context: any; pure. */
void manifest_read(struct manifest *manifest, struct manifest_workspace *workspace, const char *file_name,
		   const char *text, size_t len_bytes);

/* A file of the boot volume, for manifest_default(). */
struct manifest_boot_file {
	const char *path; /* relative to bulkhead/ */
	bool is_kernel;
};

/* Fills *manifest for a PC without bulkhead.toml: one VM with all defaults for each kernel among files[0 .. count) (the
 * first 64), named after its folder (after the file, where the folder has several), with the initrd* of its folder if
 * that is just one. Context: any; pure. */
void manifest_default(struct manifest *manifest, const struct manifest_boot_file *files, size_t count);

/* Lowers the memory of each VM of such a manifest to an equal share of free_bytes where it is more than that: a multiple of
 * 2 MiB, and the least that a VM may have. Context: any; pure. */
void manifest_default_memory(struct manifest *manifest, uint64_t free_bytes);

/* What a VM can get on this PC. find_file says OK, ERR_NOT_FOUND, ERR_NO_MEMORY (on the volume, but did not fit into
 * memory) or another error (could not be read) for a path relative to bulkhead/. */
struct manifest_limits {
	uint32_t cpu_count;
	uint64_t free_bytes; /* for all VMs together */
	enum status (*find_file)(void *context, const char *path);
	uint64_t (*file_bytes)(void *context, const char *path); /* of one that was found; NULL: nobody knows */
	void *context;
};

/* Refuses, with messages, each VM that this PC cannot run: files missing, CPUs it does not have, or more memory than
 * the VMs before it left. VMs get memory in the manifest's order; one without autostart gets it later, and is measured
 * against all there is. Call once. Context: any. */
void manifest_check_host(struct manifest *manifest, const struct manifest_limits *limits);

/* Memory that a VM has besides its own: for what it changes on its disks. After manifest_check_host(). */
uint64_t manifest_changes_bytes(const struct manifest_vm *vm);

/* Reports that the manifest is on the boot volume but cannot be read (E119), in an otherwise empty manifest.
 * reason: words that go after "cannot be read: ". */
void manifest_unreadable(struct manifest *manifest, const char *file_name, const char *reason);

/* Notes (E120) tell something but refuse nothing. */
bool manifest_message_is_note(const struct manifest_message *message);

/* "E105 bulkhead.toml line 12: key ..." into out[0 .. size_bytes); returns the length as format_text() does. */
size_t manifest_message_format(const struct manifest *manifest, const struct manifest_message *message, char *out,
			       size_t size_bytes);

/* "512M", "3G", "1028K": the largest unit that divides bytes; plain digits else. */
size_t manifest_size_format(uint64_t bytes, char *out, size_t size_bytes);

/* "10ms", "50us", "2s", as the manifest has it: the largest unit that divides ns; below a microsecond "7ns". */
size_t manifest_duration_format(uint64_t ns, char *out, size_t size_bytes);
