/* Byte offsets and bits of the FADT, for the parser and for the builder of a guest's table.
 * Source: ACPI Specification 6.4, "Fixed ACPI Description Table (FADT)". */
#pragma once

#define FADT_FIRMWARE_CTRL     36 /* physical address of the FACS */
#define FADT_DSDT              40
#define FADT_PM_PROFILE        45
#define FADT_SCI_INT           46
#define FADT_SMI_CMD           48
#define FADT_ACPI_ENABLE       52
#define FADT_ACPI_DISABLE      53
#define FADT_PM1A_EVT_BLK      56
#define FADT_PM1B_EVT_BLK      60
#define FADT_PM1A_CNT_BLK      64
#define FADT_PM1B_CNT_BLK      68
#define FADT_PM_TMR_BLK        76
#define FADT_GPE0_BLK          80
#define FADT_GPE1_BLK          84
#define FADT_PM1_EVT_LEN       88
#define FADT_PM1_CNT_LEN       89
#define FADT_PM_TMR_LEN        91
#define FADT_GPE0_BLK_LEN      92
#define FADT_GPE1_BLK_LEN      93
#define FADT_P_LVL2_LAT        96
#define FADT_P_LVL3_LAT        98
#define FADT_CENTURY           108
#define FADT_IAPC_BOOT_ARCH    109
#define FADT_FLAGS             112
#define FADT_RESET_REG         116
#define FADT_RESET_VALUE       128
#define FADT_X_FIRMWARE_CTRL   132
#define FADT_X_DSDT            140
#define FADT_X_PM1A_EVT_BLK    148
#define FADT_X_PM1B_EVT_BLK    160
#define FADT_X_PM1A_CNT_BLK    172
#define FADT_X_PM1B_CNT_BLK    184
#define FADT_X_PM_TMR_BLK      208
#define FADT_X_GPE0_BLK        220
#define FADT_X_GPE1_BLK        232
#define FADT_SLEEP_CONTROL_REG 244
#define FADT_SLEEP_STATUS_REG  256
#define FADT_REV1_BYTES        116
#define FADT_REV6_BYTES        276

#define FADT_FLAG_PROC_C1              (1U << 2)
#define FADT_FLAG_PWR_BUTTON           (1U << 4) /* the power button is a control method device, or there is none */
#define FADT_FLAG_SLP_BUTTON           (1U << 5)
#define FADT_FLAG_FIX_RTC              (1U << 6) /* RTC wake status is not in fixed registers */
#define FADT_FLAG_TMR_VAL_EXT          (1U << 8) /* the PM timer has 32 bits, else 24 */
#define FADT_FLAG_RESET_REG_SUP        (1U << 10)
#define FADT_FLAG_APIC_PHYSICAL        (1U << 19)
#define FADT_FLAG_HW_REDUCED           (1U << 20)
#define FADT_FLAG_WBINVD               (1U << 0)

#define FADT_BOOT_LEGACY_DEVICES       (1U << 0)
#define FADT_BOOT_8042                 (1U << 1)
#define FADT_BOOT_NO_VGA               (1U << 2)
#define FADT_BOOT_NO_ASPM              (1U << 4)
#define FADT_BOOT_NO_CMOS_RTC          (1U << 5)

#define ACPI_GAS_MEMORY     0U
#define ACPI_GAS_PORT       1U
#define ACPI_GAS_PCI_CONFIG 2U
#define ACPI_GAS_BYTES      12U
