/* check_manifest FILE [CPUS]: reads a manifest on the developer's PC by the code that Bulkhead itself uses, and prints every
 * message, or what the file says; with the number of CPUs of the PC that it is for, also who gets which of them. Files and
 * memory of that PC are not looked at.
 * Exit: 0 no errors, 1 errors, 2 wrong usage or the file cannot be read. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/manifest/manifest.h"
#include "lib/schedule/plan.h"

enum { EXIT_NO_ERRORS = 0, EXIT_ERRORS = 1, EXIT_USAGE = 2 };

static void print_messages(const struct manifest *manifest)
{
	char line[MANIFEST_LINE_BYTES];

	for (uint32_t i = 0; i < manifest->message_count; i++) {
		manifest_message_format(manifest, &manifest->messages[i], line, sizeof(line));
		puts(line);
	}
	if (manifest->messages_left_out > 0)
		printf("... and %u more\n", manifest->messages_left_out);
}

static void print_vms(const struct manifest *manifest)
{
	static const char *const restart[] = {"never", "on-failure", "always"};

	if (manifest->vm_count == 0)
		return;
	printf("%-31s  %8s  %5s  %-10s  %s\n", "NAME", "MEMORY", "VCPUS", "RESTART", "KERNEL");
	for (uint32_t i = 0; i < manifest->vm_count; i++) {
		const struct manifest_vm *vm = &manifest->vms[i];
		char memory[24];

		manifest_size_format(vm->memory_bytes, memory, sizeof(memory));
		if (vm->refused)
			printf("%-31s  refused\n", vm->name);
		else
			printf("%-31s  %8s  %5u  %-10s  %s\n", vm->name, memory, vm->vcpu_count, restart[vm->restart],
			       vm->kernel);
	}
}

static enum status find_any_file(void *context, const char *path)
{
	(void)context;
	(void)path;
	return OK;
}

/* cpu_count 0: not known. Then there are as many as can be: only what can never be is an error. */
static void check_cpus(struct manifest *manifest, uint32_t cpu_count, struct schedule_plan *plan)
{
	const struct manifest_limits limits = {
		.cpu_count = cpu_count != 0 ? cpu_count : MANIFEST_CPUS_MAX,
		.free_bytes = UINT64_MAX,
		.find_file = find_any_file,
	};

	manifest_check_host(manifest, &limits);
	schedule_plan_make(plan, manifest, &(struct schedule_pc){.cpu_count = limits.cpu_count});
}

static void print_plan(const struct schedule_plan *plan)
{
	char line[SCHEDULE_LINE_BYTES];

	for (uint32_t cpu = 0; cpu < plan->cpu_count; cpu++) {
		if (schedule_plan_cpu_words(plan, cpu, line) > 0)
			puts(line);
	}
	if (schedule_plan_host_words(plan, line) > 0)
		puts(line);
}

/* Reads the file, one byte more than a manifest may have at most; returns the length, or -1 with errno set. */
static long read_file(const char *path, char *text, size_t size_bytes)
{
	FILE *file = fopen(path, "rb");
	size_t length;
	int saved;

	if (file == NULL)
		return -1;
	length = fread(text, 1, size_bytes, file);
	saved = ferror(file) ? errno : 0;
	fclose(file);
	errno = saved;
	return saved == 0 ? (long)length : -1;
}

int main(int argc, char **argv)
{
	static char text[TOML_FILE_BYTES_MAX + 1];
	static struct manifest_workspace workspace;
	static struct manifest manifest;
	static struct schedule_plan plan;
	long cpu_count = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
	long length;

	if (argc < 2 || argc > 3 || argv[1][0] == '-' || (argc == 3 && (cpu_count < 1 || cpu_count > MANIFEST_CPUS_MAX))) {
		fprintf(stderr, "usage: check_manifest FILE [CPUS]; CPUS: how many the PC has, 1 to %u\n", MANIFEST_CPUS_MAX);
		return EXIT_USAGE;
	}
	length = read_file(argv[1], text, sizeof(text));
	if (length < 0) {
		manifest_unreadable(&manifest, argv[1], strerror(errno));
		print_messages(&manifest);
		return EXIT_USAGE;
	}
	manifest_read(&manifest, &workspace, argv[1], text, (size_t)length);
	check_cpus(&manifest, (uint32_t)cpu_count, &plan);
	print_messages(&manifest);
	if (manifest.error_count > 0)
		printf("%s: %u VM%s, %u error%s\n", argv[1], manifest.vm_count, manifest.vm_count == 1 ? "" : "s",
		       manifest.error_count, manifest.error_count == 1 ? "" : "s");
	else
		printf("%s: %u VM%s, no errors\n", argv[1], manifest.vm_count, manifest.vm_count == 1 ? "" : "s");
	print_vms(&manifest);
	if (cpu_count != 0)
		print_plan(&plan);
	return manifest.error_count > 0 ? EXIT_ERRORS : EXIT_NO_ERRORS;
}
