/* Registers and bits of the HPET, in the specification's order (section "Register Definitions"). */
#pragma once

enum hpet_register {
	HPET_REG_CAPABILITIES = 0x000,
	HPET_REG_CONFIG = 0x010,
	HPET_REG_STATUS = 0x020,
	HPET_REG_COUNTER = 0x0f0,
};

#define HPET_REG_TIMERS 0x100U
#define HPET_TIMER_STEP 0x20U
enum hpet_timer_register { HPET_TIMER_CONFIG = 0x00, HPET_TIMER_COMPARATOR = 0x08 };

#define CAPABILITY_PERIOD_SHIFT 32 /* of the main counter, in femtoseconds */
#define CONFIG_ENABLE           0x1U
#define CONFIG_LEGACY           0x2U
#define CONFIG_WRITABLE         (CONFIG_ENABLE | CONFIG_LEGACY)
/* Timer configuration and capabilities */
#define TIMER_LEVEL        0x0002U
#define TIMER_ENABLE       0x0004U
#define TIMER_PERIODIC     0x0008U
#define TIMER_CAN_REPEAT   0x0010U
#define TIMER_CAN_64_BITS  0x0020U
#define TIMER_VALUE_SET    0x0040U
#define TIMER_32_BITS      0x0100U
#define TIMER_ROUTE_SHIFT  9
#define TIMER_ROUTE        0x3e00U
#define TIMER_WRITABLE     (TIMER_LEVEL | TIMER_ENABLE | TIMER_PERIODIC | TIMER_VALUE_SET | TIMER_32_BITS)
#define TIMER_ROUTES_SHIFT 32
