/* The network switches: a program for each [[switch]], started before all VMs, and started again where one dies. The channels
 * between switches and VMs last as long as the manager: a VM or a switch that starts again goes on with them. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/channel.h"
#include "abi/switch.h"
#include "abi/syscall.h"
#include "abi/vmm_spec.h"
#include "lib/manifest/manifest.h"
#include "manager/host.h"

#define SWITCH_RESTARTS_MAX  3U
#define LINK_TO_SWITCH_BYTES   (CHANNEL_HEADER_BYTES + 0x40000U)
#define LINK_FROM_SWITCH_BYTES (CHANNEL_HEADER_BYTES + 0x100000U)
#define SWITCH_LINE_BYTES    256U

struct switch_surroundings {
	const struct host *host;
	const struct manifest *manifest;
	handle_t manager_event;
	uint64_t end_bits; /* signalled to manager_event when a switch ended */
	const uint64_t *cpu_mask; /* where switches run */
};

/* One end of a cable, and whose. */
struct switch_port {
	uint32_t vm, link; /* the VM's link of that number */
	struct switch_port_spec wanted; /* what the manifest says; addresses and handles come later */
	uint32_t queue_pairs;
	handle_t to_switch, from_switch; /* memory objects of channels */
	handle_t event;                  /* the VMM's device waits on it */
};

struct switch_entry {
	const char *name;
	bool running;
	uint32_t restart_count;
	handle_t space;
	/* made once */
	handle_t event, pages; /* what it waits on; spec and report */
	struct switch_spec *spec;
	const struct switch_report *report;
	uint32_t port_count;
	struct switch_port ports[SWITCH_PORTS_MAX];
};

struct switches {
	struct switch_surroundings around;
	uint32_t count;
	struct switch_entry entries[MANIFEST_SWITCHES_MAX];
};

/* Memory that the switches of a manifest take; beside it, each link takes VM_POOL_LINK_BYTES of its VM's pool. */
uint64_t switches_memory_bytes(const struct manifest *manifest);
#define VM_POOL_LINK_BYTES 0x10000U
/* Network cards, and the socket device if it has one. */
static inline uint32_t switches_link_count(const struct manifest_vm *wanted)
{
	return wanted->net_count + (wanted->vsock.switch_name[0] != '\0' ? 1 : 0);
}

/* Makes channels and starts the programs. What fails is said in the log: VMs start all the same. */
void switches_start(struct switches *switches, const struct switch_surroundings *around);

/* Starts those again that ended. True: something was said. */
bool switches_look(struct switches *switches);

/* Maps the VM's links into its VMM's space and fills spec->links. Errors: those of the calls. */
MUST_CHECK enum status switches_give_links(const struct switches *switches, uint32_t vm, handle_t space, struct vmm_spec *spec);

/* A line of the command "list" for the switch of that index, with a newline; returns its length. */
size_t switch_list_line(const struct switches *switches, uint32_t index, char *out, size_t size_bytes);
