/* EPT builder. SDM Vol. 3C, "EPT Translation Mechanism". Pure. */
#include "vmx/ept.h"

#include <stddef.h>

#include "abi/layout.h"

#define RIGHTS_MASK   0x7ULL
#define WRITE_BACK    (6ULL << 3)
#define IGNORE_PAT    0x40ULL
#define LEAF          0x80ULL
#define ADDRESS       0x000ffffffffff000ULL
#define ENTRIES       512U
#define TOP_LEVEL     3U

/* Bytes that one entry of a level spans: 0 = 4 KiB, 1 = 2 MiB, 2 = 1 GiB, 3 = 512 GiB. */
static uint64_t span_of(unsigned level)
{
	return PAGE_SIZE_BYTES << (9 * level);
}

static uint64_t *entry_in(uint64_t *table, uint64_t gpa, unsigned level)
{
	return &table[gpa >> (PAGE_SHIFT + 9 * level) & (ENTRIES - 1)];
}

static bool is_leaf(uint64_t entry, unsigned level)
{
	return level == 0 || (entry & LEAF) != 0;
}

static uint64_t *table_of(const struct ept *ept, uint64_t entry)
{
	return ept->provider->pointer(entry & ADDRESS);
}

enum status ept_create(struct ept *ept, const struct ept_provider *provider, void *context)
{
	*ept = (struct ept){.provider = provider, .context = context, .root = provider->page_alloc(context)};
	return ept->root != NULL ? OK : ERR_NO_MEMORY;
}

/* Four levels deep at most. True: the table and all below it are freed. */
static bool free_table(struct ept *ept, uint64_t *table, unsigned level, unsigned *budget)
{
	for (unsigned i = 0; i < ENTRIES && level > 0; i++) {
		if (table[i] == 0 || is_leaf(table[i], level))
			continue;
		if (!free_table(ept, table_of(ept, table[i]), level - 1, budget))
			return false;
		table[i] = 0;
	}
	if (*budget == 0)
		return false;
	--*budget;
	ept->provider->page_free(ept->context, table);
	return true;
}

bool ept_destroy(struct ept *ept, unsigned pages_max)
{
	if (ept->root != NULL && !free_table(ept, ept->root, TOP_LEVEL, &pages_max))
		return false;
	ept->root = NULL;
	return true;
}

static bool size_allowed(const struct ept *ept, unsigned level)
{
	return level == 0 || (level == 1 && ept->use_2m) || (level == 2 && ept->use_1g);
}

/* The largest level whose pages fit both addresses and the length. */
static unsigned level_for(const struct ept *ept, uint64_t gpa, uint64_t hpa, uint64_t len_bytes)
{
	unsigned level = 2;

	while (level > 0 && (!size_allowed(ept, level) || ((gpa | hpa) & (span_of(level) - 1)) != 0 || len_bytes < span_of(level)))
		level--;
	return level;
}

/* Walks down to `level`, or to the level of a table that is already there below it, making tables on the way. */
static enum status walk_to(struct ept *ept, uint64_t gpa, unsigned *level, uint64_t **out)
{
	uint64_t *table = ept->root;

	for (unsigned at = TOP_LEVEL;; at--) {
		uint64_t *entry = entry_in(table, gpa, at);

		if (at <= *level && (*entry == 0 || is_leaf(*entry, at))) {
			*level = at;
			*out = entry;
			return OK;
		}
		if (*entry == 0) {
			uint64_t *page = ept->provider->page_alloc(ept->context);

			if (page == NULL)
				return ERR_NO_MEMORY;
			*entry = ept->provider->physical(page) | RIGHTS_MASK;
		} else if (is_leaf(*entry, at)) {
			return ERR_EXISTS;
		}
		table = table_of(ept, *entry);
	}
}

enum status ept_map(struct ept *ept, uint64_t gpa, uint64_t hpa, uint64_t len_bytes, unsigned rights, unsigned steps_max,
		    uint64_t *done_bytes)
{
	*done_bytes = 0;
	for (unsigned step = 0; step < steps_max && *done_bytes < len_bytes; step++) {
		uint64_t at = gpa + *done_bytes, to = hpa + *done_bytes, *entry;
		unsigned level = level_for(ept, at, to, len_bytes - *done_bytes);
		enum status status = walk_to(ept, at, &level, &entry);

		if (status != OK)
			return status;
		if (*entry != 0)
			return ERR_EXISTS;
		*entry = to | (rights & RIGHTS_MASK) | WRITE_BACK | IGNORE_PAT | (level > 0 ? LEAF : 0);
		*done_bytes += span_of(level);
	}
	return OK;
}

/* A large page becomes a table of pages of the next size, with the same rights and type. */
static enum status split(struct ept *ept, uint64_t *entry, unsigned level)
{
	uint64_t *page = ept->provider->page_alloc(ept->context);
	uint64_t attributes = *entry & ~(ADDRESS | LEAF), base = *entry & ADDRESS;

	if (page == NULL)
		return ERR_NO_MEMORY;
	for (unsigned i = 0; i < ENTRIES; i++)
		page[i] = (base + i * span_of(level - 1)) | attributes | (level > 1 ? LEAF : 0);
	*entry = ept->provider->physical(page) | RIGHTS_MASK;
	return OK;
}

/* One page, or one hole as large as the absent entry says. */
static enum status unmap_step(struct ept *ept, uint64_t gpa, uint64_t len_bytes, uint64_t *step_bytes)
{
	uint64_t *table = ept->root;

	for (unsigned level = TOP_LEVEL;; level--) {
		uint64_t *entry = entry_in(table, gpa, level), span = span_of(level);

		if (*entry == 0) {
			*step_bytes = span - (gpa & (span - 1));
			return OK;
		}
		if (is_leaf(*entry, level)) {
			if ((gpa & (span - 1)) == 0 && span <= len_bytes) {
				*entry = 0;
				*step_bytes = span;
				return OK;
			}
			if (split(ept, entry, level) != OK)
				return ERR_NO_MEMORY;
		}
		table = table_of(ept, *entry);
	}
}

enum status ept_unmap(struct ept *ept, uint64_t gpa, uint64_t len_bytes, unsigned steps_max, uint64_t *done_bytes)
{
	*done_bytes = 0;
	for (unsigned step = 0; step < steps_max && *done_bytes < len_bytes; step++) {
		uint64_t left = len_bytes - *done_bytes, step_bytes;
		enum status status = unmap_step(ept, gpa + *done_bytes, left, &step_bytes);

		if (status != OK)
			return status;
		*done_bytes += step_bytes < left ? step_bytes : left;
	}
	return OK;
}
