/* Starts other ring 3 programs from boot files: their own address space, loaded image, stack. */
#pragma once
#include <stdint.h>

#include "abi/syscall.h"
#include "manager/host.h"

/* What a new program is made of. */
struct program_request {
	const char *path;   /* of its ELF file: "system/vmm" */
	handle_t pool;      /* pays */
	handle_t vm;        /* whose VMM it is, or HANDLE_NONE */
	handle_t end_event; /* signalled with end_bits when it ends */
	uint64_t end_bits;
	const uint64_t *cpu_mask; /* PROGRAM_CPUS_MAX bits: where its threads may run; NULL: anywhere */
};

/* A program that does not run yet: the caller maps and grants what it needs, then program_run(). */
struct program {
	handle_t space;
	handle_t pool;
	uint64_t entry;
};

/* Why it could not be made, for a message: "is missing". */
struct program_problem {
	const char *what;
};

/* Errors, with *problem: those of host_find_file() and elf_parse(); ERR_NO_MEMORY. Nothing is left behind then. */
MUST_CHECK enum status program_create(const struct host *host, const struct program_request *request,
				      struct program *program, struct program_problem *problem);

/* Starts its first thread. name: at most 15 characters, for reports. */
MUST_CHECK enum status program_run(const struct program *program, const char *name, uint64_t argument);
