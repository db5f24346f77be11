/* A pairing heap of timers by deadline. The root is the earliest; NULL: empty. Both functions return the new root. */
#pragma once
#include "kernel/timer.h"

/* timer: disarmed, its deadline set. O(1). */
struct timer *timer_heap_insert(struct timer *root, struct timer *timer);
/* timer: in this heap. Amortised O(log n), but for finding it among its siblings. */
struct timer *timer_heap_remove(struct timer *root, struct timer *timer);
