/* The callbacks run under their device's lock: they note, or make a call that does not block. A call into ring 0 fails only
 * for a VM that is being destroyed; then there is nobody left to interrupt. */
#include "vmm/wires.h"

#include "abi/layout.h"
#include "user/calls.h"
#include "vmm/cmos.h"
#include "vmm/machine.h"

#define IOAPIC_ID_MASK 0xfU

static void request_stop(struct machine *machine, enum vcpu_stop_reason reason)
{
	uint32_t none = VCPU_STOP_NONE;

	atomic_compare_exchange_strong(&machine->stop_request, &none, (uint32_t)reason);
}

static void request_reset(void *ctx)
{
	request_stop(ctx, VCPU_STOP_RESET);
}

static void request_power_off(void *ctx)
{
	request_stop(ctx, VCPU_STOP_POWER_OFF);
}

/* The first code counts, as the first reason does. */
static void request_exit(void *ctx, uint64_t code)
{
	struct machine *machine = ctx;
	uint64_t none = 0;

	atomic_compare_exchange_strong(&machine->exit_code, &none, code);
	request_stop(machine, VCPU_STOP_EXIT_CODE);
}

static void send_message(void *ctx, uint64_t address, uint32_t data)
{
	const struct machine *machine = ctx;

	if (sys_vm_msi(machine->spec->handles.vm, address, data) != OK)
		return;
}

static void tell_eoi_vectors(void *ctx)
{
	const struct machine *machine = ctx;
	uint64_t vectors[IOAPIC_VECTOR_WORDS];

	ioapic_eoi_vectors(&machine->ioapic, vectors);
	if (sys_vm_eoi_exits(machine->spec->handles.vm, vectors) != OK)
		return;
}

/* The 8259's output is wired to LINT0 of the bootstrap processor. */
static void set_extint(void *ctx, bool level)
{
	const struct machine *machine = ctx;

	if (sys_vcpu_extint(machine->vcpus[0].handle, level) != OK)
		return;
}

static bool transmit(void *ctx, uint8_t byte)
{
	struct machine *machine = ctx;
	uint64_t now_ns = machine_now_ns(machine);
	bool taken = terminal_transmit(&machine->terminal, byte, now_ns);

	machine_wake_by(machine, terminal_next_event_ns(&machine->terminal));
	return taken;
}

static bool transmit_by_com1(void *ctx, uint8_t byte)
{
	struct machine *machine = ctx;

	machine->serial_was_used = true;
	machine->serial_printed_last = true;
	return transmit(ctx, byte);
}

/* Firmware's messages about itself share the terminal with its console, and end where that begins. */
static void show_firmware_text(void *ctx, uint8_t byte)
{
	const struct machine *machine = ctx;

	if (!machine->serial_was_used)
		(void)transmit(ctx, byte);
}

/* Text of port E9h has no line that could be held up: where the console takes nothing, it is lost. */
static void show_text(void *ctx, uint8_t byte)
{
	(void)transmit(ctx, byte);
}

static void receive_ready(void *ctx)
{
	struct machine *machine = ctx;

	machine_wake_by(machine, 0);
}

static void acquire_function(void *ctx, void *lock)
{
	(void)ctx;
	lock_acquire(lock);
}

/* What was written may have moved the function's pin. */
static void release_function(void *ctx, void *lock)
{
	struct machine *machine = ctx;

	lock_release(lock);
	if (irq_relay_has_changes(&machine->relay))
		machine_drain_lines(machine);
}

static void connect_controllers(struct machine *machine)
{
	const struct pic8259_wires pic = {.output = {.set = set_extint, .ctx = machine}};
	const struct ioapic_wires ioapic = {
		.send = send_message, .eoi_vectors_changed = tell_eoi_vectors, .ctx = machine};

	pic8259_init(&machine->pic, &pic);
	ioapic_init(&machine->ioapic, &ioapic, (uint8_t)(machine->spec->vcpu_count & IOAPIC_ID_MASK), IOAPIC_VERSION_20);
}

static void connect_clocks(struct machine *machine, int64_t wall_clock_seconds)
{
	struct irq_relay *relay = &machine->relay;
	const struct pit8254_wires pit = {.irq0 = irq_relay_line(relay, SOURCE_PIT)};
	const struct rtc_cmos_wires rtc = {.irq = irq_relay_line(relay, SOURCE_RTC)};
	const struct acpi_pm_wires pm = {
		.sci = irq_relay_line(relay, SOURCE_SCI), .power_off = request_power_off, .ctx = machine};

	pit8254_init(&machine->pit, &pit);
	rtc_cmos_init(&machine->rtc, &rtc, wall_clock_seconds, 0);
	cmos_fill(&machine->rtc, machine->spec->memory_bytes, machine->spec->vcpu_count);
	acpi_pm_init(&machine->pm, &pm, false); /* as the FADT says: no TMR_VAL_EXT */
}

static void set_test_line(void *ctx, unsigned number, bool level)
{
	struct machine *machine = ctx;
	struct irq_line line = irq_relay_line(&machine->relay, number);

	line.set(line.ctx, level);
}

static enum status read_memory(void *ctx, uint64_t address, void *out, size_t len_bytes)
{
	const struct machine *machine = ctx;

	return gmem_read(&machine->gmem, gpa(address), out, len_bytes);
}

/* Page by page: memory that is one to the guest may be several slots. */
static enum status write_memory(void *ctx, uint64_t address, const void *bytes, size_t len_bytes)
{
	const struct machine *machine = ctx;
	const uint8_t *from = bytes;
	enum status status = OK;

	for (size_t part_bytes; len_bytes > 0 && status == OK; len_bytes -= part_bytes, address += part_bytes) {
		part_bytes = PAGE_SIZE_BYTES - address % PAGE_SIZE_BYTES;
		part_bytes = part_bytes < len_bytes ? part_bytes : len_bytes;
		if (from == NULL) {
			status = gmem_zero(&machine->gmem, gpa(address), part_bytes);
		} else {
			status = gmem_write(&machine->gmem, gpa(address), from, part_bytes);
			from += part_bytes;
		}
	}
	return status;
}

/* What the guest sends there is lost. */
static void connect_coms(struct machine *machine)
{
	static const unsigned sources[] = {SOURCE_COM2, SOURCE_COM3, SOURCE_COM4};

	for (unsigned i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		const struct uart16550_wires wires = {.irq = irq_relay_line(&machine->relay, sources[i])};

		uart16550_init(&machine->coms[i], &wires, 0);
	}
}

static void connect_hpet(struct machine *machine)
{
	struct irq_relay *relay = &machine->relay;
	struct hpet_wires hpet = {.legacy = irq_relay_line(relay, SOURCE_HPET_LEGACY)};

	for (unsigned pin = 0; pin < HPET_PIN_COUNT; pin++)
		hpet.outputs[HPET_OUTPUT_PIN + pin] = irq_relay_line(relay, SOURCE_HPET_PINS + pin);
	hpet.outputs[HPET_OUTPUT_LEGACY_0] = irq_relay_line(relay, SOURCE_HPET_0);
	hpet.outputs[HPET_OUTPUT_LEGACY_1] = irq_relay_line(relay, SOURCE_HPET_1);
	hpet_init(&machine->hpet, &hpet);
}

void wires_connect(struct machine *machine, int64_t wall_clock_seconds)
{
	struct irq_relay *relay = &machine->relay;
	const struct i8042_wires i8042 = {
		.keyboard = irq_relay_line(relay, SOURCE_KEYBOARD),
		.mouse = irq_relay_line(relay, SOURCE_MOUSE),
		.reset = request_reset,
		.ctx = machine,
	};
	const struct uart16550_wires uart = {
		.irq = irq_relay_line(relay, SOURCE_COM1),
		.transmit = transmit_by_com1,
		.receive_ready = receive_ready,
		.ctx = machine,
	};
	const struct pci_host_wires pci = {
		.reset = request_reset, .acquire = acquire_function, .release = release_function, .ctx = machine};

	connect_controllers(machine);
	connect_clocks(machine, wall_clock_seconds);
	connect_hpet(machine);
	i8042_init(&machine->i8042, &i8042);
	uart16550_init(&machine->uart, &uart, UART_MSR_CONNECTED);
	connect_coms(machine);
	pci_host_init(&machine->pci, &pci);
	fw_cfg_init(&machine->fw_cfg, &(struct fw_cfg_wires){.read = read_memory, .write = write_memory, .ctx = machine});
	testdev_init(&machine->testdev, &(struct testdev_wires){.set_line = set_test_line, .ctx = machine});
	machine->firmware_text = (struct debug_ports){.text = show_firmware_text, .ctx = machine};
	machine->debug = (struct debug_ports){.text = show_text, .exit = request_exit, .ctx = machine};
}
