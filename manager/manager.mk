KERNEL_FILE_SOURCES := manager/kernel_file.c lib/bzimage/parse.c lib/elf/elf.c lib/elf/guest.c lib/multiboot/multiboot.c
PROGRAMS += manager
manager_SOURCES = manager/main.c manager/boot.c manager/host.c manager/program.c manager/console_link.c manager/console_start.c \
	manager/manifest_source.c manager/schedule.c manager/top.c manager/vm.c manager/switches.c manager/regions.c manager/vm_command.c manager/vm_disks.c \
	manager/vm_flash.c manager/vm_ports.c manager/vm_start.c manager/vm_report.c manager/restart.c manager/ports.c \
	manager/pci_quiesce.c manager/firmware_tables.c manager/power.c manager/serial_port.c manager/shutdown.c $(KERNEL_FILE_SOURCES) lib/elf/relocate.c \
	 lib/channel/channel.c lib/firmware/volume.c $(ACPI_SOURCES) $(filter-out lib/base/format.c,$(MANIFEST_SOURCES)) $(SCHEDULE_SOURCES)

UNIT_TESTS += restart vm_report pci_quiesce power serial_port
test_restart_SOURCES := manager/restart.c
test_vm_report_SOURCES := manager/vm_report.c lib/base/format.c
test_pci_quiesce_SOURCES := manager/pci_quiesce.c lib/base/format.c
test_power_SOURCES := manager/power.c
test_serial_port_SOURCES := manager/serial_port.c
UNIT_TESTS += manager_schedule
test_manager_schedule_SOURCES = manager/schedule.c tests/fake/program.c $(MANIFEST_SOURCES) $(SCHEDULE_SOURCES)
UNIT_TESTS += manager_top
test_manager_top_SOURCES := manager/top.c tests/fake/program.c lib/base/format.c
UNIT_TESTS += kernel_file
test_kernel_file_SOURCES := $(KERNEL_FILE_SOURCES)
UNIT_TESTS += vm_command
test_vm_command_SOURCES := manager/vm_command.c lib/base/format.c
UNIT_TESTS += vm_flash
test_vm_flash_SOURCES := manager/vm_flash.c lib/firmware/volume.c
UNIT_TESTS += vm_ports vm_disks
test_vm_disks_SOURCES = manager/vm_disks.c lib/base/format.c $(DISK_SOURCES)
test_vm_ports_SOURCES := manager/vm_ports.c lib/base/format.c
UNIT_TESTS += manager_regions
test_manager_regions_SOURCES := manager/regions.c
UNIT_TESTS += manager_switches
test_manager_switches_SOURCES := manager/switches.c tests/fake/program.c lib/base/format.c
UNIT_TESTS += manager_shutdown manager_main vm_start host
test_host_SOURCES := manager/host.c
test_vm_start_SOURCES = manager/vm_start.c manager/vm_disks.c manager/vm_flash.c lib/firmware/volume.c manager/vm_ports.c \
	manager/vm_report.c $(MANIFEST_SOURCES)
test_manager_shutdown_SOURCES := manager/shutdown.c manager/vm_report.c tests/fake/console_link.c tests/fake/program.c lib/base/format.c
test_manager_main_SOURCES := manager/main.c manager/top.c manager/vm_report.c tests/fake/console_link.c tests/fake/program.c lib/base/format.c
