# The host program that prints what lib/acpi makes of raw tables; tests/acpi/test_real_tables.py compares it with iasl.
HOST_TOOLS += acpi_dump
tool_acpi_dump_SOURCES := tests/acpi/acpi_dump.c $(ACPI_SOURCES)
