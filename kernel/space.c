/* Address spaces: creation, release, views in the program's half. SDM Vol. 3A, "4-Level Paging". */
#include "kernel/space.h"

#include <stddef.h>

#include "abi/layout.h"
#include "kernel/config.h"
#include "kernel/event.h"
#include "kernel/hypervisor.h"
#include "kernel/kernel_map.h"
#include "kernel/memory.h"
#include "kernel/page_table.h"
#include "kernel/panic.h"
#include "kernel/pool.h"
#include "kernel/program_pages.h"
#include "kernel/shootdown.h"
#include "kernel/space_internal.h"
#include "kernel/space_struct.h"
#include "kernel/view.h"

#define PML4_VM_SLOT 386U
#define USER_TABLE_FLAGS (PTE_PRESENT | PTE_WRITE | PTE_USER)

struct object *space_object(struct space *space)
{
	return &space->object;
}

struct space *space_from_object(struct object *object)
{
	return (struct space *)object;
}

struct vm *space_vm(const struct space *space)
{
	return space->vm;
}

struct pool *space_pool(struct space *space)
{
	return space->pool;
}

uint64_t space_cr3(const struct space *space)
{
	return space->cr3;
}

/* No thread, no handle, and no CPU has these tables loaded. */
static bool space_release(struct object *object)
{
	struct space *space = space_from_object(object);
	struct pool *pool = space->pool;
	unsigned budget = SYSCALL_PAGES_MAX;

	space_leave_parent(space);
	space->parent = NULL;
	handle_table_close(&space->handles, pool);
	for (; space->views != NULL && budget > 0; budget--) {
		struct view *view = space->views;

		space->views = view->next_of_place;
		view_destroy(view);
	}
	for (unsigned i = 0; i < 256; i++)
		page_table_free(&space->pml4[i], pool, &budget);
	if (budget == 0)
		return false;
	if (space->end_event != NULL)
		object_put(event_object(space->end_event));
	if (space->vm != NULL)
		object_put(hypervisor_vm_object(space->vm));
	if (space->rules != NULL)
		pool_free(pool, space->rules, sizeof(*space->rules));
	pool_page_free(pool, space->pml4);
	pool_free(pool, space, sizeof(*space));
	object_put(pool_object(pool));
	return true;
}

enum status space_create(struct pool *pool, struct vm *vm, struct space **out)
{
	struct space *space = pool_alloc(pool, sizeof(*space));
	uint64_t *pml4 = space != NULL ? pool_page_alloc(pool) : NULL;

	if (pml4 == NULL) {
		if (space != NULL)
			pool_free(pool, space, sizeof(*space));
		return ERR_NO_MEMORY;
	}
	object_init(&space->object, OBJECT_SPACE, space_release);
	object_get(pool_object(pool));
	space->pool = pool;
	space->pml4 = pml4;
	space->cr3 = direct_physical(pml4);
	space->lock = SPINLOCK(RANK_SPACE);
	space->handles.lock = SPINLOCK(RANK_HANDLES);
	for (unsigned i = 0; i < CPUS_MAX / 64; i++)
		space->cpu_mask[i] = UINT64_MAX;
	space->group = &space->own_group;
	schedule_group_init(&space->own_group, vm == NULL);
	kernel_map_share(pml4);
	if (vm != NULL) {
		space->vm = vm;
		object_get(hypervisor_vm_object(vm));
		pml4[PML4_VM_SLOT] = hypervisor_vm_slot(vm) | PTE_PRESENT | PTE_WRITE;
	}
	if (program_pages_map(space) != OK) {
		object_put(&space->object);
		return ERR_NO_MEMORY;
	}
	*out = space;
	return OK;
}

/* Page-table flags of a right. Nothing is both writable and executable. */
static uint64_t flags_of(unsigned rights, bool user)
{
	return PTE_PRESENT | (user ? PTE_USER : 0) | (rights & RIGHT_WRITE ? PTE_WRITE : 0) | (rights & RIGHT_EXECUTE ? 0 : PTE_NX);
}

static bool rights_make_sense(unsigned rights)
{
	return (rights & RIGHT_READ) && !((rights & RIGHT_WRITE) && (rights & RIGHT_EXECUTE)) &&
	       !(rights & ~(RIGHT_READ | RIGHT_WRITE | RIGHT_EXECUTE));
}

enum status space_map_frame(struct space *space, uint64_t virtual_address, uint64_t physical, unsigned rights, bool user)
{
	uint64_t *entry;
	enum status status = OK;

	if (!rights_make_sense(rights) || virtual_address % PAGE_SIZE_BYTES != 0 || (user && virtual_address >= USER_END))
		return ERR_INVALID;
	spinlock_acquire(&space->lock);
	entry = page_table_entry(space->pml4, virtual_address, 1, space->pool, user ? USER_TABLE_FLAGS : PTE_PRESENT | PTE_WRITE);
	if (entry == NULL)
		status = ERR_NO_MEMORY;
	else if (*entry & PTE_PRESENT)
		status = ERR_EXISTS;
	else
		*entry = physical | flags_of(rights, user);
	spinlock_release(&space->lock);
	return status;
}

static uint64_t cache_flags(enum memory_kind kind)
{
	switch (kind) {
	case MEMORY_KIND_DEVICE:
		return PTE_DEVICE;
	case MEMORY_KIND_WRITE_COMBINING:
		return PTE_LARGE; /* in a 4 KiB entry this bit is the PAT bit: kernel_map.c makes entry 4 write-combining */
	case MEMORY_KIND_RAM:
	case MEMORY_KIND_BOOT_FILE:
		return 0;
	}
	return PTE_DEVICE;
}

uint64_t space_map_piece(struct space *space, struct memory *memory, uint64_t address, uint64_t offset, uint64_t left,
			 unsigned rights, enum status *status)
{
	struct memory_run run;
	enum memory_kind kind = memory_kind(memory);
	uint64_t *entry;
	bool large;

	*status = memory_run_at(memory, offset, &run);
	if (*status != OK)
		return 0;
	large = kind == MEMORY_KIND_RAM && (address | run.physical) % PAGE_2M_BYTES == 0 && left >= PAGE_2M_BYTES &&
		run.len_bytes >= PAGE_2M_BYTES;
	entry = page_table_entry(space->pml4, address, large ? 2 : 1, space->pool, USER_TABLE_FLAGS);
	if (large && entry != NULL && (*entry & (PTE_PRESENT | PTE_LARGE)) == PTE_PRESENT) {
		/* A page table is there: of small pages, which may all be gone again. */
		large = false;
		entry = page_table_entry(space->pml4, address, 1, space->pool, USER_TABLE_FLAGS);
	}
	if (entry == NULL || (*entry & PTE_PRESENT)) {
		*status = entry == NULL ? ERR_NO_MEMORY : ERR_EXISTS;
		return 0;
	}
	*entry = run.physical | flags_of(rights, true) | (large ? PTE_LARGE : cache_flags(kind));
	return large ? PAGE_2M_BYTES : PAGE_SIZE_BYTES;
}

/* The view that this call extends, or a new one. NULL: none, *status says why. Lock held. */
static struct view *view_for(struct space *space, struct memory *memory, uint64_t address, uint64_t offset, unsigned rights,
			     enum status *status)
{
	struct view *view;

	for (view = space->views; view != NULL; view = view->next_of_place) {
		if (view->memory == memory && view->rights == rights && view->address + view->len_bytes == address &&
		    view->offset_bytes + view->len_bytes == offset)
			return view;
	}
	*status = ERR_NO_SPACE;
	if (space->view_count == VIEWS_MAX)
		return NULL;
	*status = view_create(memory, space, space->pool, &view);
	if (*status != OK)
		return NULL;
	view->address = address;
	view->offset_bytes = offset;
	view->rights = rights;
	view->next_of_place = space->views;
	space->views = view;
	space->view_count++;
	return view;
}

/* Takes a view of nothing out of the space's list; returns it, or NULL when it is a view of something. Lock held. */
static struct view *unlist_if_empty(struct space *space, struct view *view)
{
	struct view **at = &space->views;

	if (view == NULL || view->len_bytes > 0)
		return NULL;
	while (*at != view)
		at = &(*at)->next_of_place;
	*at = view->next_of_place;
	space->view_count--;
	return view;
}

enum status space_map(struct space *space, struct memory *memory, uint64_t address, uint64_t offset_bytes, uint64_t len_bytes,
		      unsigned rights, uint64_t *done)
{
	enum status status = OK;
	struct view *view, *empty;
	uint64_t mapped = 0;
	unsigned steps = 0;

	if (((address | offset_bytes | len_bytes) % PAGE_SIZE_BYTES) != 0)
		return ERR_MISALIGNED;
	if (!rights_make_sense(rights) || len_bytes == 0)
		return ERR_INVALID;
	if (address >= STUB_PAGE || len_bytes > STUB_PAGE - address)
		return ERR_OUT_OF_RANGE;
	spinlock_acquire(&space->lock);
	view = view_for(space, memory, address, offset_bytes, rights, &status);
	while (view != NULL && mapped < len_bytes && steps++ < SYSCALL_PAGES_MAX) {
		uint64_t piece = space_map_piece(space, memory, address + mapped, offset_bytes + mapped, len_bytes - mapped, rights,
					   &status);

		if (piece == 0)
			break;
		mapped += piece;
		view->len_bytes += piece;
	}
	empty = unlist_if_empty(space, view);
	spinlock_release(&space->lock);
	if (empty != NULL)
		view_destroy(empty);
	*done = mapped;
	return mapped > 0 ? OK : status;
}

/* Clears the entries of the last pages of a view; returns the bytes. Lock held. */
static uint64_t unmap_tail(struct space *space, struct view *view)
{
	uint64_t unmapped = 0;

	for (unsigned steps = 0; steps < SYSCALL_PAGES_MAX && unmapped < view->len_bytes; steps++) {
		uint64_t address = view->address + view->len_bytes - unmapped - PAGE_SIZE_BYTES;
		uint64_t *entry = page_table_entry(space->pml4, address, 2, NULL, 0);
		uint64_t size_bytes = PAGE_2M_BYTES;

		if (entry == NULL || !(*entry & PTE_LARGE)) {
			entry = page_table_entry(space->pml4, address, 1, NULL, 0);
			size_bytes = PAGE_SIZE_BYTES;
		}
		if (entry != NULL)
			*entry = 0;
		unmapped += size_bytes;
	}
	return unmapped;
}

enum status space_unmap(struct space *space, uint64_t address, uint64_t *done)
{
	struct view **at = &space->views;
	struct view *emptied = NULL;
	enum status status = ERR_NOT_FOUND;

	*done = 0;
	spinlock_acquire(&space->lock);
	while (*at != NULL && (*at)->address != address)
		at = &(*at)->next_of_place;
	if (*at != NULL) {
		struct view *view = *at;

		*done = unmap_tail(space, view);
		view->len_bytes -= *done;
		shootdown_space(space->cr3);
		status = OK;
		if (view->len_bytes == 0) {
			*at = view->next_of_place;
			space->view_count--;
			emptied = view;
		}
	}
	spinlock_release(&space->lock);
	if (emptied != NULL)
		view_destroy(emptied);
	return status;
}

void space_set_end_event(struct space *space, struct event *event, uint64_t bits)
{
	space->end_event = event;
	space->end_bits = bits;
}

void space_set_cpus(struct space *space, const uint64_t cpu_mask[CPUS_MAX / 64])
{
	for (unsigned i = 0; i < CPUS_MAX / 64; i++)
		space->cpu_mask[i] = cpu_mask[i];
}

const uint64_t *space_cpus(const struct space *space)
{
	return space->cpu_mask;
}

struct schedule_group *space_group(struct space *space)
{
	return space->group;
}

const struct schedule_place *space_place(const struct space *space, uint32_t vcpu_index)
{
	return space->rules != NULL && vcpu_index < SCHEDULE_VCPUS_MAX ? &space->rules->vcpus[vcpu_index] : NULL;
}

enum status space_set_schedule(struct space *space, const struct schedule_space *rules)
{
	struct schedule_space *copy = pool_alloc(space->pool, sizeof(*copy));
	enum status status = OK;

	if (copy == NULL)
		return ERR_NO_MEMORY;
	*copy = *rules;
	spinlock_acquire(&space->lock);
	if (space->name[0] != '\0' || space->rules != NULL || space->parent != NULL)
		status = ERR_BUSY;
	if (status == OK) {
		space->rules = copy;
		schedule_group_set(&space->own_group, rules);
	}
	spinlock_release(&space->lock);
	if (status != OK)
		pool_free(space->pool, copy, sizeof(*copy));
	return status;
}
