/* Registers and bits of the PC16550D, in the data sheet's order (section "Registers", table "Summary of Registers"). */
#pragma once

enum uart_register {
	UART_RBR_THR_DLL = 0,
	UART_IER_DLM = 1,
	UART_IIR_FCR = 2,
	UART_LCR = 3,
	UART_MCR = 4,
	UART_LSR = 5,
	UART_MSR = 6,
	UART_SCR = 7,
};

/* Interrupt Enable Register */
#define UART_IER_RDA   0x01 /* received data available, and character timeout */
#define UART_IER_THRE  0x02
#define UART_IER_LINE  0x04
#define UART_IER_MODEM 0x08
#define UART_IER_MASK  0x0f
/* Interrupt Identification Register */
#define UART_IIR_NONE    0x01
#define UART_IIR_MODEM   0x00
#define UART_IIR_THRE    0x02
#define UART_IIR_RDA     0x04
#define UART_IIR_LINE    0x06
#define UART_IIR_TIMEOUT 0x0c
#define UART_IIR_FIFOS   0xc0
/* FIFO Control Register */
#define UART_FCR_ENABLE        0x01
#define UART_FCR_CLEAR_RX      0x02
#define UART_FCR_CLEAR_TX      0x04
#define UART_FCR_TRIGGER_SHIFT 6
#define UART_FCR_KEPT          0xc9
/* Line Control Register */
#define UART_LCR_DLAB 0x80
/* Modem Control Register */
#define UART_MCR_DTR  0x01
#define UART_MCR_RTS  0x02
#define UART_MCR_OUT1 0x04
#define UART_MCR_OUT2 0x08
#define UART_MCR_LOOP 0x10
#define UART_MCR_MASK 0x1f
/* Line Status Register */
#define UART_LSR_DATA       0x01
#define UART_LSR_OVERRUN    0x02
#define UART_LSR_BREAK      0x10
#define UART_LSR_ERRORS     0x1e
#define UART_LSR_THRE       0x20
#define UART_LSR_TEMT       0x40
#define UART_LSR_FIFO_ERROR 0x80
/* Modem Status Register: deltas */
#define UART_MSR_TRAILING_RI 0x04
#define UART_MSR_DELTAS      0x0f
#define UART_MSR_PINS        0xf0
