/* A vCPU and those who want it: interrupts posted to it (virt/posted.c, virt/vcpu_notify.c, virt/vcpu_run.c), with HARDWARE such
 * that the guest takes them in by itself ("Posted-Interrupt Processing") when it is notified, and memory taken out
 * of its guest map (vcpu_must_forget(), kernel/shootdown.c), while its thread blocks, is preempted and moves between CPUs.
 * Every interrupt arrives though nothing else makes the guest exit, and no guest runs with a translation that is gone. */
#ifndef CPUS
#define CPUS 2
#endif
#ifndef POSTS
#define POSTS 1   /* interrupts that each CPU posts */
#endif
#ifndef MOVES
#define MOVES 2
#endif
#define WORDS 2   /* of PIR; vector v is bit v of word v % WORDS */
#define ALL ((1 << (CPUS * POSTS)) - 1)

#include "thread.inc"

#define finished (delivered == ALL && gone)

mtype = { OUTSIDE, IN_LOOP, WAITS };

/* of the vCPU; any CPU */
bool outstanding = false;        /* ON */
byte requests[WORDS];            /* PIR */
bool pending = false, pending_flush = false;
mtype place = OUTSIDE;
bool thread_lock = false;
/* its own thread's */
bool halted = false;
byte posted = 0, delivered = 0;
byte last_cpu = 0;
/* memory: taken out of the guest map, then free for others */
bool removed = false, gone = false;
bool remembers[CPUS];            /* this CPU has translations of before */
bool shootdown[CPUS];
#ifdef HARDWARE
bool notified[CPUS];             /* VECTOR_POSTED has come and waits to be taken */
#define waits_unseen outstanding
#else
#define waits_unseen false
#endif

/* posted_post(), then vcpu_notify() */
inline post(vector)
{
#ifdef BUG_OUTSTANDING_FIRST
	atomic { was = outstanding; outstanding = true };
	requests[(vector) % WORDS] = requests[(vector) % WORDS] | (1 << (vector));
#else
	requests[(vector) % WORDS] = requests[(vector) % WORDS] | (1 << (vector));
	atomic { was = outstanding; outstanding = true };
#endif
	if
	:: !was ->
#ifdef HARDWARE
		notify_posted()
#else
		notify()
#endif
	:: else
	fi;
	was = false
}

#ifdef HARDWARE
/* vcpu_notify_posted(), else vcpu_notify() */
inline notify_posted()
{
	if
#ifdef BUG_NOTIFIED_WHILE_BLOCKED
	:: place == OUTSIDE -> notify()
#else
	:: place != IN_LOOP -> notify()
#endif
	:: else ->
		atomic { !thread_lock -> thread_lock = true };
		h = home;
		if
		:: h != me -> notified[h] = true
		:: else
		fi;
		h = 0;
		thread_lock = false
	fi
}

/* The guest's CPU does what take_posted() does, and delivers. */
inline process_posted()
{
	notified[me] = false;
	take_posted();
	deliver()
}

inline ignore_notification()
{
	notified[me] = false
}
#endif

inline deliver()
{
	d_step { assert((delivered & posted) == 0); delivered = delivered | posted; posted = 0 }
}

inline notify()
{
#ifndef BUG_NOTIFY_BEFORE_PENDING
	atomic { told = pending; pending = true };
#endif
	if
#ifdef BUG_FLUSH_IS_TOLD
	:: told || pending_flush          /* that one tells nobody */
#else
	:: told
#endif
	:: place == OUTSIDE && !told
	:: else ->
		atomic { !thread_lock -> thread_lock = true };
		if
		:: place == WAITS -> thread_wake()
		:: else -> kick()
		fi;
		thread_lock = false
	fi;
#ifdef BUG_NOTIFY_BEFORE_PENDING
	pending = true;
#endif
}

/* thread_kick() */
inline kick()
{
#ifdef BUG_NO_KICK
	skip
#else
	h = home;
	if
	:: h != me -> ipi[h] = true
	:: else
	fi;
	h = 0
#endif
}

/* posted_take(), into IRR */
inline take_posted()
{
	if
	:: outstanding ->
#ifndef BUG_OUTSTANDING_CLEARED_LAST
		outstanding = false;
#endif
		if
		:: requests[0] == 0       /* looked at, then exchanged */
		:: else -> atomic { posted = posted | requests[0]; requests[0] = 0 }
		fi;
		if
		:: requests[1] == 0
		:: else -> atomic { posted = posted | requests[1]; requests[1] = 0 }
		fi;
#ifdef BUG_OUTSTANDING_CLEARED_LAST
		outstanding = false;
#endif
	:: else
	fi
}

/* VECTOR_SHOOTDOWN: the interrupt itself is what makes the guest leave. */
inline shootdown_poll()
{
	shootdown[me] = false
}

/* vcpu_must_forget(), then shootdown_guests() */
inline remove_memory()
{
	pending_flush = true;
	atomic { !thread_lock -> thread_lock = true };
	if
#ifdef BUG_OTHER_CPU_TOLD
	:: place == IN_LOOP -> thread_lock = false; shootdown[me] = true
#else
	:: place == IN_LOOP -> h = home; thread_lock = false; if :: h != me -> shootdown[h] = true; !shootdown[h] :: else fi; h = 0
#endif
	:: else -> thread_lock = false
	fi;
	gone = true
}

/* The guest, until an exit that goes back to vcpu_run(). An entry with an interrupt waiting exits at once. */
inline guest()
{
	assert(!(gone && remembers[me]));
	if
	:: d_step { !removed -> remembers[me] = true }
	:: removed
	fi;
	if
	:: alone = true          /* computes for ever: it leaves by interrupts only */
	:: alone = false
	fi;
	do
	:: finished -> goto end
	:: ipi[me] -> take_inbox(); if :: pending || pending_flush || waits_unseen -> break :: else fi
	:: shootdown[me] -> shootdown_poll(); if :: pending || pending_flush || waits_unseen -> break :: else fi
#ifdef HARDWARE
	:: notified[me] -> process_posted()
#endif
	:: !alone -> halted = true; break                /* HLT */
	:: !alone || given < POSTS || !removed -> preempt(); goto idle   /* the slice's end; others wait */
	:: !alone -> place = OUTSIDE; break              /* to the VMM */
	od
}

/* vcpu_run.c: arrive(). */
inline arrive()
{
	if
	:: last_cpu != me ->
#ifndef BUG_TRANSLATIONS_KEPT
		remembers[me] = false;
#endif
		last_cpu = me
	:: else
	fi
}

/* wait(), up to where it goes on behind thread_block() */
inline wait()
{
	take_posted();
	if
	:: posted != 0 -> halted = false; pending = true
	:: else ->
#ifdef BUG_PLACE_LAST
		if
		:: !pending && !pending_flush -> place = WAITS; thread_block(); if :: blocked -> blocked = false; goto idle :: else fi
		:: else
		fi;
#else
		place = WAITS;
		if
#ifdef BUG_POSTED_UNSEEN_BEFORE_BLOCK
		:: !pending && !pending_flush -> thread_block();
#else
		:: !pending && !pending_flush && !waits_unseen -> thread_block();
#endif
		 if :: blocked -> blocked = false; goto idle :: else fi
		:: else
		fi;
#endif
		place = IN_LOOP
	fi
}

/* look_at_pending() */
inline look_at_pending()
{
	atomic { flush = pending_flush; pending_flush = false; pending = false };
	if
	:: flush -> remembers[me] = false; flush = false
	:: else
	fi;
	take_posted();
	if
	:: !halted -> deliver()
	:: else
	fi
}

active [CPUS] proctype cpu()
{
	byte me = _pid, h, to, given = 0;
	bool added, woken, told, got, listed, pending_wake, blocked, was, alone, flush;

idle:
	do
	:: finished -> goto end
	:: ipi[me] -> take_inbox()
	:: shootdown[me] -> shootdown_poll()
#ifdef HARDWARE
	:: notified[me] -> ignore_notification()
#endif
	:: armed_on == me -> wait_expired()
	:: given < POSTS -> given++; post(me * POSTS + given - 1)
	:: atomic { !removed -> removed = true /* the entry is cleared */ }; remove_memory()
	:: queued_on == me && moves < MOVES -> move_anywhere()
	:: queued_on == me -> break
	od;
	switch_in();
	if
	:: in_block -> after_block(); place = IN_LOOP
	:: else
	fi;
	arrive();
	do
	:: finished -> goto end
	:: place == OUTSIDE ->
		/* in ring 3, in the VMM */
		if
		:: ipi[me] -> take_inbox()
		:: shootdown[me] -> shootdown_poll()
#ifdef HARDWARE
		:: notified[me] -> ignore_notification()
#endif
		:: preempt(); goto idle
		:: place = IN_LOOP; arrive()
		fi
	:: place == IN_LOOP ->
		if
		:: pending || pending_flush -> look_at_pending()
#ifndef BUG_POSTED_UNSEEN_BEFORE_ENTRY
		:: waits_unseen && !halted -> pending = true
#endif
#ifdef HARDWARE
		:: notified[me] -> ignore_notification()
#endif
		:: else ->
			if
			:: halted -> wait()
			:: else -> guest()
			fi
		fi
	od;
end:
	skip
}
