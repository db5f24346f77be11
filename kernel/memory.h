/* Memory objects: they own frames (or name device memory) and list all their views, so that a page can be taken from
 * every address space and guest map at once. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"
#include "kernel/object.h"

struct memory;
struct pool;
struct space;
struct guest_map;
struct vm;

enum memory_kind { MEMORY_KIND_RAM, MEMORY_KIND_DEVICE, MEMORY_KIND_WRITE_COMBINING, MEMORY_KIND_BOOT_FILE };

/* A physically contiguous piece of a memory object. */
struct memory_run {
	uint64_t physical;
	uint64_t len_bytes; /* from the offset asked for to the end of the piece */
};

/* Finds the piece that holds offset_bytes (multiple of 4096). ERR_OUT_OF_RANGE past the end.
 * Context: caller holds a reference. */
MUST_CHECK enum status memory_run_at(struct memory *memory, uint64_t offset_bytes, struct memory_run *run);
/* If the piece of 2 MiB that holds offset_bytes was taken out, gives it a new run, of zeros. ERR_NO_MEMORY; ERR_BUSY: another CPU
 * is just doing that. Bounded: a run. Context: caller holds a reference, and no lock, since zeroing a run takes some time. */
MUST_CHECK enum status memory_fill_piece(struct memory *memory, uint64_t offset_bytes);
/* vm is about to map it. */
void memory_note_guest(struct memory *memory, const struct vm *vm);
struct pool *memory_pool(const struct memory *memory); /* that pays for it */
uint64_t memory_size_bytes(const struct memory *memory);
enum memory_kind memory_kind(const struct memory *memory);
struct memory *memory_from_object(struct object *object); /* kind OBJECT_MEMORY */
struct object *memory_object(struct memory *memory);
