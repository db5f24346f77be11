/* The network switches: their channels, programs and lines for the user. */
#include "manager/switches.h"

#include "lib/base/format.h"
#include "lib/base/string.h"
#include "manager/layout.h"
#include "manager/program.h"
#include "user/calls.h"
#include "user/log.h"

#define SWITCH_PATH    "system/switch"
#define SPEC_ROOM_BYTES 0x2000ULL
#define PAGES_BYTES    (SPEC_ROOM_BYTES + 0x1000ULL)
#define READ_WRITE     (RIGHT_READ | RIGHT_WRITE)
#define OWN_BYTES      0x80000ULL /* program, stack, tables, kernel objects */

_Static_assert(sizeof(struct switch_spec) <= SPEC_ROOM_BYTES, "the spec has room");
_Static_assert(LINK_FROM_SWITCH_BYTES <= VMM_LINK_HALF_BYTES && LINK_TO_SWITCH_BYTES <= VMM_LINK_HALF_BYTES, "links have room");
_Static_assert(SWITCH_NAME_BYTES == MANIFEST_NAME_BYTES && SWITCH_NAME_BYTES == VMM_NAME_BYTES, "names");

uint64_t switches_memory_bytes(const struct manifest *manifest)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < manifest->switch_count; i++)
		bytes += OWN_BYTES + manifest->switches[i].port_count * (uint64_t)(LINK_TO_SWITCH_BYTES + LINK_FROM_SWITCH_BYTES);
	return bytes;
}

/* A port for a link of that VM; the manifest lets no more in than there is room for. */
static struct switch_port *add_port(struct switches *switches, uint32_t index, uint32_t vm, uint32_t link)
{
	struct switch_entry *entry = &switches->entries[index];
	struct switch_port *port = &entry->ports[entry->port_count++];

	*port = (struct switch_port){.vm = vm, .link = link};
	memcpy(port->wanted.vm_name, switches->around.manifest->vms[vm].name, sizeof(port->wanted.vm_name));
	return port;
}

static void add_net(struct switches *switches, uint32_t vm, uint32_t link, const struct manifest_net *net)
{
	struct switch_port *port = add_port(switches, net->switch_index, vm, link);

	port->queue_pairs = net->queue_pairs;
	port->wanted.kind = SWITCH_FRAME;
	port->wanted.flags = (net->mac_filter ? SWITCH_PORT_MAC_FILTER : 0) | (net->isolated ? SWITCH_PORT_ISOLATED : 0);
	port->wanted.rate_bytes = net->rate_bytes;
	memcpy(port->wanted.mac, net->mac, sizeof(net->mac));
}

/* The VM's last link. */
static void add_vsock(struct switches *switches, uint32_t vm, const struct manifest_vm *wanted)
{
	struct switch_port *port = add_port(switches, wanted->vsock.switch_index, vm, wanted->net_count);

	port->wanted.kind = SWITCH_VSOCK;
	port->wanted.cid = wanted->vsock.cid;
}

static void collect_ports(struct switches *switches)
{
	const struct manifest *manifest = switches->around.manifest;

	for (uint32_t vm = 0; vm < manifest->vm_count; vm++) {
		if (manifest->vms[vm].refused)
			continue;
		for (uint32_t i = 0; i < manifest->vms[vm].net_count; i++)
			add_net(switches, vm, i, &manifest->vms[vm].nets[i]);
		if (switches_link_count(&manifest->vms[vm]) > manifest->vms[vm].net_count)
			add_vsock(switches, vm, &manifest->vms[vm]);
	}
}

static enum status make_port(struct switch_port *port)
{
	enum status status = memory_create_filled(MANAGER_HANDLE_POOL, LINK_TO_SWITCH_BYTES, &port->to_switch);

	if (status == OK)
		status = memory_create_filled(MANAGER_HANDLE_POOL, LINK_FROM_SWITCH_BYTES, &port->from_switch);
	return status == OK ? sys_event_create(MANAGER_HANDLE_POOL, &port->event) : status;
}

static enum status make_lasting_parts(struct switch_entry *entry, uint32_t index)
{
	uint64_t window = MANAGER_WINDOW_SWITCHES + index * MANAGER_SWITCH_WINDOW_BYTES;
	enum status status = memory_create_filled(MANAGER_HANDLE_POOL, PAGES_BYTES, &entry->pages);

	if (status == OK)
		status = space_map_all(MANAGER_HANDLE_SPACE, entry->pages, window, 0, PAGES_BYTES, READ_WRITE);
	if (status == OK)
		status = sys_event_create(MANAGER_HANDLE_POOL, &entry->event);
	for (uint32_t i = 0; status == OK && i < entry->port_count; i++)
		status = make_port(&entry->ports[i]);
	entry->spec = (struct switch_spec *)window;
	if (status == OK)
		entry->report = (const struct switch_report *)(window + SPEC_ROOM_BYTES);
	return status;
}

static enum status give_port(const struct switch_port *port, uint32_t index, handle_t space, struct switch_port_spec *spec)
{
	uint64_t window = SWITCH_WINDOW_PORTS + index * VMM_LINK_WINDOW_BYTES;
	enum status status;

	*spec = port->wanted;
	spec->to_switch_address = window;
	spec->to_switch_bytes = LINK_TO_SWITCH_BYTES;
	spec->from_switch_address = window + VMM_LINK_HALF_BYTES;
	spec->from_switch_bytes = LINK_FROM_SWITCH_BYTES;
	spec->peer_bits = 1ULL << VMM_LINK_EVENT_SWITCH;
	status = space_map_all(space, port->to_switch, window, 0, LINK_TO_SWITCH_BYTES, READ_WRITE);
	if (status == OK)
		status = space_map_all(space, port->from_switch, spec->from_switch_address, 0, LINK_FROM_SWITCH_BYTES, READ_WRITE);
	return status == OK ? sys_handle_grant(space, port->event, RIGHT_SIGNAL, spec->peer_bits, &spec->peer_event) : status;
}

static enum status equip(const struct switch_entry *entry, handle_t space)
{
	struct switch_spec *spec = entry->spec;
	enum status status;

	memset(spec, 0, sizeof(*spec));
	spec->magic = SWITCH_SPEC_MAGIC;
	spec->version = SWITCH_SPEC_VERSION;
	spec->size_bytes = sizeof(*spec);
	memcpy(spec->name, entry->name, strnlen(entry->name, sizeof(spec->name) - 1));
	spec->port_count = entry->port_count;
	spec->report_address = SWITCH_WINDOW_REPORT;
	status = space_map_all(space, entry->pages, SWITCH_WINDOW_SPEC, 0, SPEC_ROOM_BYTES, RIGHT_READ);
	if (status == OK)
		status = space_map_all(space, entry->pages, SWITCH_WINDOW_REPORT, SPEC_ROOM_BYTES, PAGES_BYTES - SPEC_ROOM_BYTES,
				       READ_WRITE);
	if (status == OK)
		status = sys_handle_grant(space, entry->event, RIGHT_WAIT | RIGHT_SIGNAL, UINT64_MAX, &spec->own_event);
	for (uint32_t i = 0; status == OK && i < entry->port_count; i++)
		status = give_port(&entry->ports[i], i, space, &spec->ports[i]);
	return status;
}

static void start(struct switch_entry *entry, const struct switch_surroundings *around)
{
	const struct program_request request = {
		.path = SWITCH_PATH,
		.pool = MANAGER_HANDLE_POOL,
		.end_event = around->manager_event,
		.end_bits = around->end_bits,
		.cpu_mask = around->cpu_mask,
	};
	struct program_problem problem = {.what = "does not fit into memory"};
	struct program program;
	enum status status;

	if (entry->report == NULL) {
		log_print("E640 switch %s: no memory for its ports: cards on it reach nobody; lower the memory of VMs in "
			  "bulkhead.toml", entry->name);
		return;
	}
	status = program_create(around->host, &request, &program, &problem);
	if (status == OK) {
		problem.what = "cannot be equipped";
		status = equip(entry, program.space);
		if (status == OK)
			status = program_run(&program, entry->name, SWITCH_WINDOW_SPEC);
		if (status != OK)
			sys_handle_close(program.space);
	}
	entry->running = status == OK;
	if (entry->running)
		entry->space = program.space;
	else
		log_print("E640 switch %s: bulkhead/%s %s (error %u): cards on it reach nobody; copy the folder system from the "
			  "release again", entry->name, SWITCH_PATH, problem.what, status);
}

void switches_start(struct switches *switches, const struct switch_surroundings *around)
{
	const struct manifest *manifest = around->manifest;

	switches->around = *around;
	switches->count = manifest->switch_count;
	for (uint32_t i = 0; i < switches->count; i++)
		switches->entries[i].name = manifest->switches[i].name;
	collect_ports(switches);
	for (uint32_t i = 0; i < switches->count; i++) {
		if (make_lasting_parts(&switches->entries[i], i) != OK)
			switches->entries[i].report = NULL; /* start() says so */
		start(&switches->entries[i], around);
	}
}

static bool look(struct switch_entry *entry, const struct switch_surroundings *around)
{
	struct space_status status;

	if (!entry->running || sys_space_status(entry->space, &status) != OK || status.state == SPACE_RUNNING)
		return false;
	entry->running = false;
	sys_handle_close(entry->space);
	if (status.state == SPACE_FAULTED)
		log_print("E640 switch %s: stopped by exception %u at 0x%lx, address 0x%lx; VMs go on", entry->name,
			  status.exception, status.rip, status.fault_address);
	else
		log_print("E640 switch %s: ended by itself, exit code %lu; VMs go on", entry->name, status.exit_code);
	if (entry->restart_count++ < SWITCH_RESTARTS_MAX)
		start(entry, around);
	else
		log_print("E640 switch %s: stopped %u times and stays off: cards on it reach nobody; report it with the output "
			  "of `log`", entry->name, SWITCH_RESTARTS_MAX + 1);
	return true;
}

bool switches_look(struct switches *switches)
{
	bool changed = false;

	for (uint32_t i = 0; i < switches->count; i++)
		changed |= look(&switches->entries[i], &switches->around);
	return changed;
}

static enum status give_link(const struct switch_entry *entry, uint32_t number, handle_t space, struct vmm_link *link)
{
	const struct switch_port *port = &entry->ports[number];
	uint64_t window = VMM_WINDOW_LINKS + port->link * VMM_LINK_WINDOW_BYTES;
	enum status status;

	*link = (struct vmm_link){
		.kind = port->wanted.kind == SWITCH_FRAME ? VMM_LINK_NET : VMM_LINK_VSOCK,
		.queue_pairs = port->queue_pairs,
		.to_switch_address = window,
		.to_switch_bytes = LINK_TO_SWITCH_BYTES,
		.from_switch_address = window + VMM_LINK_HALF_BYTES,
		.from_switch_bytes = LINK_FROM_SWITCH_BYTES,
		.switch_bits = 1ULL << number,
		.cid = port->wanted.cid,
	};
	memcpy(link->mac, port->wanted.mac, sizeof(link->mac));
	status = space_map_all(space, port->to_switch, window, 0, LINK_TO_SWITCH_BYTES, READ_WRITE);
	if (status == OK)
		status = space_map_all(space, port->from_switch, link->from_switch_address, 0, LINK_FROM_SWITCH_BYTES, READ_WRITE);
	if (status == OK)
		status = sys_handle_grant(space, entry->event, RIGHT_SIGNAL, link->switch_bits, &link->switch_event);
	if (status == OK)
		status = sys_handle_grant(space, port->event, RIGHT_WAIT | RIGHT_SIGNAL, UINT64_MAX, &link->event);
	return status;
}

enum status switches_give_links(const struct switches *switches, uint32_t vm, handle_t space, struct vmm_spec *spec)
{
	enum status status = OK;

	for (uint32_t i = 0; i < switches->count; i++) {
		const struct switch_entry *entry = &switches->entries[i];

		for (uint32_t n = 0; n < entry->port_count; n++) {
			uint32_t link = entry->ports[n].link;

			if (entry->ports[n].vm != vm || link >= VMM_LINKS_MAX)
				continue;
			if (entry->report == NULL)
				return ERR_NO_MEMORY;
			status = give_link(entry, n, space, &spec->links[link]);
			if (status != OK)
				return status;
			spec->link_count = link >= spec->link_count ? link + 1 : spec->link_count;
		}
	}
	return OK;
}

size_t switch_list_line(const struct switches *switches, uint32_t index, char *out, size_t size_bytes)
{
	const struct switch_entry *entry = &switches->entries[index];
	struct switch_report report = {.passed = 0};

	if (entry->report != NULL)
		report = *entry->report;
	return format_text(out, size_bytes, "switch %s: %s, %u port%s, %lu passed on, dropped: %lu for lack of room, %lu with a "
			   "wrong source, %lu others\n", entry->name, entry->running ? "running" : "stopped", entry->port_count,
			   entry->port_count == 1 ? "" : "s", report.passed, report.dropped_full, report.dropped_filter,
			   report.dropped_other);
}
