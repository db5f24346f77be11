/* Ring 0's own way to be heard: a polled serial port and glyphs on the framebuffer. Used until `console` takes over, and by
 * panic(). */
#pragma once
#include <stddef.h>

struct boot_framebuffer;

/* Finds COM1. Works from the first instruction on. */
void emergency_serial_init(void);
/* Maps the framebuffer; nothing is drawn on a mode it does not know. */
void emergency_screen_init(const struct boot_framebuffer *mode);
/* Writes text to both; bounded wait for the serial port. Context: any. */
void emergency_write(const char *text, size_t len_bytes);
/* Writes as much as the serial port takes without waiting, at most to the end of a line; returns the bytes, 0: none now. */
size_t emergency_write_some(const char *text, size_t len_bytes);
/* Goes back to the top of the screen: the next text is drawn over what is there. */
void emergency_screen_home(void);
