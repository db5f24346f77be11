/* Walks from the RSDP to every field that holds an address: each gets a command, and each table that has such a field another one
 * for its checksum. */
#include "vmm/acpi/loader.h"

#include "lib/acpi/fadt_layout.h"
#include "lib/acpi/table.h"
#include "lib/base/string.h"
#include "vmm/acpi/builder.h"

#define COMMAND_ALLOCATE     1U
#define COMMAND_ADD_POINTER  2U
#define COMMAND_ADD_CHECKSUM 3U
#define ZONE_HIGH            1U
#define ZONE_F_SEGMENT       2U /* where operating systems look for a RSDP */
#define TABLES_ALIGNMENT     64U
#define RSDP_ALIGNMENT       16U

#define HEADER_LENGTH        4U
#define HEADER_CHECKSUM      9U
#define RSDP_CHECKSUM        8U
#define RSDP_RSDT            16U
#define RSDP_FIRST_BYTES     20U
#define RSDP_XSDT            24U
#define RSDP_EXTENDED_SUM    32U

struct walk {
	uint8_t *tables;
	size_t len_bytes;
	struct acpi_loader *out;
	enum status status;
};

/* What follows the command's number. */
static uint8_t *add_command(struct walk *walk, uint32_t number, const char *file)
{
	uint8_t *command;

	if (walk->out->command_count == ACPI_LOADER_COMMANDS_MAX) {
		walk->status = ERR_NO_SPACE;
		command = walk->out->commands[0];
	} else {
		command = walk->out->commands[walk->out->command_count++];
	}
	memset(command, 0, ACPI_LOADER_COMMAND_BYTES);
	acpi_store32(command, number);
	memcpy(command + 4, file, strlen(file));
	return command + 4 + ACPI_LOADER_NAME_BYTES;
}

static void allocate(struct walk *walk, const char *file, uint32_t alignment, uint8_t zone)
{
	uint8_t *at = add_command(walk, COMMAND_ALLOCATE, file);

	acpi_store32(at, alignment);
	at[4] = zone;
}

/* The field, offset bytes into that file, holds an offset into the tables: their address is to be added. */
static void add_pointer(struct walk *walk, const char *file, size_t offset, uint8_t field_bytes)
{
	uint8_t *at = add_command(walk, COMMAND_ADD_POINTER, file);

	memcpy(at, ACPI_LOADER_TABLES_NAME, sizeof(ACPI_LOADER_TABLES_NAME));
	at += ACPI_LOADER_NAME_BYTES;
	acpi_store32(at, (uint32_t)offset);
	at[4] = field_bytes;
}

/* The checksum is 0 until then: firmware differs in whether it takes the old one into account. */
static void add_checksum(struct walk *walk, const char *file, size_t checksum, size_t start, size_t len_bytes)
{
	uint8_t *at = add_command(walk, COMMAND_ADD_CHECKSUM, file);

	acpi_store32(at, (uint32_t)checksum);
	acpi_store32(at + 4, (uint32_t)start);
	acpi_store32(at + 8, (uint32_t)len_bytes);
}

/* The table's length, 0 with a status where it is not inside. */
static uint32_t table_length(struct walk *walk, uint64_t offset)
{
	uint32_t length;

	if (offset > walk->len_bytes || ACPI_HEADER_BYTES > walk->len_bytes - offset) {
		walk->status = ERR_BAD_FORMAT;
		return 0;
	}
	length = acpi_load32(walk->tables + offset + HEADER_LENGTH);
	if (length < ACPI_HEADER_BYTES || length > walk->len_bytes - offset) {
		walk->status = ERR_BAD_FORMAT;
		return 0;
	}
	return length;
}

static void renew_checksum(struct walk *walk, size_t offset, uint32_t length)
{
	walk->tables[offset + HEADER_CHECKSUM] = 0;
	add_checksum(walk, ACPI_LOADER_TABLES_NAME, offset + HEADER_CHECKSUM, offset, length);
}

static void walk_fadt(struct walk *walk, size_t offset, uint32_t length)
{
	static const struct { uint32_t at; uint8_t bytes; } fields[] = {
		{FADT_FIRMWARE_CTRL, 4}, {FADT_DSDT, 4}, {FADT_X_FIRMWARE_CTRL, 8}, {FADT_X_DSDT, 8}};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		/* The builder puts nothing that has an address at offset 0. */
		if (fields[i].at + fields[i].bytes <= length && acpi_load32(walk->tables + offset + fields[i].at) != 0)
			add_pointer(walk, ACPI_LOADER_TABLES_NAME, offset + fields[i].at, fields[i].bytes);
	}
	renew_checksum(walk, offset, length);
}

/* RSDT (entry_bytes 4) or XSDT (8). */
static void walk_root(struct walk *walk, uint64_t offset, uint8_t entry_bytes)
{
	uint32_t length = table_length(walk, offset);

	for (uint32_t at = ACPI_HEADER_BYTES; at + entry_bytes <= length; at += entry_bytes) {
		uint32_t table = acpi_load32(walk->tables + offset + at);
		uint32_t table_bytes = table_length(walk, table);

		add_pointer(walk, ACPI_LOADER_TABLES_NAME, offset + at, entry_bytes);
		/* Once: both roots list it. */
		if (table_bytes != 0 && entry_bytes == 4 && memcmp(walk->tables + table, "FACP", 4) == 0)
			walk_fadt(walk, table, table_bytes);
	}
	if (length != 0)
		renew_checksum(walk, offset, length);
}

static void walk_rsdp(struct walk *walk)
{
	uint8_t *rsdp = walk->out->rsdp;

	add_pointer(walk, ACPI_LOADER_RSDP_NAME, RSDP_RSDT, 4);
	add_pointer(walk, ACPI_LOADER_RSDP_NAME, RSDP_XSDT, 8);
	rsdp[RSDP_CHECKSUM] = 0;
	rsdp[RSDP_EXTENDED_SUM] = 0;
	add_checksum(walk, ACPI_LOADER_RSDP_NAME, RSDP_CHECKSUM, 0, RSDP_FIRST_BYTES);
	add_checksum(walk, ACPI_LOADER_RSDP_NAME, RSDP_EXTENDED_SUM, 0, ACPI_LOADER_RSDP_BYTES);
}

enum status acpi_loader_make(uint8_t *tables, size_t len_bytes, size_t rsdp_offset, struct acpi_loader *out)
{
	struct walk walk = {.tables = tables, .len_bytes = len_bytes, .out = out, .status = OK};

	if (rsdp_offset > len_bytes || ACPI_LOADER_RSDP_BYTES > len_bytes - rsdp_offset ||
	    memcmp(tables + rsdp_offset, "RSD PTR ", 8) != 0)
		return ERR_BAD_FORMAT;
	out->command_count = 0;
	memcpy(out->rsdp, tables + rsdp_offset, sizeof(out->rsdp));
	memset(tables + rsdp_offset, 0, sizeof(out->rsdp));
	allocate(&walk, ACPI_LOADER_RSDP_NAME, RSDP_ALIGNMENT, ZONE_F_SEGMENT);
	allocate(&walk, ACPI_LOADER_TABLES_NAME, TABLES_ALIGNMENT, ZONE_HIGH);
	walk_root(&walk, acpi_load32(out->rsdp + RSDP_RSDT), 4);
	walk_root(&walk, acpi_load32(out->rsdp + RSDP_XSDT), 8);
	walk_rsdp(&walk);
	return walk.status;
}
