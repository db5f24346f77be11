# The guest's ACPI tables: a VMM adds $(GUEST_ACPI_SOURCES) to its sources. dsdt.asl becomes a C array in a header.
GUEST_ACPI_SOURCES := vmm/acpi/tables.c vmm/acpi/builder.c vmm/acpi/loader.c lib/acpi/table.c
IASL ?= iasl
DSDT_GENERATED := $(BUILD)/generated/vmm/acpi/dsdt_aml.h

$(DSDT_GENERATED): vmm/acpi/dsdt.asl
	@mkdir -p $(@D)
	$(IASL) -we -p $(@:.h=) $< >$(@:.h=.log) || { cat $(@:.h=.log); exit 1; }
	{ echo '#pragma once'; echo '#include <stdint.h>'; echo 'static const uint8_t dsdt_aml[] = {'; \
	  od -An -v -tx1 $(@:.h=.aml) | sed 's/ \([0-9a-f][0-9a-f]\)/ 0x\1,/g'; echo '};'; } >$@.new
	mv $@.new $@

$(BUILD)/user/vmm/acpi/tables.o $(BUILD)/host/vmm/acpi/tables.o: $(DSDT_GENERATED)

HOST_TOOLS += guest_acpi_dump
tool_guest_acpi_dump_SOURCES := tests/acpi/guest_acpi_dump.c $(GUEST_ACPI_SOURCES)

UNIT_TESTS += guest_acpi
test_guest_acpi_SOURCES := $(GUEST_ACPI_SOURCES) lib/acpi/root.c lib/acpi/fadt.c lib/acpi/madt.c \
	lib/acpi/mcfg.c lib/acpi/s5.c

UNIT_TESTS += acpi_loader
test_acpi_loader_SOURCES := $(GUEST_ACPI_SOURCES)
