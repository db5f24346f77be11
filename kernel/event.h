/* Events: 64 bits that are signalled and waited for. A bit signalled twice before a wait is seen once. */
#pragma once
#include <stdint.h>

#include "abi/status.h"
#include "kernel/object.h"

struct event;
struct pool;

MUST_CHECK enum status event_create(struct pool *pool, struct event **out);
struct event *event_from_object(struct object *object);
struct object *event_object(struct event *event);
/* Of the bits that a program asks for, those that a handle with this badge may signal; never bit 63, since EVENT_WAIT's answer is
 * signed. */
uint64_t event_bits(uint64_t bits, uint64_t badge);
/* From any context in ring 0, locks below RANK_EVENT held. */
void event_signal(struct event *event, uint64_t bits);
/* Waits until any bit is set, takes and clears them all. ERR_TIMED_OUT at deadline_tsc, ERR_DEAD when the thread was killed,
 * ERR_BUSY: WAITERS_MAX threads wait already, and a signal must look at each. */
MUST_CHECK enum status event_wait(struct event *event, uint64_t deadline_tsc, uint64_t *bits);
