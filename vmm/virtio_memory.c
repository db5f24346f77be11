/* Device models see one memory: a span that lies in several slots is cut, and single values go by single accesses. */
#include "vmm/virtio_memory.h"

#include "lib/base/string.h"

/* Whether all of the span is memory, in whichever slots. Ends: each turn is a slot further on. */
static bool is_all_memory(const struct gmem *gm, uint64_t address, size_t len_bytes, bool is_write)
{
	while (len_bytes != 0) {
		uint64_t piece = gmem_slot_bytes(gm, gpa(address), is_write);

		if (piece == 0)
			return false;
		if (piece >= len_bytes)
			return true;
		address += piece;
		len_bytes -= piece;
	}
	return true;
}

static size_t next_piece(const struct gmem *gm, uint64_t address, size_t len_bytes, bool is_write)
{
	uint64_t piece = gmem_slot_bytes(gm, gpa(address), is_write);

	return piece < len_bytes ? (size_t)piece : len_bytes;
}

static enum status read_pieces(const struct gmem *gm, uint64_t address, uint8_t *out, size_t len_bytes)
{
	enum status status = is_all_memory(gm, address, len_bytes, false) ? OK : ERR_OUT_OF_RANGE;

	while (len_bytes != 0 && status == OK) {
		size_t piece = next_piece(gm, address, len_bytes, false);

		status = gmem_read(gm, gpa(address), out, piece);
		address += piece;
		out += piece;
		len_bytes -= piece;
	}
	return status;
}

static enum status write_pieces(const struct gmem *gm, uint64_t address, const uint8_t *bytes, size_t len_bytes)
{
	enum status status = is_all_memory(gm, address, len_bytes, true) ? OK : ERR_OUT_OF_RANGE;

	while (len_bytes != 0 && status == OK) {
		size_t piece = next_piece(gm, address, len_bytes, true);

		status = gmem_write(gm, gpa(address), bytes, piece);
		address += piece;
		bytes += piece;
		len_bytes -= piece;
	}
	return status;
}

/* A span on a multiple of its size does not cross slots, which are whole pages. */
static bool is_single(uint64_t address, size_t len_bytes)
{
	return (len_bytes == 2 || len_bytes == 4 || len_bytes == 8) && (address & (len_bytes - 1)) == 0;
}

/* One load, and a copy whose length the compiler knows. */
#define SINGLE(bits)                                                                                    \
	static enum status read_u##bits(const struct gmem *gm, uint64_t address, void *out)              \
	{                                                                                                \
		uint##bits##_t value;                                                                    \
		enum status status = gmem_read_u##bits(gm, gpa(address), &value);                        \
                                                                                                         \
		if (status == OK)                                                                        \
			memcpy(out, &value, sizeof(value));                                              \
		return status;                                                                           \
	}                                                                                                \
                                                                                                         \
	static enum status write_u##bits(const struct gmem *gm, uint64_t address, const void *bytes)     \
	{                                                                                                \
		uint##bits##_t value;                                                                    \
                                                                                                         \
		memcpy(&value, bytes, sizeof(value));                                                    \
		return gmem_write_u##bits(gm, gpa(address), value);                                      \
	}

SINGLE(16)
SINGLE(32)
SINGLE(64)

static enum status read_single(const struct gmem *gm, uint64_t address, void *out, size_t len_bytes)
{
	if (len_bytes == sizeof(uint16_t))
		return read_u16(gm, address, out);
	return len_bytes == sizeof(uint32_t) ? read_u32(gm, address, out) : read_u64(gm, address, out);
}

static enum status write_single(const struct gmem *gm, uint64_t address, const void *bytes, size_t len_bytes)
{
	if (len_bytes == sizeof(uint16_t))
		return write_u16(gm, address, bytes);
	return len_bytes == sizeof(uint32_t) ? write_u32(gm, address, bytes) : write_u64(gm, address, bytes);
}

static enum status read_memory(void *ctx, uint64_t address, void *out, size_t len_bytes)
{
	if (is_single(address, len_bytes))
		return read_single(ctx, address, out, len_bytes);
	if (gmem_read(ctx, gpa(address), out, len_bytes) == OK)
		return OK;
	return read_pieces(ctx, address, out, len_bytes);
}

static enum status write_memory(void *ctx, uint64_t address, const void *bytes, size_t len_bytes)
{
	if (is_single(address, len_bytes))
		return write_single(ctx, address, bytes, len_bytes);
	if (gmem_write(ctx, gpa(address), bytes, len_bytes) == OK)
		return OK;
	return write_pieces(ctx, address, bytes, len_bytes);
}

struct guest_memory virtio_memory(struct gmem *gm)
{
	return (struct guest_memory){.read = read_memory, .write = write_memory, .ctx = gm};
}
