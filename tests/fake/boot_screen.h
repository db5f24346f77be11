/* The loaders' screen and serial port for host tests: what a user reads. */
#pragma once

/* What boot/common/report.c has written since it was last emptied (boot_screen_text[0] = 0). */
extern char boot_screen_text[8192];
