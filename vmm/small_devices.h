/* The machine's small virtio devices: entropy, console, sockets, balloon. What connects each model (drivers/virt/) to the rest of
 * the VMM; one file each. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/status.h"
#include "abi/vmm_spec.h"

struct machine;

/* Makers, for the table in vmm/virtio_devices.c: how many of them the VM has, and one of them. */
unsigned entropy_device_count(const struct vmm_spec *spec);
MUST_CHECK enum status entropy_device_make(struct machine *machine, unsigned index);
unsigned console_device_count(const struct vmm_spec *spec);
MUST_CHECK enum status console_device_make(struct machine *machine, unsigned index);
unsigned vsock_device_count(const struct vmm_spec *spec);
MUST_CHECK enum status vsock_device_make(struct machine *machine, unsigned index);
unsigned balloon_device_count(const struct vmm_spec *spec);
MUST_CHECK enum status balloon_device_make(struct machine *machine, unsigned index);

/* The console's first port at the terminal that it shares with COM1: what it printed goes there. True: there is more than goes
 * there now. Context: the I/O thread, LOCK_UART held. */
bool console_device_serve(struct machine *machine, uint64_t now_ns);
/* Whether what the user types goes to the first port, and not to COM1; then how many of the bytes it takes. Context: the I/O
 * thread, LOCK_UART held. */
bool console_device_has_input(const struct machine *machine);
size_t console_device_type(const uint8_t *bytes, size_t len_bytes);
/* The console program has moved something. Context: any, no lock needed. */
void console_device_wake(void);

/* The manager wishes the guest another size. Context: any, no lock needed. */
void balloon_device_wake(void);
