/* Threads that are woken, killed and put to sleep by name only. */
#pragma once
#include <stdint.h>

struct thread;

extern struct thread *fake_current_thread;
/* Called by thread_block(): what happens while the thread sleeps. NULL: nothing, the wait ends at its deadline. */
extern void (*fake_while_blocked)(void);
extern void (*fake_on_made_runnable)(struct thread *thread); /* what that thread does before its maker goes on */
extern unsigned fake_wakes, fake_kills, fake_made_runnable;
