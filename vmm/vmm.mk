# The program that runs one VM.
MACHINE_SOURCES = vmm/machine.c vmm/wires.c vmm/lines.c vmm/cmos.c vmm/terminal.c vmm/memory_map.c vmm/report.c vmm/vcpu_thread.c vmm/exit_port.c \
	vmm/exit_port_string.c vmm/exit_memory.c vmm/exit_retry.c vmm/exit_event.c vmm/exit_local_apic.c $(EVENT_SOURCES) lib/x86/fault_combine.c $(GMEM_SOURCES) $(DECODE_SOURCES) $(VIRT_DRIVER_SOURCES) \
	lib/channel/channel.c
MACHINE_SOURCES += vmm/exit_execute.c vmm/sleep.c vmm/pci.c vmm/virtio_devices.c vmm/virtio_memory.c vmm/virtio_thread.c vmm/virtio_disk.c vmm/virtio_link.c vmm/link.c $(DISK_SOURCES)
MACHINE_SOURCES += vmm/entropy_device.c vmm/console_device.c vmm/balloon_device.c vmm/vsock_device.c user/random_cpu.c $(RANDOM_SOURCES)

PROGRAMS += vmm
vmm_SOURCES = vmm/main.c vmm/start.c vmm/region.c vmm/firmware.c vmm/fw_cfg_items.c vmm/timers.c $(MACHINE_SOURCES) $(LOAD_SOURCES) \
	$(GUEST_ACPI_SOURCES) $(BZIMAGE_SOURCES) lib/elf/elf.c lib/elf/guest.c lib/multiboot/multiboot.c

UNIT_TESTS += memory_map vmm_terminal lines cmos
test_cmos_SOURCES := vmm/cmos.c vmm/memory_map.c drivers/virt/rtc_cmos.c drivers/virt/rtc_calendar.c drivers/virt/clock.c
test_lines_SOURCES := vmm/lines.c
test_memory_map_SOURCES := vmm/memory_map.c
test_vmm_terminal_SOURCES := vmm/terminal.c lib/channel/channel.c
UNIT_TESTS += region virtio_add
test_region_SOURCES = vmm/region.c drivers/virt/ivshmem.c $(PCI_FUNCTION_SOURCES)
test_virtio_add_SOURCES := vmm/virtio_devices.c drivers/virt/bus.c
UNIT_TESTS += virtio_memory virtio_thread
test_virtio_thread_SOURCES := vmm/virtio_thread.c
test_virtio_memory_SOURCES := vmm/virtio_memory.c vmm/gmem.c
UNIT_TESTS += vmm_start vmm_main
test_vmm_main_SOURCES := vmm/main.c tests/fake/program.c lib/base/format.c
test_vmm_start_SOURCES = vmm/start.c vmm/memory_map.c vmm/fw_cfg_items.c vmm/firmware.c \
	drivers/virt/flash.c drivers/virt/fw_cfg.c drivers/virt/pci_decode.c $(GMEM_SOURCES) $(LOAD_SOURCES) $(GUEST_ACPI_SOURCES) \
	$(BZIMAGE_SOURCES) lib/elf/elf.c lib/elf/guest.c lib/multiboot/multiboot.c lib/base/format.c tests/fake/program.c
UNIT_TESTS += fw_cfg_items
test_fw_cfg_items_SOURCES = vmm/fw_cfg_items.c $(GUEST_ACPI_SOURCES) $(BZIMAGE_SOURCES) lib/base/format.c
UNIT_TESTS += firmware
test_firmware_SOURCES = vmm/firmware.c drivers/virt/flash.c $(GMEM_SOURCES) $(LOAD_SOURCES) $(BZIMAGE_SOURCES) lib/elf/elf.c lib/elf/guest.c \
	lib/multiboot/multiboot.c lib/base/format.c

UNIT_TESTS += exit_memory
test_exit_memory_SOURCES = vmm/exit_memory.c vmm/exit_retry.c vmm/exit_execute.c vmm/exit_local_apic.c vmm/exit_port_string.c $(DECODE_SOURCES) \
	vmm/event/event_cpu.c vmm/event/linear.c vmm/event/segment.c vmm/gmem.c lib/base/format.c
UNIT_TESTS += machine_pci
test_machine_pci_SOURCES = vmm/machine.c vmm/pci.c vmm/wires.c vmm/lines.c vmm/cmos.c vmm/memory_map.c vmm/terminal.c $(GMEM_SOURCES) \
	$(PC_DRIVER_SOURCES) \
	lib/channel/channel.c lib/base/format.c tests/fake/program.c
UNIT_TESTS += virtio_disk
test_virtio_disk_SOURCES = vmm/virtio_disk.c drivers/virt/virtio_blk.c tests/fake/virtio_chains.c lib/base/format.c $(DISK_SOURCES)
