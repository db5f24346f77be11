/* Further threads of a program. */
#include "user/thread.h"

#include <stddef.h>

#include "lib/base/string.h"
#include "user/calls.h"

/* At the top of a new thread's stack: what it runs. */
struct thread_entry {
	thread_function *function;
	void *argument;
};

_Static_assert(sizeof(struct thread_entry) % 16 == 0, "stacks are 16-byte aligned");

void thread_start(void); /* user/start.asm */
_Noreturn void thread_begin(const struct thread_entry *entry);

_Noreturn void thread_begin(const struct thread_entry *entry)
{
	entry->function(entry->argument);
	sys_thread_exit(0, false);
}

static enum status map_stack(struct thread_maker *maker, uint64_t stack_base)
{
	handle_t stack;
	enum status status = memory_create_filled(maker->pool, THREAD_STACK_BYTES, &stack);

	if (status != OK)
		return status;
	status = space_map_all(maker->space, stack, stack_base, 0, THREAD_STACK_BYTES, RIGHT_READ | RIGHT_WRITE);
	sys_handle_close(stack); /* the view keeps the memory */
	return status;
}

enum status thread_create(struct thread_maker *maker, const char *name, thread_function *function, void *argument,
			  const uint64_t cpu_mask[PROGRAM_CPUS_MAX / 64])
{
	struct thread_config config = {.entry = (uint64_t)(uintptr_t)thread_start};
	struct thread_entry *entry;
	uint64_t slot_end;
	enum status status;

	if (maker->thread_count >= THREADS_MAX)
		return ERR_NO_SPACE;
	slot_end = PROGRAM_STACKS_BASE + (maker->thread_count + 1) * THREAD_SLOT_BYTES;
	status = map_stack(maker, slot_end - THREAD_STACK_BYTES);
	if (status != OK)
		return status;
	maker->thread_count++; /* a slot is never used twice */
	entry = (struct thread_entry *)(uintptr_t)(slot_end - sizeof(*entry));
	*entry = (struct thread_entry){.function = function, .argument = argument};
	config.stack_top = config.argument = (uint64_t)(uintptr_t)entry;
	memcpy(config.name, name, strnlen(name, sizeof(config.name) - 1));
	if (cpu_mask != NULL)
		memcpy(config.cpu_mask, cpu_mask, sizeof(config.cpu_mask));
	return sys_thread_create(maker->space, maker->pool, &config);
}
