/* QEMU's fw_cfg: items of bytes by number, for firmware and for whoever asks. Read by ports, or by DMA into guest memory.
 *
 * fw_cfg_ops, offsets: 0 selector (port 510h, written 16 bits wide), 1 data (511h, read byte by byte; 510h reads the same),
 * 4-Bh address of a DMA descriptor (514h-51Bh, big-endian: the high half first; a write of the low half starts it; reads
 * "QEMU CFG"). What is written as data is ignored, and DMA refuses writes: no item can be changed.
 * A number without an item, and what lies behind an item's end, reads as zeros, by DMA up to 16 MiB at a time.
 * Source: QEMU, docs/specs/fw_cfg.rst. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "abi/status.h"
#include "drivers/virt/device.h"

#define FW_CFG_SELECT      0U
#define FW_CFG_PORTS_SIZE  2U
#define FW_CFG_DMA         4U
#define FW_CFG_DMA_SIZE    8U

#define FW_CFG_DMA_ERROR  0x01U
#define FW_CFG_DMA_READ   0x02U
#define FW_CFG_DMA_SKIP   0x04U
#define FW_CFG_DMA_SELECT 0x08U /* bits 31:16 are the number */
#define FW_CFG_DMA_WRITE  0x10U

/* Constant while vCPUs run, the bytes until the next one is selected; they are the machine's. */
struct fw_cfg_item {
	uint16_t key;
	uint32_t size_bytes;
	const void *bytes;
};

/* Guest memory, the whole span or an error. write: bytes NULL writes zeros. Spans may be 4 GiB long and may wrap. */
struct fw_cfg_wires {
	enum status (*read)(void *ctx, uint64_t gpa, void *out, size_t len_bytes);
	enum status (*write)(void *ctx, uint64_t gpa, const void *bytes, size_t len_bytes);
	/* An item is selected: the last chance to bring its bytes up to date, within its size. NULL: none needs it. */
	void (*selected)(void *ctx);
	void *ctx;
};

struct fw_cfg_state {
	uint16_t key;        /* as selected */
	uint32_t item;       /* its index; from the number of items on: there is no such item */
	uint32_t offset;     /* of the next byte in the item; at most its size */
	uint64_t dma_address;
};

struct fw_cfg {
	struct fw_cfg_wires wires;
	const struct fw_cfg_item *items;
	uint32_t item_count;
	struct fw_cfg_state state;
};

/* Nothing is there until fw_cfg_set_items(). */
void fw_cfg_init(struct fw_cfg *dev, const struct fw_cfg_wires *wires);

/* items stay the caller's; of two with one key the first counts. Context: before vCPUs run. */
void fw_cfg_set_items(struct fw_cfg *dev, const struct fw_cfg_item *items, size_t item_count);

extern const struct device_ops fw_cfg_ops;
