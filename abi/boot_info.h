/* What a loader hands to the kernel, whatever firmware it came from.
 *
 * At kernel entry: 64-bit mode, IF = 0, DF = 0, CR0.WP = 1, EFER.NXE = 1, RDI = virtual address of struct boot_info
 * (in the direct map), RSP = top of the boot stack (in the direct map, inside the boot heap), CR3 = page tables that lie
 * in the boot heap and hold just this:
 *   - the kernel's segments at kernel_virtual, 4 KiB pages, each with its segment's rights (never writable and executable);
 *   - the boot heap at DIRECT_MAP_BASE + its physical address, 2 MiB pages, writable, no-execute;
 *   - an identity map of what the loader needs for the jump; the kernel drops the whole lower half at once.
 * Every pointer in here is a uint64_t: _physical or _virtual as named. All arrays lie in the boot heap.
 */
#pragma once
#include <stdint.h>

#define BOOT_INFO_MAGIC      0x4f464e4948424c42ULL /* "BLBHINFO" */
#define BOOT_INFO_VERSION    5U
#define BOOT_FILES_MAX       512U /* each takes a handle of the first program */
#define BOOT_REGIONS_MAX     8U
#define BOOT_CPUS_MAX        1024U
#define BOOT_IOAPICS_MAX     16U
#define BOOT_ISA_IRQS        16U
#define BOOT_FILE_PATH_BYTES 128
/* The kernel carries an ELF note: name "Bulkhead", this type, descriptor = uint32_t BOOT_INFO_VERSION. */
#define BOOT_NOTE_NAME    "Bulkhead"
#define BOOT_NOTE_TYPE    0x42480001U

enum boot_loader_kind { BOOT_LOADER_UEFI = 1, BOOT_LOADER_MULTIBOOT2_BIOS = 2, BOOT_LOADER_MULTIBOOT2_UEFI = 3 };

enum boot_memory_type {
	BOOT_MEMORY_USABLE = 1,       /* free for any use */
	BOOT_MEMORY_RESERVED = 2,     /* firmware's, or unknown: never touched */
	BOOT_MEMORY_ACPI_RECLAIM = 3, /* ACPI tables; usable once they were read */
	BOOT_MEMORY_ACPI_NVS = 4,
	BOOT_MEMORY_BAD = 5,
	BOOT_MEMORY_UEFI_RUNTIME = 6, /* runtime services code and data */
	BOOT_MEMORY_KERNEL = 7,       /* the kernel image */
	BOOT_MEMORY_HEAP = 8,         /* the boot heap */
	BOOT_MEMORY_FILES = 9,        /* contents of boot files, and the first program as it runs */
};

/* Sorted by base, never overlapping, base and length multiples of 4096. */
struct boot_memory {
	uint64_t base_physical;
	uint64_t length_bytes;
	uint32_t type;
	uint32_t reserved;
};

enum boot_file_state { BOOT_FILE_LOADED = 1, BOOT_FILE_SKIPPED_NO_MEMORY = 2, BOOT_FILE_SKIPPED_UNREADABLE = 3 };

/* One file below the boot volume's folder bulkhead/. Contents start on a page of their own; the rest of the last page is zero. */
struct boot_file {
	char path[BOOT_FILE_PATH_BYTES]; /* relative to bulkhead/, '/' between parts, NUL-terminated: "linux/vmlinuz" */
	uint64_t base_physical;          /* 0 unless loaded */
	uint64_t size_bytes;
	uint32_t state;
	uint32_t reserved;
};

/* A linear framebuffer of 32-bit (or 16/24-bit) pixels; base_physical = 0: none. */
struct boot_framebuffer {
	uint64_t base_physical;
	uint32_t width_pixels;
	uint32_t height_pixels;
	uint32_t pitch_bytes;
	uint8_t bits_per_pixel;
	uint8_t red_shift, red_bits;
	uint8_t green_shift, green_bits;
	uint8_t blue_shift, blue_bits;
	uint8_t reserved;
};

/* A part of the first program's address space. */
struct boot_region {
	uint64_t virtual_address; /* multiple of 4096 */
	uint64_t length_bytes;    /* multiple of 4096 */
	uint32_t rights;          /* RIGHT_READ, with RIGHT_WRITE or RIGHT_EXECUTE or neither (abi/syscall.h) */
	uint32_t reserved;
};

/* The first program, bulkhead/system/manager, loaded: the loader has read its file, the kernel only maps it. The contents of the
 * regions lie in this memory one behind the other, without gaps, ready to run; the last region is the stack. */
struct boot_program {
	uint64_t physical;     /* multiple of 4096; of type BOOT_MEMORY_FILES in the map */
	uint64_t length_bytes; /* the sum of the regions' */
	uint64_t entry;
	uint64_t stack_top;
	uint32_t region_count;
	uint32_t reserved;
	struct boot_region regions[BOOT_REGIONS_MAX];
};

struct boot_ioapic {
	uint32_t physical;
	uint32_t gsi_base; /* the global system interrupt of its pin 0 */
};

/* Where an ISA interrupt arrives, and how. */
struct boot_irq_route {
	uint32_t gsi;
	uint8_t active_low;
	uint8_t level_triggered;
	uint16_t reserved;
};

/* What ring 0 needs of the firmware's ACPI tables; the loader has parsed them. Without usable tables: no CPUs and no IOAPICs are
 * listed, ISA interrupts are global system interrupts of the same number, edge-triggered and active high, and there is an 8259. */
struct boot_pc {
	uint64_t cpus_virtual; /* uint32_t[cpu_count]: APIC ids of the enabled CPUs, each once, in the firmware's order */
	uint32_t cpu_count;    /* at most BOOT_CPUS_MAX */
	uint32_t ioapic_count; /* at most BOOT_IOAPICS_MAX */
	struct boot_ioapic ioapics[BOOT_IOAPICS_MAX];
	struct boot_irq_route isa_irqs[BOOT_ISA_IRQS]; /* by ISA interrupt number */
	uint8_t has_8259; /* to be masked before the IOAPICs are used */
	uint8_t reserved[7];
};

struct boot_info {
	uint64_t magic;
	uint32_t version;
	uint32_t size_bytes; /* sizeof(struct boot_info) as the loader was built */
	uint32_t memory_count;
	uint32_t reserved;
	uint64_t memory_virtual; /* struct boot_memory[memory_count] */
	uint32_t file_count;
	uint32_t forbid_x2apic;        /* 1: apic=xapic was asked for */
	char selftest[24];             /* the value of selftest=, or empty */
	uint64_t ram_end_physical;     /* the end of the last usable memory */
	uint64_t start_pages_physical; /* two usable pages below 640 KiB, for starting other CPUs; 0: there are none */
	uint64_t host_info_virtual;    /* struct host_info (abi/syscall.h), on pages of its own */
	uint64_t files_virtual;        /* struct boot_file[file_count]; behind host_info, on its pages */
	uint64_t uefi_system_table_physical; /* 0: not booted by UEFI */
	int64_t wall_clock_seconds;    /* seconds since 1970 UTC when the loader ended, or -1: not known */
	uint64_t wall_clock_tsc;       /* the TSC at that moment */
	uint64_t tsc_hz;               /* ticks of the TSC a second, never 0 */
	struct boot_framebuffer framebuffer;
	uint64_t kernel_physical;      /* 2 MiB-aligned, contiguous */
	uint64_t kernel_virtual;       /* where virtual address 0 of the ELF file lies */
	uint64_t kernel_length_bytes;
	uint64_t heap_physical;        /* 2 MiB-aligned */
	uint64_t heap_length_bytes;    /* multiple of 2 MiB, at least 4 MiB */
	uint64_t heap_used_bytes;      /* from its start: page tables, boot stack, these structures */
	struct boot_program program;
	struct boot_pc pc;
};

_Static_assert(sizeof(struct boot_memory) == 24, "boot_memory layout");
_Static_assert(sizeof(struct boot_file) == 152, "boot_file layout");
_Static_assert(sizeof(struct boot_framebuffer) == 32, "boot_framebuffer layout");
_Static_assert(sizeof(struct boot_region) == 24, "boot_region layout");
_Static_assert(sizeof(struct boot_program) == 232, "boot_program layout");
_Static_assert(sizeof(struct boot_pc) == 280, "boot_pc layout");
_Static_assert(sizeof(struct boot_info) == 720, "boot_info layout");
