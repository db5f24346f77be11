/* The device, what it is connected to, and its thread; the steps. What the guest puts into its queues: hostile_queue.c. */
#include "tests/fake/hostile_guest.h"

#include "drivers/virt/pci_config.h"
#include "drivers/virt/virtio_registers.h"
#include "tests/fake/hostile_queue.h"
#include "tests/fake/queue_judge.h"

#define STEPS_MAX    600U
#define ROUNDS_MAX   4U /* of turns that follow one another */
#define BACKEND      62U
#define ACCESSES_MAX 0x40000U
#define DEVFN        PCI_DEVFN(2, 0)
#define ADDRESS_OF   (0x80000000U | DEVFN << 8)
#define AMBUSH_BYTES 8U
#define KICKED_FROM  0x90U /* of those steps that change queues: the guest tells the device at once */

struct guest_ram hostile_ram;
struct hostile_guest hostile;

static uint8_t ram_bytes[HOSTILE_RAM_BYTES];
static struct pci_host host;
static const struct hostile_type *type;
static const void *lock; /* that is held */
static uint64_t events; /* bits, as the device's thread waits for them */
static bool pin;
static unsigned progress;
static uint64_t bars[PCI_BARS_MAX];
/* What another vCPU writes once the device has done so many accesses more; 0: nothing. */
static struct {
	unsigned countdown;
	uint32_t address;
	uint8_t bytes[AMBUSH_BYTES];
} ambush;

static void acquire(void *ctx, void *of)
{
	(void)ctx;
	demand(lock == NULL && of == &hostile.device);
	lock = of;
}

static void release(void *ctx, void *of)
{
	(void)ctx;
	demand(lock == of);
	lock = NULL;
}

void hostile_under_lock(void)
{
	demand(lock == &hostile.device);
}

void hostile_progress(void)
{
	progress++;
}

static bool disturb(void)
{
	if (ambush.countdown == 0 || --ambush.countdown != 0)
		return false;
	memcpy(ram_bytes + ambush.address, ambush.bytes, AMBUSH_BYTES);
	return true;
}

static void notify(void *ctx, unsigned queue)
{
	(void)ctx;
	hostile_under_lock();
	demand(queue < hostile.device.config.queue_count);
	events |= 1ULL << queue;
}

/* Messages and pin exclude each other. */
static bool has_messages(void)
{
	return pci_function_has_msix(&hostile.device.function) || pci_function_has_msi(&hostile.device.function);
}

static void send(void *ctx, uint64_t address, uint32_t data)
{
	(void)ctx;
	(void)address;
	(void)data;
	hostile_under_lock();
	demand(has_messages() && pci_function_is_master(&hostile.device.function));
}

static void set_pin(void *ctx, bool level)
{
	(void)ctx;
	demand(!level || (lock != NULL && !has_messages()));
	pin = level;
}

static void move_bar(void *ctx, unsigned bar, uint64_t base)
{
	(void)ctx;
	demand(bar < PCI_BARS_MAX && bars[bar] != base && hostile.device.config.ops != NULL);
	bars[bar] = base;
}

static void create(struct fuzz_input *input)
{
	const struct virtio_wires wires = {
		.pci = {.bar_moved = move_bar, .send = send, .pin = {.set = set_pin}},
		.memory = guest_ram_access(&hostile_ram),
		.notify = notify,
	};
	struct virtio_config config;

	memset(ram_bytes, 0, sizeof(ram_bytes));
	hostile_ram = (struct guest_ram){.bytes = ram_bytes, .size_bytes = sizeof(ram_bytes)};
	hostile_queues_reset();
	for (unsigned i = 0; i < PCI_BARS_MAX; i++)
		bars[i] = UINT64_MAX;
	lock = NULL;
	events = 0;
	pin = false;
	ambush.countdown = 0;
	acquire(NULL, &hostile.device);
	config = type->create(&hostile.device, input);
	demand(virtio_init(&hostile.device, &config, &wires) == OK);
	release(NULL, &hostile.device);
	judge_reset(&hostile_ram, hostile.device.queues, config.queue_count);
	judge.disturbs = disturb;
	pci_host_init(&host, &(struct pci_host_wires){.acquire = acquire, .release = release});
	demand(pci_host_attach(&host, DEVFN, &pci_function_ops, &hostile.device.function, &hostile.device) == OK);
}

uint32_t hostile_read(unsigned offset, unsigned width)
{
	uint64_t value;

	acquire(NULL, &hostile.device);
	value = virtio_register_ops.read(&hostile.device, offset, width, 0);
	release(NULL, &hostile.device);
	demand(value >> (width * 8 - 1) >> 1 == 0);
	return (uint32_t)value;
}

void hostile_write(unsigned offset, unsigned width, uint32_t value)
{
	acquire(NULL, &hostile.device);
	virtio_register_ops.write(&hostile.device, offset, width, value, 0);
	release(NULL, &hostile.device);
}

/* Configuration space: any register, often the access capability's, which reaches registers from there. */
static void step_config(struct fuzz_input *input)
{
	unsigned how = fuzz_u8(input), reg = fuzz_u8(input), width = 1U << how % 3;
	uint32_t value = fuzz_u32(input);

	if ((how & 0x40) != 0)
		reg = hostile.device.access_capability + reg % 20;
	pci_host_ops.write(&host, 0, 4, ADDRESS_OF | (reg & 0xfc), 0);
	if ((how & 0x80) != 0)
		pci_host_ops.write(&host, 4 + reg % 4, width, value, 0);
	else
		(void)pci_host_ops.read(&host, 4 + reg % 4, width, 0);
}

static void write_config(unsigned reg, uint32_t value)
{
	pci_host_ops.write(&host, 0, 4, ADDRESS_OF | (reg & 0xfc), 0);
	pci_host_ops.write(&host, 4 + reg % 4, 2, value, 0);
}

/* As drivers do it: a bus master, MSI or MSI-X with a vector for a queue. */
static void step_vectors(struct fuzz_input *input)
{
	unsigned entry = fuzz_u8(input) % PCI_VECTORS_MAX;

	write_config(PCI_CONFIG_COMMAND, fuzz_u8(input));
	write_config(hostile.device.function.msi_capability + 2U, fuzz_u8(input));
	write_config(hostile.device.function.msix_capability + 2U, (uint32_t)fuzz_u8(input) << 8);
	acquire(NULL, &hostile.device);
	pci_msix_ops.write(&hostile.device.function, entry * 16U, 4, 0xfee00000, 0);
	pci_msix_ops.write(&hostile.device.function, entry * 16U + 12, 4, fuzz_u8(input) & 1, 0);
	release(NULL, &hostile.device);
	hostile_write(VIRTIO_COMMON_CONFIG_MSIX_VECTOR, 2, entry);
	hostile_write(VIRTIO_COMMON_QUEUE_SELECT, 2, fuzz_u8(input) % 8);
	hostile_write(VIRTIO_COMMON_QUEUE_MSIX_VECTOR, 2, entry);
}

static void step_register(struct fuzz_input *input)
{
	static const uint16_t bases[] = {VIRTIO_COMMON_BASE, VIRTIO_ISR_BASE, VIRTIO_CONFIG_BASE, VIRTIO_NOTIFY_BASE};
	unsigned how = fuzz_u8(input), width = 1U << how % 3;
	unsigned offset = bases[how >> 3 & 3] + fuzz_u8(input) % 0x44;

	if ((how & 0x80) != 0)
		hostile_write(offset, width, fuzz_u32(input));
	else
		(void)hostile_read(offset, width);
}

/* Status and features as drivers settle them, most of the time. */
static void step_begin(struct fuzz_input *input)
{
	uint64_t offered = virtio_offered_features(&hostile.device);
	uint64_t features = offered & ~((uint64_t)fuzz_u8(input) << VIRTIO_F_INDIRECT_DESC | (uint64_t)fuzz_u32(input) % 0x1000000);

	features |= VIRTIO_FEATURE(VIRTIO_F_VERSION_1);
	if ((fuzz_u8(input) & 1) == 0)
		features &= ~VIRTIO_FEATURE(VIRTIO_F_RING_PACKED);
	hostile_write(VIRTIO_COMMON_DEVICE_STATUS, 1, 0);
	demand(hostile_read(VIRTIO_COMMON_DEVICE_STATUS, 1) == 0 && !pin);
	hostile_write(VIRTIO_COMMON_DEVICE_STATUS, 1, VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER);
	for (uint32_t half = 0; half < 2; half++) {
		hostile_write(VIRTIO_COMMON_DRIVER_FEATURE_SELECT, 4, half);
		hostile_write(VIRTIO_COMMON_DRIVER_FEATURE, 4, (uint32_t)(features >> half * 32));
	}
	hostile_write(VIRTIO_COMMON_DEVICE_STATUS, 1, VIRTIO_STATUS_FEATURES_OK);
	for (unsigned queue = 0; queue < hostile.device.config.queue_count; queue++)
		hostile_queue_set_up(queue, input);
	hostile_write(VIRTIO_COMMON_DEVICE_STATUS, 1, VIRTIO_STATUS_DRIVER_OK);
}

/* One turn of one bit, as vmm/virtio_thread.c has it. True: there is more. */
static bool serve(unsigned bit)
{
	bool was_running = virtio_is_running(&hostile.device), has_more;
	uint64_t before_bytes = hostile_ram.moved_bytes;
	unsigned before = hostile_ram.reads + hostile_ram.writes, accesses;

	progress = 0;
	acquire(NULL, &hostile.device);
	judge_turn_begins();
	has_more = bit == BACKEND ? virtio_serve_backend(&hostile.device) : virtio_serve(&hostile.device, bit);
	judge_turn_ends(!virtio_is_running(&hostile.device));
	release(NULL, &hostile.device);
	accesses = hostile_ram.reads + hostile_ram.writes - before;
	demand(accesses <= ACCESSES_MAX && (was_running || accesses == 0));
	demand(judge.takes <= type->takes_max && hostile_ram.moved_bytes - before_bytes <= type->moved_bytes_max);
	demand(!has_more || judge.takes != 0 || progress != 0);
	return has_more;
}

static void serve_events(void)
{
	for (unsigned round = 0; round < ROUNDS_MAX && events != 0; round++) {
		uint64_t bits = events;

		events = 0;
		for (; bits != 0; bits &= bits - 1) {
			unsigned bit = (unsigned)__builtin_ctzll(bits);

			if (serve(bit))
				events |= 1ULL << bit;
		}
	}
}

/* A doorbell: nothing but its event's bit. */
static void step_ring(struct fuzz_input *input)
{
	unsigned queue = fuzz_u8(input);

	if ((queue & 0x80) != 0)
		events |= 1ULL << queue % hostile.device.config.queue_count;
	else
		hostile_write(VIRTIO_NOTIFY_BASE + queue * VIRTIO_NOTIFY_STEP_BYTES, 2, queue);
	if ((queue & 0x40) == 0)
		serve_events();
}

static void step_backend(struct fuzz_input *input)
{
	if (type->happens == NULL)
		return;
	acquire(NULL, &hostile.device);
	type->happens(input);
	release(NULL, &hostile.device);
	events |= 1ULL << BACKEND;
	serve_events();
}

static void step_memory(struct fuzz_input *input)
{
	uint32_t address = fuzz_u16(input);
	uint8_t bytes[16];
	size_t count = fuzz_bytes(input, bytes, 1 + address % sizeof(bytes));

	if (count <= HOSTILE_RAM_BYTES - address)
		memcpy(ram_bytes + address, bytes, count);
}

static void step_ambush(struct fuzz_input *input)
{
	ambush.countdown = 1 + fuzz_u8(input);
	ambush.address = fuzz_u16(input) % (HOSTILE_RAM_BYTES - AMBUSH_BYTES);
	(void)fuzz_bytes(input, ambush.bytes, AMBUSH_BYTES);
}

static void step(struct fuzz_input *input)
{
	unsigned what = fuzz_u8(input), queue;

	switch (what % 16) {
	case 0:
		step_begin(input);
		break;
	case 1:
		step_register(input);
		break;
	case 2:
		step_config(input);
		break;
	case 3:
		step_vectors(input);
		break;
	case 4:
		step_backend(input);
		break;
	case 5:
		step_memory(input);
		break;
	case 6:
		step_ambush(input);
		break;
	case 7:
		hostile_queue_set_up(fuzz_u8(input) % hostile.device.config.queue_count, input);
		break;
	case 8:
	case 9:
		step_ring(input);
		break;
	default:
		queue = hostile_queue_step(what >> 4, type, input);
		if (what >= KICKED_FROM) {
			hostile_write(VIRTIO_NOTIFY_BASE + queue * VIRTIO_NOTIFY_STEP_BYTES, 2, queue);
			serve_events();
		}
		break;
	}
	demand(lock == NULL && (!pin || hostile.device.function.state.pin_level));
}

void hostile_guest_run(const struct hostile_type *of, const uint8_t *data, size_t size)
{
	struct fuzz_input input = {data, size};

	type = of;
	create(&input);
	step_begin(&input);
	for (unsigned i = 0; i < STEPS_MAX && input.left_bytes > 0; i++) {
		step(&input);
		if (type->check != NULL)
			type->check();
	}
}
