/* Guest images: recognises a kernel file by its content and plans what goes where in the guest's memory and how the first
 * vCPU starts. Planning is pure; load_apply() then writes through gmem, and does so again at each reset of the guest.
 * Not here: reading files, ACPI tables, the memory map itself. Formats: bzImage (lib/bzimage), flat (abi/guest_flat.h),
 * Multiboot 1 and PVH (lib/elf/guest.h). What each finds at its entry: docs/boot-formats.md. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#include "abi/guest_flat.h"
#include "abi/status.h"
#include "abi/vcpu.h"
#include "abi/vmm_spec.h"
#include "lib/base/error_codes.h"
#include "lib/bzimage/bzimage.h"
#include "vmm/gmem.h"

#define LOAD_E820_USABLE 1U
#define LOAD_PIECES_MAX  48U
/* What kernels by Multiboot and PVH are told lies here: reserved memory where a PC has option ROMs, so that all memory that
 * the map calls usable is theirs, and low enough for kernels that look with 1 MiB mapped. The caller has memory there. */
#define LOAD_INFO_BASE   0xd0000U
#define LOAD_INFO_BYTES  0x4000U
#define LOAD_BIOS_DATA_BASE  0x400U
#define LOAD_BIOS_DATA_BYTES 0x100U

enum image_kind {
	IMAGE_UNKNOWN,
	IMAGE_BZIMAGE,
	IMAGE_FLAT,
	IMAGE_ELF_PVH,
	IMAGE_ELF,       /* without PVH entry: cannot be started */
	IMAGE_MULTIBOOT,
	IMAGE_KIND_COUNT
};

/* A file beside the kernel: nothing else is known of it. */
struct load_module {
	const void *bytes; /* not read where size_bytes is 0 */
	size_t size_bytes;
	const char *text;  /* for the guest: path and words, as the manifest has it */
};

/* All pointers are the caller's; files and command line must outlive the plan, which points into them. */
struct load_request {
	const void *kernel;
	size_t kernel_bytes;
	const char *kernel_path; /* never NULL: Multiboot kernels read it in front of their command line */
	const void *initrd;    /* NULL: none */
	size_t initrd_bytes;
	const char *initrd_path; /* NULL only without initrd */
	const struct load_module *modules;
	size_t module_count;   /* at most VMM_MODULES_MAX */
	const char *command_line; /* never NULL */
	const struct bzimage_e820 *e820; /* ascending, no overlap; images go into entries of type LOAD_E820_USABLE */
	size_t e820_count;
	uint64_t memory_bytes; /* of the VM, as the manifest says */
	uint64_t rsdp_address; /* 0: none */
};

/* To be written at gpa: bytes from source, zeroes behind them. */
struct load_piece {
	gpa_t gpa;
	const void *source;
	uint64_t source_bytes;
	uint64_t zero_bytes;
};

/* What is made rather than read from a file. */
struct load_generated {
	uint8_t boot_params[BZIMAGE_BOOT_PARAMS_BYTES];
	uint64_t page_tables[BZIMAGE_PAGE_TABLES_BYTES / 8];
	uint64_t gdt[BZIMAGE_GDT_BYTES / 8];
	struct guest_flat_info flat_info;
	uint8_t bios_data[LOAD_BIOS_DATA_BYTES];
	uint64_t info[LOAD_INFO_BYTES / 8];
	size_t info_used_bytes;
};

/* About 48 KiB: not for the stack. Points into itself: not to be copied. */
struct load_plan {
	enum image_kind kind;
	unsigned piece_count;
	struct load_piece pieces[LOAD_PIECES_MAX];
	struct vcpu_registers registers; /* of the first vCPU */
	struct load_generated generated;
};

/* Why an image cannot be loaded; what is a constant text, number belongs to it where has_number. */
struct load_problem {
	enum error_code code; /* E210 .. E217, E221 */
	const char *what;
	uint64_t number;
	bool has_number;
};

/* Recognises a kernel file. Any bytes; never fails. Context: any; pure. */
enum image_kind load_recognise(const void *kernel, size_t kernel_bytes);

/* Plans the start of a guest. Pieces lie in memory and do not overlap. Errors, with *problem written: whatever status
 * lib/bzimage or lib/elf gives, ERR_UNSUPPORTED (E216, E221), ERR_BAD_FORMAT (E210, E217), ERR_NO_MEMORY (E213).
 * *plan is undefined after an error. Context: any; pure. */
MUST_CHECK enum status load_make_plan(const struct load_request *request, struct load_plan *plan,
				      struct load_problem *problem);

/* Writes all pieces. ERR_OUT_OF_RANGE: the e820 map of the request named memory that gm does not have.
 * Context: no vCPU of the guest runs. */
MUST_CHECK enum status load_apply(const struct load_plan *plan, const struct gmem *gm);

/* "E211 web: linux/vmlinuz: file is shorter than its header says: bytes needed 8192; copy the file again" */
void load_describe(const struct load_problem *problem, const char *vm_name, const char *kernel_path, char *out,
		   size_t out_bytes);
