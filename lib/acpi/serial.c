/* SPCR and DBG2.
 * Source: Microsoft, "Serial Port Console Redirection Table (SPCR)", "Debug Port Table 2 (DBG2)". */
#include "lib/acpi/serial.h"

#include "lib/acpi/table.h"

#define SPCR_INTERFACE      36
#define SPCR_ADDRESS        40
#define SPCR_INTERRUPT_TYPE 52
#define SPCR_IRQ            53
#define SPCR_GSI            54
#define SPCR_BAUD_CODE      58
#define SPCR_BYTES          80U
#define SPCR_BAUD           76 /* revision 4: "Precise Baud Rate", else reserved */
#define SPCR_REVISION_BAUD  4
#define SPCR_INTERRUPT_8259 0x01U
#define SPCR_INTERRUPT_GSI  0x02U

#define DBG2_OFFSET         36
#define DBG2_COUNT          40
#define DBG2_BYTES          44U
#define DBG2_DEVICE_BYTES   22U
#define DBG2_DEVICE_LENGTH  1
#define DBG2_ADDRESS_COUNT  3
#define DBG2_PORT_TYPE      12
#define DBG2_PORT_SUBTYPE   14
#define DBG2_ADDRESS_OFFSET 18
#define DBG2_TYPE_SERIAL    0x8000U

/* Interface types of SPCR (revision 2 on) and serial subtypes of DBG2 are one list: 0 full 16550, 1 subset of it,
 * 12h 16550-compatible with parameters in the address structure. SPCR revision 1 knows 0 and 1 only. */
static enum acpi_serial_kind kind_of(unsigned subtype)
{
	return subtype <= 1 || subtype == 0x12 ? ACPI_SERIAL_16550 : ACPI_SERIAL_OTHER;
}

static uint32_t spcr_baud(const struct acpi_table *table)
{
	static const uint32_t by_code[] = {[3] = 9600, [4] = 19200, [6] = 57600, [7] = 115200};
	uint8_t code = table->bytes[SPCR_BAUD_CODE];
	uint32_t precise = table->bytes[8] >= SPCR_REVISION_BAUD ? acpi_load32(table->bytes + SPCR_BAUD) : 0;

	if (precise != 0)
		return precise;
	return code < sizeof(by_code) / sizeof(by_code[0]) ? by_code[code] : 0;
}

static uint32_t spcr_gsi(const struct acpi_table *table)
{
	uint8_t type = table->bytes[SPCR_INTERRUPT_TYPE];

	if ((type & SPCR_INTERRUPT_GSI) != 0)
		return acpi_load32(table->bytes + SPCR_GSI);
	return (type & SPCR_INTERRUPT_8259) != 0 ? table->bytes[SPCR_IRQ] : 0;
}

enum status acpi_spcr_parse(const void *table, size_t span_bytes, struct acpi_serial *out)
{
	struct acpi_table opened;
	struct acpi_gas at;
	enum status status = acpi_table_open(table, span_bytes, "SPCR", SPCR_BYTES, &opened);

	if (status != OK)
		return status;
	at = acpi_gas_load(opened.bytes + SPCR_ADDRESS);
	if (at.address == 0)
		return ERR_NOT_FOUND;
	*out = (struct acpi_serial){
		.kind = kind_of(opened.bytes[SPCR_INTERFACE]),
		.at = at,
		.baud = spcr_baud(&opened),
		.gsi = spcr_gsi(&opened),
		.warnings = opened.warnings,
	};
	return OK;
}

/* Device structures stand one after the other, each with its length. */
static enum status find_device(const struct acpi_table *table, unsigned index, struct acpi_table *device)
{
	uint64_t offset = acpi_load32(table->bytes + DBG2_OFFSET);

	if (index >= ACPI_DBG2_MAX || index >= acpi_load32(table->bytes + DBG2_COUNT))
		return ERR_NOT_FOUND;
	for (unsigned i = 0;; i++) {
		const uint8_t *at;
		size_t left, length;

		if (offset > table->length_bytes || table->length_bytes - offset < DBG2_DEVICE_BYTES)
			return ERR_NOT_FOUND;
		at = table->bytes + offset;
		left = table->length_bytes - (size_t)offset;
		length = acpi_load16(at + DBG2_DEVICE_LENGTH);
		if (length < DBG2_DEVICE_BYTES || length > left)
			return ERR_NOT_FOUND;
		if (i == index) {
			*device = (struct acpi_table){.bytes = at, .length_bytes = length, .warnings = table->warnings};
			return OK;
		}
		offset += length;
	}
}

enum status acpi_dbg2_device(const void *table, size_t span_bytes, unsigned index, struct acpi_serial *out)
{
	struct acpi_table opened, device;
	struct acpi_serial serial = {.kind = ACPI_SERIAL_OTHER};
	size_t offset;
	enum status status = acpi_table_open(table, span_bytes, "DBG2", DBG2_BYTES, &opened);

	if (status == OK)
		status = find_device(&opened, index, &device);
	if (status != OK)
		return status;
	serial.warnings = device.warnings;
	if (acpi_load16(device.bytes + DBG2_PORT_TYPE) == DBG2_TYPE_SERIAL)
		serial.kind = kind_of(acpi_load16(device.bytes + DBG2_PORT_SUBTYPE));
	offset = acpi_load16(device.bytes + DBG2_ADDRESS_OFFSET);
	if (device.bytes[DBG2_ADDRESS_COUNT] > 0) {
		if (offset > device.length_bytes || device.length_bytes - offset < ACPI_GAS_BYTES)
			serial.warnings |= ACPI_WARN_ENTRY_LENGTH;
		else
			serial.at = acpi_gas_load(device.bytes + offset);
	}
	*out = serial;
	return OK;
}
