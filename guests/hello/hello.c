/* A guest that prints and counts time: a line a second, by the TSC alone; between lines it sleeps in HLT.
 * Words of its command line: name=NAME is what it prints ("hello" where there is none); xapic makes it drive its local APIC by
 * memory instead of MSRs. */
#include <stddef.h>

#include "guests/flat/cpu.h"
#include "guests/flat/flat.h"

#define NAME_BYTES 32U

static void copy_name(const char *command_line, char name[NAME_BYTES])
{
	const char *from = flat_find(command_line, "name=");
	unsigned i = 0;

	for (from = from == NULL ? "hello" : from; i < NAME_BYTES - 1 && from[i] != '\0' && from[i] != ' '; i++)
		name[i] = from[i];
	name[i] = '\0';
}

void guest_main(const struct guest_flat_info *info)
{
	const char *command_line = (const char *)info->command_line_address;
	char name[NAME_BYTES];
	uint64_t tsc_hz = flat_tsc_hz();
	uint64_t start_tsc = read_tsc();

	exceptions_install();
	copy_name(command_line, name);
	timer_init(flat_find(command_line, "xapic") != NULL);
	if (tsc_hz == 0) {
		print("hello: CPUID leaf 15H does not say how fast the TSC counts\n");
		return;
	}
	for (uint64_t seconds = 0;; seconds++) {
		timer_sleep_until(start_tsc + seconds * tsc_hz);
		print("hello from ");
		print(name);
		print(": ");
		print_number((read_tsc() - start_tsc) / tsc_hz);
		print(" seconds\n");
	}
}
