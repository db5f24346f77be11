/* Memory that leaves: pages given to the balloon, and pages reported as unused, read as zeros afterwards, and hold what is written
 * then. For a VM of 64 MiB with a balloon. Says TEST-PASS, or what it found. */
#include "guests/flat/cpu.h"
#include "guests/flat/flat.h"
#include "guests/flat/virtio.h"

#define PAGE_BYTES     4096U
#define PIECE          0x200000UL
#define GIVEN          (8 * PIECE) /* a piece, given page by page */
#define KEPT           (9 * PIECE) /* all but one page of it is given */
#define REPORTED       (10 * PIECE)
#define REPORTED_BYTES (17 * PIECE) /* by one chain */
#define BEYOND         (REPORTED + REPORTED_BYTES)
#define PAGES          (PIECE / PAGE_BYTES)
#define INFLATE        0U
#define REPORTS        4U
#define FEATURE_REPORT 5
#define WAIT_TICKS     4000000000ULL
#define STEP_BYTES     512U

static struct flat_virtio device;
static struct flat_virtqueue inflate, reports;
static uint32_t numbers[PAGES];

static bool fails(const char *what, uint64_t at)
{
	print("balloon: ");
	print(what);
	print(" at ");
	print_hex(at);
	print("\n");
	return false;
}

static volatile uint64_t *word(uint64_t address)
{
	return (volatile uint64_t *)(uintptr_t)address;
}

static void fill(uint64_t address, uint64_t bytes)
{
	for (uint64_t at = address; at < address + bytes; at += STEP_BYTES)
		*word(at) = ~at;
}

static bool holds(uint64_t address, uint64_t bytes, bool zeros)
{
	for (uint64_t at = address; at < address + bytes; at += STEP_BYTES) {
		if (*word(at) != (zeros ? 0 : ~at))
			return fails(zeros ? "not zero" : "not what was written", at);
	}
	return true;
}

static bool give(struct flat_virtqueue *queue, const volatile void *bytes, uint32_t len_bytes, uint16_t flags)
{
	const struct virtio_buffer buffer = {bytes, len_bytes, flags};
	uint32_t written;
	uint16_t id;

	virtio_offer(queue, 0, &buffer, 1);
	virtio_notify(queue);
	return virtio_wait_used(queue, &id, &written, 1, WAIT_TICKS) || fails("no answer", (uintptr_t)bytes);
}

static bool give_pages(uint64_t address, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		numbers[i] = (uint32_t)(address / PAGE_BYTES) + i;
	return give(&inflate, numbers, count * sizeof(numbers[0]), 0);
}

static bool start(void)
{
	if (!virtio_find(VIRTIO_TYPE_BALLOON, 0, &device) || !virtio_begin(&device, VIRTIO_BIT(FEATURE_REPORT)))
		return fails("no balloon", 0);
	virtio_queue_start(&device, &inflate, INFLATE, 0);
	virtio_queue_start(&device, &reports, REPORTS, 0);
	virtio_go(&device);
	return (device.features & VIRTIO_BIT(FEATURE_REPORT)) != 0 || fails("no reports", 0);
}

static bool all_leave_and_come_back(void)
{
	fill(GIVEN, BEYOND + PIECE - GIVEN);
	if (!give_pages(GIVEN, PAGES) || !give_pages(KEPT, PAGES - 1) ||
	    !give(&reports, word(REPORTED), REPORTED_BYTES, VIRTIO_F_WRITE))
		return false;
	if (!holds(GIVEN, PIECE, true) || !holds(KEPT, PIECE, false) || !holds(REPORTED, REPORTED_BYTES, true) ||
	    !holds(BEYOND, PIECE, false))
		return false;
	fill(GIVEN, BEYOND + PIECE - GIVEN);
	return holds(GIVEN, BEYOND + PIECE - GIVEN, false);
}

void guest_main(const struct guest_flat_info *info)
{
	(void)info;
	exceptions_install();
	print(start() && all_leave_and_come_back() ? "TEST-PASS balloon\n" : "TEST-FAIL balloon\n");
}
