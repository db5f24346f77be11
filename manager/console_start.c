/* Starts the console program: makes its channels, maps and grants what struct console_setup names. */
#include "lib/base/string.h"
#include "manager/console_link.h"
#include "manager/layout.h"
#include "manager/program.h"
#include "user/calls.h"
#include "user/log.h"

#define CONSOLE_PATH    "system/console"
#define MANAGER_SETUP   MANAGER_WINDOW_CONSOLE
#define MANAGER_TO      (MANAGER_WINDOW_CONSOLE + 0x100000ULL)
#define MANAGER_FROM    (MANAGER_WINDOW_CONSOLE + 0x200000ULL)
#define READ_WRITE      (RIGHT_READ | RIGHT_WRITE)

/* Channels and event live as long as the manager: a console that is started again finds them as they were. */
static enum status make_channels(struct console_link *link)
{
	enum status status;

	if (link->event != HANDLE_NONE)
		return OK;
	status = memory_create_filled(MANAGER_HANDLE_POOL, CONSOLE_TO_BYTES, &link->to_console);
	if (status == OK)
		status = memory_create_filled(MANAGER_HANDLE_POOL, CONSOLE_FROM_BYTES, &link->from_console);
	if (status == OK)
		status = space_map_all(MANAGER_HANDLE_SPACE, link->to_console, MANAGER_TO, 0, CONSOLE_TO_BYTES, READ_WRITE);
	if (status == OK)
		status = space_map_all(MANAGER_HANDLE_SPACE, link->from_console, MANAGER_FROM, 0, CONSOLE_FROM_BYTES,
				       READ_WRITE);
	if (status == OK)
		status = channel_writer_open(&link->writer, (void *)MANAGER_TO, CONSOLE_TO_BYTES);
	if (status == OK)
		status = channel_reader_open(&link->reader, (void *)MANAGER_FROM, CONSOLE_FROM_BYTES);
	if (status == OK)
		status = sys_event_create(MANAGER_HANDLE_POOL, &link->event);
	return status;
}

static enum status give_channels(const struct console_link *link, const struct program *console,
				 const struct console_wishes *wishes, struct console_setup *setup)
{
	enum status status;

	setup->manager = (struct console_channels){
		.to_console_address = CONSOLE_WINDOW_TO_CONSOLE,
		.to_console_bytes = CONSOLE_TO_BYTES,
		.from_console_address = CONSOLE_WINDOW_FROM_CONSOLE,
		.from_console_bytes = CONSOLE_FROM_BYTES,
		.peer_event_bits = wishes->message_bits,
	};
	status = space_map_all(console->space, link->to_console, CONSOLE_WINDOW_TO_CONSOLE, 0, CONSOLE_TO_BYTES, READ_WRITE);
	if (status == OK)
		status = space_map_all(console->space, link->from_console, CONSOLE_WINDOW_FROM_CONSOLE, 0,
				       CONSOLE_FROM_BYTES, READ_WRITE);
	if (status == OK)
		status = sys_handle_grant(console->space, wishes->manager_event, RIGHT_SIGNAL, wishes->message_bits,
					  &setup->manager.peer_event);
	if (status == OK)
		status = sys_handle_grant(console->space, link->event, RIGHT_WAIT | RIGHT_SIGNAL, UINT64_MAX,
					  &setup->own_event);
	return status;
}

/* A line without an interrupt is polled by the console. */
static enum status give_serial(const struct console_link *link, const struct program *console, const struct serial_port *port,
			       struct console_setup *setup)
{
	handle_t irq;
	/* The console parses what guests print: of the PC's ports it gets these eight and no others. */
	enum status status = sys_handle_grant(console->space, MANAGER_HANDLE_PORTS, READ_WRITE,
					      BADGE_PORTS(port->base_port, port->base_port + 7), &setup->ports);

	if (status != OK)
		return status;
	setup->serial_base_port = port->base_port;
	if (!port->has_irq || sys_irq_create(MANAGER_HANDLE_HOST, MANAGER_HANDLE_POOL, port->irq, port->irq_is_isa ? IRQ_ISA : 0,
					     link->event, CONSOLE_EVENT_SERIAL, &irq) != OK)
		return OK;
	status = sys_handle_grant(console->space, irq, READ_WRITE, UINT64_MAX, &setup->serial_irq);
	sys_handle_close(irq);
	return status;
}

static enum status give_screen(const struct host *host, const struct program *console, struct console_setup *setup)
{
	const struct boot_framebuffer *screen = host->framebuffer;
	uint64_t first_page = screen->base_physical & ~4095ULL;
	uint64_t in_page = screen->base_physical - first_page;
	uint64_t len_bytes = (in_page + (uint64_t)screen->pitch_bytes * screen->height_pixels + 4095) & ~4095ULL;
	handle_t memory;
	enum status status;

	status = sys_memory_device(MANAGER_HANDLE_HOST, MANAGER_HANDLE_POOL, first_page, len_bytes, MEMORY_WRITE_COMBINING,
				   &memory);
	if (status != OK)
		return status;
	status = space_map_all(console->space, memory, CONSOLE_WINDOW_FRAMEBUFFER, 0, len_bytes, READ_WRITE);
	sys_handle_close(memory);
	if (status == OK) {
		setup->framebuffer_address = CONSOLE_WINDOW_FRAMEBUFFER + in_page;
		setup->framebuffer = *screen;
	}
	return status;
}

/* The page goes away in the manager: the console may believe it for ever. */
static enum status give_setup(const struct program *console, const struct console_setup *setup)
{
	handle_t page;
	enum status status = memory_create_filled(MANAGER_HANDLE_POOL, 4096, &page);

	if (status != OK)
		return status;
	status = space_map_all(MANAGER_HANDLE_SPACE, page, MANAGER_SETUP, 0, 4096, READ_WRITE);
	if (status == OK) {
		memcpy((void *)MANAGER_SETUP, setup, sizeof(*setup));
		status = space_unmap_all(MANAGER_HANDLE_SPACE, MANAGER_SETUP);
	}
	if (status == OK)
		status = space_map_all(console->space, page, CONSOLE_WINDOW_SETUP, 0, 4096, RIGHT_READ);
	sys_handle_close(page);
	return status;
}

static enum status equip(struct console_link *link, const struct host *host, const struct program *console,
			 const struct console_wishes *wishes)
{
	struct console_setup setup = {
		.magic = CONSOLE_SETUP_MAGIC,
		.version = CONSOLE_SETUP_VERSION,
		.log_shown_position = wishes->log_shown_position,
	};
	enum status status = give_channels(link, console, wishes, &setup);

	if (status == OK && wishes->serial)
		status = give_serial(link, console, &wishes->serial_port, &setup);
	if (status == OK && wishes->screen && host->framebuffer->base_physical != 0 &&
	    give_screen(host, console, &setup) != OK)
		log_print("E632 console: the screen cannot be used; the serial port can");
	return status == OK ? give_setup(console, &setup) : status;
}

/* Without a console, ring 0 shows the log again. */
static void give_back(void)
{
	enum status status = sys_console_take(MANAGER_HANDLE_HOST, false);

	(void)status; /* the manager has the right to */
}

enum status console_start(struct console_link *link, const struct host *host, const struct console_wishes *wishes)
{
	const struct program_request request = {
		.path = CONSOLE_PATH,
		.pool = MANAGER_HANDLE_POOL,
		.end_event = wishes->manager_event,
		.end_bits = wishes->end_bits,
		.cpu_mask = wishes->cpu_mask,
	};
	struct program_problem problem = {.what = "does not fit into memory"};
	struct program console;
	enum status status = make_channels(link);

	if (status == OK)
		status = sys_console_take(MANAGER_HANDLE_HOST, true);
	if (status == OK)
		status = program_create(host, &request, &console, &problem);
	if (status != OK) {
		give_back();
		log_print("E632 bulkhead/%s: %s: no prompt and no terminals; copy the folder system from the release again",
			  CONSOLE_PATH, problem.what);
		return status;
	}
	status = equip(link, host, &console, wishes);
	if (status == OK)
		status = program_run(&console, "console", CONSOLE_WINDOW_SETUP);
	link->space = console.space;
	link->running = status == OK;
	if (status != OK) {
		console_ended(link);
		log_print("E632 console cannot be started (error %u): no prompt and no terminals", status);
	}
	return status;
}

void console_ended(struct console_link *link)
{
	link->running = false;
	sys_handle_close(link->space);
	give_back();
}

enum status console_open_terminal(struct console_link *link, const struct console_vm_terminal *terminal)
{
	uint64_t window = CONSOLE_WINDOW_TERMINALS + terminal->slot * CONSOLE_TERMINAL_BYTES;
	struct console_terminal message = {
		.channels = {
			.to_console_address = window,
			.to_console_bytes = TERMINAL_TO_CONSOLE_BYTES,
			.from_console_address = window + CONSOLE_TERMINAL_HALF_BYTES,
			.from_console_bytes = TERMINAL_TO_VM_BYTES,
			.peer_event_bits = terminal->vmm_event_bits,
		},
	};
	enum status status;

	if (!link->running)
		return OK;
	memcpy(message.name, terminal->name, strnlen(terminal->name, sizeof(message.name) - 1));
	status = space_map_all(link->space, terminal->to_console, message.channels.to_console_address, 0,
			       TERMINAL_TO_CONSOLE_BYTES, READ_WRITE);
	if (status == OK)
		status = space_map_all(link->space, terminal->to_vm, message.channels.from_console_address, 0,
				       TERMINAL_TO_VM_BYTES, READ_WRITE);
	if (status == OK)
		status = sys_handle_grant(link->space, terminal->vmm_event, RIGHT_SIGNAL, terminal->vmm_event_bits,
					  &message.channels.peer_event);
	if (status == OK)
		console_send(link, CONSOLE_TERMINAL_OPEN, 0, &message, sizeof(message));
	return status;
}
