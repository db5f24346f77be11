/* Copies, counted. */
#include "tests/fake/guest_ram.h"

#include <string.h>

bool guest_ram_has(const struct guest_ram *ram, uint64_t address, uint64_t len_bytes)
{
	return address <= ram->size_bytes && len_bytes <= ram->size_bytes - address;
}

bool guest_ram_get(const struct guest_ram *ram, uint64_t address, void *out, size_t len_bytes)
{
	if (!guest_ram_has(ram, address, len_bytes))
		return false;
	memcpy(out, ram->bytes + address, len_bytes);
	return true;
}

static bool enter(struct guest_ram *ram, uint64_t address, size_t len_bytes, bool writes)
{
	if (!guest_ram_has(ram, address, len_bytes))
		return false;
	if (ram->looks != NULL)
		ram->looks(address, len_bytes, writes);
	ram->moved_bytes += len_bytes;
	return true;
}

static enum status read_memory(void *ctx, uint64_t address, void *out, size_t len_bytes)
{
	struct guest_ram *ram = ctx;

	ram->reads++;
	if (!enter(ram, address, len_bytes, false))
		return ERR_OUT_OF_RANGE;
	memcpy(out, ram->bytes + address, len_bytes);
	return OK;
}

static enum status write_memory(void *ctx, uint64_t address, const void *bytes, size_t len_bytes)
{
	struct guest_ram *ram = ctx;

	ram->writes++;
	if (!enter(ram, address, len_bytes, true))
		return ERR_OUT_OF_RANGE;
	memcpy(ram->bytes + address, bytes, len_bytes);
	return OK;
}

struct guest_memory guest_ram_access(struct guest_ram *ram)
{
	return (struct guest_memory){.read = read_memory, .write = write_memory, .ctx = ram};
}
