/* Another stack for a while. */
#include "tests/fake/kernel_cpu_stack.h"

#include "tests/unit/unit.h"

#include <stdlib.h>
#include <ucontext.h>

#define STACK_BYTES (16 * KERNEL_STACK_BYTES)

struct stack_head *fake_stack_head;
static void (*body_to_run)(void);
static ucontext_t back;

static void on_kernel_stack(void)
{
	body_to_run();
	setcontext(&back);
}

void fake_cpu_stack_run(struct percpu *cpu, void (*body)(void))
{
	uint8_t *stack = aligned_alloc(KERNEL_STACK_BYTES, STACK_BYTES);
	volatile bool done = false;
	ucontext_t there;

	assert_non_null(stack);
	fake_stack_head = (struct stack_head *)(void *)(stack + STACK_BYTES) - 1;
	*fake_stack_head = (struct stack_head){.cpu = cpu};
	body_to_run = body;
	getcontext(&back);
	if (!done) {
		done = true;
		getcontext(&there);
		there.uc_stack.ss_sp = stack;
		there.uc_stack.ss_size = STACK_BYTES - sizeof(struct stack_head);
		there.uc_link = NULL;
		makecontext(&there, on_kernel_stack, 0);
		setcontext(&there);
	}
	free(stack);
}
