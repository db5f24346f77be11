/* Registers that every PCI configuration space has, and their bits.
 * Source: "PCI Local Bus Specification" 3.0, "Configuration Space Organization". */
#pragma once

#define PCI_CONFIG_VENDOR          0x00U
#define PCI_CONFIG_DEVICE          0x02U
#define PCI_CONFIG_COMMAND         0x04U
#define PCI_CONFIG_STATUS          0x06U
#define PCI_CONFIG_REVISION        0x08U
#define PCI_CONFIG_CLASS           0x09U /* three bytes, lowest first */
#define PCI_CONFIG_HEADER_TYPE     0x0eU
#define PCI_CONFIG_BARS            0x10U
#define PCI_CONFIG_SUBSYSTEM_VENDOR 0x2cU
#define PCI_CONFIG_SUBSYSTEM       0x2eU
#define PCI_CONFIG_CAPABILITIES    0x34U
#define PCI_CONFIG_INTERRUPT_LINE  0x3cU
#define PCI_CONFIG_INTERRUPT_PIN   0x3dU
#define PCI_CONFIG_DEVICE_SPECIFIC 0x40U

#define PCI_COMMAND_IO             0x0001U
#define PCI_COMMAND_MEMORY         0x0002U
#define PCI_COMMAND_MASTER         0x0004U
#define PCI_COMMAND_PARITY         0x0040U
#define PCI_COMMAND_SERR           0x0100U
#define PCI_COMMAND_PIN_OFF        0x0400U /* "Interrupt Disable" */

#define PCI_STATUS_INTERRUPT       0x0008U
#define PCI_STATUS_CAPABILITIES    0x0010U

#define PCI_HEADER_MULTIFUNCTION   0x80U

#define PCI_BAR_IO                 0x1U
#define PCI_BAR_64BIT              0x4U
#define PCI_BAR_PREFETCHABLE       0x8U
#define PCI_BAR_FLAGS_IO           0x3U
#define PCI_BAR_FLAGS_MEMORY       0xfU

#define PCI_CAPABILITY_MSI         0x05U
#define PCI_CAPABILITY_VENDOR      0x09U
#define PCI_CAPABILITY_EXPRESS     0x10U
#define PCI_CAPABILITY_MSIX        0x11U
