/* A guest that prints and counts time: a line a second, by the TSC alone; between lines it sleeps in HLT.
 * Its command line is the name that it prints ("hello" where there is none); the word "xapic" in it makes it drive its local
 * APIC by memory instead of MSRs. */
#include "guests/flat/cpu.h"
#include "guests/flat/flat.h"

static bool contains(const char *text, const char *word)
{
	for (; *text != '\0'; text++) {
		unsigned i = 0;

		while (word[i] != '\0' && text[i] == word[i])
			i++;
		if (word[i] == '\0')
			return true;
	}
	return false;
}

void guest_main(const struct guest_flat_info *info)
{
	const char *name = (const char *)info->command_line_address;
	uint64_t tsc_hz = flat_tsc_hz();
	uint64_t start_tsc = read_tsc();

	exceptions_install();
	timer_init(contains(name, "xapic"));
	if (tsc_hz == 0) {
		print("hello: CPUID leaf 15H does not say how fast the TSC counts\n");
		return;
	}
	for (uint64_t seconds = 0;; seconds++) {
		timer_sleep_until(start_tsc + seconds * tsc_hz);
		print("hello from ");
		print(name[0] == '\0' ? "hello" : name);
		print(": ");
		print_number((read_tsc() - start_tsc) / tsc_hz);
		print(" seconds\n");
	}
}
