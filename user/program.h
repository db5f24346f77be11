/* What a program defines: its main function. */
#pragma once
#include <stdint.h>

/* The first thread. argument: what the starter gave (an address of a struct in abi/). The program ends, with all its
 * threads, with what this returns as exit code. */
int program_main(uint64_t argument);
