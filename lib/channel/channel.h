/* The two ends of a channel (abi/channel.h). Each end trusts nothing that its peer can write: it keeps its own counter,
 * reads the peer's once a call and checks it, and copies. Signalling the peer's event is the caller's part. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "abi/channel.h"
#include "abi/status.h"

struct channel_end {
	struct channel_header *header;
	uint8_t *data;
	uint32_t capacity_bytes;
	uint32_t count; /* this end's own counter */
};

/* A type each, so that no one writes to the end that reads. */
struct channel_writer {
	struct channel_end end;
};
struct channel_reader {
	struct channel_end end;
};

/* Attach to the shared memory at memory, page-aligned, len_bytes long; an end that opens a channel again goes on where
 * the channel's counter stands.
 * Errors: ERR_INVALID if len_bytes is not a header and a power of two between 4 KiB and 1 GiB. */
MUST_CHECK enum status channel_writer_open(struct channel_writer *writer, void *memory, size_t len_bytes);
MUST_CHECK enum status channel_reader_open(struct channel_reader *reader, void *memory, size_t len_bytes);

/* How many bytes can be written, or read, now. Errors: ERR_BAD_FORMAT: the peer's counter is impossible. */
MUST_CHECK enum status channel_free_bytes(const struct channel_writer *writer, size_t *free_bytes);
MUST_CHECK enum status channel_used_bytes(const struct channel_reader *reader, size_t *used_bytes);

/* Writes as many of len_bytes as fit (perhaps none), and says how many. Errors: ERR_BAD_FORMAT as above.
 * Context: one thread at a time per end; the peer runs meanwhile. */
MUST_CHECK enum status channel_write(struct channel_writer *writer, const void *bytes, size_t len_bytes,
				     size_t *written_bytes);

/* Writes all or nothing: for messages. Errors: ERR_NO_SPACE: does not fit now; ERR_BAD_FORMAT as above. */
MUST_CHECK enum status channel_write_all(struct channel_writer *writer, const void *bytes, size_t len_bytes);

/* Copies at most size_bytes out, and says how many; they leave the channel. Errors: ERR_BAD_FORMAT as above. */
MUST_CHECK enum status channel_read(struct channel_reader *reader, void *out, size_t size_bytes, size_t *read_bytes);

/* Copies exactly len_bytes out without taking them: for message headers. Errors: ERR_AGAIN: not that many there yet;
 * ERR_BAD_FORMAT as above. The peer may change these bytes until they are taken: use the copy. */
MUST_CHECK enum status channel_peek(const struct channel_reader *reader, void *out, size_t len_bytes);
