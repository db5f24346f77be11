/* Selection, the data port, and one DMA operation at a time, which ends before the access that started it does.
 * QEMU, docs/specs/fw_cfg.rst, "Guest-side Hardware Interface", "Guest-side DMA Interface". */
#include "drivers/virt/fw_cfg.h"

#include "lib/base/string.h"

#define KEY_WRITE_WISH   0x4000U /* "bit14: whether the setting is being written": it changes nothing here */
#define DESCRIPTOR_BYTES 16U
#define HALF_BYTES       4U
#define NOBODYS          UINT32_MAX
#define ZEROES_MAX       0x1000000U /* 16 MiB by one operation: it holds its lock, and the vCPU, until it is done */

static const uint8_t dma_signature[FW_CFG_DMA_SIZE] = {'Q', 'E', 'M', 'U', ' ', 'C', 'F', 'G'};

/* What the registers show while nothing is selected that exists. */
static const struct fw_cfg_item no_item = {.size_bytes = 0};

static const struct fw_cfg_item *selected_item(const struct fw_cfg *dev)
{
	return dev->state.item < dev->item_count ? &dev->items[dev->state.item] : &no_item;
}

/* Items are looked up here only: the data port is read byte by byte. */
static void select_key(struct fw_cfg *dev, uint16_t key)
{
	uint32_t item = 0;

	dev->state.key = (uint16_t)(key & ~KEY_WRITE_WISH);
	while (item < dev->item_count && dev->items[item].key != dev->state.key)
		item++;
	dev->state.item = item;
	dev->state.offset = 0;
	if (dev->wires.selected != NULL)
		dev->wires.selected(dev->wires.ctx);
}

static uint8_t next_byte(struct fw_cfg *dev)
{
	const struct fw_cfg_item *item = selected_item(dev);

	return dev->state.offset < item->size_bytes ? ((const uint8_t *)item->bytes)[dev->state.offset++] : 0;
}

static uint64_t load_big(const uint8_t *from, unsigned len_bytes)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < len_bytes; i++)
		value = value << 8 | from[i];
	return value;
}

static enum status read_to_guest(struct fw_cfg *dev, const struct fw_cfg_item *item, uint64_t address, uint32_t len_bytes)
{
	uint32_t left_bytes = item->size_bytes - dev->state.offset;
	uint32_t copied_bytes = len_bytes < left_bytes ? len_bytes : left_bytes;
	enum status status = len_bytes - copied_bytes <= ZEROES_MAX ? OK : ERR_OUT_OF_RANGE;

	if (status == OK && copied_bytes > 0)
		status = dev->wires.write(dev->wires.ctx, address, (const uint8_t *)item->bytes + dev->state.offset, copied_bytes);
	if (status == OK && len_bytes > copied_bytes)
		status = dev->wires.write(dev->wires.ctx, address + copied_bytes, NULL, len_bytes - copied_bytes);
	if (status == OK)
		dev->state.offset += copied_bytes;
	return status;
}

static void skip(struct fw_cfg *dev, const struct fw_cfg_item *item, uint32_t len_bytes)
{
	uint32_t left_bytes = item->size_bytes - dev->state.offset;

	dev->state.offset += len_bytes < left_bytes ? len_bytes : left_bytes;
}

/* Read before write before skip, where several are asked for. */
static enum status carry_out(struct fw_cfg *dev, uint32_t control, uint32_t len_bytes, uint64_t address)
{
	const struct fw_cfg_item *item;

	if ((control & FW_CFG_DMA_SELECT) != 0)
		select_key(dev, (uint16_t)(control >> 16));
	item = selected_item(dev);
	if ((control & FW_CFG_DMA_READ) != 0)
		return read_to_guest(dev, item, address, len_bytes);
	if ((control & FW_CFG_DMA_WRITE) != 0)
		return ERR_DENIED;
	if ((control & FW_CFG_DMA_SKIP) != 0)
		skip(dev, item, len_bytes);
	return OK;
}

/* The descriptor is fetched once: what the guest makes of it meanwhile changes nothing. */
static void run_dma(struct fw_cfg *dev)
{
	uint64_t at = dev->state.dma_address;
	uint8_t descriptor[DESCRIPTOR_BYTES];
	uint8_t answer[HALF_BYTES] = {0};
	enum status status;

	dev->state.dma_address = 0;
	if (dev->wires.read == NULL || dev->wires.write == NULL)
		return;
	status = dev->wires.read(dev->wires.ctx, at, descriptor, sizeof(descriptor));
	if (status == OK)
		status = carry_out(dev, (uint32_t)load_big(descriptor, 4), (uint32_t)load_big(descriptor + 4, 4),
				   load_big(descriptor + 8, 8));
	answer[HALF_BYTES - 1] = (uint8_t)(status == OK ? 0 : FW_CFG_DMA_ERROR);
	if (dev->wires.write(dev->wires.ctx, at, answer, sizeof(answer)) != OK)
		return; /* a descriptor outside memory cannot be told */
}

static uint64_t fw_cfg_read(void *device, uint64_t offset, unsigned width, uint64_t now_ns)
{
	uint32_t value = 0;

	(void)now_ns;
	if (offset >= FW_CFG_DMA) {
		memcpy(&value, dma_signature + (offset - FW_CFG_DMA), width);
		return value;
	}
	return width == 1 ? next_byte(device) : NOBODYS;
}

/* Halves of the address are taken whole, as QEMU does. */
static void fw_cfg_write(void *device, uint64_t offset, unsigned width, uint64_t value, uint64_t now_ns)
{
	struct fw_cfg *dev = device;
	uint64_t half = __builtin_bswap32((uint32_t)value);

	(void)now_ns;
	if (offset == FW_CFG_SELECT && width == 2) {
		select_key(dev, (uint16_t)value);
	} else if (offset == FW_CFG_DMA && width == HALF_BYTES) {
		dev->state.dma_address = half << 32;
	} else if (offset == FW_CFG_DMA + HALF_BYTES && width == HALF_BYTES) {
		dev->state.dma_address |= half;
		run_dma(dev);
	}
}

static void fw_cfg_reset(void *device)
{
	struct fw_cfg *dev = device;

	dev->state.dma_address = 0;
	select_key(dev, 0);
}

void fw_cfg_init(struct fw_cfg *dev, const struct fw_cfg_wires *wires)
{
	*dev = (struct fw_cfg){.wires = *wires};
}

void fw_cfg_set_items(struct fw_cfg *dev, const struct fw_cfg_item *items, size_t item_count)
{
	dev->items = items;
	dev->item_count = (uint32_t)item_count;
	select_key(dev, 0);
}

const struct device_ops fw_cfg_ops = {
	.name = "fw_cfg",
	.width_max = 4,
	.uses_time = false,
	.read = fw_cfg_read,
	.write = fw_cfg_write,
	.reset = fw_cfg_reset,
};
