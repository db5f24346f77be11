/* The one way into ring 0. Programs use the typed calls of user/calls.h. */
#pragma once
#include <stdint.h>

/* Arguments that a call does not have: 0. Returns a value >= 0 or the negative of an enum status (abi/syscall.h). */
int64_t system_call(uint64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f);
/* For calls of one argument that are made often. */
int64_t system_call_short(uint64_t number, uint64_t a);
