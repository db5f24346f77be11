/* Any bytes as guest memory and control registers: a fetch always comes back, whatever the page tables say, and remembered
 * instructions are those that a fetch gives. */
#include <stdlib.h>
#include <string.h>

#include "vmm/decode/recall.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is remembered is what a fetch gives, the first time and the second. */
static void check_recall(const struct gmem *gm, const struct vcpu_exit *exit, enum status status, const struct fetched_code *code)
{
	static struct recall recall;
	const struct recalled *recalled;

	for (unsigned i = 0; i < 2; i++) {
		if (recall_instruction(&recall, gm, exit, &recalled) != status)
			abort();
		if (recalled->code.count != code->count || memcmp(recalled->code.bytes, code->bytes, code->count) != 0)
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static _Alignas(4096) uint8_t memory[4 * 4096];
	struct gmem gm = {0};
	struct vcpu_exit exit;
	struct fetched_code code;
	struct instruction instruction;
	enum status status;

	memset(&exit, 0, sizeof(exit));
	memset(memory, 0, sizeof(memory));
	memcpy(&exit, data, size < sizeof(exit) ? size : sizeof(exit));
	if (size > sizeof(exit))
		memcpy(memory, data + sizeof(exit), size - sizeof(exit) < sizeof(memory) ? size - sizeof(exit) : sizeof(memory));
	if (gmem_add_slot(&gm, gpa(0), sizeof(memory), memory) != OK)
		abort();
	status = fetch_instruction(&gm, &exit, &code, &instruction);
	if (code.count > INSTRUCTION_BYTES_MAX || (status == OK && instruction.length_bytes > code.count))
		abort();
	if (status == ERR_TRUNCATED)
		abort();
	check_recall(&gm, &exit, status, &code);
	return 0;
}
