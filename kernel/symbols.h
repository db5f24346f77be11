/* Function names of the ring 0 image, made by tools/ksyms.py after a first link. */
#pragma once
#include <stdint.h>

/* The function that holds a text address and the offset in it; NULL: none. */
const char *symbol_name(uint64_t address, uint64_t *offset);
