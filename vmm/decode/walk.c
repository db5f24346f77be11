/* Walks a guest's page tables in any paging mode: one loop over levels, the modes differ by a row of a table. */
#include "vmm/decode/walk.h"

#define CR0_WP        (1ULL << 16)
#define CR0_PG        (1ULL << 31)
#define CR4_PSE       (1ULL << 4)
#define CR4_PAE       (1ULL << 5)
#define CR4_LA57      (1ULL << 12)
#define CR4_SMEP      (1ULL << 20)
#define CR4_SMAP      (1ULL << 21)
#define EFER_LMA      (1ULL << 10)
#define EFER_NXE      (1ULL << 11)
#define RFLAGS_AC     (1ULL << 18)

#define ENTRY_PRESENT    (1ULL << 0)
#define ENTRY_WRITABLE   (1ULL << 1)
#define ENTRY_USER       (1ULL << 2)
#define ENTRY_ACCESSED   (1ULL << 5)
#define ENTRY_DIRTY      (1ULL << 6)
#define ENTRY_LARGE      (1ULL << 7)
#define ENTRY_NO_EXECUTE (1ULL << 63)

#define FRAME_MASK       0x000ffffffffff000ULL /* bits 51:12 */
#define LARGE_32_RESERVED (1ULL << 21) /* of a 4 MiB page, with up to 40 address bits */
#define LEVELS_MAX       5U
#define WALKS_MAX        8U /* of one translation, where others change its entries */

struct paging_mode {
	unsigned levels;
	unsigned entry_bytes;
	unsigned index_bits;
	uint64_t cr3_mask;
};

static const struct paging_mode mode_32_bit = {2, 4, 10, 0xfffff000};
static const struct paging_mode mode_pae = {3, 8, 9, 0xffffffe0};
static const struct paging_mode mode_4_level = {4, 8, 9, FRAME_MASK};
static const struct paging_mode mode_5_level = {5, 8, 9, FRAME_MASK};

/* What all levels together allow. */
struct rights {
	bool writable;
	bool user;
	bool no_execute;
};

static const struct paging_mode *mode_of(const struct vcpu_exit *exit)
{
	if ((exit->efer & EFER_LMA) != 0)
		return (exit->cr4 & CR4_LA57) != 0 ? &mode_5_level : &mode_4_level;
	return (exit->cr4 & CR4_PAE) != 0 ? &mode_pae : &mode_32_bit;
}

static bool is_canonical(const struct paging_mode *mode, uint64_t linear)
{
	unsigned bits = 12 + mode->levels * mode->index_bits;
	uint64_t upper = linear >> (bits - 1);

	if (mode->levels < 4)
		return linear >> 32 == 0;
	return upper == 0 || upper == UINT64_MAX >> (bits - 1);
}

static bool is_large(const struct vcpu_exit *exit, const struct paging_mode *mode, unsigned level, uint64_t entry)
{
	if ((entry & ENTRY_LARGE) == 0)
		return false;
	if (mode == &mode_32_bit)
		return level == 2 && (exit->cr4 & CR4_PSE) != 0;
	return level == 2 || (level == 3 && mode != &mode_pae);
}

/* Reserved bits of a present entry. No CPU has 52 address bits all of which are set in one: all-ones is what nobody answers. */
static bool has_reserved_bits(const struct vcpu_exit *exit, const struct paging_mode *mode, unsigned level, uint64_t entry)
{
	uint64_t below_frame;

	if (mode == &mode_32_bit)
		return is_large(exit, mode, level, entry) && (entry & LARGE_32_RESERVED) != 0;
	if (entry == UINT64_MAX)
		return true;
	if (mode == &mode_pae && level == 3)
		return (entry & 0xfff00000000001e6) != 0;
	if ((entry & ENTRY_NO_EXECUTE) != 0 && (exit->efer & EFER_NXE) == 0)
		return true;
	if (level == 1 || (entry & ENTRY_LARGE) == 0)
		return false;
	if (!is_large(exit, mode, level, entry))
		return true;
	below_frame = (1ULL << (12 + (level - 1) * 9)) - 1;
	return (entry & below_frame & ~0x1fffULL) != 0; /* bit 12 is PAT */
}

static bool is_allowed(const struct vcpu_exit *exit, struct rights rights, struct walk_access access)
{
	if (access.is_user && !rights.user)
		return false;
	if (access.is_write && !rights.writable && (access.is_user || (exit->cr0 & CR0_WP) != 0))
		return false;
	if (access.is_fetch && rights.no_execute)
		return false;
	if (access.is_user || !rights.user)
		return true;
	if (access.is_fetch)
		return (exit->cr4 & CR4_SMEP) == 0;
	return (exit->cr4 & CR4_SMAP) == 0 || (exit->rflags & RFLAGS_AC) != 0;
}

static uint32_t fault_code(const struct vcpu_exit *exit, struct walk_access access, uint32_t cause)
{
	bool tells_fetch = (exit->cr4 & CR4_SMEP) != 0 || ((exit->cr4 & CR4_PAE) != 0 && (exit->efer & EFER_NXE) != 0);

	return cause | (access.is_write ? PAGE_FAULT_WRITE : 0) | (access.is_user ? PAGE_FAULT_USER : 0) |
	       (access.is_fetch && tells_fetch ? PAGE_FAULT_FETCH : 0);
}

/* By aligned words of 8 bytes, also where entries have 4. Outside memory nobody answers. */
static uint64_t read_entry(const struct gmem *gm, const struct paging_mode *mode, uint64_t address, struct gmem_watch *watch)
{
	uint64_t word;

	if (gmem_watch_u64(gm, gpa(address & ~7ULL), &word, watch) != OK)
		word = UINT64_MAX;
	return mode->entry_bytes == 8 ? word : (uint32_t)(word >> (address & 4) * 8);
}

/* The entries of a walk, from the top to the leaf. */
struct trail {
	unsigned count;
	struct {
		uint64_t address, entry;
	} steps[LEVELS_MAX];
};

/* "Accessed and Dirty Flags". Both lie in an entry's first byte, as does its present bit; PAE's top entries have neither. False:
 * another vCPU has changed an entry since, and the walk is of no use. */
static bool mark(const struct gmem *gm, const struct paging_mode *mode, const struct trail *trail, bool is_write)
{
	for (unsigned i = mode == &mode_pae ? 1 : 0; i < trail->count; i++) {
		uint64_t bits = ENTRY_ACCESSED | (is_write && i == trail->count - 1 ? ENTRY_DIRTY : 0);
		uint8_t was = (uint8_t)trail->steps[i].entry;

		/* Outside memory they are lost. */
		if ((~trail->steps[i].entry & bits) != 0 &&
		    gmem_exchange_u8(gm, gpa(trail->steps[i].address), was, (uint8_t)(was | bits)) == ERR_BUSY)
			return false;
	}
	return true;
}

static void add_rights(struct rights *rights, uint64_t entry)
{
	rights->writable &= (entry & ENTRY_WRITABLE) != 0;
	rights->user &= (entry & ENTRY_USER) != 0;
	rights->no_execute |= (entry & ENTRY_NO_EXECUTE) != 0;
}

/* The physical address that a leaf entry gives linear. PSE-36: a 4 MiB page's bits 20:13 are address bits 39:32. */
static uint64_t leaf_address(const struct paging_mode *mode, unsigned shift, uint64_t entry, uint64_t linear)
{
	uint64_t offset_mask = (1ULL << shift) - 1;
	uint64_t frame = entry & FRAME_MASK & ~offset_mask;

	if (mode == &mode_32_bit && shift > 12)
		frame |= (entry >> 13 & 0xff) << 32;
	return frame | (linear & offset_mask);
}

/* As walk_translate(); ERR_BUSY where an entry changed meanwhile. */
static enum status walk_once(const struct gmem *gm, const struct vcpu_exit *exit, uint64_t linear, struct walk_access access,
			     gpa_t *out, uint32_t *error_code, struct gmem_watch *watch)
{
	const struct paging_mode *mode = mode_of(exit);
	struct rights rights = {.writable = true, .user = true};
	uint64_t table = exit->cr3 & mode->cr3_mask;
	struct trail trail = {.count = 0};
	uint64_t entry = 0;
	unsigned level = mode->levels;
	unsigned shift;

	if ((exit->cr0 & CR0_PG) == 0) {
		*out = gpa(linear);
		return OK;
	}
	if (!is_canonical(mode, linear))
		return ERR_INVALID;
	for (;; level--) {
		uint64_t address;

		shift = 12 + (level - 1) * mode->index_bits;
		address = table + (linear >> shift & ((1U << mode->index_bits) - 1)) * mode->entry_bytes;
		entry = read_entry(gm, mode, address, watch);
		trail.steps[trail.count].address = address;
		trail.steps[trail.count++].entry = entry;
		if ((entry & ENTRY_PRESENT) == 0 || has_reserved_bits(exit, mode, level, entry)) {
			*error_code = fault_code(exit, access, (entry & ENTRY_PRESENT) == 0
								       ? 0
								       : PAGE_FAULT_PRESENT | PAGE_FAULT_RESERVED);
			return ERR_FAULT;
		}
		if (mode != &mode_pae || level != 3)
			add_rights(&rights, entry);
		if (level == 1 || is_large(exit, mode, level, entry))
			break;
		table = entry & FRAME_MASK;
	}
	if (!is_allowed(exit, rights, access)) {
		*error_code = fault_code(exit, access, PAGE_FAULT_PRESENT);
		return ERR_FAULT;
	}
	if (access.marks && !mark(gm, mode, &trail, access.is_write))
		return ERR_BUSY;
	*out = gpa(leaf_address(mode, shift, entry, linear));
	return OK;
}

enum status walk_translate(const struct gmem *gm, const struct vcpu_exit *exit, uint64_t linear,
			   struct walk_access access, gpa_t *out, uint32_t *error_code, struct gmem_watch *watch)
{
	enum status status = ERR_BUSY;

	for (unsigned i = 0; i < WALKS_MAX && status == ERR_BUSY; i++)
		status = walk_once(gm, exit, linear, access, out, error_code, watch);
	return status == ERR_BUSY ? ERR_UNSUPPORTED : status;
}
