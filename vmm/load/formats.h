/* Inside vmm/load only: one planner per format, and what they share. */
#pragma once
#include "vmm/load/load.h"

#define LOAD_RANGES_MAX 32U

/* The map's usable entries. Returns their count; entries beyond LOAD_RANGES_MAX are left out. */
size_t load_free_ranges(const struct load_request *request, struct bzimage_range ranges[LOAD_RANGES_MAX]);

/* Adds a piece; there is always room (a format has at most LOAD_PIECES_MAX). */
void load_add_piece(struct load_plan *plan, uint64_t address, const void *source, uint64_t source_bytes,
		    uint64_t zero_bytes);

/* 64-bit mode, flat segments from the GDT at gdt, page tables at page_tables, interrupts off; all other registers 0. */
void load_set_long_mode(struct vcpu_registers *registers, uint64_t entry, uint64_t stack_top, uint64_t page_tables,
			uint64_t gdt);

MUST_CHECK enum status load_refuse(struct load_problem *problem, enum status status, enum error_code code, const char *what);
MUST_CHECK enum status load_refuse_number(struct load_problem *problem, enum status status, enum error_code code, const char *what,
			       uint64_t number);

MUST_CHECK enum status load_plan_linux(const struct load_request *request, struct load_plan *plan,
				       struct load_problem *problem);
MUST_CHECK enum status load_plan_flat(const struct load_request *request, struct load_plan *plan,
				      struct load_problem *problem);
