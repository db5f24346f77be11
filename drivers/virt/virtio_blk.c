/* A request is a chain: a header that the device reads, data, and a status byte, the last one that the device writes. The driver
 * may cut it into descriptors anywhere. */
#include "drivers/virt/virtio_blk.h"

#include "lib/base/string.h"

#define CLASS_MASS_STORAGE 0x018000U /* PCI's class of mass storage controllers, others */
#define HEADER_BYTES       sizeof(struct virtio_blk_request)
#define FLAG_UNMAP         1U

/* Device configuration */
#define CONFIG_CAPACITY        0U
#define CONFIG_SEG_MAX         12U
#define CONFIG_BLK_SIZE        20U
#define CONFIG_PHYSICAL_BLOCK  24U /* as a power of two of BLK_SIZE */
#define CONFIG_NUM_QUEUES      34U
#define CONFIG_DISCARD_SECTORS 36U
#define CONFIG_DISCARD_RANGES  40U
#define CONFIG_DISCARD_ALIGN   44U
#define CONFIG_ZEROES_SECTORS  48U
#define CONFIG_ZEROES_RANGES   52U
#define CONFIG_ZEROES_UNMAP    56U

#define BLOCK_SECTORS_LOG2 3U /* DISK_BLOCK_BYTES */
_Static_assert(DISK_SECTOR_BYTES << BLOCK_SECTORS_LOG2 == DISK_BLOCK_BYTES, "sectors of a block");

/* Whether all of it is on the disk; *offset is where then. */
static bool place_of(const struct virtio_blk *blk, uint64_t sector, uint64_t len_bytes, uint64_t *offset)
{
	uint64_t size_bytes = blk->disk->source.size_bytes;

	if (sector > size_bytes / DISK_SECTOR_BYTES || len_bytes > size_bytes - sector * DISK_SECTOR_BYTES)
		return false;
	*offset = sector * DISK_SECTOR_BYTES;
	return true;
}

/* A request in a turn. Large ones take several: what moved is counted between turns, the rest is looked at anew in each. */
struct work {
	const struct virtqueue *queue;
	uint32_t type;
	uint64_t in_bytes, out_bytes; /* of the data that the device writes, or reads */
	uint64_t done_bytes;          /* of them, from the start on, with those of earlier turns */
	bool goes_on;                 /* in the next turn */
};

/* Where a turn ends that begins at the work's done_bytes. */
static uint64_t turn_end(const struct work *work, uint64_t data_bytes)
{
	if (work->done_bytes >= data_bytes || data_bytes - work->done_bytes <= VIRTIO_BLK_TURN_BYTES)
		return data_bytes;
	return work->done_bytes + VIRTIO_BLK_TURN_BYTES;
}

static uint8_t read_sectors(struct virtio_blk *blk, struct work *work, uint64_t sector)
{
	uint64_t offset, end = turn_end(work, work->in_bytes);
	bool fault = false;

	if (work->in_bytes % DISK_SECTOR_BYTES != 0 || !place_of(blk, sector, work->in_bytes, &offset))
		return VIRTIO_BLK_S_IOERR;
	while (work->done_bytes < end && !fault) {
		size_t part_bytes;
		const void *bytes =
			disk_view(blk->disk, offset + work->done_bytes, (size_t)(end - work->done_bytes), &part_bytes);

		work->done_bytes += virtqueue_write(work->queue, &blk->chain, work->done_bytes, bytes, part_bytes, &fault);
	}
	work->goes_on = !fault && work->done_bytes < work->in_bytes;
	return (uint8_t)(fault ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK);
}

static uint8_t disk_status(const struct virtio_blk *blk, enum status status)
{
	if (status == ERR_NO_SPACE && blk->wires.is_full != NULL)
		blk->wires.is_full(blk->wires.ctx);
	return (uint8_t)(status == OK ? VIRTIO_BLK_S_OK : VIRTIO_BLK_S_IOERR);
}

static uint8_t write_sectors(struct virtio_blk *blk, struct work *work, uint64_t sector)
{
	uint64_t offset, end = turn_end(work, work->out_bytes);
	bool fault = false;

	if (work->out_bytes % DISK_SECTOR_BYTES != 0 || !place_of(blk, sector, work->out_bytes, &offset))
		return VIRTIO_BLK_S_IOERR;
	while (work->done_bytes < end && !fault) {
		size_t part_bytes;
		void *place;
		enum status status = disk_change(blk->disk, offset + work->done_bytes, (size_t)(end - work->done_bytes), &place,
						 &part_bytes);

		if (status != OK)
			return disk_status(blk, status);
		work->done_bytes += virtqueue_read(work->queue, &blk->chain, HEADER_BYTES + work->done_bytes, place, part_bytes,
						   &fault);
	}
	work->goes_on = !fault && work->done_bytes < work->out_bytes;
	return (uint8_t)(fault ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK);
}

static uint8_t check_range(const struct virtio_blk *blk, uint32_t type, const struct virtio_blk_range *range, uint64_t *offset)
{
	uint32_t known = type == VIRTIO_BLK_T_WRITE_ZEROES ? FLAG_UNMAP : 0;

	if ((range->flags & ~known) != 0)
		return VIRTIO_BLK_S_UNSUPP;
	if (range->sector_count > VIRTIO_BLK_RANGE_SECTORS ||
	    !place_of(blk, range->sector, (uint64_t)range->sector_count * DISK_SECTOR_BYTES, offset))
		return VIRTIO_BLK_S_IOERR;
	return VIRTIO_BLK_S_OK;
}

/* Discarded sectors read as zeros here, so that both are one. All ranges are checked before the first one is changed. */
static uint8_t zero_sectors(struct virtio_blk *blk, const struct work *work)
{
	struct virtio_blk_range ranges[VIRTIO_BLK_RANGES_MAX];
	uint64_t offsets[VIRTIO_BLK_RANGES_MAX];
	uint32_t count = (uint32_t)(work->out_bytes / sizeof(ranges[0]));
	uint8_t answer = VIRTIO_BLK_S_OK;

	if (work->out_bytes % sizeof(ranges[0]) != 0 || work->out_bytes == 0 || work->out_bytes > sizeof(ranges))
		return VIRTIO_BLK_S_IOERR;
	if (virtqueue_read(work->queue, &blk->chain, HEADER_BYTES, ranges, (size_t)work->out_bytes, NULL) != work->out_bytes)
		return VIRTIO_BLK_S_IOERR;
	for (uint32_t i = 0; i < count && answer == VIRTIO_BLK_S_OK; i++)
		answer = check_range(blk, work->type, &ranges[i], &offsets[i]);
	for (uint32_t i = 0; i < count && answer == VIRTIO_BLK_S_OK; i++)
		answer = disk_status(blk, disk_zero(blk->disk, offsets[i], (uint64_t)ranges[i].sector_count * DISK_SECTOR_BYTES));
	return answer;
}

static uint8_t give_serial(const struct virtio_blk *blk, struct work *work)
{
	size_t wanted = work->in_bytes < sizeof(blk->serial) ? (size_t)work->in_bytes : sizeof(blk->serial);

	work->done_bytes = virtqueue_write(work->queue, &blk->chain, 0, blk->serial, wanted, NULL);
	return (uint8_t)(work->done_bytes == wanted ? VIRTIO_BLK_S_OK : VIRTIO_BLK_S_IOERR);
}

static uint8_t carry_out(struct virtio_blk *blk, struct work *work, uint64_t sector)
{
	bool changes = work->type == VIRTIO_BLK_T_OUT || work->type == VIRTIO_BLK_T_DISCARD ||
		       work->type == VIRTIO_BLK_T_WRITE_ZEROES;

	if (changes && !disk_is_writable(blk->disk))
		return VIRTIO_BLK_S_IOERR;
	switch (work->type) {
	case VIRTIO_BLK_T_IN:
		return read_sectors(blk, work, sector);
	case VIRTIO_BLK_T_OUT:
		return write_sectors(blk, work, sector);
	case VIRTIO_BLK_T_FLUSH:
		return VIRTIO_BLK_S_OK;
	case VIRTIO_BLK_T_GET_ID:
		return give_serial(blk, work);
	case VIRTIO_BLK_T_DISCARD:
	case VIRTIO_BLK_T_WRITE_ZEROES:
		return zero_sectors(blk, work);
	default:
		return VIRTIO_BLK_S_UNSUPP;
	}
}

/* How many bytes the device wrote without a gap from the start on: the status, behind data that it did not write, is not among
 * them. "The device MUST write at least len bytes to descriptor, beginning at the first device-writable buffer". */
static uint32_t used_length(const struct work *work, bool has_status)
{
	bool writes_data = work->type == VIRTIO_BLK_T_IN || work->type == VIRTIO_BLK_T_GET_ID;
	uint64_t written_bytes = writes_data && work->done_bytes < work->in_bytes ? work->done_bytes : 0;

	if (has_status && (work->in_bytes == 0 || (writes_data && work->done_bytes >= work->in_bytes)))
		written_bytes = work->in_bytes + 1;
	return written_bytes < UINT32_MAX ? (uint32_t)written_bytes : UINT32_MAX;
}

/* A chain without room for a status is no request: it comes back empty. False: it goes on in the next turn, and its chain is still
 * taken. *moved_bytes: how much of a turn it took is added; ranges of zeros take all of it. */
static bool serve_request(struct virtio_blk *blk, struct virtqueue *queue, uint64_t *done_bytes, uint64_t *moved_bytes)
{
	const struct virtqueue_chain *chain = &blk->chain;
	struct virtio_blk_request request = {.type = VIRTIO_BLK_T_IN};
	struct work work = {.queue = queue, .done_bytes = *done_bytes};
	uint8_t answer = VIRTIO_BLK_S_IOERR;
	bool has_status;

	if (chain->writable_bytes == 0) {
		virtqueue_return(queue, chain, 0);
		return true;
	}
	work.in_bytes = chain->writable_bytes - 1;
	if (virtqueue_read(queue, chain, 0, &request, HEADER_BYTES, NULL) == HEADER_BYTES) {
		work.type = request.type;
		work.out_bytes = chain->readable_bytes - HEADER_BYTES;
		answer = carry_out(blk, &work, request.sector);
	}
	*moved_bytes += work.done_bytes - *done_bytes;
	*done_bytes = work.goes_on ? work.done_bytes : 0;
	if (work.goes_on)
		return false;
	if (request.type == VIRTIO_BLK_T_DISCARD || request.type == VIRTIO_BLK_T_WRITE_ZEROES)
		*moved_bytes += VIRTIO_BLK_TURN_BYTES;
	has_status = virtqueue_write(queue, chain, work.in_bytes, &answer, sizeof(answer), NULL) == sizeof(answer);
	virtqueue_return(queue, chain, used_length(&work, has_status));
	return true;
}

/* A request that is not done with stays the next one of its queue: others have their turns meanwhile. */
static bool serve(void *model, unsigned index)
{
	struct virtio_blk *blk = model;
	struct virtqueue *queue = &blk->transport->queues[index];
	unsigned served = 0;
	uint64_t moved_bytes = 0;
	bool is_done = true;

	while (is_done && served < VIRTIO_SERVE_CHAINS && moved_bytes < VIRTIO_BLK_TURN_BYTES &&
	       virtqueue_take(queue, &blk->chain) == OK) {
		is_done = serve_request(blk, queue, &blk->done_bytes[index], &moved_bytes);
		if (is_done)
			served++;
		else
			virtqueue_untake(queue, &blk->chain, 1);
	}
	if (served > 0)
		virtio_interrupt_queue(blk->transport, index);
	return !is_done || served == VIRTIO_SERVE_CHAINS || moved_bytes >= VIRTIO_BLK_TURN_BYTES;
}

static void reset(void *model)
{
	struct virtio_blk *blk = model;

	memset(blk->done_bytes, 0, sizeof(blk->done_bytes));
}

static void put(uint8_t config[VIRTIO_BLK_CONFIG_BYTES], unsigned offset, uint64_t value, unsigned width)
{
	memcpy(config + offset, &value, width);
}

static uint64_t read_config(void *model, unsigned offset, unsigned width)
{
	const struct virtio_blk *blk = model;
	uint8_t config[VIRTIO_BLK_CONFIG_BYTES] = {0};
	uint64_t value = 0;

	put(config, CONFIG_CAPACITY, blk->disk->source.size_bytes / DISK_SECTOR_BYTES, 8);
	put(config, CONFIG_SEG_MAX, VIRTIO_BLK_SEGMENTS, 4);
	put(config, CONFIG_BLK_SIZE, DISK_SECTOR_BYTES, 4);
	put(config, CONFIG_PHYSICAL_BLOCK, BLOCK_SECTORS_LOG2, 1);
	put(config, CONFIG_NUM_QUEUES, blk->queue_count, 2);
	if (disk_is_writable(blk->disk)) {
		put(config, CONFIG_DISCARD_SECTORS, VIRTIO_BLK_RANGE_SECTORS, 4);
		put(config, CONFIG_DISCARD_RANGES, VIRTIO_BLK_RANGES_MAX, 4);
		put(config, CONFIG_DISCARD_ALIGN, 1U << BLOCK_SECTORS_LOG2, 4);
		put(config, CONFIG_ZEROES_SECTORS, VIRTIO_BLK_RANGE_SECTORS, 4);
		put(config, CONFIG_ZEROES_RANGES, VIRTIO_BLK_RANGES_MAX, 4);
		put(config, CONFIG_ZEROES_UNMAP, 1, 1);
	}
	memcpy(&value, config + offset, width);
	return value;
}

const struct virtio_ops virtio_blk_ops = {
	.name = "virtio-blk",
	.device_id = VIRTIO_ID_BLOCK,
	.class_code = CLASS_MASS_STORAGE,
	.serve = serve,
	.read_config = read_config,
	.reset = reset,
};

struct virtio_config virtio_blk_config(struct virtio_blk *blk)
{
	uint64_t features = VIRTIO_FEATURE(VIRTIO_BLK_F_SEG_MAX) | VIRTIO_FEATURE(VIRTIO_BLK_F_BLK_SIZE) |
			    VIRTIO_FEATURE(VIRTIO_BLK_F_FLUSH) | VIRTIO_FEATURE(VIRTIO_BLK_F_TOPOLOGY) |
			    VIRTIO_FEATURE(VIRTIO_BLK_F_MQ);

	if (disk_is_writable(blk->disk))
		features |= VIRTIO_FEATURE(VIRTIO_BLK_F_DISCARD) | VIRTIO_FEATURE(VIRTIO_BLK_F_WRITE_ZEROES);
	else
		features |= VIRTIO_FEATURE(VIRTIO_BLK_F_RO);
	return (struct virtio_config){
		.ops = &virtio_blk_ops,
		.model = blk,
		.features = features,
		.queue_count = blk->queue_count,
		.queue_size_max = VIRTQUEUE_SIZE_MAX,
		.config_bytes = VIRTIO_BLK_CONFIG_BYTES,
	};
}
