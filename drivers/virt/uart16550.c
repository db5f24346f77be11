/* The registers of the PC16550D and its interrupts. Every entry changes state first and ends in update_outputs():
 * the interrupt line is a function of the state. */
#include "drivers/virt/uart16550.h"

#include <stddef.h>

#include "drivers/virt/uart16550_registers.h"

static bool fifos_enabled(const struct uart16550_state *state)
{
	return (state->fcr & UART_FCR_ENABLE) != 0;
}

static unsigned fifo_capacity(const struct uart16550_state *state)
{
	return fifos_enabled(state) ? UART_FIFO_BYTES : 1;
}

static bool can_receive(const struct uart16550_state *state)
{
	return !(state->mcr & UART_MCR_LOOP) && state->rx.count < fifo_capacity(state);
}

/* The caller saw that there is room. */
static void fifo_put(struct uart_fifo *fifo, uint8_t byte, uint8_t errors)
{
	unsigned at = (fifo->first + fifo->count) % UART_FIFO_BYTES;

	fifo->bytes[at] = byte;
	fifo->errors[at] = errors;
	fifo->count++;
}

/* The caller saw that there is a byte. */
static uint8_t fifo_take(struct uart_fifo *fifo)
{
	uint8_t byte = fifo->bytes[fifo->first];

	fifo->first = (uint8_t)((fifo->first + 1U) % UART_FIFO_BYTES);
	fifo->count--;
	return byte;
}

static uint8_t modem_pins(const struct uart16550_state *state)
{
	uint8_t pins = 0;

	if (!(state->mcr & UART_MCR_LOOP))
		return state->modem_inputs;
	pins |= state->mcr & UART_MCR_RTS ? UART_MSR_CTS : 0;
	pins |= state->mcr & UART_MCR_DTR ? UART_MSR_DSR : 0;
	pins |= state->mcr & UART_MCR_OUT1 ? UART_MSR_RI : 0;
	pins |= state->mcr & UART_MCR_OUT2 ? UART_MSR_DCD : 0;
	return pins;
}

/* The pins were before; notes what changed. Ring indicator counts at its trailing edge only. */
static void note_modem_change(struct uart16550_state *state, uint8_t before)
{
	uint8_t now = modem_pins(state);
	uint8_t changed = (uint8_t)((now ^ before) & (UART_MSR_CTS | UART_MSR_DSR | UART_MSR_DCD));

	state->modem_deltas |= (uint8_t)(changed >> 4);
	if ((before & UART_MSR_RI) && !(now & UART_MSR_RI))
		state->modem_deltas |= UART_MSR_TRAILING_RI;
}

static uint8_t line_status(const struct uart16550_state *state)
{
	uint8_t lsr = state->line_errors;

	if (state->rx.count > 0)
		lsr |= (uint8_t)(UART_LSR_DATA | state->rx.errors[state->rx.first]);
	if (state->tx.count == 0)
		lsr |= UART_LSR_THRE | UART_LSR_TEMT;
	for (unsigned i = 0; fifos_enabled(state) && i < state->rx.count; i++)
		lsr |= state->rx.errors[(state->rx.first + i) % UART_FIFO_BYTES] != 0 ? UART_LSR_FIFO_ERROR : 0;
	return lsr;
}

static unsigned receive_trigger(const struct uart16550_state *state)
{
	static const uint8_t levels[] = {1, 4, 8, 14};

	return fifos_enabled(state) ? levels[state->fcr >> UART_FCR_TRIGGER_SHIFT] : 1;
}

/* Section "Interrupt Identification Register", table "Interrupt Control Functions": in order of priority. */
static uint8_t interrupt_identification(const struct uart16550_state *state)
{
	if ((state->ier & UART_IER_LINE) && (line_status(state) & UART_LSR_ERRORS))
		return UART_IIR_LINE;
	if ((state->ier & UART_IER_RDA) && state->rx.count > 0)
		return state->rx.count >= receive_trigger(state) ? UART_IIR_RDA : UART_IIR_TIMEOUT;
	if ((state->ier & UART_IER_THRE) && state->thre_pending)
		return UART_IIR_THRE;
	if ((state->ier & UART_IER_MODEM) && state->modem_deltas != 0)
		return UART_IIR_MODEM;
	return UART_IIR_NONE;
}

static void update_outputs(struct uart16550 *uart)
{
	struct uart16550_state *state = &uart->state;
	bool level = (state->mcr & UART_MCR_OUT2) && interrupt_identification(state) != UART_IIR_NONE;

	if (level != state->line_level && uart->wires.irq.set != NULL)
		uart->wires.irq.set(uart->wires.irq.ctx, level);
	state->line_level = level;
	if (!state->receive_refused || !can_receive(state))
		return;
	state->receive_refused = false;
	if (uart->wires.receive_ready != NULL)
		uart->wires.receive_ready(uart->wires.ctx);
}

/* Passes bytes on until the host refuses one. */
static void drain(struct uart16550 *uart)
{
	struct uart16550_state *state = &uart->state;
	bool was_empty = state->tx.count == 0;

	while (state->tx.count > 0) {
		if (uart->wires.transmit != NULL &&
		    !uart->wires.transmit(uart->wires.ctx, state->tx.bytes[state->tx.first]))
			return;
		(void)fifo_take(&state->tx);
	}
	if (!was_empty)
		state->thre_pending = true;
}

/* "Overrun Error": without FIFOs the new byte destroys the one that was not read; with them it is the new one that is lost. */
static void loop_back(struct uart16550_state *state, uint8_t byte)
{
	if (state->rx.count >= fifo_capacity(state)) {
		state->line_errors |= UART_LSR_OVERRUN;
		if (!fifos_enabled(state))
			(void)fifo_take(&state->rx);
	}
	if (state->rx.count < fifo_capacity(state))
		fifo_put(&state->rx, byte, 0);
	state->thre_pending = true;
}

/* A byte written to a full transmitter is lost, as the data sheet lets it be: software looks at THRE first. */
static void write_transmitter(struct uart16550 *uart, uint8_t byte)
{
	struct uart16550_state *state = &uart->state;

	state->thre_pending = false;
	if (state->mcr & UART_MCR_LOOP) {
		loop_back(state, byte);
		return;
	}
	if (state->tx.count < fifo_capacity(state))
		fifo_put(&state->tx, byte, 0);
	drain(uart);
}

static uint8_t read_receiver(struct uart16550_state *state)
{
	if (state->rx.count == 0)
		return 0;
	state->line_errors |= state->rx.errors[state->rx.first];
	return fifo_take(&state->rx);
}

/* Enabling the interrupt while the transmitter is empty raises it: drivers start sending that way. */
static void write_interrupt_enable(struct uart16550_state *state, uint8_t value)
{
	uint8_t risen = (uint8_t)(value & ~state->ier);

	state->ier = value & UART_IER_MASK;
	if ((risen & UART_IER_THRE) && state->tx.count == 0)
		state->thre_pending = true;
}

/* Section "FIFO Control Register": changing the enable bit clears both FIFOs; without it the others have no effect. */
static void write_fifo_control(struct uart16550_state *state, uint8_t value)
{
	bool switched = ((state->fcr ^ value) & UART_FCR_ENABLE) != 0;

	state->fcr = value & UART_FCR_ENABLE ? value & UART_FCR_KEPT : 0;
	if (switched || (state->fcr != 0 && (value & UART_FCR_CLEAR_RX)))
		state->rx = (struct uart_fifo){0};
	if (switched || (state->fcr != 0 && (value & UART_FCR_CLEAR_TX))) {
		state->thre_pending |= state->tx.count > 0;
		state->tx = (struct uart_fifo){0};
	}
}

static uint8_t read_interrupt_identification(struct uart16550_state *state)
{
	uint8_t iir = interrupt_identification(state);

	if (iir == UART_IIR_THRE)
		state->thre_pending = false;
	return (uint8_t)(iir | (fifos_enabled(state) ? UART_IIR_FIFOS : 0));
}

static uint8_t read_line_status(struct uart16550_state *state)
{
	uint8_t lsr = line_status(state);

	state->line_errors = 0;
	if (state->rx.count > 0)
		state->rx.errors[state->rx.first] = 0;
	return lsr;
}

static uint8_t read_modem_status(struct uart16550_state *state)
{
	uint8_t msr = modem_pins(state) | state->modem_deltas;

	state->modem_deltas = 0;
	return msr;
}

static void write_modem_control(struct uart16550_state *state, uint8_t value)
{
	uint8_t before = modem_pins(state);

	state->mcr = value & UART_MCR_MASK;
	note_modem_change(state, before);
}

static uint8_t read_register(struct uart16550 *uart, enum uart_register reg)
{
	struct uart16550_state *state = &uart->state;
	bool divisor = (state->lcr & UART_LCR_DLAB) != 0;

	switch (reg) {
	case UART_RBR_THR_DLL:
		return divisor ? state->dll : read_receiver(state);
	case UART_IER_DLM:
		return divisor ? state->dlm : state->ier;
	case UART_IIR_FCR:
		return read_interrupt_identification(state);
	case UART_LCR:
		return state->lcr;
	case UART_MCR:
		return state->mcr;
	case UART_LSR:
		return read_line_status(state);
	case UART_MSR:
		return read_modem_status(state);
	case UART_SCR:
		return state->scr;
	}
	return 0xff;
}

static void write_register(struct uart16550 *uart, enum uart_register reg, uint8_t value)
{
	struct uart16550_state *state = &uart->state;
	bool divisor = (state->lcr & UART_LCR_DLAB) != 0;

	switch (reg) {
	case UART_RBR_THR_DLL:
		if (divisor)
			state->dll = value;
		else
			write_transmitter(uart, value);
		return;
	case UART_IER_DLM:
		if (divisor)
			state->dlm = value;
		else
			write_interrupt_enable(state, value);
		return;
	case UART_IIR_FCR:
		write_fifo_control(state, value);
		return;
	case UART_LCR:
		state->lcr = value;
		return;
	case UART_MCR:
		write_modem_control(state, value);
		return;
	case UART_LSR: /* "intended for read operations only" */
	case UART_MSR:
		return;
	case UART_SCR:
		state->scr = value;
		return;
	}
}

static uint64_t uart_read(void *dev, uint64_t offset, unsigned width, uint64_t now_ns)
{
	struct uart16550 *uart = dev;
	uint8_t value;

	(void)width;
	(void)now_ns;
	value = read_register(uart, (enum uart_register)(offset & 7));
	update_outputs(uart);
	return value;
}

static void uart_write(void *dev, uint64_t offset, unsigned width, uint64_t value, uint64_t now_ns)
{
	struct uart16550 *uart = dev;

	(void)width;
	(void)now_ns;
	write_register(uart, (enum uart_register)(offset & 7), (uint8_t)value);
	update_outputs(uart);
}

static void uart_reset(void *dev)
{
	struct uart16550 *uart = dev;
	bool line_level = uart->state.line_level;
	uint8_t modem_inputs = uart->state.modem_inputs;

	uart->state = (struct uart16550_state){.modem_inputs = modem_inputs, .line_level = line_level};
	update_outputs(uart);
}

void uart16550_init(struct uart16550 *uart, const struct uart16550_wires *wires, uint8_t modem_inputs)
{
	uart->state = (struct uart16550_state){.modem_inputs = modem_inputs & UART_MSR_PINS};
	uart->wires = *wires;
}

bool uart16550_receive(struct uart16550 *uart, uint8_t byte)
{
	struct uart16550_state *state = &uart->state;

	if (!can_receive(state)) {
		state->receive_refused = true;
		return false;
	}
	fifo_put(&state->rx, byte, 0);
	update_outputs(uart);
	return true;
}

void uart16550_receive_break(struct uart16550 *uart)
{
	struct uart16550_state *state = &uart->state;

	if (can_receive(state))
		fifo_put(&state->rx, 0, UART_LSR_BREAK);
	update_outputs(uart);
}

void uart16550_set_modem(struct uart16550 *uart, uint8_t inputs)
{
	uint8_t before = modem_pins(&uart->state);

	uart->state.modem_inputs = inputs & UART_MSR_PINS;
	note_modem_change(&uart->state, before);
	update_outputs(uart);
}

void uart16550_drain(struct uart16550 *uart)
{
	drain(uart);
	update_outputs(uart);
}

const struct device_ops uart16550_ops = {
	.name = "16550",
	.width_max = 1,
	.uses_time = false,
	.read = uart_read,
	.write = uart_write,
	.reset = uart_reset,
};
