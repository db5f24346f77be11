/* From what a loader found to the kernel's first instruction: the order of steps and the words for what can go wrong. */
#include "boot/common/start.h"

#include "abi/layout.h"
#include "boot/common/cpu.h"
#include "boot/common/firmware.h"
#include "boot/common/jump.h"
#include "boot/common/program_image.h"
#include "boot/common/random.h"
#include "boot/common/report.h"

#define PLACEMENT_TRIES 16U
#define COPY_REMEDY     "copy the folder bulkhead/ of the release to the boot volume again, completely"
#define MEMORY_REMEDY   "remove large files from bulkhead/ or fit more memory (256 MiB is the least that is supported)"
#define FIRMWARE_REMEDY "update the PC's firmware or boot through GRUB (docs/boot.md); please report the PC's model"

#define CPUID_EXTENDED_FEATURES 0x80000001U
#define CPUID_EXTENDED_EDX_NX   (1U << 20)

static void *at_physical(uint64_t address)
{
	return (void *)(uintptr_t)address;
}

/* CPUID leaf 1, EDX: what ring 0 uses without asking. */
static const struct {
	unsigned bit;
	const char *what;
} required[] = {{9, "a local APIC"}, {4, "a time stamp counter"}, {13, "global pages"}};

static enum status check_cpu(void)
{
	for (unsigned i = 0; i < sizeof(required) / sizeof(required[0]); i++) {
		if ((cpuid(1, 0).edx >> required[i].bit & 1) == 0) {
			report_error(E620, "use another PC, or switch it on in the firmware's settings", "this CPU lacks %s",
				     required[i].what);
			return ERR_UNSUPPORTED;
		}
	}
	if (cpuid(0x80000000U, 0).eax >= CPUID_EXTENDED_FEATURES &&
	    (cpuid(CPUID_EXTENDED_FEATURES, 0).edx & CPUID_EXTENDED_EDX_NX) != 0)
		return OK;
	report_error(E506, "enable \"Execute Disable\" (XD, NX) in the firmware's settings",
		     "this CPU does not offer no-execute pages");
	return ERR_UNSUPPORTED;
}

static void report_refusal(const struct kernel_refusal *refusal)
{
	if (refusal->code == E503) {
		report_error(E503, "copy both from the same release",
			     "loader and kernel do not match: loader speaks version %u, kernel %lu", BOOT_INFO_VERSION,
			     refusal->number);
		return;
	}
	report_error(refusal->code, COPY_REMEDY, "bulkhead/" KERNEL_FILE_PATH " is not a kernel: %s %lu", refusal->what,
		     refusal->number);
}

/* Names the file that is missing. */
static const struct boot_file *find_file(const struct boot_files *files, const char *path, enum error_code code)
{
	const struct boot_file *file = boot_files_find(files, path);

	if (file == NULL)
		report_error(code, COPY_REMEDY, "there is no file bulkhead/%s among the %u boot files", path, files->count);
	return file;
}

static enum status open_kernel(const struct boot_files *files, struct kernel_image *image)
{
	const struct boot_file *file = find_file(files, KERNEL_FILE_PATH, E501);
	struct kernel_refusal refusal;
	enum status status;

	if (file == NULL)
		return ERR_NOT_FOUND;
	status = kernel_image_open(at_physical(file->base_physical), file->size_bytes, image, &refusal);
	if (status != OK)
		report_refusal(&refusal);
	return status;
}

static enum status open_program(const struct boot_files *files, struct elf_image *image, struct boot_program *program)
{
	const struct boot_file *file = find_file(files, PROGRAM_FILE_PATH, E607);
	struct elf_problem problem;
	enum status status;

	if (file == NULL)
		return ERR_NOT_FOUND;
	status = program_image_open(at_physical(file->base_physical), file->size_bytes, image, program, &problem);
	if (status != OK)
		report_error(E606, COPY_REMEDY, "bulkhead/" PROGRAM_FILE_PATH " is not a program: %s (%lu)", problem.what,
			     problem.number);
	return status;
}

/* Finds a random place and claims it. Firmware may refuse what its own map calls free, so try again elsewhere. */
static enum status claim_place(const struct handover *found, struct start_memory *memory, uint64_t length_bytes,
			       uint64_t *base_physical)
{
	enum status status = ERR_NO_MEMORY;

	for (unsigned i = 0; i < PLACEMENT_TRIES; i++) {
		status = firmware_memory(&memory->raw);
		if (status == OK)
			status = handover_add_files(found->files, &memory->raw);
		if (status == OK)
			status = memory_map_normalize(&memory->raw, false, &memory->normal);
		if (status == OK)
			status = place_physical(&memory->normal, length_bytes, firmware_reach(), random64(), base_physical);
		if (status != OK)
			return status;
		status = firmware_claim(*base_physical, length_bytes);
		if (status == OK)
			return OK;
	}
	return status;
}

static enum status place(const struct handover *found, struct start_memory *memory, const struct kernel_image *image,
			 struct placement *placement)
{
	uint64_t heap_bytes = handover_heap_bytes(found, image, memory->raw.capacity);
	enum status status = place_virtual(image->length_bytes, random64(), &placement->kernel_virtual);

	const struct {
		uint64_t length_bytes;
		uint64_t *base_physical;
	} pieces[] = {
		{image->length_bytes, &placement->kernel_physical},
		{heap_bytes, &placement->heap_physical},
		{placement->program.length_bytes, &placement->program.physical},
	};
	uint64_t wanted = 0;

	placement->kernel_length_bytes = image->length_bytes;
	placement->heap_length_bytes = heap_bytes;
	for (unsigned i = 0; status == OK && i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		wanted = pieces[i].length_bytes;
		status = claim_place(found, memory, wanted, pieces[i].base_physical);
	}
	if (status == ERR_NO_MEMORY)
		report_error(E504, MEMORY_REMEDY, "no %lu KiB of free memory in one piece for Bulkhead", wanted >> 10);
	else if (status != OK)
		report_error(E507, FIRMWARE_REMEDY, "the firmware's memory map cannot be used (status %d)", (int)status);
	return status;
}

static enum status load_kernel(const struct kernel_image *image, const struct placement *placement)
{
	struct kernel_refusal refusal;
	enum status status = kernel_image_load(image, at_physical(placement->kernel_physical), placement->kernel_virtual,
					       &refusal);

	if (status != OK)
		report_refusal(&refusal);
	return status;
}

void start_kernel(const struct handover *found, struct start_memory *memory)
{
	struct kernel_image image;
	struct elf_image program;
	struct placement placement;
	struct launch launch;
	uint64_t jump_physical = (uint64_t)(uintptr_t)jump_to_kernel;
	uint64_t jump_bytes = (uint64_t)(uintptr_t)jump_to_kernel_end - jump_physical;

	if (check_cpu() != OK || open_kernel(found->files, &image) != OK ||
	    open_program(found->files, &program, &placement.program) != OK ||
	    place(found, memory, &image, &placement) != OK || load_kernel(&image, &placement) != OK)
		return;
	program_image_load(&program, &placement.program, at_physical(placement.program.physical));
	if (handover_prepare(&launch, found, &image, &placement, memory->raw.capacity, at_physical(placement.heap_physical),
			     jump_physical, jump_bytes) != OK) {
		report_error(E504, MEMORY_REMEDY, "the boot heap of %lu KiB is too small", placement.heap_length_bytes >> 10);
		return;
	}
	if (firmware_leave(&memory->raw) != OK) {
		report_error(E507, FIRMWARE_REMEDY, "the firmware does not end its boot services");
		return;
	}
	if (handover_finish(&launch, found->files, &memory->raw) != OK) {
		report_error(E507, FIRMWARE_REMEDY, "the firmware's memory map has more than %u pieces",
			     memory->raw.capacity);
		return;
	}
	jump_to_kernel(launch.entry_virtual, launch.tables.root_physical, launch.stack_top_virtual, launch.info_virtual);
}
