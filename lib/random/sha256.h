/* SHA-256, to condition noise. Source: FIPS 180-4, "SHA-256". */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define SHA256_BYTES       32U
#define SHA256_BLOCK_BYTES 64U

struct sha256 {
	uint32_t hash[8];
	uint8_t block[SHA256_BLOCK_BYTES];
	uint64_t len_bytes;
};

void sha256_init(struct sha256 *state);
void sha256_add(struct sha256 *state, const void *bytes, size_t len_bytes);
/* The digest of all that was added. state is used up. */
void sha256_end(struct sha256 *state, uint8_t digest[SHA256_BYTES]);
