/* A fuzz target's input, taken from the front; zeros behind its end. */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct fuzz_input {
	const uint8_t *data;
	size_t left_bytes;
};

/* The next bytes, up to most_bytes; returns how many. */
static inline size_t fuzz_bytes(struct fuzz_input *input, void *out, size_t most_bytes)
{
	size_t count = most_bytes < input->left_bytes ? most_bytes : input->left_bytes;

	memcpy(out, input->data, count);
	input->data += count;
	input->left_bytes -= count;
	return count;
}

static inline uint32_t fuzz_u32(struct fuzz_input *input)
{
	uint32_t value = 0;

	(void)fuzz_bytes(input, &value, sizeof(value));
	return value;
}

static inline uint16_t fuzz_u16(struct fuzz_input *input)
{
	uint16_t value = 0;

	(void)fuzz_bytes(input, &value, sizeof(value));
	return value;
}

static inline uint8_t fuzz_u8(struct fuzz_input *input)
{
	uint8_t value = 0;

	(void)fuzz_bytes(input, &value, sizeof(value));
	return value;
}
