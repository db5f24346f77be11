/* A VM that begins as a PC does: with a firmware ROM that ends at 4 GiB, at its reset vector. What firmware has to be told of the
 * machine is in fw_cfg and CMOS RAM; what an operating system shall boot is the firmware's business. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/status.h"
#include "abi/vcpu.h"
#include "abi/vmm_spec.h"

struct machine;
struct machine_vcpu;

#define FIRMWARE_UNIT_BYTES 0x10000ULL   /* sizes are multiples of it */
#define FIRMWARE_MAX_BYTES  0x1000000ULL /* 16 MiB: below lie the devices that a PC has there */
#define FIRMWARE_LOW_BYTES  0x20000ULL   /* so much of its end is also below 1 MiB, as RAM */

/* Whether the size is one of a ROM and there is code at the reset vector, 16 bytes before the end. Any bytes. Pure. */
bool firmware_is_rom(const void *image, size_t size_bytes);

/* The file that the VM begins with: the manifest's firmware, or a kernel that is no kernel but a ROM; NULL: it has none. */
const struct vmm_file *firmware_of(const struct vmm_spec *spec);

/* Puts the ROM into the machine, read-only below 4 GiB, copied below 1 MiB; devices and low memory are there.
 * Errors: ERR_INVALID (it is no ROM), ERR_NO_MEMORY, those of mapping and bus_attach(). Context: before vCPUs run. */
MUST_CHECK enum status firmware_place(struct machine *machine, const struct vmm_file *file);

/* A processor after power-on. SDM Vol. 3A, "Processor State After Reset". */
extern const struct vcpu_registers firmware_registers;

/* For exits that nothing else can answer. True: the vCPU shall try again. A ROM that the processor itself writes to, as it
 * does to mark a descriptor as used, is RAM from then on: a PC would lose the mark, but here the access must be carried out.
 * Context: the vCPU's thread. */
bool firmware_settles(struct machine_vcpu *vcpu);
