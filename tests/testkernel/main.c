/* The test kernel: checks what abi/boot_info.h promises at entry, prints what it was given, and powers the emulator off.
 * The last line is TEST-PASS boot_info or TEST-FAIL boot_info. */
#include "abi/layout.h"
#include "abi/syscall.h"
#include "boot/common/cpu.h"
#include "boot/common/serial.h"
#include "tests/testkernel/test.h"
#include "lib/base/string.h"

#define RFLAGS_IF (1ULL << 9)
#define RFLAGS_DF (1ULL << 10)
#define CR0_WP    (1ULL << 16)
#define EFER_NXE  (1ULL << 11)

/* As the kernel's own (kernel/main.c). */
static const struct {
	uint32_t name_bytes, descriptor_bytes, type;
	char name[12];
	uint32_t boot_info_version;
} boot_note __attribute__((used, section(".note.bulkhead"), aligned(4))) = {
	.name_bytes = sizeof(BOOT_NOTE_NAME),
	.descriptor_bytes = 4,
	.type = BOOT_NOTE_TYPE,
	.name = BOOT_NOTE_NAME,
	.boot_info_version = BOOT_INFO_VERSION,
};

_Noreturn void test_main(const struct boot_info *info, uint64_t stack_pointer, uint64_t flags);

static uint64_t read_cr0(void)
{
	uint64_t value;

	__asm__ volatile("mov %%cr0, %0" : "=r"(value));
	return value;
}

static uint64_t read_efer(void)
{
	uint32_t low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(0xc0000080));
	return (uint64_t)high << 32 | low;
}

static bool in_used_heap(const struct boot_info *info, uint64_t virtual, uint64_t length_bytes)
{
	uint64_t offset = virtual - DIRECT_MAP_BASE - info->heap_physical;

	return offset <= info->heap_used_bytes && length_bytes <= info->heap_used_bytes - offset;
}

static void check_cpu(const struct boot_info *info, uint64_t stack_pointer, uint64_t flags)
{
	check((flags & (RFLAGS_IF | RFLAGS_DF)) == 0, "interrupts and direction flag are off");
	check((read_cr0() & CR0_WP) != 0, "CR0.WP = 1");
	check((read_efer() & EFER_NXE) != 0, "EFER.NXE = 1");
	check(in_used_heap(info, stack_pointer - 4096, 4096), "the stack lies in the used part of the heap");
	check(stack_pointer % 16 == 0, "the stack is aligned");
}

static const struct host_info *host_info(const struct boot_info *info)
{
	return (const struct host_info *)(uintptr_t)info->host_info_virtual;
}

static void check_host_info(const struct boot_info *info)
{
	const struct host_info *host = host_info(info);
	uint64_t pages_bytes = (host->size_bytes + PAGE_SIZE_BYTES - 1) & ~(PAGE_SIZE_BYTES - 1);

	check(info->host_info_virtual % PAGE_SIZE_BYTES == 0 && in_used_heap(info, info->host_info_virtual, pages_bytes),
	      "host_info on pages of the heap");
	check(host->magic == HOST_INFO_MAGIC && host->version == HOST_INFO_VERSION, "host_info's magic and version");
	check(info->host_info_virtual + host->files_offset == info->files_virtual, "host_info's files are boot_info's");
	check(host->file_count == info->file_count && host->file_count <= BOOT_FILES_MAX, "number of files");
}

static void check_pc(const struct boot_info *info)
{
	const uint32_t *apic_ids = (const uint32_t *)(uintptr_t)info->pc.cpus_virtual;
	uint32_t own = cpuid(1, 0).ebx >> 24;
	bool found = false;

	check(in_used_heap(info, info->pc.cpus_virtual, info->pc.cpu_count * sizeof(*apic_ids)), "CPUs in the heap");
	check(info->pc.cpu_count <= BOOT_CPUS_MAX && info->pc.ioapic_count <= BOOT_IOAPICS_MAX, "CPUs and IOAPICs in bounds");
	for (uint32_t i = 0; i < info->pc.cpu_count; i++)
		found = found || apic_ids[i] == own;
	check(found || info->pc.cpu_count == 0, "the boot CPU is listed");
	check(info->tsc_hz != 0, "the TSC's frequency");
	print("pc: %u CPUs, %u IOAPICs, timer at GSI %u, TSC %lu kHz\n", info->pc.cpu_count, info->pc.ioapic_count,
	      info->pc.isa_irqs[0].gsi, info->tsc_hz / 1000);
}

static void check_header(const struct boot_info *info)
{
	check(info->magic == BOOT_INFO_MAGIC && info->version == BOOT_INFO_VERSION, "magic and version");
	check(info->size_bytes == sizeof(struct boot_info), "size");
	check(in_used_heap(info, (uint64_t)(uintptr_t)info, sizeof(*info)), "boot_info lies in the heap");
	check(in_used_heap(info, info->memory_virtual, info->memory_count * sizeof(struct boot_memory)), "map in the heap");
	check(in_used_heap(info, info->files_virtual, info->file_count * sizeof(struct boot_file)), "files in the heap");
	check_host_info(info);
	check_pc(info);
	check(info->kernel_virtual >= KERNEL_IMAGE_BASE && info->kernel_virtual % PAGE_2M_BYTES == 0 &&
	      info->kernel_length_bytes <= KERNEL_IMAGE_END - info->kernel_virtual, "kernel at a 2 MiB boundary in its range");
}

/* A pointer in initialised data is right only if the loader relocated it. */
static void check_relocation(const struct boot_info *info)
{
	static const char text[] = "relocated";
	static const char *volatile const pointer = text;

	check(strcmp(pointer, "relocated") == 0, "pointers in data are relocated");
	check((uint64_t)(uintptr_t)pointer - info->kernel_virtual < info->kernel_length_bytes, "... into the image");
}

static void check_rsdp(const struct boot_info *info)
{
	static const char signature[8] = {'R', 'S', 'D', ' ', 'P', 'T', 'R', ' '};
	const volatile uint8_t *rsdp = window(info, host_info(info)->rsdp_physical);

	for (unsigned i = 0; i < sizeof(signature); i++)
		check(rsdp[i] == (uint8_t)signature[i], "the RSDP is one");
}

static void print_found(const struct boot_info *info)
{
	const struct host_info *host = host_info(info);
	const struct boot_framebuffer *screen = &info->framebuffer;

	print("loader: %u\ncommand line: [%s]\n", host->loader, (const char *)host + host->command_line_offset);
	print("rsdp: %lx system table: %lx\n", host->rsdp_physical, info->uefi_system_table_physical);
	print("wall clock: %ld\n", (long)info->wall_clock_seconds);
	print("framebuffer: %lx %ux%ux%u pitch %u red %u+%u green %u+%u blue %u+%u\n", screen->base_physical,
	      screen->width_pixels, screen->height_pixels, screen->bits_per_pixel, screen->pitch_bytes, screen->red_shift,
	      screen->red_bits, screen->green_shift, screen->green_bits, screen->blue_shift, screen->blue_bits);
	print("kernel: physical %lx virtual %lx bytes %lx\n", info->kernel_physical, info->kernel_virtual,
	      info->kernel_length_bytes);
	print("heap: physical %lx bytes %lx used %lx\n", info->heap_physical, info->heap_length_bytes,
	      info->heap_used_bytes);
}

void test_main(const struct boot_info *info, uint64_t stack_pointer, uint64_t flags)
{
	serial_init();
	print("test kernel\n");
	check_header(info);
	check_cpu(info, stack_pointer, flags);
	check_relocation(info);
	print_found(info);
	check_paging(info);
	check_memory(info);
	if (host_info(info)->rsdp_physical != 0)
		check_rsdp(info);
	print("%s boot_info\n", failed_checks() == 0 ? "TEST-PASS" : "TEST-FAIL");
	power_off();
}
