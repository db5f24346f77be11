/* Reads the bytes of the instruction at CS:RIP, first to the end of its page, then, if that is too little, from the next. */
#include "vmm/decode/fetch.h"

#include "abi/layout.h"
#include "lib/base/string.h"
#include "vmm/decode/walk.h"

#define FETCH_WORDS_MAX 3U /* that an instruction can touch */
#define CR0_PE       (1ULL << 0)
#define RFLAGS_VM    (1ULL << 17)
#define EFER_LMA     (1ULL << 10)
#define CS_LONG      (1U << 13)
#define CS_DEFAULT_32 (1U << 14)

enum code_size fetch_code_size(const struct vcpu_exit *exit)
{
	if ((exit->cr0 & CR0_PE) == 0 || (exit->rflags & RFLAGS_VM) != 0)
		return CODE_16;
	if ((exit->efer & EFER_LMA) != 0 && (exit->cs_attributes & CS_LONG) != 0)
		return CODE_64;
	return (exit->cs_attributes & CS_DEFAULT_32) != 0 ? CODE_32 : CODE_16;
}

/* Appends count bytes at start, which end in the page of start, to code. Whole words are read, for the watch. */
static enum status append(const struct gmem *gm, gpa_t start, size_t count, struct fetched_code *code)
{
	uint64_t words[FETCH_WORDS_MAX];
	size_t skipped = start.raw % 8;

	for (size_t i = 0; i * 8 < skipped + count; i++) {
		enum status status = gmem_watch_u64(gm, gpa(start.raw - skipped + i * 8), &words[i], &code->watch);

		if (status != OK)
			return status;
	}
	memcpy(code->bytes + code->count, (const uint8_t *)words + skipped, count);
	code->count += count;
	return OK;
}

/* Appends bytes to code up to the end of a page, or until it is full. */
static enum status fetch_in_page(const struct gmem *gm, const struct vcpu_exit *exit, uint64_t linear,
				 struct fetched_code *code)
{
	const struct walk_access access = {.is_fetch = true, .is_user = exit->cpl == 3};
	uint64_t left_in_page = PAGE_SIZE_BYTES - (linear & (PAGE_SIZE_BYTES - 1));
	uint64_t wanted = INSTRUCTION_BYTES_MAX - code->count;
	gpa_t start;
	enum status status = walk_translate(gm, exit, linear, access, &start, &code->fault_error_code, &code->watch);

	if (status == ERR_FAULT)
		code->fault_address = linear;
	if (status != OK)
		return status;
	if (wanted > left_in_page)
		wanted = left_in_page;
	return append(gm, start, wanted, code);
}

enum status fetch_instruction(const struct gmem *gm, const struct vcpu_exit *exit, struct fetched_code *code,
			      struct instruction *out)
{
	enum code_size code_size = fetch_code_size(exit);
	uint64_t linear = code_size == CODE_64 ? exit->rip : (uint32_t)(exit->cs_base + exit->rip);
	enum status status;

	*code = (struct fetched_code){0};
	status = fetch_in_page(gm, exit, linear, code);
	if (status != OK)
		return status;
	status = decode_instruction(code->bytes, code->count, code_size, out);
	if (status != ERR_TRUNCATED)
		return status;
	linear += code->count;
	status = fetch_in_page(gm, exit, code_size == CODE_64 ? linear : (uint32_t)linear, code);
	if (status != OK)
		return status;
	return decode_instruction(code->bytes, code->count, code_size, out);
}
