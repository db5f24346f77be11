/* A parallel NOR flash, one byte wide, with blocks of 4 KiB, where UEFI firmware keeps its variables: Intel's command set (CFI
 * number 0001h) as QEMU's pflash_cfi01 has it.
 *
 * Offsets: bytes from the start. Reads give the contents, as long as no command asks for something else; the machine maps the
 * memory itself then, and lets go of it when told. Commands, written to any offset:
 *   FFh, F0h, 00h  contents again;
 *   10h or 40h, then a byte at its place: program it. It replaces what was there, of which real chips could only clear bits;
 *   20h, then D0h: erase the block to FFh;
 *   E8h, a count less one, so many bytes at their places, all in one 256-byte line, then D0h: program them;
 *   60h, then D0h or 01h: unlock or lock a block; nothing is ever locked;
 *   50h            clear the status, ready bit and all, which is how firmware knows this flash, and give contents again;
 *   70h, 90h, 98h  reads give the status, identifiers, the CFI table.
 * After a program, an erase or a lock reads give the status. Nothing takes time.
 *
 * Source: JEDEC JESD68.01, "Common Flash Interface (CFI)"; Intel, "StrataFlash Memory" data sheets, "Command Definitions";
 * QEMU, hw/block/pflash_cfi01.c, for what is its own. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "drivers/virt/device.h"

#define FLASH_BLOCK_BYTES 0x1000U
#define FLASH_LINE_BYTES  0x100U /* what one buffer holds */
#define FLASH_MAX_BYTES   0x1000000U

#define FLASH_STATUS_READY       0x80U
#define FLASH_STATUS_ERASE_ERROR 0x20U
#define FLASH_STATUS_WRITE_ERROR 0x10U /* with the one above: a wrong sequence of commands */

enum flash_cycle {
	FLASH_COMMAND,       /* a command comes next, or */
	FLASH_SECOND,        /* what belongs to the command, */
	FLASH_BUFFER_BYTES,  /* bytes for the buffer, */
	FLASH_BUFFER_CONFIRM
};

struct flash_state {
	uint8_t command; /* the last one */
	uint8_t status;
	uint8_t cycle;             /* enum flash_cycle */
	bool line_known;
	uint32_t line;             /* offset of the line that the buffer is for */
	uint32_t left;             /* bytes that it still waits for */
	uint64_t filled[FLASH_LINE_BYTES / 64]; /* by byte */
	uint8_t buffer[FLASH_LINE_BYTES];
};

struct flash_wires {
	uint8_t *bytes;       /* the contents: the machine's, and the guest reads them while they are mapped */
	uint32_t size_bytes;  /* a multiple of FLASH_BLOCK_BYTES, at most FLASH_MAX_BYTES; 0: there is no flash */
	/* Reads shall give the contents from here on, or come to this model. Never told twice the same; contents at first. */
	void (*shows_contents)(void *ctx, bool shows);
	void *ctx;
};

struct flash {
	struct flash_state state;
	struct flash_wires wires;
};

extern const struct device_ops flash_ops;

/* Ready, with its contents to be read. */
void flash_init(struct flash *flash, const struct flash_wires *wires);
