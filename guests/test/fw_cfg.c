/* QEMU's fw_cfg by ports and by DMA. Expects a VM of 4 MiB with one vCPU. */
#include "guests/flat/cpu.h"
#include "guests/flat/expect.h"
#include "guests/flat/flat.h"

#define SELECTOR      0x510U
#define DATA          0x511U
#define DMA_HIGH      0x514U
#define DMA_LOW       0x518U
#define KEY_ID        0x01U
#define KEY_RAM_SIZE  0x03U
#define KEY_NB_CPUS   0x05U
#define KEY_KERNEL    0x11U
#define KEY_CMDLINE   0x15U
#define KEY_FILE_DIR  0x19U
#define CONTROL_ERROR 0x1U
#define CONTROL_READ  0x2U
#define CONTROL_SKIP  0x4U
#define CONTROL_WRITE 0x10U
#define CONTROL_SELECT(key) ((uint32_t)(key) << 16 | 0x8U)
#define HOLE          0xd0000000ULL /* no memory there */
#define FILES_MAX     64U

struct descriptor {
	uint32_t control, length;
	uint64_t address;
};

struct file {
	uint32_t size;
	uint16_t key, reserved;
	char name[56];
};

static volatile struct descriptor descriptor;
static uint8_t bytes[64];
static struct {
	uint32_t count;
	struct file files[FILES_MAX];
} directory;

static uint64_t next(unsigned count)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < count; i++)
		value |= (uint64_t)in8(DATA) << i * 8;
	return value;
}

/* Returns the control word that is left. */
static uint32_t dma(uint32_t control, uint32_t length, uint64_t address)
{
	descriptor.control = __builtin_bswap32(control);
	descriptor.length = __builtin_bswap32(length);
	descriptor.address = __builtin_bswap64(address);
	out32(DMA_LOW, __builtin_bswap32((uint32_t)(uintptr_t)&descriptor));
	return __builtin_bswap32(descriptor.control);
}

static void by_ports(void)
{
	uint8_t *target = bytes;
	uint64_t left = 4;

	out16(SELECTOR, 0);
	expect("signature", next(4), 0x554d4551);
	out16(SELECTOR, KEY_ID);
	expect("ports and DMA", next(4), 3);
	out16(SELECTOR, KEY_RAM_SIZE);
	expect("memory size", next(8), 4 << 20);
	out16(SELECTOR, KEY_NB_CPUS);
	expect("processors", next(2), 1);
	expect("zeros behind the end", next(4), 0);
	out16(SELECTOR, 0);
	__asm__ volatile("rep insb" : "+D"(target), "+c"(left) : "d"((uint16_t)DATA) : "memory");
	expect("rep insb", bytes[0] | bytes[3] << 8, 'Q' | 'U' << 8);
}

static bool is_named(const struct file *file, const char *name)
{
	for (unsigned i = 0; i < sizeof(file->name); i++) {
		if (file->name[i] != name[i])
			return false;
		if (name[i] == '\0')
			return true;
	}
	return false;
}

static const struct file *find(const char *name)
{
	uint32_t count = __builtin_bswap32(directory.count);

	for (uint32_t i = 0; i < count && i < FILES_MAX; i++) {
		if (is_named(&directory.files[i], name))
			return &directory.files[i];
	}
	return 0;
}

static void files(void)
{
	const struct file *e820;

	expect("DMA reads the directory", dma(CONTROL_SELECT(KEY_FILE_DIR) | CONTROL_READ, sizeof(directory),
					      (uintptr_t)&directory), 0);
	e820 = find("etc/e820");
	expect("there is etc/e820", e820 != 0, 1);
	if (e820 == 0)
		return;
	expect("of one entry", __builtin_bswap32(e820->size), 20);
	expect("which DMA reads", dma(CONTROL_SELECT(__builtin_bswap16(e820->key)) | CONTROL_READ, 20, (uintptr_t)bytes), 0);
	expect("it ends where memory does", *(const uint64_t *)(bytes + 8), 4 << 20);
	expect("there are ACPI tables", find("etc/acpi/tables") != 0 && find("etc/acpi/rsdp") != 0 && find("etc/table-loader") != 0,
	       1);
}

static void dma_and_its_errors(const char *command_line)
{
	expect("register reads its signature", in32(DMA_HIGH) == 0x554d4551 && in32(DMA_LOW) == 0x47464320, 1);
	expect("skip", dma(CONTROL_SELECT(KEY_CMDLINE) | CONTROL_SKIP, 2, 0), 0);
	expect("and read on", dma(CONTROL_READ, 1, (uintptr_t)bytes), 0);
	expect("is the third byte", bytes[0], (uint8_t)command_line[2]);
	expect("the kernel is this program", dma(CONTROL_SELECT(KEY_KERNEL) | CONTROL_READ, 8, (uintptr_t)bytes), 0);
	expect("with its magic number", *(const uint64_t *)bytes, GUEST_FLAT_MAGIC);
	expect("write is refused", dma(CONTROL_SELECT(KEY_CMDLINE) | CONTROL_WRITE, 1, (uintptr_t)bytes), CONTROL_ERROR);
	expect("target without memory", dma(CONTROL_SELECT(0) | CONTROL_READ, 4, HOLE), CONTROL_ERROR);
	expect("target past the end of memory", dma(CONTROL_SELECT(0) | CONTROL_READ, UINT32_MAX, 0x300000), CONTROL_ERROR);
	out32(DMA_HIGH, UINT32_MAX);
	out32(DMA_LOW, UINT32_MAX);
	out32(DMA_LOW, __builtin_bswap32((uint32_t)HOLE));
	expect("a descriptor without memory does no harm", dma(0, 0, 0), 0);
}

void guest_main(const struct guest_flat_info *info)
{
	expect_for("fw_cfg");
	exceptions_install();
	by_ports();
	files();
	dma_and_its_errors((const char *)info->command_line_address);
	expect_tell("fw_cfg: answers right: ");
}
