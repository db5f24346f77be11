/* Pools: accounting, and dealing out pages, frames and small objects of the chunks they hold. */
#include "kernel/pool.h"

#include "abi/layout.h"
#include "kernel/chunks.h"
#include "kernel/config.h"
#include "kernel/panic.h"
#include "kernel/pool_internal.h"
#include "kernel/spinlock.h"
#include "lib/base/string.h"

#define SMALLEST_SHIFT 5U /* 32 bytes */
#define SIZE_CLASSES   8U /* 32 .. 4096 bytes */
#define DEPTH_MAX      8U /* of pools made from pools: releasing a pool releases its parent from within */

/* A pool's chunks that are dealt out page by page. */
enum chunk_list { LIST_KERNEL, LIST_FRAMES, LIST_FULL, CHUNK_LISTS };

struct free_object {
	struct free_object *next;
};

struct pool {
	struct object object;
	/* constant after pool_create() */
	struct pool *parent; /* holds a reference; NULL: the root pool */
	unsigned depth;
	struct pool *account; /* whose stacks_left counts: the pool above it that was made from the root pool */
	_Atomic uint32_t stacks_left;
	/* lock */
	struct spinlock lock;
	uint64_t guaranteed_chunks; /* of these, those not yet used are promised to it by the store */
	uint64_t limit_chunks;      /* both without what pools made from this one got */
	uint64_t used_chunks;
	struct chunk *lists[CHUNK_LISTS];
	struct free_object *free_objects[SIZE_CLASSES];
};

static struct pool the_root_pool = {
	.object = {.references = 1, .kind = OBJECT_POOL},
	.account = &the_root_pool,
	.stacks_left = UINT32_MAX,
	.limit_chunks = UINT64_MAX,
	.lock = {.rank = RANK_POOL},
};
struct pool *const root_pool = &the_root_pool;

struct object *pool_object(struct pool *pool)
{
	return &pool->object;
}

struct pool *pool_from_object(struct object *object)
{
	return (struct pool *)object;
}

static enum chunk_list list_of(const struct chunk *chunk)
{
	if (chunk->free_pages == 0)
		return LIST_FULL;
	return chunk->kind == CHUNK_KERNEL ? LIST_KERNEL : LIST_FRAMES;
}

static void list_add(struct pool *pool, struct chunk *chunk)
{
	struct chunk **head = &pool->lists[list_of(chunk)];

	chunk->previous = NULL;
	chunk->next = *head;
	if (*head != NULL)
		(*head)->previous = chunk;
	*head = chunk;
}

static void list_remove(struct pool *pool, enum chunk_list list, struct chunk *chunk)
{
	if (chunk->previous != NULL)
		chunk->previous->next = chunk->next;
	else
		pool->lists[list] = chunk->next;
	if (chunk->next != NULL)
		chunk->next->previous = chunk->previous;
	chunk->next = NULL;
	chunk->previous = NULL;
}

void pool_adopt_chunk(struct pool *pool, struct chunk *chunk)
{
	chunk->pool = pool;
	pool->used_chunks++;
	list_add(pool, chunk);
}

/* What the store still holds for this pool. Lock held. */
static uint64_t guarantee_left(const struct pool *pool)
{
	return pool->guaranteed_chunks > pool->used_chunks ? pool->guaranteed_chunks - pool->used_chunks : 0;
}

/* Takes count chunks for the pool if limit, guarantee and the store allow it. Lock held. */
static struct chunk *take_chunks(struct pool *pool, enum chunk_kind kind, uint64_t count)
{
	uint64_t left = guarantee_left(pool);
	struct chunk *chunks;

	if (count > pool->limit_chunks - pool->used_chunks)
		return NULL;
	chunks = chunks_take(pool, kind, count, count < left ? count : left);
	if (chunks != NULL)
		pool->used_chunks += count;
	return chunks;
}

/* Lock held. */
static void return_chunks(struct pool *pool, struct chunk *first, uint64_t count)
{
	uint64_t left_before = guarantee_left(pool);

	pool->used_chunks -= count;
	chunks_give_back(first, count, guarantee_left(pool) - left_before);
}

/* One page of a chunk of that kind; 0: exhausted. Lock held. */
static uint64_t take_page(struct pool *pool, enum chunk_kind kind)
{
	enum chunk_list list = kind == CHUNK_KERNEL ? LIST_KERNEL : LIST_FRAMES;
	struct chunk *chunk = pool->lists[list];
	uint64_t physical;

	if (chunk == NULL) {
		chunk = take_chunks(pool, kind, 1);
		if (chunk == NULL)
			return 0;
		list_add(pool, chunk);
	}
	physical = chunk_page_take(chunk);
	if (chunk->free_pages == 0) {
		list_remove(pool, list, chunk);
		list_add(pool, chunk);
	}
	return physical;
}

/* Lock held. */
static void put_page(struct pool *pool, uint64_t physical)
{
	struct chunk *chunk = chunk_at(physical);

	ASSERT(chunk != NULL && chunk->pool == pool);
	chunk_page_put(chunk, physical);
	if (chunk->free_pages == 1) {
		list_remove(pool, LIST_FULL, chunk);
		list_add(pool, chunk);
	}
	if (chunk->free_pages == CHUNK_PAGES) {
		list_remove(pool, list_of(chunk), chunk);
		return_chunks(pool, chunk, 1);
	}
}

void *pool_page_alloc(struct pool *pool)
{
	uint64_t physical;

	spinlock_acquire(&pool->lock);
	physical = take_page(pool, CHUNK_KERNEL);
	spinlock_release(&pool->lock);
	if (physical == 0)
		return NULL;
	return memset(direct_pointer(physical), 0, PAGE_SIZE_BYTES);
}

void pool_page_free(struct pool *pool, void *page)
{
	spinlock_acquire(&pool->lock);
	put_page(pool, direct_physical(page));
	spinlock_release(&pool->lock);
}

uint64_t pool_frames_alloc(struct pool *pool, uint64_t page_count)
{
	uint64_t physical = 0;
	struct chunk *run;

	ASSERT(page_count == 1 || page_count % CHUNK_PAGES == 0);
	spinlock_acquire(&pool->lock);
	if (page_count == 1) {
		physical = take_page(pool, CHUNK_FRAMES);
	} else {
		run = take_chunks(pool, CHUNK_RUN, page_count / CHUNK_PAGES);
		physical = run != NULL ? run->physical : 0;
	}
	spinlock_release(&pool->lock);
	return physical;
}

void pool_frames_free(struct pool *pool, uint64_t physical, uint64_t page_count)
{
	spinlock_acquire(&pool->lock);
	if (page_count == 1)
		put_page(pool, physical);
	else
		return_chunks(pool, chunk_at(physical), page_count / CHUNK_PAGES);
	spinlock_release(&pool->lock);
}

bool pool_frame_is_run(uint64_t physical)
{
	const struct chunk *chunk = chunk_at(physical);

	return chunk != NULL && chunk->kind == CHUNK_RUN;
}

static unsigned size_class(size_t size_bytes)
{
	unsigned class = 0;

	ASSERT(size_bytes > 0 && size_bytes <= PAGE_SIZE_BYTES);
	while ((1ULL << (SMALLEST_SHIFT + class)) < size_bytes)
		class ++;
	return class;
}

/* Cuts a fresh page into objects of one class. Lock held. */
static bool refill(struct pool *pool, unsigned class)
{
	uint64_t physical = take_page(pool, CHUNK_KERNEL);
	uint64_t size_bytes = 1ULL << (SMALLEST_SHIFT + class);

	if (physical == 0)
		return false;
	for (uint64_t at = 0; at < PAGE_SIZE_BYTES; at += size_bytes) {
		struct free_object *object = direct_pointer(physical + at);

		object->next = pool->free_objects[class];
		pool->free_objects[class] = object;
	}
	return true;
}

void *pool_alloc(struct pool *pool, size_t size_bytes)
{
	unsigned class = size_class(size_bytes);
	struct free_object *object = NULL;

	spinlock_acquire(&pool->lock);
	if (pool->free_objects[class] != NULL || refill(pool, class)) {
		object = pool->free_objects[class];
		pool->free_objects[class] = object->next;
	}
	spinlock_release(&pool->lock);
	return object != NULL ? memset(object, 0, size_bytes) : NULL;
}

void pool_free(struct pool *pool, void *object, size_t size_bytes)
{
	unsigned class = size_class(size_bytes);
	struct free_object *freed = object;

	spinlock_acquire(&pool->lock);
	freed->next = pool->free_objects[class];
	pool->free_objects[class] = freed;
	spinlock_release(&pool->lock);
}

bool pool_stack_take(struct pool *pool)
{
	uint32_t left = pool->account->stacks_left;

	while (left > 0) {
		if (atomic_compare_exchange_weak(&pool->account->stacks_left, &left, left - 1))
			return true;
	}
	return false;
}

void pool_stack_give_back(struct pool *pool)
{
	pool->account->stacks_left++;
}

/* Moves guarantee and limit from parent to a new pool. The root pool's own are without bound: what it gives is promised by the
 * store. */
static enum status take_share(struct pool *parent, uint64_t guaranteed_chunks, uint64_t limit_chunks)
{
	enum status status = ERR_NO_MEMORY;

	if (parent->parent == NULL)
		return chunks_promise(guaranteed_chunks);
	spinlock_acquire(&parent->lock);
	if (guaranteed_chunks <= guarantee_left(parent) && limit_chunks <= parent->limit_chunks - parent->used_chunks) {
		parent->guaranteed_chunks -= guaranteed_chunks;
		parent->limit_chunks -= limit_chunks;
		status = OK;
	}
	spinlock_release(&parent->lock);
	return status;
}

/* The way back, for a pool that holds nothing more. What the parent has meanwhile used beyond its rest of the guarantee counts
 * against the guarantee again. */
static void return_share(struct pool *parent, const struct pool *pool)
{
	uint64_t promised = guarantee_left(pool);
	uint64_t left_before, kept;

	if (parent->parent == NULL) {
		chunks_unpromise(promised);
		return;
	}
	spinlock_acquire(&parent->lock);
	left_before = guarantee_left(parent);
	parent->guaranteed_chunks += pool->guaranteed_chunks;
	parent->limit_chunks += pool->limit_chunks;
	kept = guarantee_left(parent) - left_before;
	chunks_unpromise(promised > kept ? promised - kept : 0);
	spinlock_release(&parent->lock);
}

/* The last reference is gone, so every object paid by this pool is too: what is left are pages of size classes. */
static bool pool_release(struct object *object)
{
	struct pool *pool = (struct pool *)object;
	struct pool *parent = pool->parent;
	unsigned steps = 0;

	for (unsigned list = 0; list < CHUNK_LISTS; list++) {
		while (pool->lists[list] != NULL) {
			struct chunk *chunk = pool->lists[list];

			if (steps++ == SYSCALL_PAGES_MAX)
				return false;
			list_remove(pool, list, chunk);
			return_chunks(pool, chunk, 1);
		}
	}
	return_share(parent, pool);
	pool_free(parent, pool, sizeof(*pool));
	object_put(&parent->object);
	return true;
}

enum status pool_create(struct pool *parent, uint64_t guaranteed_bytes, uint64_t limit_bytes, struct pool **out)
{
	uint64_t guaranteed_chunks = guaranteed_bytes / PAGE_2M_BYTES;
	uint64_t limit_chunks = limit_bytes / PAGE_2M_BYTES;
	struct pool *pool;

	if (guaranteed_bytes % PAGE_2M_BYTES != 0 || limit_bytes % PAGE_2M_BYTES != 0 || guaranteed_bytes > limit_bytes ||
	    limit_bytes == 0)
		return ERR_INVALID;
	if (parent->depth == DEPTH_MAX)
		return ERR_NO_SPACE;
	pool = pool_alloc(parent, sizeof(*pool));
	if (pool == NULL)
		return ERR_NO_MEMORY;
	if (take_share(parent, guaranteed_chunks, limit_chunks) != OK) {
		pool_free(parent, pool, sizeof(*pool));
		return ERR_NO_MEMORY;
	}
	object_init(&pool->object, OBJECT_POOL, pool_release);
	object_get(&parent->object);
	pool->parent = parent;
	pool->depth = parent->depth + 1;
	pool->account = parent == root_pool ? pool : parent->account;
	pool->stacks_left = POOL_STACKS_MAX;
	pool->guaranteed_chunks = guaranteed_chunks;
	pool->limit_chunks = limit_chunks;
	pool->lock = SPINLOCK(RANK_POOL);
	*out = pool;
	return OK;
}

void pool_describe(struct pool *pool, struct pool_info *info)
{
	uint64_t reachable, allowed;

	spinlock_acquire(&pool->lock);
	reachable = chunks_unpromised_count() + guarantee_left(pool);
	allowed = pool->limit_chunks - pool->used_chunks;
	*info = (struct pool_info){
		.guaranteed_bytes = pool->guaranteed_chunks * PAGE_2M_BYTES,
		.limit_bytes = pool->limit_chunks > UINT64_MAX / PAGE_2M_BYTES ? UINT64_MAX : pool->limit_chunks * PAGE_2M_BYTES,
		.used_bytes = pool->used_chunks * PAGE_2M_BYTES,
		.free_bytes = (reachable < allowed ? reachable : allowed) * PAGE_2M_BYTES,
	};
	spinlock_release(&pool->lock);
}
