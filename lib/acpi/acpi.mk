# Parsers of firmware tables: in the ring 0 image, in host tests, and (FADT offsets, parsers) in tests of the guest's tables.
ACPI_SOURCES := lib/acpi/table.c lib/acpi/root.c lib/acpi/madt.c lib/acpi/fadt.c lib/acpi/mcfg.c lib/acpi/hpet.c \
	lib/acpi/dmar.c lib/acpi/s5.c lib/acpi/serial.c
KERNEL_SOURCES += $(ACPI_SOURCES)
