/* Channels, windows and names of ports. */
#include "manager/vm_ports.h"

#include "lib/base/format.h"
#include "lib/base/string.h"
#include "manager/layout.h"
#include "user/calls.h"

#define READ_WRITE (RIGHT_READ | RIGHT_WRITE)

_Static_assert(MANIFEST_NAME_BYTES + MANIFEST_PORT_NAME_BYTES <= CONSOLE_NAME_BYTES, "VM.PORT is a terminal's name");
_Static_assert(MANIFEST_PORT_NAME_BYTES <= VMM_NAME_BYTES, "a port's name");
_Static_assert(TERMINAL_TO_CONSOLE_BYTES <= VMM_PORT_HALF_BYTES && TERMINAL_TO_VM_BYTES <= VMM_PORT_HALF_BYTES, "windows of ports");

/* Where the channels of the spec's port are in the VMM. */
static uint64_t window_of(uint32_t port)
{
	return VMM_WINDOW_PORTS + port * VMM_PORT_WINDOW_BYTES;
}

uint64_t vm_ports_bytes(const struct manifest_vm *wanted)
{
	return wanted->port_count * (uint64_t)(TERMINAL_TO_CONSOLE_BYTES + TERMINAL_TO_VM_BYTES);
}

enum status vm_ports_make(struct vm_entry *entry)
{
	enum status status = OK;

	for (uint32_t i = 0; i < entry->wanted->port_count && status == OK; i++) {
		status = memory_create_filled(MANAGER_HANDLE_POOL, TERMINAL_TO_CONSOLE_BYTES, &entry->ports[i].to_console);
		if (status == OK)
			status = memory_create_filled(MANAGER_HANDLE_POOL, TERMINAL_TO_VM_BYTES, &entry->ports[i].to_vm);
	}
	return status;
}

enum status vm_ports_map(const struct vm_entry *entry)
{
	enum status status = OK;

	for (uint32_t i = 0; i < entry->wanted->port_count && status == OK; i++) {
		uint64_t window = window_of(i + 1);

		status = space_map_all(entry->space, entry->ports[i].to_console, window, 0, TERMINAL_TO_CONSOLE_BYTES, READ_WRITE);
		if (status == OK)
			status = space_map_all(entry->space, entry->ports[i].to_vm, window + VMM_PORT_HALF_BYTES, 0,
					       TERMINAL_TO_VM_BYTES, READ_WRITE);
	}
	return status;
}

void vm_ports_describe(const struct manifest_vm *wanted, struct vmm_spec *spec)
{
	if (!wanted->hvc && wanted->port_count == 0)
		return;
	spec->port_count = wanted->port_count + 1;
	for (uint32_t i = 1; i < spec->port_count; i++) {
		memcpy(spec->ports[i].name, wanted->ports[i - 1], MANIFEST_PORT_NAME_BYTES);
		spec->ports[i].channels = (struct vmm_console){
			.to_console_address = window_of(i),
			.to_console_bytes = TERMINAL_TO_CONSOLE_BYTES,
			.from_console_address = window_of(i) + VMM_PORT_HALF_BYTES,
			.from_console_bytes = TERMINAL_TO_VM_BYTES,
			.event_bits = CONSOLE_EVENT_TERMINAL,
		};
	}
}

enum status vm_ports_open(const struct vm_entry *entry, const struct vm_surroundings *around)
{
	const struct manifest_vm *wanted = entry->wanted;
	enum status status = OK;

	for (uint32_t i = 0; i < wanted->port_count && status == OK; i++) {
		char name[CONSOLE_NAME_BYTES];
		const struct console_vm_terminal terminal = {
			.name = name,
			.slot = MANIFEST_VMS_MAX + entry->slot * MANIFEST_PORTS_MAX + i,
			.to_console = entry->ports[i].to_console,
			.to_vm = entry->ports[i].to_vm,
			.vmm_event = entry->event,
			.vmm_event_bits = VMM_EVENT_CONSOLE,
		};

		format_text(name, sizeof(name), "%s.%s", wanted->name, wanted->ports[i]);
		status = console_open_terminal(around->console, &terminal);
	}
	return status;
}

size_t vm_list_ports(const struct manifest_vm *wanted, char *out, size_t size_bytes)
{
	size_t used;

	out[0] = '\0';
	if (wanted->port_count == 0)
		return 0;
	used = format_text(out, size_bytes, "  terminals of its ports:");
	for (uint32_t i = 0; i < wanted->port_count; i++)
		used += format_text(out + used, size_bytes - used, " %s.%s", wanted->name, wanted->ports[i]);
	return used + format_text(out + used, size_bytes - used, "\n");
}
