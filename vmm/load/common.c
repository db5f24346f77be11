/* What the planners of all formats share: free memory, pieces, refusals, and the register states at entry. */
#include "vmm/load/formats.h"

/* VMCS access rights. Source: SDM Vol. 3C, "Guest Register State", format of access rights. */
#define ATTRIBUTES_CODE_64  0xa09bU  /* execute/read, accessed, code or data, DPL 0, present, L, G */
#define ATTRIBUTES_CODE_32  0xc09bU  /* the same with D in place of L */
#define ATTRIBUTES_DATA     0xc093U  /* read/write, accessed, code or data, DPL 0, present, B, G */
#define ATTRIBUTES_TSS_BUSY 0x008bU  /* busy TSS, present */
#define ATTRIBUTES_UNUSABLE 0x10000U
#define CR0_PE_ET             0x11ULL
#define CR0_PE_MP_ET_NE_WP_PG 0x80010033ULL
#define CR4_PAE               0x20ULL
#define EFER_LME_LMA          0x500ULL
#define RFLAGS_ALWAYS_ONE     0x2ULL
#define TSS_LIMIT             0x67U

size_t load_free_ranges(const struct load_request *request, struct bzimage_range ranges[LOAD_RANGES_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < request->e820_count && count < LOAD_RANGES_MAX; i++) {
		if (request->e820[i].type == LOAD_E820_USABLE)
			ranges[count++] = (struct bzimage_range){request->e820[i].base, request->e820[i].length_bytes};
	}
	return count;
}

void load_add_piece(struct load_plan *plan, uint64_t address, const void *source, uint64_t source_bytes,
		    uint64_t zero_bytes)
{
	plan->pieces[plan->piece_count++] = (struct load_piece){
		.gpa = gpa(address), .source = source, .source_bytes = source_bytes, .zero_bytes = zero_bytes};
}

void load_set_protected_mode(struct vcpu_registers *registers, uint64_t entry, uint64_t gdt, uint32_t gdt_bytes, uint16_t code,
			     uint16_t data_selector)
{
	const struct vcpu_segment data = {.limit = UINT32_MAX, .attributes = ATTRIBUTES_DATA, .selector = data_selector};

	*registers = (struct vcpu_registers){
		.rip = entry,
		.rflags = RFLAGS_ALWAYS_ONE,
		.cr0 = CR0_PE_ET,
		.cs = {.limit = UINT32_MAX, .attributes = ATTRIBUTES_CODE_32, .selector = code},
		.ss = data,
		.ds = data,
		.es = data,
		.fs = data,
		.gs = data,
		.tr = {.limit = TSS_LIMIT, .attributes = ATTRIBUTES_TSS_BUSY},
		.ldtr = {.attributes = ATTRIBUTES_UNUSABLE},
		.gdtr = {.base = gdt, .limit = gdt_bytes - 1},
	};
}

void load_set_long_mode(struct vcpu_registers *registers, uint64_t entry, uint64_t stack_top, uint64_t page_tables,
			uint64_t gdt)
{
	load_set_protected_mode(registers, entry, gdt, BZIMAGE_GDT_BYTES, BZIMAGE_BOOT_CS, BZIMAGE_BOOT_DS);
	registers->cs.attributes = ATTRIBUTES_CODE_64;
	registers->cr0 = CR0_PE_MP_ET_NE_WP_PG;
	registers->cr3 = page_tables;
	registers->cr4 = CR4_PAE;
	registers->efer = EFER_LME_LMA;
	registers->gpr[GPR_RSP] = stack_top;
}

enum status load_refuse(struct load_problem *problem, enum status status, enum error_code code, const char *what)
{
	*problem = (struct load_problem){.code = code, .what = what};
	return status;
}

enum status load_refuse_number(struct load_problem *problem, enum status status, enum error_code code, const char *what,
			       uint64_t number)
{
	*problem = (struct load_problem){.code = code, .what = what, .number = number, .has_number = true};
	return status;
}
