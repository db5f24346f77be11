/* A virtual local APIC, by the letter of SDM Vol. 3A, chapter "Advanced Programmable Interrupt Controller (APIC)". Pure: it sees
 * registers, times and vectors; sending, posting and arming timers is left to the caller, as effects. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#include "abi/status.h"

/* Register offsets in xAPIC mode; in x2APIC mode the MSR is 800h + offset / 16. */
#define APIC_ID          0x020U
#define APIC_VERSION     0x030U
#define APIC_TPR         0x080U
#define APIC_APR         0x090U
#define APIC_PPR         0x0a0U
#define APIC_EOI         0x0b0U
#define APIC_RRD         0x0c0U
#define APIC_LDR         0x0d0U
#define APIC_DFR         0x0e0U
#define APIC_SVR         0x0f0U
#define APIC_ISR         0x100U
#define APIC_TMR         0x180U
#define APIC_IRR         0x200U
#define APIC_ESR         0x280U
#define APIC_ICR_LOW     0x300U
#define APIC_ICR_HIGH    0x310U
#define APIC_LVT_TIMER   0x320U
#define APIC_LVT_THERMAL 0x330U
#define APIC_LVT_PERF    0x340U
#define APIC_LVT_LINT0   0x350U
#define APIC_LVT_LINT1   0x360U
#define APIC_LVT_ERROR   0x370U
#define APIC_INITIAL     0x380U
#define APIC_CURRENT     0x390U
#define APIC_DIVIDE      0x3e0U
#define APIC_SELF_IPI    0x3f0U
#define APIC_LVT_COUNT   6U

#define APIC_VECTOR_FIRST    16U
#define APIC_ILLEGAL_VECTORS 0xffffU /* of the first 32, as bits */

#define APIC_SVR_ENABLED 0x100U
#define APIC_LVT_MASKED  0x10000U

#define APIC_BASE_BSP     0x100ULL
#define APIC_BASE_X2APIC  0x400ULL
#define APIC_BASE_ENABLED 0x800ULL
#define APIC_BASE_DEFAULT 0xfee00000ULL
#define APIC_BASE_PAGE    0x000ffffffffff000ULL

#define APIC_ESR_SEND_ILLEGAL    0x20U
#define APIC_ESR_RECEIVE_ILLEGAL 0x40U
#define APIC_ESR_REGISTER        0x80U

#define ICR_VECTOR(icr)        ((uint8_t)(icr))
#define ICR_DELIVERY(icr)      ((uint32_t)(icr) >> 8 & 7U)
#define ICR_LOGICAL            0x800U
#define ICR_ASSERT             0x4000U
#define ICR_LEVEL              0x8000U
#define ICR_SHORTHAND(icr)     ((uint32_t)(icr) >> 18 & 3U)
enum icr_delivery {
	DELIVERY_FIXED,
	DELIVERY_LOWEST,
	DELIVERY_SMI,
	DELIVERY_RESERVED,
	DELIVERY_NMI,
	DELIVERY_INIT,
	DELIVERY_STARTUP,
	DELIVERY_EXTINT
};
enum icr_shorthand { SHORTHAND_NONE, SHORTHAND_SELF, SHORTHAND_ALL, SHORTHAND_OTHERS };

/* The timer's clock is the TSC divided by a whole number: the crystal of CPUID leaf 15H. */
struct apic_clock {
	uint32_t tsc_per_tick; /* 1 or more */
};

struct local_apic {
	/* constant after local_apic_create() */
	uint32_t id;
	bool x2apic_offered;
	bool deadline_offered; /* TSC-deadline mode; as CPUID says */
	uint8_t physical_bits;
	struct apic_clock clock;
	/* registers */
	uint64_t base; /* IA32_APIC_BASE */
	uint32_t irr[8], isr[8], tmr[8];
	uint32_t xapic_id, tpr, ldr, dfr, svr, esr, esr_pending, icr_low, icr_high;
	uint32_t lvt[APIC_LVT_COUNT];
	/* timer */
	uint32_t initial_count, divide;
	uint64_t start_tsc;    /* host TSC when the count began; valid while counting */
	bool counting;
	uint64_t tsc_deadline; /* guest TSC; 0: not armed */
};

/* What the caller must do after a write. */
#define APIC_EFFECT_TIMER    0x1U /* ask for the deadline again */
#define APIC_EFFECT_SEND     0x2U /* send `icr` */
#define APIC_EFFECT_EOI      0x4U /* `eoi_vector` was retired */
#define APIC_EFFECT_EVALUATE 0x8U /* what can be delivered may have changed */
#define APIC_EFFECT_ROUTE    0x10U /* id, mode, logical destination or class of the TPR changed */
struct apic_effects {
	unsigned flags;
	uint8_t eoi_vector;
	uint64_t icr; /* as in x2APIC mode: destination in the upper half; an xAPIC destination in its 8 bits there */
};

/* The bits of LVT entry 0 .. APIC_LVT_COUNT - 1, from the timer on, that a guest can write. "Local Vector Table". */
uint32_t local_apic_lvt_writable(const struct local_apic *apic, unsigned entry);

/* At most 1 GHz, and never faster than the TSC: a guest may take a count for the least number of TSC ticks that it lasts. */
static inline struct apic_clock apic_clock_make(uint64_t of_tsc_hz)
{
	const uint64_t hz_max = 1000000000;

	return (struct apic_clock){.tsc_per_tick = of_tsc_hz <= hz_max ? 1 : (uint32_t)((of_tsc_hz + hz_max - 1) / hz_max)};
}

void local_apic_create(struct local_apic *apic, uint32_t id, bool is_bootstrap, bool x2apic_offered, uint8_t physical_bits,
		       struct apic_clock clock);
/* Virtual wire mode, as firmware leaves the bootstrap processor: enabled, the 8259's interrupts by LINT0, NMI by LINT1.
 * MultiProcessor Specification 1.4, "Virtual Wire Mode". */
void local_apic_set_virtual_wire(struct local_apic *apic);
/* INIT: all but the ID and IA32_APIC_BASE goes back. A processor whose BSP flag is set there starts, others wait for a SIPI. */
void local_apic_init(struct local_apic *apic);

static inline bool local_apic_in_x2apic(const struct local_apic *apic)
{
	return (apic->base & APIC_BASE_X2APIC) != 0;
}

static inline bool local_apic_in_xapic(const struct local_apic *apic)
{
	return (apic->base & (APIC_BASE_X2APIC | APIC_BASE_ENABLED)) == APIC_BASE_ENABLED;
}

/* xAPIC registers, 32 bits, offset a multiple of 16 below 400h. An offset without a register sets the ESR's bit. */
uint32_t local_apic_read(struct local_apic *apic, uint32_t offset, uint64_t now_tsc);
void local_apic_write(struct local_apic *apic, uint32_t offset, uint32_t value, uint64_t now_tsc, struct apic_effects *effects);

/* x2APIC registers, msr 800h .. 8FFh. False: #GP. */
MUST_CHECK bool local_apic_msr_read(struct local_apic *apic, uint32_t msr, uint64_t now_tsc, uint64_t *value);
MUST_CHECK bool local_apic_msr_write(struct local_apic *apic, uint32_t msr, uint64_t value, uint64_t now_tsc,
				     struct apic_effects *effects);

/* IA32_APIC_BASE. False: #GP. */
MUST_CHECK bool local_apic_base_write(struct local_apic *apic, uint64_t value, struct apic_effects *effects);

/* Delivery. pending: the vector that can be delivered now, or -1. accept: it was delivered. priority: PPR. post: below 16 it is an
 * error of the receiver. */
int local_apic_pending(const struct local_apic *apic);
/* The highest vector of IRR, of ISR, or -1. */
int local_apic_requested(const struct local_apic *apic);
int local_apic_in_service(const struct local_apic *apic);
void local_apic_accept(struct local_apic *apic, uint8_t vector);
uint8_t local_apic_priority(const struct local_apic *apic);
void local_apic_post(struct local_apic *apic, uint8_t vector);
/* True when an ExtINT from LINT0 reaches the processor: virtual wire mode, or the APIC is off. */
bool local_apic_takes_extint(const struct local_apic *apic);

#define APIC_TIMER_MODE         0x60000U /* of the timer's LVT entry */
#define APIC_TIMER_PERIODIC     0x20000U
#define APIC_TIMER_TSC_DEADLINE 0x40000U /* both: reserved; as one-shot */

static inline bool local_apic_in_deadline_mode(const struct local_apic *apic)
{
	return (apic->lvt[0] & APIC_TIMER_MODE) == APIC_TIMER_TSC_DEADLINE;
}

/* Host TSC at which the count of a timer that is in another mode ends. */
uint64_t local_apic_count_deadline(const struct local_apic *apic);

/* Timer. deadline: host TSC at which it expires next, UINT64_MAX when never; tsc_offset: guest TSC minus host TSC.
 * expire: posts what is due by now_tsc; true when something was. */
static inline uint64_t local_apic_timer_deadline(const struct local_apic *apic, uint64_t tsc_offset)
{
	uint64_t guest = apic->tsc_deadline, host = guest - tsc_offset;

	if (!local_apic_in_deadline_mode(apic))
		return local_apic_count_deadline(apic);
	if (guest == 0)
		return UINT64_MAX;
	/* The difference may leave 64 bits: before the host's zero is long ago, beyond its end is never. */
	if ((int64_t)tsc_offset > 0)
		return guest < tsc_offset ? 0 : host;
	return host < guest ? UINT64_MAX : host;
}
bool local_apic_timer_expire(struct local_apic *apic, uint64_t now_tsc, uint64_t tsc_offset);
uint32_t local_apic_timer_count(const struct local_apic *apic, uint64_t now_tsc);
void local_apic_timer_start(struct local_apic *apic, uint32_t count, uint64_t now_tsc);
/* What is left of the count goes on at the new rate. */
void local_apic_timer_set_divide(struct local_apic *apic, uint32_t divide, uint64_t now_tsc);
void local_apic_timer_lvt_changed(struct local_apic *apic, uint32_t old_lvt);
/* IA32_TSC_DEADLINE: reads 0 (as does the field) and ignores writes outside TSC-deadline mode. False: it did. */
static inline bool local_apic_set_tsc_deadline(struct local_apic *apic, uint64_t value)
{
	if (!local_apic_in_deadline_mode(apic))
		return false;
	apic->tsc_deadline = value;
	return true;
}
