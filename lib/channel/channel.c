/* The two ends of a channel: counters with acquire and release order, bytes copied in at most two pieces. */
#include "lib/channel/channel.h"

#include "lib/base/string.h"

#define MIN_CAPACITY_BYTES 4096U
#define MAX_CAPACITY_BYTES (1U << 30)

static enum status end_open(struct channel_end *end, void *memory, size_t len_bytes)
{
	size_t capacity;

	if (len_bytes < CHANNEL_HEADER_BYTES)
		return ERR_INVALID;
	capacity = len_bytes - CHANNEL_HEADER_BYTES;
	if (capacity < MIN_CAPACITY_BYTES || capacity > MAX_CAPACITY_BYTES || (capacity & (capacity - 1)) != 0)
		return ERR_INVALID;
	*end = (struct channel_end){
		.header = memory,
		.data = (uint8_t *)memory + CHANNEL_HEADER_BYTES,
		.capacity_bytes = (uint32_t)capacity,
	};
	return OK;
}

enum status channel_writer_open(struct channel_writer *writer, void *memory, size_t len_bytes)
{
	enum status status = end_open(&writer->end, memory, len_bytes);

	if (status == OK)
		writer->end.count = __atomic_load_n(&writer->end.header->produced_count, __ATOMIC_RELAXED);
	return status;
}

enum status channel_reader_open(struct channel_reader *reader, void *memory, size_t len_bytes)
{
	enum status status = end_open(&reader->end, memory, len_bytes);

	if (status == OK)
		reader->end.count = __atomic_load_n(&reader->end.header->consumed_count, __ATOMIC_RELAXED);
	return status;
}

/* Acquire: the consumer has copied those bytes out before this end overwrites them. */
enum status channel_free_bytes(const struct channel_writer *writer, size_t *free_bytes)
{
	const struct channel_end *end = &writer->end;
	uint32_t used = end->count - __atomic_load_n(&end->header->consumed_count, __ATOMIC_ACQUIRE);

	if (used > end->capacity_bytes)
		return ERR_BAD_FORMAT;
	*free_bytes = end->capacity_bytes - used;
	return OK;
}

/* Acquire: the producer's bytes are visible before this end copies them. */
enum status channel_used_bytes(const struct channel_reader *reader, size_t *used_bytes)
{
	const struct channel_end *end = &reader->end;
	uint32_t used = __atomic_load_n(&end->header->produced_count, __ATOMIC_ACQUIRE) - end->count;

	if (used > end->capacity_bytes)
		return ERR_BAD_FORMAT;
	*used_bytes = used;
	return OK;
}

/* len_bytes is not more than is free. */
static void copy_in(struct channel_writer *writer, const uint8_t *bytes, size_t len_bytes)
{
	struct channel_end *end = &writer->end;
	size_t offset = end->count & (end->capacity_bytes - 1);
	size_t first = end->capacity_bytes - offset < len_bytes ? end->capacity_bytes - offset : len_bytes;

	memcpy(end->data + offset, bytes, first);
	memcpy(end->data, bytes + first, len_bytes - first);
	end->count += (uint32_t)len_bytes;
	__atomic_store_n(&end->header->produced_count, end->count, __ATOMIC_RELEASE);
}

/* len_bytes is not more than is used. */
static void copy_out(const struct channel_end *end, uint8_t *out, size_t len_bytes)
{
	size_t offset = end->count & (end->capacity_bytes - 1);
	size_t first = end->capacity_bytes - offset < len_bytes ? end->capacity_bytes - offset : len_bytes;

	memcpy(out, end->data + offset, first);
	memcpy(out + first, end->data, len_bytes - first);
}

enum status channel_write(struct channel_writer *writer, const void *bytes, size_t len_bytes, size_t *written_bytes)
{
	size_t free_bytes;
	enum status status = channel_free_bytes(writer, &free_bytes);

	if (status != OK)
		return status;
	*written_bytes = len_bytes < free_bytes ? len_bytes : free_bytes;
	if (*written_bytes > 0)
		copy_in(writer, bytes, *written_bytes);
	return OK;
}

enum status channel_write_all(struct channel_writer *writer, const void *bytes, size_t len_bytes)
{
	size_t free_bytes;
	enum status status = channel_free_bytes(writer, &free_bytes);

	if (status != OK)
		return status;
	if (len_bytes > free_bytes)
		return ERR_NO_SPACE;
	if (len_bytes > 0)
		copy_in(writer, bytes, len_bytes);
	return OK;
}

enum status channel_read(struct channel_reader *reader, void *out, size_t size_bytes, size_t *read_bytes)
{
	struct channel_end *end = &reader->end;
	size_t used;
	enum status status = channel_used_bytes(reader, &used);

	if (status != OK)
		return status;
	*read_bytes = size_bytes < used ? size_bytes : used;
	if (*read_bytes > 0) {
		copy_out(end, out, *read_bytes);
		end->count += (uint32_t)*read_bytes;
		__atomic_store_n(&end->header->consumed_count, end->count, __ATOMIC_RELEASE);
	}
	return OK;
}

enum status channel_peek(const struct channel_reader *reader, void *out, size_t len_bytes)
{
	size_t used;
	enum status status = channel_used_bytes(reader, &used);

	if (status != OK)
		return status;
	if (len_bytes > used)
		return ERR_AGAIN;
	if (len_bytes > 0)
		copy_out(&reader->end, out, len_bytes);
	return OK;
}
