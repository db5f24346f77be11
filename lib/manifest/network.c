/* Networks of the manifest: its switches, and the network cards of VMs that name them. */
#include "lib/base/format.h"
#include "lib/base/string.h"
#include "lib/manifest/keys.h"
#include "lib/manifest/report.h"

#define SUGGESTION_BYTES 96U
#define FNV_OFFSET       UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME        UINT64_C(0x100000001b3)

static uint32_t find_switch(const struct manifest *manifest, const char *name)
{
	uint32_t i = 0;

	while (i < manifest->switch_count && strcmp(manifest->switches[i].name, name) != 0)
		i++;
	return i;
}

/* One that is wrong has no name, so that no VM finds it. */
static void read_switch(struct manifest *manifest, const struct toml_node *table)
{
	struct manifest_switch added = {.port_count = 0};
	const struct manifest_entry entry = {
		.manifest = manifest,
		.section = &manifest_sections[MANIFEST_SECTION_SWITCH],
		.target = &added,
		.vm_index = -1,
	};
	uint32_t earlier;

	if (table->kind != TOML_TABLE) {
		manifest_report(manifest, -1, table->line, E106, "switch lists %s; write a table below [[switch]]",
				toml_kind_name(table->kind));
		return;
	}
	manifest_read_entry(&entry, table);
	earlier = find_switch(manifest, added.name);
	if (added.name[0] == '\0')
		return;
	if (earlier < manifest->switch_count)
		manifest_report(manifest, -1, table->line, E109,
				"name \"%s\" is already that of the switch on line %u; choose another", added.name,
				manifest->switches[earlier].line);
	else if (manifest->switch_count == MANIFEST_SWITCHES_MAX)
		manifest_report(manifest, -1, table->line, E116, "switch \"%s\" is ignored; at most %u are supported", added.name,
				MANIFEST_SWITCHES_MAX);
	else
		manifest->switches[manifest->switch_count++] = added;
}

void manifest_read_switches(struct manifest *manifest, const struct toml_node *array)
{
	for (const struct toml_node *table = array->first; table != NULL; table = table->next)
		read_switch(manifest, table);
}

static void report_unknown_switch(struct manifest *manifest, uint32_t vm_index, uint32_t line, const char *name)
{
	const char *names[MANIFEST_SWITCHES_MAX];
	char suggestion[SUGGESTION_BYTES];

	for (uint32_t i = 0; i < manifest->switch_count; i++)
		names[i] = manifest->switches[i].name;
	manifest_suggest(name, names, manifest->switch_count, "add a [[switch]] of that name", suggestion, sizeof(suggestion));
	manifest_report(manifest, (int32_t)vm_index, line, E140, "VM \"%s\" names switch \"%s\", which there is not%s",
			manifest->vms[vm_index].name, name, suggestion);
}

bool manifest_join_switch(struct manifest *manifest, uint32_t vm_index, uint32_t line, const char *name, uint32_t *switch_index)
{
	uint32_t index = find_switch(manifest, name);

	if (index == manifest->switch_count) {
		report_unknown_switch(manifest, vm_index, line, name);
		return false;
	}
	if (manifest->switches[index].port_count == SWITCH_PORTS_MAX) {
		manifest_report(manifest, (int32_t)vm_index, line, E140,
				"VM \"%s\" is one too many on switch \"%s\", which has %u ports; add another [[switch]]",
				manifest->vms[vm_index].name, name, SWITCH_PORTS_MAX);
		return false;
	}
	manifest->switches[index].port_count++;
	*switch_index = index;
	return true;
}

static bool has_mac(const struct manifest_net *net)
{
	static const uint8_t nobody[6];

	return memcmp(net->mac, nobody, sizeof(nobody)) != 0;
}

/* The VM whose card on that switch has that address: of the given ones and of those chosen so far. NULL: none but this card. */
static const struct manifest_vm *find_mac(const struct manifest *manifest, const struct manifest_net *wanted)
{
	for (const struct manifest_vm *vm = manifest->vms; vm < manifest->vms + manifest->vm_count; vm++) {
		for (uint32_t i = 0; i < vm->net_count; i++) {
			const struct manifest_net *net = &vm->nets[i];

			if (net != wanted && strcmp(net->switch_name, wanted->switch_name) == 0 &&
			    memcmp(net->mac, wanted->mac, sizeof(net->mac)) == 0)
				return vm;
		}
	}
	return NULL;
}

static void check_mac(struct manifest *manifest, uint32_t vm_index, const struct manifest_net *net)
{
	const struct manifest_vm *other = find_mac(manifest, net);

	if (other == NULL || other > &manifest->vms[vm_index])
		return; /* the first one keeps it */
	manifest_report(manifest, (int32_t)vm_index, net->line, E141,
			"VM \"%s\": mac is already that of VM \"%s\" on switch \"%s\"; choose another",
			manifest->vms[vm_index].name, other->name, net->switch_name);
}

/* The same in each boot: from the names of VM and card, in the range of addresses that are given locally. */
static void choose_mac(struct manifest_net *net, const char *vm_name, uint32_t index, uint32_t try)
{
	char text[MANIFEST_NAME_BYTES + 24];
	uint64_t hash = FNV_OFFSET;

	format_text(text, sizeof(text), "%s/%u/%u", vm_name, index, try);
	for (const char *at = text; *at != '\0'; at++)
		hash = (hash ^ (uint8_t)*at) * FNV_PRIME;
	net->mac[0] = 0x02; /* locally administered, of one card */
	for (unsigned i = 1; i < sizeof(net->mac); i++)
		net->mac[i] = (uint8_t)(hash >> (8 * (i + 2)));
}

static void check_nets(struct manifest *manifest, uint32_t vm_index)
{
	struct manifest_vm *vm = &manifest->vms[vm_index];

	for (uint32_t i = 0; i < vm->net_count; i++) {
		struct manifest_net *net = &vm->nets[i];

		/* Without a name it was reported already. */
		if (net->switch_name[0] != '\0' &&
		    manifest_join_switch(manifest, vm_index, net->line, net->switch_name, &net->switch_index) && has_mac(net))
			check_mac(manifest, vm_index, net);
	}
}

/* A CID is a VM's on all switches: the first one keeps it. */
static void check_vsock(struct manifest *manifest, uint32_t vm_index)
{
	struct manifest_vsock *vsock = &manifest->vms[vm_index].vsock;

	if (vsock->switch_name[0] == '\0' || vsock->cid == 0)
		return; /* there is none, or it was reported already */
	for (uint32_t i = 0; i < vm_index; i++) {
		const struct manifest_vm *other = &manifest->vms[i];

		if (other->vsock.switch_name[0] != '\0' && other->vsock.cid == vsock->cid) {
			manifest_report(manifest, (int32_t)vm_index, vsock->line, E143,
					"VM \"%s\": cid %u is already that of VM \"%s\"; choose another",
					manifest->vms[vm_index].name, vsock->cid, other->name);
			return;
		}
	}
	(void)manifest_join_switch(manifest, vm_index, vsock->line, vsock->switch_name, &vsock->switch_index);
}

void manifest_check_networks(struct manifest *manifest)
{
	for (uint32_t i = 0; i < manifest->vm_count; i++) {
		check_nets(manifest, i);
		check_vsock(manifest, i);
	}
	for (uint32_t i = 0; i < manifest->vm_count; i++) {
		for (uint32_t n = 0; n < manifest->vms[i].net_count; n++) {
			struct manifest_net *net = &manifest->vms[i].nets[n];
			bool is_chosen = has_mac(net);

			for (uint32_t try = 0; !is_chosen && try < MANIFEST_VMS_MAX * MANIFEST_NETS_MAX; try++) {
				choose_mac(net, manifest->vms[i].name, n, try);
				is_chosen = find_mac(manifest, net) == NULL;
			}
		}
	}
}
