/* Prints what lib/acpi makes of raw tables, one fact a line, for comparison with iasl's disassembly of the same bytes.
 *   acpi_dump FILE...             the facts
 *   acpi_dump --torture FILE...   nothing is printed: each table is parsed in every shortened form and with every byte
 *                                 inverted, from heap copies of exactly that length, for the sanitizers to watch
 * Owns no parsing. Not for use outside tests. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/acpi/dmar.h"
#include "lib/acpi/fadt.h"
#include "lib/acpi/hpet.h"
#include "lib/acpi/madt.h"
#include "lib/acpi/mcfg.h"
#include "lib/acpi/s5.h"
#include "lib/acpi/serial.h"

#define CPU_CAPACITY    1024
#define FILE_MAX_BYTES  ACPI_TABLE_MAX_BYTES
#define INVERSIONS_MAX  4096U

struct span {
	const uint8_t *bytes;
	size_t length_bytes;
};

static FILE *output; /* NULL: torture */

static void __attribute__((format(printf, 1, 2))) say(const char *format, ...)
{
	va_list args;

	if (output == NULL)
		return;
	va_start(args, format);
	vfprintf(output, format, args);
	va_end(args);
}

static void say_end(enum status status, uint32_t warnings)
{
	say("status %d\n", (int)status);
	for (unsigned i = 0; i < ACPI_WARNING_COUNT; i++) {
		if ((warnings >> i & 1) != 0)
			say("warning %s\n", acpi_warning_text(i));
	}
}

static void say_gas(const char *name, const struct acpi_gas *gas)
{
	if (gas->address != 0)
		say("%s space=%u width=%u offset=%u access=%u address=%llx\n", name, gas->space, gas->bit_width,
		    gas->bit_offset, gas->access_size, (unsigned long long)gas->address);
}

static void say_route(const char *name, unsigned index, const struct acpi_irq_route *route)
{
	say("%s %u gsi=%u polarity=%s trigger=%s\n", name, index, route->gsi,
	    !route->polarity_stated ? "bus" : route->active_low ? "low" : "high",
	    !route->trigger_stated ? "bus" : route->level_triggered ? "level" : "edge");
}

static void dump_madt(const struct span *table)
{
	static struct acpi_madt madt;
	static struct acpi_cpu cpus[CPU_CAPACITY];
	enum status status = acpi_madt_parse(table->bytes, table->length_bytes, cpus, CPU_CAPACITY, &madt);

	if (status != OK) {
		say_end(status, 0);
		return;
	}
	say("local_apic %llx\nhas_8259 %d\ndisabled %u\n", (unsigned long long)madt.local_apic_physical, madt.has_8259,
	    madt.disabled_cpu_count);
	for (unsigned i = 0; i < madt.cpu_count; i++)
		say("cpu apic=%u uid=%u state=%u nmi=%u\n", cpus[i].apic_id, cpus[i].uid, cpus[i].state,
		    cpus[i].nmi_lint_mask);
	for (unsigned i = 0; i < madt.ioapic_count; i++)
		say("ioapic id=%u address=%x gsi=%u\n", madt.ioapics[i].id, madt.ioapics[i].physical,
		    madt.ioapics[i].gsi_base);
	for (unsigned i = 0; i < ACPI_ISA_IRQ_COUNT; i++) {
		if (madt.isa[i].overridden)
			say_route("isa", i, &madt.isa[i]);
	}
	for (unsigned i = 0; i < madt.global_nmi_count; i++)
		say_route("nmi", i, &madt.global_nmis[i]);
	say_end(status, madt.warnings);
}

static void say_block(const char *name, const struct acpi_block *block)
{
	if (block->length_bytes != 0)
		say("%s space=%u address=%llx length=%u\n", name, block->at.space,
		    (unsigned long long)block->at.address, block->length_bytes);
}

static void dump_fadt(const struct span *table)
{
	struct acpi_fadt fadt;
	enum status status = acpi_fadt_parse(table->bytes, table->length_bytes, &fadt);

	if (status != OK) {
		say_end(status, 0);
		return;
	}
	say("revision %u\nprofile %u\nsci %u\nsmi_command %x\nenable %x\ndisable %x\n"
	    "century %x\nboot_arch %x\nflags %x\ndsdt %llx\n",
	    fadt.revision, fadt.pm_profile, fadt.sci_irq, fadt.smi_command_port, fadt.acpi_enable, fadt.acpi_disable,
	    fadt.century_index, fadt.boot_arch, fadt.flags, (unsigned long long)fadt.dsdt_physical);
	say_block("pm1a_event", &fadt.pm1a_event);
	say_block("pm1b_event", &fadt.pm1b_event);
	say_block("pm1a_control", &fadt.pm1a_control);
	say_block("pm1b_control", &fadt.pm1b_control);
	say_block("pm_timer", &fadt.pm_timer);
	say_block("gpe0", &fadt.gpe0);
	say_block("gpe1", &fadt.gpe1);
	say_gas("reset", &fadt.reset_register);
	if (fadt.reset_register.address != 0)
		say("reset_value %x\n", fadt.reset_value);
	say_gas("sleep_control", &fadt.sleep_control);
	say_gas("sleep_status", &fadt.sleep_status);
	say_end(status, fadt.warnings);
}

static void dump_mcfg(const struct span *table)
{
	struct acpi_mcfg_segment segment;
	uint32_t warnings = 0;
	enum status status;

	for (unsigned i = 0;; i++) {
		status = acpi_mcfg_segment(table->bytes, table->length_bytes, i, &segment, &warnings);
		if (status != OK)
			break;
		say("segment base=%llx number=%u first=%u last=%u\n", (unsigned long long)segment.base_physical,
		    segment.segment, segment.first_bus, segment.last_bus);
	}
	say_end(status == ERR_NOT_FOUND ? OK : status, warnings);
}

static void dump_hpet(const struct span *table)
{
	struct acpi_hpet hpet = {0};
	enum status status = acpi_hpet_parse(table->bytes, table->length_bytes, &hpet);

	if (status == OK)
		say("address %llx\nblock_id %x\nnumber %u\nmin_ticks %u\n", (unsigned long long)hpet.physical,
		    hpet.block_id, hpet.number, hpet.min_ticks);
	say_end(status, hpet.warnings);
}

static void dump_scopes(const struct acpi_dmar_unit *unit)
{
	struct acpi_dmar_scope scope;
	size_t offset = 0;

	while (acpi_dmar_next_scope(unit, &offset, &scope)) {
		say("scope type=%u id=%u bus=%u path=", scope.type, scope.id, scope.bus);
		for (unsigned i = 0; i < scope.path_count; i++)
			say("%02x.%02x ", scope.path[i].device, scope.path[i].function);
		say("\n");
	}
}

static void dump_dmar(const struct span *table)
{
	struct acpi_dmar dmar;
	struct acpi_dmar_unit unit;
	struct acpi_cursor cursor;
	enum status status = acpi_dmar_open(table->bytes, table->length_bytes, &dmar);

	if (status != OK) {
		say_end(status, 0);
		return;
	}
	say("width %u\ninterrupt_remapping %d\nx2apic_opt_out %d\n", dmar.address_width_bits, dmar.interrupt_remapping,
	    dmar.x2apic_opt_out);
	for (cursor = acpi_dmar_begin(&dmar); acpi_dmar_next(&cursor, &unit);) {
		say("unit kind=%d segment=%u base=%llx last=%llx everything=%d\n", (int)unit.kind, unit.segment,
		    (unsigned long long)unit.base_physical, (unsigned long long)unit.last_physical, unit.everything);
		dump_scopes(&unit);
	}
	say_end(status, dmar.table.warnings | cursor.warnings);
}

static void say_serial(const struct acpi_serial *serial)
{
	say("serial kind=%d baud=%u gsi=%u\n", (int)serial->kind, serial->baud, serial->gsi);
	say_gas("at", &serial->at);
}

static void dump_spcr(const struct span *table)
{
	struct acpi_serial serial = {0};
	enum status status = acpi_spcr_parse(table->bytes, table->length_bytes, &serial);

	if (status == OK)
		say_serial(&serial);
	say_end(status, serial.warnings);
}

static void dump_dbg2(const struct span *table)
{
	struct acpi_serial serial;
	uint32_t warnings = 0;
	enum status status;

	for (unsigned i = 0;; i++) {
		status = acpi_dbg2_device(table->bytes, table->length_bytes, i, &serial);
		if (status != OK)
			break;
		say_serial(&serial);
		warnings |= serial.warnings;
	}
	say_end(status == ERR_NOT_FOUND ? OK : status, warnings);
}

static void dump_s5(const struct span *table)
{
	struct acpi_s5 s5 = {0};
	enum status status = acpi_s5_search(table->bytes, table->length_bytes, &s5);

	if (status == OK)
		say("s5 %u %u\n", s5.sleep_type_a, s5.sleep_type_b);
	say_end(status, s5.warnings);
}

static void dump(const char *signature, const struct span *table)
{
	static const struct {
		const char *signature;
		void (*dump)(const struct span *table);
	} dumpers[] = {
		{"APIC", dump_madt}, {"FACP", dump_fadt}, {"MCFG", dump_mcfg}, {"HPET", dump_hpet}, {"DMAR", dump_dmar},
		{"SPCR", dump_spcr}, {"DBG2", dump_dbg2}, {"DSDT", dump_s5},   {"SSDT", dump_s5},
	};

	for (size_t i = 0; i < sizeof(dumpers) / sizeof(dumpers[0]); i++) {
		if (memcmp(signature, dumpers[i].signature, 4) == 0)
			dumpers[i].dump(table);
	}
}

/* Parses the first length_bytes, byte `inverted` inverted (SIZE_MAX: none), as the kind that the whole table is. */
static void torture_once(const struct span *table, size_t length_bytes, size_t inverted)
{
	uint8_t *copy = malloc(length_bytes + (length_bytes == 0));
	struct span span = {.bytes = copy, .length_bytes = length_bytes};

	memcpy(copy, table->bytes, length_bytes);
	if (inverted < length_bytes)
		copy[inverted] = (uint8_t)~copy[inverted];
	dump((const char *)table->bytes, &span);
	free(copy);
}

static void torture(const struct span *table)
{
	for (size_t at = 0; at < table->length_bytes && at < INVERSIONS_MAX; at++) {
		torture_once(table, at, SIZE_MAX);
		torture_once(table, table->length_bytes, at);
	}
}

static int do_file(const char *path)
{
	static uint8_t bytes[FILE_MAX_BYTES];
	struct span table = {.bytes = bytes};
	FILE *file = fopen(path, "rb");

	if (file == NULL) {
		perror(path);
		return 1;
	}
	table.length_bytes = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	if (table.length_bytes < 4) {
		fprintf(stderr, "%s: too short to be a table\n", path);
		return 1;
	}
	say("file %s\n", path);
	if (output != NULL)
		dump((const char *)bytes, &table);
	else
		torture(&table);
	return 0;
}

int main(int argc, char **argv)
{
	int first = argc > 1 && strcmp(argv[1], "--torture") == 0 ? 2 : 1;
	int failed = 0;

	output = first == 1 ? stdout : NULL;
	for (int i = first; i < argc; i++)
		failed |= do_file(argv[i]);
	return failed;
}
