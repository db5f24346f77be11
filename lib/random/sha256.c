/* One block at a time, as the standard writes it down. */
#include "lib/random/sha256.h"

#include "lib/base/string.h"

#define ROUNDS 64U

static const uint32_t initial[8] = {
	0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

static const uint32_t constants[ROUNDS] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotate(uint32_t x, unsigned count)
{
	return x >> count | x << (32 - count);
}

static void schedule(const uint8_t block[SHA256_BLOCK_BYTES], uint32_t words[ROUNDS])
{
	for (unsigned i = 0; i < 16; i++)
		words[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
			   (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
	for (unsigned i = 16; i < ROUNDS; i++) {
		uint32_t low = words[i - 15], high = words[i - 2];

		words[i] = words[i - 16] + words[i - 7] + (rotate(low, 7) ^ rotate(low, 18) ^ low >> 3) +
			   (rotate(high, 17) ^ rotate(high, 19) ^ high >> 10);
	}
}

/* v: the working variables a to h. */
static void round_of(uint32_t v[8], uint32_t constant, uint32_t word)
{
	uint32_t choice = (v[4] & v[5]) ^ (~v[4] & v[6]);
	uint32_t majority = (v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]);
	uint32_t first = v[7] + (rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25)) + choice + constant + word;
	uint32_t second = (rotate(v[0], 2) ^ rotate(v[0], 13) ^ rotate(v[0], 22)) + majority;

	for (unsigned i = 7; i > 0; i--)
		v[i] = v[i - 1];
	v[4] += first;
	v[0] = first + second;
}

static void add_block(struct sha256 *state)
{
	uint32_t words[ROUNDS], v[8];

	schedule(state->block, words);
	memcpy(v, state->hash, sizeof(v));
	for (unsigned i = 0; i < ROUNDS; i++)
		round_of(v, constants[i], words[i]);
	for (unsigned i = 0; i < 8; i++)
		state->hash[i] += v[i];
}

void sha256_init(struct sha256 *state)
{
	memcpy(state->hash, initial, sizeof(initial));
	state->len_bytes = 0;
}

void sha256_add(struct sha256 *state, const void *bytes, size_t len_bytes)
{
	const uint8_t *next = bytes;

	for (size_t i = 0; i < len_bytes; i++) {
		state->block[state->len_bytes++ % SHA256_BLOCK_BYTES] = next[i];
		if (state->len_bytes % SHA256_BLOCK_BYTES == 0)
			add_block(state);
	}
}

void sha256_end(struct sha256 *state, uint8_t digest[SHA256_BYTES])
{
	uint64_t len_bits = state->len_bytes * 8;
	uint8_t length[8];

	for (unsigned i = 0; i < 8; i++)
		length[i] = (uint8_t)(len_bits >> (56 - 8 * i));
	sha256_add(state, "\x80", 1);
	while (state->len_bytes % SHA256_BLOCK_BYTES != SHA256_BLOCK_BYTES - sizeof(length))
		sha256_add(state, "", 1);
	sha256_add(state, length, sizeof(length));
	for (unsigned i = 0; i < SHA256_BYTES; i++)
		digest[i] = (uint8_t)(state->hash[i / 4] >> (24 - 8 * (i % 4)));
}
