/* Exit qualifications of port and memory accesses, decoded. SDM Vol. 3C, "Exit Qualification for I/O Instructions" and "Exit
 * Qualification for EPT Violations". */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct port_access {
	uint16_t port;
	uint8_t width_bytes;
	bool is_in, is_string, has_rep;
};

static inline struct port_access port_access_decode(uint64_t qualification)
{
	return (struct port_access){.port = (uint16_t)(qualification >> 16), .width_bytes = (uint8_t)((qualification & 7) + 1),
				    .is_in = (qualification & 0x8) != 0, .is_string = (qualification & 0x10) != 0,
				    .has_rep = (qualification & 0x20) != 0};
}

#define EPT_VIOLATION_READ          0x1ULL
#define EPT_VIOLATION_WRITE         0x2ULL
#define EPT_VIOLATION_FETCH         0x4ULL
#define EPT_VIOLATION_RIGHTS        0x38ULL /* what the translation allowed: nothing, where there is none */
#define EPT_VIOLATION_GLA_VALID     0x80ULL
#define EPT_VIOLATION_FINAL_ADDRESS 0x100ULL /* else an access to a guest's page table */
#define EPT_VIOLATION_NMI_UNBLOCKING 0x1000ULL
