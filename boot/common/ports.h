/* Port access of the loaders' devices, by link: on the host, tests answer. */
#pragma once
#include <stdint.h>

uint8_t port_in8(uint16_t port);
void port_out8(uint16_t port, uint8_t value);
