/* Memory by linear address, as a CPU reaches tables and stacks on its own: through the guest's page tables, with their faults and
 * their accessed and dirty bits, to memory or to devices. SDM Vol. 3A, "Access Rights": implicit supervisor-mode accesses. */
#pragma once
#include <stdint.h>

#include "vmm/event/event_cpu.h"

enum linear_kind {
	LINEAR_TABLE,     /* GDT, LDT, IDT, TSS: supervisor at any CPL, and RFLAGS.AC does not count */
	LINEAR_STACK,     /* of a CPL below 3 */
	LINEAR_USER_STACK /* of CPL 3 */
};

/* width: 1, 2, 4, 8. What lies on a multiple of its size in memory is read and written by one access; what crosses a page border
 * is not. Faults: #PF; #GP or, for stacks, #SS where the address is not canonical. linear_write() then wrote nothing. */
MUST_CHECK enum status linear_read(struct event_cpu *cpu, uint64_t linear, unsigned width, enum linear_kind kind, uint64_t *out);
MUST_CHECK enum status linear_write(struct event_cpu *cpu, uint64_t linear, unsigned width, enum linear_kind kind, uint64_t value);

/* Whether [linear, linear + bytes) of a table can be accessed; bytes: 1 to 4096. Marks its pages accessed, and dirty with
 * is_write. */
MUST_CHECK enum status linear_probe(struct event_cpu *cpu, uint64_t linear, unsigned bytes, bool is_write);

/* Clears, then sets bits of a byte of a table; in memory by one locked access each, and what lies on a device by a read and a
 * write. */
MUST_CHECK enum status linear_change(struct event_cpu *cpu, uint64_t linear, uint8_t clear, uint8_t set);
