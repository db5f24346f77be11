/* Makes constants of C structures known to nasm: a file named in OFFSETS_SOURCES uses these in one function; the build turns its
 * assembly output into %define lines in $(BUILD)/generated/NAME.inc. */
#pragma once
#include <stddef.h>

#define CONSTANT(name, value) __asm__ volatile("\n->%%define " #name " %c0" : : "i"(value))
#define OFFSET(name, structure, member) CONSTANT(name, offsetof(structure, member))
