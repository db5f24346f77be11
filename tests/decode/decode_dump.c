/* Prints what the decoder makes of each line of standard input, "BITS HEX": length, memory width, register width,
 * register, base, index, scale, segment, rip-relative, displacement, immediate; or "error STATUS",
 * also for register operands (status 0). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/decode/instruction.h"

#define LINE_BYTES 256

static size_t read_hex(const char *text, uint8_t *bytes, size_t max)
{
	size_t count = 0;
	unsigned value;

	while (count < max && sscanf(text + 2 * count, "%2x", &value) == 1)
		bytes[count++] = (uint8_t)value;
	return count;
}

static void print_instruction(const struct instruction *i)
{
	printf("%u %u %u %u %d %d %u %u %d %" PRIx64 " %" PRIx64 "\n", i->length_bytes, i->memory_bytes, i->register_bytes,
	       i->register_number + (i->register_is_high ? 4U : 0U),
	       i->memory.base == REGISTER_NONE ? -1 : i->memory.base,
	       i->memory.index == REGISTER_NONE ? -1 : i->memory.index, i->memory.scale_shift, i->memory.segment,
	       i->memory.is_rip_relative, i->memory.displacement, i->immediate);
}

int main(void)
{
	char line[LINE_BYTES];
	uint8_t bytes[INSTRUCTION_BYTES_MAX * 2];

	while (fgets(line, sizeof(line), stdin) != NULL) {
		struct instruction instruction;
		unsigned long bits = strtoul(line, NULL, 10);
		const char *hex = strchr(line, ' ');
		size_t count = hex == NULL ? 0 : read_hex(hex + 1, bytes, sizeof(bytes));
		enum status status = decode_instruction(bytes, count, (enum code_size)(bits / 8), &instruction);

		if (status == OK && instruction.has_memory)
			print_instruction(&instruction);
		else
			printf("error %d\n", status);
	}
	return 0;
}
