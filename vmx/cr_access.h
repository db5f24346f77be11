/* The exit qualification of control-register accesses, decoded. SDM Vol. 3C, "Exit Qualification for Control-Register Accesses". */
#pragma once
#include <stdint.h>

enum cr_access_kind { CR_ACCESS_TO, CR_ACCESS_FROM, CR_ACCESS_CLTS, CR_ACCESS_LMSW };

struct cr_access {
	unsigned cr;
	enum cr_access_kind kind;
	unsigned gpr;
	uint16_t lmsw_source;
};

static inline struct cr_access cr_access_decode(uint64_t qualification)
{
	return (struct cr_access){.cr = qualification & 0xf, .kind = (enum cr_access_kind)(qualification >> 4 & 3),
				  .gpr = qualification >> 8 & 0xf, .lmsw_source = (uint16_t)(qualification >> 16)};
}
