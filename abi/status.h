/* Results that cross the ring boundary and that every function which can fail returns.
 * A system call that returns a value returns it as a non-negative int64_t and a status as its negative.
 * Numbers are part of the interface: append only. */
#pragma once

#define MUST_CHECK __attribute__((warn_unused_result))

enum status {
	OK = 0,
	ERR_INVALID,      /* an argument has no meaning: zero size, unknown flag, bad enum value */
	ERR_MISALIGNED,   /* an address or size is not a multiple of what it must be */
	ERR_OUT_OF_RANGE, /* a span does not lie in what it must lie in */
	ERR_EXISTS,       /* something is already there */
	ERR_NOT_FOUND,    /* nothing of that name or at that place */
	ERR_NO_MEMORY,    /* the pool that pays has no pages left */
	ERR_NO_SPACE,     /* a table or queue of fixed size is full */
	ERR_BAD_HANDLE,   /* no such handle in this program's table, or of another kind */
	ERR_DENIED,       /* the handle lacks the right */
	ERR_UNSUPPORTED,  /* this PC cannot do it */
	ERR_BAD_FORMAT,   /* data is not what it claims to be */
	ERR_TRUNCATED,    /* data ends too early */
	ERR_AGAIN,        /* bounded work done, call again to go on */
	ERR_TIMED_OUT,    /* the deadline passed first */
	ERR_DEAD,         /* the object is being destroyed */
	ERR_FAULT,        /* a user address is not mapped with the needed rights */
	ERR_BUSY,         /* in use by another thread or CPU */
	ERR_OVERFLOW,     /* a number does not fit its type */
	STATUS_COUNT
};
