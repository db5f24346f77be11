/* Inside vmm/load only: one planner per format, and what they share. */
#pragma once
#include "lib/elf/guest.h"
#include "vmm/load/load.h"

#define LOAD_RANGES_MAX 32U
#define LOAD_MODULES_MAX (VMM_MODULES_MAX + 1U) /* the initrd counts as the first */

/* A module in the guest's memory. */
struct load_placed {
	uint64_t address; /* a multiple of 4096 */
	uint64_t size_bytes;
	const char *text;
};

/* The map's usable entries. Returns their count; entries beyond LOAD_RANGES_MAX are left out. */
size_t load_free_ranges(const struct load_request *request, struct bzimage_range ranges[LOAD_RANGES_MAX]);

/* Adds a piece; there is always room (a format has at most LOAD_PIECES_MAX). */
void load_add_piece(struct load_plan *plan, uint64_t address, const void *source, uint64_t source_bytes,
		    uint64_t zero_bytes);

/* 64-bit mode, flat segments from the GDT at gdt, page tables at page_tables, interrupts off; all other registers 0. */
void load_set_long_mode(struct vcpu_registers *registers, uint64_t entry, uint64_t stack_top, uint64_t page_tables,
			uint64_t gdt);

/* 32-bit protected mode without paging, flat segments, IDTR empty, interrupts off; all other registers 0.
 * gdt: address of a table of gdt_bytes whose selectors code and data are such segments. */
void load_set_protected_mode(struct vcpu_registers *registers, uint64_t entry, uint64_t gdt, uint32_t gdt_bytes, uint16_t code,
			     uint16_t data);

/* Adds a piece of the program itself. ERR_NO_MEMORY (E213), ERR_BAD_FORMAT (E217): it lies outside usable memory or above
 * 4 GiB, or over another piece. */
MUST_CHECK enum status load_add_program(const struct load_request *request, struct load_plan *plan,
					const struct load_piece *piece, struct load_problem *problem);

/* Adds all segments of an ELF image at their physical addresses. */
MUST_CHECK enum status load_add_segments(const struct load_request *request, struct load_plan *plan, struct elf_guest *image,
					 struct load_problem *problem);

/* Is there a piece that holds this address, or any of these len_bytes? */
bool load_covers(const struct load_plan *plan, uint64_t address);
bool load_overlaps(const struct load_plan *plan, uint64_t base, uint64_t len_bytes);

/* Places the initrd, where there is one, and all modules, each on a page of its own: behind the program in their order, or from
 * the end of memory below 4 GiB downwards. *count: how many. ERR_NO_SPACE (E214). After all pieces of the program. */
MUST_CHECK enum status load_place_modules(const struct load_request *request, struct load_plan *plan, bool from_end,
					  struct load_placed placed[LOAD_MODULES_MAX], size_t *count,
					  struct load_problem *problem);

/* Takes room in the area of LOAD_INFO_BASE: zeroed, a multiple of 8. Returns where to write, and the address for the guest;
 * NULL: the area is full. load_info_add() makes it a piece. */
void *load_info_take(struct load_plan *plan, size_t len_bytes, uint64_t *address);
/* The same for a text of two parts; the second may be NULL. 0: full. */
uint64_t load_info_text(struct load_plan *plan, const char *first, const char *second);
/* The GDT of protected mode: code at LOAD_GDT_CODE, data at LOAD_GDT_DATA. */
#define LOAD_GDT_CODE  0x08U
#define LOAD_GDT_DATA  0x10U
#define LOAD_GDT_BYTES 24U
uint64_t load_info_gdt(struct load_plan *plan);
void load_info_add(struct load_plan *plan);

MUST_CHECK enum status load_refuse(struct load_problem *problem, enum status status, enum error_code code, const char *what);
MUST_CHECK enum status load_refuse_number(struct load_problem *problem, enum status status, enum error_code code, const char *what,
			       uint64_t number);

MUST_CHECK enum status load_plan_linux(const struct load_request *request, struct load_plan *plan,
				       struct load_problem *problem);
MUST_CHECK enum status load_plan_flat(const struct load_request *request, struct load_plan *plan,
				      struct load_problem *problem);
MUST_CHECK enum status load_plan_multiboot(const struct load_request *request, struct load_plan *plan,
					   struct load_problem *problem);
MUST_CHECK enum status load_plan_pvh(const struct load_request *request, struct load_plan *plan, struct load_problem *problem);

/* What is wrong with an ELF image, as a refusal. */
MUST_CHECK enum status load_refuse_elf(struct load_problem *problem, enum status status, const struct elf_problem *found);
