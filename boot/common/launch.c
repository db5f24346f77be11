/* The common end of both loaders. Owns the choice between the kernel and bare=. */
#include "boot/common/launch.h"

#include "boot/common/bare.h"
#include "boot/common/cpu.h"
#include "boot/common/firmware.h"
#include "boot/common/pc.h"
#include "boot/common/report.h"
#include "boot/common/tsc.h"
#include "lib/base/string.h"

#define COMMAND_LINE_FILE "cmdline.txt"

void launch_add_options(char line[COMMAND_LINE_BYTES], const char *text, size_t len_bytes)
{
	if (command_line_append(line, text, len_bytes) != OK)
		report_warning(E516, "shorten the first line of bulkhead/" COMMAND_LINE_FILE " or the loader's options",
			       "the command line was cut: it is longer than %u characters", COMMAND_LINE_BYTES - 1);
}

static void append_command_line_file(const struct boot_files *files, char line[COMMAND_LINE_BYTES])
{
	const struct boot_file *file = boot_files_find(files, COMMAND_LINE_FILE);

	if (file != NULL)
		launch_add_options(line, (const char *)(uintptr_t)file->base_physical, file->size_bytes);
}

static void report_skipped(const struct boot_file *file)
{
	switch ((enum boot_file_state)file->state) {
	case BOOT_FILE_LOADED:
		return;
	case BOOT_FILE_SKIPPED_NO_MEMORY:
		report_warning(E508, "make it smaller or fit more memory; boot files may fill three quarters of it",
			       "bulkhead/%s (%lu KiB) was skipped: not enough memory", file->path, file->size_bytes >> 10);
		return;
	case BOOT_FILE_SKIPPED_UNREADABLE:
		report_warning(E509, "copy it to the boot volume again, or check that volume for errors",
			       "bulkhead/%s was skipped: the firmware cannot read it", file->path);
		return;
	}
}

static void report_files(const struct boot_files *files)
{
	uint64_t total_bytes = 0;

	for (uint32_t i = 0; i < files->count; i++) {
		report_skipped(&files->files[i]);
		total_bytes += files->files[i].state == BOOT_FILE_LOADED ? files->files[i].size_bytes : 0;
	}
	if (files->left_out_count > 0)
		report_warning(E512, "use at most 512 files, 8 folders deep, paths of at most 127 bytes",
			       "%u boot files or folders were left out, the first: bulkhead/%s", files->left_out_count,
			       files->first_left_out);
	report("%u boot files, %lu KiB", files->count, total_bytes >> 10);
}

static const void *table_at(void *context, uint64_t physical, size_t length_bytes)
{
	(void)context;
	return firmware_can_read(physical, length_bytes) ? (const void *)(uintptr_t)physical : NULL;
}

/* SDM Vol. 2A, "CPUID", "The Processor Brand String Method". */
static void read_cpu_name(char name[HANDOVER_CPU_NAME_BYTES])
{
	memset(name, 0, HANDOVER_CPU_NAME_BYTES);
	for (uint32_t i = 0; i < 3 && cpuid(0x80000000U, 0).eax >= 0x80000004U; i++) {
		struct cpuid_result part = cpuid(0x80000002U + i, 0);

		memcpy(name + i * sizeof(part), &part, sizeof(part));
	}
	if (name[0] == '\0')
		memcpy(name, "no name", sizeof("no name"));
}

/* The boot goes on whatever the tables say. */
static const struct pc *read_pc(uint64_t rsdp_physical)
{
	static const struct acpi_memory memory = {.map = table_at};
	static struct pc pc;

	if (pc_read(&memory, rsdp_physical, &pc) != OK)
		report_warning(E622, "update the PC's firmware, or switch ACPI on in its setup",
			       "no usable ACPI tables: one CPU, no device interrupts, no power-off");
	if (pc.left_out)
		report_warning(E514, "nothing; the others are used",
			       "the firmware lists more than %u CPUs or %u IOAPICs: the rest is left out", BOOT_CPUS_MAX,
			       BOOT_IOAPICS_MAX);
	return &pc;
}

void launch(struct handover *found, char line[COMMAND_LINE_BYTES], struct start_memory *memory)
{
	char bare_path[BOOT_FILE_PATH_BYTES];

	append_command_line_file(found->files, line);
	if (command_line_value(line, "bare", bare_path, sizeof(bare_path))) {
		start_bare(found, bare_path, memory);
		return;
	}
	report_files(found->files);
	read_cpu_name(found->cpu_name);
	found->pc = read_pc(found->rsdp_physical);
	found->tsc_hz = tsc_measure(found->pc->pm_timer_port);
	start_kernel(found, memory);
}
