/* Text on UEFI's console. Owns the question whether that console includes COM1 already.
 * Source: UEFI Specification, "Simple Text Output Protocol", "Globally Defined Variables", "Device Path Protocol". */
#include "boot/efi/efi_loader.h"

#include "boot/common/report.h"
#include "boot/common/serial.h"
#include "lib/base/string.h"

#define CHUNK_CHARACTERS 120U
#define VARIABLE_BYTES   2048U

#define NODE_ACPI            2U
#define NODE_MESSAGING       3U
#define NODE_END             0x7fU
#define SUBTYPE_ACPI         1U
#define SUBTYPE_UART         14U
#define SUBTYPE_END_ENTIRE   0xffU
#define EISA_ID_SERIAL_PORT  0x050141d0U /* PNP0501 */

/* Written by screen_init() only. */
static bool console_has_com1;

struct node_header {
	uint8_t type;
	uint8_t subtype;
	uint8_t length_low;
	uint8_t length_high;
};

/* Whether a device path (instances one after the other, as in the variable ConOut) leads to the first serial port. */
static bool path_has_com1(const uint8_t *path, size_t path_bytes)
{
	bool at_com1 = false;

	while (path_bytes >= sizeof(struct node_header)) {
		struct node_header node;
		size_t length;

		memcpy(&node, path, sizeof(node));
		length = (size_t)node.length_high << 8 | node.length_low;
		if (length < sizeof(node) || length > path_bytes)
			return false;
		if (node.type == NODE_MESSAGING && node.subtype == SUBTYPE_UART && at_com1)
			return true;
		if (node.type == NODE_END)
			at_com1 = false;
		if (node.type == NODE_END && node.subtype == SUBTYPE_END_ENTIRE)
			return false;
		if (node.type == NODE_ACPI && node.subtype == SUBTYPE_ACPI && length >= 12) {
			uint32_t id[2]; /* _HID, _UID */

			memcpy(id, path + sizeof(node), sizeof(id));
			at_com1 = id[0] == EISA_ID_SERIAL_PORT && id[1] == 0;
		}
		path += length;
		path_bytes -= length;
	}
	return false;
}

void screen_init(void)
{
	static uint8_t variable[VARIABLE_BYTES];
	EFI_GUID global = {0x8be4df61, 0x93ca, 0x11d2, {0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c}};
	CHAR16 name[] = {'C', 'o', 'n', 'O', 'u', 't', 0};
	UINTN variable_bytes = sizeof(variable);

	if (!EFI_ERROR(firmware_table()->RuntimeServices->GetVariable(name, &global, NULL, &variable_bytes, variable)))
		console_has_com1 = path_has_com1(variable, variable_bytes);
	if (!console_has_com1)
		serial_init();
	/* The firmware would reset the PC five minutes from now while an error waits to be read. */
	(void)firmware_services()->SetWatchdogTimer(0, 0, 0, NULL);
}

bool screen_write(const char *text)
{
	SIMPLE_TEXT_OUTPUT_INTERFACE *out = firmware_table()->ConOut;
	CHAR16 chunk[CHUNK_CHARACTERS + 3];

	if (firmware_has_ended() || out == NULL)
		return false;
	while (*text != '\0') {
		size_t used = 0;

		while (*text != '\0' && used < CHUNK_CHARACTERS) {
			if (*text == '\n')
				chunk[used++] = '\r';
			chunk[used++] = (CHAR16)(unsigned char)*text++;
		}
		chunk[used] = 0;
		(void)out->OutputString(out, chunk);
	}
	return console_has_com1;
}

void screen_wait_for_key(void)
{
	SIMPLE_INPUT_INTERFACE *in = firmware_table()->ConIn;
	UINTN index;

	(void)screen_write("Press a key to go back to the firmware.\n");
	if (in == NULL) {
		for (;;)
			(void)firmware_services()->Stall(1000000);
	}
	(void)in->Reset(in, FALSE);
	(void)firmware_services()->WaitForEvent(1, &in->WaitForKey, &index);
}
