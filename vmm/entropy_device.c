/* The entropy device and the CPU's random numbers. */
#include "drivers/virt/virtio_rng.h"
#include "lib/random/random.h"
#include "user/random_cpu.h"
#include "vmm/machine.h"
#include "vmm/small_devices.h"

/* A VMM is one VM. Under the device's lock. */
static struct virtio_rng model;
static struct random source;

static size_t take(void *ctx, void *out, size_t len_bytes)
{
	return random_take(ctx, out, len_bytes);
}

unsigned entropy_device_count(const struct vmm_spec *spec)
{
	return (spec->options & VMM_OPTION_RNG) != 0 ? 1 : 0;
}

enum status entropy_device_make(struct machine *machine, unsigned index)
{
	const struct virtio_config config = VIRTIO_RNG_CONFIG(&model);
	struct random_cpu cpu;
	struct virtio_slot *slot;
	enum status status;

	(void)index;
	random_cpu_find(&cpu);
	random_init(&source, &cpu);
	model.wires = (struct virtio_rng_wires){.take = take, .ctx = &source};
	status = virtio_add(machine, &config, HANDLE_NONE, &slot);
	if (status == OK)
		model.transport = &slot->device;
	return status;
}
