/* PCI as a machine has it: both ways to configuration space, ECAM that moves, and the BARs of a function that is sized, moved and
 * switched off; and a disk that is done by MSI. Expects a VM with one virtio device, a disk. */
#include "guests/flat/pci.h"

#include "guests/flat/apic.h"
#include "guests/flat/cpu.h"
#include "guests/flat/expect.h"
#include "guests/flat/flat.h"
#include "guests/flat/virtio.h"

#define CONFIG_ADDRESS 0xcf8U
#define CONFIG_DATA    0xcfcU
#define DEVICES        32U
#define HOST_BRIDGE    0U
#define LPC_BRIDGE     31U
#define VIRTIO         0x1af4U
#define PCIEXBAR       0x60U
#define ECAM           0xe0000000ULL
#define ECAM_MOVED     0xb0000000ULL
#define NOBODY         0xffffffffU
#define COMMAND_MEMORY 0x2U
#define COMMAND_IO     0x1U
#define BAR_IO         0U
#define BAR_MSIX       1U
#define BAR_REGISTERS  4U
#define MOVED          0xd0000000U
#define MOVED_IO       0xd000U
#define COMMON_QUEUES  0x12U /* num_queues, of virtio's common configuration */
#define CAPABILITY_MSI 0x05U
#define MSI_CONTROL    2U
#define MSI_ADDRESS    4U
#define MSI_DATA       12U
#define MSI_MASK       16U
#define MSI_PENDING    20U
#define MSI_64BIT_MASK 0x0180U
#define MSI_ENABLE     0x0001U
#define LOCAL_APIC     0xfee00000U
#define MSI_VECTOR     0x51U
#define WAIT_TICKS     400000000ULL
#define IOAPIC         0xfec00000U
#define IOAPIC_VERSION 0x20U

static uint32_t load(uint64_t address)
{
	return *(const volatile uint32_t *)(uintptr_t)address;
}

static void store(uint64_t address, uint32_t value)
{
	*(volatile uint32_t *)(uintptr_t)address = value;
}

static uint16_t load16(uint64_t address)
{
	return *(const volatile uint16_t *)(uintptr_t)address;
}

static void by_both_ways(void)
{
	unsigned different = 0, there = 0;

	out32(CONFIG_ADDRESS, 0x80000000);
	expect("CONFIG_ADDRESS is kept", in32(CONFIG_ADDRESS), 0x80000000);
	expect("the host bridge is the Q35's", pci_read32(HOST_BRIDGE, 0), 0x29c08086);
	expect("half a register", in16(CONFIG_DATA + 2), 0x29c0);
	expect("a byte", in8(CONFIG_DATA + 1), 0x80);
	expect("the LPC bridge is the ICH9's", pci_read32(LPC_BRIDGE, 0), 0x29188086);
	expect("of several functions", pci_read8(LPC_BRIDGE, 0x0e), 0x80);
	expect("power management is at 600h", pci_read32(LPC_BRIDGE, 0x40), 0x601);
	for (unsigned device = 0; device < DEVICES; device++) {
		different += pci_read32(device, 0) != load(ECAM + (uint64_t)device * 0x8000);
		there += pci_read32(device, 0) != NOBODY;
	}
	expect("ECAM shows the same", different, 0);
	expect("three devices", there, 3);
	expect("extended configuration space is empty", load(ECAM + 0x100), 0);
	expect("so is the next bus", load(ECAM + 0x100000), NOBODY);
	out32(CONFIG_ADDRESS, 0);
	expect("not enabled", in32(CONFIG_DATA), NOBODY);
}

static void ecam_moves(void)
{
	pci_write32(HOST_BRIDGE, PCIEXBAR, (uint32_t)ECAM_MOVED | 1);
	expect("ECAM is where it was put", load(ECAM_MOVED), 0x29c08086);
	expect("and no longer where it was", load(ECAM), NOBODY);
	store(ECAM_MOVED + PCIEXBAR, (uint32_t)ECAM | 1);
	expect("it moves itself", load(ECAM), 0x29c08086);
	expect("and has left", load(ECAM_MOVED), NOBODY);
}

/* Sizes a BAR of memory as software does, and puts it back. */
static uint32_t size_of(unsigned device, unsigned bar)
{
	uint32_t before = pci_read32(device, PCI_BAR_0 + bar * 4), mask;

	pci_write32(device, PCI_BAR_0 + bar * 4, NOBODY);
	mask = pci_read32(device, PCI_BAR_0 + bar * 4);
	pci_write32(device, PCI_BAR_0 + bar * 4, before);
	return ~(mask & ((before & 1) != 0 ? ~3U : ~15U)) + 1;
}

static void bars_move(unsigned device)
{
	uint64_t registers = pci_bar(device, BAR_REGISTERS), ports = pci_bar(device, BAR_IO);
	uint16_t queues = load16(registers + COMMON_QUEUES);

	expect("memory and ports are on", pci_read16(device, PCI_COMMAND) & 3U, 3);
	expect("registers take 16 KiB", size_of(device, BAR_REGISTERS), 0x4000);
	expect("a table takes 4 KiB", size_of(device, BAR_MSIX), 0x1000);
	expect("notifications take 128 ports", size_of(device, BAR_IO), 0x80);
	expect("registers answer", queues != 0 && queues < 32, 1);
	pci_write32(device, PCI_BAR_0 + BAR_REGISTERS * 4, MOVED);
	expect("they answer where they were put", load16(MOVED + COMMON_QUEUES), queues);
	expect("and not where they were", load16(registers + COMMON_QUEUES), 0xffff);
	pci_write32(device, PCI_BAR_0 + BAR_REGISTERS * 4 + 4, 0x10); /* 64 GiB and more: no page of this program's is there */
	expect("nor in the middle of a move", load16(MOVED + COMMON_QUEUES), 0xffff);
	pci_write32(device, PCI_BAR_0 + BAR_REGISTERS * 4 + 4, 0);
	expect("but there again after it", load16(MOVED + COMMON_QUEUES), queues);
	pci_write16(device, PCI_COMMAND, COMMAND_IO);
	expect("switched off it is nobody's", load16(MOVED + COMMON_QUEUES), 0xffff);
	pci_write16(device, PCI_COMMAND, COMMAND_IO | COMMAND_MEMORY);
	pci_write32(device, PCI_BAR_0 + BAR_IO * 4, MOVED_IO);
	expect("ports move", pci_bar(device, BAR_IO), MOVED_IO);
	out32(MOVED_IO, 0);
	pci_write32(device, PCI_BAR_0 + BAR_IO * 4, (uint32_t)ports);
	pci_write32(device, PCI_BAR_0 + BAR_REGISTERS * 4, (uint32_t)registers);
	expect("registers are back", load16(registers + COMMON_QUEUES), queues);
}

/* What a machine always has stays where it is. */
static void fixed_devices_win(unsigned device)
{
	uint64_t table = pci_bar(device, BAR_MSIX);

	store(table + 8, 0x12345678);
	expect("the table keeps what is written", load(table + 8), 0x12345678);
	expect("a vector is masked at first", load(table + 12), 1);
	pci_write32(device, PCI_BAR_0 + BAR_MSIX * 4, IOAPIC);
	store(IOAPIC, 1);
	expect("the I/O APIC is not covered", load(IOAPIC + 0x10) & 0xff00ffU, 0x170000U | IOAPIC_VERSION);
	expect("what lies behind its registers is", load(IOAPIC + 0x800), 0);
	pci_write32(device, PCI_BAR_0 + BAR_MSIX * 4, (uint32_t)table);
	expect("the table has not changed", load(table + 8), 0x12345678);
}

static volatile unsigned messages;
static struct flat_virtio disk;
static struct flat_virtqueue queue;

static INTERRUPT_HANDLER void on_message(struct interrupt_frame *frame)
{
	(void)frame;
	messages++;
	apic_write(APIC_EOI, 0);
}

static void wait_for_messages(unsigned count)
{
	uint64_t end = read_tsc() + WAIT_TICKS;

	interrupts_on();
	while (messages < count && read_tsc() < end)
		__builtin_ia32_pause();
	interrupts_off();
}

/* The request is given back before its interrupt. */
static void wait_for_pending(unsigned reg)
{
	uint64_t end = read_tsc() + WAIT_TICKS;

	while (pci_read32(disk.pci_device, reg) == 0 && read_tsc() < end)
		__builtin_ia32_pause();
}

/* Whether the disk gives back a request for its first sector. */
static bool reads_sector(void)
{
	static struct {
		uint32_t type, reserved;
		uint64_t sector;
	} request;
	static uint8_t sector[512], result;
	const struct virtio_buffer buffers[] = {
		{&request, sizeof(request), 0}, {sector, sizeof(sector), VIRTIO_F_WRITE}, {&result, 1, VIRTIO_F_WRITE}};
	uint32_t written;
	uint16_t id;

	virtio_offer(&queue, 0, buffers, 3);
	virtio_notify(&queue);
	return virtio_wait_used(&queue, &id, &written, 3, WAIT_TICKS) && result == 0;
}

/* A driver without MSI-X: one message for all, the ISR status says what it was. */
static void messages_arrive(void)
{
	unsigned msi;

	exceptions_install();
	apic_enable(false);
	interrupt_handle(MSI_VECTOR, on_message);
	expect("the device is a disk", virtio_find(VIRTIO_TYPE_BLOCK, 0, &disk) && virtio_begin(&disk, 0), 1);
	virtio_queue_start(&disk, &queue, 0, 0);
	virtio_go(&disk);
	msi = pci_capability(disk.pci_device, CAPABILITY_MSI, 0);
	expect("MSI has a mask and 64 bits of address", pci_read16(disk.pci_device, msi + MSI_CONTROL), MSI_64BIT_MASK);
	pci_write32(disk.pci_device, msi + MSI_ADDRESS, LOCAL_APIC);
	pci_write32(disk.pci_device, msi + MSI_DATA, MSI_VECTOR);
	pci_write16(disk.pci_device, msi + MSI_CONTROL, MSI_ENABLE);
	expect("a request is done", reads_sector(), 1);
	wait_for_messages(1);
	expect("its message arrives", messages, 1);
	expect("the ISR status says a queue", *disk.isr, 1);
	pci_write32(disk.pci_device, msi + MSI_MASK, 1);
	expect("another is done", reads_sector(), 1);
	wait_for_pending(msi + MSI_PENDING);
	expect("masked it is pending", pci_read32(disk.pci_device, msi + MSI_PENDING), 1);
	expect("and has not been sent", messages, 1);
	pci_write32(disk.pci_device, msi + MSI_MASK, 0);
	wait_for_messages(2);
	expect("it comes with the mask gone", messages, 2);
}

void guest_main(const struct guest_flat_info *info)
{
	unsigned device = 0;

	(void)info;
	expect_for("pci");
	by_both_ways();
	ecam_moves();
	while (device < DEVICES && pci_read16(device, 0) != VIRTIO)
		device++;
	expect("there is a function with BARs", device, 2);
	if (device < DEVICES) {
		bars_move(device);
		fixed_devices_win(device);
		messages_arrive();
	}
	expect_tell("pci: answers right: ");
}
