/* Pools: who pays for memory. A pool takes 2 MiB chunks of RAM and deals them out in two parts: the kernel part, mapped
 * supervisor and writable in the direct map (page tables, stacks, objects), and the RAM part, which ring 0 does not map
 * (guest memory, programs, what lies in a VM's slot). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/status.h"
#include "abi/syscall.h"
#include "kernel/object.h"

struct pool;

extern struct pool *const root_pool;

/* A pool whose guarantee and limit are taken from parent's (the root pool's have no bound but the PC's memory) and that may grow to
 * limit_bytes while memory is free. Both multiples of 2 MiB, guaranteed <= limit. Errors: ERR_INVALID, ERR_NO_MEMORY (parent has
 * not that much), ERR_NO_SPACE (more than eight pools one below the other). The caller owns one reference. */
MUST_CHECK enum status pool_create(struct pool *parent, uint64_t guaranteed_bytes, uint64_t limit_bytes, struct pool **out);
struct object *pool_object(struct pool *pool);
struct pool *pool_from_object(struct object *object); /* kind OBJECT_POOL */
void pool_describe(struct pool *pool, struct pool_info *info);

/* One zeroed 4 KiB page of the kernel part; NULL when the pool is exhausted. Bounded. Context: any, ring 0. */
void *pool_page_alloc(struct pool *pool);
void pool_page_free(struct pool *pool, void *page);

/* A zeroed object of 1 .. 4096 bytes, aligned to the next power of two of its size (so never across a page), NULL
 * when exhausted. */
void *pool_alloc(struct pool *pool, size_t size_bytes);
void pool_free(struct pool *pool, void *object, size_t size_bytes);

/* Physically contiguous frames of the RAM part: page_count = 1 (4 KiB) or a multiple of 512 (2 MiB-aligned run; as a whole
 * 1 GiB-aligned where it is that long and memory allows). NOT zeroed, not mapped. Returns 0 when there is no such run. */
uint64_t pool_frames_alloc(struct pool *pool, uint64_t page_count);
void pool_frames_free(struct pool *pool, uint64_t physical, uint64_t page_count);

/* Kernel stacks have a fixed number of places in ring 0's half, of which a pool made from the root pool may use POOL_STACKS_MAX for
 * itself and all pools below it. False: they are used up. */
MUST_CHECK bool pool_stack_take(struct pool *pool);
void pool_stack_give_back(struct pool *pool);

/* True when this frame came as part of a run of whole chunks. */
bool pool_frame_is_run(uint64_t physical);

/* The direct map: only for pages from pool_page_alloc and pool_alloc (and the boot heap). */
void *direct_pointer(uint64_t physical);
uint64_t direct_physical(const void *pointer);

/* Zeroes a span of one frame run through this CPU's window: physical and len_bytes multiples of 4096, at most 2 MiB. */
void frames_zero(uint64_t physical, uint64_t len_bytes);
/* Copies into one frame through this CPU's window; the span lies in one 4 KiB page. */
void frame_write(uint64_t physical, const void *src, size_t len_bytes);
/* The window itself: the frame that holds `physical`, writable, on this CPU alone, until frame_close(). One at a time, and none of
 * the calls above meanwhile. */
void *frame_open(uint64_t physical);
void frame_close(void);
