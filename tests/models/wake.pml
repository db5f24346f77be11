/* A thread that looks at a condition and waits, others that make it true and wake the thread, and CPUs that move it about:
 * whatever the interleaving, it sees every signal, is in one queue at a time, and runs on one CPU at a time.
 * The condition may be looked at long before thread_block(), with interrupts between: the strongest use of its contract. */
#ifndef CPUS
#define CPUS 2
#endif
#ifndef SIGNALS
#define SIGNALS 2 /* that each CPU gives */
#endif
#ifndef MOVES
#define MOVES 2
#endif
#define ALL ((1 << (CPUS * SIGNALS)) - 1)

#include "thread.inc"

byte signalled = 0, seen = 0;
bool looked = false;             /* it found nothing, and is about to wait */
bool finished = false;

inline signal()
{
	signalled = signalled | (1 << (me * SIGNALS + given));
	given++;
	thread_wake()
}

inline look()
{
	atomic {
		looked = signalled == seen;
		seen = signalled;
		finished = seen == ALL
	}
}

active [CPUS] proctype cpu()
{
	byte me = _pid, h, to, given = 0;
	bool added, woken, got, listed, pending_wake, blocked;

idle:
	do
	:: finished -> goto end
	:: ipi[me] -> take_inbox()
	:: armed_on == me -> wait_expired()
	:: given < SIGNALS -> signal()       /* by another thread of this CPU */
	:: queued_on == me && moves < MOVES -> move_anywhere()
	:: queued_on == me -> break
	od;
	switch_in();
	after_block();
	do
	:: finished -> goto end
	/* interrupts that come while the thread runs */
	:: ipi[me] -> take_inbox()
	:: armed_on == me -> wait_expired()
	:: given < SIGNALS -> signal()
	:: preempt(); goto idle
	/* its own doing */
	:: !looked -> look()
	:: looked ->
		looked = false;
		thread_block();
		if
		:: blocked -> blocked = false; goto idle
		:: else
		fi
	od;
end:
	skip
}
