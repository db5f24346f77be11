/* Keeps what is written to the screen; the serial port says the same. */
#include "tests/fake/boot_screen.h"

#include <string.h>

#include "boot/common/report.h"
#include "boot/common/serial.h"

char boot_screen_text[8192];

bool screen_write(const char *text)
{
	strncat(boot_screen_text, text, sizeof(boot_screen_text) - strlen(boot_screen_text) - 1);
	return true;
}

void serial_write(const char *text)
{
	(void)text;
}
