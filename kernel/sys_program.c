/* System calls on programs, threads, events and the log. */
#include <stddef.h>

#include "abi/syscall.h"
#include "kernel/event.h"
#include "kernel/log.h"
#include "kernel/percpu.h"
#include "kernel/pool.h"
#include "kernel/scheduler.h"
#include "kernel/space_internal.h"
#include "kernel/syscall_table.h"
#include "kernel/thread_internal.h"
#include "kernel/user_copy.h"

#define LOG_CALL_BYTES 512U
#define VMM_LINES_MAX  16U /* of one call */

static struct space *self(void)
{
	return thread_current()->space;
}

/* What a VMM says is marked as its own, line by line and without control characters: it could have been taken over. */
static int64_t log_of_vmm(const struct syscall_arguments *a)
{
	char text[LOG_CALL_BYTES];
	size_t count = a->value[1] < sizeof(text) ? a->value[1] : sizeof(text), start = 0, lines = 1;
	enum status status = copy_from_user(text, a->value[0], count);

	for (size_t at = 0; status == OK && at < count; at++) {
		if ((text[at] == '\n' && lines < VMM_LINES_MAX) || at + 1 == count) {
			log_info("%s: %.*s", space_name(self()), (int)(at - start + (text[at] != '\n')), text + start);
			start = at + 1;
			lines++;
		} else if (text[at] < ' ' || text[at] > '~') {
			text[at] = '?';
		}
	}
	return syscall_error(status);
}

static int64_t log_of_program(const struct syscall_arguments *a)
{
	char text[LOG_CALL_BYTES];
	uint64_t left = a->value[1];

	if (left > 8 * LOG_CALL_BYTES)
		return syscall_error(ERR_OUT_OF_RANGE);
	for (uint64_t at = 0; left > 0;) {
		size_t piece = left < sizeof(text) ? left : sizeof(text);
		enum status status = copy_from_user(text, a->value[0] + at, piece);

		if (status != OK)
			return syscall_error(status);
		log_text(text, piece);
		at += piece;
		left -= piece;
	}
	return 0;
}

int64_t sys_log_write(const struct syscall_arguments *a)
{
	int64_t answer = space_is_confined(self()) ? log_of_vmm(a) : log_of_program(a);

	thread_show_log();
	return answer;
}

int64_t sys_log_read(const struct syscall_arguments *a)
{
	char text[LOG_CALL_BYTES];
	uint64_t position;
	size_t count;
	enum status status = space_is_confined(self()) ? ERR_DENIED : OK;

	/* A VMM has no business with what other VMs' messages say. */
	if (status == OK)
		status = copy_from_user(&position, a->value[0], sizeof(position));
	if (status != OK)
		return syscall_error(status);
	count = log_read(&position, text, a->value[2] < sizeof(text) ? a->value[2] : sizeof(text));
	status = copy_to_user(a->value[1], text, count);
	if (status == OK)
		status = copy_to_user(a->value[0], &position, sizeof(position));
	return status == OK ? (int64_t)count : syscall_error(status);
}

int64_t sys_space_kill(const struct syscall_arguments *a)
{
	space_end(space_from_object(a->object[0]), SPACE_KILLED, 0);
	return 0;
}

int64_t sys_space_status(const struct syscall_arguments *a)
{
	struct space_status described;

	space_describe(space_from_object(a->object[0]), &described);
	return syscall_error(copy_to_user(a->value[1], &described, sizeof(described)));
}

int64_t sys_thread_create(const struct syscall_arguments *a)
{
	struct space *space = space_from_object(a->object[0]);
	struct thread_config config;
	struct thread *thread;
	enum status status = copy_from_user(&config, a->value[2], sizeof(config));

	if (status == OK && (config.entry >= USER_END || config.stack_top >= USER_END || config.stack_top % 16 != 0))
		status = ERR_INVALID;
	if (status == OK)
		status = thread_create(pool_from_object(a->object[1]), space, &config, NULL, &thread);
	if (status != OK)
		return syscall_error(status);
	status = space_add_thread(space, thread);
	if (status != OK)
		object_put(&thread->object);
	return syscall_error(status);
}

int64_t sys_thread_exit(const struct syscall_arguments *a)
{
	if (a->value[1] != 0)
		space_end(self(), SPACE_EXITED, a->value[0]);
	thread_exit_current();
}

int64_t sys_thread_yield(const struct syscall_arguments *a)
{
	(void)a;
	scheduler_yield();
	return 0;
}

int64_t sys_event_create(const struct syscall_arguments *a)
{
	struct event *event;
	enum status status = event_create(pool_from_object(a->object[0]), &event);

	return status == OK ? syscall_new_handle(event_object(event), RIGHT_ALL) : syscall_error(status);
}

int64_t sys_event_signal(const struct syscall_arguments *a)
{
	event_signal(event_from_object(a->object[0]), event_bits(a->value[1], a->badge));
	return 0;
}

int64_t sys_event_wait(const struct syscall_arguments *a)
{
	uint64_t bits = 0;
	enum status status = event_wait(event_from_object(a->object[0]), a->value[1], &bits);

	return status == OK ? (int64_t)bits : syscall_error(status);
}
