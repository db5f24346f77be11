# Parsers of firmware tables: in the loaders, the manager and host tests, those of the guest's tables too.
ACPI_SOURCES := lib/acpi/table.c lib/acpi/root.c lib/acpi/madt.c lib/acpi/fadt.c lib/acpi/mcfg.c lib/acpi/hpet.c \
	lib/acpi/dmar.c lib/acpi/s5.c lib/acpi/serial.c

# The tests build their tables with vmm/acpi/builder.c.
UNIT_TESTS += acpi_root acpi_madt acpi_s5 acpi_tables
test_acpi_root_SOURCES := lib/acpi/table.c lib/acpi/root.c vmm/acpi/builder.c
test_acpi_madt_SOURCES := lib/acpi/table.c lib/acpi/madt.c vmm/acpi/builder.c
test_acpi_s5_SOURCES := lib/acpi/table.c lib/acpi/root.c lib/acpi/s5.c vmm/acpi/builder.c
test_acpi_tables_SOURCES := lib/acpi/table.c lib/acpi/fadt.c lib/acpi/mcfg.c lib/acpi/hpet.c lib/acpi/dmar.c \
	lib/acpi/serial.c vmm/acpi/builder.c

FUZZ_TARGETS += acpi
fuzz_acpi_SOURCES := $(ACPI_SOURCES) boot/common/pc.c
