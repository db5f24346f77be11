/* Flat guest programs: 64-bit code without any boot format, for small guests and tests. docs/guest-flat.md explains.
 * The file begins with struct guest_flat_header, is loaded whole at GUEST_FLAT_BASE and entered right behind the header. */
#pragma once
#include <stdint.h>

#define GUEST_FLAT_MAGIC   0x54414c464b4c5542ULL /* "BULKFLAT" */
#define GUEST_FLAT_VERSION 1U
#define GUEST_FLAT_BASE    0x100000ULL
#define GUEST_FLAT_ENTRY   0x100010ULL

struct guest_flat_header {
	uint64_t magic;
	uint32_t version;
	uint32_t memory_bytes; /* from GUEST_FLAT_BASE: the file and zeroes behind it; not less than the file */
};

/* RDI at entry. */
struct guest_flat_info {
	uint64_t magic;   /* GUEST_FLAT_MAGIC */
	uint32_t version;
	uint32_t size_bytes;
	uint64_t memory_bytes;         /* of the VM */
	uint64_t command_line_address; /* NUL-terminated, never 0 */
	uint64_t rsdp_address;         /* 0: no ACPI tables */
};

_Static_assert(sizeof(struct guest_flat_header) == 16, "flat header layout");
_Static_assert(sizeof(struct guest_flat_info) == 40, "flat info layout");
