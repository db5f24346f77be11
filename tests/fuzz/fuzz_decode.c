/* Any bytes in every mode: no byte past count is looked at, lengths are sound, and more bytes never change an answer. */
#include <stdlib.h>
#include <string.h>

#include "vmm/decode/instruction.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum code_size sizes[] = {CODE_16, CODE_32, CODE_64};
	struct instruction whole, part;

	for (size_t i = 0; i < 3; i++) {
		enum status status = decode_instruction(data, size, sizes[i], &whole);

		if (status == ERR_TRUNCATED && size >= INSTRUCTION_BYTES_MAX)
			abort();
		if (status != OK)
			continue;
		if (whole.length_bytes == 0 || whole.length_bytes > INSTRUCTION_BYTES_MAX || whole.length_bytes > size)
			abort();
		if (decode_instruction(data, whole.length_bytes, sizes[i], &part) != OK ||
		    memcmp(&part.memory.displacement, &whole.memory.displacement, 8) != 0)
			abort();
		if (decode_instruction(data, whole.length_bytes - 1U, sizes[i], &part) == OK)
			abort();
	}
	return 0;
}
