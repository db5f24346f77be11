/* Owns the mapping from guest-physical addresses to this program's memory. No pointer into guest memory leaves this file,
 * but by gmem_for_boot_image(). The copies are calls into another translation unit, so nothing is read twice. */
#include "vmm/gmem.h"

#include "abi/layout.h"
#include "lib/base/string.h"

enum status gmem_add_slot(struct gmem *gm, gpa_t base, uint64_t length_bytes, void *host)
{
	if (((base.raw | length_bytes | (uintptr_t)host) & (PAGE_SIZE_BYTES - 1)) != 0)
		return ERR_MISALIGNED;
	if (length_bytes == 0 || length_bytes - 1 > UINT64_MAX - base.raw)
		return ERR_INVALID;
	for (unsigned i = 0; i < gm->slot_count; i++) {
		const struct gmem_slot *slot = &gm->slots[i];

		if (base.raw <= slot->gpa.raw + (slot->length_bytes - 1) && slot->gpa.raw <= base.raw + (length_bytes - 1))
			return ERR_EXISTS;
	}
	if (gm->slot_count == GMEM_SLOT_MAX)
		return ERR_NO_SPACE;
	if (length_bytes > gm->slots[gm->largest].length_bytes)
		gm->largest = gm->slot_count;
	gm->slots[gm->slot_count++] = (struct gmem_slot){.gpa = base, .length_bytes = length_bytes, .host = host};
	return OK;
}

enum status gmem_add_rom(struct gmem *gm, gpa_t base, uint64_t length_bytes, void *host, const _Atomic bool *is_shown)
{
	enum status status = gmem_add_slot(gm, base, length_bytes, host);

	if (status != OK)
		return status;
	gm->slots[gm->slot_count - 1].is_rom = true;
	gm->slots[gm->slot_count - 1].is_shown = is_shown;
	return status;
}

static inline bool holds(const struct gmem_slot *slot, gpa_t start, uint64_t len_bytes)
{
	uint64_t offset = start.raw - slot->gpa.raw;

	return start.raw >= slot->gpa.raw && offset <= slot->length_bytes && len_bytes <= slot->length_bytes - offset;
}

static __attribute__((noinline)) const struct gmem_slot *search(const struct gmem *gm, gpa_t start, uint64_t len_bytes)
{
	for (unsigned i = 0; i < gm->slot_count; i++) {
		const struct gmem_slot *slot = &gm->slots[i];

		if (holds(slot, start, len_bytes))
			return slot->is_shown == NULL || atomic_load(slot->is_shown) ? slot : NULL;
	}
	return NULL;
}

/* Devices ask for each word of their queues: most are in the largest slot. */
static inline const struct gmem_slot *slot_of(const struct gmem *gm, gpa_t start, uint64_t len_bytes)
{
	const struct gmem_slot *slot = &gm->slots[gm->largest];

	return holds(slot, start, len_bytes) && slot->is_shown == NULL ? slot : search(gm, start, len_bytes);
}

/* The host address of a span that lies in one slot, or NULL. */
static uint8_t *host_of(const struct gmem *gm, gpa_t start, uint64_t len_bytes)
{
	const struct gmem_slot *slot = slot_of(gm, start, len_bytes);

	return slot == NULL ? NULL : slot->host + (start.raw - slot->gpa.raw);
}

/* The same for a write. */
static uint8_t *writable_host_of(const struct gmem *gm, gpa_t start, uint64_t len_bytes)
{
	const struct gmem_slot *slot = slot_of(gm, start, len_bytes);

	return slot == NULL || slot->is_rom ? NULL : slot->host + (start.raw - slot->gpa.raw);
}

enum status gmem_read(const struct gmem *gm, gpa_t src, void *dst, size_t len_bytes)
{
	const uint8_t *host = host_of(gm, src, len_bytes);

	if (host == NULL)
		return ERR_OUT_OF_RANGE;
	memcpy(dst, host, len_bytes);
	return OK;
}

enum status gmem_write(const struct gmem *gm, gpa_t dst, const void *src, size_t len_bytes)
{
	uint8_t *host = writable_host_of(gm, dst, len_bytes);

	if (host == NULL)
		return ERR_OUT_OF_RANGE;
	memcpy(host, src, len_bytes);
	return OK;
}

enum status gmem_zero(const struct gmem *gm, gpa_t dst, uint64_t len_bytes)
{
	uint8_t *host = writable_host_of(gm, dst, len_bytes);

	if (host == NULL)
		return ERR_OUT_OF_RANGE;
	memset(host, 0, len_bytes);
	return OK;
}

#define GMEM_VALUE(bits)                                                                        \
	enum status gmem_read_u##bits(const struct gmem *gm, gpa_t src, uint##bits##_t *out)    \
	{                                                                                       \
		const uint8_t *host = host_of(gm, src, sizeof(*out));                           \
                                                                                                \
		if (host == NULL)                                                               \
			return ERR_OUT_OF_RANGE;                                                \
		if ((uintptr_t)host % sizeof(*out) == 0)                                        \
			*out = *(const volatile uint##bits##_t *)(const volatile void *)host;   \
		else                                                                            \
			memcpy(out, host, sizeof(*out));                                        \
		return OK;                                                                      \
	}                                                                                       \
                                                                                                \
	enum status gmem_write_u##bits(const struct gmem *gm, gpa_t dst, uint##bits##_t value)  \
	{                                                                                       \
		uint8_t *host = writable_host_of(gm, dst, sizeof(value));                                \
                                                                                                \
		if (host == NULL)                                                               \
			return ERR_OUT_OF_RANGE;                                                \
		if ((uintptr_t)host % sizeof(value) == 0)                                       \
			*(volatile uint##bits##_t *)(volatile void *)host = value;              \
		else                                                                            \
			memcpy(host, &value, sizeof(value));                                    \
		return OK;                                                                      \
	}

GMEM_VALUE(8)
GMEM_VALUE(16)
GMEM_VALUE(32)
GMEM_VALUE(64)

enum status gmem_exchange_u8(const struct gmem *gm, gpa_t at, uint8_t was, uint8_t value)
{
	uint8_t *host = writable_host_of(gm, at, 1);

	if (host == NULL)
		return ERR_OUT_OF_RANGE;
	return __atomic_compare_exchange_n(host, &was, value, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST) ? OK : ERR_BUSY;
}

enum status gmem_change_u8(const struct gmem *gm, gpa_t at, uint8_t clear, uint8_t set)
{
	uint8_t *host = writable_host_of(gm, at, 1);

	if (host == NULL)
		return ERR_OUT_OF_RANGE;
	if (clear != 0)
		__atomic_fetch_and(host, (uint8_t)~clear, __ATOMIC_SEQ_CST);
	if (set != 0)
		__atomic_fetch_or(host, set, __ATOMIC_SEQ_CST);
	return OK;
}

enum status gmem_watch_u64(const struct gmem *gm, gpa_t src, uint64_t *out, struct gmem_watch *watch)
{
	const volatile uint64_t *place = (const volatile void *)host_of(gm, src, sizeof(*out));

	if (place == NULL)
		return ERR_OUT_OF_RANGE;
	*out = *place;
	if (watch == NULL)
		return OK;
	if (watch->count < GMEM_WATCH_WORDS) {
		watch->words[watch->count].place = place;
		watch->words[watch->count].value = *out;
	}
	watch->count++;
	return OK;
}

uint64_t gmem_slot_bytes(const struct gmem *gm, gpa_t start, bool is_write)
{
	const struct gmem_slot *slot = slot_of(gm, start, 1);

	return slot == NULL || (is_write && slot->is_rom) ? 0 : slot->length_bytes - (start.raw - slot->gpa.raw);
}

enum status gmem_place(const struct gmem *gm, gpa_t start, uint64_t len_bytes, uint64_t *address)
{
	const uint8_t *host = writable_host_of(gm, start, len_bytes);

	if (host == NULL)
		return ERR_OUT_OF_RANGE;
	*address = (uintptr_t)host;
	return OK;
}

void *gmem_for_boot_image(const struct gmem *gm, gpa_t dst, uint64_t len_bytes)
{
	return host_of(gm, dst, len_bytes);
}
