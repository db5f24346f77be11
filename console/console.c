/* One turn of the console program: its steps share one state and run in one order. */
#include "console/console.h"

#include "console/commands.h"
#include "lib/base/error_codes.h"
#include "lib/base/format.h"
#include "lib/base/string.h"

#define TYPED_BYTES_PER_TURN 256U
#define MESSAGES_PER_TURN    16U
#define MESSAGE_ROOM_BYTES   (2U * CONSOLE_MAX_PAYLOAD_BYTES) /* of the prompt: a newline becomes two bytes */
#define SERIAL_POLL_MS       10U /* nobody types 16 bytes, the FIFO's worth, in that time */
#define SERIAL_SEND_MS       1U  /* a FIFO's worth at 115200 baud takes 1.4 ms */

static void notice(struct console *console, const char *text)
{
	shell_notice(&console->shell, text, strlen(text));
}

enum status console_init(struct console *console, const struct console_setup *setup, struct uart *uart,
			 struct screen *screen, const struct console_effects *effects)
{
	const struct console_channels *manager = &setup->manager;

	memset(console, 0, offsetof(struct console, vms)); /* a VM's part is initialised when it comes */
	console->effects = effects;
	log_view_init(&console->log, &effects->log, setup->log_shown_position);
	console->manager_event = manager->peer_event;
	console->manager_event_bits = manager->peer_event_bits;
	console->uart = uart;
	console->screen = screen;
	terminal_init(&console->prompt, "");
	multiplexer_init(&console->multiplexer, &console->prompt);
	if (uart != NULL)
		multiplexer_add_sink(&console->multiplexer, MULTIPLEXER_SERIAL);
	if (screen != NULL)
		multiplexer_add_sink(&console->multiplexer, MULTIPLEXER_SCREEN);
	shell_init(&console->shell, &console_commands, console);
	/* The screen starts with what ring 0 had shown there before it was cleared. */
	log_view_print_old(&console->log, &console->shell);
	multiplexer_skip(&console->multiplexer, MULTIPLEXER_SERIAL);
	if (uart == NULL)
		notice(console, "No serial port was found, and this version does not read a keyboard:\n"
				"the VMs start as bulkhead.toml says, and the power button stops them.\n");
	shell_show_line(&console->shell);
	return manager_link_open(&console->manager, manager);
}

static void end_answer(struct console *console, enum shell_outcome outcome)
{
	console->waiting_request = 0;
	shell_answer_end(&console->shell, outcome);
}

/* The VM of that name, or a new one, disconnected; NULL when there is no room. */
static struct console_vm *vm_of_name(struct console *console, const char *name)
{
	struct console_vm *vm;
	uint32_t number;

	if (multiplexer_find(&console->multiplexer, name, &number) == OK)
		return &console->vms[number - 1];
	if (console->vm_count == CONSOLE_MAX_VMS)
		return NULL;
	vm = &console->vms[console->vm_count];
	terminal_init(&vm->terminal, name);
	vm->connected = false;
	vm->closing = false;
	vm->lost = (struct lost_input){0};
	if (multiplexer_add(&console->multiplexer, &vm->terminal, &number) != OK)
		return NULL;
	console->vm_count++;
	return vm;
}

static void tell_no_room(struct console *console, const char *name)
{
	char text[TERMINAL_NAME_BYTES + 64];

	format_text(text, sizeof(text), "E615 %s: has no terminal: %u others are there; leave out VMs or ports\n", name,
		    CONSOLE_MAX_VMS);
	notice(console, text);
}

static void open_terminal(struct console *console, struct console_terminal *terminal)
{
	const struct console_channels *channels = &terminal->channels;
	struct console_vm *vm;

	terminal->name[CONSOLE_NAME_BYTES - 1] = '\0';
	vm = vm_of_name(console, terminal->name);
	if (vm == NULL) {
		tell_no_room(console, terminal->name);
		return;
	}
	vm->closing = false;
	vm->peer_event = channels->peer_event;
	vm->peer_event_bits = channels->peer_event_bits;
	vm->connected = channel_reader_open(&vm->output, (void *)(uintptr_t)channels->to_console_address,
					    channels->to_console_bytes) == OK &&
			channel_writer_open(&vm->input, (void *)(uintptr_t)channels->from_console_address,
					    channels->from_console_bytes) == OK;
}

/* The payload of a message as a name: cut to what a name may have, NUL-terminated. */
static const char *name_of(struct manager_message *message)
{
	uint32_t len = message->header.len_bytes;

	message->payload[len < CONSOLE_NAME_BYTES ? len : CONSOLE_NAME_BYTES - 1] = '\0';
	return (const char *)message->payload;
}

/* The VM's own terminal, and those of its ports: VM.PORT. */
static void close_terminals(struct console *console, const char *name)
{
	size_t length = strlen(name);

	for (uint32_t i = 0; i < console->vm_count; i++) {
		const char *terminal = console->vms[i].terminal.name;

		if (strncmp(terminal, name, length) == 0 && (terminal[length] == '\0' || terminal[length] == '.'))
			console->vms[i].closing = true;
	}
}

/* The VM's last words have been read. Whoever looks at its terminal sees them all and is then led to the prompt, where the reason
 * stands: a terminal that stands still explains nothing. */
static void end_terminal(struct console *console, struct console_vm *vm)
{
	uint32_t number = (uint32_t)(vm - console->vms) + 1;

	vm->connected = false;
	if (console->multiplexer.shown == number) {
		if (!multiplexer_has_shown_all(&console->multiplexer))
			return;
		multiplexer_show(&console->multiplexer, MULTIPLEXER_PROMPT);
		shell_show_line(&console->shell);
	}
	vm->closing = false;
}

static void take_message(struct console *console, struct manager_message *message)
{
	const char *text = (const char *)message->payload;
	bool awaited = message->header.request == console->waiting_request && console->waiting_request != 0;
	struct console_terminal terminal;

	switch (message->header.kind) {
	case CONSOLE_ANSWER_TEXT:
		if (awaited)
			shell_answer(&console->shell, text, message->header.len_bytes);
		console->waiting_since_ms = console->now_ms;
		return;
	case CONSOLE_ANSWER_END:
		if (awaited)
			end_answer(console, SHELL_DONE);
		return;
	case CONSOLE_NOTICE:
		shell_notice(&console->shell, text, message->header.len_bytes);
		return;
	case CONSOLE_TERMINAL_OPEN:
		if (message->header.len_bytes == sizeof(terminal)) {
			memcpy(&terminal, message->payload, sizeof(terminal));
			open_terminal(console, &terminal);
		}
		return;
	case CONSOLE_TERMINAL_CLOSE:
		close_terminals(console, name_of(message));
		return;
	case CONSOLE_SHOW:
		/* Who cannot type would never come back from there: the prompt's lines are worth more. */
		if (console->uart != NULL && !console->user_has_chosen)
			(void)console_show(console, name_of(message));
		return;
	default: /* a later manager's message: not for this console */
		return;
	}
}

/* A long answer is taken as fast as it is shown: the prompt's oldest lines would be lost else. */
static bool has_room(const struct console *console)
{
	return console->waiting_request == 0 ||
	       multiplexer_room_bytes(&console->multiplexer, MULTIPLEXER_PROMPT) >= MESSAGE_ROOM_BYTES;
}

static bool serve_manager(struct console *console)
{
	struct manager_message message;
	enum status status = OK;
	uint32_t count = 0;

	if (console->manager_lost)
		return false;
	while (count < MESSAGES_PER_TURN && has_room(console) &&
	       (status = manager_link_receive(&console->manager, &message)) == OK) {
		take_message(console, &message);
		count++;
	}
	if (count > 0)
		console_signal_manager(console); /* there is room in its channel again */
	if (status != OK && status != ERR_AGAIN) {
		console->manager_lost = true;
		notice(console, "E614 console: the manager's channel is damaged; "
				"VMs go on, restart the PC to manage them\n");
	}
	if (console->waiting_request != 0 &&
	    console->now_ms - console->waiting_since_ms > CONSOLE_ANSWER_TIMEOUT_MS)
		end_answer(console, SHELL_NO_MANAGER);
	return count > 0;
}

static bool serve_keys(struct console *console)
{
	uint8_t typed[TYPED_BYTES_PER_TURN];
	bool service_again;
	size_t count;

	if (console->uart == NULL)
		return false;
	service_again = uart_service(console->uart);
	count = uart_read(console->uart, typed, sizeof(typed));
	for (size_t i = 0; i < count; i++) {
		switch (multiplexer_type(&console->multiplexer, typed[i])) {
		case MULTIPLEXER_TYPED_TO_TERMINAL:
			break;
		case MULTIPLEXER_TYPED_TO_PROMPT:
			shell_type(&console->shell, typed[i]);
			break;
		case MULTIPLEXER_CAME_TO_PROMPT:
			shell_show_line(&console->shell);
			break;
		}
	}
	return service_again || count > 0;
}

/* Its VMM broke the channel's rules: that VM's terminal is over, nothing else. */
static void disconnect(struct console *console, struct console_vm *vm)
{
	char text[TERMINAL_NAME_BYTES + 128];

	vm->connected = false;
	format_text(text, sizeof(text), "E616 %s: its VMM damaged the terminal's channel: it has no terminal any more\n",
		    vm->terminal.name);
	notice(console, text);
}

static enum status move_output(struct console *console, struct console_vm *vm, size_t *moved)
{
	uint8_t bytes[512];
	uint32_t number = (uint32_t)(vm - console->vms) + 1;
	size_t room = multiplexer_room_bytes(&console->multiplexer, number);

	while (room > 0) {
		size_t want = room < sizeof(bytes) ? room : sizeof(bytes);
		size_t count;
		enum status status = channel_read(&vm->output, bytes, want, &count);

		if (status != OK || count == 0)
			return status;
		terminal_write(&vm->terminal, bytes, count);
		room -= count;
		*moved += count;
	}
	return OK;
}

static enum status move_input(struct console_vm *vm, size_t *moved)
{
	uint8_t bytes[256];
	size_t free_bytes, count;
	enum status status = channel_free_bytes(&vm->input, &free_bytes);

	if (status != OK)
		return status;
	count = terminal_take_input(&vm->terminal, bytes, free_bytes < sizeof(bytes) ? free_bytes : sizeof(bytes));
	*moved += count;
	return channel_write_all(&vm->input, bytes, count);
}

bool console_serve_vm(struct console *console, struct console_vm *vm)
{
	uint32_t number = (uint32_t)(vm - console->vms) + 1;
	size_t moved = 0;
	enum status status;

	if (vm->connected) {
		status = move_output(console, vm, &moved);
		if (status == OK)
			status = move_input(vm, &moved);
		if (status != OK)
			disconnect(console, vm);
	}
	/* Without room nothing was looked at: there may be more. */
	if (vm->closing && moved == 0 && multiplexer_room_bytes(&console->multiplexer, number) > 0)
		end_terminal(console, vm);
	if (moved > 0 && vm->peer_event != 0)
		console->effects->signal(console->effects->context, vm->peer_event, vm->peer_event_bits);
	return moved > 0;
}

/* The kernel's log waits for the end of a VM's output, so that no line of either is cut by the other. */
static bool serve_prompt(struct console *console)
{
	size_t room = multiplexer_room_bytes(&console->multiplexer, MULTIPLEXER_PROMPT);

	if (output_view_serve(&console->output, &console->shell, room))
		return true;
	return !console->output.active && log_view_serve(&console->log, &console->shell, room);
}

static void tell_losses(struct console *console)
{
	char text[LOST_INPUT_TEXT_BYTES];

	if (console->uart != NULL && lost_input_words(&console->lost, console->uart->lost_count, NULL, console->now_ms, text) > 0)
		notice(console, text);
	for (struct console_vm *vm = console->vms; vm < console->vms + console->vm_count; vm++) {
		if (lost_input_words(&vm->lost, vm->terminal.lost_input_bytes, vm->terminal.name, console->now_ms, text) > 0)
			notice(console, text);
	}
}

static bool serve_serial_line(struct console *console)
{
	uint8_t bytes[512];
	size_t count, room;

	if (console->uart == NULL)
		return false;
	room = uart_free_bytes(console->uart);
	count = multiplexer_read(&console->multiplexer, MULTIPLEXER_SERIAL, bytes, room < sizeof(bytes) ? room : sizeof(bytes));
	if (count > 0)
		(void)uart_write(console->uart, bytes, count);
	return count > 0;
}

static bool serve_screen(struct console *console)
{
	if (console->screen == NULL)
		return false;
	if (console->screen_text_used_bytes == console->screen_text_bytes) {
		console->screen_text_used_bytes = 0;
		console->screen_text_bytes = multiplexer_read(&console->multiplexer, MULTIPLEXER_SCREEN,
							      console->screen_output, sizeof(console->screen_output));
	}
	console->screen_text_used_bytes +=
		screen_text_write(&console->screen->text, console->screen_output + console->screen_text_used_bytes,
				  console->screen_text_bytes - console->screen_text_used_bytes);
	return !screen_refresh(console->screen) || console->screen_text_bytes > 0;
}

bool console_turn(struct console *console, uint64_t now_ms)
{
	bool more;

	console->now_ms = now_ms;
	more = serve_keys(console);
	more |= serve_manager(console);
	for (uint32_t i = 0; i < console->vm_count; i++)
		more |= console_serve_vm(console, &console->vms[i]);
	more |= serve_prompt(console);
	tell_losses(console);
	more |= serve_serial_line(console);
	more |= serve_screen(console);
	return more;
}

uint64_t console_wait_ms(const struct console *console, bool serial_interrupts)
{
	uint64_t elapsed_ms = console->now_ms - console->waiting_since_ms;
	uint64_t wait_ms = CONSOLE_LOOK_MS;

	if (console->uart != NULL && !serial_interrupts)
		wait_ms = uart_free_bytes(console->uart) < UART_QUEUE_BYTES ? SERIAL_SEND_MS : SERIAL_POLL_MS;
	if (console->waiting_request != 0 && CONSOLE_ANSWER_TIMEOUT_MS + 1 - elapsed_ms < wait_ms)
		wait_ms = CONSOLE_ANSWER_TIMEOUT_MS + 1 - elapsed_ms;
	return wait_ms;
}
