/* Pieces of 2 MiB that left their memory object, and came back. A piece's word: 0: it is where its extent says; PIECE_GONE: it has
 * no memory; PIECE_COMES: a CPU makes it some; else the physical address of its new run. Tables of words exist once a piece has
 * left. */
#include <stddef.h>

#include "kernel/config.h"
#include "kernel/memory_internal.h"
#include "kernel/memory_struct.h"
#include "kernel/pool.h"
#include "kernel/view.h"

#define PIECE_GONE      1ULL
#define PIECE_COMES     2ULL
#define WORDS_PER_PAGE  (PAGE_SIZE_BYTES / sizeof(uint64_t))
#define CHUNK_RUN_PAGES (PAGE_2M_BYTES / PAGE_SIZE_BYTES)
#define VIEWS_FEW       4U /* that a piece is taken from, so that taking it is bounded */

static uint64_t word_of(const struct memory *memory, uint64_t offset_bytes)
{
	uint64_t index = offset_bytes / PAGE_2M_BYTES;

	if (memory->pieces == NULL || index / WORDS_PER_PAGE >= WORDS_PER_PAGE || memory->pieces[index / WORDS_PER_PAGE] == NULL)
		return 0;
	return memory->pieces[index / WORDS_PER_PAGE][index % WORDS_PER_PAGE];
}

static bool has_run(uint64_t word)
{
	return word > PIECE_COMES;
}

/* NULL: no memory for it, or beyond what the tables reach. */
static uint64_t *make_word(struct memory *memory, uint64_t offset_bytes)
{
	uint64_t index = offset_bytes / PAGE_2M_BYTES, page = index / WORDS_PER_PAGE;

	if (page >= WORDS_PER_PAGE)
		return NULL;
	if (memory->pieces == NULL)
		memory->pieces = pool_page_alloc(memory->pool);
	if (memory->pieces != NULL && memory->pieces[page] == NULL)
		memory->pieces[page] = pool_page_alloc(memory->pool);
	return memory->pieces != NULL && memory->pieces[page] != NULL ? &memory->pieces[page][index % WORDS_PER_PAGE] : NULL;
}

enum status memory_replace_run(const struct memory *memory, uint64_t offset_bytes, struct memory_run *run)
{
	uint64_t in_piece = offset_bytes % PAGE_2M_BYTES;
	uint64_t word = word_of(memory, offset_bytes);

	if (word != 0 && !has_run(word))
		return ERR_NOT_FOUND;
	if (word != 0)
		run->physical = word + in_piece;
	if (memory->pieces != NULL && run->len_bytes > PAGE_2M_BYTES - in_piece)
		run->len_bytes = PAGE_2M_BYTES - in_piece;
	return OK;
}

bool memory_free_replaced(struct memory *memory, uint64_t end_bytes)
{
	uint64_t word = end_bytes % PAGE_2M_BYTES == 0 ? word_of(memory, end_bytes - PAGE_2M_BYTES) : 0;

	if (has_run(word))
		pool_frames_free(memory->pool, word, CHUNK_RUN_PAGES);
	return word != 0;
}

void memory_free_pieces(struct memory *memory)
{
	for (uint64_t i = 0; memory->pieces != NULL && i < WORDS_PER_PAGE; i++) {
		if (memory->pieces[i] != NULL)
			pool_page_free(memory->pool, memory->pieces[i]);
	}
	if (memory->pieces != NULL)
		pool_page_free(memory->pool, memory->pieces);
}

void memory_note_guest(struct memory *memory, const struct vm *vm)
{
	spinlock_acquire(&memory->lock);
	memory->several_guests |= memory->guest != NULL && memory->guest != vm;
	memory->guest = vm;
	spinlock_release(&memory->lock);
}

/* Whether nobody else sees it, and these do in few places. Lock held. */
static bool is_seen_by_these_only(const struct memory *memory, const struct space *space, const struct vm *vm)
{
	unsigned count = 0;

	for (const struct view *view = memory->views; view != NULL; view = view->next_of_memory) {
		if (view->space != space || ++count > VIEWS_FEW)
			return false;
	}
	return !memory->several_guests && (memory->guest == NULL || memory->guest == vm);
}

/* The run that the piece has now; 0: it is gone, or no run of whole chunks. Lock held. */
static uint64_t run_of(struct memory *memory, uint64_t offset_bytes)
{
	uint64_t word = word_of(memory, offset_bytes);

	if (word != 0)
		return has_run(word) ? word : 0;
	for (uint64_t i = 0; i < memory->extent_count && i < SYSCALL_PAGES_MAX; i++) {
		const struct extent *extent = memory_extent_at(memory, i);
		uint64_t physical = extent->physical + (offset_bytes - extent->offset_bytes);

		if (offset_bytes >= extent->offset_bytes && offset_bytes - extent->offset_bytes < extent->len_bytes)
			return physical % PAGE_2M_BYTES == 0 && pool_frame_is_run(physical) ? physical : 0;
	}
	return 0;
}

/* Lock held. */
static enum status may_take(struct memory *memory, uint64_t offset_bytes, const struct space *space, const struct vm *vm)
{
	if (memory->kind != MEMORY_KIND_RAM || offset_bytes % PAGE_2M_BYTES != 0)
		return ERR_INVALID;
	if (offset_bytes > memory->size_bytes || memory->size_bytes - offset_bytes < PAGE_2M_BYTES)
		return ERR_OUT_OF_RANGE;
	if (!is_seen_by_these_only(memory, space, vm))
		return ERR_BUSY;
	return run_of(memory, offset_bytes) != 0 ? OK : ERR_NOT_FOUND;
}

enum status memory_may_take_piece(struct memory *memory, uint64_t offset_bytes, const struct space *space, const struct vm *vm)
{
	enum status status;

	spinlock_acquire(&memory->lock);
	status = may_take(memory, offset_bytes, space, vm);
	spinlock_release(&memory->lock);
	return status;
}

enum status memory_take_piece(struct memory *memory, uint64_t offset_bytes, const struct space *space, const struct vm *vm,
			      uint64_t *physical)
{
	enum status status;
	uint64_t *word;

	spinlock_acquire(&memory->lock);
	status = may_take(memory, offset_bytes, space, vm);
	*physical = status == OK ? run_of(memory, offset_bytes) : 0;
	word = status == OK ? make_word(memory, offset_bytes) : NULL;
	if (word != NULL)
		*word = PIECE_GONE;
	else if (status == OK)
		status = ERR_NO_MEMORY;
	spinlock_release(&memory->lock);
	return status;
}

/* ERR_NOT_FOUND: the caller is the one to make it some memory. */
static enum status begin_fill(struct memory *memory, uint64_t offset_bytes)
{
	enum status status = OK;
	uint64_t word;

	spinlock_acquire(&memory->lock);
	word = word_of(memory, offset_bytes);
	if (word == PIECE_COMES)
		status = ERR_BUSY;
	if (word == PIECE_GONE) {
		*make_word(memory, offset_bytes) = PIECE_COMES; /* its table is there */
		status = ERR_NOT_FOUND;
	}
	spinlock_release(&memory->lock);
	return status;
}

enum status memory_fill_piece(struct memory *memory, uint64_t offset_bytes)
{
	enum status status = begin_fill(memory, offset_bytes);
	uint64_t physical;

	if (status != ERR_NOT_FOUND)
		return status;
	physical = pool_frames_alloc(memory->pool, CHUNK_RUN_PAGES);
	if (physical != 0)
		frames_zero(physical, PAGE_2M_BYTES);
	spinlock_acquire(&memory->lock);
	*make_word(memory, offset_bytes) = physical != 0 ? physical : PIECE_GONE;
	spinlock_release(&memory->lock);
	return physical != 0 ? OK : ERR_NO_MEMORY;
}
