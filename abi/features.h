/* Features of the PC, and parts of the paravirtual interface, that the manifest's `disable` can switch off one by one: for tests,
 * and for PCs whose feature is broken. One list makes the enum, the bit mask that goes to ring 0, the names in the manifest and the
 * check that docs/manifest.md explains each. Numbers are part of the interface: append only. */
#pragma once
#include <stdint.h>

#define FEATURES(X) \
	X(VMX, "vmx") \
	X(EPT, "ept") \
	X(EPT_1G, "ept-1g") \
	X(EPT_2M, "ept-2m") \
	X(EPT_AD, "ept-ad") \
	X(VPID, "vpid") \
	X(UNRESTRICTED_GUEST, "unrestricted-guest") \
	X(MSR_BITMAPS, "msr-bitmaps") \
	X(IO_BITMAPS, "io-bitmaps") \
	X(TPR_SHADOW, "tpr-shadow") \
	X(APICV, "apicv") \
	X(POSTED_INTERRUPTS, "posted-interrupts") \
	X(X2APIC, "x2apic") \
	X(XSAVE, "xsave") \
	X(TSC_DEADLINE, "tsc-deadline") \
	X(INVARIANT_TSC, "invariant-tsc") \
	X(PREEMPTION_TIMER, "preemption-timer") \
	X(PLE, "ple") \
	X(STEAL_TIME, "steal-time") \
	X(PV_UNHALT, "pv-unhalt") \
	X(PV_IPI, "pv-ipi") \
	X(PV_TLB_FLUSH, "pv-tlb-flush") \
	X(APIC_ACCESS, "apic-access")

enum feature {
#define FEATURE_ENUM(symbol, name) FEATURE_##symbol,
	FEATURES(FEATURE_ENUM)
#undef FEATURE_ENUM
	FEATURE_COUNT
};

/* A set of features: bit n stands for enum feature n. */
#define FEATURE_BIT(feature) (UINT64_C(1) << (feature))

/* Without these no VM runs: where the manifest switches one off, every VM is refused. */
#define FEATURES_NEEDED (FEATURE_BIT(FEATURE_VMX) | FEATURE_BIT(FEATURE_EPT) | FEATURE_BIT(FEATURE_UNRESTRICTED_GUEST) | \
			 FEATURE_BIT(FEATURE_MSR_BITMAPS))

/* This version never uses these: switching one off changes nothing, and the user is told so. */
#define FEATURES_UNUSED (FEATURE_BIT(FEATURE_IO_BITMAPS) | FEATURE_BIT(FEATURE_PREEMPTION_TIMER))

_Static_assert(FEATURE_COUNT <= 64, "a set of features is one uint64_t");
