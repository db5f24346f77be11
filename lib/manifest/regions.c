/* Shared memory of the manifest: its regions, and the VMs that name them. */
#include "lib/base/string.h"
#include "lib/manifest/keys.h"
#include "lib/manifest/report.h"

#define SUGGESTION_BYTES 96U

static uint32_t find_region(const struct manifest *manifest, const char *name)
{
	uint32_t i = 0;

	while (i < manifest->region_count && strcmp(manifest->regions[i].name, name) != 0)
		i++;
	return i;
}

/* One that is wrong is not added, so that no VM finds it. */
static void add_region(struct manifest *manifest, const struct manifest_region *added)
{
	uint32_t earlier = find_region(manifest, added->name);

	if (earlier < manifest->region_count)
		manifest_report(manifest, -1, added->line, E109,
				"name \"%s\" is already that of the region on line %u; choose another", added->name,
				manifest->regions[earlier].line);
	else if ((added->size_bytes & (added->size_bytes - 1)) != 0)
		manifest_report(manifest, -1, added->line, E107,
				"size of region \"%s\" must be a power of two, like \"1M\" or \"64K\"; change it", added->name);
	else if (manifest->region_count == MANIFEST_REGIONS_MAX)
		manifest_report(manifest, -1, added->line, E116, "region \"%s\" is ignored; at most %u are supported", added->name,
				MANIFEST_REGIONS_MAX);
	else
		manifest->regions[manifest->region_count++] = *added;
}

void manifest_read_regions(struct manifest *manifest, const struct toml_node *array)
{
	for (const struct toml_node *table = array->first; table != NULL; table = table->next) {
		struct manifest_region added = {.peer_count = 0};
		const struct manifest_entry entry = {
			.manifest = manifest,
			.section = &manifest_sections[MANIFEST_SECTION_SHARED],
			.target = &added,
			.vm_index = -1,
		};

		if (table->kind != TOML_TABLE) {
			manifest_report(manifest, -1, table->line, E106, "shared lists %s; write a table below [[shared]]",
					toml_kind_name(table->kind));
			continue;
		}
		manifest_read_entry(&entry, table);
		if (added.name[0] != '\0' && added.size_bytes != 0)
			add_region(manifest, &added);
	}
}

static void report_unknown(struct manifest *manifest, uint32_t vm_index, const struct manifest_shared *shared)
{
	const char *names[MANIFEST_REGIONS_MAX];
	char suggestion[SUGGESTION_BYTES];

	for (uint32_t i = 0; i < manifest->region_count; i++)
		names[i] = manifest->regions[i].name;
	manifest_suggest(shared->region_name, names, manifest->region_count, "add a [[shared]] of that name", suggestion,
			 sizeof(suggestion));
	manifest_report(manifest, (int32_t)vm_index, shared->line, E145, "VM \"%s\" shares \"%s\", which there is not%s",
			manifest->vms[vm_index].name, shared->region_name, suggestion);
}

static bool is_named_before(const struct manifest_vm *vm, const struct manifest_shared *shared)
{
	for (const struct manifest_shared *earlier = vm->shares; earlier < shared; earlier++) {
		if (strcmp(earlier->region_name, shared->region_name) == 0)
			return true;
	}
	return false;
}

/* The VM becomes a peer of the region: the next number is its own. */
static void join(struct manifest *manifest, uint32_t vm_index, struct manifest_shared *shared)
{
	const struct manifest_vm *vm = &manifest->vms[vm_index];
	uint32_t index = find_region(manifest, shared->region_name);
	struct manifest_region *region = &manifest->regions[index];

	if (index == manifest->region_count) {
		report_unknown(manifest, vm_index, shared);
	} else if (is_named_before(vm, shared)) {
		manifest_report(manifest, (int32_t)vm_index, shared->line, E145, "VM \"%s\" shares \"%s\" twice; remove one",
				vm->name, shared->region_name);
	} else if (region->peer_count == VMM_REGION_PEERS_MAX) {
		manifest_report(manifest, (int32_t)vm_index, shared->line, E145,
				"VM \"%s\" is one too many for region \"%s\", which up to %u can share; add another [[shared]]",
				vm->name, shared->region_name, VMM_REGION_PEERS_MAX);
	} else {
		shared->region_index = index;
		shared->own_id = region->peer_count;
		shared->size_bytes = region->size_bytes;
		region->peer_vectors[region->peer_count++] = shared->vector_count;
	}
}

void manifest_check_regions(struct manifest *manifest)
{
	for (uint32_t i = 0; i < manifest->vm_count; i++) {
		struct manifest_vm *vm = &manifest->vms[i];

		for (uint32_t n = 0; n < vm->share_count; n++) {
			if (vm->shares[n].region_name[0] != '\0') /* else it was reported */
				join(manifest, i, &vm->shares[n]);
		}
	}
}
