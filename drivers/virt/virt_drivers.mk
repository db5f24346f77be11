# Device models of virtual machines: linked into vmm, and tested on the host.
VIRT_DRIVER_SOURCES := $(sort $(wildcard drivers/virt/*.c))
# Those of a PC, without what has a back end.
PC_DRIVER_SOURCES := $(filter-out drivers/virt/virtio% drivers/virt/virtqueue%,$(VIRT_DRIVER_SOURCES))

UNIT_TESTS += bus
test_bus_SOURCES := drivers/virt/bus.c drivers/virt/clock.c

UNIT_TESTS += uart16550
test_uart16550_SOURCES := drivers/virt/uart16550.c

UNIT_TESTS += pic8259
test_pic8259_SOURCES := drivers/virt/pic8259.c

UNIT_TESTS += ioapic
test_ioapic_SOURCES := drivers/virt/ioapic.c

UNIT_TESTS += pit8254
test_pit8254_SOURCES := drivers/virt/pit8254.c drivers/virt/pit_counter.c drivers/virt/clock.c

UNIT_TESTS += debug_ports
test_debug_ports_SOURCES := drivers/virt/debug_ports.c drivers/virt/bus.c

UNIT_TESTS += testdev
test_testdev_SOURCES := drivers/virt/testdev.c drivers/virt/bus.c

UNIT_TESTS += i8042
test_i8042_SOURCES := drivers/virt/i8042.c

UNIT_TESTS += pci_host
test_pci_host_SOURCES := drivers/virt/pci_host.c drivers/virt/bus.c

PCI_FUNCTION_SOURCES := drivers/virt/pci_function.c drivers/virt/pci_msi.c drivers/virt/pci_msix.c
UNIT_TESTS += pci_decode pci_function pci_msi pci_msix pci_bridges
test_pci_decode_SOURCES := drivers/virt/pci_decode.c
test_pci_function_SOURCES := $(PCI_FUNCTION_SOURCES)
test_pci_msi_SOURCES := $(PCI_FUNCTION_SOURCES)
test_pci_msix_SOURCES := $(PCI_FUNCTION_SOURCES)
test_pci_bridges_SOURCES := drivers/virt/pci_host_bridge.c drivers/virt/pci_lpc.c $(PCI_FUNCTION_SOURCES)

VIRTQUEUE_SOURCES := drivers/virt/virtqueue.c drivers/virt/virtqueue_split.c drivers/virt/virtqueue_packed.c
VIRTIO_SOURCES := drivers/virt/virtio.c drivers/virt/virtio_registers.c drivers/virt/virtio_capabilities.c $(VIRTQUEUE_SOURCES) \
	$(PCI_FUNCTION_SOURCES)
RING_MEMORY_SOURCES := tests/fake/ring_memory.c tests/fake/guest_ram.c
UNIT_TESTS += virtqueue virtqueue_hostile virtio virtio_capabilities
test_virtio_SOURCES := $(VIRTIO_SOURCES) $(RING_MEMORY_SOURCES)
test_virtio_capabilities_SOURCES := $(VIRTIO_SOURCES) $(RING_MEMORY_SOURCES)
FUZZ_TARGETS += virtqueue virtio
fuzz_virtqueue_SOURCES := $(VIRTQUEUE_SOURCES) tests/fake/guest_ram.c
# Whole devices, each under a hostile guest.
HOSTILE_SOURCES := $(VIRTIO_SOURCES) drivers/virt/pci_host.c tests/fake/hostile_guest.c tests/fake/hostile_queue.c \
	tests/fake/queue_judge.c tests/fake/queue_opinion.c tests/fake/guest_ram.c
HOSTILE_FLAGS := $(addprefix -Wl$(comma)--wrap=virtqueue_,take untake put publish return read write)
fuzz_virtio_SOURCES := $(HOSTILE_SOURCES)
fuzz_virtio_FLAGS := $(HOSTILE_FLAGS)
test_virtqueue_SOURCES := $(VIRTQUEUE_SOURCES) $(RING_MEMORY_SOURCES)
test_virtqueue_hostile_SOURCES := $(VIRTQUEUE_SOURCES) $(RING_MEMORY_SOURCES)

UNIT_TESTS += ivshmem
test_ivshmem_SOURCES := drivers/virt/ivshmem.c $(PCI_FUNCTION_SOURCES)

UNIT_TESTS += acpi_pm
test_acpi_pm_SOURCES := drivers/virt/acpi_pm.c drivers/virt/clock.c

UNIT_TESTS += hpet
test_hpet_SOURCES := drivers/virt/hpet.c

UNIT_TESTS += rtc_cmos
test_rtc_cmos_SOURCES := drivers/virt/rtc_cmos.c drivers/virt/rtc_calendar.c drivers/virt/clock.c

FUZZ_TARGETS += virt_devices
fuzz_virt_devices_SOURCES := $(PC_DRIVER_SOURCES) tests/fake/fuzz_pc.c tests/fake/fuzz_pc_pci.c

UNIT_TESTS += irq_relay
test_irq_relay_SOURCES := drivers/virt/irq_relay.c

UNIT_TESTS += fw_cfg
test_fw_cfg_SOURCES := drivers/virt/fw_cfg.c drivers/virt/bus.c
FUZZ_TARGETS += fw_cfg
fuzz_fw_cfg_SOURCES := drivers/virt/fw_cfg.c drivers/virt/bus.c

UNIT_TESTS += flash
test_flash_SOURCES := drivers/virt/flash.c
